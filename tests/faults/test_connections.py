"""The wire to the database breaks, in the worst moments too: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from riverstone.api import create_app
from riverstone.engine import Engine, ProcessInstance, Stone, StoreUnavailable, TaskInfo
from riverstone.models import Leases, Store
from riverstone.models.databases import database

from ..features.sketch import line, service
from ..models.stores import fresh
from ..workers.crew import until
from .proxy import Proxy, When

SERVERS = ("postgresql", "mariadb")
CALLS: Counter[str] = Counter()


class Count(Stone):
    """Counts how often each key was brought to it."""

    code = "count"

    def start(self, task: TaskInfo) -> None:
        CALLS[task.idempotency_key] += 1
        task.add_output("key", task.idempotency_key)


SHOP = line("shop", service("a", "count"), service("b", "count"), service("c", "count"))


@contextmanager
def wired(kind: str, folder: Path) -> Iterator[tuple[Proxy, str]]:
    """A wire to an empty database, and the URL by which it is used."""
    CALLS.clear()
    with fresh(kind, folder) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        with Proxy(kind, parts.hostname, parts.port) as proxy:
            yield proxy, url.replace(f":{parts.port}/", f":{proxy.port}/")


@pytest.mark.parametrize("kind", SERVERS)
def test_an_engine_that_sleeps_in_a_transaction_does_not_keep_others_from_taking_it_over(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LONGEST_PAUSE", 1)
    asleep, awake = threading.Event(), threading.Event()
    with fresh(kind, tmp_path) as url, closing(Store(url)) as one, closing(Store(url)) as other:
        Leases(one).begin("e-1", "host", 1, "then")

        def sleep() -> int:
            found = one.run("UPDATE `engine_node` SET `committed` = 9 WHERE `id` = 'e-1'")
            asleep.set()
            awake.wait(30)
            one.run("UPDATE `engine_node` SET `committed` = 10 WHERE `id` = 'e-1'")
            return found

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(one.write, sleep)
            assert asleep.wait(60)
            Leases(other).take_from(Leases(other).engines(), 1)
            awake.set()

            assert Leases(other).engines() == []
            assert writing.result() == 0, "it wrote into what was not its own any more"


@pytest.mark.parametrize(
    ("kind", "when"),
    [
        ("postgresql", "before a commit"),
        ("postgresql", "at a commit"),
        ("mariadb", "in a transaction"),
        ("mariadb", "at a commit"),
    ],
)
def test_a_wire_that_is_cut_loses_nothing_and_doubles_nothing(kind: str, when: When, tmp_path: Path) -> None:
    with wired(kind, tmp_path) as (proxy, url), Engine(url, stones=[Count], dispatcher="threads") as engine:
        engine.deploy(SHOP)
        proxy.cut(when, every=5)
        started: list[ProcessInstance] = []
        with ThreadPoolExecutor(3) as pool:
            # The more of them share a transaction, the fewer transactions there are to be cut.
            while proxy.cuts < 4 and len(started) < 300:
                started += pool.map(lambda number: engine.start(key="shop", name=f"{number}"), range(30))
        ended = [engine.wait(each.process_instance_id, timeout=60) for each in started]
        proxy.cut(None)

        assert proxy.cuts > 3
        assert {each.status for each in ended} == {"success"}
        assert len(engine.instances(limit=1000).items) == len(started)
        for each in ended:
            assert [task.status for task in engine.tasks(each.process_instance_id)] == ["start.success"] * 3
    assert len(CALLS) == 3 * len(started)
    assert set(CALLS.values()) == {1}


def test_a_commit_that_arrives_after_it_was_told_not_to_be_there_changes_nothing(tmp_path: Path) -> None:
    """It is one statement, so nothing of it held the engine's row as its connection broke."""
    with wired("postgresql", tmp_path) as (proxy, url), Engine(url, stones=[Count]) as engine:
        engine.deploy(SHOP)
        proxy.cut("late")
        with pytest.raises(StoreUnavailable):
            engine.start(key="shop", name="late")
        assert len(proxy.late) > 1
        proxy.go_on()
        proxy.deliver()

        assert engine.instances().items == ()
        number = engine.start(key="shop", name="after").process_instance_id
        assert engine.get(number).status == "success"
        assert [each.process_instance_id for each in engine.instances().items] == [number]
    assert set(CALLS.values()) == {1}


@pytest.mark.parametrize("kind", SERVERS)
def test_readers_and_deployers_go_on_over_a_wire_that_is_cut(kind: str, tmp_path: Path) -> None:
    with wired(kind, tmp_path) as (proxy, url), Engine(url, stones=[Count]) as engine:
        number = None
        for turn in range(5):
            proxy.cut_all()
            version = engine.deploy(line("shop", service("a", "count", name=f"{turn}"))).version
            proxy.cut_all()
            number = engine.start(key="shop", name="test").process_instance_id
            proxy.cut_all()
            assert engine.get(number).status == "success"
            assert version == turn + 1


def test_a_database_that_stays_away_is_told_and_what_stones_did_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverstone.models.databases.guard.PATIENCE", 0.5)
    go_on, begun = threading.Event(), threading.Event()

    class Slow(Count):
        code = "slow"

        def start(self, task: TaskInfo) -> None:
            begun.set()
            go_on.wait(10)
            super().start(task)

    with (
        wired("postgresql", tmp_path) as (proxy, url),
        Engine(url, stones=[Count, Slow], dispatcher="threads") as engine,
    ):
        engine.deploy(line("shop", service("a", "slow"), service("b", "count")))
        number = engine.start(key="shop", name="test").process_instance_id
        begun.wait(10)
        proxy.open = False
        proxy.cut_all()
        go_on.set()
        with pytest.raises(StoreUnavailable):
            engine.get(number)
        with pytest.raises(StoreUnavailable):
            engine.start(key="shop", name="another")
        proxy.open = True

        assert engine.wait(number, timeout=60).status == "success"
        assert len(engine.instances().items) == 1
    assert set(CALLS.values()) == {1}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_database_that_takes_everything_and_says_nothing_holds_nobody_up(kind: str, tmp_path: Path) -> None:
    """Neither the server's own time limits nor those of TCP end this: it was waited for as long as it hung."""
    with wired(kind, tmp_path) as (proxy, url), Engine(url, stones=[Count], dispatcher="threads") as engine:
        engine.deploy(SHOP)
        engine.wait(engine.start(key="shop", name="before").process_instance_id, timeout=20)
        proxy.passing.clear()
        try:
            begun = time.monotonic()
            with pytest.raises(StoreUnavailable):
                engine.instances()
            with pytest.raises(StoreUnavailable):
                engine.start(key="shop", name="meanwhile")
            assert time.monotonic() - begun < 25
            assert engine.not_ready() is not None
        finally:
            proxy.passing.set()
        after = until(lambda: _started(engine))
        assert engine.wait(after, timeout=30).status == "success"
        assert engine.not_ready() is None
    assert set(CALLS.values()) == {1}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_start_whose_commit_is_not_answered_is_told_so_and_found_by_its_key(kind: str, tmp_path: Path) -> None:
    """It was done once more on the next connection, or told not to have been done."""
    with wired(kind, tmp_path) as (proxy, url), Engine(url, stones=[Count], dispatcher="threads") as engine:
        app = create_app(engine)
        app.config["TESTING"] = True
        client = app.test_client()
        engine.deploy(SHOP)
        engine.wait(engine.start(key="shop", name="before").process_instance_id, timeout=20)

        def start(key: str | None) -> TestResponse:
            headers = {} if key is None else {"Idempotency-Key": key}
            return client.post("/process", json={"key": "shop", "processName": "x", "variables": {}}, headers=headers)

        for key in (None, "order-7"):
            proxy.cut("silent after a start")
            told = start(key)
            assert (told.status_code, told.json and told.json["code"]) == (503, "outcome-unknown")
            assert "Retry-After" in told.headers
            assert not proxy.passing.is_set()
            proxy.go_on()
        after = until(lambda: answer if (answer := start("order-7")).status_code == 200 else None)

        assert after.json is not None
        assert engine.wait(after.json["processInstanceId"], timeout=30).status == "success"
        until(lambda: {each.status for each in engine.instances().items} == {"success"})
        assert len(engine.instances().items) == 3
    assert len(CALLS) == 9
    assert set(CALLS.values()) == {1}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_start_whose_commit_is_answered_late_is_answered(kind: str, tmp_path: Path) -> None:
    with wired(kind, tmp_path) as (proxy, url), Engine(url, stones=[Count]) as engine:
        engine.deploy(SHOP)
        engine.start(key="shop", name="before")
        proxy.cut("silent after a start")
        again = threading.Timer(2, proxy.go_on)
        again.start()

        started = engine.start(key="shop", name="test")
        assert engine.get(started.process_instance_id).status == "success"
        again.join()
        assert len(engine.instances().items) == 2


def _started(engine: Engine) -> str | None:
    try:
        return engine.start(key="shop", name="after").process_instance_id
    except StoreUnavailable:
        return None
