"""What stands around every use of a connection: it is opened when needed, or when it broke, and closed at the end."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import AbstractContextManager, nullcontext, suppress
from types import TracebackType
from typing import Any, Literal

from ..errors import AlreadyUsed, ConnectionLost, NoAnswer, NotStorable, RevisionConflict, StoreClosed, StoreError
from .write_lock import BEGIN, is_busy

Kind = Literal["sqlite", "postgresql", "mysql", "other"]
"""Of a database, as far as it matters to the store; MariaDB is of MySQL's kind."""

PATIENCE = 5.0
"""Seconds for which a database may be away before callers are told, counted from the first who noticed."""
CROWDED = 30.0
"""Seconds for which a server that has no room for another connection is waited for."""
LOOK = 0.1
"""Seconds between two looks whether SQLite's file is still the one that was opened."""

POSTGRESQL_CONFLICTS = ("40001", "40P01", "55P03")
"""SQLSTATE of serialization_failure, deadlock_detected and lock_not_available (PostgreSQL, appendix A)."""
MYSQL_CONFLICTS = (1205, 1213)
"""ER_LOCK_WAIT_TIMEOUT and ER_LOCK_DEADLOCK."""
MYSQL_LOST = (0, 1053, 1152, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 2055, 4031)
"""The server shuts down, the connection was killed, or nothing is heard of the other side any more."""
MYSQL_CROWDED = (1040, 1203, 1226)
"""ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS and ER_USER_LIMIT_REACHED."""
POSTGRESQL_CROWDED = ("too many clients", "too many connections", "connection slots are reserved", "more connections")
"""How PostgreSQL, and PgBouncer before it, begin to refuse; libpq does not tell the SQLSTATE of a refusal."""


class _Held:
    """One thread's connection, and the lock that is held while it is used."""

    __slots__ = ("__weakref__", "connection", "lock")

    def __init__(self, lock: threading.RLock) -> None:
        self.connection: Any = None
        self.lock = lock


class Guard:
    """A context in which the thread's connection is open; turns what a driver raises into the store's errors.

    Each thread has one of its own, or all of them share the one of a database in memory.

    Raises :class:`StoreError` where the database cannot be reached, :class:`ConnectionLost` where it was reached and
    then was not.
    """

    def __init__(self, database: Any, kind: Kind, *, shared: bool) -> None:
        self.database = database
        self._shared = threading.RLock() if shared else None
        self._here = threading.local()
        self._every: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._every_lock = threading.Lock()
        self._opened = False
        self._closed: str | None = None
        """Why no connection is opened any more."""
        self._away_since: float | None = None
        self._path = path_of(database, kind, shared)
        self._file: tuple[int, int] | None = None
        self._looked = 0.0
        self._kind = kind
        self.drivers = driver_errors(kind)
        """What is raised by who talks to the database without anything around it."""

    def close(self) -> None:
        """Close every thread's connection as soon as it is not used, and open none any more."""
        self._closed = "make a new one"
        with self._every_lock:
            every = list(self._every)
        for held in every:
            with held.lock, suppress(Exception):
                held.connection.close()
        with suppress(Exception):
            self.database.close()

    def leave_to_parent(self, why: str) -> None:
        """In a forked child: open nothing any more, and touch none of the connections that the parent goes on with."""
        self._closed = why
        # Whoever held these does not exist here.
        self._every_lock = threading.Lock()
        self._every = weakref.WeakSet()
        self._shared = None if self._shared is None else threading.RLock()
        self._here = threading.local()

    def is_away(self) -> bool:
        """Whether the last who asked the server found that it does not answer."""
        return False

    def ahead(self) -> AbstractContextManager[None]:
        """A context in which this thread waits for no connection that it could have before others."""
        return nullcontext()

    def begin(self, cursor: Any) -> None:
        """Begin a transaction that writes to SQLite."""
        cursor.execute(BEGIN)

    def __enter__(self) -> Any:
        """The driver's own connection."""
        held: _Held = getattr(self._here, "held", None) or self._hold()
        held.lock.acquire()
        try:
            if self._closed:
                raise StoreClosed(self._closed)
            if self._path is not None and time.monotonic() - self._looked > LOOK:
                self._look_at_file()
            here = self.database._state
            if here.closed:
                held.connection = self._connect()
            return here.conn
        except BaseException:
            held.lock.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None and isinstance(error, self.drivers):
                raise self._translated(error) from error
        finally:
            self._here.held.lock.release()

    def _hold(self) -> _Held:
        held = self._here.held = _Held(self._shared or threading.RLock())
        with self._every_lock:
            self._every.add(held)
        return held

    # -- opening

    def _connect(self) -> Any:
        """The connection that the thread has from now on."""
        begun = time.monotonic()
        while True:
            try:
                connection = self._open()
            except self.drivers as error:
                if not self._is_worth_waiting(error, begun):
                    raise StoreError(_first_line(error)) from error
                time.sleep(0.1)
            else:
                self._opened = True
                self._away_since = None
                if self._path is not None and self._file is None:
                    self._file = _identity(self._path)
                return connection

    def _open(self) -> Any:
        try:
            self.database.connect()
        except TypeError as error:
            raise not_an_option(error) from error
        return self.database.connection()

    def _is_worth_waiting(self, error: Exception, begun: float) -> bool:
        now = time.monotonic()
        if self._is_crowded(error):
            return now - begun < CROWDED
        if self._away_since is None:
            # SQLite itself has waited for a file that is busy.
            self._away_since = now if self._path is None else begun
        # Where several open a new file at once, SQLite turns some away from its log without waiting for it.
        patient = self._opened if self._path is None else is_busy(error)
        return patient and now - self._away_since <= PATIENCE

    def _is_crowded(self, error: Exception) -> bool:
        """Whether the server is there and has no room for another connection."""
        cause = _cause(error)
        if self._kind == "mysql":
            return bool(cause.args) and cause.args[0] in MYSQL_CROWDED
        return self._kind == "postgresql" and any(words in str(cause) for words in POSTGRESQL_CROWDED)

    def _look_at_file(self) -> None:
        """Refuse to go on with a file that was taken away: SQLite would write into what nobody finds again."""
        assert self._path is not None
        found = _identity(self._path)
        if self._file is not None and found != self._file:
            self.discard()
            if found is None:
                raise StoreError(f"the file {self._path} is not there any more")
            # Threads that went on in the old one and in the new one would tell two truths.
            raise StoreError(f"the file {self._path} was replaced by another: start everything that uses it anew")
        self._looked = time.monotonic()

    def discard(self) -> None:
        """Forget the thread's connection, whatever state it is in."""
        with suppress(Exception):
            self.database._state.conn.close()
        self.database._state.reset()

    # -- errors

    def _translated(self, error: BaseException) -> StoreError:
        cause = _cause(error)
        text = _first_line(cause)
        if any(each.__name__ == "IntegrityError" for each in (*type(error).__mro__, *type(cause).__mro__)):
            return AlreadyUsed(text)
        code = cause.args[0] if cause.args else None
        if getattr(cause, "sqlstate", None) in POSTGRESQL_CONFLICTS or code in MYSQL_CONFLICTS:
            return RevisionConflict(text)
        if self._kind == "postgresql" and type(cause).__name__ == "DataError" and "NUL" in text:
            # psycopg itself says so, before the server is asked.
            return NotStorable(text)
        connection = self.database._state.conn
        if connection is None or getattr(connection, "closed", False) is True or getattr(connection, "broken", False):
            lost = True
        else:
            lost = self._kind == "mysql" and (code in MYSQL_LOST or not connection.open)
        silent = (not lost and self._is_waiting(connection)) or (self._kind == "mysql" and "timed out" in text)
        if not (lost or silent):
            return StoreError(text)
        self.discard()
        if not silent:
            return ConnectionLost(text)
        # Whoever connects again is not to be patient too.
        self._away_since = time.monotonic() - PATIENCE
        return NoAnswer("it takes what is sent and does not answer")

    def _is_waiting(self, connection: Any) -> bool:
        """Whether a connection of psycopg still waits for what was asked: it gave up, and cannot be used any more."""
        return self._kind == "postgresql" and connection.info.transaction_status.name == "ACTIVE"


def not_an_option(error: TypeError) -> StoreError:
    """What a driver says of the options in a URL: what stands after its question mark is given to its function."""
    return StoreError(f"its driver does not know an option of its URL: {error}")


def driver_errors(kind: Kind) -> tuple[type[Exception], ...]:
    """What Peewee and its driver for this kind of database raise."""
    from peewee import PeeweeException

    if kind == "postgresql":
        import psycopg

        return (PeeweeException, psycopg.Error)
    if kind == "mysql":
        import pymysql

        return (PeeweeException, pymysql.Error)
    return (PeeweeException, sqlite3.Error)


def path_of(database: Any, kind: Kind, shared: bool) -> str | None:
    if shared or kind != "sqlite" or str(database.database).startswith("file:"):
        return None
    return os.path.abspath(str(database.database))


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _cause(error: BaseException) -> BaseException:
    """What the driver has raised, whatever Peewee made of it."""
    return error.args[0] if error.args and isinstance(error.args[0], BaseException) else error


def _first_line(error: BaseException) -> str:
    """What an error says, in one line, without a full stop."""
    cause = _cause(error)
    parts = [str(part) for part in cause.args] if len(cause.args) > 1 else [str(cause)]
    text = " ".join(" ".join(parts).split())
    return (text or type(cause).__name__).rstrip(".")
