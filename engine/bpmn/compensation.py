"""Compensation in the model: handlers run in the reverse order of what they compensate (BPMN 2.0, 10.7 and 13.5.5).

An activity that completed and can be compensated is remembered by its scope. A throw event (or a cancelled
transaction) takes what its scope remembers, newest first, and runs one handler after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .events import EventDefinition, EventSubProcess
from .node import Process
from .token import READY, STARTED, Token

if TYPE_CHECKING:
    from .activities import Activity
    from .workflow import Workflow

Entry = dict[str, Any]


def remember(token: Token) -> None:
    """The activity of this token has completed and may have to be compensated."""
    scope = token.scope
    assert scope is not None
    entry = {
        "node": token.node.name,
        "tasks": list(token.causes),
        "inner": token.internal_data.get("compensable", []),
        "data": token.data,
    }
    scope.note(compensable=[*scope.internal_data.get("compensable", []), entry])


def hand_up(run: Token, container: Token) -> None:
    """What one run of a repeated activity remembers belongs to the whole of it."""
    inner = run.internal_data.get("compensable")
    if inner:
        container.note(compensable=[*container.internal_data.get("compensable", []), *inner])


def compensate(token: Token, definition: EventDefinition) -> bool | None:
    """A throw event asks for compensation in its scope; true if there is nothing to compensate."""
    scope = token.scope
    assert scope is not None
    if isinstance(scope.node, EventSubProcess) and "compensable" not in scope.internal_data:
        scope = scope.scope
        assert scope is not None
    kept: list[Entry] = []
    taken: list[Entry] = []
    for entry in scope.internal_data.get("compensable", []):
        (taken if definition.activity in (None, entry["node"]) else kept).append(entry)
    if not taken:
        return True
    scope.note(compensable=kept)
    token._set_state(STARTED)
    token.note(compensating=taken[::-1], compensated_in=scope.id)
    _next(token.workflow, token)
    return None


def cancel_transaction(token: Token) -> None:
    """A cancel end event takes away all that runs in its transaction, and compensates what had completed."""
    workflow = token.workflow
    scope = token.scope
    assert scope is not None
    causes = workflow.interrupt(scope)
    workflow.ends_in(scope, causes)
    entries = scope.internal_data.get("compensable", [])
    scope.note(cancelled=True, compensable=[], compensating=entries[::-1], compensated_in=scope.id)
    _next(workflow, scope)


def compensated(handler: Token) -> None:
    """A handler is through: what it compensated needs no undo, and the next handler runs."""
    workflow = handler.workflow
    thrower = workflow.tasks[handler.internal_data["compensates"]]
    workflow.host.compensated(handler.internal_data["tasks"])
    thrower.causes = tuple(sorted({*thrower.causes, *handler.causes}))
    workflow.touched[thrower.id] = thrower
    scope = handler.scope
    assert scope is not None
    scope.live += 1  # the scope must not end between two handlers
    workflow.drop(handler)
    scope.live -= 1
    _next(workflow, thrower)


def _next(workflow: Workflow, thrower: Token) -> None:
    entries: list[Entry] = thrower.internal_data["compensating"]
    scope = workflow.tasks[thrower.internal_data["compensated_in"]]
    while entries:
        entry, entries = entries[0], entries[1:]
        node = workflow.node_named(entry["node"])
        body: Process | None = getattr(node, "body", None)
        handler: Activity | EventSubProcess | None = getattr(node, "compensation", None)
        if handler is None and body is not None:
            handler = next((sub for sub in body.event_sub_processes if sub.definitions[0].kind == "compensate"), None)
        if handler is None:
            entries = [*entry["inner"][::-1], *entries]
            continue
        thrower.note(compensating=entries)
        token = workflow.new_token(handler, scope, None, thrower.causes, state=READY)
        token.data = entry["data"]
        token.note(compensates=thrower.id, tasks=entry["tasks"])
        if isinstance(handler, EventSubProcess):
            token.note(compensable=entry["inner"])
        return
    thrower.note(compensating=[])
    if thrower is scope:
        workflow.scope_ended(thrower)
    else:
        thrower.complete()
