"""What is found among very many processes that wait: who gets a message, pages of lists, texts, and figures."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from flask.testing import FlaskClient

from riverstone.api import create_app
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
MOST, MOST_OF_TEXT, MOST_OF_PAGE, MOST_OF_PURGE = 0.005, 0.05, 0.002, 1.0
"""Seconds of the processor."""
TEXTS: Mapping[str, Callable[[Engine], object]] = {
    "a text: a word that all have": lambda engine: engine.search(text="bench"),
    "a text: a word that one has": lambda engine: engine.search(text="k77"),
    "a text: what many words begin with": lambda engine: engine.search(text="k"),
    "a text: two signs of a Chinese name": lambda engine: engine.search(text="硬盘"),
    "a text: what no word begins with": lambda engine: engine.search(text="7x7"),
}
QUESTIONS: Mapping[str, Callable[[Engine], object]] = {
    "a page of 50 that run": lambda engine: engine.search(state="running"),
    "a page of 50 of a key": lambda engine: engine.search(key="order"),
    "those of one business key": lambda engine: engine.search(business_key="k77"),
    "those of a status, none": lambda engine: engine.search(statuses=["failed"]),
    "those of a kind, none": lambda engine: engine.search(kind="delete"),
    "those of an exact name, none": lambda engine: engine.instances(name="nobody"),
}


def measure(bench: Bench) -> Iterator[Row]:
    """CPU beside few and beside many others; of a message with its commit, the others without."""
    sizes = {"few": bench.size(10_000, 100), "many": bench.many}
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
        for work, ask in TEXTS.items():
            yield _row(bench, work, partial(_asked, ask, engines), MOST_OF_TEXT)
        clients = {name: create_app(engine).test_client() for name, engine in engines.items()}
        for path in ("/process?limit=50", "/process/search?limit=50"):
            yield _row(bench, f"GET {path}", partial(_got, clients, path), MOST_OF_PAGE)
        yield _row(bench, "figures", partial(_asked, Engine.figures, engines), None)
        # They wait; what can be forgotten has ended.
        for name in engines:
            _end(bench.folder / f"{name}.db")
        yield _row(bench, "a purge that only counts", lambda name: _purged(engines[name]), MOST_OF_PURGE, times=1)
    yield _tasks(bench, bench.size(50_000, 500))


def _asked(ask: Callable[[Engine], object], engines: Mapping[str, Engine], name: str) -> object:
    return ask(engines[name])


def _got(clients: Mapping[str, FlaskClient], path: str, name: str) -> None:
    answer = clients[name].get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"GET {path} answered {answer.status}.")


def _purged(engine: Engine) -> None:
    if not engine.purge(0, dry_run=True):
        raise RuntimeError("There is nothing to purge: all have ended and made nothing.")


def _end(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE process_instance SET phase = 'ended', status = 'success', outcome = 'success', awaits = NULL,"
            " ended = started"
        )
        connection.commit()


def _row(bench: Bench, work: str, act: Callable[[str], object], most: float | None = MOST, times: int = ASKED) -> Row:
    count = bench.size(times, min(times, 2))

    def repeated(name: str) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                act(name)

        return run

    taken = alternate({name: (repeated(name), count) for name in ("few", "many")}, bench.rounds)
    few, many = taken["few"].cpu, taken["many"].cpu
    beside, growth = f"{milliseconds(few)} beside few", f"{many / few:.2f} times"
    if most is None:
        return Row(work, f"{milliseconds(many)} CPU", beside, growth)
    return Row(work, f"{milliseconds(many)} CPU", beside, growth, f"<= {milliseconds(most)}", many <= most)


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
        first = int(engine.start(key="order", name="bench 云硬盘", business_key="k0").process_instance_id)
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
    others = [
        f"SELECT word, {first} + n FROM copy CROSS JOIN word WHERE process_instance_id = {first} AND word <> 'k0'"
    ]
    for words in (*others, f"SELECT 'k' || n, {first} + n FROM copy"):
        connection.execute(
            f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {count})"
            f" INSERT INTO word (word, process_instance_id) {words}"
        )
    connection.execute("UPDATE sequence SET next = ?", (first + count + 1,))
    connection.commit()
    connection.close()
