"""What is found among very many processes that wait: the one that gets a message, and pages of lists."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from riverstone.engine import Engine

from ..features.sketch import catch, definitions, flow, process
from .bench import Bench
from .diagrams import sequence
from .measure import alternate, spent
from .table import Row, milliseconds

WAITING = definitions(
    '<message id="m" name="paid"/>',
    process("order", '<startEvent id="s"/>', catch("c", '<messageEventDefinition messageRef="m"/>'), flow("s", "c")),
)
ASKED = 20
MOST = 0.005
"""Seconds of the processor."""
QUESTIONS: Mapping[str, Callable[[Engine], object]] = {
    "a page of 50 that run": lambda engine: engine.search(state="running"),
    "a page of 50 of a key": lambda engine: engine.search(key="order"),
    "those of one business key": lambda engine: engine.search(business_key="k77"),
    "those of a status, none": lambda engine: engine.search(statuses=["failed"]),
}


def measure(bench: Bench) -> Iterator[Row]:
    """CPU beside few and beside many others; of a message with its commit, the others without."""
    sizes = {"few": bench.size(10_000, 100), "many": bench.size(1_000_000, 1_000)}
    first = {name: _filled(bench, name, count) for name, count in sizes.items()}
    with bench.engine("few") as few, bench.engine("many") as many:
        engines = {"few": few, "many": many}
        keys = iter(range(1, sizes["few"]))

        def by_key(name: str) -> object:
            return engines[name].message("paid", business_key=f"k{next(keys)}")

        def by_id(name: str) -> object:
            return engines[name].message("paid", process_instance_id=str(first[name] + next(keys)))

        yield _row(bench, "a message by business key", by_key)
        yield _row(bench, "a message by id", by_id)
        for work, ask in QUESTIONS.items():
            yield _row(bench, work, partial(_asked, ask, engines))
    yield _tasks(bench, bench.size(50_000, 500))


def _asked(ask: Callable[[Engine], object], engines: Mapping[str, Engine], name: str) -> object:
    return ask(engines[name])


def _row(bench: Bench, work: str, act: Callable[[str], object]) -> Row:
    count = bench.size(ASKED, 2)

    def repeated(name: str) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                act(name)

        return run

    times = alternate({name: (repeated(name), count) for name in ("few", "many")}, bench.rounds)
    few, many = times["few"].cpu, times["many"].cpu
    beside, growth = f"{milliseconds(few)} beside few", f"{many / few:.2f} times"
    return Row(work, f"{milliseconds(many)} CPU", beside, growth, f"<= {milliseconds(MOST)}", many <= MOST)


def _tasks(bench: Bench, count: int) -> Row:
    """A page in the middle of so many tasks of one process."""
    with bench.engine("tasks") as engine:
        number = engine.start(deployment_id=engine.deploy(sequence(1)).deployment_id, name="bench").process_instance_id
        (task,) = engine.tasks(number)
    first = int(task.task_id)
    with closing(sqlite3.connect(bench.folder / "tasks.db")) as connection:
        columns = [str(row[1]) for row in connection.execute("PRAGMA table_info(task)")]
        connection.execute(
            f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {count})"
            f" INSERT INTO task ({', '.join(f'`{column}`' for column in columns)})"
            f" SELECT {', '.join('id + n' if column == 'id' else f'`{column}`' for column in columns)}"
            f" FROM copy CROSS JOIN task WHERE id = {first}"
        )
        connection.commit()
    with bench.engine("tasks", passive=True) as engine:
        pages = bench.size(ASKED, 2)
        taken = spent(lambda: [engine.tasks(number, limit=100, after=str(first + count // 2)) for _ in range(pages)])
    cpu = taken.cpu / pages
    return Row(f"100 of {count:,} tasks", f"{milliseconds(cpu)} CPU", target="<= 10 ms", met=cpu <= 0.01)


def _filled(bench: Bench, name: str, count: int) -> int:
    """A store with so many processes that wait, all copies of one that does; the id of that one."""
    with bench.engine(name) as engine:
        engine.deploy(WAITING)
        first = int(engine.start(key="order", name="bench", business_key="k0").process_instance_id)
    _copy(bench.folder / f"{name}.db", first, count)
    return first


def _copy(path: Path, first: int, count: int) -> None:
    own = {"process_instance_id": "n", "business_key": f"'k' || (n - {first})", "id": "LOWER(HEX(RANDOMBLOB(16)))"}
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = off")
    for table in ("process_instance", "content", "token", "wait"):
        columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
        given = own if table == "process_instance" else {"process_instance_id": "n"}
        connection.execute(
            f"WITH RECURSIVE copy(n) AS (SELECT {first} + 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {first + count})"
            f" INSERT INTO {table} ({', '.join(columns)})"
            f" SELECT {', '.join(given.get(column, column) for column in columns)}"
            f" FROM copy CROSS JOIN {table} WHERE process_instance_id = {first}"
        )
    connection.execute("UPDATE sequence SET next = ?", (first + count + 1,))
    connection.commit()
    connection.close()
