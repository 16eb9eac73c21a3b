"""Which engines are at work on a store, and whose tasks are whose.

An engine's lease is its last sign of life by the database's own clock: those of machines differ, and jump. Whoever
takes an engine for dead removes its row in the transaction that releases its tasks; from then on a commit of that
engine is refused, so it cannot bring in what others have in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks, parts, select
from ..errors import AlreadyUsed
from ..row_types.engines import MYSQL_NOW, POSTGRESQL_NOW, EngineRow
from ..row_types.tasks import TaskRow
from ..store import IN_PHASES, RUNNING
from .looks import OUTDATE_ALL

WORKERS: Final = "workers"
"""Who owns a task that was handed to workers on other machines."""
EXTERNAL: Final = "external"
"""Who owns a task that workers fetch over HTTP."""


class Due(NamedTuple):
    """Of what anything is due."""

    free: bool
    """Tasks that are nobody's."""
    owned: bool
    """The asking engine's tasks."""
    timers: bool
    graces: bool
    owed: bool
    """Messages and signals."""
    kept: bool
    """Messages for which nobody has waited yet."""
    stopped: bool
    """Tasks that are to stop. The last five may be those of other engines."""
    now: int
    """When that was so, by the database's own time."""


SUSPECT = 2
"""A task that was lost so often may be what kills engines: of these, one at a time is taken."""


class Leases:
    """The engines of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store
        self._now = now_of(store.kind)

    def begin(self, engine_id: str, host: str, pid: int, pid_started: str) -> None:
        """Sign an engine on, or on again."""
        sql = (
            "INSERT INTO `engine_node` (`id`, `host`, `pid`, `pid_started`, `seen`, `committed`)"
            f" VALUES (?, ?, ?, ?, {self._now}, 0)"
        )

        def sign_on() -> None:
            # Whoever lets no commit be under way knows of all engines.
            self.store.hold_engines()
            self.store.run(sql, (engine_id, host, pid, pid_started))

        with suppress(AlreadyUsed):
            self.store.write(sign_on)
        self.store.commit_as(engine_id)

    def renew(self, engine_id: str) -> bool:
        """Give a sign of life; false if the engine was taken for dead."""
        return self.store.execute(f"UPDATE `engine_node` SET `seen` = {self._now} WHERE `id` = ?", (engine_id,)) == 1

    def engines(self) -> list[EngineRow]:
        """Every engine that has signed on and was not taken for dead."""
        names = "`id`, `host`, `pid`, `pid_started`, `seen`, `closing`"
        return [EngineRow(*row) for row in self.store.read(f"SELECT {names}, {self._now} - `seen` FROM `engine_node`")]

    def close(self, engine_id: str) -> None:
        """Tell that an engine was asked to stop: if it is killed over it, no task is to blame."""
        sql = f"UPDATE `engine_node` SET `closing` = 1, `seen` = {self._now} WHERE `id` = ?"
        self.store.execute(sql, (engine_id,))

    def end(self, engine_id: str, now: int) -> int:
        """Sign an engine off that has nothing in hand any more, and leave its open tasks to others."""

        def leave() -> int:
            self.store.run("DELETE FROM `engine_node` WHERE `id` = ?", (engine_id,))
            self.store.run("DELETE FROM `straggler` WHERE `owner` = ?", (engine_id,))
            return self.store.run(LEAVE_TASKS, (now, engine_id))

        return self.store.write(leave)

    def take_from(self, dead: Iterable[EngineRow], now: int) -> int:
        """Release the open tasks of engines that are dead, unless these show that they live; how many tasks there were.

        What such an engine may have had in hand counts as lost once more, unless it was about to stop anyway.
        """
        released = 0
        for engine in dead:

            def take(engine: EngineRow = engine) -> int:
                sql = "DELETE FROM `engine_node` WHERE `id` = ? AND `seen` = ?"
                if not self.store.run(sql, (engine.id, engine.seen)):
                    return 0
                # If it lives after all, what its hooks make is undone once more as they end.
                self.store.run("UPDATE `straggler` SET `owner` = NULL WHERE `owner` = ?", (engine.id,))
                self.store.run(f"{STRAGGLE}{_THEIRS} AND {BEGUN}", (engine.id,))
                if engine.closing:
                    return self.store.run(LEAVE_TASKS, (now, engine.id))
                return self.store.run(LOSE_TASKS, (now, engine.id))

            released += self.store.write(take)
        return released

    def now(self) -> int:
        """The database's own time in milliseconds since 1970."""
        return int(self.store.value(f"SELECT {self._now}"))

    def due(self, engine_id: str, now: int) -> Due:
        """What there is to see to now, in one question: mostly there is nothing, and it is asked all the time."""
        sql = f"{SELECT_DUE}, {self._now}"
        (found,) = self.store.read(sql, (now, now, engine_id, now, now))
        return Due._make((*map(bool, found[:-1]), int(found[-1])))

    def free_tasks(
        self,
        now: int,
        limit: int,
        *,
        stones: Collection[str],
        suspects: int,
        losses: Callable[[TaskRow], int],
    ) -> list[TaskRow]:
        """Tasks that are due and nobody's.

        Those whose stone was missing are taken by who has it: its code is among ``stones``. At most so many
        ``suspects`` are among them; ``losses`` tells how often a task was lost since it was heard of.
        """
        free: list[TaskRow] = []
        back = [code for (code,) in self.store.read(SELECT_MISSED, (now,)) if code in stones]
        known = f"(`status` <> 'stone-missing'{f' OR `stone` IN ({marks(back)})' if back else ''})"
        for lost in (f"< {SUSPECT}", f">= {SUSPECT}"):
            found = self._tasks(f"`due` <= ? AND `owner` IS NULL AND `lost` {lost} AND {known}", now, *back, limit)
            free += [row for row in found if losses(row) < SUSPECT]
            free += [row for row in found if losses(row) >= SUSPECT][:suspects]
        return free

    def claim(self, engine_id: str, free: Sequence[TaskRow]) -> list[TaskRow]:
        """Make such tasks this engine's, so that no other engine takes them too; those that still were nobody's."""
        if not free:
            return []
        wanted = [row.id for row in free]
        which = f"`id` IN ({marks(wanted)})"
        sql = f"UPDATE `task` SET `owner` = ? WHERE {which} AND `owner` IS NULL AND `open` = 1"
        self.store.write_own(partial(self.store.run, sql, (engine_id, *wanted)))
        return self._tasks(f"{which} AND `owner` = ?", *wanted, engine_id, len(wanted))

    def _tasks(self, condition: str, *values: object) -> list[TaskRow]:
        sql = select("task", TaskRow, f"{condition} AND `open` = 1 ORDER BY `due` LIMIT ?")
        return self.store.rows(TaskRow, sql, values)

    def free_timers(self, now: int, limit: int) -> list[tuple[int, int, int]]:
        """Timers that are due and that no living engine sees to, as (instance, token, number)."""
        return [(number, token, which) for number, token, which in self.store.read(SELECT_FREE_TIMERS, (now, limit))]

    def claim_timers(self, engine_id: str, now: int, limit: int) -> int:
        """Make those this engine's; how many there were."""
        found = [number for number, _, _ in self.free_timers(now, limit)]
        return self._claim_due("wait", "owner", found, engine_id, now)

    def free_graces(self, now: int, limit: int) -> list[int]:
        """Process instances whose grace is over and that no living engine sees to."""
        return [number for (number,) in self.store.read(SELECT_FREE_GRACES, (now, limit))]

    def claim_graces(self, engine_id: str, now: int, limit: int) -> int:
        """Make those this engine's; how many there were."""
        return self._claim_due("process_instance", "due_owner", self.free_graces(now, limit), engine_id, now)

    def claim_events(self, engine_id: str) -> int:
        """Make messages and signals that no living engine delivers this engine's; how many there were."""
        living = [engine_id, *(number for (number,) in self.store.read("SELECT `id` FROM `engine_node`"))]
        nobodys = f"(`owner` IS NULL OR `owner` NOT IN ({marks(living)}))"
        if not self.store.read(f"SELECT 1 FROM `event` WHERE {nobodys} LIMIT 1", living):
            return 0
        sql = f"UPDATE `event` SET `owner` = ? WHERE {nobodys}"
        return self.store.write_own(lambda: self.store.run(sql, (engine_id, *living)))

    def _claim_due(self, table: str, owner: str, found: Sequence[int], engine_id: str, now: int) -> int:
        if not found:
            return 0
        # Literally: a subquery would hold up the commits of those engines on MariaDB.
        living = [engine_id, *(number for (number,) in self.store.read("SELECT `id` FROM `engine_node`"))]
        sql = (
            f"UPDATE `{table}` SET `{owner}` = ? WHERE `process_instance_id` IN ({marks(found)}) AND `due` <= ?"
            f" AND (`{owner}` IS NULL OR `{owner}` NOT IN ({marks(living)}))"
        )
        return self.store.write_own(lambda: self.store.run(sql, (engine_id, *found, now, *living)))

    def due_timers(self, engine_id: str, now: int, limit: int) -> list[tuple[int, int, int]]:
        """This engine's timers that are due: (instance, token, number).

        Left out are those of a process that is paused, suspended, stopping or ended: it is not reached by its timers.
        """
        found = self.store.read(SELECT_DUE_TIMERS, (engine_id, now, limit))
        return [(number, token, which) for number, token, which in found]

    def due_graces(self, engine_id: str, now: int, limit: int) -> list[int]:
        """Process instances whose grace is over and this engine's to see to."""
        return [number for (number,) in self.store.read(SELECT_DUE_GRACES, (engine_id, now, limit))]

    def shift(
        self,
        engine_id: str,
        by: int,
        timers_by: int,
        handed: Iterable[tuple[int, int]] = (),
        left: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        """Move the moments of an engine's open tasks and graces, and of its timers that count from when they were set.

        By so many milliseconds; a timer that was set for a date stays. The deadlines of tasks in workers' hands are
        moved in the sight of all engines: ``handed`` are these, as (process instance, task). So are nobody's tasks that
        this engine has put off: ``left`` tells which of them were noted for which moment.
        """
        chosen = sorted(handed)

        def move() -> None:
            self.store.run(SHIFT_TASKS, (by, by, engine_id))
            self.store.run(SHIFT_GRACES, (by, engine_id))
            self.store.run(SHIFT_TIMERS, (timers_by, engine_id))
            for number, task_id in chosen:
                if self.store.run(SHIFT_HANDED, (by, task_id)):
                    self.store.run(OUTDATE, (number,))
            # In this order, so that none comes to where another is yet to be moved from.
            for moment in sorted(left or (), reverse=by > 0):
                for part in parts((left or {})[moment]):
                    self._shift_left(moment, part, by)

        self.store.write_own(move)

    def _shift_left(self, moment: int, task_ids: Sequence[int], by: int) -> None:
        """Only what still is as it was noted: what somebody else has moved or put off is not moved twice."""
        which = f"`id` IN ({marks(task_ids)}) AND `open` = 1 AND `owner` IS NULL"
        sql = f"SELECT DISTINCT `process_instance_id` FROM `task` WHERE {which} AND (`due` = ? OR `deadline` = ?)"
        numbers = sorted(number for (number,) in self.store.read(sql, (*task_ids, moment, moment)))
        if not numbers:
            return
        # First, since who changes one of the tasks by a step holds its instance.
        self.store.run(f"{OUTDATE_ALL} ({marks(numbers)})", numbers)
        for name in ("due", "deadline"):
            sql = f"UPDATE `task` SET `{name}` = `{name}` + ? WHERE {which} AND `{name}` = ?"
            self.store.run(sql, (by, *task_ids, moment))


SQLITE_NOW = "riverstone_now()"
"""A function of the store's: all its engines are on one machine, so time that nobody sets is the same for them."""


def now_of(kind: str) -> str:
    """The expression for a database's own time in milliseconds since 1970; see :attr:`.store.Store.kind`."""
    return {"postgresql": POSTGRESQL_NOW, "mysql": MYSQL_NOW}.get(kind, SQLITE_NOW)


# By way of the instances that have not ended, since these are few and no index tells the owner of a task.
_THEIRS = (
    " WHERE `owner` = ? AND `open` = 1 AND `stone` IS NOT NULL AND `process_instance_id` IN"
    " (SELECT `process_instance_id` FROM `process_instance` WHERE `phase` <> 'ended')"
)
STRAGGLE = (
    "INSERT INTO `straggler` (`task_id`, `attempt`, `event`, `delivery`, `process_instance_id`)"
    " SELECT `id`, `attempt`, `event`, `handed` + `lost`, `process_instance_id` FROM `task`"
)
"""Notes hooks that are taken from whoever has them, and may still run there."""
BEGUN = (
    "`due` IS NULL AND `status` <> 'stone-missing' AND NOT EXISTS (SELECT 1 FROM `straggler` WHERE `task_id` ="
    " `task`.`id` AND `straggler`.`attempt` = `task`.`attempt` AND `straggler`.`event` ="
    " CAST(`task`.`event` AS CHAR(20)) AND `straggler`.`delivery` = `task`.`handed` + `task`.`lost`)"
)
SHIFT_TASKS = "UPDATE `task` SET `due` = `due` + ?, `deadline` = `deadline` + ?" + _THEIRS
SHIFT_HANDED = f"UPDATE `task` SET `deadline` = `deadline` + ? WHERE `id` = ? AND `open` = 1 AND `owner` = '{WORKERS}'"
OUTDATE = "UPDATE `process_instance` SET `revision` = `revision` + 1 WHERE `process_instance_id` = ?"
"""Lets no copy in memory go on with what was changed beside it."""
SHIFT_GRACES = "UPDATE `process_instance` SET `due` = `due` + ? WHERE `due_owner` = ? AND `due` IS NOT NULL"
SHIFT_TIMERS = "UPDATE `wait` SET `due` = `due` + ? WHERE `owner` = ? AND `due` IS NOT NULL AND `kind` = 'timer'"
LEAVE_TASKS = "UPDATE `task` SET `owner` = NULL, `due` = COALESCE(`due`, ?)" + _THEIRS
# What is in hand has no due time.
# MariaDB assigns in this order, and the count needs the due time as it was.
LOSE_TASKS = (
    "UPDATE `task` SET `lost` = `lost` + CASE WHEN `due` IS NULL THEN 1 ELSE 0 END,"
    " `owner` = NULL, `due` = COALESCE(`due`, ?)"
) + _THEIRS

SELECT_MISSED = (
    "SELECT DISTINCT `stone` FROM `task` WHERE `due` <= ? AND `owner` IS NULL AND `open` = 1"
    " AND `status` = 'stone-missing' LIMIT 500"
)

SELECT_DUE = (
    "SELECT EXISTS (SELECT 1 FROM `task` WHERE `due` <= ? AND `owner` IS NULL AND `open` = 1),"
    " EXISTS (SELECT 1 FROM `task` WHERE `due` <= ? AND `owner` = ? AND `open` = 1),"
    f" EXISTS (SELECT 1 FROM `wait` WHERE `wait`.`due` <= ? AND {RUNNING}),"
    " EXISTS (SELECT 1 FROM `process_instance` WHERE `due` <= ?), EXISTS (SELECT 1 FROM `event`),"
    " EXISTS (SELECT 1 FROM `kept_message`),"
    f" EXISTS (SELECT 1 FROM `process_instance` WHERE `phase` = 'draining' AND {IN_PHASES})"
    " OR EXISTS (SELECT 1 FROM `straggler` WHERE `owner` IS NOT NULL)"
)

_NOBODYS = "({owner} IS NULL OR {owner} NOT IN (SELECT `id` FROM `engine_node`))"
SELECT_FREE_TIMERS = (
    "SELECT `process_instance_id`, `token`, `number` FROM `wait` WHERE `wait`.`due` <= ?"
    f" AND {_NOBODYS.format(owner='`owner`')} AND {RUNNING} ORDER BY `wait`.`due` LIMIT ?"
)
SELECT_FREE_GRACES = (
    "SELECT `process_instance_id` FROM `process_instance`"
    f" WHERE `due` <= ? AND {_NOBODYS.format(owner='`due_owner`')} ORDER BY `due` LIMIT ?"
)
SELECT_DUE_TIMERS = (
    "SELECT `process_instance_id`, `token`, `number` FROM `wait`"
    f" WHERE `owner` = ? AND `wait`.`due` <= ? AND {RUNNING} ORDER BY `wait`.`due` LIMIT ?"
)
SELECT_DUE_GRACES = (
    "SELECT `process_instance_id` FROM `process_instance` WHERE `due_owner` = ? AND `due` <= ? ORDER BY `due` LIMIT ?"
)
