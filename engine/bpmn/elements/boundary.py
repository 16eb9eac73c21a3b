"""Events on the border of an activity (BPMN 2.0, 10.5.4 and 13.5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..running.event_definitions import AWAITED
from ..running.node import Catcher, Node
from ..running.token import READY, WAITING, Token, followed
from ..running.token_data import COMPENSATES, HOST
from .compensation import left_by_border
from .events import CatchEvent
from .gateways import end_race
from .triggers import come_before, note_come


class BoundaryEvent(CatchEvent, Catcher):
    """An event on the border of an activity; its own token listens while the activity's is there."""

    counts = False
    host: Node
    fired: Fired

    def listen(self, token: Token) -> None:
        # Errors, escalations, cancels and compensation find it without a token that waits.
        if any(definition.kind in AWAITED for definition in self.definitions):
            listener = token.workflow.new_token(self, token.scope, None, token.causes, state=WAITING)
            listener.note(host=token.id)
            token.workflow.group(listener)
            self.listen_for(listener)
            come_before(token, listener, all_must_come=self.parallel_multiple)

    def caught(self, token: Token, number: int, payload: Mapping[str, Any], causes: tuple[int, ...] = ()) -> None:
        workflow = token.workflow
        if not self.all_seen(token, number):
            token.follow(causes)
            self.receive(token, payload)
            return
        host = workflow.tasks[token.internal_data["host"]]
        if not self.interrupting:
            note_come(host, token, number, all_must_come=self.parallel_multiple, causes=causes)
            self.listen_on(token, number)
        after = followed(token.causes, causes)
        self._come(host, {**token.data, **payload} if self.only_mapped else payload, after)

    def catch(
        self, token: Token, payload: Mapping[str, Any], source: Token | None = None, causes: tuple[int, ...] = ()
    ) -> None:
        undoes = token.node.undo_on_error and any(definition.kind == "error" for definition in self.definitions)
        self._come(token, payload, causes, undoes=undoes)

    def _come(self, host: Token, payload: Mapping[str, Any], after: tuple[int, ...], *, undoes: bool = False) -> None:
        if self.interrupting:
            self._interrupt(host, payload, after, undoes=undoes)
        else:
            self.go_on(host, followed(host.causes, after), payload)

    def _interrupt(self, host: Token, payload: Mapping[str, Any], after: tuple[int, ...], *, undoes: bool) -> None:
        workflow = host.workflow
        scope = host.scope
        assert scope is not None
        scope.live += 1  # the scope must not end between what is taken away and what goes on
        for boundary in armed(host):
            workflow.cancel_token(boundary)
        end_race(host)
        removed: list[Token] = []
        causes = followed(workflow.cancel_token(host, removed), after)
        if workflow.way is not None:
            workflow.way.removed(removed, causes)
        token = self.go_on(host, causes, payload, state=WAITING if undoes else READY)
        if COMPENSATES in host.internal_data:
            left_by_border(host, causes)
        if undoes:
            workflow.undos.before(token, [(host.node, {"id": host.id, "tasks": list(causes)})])
        scope.live -= 1

    def go_on(self, host: Token, causes: tuple[int, ...], payload: Mapping[str, Any], *, state: int = READY) -> Token:
        """Let a token leave the border, beside the activity or in its place."""
        token = host.workflow.new_token(self.fired, host.scope, None, causes, state=state)
        self.receive(token, payload)
        return token


class Fired(Node):
    """Where the token of a boundary event goes on once it has fired; shares the event's outgoing flows."""

    def __init__(self, event: BoundaryEvent) -> None:
        super().__init__(event.process, f"{event.bpmn_id}:fired", title=event.bpmn_name, line=event.line)
        self.event = event
        self.host = event.host
        self.outgoing = event.outgoing

    def _run_hook(self, token: Token) -> bool | None:
        self.event.map_outputs(token, {})
        return True


def armed(host: Token) -> Iterable[Token]:
    """The listening tokens of an activity's boundary events."""
    return tuple(host.workflow.groups.get((HOST, host.id), {}).values())
