"""PostgreSQL plans a commit while the store is empty, and keeps that plan: it has to lead through the indexes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from riverstone.engine import Engine, Stone, TaskInfo

from ..features.sketch import line, service
from ..models.stores import fresh

CALLERS, EACH = 16, 12
READ_THROUGH = (
    "SELECT relname FROM pg_stat_user_tables WHERE relname IN ('process_instance', 'task') AND seq_tup_read > n_tup_ins"
)


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
