"""Polls of monitors that find everything as it was, which is nearly all of them.

Such a poll changes nothing but the time of the next one. So it neither steps nor loads its instance: monitors that are
due together are read from the ledger together, and their next times are written together. Whatever a poll does change
goes the way of every other outcome.
"""

from __future__ import annotations

import heapq
import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence

from ....models import Look, StoreError, TaskRow
from ....models.claims.looks import Looks
from ....models.vocabulary import UNDER_WAY
from ... import failpoints
from ...instance.facilities import Facilities
from ...ledger import entries, hook_calls
from ...work import Outcome
from ..instances import InstanceCache

MOST_AT_ONCE = 500
MOST_IDLE = 100
"""How many instances are kept in memory that wait for nothing but polls which are far off."""


class MonitorPolls:
    """When this engine polls which monitor next; all but :meth:`take` is called where the steps run."""

    def __init__(self, facilities: Facilities, cache: InstanceCache) -> None:
        self.facilities = facilities
        self._looks = Looks(facilities.store)
        self._cache = cache
        self._moments: list[int] = []
        """When anything is to be polled, in milliseconds; a heap."""
        self._due: dict[int, array[int]] = {}
        """What is to be polled then: the tasks, in eight bytes each, since there may be very many."""
        self._idle: dict[int, None] = {}
        """Instances with a poll that is far off, the longest untouched first."""
        self.taken: list[tuple[int, Outcome]] = []
        """Outcomes that are not entered, each with when its monitor is polled next."""
        self.pressing = False
        """Whether some of them are polled again soon: the others may wait to be entered together."""
        self.doubtful: set[int] = set()
        """Instances of which tasks may be in hand in the store alone, since it did not say what came of a hand-over."""
        self._lock = threading.Lock()
        self._is_local = not facilities.dispatcher.remote

    # -- noting what is due

    def note(self, row: TaskRow) -> bool:
        """Note the next poll of a task, if that is what it waits for."""
        if (
            not self._is_local
            or row.stone in self.facilities.stones.external
            or row.status != "monitor.begin"
            or row.due is None
        ):
            return False
        self._note(row.due, (row.id,))
        if row.due - self.facilities.clock.now() >= entries.FAR_OFF:
            self._note_idle(row.process_instance_id)
        return True

    def _note(self, due: int, task_ids: Iterable[int]) -> None:
        noted = self._due.get(due)
        if noted is None:
            noted = self._due[due] = array("q")
            heapq.heappush(self._moments, due)
        noted.extend(task_ids)

    def _note_idle(self, number: int) -> None:
        self._idle.pop(number, None)
        self._idle[number] = None

    def next_due(self) -> int | None:
        """When the next monitor is due, in milliseconds."""
        return self._moments[0] if self._moments else None

    def due(self) -> Mapping[int, Sequence[int]]:
        """The tasks by the moments at which they are polled."""
        return self._due

    def shift(self, by: int) -> None:
        """The clock has jumped by so many milliseconds, and the tasks' times in the store have followed it."""
        self._moments = [due + by for due in self._moments]
        self._due = {due + by: task_ids for due, task_ids in self._due.items()}

    def drop_idle(self) -> None:
        """Keep no more than some of those in memory that only wait for polls which are far off.

        For most of their polls they are not needed.
        """
        while len(self._idle) > MOST_IDLE:
            number = next(iter(self._idle))
            del self._idle[number]
            instance = self._cache.peek(number)
            if instance is not None and not any(_is_in_hand(row) for row in instance.tasks.open_rows()):
                self._cache.forget((number,))
                instance.let_go()

    # -- polling

    def hand_over(self, now: int) -> tuple[bool, list[tuple[int, int]]]:
        """Hand over what is due; whether there was any, and what has to be stepped, as (instance, task).

        Raises StoreError; then all of it is still due, or ``doubtful``.
        """
        task_ids = self._take_due(now)
        if not task_ids:
            return False, []
        dispatcher = self.facilities.dispatcher
        try:
            monitors = self._looks.due(task_ids, now, self.facilities.timekeeper)
        except StoreError:
            self._note(now, task_ids)
            raise
        handed: list[Look] = []
        others: list[tuple[int, int]] = []
        for monitor in monitors:
            if dispatcher.holds(monitor.id):
                continue
            if monitor.phase in UNDER_WAY and (monitor.deadline is None or monitor.deadline > now):
                handed.append(monitor)
            else:
                others.append((monitor.process_instance_id, monitor.id))
        if handed:
            self._hand_over(handed, now)
        return bool(handed), others

    def _hand_over(self, looks: list[Look], now: int) -> None:
        numbers, facilities = {look.process_instance_id for look in looks}, self.facilities
        try:
            taken = self._looks.take(looks, now, facilities.engine_id, facilities.timekeeper)
        except StoreError:
            # Perhaps they are in hand now, for all that the store knows.
            self._note(now, [look.id for look in looks])
            self._cache.forget(numbers)
            self.doubtful |= numbers
            raise
        if len(taken) < len(looks):
            # Somebody was faster, or this was done twice since the first answer was lost.
            self.doubtful |= numbers - {look.process_instance_id for look in taken}
        for number in numbers:
            if (instance := self._cache.peek(number)) is not None:
                instance.row.revision += 1
        for look in taken:
            if (instance := self._cache.peek(look.process_instance_id)) is not None and look.id in instance.tasks:
                row = instance.tasks[look.id]
                row.due, row.owner = None, facilities.engine_id
        if taken:
            failpoints.reach("before-handover")
            facilities.dispatcher.submit([hook_calls.work_of_monitor(look) for look in taken])
            failpoints.reach("after-handover")

    def _take_due(self, now: int) -> array[int]:
        due = array("q")
        while self._moments and self._moments[0] <= now and len(due) < MOST_AT_ONCE:
            noted = self._due[self._moments[0]]
            room = MOST_AT_ONCE - len(due)
            due.extend(noted[:room])
            del noted[:room]
            if not noted:
                del self._due[heapq.heappop(self._moments)]
        return due

    # -- what came of it

    def take(self, outcome: Outcome) -> bool:
        """Take an outcome, from any thread, if it is a poll that has found everything as it was."""
        # What was lost before has its losses forgotten by a poll that comes back.
        if not (outcome.unchanged and self._is_local) or outcome.delivery:
            return False
        due = entries.next_poll(outcome.interval, self.facilities.clock.now())
        with self._lock:
            self.taken.append((due, outcome))
            self.pressing = self.pressing or outcome.interval * 1000 < entries.FAR_OFF
        return True

    def holds(self) -> set[int]:
        """The tasks whose polls have come back and are not entered; in the store these are still due."""
        with self._lock:
            return {outcome.task_id for _, outcome in self.taken}

    def enter(self) -> list[Outcome]:
        """Write when what was polled is polled next; returns what has to be stepped after all.

        Raises StoreError; then the outcomes wait to be entered again.
        """
        with self._lock:
            taken, self.taken = self.taken, []
            self.pressing = False
        stepped: list[Outcome] = []
        together: dict[int, list[Outcome]] = {}
        for due, outcome in taken:
            instance = self._cache.peek(outcome.process_instance_id)
            row = None if instance is None else instance.tasks.get(outcome.task_id)
            if instance is not None and (row is None or not row.open or instance.row.phase not in UNDER_WAY):
                stepped.append(outcome)
            else:
                together.setdefault(due, []).append(outcome)
        try:
            for due, outcomes in together.items():
                stepped += self._put_off(due, outcomes)
        except BaseException:
            with self._lock:
                self.taken[:0] = taken
                self.pressing = True
            raise
        self.drop_idle()
        return stepped

    def _put_off(self, due: int, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write when these are polled next; returns those that another engine has stopped or is stopping."""
        engine_id, keeper = self.facilities.engine_id, self.facilities.timekeeper
        stopped: list[Outcome] = []
        for start in range(0, len(outcomes), MOST_AT_ONCE):
            part = outcomes[start : start + MOST_AT_ONCE]
            task_ids = [outcome.task_id for outcome in part]
            numbers = {outcome.process_instance_id for outcome in part}
            count = self._looks.put_off(task_ids, numbers, due, engine_id, keeper)
            for number in numbers:
                if (instance := self._cache.peek(number)) is not None:
                    instance.row.revision += 1
            if count != len(part):
                still = self._looks.were_put_off(task_ids, due, keeper)
                gone = [outcome for outcome in part if outcome.task_id not in still]
                # The copies in memory are stale.
                self._cache.forget(outcome.process_instance_id for outcome in gone)
                stopped += gone
                part = [outcome for outcome in part if outcome.task_id in still]
                task_ids = [outcome.task_id for outcome in part]
            self._note(due, task_ids)
            for outcome in part:
                if (instance := self._cache.peek(outcome.process_instance_id)) is not None:
                    row = instance.tasks[outcome.task_id]
                    row.due, row.owner = due, keeper
                    if outcome.interval * 1000 >= entries.FAR_OFF:
                        self._note_idle(instance.number)
        return stopped


def _is_in_hand(row: TaskRow) -> bool:
    return bool(row.open) and row.due is None and row.stone is not None
