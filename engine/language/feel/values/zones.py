"""Names of time zones and their offsets, from the zone data of the machine."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+)*")
_CYCLE = 146097
"""Days of 400 years, after which the calendar begins anew; zone data end at the year 9999."""


@lru_cache(maxsize=128)
def zone(name: str) -> ZoneInfo | None:
    """The zone of a name such as ``Europe/Paris``; None if there is none."""
    if len(name) > 64 or not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def offset_of(name: str, days: int, seconds: int) -> int:
    """Seconds east of UTC at a local time, given as days since 1970-01-01 and seconds of the day."""
    found = zone(name)
    if found is None:
        return 0
    return _seconds(found.utcoffset(_moment(days, seconds)))


def offset_at_utc(name: str, seconds: int) -> int:
    """Seconds east of UTC at an instant, given in seconds since 1970-01-01T00:00:00Z."""
    found = zone(name)
    if found is None:
        return 0
    return _seconds(found.fromutc(_moment(*divmod(seconds, 86400)).replace(tzinfo=found)).utcoffset())


def _moment(days: int, seconds: int) -> datetime:
    if not -700_000 < days < 2_900_000:
        days %= _CYCLE
    # A local time has no zone of its own here.
    return datetime(1970, 1, 1) + timedelta(days=days, seconds=seconds)  # noqa: DTZ001


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds())
