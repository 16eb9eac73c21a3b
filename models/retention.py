"""Finding and removing the rows of process instances that are over, a few at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .connection import Connection
from .removal import to_undo
from .statements import marks
from .vocabulary import UndoMark
from .words import words_of

MOST_AT_ONCE = 100
"""Rows of one table that one transaction removes, so that no step waits for long."""
MOST_MARKS = 500
"""Values in one statement."""
MANY = ("task", "decision_made", "user_task")
"""Tables of which one process instance may have any number of rows, each with an id of its own."""
SETTLED = ("success", "failed", "rollback.success", "cancel.success", "delete.success")
"""How a process may have ended for its record to go; an undo that failed can still be asked to go on."""


class Candidate(NamedTuple):
    """A process instance that may be removed, with its undo instances, if it still has this revision."""

    process_instance_id: int
    revision: int
    undos: tuple[int, ...]
    rows: int
    """How many rows of the ledger, and how many decisions, it and its undo instances have."""


class Retention:
    """What a purge needs of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def candidates(
        self, before: int, *, after: int, kept_flag: int, undone: Sequence[UndoMark], even_undeleted: bool
    ) -> tuple[list[Candidate], int | None]:
        """Instances that ended ``before``, oldest first, of ids above ``after``; and where to look on, None at the end.

        Left out are those with ``kept_flag``, those with a hook whose end nobody has heard of yet, and unless
        ``even_undeleted`` (which a protected model overrules) those with rows that an undo would touch: rows not marked
        as ``undone``.
        """
        found = self.store.read(SELECT_ENDED, (before, after, MOST_AT_ONCE))
        candidates: list[Candidate] = []
        for number, revision, status, flags, rewind, *linked, protected in found:
            undos = (*(undo for undo in linked if undo is not None), *self._rewinds(rewind))
            if status not in SETTLED or flags & kept_flag or not self._all_ended(undos, before):
                continue
            if self.store.read(f"{SELECT_STRAGGLING} ({marks((number, *undos))}) LIMIT 1", (number, *undos)):
                continue
            settled = (even_undeleted and not protected) or status == "delete.success"
            if settled or not self._needed(number, undone):
                candidates.append(Candidate(number, revision, undos, self._rows((number, *undos))))
        return candidates, found[-1][0] if len(found) == MOST_AT_ONCE else None

    def _rewinds(self, last: int | None) -> list[int]:
        """The rewinds of an instance: each knows the one before it."""
        found: list[int] = []
        while last is not None and last not in found:
            found.append(last)
            last = next((before for (before,) in self.store.read(SELECT_REWIND, (last,))), None)
        return found

    def _all_ended(self, undos: Sequence[int], before: int) -> bool:
        return all(self.store.read(SELECT_ENDED_UNDO, (undo, before)) for undo in undos)

    def _needed(self, number: int, undone: Sequence[UndoMark]) -> bool:
        sql = f"SELECT 1 FROM `task` WHERE `process_instance_id` = ? AND {to_undo(undone)} LIMIT 1"
        return bool(self.store.read(sql, (number, *undone)))

    def _rows(self, numbers: Sequence[int]) -> int:
        sql = "SELECT COUNT(*) FROM `{}` WHERE `process_instance_id` IN ({})"
        return sum(
            int(self.store.read(sql.format(table, marks(numbers)), numbers)[0][0])
            for table in (*MANY, "retrace", "history")
        )

    def remove(self, candidates: Iterable[Candidate]) -> list[int]:
        """Remove instances with what is theirs, in one transaction; the ids of those that nobody has touched since.

        The rows of a long ledger are left for :meth:`remove_leftovers`, which finds them by their content.
        """
        chosen = list(candidates)

        def action() -> list[int]:
            # What a process is found by, read while it is there.
            numbers = [number for each in chosen for number in (each.process_instance_id, *each.undos)]
            words = self._words(numbers)
            gone = [each for each in chosen if self.store.run(DELETE_HEAD, (each.process_instance_id, each.revision))]
            for each in gone:
                for number in (each.process_instance_id, *each.undos):
                    if found := words.get(number):
                        self.store.run(f"{DELETE_WORDS} ({marks(found)})", (number, *found))
                    self._remove_rest(number, whole=each.rows <= MOST_AT_ONCE)
            return [each.process_instance_id for each in gone]

        return self.store.write(action)

    def _words(self, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
        found: dict[int, tuple[str, ...]] = {}
        for start in range(0, len(numbers), MOST_MARKS):
            part = numbers[start : start + MOST_MARKS]
            rows = self.store.read(f"{SELECT_NAMED} ({marks(part)})", part)
            found |= {int(number): words_of(*named) for number, *named in rows}
        return found

    def _remove_rest(self, number: int, *, whole: bool) -> None:
        run = self.store.run
        run(DELETE_SNAPSHOT, (number,))
        for table in (
            "process_instance",
            "token",
            "wait",
            "start_request",
            "straggler",
            "ledger_fold",
            "changed_variable",
            "variable",
            "external_task",
            "subscription",
            "notice",
            "task_check",
            "quota_slot",
        ):
            run(f"DELETE FROM `{table}` WHERE `process_instance_id` = ?", (number,))
        if whole:
            for table in (*MANY, "retrace", "history"):
                run(f"DELETE FROM `{table}` WHERE `process_instance_id` = ?", (number,))
            run("DELETE FROM `content` WHERE `process_instance_id` = ?", (number,))

    def leftovers(self) -> list[int]:
        """Instances that are gone but for some of their many rows, or a purge was killed among them."""
        return [int(number) for (number,) in self.store.read(SELECT_LEFTOVERS)]

    def remove_leftovers(self, number: int) -> bool:
        """Remove some of an instance's last rows; false when none was left."""
        if (first := self.store.read(SELECT_FIRST_RETRACE, (number,))[0][0]) is not None:
            self.store.execute(DELETE_RETRACES, (number, first + MOST_AT_ONCE))
            return True
        if notes := self.store.read(SELECT_FIRST_HISTORY, (number, MOST_AT_ONCE)):
            self.store.execute(DELETE_HISTORY, (number, notes[-1][0]))
            return True
        for table in MANY:
            sql = f"SELECT `id` FROM `{table}` WHERE `process_instance_id` = ? LIMIT ?"
            if found := self.store.read(sql, (number, MOST_AT_ONCE)):
                numbers = [row_id for (row_id,) in found]
                self.store.execute(f"DELETE FROM `{table}` WHERE `id` IN ({marks(numbers)})", numbers)
                return True
        self.store.execute("DELETE FROM `content` WHERE `process_instance_id` = ?", (number,))
        return False

    def remove_snapshots(self, before: int) -> int:
        """Remove versions that are out of use, and what trial runs ran of models that were edited since, where no
        run of it is left; how many."""
        found = self.store.read(SELECT_SNAPSHOTS, (before, MOST_AT_ONCE))
        found += self.store.read(SELECT_REMOVED, (before, MOST_AT_ONCE - len(found)))
        return sum(self._remove_unused(deployment_id) for (deployment_id,) in found)

    def _remove_unused(self, deployment_id: str) -> int:
        def action() -> int:
            # First, since whoever begins with it holds it: the next statement sees what that has begun.
            self.store.run(HOLD_DEPLOYMENT, (deployment_id,))
            removed = self.store.run(DELETE_UNUSED, (deployment_id,))
            if removed:
                self.store.run("DELETE FROM `version_tag` WHERE `deployment_id` = ?", (deployment_id,))
            return removed

        return self.store.write(action)


DELETE_WORDS = "DELETE FROM `word` WHERE `process_instance_id` = ? AND `word` IN"
# Of what the words of processes are made; neither ever changes.
SELECT_NAMED = (
    "SELECT `process_instance_id`, `kind`, `key`, `name`, `business_key` FROM `process_instance`"
    " WHERE `process_instance_id` IN"
)
SELECT_ENDED = (
    "SELECT `process_instance_id`, `revision`, `status`, `flags`, `rewind_id`, `rollback_id`, `cancel_id`, `delete_id`,"
    " EXISTS (SELECT 1 FROM `process_model` WHERE `process_model`.`id` = `process_instance`.`model_id`"
    " AND `protected` <> 0)"
    " FROM `process_instance` WHERE `kind` = 'start' AND `phase` = 'ended' AND `ended` <= ?"
    " AND `process_instance_id` > ? ORDER BY `process_instance_id` LIMIT ?"
)
SELECT_ENDED_UNDO = (
    "SELECT 1 FROM `process_instance` WHERE `process_instance_id` = ? AND `phase` = 'ended' AND `ended` <= ?"
)
SELECT_FIRST_RETRACE = "SELECT MIN(`number`) FROM `retrace` WHERE `process_instance_id` = ?"
SELECT_FIRST_HISTORY = "SELECT `number` FROM `history` WHERE `process_instance_id` = ? ORDER BY `number` LIMIT ?"
DELETE_HISTORY = "DELETE FROM `history` WHERE `process_instance_id` = ? AND `number` <= ?"
DELETE_RETRACES = "DELETE FROM `retrace` WHERE `process_instance_id` = ? AND `number` < ?"
SELECT_REWIND = "SELECT `rewind_id` FROM `process_instance` WHERE `process_instance_id` = ?"
SELECT_STRAGGLING = "SELECT 1 FROM `straggler` WHERE `owner` IS NOT NULL AND `process_instance_id` IN"
DELETE_HEAD = "DELETE FROM `process_instance` WHERE `process_instance_id` = ? AND `revision` = ? AND `phase` = 'ended'"
# The generated model of an undo process carries the number of the process in its key, and nobody else runs it.
DELETE_SNAPSHOT = (
    "DELETE FROM `deployment` WHERE `version` = 0 AND `model_id` IS NULL AND `id` ="
    " (SELECT `deployment_id` FROM `process_instance` WHERE `process_instance_id` = ?)"
)
SELECT_LEFTOVERS = (
    "SELECT `content`.`process_instance_id` FROM `content` LEFT JOIN `process_instance` ON"
    " `process_instance`.`process_instance_id` = `content`.`process_instance_id`"
    " WHERE `process_instance`.`process_instance_id` IS NULL"
)
_UNUSED = "NOT EXISTS (SELECT 1 FROM `process_instance` WHERE `process_instance`.`deployment_id` = `deployment`.`id`)"
# The snapshot of a model as it now stands is kept: at this moment somebody may be starting a trial run of it.
SELECT_SNAPSHOTS = (
    "SELECT `deployment`.`id` FROM `deployment` WHERE `version` = 0 AND `model_id` IS NOT NULL AND `created` < ?"
    " AND NOT EXISTS (SELECT 1 FROM `process_model` WHERE `process_model`.`id` = `deployment`.`model_id`"
    f" AND `process_model`.`updated` <= `deployment`.`created`) AND {_UNUSED} LIMIT ?"
)
# A process that ran when a version was removed may be in a call of it, or need a handler in it for its rollback.
SELECT_REMOVED = (
    "SELECT `deployment`.`id` FROM `deployment` WHERE `removed` < ? AND NOT EXISTS (SELECT 1 FROM `process_instance`"
    " WHERE (`phase` <> 'ended' OR `status` = 'rollback.failed') AND `started` <= `removed` + 60000)"
    f" AND {_UNUSED} LIMIT ?"
)
HOLD_DEPLOYMENT = "SELECT 1 FROM `deployment` WHERE `id` = ? FOR UPDATE"
DELETE_UNUSED = f"DELETE FROM `deployment` WHERE `id` = ? AND {_UNUSED}"
