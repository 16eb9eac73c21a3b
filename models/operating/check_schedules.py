"""Schedules of checks: each turn of one is begun by the engine that moves its due time on."""

from __future__ import annotations

from ..commit.connection import Connection
from ..databases.statements import Insert, select
from ..row_types.batches import CheckScheduleRow


class CheckSchedules:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def add(self, row: CheckScheduleRow) -> None:
        """Keep a new one."""
        self.store.write(lambda: self.store.put(INSERT_SCHEDULE, row))

    def all(self, owner: str | None) -> list[CheckScheduleRow]:
        """Those of an owner, or every one; the oldest first."""
        condition, values = ("1 = 1", ()) if owner is None else ("`owner_name` = ?", (owner,))
        sql = select("check_schedule", CheckScheduleRow, f"{condition} ORDER BY `created`, `id`")
        return self.store.rows(CheckScheduleRow, sql, values)

    def remove(self, schedule_id: str, owner: str | None) -> bool:
        """Whether there was one."""
        if owner is None:
            return self.store.execute("DELETE FROM `check_schedule` WHERE `id` = ?", (schedule_id,)) > 0
        sql = "DELETE FROM `check_schedule` WHERE `id` = ? AND `owner_name` = ?"
        return self.store.execute(sql, (schedule_id, owner)) > 0

    def schedule(self, schedule_id: str) -> CheckScheduleRow | None:
        """One as it is now."""
        return self.store.one(CheckScheduleRow, SELECT_SCHEDULE, (schedule_id,))

    def due(self, now: int) -> list[CheckScheduleRow]:
        """Those whose turn has come."""
        return self.store.rows(CheckScheduleRow, SELECT_DUE, (now,))

    def move(self, row: CheckScheduleRow, due: int | None, cycle: str, now: int) -> bool:
        """Take one turn; false where another engine has taken it, or the schedule is gone."""
        sql = "UPDATE `check_schedule` SET `due` = ?, `cycle` = ?, `last` = ? WHERE `id` = ? AND `due` = ?"
        return self.store.execute(sql, (due, cycle, now, row.id, row.due)) > 0

    def change(self, row: CheckScheduleRow, due: int | None, cycle: str) -> bool:
        """Pause one, or let it go on; false where it is no longer as it was read."""
        sql = "UPDATE `check_schedule` SET `due` = ?, `cycle` = ? WHERE `id` = ? AND `cycle` = ? AND "
        at, values = ("`due` IS NULL", ()) if row.due is None else ("`due` = ?", (row.due,))
        return self.store.execute(sql + at, (due, cycle, row.id, row.cycle, *values)) > 0

    def note(self, schedule_id: str, batch_id: str | None, reason: str | None) -> None:
        """What came of the last turn: the batch that it is, or why there is none."""
        sql = "UPDATE `check_schedule` SET `batch_id` = COALESCE(?, `batch_id`), `reason` = ? WHERE `id` = ?"
        self.store.execute(sql, (batch_id, reason, schedule_id))


INSERT_SCHEDULE = Insert.of("check_schedule", CheckScheduleRow)
SELECT_SCHEDULE = select("check_schedule", CheckScheduleRow, "`id` = ?")
SELECT_DUE = select("check_schedule", CheckScheduleRow, "`due` <= ? ORDER BY `due`")
