"""Looking whether what a process made is still there: it changes nothing but what is known.

A check is a call of a stone's ``check`` for a row that has ended. It is in nobody's hands while it runs, so one that is
lost with its engine is asked again by whoever wants to know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...models import TaskCheckRow
from ...models.search.resources import Resources
from ..errors import Conflict, UnknownTask
from ..instance.forward import ForwardInstance, forward_of
from ..instance.instance import Instance
from ..ledger import entries
from ..ledger.ledger import exists
from ..work import Outcome
from .tasks import external_checks


def check(instance: Instance, code: str | None = None) -> None:
    """Ask the stones of a process, or one of them, what became of what they made.

    Raises Conflict while that is being undone.
    """
    process = _at_rest(instance)
    for row in process.tasks.values():
        if not exists(row) or code not in (None, row.stone) or ("stone", row.stone) in process.suspended:
            continue
        stone = process.facilities.stone_of(row)
        if not stone.has("check"):
            continue
        if stone.external:
            external_checks.offer(process, row)
        else:
            process.to_check.append(row)


def enter(instance: Instance, outcome: Outcome, *, unless_since: int | None = None) -> None:
    """Keep what a check has found, unless the thing was undone meanwhile, or more is known ``unless_since`` that time.

    The instance's revision goes up with it, since another engine may be taking for undone what was gone before.
    """
    row = instance.tasks.get(outcome.task_id)
    if row is None or not exists(row) or row.attempt != outcome.attempt:
        return
    if unless_since is not None:
        known = Resources(instance.facilities.store).checks([row.id]).get(row.id)
        if known is not None and known.checked >= unless_since:
            return
    state = outcome.found if outcome.result == "done" and outcome.found is not None else "unknown"
    found = TaskCheckRow(row.id, instance.number, state, outcome.reason, instance.now())
    instance.changes.rare.new_checks[row.id] = found
    instance.changes.instance_changed(instance.row)


def accept_gone(instance: Instance, task_ids: Collection[int], checks: Mapping[int, TaskCheckRow]) -> list[int]:
    """Take what is gone for undone: these tasks, or all whose last check says so. Raises UnknownTask, Conflict."""
    process = _at_rest(instance)
    gone = [row for number, row in process.tasks.items() if exists(row) and number in checks]
    gone = [row for row in gone if checks[row.id].state == "gone"]
    for number in task_ids:
        if number not in process.tasks:
            raise UnknownTask(str(number))
    missing = sorted(set(task_ids) - {row.id for row in gone})
    if missing or not gone:
        what = f"the tasks {', '.join(map(str, missing))}" if missing else "anything"
        text = f"No check of process {process.number} has found {what} gone: check it first."
        raise Conflict(text, code="not-gone", status=process.row.status, allowed=("check",))
    chosen = [row for row in gone if not task_ids or row.id in task_ids]
    for row in chosen:
        if row.undo is None and row.status.endswith("failed") and process.row.phase != "ended":
            text = f"Task {row.id} has failed and may begin again: skip it or roll the process back instead."
            raise Conflict(text, code="not-gone", status=process.row.status, allowed=("skip", "rollback"))
    for row in chosen:
        row.undo = "undone"
        entries.log(row, ("It was gone, which somebody has accepted as undone.",))
        process.changes.task_changed(row)
    process.changes.instance_changed(process.row)
    process.save()
    return [row.id for row in chosen]


def _at_rest(instance: Instance) -> ForwardInstance:
    process = forward_of(instance, ", which made nothing: name the process that it undoes.")
    if process.row.phase not in ("running", "suspended", "paused", "ended") or process.workflow.undos.rewinding:
        text = f"What process {process.number} made is being undone: wait until that has ended."
        raise Conflict(text, status=process.row.status)
    return process
