"""One process instance in memory: its rows, its context and its workflow, changed by steps and saved as a whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from ...models import WORKERS, Changes, ContentRow, EventRow, InstanceRow, Store, TaskRow
from ...models.vocabulary import LedgerEvent, Phase, ProcessStatus, TaskKind, TaskStatus, ThrownKind, UndoKind
from .. import jsontext
from ..authoring.definitions import Definition, Definitions
from ..bpmn.elements.loops import RUN
from ..bpmn.elements.tasks import StoneTask, run_namespace
from ..bpmn.running.host import Called
from ..bpmn.running.node import Node, Process
from ..bpmn.running.state import TASK, Saved, load
from ..bpmn.running.token import STARTED, Token
from ..bpmn.running.weight import Weight
from ..bpmn.running.workflow import Workflow
from ..clock import Clock
from ..dispatch.dispatcher import Dispatcher
from ..errors import ExpressionError, Invalid, LimitExceeded
from ..language.context import Context
from ..limits import Limits
from ..observing.observer import Observers
from ..stones.registry import Stones
from ..stones.stone import Stone
from ..undo import handlers
from ..undo.tasks import begin_undo_task
from ..work import Work
from . import ledger, secrets
from .families import Families
from .scripts import Scripts
from .task_parameters import MockContext, code_of, resolve


class Flags:
    """What an instance was started with, as bits of its row; plain integers, since every step asks for them."""

    DEBUG: Final = 1
    MOCK: Final = 2
    NO_ROLLBACK: Final = 4
    PROTECTED: Final = 8
    DRAIN_ALL: Final = 16
    SECRETS: Final = 128
    """Set once a task with secret parameters or outputs was made."""
    THROWN: Final = 256
    """The bits from here on count how many processes in a row have started one another by what they throw."""


@dataclass(frozen=True, slots=True)
class Facilities:
    """What instances need of the engine around them."""

    engine_id: str
    store: Store
    clock: Clock
    stones: Stones
    definitions: Definitions
    limits: Limits
    families: Families
    dispatcher: Dispatcher
    scripts: Scripts | None
    timekeeper: str | None
    """The engine that sees to new timers and graces: this one, or None where it only acts when it is called."""
    observers: Observers = field(default_factory=Observers)
    workflow: type[Workflow] = Workflow
    """What drives an instance's tokens; a test's may watch them."""


@dataclass(eq=False)
class Instance:
    """The host of one workflow. ``changes`` is the transaction that the present step belongs to."""

    facilities: Facilities
    row: InstanceRow
    content: ContentRow
    definition: Definition
    tasks: dict[int, TaskRow]
    context: Context = field(init=False)
    weight: Weight = field(init=False)
    thrown: list[int] = field(default_factory=lambda: [0, 0])
    """How much the present step has thrown, and how long it was."""
    workflow: Workflow = field(init=False)
    changes: Changes = field(init=False)
    handed: list[TaskRow] = field(default_factory=list)
    origin: Instance | None = None
    """For an undo instance: the instance whose ledger it works off."""
    made: list[Instance] = field(default_factory=list)
    """Undo instances that the present step has created."""
    told: tuple[ProcessStatus, Phase] | None = None
    """The status and phase that observers know of; None before its beginning is committed."""
    find: Callable[[int], Instance] = field(init=False)
    """Another instance of the same store, taking part in the present step's transaction."""

    def __post_init__(self) -> None:
        self.limits = self.facilities.limits
        self.saved = Saved(self.row.process_instance_id, self.facilities.timekeeper)
        stored = self.content.variables or self.content.start_variables
        # An undo holds what its origin did.
        self.weight = Weight(self.limits.instance_size if self.row.kind == "start" else sys.maxsize, stored)
        variables = jsontext.read(stored)
        kind = MockContext if self.row.flags & Flags.MOCK else Context
        self.context = kind(variables, {})
        for task in self.tasks.values():
            if task.outputs and task.kind in ledger.FORWARD and task.status.endswith("success"):
                self.put_out(task)
        self.workflow = self.facilities.workflow(
            self.definition.process, self, self.context, first_token=self.row.next_token, steps=self.row.steps
        )
        self.workflow.stops_on_failure = self.row.kind == "start"

    @classmethod
    def loaded(cls, facilities: Facilities, row: InstanceRow, content: ContentRow) -> Instance:
        """The instance as it stands in the store."""
        store = facilities.store
        number = row.process_instance_id
        tasks = {task.id: task for task in store.tasks(number)}
        instance = cls(facilities, row, content, facilities.definitions.get(row.deployment_id), tasks)
        instance.told = row.status, row.phase
        if row.phase != "ended" or row.kind != "start":
            tokens, waits = store.tokens(number), store.waits(number)
            load(instance.workflow, tokens, waits, tasks.values())
            instance.weight.load(tasks.values(), tokens)
            instance.saved.tokens.update(token.id for token in tokens)
            instance.saved.waits.update(wait.token for wait in waits)
        return instance

    @property
    def number(self) -> int:
        """The process instance id."""
        return self.row.process_instance_id

    @property
    def is_undo(self) -> bool:
        """Whether this is a rollback, a cancel or a delete of another instance."""
        return self.row.kind != "start"

    @property
    def undo_kind(self) -> UndoKind:
        """Which undo this is."""
        assert self.row.kind != "start"
        return self.row.kind

    def has(self, flag: int) -> bool:
        """Whether it was started with this flag."""
        return bool(self.row.flags & flag)

    # -- what the workflow asks for

    def now(self) -> int:
        return self.facilities.clock.now()

    def begin_task(self, token: Token) -> None:
        node = token.task_spec
        if not isinstance(node, StoneTask):
            self._begin_user_task(token)
        elif self.row.kind != "start" and not token.call_path:
            begin_undo_task(self, token)
        else:
            self._begin_stone(token, node)

    def _begin_stone(self, token: Token, node: StoneTask) -> None:
        code = node.fixed_code or code_of(node, token.context)
        event: LedgerEvent = "mock" if self.row.flags & Flags.MOCK else "start"
        namespace = run_namespace(node.namespace, token) if RUN in token.internal_data else node.namespace
        row = self.new_task(token, code, namespace, kind=_kind_of(token), event=event)
        binding = node.binding
        if binding.undo_policy != "delete":
            row.policy = binding.undo_policy
        if binding.retries is not None:
            ledger.keep(row, retries=binding.retries)
        if code not in self.facilities.stones:
            row.status = "stone-missing"
            row.reason = f"No stone is registered for {code!r}; the task goes on when there is one."
            return
        self.produce(row, token, node)

    def produce(self, row: TaskRow, token: Token, node: StoneTask, given: Mapping[str, Any] | None = None) -> None:
        """Freeze a task's parameters, those ``given`` before the model's, and hand it over.

        Raises Invalid, ReferenceNotFound, ExpressionError or LimitExceeded; then the task has ended without having
        begun.
        """
        try:
            stone, parameters = resolve(
                self.facilities.stones, token, node, row.stone or "", mock=row.event == "mock", given=given
            )
            text = jsontext.dumps(parameters) if parameters else "{}"
            self.weight.add(row.locals, text)
        except (Invalid, ExpressionError, LimitExceeded) as error:
            row.undo = "never-begun"
            self.end_task(row, "produce.failed", error.message)
            self.workflow.open_tasks.discard(token.id)
            raise
        row.undo = None
        row.parameters = text
        if (stone.parameters or stone.secret_outputs) and secrets.keep(row, stone):
            self.row.flags |= Flags.SECRETS
        self.hand_over(row, stone)

    def hand_over(self, row: TaskRow, stone: type[Stone]) -> None:
        """Let the row's present event be carried out once this step is durable."""
        if stone.timeouts and row.event != "monitor":
            timeout = stone.timeouts.get(row.event)
            row.deadline = None if timeout is None else self.now() + round(timeout * 1000)
        if self.facilities.dispatcher.remote:
            # In the store, since others than this engine may hear what comes of it, and it may not be there to hear.
            row.owner, row.due = WORKERS, None
            row.handed += 1
            self.changes.task_changed(row)
            self.changes.instance_changed(self.row)
        self.handed.append(row)

    def _begin_user_task(self, token: Token) -> None:
        namespace = run_namespace(token.node.namespace, token)
        row = self.new_task(token, None, namespace, kind="start", event="user")
        row.status = "running"
        if inputs := token.node.input_values:
            row.parameters = jsontext.dumps({name: token.data[name] for name in inputs})
        self.weight.add(row.locals, row.parameters)

    def new_task(
        self, token: Token, code: str | None, namespace: str, *, kind: TaskKind, event: LedgerEvent
    ) -> TaskRow:
        """A new row of the ledger, in the transaction of this step and so before its hand-over."""
        node, scope, causes = token.task_spec, token.scope, token.causes
        facilities = self.facilities
        path = token.call_path if scope is not None and scope.scope is not None else None
        row = TaskRow(
            facilities.store.new_id(),
            self.row.process_instance_id,
            token.id,
            scope.id if scope is not None else 0,
            node.name,
            namespace,
            code,
            kind,
            event,
            "produce.success",
            "{}",
            created=facilities.clock.now(),
            owner=facilities.engine_id,
        )
        if causes:
            row.after = f"[{','.join([str(cause) for cause in causes if cause > 0])}]"
        if node.bpmn_name:
            row.name = node.bpmn_name[:255]
        if token.data:
            row.locals = jsontext.dumps(token.data)
        if path:
            row.path = jsontext.dumps(path)
        row.run = token.internal_data.get(RUN)
        task_id = row.id
        self.tasks[task_id] = self.changes.new_tasks[task_id] = row
        token._state = STARTED
        token.internal_data[TASK] = task_id
        self.workflow.touched[token.id] = token
        self.workflow.open_tasks.add(token.id)
        return row

    def end_task(self, row: TaskRow, status: TaskStatus, reason: str | None = None) -> None:
        """The row has ended; nothing is expected of it any more."""
        row.open = 0
        row.status = status
        row.reason = reason if reason is not None else row.reason if status.endswith("failed") else None
        row.ended = self.facilities.clock.now()
        row.due = None
        row.deadline = None
        row.owner = None
        self.changes.task_changed(row)

    def withdraw_task(self, token: Token) -> None:
        row = self.tasks[token.internal_data[TASK]]
        if row.open:
            self.stop_task(row, "canceled", "An event interrupted it.")

    def hold_back(self, row: TaskRow) -> bool:
        """Keep a row that was or would be handed over from being carried out; false if that may have begun."""
        return any(other is row for other in self.handed) or self.facilities.dispatcher.withdraw(row.id)

    def stop_task(self, row: TaskRow, status: TaskStatus, reason: str, *, held_back: bool | None = None) -> None:
        """End a row that may be running: tell its hook to stop; one that has not begun never will."""
        if held_back is None:
            held_back = self.hold_back(row)
        if row.stone is None or ((held_back or row.status == "stone-missing") and not self.has_begun(row)):
            row.undo = "never-begun"
        elif not held_back:
            self.facilities.dispatcher.ask_to_stop(row.id, ledger.delivery(row))
        self.end_task(row, status, reason)
        row.reason = reason

    @staticmethod
    def has_begun(row: TaskRow) -> bool:
        """Whether the row may have begun before its present hand-over."""
        return row.event not in ("start", "mock") or row.attempt > 1 or "begun" in ledger.kept(row)

    def throw(self, kind: ThrownKind, name: str, payload: Mapping[str, Any]) -> None:
        text = jsontext.dumps(dict(payload)) if payload else None
        self._count_throw(len(text or ""))
        event = EventRow(str(uuid4()), kind, name, text, self.number, self.now())
        self.changes.new_events.append(event)

    def _count_throw(self, size: int) -> None:
        """Raise LimitExceeded where one turn, or one family of processes, throws too much."""
        self.facilities.families.count(self.number)
        self.thrown[0] += 1
        self.thrown[1] += size
        for name, thrown in zip(("throws_per_turn", "instance_size"), self.thrown, strict=True):
            most = getattr(self.limits, name)
            if thrown > most:
                raise LimitExceeded(name, f"It throws more at once than the limit {name} ({most}) allows.")

    def called_process(self, token: Token, key: str) -> Called:
        if self.is_undo and not token.call_path:
            assert self.origin is not None
            target = self.origin.tasks[handlers.target_of(key)]
            self.context.outputs[token.node.name] = handlers.outputs_for(self.origin, target)
            return handlers.called(self, target)
        newest = self.facilities.store.catalogue.newest_deployment_id(key)
        if newest is None:
            raise Invalid(f"The called process {key!r} is not deployed.", code="unknown-called-process")
        return Called(process=self.facilities.definitions.get(newest).process, deployment_id=newest)

    def deployed_process(self, deployment_id: str) -> Process:
        return handlers.process_at(self, deployment_id)

    def run_script(self, token: Token) -> None:
        if self.facilities.scripts is None:
            raise Invalid("This engine runs no scripts.", code="script-refused")
        self.facilities.scripts.run(token)

    def compensable(self, token: Token, entry: dict[str, Any]) -> tuple[int, ...]:
        if self.is_undo or self.has(Flags.MOCK) or _kind_of(token) != ledger.START:
            return tuple(token.after)
        return handlers.freeze(self, token, entry)

    def compensated(self, activity: Node, handler: Token) -> None:
        if self.is_undo:
            handlers.compensated(self, activity, handler)
            return
        entry = {"id": handler.internal_data["entry"], "tasks": handler.internal_data["tasks"]}
        for row in handlers.made_by(self.tasks, activity, entry, handler.call_path):
            row.undo = "undone"
            self.changes.task_changed(row)

    def weigh(self) -> None:
        """Let the process fail if its tokens and results make it hold more than it may."""
        workflow = self.workflow
        try:
            self.weight.follow(workflow.touched.values(), workflow.gone)
        except LimitExceeded as error:
            if not (workflow.completed or workflow.failures):
                workflow.fail(workflow.task_tree, error.message)

    def undo_instance(self, process_instance_id: int) -> Instance:
        """The rollback, cancel or delete of this instance, made by this step or before."""
        for undo in self.made:
            if undo.number == process_instance_id:
                return undo
        undo = self.find(process_instance_id)
        undo.follow(self)
        return undo

    def follow(self, origin: Instance) -> None:
        """Be an undo of this instance, as it is in memory now."""
        if self.origin is not origin:
            self.origin = origin
            handlers.show_outputs(self)

    # -- context

    def put_out(self, row: TaskRow) -> None:
        """Make a finished task's outputs visible under its namespace."""
        if not row.outputs:
            return
        target: Any = self.context.outputs
        for namespace in jsontext.read(row.path) if row.path else ():
            target = target.setdefault(namespace, {})
        target.setdefault(row.namespace, {}).update(jsontext.read(row.outputs))

    def work(self, row: TaskRow) -> Work:
        """The present event of a task as plain data, for whoever carries it out."""
        origin = self.origin
        target = origin.tasks[row.target] if origin is not None and row.target is not None else None
        return ledger.work_of(row, self.row, target, origin.row if origin is not None else None)

    # -- saving

    def save(self) -> None:
        """Put everything that has changed into the transaction."""
        self.thrown[:] = 0, 0
        workflow = self.workflow
        self.row.next_token = workflow.next_token
        self.row.steps = workflow.steps
        if workflow.variables_changed:
            workflow.variables_changed = False
            self.content.variables = jsontext.dumps(self.context.parameters)
            self.changes.content_changed(self.content)
        self.saved.save(workflow, self.changes)
        self.changes.instance_changed(self.row)


def _kind_of(token: Token) -> TaskKind:
    """What a new row of the ledger is: a compensation handler, or something inside one, is itself an undo."""
    current: Token | None = token
    while current is not None:
        if "compensates" in current.internal_data:
            return ledger.COMPENSATION
        current = current.scope
    return ledger.START
