"""One process instance in memory: its rows, its context and its workflow, changed by steps and saved as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ...models import EXTERNAL, Changes, ContentRow, EventRow, InstanceRow, Suspensions, TaskRow
from ...models.catalogue import WantedVersion
from ...models.moving import Moving
from ...models.vocabulary import TaskStatus, ThrownKind
from .. import jsontext
from ..authoring.definitions import Definition
from ..authoring.deployed_decisions import find_decision
from ..bpmn.elements.tasks import StoneTask
from ..bpmn.running import state
from ..bpmn.running.host import Called, DeployedDecision
from ..bpmn.running.node import Node, Process
from ..bpmn.running.results import Results, runs_in
from ..bpmn.running.token import Token
from ..bpmn.running.weight import Weight
from ..errors import Invalid, LimitExceeded, UnknownDecision
from ..language.context import Context
from ..ledger import causality, deferral, hook_calls, ledger, provenance
from ..ledger.provenance import DefinedBy
from ..ledger.window import Window
from ..mask import Mask
from ..work import CHECK, Work
from .facilities import Facilities, TurnTransaction
from .families import StepThrows
from .flags import Flags
from .notes import decision_made, history, variables
from .notes.searched import note_values
from .notes.standing import note_standing
from .tasks import quota_slots, user_tasks
from .tasks.hand_over import hold_back
from .tasks.late_hooks import LateHooks
from .tasks.new_tasks import begin_stone, begin_user_task
from .tasks.task_parameters import MockContext

if TYPE_CHECKING:
    from ..bpmn.running.failure_policy import FailurePolicy
    from ..bpmn.running.token_data import Compensable, Executed
    from ..bpmn.running.waits import Wait
    from ..dmn.outcome import DecisionOutcome
    from ..observing.observer import Observation

OTHERS_LATER = 1000
"""Milliseconds after which another engine may go on with what this one has left for its next turn."""


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
        self.followed: tuple[tuple[int, ...], str] = (), ""
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

    def load(self, moving: Moving) -> None:
        """Put the tokens and waits back where the store has them."""
        tokens, waits = moving.tokens, moving.waits
        here, fold = self.tasks.here(), self.tasks.fold
        state.load(self.workflow, tokens, waits, here, self.tasks, fold.ended)
        self.weight.load(here, tokens)
        self.weight.total += fold.weight
        self.followed = causality.said_last(here, self.tasks)
        if self.has(Flags.DECISIONS):
            self.weight.total += self.facilities.store.size_of_decisions_made(self.number)
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
            begin_stone(self, token, node)
        else:
            begin_user_task(self, token)

    def withdraw_task(self, token: Token) -> None:
        row = self.tasks[token.internal_data["task"]]
        if row.open:
            self.stop_task(row, "canceled", "An event interrupted it.")

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
        self.changes.rare.new_events.append(event)

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
        self.changes.rare.new_decisions_made.append(row)
        self.weight.add(row.result)

    def pauses(self, token: Token, *, unforeseen: bool = False) -> FailurePolicy | None:
        return None

    def run_script(self, token: Token) -> None:
        if self.facilities.scripts is None:
            raise Invalid("This engine runs no scripts.", code="script-refused")
        self.facilities.scripts.run(token)

    def compensable(self, token: Token, entry: Compensable) -> tuple[int, ...]:
        raise NotImplementedError

    def held_up(self, asker: Token) -> Callable[[Node, Executed], bool]:
        return lambda activity, entry: False

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

    # -- its tasks

    @property
    def suspended(self) -> frozenset[tuple[str, str]]:
        """Stones and keys of which nothing begins: the same for the whole turn, whoever learns otherwise."""
        if self.changes.suspended is None:
            self.changes.suspended = self.facilities.suspended
        return self.changes.suspended

    def defined_by(self, row: TaskRow) -> DefinedBy:
        """Of which process a task is: of that which a call activity has called, where one has."""
        return provenance.defined_by(row, self.workflow.tasks.get(row.token), provenance.of_instance(self.row))

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
            self.changes.rare.external[row.id] = None
        row.owner = None
        if row.attempt > 1:
            # What a check has found was made, or not, by an attempt before.
            self.changes.rare.new_checks[row.id] = None
        if row.state is not None:
            quota_slots.free(self, row)
        if row.event == "user":
            user_tasks.end(self, row)
        self.changes.task_changed(row)

    def stop_task(self, row: TaskRow, status: TaskStatus, reason: str, *, held_back: bool | None = None) -> None:
        """End a row that may be running: tell its hook to stop; one that has not begun never will."""
        if held_back is None:
            # What people do was never handed over.
            held_back = row.stone is None or self.rehearsed or hold_back(self, row)
        if row.stone is None or ((held_back or row.status in ledger.HELD_BACK) and not ledger.has_begun(row)):
            row.undo = "never-begun"
        elif not held_back and not (row.event == "start" and deferral.is_deferred(row)):
            self.facilities.dispatcher.ask_to_stop(row.id, ledger.delivery(row))
            self.stragglers.note(row)
        self.end_task(row, status, reason)
        row.reason = reason

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
        return hook_calls.work_of(row, self.row, self.definition.version)

    def work_of_check(self, row: TaskRow) -> Work:
        """A look at what a task made, which is no delivery of it."""
        work = self.work(row)
        return replace(
            work, event="check", state=None, delivery=CHECK, phase=hook_calls.PHASES.get(row.status, "partial")
        )

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
