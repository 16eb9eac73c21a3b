"""The hook that a row of the ledger stands for at present, as plain data for whoever calls it."""

from __future__ import annotations

from collections.abc import Mapping

from ...models import InstanceRow, Look, TaskRow
from ...models.vocabulary import UNDO_KINDS, UNDO_MONITORS, TaskStatus, UndoKind
from .. import jsontext
from ..work import ProcessFacts, Reached, Work
from . import ledger

PHASES: Mapping[TaskStatus, Reached] = {
    "start.success": "complete",
    "monitor.success": "complete",
    "canceled": "running",
    "unknown": "unknown",
}
"""The ``phase`` that an undo hook is given, by the status with which its task ended; else ``partial``."""


def work_of(
    row: TaskRow, instance: InstanceRow, version: int, target: TaskRow | None = None, origin: InstanceRow | None = None
) -> Work:
    """The present hook of a task as plain data, for whoever calls it.

    ``target`` is the row that it undoes, if any, and ``origin`` the instance of that; ``version`` is the model's.
    """
    outputs = row.outputs
    phase: Reached = "running"
    state, own = ledger.told_apart(row)
    watches: UndoKind | None = own.get("watches") if row.event == "monitor" else None
    key = start_key = f"{instance.id}-{row.id}-{row.generation}"
    if target is not None and origin is not None:
        phase = PHASES.get(target.status, "partial")
        if row.event in UNDO_KINDS or watches is not None:
            outputs = target.outputs
            if more := own.get("late"):
                outputs = jsontext.dumps({**(jsontext.read(outputs) if outputs else {}), **more})
            start_key = f"{origin.id}-{target.id}-{target.generation}"
    elif row.event in UNDO_KINDS:
        key = f"{key}-{row.event}"
        phase = "partial"
    # By position, in the order of the record: keywords would add 1.5 % to the cost of a step.
    work = Work(
        row.id,
        row.process_instance_id,
        row.stone or "",
        row.event,
        row.attempt,
        key,
        row.namespace,
        row.node,
        row.parameters,
        outputs,
        state,
        phase,
        row.name or "",
        start_key,
        row.progress if row.status == "monitor.begin" else -1,
        row.lost + row.handed,
        instance.trace,
    )
    if watches is not None:
        work.hook = UNDO_MONITORS[watches]
    if values := own.get("saved") if target is None or row.event == "start" else ledger.saved(target):
        work.saved = jsontext.dumps(values)
    if references := own.get("references"):
        work.references = tuple(references)
    of = instance if origin is None else origin
    work.process = ProcessFacts(of.id, of.key, of.name, version, of.business_key, of.owner_name)
    work.run, work.deadline = row.run, row.deadline
    return work


def work_of_monitor(monitor: Look) -> Work:
    """The next poll of a monitor that was polled before, as :func:`work_of` would tell it."""
    key = f"{monitor.instance_id}-{monitor.id}-{monitor.generation}"
    state, own = ledger.told_apart(monitor)
    work = Work(
        monitor.id,
        monitor.process_instance_id,
        monitor.stone or "",
        "monitor",
        monitor.attempt,
        key,
        monitor.namespace,
        monitor.node,
        monitor.parameters,
        monitor.outputs,
        state,
        "running",
        monitor.name or "",
        key,
        monitor.progress,
        monitor.lost + monitor.handed,
        monitor.trace,
    )
    if values := own.get("saved"):
        work.saved = jsontext.dumps(values)
    work.references = tuple(own.get("references", ()))
    work.process = ProcessFacts(
        monitor.instance_id,
        monitor.key,
        monitor.process_name,
        monitor.version,
        monitor.business_key,
        monitor.owner_name,
    )
    work.run, work.deadline = monitor.run, monitor.deadline
    return work
