"""What somebody who debugs may ask of a paused run: to try a failed task again, or to leave and roll back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models import TaskRow
from .. import jsontext
from ..bpmn.elements.tasks import StoneTask
from ..bpmn.running.token import ERROR, STARTED
from ..errors import Conflict, UnknownTask
from ..instance import ledger
from ..instance.flags import Flags
from ..instance.forward import ForwardInstance
from ..instance.instance import Instance
from ..stones.parameters import typed
from .draining import drain
from .due import stone_is_back
from .outcomes import next_attempt, stone_of
from .settling import settle


def rerun(instance: Instance, task_id: int, parameters: Mapping[str, Any] | None) -> None:
    """Start a failed task of a paused debug run again, with edited parameters if any are given.

    Raises UnknownTask, Conflict, and Invalid for parameters that do not fit the stone.
    """
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    token = instance.workflow.tasks.get(row.token)
    if instance.row.phase != "paused" or token is None or token._state != ERROR or row.open:
        raise Conflict(
            f"Task {task_id} cannot be run again: only a failed task of a paused debug run can.",
            status=row.status,
            related=str(instance.number),
        )
    row.open = 1
    row.ended = None
    row.owner = instance.facilities.engine_id
    row.reason = None
    if row.status == "produce.failed":
        row.status = "produce.success"
        assert isinstance(token.node, StoneTask)
        instance.produce(row, token, token.node, given=parameters)
    else:
        try_again(instance, row, parameters)
    instance.changes.task_changed(row)
    instance.workflow.failures.pop(token.id, None)
    token._set_state(STARTED)
    instance.workflow.open_tasks.add(token.id)
    if not instance.workflow.failures:
        instance.row.phase = "running"
        instance.row.reason = None
        instance.row.ended = None
        for other in list(instance.tasks.values()):
            if other.open and other.status == "stone-missing":
                stone_is_back(instance, other.id)
    settle(instance)


def try_again(instance: Instance, row: TaskRow, parameters: Mapping[str, Any] | None = None) -> None:
    """Make a failed row's next attempt, with fresh retries."""
    stone = stone_of(instance, row)
    if parameters:
        edited = {**jsontext.read(row.parameters), **parameters}
        typed(stone, edited)
        row.parameters = jsontext.dumps(edited)
    row.status = "produce.success"
    next_attempt(row, stone)
    # The retries count from here; taking back what was left counts as none.
    ledger.keep(row, tried=row.attempt if row.event == "rollback" else row.attempt - 1, survived=row.lost)
    if instance.may_run(row.id):
        # A hook past its timeout: the next one begins when it has come back.
        row.due = instance.now()
    else:
        instance.hand_over(row, stone)


def resume(instance: Instance, task_id: int) -> None:
    """Leave the debug mode of a paused run: it rolls back."""
    if task_id not in instance.tasks:
        raise UnknownTask(str(task_id))
    if instance.row.phase != "paused" or not isinstance(instance, ForwardInstance):
        raise Conflict(
            f"Process {instance.number} is not paused, so there is nothing to resume.",
            status=instance.row.status,
            related=str(instance.number),
        )
    instance.row.flags &= ~Flags.DEBUG
    instance.row.phase = "draining"
    instance.row.pending = "failed"
    drain(instance)
    settle(instance)
