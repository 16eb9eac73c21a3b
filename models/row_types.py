"""Rows as the engine holds them in memory: plain records, field for column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from .vocabulary import (
    Awaits,
    BatchAction,
    BatchResult,
    BatchState,
    CheckState,
    InstanceKind,
    LedgerEvent,
    Pending,
    Phase,
    ProcessOutcome,
    ProcessStatus,
    RetraceKind,
    SuspendedKind,
    TaskKind,
    TaskStatus,
    ThrownKind,
    UndoMark,
    UndoPolicy,
    WaitKind,
)

Stored = tuple[Any, ...] | None
"""What the store is known to hold of a row, so that a commit writes only what differs; None where it is not known."""


@dataclass(slots=True)
class InstanceRow:
    """One process instance: what a step compares, sets and shows."""

    process_instance_id: int
    id: str
    model_id: str | None
    deployment_id: str
    key: str
    name: str
    kind: InstanceKind
    status: ProcessStatus
    phase: Phase
    flags: int
    revision: int
    next_token: int
    steps: int
    started: int
    model_key: str | None = None
    business_key: str | None = None
    trace: str | None = None
    """The W3C traceparent of its beginning."""
    owner_name: str | None = None
    """The client that alone sees and touches it; None leaves it to those who see all."""
    ended: int | None = None
    due: int | None = None
    reason: str | None = None
    origin: int | None = None
    rollback_id: int | None = None
    cancel_id: int | None = None
    delete_id: int | None = None
    pending: Pending | None = None
    due_owner: str | None = None
    """The engine that sees to ``due``; nobody's, like one that is no more, is whose engine finds it due first."""
    failed_at: str | None = None
    """The elements at which it failed other than in a task, as a JSON list of paths through call activities."""
    attention: int = 0
    """How many failed elements wait for somebody to say how it goes on."""
    patience: int | None = None
    """How many milliseconds a pause after a failure lasts before the rollback; None for as long as it takes."""
    outcome: ProcessOutcome | None = None
    awaits: Awaits | None = None
    history: int = 0
    """How many characters of history it has; below zero once that is full."""
    rewind_id: int | None = None
    """Its last rewind; of a rewind, the one before."""
    retraced: int = 0
    """How many notes of its way there are; -1 for one that ran before these were written."""
    suspension: str | None = None
    """Of one that is suspended: the reason, who has done it and since when, as JSON."""
    stored: Stored = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class ContentRow:
    """The variables of one process instance; ``variables`` is None while they equal the start variables."""

    process_instance_id: int
    start_variables: str
    variables: str | None = None
    outputs: str | None = None


@dataclass(slots=True)
class TaskRow:
    """One row of the ledger; ``open`` is 1 until the row has ended.

    First what every row begins with, then what most do, some do, and what comes later.
    """

    id: int
    process_instance_id: int
    token: int
    scope: int
    node: str
    namespace: str
    stone: str | None
    kind: TaskKind
    event: LedgerEvent
    status: TaskStatus
    parameters: str
    created: int
    owner: str | None
    open: int = 1
    attempt: int = 1
    generation: int = 1
    progress: int = 0

    after: str | None = None
    name: str | None = None
    run: int | None = None
    locals: str | None = None
    path: str | None = None
    target: int | None = None
    state: str | None = None
    deadline: int | None = None

    outputs: str | None = None
    reason: str | None = None
    log: str | None = None
    policy: UndoPolicy | None = None
    undo: UndoMark | None = None
    ended: int | None = None
    due: int | None = None
    lost: int = 0
    """How often whoever had it in hand was lost with it; only what takes it from them counts this."""
    handed: int = 0
    """How often it was handed to workers on other machines, each look of a monitor included."""
    stored: Stored = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class Look:
    """What has to be known of a task and of its instance for the next look of its monitor."""

    id: int
    process_instance_id: int
    node: str
    namespace: str
    stone: str | None
    name: str | None
    attempt: int
    generation: int
    parameters: str
    outputs: str | None
    state: str | None
    progress: int
    deadline: int | None
    lost: int
    handed: int
    instance_id: str
    phase: Phase
    trace: str | None


@dataclass(slots=True)
class TokenRow:
    """One saved token that does not live in a task's row."""

    process_instance_id: int
    id: int
    scope: int | None
    node: str
    state: int
    flow: str | None
    internal: str | None
    locals: str | None
    causes: str | None


@dataclass(slots=True)
class WaitRow:
    """One thing that a token waits for from outside; ``owner`` is the engine that sees to ``due``."""

    process_instance_id: int
    token: int
    number: int
    kind: WaitKind
    name: str | None
    correlation: str | None
    due: int | None
    owner: str | None = None


MEANING: Final = 1
"""The reading of the standard by which new deployments run; 0 took a condition that is null for false."""


@dataclass(slots=True)
class SubscriptionRow:
    """Somebody who is told over HTTP what processes come to."""

    id: str
    url: str
    created: int
    key: str | None = None
    """Whose model's processes; None stands for all, or for one process."""
    process_instance_id: int | None = None
    owner_name: str | None = None
    """Whose processes; None hears of those of all."""
    creator: str | None = None
    """The name of the access key with which it ends."""


@dataclass(slots=True)
class NoticeRow:
    """One thing that somebody is to be told."""

    id: str
    subscription_id: str
    process_instance_id: int
    type: str
    url: str
    body: str
    created: int
    attempts: int
    due: int | None
    """When it is sent next, by the database's clock; None once it was, or is given up."""
    sent: int | None = None
    owner_name: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class WebhookSecretRow:
    """A secret by which what an owner is told is signed."""

    id: str
    owner_name: str
    """Empty for what is nobody's alone."""
    value: str
    made: int
    until: int | None = None
    """When it is over; None for the one that is valid now."""


@dataclass(slots=True)
class ExternalRow:
    """A task that workers fetch over HTTP, and who has it."""

    task_id: int
    delivery: int
    """Which hand-over or take-over of the task this is."""
    process_instance_id: int
    topic: str
    priority: int
    created: int
    owner_name: str | None
    worker: str | None = None
    """Who fetched it last; None where nobody has since it was handed over or unlocked."""
    until: int | None = None
    """When the lock runs out, by the database's clock."""


@dataclass(slots=True)
class UserTaskRow:
    """Whose a task of a person is, and who may take it; kept as long as its row of the ledger, by the same ``id``."""

    id: int
    process_instance_id: int
    created: int
    owner_name: str | None
    candidates: str
    """The ``users`` and ``groups`` who may take it, as JSON; empty where the model names nobody."""
    priority: int
    due: int | None = None
    follow_up: int | None = None
    assignee: str | None = None
    delegated_by: str | None = None
    """Who has it back once it is given back; None where nobody has handed it on."""
    ended: int | None = None
    done_by: str | None = None


@dataclass(slots=True)
class InboxRow:
    """One list in which an open task of a person stands, with that by which the list is in order."""

    list_name: str
    """Whose list; see :mod:`.user_tasks`."""
    task_id: int
    priority: int
    """Below zero, so that the highest comes first."""
    due: int


@dataclass(slots=True)
class SuspensionRow:
    """One stone, or one key of processes, of which nothing begins."""

    kind: SuspendedKind
    name: str
    reason: str | None
    who: str | None
    since: int


@dataclass(slots=True)
class TaskCheckRow:
    """What the last check of what a task made has found."""

    task_id: int
    process_instance_id: int
    state: CheckState
    reason: str | None
    checked: int


@dataclass(slots=True)
class StragglerRow:
    """A hook that may still run although its task has ended or gone on; which one, first."""

    task_id: int
    attempt: int
    event: LedgerEvent
    delivery: int
    process_instance_id: int
    owner: str | None
    """The engine that runs it, or workers do; None where nobody does as far as anybody can tell."""
    lease: int | None = None
    """Until when workers are taken to have it, by the database's clock."""


@dataclass(slots=True)
class DeploymentRow:
    """One deployment; ``sources`` is a JSON array of XML texts, the first holding the process to run."""

    id: str
    model_id: str | None
    key: str
    name: str
    version: int
    digest: str
    sources: str
    parameter_template: str | None
    outputs_template: str | None
    created: int
    removed: int | None = None
    """Since when it is out of use, kept only for the records that refer to it."""
    undo_order: str | None = None
    """Of an undo: what it takes back and in which order, as JSON; its ``sources`` are made when they are first read."""
    meaning: int = MEANING
    """By which reading of the standard it runs."""
    on_failure: str | None = None
    """The failure policy of its processes, as it was written; None for what their model says."""
    undo_on_compensation: int = 0
    """Whether a compensation calls the stones' own hooks where the model draws no handler and does not say."""


@dataclass(slots=True)
class ModelRow:
    """One authored model."""

    id: str
    key: str
    name: str
    sources: str
    parameter_template: str | None
    outputs_template: str | None
    created: int
    updated: int
    protected: int = 0


@dataclass(slots=True)
class DraftRow:
    """What is drawn of one model and not saved; ``base`` is when the model was saved that it was begun on."""

    id: str
    revision: str
    key: str
    name: str
    sources: str
    parameter_template: str | None
    outputs_template: str | None
    base: int | None
    created: int
    updated: int
    who: str | None


@dataclass(slots=True)
class EventRow:
    """One message or signal that is owed, and the process that has thrown it.

    ``owner`` is the engine that delivers it; ``reached`` is the last process that has got it, of a signal.
    """

    id: str
    kind: ThrownKind
    name: str
    payload: str | None
    process_instance_id: int | None
    created: int
    owner: str | None = None
    reached: int = 0


@dataclass(slots=True)
class KeptMessageRow:
    """One message for which nobody has waited yet, and who may get it until it ``expires``; None for any."""

    id: str
    name: str
    payload: str | None
    correlation: str | None
    owner_name: str | None
    business_key: str | None
    process_instance_id: int | None
    created: int
    expires: int


@dataclass(slots=True)
class RetraceRow:
    """One note of the way of a process's tokens, the ``number``-th; ``causes`` and ``data`` are JSON.

    Where many notes in a row have the same many causes, all but the first are stored with its number in their place.
    ``data`` is None where it would be too long.
    """

    process_instance_id: int
    number: int
    kind: RetraceKind
    token: int
    name: str | None
    causes: str
    data: str | None


@dataclass(slots=True)
class DecisionMadeRow:
    """One decision that a process has made; ``result`` is JSON, as long as ``size`` says."""

    id: int
    process_instance_id: int
    node: str
    decision_id: str
    decision_name: str
    deployment_id: str
    """The deployment that holds the decision."""
    version: int
    made: int
    size: int
    result: str
    name: str | None = None
    path: str | None = None
    """The calls and runs that its task is inside of, as JSON."""


@dataclass(slots=True)
class TokenSecretRow:
    """A secret of the tokens of tasks whose ids are not less than ``since``, up to that of the next one."""

    number: int
    value: str
    """32 random bytes, in hexadecimal digits."""
    since: int
    made: int


@dataclass(slots=True)
class HistoryRow:
    """What one step has noted of a process: a JSON list of entries. ``number`` grows from row to row."""

    process_instance_id: int
    number: int
    entries: str


@dataclass(slots=True)
class NewHistoryRow:
    """The same while the step goes on: its entries one by one, since there may be many."""

    process_instance_id: int
    number: int
    parts: list[str]

    @property
    def entries(self) -> str:
        """All of them, as they are stored."""
        return f"[{','.join(self.parts)}]"


@dataclass(slots=True)
class VariableRow:
    """The value that one variable of a process has now, by which it is found; ``digest`` is what is looked up."""

    process_instance_id: int
    name: str
    digest: str
    value: str


@dataclass(slots=True)
class BatchRow:
    """One call for many process instances; ``options`` and what was ``searched`` for are JSON."""

    id: str
    action: BatchAction
    options: str
    searched: str
    state: BatchState
    total: int
    created: int
    client: str
    """Who asked for it."""
    owner_name: str | None = None
    rate: float | None = None
    """The most processes a second; None for as many as can be."""
    done: int = 0
    refused: int = 0
    due: int = 0
    """Before which the next of them is not to be touched."""
    ended: int | None = None
    engine: str | None = None
    """The engine that works at it."""
    revision: int = 0


@dataclass(slots=True)
class BatchItemRow:
    """One process instance of a batch, the ``number``-th from 1; a refusal has a ``code`` and a ``reason``."""

    batch_id: str
    number: int
    process_instance_id: int
    result: BatchResult
    code: str | None = None
    reason: str | None = None
    ended: int | None = None


@dataclass(slots=True)
class EngineRow:
    """One engine that works on the store; ``silent`` is for how many milliseconds, by the database's own clock.

    ``closing`` is 1 once it was told to stop, and ``pid_started`` also says where the ``pid`` counts.
    """

    id: str
    host: str
    pid: int
    pid_started: str
    seen: int
    closing: int
    silent: int


@dataclass(slots=True)
class KeyRow:
    """One access key; only the digest of its secret is kept."""

    id: str
    name: str
    digest: str
    scopes: str
    """The scopes' names, separated by blanks."""
    owner_name: str | None
    """Whose process instances it starts and sees; None sees all and starts some that are nobody's."""
    created: int
    revoked: int | None = None
    topics: str | None = None
    """Of one with the scope ``work``: the patterns of what it may fetch, separated by blanks."""
    user_name: str | None = None
    """The person who has it."""
    user_groups: str | None = None
    """The groups of that person: a JSON array of their names."""


@dataclass(slots=True)
class SessionRow:
    """One session of somebody who has signed in; only the digest of its secret is kept."""

    id: str
    digest: str
    user_name: str
    user_groups: str
    """A JSON array of their names."""
    scopes: str
    """The scopes' names, separated by blanks."""
    owner_name: str
    created: int
    used: int
    """When somebody has last used it, to the minute."""


@dataclass(slots=True)
class AuditRow:
    """One changing call."""

    created: int
    request_id: str
    client: str
    """Who."""
    address: str
    """From where."""
    action: str
    """What: the operation's name."""
    target: str | None
    """Of what: the id of a process instance, task, model or key, where there is one."""
    outcome: str
    """``done``, or the code of the error that refused it."""
    person: str | None = None
    """Which person, where the client told."""


def columns(row: type[Any]) -> tuple[str, ...]:
    """The names of a record's columns, in order."""
    return tuple(field.name for field in fields(row) if field.name != "stored")


TABLES: Mapping[str, type[Any] | None] = {
    "process_model": ModelRow,
    "draft": DraftRow,
    "deployment": DeploymentRow,
    "process_instance": InstanceRow,
    "content": ContentRow,
    "task": TaskRow,
    "token": TokenRow,
    "wait": WaitRow,
    "event": EventRow,
    "kept_message": KeptMessageRow,
    "task_check": TaskCheckRow,
    "straggler": StragglerRow,
    "suspension": SuspensionRow,
    "token_secret": TokenSecretRow,
    "variable": VariableRow,
    "history": HistoryRow,
    # Which stones the processes of a version have used.
    "stone_use": None,
    "external_task": ExternalRow,
    "user_task": UserTaskRow,
    "inbox": InboxRow,
    "subscription": SubscriptionRow,
    "notice": NoticeRow,
    "webhook_secret": WebhookSecretRow,
    "batch": BatchRow,
    "batch_item": BatchItemRow,
    "decision_made": DecisionMadeRow,
    "retrace": RetraceRow,
    "access_key": KeyRow,
    "browser_session": SessionRow,
    # Beside these columns it has the number of the row.
    "audit": AuditRow,
    # The engines that work on the store, with the number of the last commit of each.
    "engine_node": None,
    # The decimal ids that process instances and tasks share, taken in blocks.
    "sequence": None,
    # What a message, a signal or a time starts: the newest version of each key.
    "start_trigger": None,
    # The version tags of processes and decisions.
    "version_tag": None,
    # The idempotency keys that were used, with the digest of what for.
    "start_request": None,
    # Tasks that workers on other machines have had in hand for more than a moment.
    "handover": None,
    # Stones that workers on other machines have declared.
    "stone": None,
}
"""The tables, with what the engine holds of one row; the migrations make them, with keys, widths and indexes."""
