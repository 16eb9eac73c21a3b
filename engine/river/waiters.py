"""Those who wait in this process for an instance to come to rest, or to change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from ...models import TaskRow
from ..instance.instance import Instance
from ..instance.resting import Rested, at_rest
from ..ledger.ledger import needs_somebody

if TYPE_CHECKING:
    from ..views.processes import Situation

LOOK = 0.5
"""Seconds between two looks for what other engines have changed."""
SOON = 0.02
"""The same for processes that others may drive, while nobody can tell of them."""
FRESH = 0.07
"""Seconds until whoever was asked to tell has surely heard that."""
BRIEF = 0.005
"""Seconds for which a wait has to last before others hear of it: most find at once what they want."""


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
            self.ended = _ended(instance)
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

    __slots__ = ("any_change", "asked", "ended", "look", "mark", "number", "since", "told", "watchers")

    def __init__(self, watchers: Watchers, number: int, told: Callable[[], None], any_change: bool) -> None:
        self.watchers, self.number, self.told, self.any_change = watchers, number, told, any_change
        self.since = time.monotonic()
        self.asked = 0.0
        """When other engines were asked to tell of it, by the monotonic clock."""
        self.mark: str | None = None
        """What was last seen of it, see :class:`~riverstone.engine.Situation`: another mark is news."""
        self.look: Callable[[], Situation | None]
        """The situation where the process has ended or needs somebody, None while it goes on; notes the mark."""
        self.ended: Rested | None = None
        """The instance where a step of this engine has ended it, so that nobody has to read what was just written."""

    def stop(self) -> None:
        """Be called no more, but for a call that is on its way."""
        self.watchers.unwatch(self)


class Watchers:
    """All of them, by the instance that they wait for; used from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Watcher]] = {}
        self._watches: dict[int, set[Watch]] = {}
        self._elsewhere: set[Watch] = set()
        """Those of processes that other engines may drive."""
        self._heard: set[int] | None = set()
        """Processes of which others have told; None for any."""
        self._lock = threading.Lock()
        self._looked = self._looked_elsewhere = 0.0

    @property
    def has_watches(self) -> bool:
        """Whether anybody is to be told of steps."""
        return bool(self._watches)

    def watch(self, number: int, told: Callable[[], None], *, any_change: bool, elsewhere: bool = False) -> Watch:
        """Have somebody called after each step, or (without ``any_change``) where it rests or needs somebody.

        With ``elsewhere`` the steps may be those of other engines, and are looked for more often.
        """
        watch = Watch(self, number, told, any_change)
        with self._lock:
            self._watches.setdefault(number, set()).add(watch)
            if elsewhere:
                self._elsewhere.add(watch)
        return watch

    def unwatch(self, watch: Watch) -> None:
        """See :meth:`Watch.stop`."""
        with self._lock:
            found = self._watches.get(watch.number, set())
            found.discard(watch)
            self._elsewhere.discard(watch)
            if not found:
                self._watches.pop(watch.number, None)

    def stepped(self, instances: Iterable[Instance], tasks: Iterable[TaskRow]) -> None:
        """A step that changed these is committed."""
        needy = {row.process_instance_id for row in tasks if row.open and needs_somebody(row)}
        for instance in instances:
            row = instance.row
            news = at_rest(row) or row.process_instance_id in needy
            if row.phase == "ended" and row.process_instance_id in self._watches:
                self._note_end(instance)
            self._tell(row.process_instance_id, news=news)
            if row.origin is not None:
                self._tell(row.origin, news=row.process_instance_id in needy)

    def _note_end(self, instance: Instance) -> None:
        ended = _ended(instance)
        with self._lock:
            for each in self._watches.get(instance.number, ()):
                each.ended = ended

    def _tell(self, number: int, *, news: bool) -> None:
        if number in self._watches:
            with self._lock:
                watches = [each for each in self._watches.get(number, ()) if news or each.any_change]
            for each in watches:
                each.told()

    def hear(self, numbers: Iterable[int] | None) -> None:
        """Other engines tell that they have stepped these; None where they may have, with any."""
        with self._lock:
            if numbers is None:
                self._heard = None
            elif self._heard is not None:
                self._heard.update(numbers)

    def to_ask(self, lasts: float) -> list[int]:
        """Processes of which other engines are to tell, since they were not asked for so long."""
        if not self._elsewhere:
            return []
        now = time.monotonic()
        with self._lock:
            chosen = [each for each in self._elsewhere if now - each.since > BRIEF and now - each.asked > lasts]
        for each in chosen:
            each.asked = now
        return sorted({each.number for each in chosen})

    def pause(self, *, are_told: bool) -> float:
        """Seconds until the next look."""
        if not self._watches:
            return LOOK * 2
        now = time.monotonic()
        with self._lock:
            if any(not each.asked for each in self._elsewhere) and are_told:
                return BRIEF
            return SOON if any(not are_told or now - each.since < FRESH for each in self._elsewhere) else LOOK

    def look(self, marks: Callable[[list[int]], dict[int, str]], *, are_told: bool) -> None:
        """Tell of what other engines have changed; ``marks`` asks the store, once for all of them.

        Where this engine is told (``are_told``) it need not look so often for what others drive.
        """
        if not self._watches:
            return
        for each, mark in self._seen(marks, self._to_look_at(time.monotonic(), are_told)):
            if mark != each.mark:
                each.mark = mark
                each.told()

    def _to_look_at(self, now: float, are_told: bool) -> list[Watch]:
        with self._lock:
            heard, self._heard = self._heard, set()
            if heard is None or now - self._looked >= LOOK:
                self._looked = self._looked_elsewhere = now
                return [each for found in self._watches.values() for each in found]
            chosen = {each for number in heard for each in self._watches.get(number, ())}
            if self._elsewhere and now - self._looked_elsewhere >= SOON:
                self._looked_elsewhere = now
                chosen |= {each for each in self._elsewhere if not are_told or now - each.since < FRESH}
            return list(chosen)

    @staticmethod
    def _seen(marks: Callable[[list[int]], dict[int, str]], watches: list[Watch]) -> Iterable[tuple[Watch, str | None]]:
        watches = [each for each in watches if each.mark is not None]
        found = marks(sorted({each.number for each in watches})) if watches else {}
        return [(each, found.get(each.number)) for each in watches]

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


def _ended(instance: Instance) -> Rested:
    """The engine lets go of it, so nothing changes this copy any more."""
    tasks = instance.tasks
    return Rested(instance.row, instance.content, tasks.here() if tasks.is_whole else None)
