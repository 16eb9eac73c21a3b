"""One process instance in memory: its rows, its context and its workflow, changed by steps and saved as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from ...models import (
    EXTERNAL,
    WORKERS,
    Changes,
    ContentRow,
    EventRow,
    ExternalRow,
    InstanceRow,
    Suspensions,
    TaskRow,
)
from ...models.catalogue import WantedVersion
from ...models.vocabulary import LedgerEvent, TaskKind, TaskStatus, ThrownKind
from .. import jsontext
from ..authoring.definitions import Definition
from ..authoring.deployed_decisions import find_decision
from ..bpmn.elements.tasks import StoneTask, run_namespace
from ..bpmn.running import state
from ..bpmn.running.host import Called, DeployedDecision
from ..bpmn.running.node import Node, Process
from ..bpmn.running.results import Results, runs_in
from ..bpmn.running.token import STARTED, Token
from ..bpmn.running.token_data import COMPENSATES, RUN
from ..bpmn.running.weight import Weight
from ..errors import ExpressionError, Invalid, LimitExceeded, UnknownDecision
from ..language.context import Context
from ..ledger import deferral, ledger, provenance, secrets
from ..ledger.provenance import DefinedBy
from ..ledger.window import Window
from ..mask import Mask
from ..stones.stone import Stone
from ..work import CHECK, Work
from .facilities import Facilities, what_is_suspended
from .families import StepThrows
from .flags import Flags
from .notes import decision_made, history, variables
from .notes.searched import note_values
from .notes.standing import note_standing
from .tasks import quota_slots, user_tasks
from .tasks.late_hooks import LateHooks
from .tasks.task_parameters import MockContext, code_of, resolve

if TYPE_CHECKING:
    from ..bpmn.running.failure_policy import FailurePolicy
    from ..bpmn.running.token_data import Compensable, Executed
    from ..bpmn.running.waits import Wait
    from ..dmn.outcome import DecisionOutcome
    from ..observing.observer import Observation
OTHERS_LATER = 1000
"""Milliseconds after which another engine may go on with what this one has left for its next turn."""


class TurnTransaction(Protocol):
    """The turn of the river that an instance takes part in: what is committed together."""

    changes: Changes

    def instance(self, process_instance_id: int) -> Instance:
        """Another instance, which takes part from now on."""

    def join(self, instance: Instance) -> None:
        """Let an instance take part that nobody else knows of yet."""

    def is_over(self) -> bool:
        """Whether what could go on is left to the next turn, so that others have theirs."""


class Instance:
    """The host of one workflow: what a started process and an undo have in common."""

    stops_on_failure = True
    """Whether nothing of the workflow goes on once something in it has failed."""
    turn: TurnTransaction
    changes: Changes
    """Those of the present turn."""
    rehearsed = False
    """Whether it is a copy that shows what would become of it: nothing of it is handed over, told or kept."""

    def __init__(
        self,
        facilities: Facilities,
        row: InstanceRow,
        content: ContentRow,
        definition: Definition,
        tasks: Window,
    ) -> None:
        self.facilities = facilities
        self.row = row
        self.content = content
        self.definition = definition
        self.tasks = tasks
        self.stragglers = LateHooks(self)
        template = definition.parameter_template
        self.searches = template is not None and bool(template.searchable_paths)
        self.searched: dict[str, str] | None = None
        """The values by which it is found, as they were last written."""
        self.noted_with: tuple[tuple[int, int], Sequence[Any], Mask | None] | None = None
        """What hides secrets in the history: with which tasks, since which step and with which secret variables."""
        self.people = 0
        """How many tasks of people are open."""
        self.to_check: list[TaskRow] = []
        """Of which the present step wants to know whether what they made is there."""
        self._put_out_by: dict[int, Mapping[str, Any]] = {}
        """By the tokens of compensation handlers: what the activities have put out that they take back."""
        self.to_hand_over: list[TaskRow] = []
        """What the present step wants carried out once it is committed."""
        self._followed: tuple[tuple[int, ...], str] = (), ""
        """What the last new task followed, and how the next one says that: all runs of an activity follow the same."""
        self.observed: Observation | None = None
        """What observers know of it; None before its beginning is committed."""
        self.seen: tuple[str, str, str | None] | None = None
        """What was last told of it over HTTP: status, phase, and for whom it stands still."""
        self.limits = facilities.limits
        self.thrown = StepThrows(self.limits)
        self.saved = state.Saved(row.process_instance_id, facilities.timekeeper)
        self.weight = Weight(self.heaviest, content.variables or content.start_variables)
        # Not what the row says, which counts each time that one was set.
        self.weight.total += sum(map(len, content.changed.values()))
        known = variables.read(content)
        self.results = Results()
        self.context = (MockContext if row.flags & Flags.MOCK else Context)(known, self.results.values)
        self.context.execution = _execution(row)
        self.put_out_last = 0
        """The number of what was put out last inside of a run."""
        for task in tasks.here():
            self.people += task.event == "user" and task.open
        if tasks.fold.last:
            self.results.take(tasks.fold.results)
            self.put_out_last = tasks.fold.put_out
        self._gather_results(tasks.here())
        self.workflow = facilities.workflow(
            definition.process, self, self.context, first_token=row.next_token, steps=row.steps
        )
        self.workflow.stops_on_failure = self.stops_on_failure

    def _gather_results(self, rows: Iterable[TaskRow]) -> None:
        for task in ledger.in_order_of_results(rows):
            self.results.put(ledger.place(task), task.namespace, jsontext.read(task.outputs or "{}"))
            self.put_out_last = ledger.put_out_as(task)

    def gather_results_anew(self) -> None:
        """Let the outputs be seen of those tasks only that the ledger now tells of."""
        self.results.clear()
        self._gather_results(self.tasks.values())

    def load(self) -> None:
        """Put the tokens and waits back where the store has them."""
        store = self.facilities.store
        tokens, waits = store.tokens(self.number), store.waits(self.number)
        here, fold = self.tasks.here(), self.tasks.fold
        state.load(self.workflow, tokens, waits, here, self.tasks, fold.ended)
        self.weight.load(here, tokens)
        self.weight.total += fold.weight
        self._followed = ledger.said_last(here, self.tasks)
        if self.has(Flags.DECISIONS):
            self.weight.total += store.size_of_decisions_made(self.number)
        self.saved.tokens.update(token.id for token in tokens)
        self.saved.waits.update(wait.token for wait in waits)

    def join(self, turn: TurnTransaction) -> None:
        """Write into this turn's transaction from now on."""
        self.turn = turn
        self.changes = turn.changes

    def rehearse(self) -> None:
        """Show from now on what would become of it; only for a copy that nobody keeps."""
        self.rehearsed = True
        self.changes = Changes()
        # No commit compares what this engine takes for suspended, and others may have suspended more.
        self.changes.suspended = Suspensions(self.facilities.store).names()

    def part(self) -> None:
        """Belong to no turn any more: a copy would keep in memory whatever was written with it, of others too."""
        del self.turn, self.changes
        self.noted_with = None

    def let_go(self) -> None:
        """Part what refers to it from one that nobody uses any more, so that it goes without a search for rubbish."""
        self.workflow.let_go()
        del self.stragglers

    @property
    def number(self) -> int:
        """The process instance id."""
        return self.row.process_instance_id

    @property
    def heaviest(self) -> int:
        """How many bytes of JSON it may hold."""
        return self.limits.instance_size

    def has(self, flag: int) -> bool:
        """Whether it was started with this flag."""
        return bool(self.row.flags & flag)

    # -- what the workflow asks for

    def now(self) -> int:
        return self.facilities.clock.now()

    def begin_task(self, token: Token) -> None:
        node = token.task_spec
        if isinstance(node, StoneTask):
            self._begin_stone(token, node)
        else:
            self._begin_user_task(token)

    def _begin_stone(self, token: Token, node: StoneTask) -> None:
        code = node.fixed_code or code_of(node, token.context)
        used = code, self.row.deployment_id
        if used not in self.facilities.stone_uses:
            self.changes.new_stone_uses[used] = self.facilities.stone_uses
        row = self._new_stone_task(token, node, code)
        if code not in self.facilities.stones:
            ledger.miss_stone(row, self.now())
            return
        self.produce(row, token, node, given=token.internal_data.pop("given", None))

    def _new_stone_task(self, token: Token, node: StoneTask, code: str) -> TaskRow:
        event: LedgerEvent = "mock" if self.row.flags & Flags.MOCK else "start"
        namespace = run_namespace(node.namespace, token) if RUN in token.internal_data else node.namespace
        row = self.new_task(token, code, namespace, kind=kind_of(token), event=event)
        if node.undo_policy != "delete":
            row.policy = node.undo_policy
        if node.retrying:
            ledger.keep(row, **node.retrying)
        if node.undo_retrying:
            ledger.keep(row, undo_retrying=node.undo_retrying)
        return row

    def begin_beside(
        self, token: Token, node: StoneTask, failed: TaskRow, parameters: Mapping[str, Any], references: Sequence[str]
    ) -> TaskRow:
        """Begin another task in the place of one that has failed and stays as it is, with parameters as they are."""
        row = self._new_stone_task(token, node, failed.stone or "")
        row.parameters = jsontext.dumps(parameters)
        if (priority := ledger.kept(failed).get("priority")) is not None:
            ledger.keep(row, priority=priority)
        self.weight.add(row.locals, row.parameters)
        stone = self.facilities.stones.choose(row.stone, row.parameters)
        if stone is None:
            ledger.miss_stone(row, self.now())
            return row
        if secrets.keep(row, stone, references):
            self.row.flags |= Flags.SECRETS
        self.hand_over(row, stone)
        return row

    def produce(self, row: TaskRow, token: Token, node: StoneTask, given: Mapping[str, Any] | None = None) -> None:
        """Freeze a task's parameters, those ``given`` before the model's, and hand it over.

        Raises Invalid, ReferenceNotFound, ExpressionError or LimitExceeded; then the task has ended without having
        begun.
        """
        try:
            stone, parameters, references = resolve(
                self.facilities.stones, token, node, row.stone or "", mock=row.event == "mock", given=given
            )
            secrets.refuse_others(parameters, references, self.row.owner_name)
            if (priority := node.priority_in(token.context)) != 0:
                ledger.keep(row, priority=priority)
            if stone.external and not stone.parameters:
                parameters = {**self._visible_to(token), **parameters}
            if parameters:
                self.weight.foresee(parameters)
            text = jsontext.dumps(parameters) if parameters else "{}"
            self.weight.add(row.locals, text)
        except (Invalid, ExpressionError, LimitExceeded) as error:
            row.undo = "never-begun"
            self.end_task(row, "produce.failed", error.message)
            self.workflow.open_tasks.discard(token.id)
            raise
        row.undo = None
        row.parameters = text
        if (stone.parameters or stone.secret_outputs) and secrets.keep(row, stone, references):
            self.row.flags |= Flags.SECRETS
        self.hand_over(row, stone)

    def _visible_to(self, token: Token) -> dict[str, Any]:
        """The variables that a worker who has declared nothing gets: all that its task sees, but no secret one."""
        found = token.context.visible()
        template = self.definition.parameter_template
        for name, *inside in template.secret_paths if template is not None else ():
            if not inside:
                found.pop(name, None)
            elif isinstance(members := found.get(name), Mapping):
                found[name] = {member: value for member, value in members.items() if member != inside[0]}
        return found

    def hand_over(self, row: TaskRow, stone: type[Stone]) -> None:
        """Let the row's present hook be called once this step is durable: the one way in which work leaves.

        The row says so, and with the instance's revision every engine learns it: a copy that was read before can no
        longer be used to stop the task as one that waits. In a process that is suspended the row waits; what has
        begun is looked at until it ends.
        """
        if self.rehearsed:
            return
        if row.event != "monitor" and (what := self.suspended_for(row)) is not None:
            self._let_wait(row, f"{what} is suspended; the task goes on when that is lifted.")
            return
        if row.event != "monitor" and (self.facilities.stones.quotas or row.state is not None):
            quota_slots.claim(self, row, stone)
        if stone.external and (row.event != "mock" or stone.has("mock")):
            self._offer(row)
            return
        if stone.timeouts and row.event != "monitor":
            timeout = stone.timeouts.get(row.event)
            row.deadline = None if timeout is None else self.now() + round(timeout * 1000)
        remote = self.facilities.dispatcher.remote
        if remote:
            # In the store, since others than this engine may hear what comes of it, and it may not be there to hear.
            row.owner, row.due = WORKERS, None
            row.handed += 1
        if row.id not in self.changes.new_tasks:
            # A new row is this engine's, is not due, and is written anyway.
            if not remote:
                row.owner, row.due = self.facilities.engine_id, None
            self.changes.tasks[row.id] = row
            self.changes.instance_changed(self.row)
        self.to_hand_over.append(row)

    def suspended_for(self, row: TaskRow) -> str | None:
        """What is suspended, so that no hook of a task begins; None where nothing is, which the commit compares."""
        return what_is_suspended(self.row, row.stone, self.suspended)

    @property
    def suspended(self) -> frozenset[tuple[str, str]]:
        """Stones and keys of which nothing begins: the same for the whole turn, whoever learns otherwise."""
        if self.changes.suspended is None:
            self.changes.suspended = self.facilities.suspended
        return self.changes.suspended

    def _let_wait(self, row: TaskRow, reason: str) -> None:
        """Let the row wait in nobody's hands."""
        if row.owner == EXTERNAL:
            self.changes.external[row.id] = None
        row.status, row.owner, row.due, row.deadline = "suspended", None, None, None
        self.to_hand_over = [each for each in self.to_hand_over if each is not row]
        if row.attempt > 1 and row.reason:
            reason = f"{reason} {row.reason}"
        row.reason = reason
        quota_slots.free(self, row)
        self.changes.task_changed(row)
        self.changes.instance_changed(self.row)

    def _offer(self, row: TaskRow) -> None:
        """Let workers find the row's present hook under its topic, and fetch it over HTTP."""
        row.owner, row.due, row.deadline = EXTERNAL, None, None
        row.handed += 1
        defined = self.defined_by(row)
        if row.target is None and defined != provenance.of_instance(self.row):
            # When its token has gone, an undo still asks.
            ledger.keep(row, called=defined)
        self.changes.external[row.id] = ExternalRow(
            row.id,
            ledger.delivery(row),
            self.number,
            topic_of(row),
            int(ledger.kept(row).get("priority", 0)),
            row.created,
            self.row.owner_name,
            defined.key,
            defined.deployment_id,
        )
        if row.id not in self.changes.new_tasks:
            self.changes.tasks[row.id] = row
            self.changes.instance_changed(self.row)

    def defined_by(self, row: TaskRow) -> DefinedBy:
        """Of which process a task is: of that which a call activity has called, where one has."""
        return provenance.defined_by(row, self.workflow.tasks.get(row.token), provenance.of_instance(self.row))

    def lock_of(self, row: TaskRow) -> tuple[ExternalRow | None, int]:
        """Who has fetched a task that is offered, as it is stored or was changed in this turn, and for how long yet.

        In milliseconds, below zero where the lock is over. It holds if the revision of this instance does.
        """
        store = self.facilities.external
        found = self.changes.external.get(row.id) or store.rows([row.id]).get(row.id)
        if found is None or found.delivery != ledger.delivery(row):
            return None, -1
        return found, -1 if found.until is None else found.until - store.now()

    def _begin_user_task(self, token: Token) -> None:
        namespace = run_namespace(token.node.namespace, token)
        # Before there is a row, since it may go wrong.
        to = user_tasks.assigned(self, token)
        row = self.new_task(token, None, namespace, kind="start", event="user")
        row.status = "running"
        user_tasks.begin(self, row, to)
        self.people += 1
        if inputs := token.node.input_values:
            given = {name: token.data[name] for name in inputs}
            self.weight.foresee(given)
            row.parameters = jsontext.dumps(given)
        self.weight.add(row.locals, row.parameters)

    def new_task(
        self, token: Token, code: str | None, namespace: str, *, kind: TaskKind, event: LedgerEvent
    ) -> TaskRow:
        """A new row of the ledger, in the transaction of this step and so before its hand-over."""
        node, scope, causes = token.task_spec, token.scope, token.causes
        facilities = self.facilities
        path = token.place if scope is not None and scope.scope is not None else None
        # By position, in the order of the record, up to its status: keywords would add 0.8 % to the cost of a step.
        row = TaskRow(
            self._new_id(),
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
            if causes is self._followed[0] or causes == self._followed[0]:
                row.after = self._followed[1]
            else:
                row.after = f"[{','.join([str(cause) for cause in causes if cause > 0])}]"
                self._followed = causes, row.after if len(row.after) < ledger.LONG_AFTER else str(row.id)
        if node.bpmn_name:
            row.name = node.bpmn_name[:255]
        if token.data and (own := node.data_before_inputs(token)):
            self.weight.foresee(own)
            row.locals = jsontext.dumps(own)
        if path:
            row.path = jsontext.dumps(path)
        row.run = token.internal_data.get("run")
        task_id = row.id
        self.tasks[task_id] = self.changes.new_tasks[task_id] = row
        token._state = STARTED
        token.internal_data["task"] = task_id
        self.workflow.touched[token.id] = token
        self.workflow.open_tasks.add(token.id)
        return row

    def _new_id(self) -> int:
        """An id that no fold stands for: another engine may have taken later ones before."""
        store, folded = self.facilities.store, self.row.folded
        task_id = store.ids.next()
        return task_id if task_id > folded else store.ids.above(folded)

    def end_task(self, row: TaskRow, status: TaskStatus, reason: str | None = None) -> None:
        """The row has ended; nothing is expected of it any more."""
        if row.state is not None:
            self.stragglers.leave_outside(row)
        if row.event == "user" and row.open:
            self.people -= 1
        self.tasks.ended += row.open
        row.open = 0
        row.status = status
        row.reason = reason if reason is not None else row.reason if status.endswith("failed") else None
        row.ended = self.facilities.clock.now()
        row.due = None
        row.deadline = None
        if row.owner == EXTERNAL:
            self.changes.external[row.id] = None
        row.owner = None
        if row.attempt > 1:
            # What a check has found was made, or not, by an attempt before.
            self.changes.new_checks[row.id] = None
        if row.state is not None:
            quota_slots.free(self, row)
        if row.event == "user":
            user_tasks.end(self, row)
        self.changes.task_changed(row)

    def withdraw_task(self, token: Token) -> None:
        row = self.tasks[token.internal_data["task"]]
        if row.open:
            self.stop_task(row, "canceled", "An event interrupted it.")

    def hold_back(self, row: TaskRow) -> bool:
        """Keep a row that was or would be handed over from being carried out; false if that may have begun."""
        if row.owner == EXTERNAL:
            offered = self.lock_of(row)[0]
            return offered is None or offered.worker is None
        return any(other is row for other in self.to_hand_over) or self.facilities.dispatcher.withdraw(row.id)

    def stop_task(self, row: TaskRow, status: TaskStatus, reason: str, *, held_back: bool | None = None) -> None:
        """End a row that may be running: tell its hook to stop; one that has not begun never will."""
        if held_back is None:
            # What people do was never handed over.
            held_back = row.stone is None or self.rehearsed or self.hold_back(row)
        if row.stone is None or ((held_back or row.status in ledger.HELD_BACK) and not ledger.has_begun(row)):
            row.undo = "never-begun"
        elif not held_back and not (row.event == "start" and deferral.is_deferred(row)):
            self.facilities.dispatcher.ask_to_stop(row.id, ledger.delivery(row))
            self.stragglers.note(row)
        self.end_task(row, status, reason)
        row.reason = reason

    def came(self, token: Token, wait: Wait, payload: Mapping[str, Any]) -> None:
        history.note_event(self, token, wait, payload)

    def throw(self, kind: ThrownKind, name: str, payload: Mapping[str, Any]) -> None:
        if self.rehearsed:
            return
        text = jsontext.dumps(dict(payload)) if payload else None
        self.facilities.families.count(self.number)
        self.thrown.count(len(text or ""))
        event = EventRow(
            id=str(uuid4()),
            kind=kind,
            name=name,
            payload=text,
            process_instance_id=self.number,
            created=self.now(),
            owner=self.facilities.engine_id,
        )
        self.changes.new_events.append(event)

    def called_process(self, token: Token, key: str, version: WantedVersion) -> Called:
        found = self.facilities.store.catalogue.deployment_id(key, version)
        if found is None:
            raise Invalid(f"The called process {key!r} is not deployed{version}.", code="unknown-called-process")
        self.changes.begun.setdefault(found, False)
        return Called(process=self.facilities.definitions.get(found).process, deployment_id=found)

    def deployed_process(self, deployment_id: str) -> Process:
        return self.facilities.definitions.process_at(deployment_id)

    def deployed_decision(self, decision_id: str, version: WantedVersion) -> DeployedDecision:
        from ..dmn.elements import DecisionElement  # late, like all that knows decisions

        facilities = self.facilities
        row, found = find_decision(facilities.store, facilities.definitions, decision_id, version=version)
        self.changes.begun.setdefault(row.id, False)
        if not isinstance(found, DecisionElement):
            raise UnknownDecision(decision_id, str(version))
        return DeployedDecision(found, row.id, row.version)

    def decision_made(self, token: Token, outcome: DecisionOutcome, elsewhere: DeployedDecision | None) -> None:
        row = decision_made.row_of(self, token, outcome, elsewhere)
        self.row.flags |= Flags.DECISIONS
        self.changes.new_decisions_made.append(row)
        self.weight.add(row.result)

    def pauses(self, token: Token) -> FailurePolicy | None:
        return None

    def run_script(self, token: Token) -> None:
        if self.facilities.scripts is None:
            raise Invalid("This engine runs no scripts.", code="script-refused")
        self.facilities.scripts.run(token)

    def compensable(self, token: Token, entry: Compensable) -> tuple[int, ...]:
        raise NotImplementedError

    def held_up(self, asker: Token, activities: Sequence[tuple[Node, Executed]]) -> set[int]:
        return set()

    def put_out_by(self, handler: Token) -> Mapping[str, Any]:
        return {}

    def compensated(self, activity: Node, handler: Token) -> None:
        raise NotImplementedError

    def not_compensated(self, activity: Node, handler: Token) -> None:
        """What the activity made is there as before, and is taken back by a later undo."""

    def advance(self) -> None:
        """Run the workflow as far as it goes in this turn; where that is not to its end, the river lets it go on."""
        workflow, row = self.workflow, self.row
        workflow.advance(self.turn.is_over)
        self.weigh()
        if workflow.is_unfinished:
            row.due, row.due_owner = self.now() + OTHERS_LATER, self.facilities.timekeeper

    def weigh(self) -> None:
        """Let the process fail if its tokens and results make it hold more than it may."""
        workflow = self.workflow
        try:
            self.weight.follow(workflow.touched.values(), workflow.gone)
        except LimitExceeded as error:
            if not (workflow.completed or workflow.failures):
                workflow.fail(workflow.task_tree, error.message)

    def succeed(self) -> None:
        """The workflow has come to its end; what it never waited for ends with it."""
        row = self.row
        row.ended = self.now()
        row.phase = "ended"
        row.due = None
        row.suspension = None
        row.status = "success"
        for task in self.tasks.open_rows():
            self.stop_task(task, "canceled", "The process ended without it.")

    # -- context

    def put_out(self, row: TaskRow) -> None:
        """Make a finished task's outputs visible under its namespace."""
        if not row.outputs:
            return
        place = ledger.place(row) if row.path else ()
        if place and runs_in(place):
            # Of what the runs have put out the last stays, also after a restart.
            self.put_out_last += 1
            ledger.keep(row, put_out=self.put_out_last)
        self.results.put(place, row.namespace, jsontext.read(row.outputs))

    def work(self, row: TaskRow) -> Work:
        """The present hook of a task as plain data, for whoever carries it out."""
        return ledger.work_of(row, self.row, self.definition.version)

    def work_of_check(self, row: TaskRow) -> Work:
        """A look at what a task made, which is no delivery of it."""
        work = self.work(row)
        return replace(work, event="check", state=None, delivery=CHECK, phase=ledger.PHASES.get(row.status, "partial"))

    # -- saving

    def save(self) -> None:
        """Put everything that has changed into the transaction."""
        workflow = self.workflow
        if not workflow.is_unfinished:
            self.thrown.messages = self.thrown.size = 0
        self.row.next_token = workflow.next_token
        self.row.steps = workflow.steps
        if workflow.variables_changed or workflow.newly_set:
            values, workflow.newly_set = workflow.newly_set, {}
            variables.write(self, values, whole=workflow.variables_changed)
            workflow.variables_changed = False
            if values:
                history.note_variables(self, values)
        self.saved.save(workflow, self.changes)
        note_standing(self)
        if self.searches:
            note_values(self)
        self.changes.instance_changed(self.row)


def _execution(row: InstanceRow) -> Mapping[str, Any]:
    """What ``${execution…}`` of the Java engines reads; :data:`~..language.java.READ` names it."""
    number = str(row.process_instance_id)
    key = row.business_key
    return {"id": number, "processInstanceId": number, "processBusinessKey": key, "businessKey": key}


def topic_of(row: TaskRow) -> str:
    """Under which workers over HTTP find a row's present hook: its stone's code, with the hook behind."""
    return row.stone or "" if row.event == "start" else f"{row.stone}.{row.event}"


def kind_of(token: Token) -> TaskKind:
    """What a new row of the ledger is: a compensation handler, or something inside one, is itself an undo."""
    current: Token | None = token
    while current is not None:
        if COMPENSATES in current.internal_data:
            return ledger.COMPENSATION
        current = current.scope
    return ledger.START
