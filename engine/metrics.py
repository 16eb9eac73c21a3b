"""Prometheus metrics of one engine and its store (extra ``riverstone[metrics]``).

What happens is counted as it happens; what stands and waits is counted in the store when somebody asks, so that it is
right after a restart too. Several engines on one store give the same figures of the store: take their maximum.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from ..models import Group
from .errors import RiverstoneError
from .observer import Observer, ProcessChange, TaskEvent

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
        self.events = Counter(
            "riverstone_events",
            "Events of stones that were carried out; a monitor's look that was not the last has the outcome again.",
            ("stone", "event", "outcome"),
            registry=self.registry,
        )
        self.event_seconds = Histogram(
            "riverstone_event_seconds",
            "How long stones' hooks ran.",
            ("stone", "event"),
            buckets=EVENT_SECONDS,
            registry=self.registry,
        )
        self.processes = Counter(
            "riverstone_process_changes",
            "Process instances that came to a status, by the key of their model; undo instances are not counted.",
            ("key", "status"),
            registry=self.registry,
        )
        self.process_seconds = Histogram(
            "riverstone_process_seconds",
            "From a process's start to the end of its forward work, however it ended.",
            ("key",),
            buckets=PROCESS_SECONDS,
            registry=self.registry,
        )
        self._series: dict[tuple[str, str, str], tuple[Callable[[], None], Callable[[float], None]]] = {}
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
        return generate_latest(_WithoutBirths(self.registry))

    def event(self, event: TaskEvent) -> None:
        series = self._series.get((event.stone, event.event, event.result))
        if series is None:
            # Looked up once: it costs more than the counting.
            count = self.events.labels(event.stone, event.event, event.result)
            series = count.inc, self.event_seconds.labels(event.stone, event.event).observe
            self._series[event.stone, event.event, event.result] = series
        series[0]()
        series[1](event.seconds)

    def change(self, change: ProcessChange) -> None:
        if change.kind != "start":
            return
        if change.before != change.status:
            self.processes.labels(change.key, change.status).inc()
        if change.seconds is not None:
            self.process_seconds.labels(change.key).observe(change.seconds)


class _WithoutBirths:
    """A registry without the series that say since when each counter counts: nobody asks, and they are every third."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self.registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


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
        "riverstone_left_tasks",
        "Tasks whose results exist though their process was undone: given up, without a hook, or failed.",
        ("why",),
        figures.left,
        None,
    )
    yield from _groups("riverstone_owed", "Thrown messages and signals not yet delivered.", (), (figures.owed,), now)
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
