"""What is asked about quotas: who may go on next, and what is used of each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from ..commit.connection import Connection
from ..commit.quota_changes import COUNT_HELD, GIVEN_TIME, QuotaChanges
from ..databases.cipher import digests
from ..databases.statements import Insert, select
from ..errors import AlreadyUsed, RevisionConflict
from ..row_types.quotas import QuotaRow, QuotaSlotRow
from .leases import now_of

KEPT = 24 * 3_600_000
"""Milliseconds for which a quota stays of which nothing is used."""
MOST_AT_ONCE = 100
MOST_KNOWN = 10_000
MOST_COUNTED = 1_000
"""Of those that wait, more are only told as more."""


class QuotaCount(NamedTuple):
    """What is used of one quota, counted to a thousand and no further."""

    row: QuotaRow
    held: int
    undo_held: int
    waiting: int
    undo_waiting: int


class QuotaPlace(NamedTuple):
    """Where one task stands that waits."""

    use: QuotaCount
    slot: QuotaSlotRow
    ahead: int
    """How many of the same owner come first, of at most a thousand that are counted."""


class Quotas:
    """What is asked about the quotas of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store
        self._now = f"SELECT {now_of(store.kind)}"
        self._numbers: dict[tuple[str, str], int] = {}

    def changes(self) -> QuotaChanges:
        """What one commit is going to change."""
        return QuotaChanges(self._now)

    def known(self, name: str, key: str) -> int | None:
        """The number of a quota for one value, which is ``key`` as text, as far as it was asked for before."""
        return self._numbers.get((name, key))

    def number(self, name: str, key: str, new: QuotaRow) -> int:
        """The same from the store, where ``new`` is written if there is none."""
        cipher = self.store.cipher
        every = digests(f"{name}\n{key}", cipher)
        found = self._find(every)
        if found is None:
            new.digest, new.used = every[0], self._time()
            if cipher is not None and new.value is not None:
                new.value = cipher.encrypt(new.value)
            with suppress(AlreadyUsed):
                self.store.execute(INSERT_QUOTA.text, INSERT_QUOTA.values(new))
            found = self._find(every)
        if found is None:
            raise RevisionConflict("a quota is gone that was just made")
        if len(self._numbers) >= MOST_KNOWN:
            self._numbers.clear()
        self._numbers[name, key] = found
        return found

    def _find(self, every: Sequence[str]) -> int | None:
        for digest in every:
            found = self.store.value("SELECT `id` FROM `quota` WHERE `digest` = ?", (digest,))
            if found is not None:
                return int(found)
        return None

    def _time(self) -> int:
        return int(self.store.value(self._now))

    def forget(self) -> None:
        """Ask again for the numbers that are known: one of them is gone."""
        self._numbers.clear()

    # -- who goes on

    def first_in_line(self, quota_id: int) -> list[tuple[int, int]]:
        """Those that may go on next, as (process instance, task): as many as there is room for, undo first."""
        found = self.store.one(QuotaRow, SELECT_QUOTA, (quota_id,))
        if found is None:
            return []
        held = {undo: int(count) for undo, count in self.store.read(COUNT_HELD, (quota_id,))}
        chosen: list[tuple[int, int]] = []
        for undo in (1, 0):
            room = MOST_AT_ONCE if found.at_once is None else min(found.at_once - held.get(undo, 0), MOST_AT_ONCE)
            if room > 0:
                chosen += self._line(quota_id, undo, room)
        return chosen

    def _line(self, quota_id: int, undo: int, most: int) -> list[tuple[int, int]]:
        """The first of each owner in turn, and the next ones in further rounds."""
        lines = [(int(turn), owner) for turn, owner in self.store.read(LINES, (quota_id, undo, most))]
        rows: list[tuple[int, str, int, tuple[int, int]]] = []
        for turn, owner in lines:
            waiting = self.store.read(FIRST, (quota_id, undo, owner, most))
            rows += [(turn + place, owner, place, (number, task)) for place, (number, task) in enumerate(waiting)]
        return [found for *_, found in sorted(rows)[:most]]

    def due(self) -> list[int]:
        """Quotas of which somebody may go on and nobody has seen to it; they are the asking engine's for a moment."""
        found = [int(number) for (number,) in self.store.read(f"{SELECT_DUE} ({self._now}) LIMIT 100")]
        sql = f"UPDATE `quota` SET `due` = ({self._now}) + {GIVEN_TIME} WHERE `id` = ? AND `due` <= ({self._now})"
        return [number for number in found if self.store.execute(sql, (number,))]

    def let_all_look(self) -> None:
        """Let each quota be seen to for which anybody waits: it may count otherwise now."""
        sql = "UPDATE `quota` SET `due` = 0 WHERE `id` IN (SELECT `quota_id` FROM `quota_line`)"
        if self.store.read("SELECT 1 FROM `quota_line` LIMIT 1"):
            self.store.execute(sql)

    def in_use(self) -> bool:
        """Whether any task holds a slot or waits for one."""
        return bool(self.store.read("SELECT 1 FROM `quota_slot` LIMIT 1"))

    def lost(self, reserved_before: int) -> list[tuple[int, int, int]]:
        """Slots whose tasks have ended and whose hooks nobody runs, as (process instance, task, quota).

        They were held by engines that died, or are of processes that are gone. With them those that are reserved since
        ``reserved_before``, by the engine's clock, for tasks that no worker fetches.
        """
        found = [*self.store.read(SELECT_LOST), *self.store.read(SELECT_UNFETCHED, (reserved_before,))]
        return [(int(number), int(task), int(quota)) for number, task, quota in found]

    def tidy(self) -> None:
        """Drop quotas that were not used for long."""
        before = self._time() - KEPT
        for (number,) in self.store.read(SELECT_UNUSED, (before,)):

            def drop(number: int = number) -> None:
                if self.store.run(DELETE_UNUSED, (number, before)):
                    self.store.run("DELETE FROM `quota_grant` WHERE `quota_id` = ?", (number,))

            self.store.write(drop)

    def asked_by(self, task_id: int) -> int | None:
        """The quota of which a task, or a whole process, has a slot or waits for one."""
        found = self.store.value("SELECT `quota_id` FROM `quota_slot` WHERE `task_id` = ?", (task_id,))
        return None if found is None else int(found)

    # -- what is shown

    def counts(self, *, name: str | None, owner: str | None, after: int, limit: int) -> list[QuotaCount]:
        """What is used of the quotas beyond a number: of all or of one name, by all or by one owner."""
        conditions, values = ["`id` > ?"], list[str | int]([after])
        if name is not None:
            conditions.append("`name` = ?")
            values.append(name)
        if owner is not None:
            conditions.append(USED_BY)
            values.append(owner)
        sql = select("quota", QuotaRow, f"{' AND '.join(conditions)} ORDER BY `id` LIMIT ?")
        return [self._count(row, owner) for row in self.store.rows(QuotaRow, sql, (*values, limit))]

    def _count(self, row: QuotaRow, owner: str | None = None) -> QuotaCount:
        of_owner = "" if owner is None else " AND `owner_name` = ?"
        values = () if owner is None else (owner,)
        counted = [
            int(self.store.value(COUNT_SLOTS.format(of_owner), (row.id, held, undo, *values)))
            for held in (1, 0)
            for undo in (0, 1)
        ]
        held, undo_held, waiting, undo_waiting = counted
        return QuotaCount(row, held, undo_held, waiting, undo_waiting)

    def place(self, task_id: int) -> QuotaPlace | None:
        """Where a task stands that waits; None where it does not."""
        slot = self.store.one(QuotaSlotRow, SELECT_SLOT, (task_id,))
        row = None if slot is None else self.store.one(QuotaRow, SELECT_QUOTA, (slot.quota_id,))
        if slot is None or row is None or slot.held:
            return None
        values = (slot.quota_id, slot.undo, slot.owner_name, slot.priority, slot.created, slot.task_id)
        return QuotaPlace(self._count(row), slot, int(self.store.value(COUNT_AHEAD, values)))


INSERT_QUOTA = Insert.of("quota", QuotaRow)
SELECT_QUOTA = select("quota", QuotaRow, "`id` = ?")
SELECT_SLOT = select("quota_slot", QuotaSlotRow, "`task_id` = ? ORDER BY `held` LIMIT 1")
SELECT_DUE = "SELECT `id` FROM `quota` WHERE `due` <="
LINES = (
    "SELECT `turn`, `owner_name` FROM `quota_line` WHERE `quota_id` = ? AND `undo` = ?"
    " ORDER BY `turn`, `owner_name` LIMIT ?"
)
FIRST = (
    "SELECT `process_instance_id`, `task_id` FROM `quota_slot` WHERE `quota_id` = ? AND `held` = 0 AND `undo` = ?"
    " AND `owner_name` = ? ORDER BY `priority`, `created`, `task_id` LIMIT ?"
)
COUNT_SLOTS = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM `quota_slot` WHERE `quota_id` = ? AND `held` = ? AND `undo` = ?{}"
    f" LIMIT {MOST_COUNTED}) AS counted"
)
USED_BY = (
    "EXISTS (SELECT 1 FROM `quota_slot` WHERE `quota_id` = `quota`.`id` AND `held` IN (0, 1) AND `undo` IN (0, 1)"
    " AND `owner_name` = ?)"
)
COUNT_AHEAD = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM `quota_slot` WHERE `quota_id` = ? AND `held` = 0 AND `undo` = ?"
    " AND `owner_name` = ? AND (`priority`, `created`, `task_id`) < (?, ?, ?)"
    f" LIMIT {MOST_COUNTED}) AS ahead"
)
# By way of the quotas, in this order, so that only what is held is looked at, however many wait.
SELECT_LOST = (
    "SELECT `quota_slot`.`process_instance_id`, `quota_slot`.`task_id`, `quota_id` FROM `quota` CROSS JOIN `quota_slot`"
    " LEFT JOIN `task` ON `task`.`id` = `quota_slot`.`task_id` LEFT JOIN `process_instance` ON"
    " `process_instance`.`process_instance_id` = `quota_slot`.`task_id` AND `phase` <> 'ended'"
    " WHERE `quota_id` = `quota`.`id` AND `held` = 1 AND"
    " ((`task`.`id` IS NULL AND `process_instance`.`process_instance_id` IS NULL) OR"
    " (`task`.`open` = 0 AND NOT EXISTS (SELECT 1 FROM `straggler` WHERE"
    " `straggler`.`task_id` = `quota_slot`.`task_id` AND `straggler`.`owner` IS NOT NULL)))"
    f" LIMIT {MOST_AT_ONCE}"
)
SELECT_UNFETCHED = (
    "SELECT `quota_slot`.`process_instance_id`, `quota_slot`.`task_id`, `quota_id` FROM `quota` CROSS JOIN `quota_slot`"
    " JOIN `external_task` ON `external_task`.`task_id` = `quota_slot`.`task_id`"
    " JOIN `task` ON `task`.`id` = `quota_slot`.`task_id` AND `task`.`event` <> 'monitor'"
    " WHERE `quota_id` = `quota`.`id` AND `held` = 1 AND `since` < ? AND `external_task`.`worker` IS NULL"
    f" LIMIT {MOST_AT_ONCE}"
)
_UNUSED = "`used` < ? AND NOT EXISTS (SELECT 1 FROM `quota_slot` WHERE `quota_slot`.`quota_id` = `quota`.`id`)"
SELECT_UNUSED = f"SELECT `id` FROM `quota` WHERE {_UNUSED} LIMIT {MOST_AT_ONCE}"
DELETE_UNUSED = f"DELETE FROM `quota` WHERE `id` = ? AND {_UNUSED}"
