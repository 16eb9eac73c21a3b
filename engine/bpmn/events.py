"""Events: start, end, intermediate, boundary, and the start of event sub-processes (BPMN 2.0, 10.5 and 13.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BpmnError, ExpressionError
from ..expressions import Expression
from . import timers
from .gateways import end_race
from .node import Flow, Node, Process, handler_of
from .token import STARTED, WAITING, Token
from .waits import Wait

if TYPE_CHECKING:
    from ..expressions import Value
    from .activities import Activity

EventKind = Literal[
    "message",
    "signal",
    "timer",
    "condition",
    "error",
    "escalation",
    "link",
    "terminate",
    "cancel",
    "compensate",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventDefinition:
    """One trigger or result of an event; ``name`` is the message, signal, link name or the error or escalation code."""

    kind: EventKind
    name: str | None = None
    expression: Expression | None = None
    timer: Literal["date", "duration", "cycle"] | None = None
    correlation: Expression | None = None
    activity: str | None = None
    """For a compensation: the one activity to compensate."""
    wait_for_completion: bool = True
    payload: Mapping[str, Value] = field(default_factory=dict)


def matches(definition: EventDefinition, kind: str, code: str) -> bool:
    """Whether an event catches this error or escalation; one without a code catches all."""
    return definition.kind == kind and definition.name in (None, code)


class StartEvent(Node):
    """Where a token begins."""

    definitions: Sequence[EventDefinition] = ()
    interrupting = True


class CatchEvent(Node):
    """An intermediate event, or a receive task, that waits for something to come."""

    definitions: Sequence[EventDefinition] = ()
    parallel_multiple = False
    """All of the definitions must come, not one."""

    def _run_hook(self, token: Token) -> bool | None:
        if self.definitions and self.definitions[0].kind == "link":
            return True
        self.listen_for(token)
        return None

    def listen_for(self, token: Token) -> None:
        """Register what the token waits for."""
        waits = [wait_for(definition, token, number) for number, definition in enumerate(self.definitions)]
        token.workflow.wait(token, waits)
        if any(wait.kind == "condition" for wait in waits):
            token.workflow.look_at_conditions()

    def condition_holds(self, token: Token, number: int) -> bool:
        """Whether the condition of a conditional event is true now."""
        return condition_holds(self.definitions[number], token)

    def caught(self, token: Token, number: int, payload: Mapping[str, Any]) -> None:
        """One of the things waited for has come."""
        if self.parallel_multiple:
            seen = sorted({*token.internal_data.get("seen", []), number})
            token.note(seen=seen)
            if len(seen) < len(self.definitions):
                token.workflow.set_variables(token, payload)
                return
        token.workflow.stop_waiting(token)
        token.workflow.set_variables(token, payload)
        end_race(token)
        token.complete()


def wait_for(definition: EventDefinition, token: Token, number: int) -> Wait:
    """What a token must wait for, its expressions evaluated now."""
    if definition.kind == "timer":
        return Wait("timer", number, due=set_timer(definition, token))
    if definition.kind == "condition":
        return Wait("condition", number)
    correlation = None
    if definition.correlation is not None:
        value = definition.correlation.evaluate(token.context)
        correlation = value if isinstance(value, str) else str(value)
    kind: Literal["message", "signal"] = "signal" if definition.kind == "signal" else "message"
    return Wait(kind, number, name=event_name(definition, token), correlation=correlation)


def event_name(definition: EventDefinition, token: Token) -> str:
    """The name of a message or signal, which may be an expression."""
    if definition.expression is None:
        return definition.name or ""
    name = definition.expression.evaluate(token.context)
    if not isinstance(name, str) or not name:
        raise ExpressionError(f"The {definition.kind} name of {token.node.bpmn_id!r} is not a text.")
    return name


def set_timer(definition: EventDefinition, token: Token) -> int:
    """Evaluate a timer and keep what it takes to repeat it; the time that it is due."""
    assert definition.expression is not None and definition.timer is not None
    value = definition.expression.evaluate(token.context)
    host = token.workflow.host
    least = round(host.limits.timer_interval * 1000)
    due, again, interval = timers.first_due(definition.timer, value, host.now(), least)
    token.note(again=again, interval=interval)
    return due


def repeat_timer(token: Token, number: int) -> bool:
    """Set a repeating timer for its next turn; false when it was the last one."""
    again = token.internal_data.get("again", 0)
    waits = token.workflow.waits.get(token.id, [])
    due = next((wait.due for wait in waits if wait.number == number), None)
    if again == 0 or due is None:
        return False
    next_due = timers.next_due(token.internal_data["interval"], due, token.workflow.host.now())
    token.note(again=again - 1 if again > 0 else -1)
    kept = [wait for wait in waits if wait.number != number]
    token.workflow.wait(token, [*kept, Wait("timer", number, due=next_due)])
    return True


def condition_holds(definition: EventDefinition, token: Token) -> bool:
    """Whether a condition is true; one over things that are not there yet is not."""
    assert definition.expression is not None
    try:
        return definition.expression.is_true(token.context)
    except ExpressionError:
        return False


class ThrowEvent(Node):
    """An intermediate event that sends something, or an end event; a token that has no flow to take ends here."""

    definitions: Sequence[EventDefinition] = ()
    link_targets: Sequence[CatchEvent] = ()

    def _run_hook(self, token: Token) -> bool | None:
        for definition in self.definitions:
            if definition.kind == "compensate":
                from .compensation import compensate

                return compensate(token, definition)
            self._throw(definition, token)
        return True

    def _throw(self, definition: EventDefinition, token: Token) -> None:
        workflow = token.workflow
        if definition.kind in ("message", "signal"):
            payload = {name: value.evaluate(token.context) for name, value in definition.payload.items()}
            workflow.host.throw(definition.kind, event_name(definition, token), payload)
        elif definition.kind == "escalation":
            workflow.throw_escalation(token, definition.name or "")

    def _on_complete(self, token: Token) -> None:
        scope = token.scope
        if self.link_targets and scope is not None:
            for target in self.link_targets:
                target.arrive(scope, None, token.causes)
            token.workflow.drop(token)
            return
        self.leave(token)


class EndEvent(ThrowEvent):
    """A token ends here; an error, a cancel or a terminate end event ends more than itself."""

    def _run_hook(self, token: Token) -> bool | None:
        for definition in self.definitions:
            if definition.kind == "error":
                raise BpmnError(definition.name or "", f"thrown by the end event {self.bpmn_id!r}")
            if definition.kind == "terminate":
                token.workflow.terminate(token)
                return None
            if definition.kind == "cancel":
                from .compensation import cancel_transaction

                cancel_transaction(token)
                return None
        return super()._run_hook(token)


class BoundaryEvent(CatchEvent):
    """An event on the border of an activity; its own token listens while the activity's is there."""

    counts = False
    host: Activity
    fired: Fired
    interrupting = True

    @property
    def listens(self) -> bool:
        """Whether it needs a token to wait; errors, escalations, cancels and compensation find it without."""
        return all(definition.kind in ("message", "signal", "timer", "condition") for definition in self.definitions)

    def arm(self, host: Token) -> None:
        """Begin to listen, for the activity of this token."""
        workflow = host.workflow
        token = workflow.new_token(self, host.scope, None, host.causes, state=WAITING)
        token.note(host=host.id)
        self.listen_for(token)

    def caught(self, token: Token, number: int, payload: Mapping[str, Any]) -> None:
        workflow = token.workflow
        if self.parallel_multiple:
            seen = sorted({*token.internal_data.get("seen", []), number})
            token.note(seen=seen)
            if len(seen) < len(self.definitions):
                return
            token.note(seen=[])
        host = workflow.tasks.get(token.internal_data["host"])
        if host is None:
            workflow.cancel_token(token)
            return
        if self.interrupting:
            self.catch(host, payload)
            return
        wait = next((wait for wait in workflow.waits.get(token.id, ()) if wait.number == number), None)
        if wait is not None and wait.kind == "timer" and not repeat_timer(token, number):
            workflow.waits[token.id] = [other for other in workflow.waits[token.id] if other.number != number]
            workflow.touched[token.id] = token
        self._go_on(host.scope, host.causes, payload, host)

    def catch(self, host: Token, payload: Mapping[str, Any]) -> None:
        """Take the flow out of the border, from the activity of this token."""
        workflow = host.workflow
        scope = host.scope
        if not self.interrupting:
            self._go_on(scope, host.causes, payload, host)
            return
        assert scope is not None
        scope.live += 1  # the scope must not end between what is taken away and what goes on
        try:
            for boundary in armed(host):
                workflow.cancel_token(boundary)
            end_race(host)
            causes = workflow.cancel_token(host)
            self._go_on(scope, causes, payload, None)
        finally:
            scope.live -= 1

    def _go_on(
        self, scope: Token | None, causes: tuple[int, ...], payload: Mapping[str, Any], host: Token | None
    ) -> None:
        assert scope is not None
        token = scope.workflow.new_token(self.fired, scope, None, causes)
        token.workflow.set_variables(token, payload)


class Fired(Node):
    """Where the token of a boundary event goes on once it has fired; shares the event's outgoing flows."""

    def __init__(self, event: BoundaryEvent) -> None:
        super().__init__(event.process, f"{event.bpmn_id}:fired", title=event.bpmn_name, line=event.line)
        self.event = event
        self.host = event.host
        self.outgoing = event.outgoing
        self.conditional = event.conditional
        self.default = event.default


def armed(host: Token) -> Iterator[Token]:
    """The listening tokens of an activity's boundary events."""
    if host.scope is None:
        return
    for token in list(host.scope.inside.values()):
        if token.internal_data.get("host") == host.id:
            yield token


class EventSubProcess(Node):
    """An inner process that an event starts while its scope is active (BPMN 2.0, 13.5.4)."""

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
        """Begin to wait for the trigger, if it is one that comes from outside."""
        definition = self.definitions[0]
        if definition.kind in ("message", "signal", "timer", "condition"):
            token = scope.workflow.new_token(self.listener, scope, None, scope.causes, state=WAITING)
            self.listener.listen_for(token)

    def start(self, scope: Token, payload: Mapping[str, Any]) -> None:
        """The trigger has come: begin, in place of or beside all else in the scope."""
        workflow = scope.workflow
        causes = scope.causes
        if self.interrupting:
            scope.live += 1
            causes = workflow.interrupt(scope)
        token = workflow.new_token(self, scope, None, causes)
        if self.interrupting:
            scope.live -= 1
        workflow.set_variables(token, payload)

    def _run_hook(self, token: Token) -> bool | None:
        token._set_state(STARTED)
        token.workflow.open_scope(token, self.body, self.start_event)
        return None

    def scope_ended(self, token: Token) -> None:
        """The handler is through; its scope may go on without it."""
        token.complete()

    def _on_complete(self, token: Token) -> None:
        if "compensates" in token.internal_data:
            from .compensation import compensated

            compensated(token)
            return
        self.leave(token)

    def handlers(self, scope: Token, kind: str, code: str) -> Iterable[EventSubProcess]:
        return handler_of(self.body, kind, code)


class Listener(CatchEvent):
    """Waits for the trigger of an event sub-process, without keeping the scope from ending."""

    counts = False

    def __init__(self, handler: EventSubProcess) -> None:
        super().__init__(handler.process, f"{handler.bpmn_id}:listener", title=handler.bpmn_name, line=handler.line)
        self.handler = handler
        self.definitions = handler.definitions

    def caught(self, token: Token, number: int, payload: Mapping[str, Any]) -> None:
        workflow = token.workflow
        scope = token.scope
        assert scope is not None
        if not self.handler.interrupting:
            wait = next((wait for wait in workflow.waits.get(token.id, ()) if wait.number == number), None)
            if wait is not None and wait.kind == "timer" and not repeat_timer(token, number):
                workflow.cancel_token(token)
        self.handler.start(scope, payload)


__all__ = [
    "BoundaryEvent",
    "CatchEvent",
    "EndEvent",
    "EventDefinition",
    "EventSubProcess",
    "Flow",
    "StartEvent",
    "ThrowEvent",
    "matches",
]
