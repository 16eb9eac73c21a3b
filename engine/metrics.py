"""Prometheus metrics of one engine and its store (extra ``riverstone[metrics]``).

What happens is counted as it happens; what stands and waits is counted in the store when somebody asks, so that it is
right after a restart too. Several engines on one store give the same figures of the store: take their maximum.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from ..models import Group
from .errors import RiverstoneError
from .observing.observer import Observer, ProcessChange, TaskEvent

if TYPE_CHECKING:
    from .engine import Engine

EVENT_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300)
PROCESS_SECONDS = (0.01, 0.1, 1, 10, 60, 600, 3600, 21_600, 86_400, 604_800)
TEXT = "text/plain; version=0.0.4; charset=utf-8"
_of: WeakKeyDictionary[Engine, Metrics] = WeakKeyDictionary()
_lock = threading.Lock()


class Metrics(Observer):
    """Counts what one engine does; ``registry`` is where an application's own metrics are, if they are to be one."""

    def __init__(self, engine: Engine, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.events: dict[tuple[str, str, str], Tally] = {}
        """By stone, event and outcome."""
        self.changes: dict[tuple[str, str], int] = {}
        """By key and status."""
        self.processes: dict[str, Tally] = {}
        """By key."""
        self._lock = threading.Lock()
        self.registry.register(_Happened(self))
        self.registry.register(_Standing(engine))
        engine.observe(self)

    @classmethod
    def of(cls, engine: Engine) -> Metrics:
        """The metrics of this engine in a registry of their own, the same ones for whoever asks."""
        with _lock:
            found = _of.get(engine)
            if found is None:
                found = _of[engine] = cls(engine)
            return found

    def text(self) -> bytes:
        """All of it in Prometheus's text format, whose media type is :data:`TEXT`."""
        return generate_latest(self.registry)

    def event(self, event: TaskEvent) -> None:
        series = event.stone, event.event, event.result
        with self._lock:
            tally = self.events.get(series)
            if tally is None:
                tally = self.events[series] = Tally(EVENT_SECONDS)
            tally.add(event.seconds)

    def change(self, change: ProcessChange) -> None:
        if change.kind != "start":
            return
        with self._lock:
            if change.before != change.status:
                self.changes[change.key, change.status] = self.changes.get((change.key, change.status), 0) + 1
            if change.seconds is not None:
                self.processes.setdefault(change.key, Tally(PROCESS_SECONDS)).add(change.seconds)


class Tally:
    """How often something happened and how long it took; the library's own counters cost three times as much a step."""

    __slots__ = ("_bounds", "buckets", "seconds")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        """How many took up to each bound and more than the one before; the last those over all."""
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """It happened once more."""
        self.buckets[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds

    @property
    def count(self) -> int:
        """How often it happened."""
        return sum(self.buckets)

    def merged(self, other: Tally) -> Tally:
        """Both together."""
        both = Tally(self._bounds)
        both.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]
        both.seconds = self.seconds + other.seconds
        return both

    def cumulated(self) -> list[tuple[str, float]]:
        """The counts as Prometheus has them: up to each bound."""
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        return list(zip(names, accumulate(self.buckets), strict=True))


class _Happened:
    """What was counted as it happened."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics

    def describe(self) -> Iterator[Metric]:
        """The names, by which a registry tells that they are there already."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        metrics = self.metrics
        # Copies, since stones go on meanwhile; a count that is one behind is right a moment later.
        events, changes, processes = dict(metrics.events), dict(metrics.changes), dict(metrics.processes)
        counts = CounterMetricFamily(
            "riverstone_events",
            "Events of stones that were carried out; a monitor's look that was not the last has the outcome again.",
            labels=("stone", "event", "outcome"),
        )
        by_event: dict[tuple[str, str], Tally] = {}
        for (stone, event, outcome), tally in events.items():
            counts.add_metric((stone, event, outcome), tally.count)
            before = by_event.get((stone, event))
            by_event[stone, event] = tally if before is None else before.merged(tally)
        yield counts
        durations = HistogramMetricFamily(
            "riverstone_event_seconds", "How long stones' hooks ran.", labels=("stone", "event")
        )
        for place, tally in by_event.items():
            durations.add_metric(place, tally.cumulated(), tally.seconds)
        yield durations
        statuses = CounterMetricFamily(
            "riverstone_process_changes",
            "Process instances that came to a status, by the key of their model; undo instances are not counted.",
            labels=("key", "status"),
        )
        for series, count in changes.items():
            statuses.add_metric(series, count)
        yield statuses
        whole = HistogramMetricFamily(
            "riverstone_process_seconds",
            "From a process's start to the end of its forward work, however it ended.",
            labels=("key",),
        )
        for key, tally in processes.items():
            whole.add_metric((key,), tally.cumulated(), tally.seconds)
        yield whole


class _Standing:
    """What stands and waits at the moment, asked of the store and the engine for each answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = ref(engine)

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: asking the store for a name would be too much."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        queues = _family("riverstone_queue", "What waits inside this engine.", "queue")
        engine = self._engine()
        if engine is None:
            return
        for name, length in engine.queues().items():
            queues.add_metric([name], length)
        yield queues
        waiters = _family("riverstone_external_waiters", "Workers whose fetches wait at this engine.")
        waiters.add_metric([], engine.external.offers.count())
        yield waiters
        up = GaugeMetricFamily("riverstone_store_up", "Whether the database answers.")
        try:
            families = list(_of_store(engine))
        except RiverstoneError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from families


def _of_store(engine: Engine) -> Iterator[Metric]:
    figures, now = engine.figures(), engine.clock.now()
    yield from _groups(
        "riverstone_processes",
        "Process instances that have not ended.",
        ("kind", "status", "phase"),
        figures.processes,
        now,
    )
    yield from _groups("riverstone_tasks", "Open tasks.", ("carrier", "status"), figures.tasks, now)
    yield from _groups("riverstone_waits", "Tokens that wait for something outside.", ("kind",), figures.waits, None)
    yield from _groups(
        "riverstone_undo_failed",
        "Process instances whose undo has failed and waits for a person.",
        ("status",),
        figures.undo_failed,
        None,
    )
    yield from _groups(
        "riverstone_processes_awaiting",
        "Processes that stand still until somebody decides about a failure (attention), or something comes.",
        ("awaits",),
        figures.awaits,
        None,
    )
    yield from _groups(
        "riverstone_left_tasks",
        "Tasks whose results exist though their process was undone: given up, without a hook, or failed.",
        ("why",),
        figures.left,
        None,
    )
    yield from _groups("riverstone_owed", "Thrown messages and signals not yet delivered.", (), (figures.owed,), now)
    yield from _groups(
        "riverstone_quota_tasks",
        "Tasks that hold a slot of a quota, or wait for one.",
        ("quota", "state"),
        figures.quotas,
        now,
    )
    partial = GaugeMetricFamily("riverstone_partial", "Whether there is more of something than these figures count.")
    partial.add_metric([], figures.partial)
    yield partial
    external = _family("riverstone_external_tasks", "Tasks that workers fetch over HTTP.", "topic", "state")
    for topic, waiting, locked in engine.external.topics():
        external.add_metric([topic, "waiting"], waiting)
        external.add_metric([topic, "locked"], locked)
    yield external
    behind = GaugeMetricFamily("riverstone_behind_seconds", "For how long the first thing of all has been due.")
    behind.add_metric([], 0 if figures.due is None else max(0, now - figures.due) / 1000)
    yield behind


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _groups(
    name: str, text: str, labels: tuple[str, ...], groups: tuple[Group, ...], now: int | None
) -> Iterator[Metric]:
    counts = _family(name, text, *labels)
    for group in groups:
        counts.add_metric(group.labels, group.count)
    yield counts
    if now is None:
        return
    ages = _family(f"{name}_oldest_seconds", f"The age of the oldest of these: {text[0].lower()}{text[1:]}", *labels)
    for group in groups:
        ages.add_metric(group.labels, 0 if group.oldest is None else max(0, now - group.oldest) / 1000)
    yield ages
