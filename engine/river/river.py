"""The river: takes events in, steps instances in memory, commits, and only then acknowledges and hands over.

All that waits in the inbox shares one transaction. Where that fails, what was in memory is thrown away and each
event is tried alone against the store, so that one bad event takes none of its neighbours with it.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from ...models import AlreadyUsed, Changes, EngineForgotten, EventRow, RevisionConflict, StoreError
from .. import failpoints
from ..errors import EngineClosed, RiverstoneError, StoreUnavailable, Unknown, UnknownProcessInstance
from ..instance.facilities import Facilities
from ..instance.instance import Instance
from ..instance.resting import RESTING
from ..observing import logs
from ..undo.instance import load_instance
from ..work import Outcome, Work
from .monitor_polls import Looks
from .turn import Action, Answer, Awaited, Posted, Turn
from .waiters import Watchers

logger = logging.getLogger("riverstone.engine")

Due = tuple[int, str, int, int, int]
"""Milliseconds, kind, instance, task or token, number; the kind is ``task``, ``grace``, or that of a wait."""
MOST_IN_A_BATCH = 256
MOST_KEPT = 1000
TRIES = 5


class River:
    """One line of steps for one engine; ``ask`` and ``submit`` from any thread, ``drain`` where the steps run."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self._kept: OrderedDict[int, Instance] = OrderedDict()
        self._inbox: list[Posted] = []
        self._inbox_lock = threading.Lock()
        self._arrived = threading.Condition(self._inbox_lock)
        self._sleeping = False
        """Whether a thread sleeps until something arrives: telling a condition costs, and often nobody waits for it."""
        self._closed = False
        self._stepping = threading.RLock()
        self.watchers = Watchers()
        self.unavailable = False
        """Whether the store could not be reached in the last turn, so that something is still to be stepped."""
        self.suspects: dict[int, int] = {}
        """Instances of turns that failed, with how often their lost hand-overs were looked for since."""
        self.looks = Looks(facilities)
        self.dues: list[Due] = []
        """What this engine knows to be due; a heap."""

    # -- taking events in

    def submit(self, action: Action) -> Future[Any]:
        """Queue an event; the future has its result once that is durable, or what it raised."""
        future: Future[Any] = Future()
        self._submit(Posted(action, future))
        return future

    def ask(self, action: Action) -> Any:
        """Queue an event, and return its result once that is durable or raise what it raised."""
        answer = Awaited()
        self._submit(Posted(action, answer))
        return answer.result()

    def _submit(self, event: Posted) -> None:
        with self._inbox_lock:
            if self._closed:
                raise EngineClosed("The engine is closed: make a new one.")
            self._inbox.append(event)
            if self._sleeping:
                self._wake()

    def post(self, *actions: Action) -> None:
        """Queue events that nobody waits for; one that cannot be stepped is logged."""
        self.post_all([Posted(action) for action in actions])

    def post_all(self, events: Iterable[Posted]) -> None:
        """Queue events together; where one cannot be stepped, that is logged and its ``otherwise`` is."""
        with self._inbox_lock:
            self._inbox.extend(events)
            if self._sleeping:
                self._wake()

    def wake(self) -> None:
        """Let the thread look again that sleeps until something arrives."""
        with self._inbox_lock:
            if self._sleeping:
                self._wake()

    def _wake(self) -> None:
        self._sleeping = False
        self._arrived.notify_all()

    def sleep(self, seconds: Callable[[], float], until: Callable[[], bool]) -> None:
        """Sleep until something arrives, at most so long; not at all if there is work, or ``until`` says so."""
        with self._inbox_lock:
            if self.has_work() or until():
                return
            self._sleeping = True
            self._arrived.wait(seconds())
            self._sleeping = False

    def is_going_on(self, process_instance_id: int) -> bool:
        """Whether the instance was still going on after the last step of this engine that anybody knows of.

        Then, if it has come to rest, a watcher that was there before is told.
        """
        kept = self._kept.get(process_instance_id)
        return kept is not None and kept.row.phase not in RESTING

    def waiting(self) -> int:
        """How many events wait in the inbox."""
        return len(self._inbox) + len(self.looks.came_in)

    def has_work(self) -> bool:
        """Whether anything waits that is to be stepped at once."""
        return bool(self._inbox) or self.looks.pressing

    def drain(self) -> bool:
        """Step everything that waits, in one transaction; false if there was nothing."""
        if not (self._inbox or self.looks.came_in):
            return False
        with self._stepping:
            if self.looks.came_in and not self._enter_looks():
                return False
            return self._step_inbox()

    def let_step_end(self) -> None:
        """Return when no other thread is in the middle of a step."""
        with self._stepping:
            pass

    def _step_inbox(self) -> bool:
        with self._inbox_lock:
            batch = self._inbox
            self._inbox = batch[MOST_IN_A_BATCH:] if len(batch) > MOST_IN_A_BATCH else []
            del batch[MOST_IN_A_BATCH:]
        self.unavailable = False
        if batch:
            self._step_together(batch)
        return not self.unavailable

    def _enter_looks(self) -> bool:
        """Enter the looks that changed nothing; false where the store cannot be reached."""
        try:
            stepped = self.looks.enter(self._kept)
        except StoreError as error:
            logger.warning("the next looks of monitors could not be written: %s", error)
            self.unavailable = True
            return False
        if stepped:
            self.post_all(map(self.entered, stepped))
        return True

    def hand_over_looks(self, now: int) -> list[tuple[int, int]]:
        """Look at what is due; returns, as (instance, task), what has to be stepped like any other task."""
        with self._stepping:
            return self.looks.hand_over(now)

    def tell_look(self, outcome: Outcome) -> bool:
        """Take a look that changed nothing, from any thread; false for every other outcome, which is to be posted."""
        taken = self.looks.came(outcome)
        if taken and self.looks.pressing:
            self.wake()
        return taken

    def close(self) -> None:
        """Step what still waits, and take nothing more: nobody would step it."""
        while not self._closed:
            self.drain()
            with self._inbox_lock:
                # Where the database is away, the store still has what the rest was about: others do it again.
                self._closed = not self.waiting() or self.unavailable

    def now(self, action: Action) -> Any:
        """Step one event in the caller's thread and return its result once that is durable."""
        answer = Answer()
        if self._stepping.acquire(blocking=False):
            try:
                self._step_together([Posted(action, answer)])
            finally:
                self._stepping.release()
            return answer.result()
        # While another thread steps, several may come: the first whose turn it is steps what all of them have asked.
        self._submit(Posted(action, answer))
        with self._stepping:
            while not answer.is_there:
                self._step_inbox()
        return answer.result()

    # -- stepping

    def _step_together(self, batch: Sequence[Posted]) -> None:
        failpoints.reach("before-step")
        turn = Turn(self)
        results: list[Any] = []
        try:
            for posted in batch:
                results.append(turn.act(posted.action))
            self._commit(turn)
        except Exception:
            self._forget(turn)
            self._step_alone(batch)
            return
        self._after_commit(turn, batch, results)

    def _step_alone(self, batch: Sequence[Posted]) -> None:
        for posted in batch:
            try:
                result, turn = self._step_one(posted.action)
            except Exception as error:
                self._failed(posted, error)
                continue
            self._after_commit(turn, [posted], [result])

    def _failed(self, posted: Posted, error: Exception) -> None:
        if posted.future is not None:
            posted.future.set_exception(error)
        elif isinstance(error, RiverstoneError):
            # Not its words, which may quote a value; those about ids do not.
            why = error.message if isinstance(error, (Unknown, StoreUnavailable)) else error.code
            logger.info("an event was refused: %s", why)
        else:
            logger.error("an event could not be stepped: %s", logs.where(error))
        if isinstance(error, StoreUnavailable):
            if posted.future is None:
                # What stones have done is not thrown away while the database is away.
                with self._inbox_lock:
                    self._inbox.append(posted)
            self.unavailable = True
        elif posted.otherwise is not None:
            self.post(posted.otherwise)

    def _step_one(self, action: Action) -> tuple[Any, Turn]:
        """Step and commit one event, again where another engine was faster; raises what it cannot get over."""
        for _ in range(TRIES):
            turn = Turn(self, alone=True)
            try:
                result = turn.act(action)
                self._commit(turn)
                return result, turn
            except RevisionConflict:
                self._forget(turn)
            except EngineForgotten:
                self._forget(turn)
                self._begin_again()
            except (RiverstoneError, AlreadyUsed):
                self._forget(turn)
                raise
            except StoreError as error:
                self._forget(turn)
                raise StoreUnavailable(f"The database did not take the change, so nothing was done: {error}") from error
            except Exception:
                self._forget(turn)
                raise
        raise StoreUnavailable("Other engines keep changing the same process: try again.")

    def _commit(self, turn: Turn) -> None:
        if turn.changes:
            failpoints.reach("before-commit")
            self.facilities.store.commit(turn.changes)
            failpoints.reach("after-commit")

    def _after_commit(self, turn: Turn, batch: Sequence[Posted], results: Sequence[Any]) -> None:
        """Answer those who asked for these events, and hand over what is to be done."""
        changes = turn.changes
        works: list[Work] = []
        rested: list[Instance] = []
        graces: list[Due] = []
        for instance in turn.instances.values():
            if instance.to_hand_over:
                works += [instance.work(task) for task in instance.to_hand_over if task.open]
                instance.to_hand_over = []
            row = instance.row
            if row.phase in RESTING:
                rested.append(instance)
            if row.due is not None:
                graces.append((row.due, "grace", row.process_instance_id, 0, 0))
            self._keep(instance)
        # Not before they are kept: who waits next for the end of what was started looks there for it.
        for posted, result in zip(batch, results, strict=True):
            if posted.future is not None:
                posted.future.set_result(result)
        if changes.timed or changes.new_waits or graces:
            self._note_dues(changes, graces)
        self.facilities.observers.tell_changes(turn.instances.values())
        if works:
            failpoints.reach("before-handover")
            self.facilities.dispatcher.submit(works)
            failpoints.reach("after-handover")
        for instance in rested:
            self.watchers.tell(instance)
        for event in changes.new_events:
            failpoints.reach("event-owed")
            self.on_owed(event)
        turn.let_go()

    on_owed: Callable[[EventRow], None]
    on_forgotten: Callable[[], None]
    entered: Callable[[Outcome], Posted]
    """The event that enters an outcome."""

    def _note_dues(self, changes: Changes, graces: Sequence[Due]) -> None:
        dues, noted = self.dues, len(self.dues)
        for task in changes.timed:
            if task.due is not None and not self.looks.take(task):
                heapq.heappush(dues, (task.due, "task", task.process_instance_id, task.id, 0))
            if task.deadline is not None:
                heapq.heappush(dues, (task.deadline, "task", task.process_instance_id, task.id, 0))
        for wait in changes.new_waits:
            if wait.due is not None:
                heapq.heappush(dues, (wait.due, wait.kind, wait.process_instance_id, wait.token, wait.number))
        for grace in graces:
            heapq.heappush(dues, grace)
        self.looks.let_rest(self._kept)
        if len(dues) != noted:
            self.wake()

    # -- instances in memory

    def kept(self, process_instance_id: int, turn: Turn) -> Instance:
        """The copy in memory, or a fresh one from the store. Its revision is checked by the commit that uses it."""
        found = self._kept.get(process_instance_id)
        if found is not None:
            self._kept.move_to_end(process_instance_id)
            return found
        record = self.facilities.store.record(process_instance_id)
        if record is None:
            raise UnknownProcessInstance(str(process_instance_id))
        return load_instance(self.facilities, *record, turn.instance)

    def _keep(self, instance: Instance) -> None:
        number, kept = instance.row.process_instance_id, self._kept
        if instance.row.phase == "ended":
            kept.pop(number, None)
        elif kept.get(number) is not instance:
            # One that was there has moved to the end as it was asked for.
            kept[number] = instance
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)

    def _forget(self, turn: Turn) -> None:
        """What is in memory may differ from the store now; what was handed over before still runs."""
        for number in turn.instances:
            self._kept.pop(number, None)
            self.suspects.setdefault(number, 0)

    def _begin_again(self) -> None:
        """Others took this engine for dead: sign on again, and leave to them what had not begun here."""
        logger.warning("engine %s was silent for so long that it was taken for dead", self.facilities.engine_id)
        for instance in self._kept.values():
            for row in instance.tasks.values():
                if row.open:
                    self.facilities.dispatcher.withdraw(row.id)
        self._kept.clear()
        self.on_forgotten()

    def shift(self, by: int, timers_by: int) -> None:
        """The moments of tasks and graces, and those of timers, have moved in the store by so many milliseconds."""
        moved = {"task": by, "grace": by, "timer": timers_by}
        with self._stepping:
            self._kept.clear()
            self.looks.shift(by)
            self.dues = [
                (due + moved.get(kind, 0), kind, number, which, further)
                for due, kind, number, which, further in self.dues
            ]
            heapq.heapify(self.dues)

    def drop_stale(self, process_instance_ids: Iterable[int], turn: Turn) -> None:
        """Read those from the store again, when they are next needed, that another engine has changed."""
        numbers = [number for number in process_instance_ids if number in self._kept and number not in turn.instances]
        stored = self.facilities.store.revisions(numbers) if numbers else {}
        for number in numbers:
            if stored.get(number) != self._kept[number].row.revision:
                del self._kept[number]

    def forget(self, process_instance_ids: Iterable[int]) -> None:
        """Read these instances from the store when they are next needed."""
        with self._stepping:
            for number in process_instance_ids:
                self._kept.pop(number, None)
