"""The few connections of a process to a server, lent to whichever thread needs one, and soon given back."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import Any

from ..errors import StoreError

CONNECTIONS = 12
"""That a process has to a server, unless told otherwise."""
ASIDE = 3
"""Of those, for the few that everybody waits for: the river, the sign of life, a question after the health."""
LONGEST_WAIT = 30.0
"""Seconds for which a thread waits until another gives one back."""
CLOSING = 10.0
"""Seconds for which an end waits for those that are in use: longer than a server may take for an answer."""


class Pool:
    """No more than ``most`` places for connections; whoever waits for one gets it in turn, some before all others.

    A place comes with a connection that somebody has given back, or without any: then the borrower opens one. Those who
    come before others have theirs back, since a server keeps for each connection what it has read and planned there.
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._most_others = max(1, most - ASIDE)
        self._free: dict[bool, list[Any]] = {True: [], False: []}
        """By who had them: those that are ahead, and the others."""
        self._lent = self._lent_others = 0
        self._waiting: dict[bool, deque[_Turn]] = {True: deque(), False: deque()}
        """By whether they are ahead of the others."""
        self._closed = False
        self._all_back = threading.Condition(self._lock)

    def borrow(self, *, ahead: bool) -> Any:
        """A connection that was used before, or None for a place without; raises StoreError where none comes free."""
        waiting = self._waiting[ahead]
        with self._lock:
            if not waiting and self._has_place(ahead):
                return self._take(ahead)
            turn = _Turn()
            waiting.append(turn)
        if not turn.come.acquire(timeout=LONGEST_WAIT):
            with self._lock:
                if turn in waiting:
                    waiting.remove(turn)
                    turn.refused = f"all {self._most} connections to it are in use"
        if turn.refused is not None:
            raise StoreError(turn.refused)
        return turn.connection

    def take_place(self) -> None:
        """Have one place less, but for the last."""
        with self._lock:
            self._most = max(1, self._most - 1)
            self._most_others = max(1, self._most - ASIDE)

    def take_free(self, *, ahead: bool) -> Any:
        """For who has a place without a connection: one that was given back meanwhile, or None."""
        with self._lock:
            return self._take_free(ahead)

    def give_back(self, connection: Any, *, ahead: bool) -> None:
        """Let others have the place, with this connection or without any."""
        with self._lock:
            self._lent -= 1
            self._lent_others -= not ahead
            if connection is not None and not self._closed:
                self._free[ahead].append(connection)
                connection = None
            for first in (True, False):
                while self._waiting[first] and self._has_place(first):
                    turn = self._waiting[first].popleft()
                    turn.connection = self._take(first)
                    turn.come.release()
            if not self._lent:
                self._all_back.notify_all()
        close(connection)

    def turn_away(self, why: str) -> None:
        """Tell all who wait at this moment that there will be none."""
        with self._lock:
            for waiting in self._waiting.values():
                while waiting:
                    turn = waiting.popleft()
                    turn.refused = why
                    turn.come.release()

    def drop_free(self) -> None:
        """Close what nobody has in hand: a server that was lost has most likely lost these too."""
        with self._lock:
            dropped = [*self._free[True], *self._free[False]]
            self._free = {True: [], False: []}
        for connection in dropped:
            close(connection)

    def close(self) -> None:
        """Close every connection, those in use when they are given back, and wait a while for that."""
        self._closed = True
        self.drop_free()
        with self._lock:
            self._all_back.wait_for(lambda: not self._lent, CLOSING)

    def _has_place(self, ahead: bool) -> bool:
        return self._lent < self._most and (ahead or self._lent_others < self._most_others)

    def _take(self, ahead: bool) -> Any:
        self._lent += 1
        self._lent_others += not ahead
        return self._take_free(ahead)

    def _take_free(self, ahead: bool) -> Any:
        own, others = self._free[ahead], self._free[not ahead]
        if own:
            return own.pop()
        # One more is opened while there may be one: taken in turns by both, it would be a stranger to each.
        return others.pop(0) if others and self._lent + len(others) > self._most else None


class _Turn:
    """One thread that waits for a place."""

    def __init__(self) -> None:
        self.come = threading.Lock()
        self.come.acquire()
        self.connection: Any = None
        self.refused: str | None = None


def close(connection: Any) -> None:
    """Close one that may be broken."""
    if connection is not None:
        with suppress(Exception):
            connection.close()
