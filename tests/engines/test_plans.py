"""PostgreSQL plans commits and lists before it has counted any rows: its plans have to lead through the indexes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from riverstone.engine import Engine, Stone, TaskInfo
from riverstone.models import TokenRow, WaitRow
from riverstone.models.row_types.tables import columns

from ..features.sketch import catch, line, service
from ..models.stores import fresh

CALLERS, EACH = 16, 12
READ_THROUGH = (
    "SELECT relname FROM pg_stat_user_tables WHERE relname IN ('process_instance', 'task') AND seq_tup_read > n_tup_ins"
)
WAITING = line("order", catch("c", '<messageEventDefinition messageRef="m"/>'), before='<message id="m" name="paid"/>')
SHOWN, BESIDE, ASKED = 50, 20_000, 8
READ = "SELECT relname, seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_user_tables"


class Nothing(Stone):
    code = "nothing"

    def start(self, task: TaskInfo) -> None:
        """There is nothing to do."""


def test_no_commit_reads_a_whole_table_that_has_filled_since_it_was_planned(tmp_path: Path) -> None:
    model = line("order", *(service(f"s{number}", "nothing") for number in range(3)))
    with fresh("postgresql", tmp_path) as url:
        with Engine(url, stones=[Nothing], dispatcher="inline") as engine, ThreadPoolExecutor(CALLERS) as callers:
            deployment_id = engine.deploy(model).deployment_id

            def call(_: int) -> None:
                for _ in range(EACH):
                    engine.wait(engine.start(deployment_id=deployment_id, name="order").process_instance_id, timeout=60)

            list(callers.map(call, range(CALLERS)))
        with psycopg.connect(url) as connection:
            assert connection.execute(READ_THROUGH).fetchall() == []


def test_a_page_of_a_list_reads_its_own_rows_of_a_store_that_nobody_has_counted(tmp_path: Path) -> None:
    with fresh("postgresql", tmp_path) as url:
        with Engine(url, dispatcher="inline") as engine:
            engine.deploy(WAITING)
            for _ in range(SHOWN):
                number = int(engine.start(key="order", name="order").process_instance_id)
        with psycopg.connect(url, autocommit=True) as connection:
            for table, row in (("token", TokenRow), ("wait", WaitRow)):
                names = ", ".join(f'"{name}"' for name in columns(row))
                others = names.replace('"process_instance_id"', "- n")
                connection.execute(
                    f'INSERT INTO "{table}" ({names}) SELECT {others}'
                    f' FROM generate_series(1, {BESIDE}) AS n CROSS JOIN "{table}" WHERE process_instance_id = {number}'
                )
        before = counted(url)
        with Engine(url, dispatcher="inline") as engine:
            for _ in range(ASKED):
                page = engine.search(key="order", limit=SHOWN)
                assert [len(each.waits_for) for each in page.items] == [1] * SHOWN
        deadline = time.monotonic() + 30
        # A server counts for good when a connection has ended.
        while (after := counted(url))["wait"] < before["wait"] + ASKED * SHOWN and time.monotonic() < deadline:
            time.sleep(0.05)
        read = {table: after[table] - before[table] for table in ("process_instance", "wait", "token", "content")}

    assert ASKED * SHOWN <= read["wait"] < BESIDE
    assert read["token"] < BESIDE
    # One statement for all of a page: nothing is asked for each of its lines.
    assert read["process_instance"] <= 4 * ASKED * SHOWN
    assert read["content"] == 0


def counted(url: str) -> dict[str, int]:
    """How many rows of each table were read so far."""
    with psycopg.connect(url) as connection:
        return {str(table): int(read) for table, read in connection.execute(READ).fetchall()}
