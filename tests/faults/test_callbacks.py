"""An engine dies beside a deferred task: its token is the same afterwards, and what was told holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import Engine
from riverstone.engine.failpoints import VARIABLE

from ..features.sketch import line, service
from ..models.stores import fresh
from .deferring import stone
from .yard import until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh(request.param, tmp_path) as url:
        yield url


def given(folder: Path) -> list[list[str]]:
    """The token and the key of each call of the start."""
    path = folder / "given"
    return [each.split() for each in path.read_text().splitlines()] if path.exists() else []


def child(url: str, folder: Path, failpoint: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.deferring", url, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, VARIABLE: failpoint}, stdout=subprocess.PIPE)


@pytest.mark.parametrize("told", ["before", "after"])
def test_it_dies_before_anybody_knows_that_the_task_is_deferred(url: str, tmp_path: Path, told: str) -> None:
    with Engine(url, stones=[stone(tmp_path)], passive=True) as asker:
        asker.deploy(line("shop", service("a", "outside")))
        with child(url, tmp_path, "before-report") as process:
            process.wait(30)
        ((token, key),) = given(tmp_path)
        if told == "before":
            assert asker.complete_deferred(token, {"id": 1})
        with Engine(url, stones=[stone(tmp_path)], dispatcher="threads") as other:
            (instance,) = other.instances(limit=5).items
            if told == "after":
                until(lambda: len(given(tmp_path)) == 2)
                assert asker.complete_deferred(token, {"id": 1})
            ended = other.wait(instance.process_instance_id, 60)
    assert ended.native_output_values == {"a": {"id": 1}}
    assert given(tmp_path) == [[token, key]] * 2


def test_it_dies_while_the_task_waits_and_nothing_is_called_again(url: str, tmp_path: Path) -> None:
    with Engine(url, stones=[stone(tmp_path)], passive=True) as asker:
        asker.deploy(line("shop", service("a", "outside")))
        with child(url, tmp_path) as process:
            until(
                lambda: any(
                    task.status == "start.begin"
                    for each in asker.instances(limit=5).items
                    for task in asker.tasks(each.process_instance_id)
                )
            )
            process.send_signal(signal.SIGKILL)
        ((token, _),) = given(tmp_path)
        with Engine(url, stones=[stone(tmp_path)], dispatcher="threads") as other:
            (instance,) = other.instances(limit=5).items
            assert other.instances(limit=5).items[0].status == "running"
            assert asker.callback(token, b"done")
            ended = other.wait(instance.process_instance_id, 60)
    assert ended.native_output_values == {"a": {"callback": "done"}}
    assert len(given(tmp_path)) == 1
