"""Somebody sets the clock by an hour: nothing is lost, nothing happens twice, and nothing waits for an hour."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from riverstone.engine import Clock, Engine, Stone, TaskInfo

from ..features.sketch import catch, line, service
from ..workers.crew import until

HOUR = 3_600_000


class Settable(Clock):
    """A clock that runs and can be set."""

    def __init__(self) -> None:
        self.off = 0

    def now(self) -> int:
        return super().now() + self.off


def timer(kind: str, value: str) -> str:
    return f"<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition>"


def test_when_the_clock_is_set_a_duration_lasts_as_long_and_a_date_comes_by_the_clock(tmp_path: Path) -> None:
    clock = Settable()

    def at(milliseconds: int) -> str:
        return datetime.fromtimestamp((clock.now() + milliseconds) / 1000, UTC).isoformat()

    with Engine(f"sqlite:///{tmp_path}/store.db", dispatcher="threads", clock=clock) as engine:

        def start(key: str, kind: str, value: str) -> str:
            engine.deploy(line(key, catch("wait", timer(kind, value))))
            return engine.start(key=key, name=key).process_instance_id

        date = start("date", "timeDate", at(HOUR // 2))
        rhythm = start("rhythm", "timeCycle", f"R1/{at(HOUR // 2)}/P1D")
        duration = start("duration", "timeDuration", "PT30M")
        cycle = start("cycle", "timeCycle", "R1/PT30M")
        time.sleep(0.3)
        clock.off = HOUR
        assert engine.wait(date, 60).status == engine.wait(rhythm, 60).status == "success"
        assert engine.get(duration).status == engine.get(cycle).status == "running"

        date = start("later", "timeDate", at(1000))
        duration = start("short", "timeDuration", "PT1S")
        clock.off = 0
        assert engine.wait(duration, 60).status == "success"
        assert engine.get(date).status == "running"


def test_when_the_clock_is_set_back_a_grace_is_not_longer(tmp_path: Path) -> None:
    clock, entered, go_on = Settable(), threading.Event(), threading.Event()

    class Deaf(Stone):
        code = "deaf"
        grace = 1.0

        def start(self, task: TaskInfo) -> None:
            entered.set()
            go_on.wait(30)

    with Engine(f"sqlite:///{tmp_path}/store.db", stones=[Deaf], dispatcher="threads", clock=clock) as engine:
        engine.deploy(line("shop", service("d", "deaf")))
        number = engine.start(key="shop", name="test").process_instance_id
        entered.wait(10)
        engine.cancel(number)
        clock.off = -HOUR
        assert engine.wait(number, 60).status == "cancel.success"
        go_on.set()


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "backward"])
def test_a_clock_that_is_set_by_an_hour_neither_holds_up_nor_fails_nor_doubles_a_task(tmp_path: Path, by: int) -> None:
    calls: Counter[tuple[str, str]] = Counter()

    class Watched(Stone):
        code = "watched"
        monitor_interval = 0.5
        timeouts = {"monitor": 60.0}

        def start(self, task: TaskInfo) -> None:
            calls[task.namespace, "start"] += 1

        def monitor(self, task: TaskInfo) -> bool:
            calls[task.namespace, "monitor"] += 1
            task.state["looks"] = task.state.get("looks", 0) + 1
            return bool(task.state["looks"] == 5)

    class Flaky(Stone):
        code = "flaky"
        retries = 3
        retry_backoff = 0.5

        def start(self, task: TaskInfo) -> None:
            calls[task.namespace, "start"] += 1
            if task.attempt < 3:
                raise RuntimeError("not yet")

    clock = Settable()
    with Engine(f"sqlite:///{tmp_path}/store.db", stones=[Watched, Flaky], dispatcher="threads", clock=clock) as engine:
        engine.deploy(line("watching", service("w", "watched")))
        engine.deploy(line("trying", service("f", "flaky")))
        numbers = [engine.start(key=key, name=key).process_instance_id for key in ("watching", "trying")]
        time.sleep(0.7)
        clock.off = by
        begun = time.monotonic()
        while any(engine.get(number).status == "running" for number in numbers):
            assert time.monotonic() - begun < 60
            time.sleep(0.05)

        assert [engine.get(number).status for number in numbers] == ["success"] * 2
    assert calls == {("w", "start"): 1, ("w", "monitor"): 5, ("f", "start"): 3}


def starting(key: str, text: str, kind: str = "timeCycle") -> bytes:
    return line(key, '<userTask id="person"/>', start=timer(kind, text))


def test_a_clock_that_is_set_holds_up_no_start_timer_and_brings_none_early(tmp_path: Path) -> None:
    clock = Settable()
    with Engine(f"sqlite:///{tmp_path}/store.db", dispatcher="threads", clock=clock) as engine:

        def started(key: str) -> int:
            return len(engine.instances(key=key).items)

        engine.deploy(starting("often", "R/PT1S"))
        until(lambda: started("often"))
        clock.off = -HOUR
        before = started("often")
        until(lambda: started("often") > before + 1, 60)

        seldom = engine.deploy(starting("seldom", "PT30M", "timeDuration"))
        dated = engine.deploy(
            starting("dated", datetime.fromtimestamp((clock.now() + HOUR // 2) / 1000, UTC).isoformat(), "timeDate")
        )
        for deployed in (seldom, dated):
            (shown,) = engine.deployment(deployed.deployment_id).next_starts
            assert abs(shown.timestamp() * 1000 - clock.now() - HOUR // 2) < 60_000
        clock.off = 0
        until(lambda: started("dated"), 60)
        assert not started("seldom")


@pytest.mark.parametrize("by", [20_000, -20_000, -3 * 900], ids=["forward", "backward", "bit by bit"])
def test_a_small_step_of_the_clock_makes_no_duration_longer_or_shorter(tmp_path: Path, by: int) -> None:
    clock = Settable()
    with Engine(f"sqlite:///{tmp_path}/store.db", dispatcher="threads", clock=clock) as engine:
        engine.deploy(line("short", catch("wait", timer("timeDuration", "PT3S"))))
        engine.deploy(line("long", catch("wait", timer("timeDuration", "PT15S"))))
        short, long = (engine.start(key=key, name=key).process_instance_id for key in ("short", "long"))
        begun = time.monotonic()
        for _ in range(3):
            clock.off += by // 3
            time.sleep(0.2)
        assert engine.wait(short, 60).status == "success"
        # Less than a second is no step, but adds up.
        assert time.monotonic() - begun >= 1.9
        assert engine.get(long).status == "running"


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "backward"])
def test_a_clock_that_is_set_neither_holds_up_nor_fails_what_an_engine_put_off_that_acts_when_it_is_called(
    tmp_path: Path, by: int
) -> None:
    calls: Counter[str] = Counter()

    class Watched(Stone):
        code = "watched"
        monitor_interval = 0.5
        timeouts = {"monitor": 1800.0}

        def start(self, task: TaskInfo) -> None:
            calls["begun"] += 1

        def monitor(self, task: TaskInfo) -> bool:
            calls["looked"] += 1
            return calls["looked"] == 4

    class Flaky(Stone):
        code = "flaky"
        retries = 1
        retry_backoff = 0.5
        retry_jitter = 0.0

        def start(self, task: TaskInfo) -> None:
            calls["tried"] += 1
            if calls["tried"] == 1:
                raise RuntimeError("not yet")

    clock = Settable()
    with Engine(f"sqlite:///{tmp_path}/store.db", stones=[Watched, Flaky], clock=clock) as engine:
        engine.deploy(line("watching", service("w", "watched")))
        engine.deploy(line("trying", service("f", "flaky")))
        engine.run_pending()
        numbers = [engine.start(key=key, name=key).process_instance_id for key in ("watching", "trying")]
        clock.off = by

        def are_done() -> bool:
            engine.run_pending()
            return all(engine.get(number).status != "running" for number in numbers)

        until(are_done, 60)
        assert [engine.get(number).status for number in numbers] == ["success"] * 2
    assert calls == {"begun": 1, "looked": 4, "tried": 2}
