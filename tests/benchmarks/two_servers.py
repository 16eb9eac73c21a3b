"""Two servers on one PostgreSQL beside one: CPU of each process of all parties, and when one hears of the other."""

from __future__ import annotations

import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import ClassVar

from riverstone.engine import Engine, Stone, TaskInfo

from ..features.sketch import line, service
from ..models import stores
from . import clients, diagrams
from .bench import Bench
from .measure import cpu_of
from .over_http import CLIENTS, serving
from .stones import stones
from .table import Row, milliseconds
from .until_ended import Backends

MOST = 1.1
HEARD = 0.02
CONNECTIONS = 12


class Gate(Stone):
    """Waits until it is let go."""

    code = "gate"
    let_go: ClassVar[threading.Event] = threading.Event()

    def start(self, task: TaskInfo) -> None:
        """Return when the gate is open."""
        self.let_go.wait(30)


def measure(bench: Bench) -> list[Row]:
    """What 32 clients cost at one server and at two, and how late a wait at one hears of an end at the other."""
    with stores.fresh("postgresql", bench.folder) as url:
        rows = _costs(bench, url)
    with stores.fresh("postgresql", bench.folder) as url:
        return [*rows, _heard(bench, url)]


def _costs(bench: Bench, url: str) -> list[Row]:
    """Commits are shared by the steps that come together: few clients at each server fill them less than many at one.

    So what two servers cost is seen where each has as much to do as the one; how much the sharing makes is beside it.
    """
    with Engine(url, stones=stones, dispatcher="inline") as engine:
        engine.deploy(diagrams.sequence(5))
    backends, most = Backends(url), 0
    ways = {
        f"1 server on PostgreSQL, {CLIENTS} clients that wait for the end": (1, CLIENTS),
        f"2 servers, {CLIENTS} clients in all": (2, CLIENTS),
        f"2 servers, {CLIENTS} clients at each": (2, 2 * CLIENTS),
    }
    used: dict[str, list[float]] = {way: [] for way in ways}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(url)) for _ in range(2)]

        def cpu() -> float:
            return backends.cpu() + sum(cpu_of(pid) for _, pid in servers)

        for turn in range(bench.size(5, 1) + 1):
            for way, (count, there) in ways.items():
                before = cpu()
                seconds = bench.size(5, 1) / (1 if turn else 2)
                seen = _load([address for address, _ in servers[:count]], there, seconds)
                if turn:
                    used[way].append((cpu() - before) / len(seen.latencies))
                    rates[way].append(seen.rate)
                most = max(most, backends.there())
    one, shared, each = (statistics.median(used[way]) for way in ways)
    return [
        *(
            Row(
                way,
                f"{milliseconds(statistics.median(used[way]))} CPU each",
                f"{statistics.median(rates[way]):,.0f} a second",
            )
            for way in ways
        ),
        Row(
            "CPU with two servers of that with one, as many clients at each",
            f"{each / one:.2f} times",
            f"{shared / one:.2f} with as many in all",
            "",
            f"<= {MOST} times",
            each / one <= MOST,
        ),
        Row("connections of both", f"{most}", "", "", f"<= {2 * CONNECTIONS}", most <= 2 * CONNECTIONS),
    ]


def _load(addresses: list[str], there: int, seconds: float) -> clients.Load:
    order = json.dumps({"key": "sequence-5", "processName": "bench", "variables": {}}).encode()
    message = clients.request("POST", "/process", order, "Prefer: wait=30\r\n")
    with ThreadPoolExecutor() as pool:
        share = there // len(addresses)
        loads = list(pool.map(lambda url: clients.load(url, message, clients=share, seconds=seconds), addresses))
    latencies = [latency for each in loads for latency in each.latencies]
    return clients.Load(max(each.wall for each in loads), latencies, [body for each in loads for body in each.bodies])


def _heard(bench: Bench, url: str) -> Row:
    late: list[float] = []
    with (
        Engine(url, stones=[Gate], dispatcher="threads") as one,
        Engine(url, stones=[Gate], dispatcher="threads", passive=True) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        one.deploy(line("gated", service("a", "gate")))
        for _ in range(bench.size(30, 2)):
            Gate.let_go.clear()
            number = one.start(key="gated", name="bench").process_instance_id
            hearing = pool.submit(_ended, other, number)
            time.sleep(0.2)
            Gate.let_go.set()
            one.wait(number, timeout=30)
            ended = time.perf_counter()
            late.append(hearing.result() - ended)
    middle, last = statistics.median(late), sorted(late)[len(late) * 9 // 10]
    figure = f"{milliseconds(max(0.0, middle))} median"
    return Row(
        "an end at another engine is heard", figure, f"{milliseconds(last)} p90", "", "<= 20 ms", middle <= HEARD
    )


def _ended(engine: Engine, number: str) -> float:
    engine.wait(number, timeout=30)
    return time.perf_counter()
