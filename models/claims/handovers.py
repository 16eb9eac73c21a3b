"""Tasks that workers on other machines have in hand: who vouches for them, and which nobody does.

Such a task is owned by :data:`WORKERS`, not by an engine, so the death of an engine takes nothing from them. A task
that ends quickly is never written here. One that does not is noted by the next sweep of any engine, gets a lease each
time its worker gives a sign of life, and is lost when that runs out. Times are the database's own.

Only its deadline is not: that is by the clocks of engines, so one of them sees to it (the ``owner`` of the note).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks, select
from ..row_types.instances import InstanceRow
from ..vocabulary import LedgerEvent
from .leases import BEGUN, OUTDATE, STRAGGLE, WORKERS, now_of

MOST_AT_ONCE = 1000


class HandedRow(NamedTuple):
    """A task that workers should have in hand; ``silent`` is for how many milliseconds nobody has been heard of it."""

    task_id: int
    process_instance_id: int
    delivery: int
    stone: str
    event: LedgerEvent
    silent: int


class Handovers:
    """The handed-over tasks of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store
        self._now = now_of(store.kind)
        self._insert = "INSERT OR IGNORE INTO", ""
        if store.kind == "postgresql":
            self._insert = "INSERT INTO", " ON CONFLICT DO NOTHING"
        elif store.kind == "mysql":
            self._insert = "INSERT IGNORE INTO", ""

    def note(self, engine_id: str) -> None:
        """Write down what has been in hand since the sweep before, and forget what no longer is.

        The engine sees to the deadlines of what it writes down, and of what a dead one had.
        """
        into, otherwise = self._insert
        missing = self.store.read(f"SELECT COUNT(*) {_IN_HAND} AND NOT EXISTS ({_NOTED})")
        gone = self.store.read(f"SELECT `task_id` FROM `handover` WHERE NOT EXISTS ({_STILL}) LIMIT {MOST_AT_ONCE}")
        if gone:
            sql = f"DELETE FROM `handover` WHERE `task_id` IN ({marks(gone)}) AND NOT EXISTS ({_STILL})"
            self.store.execute(sql, tuple(number for (number,) in gone))
        if missing[0][0]:
            self.store.execute(
                f"{into} `handover` (`task_id`, `delivery`, `since`, `lease`, `running`, `owner`) SELECT `task`.`id`,"
                f" `handed` + `lost`, {self._now}, NULL, 0, ? {_IN_HAND} AND NOT EXISTS ({_NOTED}){otherwise}",
                (engine_id,),
            )
        self._adopt(engine_id)

    def give_up(self, lease: int) -> None:
        """Take hooks for gone whose tasks have ended and for which nobody has vouched for so many milliseconds."""
        if self._have_stragglers():
            first = f"UPDATE `straggler` SET `lease` = {self._now} + ? WHERE `owner` = ? AND `lease` IS NULL"
            self.store.execute(first, (lease, WORKERS))
            gone = f"UPDATE `straggler` SET `owner` = NULL WHERE `owner` = ? AND `lease` < {self._now}"
            self.store.execute(gone, (WORKERS,))

    def _have_stragglers(self) -> bool:
        return bool(self.store.read("SELECT 1 FROM `straggler` WHERE `owner` = ? LIMIT 1", (WORKERS,)))

    def _adopt(self, engine_id: str) -> None:
        # Literally: a subquery would hold up the commits of those engines on MariaDB.
        living = [engine_id, *(name for (name,) in self.store.read("SELECT `id` FROM `engine_node`"))]
        nobodys = f"(`owner` IS NULL OR `owner` NOT IN ({marks(living)}))"
        if self.store.read(f"SELECT 1 FROM `handover` WHERE {nobodys} LIMIT 1", living):
            self.store.execute(f"UPDATE `handover` SET `owner` = ? WHERE {nobodys}", (engine_id, *living))

    def vouch(self, signs: Iterable[tuple[int, int, bool]], lease: int) -> None:
        """Somebody has these in hand: (task id, delivery, whether its hook runs); good for so many milliseconds."""
        sql = f"UPDATE `handover` SET `lease` = {self._now} + ?, `running` = ? WHERE `task_id` = ? AND `delivery` = ?"
        rows = [(lease, int(running), task_id, delivery) for task_id, delivery, running in sorted(signs)]
        others = f"UPDATE `straggler` SET `lease` = {self._now} + ? WHERE `task_id` = ? AND `delivery` = ?"
        straggling = rows and self._have_stragglers()

        def write() -> None:
            for row in rows:
                self.store.run(sql, row)
                if straggling:
                    self.store.run(others, (lease, row[2], row[3]))

        if rows:
            self.store.write(write)

    def expired(self) -> list[HandedRow]:
        """Tasks whose worker has not been heard of for longer than its lease."""
        return self._select(f"`lease` < {self._now}", f"{self._now} - `lease`")

    def unvouched(self, milliseconds: int) -> list[HandedRow]:
        """Tasks that were handed over, or offered again, at least so long ago and that nobody has shown to have."""
        silent = f"{self._now} - `since`"
        return self._select(f"`lease` IS NULL AND {silent} > {int(milliseconds)}", silent)

    def offered_again(self, deliveries: Iterable[tuple[int, int]]) -> None:
        """The clock of these, (task, delivery), starts again: their messages are sent now, or back in their queues."""
        found = "WHERE `task_id` = ? AND `delivery` = ?"
        sql = f"UPDATE `handover` SET `since` = {self._now}, `lease` = NULL, `running` = 0 {found}"
        chosen = sorted(deliveries)

        def write() -> None:
            for row in chosen:
                self.store.run(sql, row)

        if chosen:
            self.store.write(write)

    def lose(self, task_id: int, process_instance_id: int, delivery: int, now: int) -> bool:
        """Take a delivery from whoever had it, so that any engine offers the task anew; false if it is not in hand.

        ``now`` is the engine's time, since when the task is due. The instance's revision goes up, so that no copy
        in memory goes on with what was lost.
        """

        def write() -> bool:
            self.store.run(f"{STRAGGLE} WHERE {_LOST} AND {BEGUN}", (task_id, delivery))
            if not self.store.run(LOSE, (now, task_id, delivery)):
                return False
            self.store.run(OUTDATE, (process_instance_id,))
            return True

        return self.store.write(write)

    def in_hand(self, task_id: int, delivery: int) -> InstanceRow | None:
        """The instance of a task that workers have in hand in this delivery."""
        return self.store.one(InstanceRow, SELECT_IN_HAND, (task_id, delivery))

    def is_running(self, task_id: int) -> bool:
        """Whether a worker has lately told that a hook of this task runs there."""
        sql = f"SELECT 1 FROM `handover` WHERE `task_id` = ? AND `running` = 1 AND `lease` > {self._now}"
        return bool(self.store.read(sql, (task_id,)))

    def looked_for(self, task_id: int) -> tuple[bool, int | None, int] | None:
        """Whether a task's hook runs, for how long somebody vouches for it yet, since when it is in hand.

        In milliseconds; the second is None while nobody has shown to have it, and negative when the worker that had it
        is silent. None before the first sweep.
        """
        sql = f"SELECT `running`, `lease` - {self._now}, {self._now} - `since` FROM `handover` WHERE `task_id` = ?"
        found = self.store.read(sql, (task_id,))
        if not found:
            return None
        running, vouched, since = found[0]
        return bool(running), None if vouched is None else int(vouched), int(since)

    def overdue(self, engine_id: str, now: int) -> list[tuple[int, int]]:
        """Tasks in hand whose deadline the engine sees to and is over by its time: (process instance, task)."""
        sql = f"SELECT {_WHICH} {_HANDED} AND `task`.`deadline` <= ? AND `handover`.`owner` = ? LIMIT {MOST_AT_ONCE}"
        return [(int(instance), int(task)) for instance, task in self.store.read(sql, (now, engine_id))]

    def seen_to(self, engine_id: str) -> list[tuple[int, int]]:
        """All tasks in hand whose deadline the engine sees to: (process instance, task)."""
        sql = f"SELECT {_WHICH} {_HANDED} AND `task`.`deadline` IS NOT NULL AND `handover`.`owner` = ?"
        return [(int(instance), int(task)) for instance, task in self.store.read(sql, (engine_id,))]

    def _select(self, condition: str, silent: str) -> list[HandedRow]:
        sql = (
            "SELECT `task`.`id`, `task`.`process_instance_id`, `handover`.`delivery`, `task`.`stone`, `task`.`event`,"
            f" {silent} {_HANDED} AND {condition} ORDER BY `task`.`id` LIMIT {MOST_AT_ONCE}"
        )
        return [HandedRow(*row) for row in self.store.read(sql)]


_WHICH = "`task`.`process_instance_id`, `task`.`id`"
_OPEN = f"`task`.`open` = 1 AND `task`.`owner` = '{WORKERS}' AND `task`.`due` IS NULL"
# By way of the instances that have not ended, since these are few and no index tells the owner of a task.
_IN_HAND = (
    f"FROM `task` WHERE {_OPEN} AND `task`.`status` <> 'stone-missing' AND `task`.`process_instance_id` IN"
    " (SELECT `process_instance_id` FROM `process_instance` WHERE `phase` <> 'ended')"
)
_NOTED = "SELECT 1 FROM `handover` WHERE `handover`.`task_id` = `task`.`id`"
_SAME = "`task`.`handed` + `task`.`lost` = `handover`.`delivery`"
_STILL = f"SELECT 1 FROM `task` WHERE `task`.`id` = `handover`.`task_id` AND {_OPEN} AND {_SAME}"
_HANDED = f"FROM `handover` JOIN `task` ON `task`.`id` = `handover`.`task_id` WHERE {_OPEN} AND {_SAME}"
SELECT_IN_HAND = select(
    "process_instance",
    InstanceRow,
    f"`process_instance_id` = (SELECT `process_instance_id` FROM `task` WHERE `task`.`id` = ? AND {_OPEN}"
    " AND `handed` + `lost` = ?)",
)
_LOST = f"`id` = ? AND `open` = 1 AND `owner` = '{WORKERS}' AND `due` IS NULL AND `handed` + `lost` = ?"
LOSE = f"UPDATE `task` SET `lost` = `lost` + 1, `owner` = NULL, `due` = ? WHERE {_LOST}"
