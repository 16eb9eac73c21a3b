"""Finding and removing the rows of process instances that are over, a few at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks, parts
from ..vocabulary import UNDO_KINDS, UndoMark
from ..words import words_of
from .removal import to_undo

MOST_AT_ONCE = 100
"""Rows of one table that one transaction removes, so that no step waits for long."""
ID = "`process_instance_id`"
PIECE = 30_000
"""Ids, which tasks have too, that one question goes through; to be removed, instances are read in smaller pieces."""
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


class Purged(NamedTuple):
    """What is to be removed: instances that ended ``before``, but for those with ``kept_flag``, those with a hook whose
    end nobody has heard of yet, and those with rows that an undo would touch, which are not marked as ``undone``.

    With ``even_undeleted`` these go too, unless their model is protected.
    """

    before: int
    kept_flag: int
    undone: Sequence[UndoMark]
    even_undeleted: bool


class Retention:
    """What a purge needs of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def candidates(self, wanted: Purged, after: int) -> tuple[list[Candidate], int | None]:
        """Instances of the next piece beyond an id that may go, oldest first; and where to look on, None at the end."""
        last, sql, values = self._piece(wanted, after, PIECE // 5)
        if last is None:
            return [], None
        found = self.store.by_index(lambda: self.store.read(f"SELECT {CANDIDATE} {sql} ORDER BY p.{ID}", values))
        linked = [(int(number), int(revision), self._undos(undos)) for number, revision, *undos in found]
        rewound = {int(number) for number, _, rewind, *_ in found if rewind is not None}
        linked = [each for each in linked if each[0] not in rewound or self._is_free(each[2], wanted)]
        counts = self._rows([number for number, _, undos in linked for number in (number, *undos)])
        candidates = [
            Candidate(number, revision, undos, sum(counts.get(each, 0) for each in (number, *undos)))
            for number, revision, undos in linked
        ]
        return candidates, last

    def count(self, wanted: Purged, after: int) -> tuple[int, int | None]:
        """How many these are."""
        last, sql, values = self._piece(wanted, after, PIECE)
        if last is None:
            return 0, None
        counts = f"SELECT COUNT(*), COUNT(p.`rewind_id`) {sql}"
        ((found, rewound),) = self.store.by_index(lambda: self.store.read(counts, values))
        count = int(found) - int(rewound)
        if rewound:
            # What a rewind has undone is looked at one by one.
            linked = self.store.read(f"SELECT {CANDIDATE} {sql} AND p.`rewind_id` IS NOT NULL", values)
            count += sum(self._is_free(self._undos(undos), wanted) for _, _, *undos in linked)
        return count, last

    def _piece(self, wanted: Purged, after: int, size: int) -> tuple[int | None, str, Sequence[Any]]:
        """The last id of the next piece, and the question for what of it may go, as far as a question can tell."""
        first = self.store.value(SELECT_NEXT, (after,))
        last = None if first is None else int(first) + size - 1
        # Read as a range of their own, which costs half of looking for the tasks of each.
        undone = f"SELECT * FROM ({_WITH_TASKS} AND {to_undo(wanted.undone)} LIMIT {PIECE}) AS kept"
        settled = ["p.`status` = 'delete.success'", f"p.{ID} NOT IN ({undone})"]
        if wanted.even_undeleted:
            settled[1] = f"(p.`model_id` NOT IN ({_PROTECTED}) OR p.`model_id` IS NULL OR {settled[1]})"
        sql = f"FROM `process_instance` AS p WHERE p.{ID} > ? AND p.{ID} <= ? AND {ENDED} AND ({' OR '.join(settled)})"
        before = (wanted.before,) * (1 + len(UNDO_KINDS))
        return last, sql, (after, last, wanted.kept_flag, *before, after, last, *wanted.undone)

    def _undos(self, numbers: Sequence[int | None]) -> tuple[int, ...]:
        """The undo instances of one instance: the last rewind, which comes first, knows the one before it."""
        last, *others = numbers
        found = [undo for undo in others if undo is not None]
        while last is not None and last not in found:
            found.append(last)
            last = next((before for (before,) in self.store.read(SELECT_REWIND, (last,))), None)
        return tuple(found)

    def _is_free(self, undos: Sequence[int], wanted: Purged) -> bool:
        """Whether all rewinds too, which no question can follow, have ended that long ago and left nothing running."""
        if self.store.read(f"{SELECT_STRAGGLING} ({marks(undos)}) LIMIT 1", undos):
            return False
        return all(self.store.read(SELECT_ENDED_UNDO, (undo, wanted.before)) for undo in undos)

    def _rows(self, numbers: Sequence[int]) -> dict[int, int]:
        """How many rows these have in tables that may hold many of them."""
        found: dict[int, int] = {}
        sql = "SELECT {0}, COUNT(*) FROM `{1}` WHERE {0} IN ({2}) GROUP BY {0}"
        for part in parts(numbers):
            for table in (*MANY, "retrace", "history"):
                for number, count in self.store.read(sql.format(ID, table, marks(part)), part):
                    found[number] = found.get(number, 0) + count
        return found

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
        for part in parts(numbers):
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
SELECT_NEXT = f"SELECT MIN({ID}) FROM `process_instance` WHERE {ID} > ?"
CANDIDATE = f"p.{ID}, p.`revision`, p.`rewind_id`, p.`rollback_id`, p.`cancel_id`, p.`delete_id`"
_PROTECTED = "SELECT `id` FROM `process_model` WHERE `protected` <> 0"
# There are no more of them than ids. PostgreSQL has to be told, or it may read them for each instance anew.
_WITH_TASKS = f"SELECT DISTINCT {ID} FROM `task` WHERE {ID} > ? AND {ID} <= ?"
_STRAGGLING = f"SELECT {ID} FROM `straggler` WHERE `owner` IS NOT NULL"
_UNDO_ENDED = (
    f"(p.`{{0}}_id` IS NULL OR EXISTS (SELECT 1 FROM `process_instance` AS u WHERE u.{ID} = p.`{{0}}_id`"
    f" AND u.`phase` = 'ended' AND u.`ended` <= ? AND u.{ID} NOT IN ({_STRAGGLING})))"
)
ENDED = (
    # Not by the index of ends, nearly all of which may be that long ago.
    f"p.`kind` = 'start' AND p.`phase` = 'ended' AND (p.`flags` & ?) = 0 AND p.`ended` + 0 <= ?"
    f" AND p.`status` IN ({', '.join(repr(status) for status in SETTLED)})"
    # Of most none of them is looked at.
    f" AND (COALESCE({', '.join(f'p.`{kind}_id`' for kind in UNDO_KINDS)}) IS NULL"
    f" OR ({' AND '.join(_UNDO_ENDED.format(kind) for kind in UNDO_KINDS)}))"
    f" AND p.{ID} NOT IN ({_STRAGGLING})"
)
SELECT_ENDED_UNDO = (
    "SELECT 1 FROM `process_instance` WHERE `process_instance_id` = ? AND `phase` = 'ended' AND `ended` <= ?"
)
SELECT_FIRST_RETRACE = "SELECT MIN(`number`) FROM `retrace` WHERE `process_instance_id` = ?"
SELECT_FIRST_HISTORY = "SELECT `number` FROM `history` WHERE `process_instance_id` = ? ORDER BY `number` LIMIT ?"
DELETE_HISTORY = "DELETE FROM `history` WHERE `process_instance_id` = ? AND `number` <= ?"
DELETE_RETRACES = "DELETE FROM `retrace` WHERE `process_instance_id` = ? AND `number` < ?"
SELECT_REWIND = "SELECT `rewind_id` FROM `process_instance` WHERE `process_instance_id` = ?"
SELECT_STRAGGLING = f"{_STRAGGLING} AND {ID} IN"
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
