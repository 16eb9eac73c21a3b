"""The floor: bare SQLite doing the commits of a process with the store's own tables, indexes and rows, and no engine.

What it costs says how fast the machine is in these minutes; no durable engine that commits every step can cost less.
"""

from __future__ import annotations

import sqlite3
import time
from itertools import count
from pathlib import Path

from riverstone.models import Store

UUID = "0b4fd0a4-31e5-4d2f-9d4e-6f5f7a0c1d2e"
INSTANCE = (
    "INSERT INTO process_instance (process_instance_id, id, model_id, model_key, deployment_id, key, name, kind, "
    "status, phase, flags, revision, next_token, steps, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CONTENT = "INSERT INTO content (process_instance_id, start_variables, variables, outputs) VALUES (?, ?, ?, ?)"
TASK = (
    "INSERT INTO task (id, process_instance_id, token, scope, node, namespace, stone, kind, event, status, open, "
    "attempt, generation, parameters, progress, after, created, owner) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
STEP = (
    "UPDATE process_instance SET revision = revision + 1, next_token = ?, steps = ? "
    "WHERE process_instance_id = ? AND revision = ?"
)
DONE = "UPDATE task SET status = ?, open = 0, progress = 100, ended = ?, outputs = ? WHERE id = ?"
END = (
    "UPDATE process_instance SET revision = revision + 1, status = ?, phase = ?, ended = ? "
    "WHERE process_instance_id = ? AND revision = ?"
)


class Floor:
    """A store of its own in a folder, written with constant statements only."""

    def __init__(self, folder: Path) -> None:
        path = folder / "floor.db"
        Store(f"sqlite:///{path}").close()
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = 1", "wal_autocheckpoint = 1000"):
            self.connection.execute(f"PRAGMA {pragma}")
        self._ids = count(1)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def sequence(self, stones: int, processes: int = 1) -> None:
        """``processes`` runs of ``stones`` in sequence: one commit that starts each run, then one per stone."""
        for _ in range(processes):
            instance, task = next(self._ids), next(self._ids)
            self.connection.execute("BEGIN IMMEDIATE")
            self._start(instance)
            self._task(task, instance, 1)
            self.connection.execute("COMMIT")
            for number in range(1, stones + 1):
                self.connection.execute("BEGIN IMMEDIATE")
                self._done(task)
                if number < stones:
                    self.connection.execute(STEP, (number + 2, number, instance, number))
                    task = next(self._ids)
                    self._task(task, instance, number + 1)
                else:
                    self._end(instance, number)
                self.connection.execute("COMMIT")

    def side_by_side(self, stones: int) -> None:
        """One run of ``stones`` in parallel, in the fewest commits that there can be: all begun, all ended."""
        instance = next(self._ids)
        tasks = [next(self._ids) for _ in range(stones)]
        self.connection.execute("BEGIN IMMEDIATE")
        self._start(instance)
        for number, task in enumerate(tasks):
            self._task(task, instance, number)
        self.connection.execute("COMMIT")
        self.connection.execute("BEGIN IMMEDIATE")
        for task in tasks:
            self._done(task)
        self._end(instance, 1)
        self.connection.execute("COMMIT")

    def _start(self, instance: int) -> None:
        now = time.time_ns() // 1_000_000
        row = (UUID, UUID, "sequence-5", UUID, "sequence-5", "sequence-5", "process", "running", "running")
        self.connection.execute(INSTANCE, (instance, *row, 0, 1, 3, 1, now))
        self.connection.execute(CONTENT, (instance, "{}", None, None))

    def _task(self, task: int, instance: int, token: int) -> None:
        now = time.time_ns() // 1_000_000
        names = (f"step{token}", f"step{token}", "nothing", "start", "start", "produce.success")
        self.connection.execute(TASK, (task, instance, token, 0, *names, 1, 1, 1, "{}", 0, f"[{task - 1}]", now, UUID))

    def _done(self, task: int) -> None:
        self.connection.execute(DONE, ("start.success", time.time_ns() // 1_000_000, None, task))

    def _end(self, instance: int, revision: int) -> None:
        written = self.connection.execute(END, ("success", "ended", time.time_ns() // 1_000_000, instance, revision))
        if written.rowcount != 1:
            raise RuntimeError(f"The floor lost count of process {instance}: its revision is not {revision}.")
