"""Which elements of which process the tokens of a test have passed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..bpmn.elements.boundary import BoundaryEvent, Fired
from ..bpmn.elements.event_subprocess import Listener
from ..bpmn.elements.gateways import EventBasedGateway
from ..bpmn.running.token import READY
from ..bpmn.running.token_data import CALLED
from ..bpmn.running.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..bpmn.running.node import Flow, Node
    from ..bpmn.running.token import Token
    from ..instance.instance import Instance

Place = tuple[str, str]
"""The key of a process and the id of one of its nodes or flows."""


class Trail:
    """By process instance, the places that its tokens have come to, in the order of their first coming."""

    def __init__(self) -> None:
        self.places: dict[str, dict[Place, int]] = {}
        """With how often each was passed."""

    def note(self, process_instance_id: int, key: str, element_id: str) -> None:
        """A token has come to a node, or along a flow."""
        places = self.places.setdefault(str(process_instance_id), {})
        places[key, element_id] = places.get((key, element_id), 0) + 1

    def passed(self, process_instance_id: str) -> Mapping[Place, int]:
        """The places of one process instance."""
        return self.places.get(process_instance_id, {})

    def workflow(self) -> type[Workflow]:
        """The class of workflows that leave this trail."""
        return type("TrailedWorkflow", (_TrailedWorkflow,), {"trail": self})


class _TrailedWorkflow(Workflow):
    trail: ClassVar[Trail]
    host: Instance

    def new_token(
        self, node: Node, scope: Token | None, flow: str | None, causes: tuple[int, ...], *, state: int = READY
    ) -> Token:
        token = super().new_token(node, scope, flow, causes, state=state)
        # What listens has not been passed: an event on a border, of a sub-process, or behind an event-based gateway.
        listens = isinstance(node, BoundaryEvent | Listener) or _races(node, flow)
        if scope is not None and not listens:
            self._note(token)
        return token

    def move(self, token: Token, flows: Sequence[Flow]) -> None:
        if _races(token.node, token.flow):
            self._note(token)
        super().move(token, flows)

    def _note(self, token: Token) -> None:
        key = _key(self, token)
        if token.flow is not None:
            self.trail.note(self.host.number, key, token.flow)
        node: Any = token.node.event if isinstance(token.node, Fired) else token.node
        self.trail.note(self.host.number, key, node.bpmn_id)


def _races(node: Node, flow: str | None) -> bool:
    return any(each.id == flow and isinstance(each.source, EventBasedGateway) for each in node.incoming)


def _key(workflow: Workflow, token: Token) -> str:
    scope = token.scope
    while scope is not None and CALLED not in scope.internal_data:
        scope = scope.scope
    return str(workflow.spec.name if scope is None else scope.body.name)
