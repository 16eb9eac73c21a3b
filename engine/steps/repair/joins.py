"""Parallel joins that can never be complete again, once tokens stand elsewhere or in another version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from ...bpmn.elements.activity import Activity
from ...bpmn.elements.gateways import Join, ParallelGateway
from ...bpmn.running.node import Flow, Node
from ...bpmn.running.token import WAITING, Queues, Token
from ...bpmn.running.workflow import Workflow
from ...language import effort


class Starved(NamedTuple):
    """A join that a token waits at or can come to, and the flows by which no token can come any more."""

    join: Node
    missing: tuple[Flow, ...]

    @property
    def told(self) -> str:
        """What is wrong, with the places from which nothing comes."""
        names = ", ".join(dict.fromkeys(flow.source.label for flow in self.missing[:20]))
        return f"{self.join.label} waits for tokens from {names} too, and none can come from there any more"


def is_queued(token: Token) -> bool:
    """Whether a token waits for others: at a join, or at an activity that begins once for several of them."""
    return token._state == WAITING and token.id not in token.workflow.waits and token.node.counts


def starved(present: Iterable[Node], filled: Mapping[Node, Collection[str | None]]) -> list[Starved]:
    """The parallel joins of one scope that can get some of their tokens but never all.

    Every decision is taken to go every way, so what is named here cannot happen.

    Args:
        present: Where tokens are, those in the queues of joins aside.
        filled: By join, the flows by which tokens have come that wait there.
    """
    come = {join: set(flows) for join, flows in filled.items()}
    seen: set[Node] = set()
    pending = [*present, *(join for join in come if _may_go_on(join, come))]
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        effort.spend(1 + len(node.outgoing))
        pending.extend(getattr(node, "boundary", ()))
        pending.extend(getattr(node, "link_targets", ()))
        for flow in node.outgoing:
            if isinstance(flow.target, Join):
                come.setdefault(flow.target, set()).add(flow.id)
            if _may_go_on(flow.target, come):
                pending.append(flow.target)
    missing = {join: tuple([each for each in join.incoming if each.id not in flows]) for join, flows in come.items()}
    return [Starved(join, flows) for join, flows in missing.items() if flows and isinstance(join, ParallelGateway)]


def _may_go_on(node: Node, come: Mapping[Node, Collection[str | None]]) -> bool:
    if not isinstance(node, ParallelGateway) or len(node.incoming) < 2:
        return True
    return len(come[node]) == len(node.incoming)


def go_on_where_complete(workflow: Workflow) -> None:
    """Let tokens go on that waited for others of which fewer are needed now."""
    for scope in sorted(workflow.tasks.values(), key=lambda token: token.id):
        for queues in list(scope.joins.values()):
            waiting = [token for queue in queues.values() for token in queue]
            if waiting and isinstance(waiting[0].node, Activity):
                queues.clear()
            for token in waiting:
                # One merge takes one token of each flow.
                if scope.id in workflow.tasks and token.id in workflow.tasks and is_queued(token):
                    workflow.guard(token, partial(_look_again, token, queues))


def _look_again(token: Token, queues: Queues) -> None:
    node, scope = token.node, token.scope
    assert scope is not None
    if isinstance(node, Activity):
        node.wait_for_more(token)
    elif isinstance(node, Join):
        node.arrived(scope, queues)
