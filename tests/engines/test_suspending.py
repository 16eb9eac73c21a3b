"""Somebody suspends a stone while another engine's commit is on its way: what that commit saw before does not count."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from riverstone.engine import Engine, Stone, TaskInfo
from riverstone.models import Store
from riverstone.models.operating import suspensions

from ..features.sketch import line, service
from ..models.stores import fresh
from ..workers.crew import until

CALLS: list[str] = []
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Count(Stone):
    code = "count"

    def start(self, task: TaskInfo) -> None:
        CALLS.append(task.idempotency_key)


@contextmanager
def suspending(store: Store) -> Iterator[None]:
    """The stone is suspended when this is left; within, no commit comes through."""
    held, go_on = threading.Event(), threading.Event()

    def suspend() -> None:
        store.wait_for_commits()
        store.run(suspensions.INSERT, ("stone", "count", None, None, 0))
        held.set()
        go_on.wait(30)

    with ThreadPoolExecutor(1) as pool:
        suspended = pool.submit(store.write, suspend)
        try:
            assert held.wait(60)
            yield
        finally:
            go_on.set()
        suspended.result()


def test_a_commit_that_waits_for_a_suspension_begins_nothing_that_is_suspended(tmp_path: Path) -> None:
    CALLS.clear()
    with (
        fresh("postgresql", tmp_path) as url,
        closing(Store(url)) as other,
        Engine(url, stones=[Count]) as engine,
        ThreadPoolExecutor(1) as pool,
    ):
        engine.deploy(line("shop", service("a", "count")))
        engine.wait(engine.start(key="shop", name="before").process_instance_id)
        with suspending(other):
            starting = pool.submit(engine.start, key="shop", name="meanwhile")
            until(lambda: other.read(WAITING))
        number = starting.result().process_instance_id

        assert [task.status for task in engine.tasks(number)] == ["suspended"]
    assert len(CALLS) == 1


def test_an_engine_that_signs_on_during_a_suspension_knows_of_it(tmp_path: Path) -> None:
    CALLS.clear()
    with fresh("postgresql", tmp_path) as url, closing(Store(url)) as other, ThreadPoolExecutor(1) as pool:
        with Engine(url, stones=[Count]) as first:
            first.deploy(line("shop", service("a", "count")))
        with suspending(other):
            opening = pool.submit(Engine, url, stones=[Count])
            until(lambda: other.read(WAITING))
        with opening.result() as engine:
            number = engine.start(key="shop", name="after").process_instance_id

            assert [task.status for task in engine.tasks(number)] == ["suspended"]
    assert CALLS == []
