"""Deploying a model of 400 nodes with all its checks, and starting it."""

from __future__ import annotations

from contextlib import closing
from itertools import count

from . import diagrams
from .bench import Bench, Runs
from .floor import Floor
from .measure import alternate
from .table import Row, timed


def measure(bench: Bench) -> list[Row]:
    """A deployment of new content each time; a start up to the first wait of a small and of a large model."""
    nodes, starts = bench.size(400, 40), bench.size(60, 2)
    numbers = count()
    with closing(bench.engine()) as engine, closing(Floor(bench.folder)) as floor:
        runs = Runs(engine)
        large, small = diagrams.waiting(nodes - 3), diagrams.waiting(2)
        times = alternate(
            {
                "floor 5": (lambda: floor.sequence(5, starts), starts),
                "deploy": (lambda: engine.deploy(diagrams.sequence(nodes, key=f"new-{next(numbers)}")), 1),
                "again": (lambda: engine.deploy(large), 1),
                "large": runs.of(large, starts),
                "small": runs.of(small, starts),
            },
            bench.rounds,
        )
    deploy, floor_time = times["deploy"], times["floor 5"]
    growth = times["large"].cpu / times["small"].cpu
    return [
        timed("5 in sequence: bare commits", floor_time),
        timed(f"deploy {nodes} nodes", deploy, floor_time, target="<= 150 ms", met=deploy.cpu <= 0.15),
        timed("deploy the same again", times["again"], floor_time),
        timed(f"start of {nodes} nodes, to its first wait", times["large"], floor_time),
        timed("start of 5 nodes, to its first wait", times["small"], floor_time),
        Row("start, large against small model", f"{growth:.2f} times", target="parses nothing", met=growth <= 1.5),
    ]
