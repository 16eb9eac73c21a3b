"""Brokers for one test each: a virtual host of the machine's RabbitMQ, and a Redis server of its own.

The virtual host is made by ``rabbitmqctl``. ``RIVERSTONE_TEST_RABBITMQ`` names the server otherwise than by default.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

RABBITMQ = os.environ.get("RIVERSTONE_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672")
KINDS = ("rabbitmq", "redis")


def fresh(kind: str, folder: Path) -> AbstractContextManager[str]:
    """The URL of an empty broker; skips the test if there is none, but fails it where CI is set."""
    return _rabbitmq() if kind == "rabbitmq" else _redis(folder)


def _absent(text: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def rabbitmqctl(*arguments: str) -> None:
    """Ask the machine's RabbitMQ for something."""
    command = shutil.which("rabbitmqctl")
    if command is None:
        _absent("there is no rabbitmqctl")
    done = subprocess.run([str(command), "-q", *arguments], capture_output=True, text=True)
    if done.returncode:
        _absent(f"rabbitmqctl {arguments[0]}: {(done.stderr or done.stdout).strip().splitlines()[:1]}")


@contextmanager
def _rabbitmq() -> Iterator[str]:
    name = f"riverstone_{uuid4().hex}"
    rabbitmqctl("add_vhost", name)
    try:
        rabbitmqctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        yield f"{RABBITMQ}/{name}"
    finally:
        rabbitmqctl("delete_vhost", name)


class RedisServer:
    """A Redis server that keeps nothing on disk, so it comes back empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        command = shutil.which("redis-server")
        if command is None:
            _absent("there is no redis-server")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [str(command), *options, "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    def kill(self) -> None:
        """End it as a power failure would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may kill."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    with redis_server(folder) as server:
        yield server.url
