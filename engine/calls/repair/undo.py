"""The engine's calls about undoing: cancel, delete, protection, and what an undo would do."""

from __future__ import annotations

from collections.abc import Sequence

from ....models.vocabulary import UNDO_KINDS, UndoKind
from ...errors import Invalid, UnknownProcessInstance, UnknownTask
from ...instance.flags import Flags
from ...instance.instance import Instance
from ...showing.masked_views import show_steps
from ...steps.repair import undo_requests
from ...store_errors import engine_errors
from ...undo.creation import preview
from ...views.processes import ProcessInstance
from ...views.undo import UndoStep
from ..events import EventCalls
from ..workings import number_of


class UndoCalls(EventCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def cancel(self, process_instance_id: str, *, force: bool = False) -> ProcessInstance:
        """Cancel a running process and undo what it began; ``force`` gives running stones no grace.

        Asked again, the same cancel goes on. Raises UnknownProcessInstance, Conflict.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._asked(
            "cancel",
            number,
            lambda process: undo_requests.request_cancel(process, force=force),
            of_all=lambda process: undo_requests.begins_cancel(process.row),
        )
        return self.get(process_instance_id)

    def delete(self, process_instance_id: str, *, force: bool = False, retain: Sequence[str] = ()) -> ProcessInstance:
        """Remove what an ended process made; ``force`` cancels a running one first.

        After a failed delete, ``retain`` names tasks whose results are given up for ever. Raises
        UnknownProcessInstance, Conflict, Invalid.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        kept = [number_of(task_id, UnknownTask) for task_id in retain]
        self._asked(
            "delete",
            number,
            lambda process: undo_requests.request_delete(process, force=force, kept=kept),
            of_all=lambda process: undo_requests.begins_delete(process.row, force=force),
            retained=list(retain) or None,
        )
        return self.get(process_instance_id)

    def retry_undo(self, process_instance_id: str, *, retain: Sequence[str] = ()) -> ProcessInstance:
        """Let the failed rollback, cancel or delete of a process go on, giving up the tasks in ``retain``.

        Raises UnknownProcessInstance, Conflict (no undo has failed), Invalid.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        kept = [number_of(task_id, UnknownTask) for task_id in retain]
        self._asked("retry", number, lambda process: undo_requests.retry(process, kept), retained=list(retain) or None)
        return self.get(process_instance_id)

    def preview(self, process_instance_id: str, kind: UndoKind) -> list[UndoStep]:
        """What an undo would do now, in its order; nothing is changed. Raises UnknownProcessInstance, Invalid."""
        if kind not in UNDO_KINDS:
            raise Invalid(f"{kind!r} is no kind of undo: use rollback, cancel or delete.", code="undo-kind")
        number = number_of(process_instance_id, UnknownProcessInstance)
        steps: list[UndoStep] = self._pump.step(lambda turn: preview(turn.instance(number), kind))
        with engine_errors():
            return show_steps(steps, self._records.mask(number))

    def protect(self, process_instance_id: str, on: bool = True) -> ProcessInstance:
        """Refuse deletion of a process, or allow it again; an automatic rollback is not held up."""
        number = number_of(process_instance_id, UnknownProcessInstance)

        def shield(process: Instance) -> None:
            flags = process.row.flags
            process.row.flags = flags | Flags.PROTECTED if on else flags & ~Flags.PROTECTED
            process.changes.instance_changed(process.row)

        self._asked("protect" if on else "unprotect", number, shield)
        return self.get(process_instance_id)
