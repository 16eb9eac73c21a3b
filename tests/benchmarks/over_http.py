"""32 clients starting processes through ``POST /process``, beside an empty route on the same waitress."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from . import clients, diagrams
from .bench import Bench
from .measure import cpu_of
from .table import Row, milliseconds

CLIENTS = 32


def measure(bench: Bench) -> list[Row]:
    """Requests a second of both in turn, each server in a process of its own; then whether all have ended."""
    url = f"sqlite:///{bench.folder / 'engine.db'}"
    with bench.engine() as engine:
        engine.deploy(diagrams.sequence(5))
    order = {"key": "sequence-5", "processName": "bench", "variables": {}}
    start, empty = clients.request("POST", "/process", json.dumps(order).encode()), clients.request("GET", "/process")
    seconds = bench.size(6, 1) * 1.0
    posts: list[clients.Load] = []
    gets: list[clients.Load] = []
    used: list[float] = []
    with serving("--empty") as (bare, _), serving(url) as (ours, pid):
        clients.load(ours, start, clients=CLIENTS, seconds=seconds / 6)
        for _ in range(bench.size(4, 1)):
            gets.append(clients.load(bare, empty, clients=CLIENTS, seconds=seconds / 2))
            cpu = cpu_of(pid)
            posts.append(clients.load(ours, start, clients=CLIENTS, seconds=seconds))
            posts[-1].wall += _until_ended(ours, posts[-1].bodies)
            used.append((cpu_of(pid) - cpu) / len(posts[-1].latencies))
    _check(bench, [body for each in posts for body in each.bodies])
    return _rows(posts, gets, used)


def _until_ended(url: str, bodies: list[bytes]) -> float:
    """Seconds until the newest processes have ended: their rate is of processes, not only of answers."""
    begun = time.perf_counter()
    for body in bodies[-2 * CLIENTS :]:
        number = json.loads(body)["processInstanceId"]
        look = clients.request("GET", f"/process/{number}")
        while json.loads(clients.load(url, look, clients=1, seconds=0).bodies[0])["processStatus"] == "running":
            time.sleep(0.01)
    return time.perf_counter() - begun


def _rows(posts: list[clients.Load], gets: list[clients.Load], used: list[float]) -> list[Row]:
    rate, bare = (statistics.median(each.rate for each in loads) for loads in (posts, gets))
    last = statistics.median(each.percentile(99) for each in posts)
    middle = statistics.median(each.percentile(50) for each in posts)
    answered = sum(len(each.latencies) for each in posts)
    return [
        Row(f"an empty route, {CLIENTS} clients", f"{bare:,.0f} a second"),
        Row(
            f"POST /process of 5 stones, {CLIENTS} clients",
            f"{rate:,.0f} a second",
            f"{milliseconds(statistics.median(used))} CPU each",
            target=">= 25 % of the empty route",
            met=rate >= bare / 4,
        ),
        Row("share of the empty route's rate", f"{rate / bare:.1%}"),
        Row("answer to POST, p99", milliseconds(last), f"{milliseconds(middle)} median", "", "<= 150 ms", last <= 0.15),
        Row("all started are ended and durable", f"{answered:,} of {answered:,}", met=True),
    ]


@contextmanager
def serving(what: str) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", f"{__package__}.serving", what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process.pid
            process.terminate()
            process.wait(30)
        finally:
            process.kill()


def _check(bench: Bench, bodies: list[bytes]) -> None:
    """Raise RuntimeError unless another engine, that only looks, finds all that was acknowledged, and ended."""
    with bench.engine(passive=True) as engine:
        for body in bodies:
            number = json.loads(body)["processInstanceId"]
            status = engine.get(number).status
            if status != "success":
                raise RuntimeError(f"Process {number} was acknowledged, but is {status} after the server has stopped.")
