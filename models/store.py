"""The store: connections, the one way to write, and every way to read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import peewee

from . import changes
from .changes import Changes
from .database import dialect, migrate, open_database
from .errors import AlreadyUsed, StoreError
from .rows import ContentRow, DeploymentRow, EventRow, InstanceRow, ModelRow, TaskRow, TokenRow, WaitRow, columns
from .statements import Writer
from .tables import Deployment, ProcessInstance, ProcessModel

Row = TypeVar("Row")

ID_BLOCK = 500


def _select(table: str, row: type[Any], condition: str) -> str:
    names = ", ".join(f"`{name}`" for name in columns(row))
    return f"SELECT {names} FROM `{table}` WHERE {condition}"


class Store:
    """One database, used from any thread; every method may raise :class:`StoreError`."""

    def __init__(self, url: str) -> None:
        self.database = open_database(url)
        self._memory = getattr(self.database, "database", None) == ":memory:"
        # A database in memory has one connection for all threads, so reads take turns with the writer.
        self._lock = threading.RLock()
        self._ids: Iterator[int] = iter(())
        self._ids_lock = threading.Lock()
        self._dialects: dict[str, str] = {}
        self._guard = _Guard(self._lock if self._memory else None, self._driver_errors(), self._leave_what_is_lost)
        self._writes = {each.text: dialect(self.database, each.text) for each in changes.STATEMENTS}
        with self._guarded():
            self.database.connect(reuse_if_open=True)
            migrate(self.database)
            self._prepare_sequence()

    def close(self) -> None:
        """Close this thread's connection; other threads' close when they end."""
        with self._lock:
            if not self.database.is_closed():
                self.database.close()

    def _guarded(self) -> _Guard:
        return self._guard

    def _leave_what_is_lost(self) -> None:
        """Let this thread connect anew if its connection is gone, as after a restart of the server."""
        database: Any = self.database
        if isinstance(database, peewee.SqliteDatabase) or database.in_transaction():
            return
        try:
            database.execute_sql("SELECT 1")
        except Exception:
            database._state.reset()

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        module = type(self.database)
        import sqlite3

        errors: list[type[Exception]] = [sqlite3.Error]
        if issubclass(module, peewee.PostgresqlDatabase):
            import psycopg

            errors.append(psycopg.Error)
        elif issubclass(module, peewee.MySQLDatabase):
            import pymysql

            errors.append(pymysql.Error)
        return tuple(errors)

    def _sql(self, text: str) -> str:
        found = self._dialects.get(text)
        if found is None:
            found = self._dialects[text] = dialect(self.database, text)
        return found

    def _rows(self, row: type[Row], sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with self._guarded():
            return [row(*found) for found in self.database.execute_sql(self._sql(sql), values).fetchall()]

    def _one(self, row: type[Row], sql: str, values: Sequence[Any]) -> Row | None:
        with self._guarded():
            found = self.database.execute_sql(self._sql(sql), values).fetchone()
        return None if found is None else row(*found)

    # -- writing

    def commit(self, changed: Changes) -> None:
        """Write all of it in one durable transaction, or nothing.

        Raises :class:`RevisionConflict`, :class:`AlreadyUsed` or :class:`StoreError`.
        """
        with self._guarded():
            if isinstance(self.database, peewee.SqliteDatabase):
                self._commit_sqlite(changed)
                return
            with self.database.atomic():
                changed.write(Writer(self.database.cursor(), self._writes, wide=False))

    def _commit_sqlite(self, changed: Changes) -> None:
        """The same with as little around it as can be: a commit is most of what a step costs."""
        connection = self.database.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            changed.write(Writer(connection.cursor(), self._writes, wide=True))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one writing statement (``?`` marks, backquotes) in a transaction of its own; the number of rows."""
        with self._guarded(), self.database.atomic():
            return int(self.database.execute_sql(self._sql(sql), values).rowcount)

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one reading statement (``?`` marks, backquotes)."""
        with self._guarded():
            return list(self.database.execute_sql(self._sql(sql), values).fetchall())

    def _prepare_sequence(self) -> None:
        with self.database.atomic():
            found = self.database.execute_sql(self._sql("SELECT `next` FROM `sequence` WHERE `name` = 'id'")).fetchone()
            if found is None:
                self.database.execute_sql(self._sql("INSERT INTO `sequence` (`name`, `next`) VALUES ('id', 1)"))

    def new_id(self) -> int:
        """The next number of the sequence that process instances and tasks share; gaps are normal."""
        with self._ids_lock:
            number = next(self._ids, None)
            if number is None:
                self._ids = iter(self._take_ids())
                number = next(self._ids)
            return number

    def _take_ids(self) -> range:
        with self._guarded(), self.database.atomic():
            self.database.execute_sql(
                self._sql("UPDATE `sequence` SET `next` = `next` + ? WHERE `name` = 'id'"), (ID_BLOCK,)
            )
            (end,) = self.database.execute_sql(
                self._sql("SELECT `next` FROM `sequence` WHERE `name` = 'id'")
            ).fetchone()
        return range(end - ID_BLOCK, end)

    # -- process instances

    def instance(self, process_instance_id: int) -> InstanceRow | None:
        return self._one(InstanceRow, SELECT_INSTANCE, (process_instance_id,))

    def content(self, process_instance_id: int) -> ContentRow | None:
        return self._one(ContentRow, SELECT_CONTENT, (process_instance_id,))

    def revision(self, process_instance_id: int) -> int | None:
        """The stored revision, to tell whether a copy in memory is stale."""
        with self._guarded():
            sql = self._sql("SELECT `revision` FROM `process_instance` WHERE `process_instance_id` = ?")
            found = self.database.execute_sql(sql, (process_instance_id,)).fetchone()
        return None if found is None else int(found[0])

    def instances(
        self,
        *,
        limit: int,
        before: int | None,
        status: str | None,
        key: str | None,
        name: str | None,
        owner: str | None = None,
    ) -> list[InstanceRow]:
        """Newest first, those with an id below ``before``."""
        query = ProcessInstance.select(*(getattr(ProcessInstance, column) for column in columns(InstanceRow)))
        if before is not None:
            query = query.where(ProcessInstance.process_instance_id < before)
        for column, value in (
            (ProcessInstance.status, status),
            (ProcessInstance.key, key),
            (ProcessInstance.name, name),
            (ProcessInstance.owner_name, owner),
        ):
            if value is not None:
                query = query.where(column == value)
        query = query.order_by(ProcessInstance.process_instance_id.desc()).limit(limit)
        return self._query(InstanceRow, query)

    def _query(self, row: type[Row], query: Any) -> list[Row]:
        with self._guarded():
            return [row(*found) for found in query.tuples().execute(self.database)]

    def active_instances(self) -> list[int]:
        """The ids of all instances that have not ended."""
        with self._guarded():
            sql = self._sql("SELECT `process_instance_id` FROM `process_instance` WHERE `phase` <> 'ended' ORDER BY 1")
            return [int(number) for (number,) in self.database.execute_sql(sql).fetchall()]

    def active_count(self, key: str) -> int:
        """How many instances of this key have not ended."""
        with self._guarded():
            sql = self._sql("SELECT COUNT(*) FROM `process_instance` WHERE `phase` <> 'ended' AND `key` = ?")
            return int(self.database.execute_sql(sql, (key,)).fetchone()[0])

    def due_instances(self, now: int, limit: int) -> list[int]:
        with self._guarded():
            sql = self._sql(
                "SELECT `process_instance_id` FROM `process_instance` WHERE `due` <= ? ORDER BY `due` LIMIT ?"
            )
            return [int(number) for (number,) in self.database.execute_sql(sql, (now, limit)).fetchall()]

    # -- tasks

    def task(self, task_id: int) -> TaskRow | None:
        return self._one(TaskRow, SELECT_TASK, (task_id,))

    def tasks(self, process_instance_id: int) -> list[TaskRow]:
        """The whole ledger of one instance, oldest first."""
        return self._rows(TaskRow, SELECT_TASKS, (process_instance_id,))

    def due_tasks(self, now: int, limit: int, owner: str) -> list[TaskRow]:
        """Open tasks that are due and belong to this engine or to none."""
        return self._rows(TaskRow, SELECT_DUE_TASKS, (now, owner, limit))

    def missing_stone_tasks(self, codes: Sequence[str]) -> list[TaskRow]:
        """Tasks that wait for a stone with one of these codes to be registered."""
        if not codes:
            return []
        marks = ", ".join("?" * len(codes))
        return self._rows(TaskRow, f"{SELECT_MISSING_STONE} ({marks})", codes)

    # -- tokens and waits

    def tokens(self, process_instance_id: int) -> list[TokenRow]:
        return self._rows(TokenRow, SELECT_TOKENS, (process_instance_id,))

    def waits(self, process_instance_id: int) -> list[WaitRow]:
        return self._rows(WaitRow, SELECT_WAITS, (process_instance_id,))

    def due_waits(self, now: int, limit: int) -> list[WaitRow]:
        return self._rows(WaitRow, SELECT_DUE_WAITS, (now, limit))

    def waits_for(self, kind: str, name: str) -> list[WaitRow]:
        """Who waits for this message or signal, the longest waiting first."""
        return self._rows(WaitRow, SELECT_WAITS_FOR, (kind, name))

    def next_due(self) -> int | None:
        """The earliest time at which anything is due, or None."""
        with self._guarded():
            found = [self.database.execute_sql(self._sql(text)).fetchone()[0] for text in SELECT_NEXT_DUE]
        times = [int(due) for due in found if due is not None]
        return min(times, default=None)

    # -- events owed

    def events(self, limit: int) -> list[EventRow]:
        return self._rows(EventRow, SELECT_EVENTS, (limit,))

    # -- models and deployments

    def model(self, model_id: str) -> ModelRow | None:
        return self._one(ModelRow, SELECT_MODEL, (model_id,))

    def model_of_key(self, key: str) -> ModelRow | None:
        """The model that was last edited under this key."""
        return self._one(ModelRow, SELECT_MODEL_OF_KEY, (key,))

    def save_model(self, row: ModelRow) -> None:
        """Insert or replace."""
        values = {column: getattr(row, column) for column in columns(ModelRow)}
        with self._guarded(), self.database.atomic():
            changed = ProcessModel.update(values).where(ProcessModel.id == row.id).execute(self.database)
            if not changed:
                ProcessModel.insert(values).execute(self.database)

    def models(self, *, limit: int, cursor: tuple[int, str] | None, key: str | None) -> list[ModelRow]:
        """Newest first, after the model at ``cursor``: (created, id)."""
        query = ProcessModel.select(*(getattr(ProcessModel, column) for column in columns(ModelRow)))
        if key is not None:
            query = query.where(ProcessModel.key == key)
        return self._query(ModelRow, _newest_first(query, ProcessModel, cursor, limit))

    def deployment(self, deployment_id: str) -> DeploymentRow | None:
        return self._one(DeploymentRow, SELECT_DEPLOYMENT, (deployment_id,))

    def newest_deployment(self, key: str) -> DeploymentRow | None:
        """The highest numbered version of a key."""
        return self._one(DeploymentRow, SELECT_NEWEST_DEPLOYMENT, (key,))

    def deployment_of_digest(self, key: str, digest: str, *, numbered: bool) -> DeploymentRow | None:
        """The version (or, not ``numbered``, the trial snapshot) of a key with exactly this content."""
        return self._one(DeploymentRow, SELECT_SAME_VERSION if numbered else SELECT_SAME_SNAPSHOT, (key, digest))

    def add_deployment(self, row: DeploymentRow, triggers: Sequence[tuple[str, str, str]]) -> None:
        """Add a version; ``triggers`` (kind, name, node) replace those of its key's version before.

        Raises :class:`AlreadyUsed` if the key has this version or a higher one by now.
        """
        values = {column: getattr(row, column) for column in columns(DeploymentRow)}
        with self._guarded(), self.database.atomic():
            # Whoever numbers holds this row, so no two engines give one number to different content.
            self.database.execute_sql(self._sql(LOCK_SEQUENCE))
            newest = self.newest_deployment(row.key) if row.version else None
            if newest is not None and newest.version >= row.version:
                raise AlreadyUsed(f"version {newest.version} of {row.key!r} is there already")
            Deployment.insert(values).execute(self.database)
            if row.version:
                self.database.execute_sql(self._sql("DELETE FROM `start_trigger` WHERE `key` = ?"), (row.key,))
            for kind, name, node in triggers:
                self.database.execute_sql(self._sql(INSERT_TRIGGER), (row.key, kind, name, node, row.id))

    def start_triggers(self, kind: str, name: str) -> list[tuple[str, str, str]]:
        """What this message or signal starts: key, deployment id, id of the start node."""
        with self._guarded():
            sql = self._sql(
                "SELECT `key`, `deployment_id`, `node` FROM `start_trigger` WHERE `kind` = ? AND `name` = ?"
            )
            return [(str(k), str(d), str(n)) for k, d, n in self.database.execute_sql(sql, (kind, name)).fetchall()]

    def deployments(
        self, *, limit: int, cursor: tuple[int, str] | None, key: str | None, model_id: str | None
    ) -> list[DeploymentRow]:
        """Numbered versions, newest first, after the one at ``cursor``: (created, id)."""
        query = Deployment.select(*(getattr(Deployment, column) for column in columns(DeploymentRow)))
        query = query.where(Deployment.version > 0)
        if key is not None:
            query = query.where(Deployment.key == key)
        if model_id is not None:
            query = query.where(Deployment.model_id == model_id)
        return self._query(DeploymentRow, _newest_first(query, Deployment, cursor, limit))

    # -- start requests

    def start_request(self, idempotency_key: str) -> tuple[str, int] | None:
        """The digest and the instance of an idempotency key that was used before."""
        with self._guarded():
            sql = self._sql("SELECT `digest`, `process_instance_id` FROM `start_request` WHERE `idempotency_key` = ?")
            found = self.database.execute_sql(sql, (idempotency_key,)).fetchone()
        return None if found is None else (str(found[0]), int(found[1]))

    # -- engines

    def add_engine(self, engine_id: str, host: str, pid: int, pid_started: str, now: int) -> None:
        self.execute(
            "INSERT INTO `engine_node` (`id`, `host`, `pid`, `pid_started`, `seen`) VALUES (?, ?, ?, ?, ?)",
            (engine_id, host, pid, pid_started, now),
        )

    def engines(self) -> list[tuple[str, str, int, str, int]]:
        """Every engine known to the store: id, host, pid, when that process started, when it was last seen."""
        with self._guarded():
            sql = self._sql("SELECT `id`, `host`, `pid`, `pid_started`, `seen` FROM `engine_node`")
            return [tuple(row) for row in self.database.execute_sql(sql).fetchall()]

    def engine_seen(self, engine_id: str, now: int) -> None:
        self.execute("UPDATE `engine_node` SET `seen` = ? WHERE `id` = ?", (now, engine_id))

    def release_tasks(self, engine_ids: Iterable[str], now: int) -> int:
        """Let anyone take over the open tasks of these engines, and forget the engines; how many tasks there were."""
        released = 0
        for engine_id in engine_ids:
            with self._guarded(), self.database.atomic():
                sql = self._sql(RELEASE_TASKS)
                released += int(self.database.execute_sql(sql, (now, engine_id)).rowcount)
                self.database.execute_sql(self._sql("DELETE FROM `engine_node` WHERE `id` = ?"), (engine_id,))
        return released


class _Guard:
    """Takes the turn where there is one connection for all, and turns what a driver raises into the store's errors."""

    def __init__(
        self, lock: threading.RLock | None, drivers: tuple[type[Exception], ...], failed: Callable[[], None]
    ) -> None:
        self.lock = lock
        self.drivers = drivers
        self.failed = failed

    def __enter__(self) -> None:
        if self.lock is not None:
            self.lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.lock is not None:
            self.lock.release()
        if error is None or not isinstance(error, (peewee.PeeweeException, *self.drivers)):
            return
        # Drivers name it alike, and some have more particular errors below it.
        taken = any(each.__name__ == "IntegrityError" for each in type(error).__mro__)
        if not taken:
            self.failed()
        raise (AlreadyUsed if taken else StoreError)(str(error)) from error


def _newest_first(query: Any, table: Any, cursor: tuple[int, str] | None, limit: int) -> Any:
    if cursor is not None:
        created, number = cursor
        query = query.where((table.created < created) | ((table.created == created) & (table.id < number)))
    return query.order_by(table.created.desc(), table.id.desc()).limit(limit)


SELECT_INSTANCE = _select("process_instance", InstanceRow, "`process_instance_id` = ?")
SELECT_CONTENT = _select("content", ContentRow, "`process_instance_id` = ?")
SELECT_TASK = _select("task", TaskRow, "`id` = ?")
SELECT_TASKS = _select("task", TaskRow, "`process_instance_id` = ? ORDER BY `id`")
SELECT_DUE_TASKS = _select(
    "task", TaskRow, "`due` <= ? AND `open` = 1 AND (`owner` = ? OR `owner` IS NULL) ORDER BY `due` LIMIT ?"
)
SELECT_MISSING_STONE = _select("task", TaskRow, "`open` = 1 AND `status` = 'stone-missing' AND `stone` IN")
RELEASE_TASKS = (
    "UPDATE `task` SET `owner` = NULL, `due` = CASE WHEN `due` IS NULL THEN ? ELSE `due` END"
    " WHERE `owner` = ? AND `open` = 1 AND `stone` IS NOT NULL"
)
LOCK_SEQUENCE = "UPDATE `sequence` SET `next` = `next` WHERE `name` = 'id'"
INSERT_TRIGGER = "INSERT INTO `start_trigger` (`key`, `kind`, `name`, `node`, `deployment_id`) VALUES (?, ?, ?, ?, ?)"
SELECT_TOKENS = _select("token", TokenRow, "`process_instance_id` = ? ORDER BY `id`")
SELECT_WAITS = _select("wait", WaitRow, "`process_instance_id` = ? ORDER BY `token`, `number`")
# A process that is paused, stopping or ended is not reached by its timers.
_RUNNING = (
    "EXISTS (SELECT 1 FROM `process_instance` WHERE `process_instance`.`process_instance_id` ="
    " `wait`.`process_instance_id` AND `phase` = 'running')"
)
SELECT_DUE_WAITS = _select("wait", WaitRow, f"`wait`.`due` <= ? AND {_RUNNING} ORDER BY `wait`.`due` LIMIT ?")
SELECT_WAITS_FOR = _select("wait", WaitRow, "`kind` = ? AND `name` = ? ORDER BY `process_instance_id`, `token`")
SELECT_EVENTS = _select("event", EventRow, "1 = 1 ORDER BY `created`, `id` LIMIT ?")
SELECT_MODEL = _select("process_model", ModelRow, "`id` = ?")
SELECT_MODEL_OF_KEY = _select("process_model", ModelRow, "`key` = ? ORDER BY `updated` DESC LIMIT 1")
SELECT_DEPLOYMENT = _select("deployment", DeploymentRow, "`id` = ?")
SELECT_NEWEST_DEPLOYMENT = _select(
    "deployment", DeploymentRow, "`key` = ? AND `version` > 0 ORDER BY `version` DESC LIMIT 1"
)
SELECT_SAME_VERSION = _select(
    "deployment", DeploymentRow, "`key` = ? AND `digest` = ? AND `version` > 0 ORDER BY `version` DESC LIMIT 1"
)
SELECT_SAME_SNAPSHOT = _select("deployment", DeploymentRow, "`key` = ? AND `digest` = ? AND `version` = 0 LIMIT 1")
SELECT_NEXT_DUE = (
    "SELECT MIN(`due`) FROM `task` WHERE `due` IS NOT NULL",
    f"SELECT MIN(`due`) FROM `wait` WHERE `due` IS NOT NULL AND {_RUNNING}",
    "SELECT MIN(`due`) FROM `process_instance` WHERE `due` IS NOT NULL",
)
