"""An engine's process is killed in the middle of everything; the next one goes on where it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from riverstone.engine import Engine
from riverstone.engine.river.engines import dead_engines

from .sketch import catch, definitions, flow, line, process, service
from .survivor import make_stones

SCRIPT = Path(__file__).with_name("survivor.py")


class House:
    """A store and the list of calls that its stones have got."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/river.db"
        self.calls = folder / "calls"

    def engine(self, dispatcher: Literal["inline", "threads"] = "threads", *, passive: bool = False) -> Engine:
        """An engine in this process whose stones do not hang."""
        return Engine(self.url, stones=make_stones(self.calls, 0), dispatcher=dispatcher, passive=passive)

    def called(self) -> list[list[str]]:
        """Each call of a stone: process, namespace, event, idempotency key."""
        return [line.split() for line in self.calls.read_text().splitlines()] if self.calls.exists() else []

    @contextmanager
    def victim(self) -> Iterator[subprocess.Popen[str]]:
        """A process with an engine on the store; it is killed at the end."""
        command = [sys.executable, str(SCRIPT), self.url, str(self.calls)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == "ready\n"
                yield child
            finally:
                child.send_signal(signal.SIGKILL)

    def ask(self, child: subprocess.Popen[str], count: int, key: str) -> None:
        """Have the other process start so many, and return when it has."""
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{count} {key}\n")
        child.stdin.flush()
        assert child.stdout.readline() == "started\n"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.005)


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_a_stone_that_was_killed_is_delivered_again_at_once_with_its_key(
    house: House, dispatcher: Literal["inline", "threads"]
) -> None:
    with house.engine() as engine:
        engine.deploy(line("shop", service("a", "quick"), service("b", "slow"), service("c", "quick")))
    with house.victim() as child:
        house.ask(child, 1, "shop")
        until(lambda: len(house.called()) == 2)

    begun = time.monotonic()
    with house.engine(dispatcher) as engine:
        (instance,) = engine.instances().items
        ended = engine.wait(instance.process_instance_id, timeout=28)
        assert time.monotonic() - begun < dead_engines.LEASE - 2, "it waited for a lease to run out"
        tasks = engine.tasks(instance.process_instance_id)

    assert ended.status == "success"
    assert [(task.namespace, task.status, task.attempt) for task in tasks] == [
        (name, "start.success", 1) for name in "abc"
    ]
    (_, *first), (_, *killed), (_, *again), (_, *last) = house.called()
    assert killed == again
    assert killed[2] == ended.native_output_values["b"]["id"]
    assert [first[0], killed[0], last[0]] == ["a", "b", "c"]


def test_a_living_engine_takes_over_from_one_that_is_killed(house: House) -> None:
    with house.engine() as engine:
        engine.deploy(line("shop", service("b", "slow")))
        with house.victim() as child:
            house.ask(child, 3, "shop")
            until(lambda: len(house.called()) == 3)

        begun = time.monotonic()
        for instance in engine.instances().items:
            assert engine.wait(instance.process_instance_id, timeout=28).status == "success"
        assert time.monotonic() - begun < dead_engines.LEASE - 2, "it waited for a lease to run out"
    counts = Counter(tuple(call) for call in house.called())
    assert set(counts.values()) == {2}


def test_a_passive_engine_takes_over_nothing(house: House) -> None:
    with house.engine() as engine:
        engine.deploy(line("shop", service("b", "slow")))
    with house.victim() as child:
        house.ask(child, 1, "shop")
        until(lambda: len(house.called()) == 1)

    with house.engine(passive=True) as engine:
        (instance,) = engine.instances().items
        time.sleep(0.3)
        assert engine.get(instance.process_instance_id).status == "running"
        assert len(house.called()) == 1
    with house.engine() as engine:
        assert engine.wait(instance.process_instance_id, timeout=60).status == "success"


def test_a_monitor_goes_on_looking_with_its_state_and_is_not_started_again(house: House) -> None:
    with house.engine() as engine:
        engine.deploy(line("shop", service("a", "watched")))
    with house.victim() as child:
        house.ask(child, 1, "shop")
        until(lambda: len(house.called()) >= 5)

    with house.engine() as engine:
        (instance,) = engine.instances().items
        assert engine.wait(instance.process_instance_id, timeout=60).status == "success"
    events = Counter(call[2] for call in house.called())
    assert events["start"] == 1
    assert events["monitor"] <= 40
    assert len({call[3] for call in house.called()}) == 1


def test_hundreds_of_processes_killed_in_the_middle_lose_and_double_nothing(house: House) -> None:
    nodes = [service(name, "quick") for name in "abcde"]
    with house.engine() as engine:
        engine.deploy(line("shop", *nodes))
        engine.deploy(
            definitions(
                process(
                    "wide",
                    '<startEvent id="begin"/><parallelGateway id="split"/><parallelGateway id="join"/>',
                    '<endEvent id="done"/>',
                    *nodes,
                    flow("begin", "split"),
                    *(flow("split", name) + flow(name, "join") for name in "abcde"),
                    flow("join", "done"),
                )
            )
        )
    for _ in range(3):
        before = len(house.called())
        with house.victim() as child:
            assert child.stdin is not None
            child.stdin.write("200 shop\n200 wide\n")
            child.stdin.flush()
            until(lambda: len(house.called()) > before + 150)  # noqa: B023

    with house.engine() as engine:
        cursor, ids = None, []
        while True:
            page = engine.instances(limit=200, cursor=cursor)
            ids += [instance.process_instance_id for instance in page.items]
            if (cursor := page.cursor) is None:
                break
        for number in ids:
            ended = engine.wait(number, timeout=30)
            assert ended.status == "success"
            assert {name: values["id"] for name, values in ended.native_output_values.items()}.keys() == set("abcde")
        keys: dict[tuple[str, str], set[str]] = defaultdict(set)
        for number, namespace, event, key in house.called():
            assert event == "start"
            keys[number, namespace].add(key)
        assert {number for number, _ in keys} == set(ids)
        # However often a task was delivered, it was under one key.
        assert all(len(found) == 1 for found in keys.values())
        assert len(keys) == 5 * len(ids)
        assert all(len(engine.tasks(number)) == 5 for number in ids)


def test_what_waits_is_not_touched_by_a_kill(house: House) -> None:
    message = catch("wait", '<messageEventDefinition messageRef="m"/>')
    with house.engine() as engine:
        engine.deploy(line("shop", message, service("a", "quick"), before='<message id="m" name="paid"/>'))
        engine.deploy(
            line(
                "timed", catch("t", "<timerEventDefinition><timeDuration>PT0.2S</timeDuration></timerEventDefinition>")
            )
        )
        engine.deploy(line("asked", '<userTask id="ask"/>'))
    with house.victim() as child:
        for key in ("shop", "timed", "asked"):
            house.ask(child, 1, key)

    with house.engine() as engine:
        (asked,), (timed,), (shop,) = (engine.instances(key=key).items for key in ("asked", "timed", "shop"))
        assert engine.wait(timed.process_instance_id, timeout=60).status == "success"
        assert engine.message("paid").process_instance_id == shop.process_instance_id
        engine.complete(engine.tasks(asked.process_instance_id)[0].task_id)
        assert engine.wait(shop.process_instance_id, timeout=60).status == "success"
        assert engine.wait(asked.process_instance_id, timeout=60).status == "success"
