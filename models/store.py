"""The store: what the engine asks of process instances, their tasks and their tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, get_args

from .catalogue import Catalogue
from .commit.connection import Connection
from .databases.cipher import Cipher, opened
from .databases.pool import CONNECTIONS
from .databases.statements import listed, marks, parts, quoted, select
from .databases.uptime import boot_id, uptime
from .drafts import Drafts
from .ids import IdSequence
from .messages import Messages
from .row_types.engines import EngineRow
from .row_types.history import DecisionMadeRow, HistoryRow, RetraceRow
from .row_types.instances import ChangedVariableRow, ContentRow, FoldRow, InstanceRow, RecordRow
from .row_types.tables import columns
from .row_types.tasks import PutOut, TaskRow
from .row_types.tokens import TokenRow, WaitRow
from .vocabulary import TaskStatus

MOST = 2**62
"""More rows than there can be."""

MARKING = ("revision", "rollback_id", "cancel_id", "delete_id", "rewind_id")
"""What tells an instance's steps and where its undos are."""


def mark_of(told: Sequence[int | None], revisions: Mapping[int, int]) -> str:
    """One text of an instance's own revision and those of its undos."""
    return "-".join(map(str, (told[0], *(revisions.get(undo, 0) for undo in told[1:] if undo is not None))))


class Store(Connection):
    """One database with what engines ask of it; every method may raise :class:`StoreError`."""

    def __init__(
        self,
        url: str,
        cipher: Cipher | None = None,
        connections: int = CONNECTIONS,
        is_alive: Callable[[EngineRow], bool] | None = None,
    ) -> None:
        super().__init__(url, cipher, connections, is_alive)
        self.ids = IdSequence(self)
        if self.kind == "sqlite":
            self._prepare_clock()
        self.catalogue = Catalogue(self)
        self.drafts = Drafts(self)
        self.messages = Messages(self)

    def _prepare_clock(self) -> None:
        """Give SQLite a clock that nobody sets; the first who opens a file since the machine started sets it right."""
        boot = boot_id()[:24]
        name = f"clock {boot}"

        def zero() -> int:
            """The time at which this machine started, in milliseconds since 1970."""
            known = self.value("SELECT `next` FROM `sequence` WHERE `name` = ?", (name,))
            return 0 if known is None or not boot else int(known)

        def set_right() -> int:
            if known := zero():
                return known
            seen = self.value("SELECT MAX(`seen`) FROM `engine_node`") or 0
            found = max(time.time_ns() // 1_000_000, int(seen)) - round(uptime() * 1000)
            self.run("DELETE FROM `sequence` WHERE `name` LIKE 'clock %'")
            self.run("INSERT INTO `sequence` (`name`, `next`) VALUES (?, ?)", (name, found))
            return found

        started = zero() or self.write(set_right)
        database: Any = self._database
        with self._guard:
            database.register_function(lambda: started + round(uptime() * 1000), "riverstone_now", 0)

    # -- process instances

    def instance(self, process_instance_id: int) -> InstanceRow | None:
        return self.one(InstanceRow, SELECT_INSTANCE, (process_instance_id,))

    def record(self, process_instance_id: int) -> tuple[InstanceRow, ContentRow] | None:
        """One instance with its content, as both stood at one moment."""
        while found := self.read(SELECT_RECORD, (process_instance_id,)):
            row, content = InstanceRow(*found[0][:_INSTANCE_WIDTH]), ContentRow(*found[0][_INSTANCE_WIDTH:])
            if row.changed:
                rows = self.rows(ChangedVariableRow, SELECT_CHANGED_VARIABLES, (process_instance_id,))
                content.changed = {each.name: each.value for each in rows}
                if self.revision(process_instance_id) != row.revision:
                    # A step came between the two.
                    continue
            return opened(row, self.cipher), opened(content, self.cipher)
        return None

    def without_flag(self, process_instance_ids: Sequence[int], flag: int) -> set[int]:
        """Which of several, at most 500, have not this bit among their flags, or are gone."""
        if not process_instance_ids:
            return set()
        among, values = self.among(process_instance_ids)
        flagged = self.read(f"{FLAGGED} {among}", [flag, *values])
        return {*process_instance_ids}.difference(number for (number,) in flagged)

    def documented(self, process_instance_ids: Sequence[int]) -> list[RecordRow]:
        """What the records of several show, at most 500, in any order; of those that are there."""
        among, values = self.among(process_instance_ids)
        return self.rows(RecordRow, f"{DOCUMENTED} {among}", values)

    def records(
        self, process_instance_ids: Sequence[int], *, variables: bool = True
    ) -> list[tuple[InstanceRow, ContentRow]]:
        """The same of several, at most 500, in any order; those that are there.

        Without ``variables`` only with those that each was started with.
        """
        among, values = self.among(process_instance_ids)
        cipher = self.cipher
        records: list[tuple[InstanceRow, ContentRow]] = []
        for found in self.read(f"{RECORDS[variables]} {among}", values):
            row, content = InstanceRow(*found[:_INSTANCE_WIDTH]), ContentRow(*found[_INSTANCE_WIDTH:])
            if row.changed and variables:
                # Few have variables that were set beside the others; what hides secrets has to know these too.
                if (record := self.record(row.process_instance_id)) is not None:
                    records.append(record)
            else:
                records.append((opened(row, cipher), opened(content, cipher)))
        return records

    def revision(self, process_instance_id: int) -> int | None:
        """The stored revision, to tell whether a copy in memory is stale."""
        found = self.value(
            "SELECT `revision` FROM `process_instance` WHERE `process_instance_id` = ?", (process_instance_id,)
        )
        return None if found is None else int(found)

    def revisions(self, process_instance_ids: Sequence[int]) -> dict[int, int]:
        """The stored revisions of several instances."""
        sql = "SELECT `process_instance_id`, `revision` FROM `process_instance` WHERE `process_instance_id` IN"
        found: dict[int, int] = {}
        for part in parts(process_instance_ids):
            found.update(self.read(f"{sql} ({marks(part)})", part))
        return found

    def revision_marks(self, process_instance_ids: Sequence[int]) -> dict[int, str]:
        """What differs after every step of these instances or of their undos: the revisions of all of them."""
        sql = f"SELECT `process_instance_id`, {listed(MARKING)} FROM `process_instance` WHERE `process_instance_id` IN"
        rows = [row for part in parts(process_instance_ids) for row in self.read(f"{sql} ({marks(part)})", part)]
        revisions = self.revisions(sorted({undo for row in rows for undo in row[2:] if undo is not None}))
        return {number: mark_of(told, revisions) for number, *told in rows}

    def revision_mark(self, row: InstanceRow) -> str:
        """The same of one instance, as it was read."""
        told = [getattr(row, name) for name in MARKING]
        undos = [undo for undo in told[1:] if undo is not None]
        return mark_of(told, self.revisions(undos) if undos else {})

    def needs_somebody(self, process_instance_ids: Sequence[int]) -> bool:
        """Whether an open task of these waits for a person, or for a stone that nobody has registered or lets begin."""
        sql = (
            f"SELECT 1 FROM `task` WHERE `process_instance_id` IN ({marks(process_instance_ids)}) AND `open` = 1"
            " AND (`stone` IS NULL OR `status` IN ('stone-missing', 'suspended')) LIMIT 1"
        )
        return bool(self.read(sql, tuple(process_instance_ids)))

    def is_used(self, stone: str) -> bool:
        """Whether any process has used the stone with this code, or tried to."""
        return self.value("SELECT 1 FROM `stone_use` WHERE `stone` = ? LIMIT 1", (stone,)) is not None

    def active_count(self, key: str) -> int:
        """How many instances of this key have not ended."""
        return int(self.value("SELECT COUNT(*) FROM `process_instance` WHERE `phase` <> 'ended' AND `key` = ?", (key,)))

    # -- tasks

    def task(self, task_id: int) -> TaskRow | None:
        return self.one(TaskRow, SELECT_TASK, (task_id,))

    def tasks(self, process_instance_id: int) -> list[TaskRow]:
        """The whole ledger of one instance, oldest first."""
        return self.rows(TaskRow, SELECT_TASKS, (process_instance_id,))

    def some_tasks(
        self,
        process_instance_id: int,
        after: int,
        limit: int | None,
        node: str | None = None,
        state: Literal["open", "failed"] | None = None,
    ) -> list[TaskRow]:
        """Those after one, oldest first: of one node, that are open or have failed; of all without a ``limit``."""
        conditions, values = [SOME_TASKS], list[int | str]((process_instance_id, after))
        if node is not None:
            conditions.append("`node` = ?")
            values.append(node)
        if state == "open":
            conditions.append("`open` = 1")
        elif state == "failed":
            conditions.append(f"((`open` = 0 AND `status` IN ({quoted(FAILED)})) OR `undo` IN ('failed', 'left'))")
        sql = select("task", TaskRow, f"{' AND '.join(conditions)} ORDER BY `id` LIMIT ?")
        return self.rows(TaskRow, sql, (*values, limit or MOST))

    def tasks_before(self, process_instance_id: int, last: int, limit: int) -> list[TaskRow]:
        """Up to so many rows of one ledger, backwards from one."""
        return self.rows(TaskRow, SELECT_TASKS_BEFORE, (process_instance_id, last, limit))

    def tasks_of(self, process_instance_id: int, task_ids: Sequence[int]) -> list[TaskRow]:
        """These rows of one ledger, oldest first."""
        found: list[TaskRow] = []
        for part in parts(sorted(task_ids)):
            sql = f"{SELECT_TASKS_OF} ({marks(part)}) ORDER BY `id`"
            found += self.rows(TaskRow, sql, (process_instance_id, *part))
        return found

    def fold(self, process_instance_id: int) -> str | None:
        """What is folded of one ledger."""
        found = self.one(FoldRow, SELECT_FOLD, (process_instance_id,))
        return None if found is None else found.content

    def outputs_of(self, process_instance_ids: Sequence[int]) -> dict[int, list[PutOut]]:
        """What the tasks of several instances, at most 500, have put out, by the ids of these; oldest first."""
        found: dict[int, list[PutOut]] = {}
        among, values = self.among(process_instance_ids)
        for row in self.rows(PutOut, f"{SELECT_OUTPUTS} {among} ORDER BY `id`", values):
            found.setdefault(row.process_instance_id, []).append(row)
        return found

    def outputs_after(self, process_instance_id: int, after: int, limit: int) -> list[PutOut]:
        """The same of one whose ledger is long, a part at a time: beyond a task."""
        sql = f"{SELECT_OUTPUTS} = ? AND `id` > ? ORDER BY `id` LIMIT ?"
        return self.rows(PutOut, sql, (process_instance_id, after, limit))

    def due_tasks(self, now: int, limit: int, owner: str) -> list[tuple[int, int]]:
        """Open tasks that are due and belong to this engine, as (instance, task)."""
        return [(number, task_id) for number, task_id in self.read(SELECT_DUE_TASKS, (owner, now, limit))]

    def missing_stone_tasks(self, codes: Sequence[str]) -> list[TaskRow]:
        """Tasks that wait for a stone with one of these codes to be registered."""
        if not codes:
            return []
        return self.rows(TaskRow, f"{SELECT_MISSING_STONE} ({marks(codes)})", codes)

    def in_hand(self, task_id: int, delivery: int, owner: str) -> InstanceRow | None:
        """The instance of a task that this engine, which is not taken for dead, has in hand in this delivery."""
        return self.one(InstanceRow, SELECT_IN_HAND, (task_id, delivery, owner))

    def is_in_hand_of(self, owners: Sequence[str], process_instance_ids: Sequence[int]) -> bool:
        """Whether one of these has a task of one of these instances in hand, or it waits for room in its quota."""
        sql = (
            f"SELECT 1 FROM `task` WHERE `process_instance_id` IN ({marks(process_instance_ids)}) AND `open` = 1"
            f" AND `due` IS NULL AND (`owner` IN ({marks(owners)}) OR `status` = 'queued') LIMIT 1"
        )
        return self.value(sql, (*process_instance_ids, *owners)) is not None

    def kept_counts(self, numbers: Collection[int]) -> dict[int, int]:
        """How many tasks of each of these instances are kept for ever although what it made was undone."""
        if not numbers:
            return {}
        among, values = self.among([*numbers])
        sql = f"SELECT `process_instance_id`, COUNT(*) FROM `task` WHERE `process_instance_id` {among} AND `undo` = ?"
        found = self.read(f"{sql} GROUP BY `process_instance_id`", (*values, "retained"))
        return {int(number): int(count) for number, count in found}

    # -- tokens and waits

    def tokens(self, process_instance_id: int) -> list[TokenRow]:
        return self.rows(TokenRow, SELECT_TOKENS, (process_instance_id,))

    def waits(self, process_instance_id: int) -> list[WaitRow]:
        return self.rows(WaitRow, SELECT_WAITS, (process_instance_id,))

    def next_due(self) -> int | None:
        """The earliest time at which anything is due, or None."""
        found = [self.value(text) for text in SELECT_NEXT_DUE]
        times = [int(due) for due in found if due is not None]
        return min(times, default=None)

    # -- what was

    def history(self, process_instance_id: int) -> list[HistoryRow]:
        """What was noted of one instance, oldest first."""
        return self.rows(HistoryRow, SELECT_HISTORY, (process_instance_id,))

    def decisions_made(self, process_instance_id: int, *, limit: int, before: int | None) -> list[DecisionMadeRow]:
        """The decisions that one instance has made, newest first, of ids below ``before``."""
        last = (1 << 63) - 1 if before is None else before
        return self.rows(DecisionMadeRow, SELECT_DECISIONS_MADE, (process_instance_id, last, limit))

    def size_of_decisions_made(self, process_instance_id: int) -> int:
        """How much is kept of all of them."""
        sql = "SELECT SUM(`size`) FROM `decision_made` WHERE `process_instance_id` = ?"
        return int(self.value(sql, (process_instance_id,)) or 0)

    def retraces(self, process_instance_id: int) -> list[RetraceRow]:
        """The notes of the way of one instance's tokens, oldest first."""
        rows = self.rows(RetraceRow, SELECT_RETRACES, (process_instance_id,))
        causes = {row.number: row.causes for row in rows if row.causes.startswith("[")}
        for row in rows:
            if not row.causes.startswith("["):
                # Until schema 0039 nothing stood for no causes.
                row.causes = causes[int(row.causes)] if row.causes else "[]"
        return rows

    def start_request(self, idempotency_key: str) -> tuple[str, int] | None:
        """The digest and the instance of an idempotency key that was used before."""
        sql = "SELECT `digest`, `process_instance_id` FROM `start_request` WHERE `idempotency_key` = ?"
        found = self.read(sql, (idempotency_key,))
        return (str(found[0][0]), int(found[0][1])) if found else None


FAILED = tuple(status for status in get_args(TaskStatus) if status.endswith(".failed"))
SELECT_INSTANCE = select("process_instance", InstanceRow, "`process_instance_id` = ?")
SELECT_IN_HAND = select(
    "process_instance",
    InstanceRow,
    "`process_instance_id` = (SELECT `process_instance_id` FROM `task` WHERE `task`.`id` = ? AND `open` = 1"
    " AND `task`.`due` IS NULL AND `handed` + `lost` = ? AND `owner` ="
    " (SELECT `id` FROM `engine_node` WHERE `engine_node`.`id` = ?))",
)
_INSTANCE_WIDTH = len(columns(InstanceRow))
_RECORD_NAMES = ", ".join(
    [f"`process_instance`.`{name}`" for name in columns(InstanceRow)]
    + [f"`content`.`{name}`" for name in columns(ContentRow)]
)
_BOTH_ROWS = (
    "`process_instance` JOIN `content` ON `content`.`process_instance_id` = `process_instance`.`process_instance_id`"
    " WHERE `process_instance`.`process_instance_id`"
)
_RECORDS = f"SELECT {_RECORD_NAMES} FROM {_BOTH_ROWS}"
_OF_CONTENT = frozenset(columns(ContentRow)) - frozenset(columns(InstanceRow))
FLAGGED = "SELECT `process_instance_id` FROM `process_instance` WHERE (`flags` & ?) <> 0 AND `process_instance_id`"
_DOCUMENTED_NAMES = ", ".join(
    f"`content`.`{name}`" if name in _OF_CONTENT else f"`process_instance`.`{name}`" for name in columns(RecordRow)
)
DOCUMENTED = f"SELECT {_DOCUMENTED_NAMES} FROM {_BOTH_ROWS}"
SELECT_RECORD = f"{_RECORDS} = ?"
RECORDS = {True: _RECORDS, False: _RECORDS.replace("`content`.`variables`", "NULL")}
"""By whether variables are read too."""
SELECT_TASK = select("task", TaskRow, "`id` = ?")
SELECT_TASKS = select("task", TaskRow, "`process_instance_id` = ? ORDER BY `id`")
SOME_TASKS = "`process_instance_id` = ? AND `id` > ?"
SELECT_TASKS_BEFORE = select("task", TaskRow, "`process_instance_id` = ? AND `id` <= ? ORDER BY `id` DESC LIMIT ?")
SELECT_TASKS_OF = select("task", TaskRow, "`process_instance_id` = ? AND `id` IN")
SELECT_CHANGED_VARIABLES = select("changed_variable", ChangedVariableRow, "`process_instance_id` = ?")
SELECT_FOLD = select("ledger_fold", FoldRow, "`process_instance_id` = ?")
SELECT_OUTPUTS = select("task", PutOut, "`outputs` IS NOT NULL AND `process_instance_id`")
SELECT_DUE_TASKS = (
    "SELECT `process_instance_id`, `id` FROM `task`"
    " WHERE `owner` = ? AND `due` <= ? AND `open` = 1 ORDER BY `due` LIMIT ?"
)
SELECT_MISSING_STONE = select("task", TaskRow, "`open` = 1 AND `status` = 'stone-missing' AND `stone` IN")
SELECT_HISTORY = select("history", HistoryRow, "`process_instance_id` = ? ORDER BY `number`")
SELECT_TOKENS = select("token", TokenRow, "`process_instance_id` = ? ORDER BY `id`")
SELECT_DECISIONS_MADE = select(
    "decision_made", DecisionMadeRow, "`process_instance_id` = ? AND `id` < ? ORDER BY `id` DESC LIMIT ?"
)
SELECT_RETRACES = select("retrace", RetraceRow, "`process_instance_id` = ? ORDER BY `number`")
SELECT_WAITS = select("wait", WaitRow, "`process_instance_id` = ? ORDER BY `token`, `number`")
IN_PHASES = "'ended' <> `phase`"
"""Of instances that are found by their phase: the condition of that index, said the other way round than elsewhere.

SQLite takes an index with the usual condition for any question that has this one, although smaller ones fit better.
"""
# A process that is paused, suspended, stopping or ended is not reached by its timers.
RUNNING = (
    "EXISTS (SELECT 1 FROM `process_instance` WHERE `process_instance`.`process_instance_id` ="
    " `wait`.`process_instance_id` AND `phase` = 'running')"
)


SELECT_NEXT_DUE = (
    # In order and not MIN(), for which PostgreSQL may put all of them together with their processes first.
    "SELECT `due` FROM `task` WHERE `due` IS NOT NULL AND `status` <> 'stone-missing' ORDER BY `due` LIMIT 1",
    f"SELECT `due` FROM `wait` WHERE `due` IS NOT NULL AND {RUNNING} ORDER BY `due` LIMIT 1",
    "SELECT MIN(`due`) FROM `process_instance` WHERE `due` IS NOT NULL",
    "SELECT MIN(`due`) FROM `quota` WHERE `due` IS NOT NULL",
)
