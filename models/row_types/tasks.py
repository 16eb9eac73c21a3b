"""The rows of tasks: the ledger, and who has what of it in hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..vocabulary import CheckState, LedgerEvent, Phase, TaskKind, TaskStatus, UndoMark, UndoPolicy
from .stored import Stored


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
    run: int | None
    instance_id: str
    phase: Phase
    trace: str | None
    key: str
    process_name: str
    business_key: str | None
    owner_name: str | None
    version: int


@dataclass(slots=True)
class PutOut:
    """What has to be known of a task for what it has put out to be shown."""

    id: int
    process_instance_id: int
    namespace: str
    stone: str | None
    kind: TaskKind
    status: TaskStatus
    parameters: str
    outputs: str | None
    state: str | None
    path: str | None


@dataclass(slots=True)
class Told:
    """Why a task has failed, of its row of the ledger."""

    id: int
    status: TaskStatus
    reason: str | None


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
    definition_key: str
    """Of which process it is: the called one, and of an undo that of what it takes back."""
    deployment_id: str
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
