"""Stones run in the thread that asked: the default for scripts and tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ..perform import Outcome, perform
from ..task_info import Request, Work
from .dispatcher import Desk


class InlineDispatcher:
    """Keeps handed-over tasks in a queue that the engine empties before it returns to its caller."""

    desk: Desk

    def __init__(self) -> None:
        self._queue: deque[Work] = deque()
        self._waiting: set[int] = set()
        self._running: dict[int, Request] = {}

    def open(self, desk: Desk) -> None:
        self.desk = desk

    def submit(self, work: Sequence[Work]) -> None:
        for item in work:
            self._queue.append(item)
            self._waiting.add(item.task_id)

    def withdraw(self, task_id: int) -> bool:
        if task_id not in self._waiting:
            return False
        self._waiting.discard(task_id)
        return True

    def ask_to_stop(self, task_id: int) -> None:
        request = self._running.get(task_id)
        if request is not None:
            request.ask()

    def holds(self, task_id: int) -> bool:
        return task_id in self._waiting or task_id in self._running

    def running(self, task_id: int) -> bool:
        return task_id in self._running

    def run_next(self) -> bool:
        """Carry out the next task in this thread; false if there is none."""
        while self._queue:
            work = self._queue.popleft()
            if work.task_id not in self._waiting:
                continue
            self._waiting.discard(work.task_id)
            stone = self.desk.stone_for(work)
            if stone is None:
                continue
            request = self._running[work.task_id] = Request()
            try:
                outcome: Outcome = perform(stone, work, limits=self.desk.limits, request=request)
            finally:
                del self._running[work.task_id]
            self.desk.report([outcome])
            return True
        return False

    def close(self) -> None:
        self._queue.clear()
        self._waiting.clear()
