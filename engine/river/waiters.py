"""Those who wait in this process for an instance to come to rest, or to change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from ...models import TaskRow
from ..instance.instance import Instance
from ..instance.ledger import HELD_BACK
from ..instance.resting import Rested, at_rest

LOOK = 0.5
"""Seconds between two looks for what other engines have changed."""


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
            tasks = instance.tasks
            # The engine lets go of it, so nothing changes this copy any more.
            self.ended = Rested(instance.row, instance.content, tasks.here() if tasks.is_whole else None)
        self.wake()

    def wake(self) -> None:
        """Let the waiting thread look, or it will as soon as it waits."""
        with suppress(RuntimeError):
            # It may have been woken already.
            self._rests.release()

    def wait(self, seconds: float) -> None:
        """Return when it is woken, or after so long."""
        self._rests.acquire(timeout=seconds)


class Watch:
    """Somebody who holds no thread and is called when a process instance, or an undo of it, may have changed.

    ``told`` is called in the thread that made the change, so it does no more than wake whoever looks.
    """

    __slots__ = ("any_change", "mark", "number", "told", "watchers")

    def __init__(self, watchers: Watchers, number: int, told: Callable[[], None], any_change: bool) -> None:
        self.watchers, self.number, self.told, self.any_change = watchers, number, told, any_change
        self.mark: str | None = None
        """What was last seen of it, see :class:`~riverstone.engine.Situation`: another mark is news."""

    def stop(self) -> None:
        """Be called no more, but for a call that is on its way."""
        self.watchers.unwatch(self)


class Watchers:
    """All of them, by the instance that they wait for; used from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Watcher]] = {}
        self._watches: dict[int, set[Watch]] = {}
        self._lock = threading.Lock()
        self._looked = 0.0

    @property
    def has_watches(self) -> bool:
        """Whether anybody is to be told of steps."""
        return bool(self._watches)

    def watch(self, number: int, told: Callable[[], None], *, any_change: bool) -> Watch:
        """Have somebody called after each step, or (without ``any_change``) where it rests or needs somebody."""
        watch = Watch(self, number, told, any_change)
        with self._lock:
            self._watches.setdefault(number, set()).add(watch)
        return watch

    def unwatch(self, watch: Watch) -> None:
        """See :meth:`Watch.stop`."""
        with self._lock:
            found = self._watches.get(watch.number, set())
            found.discard(watch)
            if not found:
                self._watches.pop(watch.number, None)

    def stepped(self, instances: Iterable[Instance], tasks: Iterable[TaskRow]) -> None:
        """A step that changed these is committed."""
        needy = {row.process_instance_id for row in tasks if row.open and needs_somebody(row)}
        for instance in instances:
            row = instance.row
            news = at_rest(row) or row.process_instance_id in needy
            self._tell(row.process_instance_id, news=news)
            if row.origin is not None:
                self._tell(row.origin, news=row.process_instance_id in needy)

    def _tell(self, number: int, *, news: bool) -> None:
        if number in self._watches:
            with self._lock:
                watches = [each for each in self._watches.get(number, ()) if news or each.any_change]
            for each in watches:
                each.told()

    def look(self, marks: Callable[[list[int]], dict[int, str]]) -> None:
        """Tell of what other engines have changed; ``marks`` asks the store, once for all of them."""
        if not self._watches or time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        with self._lock:
            watches = [each for found in self._watches.values() for each in found if each.mark is not None]
        found = marks(sorted({each.number for each in watches}))
        for each in watches:
            if found.get(each.number) != each.mark:
                each.told()

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


def needs_somebody(row: TaskRow) -> bool:
    """Whether an open task waits for a person, or for a stone that somebody has to register or to let begin."""
    return row.stone is None or row.status in HELD_BACK
