"""What stands around every use of a server's connections: a thread has one of the pool's for as long as it uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from ..errors import ConnectionLost, NoAnswer, StoreClosed, StoreError
from .guard import Guard, Kind
from .pool import Pool, close

IN_TRANSACTION = 1
"""SERVER_STATUS_IN_TRANS of MySQL's protocol."""


class _Here(threading.local):
    """What one thread has in hand."""

    depth = 0
    ahead = False
    """Whether what it asks from now on comes before what others ask."""
    has_place_ahead = False
    is_broken = False
    is_silent = False


class PooledGuard(Guard):
    """The same for a server: a thread has a connection only while it uses it, and no more are open than the pool has.

    One use inside of another has the same connection; where that breaks, it is not made anew before the outer one ends.
    """

    def __init__(self, database: Any, kind: Kind, most: int) -> None:
        super().__init__(database, kind, shared=False)
        self._pool = Pool(most)
        self._mine = _Here()
        # What Peewee opens by itself would be none of the pool's.
        database.autoconnect = False

    @contextmanager
    def ahead(self) -> Iterator[None]:
        before, self._mine.ahead = self._mine.ahead, True
        try:
            yield
        finally:
            self._mine.ahead = before

    def take_place(self) -> None:
        """Have one connection less in the pool, since somebody keeps one outside of it."""
        self._pool.take_place()

    def is_away(self) -> bool:
        return self._away_since is not None

    def close(self) -> None:
        self._closed = "make a new one"
        self._pool.close()

    def leave_to_parent(self, why: str) -> None:
        self._closed = why
        # Kept, since a connection that is thrown away says good-bye to the server.
        self._parents = self._pool, self.database._state.conn
        self._pool = Pool(1)
        self._mine = _Here()

    def __enter__(self) -> Any:
        mine = self._mine
        if mine.depth:
            if mine.is_broken:
                raise ConnectionLost("the connection broke before")
            mine.depth += 1
            return self.database._state.conn
        if self._closed:
            raise StoreClosed(self._closed)
        mine.has_place_ahead = mine.ahead
        connection = self._pool.borrow(ahead=mine.has_place_ahead)
        try:
            if connection is None:
                connection = self._connect()
        except BaseException as error:
            self._pool.give_back(None, ahead=mine.has_place_ahead)
            if isinstance(error, StoreError):
                self._pool.turn_away(str(error))
            raise
        self.database._state.set_connection(connection)
        mine.depth, mine.is_broken, mine.is_silent = 1, False, False
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        mine = self._mine
        try:
            if error is not None and isinstance(error, self.drivers):
                raise self._told(error) from error
        finally:
            mine.depth -= 1
            if not mine.depth:
                self._let_go(mine)

    def _told(self, error: BaseException) -> StoreError:
        told = self._translated(error)
        # What is asked of a broken connection after that fails in another way.
        if self._mine.is_silent and not isinstance(told, NoAnswer):
            return NoAnswer(str(told))
        self._mine.is_silent = isinstance(told, NoAnswer)
        return told

    def _let_go(self, mine: _Here) -> None:
        connection = self.database._state.conn
        self.database._state.reset()
        if mine.is_broken:
            self._pool.drop_free()
        else:
            self._away_since = None
        if mine.is_broken or not self._is_idle(connection):
            close(connection)
            connection = None
        self._pool.give_back(connection, ahead=mine.has_place_ahead)

    def discard(self) -> None:
        self._mine.is_broken = True

    def _open(self) -> Any:
        found = self._pool.take_free(ahead=self._mine.has_place_ahead)
        if found is not None:
            return found
        # Without Peewee's lock, which would let one that is slow to open hold up all others.
        connection = self.database._connect()
        if self.database.server_version is None:
            self.database._set_server_version(connection)
        return connection

    def _is_idle(self, connection: Any) -> bool:
        """Whether the next may have it, as far as the driver knows: nothing is unread, and no transaction is open."""
        if self._kind == "postgresql":
            return bool(connection.info.transaction_status.name == "IDLE")
        return bool(connection.open) and not connection.server_status & IN_TRANSACTION
