"""A process with an engine on a shared store, for stories in which one is killed or stopped.

Usage: ``python -m tests.faults.worker <database url> <file of calls> <file that holds stones back> [lease]``. Each call
of a stone is one line of the first file: process, namespace, event, key, worker. A stone ``held`` waits while the
second file is there; one named ``poison`` kills its process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from riverstone.engine import Engine, Stone, TaskInfo

from ..leases import hasten


def told(file: Path, task: TaskInfo[Any], worker: str) -> None:
    """Write down, in one write, that a hook has been called."""
    line = f"{task.process_instance_id} {task.namespace} {task.event} {task.idempotency_key} {worker}\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def make_stones(calls: Path, held: Path, worker: str) -> list[type[Stone]]:
    """``quick`` ends at once, ``held`` waits for a file to go, ``watched`` is looked at, ``poison`` kills."""

    class Quick(Stone):
        code = "quick"

        def start(self, task: TaskInfo) -> None:
            told(calls, task, worker)
            task.add_output("by", worker)

        def rollback(self, task: TaskInfo) -> None:
            told(calls, task, worker)

    class Held(Quick):
        code = "held"

        def start(self, task: TaskInfo) -> None:
            super().start(task)
            while held.exists():
                time.sleep(0.01)

    class Watched(Stone):
        code = "watched"
        monitor_interval = 0.2

        def monitor(self, task: TaskInfo) -> bool:
            told(calls, task, worker)
            task.state["looks"] = task.state.get("looks", 0) + 1
            return bool(task.state["looks"] >= 10)

    class Poison(Quick):
        code = "poison"

        def start(self, task: TaskInfo) -> None:
            super().start(task)
            os.kill(os.getpid(), signal.SIGKILL)

    return [Quick, Held, Watched, Poison]


if __name__ == "__main__":
    _, url, calls, held, *rest = sys.argv
    if rest:
        hasten(float(rest[0]))
    engine = Engine(url, stones=make_stones(Path(calls), Path(held), str(os.getpid())), dispatcher="threads")
    print("ready", flush=True)
    for command in sys.stdin:
        count, key = command.split()
        for number in range(int(count)):
            engine.start(key=key, name=f"{key} {number}")
        print("started", flush=True)
    engine.close()
