"""A database server throws everybody out again and again, and holds no more connections than there are threads."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from riverstone.engine import Engine, ProcessInstance, Stone, StoreUnavailable, TaskInfo

from ..features.sketch import line, service
from ..models.stores import fresh

CALLS: Counter[str] = Counter()
COUNT_POSTGRESQL = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
COUNT_MARIADB = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()"


class Count(Stone):
    """Counts how often each key was brought to it, and is looked at once more."""

    code = "count"
    monitor_interval = 0.2

    def start(self, task: TaskInfo) -> None:
        CALLS[task.idempotency_key] += 1

    def monitor(self, task: TaskInfo) -> bool:
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] == 2)


def persistently(call: Callable[[], ProcessInstance]) -> ProcessInstance:
    """What a client does who is told that nothing was done: ask again, with the same key."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return call()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise


def test_a_server_that_throws_out_everybody_again_and_again_wrongs_no_process(tmp_path: Path) -> None:
    CALLS.clear()
    with fresh("postgresql", tmp_path) as url:
        over = threading.Event()
        thrown = []

        def throw_out() -> None:
            psycopg = pytest.importorskip("psycopg")
            with psycopg.connect(url, autocommit=True) as connection:
                while not over.wait(0.1):
                    found = connection.execute(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    ).fetchone()
                    thrown.append(found[0])

        thrower = threading.Thread(target=throw_out)
        with (
            Engine(url, stones=[Count], dispatcher="threads") as one,
            Engine(url, stones=[Count], dispatcher="threads") as other,
        ):
            one.deploy(line("shop", service("a", "count"), service("b", "count")))
            thrower.start()
            engines = (one, other)
            with ThreadPoolExecutor(8) as pool:

                def start(number: int) -> ProcessInstance:
                    name = f"{number}"
                    return persistently(lambda: engines[number % 2].start(key="shop", name=name, idempotency_key=name))

                def wait(each: ProcessInstance) -> ProcessInstance:
                    return persistently(lambda: one.wait(each.process_instance_id, timeout=60))

                ended = list(pool.map(wait, list(pool.map(start, range(300)))))
            over.set()
            thrower.join()

            assert len(thrown) > 5
            assert Counter(each.status for each in ended) == {"success": 300}
            names = Counter(each.process_name for each in one.instances(limit=400).items)
            assert names == {f"{number}": 1 for number in range(300)}
            for each in ended[:20]:
                tasks = one.tasks(each.process_instance_id)
                assert [task.status for task in tasks] == ["monitor.success"] * 2
    assert len(CALLS) == 600


@pytest.mark.parametrize(("kind", "count"), [("postgresql", COUNT_POSTGRESQL), ("mariadb", COUNT_MARIADB)])
def test_threads_that_ended_leave_no_connection_and_a_closed_engine_none(kind: str, count: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url, Engine(url, stones=[Count]) as looking:
        engine = Engine(url, stones=[Count], dispatcher="threads")
        engine.deploy(line("shop", service("a", "count")))
        number = engine.start(key="shop", name="test").process_instance_id
        for _ in range(20):
            threads = [threading.Thread(target=engine.get, args=(number,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        # This thread and both hearts use a connection of each engine, and the river one; on PostgreSQL each engine
        # hears by one more what the others do.
        ears = 1 if kind == "postgresql" else 0
        assert settled(looking, count, 6 + 2 * ears) <= 6 + 2 * ears
        been, go_on = threading.Event(), threading.Event()

        def read() -> None:
            engine.get(number)
            been.set()
            go_on.wait(10)

        reader = threading.Thread(target=read)
        reader.start()
        assert been.wait(60)
        engine.close()
        assert settled(looking, count, 2 + ears) <= 2 + ears
        go_on.set()
        reader.join()


def settled(engine: Engine, count: str, wanted: int) -> int:
    """How many connections the server has, once it has noticed which have gone."""
    deadline = time.monotonic() + 60
    while True:
        found = int(engine._store.read(count)[0][0])
        if found <= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
