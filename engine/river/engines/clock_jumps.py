"""A clock that jumps: all that counts from a beginning lasts for as long as it would have."""

from __future__ import annotations

import logging
import time

from ....models import Handovers
from ....models.databases.uptime import uptime
from ...instance.facilities import Facilities
from ..river import River
from .lease import Lease

logger = logging.getLogger("riverstone.engine")

JUMP = 1.0
"""Seconds by which the clock and real time may part before that counts as a jump; what is less adds up."""
AT_ONCE = 0.001
"""Seconds within which the clocks are read, so that a thread that had to wait in between sees no jump."""


class ClockJumps:
    """Follows the engine's clock; one that is ``passive`` sees to no tasks in the hands of workers."""

    def __init__(self, facilities: Facilities, river: River, lease: Lease, *, passive: bool) -> None:
        self._facilities = facilities
        self._river = river
        self._lease = lease
        self._handovers = Handovers(facilities.store)
        self._sees_to_workers = facilities.dispatcher.remote and not passive
        self._read: tuple[int, float, float] | None = None
        """What the engine's clock showed at first or after the last jump, and the machine's two that nobody sets."""

    def follow(self) -> None:
        """Read the clock; where it has jumped, move what is due, in the store and here. Raises StoreError."""
        if not self._facilities.clock.runs_by_itself:
            return
        awake = time.monotonic()
        now, gone_by = self._facilities.clock.now(), uptime()
        if time.monotonic() - awake > AT_ONCE:
            return
        if self._read is None:
            self._read = now, awake, gone_by
            return
        # While the machine sleeps no stone runs, but a timer does.
        jump = now - self._read[0] - round((awake - self._read[1]) * 1000)
        timers_jump = now - self._read[0] - round((gone_by - self._read[2]) * 1000)
        if abs(jump) >= JUMP * 1000:
            timers_jump = timers_jump if abs(timers_jump) >= JUMP * 1000 else 0
            self._river.shift(jump, timers_jump, self._with_workers())
            logger.warning("the clock has jumped by %.1f seconds", jump / 1000)
            self._read = now, awake, gone_by

    def _with_workers(self) -> list[tuple[int, int]]:
        """The tasks in workers' hands whose deadlines are this engine's to see to."""
        if not self._sees_to_workers:
            return []
        # What was handed over just now is not noted yet.
        self._handovers.note(self._lease.engine_id)
        return self._handovers.seen_to(self._lease.engine_id)
