"""Stones side by side, and blocks of them in a row."""

from __future__ import annotations

from contextlib import closing

from . import diagrams
from .bench import Bench, Runs
from .floor import Floor
from .measure import alternate
from .table import Row, timed


def measure(bench: Bench) -> list[Row]:
    """10, 100 and 500 in parallel beside the bare rows of 100; 14 blocks beside as many nodes in sequence."""
    some, few, most = bench.size(40, 2), bench.size(6, 1), bench.size(500, 30)
    with closing(bench.engine()) as engine, closing(Floor(bench.folder)) as floor:
        runs = Runs(engine)
        times = alternate(
            {
                "floor 5": (lambda: floor.sequence(5, some), some),
                "floor 100": (lambda: floor.side_by_side(100), 1),
                "10": runs.of(diagrams.parallel(10), some),
                "100": runs.of(diagrams.parallel(100), few),
                "500": runs.of(diagrams.parallel(most), 1),
                "blocks": runs.of(diagrams.blocks(14, node="task"), some),
                "row": runs.of(diagrams.sequence(56, node="task"), some),
                "stone blocks": runs.of(diagrams.blocks(14), few),
                "stone row": runs.of(diagrams.sequence(28), few),
            },
            bench.rounds,
        )
        runs.check()
    hundred = times["100"]
    growth = times["500"].cpu / most / (times["10"].cpu / 10)
    plain = times["blocks"].cpu / times["row"].cpu
    stones = times["stone blocks"].cpu / times["stone row"].cpu
    return [
        timed("5 in sequence: bare commits", times["floor 5"]),
        timed("100 in parallel: bare rows in two commits", times["floor 100"]),
        timed("10 in parallel", times["10"]),
        timed("100 in parallel", hundred, times["floor 100"], target="<= 15 ms", met=hundred.cpu <= 0.015),
        timed(f"{most} in parallel", times["500"]),
        Row(f"per stone, {most} against 10", f"{growth:.2f} times", target="<= 1.15 times", met=growth <= 1.15),
        timed("14 blocks of plain tasks (58 nodes)", times["blocks"], times["floor 5"]),
        timed("56 plain tasks in sequence (58 nodes)", times["row"], times["floor 5"]),
        Row("blocks against sequence, plain tasks", f"{plain:.2f} times", target="<= 1.5 times", met=plain <= 1.5),
        timed("14 blocks of 2 stones (58 nodes)", times["stone blocks"], times["floor 5"]),
        timed("28 stones in sequence", times["stone row"], times["floor 5"]),
        Row("blocks against sequence, 28 stones", f"{stones:.2f} times", target="<= 1.5 times", met=stones <= 1.5),
    ]
