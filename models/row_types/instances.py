"""The rows of process instances."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..vocabulary import Awaits, InstanceKind, Pending, Phase, ProcessOutcome, ProcessStatus
from .stored import Stored


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
    priority: int = 0
    """The higher, the sooner its tasks get what there is a quota of."""
    folded: int = 0
    """Up to which id a step needs no row of its ledger but those that its fold names; 0 where there is no fold."""
    changed: int = 0
    """How many characters of variables were set since all were written together."""
    stored: Stored = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class ContentRow:
    """The variables of one process instance; ``variables`` is None while they equal the start variables."""

    process_instance_id: int
    start_variables: str
    variables: str | None = None
    outputs: str | None = None
    changed: dict[str, str] = field(default_factory=dict)
    """By name, as JSON, the variables that were set since; no column, but rows of their own."""


@dataclass(slots=True)
class RecordRow:
    """What the documented record of one process instance shows, of both of its rows, and what tells who may see it."""

    process_instance_id: int
    id: str
    model_id: str | None
    model_key: str | None
    deployment_id: str
    name: str
    status: ProcessStatus
    flags: int
    started: int
    ended: int | None
    origin: int | None
    rollback_id: int | None
    cancel_id: int | None
    delete_id: int | None
    folded: int
    start_variables: str
    outputs: str | None


@dataclass(slots=True)
class SummaryRow:
    """What a list shows of one process instance, and what tells its place, its undos and who may see it."""

    process_instance_id: int
    model_id: str | None
    deployment_id: str
    key: str
    name: str
    kind: InstanceKind
    status: ProcessStatus
    phase: Phase
    flags: int
    started: int
    business_key: str | None
    owner_name: str | None
    ended: int | None
    reason: str | None
    origin: int | None
    rollback_id: int | None
    cancel_id: int | None
    delete_id: int | None
    rewind_id: int | None
    attention: int
    outcome: ProcessOutcome | None
    awaits: Awaits | None
    suspension: str | None


@dataclass(slots=True)
class ChangedVariableRow:
    """A variable that was set since all variables of its process were written together."""

    process_instance_id: int
    name: str
    value: str


@dataclass(slots=True)
class FoldRow:
    """What a step needs to know of the rows of a long ledger that have ended, so that it need not read them."""

    process_instance_id: int
    content: str


@dataclass(slots=True)
class VariableRow:
    """The value that one variable of a process has now, by which it is found; ``digest`` is what is looked up."""

    process_instance_id: int
    name: str
    digest: str
    value: str
