"""Stones run on a pool of threads in this process: the server's default."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

from ..perform import perform
from ..task_info import Request, Work
from .dispatcher import Desk

PROGRESS_INTERVAL = 0.5
"""Seconds between two progress reports of one task that are worth a write."""


class ThreadsDispatcher:
    """Long-lived threads behind one queue, made as they are needed up to ``size``."""

    desk: Desk

    def __init__(self, size: int = 16) -> None:
        self.size = size
        self._queue: SimpleQueue[int | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: dict[int, Work] = {}
        self._running: dict[int, Request] = {}
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def open(self, desk: Desk) -> None:
        self.desk = desk

    def submit(self, work: Sequence[Work]) -> None:
        with self._lock:
            if self._closed:
                return
            for item in work:
                self._waiting[item.task_id] = item
            missing = min(self.size - len(self._threads), len(self._waiting) - self._idle)
            for _ in range(missing):
                thread = threading.Thread(target=self._work, name=f"riverstone-stone-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        for item in work:
            self._queue.put(item.task_id)

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
        with self._lock:
            return task_id in self._running

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            task_id = self._queue.get()
            with self._lock:
                self._idle -= 1
                if task_id is None:
                    return
                work = self._waiting.pop(task_id, None)
                if work is None:
                    continue
                request = self._running[task_id] = Request()
            try:
                self._perform(work, request)
            finally:
                with self._lock:
                    if self._running.get(task_id) is request:
                        del self._running[task_id]

    def _perform(self, work: Work, request: Request) -> None:
        stone = self.desk.stone_for(work)
        if stone is None:
            return
        last = 0.0

        def on_progress(percent: int, text: str | None) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= PROGRESS_INTERVAL:
                last = now
                self.desk.report_progress(work, percent, text)

        outcome = perform(stone, work, limits=self.desk.limits, request=request, on_progress=on_progress)
        # Reported before it counts as no longer running, so that nobody takes it for lost in between.
        self.desk.report([outcome])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._waiting.clear()
            threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()
