"""Messages and signals that come to an instance, and which of its tokens take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.vocabulary import UNDER_WAY, ThrownKind
from ..instance.instance import Instance
from .settling import settle


def deliver(
    instance: Instance,
    kind: ThrownKind,
    name: str,
    payload: Mapping[str, Any],
    *,
    token_id: int | None = None,
    correlation: str | None = None,
) -> bool:
    """Give a message to one waiting token, or a signal to all; whether anyone was waiting.

    A message that is for no certain token is taken by one that waits for no correlation, or for this one.
    """
    if instance.row.phase not in UNDER_WAY:
        return False
    workflow = instance.workflow
    found = [
        (waiting, wait.number)
        for waiting in sorted(workflow.waits)
        for wait in workflow.waits[waiting]
        if wait.kind == kind and wait.name == name
        if (wait.correlation in (None, correlation) if token_id is None else waiting == token_id)
    ]
    if not found:
        return False
    if kind == "message":
        waiting, number = found[0]
        workflow.fire(workflow.tasks[waiting], number, payload)
    else:
        workflow.deliveries.add(found, payload, ())
        workflow.deliveries.deliver(instance.turn.is_over)
    settle(instance)
    return True
