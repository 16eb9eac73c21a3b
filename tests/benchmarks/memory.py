"""What a server keeps after a long mixed load: resident memory, and its growth with each 1,000 processes."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from riverstone.engine import Engine

from ..models import stores
from . import diagrams
from .bench import Bench
from .measure import status_of
from .stones import stones
from .table import Row

CLIENTS = 16
SHARE = 0.4
"""Of the load, after which the growth counts: by then all caches should have what they hold."""
KEY = "undone-in-sequence-5-True"
COMMAND = "from riverstone.api.cli import main; main()"
LISTS = [
    "/process?limit=50",
    "/process?limit=50&status=failed",
    "/process/count",
    "/process/search?text=bench&limit=20",
    "/process/count",
    "/resource?limit=50",
    "/statistics",
    "/metrics",
    "/model",
    "/stone",
    "/openapi.json",
    "/console/",
    "/health/ready",
    "/process/none",
]
OF_ONE = ["", "/detail", "/history", "/why", "/task", "/variables", "/source", "/preview"]


@dataclass
class Mixed:
    """Clients that start, look, complete, cancel, delete, fail and deploy; the same for the same number."""

    url: str
    until: float
    processes: int = 0
    requests: int = 0
    broken: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, number: int) -> None:
        """One client, in its own thread, on one connection."""
        client = _Client(self, number)
        try:
            while time.monotonic() < self.until:
                client.process()
                with self._lock:
                    self.processes += 1
        except Exception as error:
            self.broken.append(repr(error))

    def count(self) -> None:
        with self._lock:
            self.requests += 1


class _Client:
    def __init__(self, mixed: Mixed, number: int) -> None:
        self.mixed = mixed
        self.random = random.Random(number)
        self.connection = http.client.HTTPConnection(mixed.url.removeprefix("http://"), timeout=60)
        self.number = number
        self.started = 0

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
        with self.connection.getresponse() as answer:
            found = answer.status, answer.read()
        self.mixed.count()
        if found[0] >= 500 and found[0] != 503:
            raise ConnectionError(f"{method} {path}: {found[0]} {found[1][:300]!r}")
        return found

    def start(self, key: str, **more: Any) -> str:
        wait = self.random.random() < 0.5 and key.startswith("sequence")
        variables = {"note": self.random.choice("abcdef") * self.random.randrange(4_000), "count": self.started}
        order = {"key": key, "processName": f"bench {self.number} {self.started}", "variables": variables, **more}
        self.started += 1
        status, body = self.ask("POST", "/process", order, {"Prefer": "wait=30"} if wait else None)
        if status != 200:
            raise ConnectionError(f"POST /process: {status} {body[:300]!r}")
        return str(json.loads(body)["processInstanceId"])

    def process(self) -> None:
        """One process of some kind, with some looks at it and at lists."""
        chance = self.random.random()
        if chance < 0.6:
            number = self.start("sequence-5")
        else:
            key = KEY if chance < 0.85 else "waiting-2"
            number = self.start(key, businessKey=f"order-{self.number}-{self.started}")
            self.finish(number)
        for path in self.random.sample(OF_ONE, 2):
            self.ask("GET", f"/process/{number}{path}")
        self.ask("GET", self.random.choice(LISTS))
        if chance < 0.002:
            xml = diagrams.sequence(5).decode().replace("step0", f"step0-{self.number}-{self.started}")
            self.ask("POST", "/deployment", {"processContent": xml})

    def finish(self, number: str) -> None:
        """Go on with what waits for a person, or end it in another way."""
        body = self.ask("GET", f"/process/{number}/task")[1]
        kind = self.random.random()
        if kind < 0.2:
            self.ask("PUT", f"/process/{number}/{self.random.choice(['cancel', 'delete'])}")
            return
        until = time.monotonic() + 10
        while time.monotonic() < until:
            asked = [each for each in json.loads(body) if each["name"] == "ask"]
            if asked:
                self.ask("PUT", f"/task/{asked[0]['taskId']}/complete", {})
                return
            time.sleep(0.02)
            body = self.ask("GET", f"/process/{number}/task")[1]


def measure(bench: Bench) -> list[Row]:
    """A server on each kind of database, as ``riverstone serve`` makes it."""
    rows = []
    for kind in ("sqlite", "postgresql"):
        with stores.fresh(kind, bench.folder) as url:
            rows.append(_of(kind, url, bench.size(60, 2) * 1.0))
    return rows


def _of(kind: str, url: str, seconds: float) -> Row:
    with serving(url) as (address, pid):
        mixed = Mixed(address, time.monotonic() + seconds)
        seen = list(watched(mixed, pid, seconds / 20))
    if mixed.broken:
        raise RuntimeError(f"A client was answered {mixed.broken[0]}")
    first = seen[round(len(seen) * SHARE)]
    count, memory = seen[-1]
    grown = (memory - first[1]) / max(1, count - first[0]) * 1000
    return Row(
        f"mixed load on {kind}: {count:,} processes, {mixed.requests:,} requests",
        f"{memory / 1024:,.0f} MB resident",
        f"{grown / 1024:.1f} MB more for each 1,000 processes at the end",
        target="<= 150 MB, flat",
        met=memory / 1024 <= 150,
    )


def watched(mixed: Mixed, pid: int, pause: float) -> Iterator[tuple[int, int]]:
    """Run the load; how many processes there were now and then, and the server's resident memory (kB)."""
    clients = [threading.Thread(target=mixed.run, args=[number]) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        time.sleep(pause)
        yield mixed.processes, status_of(pid, "VmRSS")


@contextmanager
def serving(url: str) -> Iterator[tuple[str, int]]:
    """The server with the models of the load, and its process id."""
    command = [sys.executable, "-c", COMMAND, "--db", url, "--stones", f"{__package__}.stones"]
    models = [diagrams.sequence(5), diagrams.waiting(2), diagrams.to_undo("in sequence", 5, fails=True)]
    with Engine(url, stones=stones, dispatcher="inline") as engine:
        for model in models:
            engine.deploy(model)
    command += ["serve", "--port", "0", "--log-level", "error"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1], process.pid
            process.terminate()
            process.wait(60)
        finally:
            process.kill()
