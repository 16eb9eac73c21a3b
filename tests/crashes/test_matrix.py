"""Wherever an engine's process is killed, the next one brings everything to the end that it would have had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import Invalid, failpoints

from ..models.stores import fresh

ROOT = Path(__file__).parents[2]


def played(folder: Path, extent: str, *server: str) -> dict[str, Any]:
    """What came of all cases, played in another interpreter, for this one has threads."""
    command = [sys.executable, "-m", "tests.crashes.matrix", str(folder), extent, *server]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, Any] = json.loads(ran.stdout)
    assert not found["wrong"], "\n".join([*found["wrong"][:10], ran.stderr[-3000:]])
    return found


def test_a_process_killed_at_every_passing_of_every_place_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    found = played(tmp_path, "rollback")

    assert set(found["passed"]) == set(failpoints.names())
    # The reference without faults passes more than 200, and nearly all kills must have hit what they aimed at.
    assert found["cases"] > 200
    assert found["killed"] > 0.95 * found["cases"]


def test_processes_that_succeed_are_deleted_or_run_on_threads_survive_each_place_too(tmp_path: Path) -> None:
    found = played(tmp_path, "others")

    assert set(found["passed"]) == set(failpoints.names())
    assert found["killed"] > 0.8 * found["cases"]


def test_a_process_with_a_folded_ledger_survives_each_place(tmp_path: Path) -> None:
    found = played(tmp_path, "folded")

    assert found["killed"] > 0.8 * found["cases"]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_process_on_a_server_survives_each_place(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url:
        found = played(tmp_path, "server", url)

    assert set(found["passed"]) == set(failpoints.names())


def test_a_place_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(Invalid, match="before-commit"):
        failpoints.kill_at("nowhere")


def test_a_place_is_named_in_the_environment() -> None:
    script = "from riverstone.engine import failpoints as f; [f.reach('due') for _ in range(3)]; print('alive')"

    def run(wanted: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, failpoints.VARIABLE: wanted}
        return subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)

    assert run("due:3").returncode == -9
    assert run("due").returncode == -9
    assert run("due:4").stdout == run("").stdout == "alive\n"
    assert "name:passing" in run("due:x").stderr
