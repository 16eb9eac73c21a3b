"""Activities that hold a process of their own (BPMN 2.0, 10.3.5, 13.3.4 and 13.3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ....models.catalogue import NEWEST, WantedVersion
from ...errors import ExpressionError, LimitExceeded
from ...language.operators import kind_of
from ...mask import cut
from ..running.node import Catcher, Node, Process, catching
from ..running.token import STARTED, Token
from ..running.token_data import RUN
from .activity import Activity
from .compensation import begin, taken_back
from .loops import MultiInstance
from .tasks import run_namespace

if TYPE_CHECKING:
    from ...language.expressions import Expression, Value


class SubProcess(Activity):
    """An inner process in a scope of its own."""

    body: Process

    def execute(self, token: Token) -> bool | None:
        token._set_state(STARTED)
        self.take_inputs(token)
        token.workflow.open_scope(token, self.body)
        return None

    @property
    def has_runs_apart(self) -> bool:
        return isinstance(self.loop, MultiInstance)

    @property
    def runs_in_turn(self) -> bool:
        return not isinstance(self.loop, MultiInstance) or self.loop.sequential

    def scope_ended(self, token: Token) -> None:
        if token.internal_data.get("cancelled"):
            self._leave_cancelled(token)
            return
        if self.loop is not None and RUN not in token.internal_data:
            return
        self.finish(token, {})

    def _leave_cancelled(self, token: Token) -> None:
        for event in self.boundary:
            if any(definition.kind == "cancel" for definition in event.definitions):
                host = token.scope if RUN in token.internal_data else token
                assert host is not None
                event.catch(host, {})
                return
        raise ExpressionError(f"The transaction {self.label} was cancelled and has no cancel event on its border.")

    def catchers_inside(self, scope: Token, kind: str, code: str) -> Sequence[Catcher]:
        if self.loop is not None and RUN not in scope.internal_data:
            return ()
        return catching(self.body.event_sub_processes, kind, code)

    def undone(self, token: Token) -> bool | None:
        taken_back(token)
        return None

    def compensation_handler(self) -> Node | None:
        if self.compensation is not None:
            return self.compensation
        inner = self.body.event_sub_processes
        return next((each for each in inner if any(one.kind == "compensate" for one in each.definitions)), None)

    def is_compensable(self, token: Token) -> bool:
        return super().is_compensable(token) or self.compensation_handler() is not None


class Transaction(SubProcess):
    """A sub-process that can be cancelled as a whole: what it did is compensated (BPMN 2.0, 13.3.8)."""

    cancellable = True


class AdHocSubProcess(SubProcess):
    """Activities without an order: each that has no incoming flow may run, until the completion condition holds."""

    sequential = False
    completion: Expression | None = None
    cancel_remaining = True
    chosen: Expression | None = None
    """Where the model says which activities are begun: what yields the list of their ids."""

    def execute(self, token: Token) -> bool | None:
        token._set_state(STARTED)
        self.take_inputs(token)
        workflow = token.workflow
        for handler in self.body.event_sub_processes:
            handler.listen(token)
        entries = self._chosen(token)
        if self.sequential and entries:
            token.note(left=[node.name for node in entries[1:]])
            entries = entries[:1]
        for node in entries:
            node.arrive(token, None, token.causes)
        if not entries:
            workflow.scope_ended(token)
        return None

    def _chosen(self, token: Token) -> list[Node]:
        """What is begun: all, or those whose ids the model lists."""
        if self.chosen is None:
            return list(self.body.entries)
        wanted = self.chosen.evaluate(token.context)
        if not isinstance(wanted, list):
            raise ExpressionError(f"What {self.label} is to begin is no list of ids.")
        begun = {node.name: node for node in self.body.entries}
        unknown = [name for name in wanted if not isinstance(name, str) or name not in begun]
        if unknown:
            raise ExpressionError(f"{self.label} is to begin {cut(str(unknown[0]), 80)!r}, which it does not hold.")
        return [begun[name] for name in wanted]

    def has_enough(self, scope: Token, done: Token) -> bool:
        if self.completion is None or not self.completion.is_true(scope.context):
            return False
        self.interrupted(scope)
        if self.cancel_remaining:
            workflow = scope.workflow
            for other in list(scope.inside.values()):
                if other is not done:
                    workflow.ends_in(scope, workflow.cancel_token(other))
        return True

    def interrupted(self, scope: Token) -> None:
        scope.note(left=[])

    def goes_on(self, scope: Token) -> bool:
        left = scope.internal_data.get("left") or []
        if not left:
            return super().goes_on(scope)
        scope.note(left=left[1:])
        self.body.nodes[left[0]].arrive(scope, None, scope.causes)
        return True


class CallActivity(Activity):
    """Another process, run inside this instance with parameters of its own."""

    makes = True
    called: str
    called_expression: Expression | None = None
    own_process: Process | None = None
    """The called process where it was deployed in the same bundle."""
    inward: Sequence[tuple[str, Value]] = ()
    outward: Sequence[tuple[str, Value]] = ()
    all_in = True
    all_out = False
    version: WantedVersion = NEWEST
    """Which version it calls; of the newest that which was deployed together comes first."""
    together = False
    """Whether what it calls has to have been deployed with it."""

    def execute(self, token: Token) -> bool | None:
        workflow = token.workflow
        token._set_state(STARTED)
        limit = workflow.host.limits.call_depth
        if len(token.call_path) >= limit:
            raise LimitExceeded("call_depth", f"{self.label} calls deeper than the limit call_depth ({limit}).")
        self.take_inputs(token)
        called = self.called
        if self.called_expression is not None:
            called = self._named(self.called_expression.evaluate(token.context))
        path = [*token.place, run_namespace(self.namespace, token)]
        if self.own_process is not None:
            token.note(parameters=self._parameters(token), deployment=None, path=path, called=called)
            token.body = self.own_process
            workflow.open_scope(token, token.body)
            return None
        if self.together:
            raise ExpressionError(f"{self.label} calls {cut(called, 80)!r}, which was not deployed with it.")
        found = workflow.host.called_process(token, called, self.version)
        parameters = self._parameters(token) if found.parameters is None else found.parameters
        token.note(parameters=parameters, deployment=found.deployment_id, path=path, called=called)
        token.body = found.process
        if found.compensates is None:
            workflow.open_scope(token, token.body)
        else:
            begin(token, token, [found.compensates])
        return None

    def _named(self, called: Any) -> str:
        if isinstance(called, str) and called:
            return called
        found = "an empty text" if called == "" else kind_of(called)
        raise ExpressionError(f"What {self.label} calls is {found}, not the key of a process.")

    def _parameters(self, token: Token) -> dict[str, Any]:
        """What the called process begins with: what goes in by name reads the inputs, which are there first."""
        context = token.context
        parameters = token.visible if self.all_in else {}
        for name, value in self.inward:
            parameters[name] = value.evaluate(context)
        return parameters | {name: token.data[name] for name in self.input_values}

    def find_body(self, token: Token) -> None:
        deployment_id = token.internal_data["deployment"]
        if deployment_id is not None:
            token.body = token.workflow.host.deployed_process(deployment_id)
        elif self.own_process is not None:
            token.body = self.own_process

    def is_compensable(self, token: Token) -> bool:
        # What the called process remembers ends with it: its nodes are none of this process.
        return self.compensation is not None or self.is_undone_by_stones

    def scope_ended(self, token: Token) -> None:
        if self.loop is not None and RUN not in token.internal_data:
            return
        inner = token.call_context
        values: dict[str, Any] = dict(inner.parameters) if self.all_out or self.only_mapped else {}
        for name, value in self.outward:
            values[name] = value.evaluate(inner)
        self.receive(token, values)
        self.finish(token, {})

    def catchers_inside(self, scope: Token, kind: str, code: str) -> Sequence[Catcher]:
        if self.loop is not None and RUN not in scope.internal_data:
            return ()
        return catching(scope.body.event_sub_processes, kind, code)
