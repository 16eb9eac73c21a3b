"""The engine's pulse: what is due, what dead engines left, and what is owed to others, seen to in time."""

from __future__ import annotations

import heapq
import logging
import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable

from ...models import SUSPECT, EngineRow, EventRow, Handovers, Leases, StoreError
from .. import failpoints
from ..errors import RiverstoneError, StoreUnavailable
from ..instance import ledger
from ..instance.facilities import Facilities
from ..observing import logs
from ..steps import due
from .heartbeat import Heartbeat
from .river import River
from .turn import Turn

logger = logging.getLogger("riverstone.engine")

POLL = 1.0
"""Seconds between two looks into the store for what others left; what this engine knows of is on time."""
WATCH = 0.05
"""Seconds between two looks whether a task that may be what kills engines is done, since others wait for that."""
LEASE = 30.0
"""Seconds without a sign of life after which an engine counts as dead, even if its process is there."""
WITNESSED = 8.0
"""Seconds for which whoever says so must have seen no sign of life itself."""
BEHIND = 10.0
"""Seconds without a look at the store, or without an answer of it, after which the engine does not do its work."""
JUMP = 30.0
"""Seconds by which the clock and real time may part between two looks before that counts as a jump."""
DEADLINE = 1000
"""Milliseconds for which the deadline of a task in workers' hands is left to the engine that knows of it by itself."""
MOST_AT_ONCE = 200
MOST_REPAIRS = 5
MOST_DELIVERED = 50


class Pulse:
    """Runs the river: in a thread of its own, or in the caller's by :meth:`beat`."""

    def __init__(
        self,
        river: River,
        facilities: Facilities,
        deliver: Callable[[EventRow], None],
        start_due: Callable[[int], bool],
        *,
        passive: bool,
    ) -> None:
        self.river = river
        self.facilities = facilities
        self.passive = passive
        self.thread: threading.Thread | None = None
        self.delivering = False
        self._owed: deque[EventRow] = deque()
        self._stopping = False
        self._polled = 0.0
        self._looked = 0.0
        self._deliver = deliver
        self._start_due = start_due
        self._begun = self._answered = time.monotonic()
        self.leases = Leases(facilities.store)
        self._handovers = Handovers(facilities.store)
        self._heartbeat = Heartbeat(self.leases, facilities.engine_id, river)
        self._observed: dict[str, tuple[int, float]] = {}
        self._suspect: int | None = None
        self._claimed = 0
        """How much of one kind the last look has claimed."""
        self._clock: tuple[int, float, float] | None = None
        """What the engine's clock showed at the last look, and the machine's two that nobody sets."""
        river.on_owed = self._owed.append
        river.on_forgotten = self.sign_on

    # -- beginning and ending

    def begin(self, *, own_thread: bool) -> None:
        """Announce the engine, take over what dead ones left, and start the thread."""
        store, clock = self.facilities.store, self.facilities.clock
        self.sign_on()
        failpoints.reach("announced")
        if not store.is_private:
            self._heartbeat.start()
        if not self.passive:
            self._take_over()
            for event in store.events(MOST_AT_ONCE):
                self._owed.append(event)
        if own_thread:
            self.thread = threading.Thread(target=self._run, name="riverstone-river", daemon=True)
            self.thread.start()
        elif not self.passive:
            self._poll(clock.now())

    def sign_on(self) -> None:
        """Tell that this engine works on the store: at its beginning, and when others took it for dead."""
        pid = os.getpid()
        self.leases.begin(self.facilities.engine_id, platform.node(), pid, process_started(pid))

    def close(self) -> None:
        """Tell others that this engine is about to end; what it has in hand still goes on."""
        if not self.facilities.store.is_private:
            try:
                self.leases.close(self.facilities.engine_id)
            except StoreError as error:
                logger.warning("the engine could not tell that it stops: %s", error)

    def end(self) -> None:
        """Step what is still in the inbox, then leave the rest to others."""
        self._stopping = True
        self.river.wake()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join()
        self.river.close()
        self._heartbeat.stop()
        failpoints.reach("before-sign-off")
        try:
            self.leases.end(self.facilities.engine_id, self.facilities.clock.now())
        except StoreError as error:
            logger.warning("the engine could not sign off: %s", error)
        failpoints.reach("after-sign-off")

    def _run(self) -> None:
        while not self._stopping:
            self._begun = time.monotonic()
            try:
                # All of them each time: however much comes in, what is due is not forgotten over it.
                moved = self.river.drain()
                moved = self.deliver_owed() or moved
                if self.beat() or moved:
                    continue
            except StoreError as error:
                logger.warning("the database does not answer: %s", error)
                time.sleep(0.2)
                continue
            except Exception as error:
                # Without this thread nothing would go on any more, so it outlives what nobody has foreseen.
                logger.error("a look at what is due has failed: %s", logs.where(error))
                time.sleep(0.2)
                continue
            self.river.sleep(self._patience, lambda: self._stopping)

    def behind(self) -> str | None:
        """Why what is due may not be done in time, in a few words; None while all is well."""
        now = time.monotonic()
        if self.thread is None or not self.thread.is_alive():
            return "the engine's thread has ended"
        if now - self._begun > BEHIND:
            return "the engine is far behind"
        return "the database does not answer" if now - self._answered > BEHIND else None

    def _patience(self) -> float:
        due = self._known_due()
        until_due = POLL if due is None else (due - self.facilities.clock.now()) / 1000
        return max(0.0, min(POLL if self._suspect is None else WATCH, until_due))

    # -- what is due

    def beat(self) -> bool:
        """Put everything that is due now into the inbox; whether there was anything."""
        now = self.facilities.clock.now()
        self._follow_clock(now)
        moved = False
        dues = self.river.dues
        taken = 0
        while dues and dues[0][0] <= now and taken < MOST_AT_ONCE:
            _, kind, number, which, further = heapq.heappop(dues)
            self._submit(kind, number, which, further)
            moved = True
            taken += 1
        for number, task_id in self.river.hand_over_looks(now):
            self._submit("task", number, task_id, 0)
        real = time.monotonic()
        if self.river.suspects and real - self._polled >= POLL:
            self._look_after_suspects()
        if self._is_suspect_done():
            # Its outcome is to be in the store before the next of them may kill this engine.
            while self.river.drain():
                pass
            self._polled = 0.0
        if not self.passive and (self.thread is None or real - self._polled >= POLL):
            if real - self._looked >= POLL:
                self._looked = real
                self._take_over()
            self._polled = real
            moved = self._poll(now) or moved
            if self._claimed >= MOST_AT_ONCE:
                # There may be more that somebody left.
                self._polled = 0.0
            self._answered = time.monotonic()
        while self.river.drain():
            pass
        return moved

    def _follow_clock(self, now: int) -> None:
        """Where the clock has jumped, let all that counts from a beginning last for as long as it would have."""
        awake, passed = time.monotonic(), _passed()
        if self._clock is not None and self.facilities.clock.runs_by_itself:
            # While the machine sleeps no stone runs, but a timer does.
            jump = now - self._clock[0] - round((awake - self._clock[1]) * 1000)
            timers_jump = now - self._clock[0] - round((passed - self._clock[2]) * 1000)
            if abs(jump) >= JUMP * 1000:
                timers_jump = timers_jump if abs(timers_jump) >= JUMP * 1000 else 0
                self.leases.shift(self.facilities.engine_id, jump, timers_jump, self._handed())
                self.river.shift(jump, timers_jump)
                logger.warning("the clock has jumped by %d seconds", jump // 1000)
        self._clock = now, awake, passed

    def _handed(self) -> list[tuple[int, int]]:
        """The tasks in workers' hands whose deadlines are this engine's to see to."""
        if self.passive or not self.facilities.dispatcher.remote:
            return []
        # What was handed over just now is not noted yet.
        self._handovers.note(self.facilities.engine_id)
        return self._handovers.seen_to(self.facilities.engine_id)

    def _look_after_suspects(self) -> None:
        """Hand over again what a failed turn may have taken from the dispatcher, but not for ever."""
        suspects, self.river.suspects = self.river.suspects, {}
        for number, times in suspects.items():
            try:
                self._hand_over_again(number)
            except StoreUnavailable:
                self.river.suspects[number] = times
            except RiverstoneError:
                self.river.suspects.pop(number, None)
            except Exception as error:
                self.river.suspects[number] = times + 1
                if times >= MOST_REPAIRS:
                    del self.river.suspects[number]
                    logger.error(
                        "process %d cannot be stepped; it stays as it is stored: %s",
                        number,
                        logs.where(error),
                        extra=logs.about(process_instance_id=number),
                    )

    def _hand_over_again(self, number: int) -> None:
        missing = self.river.now(lambda turn: due.out_of_hand(turn.instance(number)))
        if missing:
            # A dispatcher lets go of a task once it has reported: what came of these may still wait to be entered.
            while self.river.drain():
                pass
            self.river.now(lambda turn: due.hand_over_again(turn.instance(number), missing))

    def next_due(self) -> int | None:
        """When something is due next, as far as this engine or the store knows."""
        found = self.facilities.store.next_due(), self._known_due()
        return min((due for due in found if due is not None), default=None)

    def _known_due(self) -> int | None:
        dues = self.river.dues
        found = dues[0][0] if dues else None, self.river.looks.next_due()
        return min((due for due in found if due is not None), default=None)

    def _submit(self, kind: str, number: int, which: int, further: int) -> None:
        def action(turn: Turn) -> None:
            if kind == "task":
                due.task_due(turn.instance(number), which)
            elif kind == "grace":
                due.grace_over(turn.instance(number))
            else:
                due.timer_due(turn.instance(number), which, further)

        failpoints.reach("due")
        self.river.post(action)

    def _poll(self, now: int) -> bool:
        """What is due in the store and was not known here: left by an engine that died, or set by another."""
        engine_id = self.facilities.engine_id
        due = self.leases.due(engine_id, now)
        moved = self._claim(now, due.free)
        moved = self._start_due(now) or moved
        if due.owned or moved:
            moved = self._poll_tasks(now) or moved
        if due.timers:
            self._claimed = max(self._claimed, self.leases.claim_timers(engine_id, now, MOST_AT_ONCE))
            for number, token, which in self.leases.due_timers(engine_id, now, MOST_AT_ONCE):
                self._submit("timer", number, token, which)
                moved = True
        if due.graces:
            self._claimed = max(self._claimed, self.leases.claim_graces(engine_id, now, MOST_AT_ONCE))
            for number in self.leases.due_graces(engine_id, now, MOST_AT_ONCE):
                self._submit("grace", number, 0, 0)
                moved = True
        if self.facilities.dispatcher.remote:
            for number, task_id in self._handovers.overdue(engine_id, now - DEADLINE):
                self._submit("task", number, task_id, 0)
                moved = True
        return moved

    def _poll_tasks(self, now: int) -> bool:
        moved = False
        found = self.facilities.store.due_tasks(now, MOST_AT_ONCE, self.facilities.engine_id)
        found = [(number, task_id) for number, task_id in found if not self.facilities.dispatcher.holds(task_id)]
        # In this order, since a look comes in before the dispatcher lets go of it.
        looked_at = self.river.looks.holds() if found else ()
        for number, task_id in found:
            if task_id not in looked_at:
                self._submit("task", number, task_id, 0)
                moved = True
        return moved

    def _claim(self, now: int, free: bool) -> bool:
        """Take what is due and nobody's, if there is any; of what may be killing engines, one task at a time."""
        dispatcher = self.facilities.dispatcher
        safe = self._suspect is None or self._is_suspect_done()
        if safe:
            self._suspect = None
        self._claimed = 0
        if not free:
            return False
        # Elsewhere they kill no engine.
        suspects = MOST_AT_ONCE if dispatcher.remote else int(safe)
        failpoints.reach("before-claim")
        claimed = self.leases.claim(
            self.facilities.engine_id, now, MOST_AT_ONCE, suspects=suspects, losses=ledger.losses
        )
        self._claimed = len(claimed)
        failpoints.reach("after-claim")
        for row in claimed:
            # Released in the store alone, so a copy in memory knows nothing of it.
            self.river.forget([row.process_instance_id])
            if ledger.losses(row) >= SUSPECT:
                self._suspect = row.id
        return bool(claimed)

    def _is_suspect_done(self) -> bool:
        return self._suspect is not None and not self.facilities.dispatcher.holds(self._suspect)

    def _take_over(self) -> None:
        """Release what dead engines held, so that any living one goes on with it."""
        engines = self.leases.engines()
        self._observed = {row.id: self._observation(row) for row in engines}
        dead = [row for row in engines if self._is_dead(row)]
        if dead:
            failpoints.reach("before-takeover")
            released = self.leases.take_from(dead, self.facilities.clock.now())
            failpoints.reach("after-takeover")
            logger.info("released %d tasks of %d engines that died", released, len(dead))

    def at_work(self) -> list[EngineRow]:
        """The engines that carry out stones on this store, as far as they show; raises StoreError."""
        own = self.facilities.engine_id
        return [
            row
            for row in self.leases.engines()
            if (not self.passive if row.id == own else row.silent <= LEASE * 1000 and not self._is_gone(row))
        ]

    def _observation(self, row: EngineRow) -> tuple[int, float]:
        """An engine's last sign of life, and since when this engine has seen no other."""
        before = self._observed.get(row.id)
        return before if before is not None and before[0] == row.seen else (row.seen, time.monotonic())

    def _is_dead(self, row: EngineRow) -> bool:
        if row.id == self.facilities.engine_id:
            return False
        if self._is_gone(row):
            return True
        # The database's clock may have jumped, so the silence has also to be witnessed for a while.
        witnessed = time.monotonic() - self._observed[row.id][1]
        return row.silent > LEASE * 1000 and witnessed > WITNESSED

    @staticmethod
    def _is_gone(row: EngineRow) -> bool:
        """Whether it is seen that an engine's process is no more; only those of this machine can be looked at."""
        return row.host == platform.node() and process_started(row.pid) != row.pid_started

    # -- what is owed

    def owed(self) -> int:
        """How many thrown messages and signals wait here to be delivered."""
        return len(self._owed)

    def deliver_owed(self) -> bool:
        """Deliver some of what has been thrown; whether there was anything.

        Not all of it: a delivery may have more thrown, and others want their turn in between.
        """
        if not self._owed or self.delivering:
            return False
        self.delivering = True
        try:
            for _ in range(min(MOST_DELIVERED, len(self._owed))):
                failpoints.reach("before-delivery")
                self._deliver(self._owed.popleft())
                failpoints.reach("after-delivery")
        finally:
            self.delivering = False
        return True


def _passed() -> float:
    """Seconds by a clock that nobody sets and that, where there is one, goes on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def process_started(pid: int) -> str:
    """What tells this process from a later one with the same id; empty if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
            # A dead process that its parent has not asked about yet still has an entry.
            return "" if fields[0] in ("Z", "X") else fields[19]
    except OSError:
        pass
    if os.path.isdir("/proc/self"):
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "alive"
