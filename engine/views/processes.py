"""What is shown of a process: its record, where it stands and why, and who keeps it from going on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ...models.vocabulary import Awaits, HeldBack, InstanceKind, MessageOutcome, ProcessOutcome, ProcessStatus, WaitKind
from .pages import Page

AwaitedKind: TypeAlias = Literal["person", WaitKind, HeldBack]
"""What it is: a person, an event, or a stone that is suspended or that no engine has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """A person, an event or a stone for which a process instance stands still at one element."""

    kind: AwaitedKind
    element_id: str
    name: str | None = None
    """Of the task, the message or the signal; the code of the stone."""
    due: datetime | None = None
    """When a time comes; the first of several."""
    count: int = 1
    """How many tokens stand there for that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageReceipt:
    """What came of a message, as the transaction has decided that took it."""

    outcome: MessageOutcome
    """Whether a process waited for it, one was started by it, or it is kept for whoever waits for it first."""
    process_instance_id: str | None
    """Who has got it; nobody where it is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspension:
    """That nothing begins, since somebody wants it so."""

    since: datetime
    reason: str | None = None
    who: str | None = None
    by_key: bool = False
    """Whether all processes of its key are."""


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
class InstanceRecord:
    """The documented record of one run: its sixteen fields, in their order.

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


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessInstance(InstanceRecord):
    """One run: its documented record, and more to know."""

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
    """Where it waits for people, events and stones, the first twenty places."""
    suspended: Suspension | None = None
    """Why nothing of it begins, and since when; None where it goes on."""


Need: TypeAlias = Literal["ended", "paused", "person"]
"""Why nobody has to wait any longer: ``paused`` is a failure that somebody decides about, or a suspension; ``person``
is a task for one or a stone that nobody has registered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """The state of a process instance at one moment, with a mark to wait for the next one."""

    instance: ProcessInstance
    mark: str
    """The same until the next step of the instance or of one of its undos."""
    need: Need | None
    """None while it goes on by itself, or waits for a message, a signal or a timer, which ``instance.awaits`` tells."""


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
    """Where it waits for people, events and stones, the first twenty places."""
    suspended: Suspension | None = None
    """Why nothing of it begins, and since when; None where it goes on."""
    failure: str | None = None
    """Why the first of the elements has failed that stand still, ``attention`` of them; None where none does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPage(Page[ProcessSummary]):
    """A part of what was searched for; it may have few items and yet a cursor, where very much was looked through."""

    items: tuple[ProcessSummary, ...]
    inside_words_from: str | None = None
    """The id of the oldest process in which the text was sought inside of words too; None where it was in all."""


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
