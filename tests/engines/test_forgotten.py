"""An engine that others took for dead begins anew under another id, and nothing that it had before is its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, VirtualClock
from riverstone.engine.work import Work
from riverstone.models import EngineRow

from ..features.sketch import line, service


class Slow(Stone):
    code = "Slow"
    retries = 1
    retry_backoff = 10.0
    calls: ClassVar[list[str]] = []
    meanwhile: ClassVar[Callable[[TaskInfo], object] | None] = None

    def start(self, task: TaskInfo) -> None:
        self.calls.append(f"start {task.attempt}")
        meanwhile, Slow.meanwhile = Slow.meanwhile, None
        if meanwhile is not None:
            meanwhile(task)
        if task.attempt == 1:
            raise RuntimeError("not yet")


@pytest.fixture(autouse=True)
def stones(one: Engine, other: Engine) -> None:
    for engine in (one, other):
        engine.register(Slow)
    Slow.calls.clear()


def engine_id(engine: Engine) -> str:
    return engine._facilities.engine_id


def bury(dead: Engine, by: Engine, clock: VirtualClock) -> None:
    """Let one engine take the other for dead, though it lives."""
    rows: list[EngineRow] = [row for row in by._loop.lease.leases.engines() if row.id == engine_id(dead)]
    by._loop.lease.leases.take_from(rows, clock.now())


def settle(engine: Engine, clock: VirtualClock) -> None:
    for _ in range(3):
        clock.advance(20)
        while engine.run_pending():
            pass


def test_an_engine_that_was_forgotten_claims_nothing_under_its_old_id(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    one.deploy(line("shop", service("a", "Slow")))
    number = one.start(key="shop", name="it").process_instance_id
    before = engine_id(one)
    bury(one, other, clock)
    settle(one, clock)
    assert engine_id(one) != before
    assert one.get(number).status == "success"
    assert Slow.calls == ["start 1", "start 2"]
    assert before not in {row.id for row in one._loop.lease.leases.engines()}


def test_what_comes_of_a_hook_that_an_engine_had_before_it_was_forgotten_is_not_its_tasks(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    """The start is called again, with the same key, by whoever claims the task."""
    one.deploy(line("shop", service("a", "Slow")))
    Slow.meanwhile = lambda _: bury(one, other, clock)
    number = one.start(key="shop", name="it").process_instance_id
    settle(one, clock)
    assert Slow.calls == ["start 1", "start 1", "start 2"]
    assert one.wait(number, timeout=60).status == "success"


def test_what_was_handed_over_before_may_not_begin(one: Engine, other: Engine, clock: VirtualClock) -> None:
    """Asked before a hook begins whose work has waited, the store says whose it is."""
    asked: list[bool] = []

    def ask(task: TaskInfo) -> None:
        numbers = int(task.task_id), int(task.process_instance_id)
        work = Work(*numbers, "Slow", "start", 1, "key", "a", "a", "{}", None, None)

        def may_begin() -> None:
            asked.append(one._reports.may_begin(work, waited=1.0))

        may_begin()
        bury(one, other, clock)
        may_begin()
        one._river.begin_anew()
        may_begin()

    one.deploy(line("shop", service("a", "Slow")))
    Slow.meanwhile = ask
    one.start(key="shop", name="it")
    assert asked == [True, False, False]


def test_what_has_waited_does_not_begin_once_its_process_is_to_stop(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    """It waits for a thread at one engine while the other has the process cancelled: the undo need not wait for it."""
    one.deploy(line("shop", service("a", "Slow"), service("b", "Slow")))
    asked: list[bool] = []

    def ask(task: TaskInfo) -> None:
        numbers = int(task.task_id), int(task.process_instance_id)
        work = Work(*numbers, "Slow", "start", 1, "key", "a", "a", "{}", None, None)
        other.cancel(task.process_instance_id)
        asked.append(one._reports.may_begin(work, waited=1.0))

    Slow.meanwhile = ask
    number = one.start(key="shop", name="it").process_instance_id
    assert asked == [False]
    assert one.wait(number, timeout=60).status == "cancel.success"
