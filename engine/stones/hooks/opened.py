"""What all hooks of a stone share in one process: an object of its class that was opened once, such as with a client.

Only classes that override ``open`` have one; of any other each call has an object of its own.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ...coroutines import is_coroutine
from ...observing import logs
from ..stone import Stone

if TYPE_CHECKING:
    from asyncio import Future

logger = logging.getLogger("riverstone.stone")

Run: TypeAlias = Callable[[Awaitable[Any]], Any]
"""Runs a coroutine on the event loop of the hooks, and waits for it."""


class OpenStones:
    """Those of one engine, or of one process of a worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[type[Stone], threading.Lock] = {}
        self._opened: dict[type[Stone], Stone] = {}
        self._opening: dict[type[Stone], Future[Stone]] = {}
        self._pid = os.getpid()

    def get(self, stone: type[Stone]) -> Stone:
        """The object whose hook is to be called, in a thread that may wait; raises what ``open`` raises."""
        if not stone.has("open"):
            return stone()
        with self._lock:
            self._refresh()
            lock = self._locks.setdefault(stone, threading.Lock())
        # Others wait for the first; one that fails is tried again by the next.
        with lock:
            found = self._opened.get(stone)
            if found is None:
                found = stone()
                found.open()
                self._opened[stone] = found
            return found

    async def get_awaited(self, stone: type[Stone]) -> Stone:
        """The same on the event loop of coroutine hooks."""
        from .event_loop import in_thread

        if not is_coroutine(stone.open):
            return await in_thread(lambda: self.get(stone)) if stone.has("open") else stone()
        import asyncio

        with self._lock:
            self._refresh()
        found = self._opened.get(stone)
        if found is not None:
            return found
        if stone not in self._opening:
            self._opening[stone] = asyncio.ensure_future(self._open(stone))
        try:
            # Whoever is cancelled meanwhile takes nothing from the others.
            return await asyncio.shield(self._opening[stone])
        finally:
            if stone in self._opening and self._opening[stone].done():
                del self._opening[stone]

    async def _open(self, stone: type[Stone]) -> Stone:
        found = stone()
        opened = found.open()
        if opened is not None:
            await opened
        self._opened[stone] = found
        return found

    def _refresh(self) -> None:
        """In a forked child nothing is open yet: what its parent has belongs to that."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._opened, self._opening, self._locks = {}, {}, {}

    def close(self, run: Run) -> None:
        """Close what is open; what goes wrong is logged."""
        with self._lock:
            self._refresh()
            opened, self._opened = list(self._opened.values()), {}
        for stone in opened:
            try:
                closed = stone.close()
                if closed is not None:
                    run(closed)
            except Exception as error:
                logger.error("the stone %r could not be closed: %s", stone.code, logs.where(error))
