"""What a start wants kept before it goes on: durable when it is told so, for the next attempt, the monitor and an undo.

A call of a cloud that tells something once, and one of several calls, leave it here; outputs come with the end alone.
"""

from __future__ import annotations

from .. import jsontext
from ..errors import Conflict, LimitExceeded
from ..instance.instance import Instance
from ..ledger import ledger
from ..work import Saving


def save(instance: Instance, saving: Saving) -> bool:
    """Keep a value in the row of its task; false where the task has ended or gone on without this start.

    Of one that is known to run on after its task has ended it is kept all the same: an undo looks for what it has made.
    """
    row = instance.tasks.get(saving.task_id)
    if row is None:
        return False
    key = row.id, saving.attempt, saving.event, saving.delivery
    present = bool(row.open) and key == (row.id, row.attempt, row.event, ledger.delivery(row))
    # What workers were handed last has had its answer where the next hand-over is still to come.
    present = present and not (row.due is not None and instance.facilities.dispatcher.remote)
    if not present and (row.open or key not in instance.stragglers.owners):
        return False
    kept = ledger.kept(row)
    delivery, attempt, number = kept.get("save", (0, 0, 0))
    # Within an attempt deliveries go on counting, and within a delivery the savings do.
    if (saving.attempt, saving.delivery, saving.number) > (attempt, delivery, number):
        values = {**kept.get("saved", {}), saving.name: saving.value}
        limit = instance.limits.output_size
        if jsontext.weigh(values, limit) > limit:
            raise LimitExceeded("output_size", f"Task {row.id} saves more than the limit output_size ({limit} bytes).")
        instance.weight.foresee({saving.name: saving.value})
        ledger.keep(row, saved=values, save=[saving.delivery, saving.attempt, saving.number])
        instance.changes.task_changed(row)
        instance.save()
    return present


def ended(task_id: int) -> Conflict:
    """The error for a start that nobody waits for any more."""
    text = f"Task {task_id} has ended or gone on without this start, so nothing more is saved for it: stop, and"
    return Conflict(f"{text} leave to the undo what was made.", code="task-ended")
