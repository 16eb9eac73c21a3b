"""Restate with a service in Node.js: steps that do nothing, each recorded, answered over HTTP at the end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which
from urllib.error import URLError
from urllib.request import Request, urlopen

from .measure import cpu_of

HERE = Path(__file__).parent / "restate"
PATIENCE = 60


def server() -> str | None:
    """The server's program, if it is installed (``npm ci --ignore-scripts`` in ``restate/``)."""
    found = list(HERE.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    return str(found[0]) if found and which("node") else None


class Restate:
    """A server and its service, both running."""

    def __init__(self, url: str, pids: list[int]) -> None:
        self.url = url
        self.pids = pids

    def cpu(self) -> float:
        """CPU seconds of both so far."""
        return sum(map(cpu_of, self.pids))


@contextmanager
def restate(folder: Path) -> Iterator[Restate]:
    """Its ingress, where a POST to ``/flow/run`` with a number is answered after so many steps."""
    program = server()
    assert program is not None
    names = ("INGRESS", "ADMIN", "")
    ports = {name: _free_port() for name in names}
    environ = {
        **os.environ,
        "RESTATE_BASE_DIR": str(folder / "restate"),
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "warn",
        "RESTATE_ADVERTISED_HOST": "127.0.0.1",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{ports['']}",
        "RESTATE_DEFAULT_NUM_PARTITIONS": "4",
        "NO_PROXY": "127.0.0.1",
        **{
            f"RESTATE_{name}__BIND_ADDRESS" if name else "RESTATE_BIND_ADDRESS": f"127.0.0.1:{port}"
            for name, port in ports.items()
        },
        **{f"RESTATE_{name}__LISTEN_MODE" if name else "RESTATE_LISTEN_MODE": "tcp" for name in names},
    }
    with ExitStack() as stack:

        def begin(command: list[str], **more: object) -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)  # type: ignore[call-overload]
            )
            stack.callback(process.kill)
            return process  # type: ignore[no-any-return]

        service = begin(["node", "service.mjs"], cwd=HERE)
        assert service.stdout is not None
        port = int(service.stdout.readline())
        log = stack.enter_context(open(folder / "restate.log", "w", encoding="utf-8"))
        engine = stack.enter_context(subprocess.Popen([program], env=environ, stdout=log, stderr=log))
        stack.callback(engine.kill)
        until, registered = time.monotonic() + PATIENCE, False
        while not registered:
            if time.monotonic() > until or engine.poll() is not None:
                raise RuntimeError(f"Restate does not begin: {(folder / 'restate.log').read_text()[-2000:]}")
            registered = _register(ports["ADMIN"], port)
            time.sleep(0.2)
        yield Restate(f"http://127.0.0.1:{ports['INGRESS']}", [service.pid, engine.pid])


def _register(admin: int, port: int) -> bool:
    body = json.dumps({"uri": f"http://127.0.0.1:{port}"}).encode()
    asked = Request(f"http://127.0.0.1:{admin}/deployments", body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urlopen(asked, timeout=5) as answer:
            return bool(answer.status < 300)
    except (URLError, OSError):
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
