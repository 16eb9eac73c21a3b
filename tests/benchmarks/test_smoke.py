"""The benchmarks still run; how fast is for ``dev.py bench`` to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import (
    at_once,
    branches,
    coroutines,
    deploying,
    diagrams,
    expressions,
    instructions,
    large_stores,
    long_processes,
    neighbours,
    repetition,
    sequences,
    store_size,
    undoing,
)
from .bench import Bench
from .stones import Count

CHEAP = {
    "sequences": sequences.measure,
    "instructions": instructions.measure,
    "branches": branches.measure,
    "repetition": repetition.measure,
    "deploying": deploying.measure,
    "expressions": expressions.measure,
    "at_once": at_once.measure,
    "coroutines": coroutines.measure,
    "store_size": store_size.measure,
    "large_stores": large_stores.measure,
    "undoing": undoing.measure,
    "long_processes": long_processes.measure,
    "neighbours": neighbours.measure,
}


@pytest.mark.parametrize("name", CHEAP)
def test_a_benchmark_runs_all_its_processes_to_their_end(name: str, tmp_path: Path) -> None:
    rows = list(CHEAP[name](Bench(folder=tmp_path, quick=True)))

    assert rows
    assert all(row.figure for row in rows)


def test_every_step_of_a_process_is_committed(tmp_path: Path) -> None:
    assert sequences.commits_of_one(Bench(folder=tmp_path, quick=True)) == 6


@pytest.mark.parametrize(
    ("model", "stones"),
    [
        (diagrams.sequence(7), 7),
        (diagrams.parallel(7), 7),
        (diagrams.blocks(3), 6),
        (diagrams.multi_instance(7), 7),
        (diagrams.loop(7, node="service"), 7),
        (diagrams.circle(7), 7),
    ],
)
def test_a_model_calls_as_many_stones_as_it_is_measured_for(model: bytes, stones: int, tmp_path: Path) -> None:
    Count.called = 0
    with Bench(folder=tmp_path).engine(":memory:") as engine:
        deployment = engine.deploy(model)
        instance = engine.start(deployment_id=deployment.deployment_id, name="bench")

        assert engine.get(instance.process_instance_id).status == "success"
        assert len(engine.tasks(instance.process_instance_id)) == stones
