"""What is thrown inside a process, and who catches it: errors, escalations, messages, signals (BPMN 2.0, 10.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....models.vocabulary import ThrownKind
from ...language import effort
from .event_definitions import named

if TYPE_CHECKING:
    from .token import Token
    from .workflow import Workflow


def throw_error(token: Token, code: str, text: str) -> None:
    """Send a BPMN error outward, scope by scope, to the one nearest catcher; without one the token fails."""
    payload = {"errorCode": code, "errorMessage": text}
    if not _catch_outward(token, "error", code, payload):
        reason = f"The BPMN error {code!r} of {token.node.bpmn_id!r} is caught by no event: {text}"
        token.workflow.fail(token, reason)


def throw_escalation(token: Token, code: str) -> None:
    """Send an escalation outward; one that nobody catches is no failure."""
    _catch_outward(token, "escalation", code, {"escalationCode": code})


def _catch_outward(token: Token, kind: str, code: str, payload: dict[str, Any]) -> bool:
    current: Token | None = token
    while current is not None:
        for event in current.node.catchers(current, kind, code):
            event.catch(current, named(event.definitions, payload))
            return True
        scope = current.scope
        if scope is None:
            return False
        for handler in scope.node.handlers(scope, kind, code):
            if handler is not current.node:
                handler.start(scope, named(handler.definitions, payload))
                return True
        current = scope
    return False


def send(workflow: Workflow, kind: ThrownKind, name: str, payload: Mapping[str, Any]) -> None:
    """Deliver a signal to all who wait, here and elsewhere, or a message to one, here before elsewhere."""
    effort.spend(len(workflow.waits))
    receivers = [
        (token_id, wait.number)
        for token_id in sorted(workflow.waits)
        for wait in workflow.waits[token_id]
        if wait.kind == kind and wait.name == name and (kind == "signal" or wait.correlation is None)
    ]
    for token_id, number in receivers[:1] if kind == "message" else receivers:
        if any(wait.number == number for wait in workflow.waits.get(token_id, ())):
            workflow.fire(workflow.tasks[token_id], number, payload)
    if kind == "signal" or not receivers:
        workflow.host.throw(kind, name, payload)
