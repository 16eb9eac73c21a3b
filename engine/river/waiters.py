"""Those who wait in this process for an instance to come to rest."""

from __future__ import annotations

import threading
from contextlib import suppress

from ..instance.instance import Instance
from ..instance.resting import Rested


class Watcher:
    """One wait of one thread; a single lock, since an event costs more than many a process takes to end."""

    __slots__ = ("_rests", "ended")

    def __init__(self) -> None:
        self.ended: Rested | None = None
        """The instance where it has ended, so that nobody has to read what was just written."""
        self._rests = threading.Lock()
        self._rests.acquire()

    def tell(self, instance: Instance) -> None:
        """It has come to rest; called once."""
        if instance.row.phase == "ended":
            # The engine lets go of it, so nothing changes this copy any more.
            self.ended = Rested(instance.row, instance.content, instance.tasks.values())
        self.wake()

    def wake(self) -> None:
        """Let the waiting thread look, or it will as soon as it waits."""
        with suppress(RuntimeError):
            # It may have been woken already.
            self._rests.release()

    def wait(self, seconds: float) -> None:
        """Return when it is woken, or after so long."""
        self._rests.acquire(timeout=seconds)


class Watchers:
    """All of them, by the instance that they wait for; used from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Watcher]] = {}

    def add(self, process_instance_id: int) -> Watcher:
        """Told when a step of this engine brings the instance to rest; another engine's step tells nobody."""
        watcher = Watcher()
        self._waiting.setdefault(process_instance_id, []).append(watcher)
        return watcher

    def remove(self, process_instance_id: int, watcher: Watcher) -> None:
        """Nobody looks at the watcher any more."""
        watchers = self._waiting.get(process_instance_id, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                self._waiting.pop(process_instance_id, None)

    def tell(self, instance: Instance) -> None:
        """The instance has come to rest."""
        for watcher in self._waiting.pop(instance.number, ()) if self._waiting else ():
            watcher.tell(instance)
