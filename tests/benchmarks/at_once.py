"""Many processes in flight in one engine on threads: 32 callers who each start one, wait for its end, and go on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from . import diagrams
from .bench import Bench
from .floor import Floor
from .measure import alternate
from .table import Row, timed

IN_FLIGHT = 32


def measure(bench: Bench) -> list[Row]:
    """Processes a second while 32 are in flight, and the CPU of one."""
    each = bench.size(30, 1)
    total = IN_FLIGHT * each
    with (
        bench.engine(dispatcher="threads") as engine,
        closing(Floor(bench.folder)) as floor,
        ThreadPoolExecutor(IN_FLIGHT) as callers,
    ):
        deployment_id = engine.deploy(diagrams.sequence(5)).deployment_id

        def caller(_: int) -> None:
            for _ in range(each):
                started = engine.start(deployment_id=deployment_id, name="bench")
                ended = engine.wait(started.process_instance_id, timeout=60)
                if ended.status != "success":
                    raise RuntimeError(f"Process {ended.process_instance_id} is {ended.status}, not success.")

        def burst() -> None:
            started = [engine.start(deployment_id=deployment_id, name="bench") for _ in range(total)]
            for instance in started:
                engine.wait(instance.process_instance_id, timeout=60)

        times = alternate(
            {
                "floor": (lambda: floor.sequence(5, total), total),
                "many": (lambda: list(callers.map(caller, range(IN_FLIGHT))), total),
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
