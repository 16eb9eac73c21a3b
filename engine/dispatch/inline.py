"""Stones run in the thread that asked, which waits for coroutines: the default for scripts and tests."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

from .. import failpoints
from ..stones.hooks.event_loop import EventLoop
from ..stones.stone import Stone
from ..work import Outcome, StopRequest, Work
from .dispatcher import Reports, call_for, stone_to_call

TOGETHER = 0.005
"""Seconds within which the results of short tasks are reported together."""


class InlineDispatcher:
    """Keeps handed-over tasks in a queue that the engine empties before it returns to its caller."""

    reports: Reports
    remote = False

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, Work] = OrderedDict()
        self._running: dict[int, StopRequest] = {}
        self._loop = EventLoop()

    def open(self, reports: Reports) -> None:
        self.reports = reports

    def submit(self, work: Sequence[Work]) -> None:
        for item in work:
            self._waiting[item.task_id] = item

    def withdraw(self, task_id: int) -> bool:
        return self._waiting.pop(task_id, None) is not None

    def ask_to_stop(self, task_id: int, delivery: int) -> None:
        request = self._running.get(task_id)
        if request is not None:
            request.ask()

    def holds(self, task_id: int) -> bool:
        return task_id in self._waiting or task_id in self._running

    def running(self, task_id: int) -> bool:
        return task_id in self._running

    def load(self) -> tuple[int, int]:
        return len(self._waiting), len(self._running)

    def run_some(self) -> bool:
        """Carry out waiting tasks in this thread, and report together what came within a few milliseconds.

        So many short tasks share a commit, and a long one does not keep the results before it waiting. A task
        that fails ends the run at once, before its siblings begin. False if nothing waited.
        """
        outcomes: list[Outcome] = []
        begun: list[int] = []
        moved = False
        end = 0.0
        work: Work | None = None
        try:
            while (work := self._next()) is not None:
                moved = True
                stone = self.stone_for(work)
                if stone is None:
                    continue
                request = self._running[work.task_id] = StopRequest()
                begun.append(work.task_id)
                call = call_for(self.reports, stone, work, request, on_lines=self.reports.tell_lines)
                outcome = self._loop.perform(call)
                failpoints.reach("before-report")
                outcomes.append(outcome)
                now = time.monotonic()
                end = end or now + TOGETHER
                if outcome.result != "done" or now > end:
                    break
        except BaseException:
            # Interrupted from outside, with the task half done: it is delivered again by the next call.
            if work is not None:
                self.submit([work])
            raise
        finally:
            try:
                self.reports.report(outcomes)
            finally:
                # After the report, so that nobody takes the tasks for lost in between.
                for task_id in begun:
                    self._running.pop(task_id, None)
            if outcomes:
                failpoints.reach("after-report")
        return moved

    def stone_for(self, work: Work) -> type[Stone] | None:
        """The class whose hook is to be called for this work now; None where none may be or can be."""
        return stone_to_call(self.reports, work)

    def _next(self) -> Work | None:
        if not self._waiting:
            return None
        try:
            return self._waiting.popitem(last=False)[1]
        except KeyError:
            # It was withdrawn at this moment.
            return None

    def close(self) -> None:
        self._waiting.clear()
        self.reports.opened.close(self._loop.run)
        self._loop.close()
