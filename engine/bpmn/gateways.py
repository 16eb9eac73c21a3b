"""Gateways: exclusive, parallel, inclusive, event-based, complex (BPMN 2.0, 10.6 and 13.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import ExpressionError
from ..expressions import Expression
from .node import Flow, Node
from .token import WAITING, Token

if TYPE_CHECKING:
    from .events import CatchEvent

Queues = dict[str | None, list[Token]]


class ExclusiveGateway(Node):
    """The first flow whose condition holds, in the order of the file; joins nothing."""

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.outgoing) == 1 and self.outgoing[0].condition is None:
            return self.outgoing
        context = token.context
        for flow in self.outgoing:
            if flow is self.default:
                continue
            if flow.condition is None or flow.condition.is_true(context):
                return [flow]
        if self.default is not None:
            return [self.default]
        raise ExpressionError(
            f"The exclusive gateway {self.bpmn_id!r} can take no flow: no condition holds and there is no default flow."
        )

    def leave(self, token: Token) -> None:
        token.workflow.move(token, self.choose(token) if self.outgoing else ())


class Join(Node):
    """A gateway that keeps arriving tokens in one queue per incoming flow, until it can merge one of each."""

    def arrive(self, scope: Token, flow: Flow | None, causes: tuple[int, ...]) -> None:
        if len(self.incoming) < 2:
            super().arrive(scope, flow, causes)
            return
        workflow = scope.workflow
        token = workflow.new_token(self, scope, flow.id if flow else None, causes, state=WAITING)
        queues = self._queue(token)
        if self.is_complete(queues):
            self.merge(scope, queues)

    def _queue(self, token: Token) -> Queues:
        assert token.scope is not None
        queues: Queues = token.workflow.joins.setdefault((token.scope.id, self.name), {})
        queues.setdefault(token.flow, []).append(token)
        return queues

    def resume(self, token: Token) -> None:
        if token._state == WAITING:
            self._queue(token)

    def is_complete(self, queues: Queues) -> bool:
        """Whether the tokens that have arrived are enough at once."""
        raise TypeError(f"{type(self).__name__} does not decide on arrival")

    def merge(self, scope: Token, queues: Queues) -> None:
        """One token of each flow that has any becomes one that goes on; the others stay."""
        workflow = scope.workflow
        taken = [queue.pop(0) for queue in queues.values() if queue]
        causes: set[int] = set()
        for token in taken:
            causes.update(token.causes)
        last = taken.pop()
        for token in taken:
            workflow.drop(token)
        last.causes = tuple(sorted(causes))
        workflow.make_ready(last)


class ParallelGateway(Join):
    """Waits for one token from every incoming flow; starts every outgoing one."""

    def is_complete(self, queues: Queues) -> bool:
        return sum(1 for queue in queues.values() if queue) == len(self.incoming)

    def choose(self, token: Token) -> Sequence[Flow]:
        return self.outgoing


class InclusiveGateway(Join):
    """Waits for those incoming flows on which a token can still arrive; starts every flow whose condition holds."""

    _reach: dict[str, frozenset[str]] | None = None

    def is_complete(self, queues: Queues) -> bool:
        return sum(1 for queue in queues.values() if queue) == len(self.incoming)

    def can_merge(self, scope: Token, queues: Queues) -> bool:
        """Whether no token elsewhere in the scope can still come by a flow that is empty (BPMN 2.0, 13.4.3)."""
        reach = self._upstream()
        filled = {flow_id for flow_id, queue in queues.items() if queue}
        to_empty: set[str] = set()
        to_filled: set[str] = set()
        for flow_id, names in reach.items():
            (to_filled if flow_id in filled else to_empty).update(names)
        for token in scope.inside.values():
            name = token.node.name
            if token.node is not self and name in to_empty and name not in to_filled:
                return False
        return True

    def _upstream(self) -> dict[str, frozenset[str]]:
        """For each incoming flow, the nodes from which it can be reached without passing this gateway."""
        if self._reach is None:
            self._reach = {flow.id: self._sources_of(flow) for flow in self.incoming}
        return self._reach

    def _sources_of(self, flow: Flow) -> frozenset[str]:
        found: set[str] = set()
        pending: list[Node] = [flow.source]
        while pending:
            node = pending.pop()
            if node is self or node.name in found:
                continue
            found.add(node.name)
            pending.extend(incoming.source for incoming in node.incoming)
            host = getattr(node, "host", None)
            if host is not None:
                pending.append(host)
        return frozenset(found)

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.outgoing) == 1 and not self.conditional:
            return self.outgoing
        return super().choose(token)


class ComplexGateway(Join):
    """Goes on when its activation condition holds (``activationCount`` tokens have come), once; then waits for the rest.

    After the rest has come it starts again (BPMN 2.0, 13.4.5). Without a condition it acts as an inclusive one
    that needs one token.
    """

    activation: Expression | None = None

    def arrive(self, scope: Token, flow: Flow | None, causes: tuple[int, ...]) -> None:
        if len(self.incoming) < 2:
            Node.arrive(self, scope, flow, causes)
            return
        workflow = scope.workflow
        token = workflow.new_token(self, scope, flow.id if flow else None, causes, state=WAITING)
        queues = self._queue(token)
        fired = scope.internal_data.setdefault("fired", {})
        if not fired.get(self.name) and self._activated(token, queues):
            scope.note(fired={**fired, self.name: True})
            Join.merge(self, scope, queues)
        fired = scope.internal_data["fired"]
        seen = {*scope.internal_data.setdefault("seen", {}).get(self.name, []), *((flow.id,) if flow else ())}
        scope.note(seen={**scope.internal_data["seen"], self.name: sorted(seen)})
        if fired.get(self.name) and len(seen) == len(self.incoming):
            scope.note(fired={**fired, self.name: False}, seen={**scope.internal_data["seen"], self.name: []})
            self._swallow(scope, queues)
        elif fired.get(self.name):
            self._swallow(scope, queues)

    def _activated(self, token: Token, queues: Queues) -> bool:
        if self.activation is None:
            return True
        count = sum(len(queue) for queue in queues.values())
        context = token.context.child({"activationCount": count})
        return self.activation.is_true(context)

    def _swallow(self, scope: Token, queues: Queues) -> None:
        for queue in queues.values():
            for token in queue:
                scope.workflow.ends_in(scope, token.causes)
                scope.workflow.drop(token)
            queue.clear()


class EventBasedGateway(Node):
    """Waits for the first of the events behind it; the others are taken away (BPMN 2.0, 13.4.4)."""

    def _on_complete(self, token: Token) -> None:
        scope = token.scope
        assert scope is not None
        for flow in self.outgoing:
            racer: CatchEvent = flow.target  # type: ignore[assignment]
            waiting = token.workflow.new_token(racer, scope, flow.id, token.causes)
            waiting.note(race=token.id)
        token.workflow.drop(token)


def end_race(token: Token) -> None:
    """The token's event has come first: take away the others behind the same event-based gateway."""
    race = token.internal_data.pop("race", None)
    if race is None or token.scope is None:
        return
    for other in list(token.scope.inside.values()):
        if other is not token and other.internal_data.get("race") == race:
            token.workflow.cancel_token(other)
