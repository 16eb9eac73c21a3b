"""What keeps a river going: a thread that steps what comes in and sees to what is due, or a caller that asks for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ...models import WORKERS, EngineForgotten, EngineRow, StoreError
from .. import failpoints
from ..errors import InternalError, RiverstoneError, StoreUnavailable
from ..instance.facilities import Facilities
from ..observing import logs
from ..steps import due
from ..undo.creation import undo_ids
from .batches import Batches
from .due.pending_messages import PendingMessages
from .due.schedule import due_action
from .due.store_polls import StorePolls
from .engines.clock_jumps import ClockJumps
from .engines.dead_engines import DeadEngines
from .engines.lease import Lease
from .river import River
from .waiters import LOOK

logger = logging.getLogger("riverstone.engine")

POLL = 1.0
"""Seconds between two polls of the store for what others left; what this engine knows of is on time."""
POLL_SUSPECT = 0.05
"""Seconds between two polls whether a task that may be what kills engines is done, since others wait for that."""
BEHIND = 10.0
"""Seconds without a poll of the store, or without an answer of it, after which the engine does not do its work."""
MOST_AT_ONCE = 200


class RiverLoop:
    """One engine's; ``start_due`` starts processes whose timers are due. One that is ``passive`` takes nothing over."""

    def __init__(
        self,
        facilities: Facilities,
        river: River,
        lease: Lease,
        pending: PendingMessages,
        start_due: Callable[[int, int], bool],
        batches: Batches,
        *,
        passive: bool,
    ) -> None:
        self.facilities = facilities
        self.river = river
        self.lease = lease
        self.pending = pending
        self.batches = batches
        self.passive = passive
        self.thread: threading.Thread | None = None
        self.dead_engines = DeadEngines(lease)
        self._polls = StorePolls(facilities, river, lease, pending, start_due)
        self._clock_jumps = ClockJumps(facilities, river, lease, passive=passive)
        self._stopping = False
        self._polled = 0.0
        """When the store was last polled for what is due, by the monotonic clock; zero where it is to be at once."""
        self._taken_over = 0.0
        """When it was last polled for dead engines."""
        self._begun = self._answered = time.monotonic()

    # -- beginning and ending

    def begin(self, *, own_thread: bool) -> None:
        """Announce the engine, take over what dead ones left, and start the thread."""
        self.lease.sign_on()
        failpoints.reach("announced")
        self.lease.keep(self.river)
        if not self.passive:
            self.dead_engines.take_over()
            self._polls.quotas.begin()
        if own_thread:
            self.river.news.begin()
            self.facilities.definitions.are_read_aside = True
            self.thread = threading.Thread(target=self._run, name="riverstone-river", daemon=True)
            self.thread.start()
        elif not self.passive:
            self._polls.poll(self.facilities.clock.now())

    def announce_end(self) -> None:
        """Tell others that this engine is about to end; what it has in hand still goes on."""
        self.pending.closed = True
        self.lease.announce_end()

    def end(self) -> None:
        """Step what is still in the inbox, then leave the rest to others."""
        self._stopping = True
        self.river.inbox.wake()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join()
        self.river.news.end()
        self.river.close()
        self.lease.sign_off()

    def _run(self) -> None:
        with self.facilities.store.ahead():
            self._run_until_end()

    def _run_until_end(self) -> None:
        while not self._stopping:
            self._begun = time.monotonic()
            try:
                # All of them each time: however much comes in, what is due is not forgotten over it.
                self.river.drain()
                moved = self.river.go_on()
                moved = self.pending.deliver_some() or moved
                moved = self.batches.step_some() or moved
                self._look_for_news()
                # What came in was stepped before all else was looked at, so that alone is no reason to look again.
                if self.run_due() or moved or self.pending.waits:
                    continue
            except StoreError as error:
                logger.warning("the database does not answer: %s", error)
                time.sleep(0.2)
                continue
            except Exception as error:
                # Without this thread nothing would go on any more, so it outlives what nobody has foreseen.
                logger.error("what is due could not be stepped: %s", logs.where(error))
                time.sleep(0.2)
                continue
            self.river.sleep(self._patience, lambda: self._stopping)

    def _look_for_news(self) -> None:
        """What other engines have done and somebody waits for here."""
        news = self.river.news
        news.ask()
        self.river.offers.look(self.facilities.external.waiting)
        if not self.facilities.store.is_private:
            self.river.watchers.look(self.facilities.store.revision_marks, are_told=news.is_listening)
        if news.stops:
            news.stops = False
            self._polled = 0.0

    def behind(self) -> str | None:
        """Why what is due may not be done in time, in a few words; None while all is well."""
        now = time.monotonic()
        if self.thread is None or not self.thread.is_alive():
            return "the engine's thread has ended"
        if now - self._begun > BEHIND:
            return "the engine is far behind"
        if self.facilities.store.is_away() or now - self._answered > BEHIND:
            return "the database does not answer"
        # What can be read and not written, as where the disk is full, takes no sign of life.
        return None if self.lease.covers(0.0) else "the database takes no changes"

    def _patience(self) -> float:
        moment = self._known_due()
        until_due = POLL if moment is None else (moment - self.facilities.clock.now()) / 1000
        most = POLL if self._polls.suspect is None else POLL_SUSPECT
        if self.river.watchers.has_watches:
            most = min(self.river.watchers.pause(are_told=self.river.news.is_listening), most)
        if self.river.offers.awaited:
            most = min(LOOK, most)
        return max(0.0, min(most, until_due))

    # -- what is due

    def run_due(self) -> bool:
        """Step everything that is due now; whether there was anything."""
        try:
            if self.lease.is_lost:
                self.river.begin_anew()
            return self._run_due()
        except EngineForgotten:
            self.lease.is_lost = True
            return True

    def _run_due(self) -> bool:
        self._clock_jumps.follow()
        now = self.facilities.clock.now()
        moved = False
        for _, kind, number, which, further in self.river.schedule.take_due(now, MOST_AT_ONCE):
            self.river.post(due_action(kind, number, which, further))
            moved = True
        polled, others = self.river.hand_over_monitors(now)
        moved = moved or polled
        for number, task_id in others:
            self.river.post(due_action("task", number, task_id))
        self.river.checks.look(now)
        real = time.monotonic()
        if self.river.failed_turns and real - self._polled >= POLL:
            self.repair_failed_turns()
        if self._polls.is_suspect_done():
            # Its outcome is to be in the store before the next of them may kill this engine.
            self._drain()
            self._polled = 0.0
        if not self.passive and (self.thread is None or real - self._polled >= POLL):
            if moved:
                # So that the poll finds only what is not known here.
                self._drain()
            moved = self._poll(now, real) or moved
        self._drain()
        return moved

    def _poll(self, now: int, real: float) -> bool:
        if real - self._taken_over >= POLL:
            self._taken_over = real
            self.dead_engines.take_over()
        self._polled = real
        moved = self._polls.poll(now)
        self.batches.look()
        if not self._polls.found_all:
            self._polled = 0.0
        self._answered = time.monotonic()
        return moved

    def repair_failed_turns(self) -> None:
        """Hand over again what a failed turn may have taken from the dispatcher; later and later where that fails."""
        river = self.river
        failed, river.failed_turns = river.failed_turns, {}
        for number, times in failed.items():
            if times & (times - 1):
                river.failed_turns[number] = times + 1
                continue
            try:
                self._hand_over_again(number)
            except StoreUnavailable:
                river.failed_turns[number] = times
            except InternalError:
                river.failed_turns[number] = times + 1
            except RiverstoneError:
                river.failed_turns.pop(number, None)

    def _hand_over_again(self, number: int) -> None:
        missing = self.river.now(lambda turn: due.out_of_hand(turn.instance(number)))
        if missing:
            # A dispatcher lets go of a task once it has reported: what came of these may still wait to be entered.
            self._drain()
            if len(self.river.unread):
                # Or for a model.
                self.river.note_out_of_hand(number)
                return
            self.river.now(lambda turn: due.hand_over_again(turn.instance(number), missing))

    def _drain(self) -> None:
        while self.river.drain():
            # However much comes in.
            self.river.go_on()

    def next_due(self) -> int | None:
        """When something is due next, as far as this engine or the store knows."""
        found = self.facilities.store.next_due(), self._known_due()
        return min((moment for moment in found if moment is not None), default=None)

    def is_shared(self) -> bool:
        """Whether another engine may do something while this one sleeps."""
        return not self.facilities.store.is_private and self.facilities.clock.runs_by_itself

    def goes_on_elsewhere(self, process_instance_id: int) -> bool:
        """Whether another engine will go on with a process or its undos, and so may bring it to its end.

        It has something of it in hand, hears of the workers who have, lets it begin when there is room, or has a
        message to deliver, which may be for it.
        """
        if not self.is_shared():
            return False
        engines = [row.id for row in self.dead_engines.alive(own=False)]
        store = self.facilities.store
        row = store.instance(process_instance_id) if engines else None
        if row is None:
            return False
        numbers = [process_instance_id, *undo_ids(row).values()]
        return store.is_in_hand_of([*engines, WORKERS], numbers) or store.messages.owes(engines)

    def revisions(self, process_instance_id: int) -> list[int]:
        """Those of a process and its undos, by which somebody knows that nobody has stepped them."""
        store = self.facilities.store
        row = store.instance(process_instance_id)
        if row is None:
            return []
        rows = [store.instance(number) for number in undo_ids(row).values()]
        return [row.revision, *(each.revision for each in rows if each is not None)]

    def _known_due(self) -> int | None:
        found = self.river.schedule.next_due(), self.batches.next_due()
        return min((moment for moment in found if moment is not None), default=None)

    def engines_at_work(self) -> list[EngineRow]:
        """The engines that carry out stones on this store, as far as they show; raises StoreError."""
        return self.dead_engines.alive(own=not self.passive)
