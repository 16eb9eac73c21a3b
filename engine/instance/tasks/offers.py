"""Tasks that workers find under their topics and fetch over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....models import EXTERNAL, ExternalRow, TaskRow
from ...ledger import ledger, provenance

if TYPE_CHECKING:
    from ..instance import Instance


def offer(instance: Instance, row: TaskRow) -> None:
    """Let workers find the row's present hook under its topic, and fetch it over HTTP."""
    row.owner, row.due, row.deadline = EXTERNAL, None, None
    row.handed += 1
    defined = instance.defined_by(row)
    if row.target is None and defined != provenance.of_instance(instance.row):
        # When its token has gone, an undo still asks.
        ledger.keep(row, called=defined)
    instance.changes.rare.external[row.id] = ExternalRow(
        row.id,
        ledger.delivery(row),
        instance.number,
        topic_of(row),
        int(ledger.kept(row).get("priority", 0)),
        row.created,
        instance.row.owner_name,
        defined.key,
        defined.deployment_id,
    )
    if row.id not in instance.changes.new_tasks:
        instance.changes.task_changed(row)
        instance.changes.instance_changed(instance.row)


def lock_of(instance: Instance, row: TaskRow) -> tuple[ExternalRow | None, int]:
    """Who has fetched a task that is offered, as it is stored or was changed in this turn, and for how long yet.

    In milliseconds, below zero where the lock is over. It holds if the revision of this instance does.
    """
    store = instance.facilities.external
    found = instance.changes.rare.external.get(row.id) or store.rows([row.id]).get(row.id)
    if found is None or found.delivery != ledger.delivery(row):
        return None, -1
    return found, -1 if found.until is None else found.until - store.now()


def topic_of(row: TaskRow) -> str:
    """Under which workers over HTTP find a row's present hook: its stone's code, with the hook behind."""
    return row.stone or "" if row.event == "start" else f"{row.stone}.{row.event}"
