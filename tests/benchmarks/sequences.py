"""Stones in sequence: what one costs, and that a long row costs no more per stone than a short one."""

from __future__ import annotations

from contextlib import closing

from . import diagrams
from .bench import Bench, Runs
from .floor import Floor
from .measure import alternate
from .table import Row, timed


def measure(bench: Bench) -> list[Row]:
    """5, 10, 100 and 1,000 stones beside the bare commits of the first three."""
    few, some, many = bench.size(60, 2), bench.size(30, 1), bench.size(4, 1)
    most = bench.size(1000, 60)
    with closing(bench.engine()) as engine, closing(Floor(bench.folder)) as floor:
        runs = Runs(engine)
        times = alternate(
            {
                "floor 5": (lambda: floor.sequence(5, few), few),
                "5": runs.of(diagrams.sequence(5), few),
                "5 waited": runs.waited_for(diagrams.sequence(5), few),
                "floor 10": (lambda: floor.sequence(10, some), some),
                "10": runs.of(diagrams.sequence(10), some),
                "floor 100": (lambda: floor.sequence(100, many), many),
                "100": runs.of(diagrams.sequence(100), many),
                "1000": runs.of(diagrams.sequence(most), 1),
            },
            bench.rounds,
        )
        runs.check()
    commits = commits_of_one(bench)
    five, bare = times["5"], times["floor 5"]
    growth = times["1000"].cpu / most / (times["10"].cpu / 10)
    return [
        timed("5 in sequence: bare commits", bare),
        timed("5 in sequence", five, bare, target="<= 1.1 ms, <= 1.6 x floor", met=five.cpu <= 1.6 * bare.cpu),
        timed("5 in sequence, and wait", times["5 waited"], bare),
        Row("5 in sequence: commits of one process", str(commits), target="6", met=commits >= 6),
        timed("10 in sequence", times["10"], times["floor 10"]),
        timed("100 in sequence: bare commits", times["floor 100"]),
        timed("100 in sequence", times["100"], times["floor 100"], target="<= 17 ms", met=times["100"].cpu <= 0.017),
        timed(f"{most:,} in sequence", times["1000"]),
        Row(f"per stone, {most:,} against 10", f"{growth:.2f} times", target="<= 1.15 times", met=growth <= 1.15),
    ]


def commits_of_one(bench: Bench) -> int:
    """How often one process of five stones was committed, read from SQLite's own log of the store.

    A frame of the write-ahead log that ends a commit holds the size of the database, others 0
    (https://www.sqlite.org/fileformat2.html, section 4.1).
    """
    with bench.engine("commits") as engine:
        deployment = engine.deploy(diagrams.sequence(5))
        log = bench.folder / "commits.db-wal"
        # The first one also takes a block of ids.
        engine.start(deployment_id=deployment.deployment_id, name="bench")
        before = _commits(log.read_bytes())
        engine.start(deployment_id=deployment.deployment_id, name="bench")
        return _commits(log.read_bytes()) - before


def _commits(log: bytes) -> int:
    frame = 24 + int.from_bytes(log[8:12], "big")
    return sum(log[start + 4 : start + 8] != bytes(4) for start in range(32, len(log), frame))
