"""Dates, times and durations as FEEL has them (DMN 1.5, 10.3.2.3.4 to 10.3.2.3.8).

They are no ``datetime``: years run from -999,999,999 to 999,999,999, seconds have nine digits, and a time of day may
have an offset, the name of a zone, or neither.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ..faults import fault
from .zones import offset_at_utc, offset_of

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MOST_YEARS = 999_999_999
_MOST_MONTHS = 12 * MOST_YEARS
_MOST_NANOS = 366 * 2 * MOST_YEARS * DAY
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Date(NamedTuple):
    """A day of the proleptic Gregorian calendar."""

    year: int
    month: int
    day: int


class Time(NamedTuple):
    """A time of day; ``offset`` are seconds east of UTC, of which a time with a ``zone`` has none of its own."""

    nanos: int
    offset: int | None = None
    zone: str | None = None

    @property
    def is_local(self) -> bool:
        return self.offset is None and self.zone is None


class DateTime(NamedTuple):
    """A day with a time."""

    date: Date
    time: Time


class Months(NamedTuple):
    """A duration of years and months."""

    months: int


class Nanos(NamedTuple):
    """A duration of days and time."""

    nanos: int


Temporal: TypeAlias = Date | Time | DateTime | Months | Nanos
TEMPORAL = frozenset({Date, Time, DateTime, Months, Nanos})
MIDNIGHT = Time(0)
UTC_MIDNIGHT = Time(0, 0)


def is_leap(year: int) -> bool:
    """Whether the year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """How many days the month has."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def make_date(year: int, month: int, day: int) -> Date | None:
    """The date if there is such a day, else null."""
    if abs(year) <= MOST_YEARS and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month):
        return Date(year, month, day)
    fault(f"there is no day {year}-{month}-{day}")
    return None


@lru_cache(maxsize=1024)
def day_number(date: Date) -> int:
    """Days since 1970-01-01."""
    year = date.year - (date.month <= 2)
    month = (date.month + 9) % 12
    of_year = (153 * month + 2) // 5 + date.day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + of_year - 719468


def date_of_number(days: int) -> Date | None:
    """The date that is so many days after 1970-01-01, null beyond the calendar."""
    era, of_era = divmod(days + 719468, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return make_date(year_of_era + era * 400 + (month <= 2), month, day)


def weekday(date: Date) -> int:
    """1 for Monday to 7 for Sunday."""
    return (day_number(date) + 3) % 7 + 1


def add_months(date: Date, months: int) -> Date | None:
    """The same day so many months later, or the last of a month that is too short for it."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return make_date(year, month + 1, min(date.day, days_in_month(year, month + 1)))


def offset_at(date: Date, time: Time) -> int | None:
    """Seconds east of UTC of a time on a day, None if it is local."""
    if time.zone is None:
        return time.offset
    return offset_of(time.zone, day_number(date), time.nanos // SECOND)


def instant(value: DateTime) -> int:
    """Nanoseconds since 1970-01-01T00:00:00Z; a local date and time is read as UTC."""
    offset = offset_at(value.date, value.time) or 0
    return day_number(value.date) * DAY + value.time.nanos - offset * SECOND


def add_nanos(value: DateTime, nanos: int) -> DateTime | None:
    """The date and time so much later; over a change to summer time the hands of a zone move by an hour more."""
    date, time = value
    if time.zone is not None:
        return in_zone(instant(value) + nanos, time.zone)
    return _local(day_number(date) * DAY + time.nanos + nanos, time)


def in_zone(moment: int, zone: str) -> DateTime | None:
    """The date and time of a zone at an instant."""
    return _local(moment + offset_at_utc(zone, moment // SECOND) * SECOND, Time(0, None, zone))


def _local(nanos: int, like: Time) -> DateTime | None:
    days, rest = divmod(nanos, DAY)
    date = date_of_number(days)
    return None if date is None else DateTime(date, like._replace(nanos=rest))


def time_instant(time: Time) -> int:
    """Nanoseconds since midnight UTC, on the day of the epoch where a zone has to say its offset."""
    offset = offset_of(time.zone, 0, time.nanos // SECOND) if time.zone else time.offset
    return time.nanos - (offset or 0) * SECOND


def months_between(start: Date, end: Date) -> int:
    """Whole months from one day to another."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        return months - 1
    return months + 1 if months < 0 and end.day > start.day else months


def make_months(months: int) -> Months | None:
    """The duration, null if it is longer than the calendar."""
    return Months(months) if abs(months) <= _MOST_MONTHS else fault("the duration is too long")


def make_nanos(nanos: int) -> Nanos | None:
    """The duration, null if it is longer than the calendar."""
    return Nanos(nanos) if abs(nanos) <= _MOST_NANOS else fault("the duration is too long")
