"""A server with the interfaces of Camunda, and the clients of that engine's makers as processes beside it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.api.server import Server
from riverstone.engine import Engine

from ..services import program, skip

HERE = Path(__file__).parent
PATIENCE = 60


class Worker:
    """A worker in a process of its own, and what it says."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
        self._said: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self._said.put(json.loads(line))

    def says(self, wanted: str | None = None) -> dict[str, Any]:
        """The next that it says, or the next with this member, however much else it says."""
        end, said = time.monotonic() + PATIENCE, None
        while time.monotonic() < end:
            with suppress(Empty):
                said = self._said.get(timeout=1)
                if wanted is None or wanted in said:
                    return said
        raise AssertionError(f"the worker does not say it, but {said!r} at last, and ended with {self.process.poll()}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


Begin = Callable[..., Worker]


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    with Engine(sqlite, dispatcher="threads") as engine:
        yield engine


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    """Where the engine is served."""
    server = Server(create_app(engine), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.url
    server.stop()
    thread.join(PATIENCE)


@pytest.fixture
def node() -> Iterator[Begin]:
    """Begin one of the scripts here with these arguments."""
    found = program("node", package="nodejs")
    if not (HERE / "node_modules" / ".package-lock.json").exists():
        skip("The clients of Camunda are not there: npm ci --ignore-scripts in tests/camunda")
    with ExitStack() as stack:

        def begin(*arguments: str) -> Worker:
            worker = Worker([found, *arguments])
            stack.callback(worker.end)
            return worker

        yield begin
