"""What is due in the store and not known here: left by an engine that died, or set by another."""

from __future__ import annotations

from collections.abc import Callable

from ....models import SUSPECT, EventRequests, Handovers
from ... import failpoints
from ...instance.facilities import Facilities
from ...ledger import ledger
from ..engines.lease import Lease
from ..engines.stops import Stops
from ..river import River
from .pending_messages import PendingMessages
from .quota_lines import QuotaPolls
from .schedule import due_action

DEADLINE = 1000
"""Milliseconds for which the deadline of a task in workers' hands is left to the engine that knows of it by itself."""
MOST_AT_ONCE = 200
KEYS_KNOWN = 86_400_000
"""Milliseconds for which the idempotency key of a message or a signal is known."""
KEYS_LOOK = 60_000
"""Milliseconds after which keys are looked for that need not be known any more."""


class StorePolls:
    """One engine's; ``start_due`` starts processes whose timers are due, and tells whether there were any."""

    def __init__(
        self,
        facilities: Facilities,
        river: River,
        lease: Lease,
        pending: PendingMessages,
        start_due: Callable[[int, int], bool],
    ) -> None:
        self.facilities = facilities
        self._pending = pending
        self.river = river
        self._leases = lease.leases
        self._start_due = start_due
        self._handovers = Handovers(facilities.store)
        self._requests = EventRequests(facilities.store)
        self._keys_due = 0
        self._stops = Stops(facilities, river)
        self.quotas = QuotaPolls(facilities)
        self.suspect: int | None = None
        """The task in hand here that may be what kills engines, since it was lost with several."""
        self._claimed = 0
        """How much of one kind the last poll has claimed."""

    @property
    def found_all(self) -> bool:
        """Whether the last poll has left nothing for the next."""
        return self._claimed < MOST_AT_ONCE

    def is_suspect_done(self) -> bool:
        """Whether the suspect has come back, so that the next one may be claimed.

        While a step waits for a model it may not have been handed over yet, or its outcome not be entered.
        """
        if self.suspect is None or len(self.river.unread):
            return False
        return not self.facilities.dispatcher.holds(self.suspect)

    def poll(self, now: int) -> bool:
        """Put what is due into the inbox; whether there was anything. Raises StoreError."""
        engine_id = self.facilities.engine_id
        due = self._leases.due(engine_id, now)
        # What others have left is taken when it is due for them too, whatever this engine's clock shows.
        steady = due.now if self.facilities.clock.runs_by_itself else now
        common = min(now, steady)
        moved = self._claim_tasks(common, due.free)
        moved = self._start_due(now, steady) or moved
        if due.owned or moved:
            moved = self._poll_tasks(now) or moved
        if due.timers:
            for number, token, which in self._due_timers(now, common):
                self.river.post(due_action("timer", number, token, which))
                moved = True
        if due.graces:
            for number in self._due_graces(now, common):
                self.river.post(due_action("grace", number))
                moved = True
        if due.owed:
            self._leases.claim_events(engine_id)
            moved = self._pending.add(self.facilities.store.messages.owed(engine_id, MOST_AT_ONCE)) or moved
        if due.kept:
            self.facilities.store.messages.forget_expired(now)
            moved = self._pending.add(self.facilities.store.messages.deliverable(now, MOST_AT_ONCE)) or moved
        if now >= self._keys_due and not self._requests.forget(now - KEYS_KNOWN):
            self._keys_due = now + KEYS_LOOK
        if due.stopped:
            moved = self._stops.poll() or moved
        if actions := self.quotas.poll():
            self.river.post(*actions)
            moved = True
        if self.facilities.stones.external:
            self.facilities.external.tidy()
        if self.facilities.dispatcher.remote:
            for number, task_id in self._handovers.overdue(engine_id, common - DEADLINE):
                self.river.post(due_action("task", number, task_id))
                moved = True
        return moved

    def _due_timers(self, now: int, common: int) -> list[tuple[int, int, int]]:
        if not self.facilities.keeps_time:
            return self._leases.free_timers(common, MOST_AT_ONCE)
        engine_id = self.facilities.engine_id
        self._claimed = max(self._claimed, self._leases.claim_timers(engine_id, common, MOST_AT_ONCE))
        return self._leases.due_timers(engine_id, now, MOST_AT_ONCE)

    def _due_graces(self, now: int, common: int) -> list[int]:
        if not self.facilities.keeps_time:
            return self._leases.free_graces(common, MOST_AT_ONCE)
        engine_id = self.facilities.engine_id
        self._claimed = max(self._claimed, self._leases.claim_graces(engine_id, common, MOST_AT_ONCE))
        return self._leases.due_graces(engine_id, now, MOST_AT_ONCE)

    def _poll_tasks(self, now: int) -> bool:
        moved = False
        found = self.facilities.store.due_tasks(now, MOST_AT_ONCE, self.facilities.engine_id)
        found = [(number, task_id) for number, task_id in found if not self.facilities.dispatcher.holds(task_id)]
        # In this order, since what a monitor found comes in before the dispatcher lets go of it.
        polled = self.river.monitor_polls.holds() if found else ()
        for number, task_id in found:
            if task_id not in polled:
                self.river.post(due_action("task", number, task_id))
                moved = True
        return moved

    def _claim_tasks(self, now: int, free: bool) -> bool:
        """Take what is due and nobody's, if there is any; of what may be killing engines, one task at a time.

        An engine that acts only when it is called makes nothing its own by that, since it may not be called again over
        what it cannot go on with yet. It steps what it has found, as others may, and the commit tells who was first.
        """
        dispatcher = self.facilities.dispatcher
        safe = self.suspect is None or self.is_suspect_done()
        if safe:
            self.suspect = None
        self._claimed = 0
        if not free:
            return False
        # Elsewhere they kill no engine.
        suspects = MOST_AT_ONCE if dispatcher.remote else int(safe)
        failpoints.reach("before-claim")
        stones = set(self.facilities.stones)
        claimed = self._leases.free_tasks(now, MOST_AT_ONCE, stones=stones, suspects=suspects, losses=ledger.losses)
        if self.facilities.keeps_time:
            claimed = self._leases.claim(self.facilities.engine_id, claimed)
        self._claimed = len(claimed)
        failpoints.reach("after-claim")
        for row in claimed:
            # Released in the store alone, so a copy in memory knows nothing of it.
            self.river.forget([row.process_instance_id])
            if ledger.losses(row) >= SUSPECT:
                self.suspect = row.id
            if not self.facilities.keeps_time:
                self.river.post(due_action("task", row.process_instance_id, row.id))
        return bool(claimed)
