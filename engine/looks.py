"""The looks of monitors that find everything as it was, which is nearly all of them.

Such a look changes nothing but the time of the next one. So it neither steps nor loads its instance: looks that are due
together are read from the ledger together, and their next times are written together. Whatever a look does change goes
the way of every other event.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Sequence
from typing import Any

from ..models import InstanceRow, Looked, TaskRow
from . import failpoints, ledger
from .instance import Facilities, Instance
from .perform import Outcome
from .task_info import Work

MOST_AT_ONCE = 500
WHOLE = 30_000
"""Milliseconds between two looks from which on these are put off to a full second, so that they come together."""


class Looks:
    """When this engine looks at what next; all but :meth:`came` is called where the steps run."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self._due: list[tuple[int, int, int]] = []
        """What is to be looked at: (milliseconds, task, instance)."""
        self.came_in: list[tuple[int, Outcome, Any]] = []
        """Looks that are not entered: when the next one is due, what came, and the event that it would be."""
        self.pressing = False
        """Whether looks have come whose next ones are not far off: the others may wait to be entered together."""
        self._lock = threading.Lock()
        self.local = not facilities.dispatcher.remote

    # -- noting

    def take(self, row: TaskRow) -> bool:
        """Note the next look of a task, if that is what it waits for."""
        if not self.local or row.status != "monitor.begin" or row.due is None:
            return False
        heapq.heappush(self._due, (row.due, row.id, row.process_instance_id))
        return True

    def next_due(self) -> int | None:
        """When the next look is due, in milliseconds."""
        return self._due[0][0] if self._due else None

    def shift(self, by: int) -> None:
        """The clock has jumped by so many milliseconds, and the tasks' times in the store have followed it."""
        self._due = [(due + by, task_id, number) for due, task_id, number in self._due]

    # -- looking

    def hand_over(self, now: int, kept: dict[int, Instance]) -> list[tuple[int, int]]:
        """Hand over what is due; returns, as (instance, task), what has to be stepped like any other task.

        ``kept`` are the instances in memory, by number.
        """
        due: dict[int, int] = {}
        while self._due and self._due[0][0] <= now and len(due) < MOST_AT_ONCE:
            _, task_id, number = heapq.heappop(self._due)
            due[task_id] = number
        if not due:
            return []
        dispatcher = self.facilities.dispatcher
        works: list[Work] = []
        others: list[tuple[int, int]] = []
        unknown: list[int] = []
        for task_id, number in due.items():
            instance = kept.get(number)
            if dispatcher.holds(task_id):
                continue
            if instance is None:
                unknown.append(task_id)
            elif (row := instance.tasks.get(task_id)) is not None and instance.row.phase == "running":
                self._sort(row, instance.row, now, works, others)
            else:
                others.append((number, task_id))
        for looked, row in self.facilities.store.looks(unknown, self.facilities.engine_id) if unknown else ():
            self._sort(row, looked, now, works, others)
        if works:
            failpoints.reach("before-handover")
            dispatcher.submit(works)
            failpoints.reach("after-handover")
        return others

    def _sort(
        self,
        row: TaskRow,
        instance: InstanceRow | Looked,
        now: int,
        works: list[Work],
        others: list[tuple[int, int]],
    ) -> None:
        if not row.open or (row.due is not None and row.due > now):
            return
        waits = row.status == "monitor.begin" and row.due is not None and row.owner == self.facilities.engine_id
        if waits and (row.deadline is None or row.deadline > now):
            works.append(ledger.work_of(row, instance))
        else:
            others.append((row.process_instance_id, row.id))

    # -- what came of it

    def came(self, outcome: Outcome, event: Any) -> bool:
        """Take an outcome, from any thread, if it is a look that has found everything as it was.

        ``event`` is what is to be stepped should its process not run any more.
        """
        # What was lost before has its losses forgotten by a look that comes back.
        if not (outcome.unchanged and self.local) or outcome.delivery:
            return False
        due = next_look(outcome.interval, self.facilities.clock.now())
        with self._lock:
            self.came_in.append((due, outcome, event))
            self.pressing = self.pressing or outcome.interval * 1000 < WHOLE
        return True

    def holds(self) -> set[int]:
        """The tasks whose looks have come and are not entered; in the store these are still due."""
        with self._lock:
            return {outcome.task_id for _, outcome, _ in self.came_in}

    def enter(self, kept: dict[int, Instance]) -> list[Any]:
        """Write when what was looked at is looked at next; returns the events that have to be stepped after all.

        Raises StoreError; then the looks wait to be entered again.
        """
        with self._lock:
            came, self.came_in = self.came_in, []
            self.pressing = False
        stepped: list[Any] = []
        together: dict[int, list[Outcome]] = {}
        for due, outcome, event in came:
            instance = kept.get(outcome.process_instance_id)
            row = None if instance is None else instance.tasks.get(outcome.task_id)
            if instance is not None and (row is None or not row.open or instance.row.phase != "running"):
                stepped.append(event)
            else:
                together.setdefault(due, []).append(outcome)
        try:
            for due, outcomes in together.items():
                self._put_off(due, outcomes, kept)
        except BaseException:
            with self._lock:
                self.came_in[:0] = came
                self.pressing = True
            raise
        return stepped

    def _put_off(self, due: int, outcomes: Sequence[Outcome], kept: dict[int, Instance]) -> None:
        facilities = self.facilities
        for start in range(0, len(outcomes), MOST_AT_ONCE):
            part = outcomes[start : start + MOST_AT_ONCE]
            numbers = [outcome.task_id for outcome in part]
            if facilities.store.look_again(numbers, due, facilities.engine_id) == len(part):
                still = set(numbers)
            else:
                # Another engine has stopped some: the copies in memory are stale.
                still = {row.id for _, row in facilities.store.looks(numbers, facilities.engine_id)}
                for outcome in part:
                    if outcome.task_id not in still:
                        kept.pop(outcome.process_instance_id, None)
            for outcome in part:
                if outcome.task_id in still:
                    heapq.heappush(self._due, (due, outcome.task_id, outcome.process_instance_id))
                    if (instance := kept.get(outcome.process_instance_id)) is not None:
                        instance.tasks[outcome.task_id].due = due


def next_look(seconds: float, now: int) -> int:
    """When a monitor that looks every so many seconds looks next, in milliseconds since 1970."""
    interval = round(seconds * 1000)
    due = now + interval
    return due if interval < WHOLE else -(-due // 1000) * 1000
