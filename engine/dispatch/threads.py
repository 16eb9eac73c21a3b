"""Stones run on a pool of threads in this process: the server's default."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

from .. import failpoints
from ..stones.hooks.call import seldom
from ..stones.registry import is_awaited
from ..work import StopRequest, Work
from .coroutines import Coroutines
from .dispatcher import Reports, call_for, stone_to_call


class ThreadsDispatcher:
    """Long-lived threads before one queue, made as they are needed up to ``size``.

    Work wakes one thread; that one, having taken a task, wakes the next if more is waiting and nobody is waking up
    already. So short tasks keep few threads busy, and a long one holds nobody up.

    Hooks that are coroutine functions run beside them on an event loop, at most ``coroutines`` at once.
    """

    reports: Reports
    remote = False

    def __init__(self, size: int = 16, coroutines: int = 5000) -> None:
        self.size = size
        self._coroutines = Coroutines(coroutines, self._queue)
        self._waiting: OrderedDict[int, Work] = OrderedDict()
        self._running: dict[int, StopRequest] = {}
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._waking = False
        self._closed = False
        self._lock = threading.Lock()
        self._work_waits = threading.Condition(self._lock)

    def open(self, reports: Reports) -> None:
        self.reports = self._coroutines.reports = reports

    def submit(self, work: Sequence[Work]) -> None:
        plain: list[Work] = []
        awaited: list[Work] = []
        for item in work:
            (awaited if self.reports.is_awaited(item) else plain).append(item)
        if awaited:
            self._coroutines.submit(awaited)
        if plain:
            self._queue(plain)

    def _queue(self, work: Sequence[Work]) -> None:
        with self._lock:
            if self._closed:
                return
            for item in work:
                self._waiting[item.task_id] = item
            if self._waiting and not self._waking:
                self._wake_one()

    def _wake_one(self) -> None:
        """See to it that somebody takes the next waiting task; called with the lock held."""
        if self._idle:
            self._waking = True
            self._work_waits.notify()
        elif len(self._threads) < self.size:
            self._waking = True
            thread = threading.Thread(target=self._run, name=f"riverstone-stone-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def withdraw(self, task_id: int) -> bool:
        with self._lock:
            if self._waiting.pop(task_id, None) is not None:
                return True
        return self._coroutines.withdraw(task_id)

    def ask_to_stop(self, task_id: int, delivery: int) -> None:
        with self._lock:
            request = self._running.get(task_id)
        if request is not None:
            request.ask()
        self._coroutines.ask_to_stop(task_id)

    def holds(self, task_id: int) -> bool:
        with self._lock:
            if task_id in self._waiting or task_id in self._running:
                return True
        return self._coroutines.holds(task_id)

    def running(self, task_id: int) -> bool:
        return task_id in self._running or self._coroutines.running(task_id)

    def load(self) -> tuple[int, int]:
        waiting, running = self._coroutines.load()
        return len(self._waiting) + waiting, len(self._running) + running

    def _run(self) -> None:
        with self._lock:
            self._waking = False
        taken = self._take()
        while taken is not None:
            try:
                self._perform(*taken)
            except BaseException:
                with self._lock:
                    self._let_go(*taken)
                raise
            # After the report, so that nobody takes the task for lost in between.
            taken = self._take(taken)

    def _let_go(self, work: Work, request: StopRequest) -> None:
        if self._running.get(work.task_id) is request:
            del self._running[work.task_id]

    def _take(self, done: tuple[Work, StopRequest] | None = None) -> tuple[Work, StopRequest] | None:
        """The next task, once there is one, in the place of the one that is done; None when there will be none."""
        with self._lock:
            if done is not None:
                self._let_go(*done)
            while not self._waiting and not self._closed:
                self._idle += 1
                self._work_waits.wait()
                self._idle -= 1
                self._waking = False
            if self._closed:
                return None
            task_id, work = self._waiting.popitem(last=False)
            request = self._running[task_id] = StopRequest()
            if self._waiting and not self._waking:
                self._wake_one()
            return work, request

    def _perform(self, work: Work, request: StopRequest) -> None:
        stone = stone_to_call(self.reports, work)
        if stone is None:
            return
        if is_awaited(stone, work.hook or work.event):
            self._coroutines.submit([work])
            return
        on_progress = seldom(partial(self.reports.report_progress, work))
        outcome = call_for(self.reports, stone, work, request, on_progress, self.reports.tell_lines).carry_out()
        failpoints.reach("before-report")
        self.reports.report([outcome])
        failpoints.reach("after-report")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._waiting.clear()
            threads = list(self._threads)
            self._work_waits.notify_all()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()
        self._coroutines.close(self.reports.opened)
