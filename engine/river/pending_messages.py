"""Messages and signals that committed steps have thrown and nobody has got yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from ...models import EventRow
from .. import failpoints

MOST_AT_ONCE = 50


class PendingMessages:
    """A queue beside the rows in the store, which are gone once what they hold is delivered.

    ``queue`` is what the river appends to; ``deliver`` delivers one and settles its row.
    """

    def __init__(self, queue: deque[EventRow], deliver: Callable[[EventRow], None]) -> None:
        self._queue = queue
        self._deliver = deliver
        self.delivering = False
        self.closed = False
        """Whether the rest is left to other engines."""

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, events: Iterable[EventRow]) -> None:
        """Deliver these too: somebody has left them in the store."""
        self._queue.extend(events)

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
                self._deliver(self._queue.popleft())
                failpoints.reach("after-delivery")
        finally:
            self.delivering = False
        return True
