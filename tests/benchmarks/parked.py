"""Workers that wait for tasks over HTTP: 500 and 1,000 parked fetches beside plain requests (Linux only: /proc)."""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import time
from contextlib import ExitStack

from riverstone.engine import Engine

from ..features.sketch import line, service
from . import clients
from .bench import Bench
from .measure import cpu_of, status_of
from .over_http import serving
from .table import Row, milliseconds

BODY = json.dumps(
    {
        "workerId": "bench",
        "maxTasks": 1,
        "asyncResponseTimeout": 60_000,
        "topics": [{"topicName": "mail", "lockDuration": 60_000}],
    }
).encode()
FETCH = clients.request("POST", "/engine-rest/external-task/fetchAndLock", BODY)


def measure(bench: Bench) -> list[Row]:
    """CPU, memory, what a plain request takes meanwhile, and how soon one that waits has a task."""
    rows: list[Row] = []
    for count in (500, 1_000):
        rows += _waiting(bench, bench.size(count, 20))
    return rows


def _waiting(bench: Bench, count: int) -> list[Row]:
    url, seconds = f"sqlite:///{bench.folder / f'parked-{count}.db'}", bench.size(15, 1)
    with Engine(url, dispatcher="inline") as engine:
        engine.deploy(line("shop", service("a", "mail")), external=True)
    with ExitStack() as stack:
        address, pid = stack.enter_context(serving(url))
        host, port = address.removeprefix("http://").split(":")
        before = status_of(pid, "VmRSS")
        begun = time.perf_counter()
        waiters = [stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(count)]
        chosen = stack.enter_context(selectors.DefaultSelector())
        for each in waiters:
            each.sendall(FETCH)
            chosen.register(each, selectors.EVENT_READ)
        _settled(pid)
        cpu, wall = cpu_of(pid), time.perf_counter()
        time.sleep(seconds)
        share = (cpu_of(pid) - cpu) / (time.perf_counter() - wall)
        memory = (status_of(pid, "VmRSS") - before) / count
        plain = clients.load(address, clients.request("GET", "/engine-rest/version"), clients=1, seconds=1)
        begun = time.perf_counter()
        reached = [_reaches(address, chosen) for _ in range(min(bench.size(100, 5), count - 1))]
        if time.perf_counter() - begun > 50:
            raise RuntimeError("the waiters gave up before all tasks were there")
    return [
        Row(
            f"{count:,} parked fetches",
            f"{share:.2%} of a core",
            f"{memory:.1f} KiB each",
            target="<= 1 % of a core",
            met=share <= 0.01,
        ),
        Row(
            f"a plain request beside {count:,}",
            f"{milliseconds(statistics.median(plain.latencies))} median",
            f"{milliseconds(plain.percentile(99))} p99",
            target="<= 20 ms",
            met=statistics.median(plain.latencies) <= 0.02,
        ),
        Row(
            f"a task reaches one of {count:,}",
            f"{milliseconds(statistics.median(reached))} median",
            f"{milliseconds(max(reached))} most",
            target="<= 50 ms",
            met=statistics.median(reached) <= 0.05,
        ),
    ]


def _settled(pid: int) -> None:
    """Wait until all of them are parked: the server is at rest."""
    for _ in range(30):
        before = cpu_of(pid)
        time.sleep(1)
        if cpu_of(pid) - before < 0.03:
            return


def _reaches(address: str, waiters: selectors.BaseSelector) -> float:
    """Seconds from the answer of a start until one of those that wait has its task."""
    order = json.dumps({"key": "shop", "processName": "bench", "variables": {}}).encode()
    clients.load(address, clients.request("POST", "/process", order), clients=1, seconds=0)
    begun = time.perf_counter()
    found = waiters.select(30)
    took = time.perf_counter() - begun
    told = [key.fileobj.recv(65536) for key, _ in found]  # type: ignore[union-attr]
    if not any(b'"topicName":"mail"' in each for each in told):
        raise RuntimeError(f"a worker was told {told}")
    for key, _ in found:
        waiters.unregister(key.fileobj)
    return took
