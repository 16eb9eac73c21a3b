"""The benchmarks still run; how fast is for ``dev.py bench`` to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import at_once, branches, deploying, repetition, sequences, store_size
from .bench import Bench

CHEAP = {
    "sequences": sequences.measure,
    "branches": branches.measure,
    "repetition": repetition.measure,
    "deploying": deploying.measure,
    "at_once": at_once.measure,
    "store_size": store_size.measure,
}


@pytest.mark.parametrize("name", CHEAP)
def test_a_benchmark_runs_all_its_processes_to_their_end(name: str, tmp_path: Path) -> None:
    rows = CHEAP[name](Bench(folder=tmp_path, quick=True))

    assert rows
    assert all(row.figure for row in rows)


def test_every_step_of_a_process_is_committed(tmp_path: Path) -> None:
    assert sequences.commits_of_one(Bench(folder=tmp_path, quick=True)) == 6
