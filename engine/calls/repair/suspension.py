"""The engine's calls that let nothing begin for a while."""

from __future__ import annotations

from dataclasses import replace

from ....models import SuspensionRow, Suspensions
from ....models.vocabulary import SuspendedKind
from ...clock import moment
from ...errors import Conflict, UnknownProcessInstance, UnknownStone
from ...operating.audit import present_call
from ...steps.repair import suspending
from ...store_errors import engine_errors
from ...views.processes import ProcessInstance, SuspendedStone
from ..workings import number_of
from .undo import UndoCalls


class SuspensionCalls(UndoCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def suspend(
        self, process_instance_id: str, *, reason: str | None = None, who: str | None = None
    ) -> ProcessInstance:
        """Let nothing of a process begin, its undo included, until :meth:`unsuspend`; what runs ends and is entered.

        Timers and retries that come due wait. Messages and the answers of people are taken in. Asked again, the reason
        is replaced.

        Args:
            process_instance_id: The process, or an undo of it.
            reason: Why, for whoever looks at it; at most 1,000 characters.
            who: Who wants it so, where it is not the client that asks over HTTP.

        Raises UnknownProcessInstance, Conflict (it has ended), Invalid.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._asked("suspend", number, lambda process: suspending.suspend(process, reason, who), reason=reason)
        return self.get(process_instance_id)

    def unsuspend(self, process_instance_id: str) -> ProcessInstance:
        """Let a suspended process, and its undo, go on where it stands.

        Raises UnknownProcessInstance, Conflict (it is not suspended).
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._asked("unsuspend", number, suspending.unsuspend)
        return self.get(process_instance_id)

    def suspend_stone(self, code: str, *, reason: str | None = None, who: str | None = None) -> SuspendedStone:
        """Let no hook of a stone begin, in any process and on any engine, until :meth:`unsuspend_stone`.

        What runs ends, monitors are polled, and tasks that need the stone wait; everything else goes on. Asked again,
        the reason is replaced.

        Args:
            code: The stone's.
            reason: Why, for whoever looks at it; at most 1,000 characters.
            who: Who wants it so, where it is not the client that asks over HTTP.

        Raises UnknownStone, Invalid.
        """
        row = self._suspension("stone", code, reason, who)
        with engine_errors():
            self._reports.learn()
            if not (self._facilities.stones.is_known(code) or self._store.is_used(code)):
                raise UnknownStone(code)
            # Tasks of the codes that it had before are its own.
            for name in self._facilities.stones.names_of(code):
                self._suspend(replace(row, name=name))
        return _shown(row)

    def unsuspend_stone(self, code: str) -> None:
        """Let a suspended stone's hooks begin again; raises Conflict if it is not suspended."""
        self._unsuspend("stone", code)

    def suspended_stones(self) -> tuple[SuspendedStone, ...]:
        """The stones of which nothing begins, by code."""
        with engine_errors():
            return tuple(_shown(row) for row in Suspensions(self._store).all("stone"))

    def _suspension(self, kind: SuspendedKind, name: str, reason: str | None, who: str | None) -> SuspensionRow:
        suspending.check_reason(reason)
        call = present_call()
        return SuspensionRow(kind, name, reason or None, who or (call.who if call else None), self.clock.now())

    def _suspend(self, row: SuspensionRow) -> None:
        suspensions = Suspensions(self._store)
        suspensions.suspend(row)
        self._facilities.suspended = suspensions.names()

    def _unsuspend(self, kind: SuspendedKind, name: str) -> None:
        suspensions = Suspensions(self._store)
        with engine_errors():
            names = self._facilities.stones.names_of(name) if kind == "stone" else [name]
            found = [each for each in names if suspensions.unsuspend(kind, each, self.clock.now())]
            self._facilities.suspended = suspensions.names()
        if not found:
            raise Conflict(f"The {kind} {name[:80]!r} is not suspended.", code="not-suspended")
        self._pump.step(lambda turn: None)


def _shown(row: SuspensionRow) -> SuspendedStone:
    return SuspendedStone(code=row.name, since=moment(row.since), reason=row.reason, who=row.who)
