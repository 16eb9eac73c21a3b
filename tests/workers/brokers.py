"""Brokers for one test each: a virtual host of the machine's RabbitMQ, and a Redis server of its own.

The virtual host is made by ``rabbitmqctl``. ``RIVERSTONE_TEST_RABBITMQ`` names the server otherwise than by default.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from ..services import RABBITMQ, free_port, program, skip

KINDS = ("rabbitmq", "redis")


def fresh(kind: str, folder: Path) -> AbstractContextManager[str]:
    """The URL of an empty broker; skips the test if there is none."""
    return _rabbitmq() if kind == "rabbitmq" else _redis(folder)


def rabbitmqctl(*arguments: str) -> None:
    """Ask the machine's RabbitMQ for something."""
    command = program("rabbitmqctl", package="rabbitmq-server")
    done = subprocess.run([command, "-q", *arguments], capture_output=True, text=True)
    if done.returncode:
        skip(f"RabbitMQ does not obey rabbitmqctl: {(done.stderr or done.stdout).strip().splitlines()[:1]}")


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
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        command = program("redis-server", package="redis-server")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [command, *options, "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _answers(self.port, 60)

    def kill(self) -> None:
        """End it as a power failure would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


class RabbitServer:
    """A RabbitMQ node of its own, which comes back without what it had; it takes some ten seconds to start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._distribution = free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        server = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        if not server.exists():
            skip(f"{server} is not there (Debian's package rabbitmq-server)")
        home = Path(tempfile.mkdtemp(dir=self.folder))
        if os.geteuid() == 0:
            # Debian's script changes to this user.
            self.folder.chmod(0o755)
            shutil.chown(home, "rabbitmq", "rabbitmq")
        (home / "rabbitmq.conf").write_text(f"listeners.tcp.own = 127.0.0.1:{self.port}\n")
        settings = {
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "HOME": str(home),
            "RABBITMQ_NODENAME": f"riverstone{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        }
        self._pid_file = home / "pid"
        environment = {"PATH": os.environ["PATH"], **settings}
        self._process = subprocess.Popen(
            [str(server)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        _answers(self.port, 90)

    def kill(self) -> None:
        """End it as a power failure would."""
        with suppress(OSError, ValueError):
            os.kill(int(self._pid_file.read_text()), signal.SIGKILL)
        if self._process is not None:
            # The script that has started it ends with it, or else with its group.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None


def _answers(port: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nobody answers on port {port}")


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
