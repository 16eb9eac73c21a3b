"""How an instance has ended, and for whom it stands still: kept in its row, where lists are filtered by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.vocabulary import OUTCOMES, UNDO_FAILED, Awaits

if TYPE_CHECKING:
    from .instance import Instance

UNDOS_FAILED = frozenset(UNDO_FAILED.values())


def note_standing(instance: Instance) -> None:
    """Let the row of an instance say where it stands after this step."""
    row = instance.row
    row.outcome = None if row.ended is None else OUTCOMES.get(row.status, row.outcome)
    row.awaits = awaited_by(instance)


def awaited_by(instance: Instance) -> Awaits | None:
    """For whom it stands still: for people whatever goes on beside that, for an event where nothing else goes on."""
    phase = instance.row.phase
    if instance.row.suspension is not None:
        return "suspended"
    if phase == "queued":
        return "quota"
    if phase == "running":
        if instance.row.attention:
            return "attention"
        if instance.people:
            return "person"
        workflow = instance.workflow
        # What only listens for an event sub-process holds nothing up.
        if (
            workflow.waits
            and not workflow.open_tasks
            and any(workflow.tasks[each].node.counts for each in workflow.waits)
        ):
            return "event"
        return None
    failed = phase == "paused" or (phase == "ended" and instance.row.status in UNDOS_FAILED)
    return "attention" if failed else None
