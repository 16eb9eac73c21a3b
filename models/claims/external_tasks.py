"""Tasks that workers fetch over HTTP: which wait under a topic, and who has which of them locked until when.

Such a task is owned by :data:`EXTERNAL`, not by an engine, so the death of an engine takes nothing from its worker. Its
row here is written in the transaction of its hand-over, and every change of it in one that raises the revision of its
process instance. A row whose task has ended or gone on counts for nothing. Locks are by the database's own time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks, quoted, select
from ..row_types.tasks import ExternalRow
from ..vocabulary import NOT_TAKEN_BACK
from .leases import EXTERNAL, now_of

MOST_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalFilter:
    """Which tasks somebody asks for; None and nothing at all let every one through."""

    topics: Sequence[str] | None = None
    owners: Sequence[str | None] | None = None
    """Whose process instances; None among them stands for nobody's."""
    keys: Sequence[str] | None = None
    deployment_ids: Sequence[str] | None = None
    business_key: str | None = None
    worker: str | None = None
    locked: bool | None = None
    process_instance_id: int | None = None
    task_id: int | None = None
    version_tag: str | None = None
    after: tuple[int, int] | None = None
    """Only those behind this time and task in the order of age."""

    def condition(self, now: str) -> tuple[str, list[str | int]]:
        """As SQL, and its values."""
        parts, values = [f"{_VALID}"], list[str | int]()
        for column, chosen in (
            ("`external_task`.`topic`", self.topics),
            ("`external_task`.`definition_key`", self.keys),
            ("`external_task`.`deployment_id`", self.deployment_ids),
        ):
            if chosen is not None:
                parts.append(f"{column} IN ({marks(chosen)})" if chosen else "1 = 0")
                values += chosen
        for column, value in (
            ("`process_instance`.`business_key`", self.business_key),
            ("`external_task`.`worker`", self.worker),
            ("`external_task`.`process_instance_id`", self.process_instance_id),
            ("`external_task`.`task_id`", self.task_id),
        ):
            if value is not None:
                parts.append(f"{column} = ?")
                values.append(value)
        if self.after is not None:
            parts.append(
                "(`external_task`.`created` > ? OR (`external_task`.`created` = ? AND `external_task`.`task_id` > ?))"
            )
            values += (self.after[0], *self.after)
        if self.version_tag is not None:
            parts.append(_TAGGED)
            values.append(self.version_tag)
        if self.owners is not None:
            named = [name for name in self.owners if name is not None]
            owned = [f"`external_task`.`owner_name` IN ({marks(named)})"] if named else []
            nobodys = ["`external_task`.`owner_name` IS NULL"] if len(named) < len(self.owners) else []
            parts.append(f"({' OR '.join([*owned, *nobodys]) or '1 = 0'})")
            values += named
        if self.locked is not None:
            free = f"(`until` IS NULL OR `until` < {now}) AND `phase` <> 'suspended'"
            parts.append(f"`until` >= {now}" if self.locked else free)
        return " AND ".join(parts), values


class TopicCount(NamedTuple):
    """How many tasks of a topic wait, and how many are locked."""

    topic: str
    waiting: int
    locked: int


class ExternalTasks:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store
        self._now = now_of(store.kind)

    def now(self) -> int:
        """The database's time, in milliseconds since 1970."""
        return int(self.store.read(f"SELECT {self._now}")[0][0])

    def find(
        self, wanted: ExternalFilter, *, limit: int, offset: int = 0, by_priority: bool = True, newest: bool = False
    ) -> list[ExternalRow]:
        """The oldest first, within a priority where that counts."""
        condition, values = wanted.condition(self._now)
        order = "DESC" if newest else "ASC"
        first = "`external_task`.`priority` DESC, " if by_priority else ""
        sql = (
            f"{_SELECT} {_FROM} WHERE {condition} ORDER BY {first}`external_task`.`created` {order},"
            f" `external_task`.`task_id` {order} LIMIT {int(limit)} OFFSET {int(offset)}"
        )
        return self.store.rows(ExternalRow, sql, values)

    def count(self, wanted: ExternalFilter) -> int:
        """How many there are."""
        condition, values = wanted.condition(self._now)
        return int(self.store.read(f"SELECT COUNT(*) {_FROM} WHERE {condition}", values)[0][0])

    def rows(self, task_ids: Sequence[int]) -> dict[int, ExternalRow]:
        """Those of these tasks, by task."""
        if not task_ids:
            return {}
        sql = f"{select('external_task', ExternalRow, '`task_id` IN')} ({marks(task_ids)})"
        return {row.task_id: row for row in self.store.rows(ExternalRow, sql, task_ids)}

    def waiting(self, topics: Sequence[str]) -> set[str]:
        """Those of these topics under which any task may be fetched now."""
        found: set[str] = set()
        for start in range(0, len(topics), MOST_AT_ONCE):
            part = topics[start : start + MOST_AT_ONCE]
            sql = f"SELECT DISTINCT `topic` {_FROM} WHERE {_VALID} AND `topic` IN ({marks(part)})"
            sql += " AND `phase` <> 'suspended'"
            found |= {
                topic for (topic,) in self.store.read(f"{sql} AND (`until` IS NULL OR `until` < {self._now})", part)
            }
        return found

    def topics(self) -> list[TopicCount]:
        """What there is under each topic."""
        locked = f"CASE WHEN `until` >= {self._now} THEN 1 ELSE 0 END"
        sql = f"SELECT `topic`, COUNT(*), SUM({locked}) {_FROM} WHERE {_VALID} GROUP BY `topic` ORDER BY `topic`"
        return [TopicCount(topic, int(every) - int(held), int(held)) for topic, every, held in self.store.read(sql)]

    def tidy(self) -> None:
        """Drop rows whose tasks have ended or gone on, and take hooks for gone whose locks have run out."""
        gone = self.store.read(
            f"SELECT `task_id` FROM `external_task` WHERE NOT EXISTS ({_STILL}) LIMIT {MOST_AT_ONCE}"
        )
        if gone:
            sql = f"DELETE FROM `external_task` WHERE `task_id` IN ({marks(gone)}) AND NOT EXISTS ({_STILL})"
            self.store.execute(sql, tuple(number for (number,) in gone))
        over = f"`owner` = '{EXTERNAL}' AND (`lease` IS NULL OR `lease` < {self._now})"
        if self.store.read(f"SELECT 1 FROM `straggler` WHERE {over} LIMIT 1"):
            self.store.execute(f"UPDATE `straggler` SET `owner` = NULL WHERE {over}")


_OPEN = f"`task`.`open` = 1 AND `task`.`owner` = '{EXTERNAL}' AND `task`.`due` IS NULL"
_SAME = "`task`.`handed` + `task`.`lost` = `external_task`.`delivery`"
_CHECKED = (
    "`external_task`.`delivery` = -1 AND `task`.`open` = 0"
    f" AND (`task`.`undo` IS NULL OR `task`.`undo` IN ({quoted(NOT_TAKEN_BACK)}))"
)
"""A check of what is there by the ledger."""
_VALID = f"(({_OPEN} AND {_SAME} AND `task`.`status` <> 'stone-missing') OR ({_CHECKED}))"
_TAGGED = (
    "EXISTS (SELECT 1 FROM `version_tag`"
    " WHERE CAST(`version_tag`.`deployment_id` AS CHAR(36)) = `external_task`.`deployment_id`"
    " AND `version_tag`.`kind` = 'process' AND `version_tag`.`name` = `external_task`.`definition_key`"
    " AND `version_tag`.`tag` = ?)"
)
_STILL = (
    f"SELECT 1 FROM `task` WHERE `task`.`id` = `external_task`.`task_id` AND (({_OPEN} AND {_SAME}) OR ({_CHECKED}))"
)
_FROM = (
    "FROM `external_task` JOIN `task` ON `task`.`id` = `external_task`.`task_id` JOIN `process_instance`"
    " ON `process_instance`.`process_instance_id` = `external_task`.`process_instance_id`"
)
_SELECT = "SELECT " + ", ".join(f"`external_task`.`{name}`" for name in ExternalRow.__slots__)
