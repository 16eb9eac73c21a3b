"""Batches: the calls for many process instances, the list of these, and what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..commit.connection import Connection
from ..databases.cipher import sealed
from ..databases.statements import Insert, marks, select
from ..row_types.batches import BatchItemRow, BatchRow
from ..vocabulary import BatchResult, UndoMark
from .removal import to_undo

MOST_AT_ONCE = 200
"""Rows that one statement writes or asks about, so that no step waits for long."""
LEFT_OVER = 86_400_000
"""Milliseconds after which a list that nobody has finished writing is rubbish."""


class TaskGroup(NamedTuple):
    """How many rows of ledgers there are of one stone at one element."""

    element: str
    stone: str | None
    tasks: int
    processes: int


class BatchRecords:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def write(self, row: BatchRow, numbers: Sequence[int]) -> None:
        """Write a batch that is being prepared, with its process instances; whoever else writes comes in between."""
        values = INSERT_BATCH.values(row)
        if self.store.cipher is not None:
            values = sealed(values, INSERT_BATCH.secret, self.store.cipher)
        self.store.execute(INSERT_BATCH.text, values)
        for start, part in _parts(numbers):
            items = ", ".join(["(?, ?, ?, 'waiting')"] * len(part))
            pairs = enumerate(part, start + 1)
            self.store.execute(INSERT_ITEMS + items, [each for pair in pairs for each in (row.id, *pair)])

    def batch(self, batch_id: str) -> BatchRow | None:
        """One batch."""
        return self.store.one(BatchRow, SELECT_BATCH, (batch_id,))

    def batches(self, *, owner: str | None, limit: int, before: tuple[int, str] | None) -> list[BatchRow]:
        """Batches (of the ``owner``), newest first, those that come after a time and an id."""
        parts, values = ["`state` <> 'preparing'"], list[int | str]()
        if owner is not None:
            parts.append("`owner_name` = ?")
            values.append(owner)
        if before is not None:
            parts.append("(`created` < ? OR (`created` = ? AND `id` < ?))")
            values += [before[0], *before]
        order = "ORDER BY `created` DESC, `id` DESC LIMIT ?"
        return self.store.rows(BatchRow, select("batch", BatchRow, f"{' AND '.join(parts)} {order}"), (*values, limit))

    def next_items(self, batch_id: str, after: int, limit: int) -> list[BatchItemRow]:
        """The next process instances of a batch, in their order."""
        return self.store.rows(BatchItemRow, SELECT_ITEMS, (batch_id, after, limit))

    def items(self, batch_id: str, *, result: BatchResult | None, limit: int, after: int) -> list[BatchItemRow]:
        """The same, of those of which this came."""
        if result is None:
            return self.next_items(batch_id, after, limit)
        return self.store.rows(BatchItemRow, SELECT_ITEMS_OF, (batch_id, result, after, limit))

    def to_work_at(self, engine_id: str) -> list[str]:
        """The batches that run and are this engine's, or nobody's: theirs is no more."""
        return [number for (number,) in self.store.read(SELECT_TO_WORK_AT, (engine_id,))]

    def forget(self, before: int) -> int:
        """Remove batches that have ended or were stopped before a time, a few rows at once; how many there were."""
        gone = 0
        while found := self.store.read(SELECT_OLD, (before, before - LEFT_OVER, 1)):
            ((batch_id,),) = found
            while items := self.store.read(SELECT_NUMBERS, (batch_id, MOST_AT_ONCE)):
                numbers = [number for (number,) in items]
                sql = f"DELETE FROM `batch_item` WHERE `batch_id` = ? AND `number` IN ({marks(numbers)})"
                self.store.execute(sql, (batch_id, *numbers))
            gone += self.store.execute("DELETE FROM `batch` WHERE `id` = ?", (batch_id,))
        return gone

    def to_undo(self, numbers: Sequence[int], done_with: Sequence[UndoMark]) -> list[TaskGroup]:
        """What an undo of these process instances would take back, by element and stone."""
        found: dict[tuple[str, str | None], tuple[int, int]] = {}
        for _, part in _parts(numbers):
            sql = f"{SELECT_TO_UNDO} ({marks(part)}) AND {to_undo(done_with)} GROUP BY `node`, `stone`"
            for element, stone, tasks, processes in self.store.read(sql, (*part, *done_with)):
                before = found.get((element, stone), (0, 0))
                found[element, stone] = (before[0] + int(tasks), before[1] + int(processes))
        return [TaskGroup(element, stone, *counted) for (element, stone), counted in found.items()]


def _parts(numbers: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for start in range(0, len(numbers), MOST_AT_ONCE):
        yield start, numbers[start : start + MOST_AT_ONCE]


INSERT_BATCH = Insert.of("batch", BatchRow)
INSERT_ITEMS = "INSERT INTO `batch_item` (`batch_id`, `number`, `process_instance_id`, `result`) VALUES "
SELECT_BATCH = select("batch", BatchRow, "`id` = ?")
SELECT_ITEMS = select("batch_item", BatchItemRow, "`batch_id` = ? AND `number` > ? ORDER BY `number` LIMIT ?")
SELECT_ITEMS_OF = select(
    "batch_item", BatchItemRow, "`batch_id` = ? AND `result` = ? AND `number` > ? ORDER BY `number` LIMIT ?"
)
SELECT_TO_WORK_AT = (
    "SELECT `id` FROM `batch` WHERE `state` = 'running' AND (`engine` IS NULL OR `engine` = ?"
    " OR NOT EXISTS (SELECT 1 FROM `engine_node` WHERE `engine_node`.`id` = `batch`.`engine`))"
)
SELECT_OLD = (
    "SELECT `id` FROM `batch` WHERE (`state` IN ('ended', 'stopped') AND `ended` <= ?)"
    " OR (`state` = 'preparing' AND `created` <= ?) LIMIT ?"
)
SELECT_NUMBERS = "SELECT `number` FROM `batch_item` WHERE `batch_id` = ? LIMIT ?"
SELECT_TO_UNDO = (
    "SELECT `node`, `stone`, COUNT(*), COUNT(DISTINCT `process_instance_id`) FROM `task` WHERE `process_instance_id` IN"
)
