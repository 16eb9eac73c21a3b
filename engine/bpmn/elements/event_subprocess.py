"""Event sub-processes: what an event starts inside a scope while that is active (BPMN 2.0, 10.3.5 and 13.5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..running.event_definitions import AWAITED, EventDefinition, matches
from ..running.node import Node, Process, handler_of
from ..running.token import STARTED, WAITING, Token
from ..running.waits import set_again
from .compensation import COMPENSATES, compensated
from .events import CatchEvent, StartEvent


class EventSubProcess(Node):
    """An inner process that an event starts, in place of or beside all else in its scope."""

    body: Process
    start_event: StartEvent
    listener: Listener

    @property
    def interrupting(self) -> bool:
        """Whether the start takes everything else in the scope away."""
        return self.start_event.interrupting

    @property
    def definitions(self) -> Sequence[EventDefinition]:
        """The triggers, which are those of its one start event."""
        return self.start_event.definitions

    def catches(self, kind: str, code: str) -> bool:
        """Whether this error or escalation starts it."""
        return any(matches(definition, kind, code) for definition in self.definitions)

    def listen(self, scope: Token) -> None:
        """Begin to wait for the triggers that come from outside, if there are any."""
        if any(definition.kind in AWAITED for definition in self.definitions):
            token = scope.workflow.new_token(self.listener, scope, None, scope.causes, state=WAITING)
            self.listener.listen_for(token)

    def start(self, scope: Token, payload: Mapping[str, Any]) -> None:
        """The trigger has come."""
        workflow = scope.workflow
        causes = scope.causes
        scope.live += 1  # the scope must not end between what is taken away and what goes on
        if self.interrupting:
            causes = workflow.interrupt(scope)
        token = workflow.new_token(self, scope, None, causes)
        scope.live -= 1
        token.set_variables(payload)

    def _run_hook(self, token: Token) -> bool | None:
        token._set_state(STARTED)
        token.workflow.open_scope(token, self.body, self.start_event)
        return None

    def scope_ended(self, token: Token) -> None:
        token.complete()

    def _on_complete(self, token: Token) -> None:
        if COMPENSATES in token.internal_data:
            compensated(token)
            return
        self.leave(token)

    def handlers(self, scope: Token, kind: str, code: str) -> Iterable[EventSubProcess]:
        return handler_of(self.body, kind, code)

    def compensated_scope(self, scope: Token) -> Token:
        # As a compensation handler it holds what its sub-process remembers; else that is still with the sub-process.
        if COMPENSATES in scope.internal_data or scope.scope is None:
            return scope
        return scope.scope


class Listener(CatchEvent):
    """Waits for the trigger of an event sub-process, without keeping the scope from ending."""

    counts = False

    def __init__(self, handler: EventSubProcess) -> None:
        super().__init__(handler.process, f"{handler.bpmn_id}:listener", title=handler.bpmn_name, line=handler.line)
        self.handler = handler
        self.definitions = handler.definitions
        self.parallel_multiple = handler.start_event.parallel_multiple

    def caught(self, token: Token, number: int, payload: Mapping[str, Any]) -> None:
        scope = token.scope
        assert scope is not None
        if not self.all_seen(token, number):
            token.set_variables(payload)
            return
        if not self.handler.interrupting and self.definitions[number].kind == "timer":
            set_again(token, number)
        self.handler.start(scope, payload)
