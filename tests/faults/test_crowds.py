"""Many threads on few connections, and servers that have no room: everybody waits, and nobody is turned away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from riverstone.engine import Engine, Invalid, Limits, Stone, TaskInfo
from riverstone.models import Store

from ..features.sketch import line, service
from ..models.stores import SERVERS, fresh
from ..workers.crew import until

ROOM = 4
"""Connections that a crowded server has for an engine."""


class Touch(Stone):
    code = "touch"

    def start(self, task: TaskInfo) -> None:
        task.add_output("done", True)


SHOP = line("shop", service("a", "touch"), service("b", "touch"))


def connections(kind: str, url: str) -> int:
    """How many connections the server has to this database."""
    name = urlsplit(url).path[1:]
    with closing(SERVERS[kind]().connect("test")) as connection:
        cursor: Any = connection.cursor()
        if kind == "postgresql":
            cursor.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = %s", (name,))
        else:
            cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s", (name,))
        return int(cursor.fetchone()[0])


def ask(engine: Engine, number: int) -> str:
    found = engine.start(key="shop", name=f"{number}").process_instance_id
    engine.instances(limit=5)
    return engine.wait(found, timeout=60).status


@pytest.mark.parametrize("kind", SERVERS)
def test_an_engine_has_no_more_connections_than_it_may_however_many_threads_ask(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url, Engine(url, stones=[Touch], dispatcher="threads") as engine:
        engine.deploy(SHOP)
        most, asking = 0, True

        def watch() -> None:
            nonlocal most
            while asking:
                most = max(most, connections(kind, url))

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            with ThreadPoolExecutor(40) as pool:
                assert set(pool.map(partial(ask, engine), range(200))) == {"success"}
        finally:
            asking = False
            watching.join()
        assert 1 < most <= 12
    until(lambda: connections(kind, url) == 0)


@pytest.mark.parametrize("kind", SERVERS)
def test_the_river_goes_on_while_callers_hold_all_connections_that_they_may_have(kind: str, tmp_path: Path) -> None:
    # One of PostgreSQL's hears what other engines tell.
    most = 6 if kind == "postgresql" else 5
    limits = Limits(connections=most)
    with fresh(kind, tmp_path) as url, Engine(url, stones=[Touch], dispatcher="threads", limits=limits) as engine:
        engine.deploy(SHOP)
        store, go_on, inside, ended = engine._store, threading.Event(), threading.Semaphore(0), threading.Semaphore(0)

        class Last(Stone):
            code = "last"

            def start(self, task: TaskInfo) -> None:
                ended.release()

        engine.register(Last)
        engine.deploy(line("long", service("a", "touch"), service("b", "touch"), service("c", "last")))
        engine.start(key="long", name="before")
        assert ended.acquire(timeout=60)

        def wait() -> bool:
            store.value("SELECT 1")
            inside.release()
            return go_on.wait(300)

        with ThreadPoolExecutor(10) as pool:
            holding = [pool.submit(store.write, wait) for _ in range(10)]
            try:
                # Two of them have a connection each, and the others wait for one.
                assert all(inside.acquire(timeout=60) for _ in range(2))
                for number in range(5):
                    engine.start(key="long", name=f"{number}")
                assert all(ended.acquire(timeout=60) for _ in range(5))
                assert engine.not_ready() is None
                assert connections(kind, url) <= most
            finally:
                go_on.set()
            assert all(each.result() for each in holding)


@contextmanager
def little_room(kind: str, url: str) -> Iterator[str]:
    """The URL for a user of the same database who may have few connections."""
    server, parts, user = SERVERS[kind](), urlsplit(url), f"few{uuid4().hex[:8]}"
    if kind == "postgresql":
        made = [f"CREATE ROLE {user} LOGIN CONNECTION LIMIT {ROOM} IN ROLE postgres"]
        removed = [f"DROP ROLE {user}"]
    else:
        name = parts.path[1:]
        made = [
            f"CREATE USER {user}@'%' WITH MAX_USER_CONNECTIONS {ROOM}",
            f"GRANT ALL ON {name}.* TO {user}@'%'",
        ]
        removed = [f"DROP USER {user}@'%'"]
    server.run(*made)
    try:
        yield url.replace(f"//{parts.username}@", f"//{user}@")
    finally:
        server.run(*removed)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_without_room_for_another_connection_is_waited_for(kind: str, tmp_path: Path) -> None:
    with (
        fresh(kind, tmp_path) as whole,
        little_room(kind, whole) as url,
        Engine(url, stones=[Touch], dispatcher="threads") as engine,
    ):
        engine.deploy(SHOP)
        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(partial(ask, engine), range(60))) == {"success"}
            assert connections(kind, url) <= ROOM
            # Another engine, which has none at all, waits until there is room.
            ending = threading.Timer(1, engine.close)
            ending.start()
            with Engine(url, dispatcher="threads") as other:
                assert len(other.instances(limit=100).items) == 60
            ending.join()


def use(given: tuple[Store, threading.Barrier]) -> int:
    """Ask while others have a connection in hand too."""
    store, together = given
    with store._guard:
        together.wait(60)
    return int(store.value("SELECT COUNT(*) FROM process_instance"))


@pytest.mark.parametrize("kind", SERVERS)
def test_connections_that_the_server_ended_are_made_anew(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url, closing(Store(url)) as store, ThreadPoolExecutor(9) as pool:
        for _ in range(10):
            assert list(pool.map(use, [(store, threading.Barrier(9))] * 9)) == [0] * 9
            # More of them than a question is asked again.
            SERVERS[kind]().cut(urlsplit(url).path[1:])


def test_the_number_of_connections_is_a_limit_above_zero() -> None:
    with pytest.raises(Invalid, match="connections"):
        Limits(connections=0)
