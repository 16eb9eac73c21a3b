"""What one engine does is heard by another at once, and not only when it looks: looks are far apart here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from riverstone.engine import Engine, Stone, TaskInfo
from riverstone.engine.river import loop, offers, pump, waiters
from riverstone.models import Store

from ..features.sketch import line, service
from ..models.stores import SHARED, fresh
from ..workers.crew import until

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN riverstone'"


class Gate(Stone):
    """Waits until it is let go, or is to stop."""

    code = "gate"
    grace = 60.0
    begun: ClassVar = threading.Event()
    let_go: ClassVar = threading.Event()
    stopped: ClassVar = threading.Event()

    def start(self, task: TaskInfo) -> None:
        self.begun.set()
        for _ in range(3000):
            if self.let_go.wait(0.01):
                return
            if task.cancel_requested:
                self.stopped.set()
                return

    def cancel(self, task: TaskInfo) -> None:
        """It leaves nothing."""


@pytest.fixture(autouse=True)
def _rare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for event in (Gate.begun, Gate.let_go, Gate.stopped):
        event.clear()
    monkeypatch.setattr(loop, "POLL", 120.0)
    for module in (waiters, offers, pump):
        monkeypatch.setattr(module, "LOOK", 120.0)
    yield
    Gate.let_go.set()


@pytest.mark.parametrize("kind", SHARED)
def test_an_end_is_heard_by_whoever_waits_at_another_engine(kind: str, tmp_path: Path) -> None:
    with (
        fresh(kind, tmp_path) as url,
        Engine(url, stones=[Gate], dispatcher="threads") as one,
        Engine(url, stones=[Gate], dispatcher="threads") as other,
        ThreadPoolExecutor(1) as pool,
    ):
        one.deploy(line("shop", service("a", "gate")))
        number = one.start(key="shop", name="it").process_instance_id
        waiting = pool.submit(other.wait, number, timeout=60)
        until(lambda: _is_asked(one, other, kind))
        Gate.let_go.set()

        assert waiting.result().status == "success"


def test_whoever_has_lost_the_connection_on_which_it_listens_hears_again(tmp_path: Path) -> None:
    with (
        fresh("postgresql", tmp_path) as url,
        closing(Store(url)) as store,
        Engine(url, stones=[Gate], dispatcher="threads") as one,
        Engine(url, stones=[Gate], dispatcher="threads") as other,
        ThreadPoolExecutor(1) as pool,
    ):
        one.deploy(line("shop", service("a", "gate")))
        number = one.start(key="shop", name="it").process_instance_id
        lost = until(lambda: _two(store.read(LISTENERS)))
        store.read(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS listening")
        until(lambda: _two([each for each in store.read(LISTENERS) if each not in lost]))
        waiting = pool.submit(other.wait, number, timeout=60)
        until(lambda: _is_asked(one, other, "postgresql"))
        Gate.let_go.set()

        assert waiting.result().status == "success"


def test_a_hook_hears_at_once_that_another_engine_stops_it(tmp_path: Path) -> None:
    with (
        fresh("postgresql", tmp_path) as url,
        Engine(url, stones=[Gate], dispatcher="threads") as one,
        Engine(url, stones=[Gate], dispatcher="threads") as other,
    ):
        one.deploy(line("shop", service("a", "gate")))
        number = one.start(key="shop", name="it").process_instance_id
        assert Gate.begun.wait(60)
        until(lambda: one._river.news.is_listening)
        other.cancel(number)

        assert Gate.stopped.wait(60)


def test_an_offer_is_heard_by_a_worker_that_waits_at_another_engine(tmp_path: Path) -> None:
    with (
        fresh("postgresql", tmp_path) as url,
        Engine(url, dispatcher="threads") as one,
        Engine(url, dispatcher="threads") as other,
    ):
        told = threading.Event()
        other.external.watch(["parcel"], told.set)
        other._river.inbox.wake()
        until(lambda: one._river.news._wanted)
        told.clear()
        one.deploy(line("shop", service("a", "parcel")), external=True)
        one.start(key="shop", name="it")

        assert told.wait(60)


def _two(found: list[tuple[object, ...]]) -> list[tuple[object, ...]] | None:
    return found if len(found) == 2 else None


def _is_asked(one: Engine, other: Engine, kind: str) -> bool:
    return bool(one._river.news._wanted if kind == "postgresql" else other._river.watchers.has_watches)
