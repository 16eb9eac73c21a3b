"""How a running hook hears that it should stop, in whichever process of a worker it runs.

A worker's main process hears the broadcast. Its children were forked from it, so it writes into memory that all of them
share: a ring of the last tasks that were to stop.
"""

from __future__ import annotations

import mmap
import struct
import threading
import time
from typing import Final

from ...work import StopRequest

STOP: Final = "riverstone_stop"
"""The name of the remote control command, with a task id and a delivery."""
LOOK = 0.2
"""Seconds between two readings of the ring while a hook runs."""

_ENTRY = struct.Struct("<qq")
_SIZE = 4096


class Ring:
    """The last tasks that were asked to stop; written by one process, read by its children."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8 + _SIZE * _ENTRY.size)
        self._running: dict[tuple[int, int], StopRequest] = {}
        self._lock = threading.Lock()
        self._watching: threading.Thread | None = None

    def add(self, task_id: int, delivery: int) -> None:
        """Ask this delivery of a task to stop, wherever it runs and even if it comes later."""
        with self._lock:
            count = self._count()
            _ENTRY.pack_into(self._memory, 8 + count % _SIZE * _ENTRY.size, task_id, delivery)
            self._memory[:8] = (count + 1).to_bytes(8, "little")

    def _count(self) -> int:
        return int.from_bytes(self._memory[:8], "little")

    def _entries(self, start: int) -> set[tuple[int, int]]:
        end = self._count()
        places = (8 + number % _SIZE * _ENTRY.size for number in range(max(start, end - _SIZE), end))
        return {_ENTRY.unpack_from(self._memory, place) for place in places}

    def has(self, task_id: int, delivery: int) -> bool:
        """Whether this delivery was asked to stop before it began."""
        return (task_id, delivery) in self._entries(0) if self._count() else False

    def begin(self, task_id: int, delivery: int) -> StopRequest:
        """A hook begins; what it is handed tells it when it is asked to stop."""
        request = StopRequest()
        self._running[task_id, delivery] = request
        if self._watching is None or not self._watching.is_alive():
            # In the child itself: threads are not forked.
            self._watching = threading.Thread(target=self._watch, name="riverstone-stopping", daemon=True)
            self._watching.start()
        return request

    def end(self, task_id: int, delivery: int) -> None:
        """The hook has come back."""
        self._running.pop((task_id, delivery), None)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK)
            if self._running and self._count():
                for key in self._entries(0) & self._running.keys():
                    request = self._running.get(key)
                    if request is not None:
                        request.ask()
