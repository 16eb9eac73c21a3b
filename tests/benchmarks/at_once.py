"""Many processes in flight in one engine: 32 callers who each start one, wait for its end, and go on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from typing import Literal

from riverstone.engine import Engine

from ..models import stores
from . import diagrams
from .bench import Bench
from .floor import Floor
from .measure import Work, alternate
from .stones import stones
from .table import Row, milliseconds, timed

IN_FLIGHT = 32
DISPATCHERS: tuple[Literal["inline", "threads"], ...] = ("inline", "threads")


def measure(bench: Bench) -> list[Row]:
    """Processes a second while 32 are in flight, and the CPU of one; on PostgreSQL on threads beside inline."""
    return [*_on_sqlite(bench), *_on_postgresql(bench)]


def _on_postgresql(bench: Bench) -> list[Row]:
    each = bench.size(30, 1)
    with (
        stores.fresh("postgresql", bench.folder) as url,
        ThreadPoolExecutor(IN_FLIGHT) as callers,
        ExitStack() as stack,
    ):
        works: dict[str, tuple[Work, int]] = {}
        for dispatcher in DISPATCHERS:
            engine = stack.enter_context(Engine(url, stones=stones, dispatcher=dispatcher))
            deployment_id = engine.deploy(diagrams.sequence(5)).deployment_id
            works[dispatcher] = partial(_all_at_once, callers, Caller(engine, deployment_id, each)), IN_FLIGHT * each
        times = alternate(works, bench.rounds)
    share = times["inline"].wall / times["threads"].wall
    return [
        *(
            Row(
                f"5 stones on PostgreSQL, {IN_FLIGHT} in flight, {dispatcher}",
                f"{1 / spent.wall:,.0f} a second",
                f"{milliseconds(spent.cpu)} CPU",
            )
            for dispatcher, spent in times.items()
        ),
        Row("threads against inline there", f"{share:.2f} times", target=">= 0.8", met=share >= 0.8),
    ]


def _all_at_once(callers: ThreadPoolExecutor, caller: Caller) -> None:
    list(callers.map(caller, range(IN_FLIGHT)))


class Caller:
    """Starts a process after the other, and waits for the end of each."""

    def __init__(self, engine: Engine, deployment_id: str, count: int) -> None:
        self.engine = engine
        self.deployment_id = deployment_id
        self.count = count

    def __call__(self, _: int) -> None:
        for _ in range(self.count):
            started = self.engine.start(deployment_id=self.deployment_id, name="bench")
            ended = self.engine.wait(started.process_instance_id, timeout=60)
            if ended.status != "success":
                raise RuntimeError(f"Process {ended.process_instance_id} is {ended.status}, not success.")


def _on_sqlite(bench: Bench) -> list[Row]:
    each = bench.size(30, 1)
    total = IN_FLIGHT * each
    with (
        bench.engine(dispatcher="threads") as engine,
        closing(Floor(bench.folder)) as floor,
        ThreadPoolExecutor(IN_FLIGHT) as callers,
    ):
        deployment_id = engine.deploy(diagrams.sequence(5)).deployment_id

        caller = Caller(engine, deployment_id, each)

        def burst() -> None:
            started = [engine.start(deployment_id=deployment_id, name="bench") for _ in range(total)]
            for instance in started:
                engine.wait(instance.process_instance_id, timeout=60)

        times = alternate(
            {
                "floor": (lambda: floor.sequence(5, total), total),
                "many": (partial(_all_at_once, callers, caller), total),
                "burst": (burst, total),
            },
            bench.rounds,
        )
    many, bare = times["many"], times["floor"]
    rate = 1 / many.wall
    return [
        timed("5 in sequence: bare commits, one after the other", bare),
        timed(f"5 stones, {IN_FLIGHT} in flight", many, bare),
        Row(
            f"processes a second, {IN_FLIGHT} in flight",
            f"{rate:,.0f} a second",
            f"{bare.wall * rate:.2f} x floor's rate",
            target=">= 2,500 a second",
            met=rate >= 2500,
        ),
        timed(f"5 stones, {total} started by one caller, then waited for", times["burst"], bare),
    ]
