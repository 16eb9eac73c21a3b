"""The looks of monitors that find everything as it was, which is nearly all of them.

Such a look changes nothing but the time of the next one. So it neither steps nor loads its instance: looks that are due
together are read from the ledger together, and their next times are written together. Whatever a look does change goes
the way of every other event.
"""

from __future__ import annotations

import heapq
import threading
from array import array
from collections.abc import Iterable, MutableMapping, Sequence

from ...models import StoreError, TaskRow
from .. import failpoints
from ..instance import ledger
from ..instance.facilities import Facilities
from ..instance.instance import Instance
from ..work import Outcome, Work

MOST_AT_ONCE = 500
MOST_RESTING = 100
"""How many instances are kept in memory that wait for nothing but looks which are far off."""


class Looks:
    """When this engine looks at what next; all but :meth:`came` is called where the steps run."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self._moments: list[int] = []
        """When anything is to be looked at, in milliseconds; a heap."""
        self._due: dict[int, array[int]] = {}
        """What is to be looked at then: the tasks, in eight bytes each, since there may be very many."""
        self._resting: dict[int, None] = {}
        """Instances with a look that is far off, the longest untouched first."""
        self.came_in: list[tuple[int, Outcome]] = []
        """Looks that are not entered, each with when the next one is due."""
        self.pressing = False
        """Whether looks have come whose next ones are not far off: the others may wait to be entered together."""
        self._lock = threading.Lock()
        self.local = not facilities.dispatcher.remote

    # -- noting

    def take(self, row: TaskRow) -> bool:
        """Note the next look of a task, if that is what it waits for."""
        if not self.local or row.status != "monitor.begin" or row.due is None:
            return False
        self._note(row.due, (row.id,))
        if row.due - self.facilities.clock.now() >= ledger.FAR_OFF:
            self._rest(row.process_instance_id)
        return True

    def _note(self, due: int, task_ids: Iterable[int]) -> None:
        noted = self._due.get(due)
        if noted is None:
            noted = self._due[due] = array("q")
            heapq.heappush(self._moments, due)
        noted.extend(task_ids)

    def _rest(self, number: int) -> None:
        self._resting.pop(number, None)
        self._resting[number] = None

    def next_due(self) -> int | None:
        """When the next look is due, in milliseconds."""
        return self._moments[0] if self._moments else None

    def shift(self, by: int) -> None:
        """The clock has jumped by so many milliseconds, and the tasks' times in the store have followed it."""
        self._moments = [due + by for due in self._moments]
        self._due = {due + by: task_ids for due, task_ids in self._due.items()}

    def let_rest(self, kept: MutableMapping[int, Instance]) -> None:
        """Keep no more than some of those in memory that only wait for looks which are far off.

        ``kept`` are the instances in memory, by number. For most of their looks they are not needed.
        """
        while len(self._resting) > MOST_RESTING:
            number = next(iter(self._resting))
            del self._resting[number]
            instance = kept.get(number)
            if instance is not None and not any(_is_in_hand(row) for row in instance.tasks.values()):
                del kept[number]
                instance.workflow.let_go()

    # -- looking

    def hand_over(self, now: int) -> list[tuple[int, int]]:
        """Hand over what is due; returns, as (instance, task), what has to be stepped like any other task.

        Raises StoreError; then all of it is still due.
        """
        task_ids = self._take_due(now)
        if not task_ids:
            return []
        store, dispatcher, engine_id = self.facilities.store, self.facilities.dispatcher, self.facilities.engine_id
        try:
            looks = store.looks(task_ids, now, engine_id)
        except StoreError:
            self._note(now, task_ids)
            raise
        works: list[Work] = []
        others: list[tuple[int, int]] = []
        for look in looks:
            if dispatcher.holds(look.id):
                continue
            if look.phase == "running" and (look.deadline is None or look.deadline > now):
                works.append(ledger.look_of(look))
            else:
                others.append((look.process_instance_id, look.id))
        if works:
            failpoints.reach("before-handover")
            dispatcher.submit(works)
            failpoints.reach("after-handover")
        return others

    def _take_due(self, now: int) -> array[int]:
        taken = array("q")
        while self._moments and self._moments[0] <= now and len(taken) < MOST_AT_ONCE:
            noted = self._due[self._moments[0]]
            room = MOST_AT_ONCE - len(taken)
            taken.extend(noted[:room])
            del noted[:room]
            if not noted:
                del self._due[heapq.heappop(self._moments)]
        return taken

    # -- what came of it

    def came(self, outcome: Outcome) -> bool:
        """Take an outcome, from any thread, if it is a look that has found everything as it was."""
        # What was lost before has its losses forgotten by a look that comes back.
        if not (outcome.unchanged and self.local) or outcome.delivery:
            return False
        due = ledger.next_poll(outcome.interval, self.facilities.clock.now())
        with self._lock:
            self.came_in.append((due, outcome))
            self.pressing = self.pressing or outcome.interval * 1000 < ledger.FAR_OFF
        return True

    def holds(self) -> set[int]:
        """The tasks whose looks have come and are not entered; in the store these are still due."""
        with self._lock:
            return {outcome.task_id for _, outcome in self.came_in}

    def enter(self, kept: MutableMapping[int, Instance]) -> list[Outcome]:
        """Write when what was looked at is looked at next; returns what has to be stepped after all.

        Raises StoreError; then the looks wait to be entered again.
        """
        with self._lock:
            came, self.came_in = self.came_in, []
            self.pressing = False
        stepped: list[Outcome] = []
        together: dict[int, list[Outcome]] = {}
        for due, outcome in came:
            instance = kept.get(outcome.process_instance_id)
            row = None if instance is None else instance.tasks.get(outcome.task_id)
            if instance is not None and (row is None or not row.open or instance.row.phase != "running"):
                stepped.append(outcome)
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
        self.let_rest(kept)
        return stepped

    def _put_off(self, due: int, outcomes: Sequence[Outcome], kept: MutableMapping[int, Instance]) -> None:
        store, engine_id = self.facilities.store, self.facilities.engine_id
        for start in range(0, len(outcomes), MOST_AT_ONCE):
            part = outcomes[start : start + MOST_AT_ONCE]
            task_ids = [outcome.task_id for outcome in part]
            if store.look_again(task_ids, due, engine_id) != len(part):
                # Another engine has stopped some: the copies in memory are stale.
                still = store.looked_at(task_ids, due, engine_id)
                for outcome in part:
                    if outcome.task_id not in still:
                        kept.pop(outcome.process_instance_id, None)
                part = [outcome for outcome in part if outcome.task_id in still]
                task_ids = [outcome.task_id for outcome in part]
            self._note(due, task_ids)
            for outcome in part:
                if (instance := kept.get(outcome.process_instance_id)) is not None:
                    instance.tasks[outcome.task_id].due = due
                    if outcome.interval * 1000 >= ledger.FAR_OFF:
                        self._rest(instance.number)


def _is_in_hand(row: TaskRow) -> bool:
    return bool(row.open) and row.due is None and row.stone is not None
