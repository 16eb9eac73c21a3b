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
from dataclasses import dataclass
from typing import Any

from ..models import AlreadyUsed, Changes, EngineForgotten, EventRow, RevisionConflict, StoreError, TaskRow
from . import failpoints
from .errors import EngineClosed, RiverstoneError, StoreUnavailable, UnknownProcessInstance
from .instance import Facilities, Instance

logger = logging.getLogger("riverstone.engine")

MOST_IN_A_BATCH = 256
MOST_KEPT = 2000
TRIES = 5


class Turn:
    """One transaction in the making: the instances that take part, and what follows its commit."""

    def __init__(self, river: River) -> None:
        self.river = river
        self.changes = Changes()
        self.instances: dict[int, Instance] = {}
        self.owed: list[EventRow] = []

    def instance(self, process_instance_id: int) -> Instance:
        """The instance, its copy in memory if that is kept; raises UnknownProcessInstance."""
        found = self.instances.get(process_instance_id)
        if found is None:
            found = self.river.kept(process_instance_id)
            self.join(found)
        return found

    def join(self, instance: Instance) -> None:
        """Let an instance write into this transaction."""
        self.instances[instance.number] = instance
        self.changes.instance_joins(instance.row)
        instance.changes = self.changes
        instance.find = self.instance
        if instance.row.origin is not None:
            instance.origin = self.instance(instance.row.origin)


Action = Callable[[Turn], Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """One event in the inbox; ``otherwise`` is stepped in its place if it cannot be."""

    action: Action
    future: Future[Any] | None = None
    otherwise: Action | None = None


class River:
    """One line of steps for one engine; ``submit`` from any thread, ``drain`` where the steps run."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self._kept: OrderedDict[int, Instance] = OrderedDict()
        self._inbox: list[Posted] = []
        self._inbox_lock = threading.Lock()
        self._closed = False
        self._stepping = threading.RLock()
        self.arrived = threading.Condition(self._inbox_lock)
        self._watchers: dict[int, list[threading.Event]] = {}
        self.unavailable = False
        """Whether the store could not be reached in the last turn, so that something is still to be stepped."""
        self.suspects: dict[int, int] = {}
        """Instances of turns that failed, with how often their lost hand-overs were looked for since."""
        self.dues: list[tuple[int, str, int, int, int]] = []
        """What this engine knows to be due: (milliseconds, kind, instance, task or token, number)."""

    # -- taking events in

    def submit(self, action: Action) -> Future[Any]:
        """Queue an event; the future has its result once that is durable, or what it raised."""
        future: Future[Any] = Future()
        with self.arrived:
            if self._closed:
                raise EngineClosed("The engine is closed: make a new one.")
            self._inbox.append(Posted(action, future))
            self.arrived.notify()
        return future

    def post(self, action: Action, *, otherwise: Action | None = None) -> None:
        """Queue an event that nobody waits for; if it cannot be stepped, that is logged and ``otherwise`` is."""
        with self.arrived:
            self._inbox.append(Posted(action, None, otherwise))
            self.arrived.notify()

    def watch(self, process_instance_id: int) -> threading.Event:
        """Set when a step of this engine brings the instance to rest; another engine's step does not set it."""
        watcher = threading.Event()
        self._watchers.setdefault(process_instance_id, []).append(watcher)
        return watcher

    def unwatch(self, process_instance_id: int, watcher: threading.Event) -> None:
        """Nobody looks at the watcher any more."""
        watchers = self._watchers.get(process_instance_id, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                self._watchers.pop(process_instance_id, None)

    def has_work(self) -> bool:
        """Whether anything waits in the inbox."""
        return bool(self._inbox)

    def drain(self) -> bool:
        """Step everything that waits, in one transaction; false if there was nothing."""
        with self._stepping:
            with self._inbox_lock:
                batch, self._inbox = self._inbox[:MOST_IN_A_BATCH], self._inbox[MOST_IN_A_BATCH:]
            if not batch:
                return False
            self.unavailable = False
            self._step_together(batch)
            return not self.unavailable

    def close(self) -> None:
        """Step what still waits, and take nothing more: nobody would step it."""
        while not self._closed:
            self.drain()
            with self._inbox_lock:
                # Where the database is away, the store still has what the rest was about: others do it again.
                self._closed = not self._inbox or self.unavailable

    def now(self, action: Action) -> Any:
        """Step one event in the caller's thread and return its result once that is durable."""
        with self._stepping:
            future: Future[Any] = Future()
            self._step_together([Posted(action, future)])
            return future.result()

    # -- stepping

    def _step_together(self, batch: Sequence[Posted]) -> None:
        failpoints.reach("before-step")
        turn = Turn(self)
        results: list[tuple[Future[Any] | None, Any]] = []
        try:
            for posted in batch:
                results.append((posted.future, posted.action(turn)))
            self._commit(turn)
        except Exception:
            self._forget(turn)
            self._step_alone(batch)
            return
        for future, result in results:
            if future is not None:
                future.set_result(result)
        self._after_commit(turn)

    def _step_alone(self, batch: Sequence[Posted]) -> None:
        for posted in batch:
            try:
                result, turn = self._step_one(posted.action)
            except Exception as error:
                self._failed(posted, error)
                continue
            if posted.future is not None:
                posted.future.set_result(result)
            self._after_commit(turn)

    def _failed(self, posted: Posted, error: Exception) -> None:
        if posted.future is not None:
            posted.future.set_exception(error)
        elif isinstance(error, RiverstoneError):
            logger.info("an event was refused: %s", error.message)
        else:
            logger.error("an event could not be stepped", exc_info=error)
        if isinstance(error, StoreUnavailable):
            if posted.future is None:
                # What stones have done is not thrown away while the database is away.
                with self.arrived:
                    self._inbox.append(posted)
            self.unavailable = True
        elif posted.otherwise is not None:
            self.post(posted.otherwise)

    def _step_one(self, action: Action) -> tuple[Any, Turn]:
        """Step and commit one event, again where another engine was faster; raises what it cannot get over."""
        for _ in range(TRIES):
            turn = Turn(self)
            try:
                result = action(turn)
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
        for instance in list(turn.instances.values()):
            for made in instance.made:
                turn.instances[made.number] = made
                made.find = turn.instance
        turn.owed = list(turn.changes.new_events)
        if turn.changes:
            failpoints.reach("before-commit")
            self.facilities.store.commit(turn.changes)
            failpoints.reach("after-commit")

    def _after_commit(self, turn: Turn) -> None:
        works: list[tuple[Instance, TaskRow]] = []
        rested: list[int] = []
        for instance in turn.instances.values():
            instance.made.clear()
            self._keep(instance)
            works.extend((instance, row) for row in instance.handed if row.open)
            instance.handed = []
            if instance.row.phase in ("ended", "paused"):
                rested.append(instance.number)
        self._note_dues(turn)
        if works:
            failpoints.reach("before-handover")
            self.facilities.dispatcher.submit([instance.work(row) for instance, row in works])
            failpoints.reach("after-handover")
        for number in rested if self._watchers else ():
            for watcher in self._watchers.pop(number, ()):
                watcher.set()
        for event in turn.owed:
            failpoints.reach("event-owed")
            self.on_owed(event)

    on_owed: Callable[[EventRow], None]
    on_forgotten: Callable[[], None]

    def _note_dues(self, turn: Turn) -> None:
        changes = turn.changes
        noted = len(self.dues)
        for row in (*changes.new_tasks.values(), *changes.tasks.values()):
            for moment in (row.due, row.deadline) if row.open else ():
                if moment is not None:
                    heapq.heappush(self.dues, (moment, "task", row.process_instance_id, row.id, 0))
        for wait in changes.new_waits:
            if wait.due is not None:
                heapq.heappush(self.dues, (wait.due, "timer", wait.process_instance_id, wait.token, wait.number))
        for instance in turn.instances.values():
            if instance.row.due is not None:
                heapq.heappush(self.dues, (instance.row.due, "grace", instance.number, 0, 0))
        if len(self.dues) != noted:
            with self.arrived:
                self.arrived.notify()

    # -- instances in memory

    def kept(self, process_instance_id: int) -> Instance:
        """The copy in memory, or a fresh one from the store. Its revision is checked by the commit that uses it."""
        found = self._kept.get(process_instance_id)
        if found is not None:
            self._kept.move_to_end(process_instance_id)
            return found
        store = self.facilities.store
        row, content = store.instance(process_instance_id), store.content(process_instance_id)
        if row is None or content is None:
            raise UnknownProcessInstance(str(process_instance_id))
        return Instance.loaded(self.facilities, row, content)

    def _keep(self, instance: Instance) -> None:
        if instance.row.phase == "ended":
            self._kept.pop(instance.number, None)
            return
        self._kept[instance.number] = instance
        self._kept.move_to_end(instance.number)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

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

    def shift_tasks(self, by: int) -> None:
        """The moments of this engine's tasks have moved in the store by so many milliseconds."""
        with self._stepping:
            self._kept.clear()
            self.dues = [
                (due + by if kind == "task" else due, kind, number, which, further)
                for due, kind, number, which, further in self.dues
            ]
            heapq.heapify(self.dues)

    def forget(self, process_instance_ids: Iterable[int]) -> None:
        """Read these instances from the store when they are next needed."""
        with self._stepping:
            for number in process_instance_ids:
                self._kept.pop(number, None)
