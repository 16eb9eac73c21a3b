"""The audit: one durable row for every changing call, saying who did what, when and from where."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

from ...models import AccessRecords, AuditRow, Changes, Store, StoreError
from ..clock import Clock, moment
from ..errors import Malformed, RiverstoneError
from ..jsontext import storable
from ..views.pages import Page, refuse_limit

logger = logging.getLogger("riverstone.audit")

DONE = "done"


@dataclass(kw_only=True, slots=True)
class AuditedCall:
    """One changing call while it is answered."""

    client: str
    address: str
    action: str
    request_id: str
    target: str | None = None
    written: bool = False
    person: str | None = None
    """Which person, where the client tells."""

    @property
    def who(self) -> str:
        """Who has done it, as histories tell: the person, else the client."""
        return self.person or self.client


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One changing call, as it is shown."""

    number: str
    time: datetime
    request_id: str
    client: str
    address: str
    action: str
    target: str | None
    outcome: str
    """``done``, or the code of the error that refused it."""
    person: str | None = None
    """Which person, where the client told."""


_present: ContextVar[AuditedCall | None] = ContextVar("riverstone_call", default=None)


class AuditLog:
    """Writes and reads the audit of one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.records = AccessRecords(store)
        self.clock = clock

    def recording(self, call: AuditedCall) -> Recording:
        """Write down what is called inside: with its first step, in one transaction, else when it has ended.

        A refused call is written with the code of its error. Raises what the call raises.
        """
        return Recording(self, call)

    def write(self, call: AuditedCall, outcome: str) -> None:
        """Write a row by itself, for a call of which no step is written."""
        try:
            self.records.add_audit(self._row(call, outcome))
        except StoreError:
            # Nothing was changed by a step, and an answer that is already known is not withheld.
            logger.error("the call %s of %s could not be written down: %s", call.action, call.client, outcome)

    def _row(self, call: AuditedCall, outcome: str) -> AuditRow:
        return AuditRow(
            created=self.clock.now(),
            request_id=call.request_id[:64],
            client=call.client[:255],
            address=call.address[:64],
            action=call.action[:64],
            # As it came in a path, which may be refused for just that.
            target=None if call.target is None else storable(call.target)[:255],
            outcome=outcome[:64],
            person=call.person,
        )

    def note(self, changes: Changes, call: AuditedCall) -> None:
        """Let the present call's row be part of a transaction."""
        changes.rare.new_audit.append(self._row(call, DONE))

    def entries(self, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        """Calls, newest first; raises Malformed for a cursor that is none."""
        refuse_limit(limit)
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
            raise Malformed(f"{cursor[:100]!r} is not a cursor of this list.", code="cursor")
        rows = self.records.audit(limit=limit + 1, before=None if cursor is None else int(cursor))
        shown = tuple(_view(number, row) for number, row in rows[:limit])
        return Page(items=shown, cursor=shown[-1].number if len(rows) > limit else None)

    def forget(self, before: datetime) -> int:
        """Delete the rows of calls before a moment; how many there were."""
        return self.records.forget_audit(round(before.timestamp() * 1000))


class Recording:
    """The span of one call; a class, since a generator would be made for every request."""

    __slots__ = ("_audit", "_call", "_token")

    def __init__(self, audit: AuditLog, call: AuditedCall) -> None:
        self._audit, self._call = audit, call

    def __enter__(self) -> AuditedCall:
        self._token = _present.set(self._call)
        return self._call

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _present.reset(self._token)
        if not self._call.written:
            self._audit.write(self._call, _outcome(error))


def _outcome(error: BaseException | None) -> str:
    if isinstance(error, RiverstoneError):
        return error.code
    if isinstance(error, Exception):
        return str(getattr(error, "name", "") or type(error).__name__)
    return DONE


def present_call() -> AuditedCall | None:
    """The changing call that this thread answers and that is not written down yet."""
    call = _present.get()
    return None if call is None or call.written else call


def _view(number: int, row: AuditRow) -> AuditEntry:
    names = ("request_id", "client", "address", "action", "target", "outcome", "person")
    values: dict[str, Any] = {name: getattr(row, name) for name in names}
    return AuditEntry(number=str(number), time=moment(row.created), **values)
