"""Tasks of people: what somebody gives when one is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.vocabulary import UNDER_WAY
from .. import jsontext
from ..errors import Conflict, UnknownTask
from ..instance.instance import Instance
from .answers import check_answer
from .settling import settle


def complete(instance: Instance, task_id: int, outputs: Mapping[str, Any]) -> None:
    """A person says that a user task is done."""
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    if row.stone is not None:
        raise Conflict(
            f"Task {task_id} is carried out by a stone, so it cannot be completed from outside.", status=row.status
        )
    if not row.open or instance.row.phase not in UNDER_WAY:
        raise Conflict(f"Task {task_id} has ended or its process is not running.", status=row.status)
    token = instance.workflow.tasks[row.token]
    check_answer(instance, token, outputs)
    row.outputs = jsontext.dumps(dict(outputs)) if outputs else None
    row.progress = 100
    instance.end_task(row, "success")
    instance.put_out(row)
    token.node.receive(token, outputs)
    instance.workflow.task_done(token, row.id, outputs)
    settle(instance)
