"""Going on without what has failed and stands still: what an attempt may have made is undone first."""

from __future__ import annotations

from ....models import TaskRow
from ...bpmn.elements.activity import Activity
from ...bpmn.running.token import Token
from ...errors import Conflict
from ...instance.forward import ForwardInstance
from ...instance.instance import Instance
from ...instance.notes.history import note_attempt
from ...instance.tasks.hand_over import hand_over
from ...ledger import ledger
from ..settling import settle
from .failures import failed, failed_task, refuse_while_it_runs, row_of, take_up


def skip_task(instance: Instance, task_id: int, attempt: int | None) -> None:
    """Go on without a failed task: what an attempt may have made is undone first. Raises UnknownTask, Conflict."""
    leave_out_task(instance, task_id, attempt)
    settle(instance)


def leave_out_task(instance: Instance, task_id: int, attempt: int | None) -> None:
    """The same, but for what follows from it in this step."""
    process, row, token = failed_task(instance, task_id, attempt)
    _skip(process, token, row)


def skip(instance: Instance, element_id: str) -> None:
    """The same for an element, whether it has a task or none. Raises Conflict."""
    leave_out(instance, element_id)
    settle(instance)


def leave_out(instance: Instance, element_id: str) -> None:
    """The same, but for what follows from it in this step."""
    process, tokens = failed(instance, element_id)
    for token in tokens:
        _skip(process, token, row_of(process, token))


def _skip(process: ForwardInstance, token: Token, row: TaskRow | None) -> None:
    workflow = process.workflow
    if "leaving" in token.internal_data or not isinstance(token.node, Activity):
        text = f"{token.node.label} decides where it goes on, so it cannot be skipped"
        raise Conflict(
            f"{text}: set the variables that it reads, and try it again.",
            status=process.row.status,
            related=str(process.number),
            allowed=("retry", "cancel"),
        )
    if row is None or row.status.endswith("success"):
        take_up(process, token)
        if row is None:
            workflow.undos.leave_out(token)
        workflow.guard(token, token.complete)
        return
    refuse_while_it_runs(process, row)
    note_attempt(process, row, row.status, row.reason, edited=False)
    stone = process.facilities.stone_of(row)
    begun = row.undo != "never-begun"
    if begun and row.kind in ledger.FORWARD and stone.has("rollback"):
        row.open, row.ended, row.event, row.status = 1, None, "rollback", "produce.success"
        ledger.keep(row, skip=True, tried=row.attempt, survived=row.lost)
        process.changes.task_changed(row)
        take_up(process, token)
        workflow.open_tasks.add(token.id)
        hand_over(process, row, stone)
        return
    reason = row.reason
    process.end_task(row, "start.skipped")
    row.reason = reason
    take_up(process, token)
    workflow.task_skipped(token, row.id)
