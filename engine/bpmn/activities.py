"""Activities: what a stone, a person or an inner process does while a token waits (BPMN 2.0, 10.3 and 13.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BpmnError, ExpressionError, LimitExceeded, RiverstoneError
from .compensation import compensated, hand_up, remember
from .events import BoundaryEvent, CatchEvent, EventSubProcess, ThrowEvent, armed, matches
from .gateways import end_race
from .loops import RUN, Loop, MultiInstance
from .node import Node, Process, handler_of
from .token import STARTED, Token

if TYPE_CHECKING:
    from ..expressions import Expression, Value
    from .dialects import Binding


class Activity(Node):
    """An activity's token arms its boundary events, runs (once, in turns or in many runs), and leaves."""

    loop: Loop | MultiInstance | None = None
    boundary: list[BoundaryEvent]
    for_compensation = False
    compensation: Activity | None = None
    """The handler that a compensation event on the border names."""
    input_values: Mapping[str, Value]
    output_values: Sequence[tuple[str, Expression | Value]]
    start_quantity = 1
    completion_quantity = 1

    def __init__(self, process: Process, node_id: str, *, title: str | None = None, line: int | None = None) -> None:
        super().__init__(process, node_id, title=title, line=line)
        self.boundary = []
        self.input_values = {}
        self.output_values = ()

    def _run_hook(self, token: Token) -> bool | None:
        if RUN in token.internal_data:
            return self.execute(token)
        for event in self.boundary:
            if event.listens:
                event.arm(token)
        if self.loop is not None:
            self.loop.begin(token, self)
            return None
        return self.execute(token)

    def execute(self, token: Token) -> bool | None:
        """Do the work of one run; true if it is done already."""
        return True

    def finish(self, token: Token, results: Mapping[str, Any]) -> None:
        """The work of one run is done: map its results to variables and go on."""
        self.map_outputs(token, results)
        token.complete()

    def map_outputs(self, token: Token, results: Mapping[str, Any]) -> None:
        """Set the variables that the model's output mappings name."""
        if self.output_values:
            context = token.context.child(results)
            values = {target: value.evaluate(context) for target, value in self.output_values}
            token.workflow.set_variables(token.scope or token, values)

    def new_run(self, container: Token, number: int, locals_: dict[str, Any]) -> None:
        """Start one run of a repeated activity."""
        workflow = container.workflow
        token = workflow.new_token(self, container, None, container.causes)
        token.internal_data[RUN] = number
        token.data = locals_

    def _on_complete(self, token: Token) -> None:
        workflow = token.workflow
        container = token.scope
        assert container is not None
        if RUN in token.internal_data:
            assert self.loop is not None
            hand_up(token, container)
            if isinstance(self.loop, Loop) or self.loop.sequential:
                # The next turn follows this one, so its undo comes first.
                container.causes = token.causes
                container.ended = set(token.causes)
            else:
                container.ended.update(token.causes)
            container.live += 1  # the container must not end between two runs
            workflow.drop(token)
            container.live -= 1
            self.loop.run_done(container, self, token)
            return
        for listener in armed(token) if self.boundary else ():
            workflow.cancel_token(listener)
        end_race(token)
        self.completed(token)
        if self.for_compensation:
            compensated(token)
            return
        self.leave(token)

    def completed(self, token: Token) -> None:
        """The whole activity has completed; remember it if it can be compensated."""
        if self.compensation is not None:
            remember(token)

    def leave(self, token: Token) -> None:
        for _ in range(self.completion_quantity - 1):
            for flow in self.choose(token) if self.conditional else self.outgoing:
                assert token.scope is not None
                flow.target.arrive(token.scope, flow, token.causes)
        super().leave(token)

    def runs_ended(self, container: Token) -> None:
        """All runs are through."""
        if container.ended:
            container.causes = tuple(sorted(container.ended))
        container.complete()

    def scope_ended(self, token: Token) -> None:
        """Runs end one by one, so the last token inside says nothing of its own."""

    def catchers(self, token: Token, kind: str, code: str) -> Iterable[BoundaryEvent]:
        if RUN in token.internal_data:
            return ()
        found = [event for event in self.boundary if any(matches(d, kind, code) for d in event.definitions)]
        return sorted(found, key=lambda event: event.definitions[0].name is None)

    def throw_implicitly(self, token: Token, name: str) -> None:
        """Throw a multi-instance behaviour's event, for boundary events of this activity that wait for it."""
        for listener in list(armed(token)):
            for wait in token.workflow.waits.get(listener.id, ()):
                if wait.kind == "signal" and wait.name == name:
                    token.workflow.fire(listener, wait.number, {})
                    break


class NoneTask(Activity):
    """A task without a type: nothing to do (BPMN 2.0, 13.3.3)."""

    def execute(self, token: Token) -> bool | None:
        self.map_outputs(token, {})
        return True


class StoneTask(Activity):
    """A task whose work a stone does."""

    binding: Binding
    namespace: str
    code: Value
    """The stone's code, which may be an expression."""
    result_variable: str | None = None

    def execute(self, token: Token) -> bool | None:
        token.workflow.host.begin_task(token)
        return None

    def map_outputs(self, token: Token, results: Mapping[str, Any]) -> None:
        if self.result_variable:
            value = results.get("result", dict(results))
            token.workflow.set_variables(token.scope or token, {self.result_variable: value})
        super().map_outputs(token, results)


class UserTask(Activity):
    """A task that waits until somebody says, from outside, that it is done."""

    namespace: str

    def execute(self, token: Token) -> bool | None:
        token.workflow.host.begin_task(token)
        return None


class ReceiveTask(CatchEvent, Activity):
    """A task that waits for a message; one that names no message waits like a user task."""

    namespace: str
    instantiate = False
    """Whether the message may start the process here (BPMN 2.0, 10.3.3)."""

    def __init__(self, process: Process, node_id: str, *, title: str | None = None, line: int | None = None) -> None:
        Activity.__init__(self, process, node_id, title=title, line=line)

    def _run_hook(self, token: Token) -> bool | None:
        return Activity._run_hook(self, token)

    def execute(self, token: Token) -> bool | None:
        if self.definitions:
            self.listen_for(token)
        else:
            token.workflow.host.begin_task(token)
        return None


class SendTask(ThrowEvent, Activity):
    """A task that sends a message."""

    def __init__(self, process: Process, node_id: str, *, title: str | None = None, line: int | None = None) -> None:
        Activity.__init__(self, process, node_id, title=title, line=line)

    def _run_hook(self, token: Token) -> bool | None:
        return Activity._run_hook(self, token)

    def execute(self, token: Token) -> bool | None:
        return ThrowEvent._run_hook(self, token)

    def _on_complete(self, token: Token) -> None:
        Activity._on_complete(self, token)


class ScriptTask(Activity):
    """Python from the model, only for an engine that was made to trust it."""

    script: str

    def execute(self, token: Token) -> bool | None:
        token.workflow.host.run_script(token)
        return True


class SubProcess(Activity):
    """An inner process in a scope of its own."""

    body: Process

    def execute(self, token: Token) -> bool | None:
        token._set_state(STARTED)
        if self.input_values:
            context = token.context
            token.data = {**token.data, **{name: value.evaluate(context) for name, value in self.input_values.items()}}
        token.workflow.open_scope(token, self.body)
        return None

    def scope_ended(self, token: Token) -> None:
        if self.loop is not None and RUN not in token.internal_data:
            return
        if token.internal_data.get("cancelled"):
            self._leave_cancelled(token)
            return
        self.finish(token, {})

    def _leave_cancelled(self, token: Token) -> None:
        for event in self.boundary:
            if any(definition.kind == "cancel" for definition in event.definitions):
                host = token.scope if RUN in token.internal_data else token
                assert host is not None
                event.catch(host, {})
                return
        raise ExpressionError(f"The transaction {self.bpmn_id!r} was cancelled and has no cancel event on its border.")

    def handlers(self, scope: Token, kind: str, code: str) -> Iterable[EventSubProcess]:
        if self.loop is not None and RUN not in scope.internal_data:
            return ()
        return handler_of(self.body, kind, code)

    def completed(self, token: Token) -> None:
        if self.compensation is not None or token.internal_data.get("compensable"):
            remember(token)


class Transaction(SubProcess):
    """A sub-process that can be cancelled as a whole: what it did is compensated (BPMN 2.0, 13.3.8)."""


class AdHocSubProcess(SubProcess):
    """Activities without an order: each that has no incoming flow may run, until the completion condition holds."""

    sequential = False
    completion: Expression | None = None
    cancel_remaining = True

    def execute(self, token: Token) -> bool | None:
        token._set_state(STARTED)
        workflow = token.workflow
        for handler in self.body.event_sub_processes:
            handler.listen(token)
        entries = list(self.body.entries)
        if self.sequential and entries:
            token.note(left=[node.name for node in entries[1:]])
            entries = entries[:1]
        for node in entries:
            node.arrive(token, None, token.causes)
        if not entries:
            workflow.scope_ended(token)
        return None

    def path_ended(self, scope: Token, token: Token) -> None:
        if self.completion is None or not self.completion.is_true(scope.context):
            return
        scope.note(left=[])
        if self.cancel_remaining:
            for other in list(scope.inside.values()):
                if other is not token:
                    scope.workflow.ends_in(scope, scope.workflow.cancel_token(other))

    def scope_ended(self, token: Token) -> None:
        left = token.internal_data.get("left") or []
        if left:
            token.note(left=left[1:])
            self.body.nodes[left[0]].arrive(token, None, token.causes)
            return
        super().scope_ended(token)


class CallActivity(Activity):
    """Another process, run inside this instance with parameters of its own."""

    namespace: str
    called: str
    called_expression: Expression | None = None
    own_process: Process | None = None
    """The called process where it was deployed in the same bundle."""
    inward: Sequence[tuple[str, Value]] = ()
    outward: Sequence[tuple[str, Value]] = ()
    all_in = True
    all_out = False

    def execute(self, token: Token) -> bool | None:
        workflow = token.workflow
        token._set_state(STARTED)
        context = token.context
        parameters: dict[str, Any] = dict(context.parameters) if self.all_in else {}
        if self.all_in:
            for scope in reversed(list(_locals_of(token))):
                parameters.update(scope)
        for name, value in self.inward:
            parameters[name] = value.evaluate(context)
        for name, value in self.input_values.items():
            parameters[name] = value.evaluate(context)
        depth = 1 + len(workflow.call_path(token))
        limit = workflow.host.limits.call_depth
        if depth > limit:
            raise LimitExceeded("call_depth", f"{self.bpmn_id!r} calls deeper than the limit call_depth ({limit}).")
        called = self.called
        if self.called_expression is not None:
            called = str(self.called_expression.evaluate(context))
        deployment_id: str | None = None
        process = self.own_process
        if process is None:
            deployment_id, process = workflow.host.called_process(called)
        path = [*workflow.call_path(token), run_namespace(self.namespace, token)]
        token.note(parameters=parameters, deployment=deployment_id, called=called, path=path)
        token.body = process
        workflow.open_scope(token, process)
        return None

    def resume(self, token: Token) -> None:
        if "called" in token.internal_data:
            deployment_id = token.internal_data["deployment"]
            token.body = self.own_process if deployment_id is None else token.workflow.host.deployed_process(deployment_id)

    def scope_ended(self, token: Token) -> None:
        if self.loop is not None and RUN not in token.internal_data:
            return
        inner = token.workflow.call_context(token)
        values: dict[str, Any] = dict(inner.parameters) if self.all_out else {}
        for name, value in self.outward:
            values[name] = value.evaluate(inner)
        token.workflow.set_variables(token.scope or token, values)
        self.finish(token, {})

    def handlers(self, scope: Token, kind: str, code: str) -> Iterable[EventSubProcess]:
        if self.loop is not None and RUN not in scope.internal_data:
            return ()
        return handler_of(scope.body, kind, code)


def _locals_of(token: Token) -> Iterable[dict[str, Any]]:
    current: Token | None = token
    while current is not None:
        if current.data:
            yield current.data
        current = current.scope
        if current is not None and "parameters" in current.internal_data:
            return


def run_namespace(namespace: str, token: Token) -> str:
    """The namespace of one run: that of the node, and for a multi-instance node the number of the run behind it."""
    run = token.internal_data.get(RUN)
    if run is None or not isinstance(getattr(token.node, "loop", None), MultiInstance):
        return namespace
    return f"{namespace}{run}"


__all__ = ["Activity", "BpmnError", "RiverstoneError"]
