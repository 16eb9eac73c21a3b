"""One step: an event is applied to an instance, the workflow runs until it waits, and the instance's state follows.

Every event that a step may bring has its function here; each ends with :func:`settle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import jsontext
from ..errors import Conflict, UnknownTask
from ..instance.instance import Instance
from ..undo.creation import preview
from .debugging import rerun, resume
from .due import hand_over_again, out_of_hand, stone_is_back, task_due, timer_due
from .outcomes import apply_outcome, progressed, stone_is_gone
from .settling import begin, grace_over, settle
from .undo_requests import request_cancel, request_delete, retry


def deliver(
    instance: Instance, kind: str, name: str, payload: Mapping[str, Any], *, token_id: int | None = None
) -> bool:
    """Give a message to one waiting token, or a signal to all; whether anyone was waiting."""
    if instance.row.phase != "running":
        return False
    workflow = instance.workflow
    found = [
        (waiting, wait.number)
        for waiting in sorted(workflow.waits)
        for wait in workflow.waits[waiting]
        if wait.kind == kind and wait.name == name and token_id in (None, waiting)
    ]
    for waiting, number in found[:1] if kind == "message" else found:
        token = workflow.tasks.get(waiting)
        if token is not None and any(wait.number == number for wait in workflow.waits.get(waiting, ())):
            workflow.fire(token, number, payload)
    if found:
        settle(instance)
    return bool(found)


def complete(instance: Instance, task_id: int, outputs: Mapping[str, Any]) -> None:
    """A person says that a user task is done."""
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    if row.stone is not None:
        raise Conflict(
            f"Task {task_id} is carried out by a stone, so it cannot be completed from outside.", status=row.status
        )
    if not row.open or instance.row.phase != "running":
        raise Conflict(f"Task {task_id} has ended or its process is not running.", status=row.status)
    row.outputs = jsontext.dumps(dict(outputs)) if outputs else None
    row.progress = 100
    instance.end_task(row, "success")
    instance.put_out(row)
    token = instance.workflow.tasks[row.token]
    (token.scope or token).set_variables(outputs)
    instance.workflow.task_done(token, row.id, outputs)
    settle(instance)


__all__ = [
    "apply_outcome",
    "begin",
    "complete",
    "deliver",
    "grace_over",
    "hand_over_again",
    "out_of_hand",
    "preview",
    "progressed",
    "request_cancel",
    "request_delete",
    "rerun",
    "resume",
    "retry",
    "settle",
    "stone_is_back",
    "stone_is_gone",
    "task_due",
    "timer_due",
]
