"""Engines here and workers in processes of their own, on one store and one broker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import Clock, Engine
from riverstone.engine.dispatch.celery import CeleryDispatcher, consumer, make_app, sweeper

ROOT = Path(__file__).resolve().parents[2]
SIGN = 0.3


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an engine here as impatient as a test needs it to be."""
    monkeypatch.setattr(consumer, "LEASE", 2.0)
    monkeypatch.setattr(sweeper, "PATIENCE", 2.5)
    monkeypatch.setattr(sweeper, "SETTLED", 1.0)
    monkeypatch.setattr(sweeper, "SWEEP", 0.3)


def until(true: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


class Crew:
    """A store, a broker, and a folder in which calls are written down."""

    def __init__(self, url: str, broker: str, folder: Path, sign: float = SIGN) -> None:
        self.url = url
        self.broker = broker
        self.folder = folder
        self.sign = sign
        self.gate = folder / "gate"
        self._workers: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def river(self, *, stones: int = 16, clock: Clock | None = None) -> Iterator[Engine]:
        """An engine without any stone's code, once it knows so many stones from workers."""
        with Engine(self.url, dispatcher=CeleryDispatcher(make_app(self.broker)), clock=clock) as engine:
            until(lambda: len(engine.stones_declared()) >= stones)
            yield engine

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """A worker process in a process group of its own."""
        command = [sys.executable, "-m", "tests.workers.worker", self.broker, str(self.folder), str(self.sign)]
        with (self.folder / "workers.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, *(options or ("--concurrency", "1"))],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._workers.append(process)
        return process

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """End a worker with all of its children, as the end of its machine would."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self._workers.remove(worker)

    def close(self) -> None:
        """End every worker."""
        for worker in list(self._workers):
            self.kill(worker)

    def largest(self) -> int:
        """The most memory that a worker process has had, in kB."""
        groups = {worker.pid for worker in self._workers}
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.getpgid(int(each.name)) in groups:
                    (peak,) = re.findall(r"VmHWM:\s*(\d+)", (each / "status").read_text()) or (0,)
                    found.append(int(peak))
        return max(found)

    def called(self) -> list[list[str]]:
        """Each call of a stone: process, namespace, event, key, worker."""
        calls = self.folder / "calls"
        return [line.split() for line in calls.read_text().splitlines()] if calls.exists() else []

    def hooks(self, process_instance_id: str) -> list[tuple[str, str]]:
        """Namespace and event of each call for one process."""
        return [(call[1], call[2]) for call in self.called() if call[0] == process_instance_id]

    def times(self, event: str = "start") -> Counter[str]:
        """How often the hook of an event was called, by idempotency key."""
        return Counter(call[3] for call in self.called() if call[2] == event)
