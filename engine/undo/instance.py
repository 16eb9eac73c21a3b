"""A rollback, a cancel or a delete: an instance of its own that works off the ledger of its origin."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ...models import ContentRow, InstanceRow, TaskRow
from ...models.catalogue import WantedVersion
from ...models.moving import Moving, read_moving
from ...models.vocabulary import PASSED_OVER, UNDO_FAILED, UNDO_RETAINED, UNDO_SUCCEEDED, TaskStatus, UndoKind, UndoMark
from ..authoring.definitions import Definition
from ..bpmn.elements.tasks import StoneTask
from ..bpmn.running.host import Called
from ..bpmn.running.node import Node
from ..bpmn.running.results import calls_in
from ..bpmn.running.token import Token
from ..bpmn.running.token_data import TASK
from ..instance import freezing
from ..instance.facilities import Facilities, TurnTransaction
from ..instance.forward import ForwardInstance
from ..instance.instance import Instance
from ..instance.notes.standing import note_standing
from ..instance.tasks.hand_over import hand_over
from ..instance.tasks.new_tasks import new_task
from ..instance.tasks.offers import topic_of
from ..ledger import entries, hook_calls, ledger, provenance, secrets
from ..ledger.provenance import DefinedBy
from ..ledger.window import Window
from ..observing.observer import observed
from ..stones.stone import Stone
from ..webhooks.telling import seen_of
from ..work import Work
from . import handlers
from .frozen import Order
from .nodes import Progress, UndoCall, UndoProcess, UndoTask, undo_definition
from .order import handler_used, is_kept

if TYPE_CHECKING:
    from ..bpmn.running.token_data import Compensable, Executed

BEGINS_UNASKED = 150
"""Milliseconds after which no engine begins a hook any more that it was handed before, unless the store lets it."""
POLL_SOON = 5
LOOK_ONCE_MORE = 1000
"""Milliseconds after which an undo task looks once more whether anybody has said how it is carried out."""
POLL_AGAIN = 200
"""Milliseconds until an undo task polls whether a hook that is in its way still runs, first and then again."""


class UndoInstance(Instance):
    """The host of a workflow in which each task undoes one row of the origin's ledger, or says why it does not.

    Its tasks use what the row has frozen, never today's model or a stone's defaults. The model's own compensation
    handlers of several steps are called from it like processes.
    """

    stops_on_failure = False
    # It holds what its origin did.
    heaviest = sys.maxsize

    def __init__(
        self,
        facilities: Facilities,
        row: InstanceRow,
        content: ContentRow,
        definition: Definition,
        tasks: Window,
        origin: ForwardInstance,
    ) -> None:
        super().__init__(facilities, row, content, definition, tasks)
        self.origin = origin
        self.progress: Progress | None = None
        """How far it has come, once it has gone on in this memory."""

    @property
    def kind(self) -> UndoKind:
        """Which undo this is: by which hook it undoes."""
        assert self.row.kind != "start"
        return "rollback" if self.row.kind == "rewind" else self.row.kind

    @property
    def rewinds(self) -> bool:
        """Whether its origin goes on when it has ended."""
        return self.row.kind == "rewind"

    def load(self, moving: Moving) -> None:
        super().load(moving)
        self._show_outputs()

    def join(self, turn: TurnTransaction) -> None:
        super().join(turn)
        origin = turn.instance(self.origin.number)
        assert isinstance(origin, ForwardInstance)
        if self.origin is not origin:
            self.origin = origin
            self._show_outputs()

    def part(self) -> None:
        super().part()
        if self.progress is not None:
            self.progress.part()

    def _show_outputs(self) -> None:
        """Let the handlers that run see what the stones of the origin put out."""
        own = self.results.values
        for token in self.workflow.tasks.values():
            target = handlers.handled_by(token)
            if target is None or token.node.process is not self.workflow.spec:
                continue
            name = token.node.name
            own[name] = {**handlers.outputs_for(self.origin, self.origin.tasks[target]), **own.get(name, {})}

    # -- what the workflow asks for

    def begin_task(self, token: Token) -> None:
        if token.call_path:
            # A step of a handler.
            super().begin_task(token)
        else:
            self._begin_undo_task(token)

    def called_process(self, token: Token, key: str, version: WantedVersion) -> Called:
        if token.call_path:
            return super().called_process(token, key, version)
        target = self.origin.tasks[handlers.target_of(key)]
        self.results.values[token.node.name] = handlers.outputs_for(self.origin, target)
        return handlers.called(self.origin, target, self.facilities.definitions)

    def compensable(self, token: Token, entry: Compensable) -> tuple[int, ...]:
        return tuple(token.after)

    def compensated(self, activity: Node, handler: Token) -> None:
        target = handlers.handled_by(handler)
        assert target is not None
        row = self.origin.tasks[target]
        frozen = handlers.frozen_in(row)
        entry_id = handler.internal_data["entry"]
        if entry_id == -frozen["entry"]["id"]:
            self.mark(self.covered(row), "undone")
        elif entry_id < 0:
            # A part of what the handler undoes.
            remembered: Executed = {"id": entry_id, "tasks": handler.internal_data["tasks"]}
            path = [*calls_in(frozen["path"]), *handler.call_path[1:]]
            self.mark(freezing.made_by(self.origin.tasks, activity, remembered, path), "undone")

    def not_compensated(self, activity: Node, handler: Token) -> None:
        if handler.internal_data["entry"] < 0:
            target = handlers.handled_by(handler)
            assert target is not None
            self.mark(self.covered(self.origin.tasks[target]), "skipped")

    def save(self) -> None:
        super().save()
        if self.origin.number in self.changes.instances:
            note_standing(self.origin)

    # -- the origin's ledger

    def covered(self, target: TaskRow) -> list[TaskRow]:
        """The rows of the origin that are undone with this one: in a rollback all that its handler undoes."""
        if self.kind != "rollback" or self._takes_alone(target):
            return [target]
        tasks = self.origin.tasks
        return [tasks[task_id] for task_id in ledger.covers(target) if task_id in tasks]

    def _takes_alone(self, target: TaskRow) -> bool:
        """Whether the stone undoes a row by itself for which a handler of the model could stand."""
        spec = self.workflow.spec
        return isinstance(spec, UndoProcess) and target.id in spec.order.alone

    def mark(self, rows: Iterable[TaskRow], what: UndoMark) -> None:
        """What became of the origin's rows, written with the origin's revision so that no stale copy of it lives on."""
        for row in rows:
            became: UndoMark = "retained" if what == "undone" and row.policy == "retain" else what
            if row.undo != became and row.undo not in ledger.DONE_WITH:
                row.undo = became
                self.changes.task_marked(row)
                self.changes.instance_changed(self.origin.row)

    def failed_handlers(self) -> dict[int, int]:
        """By the token that cannot go on: the origin's row that its handler was to undo.

        Or that is not undone since the engine met a defect before there was a task for that.
        """
        tokens, failures = self.workflow.tasks, sorted(self.workflow.failures)
        found = {token_id: _not_undone(tokens[token_id]) for token_id in failures}
        return {token_id: target for token_id, target in found.items() if target is not None}

    def give_up_handler(self, target: int) -> None:
        """Keep for ever, on request, what a failed handler was to undo."""
        self.mark(self.covered(self.origin.tasks[target]), "retained")
        workflow = self.workflow
        for call in list(workflow.task_tree.inside.values()):
            if _not_undone(call) == target:
                workflow.interrupt(call)
                workflow.task_done(call, target, {})

    # -- its tasks

    def defined_by(self, row: TaskRow) -> DefinedBy:
        """What is undone says it; a step of a handler is of the process that has the handler."""
        if row.target is not None:
            return self.origin.defined_by(self._target(row))
        token = self.workflow.tasks.get(row.token)
        target = None if token is None else handlers.handled_by(token)
        origin = self.origin
        outermost = provenance.of_instance(origin.row) if target is None else origin.defined_by(origin.tasks[target])
        return provenance.defined_by(row, token, outermost, in_undo=True)

    def work(self, row: TaskRow) -> Work:
        if row.target is None:
            return super().work(row)
        return hook_calls.work_of(row, self.row, self.origin.definition.version, self._target(row), self.origin.row)

    def _begin_undo_task(self, token: Token) -> None:
        """Make the task that undoes the row named by the token's node, and hand it over."""
        target = self.origin.tasks[_undone_by(token.node)]
        kind = self.kind
        row = new_task(self, token, target.stone, target.namespace, kind=kind, event=kind)
        row.target = target.id
        row.name = target.name or target.node
        if late := entries.take_late(target) if target.undo == "left" else None:
            ledger.keep(row, late=late)
            self.changes.task_changed(target)
            self.changes.instance_changed(self.origin.row)
        row.parameters = target.parameters
        if (secret := ledger.kept(target).get("secret")) is not None:
            ledger.keep(row, secret=secret)
        references, retrying = secrets.references_in(target), ledger.kept(target).get("undo_retrying")
        alone = target.undo == "left" or self._takes_alone(target)
        if not alone and (handler := handler_used(target, kind)) is not None:
            row.stone, row.event, row.parameters = handler["stone"], "start", handler["parameters"]
            row.name, row.namespace = handler["of"][:255], handler["namespace"]
            references, retrying = handler.get("references", []), handler.get("retrying")
        if references:
            ledger.keep(row, references=references)
        if retrying:
            ledger.keep(row, **retrying)
        self.hand_over_undo(row, token)

    def hand_over_undo(self, row: TaskRow, token: Token) -> None:
        """Hand over a task; or skip it, where its target needs no undo, is kept by policy, or has no hook for that."""
        kind, target = self.kind, self._target(row)
        if row.event == "monitor" and row.stone in self.facilities.stones:
            # What was begun is looked at until it is done.
            row.due = None
            hand_over(self, row, self.facilities.stone_of(row))
            return
        if target.undo is not None and target.undo in ledger.DONE_WITH:
            self._skip(row, token, target.undo, "It had been undone before.")
        elif is_kept(target, kind):
            self._skip(row, token, "retained", f"The policy of {target.node!r} keeps it.")
        elif row.stone not in self.facilities.stones:
            ledger.miss_stone(row, self.now())
            self.changes.task_changed(row)
        else:
            stone = self._carried_out_by(row)
            lacks = stone is None or not (stone.has(row.event) or row.event == "start")
            if lacks and stone is not None and stone.undeclared:
                row.status = "stone-missing"
                row.reason = (
                    f"No worker has asked for {topic_of(row)!r} yet, and nobody has declared that {row.stone!r} has no"
                    f" {kind}; the undo goes on when somebody does."
                )
                # Once more in a moment: whoever was asked for it at another engine just now has not found this row.
                looked = "looked" in ledger.kept(row)
                ledger.keep(row, looked=True)
                row.due = None if looked else self.now() + LOOK_ONCE_MORE
                self.changes.task_changed(row)
            elif lacks or stone is None:
                reason = f"The stone {row.stone!r} has no {kind}, so what it may have made stays."
                self._skip(row, token, "skipped", reason)
            elif self._still_running(row, target):
                row.due = self.now() + (POLL_SOON if row.due is None else POLL_AGAIN)
                self.changes.task_changed(row)
            else:
                row.due = None
                hand_over(self, row, stone)

    def _carried_out_by(self, row: TaskRow) -> type[Stone] | None:
        """The class that serves a row; a declared one lacks the hook only if no other engine was told of it either."""
        stones = self.facilities.stones
        stone = stones.choose(row.stone, row.parameters)
        if stone is None or not stone.external or stone.has(row.event):
            return stone
        stones.refresh()
        return stones.choose(row.stone, row.parameters)

    def _still_running(self, row: TaskRow, target: TaskRow) -> bool:
        """Whether the target's own hook runs yet, within its grace, or an undo hook that was taken for failed.

        Undoing what is being made would miss it.
        """
        if self.stragglers.may_run(row.id):
            return True
        if not self.origin.stragglers.may_run(target.id):
            return False
        if target.status == "unknown":
            # No grace is left; but what another engine got a moment ago it begins without asking.
            moment = self.facilities.clock.runs_by_itself and self.origin.stragglers.may_run_elsewhere(target.id)
            return moment and self.now() < (target.ended or 0) + BEGINS_UNASKED
        stone = self.facilities.stones.choose(target.stone, target.parameters)
        grace = stone.grace if stone is not None else 0.0
        return self.now() < (target.ended or 0) + round(grace * 1000)

    def _skip(self, row: TaskRow, token: Token, what: UndoMark, reason: str) -> None:
        """End the task without having done anything; ``what`` became of its target."""
        self._end_undo_task(row, PASSED_OVER[self.kind], what, reason)
        self.workflow.task_done(token, row.id, {})

    def undo_done(self, row: TaskRow, token: Token | None) -> None:
        """The hook has undone the row's target."""
        row.progress = 100
        target = self._target(row)
        self._end_undo_task(row, UNDO_SUCCEEDED[self.kind], "undone", row.reason)
        if token is None:
            return
        if target.undo == "undone" and entries.late(target):
            target.undo = "left"
            self._begin_undo_task(token)
        else:
            self.workflow.task_done(token, row.id, {})

    def undoes(self, target: TaskRow) -> bool:
        """Whether the hook that undoes this row of the origin has been called and has not come back."""
        tasks = self.tasks.values()
        called = [row for row in tasks if row.target == target.id and row.open]
        return any(row.due is None or row.event == "monitor" for row in called)

    def begin_again(self, target: TaskRow) -> None:
        """Undo a row of the origin once more that a late result has left, reopening what has ended."""
        workflow = self.workflow
        assert isinstance(workflow.spec, UndoProcess)
        ended = self.row.status == "success"
        root = workflow.reopen()
        if ended:
            root.note(reopened=True)
        workflow.new_token(workflow.spec.left_node(target.id), root, None, ())

    def undo_failed(self, row: TaskRow, token: Token | None, reason: str) -> None:
        """The hook has failed for good: independent branches go on, what must come later waits."""
        kind = self.kind
        self._end_undo_task(row, UNDO_FAILED[kind], "failed", reason)
        if token is not None:
            text = f"The {kind} of task {row.target} ({row.namespace}, stone {row.stone}) failed: {reason}"
            self.workflow.task_failed(token, row.id, None, text)

    def retain(self, row: TaskRow, token: Token) -> None:
        """Give up, on request, a row whose undo has failed."""
        said = (row.reason or "It failed").rstrip(".")
        reason = f"{said} (retained on request)"
        self._end_undo_task(row, UNDO_RETAINED[self.kind], "retained", reason)
        self.workflow.task_done(token, row.id, {})

    def _end_undo_task(self, row: TaskRow, status: TaskStatus, what: UndoMark, reason: str | None) -> None:
        self.end_task(row, status)
        row.reason = reason
        self.mark(self.covered(self._target(row)), what)

    def _target(self, row: TaskRow) -> TaskRow:
        assert row.target is not None
        return self.origin.tasks[row.target]


def _not_undone(token: Token) -> int | None:
    """The row that the handler of a failed token was to undo, or the token itself, which has no task yet."""
    node, target = token.node, handlers.handled_by(token)
    if target is None and isinstance(node, UndoTask | UndoCall) and TASK not in token.internal_data:
        return node.target
    return target


def _undone_by(node: Node) -> int:
    """The row that a node undoes, which in an undo that has a file and no order is a property there."""
    if isinstance(node, UndoTask):
        return node.target
    assert isinstance(node, StoneTask)
    return int(node.properties["target"])


def load_instance(
    facilities: Facilities, row: InstanceRow, content: ContentRow, find: Callable[[int], Instance]
) -> Instance:
    """The instance as it stands in the store; ``find`` gives the origin of an undo."""
    number = row.process_instance_id
    definition = _definition_of(facilities, row)
    tasks = Window.open(facilities.store, number, row.folded)
    instance: Instance
    if row.origin is None:
        instance = ForwardInstance(facilities, row, content, definition, tasks)
    else:
        origin = find(row.origin)
        assert isinstance(origin, ForwardInstance)
        instance = UndoInstance(facilities, row, content, definition, tasks, origin)
    instance.observed = observed(row)
    instance.seen = seen_of(row)
    # After the tasks: one that was taken from whoever had it has a hook that may still run.
    moving = read_moving(facilities.store, number)
    instance.load(moving)
    instance.stragglers.load(moving.stragglers)
    return instance


def _definition_of(facilities: Facilities, row: InstanceRow) -> Definition:
    deployment = None if row.origin is None else facilities.store.catalogue.deployment(row.deployment_id)
    if deployment is None or deployment.undo_order is None:
        return facilities.definitions.get(row.deployment_id)
    return undo_definition(deployment, Order.read(deployment.undo_order))
