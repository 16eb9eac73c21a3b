"""A process that works on a store until it is killed; run by ``test_survival`` in an interpreter of its own.

Usage: ``python survivor.py <database url> <file of calls> [seconds of a hang]``. Each call of a stone is one line.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from riverstone.engine import Engine, Stone, TaskInfo


def told(file: Path, task: TaskInfo) -> None:
    """Write down, in one write, that a hook has been called."""
    line = f"{task.process_instance_id} {task.namespace} {task.event} {task.idempotency_key}\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def make_stones(file: Path, hang: float) -> list[type[Stone]]:
    """Stones that tell of each call; ``slow`` hangs for so many seconds, ``watched`` is looked at again and again."""

    class Quick(Stone):
        code = "quick"

        def start(self, task: TaskInfo) -> None:
            told(file, task)
            task.add_output("id", task.idempotency_key)

    class Slow(Stone):
        code = "slow"

        def start(self, task: TaskInfo) -> None:
            told(file, task)
            time.sleep(hang)
            task.add_output("id", task.idempotency_key)

    class Watched(Stone):
        code = "watched"
        monitor_interval = 0.05

        def start(self, task: TaskInfo) -> None:
            told(file, task)

        def monitor(self, task: TaskInfo) -> bool:
            told(file, task)
            task.state["looks"] = task.state.get("looks", 0) + 1
            return bool(task.state["looks"] >= 40) or hang == 0

    return [Quick, Slow, Watched]


if __name__ == "__main__":
    _, url, calls, *rest = sys.argv
    engine = Engine(url, stones=make_stones(Path(calls), float(rest[0]) if rest else 60.0), dispatcher="threads")
    print("ready", flush=True)
    for command in sys.stdin:
        count, key = command.split()
        for number in range(int(count)):
            engine.start(key=key, name=f"{key} {number}")
        print("started", flush=True)
