"""Waiting for what comes on a server's connections, without asking every one of them what it wants before each wait."""

from __future__ import annotations

import selectors
import threading
import time
from collections import deque
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from waitress import wasyncore


class _Serving(threading.local):
    """What one thread is at."""

    channel: Any = None


serving = _Serving()
"""Whoever serves a connection names it here."""


class Poller:
    """The connections of a server, and what is waited for on each: that something comes, or that more can be sent.

    A connection is asked what it wants when it is new, when something has happened on it, when the thread that serves
    it says so, and now and then. While its request is answered it is still listened to: most often nothing comes.
    """

    def __init__(self, channels: dict[int, Any]) -> None:
        """``channels`` are waitress's, by the numbers of their files."""
        self.channels = channels
        self.pull: Callable[[], object]
        """Ends a wait, from any thread."""
        self._selector = selectors.DefaultSelector()
        self._noted: deque[tuple[Any, bool]] = deque()
        """Connections that are to be asked before the next wait, and whether there is something to be sent."""
        self._is_pulled = False
        self._asked_all = -1e9

    # -- from any thread

    def wake(self) -> None:
        """End the wait, if the connection that this thread serves wants something that is not waited for."""
        channel = serving.channel
        if channel is not None:
            writes = bool(channel.writable())
            if channel.is_heard and not writes:
                return
            self._noted.append((channel, writes))
        if not self._is_pulled:
            self._is_pulled = True
            self.pull()

    # -- in the server's thread

    def note(self, channel: Any) -> None:
        """This connection is new."""
        self._noted.append((channel, False))

    def forget(self, file: int | None) -> None:
        """The file is about to be closed."""
        if file is not None and file in self._selector.get_map():
            self._selector.unregister(file)

    def look(self, most: float, every: float = 0.0) -> None:
        """Wait at most so many seconds, then read and write where that can be done.

        All connections are asked what they want if they were not for ``every`` seconds.
        """
        # First, so that whoever notes something after the loop below ends the wait.
        self._is_pulled = False
        while self._noted:
            self._ask(*self._noted.popleft())
        now = time.monotonic()
        if now - self._asked_all >= every:
            self._asked_all = now
            self._ask_all()
        for key, events in self._selector.select(most):
            self._act(key.fd, key.data, events)

    def close(self) -> None:
        """Wait no more."""
        self._selector.close()

    def _has(self, file: int, channel: object) -> bool:
        return self.channels.get(file) is channel

    def _ask_all(self) -> None:
        for file in [file for file in self._selector.get_map() if file not in self.channels]:
            self._selector.unregister(file)
        for channel in list(self.channels.values()):
            self._ask(channel)

    def _ask(self, channel: Any, writes: bool = False) -> None:
        """Wait for what the connection wants, and still for what comes on it if that was waited for."""
        file = channel._fileno
        if file is None or not self._has(file, channel):
            return
        key = self._selector.get_map().get(file)
        if key is not None and key.data is not channel:
            self._selector.unregister(file)
            key = None
        before = 0 if key is None else key.events
        reading = (before & EVENT_READ) or (EVENT_READ if channel.readable() else 0)
        self._wait_for(file, channel, before, reading | _writing(channel, before, writes))

    def _wait_for(self, file: int, channel: Any, before: int, events: int) -> None:
        if events != before:
            if not before:
                self._selector.register(file, events, channel)
            elif events:
                self._selector.modify(file, events, channel)
            else:
                self._selector.unregister(file)
        channel.is_heard = bool(events & EVENT_READ)

    def _act(self, file: int, channel: Any, events: int) -> None:
        if not self._has(file, channel):
            return
        hears = True
        if events & EVENT_READ:
            hears = self._hears(channel)
            if hears:
                wasyncore.read(channel)
        if events & EVENT_WRITE and self._has(file, channel) and channel.writable():
            wasyncore.write(channel)
        if self._has(file, channel):
            before = self._selector.get_map()[file].events
            reading = before & EVENT_READ if hears else 0
            wrote = bool(events & EVENT_WRITE)
            if wrote and channel.readable():
                # What came while all was not sent yet.
                reading = EVENT_READ
            self._wait_for(file, channel, before, reading | _writing(channel, before, wrote))

    @staticmethod
    def _hears(channel: Any) -> bool:
        """Whether the connection takes what has come."""
        # In this order: a thread that ends its request after the second line finds the first, and wakes this one.
        channel.is_heard = False
        channel.is_heard = bool(channel.readable())
        return bool(channel.is_heard)


def _writing(channel: Any, before: int, told: bool) -> int:
    """Whether to wait until more can be sent."""
    if not told and getattr(channel, "requests", None):
        # A thread that cannot send all of its answer says so. To wait meanwhile takes its turn from it.
        return before & EVENT_WRITE
    return EVENT_WRITE if channel.writable() and not channel.accepting else 0
