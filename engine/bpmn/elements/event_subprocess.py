"""Event sub-processes: what an event starts inside a scope while that is active (BPMN 2.0, 10.3.5 and 13.5.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..running.event_definitions import AWAITED
from ..running.node import Catcher, Process, catching
from ..running.token import STARTED, WAITING, Token, followed
from ..running.token_data import COMPENSATES
from .compensation import compensated, give_back
from .events import CatchEvent, StartEvent
from .triggers import come_before, note_come


class EventSubProcess(Catcher):
    """An inner process that an event starts, in place of or beside all else in its scope."""

    body: Process
    start_event: StartEvent
    listener: Listener

    def start_with(self, event: StartEvent) -> None:
        """Take over the triggers of its one start event."""
        self.start_event = event
        self.definitions = event.definitions
        self.interrupting = event.interrupting
        self.listener = Listener(self)

    def listen(self, token: Token) -> None:
        if any(definition.kind in AWAITED for definition in self.definitions):
            listener = token.workflow.new_token(self.listener, token, None, token.causes, state=WAITING)
            self.listener.listen_for(listener)
            come_before(token, listener, all_must_come=self.listener.parallel_multiple)

    def catch(
        self, token: Token, payload: Mapping[str, Any], source: Token | None = None, causes: tuple[int, ...] = ()
    ) -> None:
        workflow = token.workflow
        before = token.causes
        token.live += 1  # the scope must not end between what is taken away and what goes on
        if self.interrupting:
            # A handler whose own error this is would end with it once more.
            give_back(token, but=source)
            before = workflow.interrupt(token)
        started = workflow.new_token(self, token, None, followed(before, causes))
        token.live -= 1
        if not self.start_event.only_mapped:
            started.set_variables(payload)
        elif payload:
            started.note(payload=dict(payload))

    def _run_hook(self, token: Token) -> bool | None:
        token._set_state(STARTED)
        token.workflow.open_scope(token, self.body, self.start_event)
        if payload := token.internal_data.pop("payload", None):
            (first,) = (inner for inner in token.children if inner.node is self.start_event)
            self.start_event.receive(first, payload)
        return None

    def scope_ended(self, token: Token) -> None:
        token.complete()

    def _on_complete(self, token: Token) -> None:
        if COMPENSATES in token.internal_data:
            compensated(token)
            return
        self.leave(token)

    def catchers_inside(self, scope: Token, kind: str, code: str) -> Sequence[Catcher]:
        return catching(self.body.event_sub_processes, kind, code)

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

    def caught(self, token: Token, number: int, payload: Mapping[str, Any], causes: tuple[int, ...] = ()) -> None:
        scope = token.scope
        assert scope is not None
        if not self.all_seen(token, number):
            token.follow(causes)
            self.handler.start_event.receive(token, payload)
            return
        if not self.handler.interrupting:
            note_come(scope, token, number, all_must_come=self.parallel_multiple, causes=causes)
            self.listen_on(token, number)
        only_mapped = self.handler.start_event.only_mapped
        brought = {**token.data, **payload} if only_mapped else payload
        self.handler.catch(scope, brought, causes=followed(token.causes, causes))
