"""Events at which a token begins, waits, sends or ends (BPMN 2.0, 10.5 and 13.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ....models.vocabulary import ThrownKind
from ... import jsontext
from ...errors import BpmnError
from ...language import effort
from ..running.node import Node
from ..running.token import Token
from ..running.token_data import COMPENSATED, RACE, TRIGGERED
from .compensation import cancel_transaction, compensate, taken_back
from .gateways import end_race
from .triggers import condition_holds, event_name, repeats_left, rest, wait_again, waits_for

if TYPE_CHECKING:
    from .people.form import Form

TAKING_AWAY: Final = frozenset({"error", "escalation", "cancel", "terminate"})
"""What an event throws that may take away the scope that it is in, or all else there."""


class StartEvent(Node):
    """Where a token begins."""

    interrupting = True
    parallel_multiple = False
    form: Form | None = None
    """What whoever starts the process fills in."""

    def _run_hook(self, token: Token) -> bool | None:
        self.map_outputs(token, {})
        return True


class CatchEvent(Node):
    """An intermediate event, or a receive task, that waits for something to come."""

    parallel_multiple = False
    """All of the definitions must come, not one."""

    def _run_hook(self, token: Token) -> bool | None:
        if TRIGGERED in token.internal_data or (self.definitions and self.definitions[0].kind == "link"):
            self.map_outputs(token, {})
            return True
        self.listen_for(token)
        return None

    def listen_for(self, token: Token) -> None:
        """Register what the token waits for."""
        self.take_inputs(token)
        token.workflow.wait(token, waits_for(self.definitions, token))

    def has_become_true(self, token: Token, number: int) -> bool:
        held = token.internal_data.get("held", [])
        if condition_holds(self.definitions[number], token) == (number in held):
            return False
        if number in held:
            token.note(held=[other for other in held if other != number])
            return False
        token.note(held=[*held, number])
        return True

    def all_seen(self, token: Token, number: int) -> bool:
        """Whether nothing is missing, now that this one of the definitions has come."""
        if not self.parallel_multiple:
            return True
        seen = {*token.internal_data.get("seen", []), number}
        if len(seen) < len(self.definitions):
            token.note(seen=sorted(seen))
            rest(token, number)
            return False
        token.note(seen=[])
        return True

    def _comes_again(self, token: Token, number: int) -> bool:
        """Whether what has come does so once more, a number of times: by its timer, or by all where all must come."""
        timers = [each for each, definition in enumerate(self.definitions) if definition.kind == "timer"]
        left = [repeats_left(token, each) for each in (timers if self.parallel_multiple else [number])]
        return max(left, default=0) > 0 and 0 not in left

    def listen_on(self, token: Token, number: int) -> None:
        """It has come and interrupts nothing: wait once more, unless all must come and one of them never does."""
        if not wait_again(token, number) and self.parallel_multiple:
            token.workflow.stop_waiting(token)

    def caught(self, token: Token, number: int, payload: Mapping[str, Any], causes: tuple[int, ...] = ()) -> None:
        workflow = token.workflow
        token.follow(causes)
        self.receive(token, payload)
        if not self.all_seen(token, number):
            return
        if RACE not in token.internal_data and self._comes_again(token, number) and wait_again(token, number):
            # A bounded cycle lets a token go at each of its turns; an endless one would keep the process for ever.
            turn = workflow.new_token(self, token.scope, token.flow, token.causes)
            turn.note(triggered=True)
            return
        workflow.stop_waiting(token)
        self.map_outputs(token, payload)
        end_race(token)
        token.complete()


class ThrowEvent(Node):
    """An intermediate event that sends something, or an end event; a token that has no flow to take ends here."""

    link_targets: Sequence[CatchEvent] = ()
    sent: Sent

    def _run_hook(self, token: Token) -> bool | None:
        """Throw all (BPMN 2.0, table 10.88), what may take the token away last."""
        internal = token.internal_data
        if COMPENSATED not in internal:
            if not internal.pop("sent", False):
                self._send_all(token)
            if token.id not in token.workflow.tasks or "sending" in internal or not self._compensate(token):
                return None
        return self._go_on(token)

    def delivered(self, token: Token) -> None:
        left = token.internal_data["sending"] - 1
        if left:
            token.note(sending=left)
            return
        del token.internal_data["sending"]
        token.note(sent=True)
        token.workflow.make_ready(token)

    def _go_on(self, token: Token) -> bool | None:
        """All is sent and compensated: what is left is what may end those around."""
        for definition in self.definitions:
            if definition.kind == "escalation":
                code = definition.name or ""
                token.throw("escalation", code, {"escalationCode": code})  # one that nobody catches is no failure
                if token.id not in token.workflow.tasks:
                    return None
        self.map_outputs(token, {})
        return True

    def _takes_away(self) -> bool:
        """Whether it may take away what else is in its scope, so that nothing of what it throws can be left to that."""
        return any(definition.kind in TAKING_AWAY for definition in self.definitions)

    def _send_all(self, token: Token) -> None:
        workflow = token.workflow
        sent: list[tuple[ThrownKind, str, dict[str, Any]]] = []
        for definition in self.definitions:
            if definition.kind in ("message", "signal"):
                payload = token.visible if definition.all_variables else {}
                for name, value in (*definition.payload.items(), *self.input_values.items()):
                    payload[name] = value.evaluate(token.context)
                kind: ThrownKind = "signal" if definition.kind == "signal" else "message"
                sent.append((kind, event_name(definition, token), payload))
        for kind, name, payload in sent:
            if self._takes_away():
                if kind == "signal":
                    token.note(sending=token.internal_data.get("sending", 0) + 1)
                _send(token, kind, name, payload)
            else:
                # Its number lies between those of the tokens that are there now and of those that follow this one.
                sending = workflow.new_token(self.sent, token.scope, None, token.causes)
                sending.note(kind=kind, name=name, payload=payload)

    def _compensate(self, token: Token) -> bool:
        """Ask for all compensations; true if there is none to wait for."""
        asked = [definition for definition in self.definitions if definition.kind == "compensate"]
        aside = [each for each in asked if not (each.wait_for_completion or self._takes_away())]
        waited_for = [each for each in asked if each not in aside]
        if aside:
            compensate(token.workflow.new_token(self.sent, token.scope, None, token.causes), aside)
        return not waited_for or compensate(token, waited_for)

    def undone(self, token: Token) -> bool | None:
        taken_back(token)
        return None

    def _on_complete(self, token: Token) -> None:
        scope = token.scope
        if self.link_targets and scope is not None:
            for target in self.link_targets:
                target.arrive(scope, None, token.causes)
            token.workflow.drop(token)
            return
        self.leave(token)


class Sent(Node):
    """What a throw event has sent and its token does not wait for: it is delivered, or compensated, from here."""

    def __init__(self, event: Node) -> None:
        super().__init__(event.process, f"{event.name}:sent", title=event.bpmn_name, line=event.line)

    def _run_hook(self, token: Token) -> bool | None:
        internal = token.internal_data
        if "kind" in internal:
            _send(token, internal["kind"], internal["name"], internal["payload"])
            return internal["kind"] == "message"
        return "undoing" not in internal

    def delivered(self, token: Token) -> None:
        token.complete()

    def undone(self, token: Token) -> bool | None:
        taken_back(token)
        return None

    def leave(self, token: Token) -> None:
        token.workflow.move(token, ())


def _send(sent: Token, kind: ThrownKind, name: str, payload: Mapping[str, Any]) -> None:
    """Let a signal come to all who wait, here and elsewhere, or a message to one, here before elsewhere."""
    workflow = sent.workflow
    effort.spend(len(workflow.waits))
    receivers = [
        (token_id, wait.number)
        for token_id in sorted(workflow.waits)
        for wait in workflow.waits[token_id]
        if wait.kind == kind and wait.name == name and (kind == "signal" or wait.correlation is None)
    ]
    if kind == "signal" or not receivers:
        workflow.host.throw(kind, name, payload)
    if kind == "signal":
        workflow.deliveries.add(receivers, payload, sent.causes, by=sent.id)
    elif receivers:
        token_id, number = receivers[0]
        workflow.fire(workflow.tasks[token_id], number, payload, sent.causes)


class EndEvent(ThrowEvent):
    """A token ends here; an error, a cancel or a terminate end event ends more than itself."""

    ends_everything = False
    """Whether a terminate end event ends the whole instance, not only its own scope, as Flowable lets it."""

    def _go_on(self, token: Token) -> bool | None:
        done = super()._go_on(token)
        if not done:
            return done
        for definition in self.definitions:
            if definition.kind == "error":
                said = None if definition.message is None else definition.message.evaluate(token.context)
                text = said if isinstance(said, str) or said is None else jsontext.dumps(said)
                raise BpmnError(definition.name or "", text or f"thrown by the end event {self.label}")
            if definition.kind == "terminate":
                token.workflow.terminate(token, everything=self.ends_everything)
                return None
            if definition.kind == "cancel":
                cancel_transaction(token)
                return None
        return True
