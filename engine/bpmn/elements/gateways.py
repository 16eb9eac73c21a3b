"""Gateways: exclusive, parallel, inclusive, event-based, complex (BPMN 2.0, 10.6 and 13.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ...errors import ExpressionError
from ...language import effort
from ..running.node import Flow, Node
from ..running.token import WAITING, Queues, Token
from ..running.token_data import RACE

if TYPE_CHECKING:
    from ...language.context import Context
    from ...language.expressions import Expression

QUEUES = 4
"""As a shift: so many queues are counted in about the time of one member of a list."""


class ExclusiveGateway(Node):
    """The first flow whose condition holds, in the order of the file; joins nothing."""

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.outgoing) == 1 and self.outgoing[0].condition is None:
            return self.outgoing
        context = token.context
        for flow in self.outgoing:
            if flow is self.default:
                continue
            if flow.holds(context):
                return [flow]
        if self.default is not None:
            return [self.default]
        raise ExpressionError(
            f"The exclusive gateway {self.label} can take no flow: no condition holds and there is no default flow."
        )

    def leave(self, token: Token) -> None:
        token.workflow.move(token, self.choose(token) if self.outgoing else ())


class Join(Node):
    """A gateway that keeps arriving tokens in one queue per incoming flow, until it can merge one of each."""

    @cached_property
    def incoming_ids(self) -> frozenset[str | None]:
        """The ids of the flows that lead to it; asked for when the model has been read."""
        return frozenset(flow.id for flow in self.incoming)

    def arrive(self, scope: Token, flow: Flow | None, causes: tuple[int, ...]) -> None:
        if len(self.incoming) < 2:
            super().arrive(scope, flow, causes)
            return
        token = scope.workflow.new_token(self, scope, flow.id if flow else None, causes, state=WAITING)
        self.arrived(scope, self.enqueue(token))

    def enqueue(self, token: Token) -> Queues:
        """Put a token last in the queue of its flow; all queues of this gateway in the token's scope."""
        assert token.scope is not None
        queues = token.scope.joins.setdefault(self.name, {})
        queues.setdefault(token.flow, []).append(token)
        return queues

    def resume(self, token: Token) -> None:
        if token._state == WAITING:
            self.enqueue(token)
            self.undecided(token)

    def undecided(self, token: Token) -> None:
        """A token has come back from the store to a gateway that may have to decide what is to come."""

    def arrived(self, scope: Token, queues: Queues) -> None:
        """One more token waits: merge if that is enough at once."""
        if len(queues) == len(self.incoming):
            self.merge(scope, queues)

    def merge(self, scope: Token, queues: Queues) -> Token:
        """One token of each flow that has any becomes one that goes on; the others stay."""
        taken = _take(queues, list(queues))
        causes: set[int] = set()
        for token in taken:
            causes.update(token.causes)
        merged = tuple(sorted(causes))
        if scope.workflow.way is not None:
            scope.workflow.way.merged(self.label, taken, merged)
        last = taken.pop()
        for token in taken:
            scope.workflow.drop(token)
        last.causes = merged
        scope.workflow.make_ready(last)
        return last


class ParallelGateway(Join):
    """Waits for one token from every incoming flow; starts every outgoing one."""

    def choose(self, token: Token) -> Sequence[Flow]:
        return self.outgoing


class DecidingJoin(Join):
    """A join that acts on what can still arrive, so it decides when nothing else can move."""

    _upstream: dict[str, frozenset[str]] | None = None

    def needs_default(self, taken: Sequence[Flow]) -> bool:
        # Behind a gateway a flow without a condition is one whose condition always holds (BPMN 2.0, 13.4.3).
        return not taken

    def arrived(self, scope: Token, queues: Queues) -> None:
        scope.workflow.undecided[scope.id, self.name] = self
        super().arrived(scope, queues)

    def undecided(self, token: Token) -> None:
        assert token.scope is not None
        token.workflow.undecided[token.scope.id, self.name] = self

    def can_still_come(self, scope: Token, filled: Collection[str | None]) -> bool:
        """Whether a token elsewhere in the scope can come by a flow that is not filled (BPMN 2.0, 13.4.3).

        One that could as well come by a filled flow is not waited for.
        """
        if self._upstream is None:
            self._upstream = {flow.id: self._sources_of(flow) for flow in self.incoming}
        to_filled: set[str] = set()
        to_empty: set[str] = set()
        for flow_id, names in self._upstream.items():
            (to_filled if flow_id in filled else to_empty).update(names)
        awaited = to_empty - to_filled
        effort.spend(len(to_empty) + len(to_filled) + len(scope.inside))
        return any(token.node is not self and token.node.name in awaited for token in scope.inside.values())

    def _sources_of(self, flow: Flow) -> frozenset[str]:
        """The nodes from which this flow can be reached without passing the gateway itself."""
        effort.spend(len(self.process.nodes))
        found: set[str] = set()
        pending: list[Node] = [flow.source]
        while pending:
            node = pending.pop()
            if node is self or node.name in found:
                continue
            found.add(node.name)
            if node.fired is not None:
                found.add(node.fired.name)
            pending.extend(incoming.source for incoming in node.incoming)
            if node.host is not None:
                pending.append(node.host)
        return frozenset(found)


class InclusiveGateway(DecidingJoin):
    """Waits for those incoming flows on which a token can still arrive; starts every flow whose condition holds."""

    def decide(self, scope: Token, queues: Queues) -> bool:
        if not queues or self.can_still_come(scope, set(queues)):
            return False
        self.merge(scope, queues)
        return True

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.outgoing) == 1 and not self.conditional:
            return self.outgoing
        return super().choose(token)


class ComplexGateway(DecidingJoin):
    """Goes on once its activation condition holds, then waits for the tokens that it did without (BPMN 2.0, 13.4.5).

    The condition may use ``activationCount``, the number of tokens that have come; without a condition the first is
    enough. When the others have come, or can no longer come, they are taken away and it starts anew; of its outgoing
    flows then only those are taken whose condition asks for ``waitingForStart`` and holds.
    """

    activation: Expression | None = None

    def arrive(self, scope: Token, flow: Flow | None, causes: tuple[int, ...]) -> None:
        if len(self.incoming) < 2:
            super().arrive(scope, flow, causes)
            return
        token = scope.workflow.new_token(self, scope, flow.id if flow else None, causes, state=WAITING)
        queues = self.enqueue(token)
        # What is wrong with the condition is told of the gateway, not of what the token comes from.
        scope.workflow.guard(token, lambda: self.arrived(scope, queues))

    def _taken(self, scope: Token) -> list[str | None] | None:
        """While it waits for the rest: the flows whose tokens made it start."""
        return scope.internal_data.get("started", {}).get(self.name)

    def _note(self, scope: Token, taken: list[str | None] | None) -> None:
        scope.note(started={**scope.internal_data.get("started", {}), self.name: taken})

    def arrived(self, scope: Token, queues: Queues) -> None:
        taken = self._taken(scope)
        scope.workflow.undecided[scope.id, self.name] = self
        if taken is None:
            self._start_if_enough(scope, queues)
        elif len(taken) + len(queues) >= len(self.incoming):
            effort.spend(len(self.incoming))
            if len({*taken, *queues}) == len(self.incoming):
                self._reset(scope, queues, taken)

    def _start_if_enough(self, scope: Token, queues: Queues) -> None:
        if not queues or not self._is_enough(scope, queues):
            return
        taken = list(queues)
        self.merge(scope, queues)
        if len(taken) < len(self.incoming):
            self._note(scope, taken)

    def _is_enough(self, scope: Token, queues: Queues) -> bool:
        if self.activation is None:
            return True
        effort.spend(len(queues) >> QUEUES)
        count = sum(map(len, queues.values()))
        return self.activation.is_true(scope.context.child({"activationCount": count}))

    def decide(self, scope: Token, queues: Queues) -> bool:
        taken = self._taken(scope)
        if taken is None or self.can_still_come(scope, {*taken, *queues}):
            return False
        self._reset(scope, queues, taken)
        return True

    def _reset(self, scope: Token, queues: Queues, taken: list[str | None]) -> None:
        workflow = scope.workflow
        done_without = set(taken)
        rest = _take(queues, [flow_id for flow_id in queues if flow_id not in done_without])
        self._note(scope, None)
        for token in rest[1:]:
            workflow.ends_in(scope, token.causes)
            workflow.drop(token)
        if rest:
            workflow.move(rest[0], self._on_reset(rest[0]))
        if scope.id in workflow.tasks:
            self._start_if_enough(scope, queues)

    def _on_reset(self, token: Token) -> list[Flow]:
        context = token.context.child({"waitingForStart": False})
        return [
            flow
            for flow in self.outgoing
            if flow.condition is not None and ("waitingForStart",) in flow.condition.references and flow.holds(context)
        ]

    def flows_in(self, context: Context) -> Sequence[Flow]:
        return super().flows_in(context.child({"waitingForStart": True}))


def _take(queues: Queues, flow_ids: Iterable[str | None]) -> list[Token]:
    """The first token of each of these flows."""
    taken = []
    for flow_id in flow_ids:
        taken.append(queues[flow_id].pop(0))
        if not queues[flow_id]:
            del queues[flow_id]
    return taken


class EventBasedGateway(Node):
    """Waits for the first of the events behind it; the others are taken away (BPMN 2.0, 13.4.4)."""

    instantiate = False
    """Whether the events behind it start the process."""
    all_must_come = False
    """Whether the process that it starts needs all of these events, not one."""

    def _on_complete(self, token: Token) -> None:
        scope = token.scope
        assert scope is not None
        for flow in self.outgoing:
            waiting = token.workflow.new_token(flow.target, scope, flow.id, token.causes)
            waiting.note(race=token.id)
            token.workflow.group(waiting)
        token.workflow.drop(token)


def end_race(token: Token) -> None:
    """The token's event has come first: take away the others behind the same event-based gateway."""
    race = token.internal_data.get(RACE)
    if race is None:
        return
    others = token.workflow.groups.pop((RACE, race), {})
    del token.internal_data[RACE]
    for other in others.values():
        if other is not token:
            token.workflow.cancel_token(other)
