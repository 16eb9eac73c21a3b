"""Tasks of people as they are found: page by page, in the order of lists.

A list is read by one index from one place on, so a page costs the same however many tasks there are. Pages of several
lists are merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Literal, NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks, select
from ..row_types.tables import columns
from ..row_types.tasks import UserTaskRow

InboxOrder = Literal["created", "due", "priority"]
"""The newest first, the first due first, or the highest priority first."""

AT_ONCE = 25
"""Lists that one statement reads."""


class Listed(NamedTuple):
    """Where a task stands in a list: by what, and its id."""

    value: int
    task_id: int


class FoundTask(NamedTuple):
    """A task of a person with what a list shows of it and of its process."""

    task: UserTaskRow
    name: str | None
    node: str
    status: str
    process_name: str
    key: str
    business_key: str | None


class UserTasks:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def row(self, task_id: int) -> UserTaskRow | None:
        return self.store.one(UserTaskRow, SELECT_USER_TASK, (task_id,))

    def of_process(self, process_instance_id: int) -> list[int]:
        """The open tasks of one process instance, the newest first."""
        sql = "SELECT `id` FROM `user_task` WHERE `process_instance_id` = ? AND `ended` IS NULL ORDER BY `id` DESC"
        return [int(number) for (number,) in self.store.read(sql, (process_instance_id,))]

    def listed(self, lists: Sequence[str], order: InboxOrder, limit: int, after: Listed | None) -> list[Listed]:
        """The first tasks of these lists behind a place, each once."""
        parts: list[list[Listed]] = []
        names = list(dict.fromkeys(lists))
        for start in range(0, len(names), AT_ONCE):
            parts.append(self._part(names[start : start + AT_ONCE], order, limit, after))
        merged = merge(*parts, key=lambda each: _rank(order, each))
        return list(islice(_once(merged), limit))

    def _part(self, names: Sequence[str], order: InboxOrder, limit: int, after: Listed | None) -> list[Listed]:
        column, conditions = "task_id" if order == "created" else order, list[tuple[str, tuple[int, ...]]]()
        if order == "created":
            conditions = [("" if after is None else " AND `task_id` < ?", () if after is None else (after.task_id,))]
        elif after is None:
            conditions = [("", ())]
        else:
            # Two ranges of the index; asked for in one, a database would go through all that rank alike.
            conditions = [
                (f" AND `{column}` = ? AND `task_id` > ?", (after.value, after.task_id)),
                (f" AND `{column}` > ?", (after.value,)),
            ]
        direction = "DESC" if order == "created" else "ASC"
        ordered = f"ORDER BY `{column}` {direction}, `task_id` {direction} LIMIT ?"
        texts, values = list[str](), list[str | int]()
        for name in names:
            for condition, bound in conditions:
                inner = f"SELECT `{column}` AS place, `task_id` FROM `inbox` WHERE `list_name` = ?{condition} {ordered}"
                texts.append(f"SELECT * FROM ({inner}) AS part{len(texts)}")
                values += [name, *bound, limit]
        rows = self.store.read(" UNION ALL ".join(texts), values)
        return sorted((Listed(int(place), int(number)) for place, number in rows), key=lambda each: _rank(order, each))

    def found(self, task_ids: Sequence[int]) -> dict[int, FoundTask]:
        """These tasks as a list shows them, by id."""
        if not task_ids:
            return {}
        width = len(columns(UserTaskRow))
        rows = self.store.read(f"{SELECT_FOUND} ({marks(task_ids)})", tuple(task_ids))
        return {int(row[0]): FoundTask(UserTaskRow(*row[:width]), *row[width:]) for row in rows}


def _rank(order: InboxOrder, place: Listed) -> tuple[int, int]:
    return (0, -place.task_id) if order == "created" else (place.value, place.task_id)


def _once(places: Iterator[Listed]) -> Iterator[Listed]:
    last = None
    for place in places:
        if place != last:
            yield place
        last = place


SELECT_USER_TASK = select("user_task", UserTaskRow, "`id` = ?")
_NAMES = ", ".join(
    [f"`user_task`.`{name}`" for name in columns(UserTaskRow)]
    + ["`task`.`name`", "`task`.`node`", "`task`.`status`"]
    + [f"`process_instance`.`{name}`" for name in ("name", "key", "business_key")]
)
SELECT_FOUND = (
    f"SELECT {_NAMES} FROM `user_task` JOIN `task` ON `task`.`id` = `user_task`.`id` JOIN `process_instance`"
    " ON `process_instance`.`process_instance_id` = `user_task`.`process_instance_id` WHERE `user_task`.`id` IN"
)
