"""What one engine has handed over is in hand for every other: each hand-over writes its row, not only the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, VirtualClock

from ..features.sketch import catch, definitions, flow, line, process, service

SECOND = 1000


class Made(Stone):
    code = "Made"
    retries = 1
    retry_backoff = 10.0
    outputs: ClassVar = {"id": "what it made"}
    calls: ClassVar[list[str]] = []
    meanwhile: ClassVar[Callable[[], object] | None] = None
    """What happens while something is being made."""

    def start(self, task: TaskInfo) -> None:
        self.calls.append(f"start {task.attempt}")
        if task.attempt == 1:
            raise RuntimeError("not yet")
        self.make(task)

    def make(self, task: TaskInfo) -> None:
        meanwhile, Made.meanwhile = Made.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        self.calls.append("made")
        task.add_output("id", "thing")

    def cancel(self, task: TaskInfo) -> None:
        self.calls.append(f"undo {task.outputs.get('id')}")

    rollback = delete = cancel


class Watched(Made):
    """The same with a monitor, and made in its second look."""

    code = "Watched"
    monitor_interval = 10.0

    def start(self, task: TaskInfo) -> None:
        self.calls.append("start")

    def monitor(self, task: TaskInfo) -> bool:
        looks = int(task.state.get("looks", 0)) + 1
        task.state["looks"] = looks
        self.calls.append(f"look {looks}")
        if looks == 2:
            self.make(task)
        return looks > 2


@pytest.fixture(autouse=True)
def stones(one: Engine, other: Engine) -> None:
    for engine in (one, other):
        engine.register(Made)
        engine.register(Watched)
    Made.calls.clear()
    Made.meanwhile = None


def run(engine: Engine, clock: VirtualClock, seconds: int) -> None:
    clock.advance(seconds * SECOND)
    while engine.run_pending():
        pass


def test_a_retry_that_runs_is_not_taken_for_one_that_waits(one: Engine, other: Engine, clock: VirtualClock) -> None:
    one.deploy(line("shop", service("a", "Made")))
    number = one.start(key="shop", name="it").process_instance_id
    assert Made.calls == ["start 1"]
    Made.meanwhile = lambda: other.cancel(number)
    run(one, clock, 12)

    assert one.wait(number, timeout=60).status == "cancel.success"
    assert Made.calls == ["start 1", "start 2", "made", "undo thing"]


def test_a_poll_of_a_monitor_that_runs_is_not_taken_for_one_that_waits(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    one.deploy(line("shop", service("a", "Watched")))
    number = one.start(key="shop", name="it").process_instance_id
    Made.meanwhile = lambda: other.cancel(number)
    run(one, clock, 12)

    assert one.wait(number, timeout=60).status == "cancel.success"
    assert Made.calls == ["start", "look 1", "look 2", "made", "undo thing"]


def test_with_drain_all_a_retry_that_runs_is_let_run_to_its_end(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    """The other engine brings the message on which the other branch fails, while the retry runs."""
    one.deploy(
        definitions(
            '<message id="m" name="bad news"/>',
            process(
                "shop",
                '<startEvent id="begin"/><parallelGateway id="split"/><endEvent id="done"/>',
                '<endEvent id="failed"><errorEventDefinition/></endEvent>',
                service("a", "Made"),
                catch("news", '<messageEventDefinition messageRef="m"/>'),
                *(flow(*each.split()) for each in ("begin split", "split a", "split news", "a done", "news failed")),
            ),
        )
    )
    number = one.start(key="shop", name="it", drain="all").process_instance_id
    Made.meanwhile = lambda: other.message("bad news")
    run(one, clock, 12)

    assert one.wait(number, timeout=60).status == "rollback.success"
    assert Made.calls == ["start 1", "start 2", "made", "undo thing"]
