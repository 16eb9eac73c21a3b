"""What a second client waits while somebody else does the worst that models, data and calls allow.

The second client starts a process of one stone every 20 ms, whatever becomes of the one before, so a thread that is
busy for a second is seen by fifty of its starts and not by one. On a machine that does something else beside it, only
the CPU of the longest step says much.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from riverstone.engine import Engine

from . import diagrams
from .bench import Bench
from .table import Row, milliseconds
from .undoing import timed_steps
from .worst_cases import CASES

EVERY = 0.02
"""Seconds between two starts of the second client."""
MOST_WAITED = 0.3
"""Seconds that 99 of 100 starts may take."""
QUICK = 50
"""By how much sizes are divided where it is only to be seen that all of it runs."""


def measure(bench: Bench) -> Iterator[Row]:
    """The worst cases, each on a store of its own."""
    for number, (name, prepare) in enumerate(CASES.items()):
        with bench.engine(str(number), dispatcher="threads") as engine:
            neighbour = engine.deploy(diagrams.sequence(1, key="neighbour")).deployment_id
            act = prepare(engine, bench.size(1, QUICK))
            with timed_steps(engine) as steps, _second_client(engine, neighbour) as waits:
                begun = time.perf_counter()
                act()
                whole = time.perf_counter() - begun
        yield _row(name, sorted(waits), max(step.cpu for step in steps), whole)


def _row(name: str, waits: list[float], cpu: float, whole: float) -> Row:
    usual = waits[math.ceil(0.99 * len(waits)) - 1]
    beside = f"step {milliseconds(cpu)} CPU"
    return Row(name, f"{milliseconds(usual)} p99", beside, f"of {whole:.1f} s", "<= 300 ms p99", usual <= MOST_WAITED)


@contextmanager
def _second_client(engine: Engine, deployment_id: str) -> Iterator[list[float]]:
    """The seconds that each start of the second client takes meanwhile, from when it was meant to be."""
    waits: list[float] = []
    over = threading.Event()

    def start(meant: float) -> None:
        engine.start(deployment_id=deployment_id, name="neighbour")
        waits.append(time.perf_counter() - meant)

    def run() -> None:
        asked: list[Future[None]] = []
        with ThreadPoolExecutor(64) as threads:
            meant = time.perf_counter()
            while not over.is_set() or len(asked) < 2:
                asked.append(threads.submit(start, meant))
                meant += EVERY
                time.sleep(max(0.0, meant - time.perf_counter()))
            wait(asked)
        for each in asked:
            each.result()

    client = threading.Thread(target=run)
    client.start()
    try:
        yield waits
    finally:
        over.set()
        client.join()
