"""Checks that workers carry out over HTTP: offered under ``X.check``, locked and answered like tasks.

A check is about a task that has ended. Who has it is told by what is offered alone, and the task's row stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ....models import ExternalRow, TaskRow
from ....models.vocabulary import CheckState
from ...instance.instance import Instance
from ...ledger.ledger import exists
from ...work import CHECK, Outcome

GENERATION: Final = 0
"""In the id under which workers know a check: no task has it."""


def topic(row: TaskRow) -> str:
    """Under which topic workers find the check of a task."""
    return f"{row.stone}.check"


def offer(instance: Instance, row: TaskRow) -> None:
    """Let workers find a check, unless they can or one of them has it."""
    if offered(instance, row.id) is None:
        defined = instance.defined_by(row)
        _write(
            instance,
            ExternalRow(
                row.id,
                CHECK,
                instance.number,
                topic(row),
                0,
                instance.now(),
                instance.row.owner_name,
                defined.key,
                defined.deployment_id,
            ),
        )


def offered(instance: Instance, task_id: int) -> ExternalRow | None:
    """The check of a task that is offered or that a worker has; it holds if the revision of the instance does."""
    changed, row = instance.changes.rare.external, instance.tasks.get(task_id)
    found = changed[task_id] if task_id in changed else instance.facilities.external.rows([task_id]).get(task_id)
    return found if found is not None and found.delivery == CHECK and row is not None and exists(row) else None


def lock(instance: Instance, task_id: int, worker: str, milliseconds: int) -> ExternalRow | None:
    """Give a check to a worker; None if nobody may have it now."""
    found, now = offered(instance, task_id), instance.facilities.external.now()
    if found is None or (found.until is not None and found.until >= now):
        return None
    if ("stone", instance.tasks[task_id].stone) in instance.suspended:
        return None
    return hold(instance, found, worker, now + milliseconds)


def hold(instance: Instance, found: ExternalRow, worker: str | None, until: int | None) -> ExternalRow:
    """Say who has a check now, and for how long."""
    changed = replace(found, worker=worker, until=until)
    _write(instance, changed)
    return changed


def outcome_of(instance: Instance, found: ExternalRow, state: CheckState | None, reason: str | None) -> Outcome:
    """What a worker has found, which ends its check; None where it could not tell."""
    instance.changes.rare.external[found.task_id] = None
    return Outcome(
        task_id=found.task_id,
        process_instance_id=instance.number,
        event="check",
        attempt=instance.tasks[found.task_id].attempt,
        result="failed" if state is None else "done",
        reason=reason,
        found=state,
    )


def _write(instance: Instance, offered: ExternalRow) -> None:
    instance.changes.rare.external[offered.task_id] = offered
    instance.changes.instance_changed(instance.row)
