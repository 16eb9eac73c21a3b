"""What one engine knows to be due, in memory; what it does not know of is found by polling the store."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from ....models import Changes
from ... import failpoints
from ...steps import due
from ..turn import Action, Turn
from .monitor_polls import MonitorPolls

DueEntry = tuple[int, str, int, int, int]
"""Milliseconds, kind, instance, task or token, number; the kind is ``task``, ``grace``, or that of a wait."""


class DueTimes:
    """A heap of what is due; used where the steps run."""

    def __init__(self, monitor_polls: MonitorPolls) -> None:
        self._monitor_polls = monitor_polls
        self._entries: list[DueEntry] = []

    def note(self, changes: Changes, graces: Iterable[DueEntry]) -> bool:
        """Note what a committed turn has put off; whether that was anything but monitors."""
        entries, noted = self._entries, len(self._entries)
        for task in changes.timed:
            if task.due is not None and not self._monitor_polls.note(task):
                heapq.heappush(entries, (task.due, "task", task.process_instance_id, task.id, 0))
            if task.deadline is not None:
                heapq.heappush(entries, (task.deadline, "task", task.process_instance_id, task.id, 0))
        rare = changes.rare_made
        for wait in rare.new_waits if rare is not None else ():
            if wait.due is not None:
                heapq.heappush(entries, (wait.due, wait.kind, wait.process_instance_id, wait.token, wait.number))
        for grace in graces:
            heapq.heappush(entries, grace)
        return len(entries) != noted

    def take_due(self, now: int, most: int) -> list[DueEntry]:
        """Take out what is due now."""
        taken: list[DueEntry] = []
        while self._entries and self._entries[0][0] <= now and len(taken) < most:
            taken.append(heapq.heappop(self._entries))
        return taken

    def next_due(self) -> int | None:
        """When anything is due next, monitors included."""
        known = self._entries[0][0] if self._entries else None
        polled = self._monitor_polls.next_due()
        return min((moment for moment in (known, polled) if moment is not None), default=None)

    def tasks(self) -> dict[int, list[int]]:
        """The tasks by the moments that they are noted for, monitors included."""
        found = {moment: list(task_ids) for moment, task_ids in self._monitor_polls.due().items()}
        for moment, kind, _, which, _ in self._entries:
            if kind == "task":
                found.setdefault(moment, []).append(which)
        return found

    def shift(self, by: int, timers_by: int) -> None:
        """The moments of tasks and graces, and those of timers, have moved by so many milliseconds."""
        moved = {"task": by, "grace": by, "timer": timers_by}
        self._entries = [
            (moment + moved.get(kind, 0), kind, number, which, further)
            for moment, kind, number, which, further in self._entries
        ]
        heapq.heapify(self._entries)
        self._monitor_polls.shift(by)


def due_action(kind: str, number: int, which: int = 0, further: int = 0) -> Action:
    """The action for what is due in an instance: the task, or the timer with its token and number, or the grace."""

    def action(turn: Turn) -> None:
        if kind == "task":
            due.task_due(turn.instance(number), which)
        elif kind == "grace":
            due.grace_over(turn.instance(number))
        else:
            due.timer_due(turn.instance(number), which, further)

    failpoints.reach("due")
    return action
