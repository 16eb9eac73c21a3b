"""What exists by the ledger: the rows of all processes whose work nobody has taken back, and what checks have found."""

from __future__ import annotations

from collections.abc import Collection
from itertools import accumulate
from typing import Any, NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks, quoted, select
from ..row_types.instances import InstanceRow
from ..row_types.tasks import TaskCheckRow, TaskRow
from ..vocabulary import NOT_TAKEN_BACK, ResourceState

PAGE = 500


class ResourceRow(NamedTuple):
    """One row of a ledger whose work exists, with its process and its last check."""

    task: TaskRow
    instance: InstanceRow
    state: ResourceState
    check: TaskCheckRow | None


class FoundResources(NamedTuple):
    """Those of one part; what was purged while they were read is left out."""

    rows: list[ResourceRow]
    looked: int
    """How many were there when the part began: also those that are left out."""
    size: int
    """How large their outputs were together."""
    last: int | None
    """The id of the last of these; None where nothing is behind it."""


class DriftRow(NamedTuple):
    """How much of what one stone made in one process the last checks have found gone, or different."""

    process_instance_id: int
    process_name: str
    key: str
    owner: str | None
    stone: str
    gone: int
    different: int
    task_id: int
    """One of the tasks that made it: a list goes on behind it."""


class ResourceFilter(NamedTuple):
    """Which of them are asked for; None for any."""

    process_instance_id: int | None = None
    stone: str | None = None
    key: str | None = None
    state: ResourceState | None = None
    owner: str | None = None


class Resources:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def found(self, wanted: ResourceFilter, *, limit: int, before: int | None, room: int) -> FoundResources:
        """The newest first, before the task with this id; fewer, but one, where their outputs are over ``room``."""
        condition, values = _condition(wanted)
        if before is not None:
            condition += " AND t.`id` < ?"
            values.append(before)
        sql = f"SELECT t.`id`, {STATE}, {SIZE} {FROM} WHERE {condition} ORDER BY t.`id` DESC LIMIT ?"
        there = [(int(number), state, int(size)) for number, state, size in self.store.read(sql, (*values, limit + 1))]
        sums = accumulate(size for _, _, size in there)
        fitting = there[: min(limit, 1 + sum(1 for size in sums if size < room))]
        size = sum(size for _, _, size in fitting)
        # By what was there at first: a part from which something went meanwhile is not the last one.
        last = fitting[-1][0] if len(there) > len(fitting) else None
        return FoundResources(self._rows({number: state for number, state, _ in fitting}), len(fitting), size, last)

    def _rows(self, states: dict[int, ResourceState]) -> list[ResourceRow]:
        if not states:
            return []
        numbers = tuple(states)
        tasks = {row.id: row for row in self.store.rows(TaskRow, _in("task", TaskRow, "id", numbers), numbers)}
        checks = self.checks(numbers)
        processes = tuple({row.process_instance_id for row in tasks.values()})
        if not processes:
            return []
        sql = _in("process_instance", InstanceRow, "process_instance_id", processes)
        instances = {row.process_instance_id: row for row in self.store.rows(InstanceRow, sql, processes)}
        # What is purged in between is left out.
        return [
            ResourceRow(task, instance, states[number], checks.get(number))
            for number in numbers
            if (task := tasks.get(number)) is not None
            and (instance := instances.get(task.process_instance_id)) is not None
        ]

    def counts(self, wanted: ResourceFilter) -> list[tuple[str, ResourceState, int]]:
        """How many there are by stone and state."""
        condition, values = _condition(wanted)
        sql = f"SELECT t.`stone`, {STATE} AS found, COUNT(*) {FROM} WHERE {condition} GROUP BY t.`stone`, found"
        return sorted((str(stone), state, int(count)) for stone, state, count in self.store.read(sql, values))

    def drift(self, wanted: ResourceFilter, *, limit: int, after: tuple[int, int] | None) -> list[DriftRow]:
        """What is not as it was made, by process and stone, the newest process first.

        ``after`` is a process and one of its tasks, whose group was the last. The task names its stone, whose text may
        be a secret; where the task went meanwhile, so did all of its process.
        """
        condition, values = _condition(wanted)
        if after is not None:
            behind = "t.`process_instance_id` = ? AND t.`stone` > (SELECT g.`stone` FROM `task` AS g WHERE g.`id` = ?)"
            condition += f" AND (t.`process_instance_id` < ? OR {behind})"
            values += [after[0], *after]
        counted = ", ".join(f"SUM(CASE WHEN c.`state` = '{state}' THEN 1 ELSE 0 END)" for state in DRIFTED)
        sql = (
            f"SELECT {DRIFT_COLUMNS}, {counted}, MIN(t.`id`) {FROM_CHECKS} WHERE {condition} AND c.`state` IN {DRIFTED}"
            " AND t.`id` = c.`task_id` AND p.`process_instance_id` = t.`process_instance_id`"
            f" GROUP BY {DRIFT_COLUMNS} ORDER BY t.`process_instance_id` DESC, t.`stone` LIMIT ?"
        )
        return [
            DriftRow(int(number), name, key, owner, stone, int(gone), int(different), int(task))
            for number, name, key, owner, stone, gone, different, task in self.store.read(sql, (*values, limit))
        ]

    def processes(self, wanted: ResourceFilter, *, most: int) -> list[int]:
        """The ids of the processes that have any of it, at most so many, the oldest first; others come in between."""
        condition, values = _condition(wanted)
        sql = (
            f"SELECT DISTINCT t.`process_instance_id` {FROM} WHERE {condition} AND t.`process_instance_id` > ?"
            " ORDER BY t.`process_instance_id` LIMIT ?"
        )
        found: list[int] = []
        while len(found) < most:
            page = self.store.read(sql, (*values, found[-1] if found else 0, min(PAGE, most - len(found))))
            found += [int(number) for (number,) in page]
            if len(page) < PAGE:
                break
        return found

    def checks(self, task_ids: Collection[int]) -> dict[int, TaskCheckRow]:
        """What the last checks of these tasks have found."""
        numbers = tuple(task_ids)
        if not numbers:
            return {}
        found = self.store.rows(TaskCheckRow, _in("task_check", TaskCheckRow, "task_id", numbers), numbers)
        return {row.task_id: row for row in found}

    def checks_of(self, process_instance_id: int) -> dict[int, TaskCheckRow]:
        """The same of all tasks of a process."""
        sql = select("task_check", TaskCheckRow, "`process_instance_id` = ?")
        return {row.task_id: row for row in self.store.rows(TaskCheckRow, sql, (process_instance_id,))}


def _in(table: str, row: type[Any], column: str, values: Collection[int]) -> str:
    return select(table, row, f"`{column}` IN ({marks(tuple(values))})")


def _condition(wanted: ResourceFilter) -> tuple[str, list[Any]]:
    parts, values = [EXISTS], list[Any]()
    for column, value in (
        ("t.`process_instance_id`", wanted.process_instance_id),
        ("t.`stone`", wanted.stone),
        ("p.`key`", wanted.key),
        ("p.`owner_name`", wanted.owner),
        (STATE, wanted.state),
    ):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    return " AND ".join(parts), values


DRIFTED = ("gone", "different")
DRIFT_COLUMNS = "t.`process_instance_id`, p.`name`, p.`key`, p.`owner_name`, t.`stone`"
SIZE = "COALESCE(LENGTH(t.`outputs`), 0)"
FROM = (
    "FROM `task` AS t JOIN `process_instance` AS p ON p.`process_instance_id` = t.`process_instance_id`"
    " LEFT JOIN `task_check` AS c ON c.`task_id` = t.`id`"
)
# Few of them have been checked, and SQLite goes through the tables of a cross join in this order.
FROM_CHECKS = "FROM `task_check` AS c CROSS JOIN `task` AS t CROSS JOIN `process_instance` AS p"
EXISTS = (
    "t.`kind` = 'start' AND t.`stone` IS NOT NULL AND t.`open` = 0 AND t.`event` <> 'mock'"
    f" AND (t.`undo` IS NULL OR t.`undo` IN ({quoted(NOT_TAKEN_BACK)}))"
    " AND t.`status` NOT IN ('produce.failed', 'start.skipped')"
)
STATE = (
    "CASE WHEN c.`state` IN ('gone', 'different') THEN c.`state` WHEN t.`undo` IN ('left', 'failed') THEN 'left'"
    " WHEN t.`undo` IN ('skipped', 'retained') THEN 'retained'"
    " WHEN t.`status` IN ('start.success', 'monitor.success') OR c.`state` = 'there' THEN 'kept' ELSE 'unknown' END"
)
