"""32 clients that start processes and get one answer each, at the end: riverstone with ``wait``, and Restate."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from riverstone.engine import Engine

from ..models import stores
from . import clients, diagrams, durable_http
from .bench import Bench
from .measure import cpu_of
from .over_http import CLIENTS, serving
from .stones import stones
from .table import Row, milliseconds

STEPS = 5


@dataclass
class Runner:
    """One of those that take turns: where it is asked, how, and the CPU seconds of all its processes so far."""

    url: str
    message: bytes
    cpu: Callable[[], float]
    ended: Callable[[bytes], bool]
    server: Callable[[], float] = lambda: 0.0
    """The share of it that the database's server has."""
    used: list[float] = field(default_factory=list)
    there: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        before, server = self.cpu(), self.server()
        seen = clients.load(self.url, self.message, clients=CLIENTS, seconds=seconds)
        if not all(map(self.ended, seen.bodies)):
            raise RuntimeError(f"{self.url} has answered before the end: {seen.bodies[-1][:300]!r}")
        self.used.append((self.cpu() - before) / len(seen.latencies))
        self.there.append((self.server() - server) / len(seen.latencies))
        self.rates.append(seen.rate)
        self.last.append(seen.percentile(99))


def measure(bench: Bench) -> list[Row]:
    """CPU of each process from its start to the answer at its end, of all that work on it but the clients."""
    with ExitStack() as stack:
        runners = {"sqlite": _ours(stack, bench, f"sqlite:///{bench.folder / 'ended.db'}")}
        runners["postgresql"] = _ours(stack, bench, stack.enter_context(stores.fresh("postgresql", bench.folder)))
        if durable_http.server() is not None:
            peer = stack.enter_context(durable_http.restate(bench.folder))
            message = clients.request("POST", "/flow/run", str(STEPS).encode())
            runners["Restate"] = Runner(peer.url, message, peer.cpu, lambda body: body.strip() == str(STEPS).encode())
        seconds = bench.size(5, 1) * 1.0
        for runner in runners.values():
            runner.run(seconds / 2)
            runner.used, runner.there, runner.rates, runner.last = [], [], [], []
        for _ in range(bench.size(4, 1)):
            for runner in runners.values():
                runner.run(seconds)
    rows = [_row(name, runner) for name, runner in runners.items()]
    if "Restate" not in runners:
        return [*rows, Row("Restate is missing: npm ci --ignore-scripts in tests/benchmarks/restate", "")]
    theirs = statistics.median(runners["Restate"].used)
    for name in ("sqlite", "postgresql"):
        share = theirs / statistics.median(runners[name].used)
        rows.append(Row(f"Restate's CPU of that on {name}", f"{share:.2f} times", target="> 1", met=share > 1))
    return rows


def _ours(stack: ExitStack, bench: Bench, url: str) -> Runner:
    with Engine(url, stones=stones, dispatcher="inline") as engine:
        engine.deploy(diagrams.sequence(STEPS))
    address, pid = stack.enter_context(serving(url))
    order = json.dumps({"key": f"sequence-{STEPS}", "processName": "bench", "variables": {}}).encode()
    message = clients.request("POST", "/process", order, "Prefer: wait=30\r\n")
    backends = Backends(url) if url.startswith("postgresql") else None
    return Runner(
        address,
        message,
        lambda: cpu_of(pid) + (backends.cpu() if backends is not None else 0.0),
        lambda body: b'"processStatus":"success"' in body.replace(b" ", b""),
        backends.cpu if backends is not None else lambda: 0.0,
    )


class Backends:
    """The processes that a PostgreSQL server has for the connections to one database; others use the server too."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.used: dict[int, float] = {}

    def there(self) -> int:
        """How many there are now."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            found = connection.execute(sql).fetchone()
        return 0 if found is None else int(found[0])

    def cpu(self) -> float:
        """CPU seconds of all that there ever were."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            for (pid,) in found.fetchall():
                with suppress(OSError):
                    self.used[pid] = cpu_of(pid)
        return sum(self.used.values())


def _row(name: str, runner: Runner) -> Row:
    title = name if name == "Restate" else f"riverstone on {name}"
    there = statistics.median(runner.there)
    database = f", {milliseconds(there)} of it in the database" if there else ""
    return Row(
        f"{title}: {STEPS} steps until ended, one request, {CLIENTS} clients",
        f"{milliseconds(statistics.median(runner.used))} CPU each{database}",
        f"{statistics.median(runner.rates):,.0f} a second",
        f"{milliseconds(statistics.median(runner.last))} p99",
    )
