"""The commands as an operator runs them: a river, a worker and a client, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..features.sketch import line, service
from . import brokers
from .crew import until

STONES = """
from riverstone.engine import Stone

class Mail(Stone):
    code = "SIP::Mail"

    def start(self, task):
        task.add_output("sent", "yes")
"""


def riverstone(*arguments: str) -> list[str]:
    """The command as it is typed."""
    return [sys.executable, "-c", "from riverstone.api.cli import main; main()", *arguments]


def test_a_river_and_a_worker_carry_out_what_a_client_has_started(tmp_path: Path) -> None:
    (tmp_path / "letters.py").write_text(STONES)
    (tmp_path / "letter.bpmn").write_bytes(line("letter", service("tell", "SIP::Mail")))
    with brokers.fresh("redis", tmp_path) as broker:
        settings = {"RIVERSTONE_DB": f"sqlite:///{tmp_path}/river.db", "RIVERSTONE_BROKER": broker}
        options: dict[str, Any] = {"cwd": tmp_path, "env": {**os.environ, **settings}, "text": True}

        def ask(*arguments: str) -> Any:
            done = subprocess.run(riverstone(*arguments), capture_output=True, **options)
            return json.loads(done.stdout) if done.returncode == 0 else None

        command = riverstone("worker", "--stones", "letters", "--queues", "SIP::Mail", "--pool", "solo")
        worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
        river = subprocess.Popen(riverstone("river"), stdout=subprocess.PIPE, **options)
        try:
            assert river.stdout is not None
            assert river.stdout.readline() == "Working.\n"
            # As soon as the worker has declared the stone.
            until(lambda: ask("deploy", "letter.bpmn"))
            started = ask("start", "--key", "letter", "--name", "x")["processInstanceId"]
            until(lambda: ask("show", started, "--json")["processStatus"] == "success")
            assert ask("show", started, "--json")["nativeOutputs"] == '{"tell":{"sent":"yes"}}'

            for process in (worker, river):
                process.send_signal(signal.SIGTERM)
            assert river.communicate(timeout=60)[0] == "Stopped.\n"
            assert worker.wait(timeout=60) == 0
        finally:
            for process in (worker, river):
                process.kill()
                process.communicate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("river",), "Name a broker"),
        (("worker", "--stones", "letters"), "Name a broker"),
        (("--broker", "memory://", "worker"), "A worker needs stones"),
        (
            ("--broker", "memory://", "worker", "--stones", "letters", "--queues", "other"),
            "No stone here has the queue",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    (tmp_path / "letters.py").write_text(STONES)
    done = subprocess.run(riverstone(*arguments), capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {words}")
    assert done.stderr.count("\n") == 1
