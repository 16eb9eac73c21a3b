"""What people use today, beside riverstone and the bare commits, all taking turns."""

from __future__ import annotations

from contextlib import ExitStack, closing

from . import diagrams, durable
from .bench import Bench, Runs
from .floor import Floor
from .measure import Spent, Work, alternate
from .spiff import Spiff
from .table import Row, timed


def measure(bench: Bench) -> list[Row]:
    """5 and 100 stones in sequence and 100 in parallel, by everyone who can."""
    few, many = bench.size(20, 1), bench.size(100, 10)
    models = {"5": diagrams.sequence(5), "many": diagrams.sequence(many), "side": diagrams.parallel(many)}
    keys = {"5": "sequence-5", "many": f"sequence-{many}", "side": f"parallel-{many}"}
    counts = {"5": few, "many": 1, "side": 1}
    works: dict[str, tuple[Work, int]] = {}
    with ExitStack() as stack:
        engine = stack.enter_context(bench.engine())
        floor = stack.enter_context(closing(Floor(bench.folder)))
        runs = Runs(engine)
        works["floor 5"] = (lambda: floor.sequence(5, few), few)
        works["floor many"] = (lambda: floor.sequence(many, 1), 1)
        works["floor side"] = (lambda: floor.side_by_side(many), 1)
        for size, model in models.items():
            works[f"riverstone {size}"] = runs.of(model, counts[size])
            works[f"Spiff in memory {size}"] = _times(Spiff(model, keys[size]).run, counts[size])
            works[f"Spiff+SQLite {size}"] = _times(Spiff(model, keys[size], bench.folder).run, counts[size])
        times = alternate(works, bench.size(5, 1))
        runs.check()
    if durable.is_installed():
        # Afterwards, because its threads go on working while others have their turn.
        with durable.dbos(bench.folder) as run:
            works = {"DBOS 5": _times(lambda: run(5), few), "DBOS many": _times(lambda: run(many), 1)}
            times |= alternate(works, bench.size(5, 1))
    titles = {"5": "5 in sequence", "many": f"{many} in sequence", "side": f"{many} in parallel"}
    rows = []
    for size, title in titles.items():
        for name in ("floor", "riverstone", "Spiff in memory", "Spiff+SQLite", "DBOS"):
            if f"{name} {size}" in times:
                rows.append(timed(f"{title}: {name}", times[f"{name} {size}"], times[f"floor {size}"]))
    rows.append(_share("5 in sequence, riverstone of Spiff+SQLite", times, "Spiff+SQLite 5", 5))
    if durable.is_installed():
        rows.append(_share("5 in sequence, riverstone of DBOS", times, "DBOS 5", 16))
    else:
        rows.append(Row("DBOS is missing: pip install -r tests/benchmarks/requirements.txt", ""))
    return rows


def _times(run: Work, count: int) -> tuple[Work, int]:
    def again() -> None:
        for _ in range(count):
            run()

    return again, count


def _share(work: str, times: dict[str, Spent], peer: str, parts: int) -> Row:
    found = times[peer].cpu / times["riverstone 5"].cpu
    return Row(work, f"1/{found:.1f}", target=f"<= 1/{parts}", met=found >= parts)
