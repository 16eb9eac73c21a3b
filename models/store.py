"""The store: connections, the one way to write, and every way to read."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from . import changes
from .catalogue import Catalogue
from .changes import Changes
from .cipher import Cipher, opened
from .errors import AlreadyUsed, ConnectionLost, EngineForgotten, RevisionConflict
from .guard import Guard, Kind
from .rows import ContentRow, EventRow, InstanceRow, Look, TaskRow, TokenRow, WaitRow, columns
from .search import InstanceFilter
from .statements import Writer, select

Row = TypeVar("Row")
Result = TypeVar("Result")

ID_BLOCK = 500
MOST_MARKS = 500
"""Values in one statement; more rows are read in several."""
TRIES = 5
"""How often something is done again whose connection broke, or that stood in another's way, before that is told."""


class Store:
    """One database, used from any thread; every method may raise :class:`StoreError`."""

    def __init__(self, url: str, cipher: Cipher | None = None) -> None:
        # Peewee and the drivers that it looks for take half of the time in which everything is imported, so they are
        # imported where a database is opened, not by who merely knows of one.
        from .database import dialect, kind_of, migrate, open_database

        self.cipher = cipher
        self.database = open_database(url)
        self.kind: Kind = kind_of(self.database)
        self._dialect = partial(dialect, self.kind)
        self._memory = getattr(self.database, "database", None) == ":memory:"
        self._ids: Iterator[int] = iter(())
        self._ids_lock = threading.Lock()
        self._dialects: dict[str, str] = {}
        # A database in memory has one connection for all threads, so they take turns.
        self._guard = Guard(self.database, self.kind, shared=self._memory)
        self._writes = {text: self._dialect(text) for text in changes.TEXTS}
        self._engine_id: str | None = None
        self._committed = 0
        with self._guard:
            migrate(self.database)
        self._prepare_sequence()
        self.catalogue = Catalogue(self)

    @property
    def is_private(self) -> bool:
        """Whether nobody but this store can reach the database, since it is in memory."""
        return self._memory

    def close(self) -> None:
        """Close the connections of all threads."""
        self._guard.close()

    def _sql(self, text: str) -> str:
        found = self._dialects.get(text)
        if found is None:
            found = self._dialects[text] = self._dialect(text)
        return found

    # -- reading

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one reading statement (``?`` marks, backquotes)."""
        if self.kind == "sqlite":
            # A file has no connection to lose, and what Peewee does around a question costs more than the answer.
            with self._guard as connection:
                found: list[tuple[Any, ...]] = connection.execute(sql, values).fetchall()
                return found
        return self._asked(lambda: list(self.database.execute_sql(self._sql(sql), values).fetchall()))

    def _asked(self, ask: Callable[[], Result]) -> Result:
        """The answer to a question, asked again if the connection broke, unless that ended a transaction around it."""
        for _ in range(TRIES):
            inside = self.database.in_transaction()
            try:
                with self._guard:
                    return ask()
            except ConnectionLost as error:
                lost = error
                if inside:
                    break
        raise lost

    def rows(self, row: type[Row], sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return [opened(row(*found), self.cipher) for found in self.read(sql, values)]

    def one(self, row: type[Row], sql: str, values: Sequence[Any]) -> Row | None:
        found = self.read(sql, values)
        return opened(row(*found[0]), self.cipher) if found else None

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        found = self.read(sql, values)
        return found[0][0] if found else None

    # -- writing

    def commit(self, changed: Changes) -> None:
        """Write all of it in one durable transaction, or nothing.

        A connection that breaks is made anew, and whether the commit had got through is read before it is tried again.
        Raises :class:`RevisionConflict`, :class:`AlreadyUsed`, :class:`EngineForgotten` or :class:`StoreError`.
        """
        if self.kind == "sqlite":
            with self._guard as connection:
                self._commit_sqlite(connection, changed)
            changed.committed()
            return
        for _ in range(TRIES):
            self._committed += 1
            try:
                with self._guard, self.database.atomic():
                    cursor = self.database.cursor()
                    self._mark(cursor)
                    changed.write(Writer(cursor, self._writes, wide=False, cipher=self.cipher))
                changed.committed()
                return
            except ConnectionLost as error:
                lost = error
                if self._got_through(error):
                    changed.committed()
                    return
        raise lost

    def _commit_sqlite(self, connection: sqlite3.Connection, changed: Changes) -> None:
        """The same with as little around it as can be: a commit is most of what a step costs."""
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            writer = Writer(cursor, self._writes, wide=True, cipher=self.cipher)
            if self._engine_id is not None and writer.finds(changes.FORGOTTEN, self._engine_id):
                raise EngineForgotten(f"engine {self._engine_id} was taken for dead")
            changed.write(writer)
            cursor.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def commit_as(self, engine_id: str) -> None:
        """From now on commit only while this engine is in the store, as whoever took it for dead ends that."""
        self._engine_id = None if self._memory else engine_id

    def _mark(self, cursor: Any) -> None:
        """Number the transaction in the engine's own row, and hold that against whoever would take it over now."""
        if self._engine_id is None:
            return
        cursor.execute(self._sql(MARK), (self._committed, self._engine_id))
        if cursor.rowcount != 1:
            raise EngineForgotten(f"engine {self._engine_id} was taken for dead")

    def _got_through(self, lost: ConnectionLost) -> bool:
        """Whether the last commit is in the store; waits while the server is still at it."""
        if self._engine_id is None:
            raise lost

        def ask() -> bool:
            found = self.database.execute_sql(self._sql(MARKED), (self._engine_id,)).fetchone()
            if found is None:
                raise EngineForgotten(f"engine {self._engine_id} was taken for dead") from lost
            return bool(found[0] == self._committed)

        return self.write(ask)

    def write(self, action: Callable[[], Result]) -> Result:
        """Do something in a transaction of its own that may well happen twice, again if the connection breaks."""
        for _ in range(TRIES):
            try:
                with self._guard, self.database.atomic():
                    return action()
            except (ConnectionLost, RevisionConflict) as error:
                last = error
        raise last

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one writing statement (``?`` marks, backquotes) in a transaction of its own; the number of rows."""
        return self.write(lambda: self.run(sql, values))

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one writing statement within a transaction; the number of rows."""
        return int(self.database.execute_sql(self._sql(sql), values).rowcount)

    def _prepare_sequence(self) -> None:
        if self.value("SELECT `next` FROM `sequence` WHERE `name` = 'id'") is None:
            with suppress(AlreadyUsed):
                self.execute("INSERT INTO `sequence` (`name`, `next`) VALUES ('id', 1)")

    def new_id(self) -> int:
        """The next number of the sequence that process instances and tasks share; gaps are normal."""
        with self._ids_lock:
            number = next(self._ids, None)
            if number is None:
                self._ids = iter(self._take_ids())
                number = next(self._ids)
            return number

    def _take_ids(self) -> range:
        def take() -> range:
            self.run("UPDATE `sequence` SET `next` = `next` + ? WHERE `name` = 'id'", (ID_BLOCK,))
            end = int(self.value("SELECT `next` FROM `sequence` WHERE `name` = 'id'"))
            return range(end - ID_BLOCK, end)

        return self.write(take)

    # -- process instances

    def instance(self, process_instance_id: int) -> InstanceRow | None:
        return self.one(InstanceRow, SELECT_INSTANCE, (process_instance_id,))

    def record(self, process_instance_id: int) -> tuple[InstanceRow, ContentRow] | None:
        """One instance with its content, as both stood at one moment."""
        found = self.read(SELECT_RECORD, (process_instance_id,))
        if not found:
            return None
        row, content = InstanceRow(*found[0][:_INSTANCE_WIDTH]), ContentRow(*found[0][_INSTANCE_WIDTH:])
        return opened(row, self.cipher), opened(content, self.cipher)

    def revision(self, process_instance_id: int) -> int | None:
        """The stored revision, to tell whether a copy in memory is stale."""
        found = self.value(
            "SELECT `revision` FROM `process_instance` WHERE `process_instance_id` = ?", (process_instance_id,)
        )
        return None if found is None else int(found)

    def revisions(self, process_instance_ids: Sequence[int]) -> dict[int, int]:
        """The stored revisions of several instances."""
        marks = ", ".join("?" * len(process_instance_ids))
        sql = "SELECT `process_instance_id`, `revision` FROM `process_instance` WHERE `process_instance_id` IN"
        found = self.read(f"{sql} ({marks})", process_instance_ids)
        return {int(number): int(revision) for number, revision in found}

    def instances(self, wanted: InstanceFilter, *, limit: int, before: int | None) -> list[InstanceRow]:
        """Newest first, those with an id below ``before``."""
        return self.query(InstanceRow, wanted.query(limit=limit, before=before))

    def query(self, row: type[Row], query: Any) -> list[Row]:
        return self._asked(
            lambda: [opened(row(*found), self.cipher) for found in query.tuples().execute(self.database)]
        )

    def active_instances(self) -> list[int]:
        """The ids of all instances that have not ended."""
        found = self.read("SELECT `process_instance_id` FROM `process_instance` WHERE `phase` <> 'ended' ORDER BY 1")
        return [int(number) for (number,) in found]

    def active_count(self, key: str) -> int:
        """How many instances of this key have not ended."""
        return int(self.value("SELECT COUNT(*) FROM `process_instance` WHERE `phase` <> 'ended' AND `key` = ?", (key,)))

    # -- tasks

    def task(self, task_id: int) -> TaskRow | None:
        return self.one(TaskRow, SELECT_TASK, (task_id,))

    def tasks(self, process_instance_id: int) -> list[TaskRow]:
        """The whole ledger of one instance, oldest first."""
        return self.rows(TaskRow, SELECT_TASKS, (process_instance_id,))

    def tasks_with_outputs(self, process_instance_id: int) -> list[TaskRow]:
        """Those rows of the ledger that have put out anything, oldest first."""
        return self.rows(TaskRow, SELECT_TASKS_WITH_OUTPUTS, (process_instance_id,))

    def due_tasks(self, now: int, limit: int, owner: str) -> list[tuple[int, int]]:
        """Open tasks that are due and belong to this engine, as (instance, task)."""
        return [(number, task_id) for number, task_id in self.read(SELECT_DUE_TASKS, (owner, now, limit))]

    def missing_stone_tasks(self, codes: Sequence[str]) -> list[TaskRow]:
        """Tasks that wait for a stone with one of these codes to be registered."""
        if not codes:
            return []
        marks = ", ".join("?" * len(codes))
        return self.rows(TaskRow, f"{SELECT_MISSING_STONE} ({marks})", codes)

    def looks(self, task_ids: Sequence[int], now: int, owner: str) -> list[Look]:
        """The looks that are due at these tasks, as far as they are this engine's."""
        found: list[Look] = []
        for start in range(0, len(task_ids), MOST_MARKS):
            part = task_ids[start : start + MOST_MARKS]
            rows = self.read(f"{SELECT_LOOKS} ({', '.join('?' * len(part))})", (owner, now, *part))
            found += [opened(Look(*row), self.cipher) for row in rows]
        return found

    def look_again(self, task_ids: Sequence[int], due: int, owner: str) -> int:
        """Let monitors of this engine be due again at this time; how many of them there were."""
        marks = ", ".join("?" * len(task_ids))
        return self.execute(f"{UPDATE_LOOKS} ({marks})", (due, owner, *task_ids))

    def looked_at(self, task_ids: Sequence[int], due: int, owner: str) -> set[int]:
        """Those of these monitors that are this engine's and due again at this time."""
        marks = ", ".join("?" * len(task_ids))
        return {number for (number,) in self.read(f"{SELECT_LOOKED_AT} ({marks})", (due, owner, *task_ids))}

    # -- tokens and waits

    def tokens(self, process_instance_id: int) -> list[TokenRow]:
        return self.rows(TokenRow, SELECT_TOKENS, (process_instance_id,))

    def waits(self, process_instance_id: int) -> list[WaitRow]:
        return self.rows(WaitRow, SELECT_WAITS, (process_instance_id,))

    def waits_for(self, kind: str, name: str) -> list[WaitRow]:
        """Who waits for this message or signal, the longest waiting first."""
        return self.rows(WaitRow, SELECT_WAITS_FOR, (kind, name))

    def next_due(self) -> int | None:
        """The earliest time at which anything is due, or None."""
        found = [self.value(text) for text in SELECT_NEXT_DUE]
        times = [int(due) for due in found if due is not None]
        return min(times, default=None)

    # -- events owed

    def events(self, limit: int) -> list[EventRow]:
        return self.rows(EventRow, SELECT_EVENTS, (limit,))

    # -- start requests

    def start_request(self, idempotency_key: str) -> tuple[str, int] | None:
        """The digest and the instance of an idempotency key that was used before."""
        sql = "SELECT `digest`, `process_instance_id` FROM `start_request` WHERE `idempotency_key` = ?"
        found = self.read(sql, (idempotency_key,))
        return (str(found[0][0]), int(found[0][1])) if found else None


SELECT_INSTANCE = select("process_instance", InstanceRow, "`process_instance_id` = ?")
_INSTANCE_WIDTH = len(columns(InstanceRow))
_RECORD_NAMES = ", ".join(
    [f"`process_instance`.`{name}`" for name in columns(InstanceRow)]
    + [f"`content`.`{name}`" for name in columns(ContentRow)]
)
SELECT_RECORD = (
    f"SELECT {_RECORD_NAMES} FROM `process_instance` JOIN `content`"
    " ON `content`.`process_instance_id` = `process_instance`.`process_instance_id`"
    " WHERE `process_instance`.`process_instance_id` = ?"
)
SELECT_TASK = select("task", TaskRow, "`id` = ?")
SELECT_TASKS = select("task", TaskRow, "`process_instance_id` = ? ORDER BY `id`")
SELECT_TASKS_WITH_OUTPUTS = select("task", TaskRow, "`process_instance_id` = ? AND `outputs` IS NOT NULL ORDER BY `id`")
SELECT_DUE_TASKS = (
    "SELECT `process_instance_id`, `id` FROM `task`"
    " WHERE `owner` = ? AND `due` <= ? AND `open` = 1 ORDER BY `due` LIMIT ?"
)
SELECT_MISSING_STONE = select("task", TaskRow, "`open` = 1 AND `status` = 'stone-missing' AND `stone` IN")
MARK = "UPDATE `engine_node` SET `committed` = ? WHERE `id` = ?"
MARKED = "SELECT `committed` FROM `engine_node` WHERE `id` = ? FOR UPDATE"
_LOOK_NAMES = ", ".join(
    [f"`task`.`{name}`" for name in columns(Look)[:-3]]
    + [f"`process_instance`.`{name}`" for name in ("id", "phase", "trace")]
)
_MONITORS = "`owner` = ? AND `open` = 1 AND `event` = 'monitor'"
SELECT_LOOKS = (
    f"SELECT {_LOOK_NAMES} FROM `task` JOIN `process_instance`"
    " ON `process_instance`.`process_instance_id` = `task`.`process_instance_id`"
    " WHERE `owner` = ? AND `open` = 1 AND `task`.`status` = 'monitor.begin' AND `task`.`due` <= ?"
    " AND `task`.`id` IN"
)
UPDATE_LOOKS = f"UPDATE `task` SET `due` = ? WHERE {_MONITORS} AND `id` IN"
SELECT_LOOKED_AT = f"SELECT `id` FROM `task` WHERE `due` = ? AND {_MONITORS} AND `id` IN"
SELECT_TOKENS = select("token", TokenRow, "`process_instance_id` = ? ORDER BY `id`")
SELECT_WAITS = select("wait", WaitRow, "`process_instance_id` = ? ORDER BY `token`, `number`")
# A process that is paused, stopping or ended is not reached by its timers.
RUNNING = (
    "EXISTS (SELECT 1 FROM `process_instance` WHERE `process_instance`.`process_instance_id` ="
    " `wait`.`process_instance_id` AND `phase` = 'running')"
)
SELECT_WAITS_FOR = select("wait", WaitRow, "`kind` = ? AND `name` = ? ORDER BY `process_instance_id`, `token`")
SELECT_EVENTS = select("event", EventRow, "1 = 1 ORDER BY `created`, `id` LIMIT ?")
SELECT_NEXT_DUE = (
    "SELECT MIN(`due`) FROM `task` WHERE `due` IS NOT NULL",
    f"SELECT MIN(`due`) FROM `wait` WHERE `due` IS NOT NULL AND {RUNNING}",
    "SELECT MIN(`due`) FROM `process_instance` WHERE `due` IS NOT NULL",
)
