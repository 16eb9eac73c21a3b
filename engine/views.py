"""What the engine shows of itself: frozen snapshots, never rows of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from ..models.vocabulary import (
    Awaits,
    BatchAction,
    BatchResult,
    BatchState,
    CheckState,
    InstanceKind,
    ProcessOutcome,
    ProcessStatus,
    ResourceState,
    TaskKind,
    TaskStatus,
    UndoKind,
    WaitKind,
)

Item = TypeVar("Item")
Executor: TypeAlias = Literal["stone", "decision", "person"]
Undone: TypeAlias = Literal["undone", "left", "retained", "failed"]
AwaitedKind: TypeAlias = Literal["person", WaitKind]
HistoryKind: TypeAlias = Literal[
    "started",
    "message",
    "signal",
    "timer",
    "condition",
    "action",
    "variables",
    "decision",
    "attempt",
    "task",
    "undo",
    "undo-ended",
    "ended",
    "cut",
]
"""In the order in which things are told that happened in the same millisecond: what brings something about first."""
HistoryAction: TypeAlias = Literal[
    "complete",
    "claim",
    "release",
    "assign",
    "delegate",
    "rerun",
    "retry",
    "skip",
    "done-by-hand",
    "roll-back",
    "set-variables",
    "rewind",
    "migrate",
    "cancel",
    "delete",
    "protect",
    "unprotect",
    "suspend",
    "unsuspend",
    "accept-gone",
]
UndoAction: TypeAlias = Literal[UndoKind, "retain"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskBinding:
    """What was read from a model for one task."""

    process: str
    """The key of the process that it is in."""
    element_id: str
    name: str | None
    line: int | None
    kind: Executor
    """Who carries it out."""
    code: str | None
    """The stone's code or the decision's id as written; None for a person."""
    dialect: str | None
    """What named it, such as ``camunda:topic``."""
    parameters: Mapping[str, Any]
    """What goes in, as written."""
    outputs: Mapping[str, Any]
    """The variables that are set when it is done, with the expressions as written."""
    result_variable: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedRules:
    """Which rules of one decision table fitted."""

    decision_id: str
    name: str
    rules: tuple[int, ...]
    """Their numbers, from 1, in the order of the outputs."""
    outputs: tuple[Mapping[str, Any], ...]
    """What counts of them: a row for each rule, or one row with the aggregated or default values."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What the columns asked about, by their labels, else by their expressions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionResult:
    """What came of a decision."""

    decision_id: str
    name: str
    deployment_id: str
    version: int
    value: Any
    """As FEEL has it: null, a single value, a context by output names, or a list of these."""
    matched: tuple[MatchedRules, ...] = ()
    """Of every decision table that was asked, those that this one needs first."""
    violation: str | None = None
    """How a table's rules broke its hit policy; the value is null then."""
    warnings: tuple[str, ...] = ()
    """Why values became null."""
    omitted: tuple[str, ...] = ()
    """Of ``value``, ``matched``, ``inputs`` and ``outputs`` what is not told, since it is too large or no JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionMade:
    """A decision that a process has made, as it is kept with the process."""

    process_instance_id: str
    element_id: str
    """Of the task that made it."""
    name: str
    """What the task is called, else its ``element_id``."""
    made_at: datetime
    result: DecisionResult
    calls: tuple[str, ...] = ()
    """The namespaces of the call activities that the task is inside of, outermost first."""
    runs: tuple[int, ...] = ()
    """The numbers of the runs of multi-instance sub-processes that it is inside of, outermost first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A decision that can be evaluated, in its newest version."""

    decision_id: str
    name: str
    key: str
    """Of the model that it is in."""
    deployment_id: str
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """A person or an event for which a process instance stands still at one element."""

    kind: AwaitedKind
    element_id: str
    name: str | None = None
    """Of the task, the message or the signal."""
    due: datetime | None = None
    """When a time comes; the first of several."""
    count: int = 1
    """How many tokens stand there for that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspension:
    """That nothing begins, since somebody wants it so."""

    since: datetime
    reason: str | None = None
    who: str | None = None
    by_key: bool = False
    """Whether all processes of its key are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFigures:
    """What the last runs of one version, stone or element came to; what does not concern it is None."""

    key: str | None = None
    deployment_id: str | None = None
    version: int | None = None
    """0 for trial runs."""
    element_id: str | None = None
    name: str | None = None
    """Of the element, as it is drawn."""
    stone: str | None = None
    runs: int
    open: int
    """Those that have not ended."""
    failed: int
    """Those that failed for good, whatever was undone since."""
    retries: int
    """Attempts beside the first ones."""
    median: int | None
    """In milliseconds, of those that did not fail."""
    slow: int | None
    """In milliseconds: 95 of 100 took no longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """What the last runs came to, those that failed most often first; a stone's runs are its tasks."""

    runs: int
    """How many runs were counted."""
    since: datetime | None
    """When the oldest of them began."""
    complete: bool
    """Whether these are all that were asked for; else there are older ones."""
    models: tuple[RunFigures, ...]
    """By version."""
    stones: tuple[RunFigures, ...]
    elements: tuple[RunFigures, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NextTimes:
    """When a timer comes next."""

    times: tuple[datetime, ...]
    """At most three; none where it is over already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspendedStone:
    """A stone of which nothing begins, in no process."""

    code: str
    since: datetime
    reason: str | None = None
    who: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspendedKey:
    """A key of whose processes nothing begins."""

    key: str
    since: datetime
    reason: str | None = None
    who: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessInstance:
    """One run. The first sixteen fields are the documented record, in its order; the rest is more to know.

    ``process_content``, ``outputs`` and ``native_outputs`` are JSON text, as in the record;
    :attr:`output_values` and :attr:`native_output_values` are the same, read.
    """

    id: str
    process_instance_id: str
    model_id: str | None
    model_key: str | None
    process_name: str
    process_type: None = None
    status: ProcessStatus
    process_content: str
    start_time: datetime
    end_time: datetime | None
    activiti_file_id: None = None
    outputs: str | None
    native_outputs: str
    rollback_process_instance_id: str | None
    cancel_process_instance_id: str | None
    delete_process_instance_id: str | None
    key: str = ""
    deployment_id: str = ""
    kind: InstanceKind = "start"
    """``start`` for a forward run, else the undo that it is."""
    reason: str | None = None
    """Why it failed, in one sentence."""
    business_key: str | None = None
    origin_process_instance_id: str | None = None
    """For an undo instance: the instance that it undoes."""
    debug: bool = False
    mock: bool = False
    protected: bool = False
    """Whether a delete is refused."""
    paused: bool = False
    """Whether a debug run stands still after a failure, waiting for ``rerun``, ``resume`` or ``cancel``."""
    owner: str | None = None
    """The client that alone sees and touches it, beside those who see all."""
    rewind_process_instance_id: str | None = None
    """Its last rewind to an earlier task."""
    kept: int = 0
    """Of one that was undone: how many tasks are kept for ever, given up by name or by their policy."""
    decided: bool = False
    """Whether it has made decisions of DMN, which ``decisions_made`` lists."""
    attention: int = 0
    """How many failed elements stand still until somebody decides about them."""
    outcome: ProcessOutcome | None = None
    """How its own work has ended, whatever was undone since; None before that."""
    awaits: Awaits | None = None
    """For whom or what it stands still; None while it goes on by itself, or has ended and nobody has to decide."""
    waits_for: tuple[Awaited, ...] = ()
    """Where it waits for people and events, the first twenty places."""
    suspended: Suspension | None = None
    """Why nothing of it begins, and since when; None where it goes on."""

    @property
    def output_values(self) -> dict[str, Any]:
        """The outputs template's values, empty until the process has succeeded."""
        values: dict[str, Any] = json.loads(self.outputs) if self.outputs else {}
        return values

    @property
    def native_output_values(self) -> dict[str, dict[str, Any]]:
        """What the stones put out, by namespace."""
        values: dict[str, dict[str, Any]] = json.loads(self.native_outputs) if self.native_outputs else {}
        return values


Need: TypeAlias = Literal["ended", "paused", "person"]
"""Why nobody has to wait any longer: ``paused`` is a failure that somebody decides about, or a suspension; ``person``
is a task for one or a stone that nobody has registered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """How a process instance stands, for whoever waits until that is different."""

    instance: ProcessInstance
    mark: str
    """The same until the next step of the instance or of one of its undos."""
    need: Need | None
    """None while it goes on by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessSummary:
    """One run in a list: what :class:`ProcessInstance` has, less its variables and outputs."""

    process_instance_id: str
    process_name: str
    key: str
    kind: InstanceKind
    status: ProcessStatus
    reason: str | None
    start_time: datetime
    end_time: datetime | None
    model_id: str | None
    deployment_id: str
    business_key: str | None
    origin_process_instance_id: str | None
    rollback_process_instance_id: str | None
    cancel_process_instance_id: str | None
    delete_process_instance_id: str | None
    debug: bool
    mock: bool
    protected: bool
    paused: bool
    owner: str | None
    kept: int = 0
    """Of one that was undone: how many tasks are kept for ever, given up by name or by their policy."""
    attention: int = 0
    """How many failed elements stand still until somebody decides about them."""
    outcome: ProcessOutcome | None = None
    """How its own work has ended, whatever was undone since; None before that."""
    awaits: Awaits | None = None
    """For whom or what it stands still; None while it goes on by itself, or has ended and nobody has to decide."""
    waits_for: tuple[Awaited, ...] = ()
    """Where it waits for people and events, the first twenty places."""
    suspended: Suspension | None = None
    """Why nothing of it begins, and since when; None where it goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """One thing that a token waits for."""

    kind: WaitKind
    """A ``timer`` is due so long after it was set, a ``date`` by the calendar."""
    name: str | None = None
    """Of the message or signal."""
    due: datetime | None = None
    correlation: str | None = None
    """What a message has to be sent with; None where any is right."""


FormKind: TypeAlias = Literal[
    "textfield",
    "textarea",
    "number",
    "checkbox",
    "radio",
    "select",
    "checklist",
    "datetime",
    "text",
    "table",
    "group",
    "separator",
    "spacer",
]
DateKind: TypeAlias = Literal["date", "time", "datetime"]
PersonAct: TypeAlias = Literal["claim", "release", "assign", "delegate", "complete"]
"""What is done about a task of a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserTask:
    """A task of a person, as it stands in lists: nothing of the process but its name."""

    task_id: str
    process_instance_id: str
    name: str
    element_id: str
    process_name: str
    key: str
    business_key: str | None
    created: datetime
    due: datetime | None
    follow_up: datetime | None
    """Before which nobody has to look at it."""
    priority: int
    assignee: str | None
    delegated_by: str | None
    """Who has handed it on, and has it back once it is given back."""
    users: tuple[str, ...]
    """The candidates, who may take it."""
    groups: tuple[str, ...]
    ended: datetime | None = None
    done_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FormOption:
    """One thing to choose."""

    value: Any
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FormPart:
    """One part of a form as it stands with the present values."""

    id: str
    kind: FormKind
    key: str
    """By which its value is given, with dots where it is a member; empty for what is only shown."""
    inside: str | None
    """The id of the group that it is in."""
    label: str
    description: str
    text: str
    hidden: bool
    readonly: bool
    required: bool
    options: tuple[FormOption, ...] = ()
    suggests: bool = False
    """Whether the options are only suggestions."""
    minimum: float | None = None
    maximum: float | None = None
    shortest: int | None = None
    longest: int | None = None
    date: DateKind = "date"
    """What a ``datetime`` asks for."""
    step: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    width: int | None = None
    """Of the sixteen columns of its row."""
    row: str | None = None
    """Parts of the same row stand side by side."""
    secret: bool = False
    """Whether its value is not to be shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DoneTask:
    """A task that was done before."""

    name: str
    ended: datetime
    who: str | None
    """The person who has done it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskForm:
    """A task of a person with what it asks for, and nothing else of its process."""

    task: UserTask
    documentation: str | None
    parts: tuple[FormPart, ...]
    values: Mapping[str, Any]
    """What the form is filled in with, as variables."""
    errors: Mapping[str, Sequence[str]]
    """What is wrong with the values that were given, by key."""
    changes: bool
    """Whether any part depends on what is filled in."""
    may: tuple[PersonAct, ...]
    """What whoever asks may do about the task."""
    barred: str | None
    """Why whoever asks may not do it although the model names them."""
    before: tuple[DoneTask, ...]
    """What was done before, the last twenty, the last one last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One place where a process instance stands or has failed, other than in a task."""

    element_id: str
    calls: tuple[str, ...] = ()
    """The namespaces of the call activities that it is inside of, outermost first."""
    scope: bool = False
    """Whether others stand inside it: it is on a sub-process, a call or a repeated activity."""
    waits: tuple[Wait, ...] = ()
    failed: bool = False
    """Whether the process has failed here; that stays to be seen after its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One element that has failed and stands still until somebody decides about it."""

    element_id: str
    reason: str
    task_id: str | None = None
    """The task that has failed there; None where it was in none, or in what came after its work."""
    calls: tuple[str, ...] = ()
    """The namespaces of the call activities that it is inside of, outermost first."""
    rolls_back: datetime | None = None
    """When the process rolls back if nobody has decided by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One execution of one node that had to wait: a stone, or a user task."""

    id: str
    process_instance_id: str
    task_id: str
    name: str
    namespace: str
    stone: str | None
    """The stone's code; None for a user task."""
    element_id: str
    create_time: datetime
    end_time: datetime | None
    status: TaskStatus
    reason: str | None
    parameters: Mapping[str, Any]
    outputs: Mapping[str, Any]
    progress: int
    attempt: int = 1
    kind: TaskKind = "start"
    """``start``, ``compensation`` for a handler of the model, or for a task of an undo its hook."""
    origin_task_id: str | None = None
    """For a task of an undo instance: the task that it undoes."""
    undo: Undone | None = None
    """For a forward task, what became of it; None while it is kept.

    ``left`` is one whose hook ended after its undo: what it made exists until it is undone once more.
    """
    after: tuple[str, ...] = ()
    """The ids of the tasks that it causally followed."""
    after_as: str | None = None
    """Over HTTP, where many followed the same: the task, earlier in the list, whose ``after`` is meant."""
    log: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    """The namespaces of the call activities that it is inside of, outermost first."""
    runs: tuple[int, ...] = ()
    """The numbers of the runs of multi-instance sub-processes that it is inside of, outermost first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """What one task has made and nobody has taken back, as far as the ledger and the last check tell."""

    task_id: str
    process_instance_id: str
    process_name: str
    key: str
    owner: str | None
    stone: str
    name: str
    namespace: str
    element_id: str
    state: ResourceState
    since: datetime
    """When its task began."""
    outputs: Mapping[str, Any]
    checked: datetime | None = None
    """When it was last looked at."""
    check: CheckState | None = None
    """What that has found."""
    reason: str | None = None
    """What is different, or why it could not be looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceCount:
    """How much of what exists by the ledger one stone has made."""

    stone: str
    state: ResourceState
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why a process instance stands where it stands, for a person."""

    process_instance_id: str
    status: ProcessStatus
    sentences: tuple[str, ...]
    commands: tuple[str, ...]
    """Lines for a shell that help, the likeliest first; ``MODULE`` stands for the module that defines the stones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A diagram as it was at one moment; a notebook shows it."""

    svg: str = field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoStep:
    """One row of a preview: what an undo would do with one task, after the tasks in ``after``."""

    task_id: str
    name: str
    namespace: str
    stone: str | None
    action: UndoAction
    """``retain`` where there is no such hook or the policy keeps it."""
    after: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()
    """The numbers of the runs of multi-instance sub-processes that the task is inside of, outermost first."""
    after_as: str | None = None
    """Over HTTP, where many come after the same: the task, earlier in the list, whose ``after`` is meant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RewindPlan:
    """What a rewind to a task would do."""

    to: str
    """The task that begins again."""
    steps: tuple[UndoStep, ...]
    """What is taken back, in this order; one whose action is ``retain`` has to be given up by name."""
    variables: Mapping[str, Any]
    """The variables of the process that return to these values; those that there were not are null."""
    begins_again: tuple[str, ...]
    """The elements at which tokens stand again: the task's own, and gateways that wait for it."""
    opened_again: tuple[str, ...]
    """The sub-processes, calls and repeated activities that had ended, whose timers are set anew."""
    people: tuple[str, ...]
    """The tasks of people whose answers are forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """Something that happened in a process instance; what does not concern its kind is None."""

    time: datetime
    kind: HistoryKind
    """``task`` is one that begins, ``attempt`` what came of one of its attempts, ``action`` what somebody asked for,
    ``undo`` a rollback, cancel, delete or rewind that begins; after ``cut`` only what rows keep is told."""
    who: str | None = None
    """The client that asked for it, where that is known."""
    action: HistoryAction | None = None
    task_id: str | None = None
    element_id: str | None = None
    name: str | None = None
    """Of the task, the message or the signal."""
    stone: str | None = None
    attempt: int | None = None
    status: str | None = None
    """With which the attempt, the process or its undo ended."""
    reason: str | None = None
    parameters: Mapping[str, Any] | None = None
    """Of an attempt: its own."""
    outputs: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] | None = None
    """What was set, or came with a message or a signal."""
    assignee: str | None = None
    """To whom a task was given."""
    retained: tuple[str, ...] = ()
    """Tasks that were given up."""
    engine: str | None = None
    """Who had the attempt in hand: the id of an engine, or ``workers``."""
    undo: str | None = None
    """The kind of the undo."""
    process_instance_id: str | None = None
    """Of the undo."""
    shortened: bool = False
    """Whether values were left out, since there were too many of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MovedTimer:
    """A timer that is set anew since the other version says it otherwise."""

    element_id: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MigrationPlan:
    """What moving a process to another version of its model would do."""

    process_instance_id: str
    deployment_id: str
    version: int
    moves: Mapping[str, str]
    """By element at which something stands, the element at which it will."""
    findings: Mapping[str, str]
    """By element, what stands against it; with any, nothing is moved."""
    dropped: tuple[str, ...]
    """Events that listened and that the other version does not have."""
    timers: tuple[MovedTimer, ...]
    running: tuple[str, ...]
    """Tasks whose hooks are in hand: they come to their end before anything is moved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasonGroup:
    """Tasks that have much in common, in a summary of many process instances."""

    element_id: str
    stone: str | None
    reason: str | None
    """Why they have failed, as one of them tells it: others may differ in numbers and ids. None for what did not."""
    tasks: int
    processes: int
    example: str | None = None
    """The id of one of the processes, for what has failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasons:
    """Why many process instances have failed, the commonest reasons first."""

    processes: int
    """How many were looked at."""
    groups: tuple[ReasonGroup, ...]
    left_out: int = 0
    """How many tasks are of further groups."""
    partial: bool = False
    """Whether there are more processes than are looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPreview:
    """What a batch would do now; nothing is changed."""

    action: BatchAction
    processes: int
    """How many there are."""
    tasks: int
    """How many of their tasks would be tried again, taken back or given up."""
    groups: tuple[ReasonGroup, ...]
    left_out: int = 0
    """How many tasks are of further groups."""
    partial: bool = False
    """Whether only a part of the processes was looked into for the tasks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One call for many process instances, and how far it is."""

    batch_id: str
    action: BatchAction
    options: Mapping[str, Any]
    where: Mapping[str, Any]
    """What was searched for when it was started, with the words of a search."""
    state: BatchState
    total: int
    done: int
    refused: int
    """Of how many nothing was done, for a reason that their result tells."""
    rate: float | None
    """The most processes a second."""
    created: datetime
    ended: datetime | None
    client: str | None
    """Who asked for it."""
    owner: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchItem:
    """What a batch has done to one process instance."""

    process_instance_id: str
    result: BatchResult
    code: str | None
    """Of the error that refused it."""
    reason: str | None
    ended: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Item]):
    """A part of a list; ``cursor`` asks for the next part and is None at the end."""

    items: tuple[Item, ...]
    cursor: str | None = None
