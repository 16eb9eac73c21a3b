"""A token: where a process instance stands, one of possibly many places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Unpack

from SpiffWorkflow.util.task import TaskState

from ...language.context import Context
from .event_definitions import named
from .results import Step, behind, calls_in, of_run
from .spiff import Task
from .token_data import BEGINNING, CALLED, COMPENSATED, COMPENSATES, LEAVES, RUN

if TYPE_CHECKING:
    from .node import Node, Process
    from .token_data import TokenData
    from .workflow import Workflow

Queues = dict[str | None, list["Token"]]
"""Waiting tokens in the order of their coming, by the flow on which they came; none of a flow on which nobody waits."""

ROOT: Final = 1
"""The id of every root, the first token of its instance."""
READY: Final[int] = TaskState.READY
WAITING: Final[int] = TaskState.WAITING
STARTED: Final[int] = TaskState.STARTED
ERROR: Final[int] = TaskState.ERROR
RUN_AGAIN: Final = frozenset({BEGINNING, COMPENSATED, LEAVES})
"""What a token keeps that is to be run once more, since it has more to do."""
CANCELLED: Final[int] = TaskState.CANCELLED
COMPLETED: Final[int] = TaskState.COMPLETED


class Token(Task):
    """A Spiff task whose parent is its *scope* (a sub-process, a loop, the root), not what came before it.

    So the tree holds only what is open, and a finished branch leaves nothing behind. Ids count up within
    the instance: the order of creation is the order of running, before and after a restart. ``causes`` are the ids
    of the tasks that it follows and, as negative numbers, the compensable activities that have completed before it.
    """

    workflow: Workflow
    task_spec: Node
    id: int
    data: dict[str, Any]
    internal_data: TokenData
    triggered = False
    thread_id = 0
    last_state_change = 0.0
    body: Process
    """Of a call activity that has begun: the process that it called."""

    def __init__(
        self,
        workflow: Workflow,
        node: Node,
        scope: Token | None,
        token_id: int,
        state: int,
        flow: str | None = None,
        causes: tuple[int, ...] = (),
    ) -> None:
        # Not Spiff's own: it asks the clock and looks its parent up for every task, a third of what a token costs.
        self.id = token_id
        self.workflow = workflow
        self.task_spec = node
        self._state = state
        self.data = {}
        self.internal_data = {}
        self.scope = scope
        self.flow = flow
        self.causes = causes
        self.inside: dict[int, Token] = {}
        self.live = 0
        self.ended: set[int] = set()
        self.joins: dict[str, Queues] = {}
        """The tokens that wait at the joins of this scope, by node and incoming flow."""
        workflow.tasks[token_id] = self
        if scope is None:
            self._parent = None
        else:
            self._parent = scope.id
            scope.inside[token_id] = self
            if node.counts:
                scope.live += 1

    @property
    def node(self) -> Node:
        """The flow node that the token stands on."""
        return self.task_spec

    @property
    def children(self) -> list[Token]:
        """The tokens inside this scope, oldest first."""
        return list(self.inside.values())

    def _set_state(self, value: int) -> None:
        self._state = value
        if self.id in self.workflow.tasks:
            self.workflow.touched[self.id] = self

    def run(self) -> None:
        """Let the node act; unless it has completed or is gone by then, the token waits on it."""
        node = self.task_spec
        done = node.undone(self) if self.internal_data.pop("undone", None) else node._run_hook(self)
        if self.id not in self.workflow.tasks:
            return
        if done:
            self.complete()
        elif self._state == READY and self.internal_data.keys().isdisjoint(RUN_AGAIN):
            self._set_state(WAITING if self.id in self.workflow.waits else STARTED)

    def complete(self) -> None:
        """The node has done its work: let the token leave."""
        self._state = COMPLETED
        self.task_spec._on_complete(self)

    def follow(self, causes: tuple[int, ...]) -> None:
        """Come after the tasks among these causes as well."""
        after = followed(self.causes, causes)
        if after != self.causes:
            self.causes = after
            self.workflow.touched[self.id] = self

    @property
    def after(self) -> list[int]:
        """The ids of the tasks that whatever happens here causally follows."""
        return [cause for cause in self.causes if cause > 0]

    def note(self, **values: Unpack[TokenData]) -> None:
        """Keep values with the token, across a restart."""
        self.internal_data.update(values)
        self.workflow.touched[self.id] = self

    def throw(self, kind: str, code: str, payload: dict[str, Any]) -> bool:
        """Send an error or escalation outward, scope by scope, to the one nearest catcher; false without one."""
        current = self
        while True:
            for event in current.node.catchers(current, kind, code):
                event.catch(current, named(event.definitions, payload), causes=self.causes)
                return True
            scope = current.scope
            if scope is None:
                return False
            for event in scope.node.catchers_inside(scope, kind, code):
                if event is not current.node:
                    event.catch(scope, named(event.definitions, payload), current, self.causes)
                    return True
            current = scope

    # -- what is seen from here

    @property
    def context(self) -> Context:
        """Parameters and outputs as they are seen from here, the locals of the scopes in front."""
        return self._seen(own=True)

    @property
    def context_behind(self) -> Context:
        """The same without the token's own locals, as those see it that come after it in its scope."""
        return self._seen(own=False)

    def _seen(self, *, own: bool) -> Context:
        scope = self.scope
        handles = COMPENSATES in self.internal_data
        if scope is not None and scope.scope is None and not (self.data or scope.data or handles):
            return self.workflow.root_context
        locals_, runs, call, handler = self._around()
        if self.data and not own:
            locals_ = locals_[1:]
        base = self.workflow.root_context if call is None else call.call_context
        if runs:
            place = [*([] if call is None else call.internal_data["path"]), *(run.run_step for run in runs)]
            in_turn = {run.node.namespace for run in runs if run.node.runs_in_turn}
            base = base.alike(base.parameters, self.workflow.host.results.seen_from(place, in_turn))
        if RUN in self.internal_data and self.node.numbers_runs:
            seen = of_run(base.outputs, self.node.namespace, self.internal_data["run"])
            base = base.alike(base.parameters, seen)
        if handler is not None:
            for kept in (self.workflow.host.put_out_by(handler), handler.internal_data.get("outputs")):
                if kept:
                    base = base.alike(base.parameters, behind(base.outputs, kept))
        for names in reversed(locals_):
            base = base.child(names)
        return base

    @property
    def visible(self) -> dict[str, Any]:
        """Every variable that is seen from here, by name."""
        names = self.visible_inside
        return names if self._around()[2] is not None else {**self.workflow.root_context.parameters, **names}

    @property
    def visible_inside(self) -> dict[str, Any]:
        """Those of them that are not the whole process's: the called process's, and the locals."""
        locals_, _, call, _ = self._around()
        names: dict[str, Any] = {} if call is None else dict(call.call_context.parameters)
        for inner in reversed(locals_):
            names.update(inner)
        return names

    def _around(self) -> tuple[list[dict[str, Any]], list[Token], Token | None, Token | None]:
        """The locals from here outward, the runs, the outermost first, the call inside which this is, and the handler.

        That is the innermost that compensates something.
        """
        locals_: list[dict[str, Any]] = []
        runs: list[Token] = []
        handler: Token | None = None
        current: Token | None = self
        while current is not None:
            if current.data:
                locals_.append(current.data)
            if RUN in current.internal_data and current.node.has_runs_apart:
                runs.insert(0, current)
            if handler is None and COMPENSATES in current.internal_data:
                handler = current
            current = current.scope
            if current is not None and CALLED in current.internal_data:
                return locals_, runs, current, handler
        return locals_, runs, None, handler

    @property
    def run_step(self) -> Step:
        """Of a run: the step of a place that leads into it."""
        return [self.node.namespace, self.internal_data["run"]]

    @property
    def call_context(self) -> Context:
        """Of a call activity: the context inside, its own parameters and its outputs nested in the caller's."""
        root = self.workflow.root_context
        outputs = self.workflow.host.results.seen_from(self.internal_data["path"])
        return root.alike(self.internal_data["parameters"], outputs)

    @property
    def place(self) -> list[Step]:
        """The calls and runs that this is inside of."""
        runs: list[Step] = []
        scope = self.scope
        while scope is not None:
            if RUN in scope.internal_data and scope.node.has_runs_apart:
                runs.insert(0, scope.run_step)
            if CALLED in scope.internal_data:
                return [*scope.internal_data["path"], *runs]
            scope = scope.scope
        return runs

    @property
    def call_path(self) -> list[str]:
        """The namespaces of the call activities that this is inside of, outermost first."""
        return calls_in(self.place)

    def process_place(self, outermost: str) -> str:
        """Where the process that this is in is found again: a deployment, and the call activities that lead on inside.

        ``outermost`` is the deployment of the whole process.
        """
        hops: list[str] = []
        current = self.scope
        while current is not None:
            if CALLED in current.internal_data:
                deployment_id = current.internal_data["deployment"]
                if deployment_id is not None:
                    return "/".join((deployment_id, *reversed(hops)))
                hops.append(current.node.name)
            current = current.scope
        return "/".join((outermost, *reversed(hops)))

    def set_variables(self, values: Mapping[str, Any]) -> None:
        """Set variables: a local of that name where there is one, else one of the called or the whole process.

        Locals of the token's own come first: what a task is given under the name of one of its inputs stays with it.
        Raises LimitExceeded if the process then holds too much.
        """
        if values:
            self.workflow.conditions.may_differ(self.causes)
        for name, value in values.items():
            if name in self.data:
                self._about_to_set(self.id, name, self.data)
                self.data[name] = value
                self.workflow.touched[self.id] = self
            else:
                self._set_around(name, value)

    def set_around(self, values: Mapping[str, Any]) -> None:
        """The same past the token's own locals: what a mapping lets out of an activity.

        A compensation handler has those of what it compensates, as they were: what it sets of them is set for itself.
        """
        if values:
            self.workflow.conditions.may_differ(self.causes)
        kept = self.data.keys() - self.node.input_values.keys() if COMPENSATES in self.internal_data else ()
        for name, value in values.items():
            if name in kept:
                self.data[name] = value
            else:
                self._set_around(name, value)

    def begin_with(self, values: Mapping[str, Any]) -> None:
        """As this scope begins: set those of these variables that it does not have."""
        if CALLED in self.internal_data:
            known = self.internal_data["parameters"]
        else:
            known = self.workflow.root_context.parameters if self.scope is None else self.data
        for name, value in values.items():
            known.setdefault(name, value)
        self.workflow.touched[self.id] = self
        self.workflow.variables_changed = self.workflow.variables_changed or self.scope is None

    def _set_around(self, name: str, value: Any) -> None:
        workflow = self.workflow
        scope = self.scope
        while scope is not None:
            # Before the locals of a call: these are its caller's, and nothing inside sees them.
            if CALLED in scope.internal_data:
                self._about_to_set(scope.id, name, scope.internal_data["parameters"])
                scope.internal_data["parameters"][name] = value
                workflow.touched[scope.id] = scope
                return
            if name in scope.data:
                self._about_to_set(scope.id, name, scope.data)
                scope.data[name] = value
                workflow.touched[scope.id] = scope
                return
            scope = scope.scope
        variables = workflow.root_context.parameters
        self._about_to_set(0, name, variables)
        before = variables.get(name)
        variables[name] = workflow.newly_set[name] = value
        workflow.host.weight.replace(before, value)

    def _about_to_set(self, scope: int, name: str, known: Mapping[str, Any]) -> None:
        if (way := self.workflow.way) is not None:
            way.variable(scope, name, known, self.causes)

    def __repr__(self) -> str:
        return f"<Token {self.id} on {self.task_spec.name}, {TaskState.get_name(self._state)}>"


def followed(causes: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    """The causes of what also follows the tasks among these; what they are inside of is no matter to it."""
    if not more or causes == more:
        return causes
    return merged(causes, tuple([cause for cause in more if cause > 0]))


def merged(causes: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    """The union of two sets of causes, in order."""
    if not more or causes == more:
        return causes
    if not causes:
        return more
    if causes[-1] < more[0]:
        return causes + more
    return tuple(sorted({*causes, *more}))
