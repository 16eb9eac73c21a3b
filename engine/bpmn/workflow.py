"""The step loop: one agenda over all scopes, run until everything waits for the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, Protocol

from SpiffWorkflow.bpmn import BpmnWorkflow

from ..context import Context
from ..errors import BpmnError, RiverstoneError
from ..limits import Limits
from .gateways import InclusiveGateway
from .node import Flow, Node, Process
from .token import CANCELLED, ERROR, READY, STARTED, WAITING, Token
from .waits import Wait


class Host(Protocol):
    """What a workflow asks of the instance that it drives; none of it waits."""

    limits: Limits

    def now(self) -> int:
        """The engine's clock, in milliseconds since 1970."""

    def begin_task(self, token: Token) -> None:
        """A stone or a person has something to do; ``task_done`` tells when it is done."""

    def withdraw_task(self, token: Token) -> None:
        """The token whose task was begun is gone."""

    def throw(self, kind: str, name: str, payload: Mapping[str, Any]) -> None:
        """A message or a signal goes out to whoever waits for it, here or in other instances."""

    def called_process(self, key: str) -> tuple[str, Process]:
        """The id of the newest deployment of a key, and its process."""

    def deployed_process(self, deployment_id: str) -> Process:
        """The process of a deployment."""

    def run_script(self, token: Token) -> None:
        """Run a trusted script with the token's variables."""

    def compensated(self, task_ids: Sequence[int]) -> None:
        """A handler in the model has taken these tasks back."""


class NoScripts:
    """Stands where Spiff keeps its script engine, so that no Python from a model is ever run by it."""


NO_SCRIPTS = NoScripts()


class Workflow(BpmnWorkflow):  # type: ignore[misc]
    """One running process: its tokens, what they wait for, and the context beside them."""

    def __init__(self, process: Process, host: Host, context: Context, *, first_token: int = 1, steps: int = 0) -> None:
        super().__init__(process, deserializing=True, script_engine=NO_SCRIPTS)
        self.host = host
        self.root_context = context
        self.next_token = first_token
        self.steps = steps
        self.stops_on_failure = True
        self.failures: dict[int, str] = {}
        self.waits: dict[int, list[Wait]] = {}
        self.open_tasks: set[int] = set()
        self.joins: dict[tuple[int, str], dict[str | None, list[Token]]] = {}
        self.touched: dict[int, Token] = {}
        self.gone: set[int] = set()
        self.variables_changed = False
        self.thrown_error: tuple[str, str] | None = None
        self._agenda: list[int] = []
        self._conditions_stale = False

    # -- beginning and running

    def begin(self, entry: Node | None = None) -> None:
        """Put the first tokens: at the entries of the process, or at the one start event that was triggered."""
        root = self.new_token(self.spec.root, None, None, (), state=STARTED)
        self.task_tree = root
        self.open_scope(root, self.spec, entry)

    def open_scope(self, scope: Token, process: Process, entry: Node | None = None) -> None:
        """Begin the inside of a scope: its listeners first, then its first tokens."""
        for handler in process.event_sub_processes:
            handler.listen(scope)
        for node in [entry] if entry is not None else process.entries:
            node.arrive(scope, None, scope.causes)
        if scope.live == 0 and not self.completed:
            self.scope_ended(scope)

    def advance(self) -> None:
        """Run until every token waits for the outside (BPMN 2.0, 13.1), or something has failed."""
        limit = self.host.limits.steps_per_turn
        steps = 0
        while not self._halted:
            while self._agenda and not self._halted:
                token = self.tasks.get(heappop(self._agenda))
                if token is None or token._state != READY:
                    continue
                steps += 1
                if steps > limit:
                    self.fail(token, f"The limit steps_per_turn ({limit}) was reached without anything to wait for.")
                    break
                self._run(token)
            if self._halted or not (self._fire_conditions() or self._decide_inclusive_joins()):
                break
        self.steps += steps
        if self.steps > self.host.limits.steps_per_instance and not self.completed and not self._halted:
            self.fail(self.task_tree, f"The limit steps_per_instance ({self.host.limits.steps_per_instance}) was reached.")
        self._fail_if_stuck()

    @property
    def _halted(self) -> bool:
        return self.completed or (self.stops_on_failure and bool(self.failures))

    def _run(self, token: Token) -> None:
        self._guard(token, token.run)

    def _guard(self, token: Token, action: Any) -> None:
        """Do what may fail because of the model or its data; then only this token fails."""
        try:
            action()
        except BpmnError as error:
            self.throw_error(token, error.error_code, error.message)
        except RiverstoneError as error:
            self.fail(token, error.message)

    def _fail_if_stuck(self) -> None:
        if self.completed or self.failures or self.waits or self.open_tasks or self._agenda:
            return
        for token in sorted(self.tasks.values(), key=lambda token: token.id):
            if token._state == WAITING:
                self.fail(token, f"The process is stuck: a token waits at {token.node.bpmn_id!r} for others that cannot come.")
                return

    # -- tokens

    def new_token(
        self, node: Node, scope: Token | None, flow: str | None, causes: tuple[int, ...], *, state: int = READY
    ) -> Token:
        """A token on a node, run in its turn unless it is made waiting."""
        token_id = self.next_token
        self.next_token = token_id + 1
        token = Token(self, node, scope, token_id, state, flow, causes)
        self.touched[token_id] = token
        if state == READY:
            heappush(self._agenda, token_id)
        return token

    def make_ready(self, token: Token) -> None:
        """Let a token run (again) in its turn."""
        self.failures.pop(token.id, None)
        token._set_state(READY)
        heappush(self._agenda, token.id)

    def move(self, token: Token, flows: Sequence[Flow]) -> None:
        """Take a completed token along the flows; along none, it ends here."""
        scope = token.scope
        assert scope is not None
        causes = token.causes
        for flow in flows:
            flow.target.arrive(scope, flow, causes)
        if not flows:
            self.ends_in(scope, causes)
            scope.node.path_ended(scope, token)
        if token.id in self.tasks:
            self.drop(token)

    def ends_in(self, scope: Token, causes: tuple[int, ...]) -> None:
        """Something with these causes has ended in a scope, so it came before whatever follows the scope."""
        if not scope.ended.issuperset(causes):
            scope.ended.update(causes)
            self.touched[scope.id] = scope

    def drop(self, token: Token) -> None:
        """Take a token out; its scope ends with its last one."""
        scope = token.scope
        self._forget(token)
        if scope is not None and token.node.counts:
            scope.live -= 1
            if scope.live == 0:
                self.scope_ended(scope)

    def _forget(self, token: Token) -> None:
        self.tasks.pop(token.id, None)
        if token.scope is not None:
            token.scope.inside.pop(token.id, None)
        self.touched.pop(token.id, None)
        self.gone.add(token.id)
        self.failures.pop(token.id, None)
        self.open_tasks.discard(token.id)
        if token.id in self.waits:
            del self.waits[token.id]

    def scope_ended(self, scope: Token) -> None:
        """Nothing that counts is left in a scope: its listeners go, and whoever owns it goes on."""
        for listener in list(scope.inside.values()):
            self.cancel_token(listener)
        if scope.ended:
            scope.causes = tuple(sorted(scope.ended))
        scope.node.scope_ended(scope)

    def root_ended(self) -> None:
        """The whole process has ended well."""
        self._forget(self.task_tree)
        self.completed = True

    def cancel_token(self, token: Token) -> tuple[int, ...]:
        """Take a token and all inside it away; the causes of what may follow instead."""
        causes: set[int] = set()
        pending = [token]
        order: list[Token] = []
        while pending:
            current = pending.pop()
            order.append(current)
            pending.extend(current.inside.values())
        for current in reversed(order):
            causes.update(current.causes)
            if current.id in self.open_tasks:
                causes.add(current.internal_data["task"])
                self.host.withdraw_task(current)
            current._state = CANCELLED
            current.node._on_cancel(current)
            scope = current.scope
            self._forget(current)
            if scope is not None and current.node.counts:
                scope.live -= 1
            if current.flow is not None and scope is not None:
                self._leave_join(current, scope)
        return tuple(sorted(causes))

    def _leave_join(self, token: Token, scope: Token) -> None:
        queue = self.joins.get((scope.id, token.node.name), {}).get(token.flow)
        if queue and token in queue:
            queue.remove(token)

    # -- the context

    def context_of(self, token: Token) -> Context:
        """The context as a token sees it."""
        locals_: list[Mapping[str, Any]] = []
        base = self.root_context
        current: Token | None = token
        while current is not None:
            if current.data:
                locals_.append(current.data)
            current = current.scope
            if current is not None and "parameters" in current.internal_data:
                base = self.call_context(current)
                break
        for names in reversed(locals_):
            base = base.child(names)
        return base

    def call_context(self, call: Token) -> Context:
        """The context inside a call activity: its own parameters, and its outputs nested in the caller's."""
        outputs = self.root_context.outputs
        for namespace in call.internal_data["path"]:
            outputs = outputs.setdefault(namespace, {})  # type: ignore[assignment]
        return Context(call.internal_data["parameters"], outputs)

    def call_path(self, token: Token) -> list[str]:
        """The namespaces of the call activities that a token is inside of, outermost first."""
        scope = token.scope
        while scope is not None:
            if "parameters" in scope.internal_data:
                path: list[str] = scope.internal_data["path"]
                return path
            scope = scope.scope
        return []

    def set_variables(self, token: Token, values: Mapping[str, Any]) -> None:
        """Set process variables: a local of that name where there is one, else of the called or whole process."""
        if not values:
            return
        self._conditions_stale = True
        for name, value in values.items():
            self._set_variable(token, name, value)

    def _set_variable(self, token: Token, name: str, value: Any) -> None:
        current: Token | None = token
        while current is not None:
            if name in current.data:
                current.data[name] = value
                self.touched[current.id] = current
                return
            current = current.scope
            if current is not None and "parameters" in current.internal_data:
                current.internal_data["parameters"][name] = value
                self.touched[current.id] = current
                return
        self.root_context.parameters[name] = value
        self.variables_changed = True

    # -- from outside

    def task_done(self, token: Token, task_id: int, results: Mapping[str, Any]) -> None:
        """The stone or the person has finished with success."""
        self.open_tasks.discard(token.id)
        token.causes = (task_id,)
        self._conditions_stale = True
        self._guard(token, lambda: token.node.finish(token, results))

    def task_failed(self, token: Token, task_id: int, error: BpmnError | None, reason: str) -> None:
        """The stone has failed for good: with a BPMN error that an event may catch, or without."""
        self.open_tasks.discard(token.id)
        if task_id not in token.causes:
            token.causes = merged(token.causes, (task_id,))
        if error is None:
            self.fail(token, reason)
        else:
            self.throw_error(token, error.error_code, error.message)

    def fire(self, token: Token, number: int, payload: Mapping[str, Any]) -> None:
        """What a token waits for has come; ``number`` tells which of several things."""
        self._guard(token, lambda: token.node.caught(token, number, payload))

    # -- waits

    def wait(self, token: Token, waits: Sequence[Wait]) -> None:
        """The token waits for any of these."""
        self.waits[token.id] = list(waits)
        self.touched[token.id] = token

    def stop_waiting(self, token: Token) -> None:
        """The token no longer waits for anything."""
        if self.waits.pop(token.id, None) is not None:
            self.touched[token.id] = token

    def look_at_conditions(self) -> None:
        """Something that conditional events may depend on has changed."""
        self._conditions_stale = True

    # -- errors, escalations, interruption

    def throw_error(self, token: Token, code: str, text: str) -> None:
        """Send a BPMN error outward, scope by scope, to the one nearest catcher (BPMN 2.0, 10.5.1)."""
        payload = {"errorCode": code, "errorMessage": text}
        if not self._catch_outward(token, "error", code, payload):
            self.thrown_error = (code, text)
            self.fail(token, f"The BPMN error {code!r} of {token.node.bpmn_id!r} is caught by no event: {text}")

    def throw_escalation(self, token: Token, code: str) -> None:
        """Send an escalation outward; one that nobody catches is no failure."""
        self._catch_outward(token, "escalation", code, {"escalationCode": code})

    def _catch_outward(self, token: Token, kind: str, code: str, payload: dict[str, Any]) -> bool:
        current: Token | None = token
        while current is not None:
            for event in current.node.catchers(current, kind, code):
                event.catch(current, payload)
                return True
            scope = current.scope
            if scope is None:
                return False
            for handler in scope.node.handlers(scope, kind, code):
                if handler is not current.node:
                    handler.start(scope, payload)
                    return True
            current = scope
        return False

    def interrupt(self, scope: Token) -> tuple[int, ...]:
        """Take away all that runs or listens inside a scope; the causes of what follows instead."""
        causes: set[int] = set(scope.causes)
        for token in list(scope.inside.values()):
            if token.id in scope.inside:
                causes.update(self.cancel_token(token))
        return tuple(sorted(causes))

    def node_named(self, name: str) -> Node:
        """A node of this process or of one that it calls at the moment."""
        node = self.spec.find(name)
        if node is None:
            called = (token.body for token in self.tasks.values() if "called" in token.internal_data)
            node = next((found for body in called if (found := body.find(name)) is not None), None)
        if node is None:
            raise RiverstoneError(f"The model has no node {name!r} any more.", code="node-missing")
        return node

    def terminate(self, token: Token) -> None:
        """End a scope at once, with everything in it (BPMN 2.0, 13.5.6)."""
        scope = token.scope
        assert scope is not None
        causes = token.causes
        self.ends_in(scope, merged(self.interrupt(scope), causes))
        self.scope_ended(scope)

    def fail(self, token: Token, reason: str) -> None:
        """A token cannot go on; the token stays where it is."""
        if token.id not in self.tasks:
            token = token.scope or self.task_tree
        token._set_state(ERROR)
        self.open_tasks.discard(token.id)
        self.failures[token.id] = reason

    # -- when the agenda is empty

    def _fire_conditions(self) -> bool:
        """Conditional events whose condition has become true since it was last looked at."""
        if not self._conditions_stale:
            return False
        self._conditions_stale = False
        fired = False
        for token_id in sorted(self.waits):
            for wait in self.waits.get(token_id, ()):
                if wait.kind != "condition":
                    continue
                token = self.tasks[token_id]
                holds = token.node.condition_holds(token, wait.number)
                before = token.internal_data.get("held", False)
                if holds != before:
                    token.note(held=holds)
                if holds and not before:
                    self.fire(token, wait.number, {})
                    fired = True
                    break
        return fired

    def _decide_inclusive_joins(self) -> bool:
        """Inclusive gateways act on what can still arrive, so they decide when nothing else can move."""
        for (scope_id, name), queues in sorted(self.joins.items()):
            scope = self.tasks.get(scope_id)
            if scope is None or not any(queues.values()):
                continue
            token = next(token for queue in queues.values() for token in queue)
            node = token.node
            if isinstance(node, InclusiveGateway) and node.name == name and node.can_merge(scope, queues):
                node.merge(scope, queues)
                return True
        return False


def merged(causes: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    """The union of two sets of causes, in order."""
    if not more or causes == more:
        return causes
    if not causes:
        return more
    return tuple(sorted({*causes, *more}))


__all__ = ["Host", "STARTED", "Workflow", "merged"]
