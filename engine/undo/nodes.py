"""The process of an undo, made from its frozen order: one node for each task, and no gateways between them.

What waits for what is kept beside the tokens and found again from the undo's own ledger, so only tasks that are being
undone have a token, and none of them needs a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from ..authoring.definitions import Definition
from ..bpmn.elements.subprocesses import CallActivity
from ..bpmn.elements.tasks import StoneTask
from ..bpmn.running.node import Flow, Node, Process, Root
from ..bpmn.running.token import Token
from .frozen import Order, Remaining

if TYPE_CHECKING:
    from ...models import Changes, DeploymentRow, InstanceRow, TaskRow
    from ..bpmn.running.state import Saved
    from ..ledger.window import Window

_NO_FLOWS: list[Flow] = []
"""Of all tasks of undos: thousands of empty lists would be as many objects to search for rubbish."""
LEFT = "left_"
HANDLER_OF = "handler-of-"
"""What a handler of several steps is called by, with the task that it undoes behind."""
MOST_AT_ONCE = 100
"""Tasks of one undo that begin in one turn, so that other processes have theirs in between."""
MANY = 1000
"""Tasks of an undo of which none begins in the turn that creates it."""


class Origin(Protocol):
    """What they ask of the process that is undone."""

    tasks: Window


class UndoHost(Protocol):
    """What the nodes of an undo ask of its instance."""

    row: InstanceRow
    tasks: Window
    saved: Saved
    changes: Changes
    progress: Progress | None
    origin: Origin

    def now(self) -> int:
        """The engine's clock, in milliseconds since 1970."""


class UndoProcess(Process):
    """What one undo runs; its nodes have the ids of the tasks in its file."""

    def __init__(self, key: str, order: Order) -> None:
        super().__init__(key)
        self.order = order
        self.waits = order.waits()
        self.root = UndoRoot(self)
        self.entries = [self.root]
        self._tasks = frozenset(order.tasks)

    def find(self, node_id: str) -> Node | None:
        if node_id not in self.nodes:
            if node_id.startswith(LEFT):
                return self.left_node(int(node_id.removeprefix(LEFT)))
            number = node_id.removeprefix("task_")
            if number.isdecimal() and int(number) in self._tasks:
                return self.node_of(int(number))
        return super().find(node_id)

    def node_of(self, task_id: int) -> Node:
        """The node that undoes a task, made when it is first asked for: there are as many as tasks."""
        name = f"task_{task_id}"
        if name not in self.nodes:
            self.nodes[name] = UndoCall(self, task_id) if task_id in self.order.called else UndoTask(self, task_id)
        return self.nodes[name]

    def left_node(self, target: int) -> Node:
        """The node, which no file shows, that undoes a task once more."""
        name = f"{LEFT}{target}"
        if name not in self.nodes:
            self.nodes[name] = LeftTask(self, target, name)
        return self.nodes[name]


def undo_definition(row: DeploymentRow, order: Order) -> Definition:
    """What an undo runs. It is made anew whenever that is loaded, since that takes little and nobody else runs it."""
    return Definition(row.id, None, row.key, row.name, row.version, UndoProcess(row.key, order), None, None)


class UndoTask(StoneTask):
    """Takes back one row of the origin's ledger."""

    target: int

    def __init__(self, process: UndoProcess, target: int, name: str = "") -> None:
        # Not Spiff's own: of what that makes for every node nothing is used here, and it takes twenty times as long.
        self.name = self.bpmn_id = self.namespace = name or f"task_{target}"
        self.bpmn_name = self.line = self.default = None
        self.process = process
        self.target = target
        self.incoming = self.outgoing = _NO_FLOWS
        self.conditional = False

    def leave(self, token: Token, flows: Sequence[Flow] | None = None) -> None:
        _done(token, self.target)


class LeftTask(UndoTask):
    """Takes back what a hook made that ended after its task was undone; nothing waits for that."""

    def leave(self, token: Token, flows: Sequence[Flow] | None = None) -> None:
        token.workflow.drop(token)


class UndoCall(CallActivity):
    """Has one row of the origin's ledger undone by the handler of several steps that its model has for that."""

    def __init__(self, process: UndoProcess, target: int) -> None:
        super().__init__(process, f"task_{target}")
        self.target = target
        self.called = f"{HANDLER_OF}{target}"

    def leave(self, token: Token, flows: Sequence[Flow] | None = None) -> None:
        scope = token.scope
        assert scope is not None
        scope.note(handled={**scope.internal_data.get("handled", {}), str(self.target): list(token.causes)})
        _done(token, self.target)


class UndoRoot(Root):
    """What the token of a whole undo stands on; it begins the others."""

    def arrive(self, scope: Token, flow: Flow | None, causes: tuple[int, ...]) -> None:
        process = cast(UndoProcess, self.process)
        host = cast(UndoHost, scope.workflow.host)
        known = set(process.order.tasks)
        for row in host.origin.tasks.values():
            if row.undo == "left" and row.id not in known:
                scope.workflow.new_token(process.left_node(row.id), scope, None, ())
        if len(known) > MANY and host.row.phase == "running":
            # The turn that creates so large an undo has done enough.
            _leave_rest(scope, host)
        else:
            begin_next(scope)

    def goes_on(self, scope: Token) -> bool:
        if "more" not in scope.internal_data:
            begin_next(scope)
        return scope.live > 0 or "more" in scope.internal_data


class Progress(Remaining):
    """How far one undo has come, and which of its rows came of which task."""

    def __init__(self, process: UndoProcess, tasks: Mapping[int, TaskRow], root: Token) -> None:
        nodes = [cast(UndoTask | UndoCall, token.node) for token in root.inside.values()]
        begun = {node.target for node in nodes if not isinstance(node, LeftTask)}
        self._made: dict[int, tuple[int, ...]] = {}
        if "reopened" in root.internal_data:
            self._made = dict.fromkeys(process.order.tasks, ())
        for row in tasks.values():
            if row.target is not None and row.target not in begun:
                self._made.setdefault(row.target, (row.id,))
        self._made |= {int(target): tuple(made) for target, made in root.internal_data.get("handled", {}).items()}
        super().__init__(process.order, self._made, begun)
        self._process = process
        self._causes: dict[int | tuple[int, ...], tuple[int, ...]] = {}
        self._turn: Changes | None = None
        self._room = 0

    def end(self, task_id: int, made: tuple[int, ...]) -> None:
        """A task is done, with these rows of the undo."""
        self._made[task_id] = made
        self.done(task_id)

    def part(self) -> None:
        """The turn in which some of them have begun is over."""
        self._turn = None

    def begin(self, root: Token, turn: Changes) -> None:
        """Put tokens on what is ready, on no more than one turn may begin."""
        if self._turn is not turn:
            self._turn, self._room = turn, MOST_AT_ONCE
        while self.ready and self._room:
            self._room -= 1
            task_id = self.take()
            root.workflow.new_token(self._process.node_of(task_id), root, None, self._followed(task_id))

    def _followed(self, task_id: int) -> tuple[int, ...]:
        """The rows of the undo that a task directly follows."""
        waits = self._process.waits.get(task_id, ())
        if waits not in self._causes:
            numbers = (waits,) if isinstance(waits, int) else waits
            groups = [self._process.order.groups[number] for number in numbers]
            made = {row_id for group in groups for member in group.members for row_id in self._made[member]}
            self._causes[waits] = tuple(sorted(made))
        return self._causes[waits]


def begin_next(root: Token) -> None:
    """Begin what nothing has to be undone before any more; what would be too much for one turn waits for the next."""
    host = cast(UndoHost, root.workflow.host)
    progress = _progress(root)
    progress.begin(root, host.changes)
    if progress.ready:
        _leave_rest(root, host)
    elif root.internal_data.pop("more", False):
        root.workflow.touched[root.id] = root
        host.row.due = None


def _leave_rest(root: Token, host: UndoHost) -> None:
    """More begins in the next turn."""
    root.note(more=True)
    host.row.due, host.row.due_owner = host.now(), host.saved.timekeeper


def _done(token: Token, task_id: int) -> None:
    root = token.scope
    assert root is not None
    _progress(root).end(task_id, token.causes)
    begin_next(root)
    root.workflow.drop(token)


def _progress(root: Token) -> Progress:
    host = cast(UndoHost, root.workflow.host)
    if host.progress is None:
        host.progress = Progress(cast(UndoProcess, root.node.process), host.tasks, root)
    return host.progress
