"""One stone again and again: side by side as multi-instance, and one after the other as a loop."""

from __future__ import annotations

from contextlib import closing

from . import diagrams
from .bench import Bench, Runs
from .floor import Floor
from .measure import Spent, Work, alternate
from .stones import Count
from .table import Row, milliseconds, timed


def measure(bench: Bench) -> list[Row]:
    """Multi-instance, durable; then loops of 1,000 and 4,000 turns in memory."""
    return [*_multi_instance(bench), *_loops(bench)]


def _multi_instance(bench: Bench) -> list[Row]:
    thousand = bench.size(1000, 50)
    with closing(bench.engine()) as engine, closing(Floor(bench.folder)) as floor:
        runs = Runs(engine)
        times = alternate(
            {
                "floor": (lambda: floor.side_by_side(thousand), 1),
                "1000": runs.of(diagrams.multi_instance(thousand), 1),
                "5000": runs.of(diagrams.multi_instance(5 * thousand), 1),
            },
            bench.size(3, 1),
        )
        runs.check()
    one, five = times["1000"], times["5000"]
    growth = five.cpu / one.cpu
    return [
        timed(f"multi-instance {thousand:,}: bare rows in two commits", times["floor"]),
        timed(f"multi-instance {thousand:,}", one, times["floor"], target="<= 100 ms", met=one.cpu <= 0.1),
        timed(f"multi-instance {5 * thousand:,}", five),
        Row(f"{5 * thousand:,} against {thousand:,} runs", f"{growth:.2f} times", target="<= 6 times", met=growth <= 6),
    ]


def _loops(bench: Bench) -> list[Row]:
    short, long = bench.size(1000, 20), bench.size(4000, 80)
    with closing(bench.engine(":memory:")) as engine:
        runs = Runs(engine)
        works: dict[str, tuple[Work, int]] = {}
        for turns in (short, long):
            works[f"plain {turns}"] = _turns(*runs.of(diagrams.loop(turns, node="task"), 1), turns)
            works[f"stone {turns}"] = _turns(*runs.of(diagrams.loop(turns, node="service"), 1), turns)
            works[f"circle {turns}"] = _turns(*runs.of(diagrams.circle(turns), 1), turns)
        times = alternate(works, bench.size(3, 1))
        runs.check()
    rows = []
    titles = {"plain": "loop of a plain task", "stone": "loop of a stone", "circle": "flow back to a stone"}
    for name, title in titles.items():
        rows += _loop_rows(title, long, times[f"{name} {long}"], short, times[f"{name} {short}"])
    return rows


def _turns(work: Work, _: int, turns: int) -> tuple[Work, int]:
    def run() -> None:
        Count.called = 0
        work()

    return run, turns


def _loop_rows(title: str, long: int, turn: Spent, short: int, turn_of_short: Spent) -> list[Row]:
    growth = turn.cpu / turn_of_short.cpu
    whole = f"{milliseconds(turn.cpu * long)} the whole"
    return [
        Row(
            f"{title}, {long:,} turns in memory",
            f"{milliseconds(turn.cpu)} CPU a turn",
            whole,
            target="<= 0.25 ms a turn",
            met=turn.cpu <= 0.00025,
        ),
        Row(f"a turn, {long:,} against {short:,}", f"{growth:.2f} times", target="<= 1.15 times", met=growth <= 1.15),
    ]
