"""A SQLite file has one writer at a time: whoever else wants to write gets his turn, however busy that one is."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from riverstone.engine import Engine
from riverstone.models import AlreadyUsed, Store
from riverstone.models.errors import StoreError

from ..features.sketch import line
from ..models.stores import fresh

GREEDY = textwrap.dedent(
    """
    import sys, time
    from riverstone.models import Store

    store = Store(sys.argv[1])
    while True:
        store.write(lambda: (print("has it", flush=True), time.sleep(0.05)))
    """
)
"""Writes for 50 ms, and again at once."""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with fresh("sqlite", tmp_path) as url:
        yield url


@contextmanager
def greedy(url: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", GREEDY, url], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        # It must not wait for a reader.
        drain = threading.Thread(target=child.stdout.read)
        drain.start()
        try:
            yield child
        finally:
            child.kill()
            drain.join()


def test_an_engine_works_beside_a_process_that_writes_without_pause(url: str) -> None:
    with Engine(url) as engine, greedy(url):
        engine.deploy(line("idle"))
        for _ in range(3):
            assert engine.start(key="idle", name="it").status == "success"


def test_the_file_is_free_when_its_writer_was_killed(url: str) -> None:
    with Engine(url) as engine:
        engine.deploy(line("idle"))
        with greedy(url) as child:
            os.kill(child.pid, signal.SIGKILL)
            assert engine.start(key="idle", name="it").status == "success"


def test_what_a_refusal_has_kept_is_let_go_of_by_the_writer_for_whom_the_refused_wait(url: str) -> None:
    """As by Python's collector, in any thread: an error knows the frames it came through, and these know a cursor."""
    put = "INSERT INTO `sequence` (`name`, `next`) VALUES ('twice', 1)"
    one, other = Store(url), Store(url)
    other.execute(put)
    kept: list[Exception] = []

    def refused() -> None:
        try:
            one.execute(put)
        except AlreadyUsed as error:
            kept.append(error)

    def waits() -> None:
        waiting.set()
        one.execute("UPDATE `sequence` SET `next` = 2 WHERE `name` = 'twice'")

    def lets_go() -> None:
        pool.submit(waits).add_done_callback(lambda done: ended.append(done.exception()))
        waiting.wait(30)
        # It is in its wait by then, or fails to show the fault.
        threading.Event().wait(0.3)
        kept.clear()
        gc.collect()

    waiting, ended = threading.Event(), list[BaseException | None]()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(refused).result()
        assert kept
        other.write(lets_go)
    assert ended == [None]
    assert other.value("SELECT `next` FROM `sequence` WHERE `name` = 'twice'") == 2
    one.close()
    other.close()


def test_who_has_waited_long_is_told_and_what_is_read_waits_for_nobody(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So the others who write cannot be told that somebody waits.
    (tmp_path / "store.db-turn").mkdir()
    monkeypatch.setattr("riverstone.models.databases.write_lock.PATIENCE", 0.2)
    one, other = Store(url), Store(url)

    def beside() -> None:
        assert pool.submit(other.value, "SELECT COUNT(*) FROM `process_instance`").result() == 0
        with pytest.raises(StoreError, match="locked"):
            pool.submit(other.execute, "DELETE FROM `sequence` WHERE `name` = 'none'").result()

    with ThreadPoolExecutor(1) as pool:
        one.write(beside)
    monkeypatch.undo()
    assert other.execute("DELETE FROM `sequence` WHERE `name` = 'none'") == 0
    one.close()
    other.close()


def wait_for(writer: Store, waiting: Store, meanwhile: Callable[[], None]) -> None:
    """Let one wait for the other for long, and do something meanwhile."""

    def holds() -> None:
        asked = pool.submit(waiting.execute, "DELETE FROM `sequence` WHERE `name` = 'none'")
        threading.Event().wait(0.3)
        meanwhile()
        ended.append(asked)

    ended: list[Future[int]] = []
    with ThreadPoolExecutor(1) as pool:
        writer.write(holds)
        assert ended[0].result() == 0


def test_a_child_that_was_forked_while_somebody_waited_does_not_go_on_waiting(url: str, tmp_path: Path) -> None:
    """A lock of flock(2) belongs to the open file, which both have."""

    def fork() -> None:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        os.close(read)
        children.append((child, write))

    children: list[tuple[int, int]] = []
    one, other = Store(url), Store(url)
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            wait_for(one, other, fork)
        with (tmp_path / "store.db-turn").open() as beside:
            fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        for child, write in children:
            os.close(write)
            os.waitpid(child, 0)
        one.close()
        other.close()


def test_the_file_of_who_waits_stands_beside_the_database_for_the_same_users(url: str, tmp_path: Path) -> None:
    database = tmp_path / "store.db"
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(database)
    one, other = Store(url), Store(f"sqlite:///{link}")
    database.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(database, 65534, 65534)
    wait_for(one, other, lambda: None)
    made, like = (tmp_path / "store.db-turn").stat(), database.stat()
    assert (made.st_mode, made.st_uid, made.st_gid) == (like.st_mode, like.st_uid, like.st_gid)
    one.close()
    other.close()
