"""The ledger of one process without what may be large in it, read a part at a time, for whoever counts its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..commit.connection import Connection
from ..vocabulary import LedgerEvent, TaskKind, TaskStatus, UndoMark

PART = 1_000
"""How many rows are read at once."""


class TaskLine(NamedTuple):
    """What tells the tasks of a process apart."""

    id: int
    node: str
    path: str | None
    name: str | None
    stone: str | None
    kind: TaskKind
    event: LedgerEvent
    status: TaskStatus
    open: int
    undo: UndoMark | None
    progress: int
    target: int | None
    after: str | None


SELECT_LINES = (
    f"SELECT {', '.join(f'`{name}`' for name in TaskLine._fields)} FROM `task`"
    " WHERE `process_instance_id` = ? AND `id` > ? ORDER BY `id` LIMIT ?"
)


def read_task_lines(store: Connection, process_instance_id: int) -> Iterator[list[TaskLine]]:
    """The tasks of one process, oldest first, a part at a time; raises StoreError."""
    last = 0
    while True:
        part = [TaskLine(*row) for row in store.read(SELECT_LINES, (process_instance_id, last, PART))]
        yield part
        if len(part) < PART:
            return
        last = part[-1].id
