"""How much processes may throw: in one step, and together with all that they have brought about by it."""

from __future__ import annotations

from collections import OrderedDict

from ..clock import Clock
from ..errors import LimitExceeded
from ..limits import Limits

HOUR = 3_600_000
MOST_KEPT = 100_000


class Families:
    """Counts for each process that nobody threw what it and its descendants throw and start.

    It is kept in memory, so another engine, or this one after a restart, counts from nothing.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._most = limits.throw_family
        self._clock = clock
        self._heads: OrderedDict[int, int] = OrderedDict()
        self._counts: OrderedDict[int, tuple[int, int]] = OrderedDict()

    def count(self, process_instance_id: int) -> None:
        """One more throw of this process, or start by what it has thrown; raises LimitExceeded."""
        head = self._heads.get(process_instance_id, process_instance_id)
        now = self._clock.now()
        count, since = self._counts.get(head, (0, now))
        if now - since >= HOUR:
            count, since = 0, now
        if count >= self._most:
            text = f"This process and what it set off throw more in an hour than the limit throw_family ({self._most})."
            raise LimitExceeded("throw_family", text)
        self._counts[head] = (count + 1, since)
        self._counts.move_to_end(head)
        if len(self._counts) > MOST_KEPT:
            self._counts.popitem(last=False)

    def join(self, process_instance_id: int, thrower: int) -> None:
        """A process was started by what another has thrown."""
        self._heads[process_instance_id] = self._heads.get(thrower, thrower)
        if len(self._heads) > MOST_KEPT:
            self._heads.popitem(last=False)


class StepThrows:
    """What one step of a process has thrown: so many messages and signals, so large together."""

    __slots__ = ("_limits", "messages", "size")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.messages = self.size = 0

    def count(self, size: int) -> None:
        """One more of this size; raises LimitExceeded."""
        self.messages += 1
        self.size += size
        for name, thrown in (("throws_per_turn", self.messages), ("instance_size", self.size)):
            most = getattr(self._limits, name)
            if thrown > most:
                raise LimitExceeded(name, f"It throws more at once than the limit {name} ({most}) allows.")
