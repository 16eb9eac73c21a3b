"""The secrets of a store by which the tokens of its tasks are made."""

from __future__ import annotations

from .commit.connection import Connection
from .databases.statements import Insert, select
from .errors import AlreadyUsed
from .row_types.access import TokenSecretRow


class TokenSecrets:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def all(self) -> list[TokenSecretRow]:
        """Every secret that tasks may have, the oldest first."""
        return self.store.rows(TokenSecretRow, SELECT_SECRETS)

    def add_first(self, value: str, *, now: int) -> None:
        """Add the first of all, unless somebody was faster."""
        try:
            self.store.write(lambda: self.store.put(INSERT_SECRET, TokenSecretRow(1, value, 0, now)))
        except AlreadyUsed:
            return

    def rotate(self, value: str, now: int) -> None:
        """Add one for all tasks to come, and forget those that no task has any more."""

        def write() -> None:
            # The ids of tasks count up, so the next one parts those that are there from those to come.
            self.store.run("UPDATE `sequence` SET `next` = `next` + 1 WHERE `name` = 'id'")
            since = int(self.store.value("SELECT `next` FROM `sequence` WHERE `name` = 'id'"))
            known = [(int(number), int(begin)) for number, begin in self.store.read(SELECT_BEGINNINGS)]
            oldest = self.store.read("SELECT MIN(`id`) FROM `task`")[0][0]
            for (number, _), (_, end) in zip(known, [*known[1:], (0, since)], strict=True):
                if oldest is None or end <= oldest:
                    self.store.run("DELETE FROM `token_secret` WHERE `number` = ?", (number,))
            number = 1 + max((number for number, _ in known), default=0)
            self.store.put(INSERT_SECRET, TokenSecretRow(number, value, since, now))

        self.store.write(write)


SELECT_SECRETS = select("token_secret", TokenSecretRow, "1 = 1 ORDER BY `number`")
SELECT_BEGINNINGS = "SELECT `number`, `since` FROM `token_secret` ORDER BY `number`"
INSERT_SECRET = Insert.of("token_secret", TokenSecretRow)
