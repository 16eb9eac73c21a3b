"""ISO 8601 texts of temporal values, read and written (XML Schema part 2, with ``@Zone`` as FEEL adds)."""

from __future__ import annotations

import re

from .temporal import (
    DAY,
    HOUR,
    MIDNIGHT,
    MINUTE,
    SECOND,
    Date,
    DateTime,
    Months,
    Nanos,
    Temporal,
    Time,
    make_date,
    make_months,
    make_nanos,
)
from .zones import zone

_LONGEST = 100
_MOST_OFFSET = 18 * 3600
_DATE = r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:([Zz])|([+-])(\d\d):(\d\d)(?::(\d\d))?|@([A-Za-z0-9_+\-/]+))?"
_DATE_SHAPE = re.compile(_DATE, re.ASCII)
_TIME_SHAPE = re.compile(_TIME, re.ASCII)
_DATE_TIME_SHAPE = re.compile(f"{_DATE}T{_TIME}", re.ASCII)
_MONTHS_SHAPE = re.compile(r"(-?)P(?=\d)(?:(\d{1,12})Y)?(?:(\d{1,12})M)?", re.ASCII)
_NANOS_SHAPE = re.compile(
    r"(-?)P(?=[\dT])(?:(\d{1,15})D)?(?:T(?=\d)(?:(\d{1,18})H)?(?:(\d{1,18})M)?(?:(\d{1,18})(?:\.(\d{0,30}))?S)?)?",
    re.ASCII,
)


def read_date(text: str) -> Date | None:
    """The date that a text says, None if it says none."""
    found = _DATE_SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    return _date(found.groups()) if found else None


def read_time(text: str) -> Time | None:
    """The time that a text says, None if it says none."""
    found = _TIME_SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    return _time(found.groups()) if found else None


def read_date_time(text: str) -> DateTime | None:
    """The date and time that a text says, midnight where it says only a day; None if it says none."""
    if len(text) > _LONGEST:
        return None
    if not (found := _DATE_TIME_SHAPE.fullmatch(text)):
        date = read_date(text)
        return None if date is None else DateTime(date, MIDNIGHT)
    groups = found.groups()
    date, time = _date(groups[:3]), _time(groups[3:])
    return None if date is None or time is None else DateTime(date, time)


def read_duration(text: str) -> Months | Nanos | None:
    """The duration that a text says, of one kind or the other; None if it says none."""
    if len(text) > _LONGEST:
        return None
    if found := _MONTHS_SHAPE.fullmatch(text):
        sign, years, months = found.groups()
        total = int(years or 0) * 12 + int(months or 0)
        return make_months(-total if sign else total)
    if found := _NANOS_SHAPE.fullmatch(text):
        sign, days, hours, minutes, seconds, fraction = found.groups()
        total = int(days or 0) * DAY + int(hours or 0) * HOUR + int(minutes or 0) * MINUTE + int(seconds or 0) * SECOND
        total += _fraction(fraction)
        return make_nanos(-total if sign else total)
    return None


def read(text: str) -> Temporal | None:
    """The value of ``@"..."``, whatever its kind; None if it says none."""
    if text.startswith(("P", "-P")):
        return read_duration(text)
    if "T" in text.partition("@")[0]:
        return read_date_time(text)
    return read_time(text) if ":" in text else read_date(text)


def write(value: Temporal) -> str:
    """The text that :func:`read` reads as this value."""
    match value:
        case Date(year, month, day):
            return f"{'-' if year < 0 else ''}{abs(year):04}-{month:02}-{day:02}"
        case DateTime(date, time):
            return f"{write(date)}T{write(time)}"
        case Time(nanos, offset, zone_name):
            seconds, rest = divmod(nanos, SECOND)
            clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{_digits(rest)}"
            return clock + (f"@{zone_name}" if zone_name else _offset(offset))
        case Months(months):
            sign, (years, rest) = "-" if months < 0 else "", divmod(abs(months), 12)
            return f"{sign}P" + ((f"{years}Y" if years else "") + (f"{rest}M" if rest else "") or "0M")
        case Nanos(nanos):
            return _days_and_time(nanos)


def _days_and_time(nanos: int) -> str:
    if nanos == 0:
        return "PT0S"
    sign, nanos = "-" if nanos < 0 else "", abs(nanos)
    days, nanos = divmod(nanos, DAY)
    hours, nanos = divmod(nanos, HOUR)
    minutes, nanos = divmod(nanos, MINUTE)
    seconds, rest = divmod(nanos, SECOND)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    clock += f"{seconds}{_digits(rest)}S" if seconds or rest else ""
    return f"{sign}P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


def _date(groups: tuple[str | None, ...]) -> Date | None:
    year, month, day = (int(each or 0) for each in groups)
    return make_date(year, month, day)


def _time(groups: tuple[str | None, ...]) -> Time | None:
    hour, minute, second = (int(each or 0) for each in groups[:3])
    fraction, utc, sign, hours, minutes, seconds, name = groups[3:]
    if hour > 23 or minute > 59 or second > 59:
        return None
    nanos = hour * HOUR + minute * MINUTE + second * SECOND + _fraction(fraction)
    if name is not None:
        return None if zone(name) is None else Time(nanos, None, name)
    if utc:
        return Time(nanos, 0)
    if sign is None:
        return Time(nanos)
    offset = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    if int(minutes or 0) > 59 or int(seconds or 0) > 59 or offset > _MOST_OFFSET:
        return None
    return Time(nanos, -offset if sign == "-" else offset)


def _fraction(digits: str | None) -> int:
    return int(f"{digits or '0':0<9}"[:9])


def _digits(nanos: int) -> str:
    return f".{nanos:09}".rstrip("0") if nanos else ""


def _offset(offset: int | None) -> str:
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    size = abs(offset)
    seconds = f":{size % 60:02}" if size % 60 else ""
    return f"{'-' if offset < 0 else '+'}{size // 3600:02}:{size // 60 % 60:02}{seconds}"
