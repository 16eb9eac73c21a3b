"""Who is told what an engine does: its log, traces where the application uses them, and whoever observes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from ...models.vocabulary import Awaits, InstanceKind, Phase, ProcessStatus
from ..coroutines import refuse_coroutine
from . import logs, tracing

if TYPE_CHECKING:
    from ...models import InstanceRow
    from ..work import Outcome

tasks = logging.getLogger("riverstone.task")
processes = logging.getLogger("riverstone.process")

Told = TypeVar("Told")
OVER = frozenset({"undoing", "ended"})
"""The phases in which an instance's own work is over."""


class TaskEvent:
    """One hook of one task that was called.

    A window on what has come in, made for every step: a frozen record would cost more than what most do with it.
    """

    __slots__ = ("_outcome",)

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    @property
    def process_instance_id(self) -> str:
        """The process that the task belongs to."""
        return str(self._outcome.process_instance_id)

    @property
    def task_id(self) -> str:
        """The task."""
        return str(self._outcome.task_id)

    @property
    def stone(self) -> str:
        """The stone's code."""
        return self._outcome.stone

    @property
    def event(self) -> str:
        """The hook, such as ``start`` or ``delete``."""
        return self._outcome.event

    @property
    def result(self) -> str:
        """``done``, ``again`` (a monitor that is not done yet), ``deferred``, ``failed`` or ``bpmn-error``."""
        return self._outcome.result

    @property
    def attempt(self) -> int:
        """The number of the attempt, from 1."""
        return self._outcome.attempt

    @property
    def seconds(self) -> float:
        """For how long the hook ran."""
        return self._outcome.seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessChange:
    """A process instance that has begun, has another status or phase, or stands still; durable when it is told."""

    process_instance_id: str
    key: str
    kind: InstanceKind
    """``start``, or the undo that it is."""
    status: ProcessStatus
    phase: Phase
    """``running``, ``draining`` (what runs is asked to stop), ``paused``, ``undoing`` or ``ended``."""
    before: ProcessStatus | None
    """The status before, None for one that has just begun."""
    seconds: float | None
    """For one whose own work has ended: how long that took."""
    origin_process_instance_id: str | None
    awaits: Awaits | None = None
    """For whom it stands still, such as ``attention``; that is told when it begins or ends to be this or ``suspended``.
    """


class Observer:
    """Told what an engine does. The hooks are called in the engine's threads, so they must be quick.

    What they raise is logged and changes nothing. Work that workers on other machines do is told where it comes back.
    """

    def event(self, event: TaskEvent) -> None:
        """A stone's hook has been carried out."""

    def change(self, change: ProcessChange) -> None:
        """A process instance has begun, has changed its status or phase, or stands still until somebody decides."""


class Observation(NamedTuple):
    """What observers know of an instance."""

    status: ProcessStatus
    phase: Phase
    awaits: Awaits | None
    """Only what operators set: tokens come to events and people all the time."""


def observed(row: InstanceRow) -> Observation:
    """What there is to know of an instance as its row stands."""
    return Observation(row.status, row.phase, row.awaits if row.awaits in ("attention", "suspended") else None)


class Observed(Protocol):
    """An instance, as far as observers are concerned."""

    row: InstanceRow
    observed: Observation | None
    """None before its beginning is told."""


class Observers:
    """All that are told; nearly free while nobody listens."""

    def __init__(self) -> None:
        self._all: tuple[Observer, ...] = ()

    def add(self, observer: Observer) -> None:
        """Tell this one too, from now on; raises Invalid for hooks that would never run."""
        for name, hook in (("event", observer.event), ("change", observer.change)):
            refuse_coroutine(hook, f"The hook {name!r} of the observer {type(observer).__name__!r}")
        self._all = (*self._all, observer)

    def tell_events(self, outcomes: Sequence[Outcome]) -> None:
        """These outcomes have come in."""
        logged = tasks.isEnabledFor(logging.DEBUG)
        if not self._all and not logged:
            return
        for outcome in outcomes:
            event = TaskEvent(outcome)
            if logged:
                _log_event(event)
            for observer in self._all:
                _tell(observer.event, event)

    def tell_changes(self, instances: Iterable[Observed]) -> None:
        """What a committed turn has made of these instances."""
        for instance in instances:
            row, before, now = instance.row, instance.observed, observed(instance.row)
            if before == now:
                continue
            instance.observed = now
            over = row.phase in OVER and (before is None or before.phase not in OVER)
            if over:
                tracing.ended(row)
            # A process that fails is what processes do; one that stands still or whose undo has failed needs a person.
            undo_failed = row.phase == "ended" and row.status.endswith(".failed")
            level = logging.WARNING if undo_failed or now.awaits == "attention" else logging.INFO
            logged = processes.isEnabledFor(level)
            if not (self._all or logged):
                continue
            change = _change(row, before, over=over)
            if logged:
                _log_change(change, level)
            for observer in self._all:
                _tell(observer.change, change)


def _change(row: InstanceRow, before: Observation | None, *, over: bool) -> ProcessChange:
    return ProcessChange(
        process_instance_id=str(row.process_instance_id),
        key=row.key,
        kind=row.kind,
        status=row.status,
        phase=row.phase,
        before=None if before is None else before.status,
        seconds=((row.ended or row.started) - row.started) / 1000 if over else None,
        origin_process_instance_id=None if row.origin is None else str(row.origin),
        awaits=row.awaits,
    )


def _tell(hook: Callable[[Told], None], what: Told) -> None:
    try:
        hook(what)
    except Exception as error:
        processes.error("an observer has failed: %s", logs.where(error))


def _log_event(event: TaskEvent) -> None:
    tasks.debug(
        "task %s: %s of %s came to %r after %.3f s",
        event.task_id,
        event.event,
        event.stone,
        event.result,
        event.seconds,
        extra=logs.about(
            process_instance_id=event.process_instance_id,
            task_id=event.task_id,
            stone=event.stone,
            event=event.event,
        )
        | {"result": event.result, "attempt": event.attempt, "seconds": round(event.seconds, 6)},
    )


def _log_change(change: ProcessChange, level: int) -> None:
    what = change.key if change.kind == "start" else f"the {change.kind} of {change.origin_process_instance_id}"
    stands = change.status if change.phase in ("running", "ended", "undoing") else f"{change.status}, {change.phase}"
    if change.awaits == "attention" and change.phase != "ended":
        stands = f"{stands}, needs attention"
    elif change.awaits == "suspended":
        stands = f"{stands}, suspended" if stands != "suspended" else stands
    processes.log(
        level,
        "process %s (%s): %s",
        change.process_instance_id,
        what,
        stands,
        extra=logs.about(
            process_instance_id=change.process_instance_id,
            key=change.key,
            status=change.status,
            phase=change.phase,
            kind=change.kind,
            origin_process_instance_id=change.origin_process_instance_id,
            awaits=change.awaits,
        ),
    )
