"""Batches with several engines on one store: each process is acted upon once, and a pause is a pause for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from riverstone.engine import Engine, VirtualClock

from ..features.sketch import line, service
from ..features.world import World

WAITING = line("waiting", service("disk", "make"), '<userTask id="u"/>')


def until(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def two(url: str, world: World) -> Iterator[tuple[Engine, Engine]]:
    with Engine(url, stones=world.stones(), dispatcher="threads") as one:
        one.deploy(WAITING)
        with Engine(url, stones=world.stones(), dispatcher="threads") as other:
            yield one, other


def started(engine: Engine, count: int) -> list[str]:
    return [engine.start(key="waiting", name=f"p{number}").process_instance_id for number in range(count)]


def test_two_engines_act_upon_each_process_once(two: tuple[Engine, Engine], world: World) -> None:
    one, other = two
    numbers = started(one, 60)
    until(lambda: len(world.things) == 60)
    batch = one.batch("cancel", {"key": "waiting"})
    # As if it knew nothing of the first: both are at it.
    other._batches.note(batch.batch_id)
    other._batches.records.to_work_at = lambda engine_id: [batch.batch_id]  # type: ignore[method-assign]
    until(lambda: other.batch_progress(batch.batch_id).state == "ended")
    assert {other.wait(number, 60).status for number in numbers} == {"cancel.success"}
    found = one.batch_progress(batch.batch_id)
    assert (found.done, found.refused) == (60, 0)
    assert sorted(world.of("cancel")) == ["disk"] * 60
    assert world.exists == []


def test_a_pause_at_one_engine_stops_what_another_works_at(two: tuple[Engine, Engine]) -> None:
    one, other = two
    started(one, 30)
    batch = one.batch("cancel", {"key": "waiting"}, rate=20)
    until(lambda: other.batch_progress(batch.batch_id).done > 2)
    done = other.pause_batch(batch.batch_id).done
    time.sleep(0.5)
    paused = one.batch_progress(batch.batch_id)
    assert (paused.state, paused.done) == ("paused", done)
    other.resume_batch(batch.batch_id, rate=1000)
    until(lambda: one.batch_progress(batch.batch_id).state == "ended")
    assert one.batch_progress(batch.batch_id).done == 30


def test_an_engine_that_only_looks_leaves_a_batch_to_one_that_works(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    one.deploy(line("asks", '<userTask id="u"/>'))
    numbers = [one.start(key="asks", name="it").process_instance_id for _ in range(3)]
    batch = other.batch("cancel", {"key": "asks"})
    assert (batch.state, batch.done) == ("running", 0)
    one.run_pending()
    assert one.batch_progress(batch.batch_id).done == 3
    assert {other.get(number).status for number in numbers} == {"cancel.success"}


KILLED = """
    import sys, time
    from riverstone.engine import Engine
    from tests.features.world import World

    with Engine(sys.argv[1], stones=World().stones(), dispatcher="threads") as engine:
        print(engine.batch("cancel", {"key": "waiting"}, rate=40).batch_id, flush=True)
        time.sleep(120)
"""


@pytest.mark.slow
def test_what_a_killed_engine_leaves_of_a_batch_is_done_by_another(url: str, world: World) -> None:
    with Engine(url, stones=world.stones()) as engine:
        engine.deploy(WAITING)
        numbers = started(engine, 80)
    child: Any = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), url], stdout=subprocess.PIPE, text=True
    )
    with Engine(url, stones=world.stones(), dispatcher="threads", passive=True) as looks:
        batch_id = child.stdout.readline().strip()
        until(lambda: looks.batch_progress(batch_id).done > 10)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        found = looks.batch_progress(batch_id)
        assert (found.state, found.done < 80) == ("running", True)
    with Engine(url, stones=world.stones(), dispatcher="threads") as engine:
        until(lambda: engine.batch_progress(batch_id).state == "ended")
        assert engine.batch_progress(batch_id).done == 80
        assert {engine.wait(number, 60).status for number in numbers} == {"cancel.success"}
        assert [item.process_instance_id for item in engine.batch_items(batch_id, limit=500).items] == numbers
