"""Who is told over HTTP what processes come to, what is still to be told, and the secrets that sign it."""

from __future__ import annotations

from collections.abc import Collection

from ..claims.leases import now_of
from ..commit.changes import VALID
from ..commit.connection import Connection
from ..commit.rare_changes import INSERT_SUBSCRIPTION
from ..databases.statements import Insert, marks, select
from ..row_types.webhooks import NoticeRow, SubscriptionRow, WebhookSecretRow
from ..search.instance_filter import plain


class Webhooks:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store
        self._now = now_of(store.kind)

    # -- subscriptions

    def add(self, row: SubscriptionRow) -> None:
        """Tell somebody of whatever is committed from now on."""

        def write() -> None:
            self.store.wait_for_commits()
            self.store.put(INSERT_SUBSCRIPTION, row)

        self.store.write(write)

    def remove(self, subscription_id: str) -> bool:
        """Tell no more; whether there was anybody."""
        return self.store.execute("DELETE FROM `subscription` WHERE `id` = ?", (subscription_id,)) > 0

    def subscription(self, subscription_id: str) -> SubscriptionRow | None:
        """One that may still be told."""
        sql = select("subscription", SubscriptionRow, f"`id` = ? AND {VALID}")
        return self.store.one(SubscriptionRow, sql, (subscription_id,))

    def by_model(self) -> list[SubscriptionRow]:
        """All who are told of the processes of models."""
        condition = f"`process_instance_id` IS NULL AND {VALID} ORDER BY `created`"
        return self.store.rows(SubscriptionRow, select("subscription", SubscriptionRow, condition))

    # -- notices

    def due(
        self,
        limit: int,
        *,
        without_origins: Collection[str] = (),
        without_owners: Collection[str | None] = (),
    ) -> list[NoticeRow]:
        """What is to be sent now, the longest due first.

        Args:
            limit: At most so many.
            without_origins: Addresses that begin so are left out; what ends in neither ``/`` nor ``?`` is a whole one.
            without_owners: Those of these owners are left out; None stands for what is nobody's.
        """
        parts, values = [f"`due` <= {self._now}"], list[str]()
        for origin in without_origins:
            parts.append("`url` NOT LIKE ? ESCAPE '!'")
            values.append(plain(origin) + ("%" if origin[-1:] in ("/", "?") else ""))
        if without_owners:
            parts.append(f"COALESCE(`owner_name`, '') NOT IN ({marks(without_owners)})")
            values += [owner or "" for owner in without_owners]
        sql = select("notice", NoticeRow, f"{' AND '.join(parts)} ORDER BY `due` LIMIT {int(limit)}")
        return self.store.rows(NoticeRow, sql, values)

    def claim(self, row: NoticeRow, milliseconds: int) -> bool:
        """Send one for so long, and nobody else; false where somebody does already."""
        sql = (
            f"UPDATE `notice` SET `due` = {self._now} + ?, `attempts` = `attempts` + 1"
            " WHERE `id` = ? AND `due` = ? AND `attempts` = ?"
        )
        return self.store.execute(sql, (milliseconds, row.id, row.due, row.attempts)) > 0

    def sent(self, notice_id: str) -> None:
        """It has arrived."""
        sql = f"UPDATE `notice` SET `sent` = {self._now}, `due` = NULL, `reason` = NULL WHERE `id` = ?"
        self.store.execute(sql, (notice_id,))

    def failed(self, notice_id: str, reason: str, again: int | None) -> None:
        """It has not arrived; it is sent again after so many milliseconds, or no more."""
        due = "NULL" if again is None else f"{self._now} + {int(again)}"
        self.store.execute(f"UPDATE `notice` SET `due` = {due}, `reason` = ? WHERE `id` = ?", (reason, notice_id))

    def replay(self, notice_id: str) -> bool:
        """Send one again, whatever became of it, with the time that it has got anew."""
        sql = f"UPDATE `notice` SET `due` = {self._now}, `attempts` = 0, `sent` = NULL WHERE `id` = ?"
        return self.store.execute(sql, (notice_id,)) > 0

    def notice(self, notice_id: str) -> NoticeRow | None:
        return self.store.one(NoticeRow, select("notice", NoticeRow, "`id` = ?"), (notice_id,))

    def notices(self, *, limit: int, before: tuple[int, str] | None, owner: str | None) -> list[NoticeRow]:
        """The newest first."""
        parts: list[str] = ["1 = 1"]
        values: list[str | int] = []
        if before is not None:
            parts.append("(`created` < ? OR (`created` = ? AND `id` < ?))")
            values += [before[0], before[0], before[1]]
        if owner is not None:
            parts.append("`owner_name` = ?")
            values.append(owner)
        condition = f"{' AND '.join(parts)} ORDER BY `created` DESC, `id` DESC LIMIT {int(limit)}"
        return self.store.rows(NoticeRow, select("notice", NoticeRow, condition), values)

    # -- secrets

    def secrets(self, owner: str, now: int) -> list[WebhookSecretRow]:
        """Those of one owner that are valid, the newest first."""
        sql = select("webhook_secret", WebhookSecretRow, "`owner_name` = ? AND (`until` IS NULL OR `until` > ?)")
        return self.store.rows(
            WebhookSecretRow, f"{sql} ORDER BY CASE WHEN `until` IS NULL THEN 0 ELSE 1 END, `made` DESC", (owner, now)
        )

    def add_secret(self, row: WebhookSecretRow, until: int) -> None:
        """Another one from now on; those before are valid until then."""

        def write() -> None:
            sql = "UPDATE `webhook_secret` SET `until` = ? WHERE `owner_name` = ? AND `until` IS NULL"
            self.store.run(sql, (until, row.owner_name))
            self.store.put(INSERT_SECRET, row)

        self.store.write(write)


INSERT_SECRET = Insert.of("webhook_secret", WebhookSecretRow)
