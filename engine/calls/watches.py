"""The engine's calls for those who wait until a process has ended, needs somebody, or has gone on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..errors import UnknownProcessInstance
from ..instance.resting import Rested
from ..river.waiters import Watch
from ..store_errors import engine_errors
from ..views.processes import ProcessInstance, Situation
from .workings import Workings, number_of

INLINE_STEP = 0.1
"""Seconds after which a thread that waits for an inline engine carries out what is due."""


class WatchCalls(Workings):
    """A part of :class:`~riverstone.engine.Engine`."""

    def wait(self, process_instance_id: str, timeout: float | None = None) -> ProcessInstance:
        """Return when the process has ended, its undo included, or needs somebody: after a failure, or suspended.

        While it waits for a message, a signal or a timer this goes on waiting. ``timeout`` is in seconds.
        Raises WaitTimeout, UnknownProcessInstance.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        rested = self._pump.wait(number, lambda: self._at_rest(number), timeout)
        with engine_errors():
            return self._records.rested(rested)

    def situation(self, process_instance_id: str, *, wait: float = 0, since: str | None = None) -> Situation:
        """How a process stands now, and whether it goes on by itself.

        With ``wait`` (seconds) it returns when the process has ended or needs somebody, at the latest after that; with
        ``since`` (the mark of a situation) when there is another mark. Raises UnknownProcessInstance.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        until = time.monotonic() + wait
        woken = threading.Event()
        watchers = self._river if wait else self._river.watchers
        watch = watchers.watch(number, woken.set, any_change=since is not None)
        try:
            while True:
                with engine_errors():
                    found = self._records.situation(number)
                left = until - time.monotonic()
                news = found.need is not None if since is None else found.mark != since
                if news or left <= 0:
                    return found
                watch.mark = found.mark
                if self._pump.inline is not None:
                    self._pump.run_pending()
                    left = min(left, INLINE_STEP)
                woken.wait(left)
                woken.clear()
        finally:
            watch.stop()

    def watch(self, process_instance_id: str, told: Callable[[], None], *, any_change: bool = False) -> Watch:
        """Have ``told`` called from now on when a process may have come to rest or may need somebody.

        With ``any_change`` that is after each of its steps and those of its undos. Steps of other engines are seen
        soon, at the latest within about half a second, once :attr:`Watch.mark` tells what was last seen. ``told`` is
        called in any thread and must not block; look with :meth:`situation` then, or with :attr:`Watch.look`, which
        reads less. Call :meth:`Watch.stop` in the end.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        watch = self._river.watch(number, told, any_change=any_change)
        self._give_look(watch)
        return watch

    def _give_look(self, watch: Watch) -> None:
        watch.look = lambda: self._seen(watch)

    def _seen(self, watch: Watch) -> Situation | None:
        with engine_errors():
            found, watch.mark = self._records.situation_at_end(watch.number, watch.ended)
        return found

    def _at_rest(self, number: int) -> Rested | None:
        with engine_errors():
            return self._records.at_rest(number)
