"""Bytes that a finished process leaves, and whether reading one is slower beside a million others."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from riverstone.api import create_app
from riverstone.engine import Engine

from ..models import stores
from . import diagrams
from .bench import Bench
from .measure import Spent, alternate
from .stones import stones as stones_of_nothing
from .table import Row, timed


def measure(bench: Bench) -> list[Row]:
    """The size first; then ``GET /process/{id}`` in the application itself, a socket would hide the difference."""
    few, many = 100, bench.size(1_000_000, 1_000)
    size = _bytes_of_one(bench)
    on_postgresql: list[Row] = []
    with suppress(pytest.skip.Exception), stores.fresh("postgresql", bench.folder) as url:
        on_postgresql = [_size_row("PostgreSQL", _bytes_on_postgresql(bench, url))]
    ids = {count: _filled(bench, f"with-{count}", count) for count in (few, many)}
    with bench.engine(f"with-{few}") as small, bench.engine(f"with-{many}") as large:
        reads = bench.size(500, 20)
        times = alternate(
            {
                "get few": (_reading(_gets(small), ids[few], reads), reads),
                "get many": (_reading(_gets(large), ids[many], reads), reads),
                "engine few": (_reading(small.get, ids[few], reads), reads),
                "engine many": (_reading(large.get, ids[many], reads), reads),
            },
            bench.rounds,
        )
    return [
        _size_row("SQLite", size),
        *on_postgresql,
        *_compared("GET /process/{id}", times["get few"], times["get many"], few, many, most=1.2),
        *_compared("engine.get", times["engine few"], times["engine many"], few, many),
    ]


def _compared(work: str, few: Spent, many: Spent, small: int, large: int, *, most: float | None = None) -> list[Row]:
    growth = many.cpu / few.cpu
    target, met = ("", None) if most is None else (f"<= {most} times", growth <= most)
    return [
        timed(f"{work} beside {small:,}", few),
        timed(f"{work} beside {large:,}", many),
        Row(f"{work}, {large:,} against {small:,}", f"{growth:.2f} times", target=target, met=met),
    ]


def _bytes_of_one(bench: Bench) -> float:
    """Used pages of the file before and after many processes, indexes included."""
    count = bench.size(2_000, 50)
    with bench.engine("size") as engine:
        deployment_id = engine.deploy(diagrams.sequence(5)).deployment_id
        before = _used(bench.folder / "size.db")
        for _ in range(count):
            engine.start(deployment_id=deployment_id, name="bench")
    return (_used(bench.folder / "size.db") - before) / count


def _size_row(database: str, size: float) -> Row:
    work = f"a finished process of 5 stones, {database}"
    return Row(work, f"{size:,.0f} bytes", target="<= 1.5 kB", met=size <= 1500)


def _bytes_on_postgresql(bench: Bench, url: str) -> float:
    """What all tables and indexes grow by, vacuumed now and then as by PostgreSQL itself."""
    count = bench.size(3_000, 50)
    with Engine(url, stones=stones_of_nothing, dispatcher="inline") as engine, psycopg.connect(url) as connection:
        connection.autocommit = True
        deployment_id = engine.deploy(diagrams.sequence(5)).deployment_id
        sizes = []
        for many in (count // 3, count):
            for turn in range(many):
                engine.start(deployment_id=deployment_id, name="bench")
                if turn % 500 == 0:
                    connection.execute("VACUUM")
            connection.execute("VACUUM")
            # What each engine keeps writing to does not grow with its processes.
            (size,) = connection.execute(
                "SELECT SUM(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace AND relname <> 'engine_node'"
            ).fetchone() or (0,)
            sizes.append(int(size))
    return (sizes[1] - sizes[0]) / count


def _used(path: Path) -> int:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    connection.close()
    return (pages - free) * size


def _filled(bench: Bench, name: str, count: int) -> list[int]:
    """Ids of some finished processes in a store of ``count``, all copies of one that has really run."""
    with bench.engine(name) as engine:
        deployment_id = engine.deploy(diagrams.sequence(5)).deployment_id
        template = int(engine.start(deployment_id=deployment_id, name="bench").process_instance_id)
    step, copies = 6, count - 1
    connection = sqlite3.connect(bench.folder / f"{name}.db")
    connection.execute("PRAGMA synchronous = off")
    # As the engine numbers them: an instance and its tasks follow each other.
    numbers = f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {copies}) "
    for table, shifted in (
        ("process_instance", ("process_instance_id",)),
        ("content", ("process_instance_id",)),
        ("task", ("id", "process_instance_id")),
    ):
        columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
        values = [f"{name} + {step} * n" if name in shifted else name for name in columns]
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) {numbers}SELECT {', '.join(values)} "
            f"FROM copy CROSS JOIN {table} WHERE process_instance_id = ? AND {shifted[0]} < ?",
            (template, template + step),
        )
    connection.execute("UPDATE sequence SET next = ?", (template + step * (count + 1),))
    connection.commit()
    connection.close()
    chosen = random.Random(4).sample(range(count), min(count, 400))
    return [template + step * number for number in chosen]


def _gets(engine: Engine) -> Callable[[str], object]:
    client = create_app(engine).test_client()

    def get(process_instance_id: str) -> None:
        answer = client.get(f"/process/{process_instance_id}")
        if answer.status_code != 200:
            raise RuntimeError(f"GET /process/{process_instance_id} answered {answer.status}.")

    return get


def _reading(read: Callable[[str], object], ids: list[int], reads: int) -> Callable[[], None]:
    def work() -> None:
        for turn in range(reads):
            read(str(ids[turn % len(ids)]))

    return work
