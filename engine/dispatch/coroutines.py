"""Coroutine hooks of one engine: thousands of them wait on one event loop, and hold no thread."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from ...models.databases.uptime import uptime
from .. import failpoints
from ..observing import logs
from ..stones.hooks.call import seldom
from ..stones.hooks.event_loop import EventLoop
from ..stones.hooks.opened import OpenStones
from ..stones.registry import is_awaited
from ..work import Outcome, StopRequest, Work
from .dispatcher import Reports, call_for, stone_to_call

logger = logging.getLogger("riverstone.engine")

STALE = 0.1
"""Seconds after which it is asked once more whether a hook may begin: the loop was blocked meanwhile."""

Begun: TypeAlias = tuple[Work, StopRequest]


class Coroutines:
    """Those of one engine, at most ``most`` at once.

    A thread of its own asks before each hook whether it may begin, and reports what came of those that have ended, so
    that nothing of that ever holds the loop up.
    """

    reports: Reports

    def __init__(self, most: int, elsewhere: Callable[[Sequence[Work]], None]) -> None:
        """``elsewhere`` takes work whose hook turns out to be a plain function."""
        self.most = most
        self.loop = EventLoop()
        self._elsewhere = elsewhere
        self._waiting: OrderedDict[int, Work] = OrderedDict()
        self._running: dict[int, StopRequest] = {}
        self._ended: list[tuple[Begun, Outcome]] = []
        self._going = 0
        """How many are between being taken and being reported."""
        self._closed = False
        self._lock = threading.Lock()
        self._something = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    def submit(self, work: Sequence[Work]) -> None:
        with self._lock:
            if self._closed:
                return
            for item in work:
                self._waiting[item.task_id] = item
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="riverstone-coroutine-reports", daemon=True)
                self._thread.start()
            self._something.notify_all()

    def withdraw(self, task_id: int) -> bool:
        with self._lock:
            return self._waiting.pop(task_id, None) is not None

    def ask_to_stop(self, task_id: int) -> None:
        with self._lock:
            request = self._running.get(task_id)
        if request is not None:
            request.ask()

    def holds(self, task_id: int) -> bool:
        with self._lock:
            return task_id in self._waiting or task_id in self._running

    def running(self, task_id: int) -> bool:
        return task_id in self._running

    def load(self) -> tuple[int, int]:
        return len(self._waiting), len(self._running)

    # -- in its thread

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._is_pressing():
                    self._something.wait()
                if self._closed and not (self._ended or self._going):
                    return
                ended, self._ended = self._ended, []
                self._going -= len(ended)
                taken = [self._take() for _ in range(min(len(self._waiting), self.most - self._going))]
            try:
                if ended:
                    self._report(ended)
            except Exception as error:
                logger.error("what came of coroutines could not be reported: %s", logs.where(error))
            for begun in taken:
                self._begin(begun)

    def _is_pressing(self) -> bool:
        return bool(self._ended or (self._waiting and self._going < self.most) or (self._closed and not self._going))

    def _take(self) -> Begun:
        task_id, work = self._waiting.popitem(last=False)
        request = self._running[task_id] = StopRequest()
        self._going += 1
        return work, request

    def _report(self, ended: Sequence[tuple[Begun, Outcome]]) -> None:
        failpoints.reach("before-report")
        try:
            self.reports.report([outcome for _, outcome in ended])
        finally:
            # After the report, so that nobody takes the tasks for lost in between.
            with self._lock:
                for begun, _ in ended:
                    self._let_go(begun)
        failpoints.reach("after-report")

    def _let_go(self, begun: Begun) -> None:
        work, request = begun
        if self._running.get(work.task_id) is request:
            del self._running[work.task_id]

    def _begin(self, begun: Begun) -> None:
        work, request = begun
        stone = None
        try:
            stone = stone_to_call(self.reports, work)
        except Exception as error:
            logger.error("it could not be asked whether a coroutine may begin: %s", logs.where(error))
        if stone is None or not is_awaited(stone, work.hook or work.event):
            with self._lock:
                self._going -= 1
                self._let_go(begun)
            if stone is not None:
                self._elsewhere([work])
            return
        on_progress = seldom(partial(self.reports.report_progress, work))
        call = call_for(self.reports, stone, work, request, on_progress, self.reports.tell_lines)
        self.loop.begin(call, partial(self._note, begun), unless=partial(self._is_stale, begun, uptime()))

    def _is_stale(self, begun: Begun, asked: float) -> bool:
        """Whether too much time has passed since it was asked whether the hook may begin; then it is asked again."""
        if uptime() - asked <= STALE:
            return False
        with self._lock:
            self._going -= 1
            self._let_go(begun)
            if not self._closed:
                self._waiting[begun[0].task_id] = begun[0]
            self._something.notify_all()
        return True

    def _note(self, begun: Begun, outcome: Outcome) -> None:
        with self._lock:
            self._ended.append((begun, outcome))
            self._something.notify_all()

    def close(self, opened: OpenStones) -> None:
        """Take nothing more; what stones have open is closed when the last hook has ended."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._something.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        opened.close(self.loop.run)
        self.loop.close()
