"""Failures have kinds: of no use to try again, too early, or a look that fails where nothing else did."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Fatal, Later, Stone, TaskInfo, VirtualClock

from .sketch import line, service
from .world import World, statuses


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is told here does not depend on the database."""
    return f"sqlite:///{tmp_path}/kinds.db"


class Throttled(Exception):
    """As boto3's ClientError has it: a code inside of an answer."""

    def __init__(self, code: str) -> None:
        super().__init__(f"An error occurred ({code})")
        self.response = {"Error": {"Code": code}}


class Cloud(Stone):
    """Does what its script says: an error is raised, anything else is a success."""

    code = "cloud"
    retries = 2
    retry_backoff = 10.0
    retry_jitter = 0.0
    monitor_interval = 5.0
    script: ClassVar[list[Any]] = []
    calls: ClassVar[list[tuple[str, int, str]]] = []

    def act(self, task: TaskInfo) -> Any:
        self.calls.append((task.event, task.attempt, task.idempotency_key))
        found = self.script.pop(0) if self.script else True
        if isinstance(found, BaseException):
            raise found
        return found

    def start(self, task: TaskInfo) -> None:
        self.act(task)

    def rollback(self, task: TaskInfo) -> None:
        self.act(task)


class Watched(Cloud):
    """One that is looked at."""

    def monitor(self, task: TaskInfo) -> bool:
        return bool(self.act(task))


def cloud(base: type[Cloud] = Cloud, *script: Any, **members: Any) -> type[Cloud]:
    made: Any = type("Scripted", (base,), {"script": [*script], "calls": [], "__doc__": base.__doc__, **members})
    found: type[Cloud] = made
    return found


def play(engine: Engine, stone: type[Cloud], **options: Any) -> Any:
    engine.register(stone)
    engine.deploy(line("shop", service("a", "cloud")))
    return engine.wait(engine.start(key="shop", name="x", **options).process_instance_id, 100_000)


def test_what_is_fatal_is_not_tried_again(engine: Engine) -> None:
    stone = cloud(Cloud, Fatal("No such image: ami-1."))
    found = play(engine, stone, rollback=False)
    assert (found.status, len(stone.calls)) == ("failed", 1)
    assert "No such image: ami-1." in (engine.tasks(found.process_instance_id)[0].reason or "")


def test_what_is_put_off_uses_no_attempt_up_and_keeps_its_key(engine: Engine, clock: VirtualClock) -> None:
    stone = cloud(Cloud, *[Later(60, "Rate exceeded")] * 5, RuntimeError("no"), RuntimeError("no"))
    begun = clock.now()
    found = play(engine, stone)
    assert (found.status, len(stone.calls)) == ("success", 8)
    assert [attempt for _, attempt, _ in stone.calls] == [1] * 6 + [2, 3]
    assert len({key for _, _, key in stone.calls}) == 1
    assert clock.now() - begun == (5 * 60 + 10 + 20) * 1000


def test_what_is_put_off_says_so_and_can_be_cancelled_with_what_it_may_have_made(engine: Engine) -> None:
    stone = cloud(Cloud, Later(600, "Rate exceeded"), cancel=Cloud.rollback)
    engine.register(stone)
    engine.deploy(line("shop", service("a", "cloud")))
    number = engine.start(key="shop", name="x").process_instance_id
    (task,) = engine.tasks(number)
    assert (task.status, task.reason) == ("start.failed", "Put off for 600 seconds: Rate exceeded")
    assert engine.cancel(number).status == "cancel.success"
    assert [event for event, _, _ in stone.calls] == ["start", "cancel"]


def test_what_is_put_off_goes_on_after_a_restart(url: str, clock: VirtualClock) -> None:
    stone = cloud(Cloud, Later(600))
    with Engine(url, stones=[stone], clock=clock) as engine:
        engine.deploy(line("shop", service("a", "cloud")))
        number = engine.start(key="shop", name="x").process_instance_id
    clock.advance(601_000)
    with Engine(url, stones=[stone], clock=clock) as engine:
        engine.run_pending()
        assert engine.get(number).status == "success"


def test_an_undo_is_put_off_too(engine: Engine, world: World) -> None:
    stone = cloud(Cloud, True, Later(30), Later(30), Later(30), Later(30))
    world.wrong("start", "b", RuntimeError("no"))
    engine.register(stone)
    engine.deploy(line("shop", service("a", "cloud"), service("b", "make")))
    found = engine.wait(engine.start(key="shop", name="x").process_instance_id, 1000)
    assert (found.status, len(stone.calls)) == ("rollback.success", 6)


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (ConnectionResetError("gone"), 3),
        (Throttled("Throttling"), 3),
        (Throttled("InvalidAMIID.NotFound"), 1),
        (ValueError("wrong"), 1),
    ],
)
def test_errors_worth_a_retry_are_named_by_class_or_code(engine: Engine, error: Exception, calls: int) -> None:
    stone = cloud(Cloud, error, error, error, error, retry_on=(ConnectionError, "Throttling"))
    play(engine, stone, rollback=False)
    assert len(stone.calls) == calls


def test_errors_that_are_of_no_use_go_before(engine: Engine) -> None:
    error = Throttled("QuotaExceeded")
    stone = cloud(Cloud, error, error, error, retry_on=(Throttled,), fatal_on=("QuotaExceeded",))
    play(engine, stone, rollback=False)
    assert len(stone.calls) == 1


def test_a_budget_of_time_ends_retries_and_what_is_put_off(engine: Engine, clock: VirtualClock) -> None:
    stone = cloud(Cloud, *[Later(60)] * 50, retry_for=600.0)
    begun = clock.now()
    found = play(engine, stone, rollback=False)
    assert (found.status, clock.now() - begun) == ("failed", 600_000)
    many = cloud(Cloud, *[RuntimeError("no")] * 50, retries=40, retry_backoff_max=100.0, retry_for=600.0)
    assert play(engine, many, rollback=False).status == "failed"
    assert len(many.calls) < 12


def test_a_look_that_fails_is_a_failed_look(engine: Engine) -> None:
    stone = cloud(Watched, True, False, RuntimeError("503"), RuntimeError("503"), RuntimeError("503"), False, True)
    found = play(engine, stone)
    assert found.status == "success"
    assert [event for event, _, _ in stone.calls] == ["start", *["monitor"] * 6]
    assert {attempt for _, attempt, _ in stone.calls} == {1}


def test_only_looks_in_a_row_are_counted(engine: Engine) -> None:
    failed = RuntimeError("503")
    stone = cloud(Watched, True, *[failed, failed, failed, False] * 4, True)
    assert play(engine, stone).status == "success"


def test_a_task_whose_looks_all_fail_has_failed(engine: Engine) -> None:
    stone = cloud(Watched, True, *[RuntimeError("503")] * 9, retries=0, monitor_retries=2)
    found = play(engine, stone, rollback=False)
    assert (found.status, len(stone.calls)) == ("failed", 4)
    strict = cloud(Watched, True, Fatal("It is in the state ERROR."), retries=0)
    assert play(engine, strict, rollback=False).status == "failed"
    assert len(strict.calls) == 2


def test_a_failed_look_is_told_and_survives_a_restart(url: str, clock: VirtualClock) -> None:
    stone = cloud(Watched, True, RuntimeError("503"))
    with Engine(url, stones=[stone], clock=clock) as engine:
        engine.deploy(line("shop", service("a", "cloud")))
        number = engine.start(key="shop", name="x").process_instance_id
        (task,) = engine.tasks(number)
        assert (task.status, task.reason) == ("monitor.failed", "Look 1 of 3 that may fail: RuntimeError: 503")
        assert "Look 1 of 3" in " ".join(engine.why(number).sentences)
    clock.advance(60_000)
    with Engine(url, stones=[stone], clock=clock) as engine:
        engine.run_pending()
        assert engine.get(number).status == "success"


def test_a_monitor_whose_time_is_over_fails_whatever_looks_are_left(engine: Engine) -> None:
    stone = cloud(Watched, True, *[False] * 50, retries=0, timeouts={"monitor": 60.0})
    assert play(engine, stone, rollback=False).status == "failed"


def test_a_process_that_fails_beside_a_failed_look_stops_it_and_takes_it_back(engine: Engine, world: World) -> None:
    stone = cloud(Watched, True, RuntimeError("503"))
    engine.register(stone)
    engine.deploy(line("shop", service("a", "cloud")))
    number = engine.start(key="shop", name="x").process_instance_id
    engine.cancel(number)
    assert statuses(engine.tasks(number)) == {"a": "canceled"}
