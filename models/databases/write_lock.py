"""The lock of a SQLite file, which has one writer at a time: how it is waited for, and left to others.

SQLite's own waiting is no use where several engines write. It sleeps longer and longer, so one that writes again and
again keeps others out until they give up. And it keeps the mutex of its connection meanwhile, for which any thread of
the process may have to wait that lets go of a cursor: also the thread that has the lock.
"""

from __future__ import annotations

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")

PATIENCE = 5.0
"""Seconds for which somebody else may have the file before callers are told."""
PAUSE = 0.001
"""Seconds between two tries, at most."""
TURN = 0.05
"""Seconds after which one that waits lets others know, and one that writes looks whether anybody waits."""
LEAVE = 0.025
"""Seconds for which the file is left to whoever waits: many of his tries, also on a busy machine."""
BEGIN = "BEGIN IMMEDIATE"


class WriteLock:
    """That of one file, as the threads of one engine take it.

    Whoever waits for long holds a lock on a file beside, for all to see who write, in this process or another. It ends
    with him, however he ends, so the file itself stays there and says nothing. One thread of an engine tries at a time.
    """

    def __init__(self, path: str) -> None:
        # SQLite's own files stand beside the database too, and not beside a link to it.
        self._database = os.path.realpath(path)
        self._beside = f"{self._database}-turn"
        self._looked = 0.0
        self._trying = threading.Lock()

    def take(self, begin: Callable[..., Any], *how: str) -> None:
        """Begin a transaction that writes; raises the driver's error where others keep the file for too long."""
        begun = time.monotonic()
        if begun - self._looked > TURN:
            self._leave_to_others()
        try:
            begin(*how)
        except Exception as error:
            if not is_busy(error):
                raise
            if not self._trying.acquire(timeout=PATIENCE):
                raise
            with ExitStack() as stack:
                stack.callback(self._trying.release)
                when_free(begin, *how, begun=begun, unheard=partial(self._let_know, stack))

    def _let_know(self, stack: ExitStack) -> bool:
        """Let those who write know that somebody waits, until the end of the context; whether they do."""
        # Where there can be no such file, it is waited for as well, and perhaps for longer.
        with suppress(OSError):
            self._make()
        with suppress(OSError):
            stack.enter_context(self._held(fcntl.LOCK_SH))
            return True
        return False

    def _make(self) -> None:
        """Make the file beside, for the same users as the database, as SQLite makes its own."""
        like = os.stat(self._database)
        beside = os.open(self._beside, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if os.geteuid() == 0:
                os.fchown(beside, like.st_uid, like.st_gid)
            os.fchmod(beside, like.st_mode & 0o666)
        finally:
            os.close(beside)

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        """A context with a lock on the file beside; raises OSError where others have theirs, or there is no file."""
        beside = os.open(self._beside, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(beside, how | fcntl.LOCK_NB)
            try:
                yield
            finally:
                # A forked child may have the same open file, and would go on holding it.
                fcntl.flock(beside, fcntl.LOCK_UN)
        finally:
            os.close(beside)

    def _leave_to_others(self) -> None:
        """Write nothing for a moment if somebody waits."""
        until = time.monotonic() + LEAVE
        while self._is_awaited() and time.monotonic() < until:
            time.sleep(PAUSE)
        self._looked = time.monotonic()

    def _is_awaited(self) -> bool:
        try:
            with self._held(fcntl.LOCK_EX):
                return False
        except OSError as error:
            # Else nobody has waited yet.
            return isinstance(error, BlockingIOError)


def tell_at_once(connection: Any) -> Any:
    """The connection, that tells from now on when somebody else has the file, and does not wait.

    Without its write-ahead log, as on some file systems, an end of a transaction may have to wait too: that stays.
    """
    try:
        if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            connection.execute("PRAGMA busy_timeout = 0")
    except BaseException:
        connection.close()
        raise
    return connection


def when_free(
    action: Callable[..., Result],
    *values: Any,
    begun: float | None = None,
    unheard: Callable[[], bool] | None = None,
) -> Result:
    """Do what begins a transaction, again and again while somebody else has the file; then its error is raised.

    ``unheard`` is called if that takes long, until it returns true.
    """
    if begun is None:
        begun = time.monotonic()
    while True:
        try:
            return action(*values)
        except Exception as error:
            waited = time.monotonic() - begun
            if not is_busy(error) or waited >= PATIENCE:
                raise
        if unheard is not None and waited >= TURN and unheard():
            unheard = None
        # By chance, or it might keep step with the one who has the file.
        time.sleep(random.uniform(0, PAUSE))


def is_busy(error: BaseException) -> bool:
    """Whether SQLite says that somebody else holds the file; the low byte of its code tells, the others why."""
    drivers = getattr(error, "orig", error)
    return getattr(drivers, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
