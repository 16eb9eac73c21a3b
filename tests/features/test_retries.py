"""What fails is tried again later under the same key, and what takes too long has failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import BpmnError, Engine, ModelInvalid, Stone, TaskInfo, VirtualClock

from .sketch import line, service

calls: list[tuple[str, int, str, int]] = []


@pytest.fixture
def clock() -> VirtualClock:
    calls.clear()
    return VirtualClock(1_800_000_000_000)


@pytest.fixture
def engine(url: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, clock=clock) as engine:
        yield engine


class Flaky(Stone):
    """Works at its third attempt."""

    code = "flaky"
    retries = 3
    retry_backoff = 10.0
    works_at: ClassVar[int] = 3
    clock: ClassVar[VirtualClock]

    def start(self, task: TaskInfo) -> None:
        calls.append((task.event, task.attempt, task.idempotency_key, self.clock.now()))
        if task.attempt < self.works_at:
            raise OSError(f"no answer {task.attempt}")
        task.add_output("id", task.attempt)


def run(engine: Engine, stone: type[Stone], node: str | None = None) -> Any:
    engine.register(stone)
    engine.deploy(line("shop", node or service("a", stone.code)))
    return engine.wait(engine.start(key="shop", name="test", rollback=False).process_instance_id)


def test_a_failed_start_is_tried_again_after_a_growing_pause_with_the_same_key(
    engine: Engine, clock: VirtualClock
) -> None:
    Flaky.clock = clock

    ended = run(engine, Flaky)

    (task,) = engine.tasks(ended.process_instance_id)
    assert (ended.status, task.attempt, task.outputs, task.reason) == ("success", 3, {"id": 3}, None)
    assert [attempt for _, attempt, _, _ in calls] == [1, 2, 3]
    assert len({key for _, _, key, _ in calls}) == 1
    pauses = [second[3] - first[3] for first, second in pairwise(calls)]
    assert 10_000 <= pauses[0] <= 11_000
    assert 20_000 <= pauses[1] <= 22_000


def test_a_task_that_waits_for_its_retry_says_so(engine: Engine, clock: VirtualClock) -> None:
    Flaky.clock = clock
    engine.register(Flaky)
    engine.deploy(line("shop", service("a", "flaky")))
    number = engine.start(key="shop", name="test").process_instance_id

    (task,) = engine.tasks(number)
    assert (task.status, task.end_time) == ("start.failed", None)
    assert task.reason is not None
    assert "no answer 1" in task.reason
    assert engine.get(number).status == "running"


def test_a_retry_survives_a_restart(tmp_path: Path, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    Flaky.clock = clock
    with Engine(url, stones=[Flaky], clock=clock) as engine:
        engine.deploy(line("shop", service("a", "flaky")))
        number = engine.start(key="shop", name="test").process_instance_id
    for _ in range(2):
        with Engine(url, stones=[Flaky], clock=clock) as engine:
            clock.advance(9)
            engine.run_pending()
            clock.advance(15)
            engine.run_pending()

    with Engine(url, stones=[Flaky], clock=clock) as engine:
        assert engine.get(number).status == "success"
    assert [attempt for _, attempt, _, _ in calls] == [1, 2, 3]
    assert len({key for _, _, key, _ in calls}) == 1


def test_when_every_attempt_has_failed_the_process_has_failed(engine: Engine, clock: VirtualClock) -> None:
    class Hopeless(Flaky):
        works_at = 99

    Hopeless.clock = clock

    ended = run(engine, Hopeless)

    assert ended.status == "failed"
    assert "no answer 4" in ended.reason
    assert [attempt for _, attempt, _, _ in calls] == [1, 2, 3, 4]


def test_a_business_error_is_not_tried_again(engine: Engine, clock: VirtualClock) -> None:
    class SoldOut(Flaky):
        def start(self, task: TaskInfo) -> None:
            calls.append((task.event, task.attempt, task.idempotency_key, self.clock.now()))
            raise BpmnError("sold-out")

    SoldOut.clock = clock

    assert run(engine, SoldOut).status == "failed"
    assert len(calls) == 1


def test_a_monitor_that_fails_is_started_again(engine: Engine, clock: VirtualClock) -> None:
    class Server(Flaky):
        retries = 1
        monitor_retries = 0

        def start(self, task: TaskInfo) -> None:
            calls.append((task.event, task.attempt, task.idempotency_key, 0))

        def monitor(self, task: TaskInfo) -> bool:
            calls.append((task.event, task.attempt, task.idempotency_key, 0))
            if task.attempt == 1:
                raise RuntimeError("did not boot")
            assert task.state == {}
            return True

    ended = run(engine, Server)

    assert ended.status == "success"
    assert [(event, attempt) for event, attempt, _, _ in calls] == [
        ("start", 1),
        ("monitor", 1),
        ("start", 2),
        ("monitor", 2),
    ]


def test_the_pause_stays_below_its_maximum(engine: Engine, clock: VirtualClock) -> None:
    class Patient(Flaky):
        retries = 6
        retry_backoff = 100.0
        retry_backoff_max = 150.0
        works_at = 6

    Patient.clock = clock

    assert run(engine, Patient).status == "success"
    pauses = [second[3] - first[3] for first, second in pairwise(calls)]
    assert max(pauses) <= 165_000


class Slow(Stone):
    """Takes until it is let go."""

    code = "slow"
    timeouts = {"start": 0.2}
    let_go: ClassVar[threading.Event]
    asked: ClassVar[list[bool]]

    def start(self, task: TaskInfo) -> None:
        self.asked.append(task.wait_for_cancel(60))
        self.let_go.wait(60)
        task.add_output("late", 1)


def test_a_start_that_takes_too_long_has_failed_and_its_late_answer_moves_nothing(tmp_path: Path) -> None:
    Slow.let_go, Slow.asked = threading.Event(), []
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Slow], dispatcher="threads") as engine:
        engine.stone("after")(lambda task: {"ran": True})
        engine.deploy(line("shop", service("a", "slow"), service("b", "after")))
        begun = time.monotonic()
        number = engine.start(key="shop", name="test", rollback=False).process_instance_id
        ended = engine.wait(number, timeout=60)
        assert time.monotonic() - begun < 55
        Slow.let_go.set()

        assert ended.status == "failed"
        assert "start took longer" in (ended.reason or "")
    with Engine(f"sqlite:///{tmp_path}/river.db", passive=True) as engine:
        (task,) = engine.tasks(number)
        assert engine.get(number).status == "failed"
        assert (task.status, task.outputs) == ("start.failed", {"late": 1})
    assert Slow.asked == [True]


def test_a_monitor_that_is_not_done_in_its_time_has_failed(engine: Engine, clock: VirtualClock) -> None:
    class Never(Stone):
        code = "never"
        monitor_interval = 10.0
        timeouts = {"monitor": 95.0}

        def monitor(self, task: TaskInfo) -> bool:
            calls.append(("monitor", 1, "", clock.now()))
            return False

    begun = clock.now()

    ended = run(engine, Never)

    assert ended.status == "failed"
    assert "monitor took longer" in ended.reason
    assert clock.now() - begun == 95_000
    assert len(calls) == 10


ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'


@pytest.mark.parametrize(
    ("cycle", "pauses"),
    [("R3/PT10M", [600, 600, 600]), ("PT10S,PT1M,PT5M", [10, 60, 300]), ("R2/PT0S", [0, 0])],
)
def test_a_retry_cycle_keeps_its_count_and_its_pauses(
    engine: Engine, clock: VirtualClock, cycle: str, pauses: list[int]
) -> None:
    class Hopeless(Flaky):
        works_at = 99

    Hopeless.clock = clock
    inside = f"<camunda:failedJobRetryTimeCycle>{cycle}</camunda:failedJobRetryTimeCycle>"

    run(engine, Hopeless, service("a", "flaky", inside=f"<extensionElements>{inside}</extensionElements>"))

    assert [second[3] - first[3] for first, second in pairwise(calls)] == [1000 * pause for pause in pauses]


def properties(**told: str) -> str:
    parts = "".join(f'<camunda:property name="{name}" value="{value}"/>' for name, value in told.items())
    return f"<extensionElements><camunda:properties>{parts}</camunda:properties></extensionElements>"


@pytest.mark.parametrize(
    ("told", "pauses"),
    [
        ({"retryBackoff": "PT1M"}, [60, 120, 240, 300]),
        ({"retryBackoff": "PT1S", "retryBackoffMax": "PT3S"}, [1, 2, 3, 3]),
        ({"retryBackoffMax": "PT15S"}, [10, 15, 15, 15]),
        ({"retryBackoff": "PT10M"}, [600, 600, 600, 600]),
        ({"retryBackoff": "PT0S"}, [0, 0, 0, 0]),
        ({"retries": "R4/PT10S"}, [10, 10, 10, 10]),
    ],
)
def test_a_node_says_how_its_pauses_grow_in_place_of_its_stone(
    engine: Engine, clock: VirtualClock, told: dict[str, str], pauses: list[int]
) -> None:
    class Hopeless(Flaky):
        works_at = 99
        retry_jitter = 0.0

    Hopeless.clock = clock

    run(engine, Hopeless, service("a", "flaky", inside=properties(**{"retries": "4", **told})))

    assert [second[3] - first[3] for first, second in pairwise(calls)] == [1000 * pause for pause in pauses]


@pytest.mark.parametrize("retries", ["6", "R6/PT10S"])
def test_a_node_says_by_how_much_its_pauses_differ(engine: Engine, clock: VirtualClock, retries: str) -> None:
    class Hopeless(Flaky):
        works_at = 99
        retry_jitter = 0.0

    Hopeless.clock = clock
    told = {"retries": retries, "retryJitter": "0.5"}
    if retries == "6":
        told |= {"retryBackoff": "PT10S", "retryBackoffMax": "PT10S"}

    run(engine, Hopeless, service("a", "flaky", inside=properties(**told)))

    pauses = [second[3] - first[3] for first, second in pairwise(calls)]
    assert all(10_000 <= pause <= 15_000 for pause in pauses)
    assert len(set(pauses)) > 1


def test_another_engine_keeps_to_what_the_node_says(url: str, clock: VirtualClock) -> None:
    """It is in the ledger, so no engine has to look at the model for it."""

    class Hopeless(Flaky):
        works_at = 99
        retry_jitter = 0.0

    Hopeless.clock = clock
    told = properties(retries="2", retryBackoff="PT1H", retryBackoffMax="PT1H30M")
    with Engine(url, stones=[Hopeless], clock=clock) as engine:
        engine.deploy(line("shop", service("a", "flaky", inside=told)))
        number = engine.start(key="shop", name="test", rollback=False).process_instance_id
    with Engine(url, stones=[Hopeless], clock=clock) as engine:
        assert engine.wait(number).status == "failed"
    assert [second[3] - first[3] for first, second in pairwise(calls)] == [3_600_000, 5_400_000]


def test_a_look_that_fails_waits_as_the_node_says(engine: Engine, clock: VirtualClock) -> None:
    class Watched(Stone):
        code = "watched"
        monitor_interval = 1.0

        def start(self, task: TaskInfo) -> None:
            """It begins."""

        def monitor(self, task: TaskInfo) -> bool:
            calls.append((task.event, task.attempt, task.idempotency_key, clock.now()))
            raise OSError("no answer")

    run(engine, Watched, service("a", "watched", inside=properties(retryBackoff="PT30S")))

    assert [second[3] - first[3] for first, second in pairwise(calls)] == [30_000, 60_000, 120_000]


@pytest.mark.parametrize(
    "told",
    [
        {"retryBackoff": "10"},
        {"retryBackoff": "-PT1S"},
        {"retryBackoffMax": "soon"},
        {"retryJitter": "1.5"},
        {"retryJitter": "-1"},
        {"retryJitter": "NaN"},
        {"retryJitter": "50%"},
        {"retries": "R3/PT10S", "retryBackoff": "PT1S"},
    ],
)
def test_pauses_that_nobody_can_read_are_refused(engine: Engine, told: dict[str, str]) -> None:
    name, value = list(told.items())[-1]
    with pytest.raises(ModelInvalid) as refused:
        engine.deploy(line("shop", service("a", "flaky", inside=properties(**told))))
    assert f"property {name}='{value}'" in str(refused.value)


def test_pauses_of_java_engines_do_not_grow_either(engine: Engine) -> None:
    told = properties(retryBackoff="PT10S")
    cycle = "<camunda:failedJobRetryTimeCycle>R3/PT5S</camunda:failedJobRetryTimeCycle>"
    told = told.replace("<extensionElements>", f"<extensionElements>{cycle}")
    with pytest.raises(ModelInvalid) as refused:
        engine.deploy(line("shop", service("a", "flaky", inside=told)))
    assert "property retryBackoff='PT10S'" in str(refused.value)


@pytest.mark.parametrize(("retries", "tries"), [("3", 3), ("1", 1), ("0", 1)])
def test_zeebe_counts_all_tries(engine: Engine, clock: VirtualClock, retries: str, tries: int) -> None:
    class Hopeless(Flaky):
        works_at = 99

    Hopeless.clock = clock
    inside = f'<extensionElements {ZEEBE}><zeebe:taskDefinition type="flaky" retries="{retries}"/></extensionElements>'

    run(engine, Hopeless, f'<serviceTask id="a">{inside}</serviceTask>')

    assert [attempt for _, attempt, _, _ in calls] == list(range(1, tries + 1))
