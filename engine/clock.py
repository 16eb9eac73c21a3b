"""The engine's clock, so that tests can move time."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import overload

LATEST = 253_402_128_000_000
"""9999-12-30 in milliseconds since 1970: what is later has no date in some zone."""

EARLIEST = -62_135_424_000_000
"""0001-01-03 in the same way: what is earlier has no date in some zone."""

_AT_24 = re.compile(r"(?:.{8}|.{10}|\d{4}W\d\d).24(?::?00){0,2}(?:[.,]0+)?(?:Z|[+-].*)?", re.DOTALL)
"""A date of ISO 8601 in any of its forms, and 24 as the hour behind it."""

QUARTER = 900_000
"""Milliseconds between the moments at which the offset of a zone may change."""


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


def read_moment(text: str) -> datetime:
    """What a text of ISO 8601 says, without the hour 24; raises ValueError.

    CPython has read that hour as the next day's midnight since 3.14, but engines of one store may run on several.
    """
    read = datetime.fromisoformat(text)
    if not (read.hour or read.minute) and _AT_24.fullmatch(text):
        raise ValueError(text)
    return read


@overload
def moment(milliseconds: int) -> datetime: ...
@overload
def moment(milliseconds: int | None) -> datetime | None: ...
def moment(milliseconds: int | None) -> datetime | None:
    """Milliseconds since 1970 as the server's local time, to the millisecond, with its offset."""
    if milliseconds is None:
        return None
    milliseconds = max(min(milliseconds, LATEST), EARLIEST)
    return datetime.fromtimestamp(milliseconds / 1000, _zone(milliseconds // QUARTER, time.tzname))


@lru_cache(256)
def _zone(quarter: int, names: tuple[str, str]) -> tzinfo | None:
    """The local offset in a quarter of an hour; to ask the system for each time takes as long as all else of a time.

    ``names`` are those of the local zone, which a process can change.
    """
    return datetime.fromtimestamp(quarter * QUARTER / 1000, UTC).astimezone().tzinfo


def milliseconds(moment: datetime | None) -> int | None:
    """A time as milliseconds since 1970; one without an offset is in the server's local time."""
    if moment is None:
        return None
    try:
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        # At the ends of the calendar a local time may have no equal in UTC.
        seconds = moment.replace(tzinfo=UTC).timestamp()
    return round(seconds * 1000)
