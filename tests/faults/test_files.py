"""SQLite's file is locked, full, read-only or gone: what cannot be done is told, and goes on when it can."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from riverstone.api import create_app
from riverstone.engine import Engine, Stone, StoreUnavailable, TaskInfo
from riverstone.engine.river.engines import lease

from ..features.sketch import line, service
from ..workers.crew import until

CALLS: Counter[str] = Counter()


class Count(Stone):
    """Counts how often each key was brought to it."""

    code = "count"
    go_on = threading.Event()

    def start(self, task: TaskInfo) -> None:
        CALLS[task.idempotency_key] += 1
        assert self.go_on.wait(60)
        task.add_output("text", "x" * 2000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    CALLS.clear()
    Count.go_on.set()
    return tmp_path / "store.db"


def opened(file: Path) -> Engine:
    engine = Engine(f"sqlite:///{file}", stones=[Count], dispatcher="threads")
    engine.deploy(line("shop", service("a", "count"), service("b", "count")))
    return engine


@contextmanager
def writing_stopped_at(file: Path) -> Iterator[None]:
    """No file of this process grows beyond the size that this one has: to SQLite, the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_database_that_is_locked_for_two_seconds_holds_up_but_fails_nobody(file: Path) -> None:
    with opened(file) as engine:
        other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(2, other.close)
        release.start()
        begun = time.monotonic()
        numbers = [engine.start(key="shop", name=f"{number}").process_instance_id for number in range(3)]
        assert time.monotonic() - begun > 1.5
        assert [engine.wait(number, timeout=60).status for number in numbers] == ["success"] * 3
        release.join()


def test_a_full_disk_is_told_and_what_ran_is_entered_when_there_is_room(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT", 0.5)
    with opened(file) as engine:
        Count.go_on.clear()
        number = engine.start(key="shop", name="before").process_instance_id
        while not CALLS:
            time.sleep(0.01)
        with writing_stopped_at(file.with_name("store.db-wal")):
            Count.go_on.set()
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match=r"full|disk I/O"):
                    engine.start(key="shop", name="never")
            assert engine.get(number).status == "running"
            assert until(engine.not_ready) == "the database takes no changes"

        assert engine.wait(number, timeout=60).status == "success"
        until(lambda: engine.not_ready() is None)
        assert [each.process_name for each in engine.instances().items] == ["before"]
    assert set(CALLS.values()) == {1}


def test_a_file_that_is_taken_away_is_told_with_503_until_it_is_back(file: Path, tmp_path: Path) -> None:
    with opened(file) as engine:
        client = create_app(engine).test_client()
        body = {"key": "shop", "processName": "test", "variables": {}}
        number = client.post("/process", json=body).get_json()["processInstanceId"]
        engine.wait(number, timeout=60)
        away = tmp_path / "away"
        away.mkdir()
        for part in tmp_path.glob("store.db*"):
            shutil.move(part, away / part.name)
        time.sleep(0.15)

        for answer in (client.post("/process", json=body), client.get(f"/process/{number}")):
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert "not there any more" in answer.get_json()["detail"]
        assert not file.exists()

        for part in away.iterdir():
            shutil.move(part, tmp_path / part.name)
        time.sleep(0.15)
        assert client.get(f"/process/{number}").get_json()["processStatus"] == "success"
        again = client.post("/process", json=body)
        assert again.status_code == 200
        assert engine.wait(again.get_json()["processInstanceId"], timeout=60).status == "success"


def test_a_file_that_is_replaced_makes_no_second_truth(file: Path, tmp_path: Path) -> None:
    """What was acknowledged before is not in the new file, and what comes is in it: neither is told then."""
    with opened(file) as engine:
        client = create_app(engine).test_client()
        Engine(f"sqlite:///{tmp_path}/other.db").close()
        (tmp_path / "other.db").replace(file)
        time.sleep(0.15)

        body = {"key": "shop", "processName": "test", "variables": {}}
        for _ in range(2):
            answer = client.post("/process", json=body)
            assert answer.status_code == 503
            assert "was replaced by another" in answer.get_json()["detail"]
            assert client.get("/process/1").status_code == 503


def test_a_new_file_is_for_nobody_else(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/new.db"):
        assert {file.stat().st_mode & 0o077 for file in tmp_path.glob("new.db*")} == {0}


def test_a_store_of_a_newer_version_is_refused_by_name(file: Path) -> None:
    opened(file).close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2031-01-01')")
    connection.close()

    with pytest.raises(StoreUnavailable, match=r"written by a newer riverstone .*9999_later"):
        Engine(f"sqlite:///{file}")


READER = """
import os, sys
from riverstone.engine import Engine, StoreUnavailable
import playhouse.migrations, sqlite3
if os.geteuid() == 0:
    os.setuid(65534)
try:
    Engine("sqlite:///" + sys.argv[1])
except StoreUnavailable as error:
    print(error)
"""


def test_a_file_that_may_only_be_read_is_refused_in_one_sentence(file: Path) -> None:
    opened(file).close()
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(file, folder)
        os.chmod(copy, 0o444)
        os.chmod(folder, 0o555)
        command = [sys.executable, "-c", READER, copy]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        os.chmod(folder, 0o755)
    assert told.stderr == ""
    assert told.stdout.startswith("The database cannot be opened: ")
    assert f"this user may not read and write the file '{copy}'" in told.stdout
    assert told.stdout.count("\n") == 1
