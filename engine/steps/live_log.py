"""Lines of a hook that still runs: beside its task's log until the outcome, which tells all of them."""

from __future__ import annotations

from ..instance.instance import Instance
from ..ledger import entries, ledger
from ..work import LiveLines


def tell(instance: Instance, told: LiveLines) -> None:
    """Keep the lines in the row of their task; those of a hook for which nobody waits any more change nothing."""
    row = instance.tasks.get(told.task_id)
    if row is None or not row.open:
        return
    asked = row.attempt, row.event, ledger.delivery(row)
    # What workers were handed last has had its answer where the next hand-over is still to come.
    answered = row.due is not None and instance.facilities.dispatcher.remote
    if answered or asked != (told.attempt, told.event, told.delivery):
        return
    if entries.log_live(row, told):
        instance.changes.task_changed(row)
        instance.save()
