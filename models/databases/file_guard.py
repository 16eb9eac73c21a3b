"""What stands around every use of a SQLite file: few connections, lent to whichever thread has something to ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Any

from ..errors import StoreClosed
from .guard import LOOK, Guard, not_an_option
from .pool import CLOSING, close
from .write_lock import BEGIN, WriteLock, tell_at_once

KEPT = 6
"""Connections that stay open while nobody uses them: each keeps pages and statements, a megabyte or two."""


class _Mine:
    """What one thread has in hand."""

    __slots__ = ("depth", "keeps", "own", "state")

    def __init__(self, database: Any) -> None:
        self.state: dict[str, Any] = vars(database._state)
        """What Peewee knows of the thread's connection: it asks for the thread at each value, and a use has six."""
        self.depth = 0
        self.keeps = False
        """Whether it has the same connection from one use to the next."""
        self.own: Any = None
        """That connection, while it is not used."""


class _Here(threading.local):
    """The present thread's; asked once for each use, since a value of a thread takes longer to find than another."""

    def __init__(self, database: Any) -> None:
        self.mine = _Mine(database)


class FileGuard(Guard):
    """The same for a file that any number of threads use: as many connections are open as are used at the same time.

    The one that was used last is lent first, since it has what was asked for before. A thread that is ``ahead`` keeps
    its own: what it has read stays good until somebody else writes.
    """

    def __init__(self, database: Any) -> None:
        super().__init__(database, "sqlite", shared=False)
        self._in_hand = _Here(database)
        self._free: list[Any] = []
        self._lent: set[Any] = set()
        # What Peewee opens by itself would be lent to nobody.
        database.autoconnect = False
        assert self._path is not None
        self._write_lock = WriteLock(self._path)
        database.begin = partial(self._write_lock.take, database.begin)

    @contextmanager
    def ahead(self) -> Iterator[None]:
        mine = self._in_hand.mine
        before, mine.keeps = mine.keeps, True
        try:
            yield
        finally:
            mine.keeps = before
            if not before and not mine.depth and mine.own is not None:
                connection, mine.own = mine.own, None
                self._give_back(connection)

    def close(self) -> None:
        """Close what nobody uses, and wait a while for those who use the rest, which is closed as they end."""
        self._closed = "make a new one"
        deadline = time.monotonic() + CLOSING
        # One that this thread is using is its own to end.
        while len(self._lent) > (self._in_hand.mine.depth > 0) and time.monotonic() < deadline:
            time.sleep(0.001)
        self._drop_free()

    def leave_to_parent(self, why: str) -> None:
        self._closed = why
        # Kept, since a connection that is thrown away closes a file whose locks the parent has.
        self._parents = self._free, self._lent, self._in_hand.mine.own, self.database._state.conn
        self._free, self._lent, self._in_hand = [], set(), _Here(self.database)

    def begin(self, cursor: Any) -> None:
        self._write_lock.take(cursor.execute, BEGIN)

    def __enter__(self) -> Any:
        mine = self._in_hand.mine
        state = mine.state
        if mine.depth and not state["closed"]:
            mine.depth += 1
            return state["conn"]
        if self._closed:
            raise StoreClosed(self._closed)
        if time.monotonic() - self._looked > LOOK:
            self._look_at_file()
        connection, mine.own = mine.own, None
        if connection is None:
            try:
                connection = self._free.pop()
            except IndexError:
                connection = self._connect()
        self._lent.add(connection)
        state["conn"], state["closed"] = connection, False
        mine.depth += 1
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        mine = self._in_hand.mine
        try:
            if error is not None and isinstance(error, self.drivers):
                raise self._translated(error) from error
        finally:
            mine.depth -= 1
            if not mine.depth:
                self._let_go(mine)

    def _let_go(self, mine: _Mine) -> None:
        state = mine.state
        connection = state["conn"]
        if connection is None:
            # It was discarded.
            return
        if state["transactions"] or connection.in_transaction:
            self.discard()
            return
        state["conn"], state["closed"] = None, True
        if mine.keeps and not self._closed:
            mine.own = connection
            self._lent.discard(connection)
        else:
            self._give_back(connection)

    def _give_back(self, connection: Any) -> None:
        if self._closed or len(self._free) >= KEPT:
            close(connection)
        else:
            self._free.append(connection)
        self._lent.discard(connection)

    def discard(self) -> None:
        self._lent.discard(self.database._state.conn)
        super().discard()
        self._drop_free()

    def _drop_free(self) -> None:
        # Another thread may take the last one meanwhile.
        with suppress(IndexError):
            while True:
                close(self._free.pop())

    def _open(self) -> Any:
        try:
            return tell_at_once(self.database._connect())
        except TypeError as error:
            raise not_an_option(error) from error
