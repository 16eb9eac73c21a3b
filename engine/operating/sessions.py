"""Sessions of people who have signed in with a browser: rows that every engine of the store sees and may end."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ...models import SessionRecords, SessionRow, Store
from ..clock import Clock, moment
from ..errors import Invalid, Unknown
from ..person import MOST_GROUPS, is_person
from ..store_errors import engine_errors
from .access_keys import NO_DIGEST, SCOPES, digest_of

IDLE = 8 * 3600 * 1000
"""Milliseconds after which a session ends that nobody has used."""
LONGEST = 7 * 24 * 3600 * 1000
"""Milliseconds after which any session ends."""
NOTED = 60 * 1000
"""Milliseconds for which it is not written down once more that one is used."""
PREFIX = "rss"
_FORM = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")


class UnknownSession(Unknown):
    """No session has this id, and nobody of this name has one."""

    code = "unknown-session"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No session has the id or the user {identifier!r}: list the sessions.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A session without its secret."""

    session_id: str
    user: str
    groups: tuple[str, ...]
    scopes: tuple[str, ...]
    owner: str
    """Whose process instances the person starts and sees."""
    created: datetime
    used: datetime


class Sessions:
    """Those of one store. A session's secret has 256 random bits, and the store its digest, as of access keys."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.records = SessionRecords(store)
        self.clock = clock

    def begin(
        self, user: str, *, groups: Collection[str] = (), scopes: Collection[str] = (), owner: str | None = None
    ) -> tuple[Session, str]:
        """A new session and its text, for whoever was found to be ``user``; ``owner`` is ``user:NAME`` unless it says.

        Raises Invalid for names that cannot be kept.
        """
        owner = f"user:{user}" if owner is None else owner
        if not all(map(is_person, (user, owner, *groups))) or len(groups) > MOST_GROUPS:
            text = f"Users, owners and groups are 1 to 255 printable characters, {MOST_GROUPS} groups at most."
            raise Invalid(text, code="session-user")
        secret, now = secrets.token_urlsafe(32), self.clock.now()
        row = SessionRow(
            id=secrets.token_hex(6),
            digest=digest_of(secret),
            user_name=user,
            user_groups=json.dumps(sorted(set(groups)), ensure_ascii=False),
            scopes=" ".join(scope for scope in SCOPES if scope in scopes),
            owner_name=owner,
            created=now,
            used=now,
        )
        with engine_errors():
            self.records.forget(used_before=now - IDLE, made_before=now - LONGEST)
            self.records.add(row)
        return _view(row), f"{PREFIX}_{row.id}_{secret}"

    def find(self, text: str, *, used: bool = True) -> Session | None:
        """The session that this is the text of, if it goes on; ``used`` notes that somebody is there."""
        form, now = _FORM.fullmatch(text), self.clock.now()
        if form is None:
            return None
        with engine_errors():
            row = self.records.find(form[1])
            right = hmac.compare_digest(digest_of(form[2]), row.digest if row is not None else NO_DIGEST)
            if row is None or not right or _is_over(row, now):
                return None
            if used and now - row.used >= NOTED:
                self.records.touch(row.id, now)
        return _view(row)

    def end(self, text: str) -> bool:
        """End the session that this is the text of; whether there was one."""
        found = self.find(text, used=False)
        with engine_errors():
            return found is not None and self.records.end(found.session_id)

    def all(self) -> list[Session]:
        """Every session that goes on, the oldest first."""
        now = self.clock.now()
        with engine_errors():
            return [_view(row) for row in self.records.all() if not _is_over(row, now)]

    def revoke(self, identifier: str) -> int:
        """End the session of this id, or all of this user, from the next request on; raises UnknownSession."""
        with engine_errors():
            ended = int(self.records.end(identifier)) or self.records.end_of(identifier)
        if not ended:
            raise UnknownSession(identifier[:100])
        return ended


def _is_over(row: SessionRow, now: int) -> bool:
    return now - row.used >= IDLE or now - row.created >= LONGEST


def _view(row: SessionRow) -> Session:
    return Session(
        session_id=row.id,
        user=row.user_name,
        groups=tuple(json.loads(row.user_groups)),
        scopes=tuple(row.scopes.split()),
        owner=row.owner_name,
        created=moment(row.created),
        used=moment(row.used),
    )
