"""An engine is killed while a worker has a task: another one takes what the worker says of it."""

from __future__ import annotations

import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from riverstone.engine import Engine

from ..features.sketch import line, service
from ..models.stores import fresh
from .conftest import Begin, Worker

SERVE = "from riverstone.api.cli import main; main()"


class Proxy:
    """One address for servers that come and go, as a load balancer has it."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.behind = 0
        """The port of the server that gets new connections."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass, args=(client, self.behind), daemon=True).start()

    @staticmethod
    def _pass(client: socket.socket, port: int) -> None:
        with (
            client,
            suppress(OSError),
            socket.create_connection(("127.0.0.1", port)) as server,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)

    def close(self) -> None:
        self._listening.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh(request.param, tmp_path) as url:
        yield url


def served(stack: ExitStack, store: str, folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A server as operators run one, and its port."""
    command = [sys.executable, "-c", SERVE, "--db", store, "serve", "--port", "0"]
    process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder))
    stack.callback(process.kill)
    assert process.stdout is not None
    port = urlsplit(process.stdout.readline().removeprefix("Listening on ").strip()).port
    assert port is not None
    return process, port


def test_what_a_worker_completes_after_its_engine_was_killed_is_taken_by_another(
    store: str, tmp_path: Path, node: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_complete = tmp_path / "go on"
    monkeypatch.setenv("MAY_COMPLETE", str(may_complete))
    with ExitStack() as stack:
        with Engine(store, passive=True) as engine:
            engine.deploy(line("shop", service("a", "held")), external=True)
        proxy = Proxy()
        stack.callback(proxy.close)
        first, proxy.behind = served(stack, store, tmp_path)
        worker: Worker = node("seven.mjs", f"{proxy.url}/engine-rest")
        with Engine(store, passive=True) as engine:
            number = engine.start(key="shop", name="test").process_instance_id
            held = worker.says("held")
            first.send_signal(signal.SIGKILL)
            first.wait(30)
            second, proxy.behind = served(stack, store, tmp_path)
            may_complete.touch()
            assert worker.says("completed")["completed"] == held["held"]
            ended = engine.wait(number, 60)
            assert (ended.status, ended.native_output_values) == ("success", {"a": {"made": 7}})
            (task,) = engine.tasks(number)
            assert task.attempt == 1
        second.send_signal(signal.SIGTERM)
        second.wait(60)
