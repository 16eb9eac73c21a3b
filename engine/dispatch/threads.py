"""Stones run on a pool of threads in this process: the server's default."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

from .. import failpoints
from ..stones.hooks import perform
from ..work import StopRequest, Work
from .dispatcher import Reports, stone_to_call

PROGRESS_INTERVAL = 0.5
"""Seconds between two progress reports of one task that are worth a write."""


class ThreadsDispatcher:
    """Long-lived threads before one queue, made as they are needed up to ``size``.

    Work wakes one thread; that one, having taken a task, wakes the next if more is waiting and nobody is waking up
    already. So short tasks keep few threads busy, and a long one holds nobody up.
    """

    reports: Reports
    remote = False

    def __init__(self, size: int = 16) -> None:
        self.size = size
        self._waiting: OrderedDict[int, Work] = OrderedDict()
        self._running: dict[int, StopRequest] = {}
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._waking = False
        self._closed = False
        self._lock = threading.Lock()
        self._work_waits = threading.Condition(self._lock)

    def open(self, reports: Reports) -> None:
        self.reports = reports

    def submit(self, work: Sequence[Work]) -> None:
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
            return self._waiting.pop(task_id, None) is not None

    def ask_to_stop(self, task_id: int, delivery: int) -> None:
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
        last = 0.0

        def on_progress(percent: int, text: str | None) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= PROGRESS_INTERVAL:
                last = now
                self.reports.report_progress(work, percent, text)

        outcome = perform(stone, work, limits=self.reports.limits, request=request, on_progress=on_progress)
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
