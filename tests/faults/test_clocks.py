"""Somebody sets the clock by an hour: nothing is lost, nothing happens twice, and nothing waits for an hour."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from riverstone.engine import Clock, Engine, Stone, TaskInfo

from ..features.sketch import line, service

HOUR = 3_600_000


class Settable(Clock):
    """A clock that runs and can be set."""

    def __init__(self) -> None:
        self.off = 0

    def now(self) -> int:
        return super().now() + self.off


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
            assert time.monotonic() - begun < 10
            time.sleep(0.05)

        assert [engine.get(number).status for number in numbers] == ["success"] * 2
    assert calls == {("w", "start"): 1, ("w", "monitor"): 5, ("f", "start"): 3}
