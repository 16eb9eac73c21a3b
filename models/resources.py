"""What exists by the ledger: the rows of all processes whose work nobody has taken back, and what checks have found."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from .connection import Connection
from .row_types.instances import InstanceRow
from .row_types.tasks import TaskCheckRow, TaskRow
from .statements import marks, quoted, select
from .vocabulary import NOT_TAKEN_BACK, ResourceState

PAGE = 500


class ResourceRow(NamedTuple):
    """One row of a ledger whose work exists, with its process and its last check."""

    task: TaskRow
    instance: InstanceRow
    state: ResourceState
    check: TaskCheckRow | None


class DriftRow(NamedTuple):
    """How much of what one stone made in one process the last checks have found gone, or different."""

    process_instance_id: int
    process_name: str
    key: str
    owner: str | None
    stone: str
    gone: int
    different: int


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

    def found(self, wanted: ResourceFilter, *, limit: int, before: int | None) -> list[ResourceRow]:
        """The newest first, before the task with this id."""
        condition, values = _condition(wanted)
        if before is not None:
            condition += " AND t.`id` < ?"
            values.append(before)
        sql = f"SELECT t.`id`, {STATE} {FROM} WHERE {condition} ORDER BY t.`id` DESC LIMIT ?"
        states = {int(number): state for number, state in self.store.read(sql, (*values, limit))}
        if not states:
            return []
        numbers = tuple(states)
        tasks = {row.id: row for row in self.store.rows(TaskRow, _in("task", TaskRow, "id", numbers), numbers)}
        checks = self.checks(numbers)
        processes = tuple({row.process_instance_id for row in tasks.values()})
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
        """What is not as it was made, by process and stone, the newest process first; behind so many of one process."""
        condition, values = _condition(wanted)
        if after is not None:
            condition += " AND t.`process_instance_id` <= ?"
            values.append(after[0])
        counted = ", ".join(f"SUM(CASE WHEN c.`state` = '{state}' THEN 1 ELSE 0 END)" for state in DRIFTED)
        sql = (
            f"SELECT {DRIFT_COLUMNS}, {counted} {FROM} WHERE {condition} AND c.`state` IN {DRIFTED}"
            f" GROUP BY {DRIFT_COLUMNS} ORDER BY t.`process_instance_id` DESC, t.`stone` LIMIT ? OFFSET ?"
        )
        values += [limit, 0 if after is None else after[1]]
        return [
            DriftRow(int(number), name, key, owner, stone, int(gone), int(different))
            for number, name, key, owner, stone, gone, different in self.store.read(sql, values)
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
FROM = (
    "FROM `task` AS t JOIN `process_instance` AS p ON p.`process_instance_id` = t.`process_instance_id`"
    " LEFT JOIN `task_check` AS c ON c.`task_id` = t.`id`"
)
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
