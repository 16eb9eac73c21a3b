"""What a hook logs can be read while it runs, and stands there once when it has ended."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Deferral, Engine, Stone, TaskInfo
from riverstone.engine.stones.hooks import live_log

from .sketch import line, service

ROOT = Path(__file__).resolve().parents[2]


class Gate:
    """Where hooks wait, and what they log."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.more = threading.Event()
        self.fails = False


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()
    made.more.set()


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
    return found


def talker(gate: Gate, **members: Any) -> type[Stone]:
    def start(self: Stone, task: TaskInfo) -> Any:
        task.log("one")
        gate.more.wait(30)
        task.log("two")
        task.log("three")
        gate.open.wait(30)
        task.log("four")
        if gate.fails and task.attempt == 1:
            raise ValueError("not yet")

    return type("Talker", (Stone,), {"code": "talker", "start": start, "retry_backoff": 0.02, **members})


def started(engine: Engine, stone: type[Stone]) -> str:
    engine.register(stone)
    engine.deploy(line("p", service("a", stone.code)))
    return engine.start(key="p", name="p").process_instance_id


def log_of(engine: Engine, number: str) -> tuple[str, ...]:
    found = engine.tasks(number)
    return found[0].log if found else ()


def test_lines_are_there_while_the_hook_runs_and_once_when_it_has_ended(url: str, gate: Gate) -> None:
    with Engine(url, dispatcher="threads") as engine, Engine(url, dispatcher="threads", passive=True) as other:
        number = started(engine, talker(gate))
        until(lambda: log_of(engine, number) == ("one",))
        assert log_of(other, number) == ("one",)
        assert engine.tasks(number)[0].end_time is None
        gate.more.set()
        until(lambda: log_of(other, number) == ("one", "two", "three"))
        gate.open.set()
        engine.wait(number, timeout=30)
        assert log_of(engine, number) == ("one", "two", "three", "four")


def test_lines_of_an_inline_engine_are_there_while_its_caller_waits_for_the_hook(sqlite: str, gate: Gate) -> None:
    with Engine(sqlite) as engine, Engine(sqlite, passive=True) as other:
        engine.register(talker(gate))
        engine.deploy(line("p", service("a", "talker")))
        caller = threading.Thread(target=lambda: engine.start(key="p", name="p"))
        caller.start()
        number = until(lambda: [each.process_instance_id for each in other.search().items])[0]
        until(lambda: log_of(other, number) == ("one",))
        gate.more.set()
        until(lambda: log_of(engine, number) == ("one", "two", "three"))
        gate.open.set()
        caller.join(30)
        assert engine.get(number).status == "success"
        assert log_of(engine, number) == ("one", "two", "three", "four")


def test_a_failed_attempt_keeps_its_lines_and_the_next_adds_its_own(sqlite: str, gate: Gate) -> None:
    gate.fails = True
    gate.more.set()
    with Engine(sqlite, dispatcher="threads") as engine:
        number = started(engine, talker(gate, retries=1))
        until(lambda: len(log_of(engine, number)) == 3)
        gate.open.set()
        engine.wait(number, timeout=30)
        assert log_of(engine, number) == ("one", "two", "three", "four") * 2


@pytest.mark.slow
def test_lines_of_an_engine_that_died_stay(sqlite: str) -> None:
    """The next engine begins the hook again, and what the first has told is not lost."""
    with Engine(sqlite, dispatcher="threads", passive=True) as engine:
        child = subprocess.Popen([sys.executable, "-m", "tests.features.talker", sqlite], cwd=ROOT)
        try:
            number = until(lambda: [each.process_instance_id for each in engine.search().items])[0]
            until(lambda: log_of(engine, number) == ("first",))
        finally:
            child.kill()
            child.wait()
    with Engine(sqlite, dispatcher="threads") as engine:
        engine.stone("talker")(lambda task: task.log("again"))
        engine.wait(number, timeout=60)
        assert log_of(engine, number) == ("first", "again")


def test_a_coroutine_is_watched_too(sqlite: str) -> None:
    async def start(self: Stone, task: TaskInfo) -> None:
        task.log("begun")
        for _ in range(1500):
            if task.cancel_requested:
                return
            await asyncio.sleep(0.02)

    with Engine(sqlite, dispatcher="threads") as engine:
        number = started(engine, type("Slow", (Stone,), {"code": "slow", "start": start, "cancel": lambda *_: None}))
        until(lambda: log_of(engine, number) == ("begun",))
        engine.cancel(number)
        engine.wait(number, timeout=30)


def test_no_more_than_the_last_lines_are_kept_and_a_flood_is_one_write_a_second(sqlite: str, gate: Gate) -> None:
    def start(self: Stone, task: TaskInfo) -> None:
        for number in range(5000):
            task.log(f"line {number} {'x' * 2000}")
        gate.open.wait(30)

    with Engine(sqlite, dispatcher="threads") as engine:
        number = started(engine, type("Flood", (Stone,), {"code": "flood", "start": start}))
        log = until(lambda: log_of(engine, number))
        assert [line[:10] for line in log] == ["line 4996 ", "line 4997 ", "line 4998 ", "line 4999 "]
        revision = engine._store.instance(int(number)).revision  # type: ignore[union-attr]
        time.sleep(1.5)
        assert engine._store.instance(int(number)).revision == revision  # type: ignore[union-attr]
        gate.open.set()
        engine.wait(number, timeout=30)
        assert (len(log_of(engine, number)), log_of(engine, number)[-4:]) == (200, log)


def test_a_short_hook_and_one_that_says_nothing_cost_no_write_of_their_own(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(live_log.LiveLog, "tell", lambda self: told.append(self))
    with Engine(sqlite, dispatcher="threads") as engine:
        number = started(engine, type("Short", (Stone,), {"code": "short", "start": lambda _, task: task.log("done")}))
        engine.wait(number, timeout=30)
        assert log_of(engine, number) == ("done",)
        time.sleep(1.5)
    assert told == []


def test_no_secret_is_in_a_line_that_is_told_early(sqlite: str, gate: Gate) -> None:
    """A secret output may be known only with the hook's end, and the token of a task with its deferral."""

    def start(self: Stone, task: TaskInfo) -> Deferral:
        deferral = task.defer()
        task.log(f"call {deferral.token} back, {task.parameters['word']}")
        tokens.append(deferral.token)
        gate.open.wait(30)
        return deferral

    tokens: list[str] = []
    secret = {"word": fields.String(load_default="s3cret-word", metadata={"no_echo": True})}
    with Engine(sqlite, dispatcher="threads") as engine:
        hidden = talker(gate, code="hidden", secret_outputs=frozenset({"password"}), outputs={"password": "one"})
        other = started(engine, hidden)
        number = started(engine, type("Outside", (Stone,), {"code": "outside", "start": start, "parameters": secret}))
        log = until(lambda: log_of(engine, number))
        assert log[0].startswith("call ")
        assert log[0].endswith("back, *****")
        assert tokens[0] not in log[0]
        assert log_of(engine, other) == ()
        gate.more.set()
        gate.open.set()
        assert engine.complete_deferred(tokens[0], {})
        for each in (number, other):
            engine.wait(each, timeout=30)
        assert log_of(engine, other) == ("one", "two", "three", "four")
