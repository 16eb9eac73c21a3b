"""Several engines on one store, some of them in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from riverstone.engine import Engine

from .worker import make_stones

ROOT = Path(__file__).parents[2]


class Yard:
    """A store, the calls that its stones have got, and what holds some of them back."""

    def __init__(self, url: str, folder: Path, lease: float | None = None) -> None:
        self.url = url
        self.calls = folder / "calls"
        self.gate = folder / "gate"
        self.lease = lease

    def engine(self) -> Engine:
        """An engine in this process."""
        return Engine(self.url, stones=make_stones(self.calls, self.gate, "here"), dispatcher="threads")

    def called(self) -> list[list[str]]:
        """Each call of a stone: process, namespace, event, key, worker."""
        return [line.split() for line in self.calls.read_text().splitlines()] if self.calls.exists() else []

    def times(self) -> Counter[tuple[str, ...]]:
        """How often each call was made, whoever made it."""
        return Counter(tuple(call[:4]) for call in self.called())

    @contextmanager
    def process(self) -> Iterator[subprocess.Popen[str]]:
        """A process that makes an engine on the store; it is killed at the end if it has not ended."""
        command = [sys.executable, "-m", "tests.faults.worker", self.url, str(self.calls), str(self.gate)]
        if self.lease is not None:
            command.append(str(self.lease))
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            try:
                yield child
            finally:
                child.kill()
                with suppress(OSError):
                    child.communicate()

    def dies(self, otherwise: Callable[[], bool]) -> bool:
        """Whether another engine's process dies by itself, before something else comes to pass."""
        with self.process() as child:
            until(lambda: child.poll() is not None or otherwise())
            return child.poll() is not None

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[str]]:
        """The same, once its engine is there."""
        with self.process() as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child


def ask(child: subprocess.Popen[str], count: int, key: str, *, dies: bool = False) -> None:
    """Have the other process start so many, and return when it has; one that ``dies`` of it may never say so."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{count} {key}\n")
    child.stdin.flush()
    assert child.stdout.readline() == "started\n" or dies


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Return when it is so; fail when it has not been for so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
