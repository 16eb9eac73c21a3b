"""What an operator sees of a running engine: its log, its metrics, and whether it is ready."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from riverstone.engine import Engine, JsonFormatter, Observer, ProcessChange, Stone, TaskEvent, TaskInfo, VirtualClock
from riverstone.engine.metrics import Metrics

from ..models.stores import KINDS, fresh
from .sketch import line, service
from .world import World

SECRET = "hunter2-hunter2"
TEMPLATE = [{"Key": "password", "Type": "String", "NoEcho": True}]


class Lines(logging.Handler):
    """Every record as the JSON formatter writes it, and as plain text with all that belongs to it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonFormatter())
        self.lines: list[dict[str, Any]] = []
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self.text += line + logging.Formatter().format(record) + repr(vars(record))
        self.lines.append(json.loads(line))


@pytest.fixture
def log() -> Iterator[Lines]:
    """Everything that is logged below riverstone, at every level."""
    root, lines = logging.getLogger("riverstone"), Lines()
    level = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(lines)
    root.setLevel(level)


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """What a scrape reads: (name, label values in the order of the label names) -> value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_the_log_tells_of_processes_and_tasks_by_their_ids(tmp_path: Path, log: Lines) -> None:
    world = World()
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones()) as engine:
        engine.deploy(line("shop", service("a", "make"), service("b", "make")))
        world.wrong("start", "b", RuntimeError("no more space"))
        instance = engine.start(key="shop", name="x")
        number = instance.process_instance_id
        assert engine.wait(number).status == "rollback.success"

    changes = [line for line in log.lines if line["logger"] == "riverstone.process"]
    told = [(line["process_instance_id"], line["status"]) for line in changes if line["kind"] == "start"]
    assert told[0] == (number, "running")
    assert told[-1] == (number, "rollback.success")
    undo = [line for line in changes if line["kind"] == "rollback"]
    assert {line["origin_process_instance_id"] for line in undo} == {number}

    events = [line for line in log.lines if line["logger"] == "riverstone.task"]
    assert [(line["stone"], line["event"], line["result"]) for line in events] == [
        ("make", "start", "done"),
        ("make", "start", "failed"),
        ("make", "rollback", "done"),
        ("make", "rollback", "done"),
    ]
    failure = next(line for line in log.lines if line["logger"] == "riverstone.stone")
    assert (failure["stone"], failure["event"], failure["process_instance_id"]) == ("make", "start", number)
    assert "RuntimeError" in failure["message"]


def test_no_secret_is_logged_at_any_level(tmp_path: Path, log: Lines) -> None:
    world = World()

    def shout(task: Any) -> None:
        task.log(SECRET)
        task.add_output("said", SECRET)
        raise ValueError(f"could not log in with {SECRET}") from KeyError(SECRET)

    class Careless(Observer):
        """Fails with what it should not say."""

        def event(self, event: TaskEvent) -> None:
            raise RuntimeError(SECRET)

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones()) as engine:
        engine.observe(Careless())
        engine.deploy(line("shop", service("a", "make")), parameter_template=TEMPLATE)
        world.wrong("start", "a", shout)
        world.wrong("rollback", "a", RuntimeError(SECRET))
        instance = engine.start(key="shop", name="x", variables={"password": SECRET})
        assert engine.wait(instance.process_instance_id).status == "rollback.failed"

    assert any("an observer has failed" in line["message"] for line in log.lines)
    assert any("ValueError (by KeyError)" in line["message"] for line in log.lines)
    assert SECRET not in log.text


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_count_what_happened_and_what_stands(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, clock = World(), VirtualClock()
    with fresh(kind, tmp_path) as url, Engine(url, stones=world.stones(), clock=clock) as engine:
        metrics = Metrics.of(engine)
        assert Metrics.of(engine) is metrics
        engine.deploy(line("shop", service("a", "make"), service("b", "mail")))
        engine.deploy(line("ask", '<userTask id="p"/>'))
        done = engine.start(key="shop", name="x").process_instance_id
        engine.start(key="ask", name="x")
        clock.advance(90)
        world.wrong("delete", "a", RuntimeError("stuck"))
        engine.delete(done)

        seen = samples(metrics)
        assert seen["riverstone_events_total", "start", "done", "make"] == 1
        assert seen["riverstone_events_total", "delete", "failed", "make"] == 1
        assert seen["riverstone_event_seconds_count", "start", "mail"] == 1
        assert seen["riverstone_process_changes_total", "shop", "success"] == 1
        assert seen["riverstone_process_changes_total", "shop", "delete.failed"] == 1
        assert seen["riverstone_process_seconds_count", "shop"] == 1
        assert seen["riverstone_processes", "start", "running", "running"] == 1
        assert seen["riverstone_processes_oldest_seconds", "start", "running", "running"] == 90
        assert seen["riverstone_tasks", "person", "running"] == 1
        assert seen["riverstone_undo_failed", "delete.failed"] == 1
        assert seen["riverstone_left_tasks", "skipped"] == 1
        assert seen["riverstone_left_tasks", "failed"] == 1
        assert seen["riverstone_queue", "inbox"] == 0
        assert seen["riverstone_store_up",] == 1
        assert not [name for name, *_ in seen if name.endswith("_created")]

        assert seen["riverstone_partial",] == 0
        engine.start(key="ask", name="x")
        monkeypatch.setattr("riverstone.models.search.figures.MOST_COUNTED", 1)
        seen = samples(metrics)
        assert seen["riverstone_partial",] == 1
        assert seen["riverstone_processes", "start", "running", "running"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_few_of_a_kind_are_counted_however_many_of_another_stand_before_them(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverstone.models.search.figures.MOST_COUNTED", 2)
    clock = VirtualClock()
    with fresh(kind, tmp_path) as url, Engine(url, stones=World().stones(), clock=clock) as engine:
        engine.deploy(line("ask", '<userTask id="p"/>'))
        began = clock.now()
        for _ in range(3):
            engine.start(key="ask", name="x")
        assert engine.figures().partial
        clock.advance(60)
        held = engine.start(key="ask", name="x").process_instance_id
        engine.suspend(held)
        engine.deploy(line("shop", service("a", "make")))
        engine.stones.remove("make")
        clock.advance(60)
        engine.start(key="shop", name="x")

        found = engine.figures()

    processes = {each.labels: (each.count, each.oldest) for each in found.processes}
    assert processes == {
        ("start", "running", "running"): (2, began),
        ("start", "running", "suspended"): (1, began + 60_000),
    }
    tasks = {each.labels: (each.count, each.oldest) for each in found.tasks}
    assert tasks == {("person", "running"): (2, began), ("stone", "stone-missing"): (1, began + 120_000)}
    assert {each.labels: each.count for each in found.awaits} == {("person",): 2, ("suspended",): 1, ("stone",): 1}


def test_a_process_that_waits_after_a_failure_and_one_that_is_suspended_are_seen(tmp_path: Path, log: Lines) -> None:
    world, url = World(), f"sqlite:///{tmp_path}/river.db"
    seen: list[ProcessChange] = []

    class Seeing(Observer):
        def change(self, change: ProcessChange) -> None:
            seen.append(change)

    with Engine(url, stones=world.stones()) as engine:
        engine.observe(Seeing())
        engine.deploy(line("shop", service("a", "make")))
        world.wrong("start", "a", RuntimeError("no more space"))
        number = engine.start(key="shop", name="x", on_failure="pause").process_instance_id
        engine.run_pending()
        assert engine.get(number).awaits == "attention"
        told = [each for each in log.lines if each["logger"] == "riverstone.process"][-1]
        assert (told["level"], told["awaits"]) == ("warning", "attention")
        assert told["message"] == f"process {number} (shop): running, needs attention"
        assert (seen[-1].before, seen[-1].status, seen[-1].awaits) == ("running", "running", "attention")
        assert samples(Metrics.of(engine))["riverstone_processes_awaiting", "attention"] == 1

        engine.suspend(number, who="ann")
        assert samples(Metrics.of(engine))["riverstone_processes_awaiting", "suspended"] == 1
        assert ("riverstone_processes_awaiting", "attention") not in samples(Metrics.of(engine))
        assert seen[-1].awaits == "suspended"
        engine.unsuspend(number)
    told_before = len(seen)
    # What was told is not told once more by the next engine.
    with Engine(url, stones=world.stones()) as engine:
        engine.observe(Seeing())
        assert [each.awaits for each in seen[told_before:]] == []
        engine.retry(number)
        engine.run_pending()
        assert engine.wait(number, 60).status == "success"
        assert "riverstone_processes_awaiting" not in {name for name, *_ in samples(Metrics.of(engine))}


def test_an_application_may_keep_the_metrics_among_its_own(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        metrics = Metrics(engine, registry)
        assert ("riverstone_store_up",) in samples(metrics)
    # What was counted is still told when the database is gone.
    assert samples(metrics)["riverstone_store_up",] == 0


def test_the_guide_tells_of_every_metric(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        text = Metrics.of(engine).text().decode()

    names = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    assert names == set(re.findall(r"`(riverstone_\w+)`", guide.partition("### Alerts")[0]))


def test_an_observer_is_told_what_is_durable(tmp_path: Path) -> None:
    told: list[tuple[str, str, bool]] = []
    world = World()
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=world.stones()) as engine:

        class Watching(Observer):
            """Looks into the store, as whoever is told may do."""

            def change(self, change: ProcessChange) -> None:
                stored = engine.get(change.process_instance_id)
                told.append((change.status, change.phase, stored.status == change.status))

        engine.observe(Watching())
        engine.deploy(line("shop", service("a", "make")))
        engine.start(key="shop", name="x")

    assert told == [("running", "running", True), ("success", "ended", True)]


def test_an_engine_is_ready_until_it_is_closed(tmp_path: Path) -> None:
    for dispatcher in ("inline", "threads"):
        engine = Engine(f"sqlite:///{tmp_path}/river.db", dispatcher=dispatcher)
        assert engine.not_ready() is None
        engine.close()
        assert engine.not_ready() == "the engine is closed"


def test_a_timeout_counts_as_a_failure_of_the_stone(tmp_path: Path) -> None:
    class Endless(Stone):
        """Is never done."""

        code = "endless"
        monitor_interval = 1.0
        timeouts = {"monitor": 3.0}

        def monitor(self, task: TaskInfo) -> bool:
            return False

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Endless], clock=VirtualClock()) as engine:
        metrics = Metrics.of(engine)
        engine.deploy(line("shop", service("a", "endless")))
        number = engine.start(key="shop", name="x", rollback=False).process_instance_id
        assert engine.wait(number).status == "failed"

    assert samples(metrics)["riverstone_events_total", "monitor", "failed", "endless"] == 1
