"""What waits and listens once a process has been moved to another version of its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...bpmn.elements.activity import Activity
from ...bpmn.elements.boundary import armed
from ...bpmn.elements.event_subprocess import EventSubProcess
from ...bpmn.elements.gateways import EventBasedGateway
from ...bpmn.elements.triggers import waits_for
from ...bpmn.running.event_definitions import AWAITED, EventDefinition
from ...bpmn.running.node import Node
from ...bpmn.running.token import READY, Token
from ...bpmn.running.token_data import CALLED, RACE
from ...bpmn.running.workflow import Workflow
from ...clock import moment
from ...errors import Invalid, RiverstoneError
from ...views.undo import MovedTimer
from .joins import is_queued

TIMED: Final = frozenset({"timer", "date"})


def wait_anew(token: Token, before: Node, timers: list[MovedTimer]) -> None:
    """What its event waits for reads otherwise: messages are awaited by their new names, timers set anew and told."""
    workflow = token.workflow
    due = [wait.due for wait in workflow.waits[token.id] if wait.kind in TIMED]
    token.internal_data.pop("repeats", None)
    come = _come_already(token, before.definitions)
    try:
        waits = [wait for wait in waits_for(token.node.definitions, token) if wait.number not in come]
    except RiverstoneError as error:
        raise Invalid(error.message, code="migration-invalid", errors={before.bpmn_id: [error.message]}) from None
    workflow.wait(token, waits)
    after = [wait.due for wait in waits if wait.kind in TIMED]
    if due != after:
        first = due[0] if due else None
        element = token.node.bpmn_id.partition(":")[0]
        timers.append(MovedTimer(element_id=element, before=moment(first), after=moment(after[0] if after else None)))


def listen_to_new(token: Token, before: Node, mapping: Mapping[str, str]) -> None:
    """Events that the other version has on the border of an activity, or inside a scope, listen from now on."""
    target = token.node
    if target is before or token._state == READY or is_queued(token):
        # What has not begun listens as it begins.
        return
    if isinstance(target, Activity):
        listening = {listener.node for listener in armed(token)}
        for event in target.boundary:
            if event not in listening:
                event.listen(token)
    here = before.process if token.scope is None else before.body
    there = target.process if token.scope is None else target.body
    if here is None or there is None or CALLED in token.internal_data:
        return
    inside = [inner.node for inner in token.inside.values()]
    if any(isinstance(node, EventSubProcess) and node.interrupting for node in inside):
        # Its event has ended all listening here.
        return
    known = {mapping.get(each.bpmn_id, each.bpmn_id) for each in here.event_sub_processes if _awaits(each)}
    for handler in there.event_sub_processes:
        if handler.bpmn_id not in known and getattr(handler, "listener", None) not in inside:
            handler.listen(token)


def _awaits(node: Node) -> bool:
    return any(definition.kind in AWAITED for definition in node.definitions)


def race_of(token: Token) -> tuple[int, int] | None:
    """Behind an event-based gateway: the race that a token takes part in, with its scope."""
    race = token.internal_data.get(RACE)
    return None if race is None or token.scope is None else (token.scope.id, race)


def join_races(workflow: Workflow) -> None:
    """Events that the other version has behind an event-based gateway are waited for beside those that were there."""
    races: dict[tuple[int, int], list[Token]] = {}
    for token in sorted(workflow.tasks.values(), key=lambda token: token.id):
        if (race := race_of(token)) is not None:
            races.setdefault(race, []).append(token)
    for (scope_id, number), racing in races.items():
        awaited = {token.node for token in racing}
        gateways = [{flow.source for flow in node.incoming} for node in awaited]
        for gateway in set.intersection(*gateways):
            for flow in gateway.outgoing if isinstance(gateway, EventBasedGateway) else ():
                if flow.target not in awaited:
                    causes = racing[0].causes
                    token = workflow.new_token(flow.target, workflow.tasks[scope_id], flow.id, causes)
                    token.note(race=number)
                    workflow.group(token)


def _come_already(token: Token, before: Sequence[EventDefinition]) -> list[int]:
    """Of an event for which all must come: what has, and reads as it did; the rest is waited for."""
    internal, now = token.internal_data, token.node.definitions
    same = {number for number, (one, other) in enumerate(zip(before, now, strict=False)) if alike([one], [other])}
    seen = [number for number in internal.pop("seen", ()) if number in same]
    come = [each for each in internal.pop("come", ()) if each[1] in same]
    if not seen or len(seen) == len(now):
        return []
    token.note(seen=seen, come=come)
    return seen


def alike(one: Sequence[EventDefinition], other: Sequence[EventDefinition]) -> bool:
    """Whether two events wait for the same, as it is written."""

    def written(definition: EventDefinition) -> tuple[Any, ...]:
        sources = (definition.expression, definition.until, definition.correlation)
        texts = tuple(None if each is None else each.source for each in sources)
        return definition.kind, definition.name, texts, definition.timer, definition.sunday

    return [*map(written, one)] == [*map(written, other)]
