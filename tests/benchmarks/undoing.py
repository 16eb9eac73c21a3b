"""What was made is undone: how long the one thread that steps every process is busy with it at a stretch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from riverstone.engine import Engine

from . import diagrams
from .bench import Bench
from .table import Row, milliseconds

KINDS = ("rollback", "cancel", "delete")
LONGEST = 0.1
"""Seconds that one step may keep all other processes waiting."""


class Step(NamedTuple):
    """Seconds of one step: on the wall, and of the CPU in the thread that made it."""

    wall: float
    cpu: float


class Undone(NamedTuple):
    """One undo: its longest step, how long all of it took, and how long it took to read its file for the first time."""

    longest: Step
    whole: float
    file: float


def measure(bench: Bench) -> Iterator[Row]:
    """1,000 and 5,000 tasks undone in each way: one after the other, side by side, and in two bunches.

    Python searches for cyclic rubbish as often as in a program that has a library and tunes nothing.
    """
    for count in [4] if bench.quick else [1000, 5000]:
        for shape in ("in sequence", "side by side", "in two bunches"):
            # A rewind to one of several side by side leaves the others alone.
            for kind in (*KINDS, "rewind") if shape == "in sequence" else KINDS:
                with closing(bench.engine(f"{kind} of {count} {shape}", dispatcher="threads")) as engine:
                    model = diagrams.to_undo(shape, count, fails=kind == "rollback")
                    run = _undone(engine, engine.deploy(model).deployment_id, kind)
                yield _row(f"{kind} of {count:,} {shape}: the longest step", run)
            yield Row("  its file, read for the first time", milliseconds(run.file))
    yield _taken_away(bench, bench.size(10_000, 4))


def _row(work: str, run: Undone) -> Row:
    return _step_row(work, run.longest, run.whole)


def _step_row(work: str, longest: Step, whole: float) -> Row:
    beside = f"{milliseconds(longest.wall)} wall, all {milliseconds(whole)}"
    fits = longest.cpu <= LONGEST
    return Row(work, f"{milliseconds(longest.cpu)} CPU", beside, "", f"<= {milliseconds(LONGEST)}", fits)


def _taken_away(bench: Bench, count: int) -> Row:
    """Open tasks of people that a terminate end event takes away at once."""
    with closing(bench.engine("taken away")) as engine:
        deployment_id = engine.deploy(diagrams.taken_away(count)).deployment_id
        number = engine.start(deployment_id=deployment_id, name="bench").process_instance_id
        (asked,) = engine.tasks(number, element_id="ask", state="open")
        with timed_steps(engine) as steps:
            begun = time.perf_counter()
            engine.complete(asked.task_id)
            whole = time.perf_counter() - begun
        if (status := engine.get(number).status) != "success":
            raise RuntimeError(f"Process {number} is {status}, though all of it was ended.")
    return _step_row(f"{count:,} open tasks taken away: the longest step", max(steps, key=lambda each: each.cpu), whole)


def _undone(engine: Engine, deployment_id: str, kind: str) -> Undone:
    number = engine.start(deployment_id=deployment_id, name="bench").process_instance_id
    # Each look takes as long as so many open tasks: it is not to be what is measured.
    while not (asked := engine.tasks(number, element_id="ask", state="open")):
        time.sleep(0.1)
    if kind == "delete":
        engine.complete(asked[0].task_id)
        engine.wait(number)
    with timed_steps(engine) as steps:
        begun = time.perf_counter()
        if kind == "rollback":
            engine.complete(asked[0].task_id)
        elif kind == "rewind":
            engine.rewind(number, engine.tasks(number, limit=1)[0].task_id)
        else:
            getattr(engine, kind)(number)
        while (undo := getattr(engine.get(number), f"{kind}_process_instance_id")) is None:
            time.sleep(0.001)
        while (ended := engine.wait(undo)).status != "success":
            if ended.status != "running":
                raise RuntimeError(f"The {kind} of process {number} is {ended.status}: {ended.reason}")
        whole = time.perf_counter() - begun
    begun = time.perf_counter()
    engine.sources(undo)
    return Undone(max(steps, key=lambda step: step.cpu), whole, time.perf_counter() - begun)


@contextmanager
def timed_steps(engine: Engine) -> Iterator[list[Step]]:
    """The steps that an engine makes meanwhile, each with its commit and what follows that."""
    river: Any = engine._river
    step, steps = river._step_together, []

    def timed(batch: Any) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        step(batch)
        steps.append(Step(time.perf_counter() - wall, time.thread_time() - cpu))

    river._step_together = timed
    try:
        yield steps
    finally:
        del river._step_together
