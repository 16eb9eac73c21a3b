"""What the last runs came to, read from the newest back and a part at a time, so that nobody waits behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks
from ..vocabulary import Phase, ProcessOutcome, TaskStatus


class RunRow(NamedTuple):
    """One forward run."""

    process_instance_id: int
    key: str
    deployment_id: str
    outcome: ProcessOutcome | None
    phase: Phase
    started: int
    ended: int | None


class StepRow(NamedTuple):
    """One task of a forward run."""

    process_instance_id: int
    node: str
    name: str | None
    stone: str | None
    status: TaskStatus
    open: int
    attempt: int
    created: int
    ended: int | None


def read_runs(
    store: Connection, *, before: int | None, since: int | None, key: str | None, owner: str | None, limit: int
) -> list[RunRow]:
    """Forward runs, newest first, before one; raises StoreError.

    Those of a time are found by their ids, which are given out in its order: the first that began too early ends it.
    """
    conditions, values = ["`kind` = 'start'"], list[int | str]()
    wanted = [("`key` = ?", key), ("`owner_name` = ?", owner), ("`process_instance_id` < ?", before)]
    for condition, value in wanted:
        if value is not None:
            conditions.append(condition)
            values.append(value)
    sql = (
        "SELECT `process_instance_id`, `key`, `deployment_id`, `outcome`, `phase`, `started`, `ended`"
        f" FROM `process_instance` WHERE {' AND '.join(conditions)} ORDER BY `process_instance_id` DESC LIMIT ?"
    )
    rows = [RunRow(*row) for row in store.read(sql, (*values, limit))]
    return rows if since is None else [row for row in rows if row.started >= since]


def read_steps(store: Connection, numbers: Sequence[int], limit: int) -> list[StepRow]:
    """The tasks of these runs, at most so many; raises StoreError."""
    sql = (
        "SELECT `process_instance_id`, `node`, `name`, `stone`, `status`, `open`, `attempt`, `created`, `ended`"
        f" FROM `task` WHERE `process_instance_id` IN ({marks(numbers)}) AND `kind` = 'start' LIMIT ?"
    )
    return [StepRow(*row) for row in store.read(sql, (*numbers, limit))]
