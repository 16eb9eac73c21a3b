"""The engine's calls about who is told over HTTP what processes come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from ...models import NoticeRow, SubscriptionRow, WebhookSecretRow
from ...models import Webhooks as StoredWebhooks
from ..arguments import Checked
from ..clock import Clock, moment
from ..errors import Invalid, Unknown
from ..identifiers import new_uuid
from ..outgoing.allowed_origins import AllowedOrigins
from ..store_errors import engine_errors
from ..views.pages import Page, refuse_limit
from ..webhooks import signing
from ..webhooks.sender import Sender
from .workings import cursor_of

NoticeStatus: TypeAlias = Literal["pending", "sent", "failed"]
BOTH_VALID = 24 * 3600 * 1000
"""Milliseconds for which a secret is valid beside the one that took its place."""


class UnknownSubscription(Unknown):
    """Nobody is told under this id."""

    code = "unknown-subscription"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No subscription has the id {identifier[:100]!r}: list them.")


class UnknownNotice(Unknown):
    """Nothing was told under this id."""

    code = "unknown-notice"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No notice has the id {identifier[:100]!r}: list them.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """Somebody who is told what the processes of a model, or of all, come to."""

    subscription_id: str
    url: str
    key: str | None
    """Whose model's processes; None stands for all."""
    owner: str | None
    created: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One thing that somebody is told."""

    notice_id: str
    subscription_id: str
    process_instance_id: str
    type: str
    url: str
    status: NoticeStatus
    attempts: int
    created: datetime
    reason: str | None
    """Why the last try has failed."""


class WebhookCalls(Checked):
    """What may be asked about webhooks; without an ``owner`` about those of all."""

    def __init__(self, stored: StoredWebhooks, clock: Clock, allowed: AllowedOrigins) -> None:
        self.allowed = allowed
        self._stored = stored
        self._clock = clock
        self.sender = Sender(stored, allowed, self.secrets_of) if allowed else None

    def subscribe(
        self, url: str, *, key: str | None = None, owner: str | None = None, creator: str | None = None
    ) -> Subscription:
        """Tell an address what the processes of a model (of all without a ``key``) come to, those of the owner alone.

        ``creator`` is the access key with which it ends. Raises Invalid for an address that is not listed.
        """
        self.allowed.check(url)
        if key is not None and not 0 < len(key) <= 255:
            raise Invalid("A key has 1 to 255 characters.", code="fields-invalid")
        row = SubscriptionRow(
            id=new_uuid(), url=url, created=self._clock.now(), key=key, owner_name=owner, creator=creator
        )
        with engine_errors():
            self._stored.add(row)
        return _subscription(row)

    def subscriptions(self, *, owner: str | None = None) -> list[Subscription]:
        """Who is told of the processes of models."""
        with engine_errors():
            rows = self._stored.by_model()
        return [_subscription(row) for row in rows if owner in (None, row.owner_name)]

    def unsubscribe(self, subscription_id: str, *, owner: str | None = None) -> None:
        """Tell no more; raises UnknownSubscription."""
        with engine_errors():
            row = self._stored.subscription(subscription_id)
            if row is None or owner not in (None, row.owner_name) or not self._stored.remove(subscription_id):
                raise UnknownSubscription(subscription_id)

    def notices(self, *, limit: int = 50, cursor: str | None = None, owner: str | None = None) -> Page[Notice]:
        """What was told or is to be, newest first; raises Malformed for a cursor that is none."""
        refuse_limit(limit)
        with engine_errors():
            rows = self._stored.notices(limit=limit + 1, before=cursor_of(cursor), owner=owner)
        more = f"{rows[limit - 1].created}-{rows[limit - 1].id}" if len(rows) > limit else None
        return Page(items=tuple(_notice(row) for row in rows[:limit]), cursor=more)

    def replay(self, notice_id: str, *, owner: str | None = None) -> None:
        """Tell it again, under the same id; raises UnknownNotice."""
        with engine_errors():
            row = self._stored.notice(notice_id)
            if row is None or owner not in (None, row.owner_name) or not self._stored.replay(notice_id):
                raise UnknownNotice(notice_id)
        if self.sender is not None:
            self.sender.wake()

    def rotate_secret(self, *, owner: str | None = None) -> str:
        """A new secret by which what an owner is told is signed, shown this once; the one before is valid for a day."""
        now = self._clock.now()
        row = WebhookSecretRow(id=new_uuid(), owner_name=owner or "", value=signing.new_secret(), made=now)
        with engine_errors():
            self._stored.add_secret(row, now + BOTH_VALID)
        return row.value

    def secrets_of(self, owner: str | None) -> list[str]:
        """The valid ones, the newest first; the first of all is made when it is needed."""
        with engine_errors():
            found = self._stored.secrets(owner or "", self._clock.now())
        return [row.value for row in found] or [self.rotate_secret(owner=owner)]


def _subscription(row: SubscriptionRow) -> Subscription:
    return Subscription(
        subscription_id=row.id, url=row.url, key=row.key, owner=row.owner_name, created=moment(row.created)
    )


def _notice(row: NoticeRow) -> Notice:
    status: NoticeStatus = "pending"
    if row.due is None:
        status = "sent" if row.sent is not None else "failed"
    return Notice(
        notice_id=row.id,
        subscription_id=row.subscription_id,
        process_instance_id=str(row.process_instance_id),
        type=row.type,
        url=row.url,
        status=status,
        attempts=row.attempts,
        created=moment(row.created),
        reason=row.reason,
    )
