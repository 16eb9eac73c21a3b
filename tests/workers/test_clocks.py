"""Somebody sets the clock of the engines' machine by an hour while workers have tasks in hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from riverstone.engine import Engine

from ..faults.test_clocks import HOUR, Settable
from ..features.sketch import line, service
from .crew import Crew, until

pytestmark = pytest.mark.parametrize("crew", ["redis"], indirect=True)


@contextmanager
def held_by_a_worker(crew: Crew, stone: str, clock: Settable) -> Iterator[tuple[Engine, str]]:
    """Two engines on one clock, and a process whose task of this stone a worker has begun."""
    crew.gate.touch()
    crew.worker()
    with crew.river(clock=clock) as engine, crew.river(clock=clock):
        engine.deploy(line("shop", service("a", stone)))
        started = engine.start(key="shop", name="shop").process_instance_id
        until(lambda: engine.tasks(started)[0].status == "start.begin")
        yield engine, started


def deadline(engine: Engine, process_instance_id: str) -> int:
    row = engine._store.task(int(engine.tasks(process_instance_id)[0].task_id))
    assert row is not None
    assert row.deadline is not None
    return row.deadline


def test_a_clock_that_is_set_forward_ends_no_task_before_its_time(crew: Crew, caplog: pytest.LogCaptureFixture) -> None:
    clock = Settable()
    with held_by_a_worker(crew, "patient", clock) as (engine, started):
        before = deadline(engine, started)
        clock.off = HOUR
        until(lambda: caplog.text.count("the clock has jumped") == 2)
        # By one of the two engines alone.
        assert deadline(engine, started) - before == pytest.approx(HOUR, abs=HOUR / 100)
        engine.start(key="shop", name="another")
        until(lambda: len(crew.called()) == 1)
        crew.gate.unlink()
        assert engine.wait(started, timeout=60).status == "success"


def test_a_clock_that_is_set_back_leaves_no_task_beyond_its_time(crew: Crew) -> None:
    clock = Settable()
    with held_by_a_worker(crew, "hasty", clock) as (engine, started):
        clock.off = -HOUR
        until(lambda: engine.get(started).status != "running")
        crew.gate.unlink()
        assert engine.wait(started, timeout=60).status == "rollback.success"
        assert engine.tasks(started)[0].reason == "start took longer than its timeout allows"
