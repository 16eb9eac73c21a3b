"""What has failed and stands still until somebody decides about it, and how it goes on."""

from __future__ import annotations

from collections.abc import Sequence

from ....models import TaskRow
from ...bpmn.running.token import STARTED, Token
from ...bpmn.running.token_data import TASK
from ...errors import Conflict, UnknownTask
from ...instance.forward import ForwardInstance, forward_of
from ...instance.instance import Instance
from ...ledger import ledger
from ..due import goes_on
from .suspending import refuse_suspended


def failed(instance: Instance, element_id: str | None) -> tuple[ForwardInstance, Sequence[Token]]:
    """All that stands still in a process, or at one element of it; raises Conflict where nothing does."""
    process = forward_of(instance, ": ask for that again.")
    refuse_suspended(process)
    tokens = process.waits_for_somebody
    found = [token for token in tokens if element_id in (None, token.node.bpmn_id)]
    if not found:
        places = ", ".join(sorted({token.node.label for token in tokens})[:5])
        where = "" if element_id is None else f" at {element_id[:80]!r}"
        text = f"Nothing of process {process.number} has failed{where} and waits for somebody"
        raise Conflict(f"{text}: that is so at {places}." if places else f"{text}.", status=process.row.status)
    return process, found


def failed_task(instance: Instance, task_id: int, attempt: int | None = None) -> tuple[ForwardInstance, TaskRow, Token]:
    """The same of one task, while its last ``attempt`` is this one; raises UnknownTask, Conflict."""
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    refuse_suspended(instance)
    if attempt is not None and attempt != row.attempt:
        text = f"The last attempt of task {task_id} is number {row.attempt}, not {attempt}: look at it, then decide."
        raise Conflict(text, code="attempt-changed", status=row.status, related=str(instance.number))
    waiting = instance.waits_for_somebody if isinstance(instance, ForwardInstance) else []
    # What was run again beside it, as another task, has its token.
    token = next((each for each in waiting if each.internal_data.get(TASK) == task_id), None)
    if token is None or row.open or not isinstance(instance, ForwardInstance):
        text = f"Task {task_id} does not stand still after a failure, so there is nothing to decide about it."
        raise Conflict(text, status=row.status, related=str(instance.number))
    return instance, row, token


def row_of(process: ForwardInstance, token: Token) -> TaskRow | None:
    """The task of what stands still, if its element has one."""
    return process.tasks.get(token.internal_data.get(TASK, 0))


def refuse_while_it_runs(process: ForwardInstance, row: TaskRow) -> None:
    if process.stragglers.may_run(row.id):
        text = f"A hook of task {row.id} may still run: wait until it has ended, which its log tells."
        raise Conflict(text, status=row.status, related=str(process.number), allowed=("rerun", "cancel"))


def take_up(process: ForwardInstance, token: Token, state: int = STARTED) -> None:
    """The token goes on; with the last failure a process that stood still as a whole does too."""
    process.workflow.forget_failure(token)
    token._set_state(state)
    row = process.row
    if row.phase == "paused" and not process.workflow.failures:
        row.phase = "running"
        row.reason = None
        row.ended = None
        for other in process.tasks.open_rows():
            if other.status in ledger.HELD_BACK:
                goes_on(process, other.id)
