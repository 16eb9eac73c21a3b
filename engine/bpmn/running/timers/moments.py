"""Dates and durations of timers, by ISO 8601 and the engine's own clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from ....clock import EARLIEST, LATEST, read_moment
from ....errors import ExpressionError
from ....language.feel.values.zones import zone as zone_of

DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:[.,]\d+)?)H)?(?:(?P<minutes>\d+(?:[.,]\d+)?)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?",
    re.ASCII,
)
LONGEST = 3_155_760_000_000
"""A hundred years in milliseconds: what is due later is a mistake."""
LOCAL = "local"
"""In place of a zone's name: that of the server."""
_ZONED = re.compile(r"(?P<date>[^\[@]*[0-9Z])(?:\[(?P<java>[\w/+-]{1,64})\]|@(?P<feel>[\w/+-]{1,64}))")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


class Duration(NamedTuple):
    """A length of time; only ``months`` and ``days`` hang on the calendar."""

    months: int
    days: int
    ms: int
    """The hours, minutes and seconds, and parts of days."""


def read_duration(text: str) -> Duration:
    """Read an ISO 8601 duration; raises ExpressionError."""
    match = DURATION.fullmatch(text.strip())
    if match is None or not any(value for name, value in match.groupdict().items() if name != "sign"):
        raise ExpressionError(f"{text!r} is not an ISO 8601 duration such as PT30S or P1D.")
    texts = {name: value or "0" for name, value in match.groupdict().items() if name != "sign"}
    part = {name: float(text.replace(",", ".")) for name, text in texts.items()}
    if any(value > 1e9 for value in part.values()):
        raise ExpressionError(f"The duration {text!r} is too long.")
    days, of_a_day = divmod(part["days"], 1)
    rest = timedelta(days=of_a_day, hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"])
    read = Duration(
        int(part["years"] * 12 + part["months"]), int(part["weeks"] * 7 + days), round(rest.total_seconds() * 1000)
    )
    if read.months > 1200 or read.days > 36525:
        raise ExpressionError(f"The duration {text!r} is longer than a hundred years.")
    return Duration(-read.months, -read.days, -read.ms) if match["sign"] else read


def duration_ms(text: str, start: int) -> int:
    """The length of an ISO 8601 duration in milliseconds, months and years counted from ``start`` (ms since 1970)."""
    length = later(read_duration(text), start, "") - start
    if length > LONGEST:
        raise ExpressionError(f"The duration {text!r} is longer than a hundred years.")
    return length


def later(length: Duration, start: int, zone: str, times: int = 1) -> int:
    """When so many of a duration are over, in milliseconds since 1970.

    Days and months keep the time of day in the zone, and months the day as far as the month has it, always counted
    from ``start``: after 31 January comes 28 February, then 31 March.
    """
    months, days = length.months * times, length.days * times
    moved = start
    if months or days:
        zoned = zone_named(zone)
        begin = datetime.fromtimestamp(start / 1000, zoned)
        try:
            end = _months_later(begin, months) + timedelta(days=days)
            moved = round(end.replace(fold=0).timestamp() * 1000)
        except (OverflowError, ValueError, OSError) as error:
            raise ExpressionError("A timer is due after the year 9999.") from error
    moved += length.ms * times
    if moved > LATEST:
        raise ExpressionError("A timer is due after the year 9999.")
    return moved


def _months_later(begin: datetime, months: int) -> datetime:
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    day = begin.day
    while True:
        try:
            return begin.replace(year=year, month=month + 1, day=day)
        except ValueError:
            if day <= 28:
                raise
            day -= 1


def zone_named(name: str) -> tzinfo | None:
    """The zone of a timer: UTC, an offset, the server's own (None) or one with a name; raises ExpressionError."""
    if name == LOCAL:
        return None
    if not name:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    found = zone_of(name)
    if found is None:
        raise ExpressionError(f"{name!r} is no time zone: write one such as Europe/Berlin.")
    return found


def read_date(text: str) -> tuple[int, str]:
    """An ISO 8601 date and time in milliseconds since 1970, and its zone.

    A zone's name may stand behind it, as in ``2026-01-31T08:00:00[Europe/Berlin]``. Without a zone or an offset it
    is the server's local time. Raises ExpressionError.
    """
    zoned = _ZONED.fullmatch(text.strip())
    name = "" if zoned is None else zoned["java"] or zoned["feel"]
    zone = zone_named(name) if name else None
    try:
        moment = read_moment(text.strip() if zoned is None else zoned["date"])
        if name:
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        elif moment.tzinfo is None:
            name = LOCAL
        elif moment.utcoffset():
            name = _offset_text(moment)
        ms = round(moment.timestamp() * 1000)
        if ms < EARLIEST:
            raise ValueError(text)
    except (ValueError, OverflowError, OSError) as error:
        raise ExpressionError(f"{text!r} is not an ISO 8601 date and time such as 2026-01-31T08:00:00Z.") from error
    if ms > LATEST:
        raise ExpressionError(f"{text!r} is after the year 9999.")
    return ms, name


def _offset_text(moment: datetime) -> str:
    offset = moment.utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
