"""How an instance has ended, and for whom it stands still: kept in its row, where lists are filtered by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from ....models.vocabulary import OUTCOMES, UNDO_FAILED, Awaits, HeldBack
from ... import jsontext

if TYPE_CHECKING:
    from ..instance import Instance

UNDOS_FAILED = frozenset(UNDO_FAILED.values())
HELD_BACK = frozenset(get_args(HeldBack))


def note_standing(instance: Instance) -> None:
    """Let the row of an instance say where it stands after this step."""
    row = instance.row
    row.outcome = None if row.ended is None else OUTCOMES.get(row.status, row.outcome)
    row.awaits = awaited_by(instance)


def awaited_by(instance: Instance) -> Awaits | None:
    """For whom it stands still: for people whatever goes on beside that, for anything else where nothing goes on."""
    phase = instance.row.phase
    if (suspension := instance.row.suspension) is not None:
        return "attention" if "unforeseen" in jsontext.read(suspension) else "suspended"
    if phase == "queued":
        return "quota"
    if phase == "running":
        if instance.row.attention:
            return "attention"
        if instance.people:
            return "person"
        workflow = instance.workflow
        if workflow.open_tasks:
            return "stone" if _is_held_back(instance) else None
        # What only listens for an event sub-process holds nothing up.
        waits = workflow.waits
        return "event" if waits and any(workflow.tasks[each].node.counts for each in waits) else None
    failed = phase == "paused" or (phase == "ended" and instance.row.status in UNDOS_FAILED)
    return "attention" if failed else None


def _is_held_back(instance: Instance) -> bool:
    """Whether none of its open tasks goes on before somebody sees to its stone."""
    # The newest first: while anything goes on, that mostly does. A generator that ends early costs more than all this.
    for row in reversed(dict.values(instance.tasks)):  # noqa: SIM110
        if row.open and row.status not in HELD_BACK:
            return False
    return True
