"""An engine that acts only when it is called keeps nothing to itself that is due later: whoever keeps time goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Quota, Stone, TaskInfo, VirtualClock, WaitTimeout
from riverstone.engine.instance.resting import Rested

from ..faults.test_clocks import timer
from ..features.sketch import catch, line, service

PAUSE = 0.3


class Cloud:
    """What was called, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: dict[str, int] = {}
        self.takes = 0.0
        """Seconds that each call takes."""

    def call(self, task: TaskInfo) -> None:
        self.calls.append(task.event)
        time.sleep(self.takes)
        if self.fails.get(task.event, 0) > 0:
            self.fails[task.event] -= 1
            raise RuntimeError("not now")


class Server(Stone):
    """A server whose hooks fail as often as the test says."""

    code = "server"
    retries = 3
    retry_backoff = PAUSE
    retry_jitter = 0.0
    cloud: ClassVar[Cloud]

    def start(self, task: TaskInfo) -> None:
        self.cloud.call(task)

    def delete(self, task: TaskInfo) -> None:
        self.cloud.call(task)


class Slow(Server):
    """One whose monitor looks twice before it is there."""

    code = "slow"
    monitor_interval = PAUSE

    def monitor(self, task: TaskInfo) -> bool:
        self.cloud.calls.append("look")
        return self.cloud.calls.count("look") > 2


class Long(Server):
    """One that takes its time."""

    code = "long"

    def start(self, task: TaskInfo) -> None:
        time.sleep(1)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def stones(cloud: Cloud) -> list[type[Stone]]:
    members: dict[str, Any] = {"cloud": cloud, "__doc__": "One of this test."}
    return [type(kind.__name__, (kind,), members) for kind in (Server, Slow, Long)]


@pytest.fixture
def called(url: str, stones: list[type[Stone]]) -> Iterator[Engine]:
    """It has something to do later, and is not called again."""
    with Engine(url, stones=stones) as engine:
        engine.deploy(line("shop", service("a", "server")))
        engine.deploy(line("slow", service("a", "slow")))
        engine.deploy(line("long", service("a", "long")))
        yield engine


@pytest.fixture
def keeper(called: Engine, stones: list[type[Stone]]) -> Iterator[Engine]:
    """It keeps time."""
    with Engine(called.url, stones=stones, dispatcher="threads") as engine:
        yield engine


def start(engine: Engine, key: str = "shop") -> str:
    return engine.start(key=key, name="it").process_instance_id


def ends(engine: Engine, number: str, status: str = "success") -> bool:
    """Whether it ends so, as far as it is looked at; nobody else is asked to do anything."""
    return _until(lambda: engine.get(number).status == status)


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_retry_is_begun_by_whoever_keeps_time(called: Engine, keeper: Engine, cloud: Cloud) -> None:
    cloud.fails["start"] = 1
    assert ends(keeper, start(called))
    assert cloud.calls == ["start", "start"]


def test_a_monitor_is_polled_by_whoever_keeps_time(called: Engine, keeper: Engine, cloud: Cloud) -> None:
    assert ends(keeper, start(called, "slow"))
    assert cloud.calls == ["start", "look", "look", "look"]


def test_a_retry_of_an_undo_is_begun_by_whoever_keeps_time(called: Engine, keeper: Engine, cloud: Cloud) -> None:
    number = start(called)
    cloud.fails["delete"] = 1
    called.delete(number)
    assert ends(keeper, number, "delete.success")
    assert cloud.calls == ["start", "delete", "delete"]


def test_what_was_suspended_is_begun_by_whoever_keeps_time(called: Engine, keeper: Engine, cloud: Cloud) -> None:
    cloud.fails["start"] = 1
    number = start(called)
    called.suspend(number)
    assert _until(lambda: keeper.tasks(number)[0].status == "suspended")
    called.unsuspend(number)
    assert ends(keeper, number)
    assert cloud.calls == ["start", "start"]


def test_a_batch_that_takes_its_time_is_gone_on_with_by_whoever_keeps_it(called: Engine, keeper: Engine) -> None:
    numbers = [start(called) for _ in range(4)]
    batch = called.batch("delete", {"key": "shop"}, rate=4.0)
    assert _until(lambda: keeper.batch_progress(batch.batch_id).state == "ended")
    assert all(ends(keeper, number, "delete.success") for number in numbers)


def test_who_waits_while_another_engine_has_all_in_hand_is_told_of_the_end(
    called: Engine, keeper: Engine, cloud: Cloud
) -> None:
    cloud.fails["start"] = 1
    number = start(called)
    cloud.takes = 1.0
    assert _until(lambda: len(cloud.calls) == 2)
    assert called.wait(number, 30).status == "success"


@pytest.mark.parametrize("key", ["shop", "slow"])
def test_whoever_waits_for_the_end_is_told_of_it_whichever_engine_goes_on(
    called: Engine, keeper: Engine, cloud: Cloud, key: str
) -> None:
    """Both may go on with each attempt and each look, and one of them does."""
    cloud.fails["start"] = 3
    number = start(called, key)
    assert called.wait(number, 30).status == "success"
    assert cloud.calls == ["start"] * 4 + ["look"] * 3 * (key == "slow")


def test_whoever_waits_does_not_sleep_past_the_end_over_what_is_due_much_later(called: Engine, keeper: Engine) -> None:
    called.deploy(line("later", catch("wait", timer("timeDuration", "PT1H"))))
    called.start(key="later", name="it")
    assert called.wait(start(keeper, "long"), 20).status == "success"


def test_whoever_waits_waits_for_room_in_a_quota_that_another_gives(url: str, stones: list[type[Stone]]) -> None:
    quotas = {"long": Quota(at_once=1)}
    with (
        Engine(url, stones=stones, quotas=quotas) as called,
        Engine(url, stones=stones, quotas=quotas, dispatcher="threads") as keeper,
    ):
        called.deploy(line("long", service("a", "long")))
        number = [start(keeper, "long") for _ in range(2)][1]
        assert _until(lambda: keeper.tasks(number)[0].status == "queued")
        assert called.wait(number, 60).status == "success"


def test_whoever_waits_is_not_told_that_nothing_comes_of_what_has_just_come(called: Engine, keeper: Engine) -> None:
    """Another engine ends it between one look and the next: by then nothing is due, and nobody has it in hand."""
    called.deploy(line("asks", '<userTask id="ask"/>'))
    number = called.start(key="asks", name="it").process_instance_id
    looks = 0

    def read() -> Rested | None:
        nonlocal looks
        looks += 1
        rested = called._at_rest(int(number))
        if looks == 2:
            keeper.complete(keeper.tasks(number)[0].task_id, {})
        return rested

    assert called._pump.wait(int(number), read, 20) is not None
    assert called.get(number).status == "success"


def test_whoever_waits_waits_for_what_the_workers_of_another_have_in_hand(called: Engine, keeper: Engine) -> None:
    number = start(keeper, "long")
    ((owner,),) = called._store.read("SELECT `owner` FROM `task`")
    called._store.execute("UPDATE `task` SET `owner` = 'workers'")
    with pytest.raises(WaitTimeout, match="had not ended"):
        called.wait(number, 0.3)
    called._store.execute("UPDATE `task` SET `owner` = ?", (owner,))
    assert called.wait(number, 60).status == "success"


def test_a_cancel_by_another_does_not_wait_for_a_look_that_has_come_back_since(url: str) -> None:
    looking, go_on = threading.Event(), threading.Event()

    class Watched(Stone):
        code = "watched"
        monitor_interval = 0.5
        grace = 60.0

        def start(self, task: TaskInfo) -> None:
            pass

        def monitor(self, task: TaskInfo) -> bool:
            # Only a look that is not the first is entered without a step.
            if Watched.monitor_interval < 1:
                Watched.monitor_interval = 1.0
                return False
            Watched.monitor_interval = 600.0
            looking.set()
            go_on.wait(30)
            return False

        def delete(self, task: TaskInfo) -> None:
            pass

    with (
        Engine(url, stones=[Watched]) as called,
        Engine(url, stones=[Watched], passive=True, dispatcher="threads") as other,
    ):
        called.deploy(line("watching", service("a", "watched")))
        number = start(called, "watching")

        def look() -> None:
            while not looking.is_set():
                called.run_pending()
                time.sleep(0.02)

        looker = threading.Thread(target=look)
        looker.start()
        assert looking.wait(30)
        other.set_variables(number, {"seen": True})
        go_on.set()
        looker.join()
        other.cancel(number)
        assert ends(other, number, "cancel.success")


def test_without_another_it_goes_on_by_itself_when_it_is_called(
    url: str, stones: list[type[Stone]], cloud: Cloud, clock: VirtualClock
) -> None:
    cloud.fails["start"] = 1
    with Engine(url, stones=stones, clock=clock) as engine:
        engine.deploy(line("slow", service("a", "slow")))
        number = start(engine, "slow")
        for _ in range(3):
            assert engine.get(number).status == "running"
            clock.advance(1)
            engine.run_pending()
        assert engine.get(number).status == "success"
    assert cloud.calls == ["start", "start", "look", "look", "look"]


@pytest.mark.parametrize("key", ["shop", "slow"])
def test_of_two_that_are_called_one_goes_on(
    url: str, stones: list[type[Stone]], cloud: Cloud, clock: VirtualClock, key: str
) -> None:
    cloud.fails["start"] = 2
    with Engine(url, stones=stones, clock=clock) as one, Engine(url, stones=stones, clock=clock) as other:
        one.deploy(line("shop", service("a", "server")))
        one.deploy(line("slow", service("a", "slow")))
        number = start(one, key)
        for engine in (other, one, one, other, other, one):
            clock.advance(2)
            engine.run_pending()
        assert one.get(number).status == "success"
    assert cloud.calls == ["start"] * 3 + ["look"] * 3 * (key == "slow")
