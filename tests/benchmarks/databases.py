"""Where a database server ends: the commits of stones in a sequence, written by several processes without an engine.

``python -m tests.benchmarks.databases URL TOGETHER SECONDS`` is one of these processes. It steps as many processes at a
time as share a commit, and prints how many stones that were.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from riverstone.models import Changes, ContentRow, InstanceRow, Store, TaskRow

from ..models import stores
from .bench import Bench
from .table import Row, milliseconds

SERVERS = {"postgresql": "postgres", "mariadb": "mariadbd"}
"""By kind of database, what the processes of its server are called."""
WRITERS = (1, 4)
TOGETHER = (1, 16)


def measure(bench: Bench) -> list[Row]:
    """Stones a second by how many write and how many processes share a commit, and the server's CPU for one."""
    rows: list[Row] = []
    for kind, name in SERVERS.items():
        for together in TOGETHER:
            for writers in WRITERS:
                with stores.fresh(kind, bench.folder) as url:
                    Store(url).close()
                    rows.append(_measure(url, kind, name, together, writers, bench.size(5, 1)))
    return rows


def _measure(url: str, kind: str, name: str, together: int, writers: int, seconds: int) -> Row:
    command = [sys.executable, "-m", f"{__package__}.databases", url, str(together), str(seconds)]
    root = Path(__file__).parents[2]
    before = cpu_of_server(name)
    started = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(writers)]
    stones = sum(int(each.communicate()[0]) for each in started)
    used = cpu_of_server(name) - before
    return Row(
        f"{kind}: {writers} writing, {together} processes a commit",
        f"{stones / seconds:,.0f} stones a second",
        f"{milliseconds(used / stones)} CPU there",
    )


def cpu_of_server(name: str) -> float:
    """CPU seconds of all processes with this name that are there (Linux)."""
    used = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if f"({name})" in text:
            fields = text.rpartition(")")[2].split()
            # Those of its children that have ended too: each connection has a process of its own in PostgreSQL.
            used += sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return used


class Line:
    """One process of stones without an end; each step ends one stone and hands over the next."""

    def __init__(self, store: Store, changes: Changes) -> None:
        self.store = store
        number, text = store.ids.next(), str(uuid4())
        self.row = InstanceRow(
            number, text, text, text, "line", "line", "start", "running", "running", 0, 0, 2, 0, _now()
        )
        changes.new_instances[number] = self.row
        changes.new_contents[number] = ContentRow(number, "{}")
        self.task = self._begin(changes, None)

    def _begin(self, changes: Changes, after: str | None) -> TaskRow:
        self.row.next_token += 1
        task = TaskRow(
            self.store.ids.next(),
            self.row.process_instance_id,
            self.row.next_token,
            1,
            "step",
            "step",
            "nothing",
            "start",
            "start",
            "produce.success",
            "{}",
            _now(),
            self.row.id,
            after=after,
        )
        changes.new_tasks[task.id] = task
        return task

    def step(self, changes: Changes) -> None:
        """The stone is done."""
        done = self.task
        done.status, done.open, done.progress, done.ended, done.owner = "start.success", 0, 100, _now(), None
        changes.task_changed(done)
        self.row.steps += 1
        self.task = self._begin(changes, f"[{done.id}]")
        changes.instance_changed(self.row)


def write(url: str, together: int, seconds: float) -> int:
    """Commit stones for so long; how many there were."""
    with closing(Store(url)) as store:
        changes = Changes()
        lines = [Line(store, changes) for _ in range(together)]
        store.commit(changes)
        steps, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            step_all(store, lines)
            steps += len(lines)
        return steps


def step_all(store: Store, lines: Iterable[Line]) -> None:
    """One commit for all of them."""
    changes = Changes()
    for line in lines:
        line.step(changes)
    store.commit(changes)


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    print(write(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
