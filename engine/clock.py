"""The engine's clock, so that tests can move time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import overload

LATEST = 253_402_128_000_000
"""9999-12-30 in milliseconds since 1970: what is later has no date in some zone."""


class Clock:
    """The machine's own clock."""

    runs_by_itself = True
    """Whether it goes on with real time, so that anything else is a jump: somebody set it, or the machine slept."""

    def now(self) -> int:
        """Milliseconds since 1970 in UTC."""
        return time.time_ns() // 1_000_000

    def sleep_until(self, moment: int) -> None:
        """Return when the clock shows ``moment`` (milliseconds since 1970)."""
        delay = (moment - self.now()) / 1000
        if delay > 0:
            time.sleep(delay)


class VirtualClock(Clock):
    """A clock that stands still until it is moved; whoever sleeps on it moves it."""

    runs_by_itself = False

    def __init__(self, start: int | None = None) -> None:
        self._now = Clock().now() if start is None else start

    def now(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by this many seconds."""
        self._now += round(seconds * 1000)

    def sleep_until(self, moment: int) -> None:
        self._now = max(self._now, moment)


@overload
def moment(milliseconds: int) -> datetime: ...
@overload
def moment(milliseconds: int | None) -> datetime | None: ...
def moment(milliseconds: int | None) -> datetime | None:
    """Milliseconds since 1970 as the server's local time, to the millisecond, with its offset."""
    # By way of UTC, since the offset of a time without one is looked for twice.
    return None if milliseconds is None else datetime.fromtimestamp(min(milliseconds, LATEST) / 1000, UTC).astimezone()


def milliseconds(moment: datetime | None) -> int | None:
    """A time as milliseconds since 1970; one without an offset is in the server's local time."""
    return None if moment is None else round(moment.timestamp() * 1000)
