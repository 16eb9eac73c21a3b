"""The river: takes commands in, steps instances in memory, commits, and only then acknowledges and hands over.

All that waits in the inbox shares one transaction. Where that fails, what was in memory is thrown away and each
command is tried alone against the store, so that one bad command takes none of its neighbours with it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from ...models import (
    AlreadyUsed,
    EngineForgotten,
    EventRow,
    InDoubt,
    KeptMessageRow,
    RevisionConflict,
    StoreError,
)
from .. import failpoints
from ..authoring.definitions import ModelUnread
from ..bpmn.running.unforeseen import Place, Unforeseen, is_unforeseen
from ..errors import OutcomeUnknown, RiverstoneError, StoreUnavailable, Unknown
from ..instance.facilities import Facilities
from ..instance.resting import at_rest
from ..jsontext import not_storable
from ..observing import logs
from ..steps import checking, outcomes
from ..store_errors import UNSTORABLE
from ..webhooks.telling import NoticeWriter
from ..work import Outcome
from . import standstill
from .after_commit import follow
from .checks import Checks
from .commits import Commits
from .due.monitor_polls import MonitorPolls
from .due.schedule import DueTimes, due_action
from .engines.lease import Lease
from .engines.news import News
from .inbox import AwaitedResult, Command, Inbox, StepResult
from .instances import InstanceCache
from .offers import Offers
from .turn import Action, Turn
from .unread_models import UnreadModels
from .waiters import Watch, Watchers

logger = logging.getLogger("riverstone.engine")

MOST_IN_A_BATCH = 256
PAUSES = (0.0, 0.0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.016, 0.016)
"""Seconds, at most, before a turn is stepped again where another engine was faster. Chance shortens each one, so that
two engines do not go on meeting; together they are short enough for those who wait behind it."""
LOOK_FOR_MODEL = 0.005
"""Seconds after which a thread that waits for a model looks again what there is to step."""


class River:
    """One line of steps for one engine; ``ask`` and ``submit`` from any thread, ``drain`` where the steps run."""

    def __init__(
        self, facilities: Facilities, lease: Lease, source: str | None = None, *, passive: bool = False
    ) -> None:
        """``source`` is where the engine's server is reached from outside, if anywhere.

        One that is ``passive`` leaves to others what it has not begun itself.
        """
        self.facilities = facilities
        self.inbox = Inbox()
        self.cache = InstanceCache(facilities.store)
        self.monitor_polls = MonitorPolls(facilities, self.cache)
        self.schedule = DueTimes(self.monitor_polls)
        self.watchers = Watchers()
        self.offers = Offers()
        self.checks = Checks(facilities, self._could_not_tell)
        self.news = News(facilities, self.watchers, self.offers, self.inbox.wake)
        self.telling = NoticeWriter(source)
        self.commits = Commits(facilities, self.telling, self.news)
        self.on_notices: Callable[[], None] = lambda: None
        """Called when there is something to be told."""
        self.pending_messages: deque[EventRow | KeptMessageRow] = deque()
        """Messages and signals that committed steps have thrown; whoever delivers them takes them out."""
        self.unavailable = False
        """Whether the store could not be reached in the last turn, so that something is still to be stepped."""
        self.failed_turns: dict[int, int] = {}
        """Instances of turns that failed, with how often their lost hand-overs were looked for since."""
        self.unfinished: dict[int, None] = {}
        """Instances that go on at once, when others have had their turns; in the order of theirs."""
        self.unread = UnreadModels(facilities.definitions, self.inbox.wake)
        self._lease = lease
        self.is_passive = passive
        self._stepping = threading.RLock()

    # -- taking commands in

    def submit(self, action: Action) -> Future[Any]:
        """Queue an action; the future has its result once that is durable, or what it raised."""
        future: Future[Any] = Future()
        self.inbox.submit(Command(action, future))
        return future

    def ask(self, action: Action) -> Any:
        """Queue an action, and return its result once that is durable or raise what it raised."""
        return self.bring(action).result()

    def bring(
        self, action: Action, then: Callable[[Any], None] | None = None, failed: Callable[[], None] | None = None
    ) -> StepResult:
        """Queue an action, and do not wait: what is returned waits when it is asked.

        ``then`` is called with the result in the thread that steps, before anything else is, or ``failed`` if there is
        an error instead.
        """
        result = AwaitedResult(then, failed)
        self.inbox.submit(Command(action, result))
        return result

    def post(self, *actions: Action) -> None:
        """Queue actions that nobody waits for; one that cannot be stepped is logged."""
        self.inbox.put([Command(action) for action in actions])

    def post_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Queue what came of tasks, together; monitors that have found everything as it was are not stepped."""
        commands = [_entering(outcome) for outcome in outcomes if self._is_to_be_entered(outcome)]
        if commands:
            self.inbox.put(commands)

    def submit_outcome(self, outcome: Outcome) -> Future[Any]:
        """Queue what came of one task, as :meth:`submit` does."""
        if outcome.event == "check":
            self.checks.answered(outcome)
        return self.submit(_entering(outcome).action)

    def _is_to_be_entered(self, outcome: Outcome) -> bool:
        if outcome.event == "check":
            return self.checks.answered(outcome)
        return not (outcome.unchanged and self._is_taken(outcome))

    def _could_not_tell(self, outcome: Outcome, since: int) -> None:
        number = outcome.process_instance_id
        self.post(lambda turn: checking.enter(turn.instance(number), outcome, unless_since=since))

    def _is_taken(self, outcome: Outcome) -> bool:
        taken = self.monitor_polls.take(outcome)
        if taken and self.monitor_polls.pressing:
            self.inbox.wake()
        return taken

    def sleep(self, seconds: Callable[[], float], until: Callable[[], bool]) -> None:
        """Sleep until something arrives, at most so long; not at all if there is work, or ``until`` says so."""
        self.inbox.sleep(seconds, lambda: self.has_work() or until())

    def is_going_on(self, process_instance_id: int) -> bool:
        """Whether the instance was still going on after the last step of this engine that anybody knows of.

        Then, if it has come to rest, a watcher that was there before is told.
        """
        copy = self.cache.peek(process_instance_id)
        return copy is not None and not at_rest(copy.row)

    def watch(self, process_instance_id: int, told: Callable[[], None], *, any_change: bool) -> Watch:
        """Have somebody called for whom the process goes on, whoever drives it; see :meth:`.Watchers.watch`."""
        elsewhere = not self.facilities.store.is_private and not self.is_going_on(process_instance_id)
        watch = self.watchers.watch(process_instance_id, told, any_change=any_change, elsewhere=elsewhere)
        if elsewhere:
            self.inbox.wake()
        return watch

    def watch_started(self, process_instance_id: int, told: Callable[[], None]) -> Watch:
        """The same for a process whose start was just committed; called where the steps run, before the next one.

        So whoever is not told has nothing to look for.
        """
        watch = self.watchers.watch(process_instance_id, told, any_change=False)
        copy = self.cache.peek(process_instance_id)
        watch.mark = "" if copy is None else self.facilities.store.revision_mark(copy.row)
        return watch

    def waiting(self) -> int:
        """How many commands and polls of monitors wait to be stepped or entered."""
        return len(self.inbox.commands) + len(self.monitor_polls.taken) + len(self.unread)

    def has_work(self) -> bool:
        """Whether anything waits that is to be stepped at once."""
        return bool(self.inbox.commands or self.unfinished or self.unread.read) or self.monitor_polls.pressing

    def close(self) -> None:
        """Step what still waits, and take nothing more: nobody would step it."""
        self.inbox.put_back(self.unread.close())
        while not self.inbox.closed:
            self.drain()
            # Where the database is away, the store still has what the rest was about: others do it again.
            if self.unavailable or not self.monitor_polls.taken:
                self.inbox.close(even_if_full=self.unavailable)
        self.unread.end_reading()

    # -- stepping

    def drain(self) -> bool:
        """Step everything that waits, in one transaction; false if there was nothing."""
        if not (self.inbox.commands or self.monitor_polls.taken or self.unread.read):
            return False
        with self._stepping:
            if self.monitor_polls.taken and not self._enter_monitor_polls():
                return False
            return self._step_inbox()

    def go_on(self) -> bool:
        """Give one instance its next turn that had more to do than its last one allowed; whether there was any."""
        if not self.unfinished:
            return False
        with self._stepping:
            number = next(iter(self.unfinished), None)
            if number is None:
                return False
            del self.unfinished[number]
            self.unavailable = False
            self._step_together([Command(due_action("grace", number))])
            return not self.unavailable

    def now(self, action: Action) -> Any:
        """Step one action in the caller's thread and return its result once that is durable."""
        result = StepResult()
        if self._stepping.acquire(blocking=False):
            try:
                self._step_together([Command(action, result)])
            finally:
                self._stepping.release()
        else:
            # While another steps, several may come: the first whose turn it is steps what all of them have asked.
            self.inbox.submit(Command(action, result))
        while not result.is_there:
            self._step_for(result)
        return result.result()

    def _step_for(self, result: StepResult) -> None:
        """Step what waits until this is there, or wait a moment where it cannot be stepped yet."""
        with self._stepping:
            while self.inbox.commands or self.unread.read:
                if result.is_there:
                    return
                self._step_inbox()
        if not result.is_there:
            # It waits for a model, and what others ask meanwhile is stepped.
            time.sleep(LOOK_FOR_MODEL)

    def let_step_end(self) -> None:
        """Return when no other thread is in the middle of a step."""
        with self._stepping:
            pass

    def hand_over_monitors(self, now: int) -> tuple[bool, list[tuple[int, int]]]:
        """Poll the monitors that are due; see :meth:`.MonitorPolls.hand_over`."""
        with self._stepping:
            try:
                return self.monitor_polls.hand_over(now)
            finally:
                while self.monitor_polls.doubtful:
                    self.note_out_of_hand(self.monitor_polls.doubtful.pop())

    def _enter_monitor_polls(self) -> bool:
        """Enter the polls that changed nothing; false where the store cannot be reached."""
        try:
            stepped = self.monitor_polls.enter()
        except StoreError as error:
            logger.warning("the next polls of monitors could not be written: %s", error)
            self.unavailable = True
            return False
        if stepped:
            self.inbox.put(map(_entering, stepped))
        return True

    def _step_inbox(self) -> bool:
        if self.unread.read:
            self.inbox.put_back(self.unread.take_back())
        batch = self.inbox.take(MOST_IN_A_BATCH)
        self.unavailable = False
        if batch:
            self._step_together(batch)
        return not self.unavailable

    def _step_together(self, batch: Sequence[Command]) -> None:
        failpoints.reach("before-step")
        if not self._is_settled(batch):
            return
        turn, aside = Turn(self.facilities, self.cache), self.facilities.definitions.are_read_aside
        results: list[Any] = []
        try:
            for command in batch:
                if aside:
                    self.unread.begin(command)
                results.append(turn.act(command.action))
                if len(results) < len(batch) and turn.is_over():
                    self.inbox.put_back(batch[len(results) :])
                    batch = batch[: len(results)]
                    break
            if aside:
                self.unread.end()
            self.commits.commit(turn)
        except ModelUnread as unread:
            # What came before is stepped again without it.
            self._forget(turn)
            self.unread.put_aside(batch[len(results)], unread)
            self.inbox.put_back(batch[len(results) + 1 :])
            if results:
                self._step_together(batch[: len(results)])
            return
        except InDoubt:
            # None is tried alone: what it asks for may be in the store.
            self._forget(turn)
            for command in batch:
                self._failed(command, OutcomeUnknown())
            return
        except Exception:
            self._forget(turn)
            self._step_alone(batch)
            return
        finally:
            if aside:
                self.unread.end()
        follow(self, turn, batch, results)

    def _is_settled(self, batch: Sequence[Command]) -> bool:
        """Whether it is known what came of the commit before; if not, these cannot be stepped yet."""
        try:
            self.facilities.store.settle()
        except StoreError as error:
            for command in batch:
                self._failed(command, _not_taken(error))
            return False
        return True

    def _step_alone(self, batch: Sequence[Command]) -> None:
        for command in batch:
            try:
                self.unread.begin(command)
                result, turn = self._step_one(command.action)
            except ModelUnread as unread:
                self.unread.put_aside(command, unread)
                continue
            except Exception as error:
                self._failed(command, error)
                continue
            finally:
                self.unread.end()
            follow(self, turn, [command], [result])

    def _failed(self, command: Command, error: Exception) -> None:
        if command.result is None and isinstance(error, standstill.Unstepped):
            self._stand_still(command, error)
            return
        if command.result is not None:
            command.result.set_exception(error)
        elif isinstance(error, RiverstoneError):
            # Not its words, which may quote a value; those about ids do not.
            why = error.message if isinstance(error, (Unknown, StoreUnavailable)) else error.code
            logger.info("an action was refused: %s", why)
        else:
            logger.error("an action could not be stepped: %s", logs.where(error))
        if isinstance(error, StoreUnavailable):
            if command.result is None:
                # What stones have done is not thrown away while the database is away.
                self.inbox.put([command])
            self.unavailable = True
        elif command.otherwise is not None:
            self.post(command.otherwise)

    def _stand_still(self, command: Command, error: standstill.Unstepped) -> None:
        """What nobody asked for could not be stepped: its process waits for somebody, and what has come is entered."""
        if error.process_instance_id is None:
            return
        try:
            self.stand_still(error, self.now)
        except RiverstoneError as refused:
            logger.error("process %d could not be suspended: %s", error.process_instance_id, refused.code)
        if command.otherwise is not None:
            self.inbox.put([Command(command.action, about=command.about)])

    def stand_still(self, error: standstill.Unstepped, step: Callable[[Action], Any]) -> int | None:
        """Let a process wait for somebody whom nobody has asked for, so that others need not wait for it; which it is.

        ``step`` steps one action. None where the error tells of no process. Raises StoreUnavailable.
        """
        number = error.process_instance_id
        if number is not None:
            suspend = partial(standstill.suspend, number=number, reason=error.reason, telling=self.telling)
            self.facilities.observers.tell_changes(step(suspend))
        return number

    def _step_one(self, action: Action) -> tuple[Any, Turn]:
        """Step and commit one action, again where another engine was faster; raises what it cannot get over.

        At what nobody has foreseen a token stands still, and the rest of the turn is as it would have been.
        """
        unforeseen: dict[int, dict[Place, str]] = {}
        tried = 0
        while tried <= len(PAUSES):
            if tried:
                time.sleep(random.uniform(0, PAUSES[tried - 1]))
            tried += 1
            turn = Turn(self.facilities, self.cache, alone=True, unforeseen=unforeseen)
            try:
                result = turn.act(action)
                self.unread.end()
                self.commits.commit(turn)
                return result, turn
            except ModelUnread:
                self._forget(turn)
                raise
            except RevisionConflict as error:
                self._forget(turn)
                self.commits.learn(error)
            except InDoubt as error:
                self._forget(turn)
                raise OutcomeUnknown from error
            except UNSTORABLE as error:
                self._forget(turn)
                raise not_storable("text") from error
            except EngineForgotten:
                self._forget(turn)
                try:
                    self.begin_anew()
                except StoreError as error:
                    raise StoreUnavailable(f"The engine could not sign on again: {error}") from error
            except Exception as error:
                self._forget(turn)
                try:
                    if isinstance(error, StoreError) and not isinstance(error, AlreadyUsed):
                        raise error
                    # A refusal leaves the turn too, and what was read while another engine wrote breaks anything.
                    self.commits.compare(turn, turn.revisions)
                except RevisionConflict as outdated:
                    self.commits.learn(outdated)
                    continue
                except StoreError as unavailable:
                    raise _not_taken(unavailable) from unavailable
                if isinstance(error, Unforeseen) and standstill.note(turn, error, unforeseen):
                    tried -= 1
                    continue
                if is_unforeseen(error):
                    raise standstill.unstepped(turn, error) from error
                raise
        raise StoreUnavailable("Other engines keep changing the same process: try again.")

    # -- what goes wrong

    def _forget(self, turn: Turn) -> None:
        """What is in memory may differ from the store now; what was handed over before still runs."""
        self.cache.forget(turn.instances)
        for number in turn.instances:
            self.note_out_of_hand(number)

    def begin_anew(self) -> None:
        """Others took this engine for dead: leave to them what had not begun here, and let nothing leave before.

        Raises StoreError.
        """
        with self._stepping:
            for instance in self.cache.clear():
                for row in instance.tasks.open_rows():
                    self.facilities.dispatcher.withdraw(row.id)
            self._lease.begin_anew()

    def note_out_of_hand(self, process_instance_id: int) -> None:
        """Some of this instance may be in hand in the store alone: it is looked for when the store answers."""
        self.failed_turns.setdefault(process_instance_id, 0)

    def forget(self, process_instance_ids: Iterable[int]) -> None:
        """Read these instances from the store when they are next needed."""
        with self._stepping:
            self.cache.forget(process_instance_ids)

    def shift(self, by: int, timers_by: int, handed: Iterable[tuple[int, int]]) -> None:
        """Move the moments of tasks and graces, and those of timers, by so many milliseconds, in the store and here.

        See :meth:`.Leases.shift`; raises StoreError.
        """
        with self._stepping:
            left = None if self.facilities.keeps_time else self.schedule.tasks()
            self._lease.leases.shift(self._lease.engine_id, by, timers_by, handed, left)
            self.cache.clear()
            self.schedule.shift(by, timers_by)


def _not_taken(error: StoreError) -> StoreUnavailable:
    return StoreUnavailable(f"The database did not take the change, so nothing was done: {error}")


def _entering(outcome: Outcome) -> Command:
    """The command that enters an outcome; where that cannot be done, the task has failed."""

    if outcome.event == "check":
        number = outcome.process_instance_id
        return Command(lambda turn: checking.enter(turn.instance(number), outcome), None, None, number)

    def enter(turn: Turn) -> None:
        outcomes.apply_outcome(turn.instance(outcome.process_instance_id), outcome)

    def give_up(turn: Turn) -> None:
        outcomes.apply_outcome(turn.instance(outcome.process_instance_id), outcome.as_failure())

    return Command(enter, None, give_up, outcome.process_instance_id)
