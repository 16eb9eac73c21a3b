"""Messages and signals that committed steps have thrown and nobody has got yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ....models import EventRow, KeptMessageRow, StoreError
from ... import failpoints
from ...errors import StoreUnavailable
from ...observing import logs
from ..standstill import Unstepped

if TYPE_CHECKING:
    from ..river import River

logger = logging.getLogger("riverstone.engine")

Pending = EventRow | KeptMessageRow
MOST_AT_ONCE = 50
PAUSE = 30.0
"""Seconds until what could not be delivered is tried again."""


class PendingMessages:
    """A queue beside the rows in the store, which are gone once what they hold is delivered.

    ``deliver`` delivers one and settles its row, or says that it could not.
    """

    def __init__(self, river: River, deliver: Callable[[Pending], bool]) -> None:
        self._river = river
        self._queue = river.pending_messages
        self._deliver = deliver
        self._paused: dict[str, float] = {}
        """What could not be delivered, and when it is tried again, by the monotonic clock."""
        self.delivering = False
        self.closed = False
        """Whether the rest is left to other engines."""

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def waits(self) -> bool:
        """Whether anything is still to be delivered by this engine."""
        return bool(self._queue) and not self.closed

    def add(self, events: Iterable[Pending]) -> bool:
        """Deliver these too, which are owed in the store; whether any of them is to be tried now."""
        now = time.monotonic()
        self._paused = {event_id: until for event_id, until in self._paused.items() if until > now}
        waiting = {event.id for event in self._queue} | self._paused.keys()
        found = [event for event in events if event.id not in waiting]
        self._queue.extend(found)
        return bool(found)

    def deliver_some(self) -> bool:
        """Deliver some of what has been thrown; whether there was anything.

        Not all of it: a delivery may have more thrown, and others want their turn in between.
        """
        if not self._queue or self.delivering or self.closed:
            return False
        self.delivering = True
        try:
            for _ in range(min(MOST_AT_ONCE, len(self._queue))):
                failpoints.reach("before-delivery")
                if not self._try(self._queue.popleft()):
                    break
                failpoints.reach("after-delivery")
        finally:
            self.delivering = False
        return True

    def _try(self, event: Pending) -> bool:
        """Deliver one, or leave it in the store; false where that does not answer, and nothing else need be tried."""
        try:
            delivered = self._is_delivered(event)
        except (StoreError, StoreUnavailable) as error:
            logger.warning("what was thrown could not be delivered yet: %s", error)
            return False
        except Exception as error:
            # What else is owed is not held up by it.
            text = "a %s that process %s has thrown could not be delivered: %s"
            kind = event.kind if isinstance(event, EventRow) else "kept message"
            logger.error(text, kind, event.process_instance_id, logs.where(error))
            delivered = False
        if not delivered:
            self._paused[event.id] = time.monotonic() + PAUSE
        return True

    def _is_delivered(self, event: Pending) -> bool:
        try:
            return self._deliver(event)
        except Unstepped as error:
            # Whoever was to get it waits for somebody, and gets it when it can be stepped.
            self._river.stand_still(error, self._river.now)
            return False
