"""One database: how it is opened, read, and written, whatever breaks meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, TypeVar

from ..databases.cipher import Cipher, opened
from ..databases.file_guard import FileGuard
from ..databases.guard import Guard, Kind, path_of
from ..databases.news import TELL, NewsListener
from ..databases.pool import CONNECTIONS
from ..databases.pooled import PooledGuard
from ..databases.statements import Statement, marks
from ..databases.write_lock import is_busy, when_free
from ..errors import ConnectionLost, EngineForgotten, InDoubt, NoAnswer, RevisionConflict, StoreError
from ..row_types.engines import EngineRow
from . import changes
from .changes import Changes
from .one_statement import OUTDATED, SELECT_STANDING, OneStatement, Standing
from .standing import SqliteWriter, StandingWriter

Row = TypeVar("Row")
Result = TypeVar("Result")

ONLY_INDEXES = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("bitmapscan", "seqscan", "sort", "hashjoin", "mergejoin")
)
"""Until the end of the transaction."""
TRIES = 5
"""How often something is done again whose connection broke, or that stood in another's way, before that is told."""


class Connection:
    """What every question and every change goes through, from any thread; each method may raise :class:`StoreError`."""

    def __init__(
        self,
        url: str,
        cipher: Cipher | None = None,
        connections: int = CONNECTIONS,
        is_alive: Callable[[EngineRow], bool] | None = None,
    ) -> None:
        """``connections`` are the most that are open to a server at the same time.

        ``is_alive`` tells of an engine whether it is at work, beside which an older schema is not changed.
        """
        # Peewee and the drivers that it looks for take half of the time in which everything is imported, so they are
        # imported where a database is opened, not by who merely knows of one.
        from ..databases.database import dialect, kind_of, migrate, open_database

        self.cipher = cipher
        self._database = open_database(url)
        self.kind: Kind = kind_of(self._database)
        self._dialect = partial(dialect, self.kind)
        self._memory = getattr(self._database, "database", None) == ":memory:"
        self._dialects: dict[str, str] = {}
        self._guard: Guard
        if self.kind in ("postgresql", "mysql"):
            self._guard = PooledGuard(self._database, self.kind, connections)
        elif path_of(self._database, self.kind, self._memory) is not None:
            self._guard = FileGuard(self._database)
        else:
            # A database in memory has one connection for all threads, so they take turns.
            self._guard = Guard(self._database, self.kind, shared=self._memory)
        self._writes = {text: self._dialect(text) for text in changes.TEXTS}
        self._engine_id: str | None = None
        self._committed = 0
        self._is_in_doubt = False
        """Whether nobody knows what came of the last commit."""
        self._standing: Standing | None = None
        """What was so when it was last asked for; None where it is to be asked for before the next commit."""
        self._sent = False
        """Whether a commit that breaks off may be in the store."""
        self._is_plain = True
        """Whether the last commit to SQLite found nothing suspended, and nobody who is to be told."""
        if self.kind == "sqlite":
            try:
                with self._guard:
                    migrate(self._database, is_alive)
            except BaseException:
                # Nobody gets this object, who could close what was opened.
                self._guard.close()
                raise
            return
        patient = open_database(url, patient=True)
        try:
            with Guard(patient, self.kind, shared=False) as _:
                migrate(patient, is_alive)
        finally:
            patient.close()

    @property
    def is_private(self) -> bool:
        """Whether nobody but this store can reach the database, since it is in memory."""
        return self._memory

    def is_away(self) -> bool:
        """Whether the last who asked the server found that it does not answer."""
        return self._guard.is_away()

    def ahead(self) -> AbstractContextManager[None]:
        """A context in which this thread is ahead of others that wait for a connection: all of them wait for it."""
        return self._guard.ahead()

    def close(self) -> None:
        """Close the connections of all threads."""
        self._guard.close()

    def listen(self, heard: Callable[[str], None]) -> NewsListener | None:
        """Have this called in a thread of its own with what other engines tell at once; None where they cannot."""
        if self.kind != "postgresql":
            return None
        database: Any = self._database
        assert isinstance(self._guard, PooledGuard)
        self._guard.take_place()
        return NewsListener(database._connect, self._guard.drivers, heard)

    def tell(self, news: Iterable[str]) -> None:
        """Tell other engines at once, or with the end of the transaction; only where they can be heard."""
        for text in news:
            self.read(TELL, (text,))

    def leave_to_parent(self, why: str) -> None:
        """In a forked child: every question and every change is refused from now on, with this reason."""
        self._guard.leave_to_parent(why)

    def _sql(self, text: str) -> str:
        found = self._dialects.get(text)
        if found is None:
            found = self._dialects[text] = self._dialect(text)
        return found

    # -- reading

    def among(self, numbers: Sequence[int]) -> tuple[str, list[Any]]:
        """What stands behind a column that has to be one of these whole numbers, with the values of its marks.

        PostgreSQL's has one mark for all of them: one text, that is prepared once and that its driver need not read.
        """
        if self.kind == "postgresql":
            return "= ANY(CAST(? AS BIGINT[]))", [f"{{{','.join(map(str, numbers))}}}"]
        return f"IN ({marks(numbers)})", [*numbers]

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one reading statement (``?`` marks, backquotes)."""
        if self.kind == "sqlite":
            # A file has no connection to lose, and what Peewee does around a question costs more than the answer.
            with self._guard as connection:
                try:
                    found: list[tuple[Any, ...]] = connection.execute(sql, values).fetchall()
                except sqlite3.OperationalError as error:
                    # Hardly ever: its log is made good after a crash, or put away.
                    if not is_busy(error):
                        raise
                    found = when_free(lambda: connection.execute(sql, values).fetchall())
                return found
        for _ in range(TRIES):
            inside = self._database.in_transaction()
            try:
                with self._guard:
                    return list(self._database.execute_sql(self._sql(sql), values).fetchall())
            except ConnectionLost as error:
                lost = error
                if inside or isinstance(error, NoAnswer):
                    # What was written before the question is gone with the connection.
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

    def by_index(self, action: Callable[[], Result]) -> Result:
        """Ask what the bounds of its questions make cheap by the order of an index, whatever the database expects.

        Where PostgreSQL does not know how many rows there are, it sorts a whole table for the first of them.
        """
        if self.kind != "postgresql":
            return action()

        def inside() -> Result:
            self._database.execute_sql(ONLY_INDEXES)
            return action()

        return self.write(inside)

    # -- writing

    def commit(self, changed: Changes) -> None:
        """Write all of it in one durable transaction, or nothing.

        A connection that breaks is made anew, and whether the commit had got through is read before it is tried again.
        Raises :class:`RevisionConflict`, :class:`AlreadyUsed`, :class:`EngineForgotten`, :class:`InDoubt` or
        :class:`StoreError`.
        """
        if self.kind == "sqlite":
            with self._guard as connection:
                self._commit_sqlite(connection, changed)
            changed.committed()
            return
        self.settle()
        for _ in range(TRIES):
            self._committed += 1
            self._sent = False
            try:
                if self._engine_id is None or self.kind != "postgresql" or changed.needs_order:
                    self._commit_in_order(changed)
                elif not self._commit_at_once(changed, self._engine_id):
                    last: StoreError = RevisionConflict(OUTDATED)
                    continue
                changed.committed()
                return
            except ConnectionLost as error:
                last = error
                if self._sent and self._got_through(error):
                    changed.committed()
                    return
                if isinstance(error, NoAnswer):
                    break
        raise last

    def _commit_in_order(self, changed: Changes) -> None:
        """Statement by statement, in a transaction."""
        with self._guard, self._database.atomic():
            cursor = self._database.cursor()
            self._mark(cursor)
            changed.write(StandingWriter(cursor, self._writes, wide=False, cipher=self.cipher))
            self.tell(changed.news)
            if changes.on_written is not None:
                changes.on_written()
            self._sent = True

    def _commit_at_once(self, changed: Changes, engine_id: str) -> bool:
        """In one statement; false where what this engine knows of the store was out of date, and is known now."""
        with self._guard as connection:
            standing = self._standing
            if standing is None or changed.suspended not in (None, standing.suspended):
                standing = self._standing = self._ask_standing(engine_id)
            statement = OneStatement(standing, self.read, self.cipher)
            changed.write(statement)
            text, values = statement.made((self._committed, engine_id, standing.epoch), changed.news)
            try:
                if changes.on_written is None:
                    self._sent = True
                    _run_numbered(connection, text, values)
                else:
                    with self._database.atomic():
                        _run_numbered(connection, text, values)
                        changes.on_written()
                        self._sent = True
            except self._guard.drivers as error:
                conflict = statement.conflict(error)
                if conflict is None:
                    raise
                if conflict == OUTDATED:
                    self._standing = self._ask_standing(engine_id)
                    return False
                raise RevisionConflict(conflict) from error
        return True

    def _ask_standing(self, engine_id: str) -> Standing:
        found = self.read(SELECT_STANDING, (engine_id,))
        if not found:
            raise EngineForgotten(f"engine {engine_id} was taken for dead")
        suspended = frozenset((kind, name) for _, _, kind, name in found if kind is not None)
        return Standing(int(found[0][0]), suspended, bool(found[0][1]))

    def settle(self) -> None:
        """Ask what came of a commit that was not answered, and wait while the server is still at it.

        Whoever does something after that finds it in the store, or finds that it never comes. Raises StoreError.
        """
        if self._is_in_doubt:
            # Where others took this engine for dead meanwhile, the next commit tells.
            with suppress(EngineForgotten):
                self._is_committed()
            self._is_in_doubt = False

    def _commit_sqlite(self, connection: sqlite3.Connection, changed: Changes) -> None:
        """The same with as little around it as can be: a commit is most of what a step costs."""
        cursor = connection.cursor()
        self._guard.begin(cursor)
        try:
            if self._engine_id is None:
                changed.write(StandingWriter(cursor, self._writes, wide=True, cipher=self.cipher))
            else:
                writer = SqliteWriter(cursor, self._writes, self._engine_id, self.cipher, is_plain=self._is_plain)
                changed.write(writer)
                self._is_plain = not writer.found()
            if changes.on_written is not None:
                changes.on_written()
            cursor.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def commit_as(self, engine_id: str) -> None:
        """From now on commit only while this engine is in the store, as whoever took it for dead ends that."""
        self._engine_id = None if self._memory else engine_id
        self._standing = None

    def _mark(self, cursor: Any) -> None:
        """Number the transaction in the engine's own row, and hold that against whoever would take it over now."""
        if self._engine_id is None:
            return
        cursor.execute(self._sql(MARK), (self._committed, self._engine_id))
        if cursor.rowcount != 1:
            raise EngineForgotten(f"engine {self._engine_id} was taken for dead")

    def _got_through(self, lost: ConnectionLost) -> bool:
        """Whether the last commit is in the store; raises InDoubt where nobody can tell."""
        try:
            if self._engine_id is None:
                raise lost
            return self._is_committed()
        except StoreError as error:
            self._is_in_doubt = self._engine_id is not None
            raise InDoubt(str(lost)) from error

    def _is_committed(self) -> bool:
        """Whether the last commit is in the store; waits while the server is still at it.

        If it is on its way in one statement, it comes to nothing from now on.
        """
        self._standing = None

        def ask() -> bool:
            self.run(f"{RAISE_EPOCH} WHERE `id` = ?", (self._engine_id,))
            found = self._database.execute_sql(self._sql(MARKED), (self._engine_id,)).fetchone()
            if found is None:
                raise EngineForgotten(f"engine {self._engine_id} was taken for dead")
            return bool(found[0] == self._committed)

        return self.write(ask)

    def write(self, action: Callable[[], Result]) -> Result:
        """Do something in a transaction of its own that may well happen twice, again if the connection breaks.

        Raises :class:`InDoubt` where it may have been done, but was not answered.
        """
        if self._database.in_transaction():
            # Its own end says what came of this.
            with self._guard, self._database.atomic():
                return action()
        doubtful = False
        for _ in range(TRIES):
            sent = False
            try:
                with self._guard, self._database.atomic():
                    result = action()
                    sent = True
                return result
            except (ConnectionLost, RevisionConflict) as error:
                last = error
                doubtful = doubtful or (sent and isinstance(error, ConnectionLost))
                if isinstance(error, NoAnswer):
                    break
        raise InDoubt(str(last)) if doubtful else last

    def write_own(self, action: Callable[[], Result]) -> Result:
        """The same for what only an engine may do that is in the store, as :meth:`commit_as` says.

        Raises :class:`EngineForgotten`; whoever would take it for dead meanwhile waits.
        """

        def own() -> Result:
            if self._engine_id is not None:
                found = self._database.execute_sql(self._sql(OWN), (self._engine_id,)).fetchone()
                if found is None:
                    raise EngineForgotten(f"engine {self._engine_id} was taken for dead")
            return action()

        return self.write(own)

    def wait_for_commits(self) -> None:
        """Within a transaction: let no commit of an engine be under way until it ends, so that the next knows of it.

        Each engine's commit holds its own row, and those that are one statement compare its epoch; SQLite has one
        writer at a time. No engine signs on meanwhile, which would know of neither.
        """
        if self.kind != "sqlite":
            self.hold_engines()
            self.read(ENGINES)
            self.run(RAISE_EPOCH)

    def hold_engines(self) -> None:
        """Within a transaction: let no engine sign on, and nobody else do this, until it ends."""
        if self.kind != "sqlite":
            self.read(HOLD)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one writing statement (``?`` marks, backquotes) in a transaction of its own; the number of rows."""
        return self.write(lambda: self.run(sql, values))

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one writing statement within a transaction; the number of rows."""
        return int(self._database.execute_sql(self._sql(sql), values).rowcount)

    def put(self, statement: Statement, row: Any) -> int:
        """The same for a record; for tables without encrypted columns."""
        return self.run(statement.text, statement.values(row))


def _run_numbered(connection: Any, text: str, values: Sequence[str | None]) -> None:
    """Run a statement of psycopg whose marks are the server's own, so that the driver need not read it."""
    from psycopg import RawCursor

    RawCursor(connection).execute(text, values)


MARK = "UPDATE `engine_node` SET `committed` = ? WHERE `id` = ?"
OWN = "SELECT 1 FROM `engine_node` WHERE `id` = ? FOR SHARE"
ENGINES = "SELECT `id` FROM `engine_node` ORDER BY `id` FOR UPDATE"
HOLD = "SELECT 1 FROM `sequence` WHERE `name` = 'id' FOR UPDATE"
RAISE_EPOCH = "UPDATE `engine_node` SET `epoch` = `epoch` + 1"
MARKED = "SELECT `committed` FROM `engine_node` WHERE `id` = ? FOR UPDATE"
