"""What all activities have in common: borders, loops, quantities, mappings (BPMN 2.0, 10.3 and 13.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..running.event_definitions import EventDefinition, matches
from ..running.node import Catcher, Flow, Node, catching
from ..running.token import WAITING, Token
from ..running.token_data import BEGINNING, COMPENSATES, LEAVES, RACE, RUN
from ..running.workflow import too_many_tokens
from .boundary import BoundaryEvent, armed
from .compensation import compensated, hand_up, remember
from .gateways import end_race
from .loops import PORTION, Loop, MultiInstance


class Activity(Node):
    """An activity's token arms its boundary events, runs (once, in turns or in many runs), and leaves."""

    loop: Loop | MultiInstance | None = None
    boundary: Sequence[BoundaryEvent] = ()
    for_compensation = False
    compensation: Activity | None = None
    """The handler that a compensation event on the border names."""
    makes = False
    """Whether there may be rows of stones in the ledger for it alone."""
    start_quantity = 1
    completion_quantity = 1

    @property
    def numbers_runs(self) -> bool:
        return isinstance(self.loop, MultiInstance) and not self.has_runs_apart

    # -- beginning

    def arrive(self, scope: Token, flow: Flow | None, causes: tuple[int, ...]) -> None:
        if self.start_quantity == 1:
            scope.workflow.new_token(self, scope, flow.id if flow else None, causes)
            return
        self.wait_for_more(scope.workflow.new_token(self, scope, flow.id if flow else None, causes, state=WAITING))

    def wait_for_more(self, token: Token) -> None:
        """Begin once as many tokens have come, by whatever flows, as the start quantity asks for."""
        scope = token.scope
        assert scope is not None
        queue = scope.joins.setdefault(self.name, {}).setdefault(None, [])
        queue.append(token)
        if len(queue) < self.start_quantity:
            return
        token.causes = tuple(sorted({cause for each in queue for cause in each.causes}))
        for earlier in queue[:-1]:
            token.workflow.drop(earlier)
        queue.clear()
        token.workflow.make_ready(token)

    def resume(self, token: Token) -> None:
        if self.start_quantity > 1 and token._state == WAITING and token.id not in token.workflow.waits:
            self.wait_for_more(token)

    def _run_hook(self, token: Token) -> bool | None:
        if (leaves := token.internal_data.get(LEAVES)) is not None:
            self._leave_often(token, [flow for flow in self.outgoing if flow.id in leaves["flows"]], leaves["left"])
            return None
        if RUN in token.internal_data:
            return self.execute(token)
        if isinstance(self.loop, MultiInstance) and BEGINNING in token.internal_data:
            self.loop.begin_more(token, self)
            return None
        if self.boundary and token.internal_data.pop("again", None) is None:
            for event in self.boundary:
                event.listen(token)
            token.workflow.conditions.check()
            if token.id not in token.workflow.tasks:
                return None
        if self.loop is not None:
            self.loop.begin(token, self)
            return None
        return self.execute(token)

    def execute(self, token: Token) -> bool | None:
        """Do the work of one run; true if it is done already."""
        return True

    def new_run(self, container: Token, number: int, locals_: dict[str, Any]) -> None:
        """Start one run of a repeated activity."""
        token = container.workflow.new_token(self, container, None, container.causes)
        token.internal_data["run"] = number
        token.data = locals_

    # -- ending

    def let_out(self, token: Token, values: dict[str, Any]) -> None:
        loop = self.loop
        if isinstance(loop, MultiInstance) and loop.output_variable in values and RUN in token.internal_data:
            token.set_variables({loop.output_variable: values.pop(loop.output_variable)})
        super().let_out(token, values)

    def finish(self, token: Token, results: Mapping[str, Any]) -> None:
        self.map_outputs(token, results)
        token.complete()

    def _on_complete(self, token: Token) -> None:
        scope, internal = token.scope, token.internal_data
        assert scope is not None
        if RUN in internal:
            self._run_completed(token, scope)
            return
        # What can fail comes first, so that it can be done once more.
        handles, around = COMPENSATES in internal, scope.task_spec
        enough = not handles and around.completion is not None and around.has_enough(scope, token)
        flows = () if handles or enough else self.choose(token) if self.conditional else self.outgoing
        if self.completion_quantity > 1:
            self._refuse_too_many(token, flows)
        if self.boundary:
            for listener in armed(token):
                token.workflow.cancel_token(listener)
        if RACE in internal:
            end_race(token)
        if handles:
            # What a handler has done is compensated by nobody (BPMN 2.0, 13.5.5).
            compensated(token)
            return
        if self.loop is not None:
            hand_up(token, scope)
        elif self.is_compensable(token):
            remember(token, scope)
        if enough:
            token.workflow.move(token, ())
        else:
            self.leave(token, flows)

    def _refuse_too_many(self, token: Token, flows: Sequence[Flow]) -> None:
        """Raise LimitExceeded before the first of more tokens than may be on their way: a model asks for any number."""
        limits = token.workflow.host.limits
        if len(token.workflow.tasks) + (self.completion_quantity - 1) * len(flows) > limits.tokens:
            raise too_many_tokens(limits)

    def _run_completed(self, token: Token, container: Token) -> None:
        assert self.loop is not None
        self.loop.collect(container, token)
        if self.is_compensable(token):
            remember(token, container)
        if isinstance(self.loop, Loop) or self.loop.sequential:
            # The next turn follows this one, so its undo comes first.
            container.causes = token.causes
            container.ended = set(token.causes)
        else:
            container.ended.update(token.causes)
        container.live += 1  # the container must not end between two runs
        token.workflow.drop(token)
        container.live -= 1
        self.loop.run_done(container, self, token)

    def runs_ended(self, container: Token) -> None:
        """All runs are through."""
        if container.workflow.way is not None:
            container.workflow.way.ended(container)
        if container.ended:
            container.causes = tuple(sorted(container.ended))
        container.complete()

    def goes_on(self, scope: Token) -> bool:
        return bool(scope.internal_data.get("undoing") or scope.internal_data.get("handling"))

    def scope_ended(self, token: Token) -> None:
        """Runs end one by one, so the last token inside says nothing of its own."""

    def leave(self, token: Token, flows: Sequence[Flow] | None = None) -> None:
        scope = token.scope
        assert scope is not None
        if flows is None:
            flows = self.choose(token) if self.conditional else self.outgoing
        if self.completion_quantity > 1 and flows:
            self._leave_often(token, flows, self.completion_quantity)
        else:
            token.workflow.move(token, flows)

    def _leave_often(self, token: Token, flows: Sequence[Flow], left: int) -> None:
        """Send so many tokens along each of the flows, the last of them this one, in portions."""
        scope = token.scope
        assert scope is not None
        portion = min(left - 1, max(1, PORTION // len(flows)))
        for _ in range(portion):
            for flow in flows:
                flow.target.arrive(scope, flow, token.causes)
        token.internal_data.pop(LEAVES, None)
        if left - portion == 1:
            token.workflow.move(token, flows)
            return
        token.note(leaves={"left": left - portion, "flows": [flow.id for flow in flows]})
        # It is older than those that it has sent, so none of them comes before the rest.
        token.workflow.make_ready(token)

    # -- errors, compensation, behaviours

    def catchers(self, token: Token, kind: str, code: str) -> Sequence[Catcher]:
        return () if RUN in token.internal_data else catching(self.boundary, kind, code)

    def is_compensable(self, token: Token) -> bool:
        """Whether there is something to compensate, now that it has completed."""
        if "skipped" in token.internal_data:
            return False
        kept = bool(token.internal_data.get("compensable"))
        return self.compensation is not None or kept or self.is_undone_by_stones

    @property
    def is_undone_by_stones(self) -> bool:
        return self.makes and self.undo_on_compensation is True and self.compensation_handler() is None

    def compensation_handler(self) -> Node | None:
        return self.compensation

    def throw_implicitly(self, token: Token, definition: EventDefinition | None, *, interrupts: bool) -> None:
        """Throw a multi-instance behaviour's event to this activity's border; without a definition it is any signal."""
        for event in self.boundary:
            if any(_catches(caught, definition) for caught in event.definitions):
                if interrupts:
                    event.catch(token, {})
                else:
                    event.go_on(token, token.causes, {})
                return


def _catches(caught: EventDefinition, thrown: EventDefinition | None) -> bool:
    if thrown is None:
        return caught.kind == "signal"
    if thrown.kind in ("error", "escalation"):
        return matches(caught, thrown.kind, thrown.name or "")
    return caught.kind == thrown.kind and caught.name == thrown.name
