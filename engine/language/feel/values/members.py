"""What ``value.name`` is: an entry of a context, a property of a date, or that of each item of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ... import effort
from ..faults import fault
from .kinds import Range, Value, described
from .temporal import DAY, HOUR, MINUTE, SECOND, Date, DateTime, Months, Nanos, Time, offset_at, weekday

ABSENT: Value = object()
"""What is not there, where null is something else."""


def _offset(value: Value) -> Value:
    date, time = value if type(value) is DateTime else (Date(1970, 1, 1), value)
    offset = offset_at(date, time)
    return None if offset is None else Nanos(offset * SECOND)


def _second(time: Time) -> Value:
    return time.nanos // SECOND % 60


_CLOCK: Mapping[str, Callable[[Time], Value]] = {
    "hour": lambda time: time.nanos // HOUR,
    "minute": lambda time: time.nanos // MINUTE % 60,
    "second": _second,
    "timezone": lambda time: time.zone,
}
_CALENDAR: Mapping[str, Callable[[Date], Value]] = {
    "year": lambda date: date.year,
    "month": lambda date: date.month,
    "day": lambda date: date.day,
    "weekday": weekday,
}


def _part(size: int, whole: int) -> Callable[[Nanos], Value]:
    """A part of a duration, negative in one that is."""
    return lambda value: (abs(value.nanos) // size % whole) * (1 if value.nanos >= 0 else -1)


def _months_part(divide: Callable[[int], int]) -> Callable[[Months], Value]:
    return lambda value: divide(abs(value.months)) * (1 if value.months >= 0 else -1)


_PROPERTIES: Mapping[type, Mapping[str, Callable[[Value], Value]]] = {
    Date: _CALENDAR,
    Time: {**_CLOCK, "time offset": _offset},
    DateTime: {
        **{name: lambda value, read=read: read(value.date) for name, read in _CALENDAR.items()},  # type: ignore[misc]
        **{name: lambda value, read=read: read(value.time) for name, read in _CLOCK.items()},  # type: ignore[misc]
        "time offset": _offset,
    },
    Nanos: {
        "days": _part(DAY, 1 << 62),
        "hours": _part(HOUR, 24),
        "minutes": _part(MINUTE, 60),
        "seconds": _part(SECOND, 60),
    },
    Months: {"years": _months_part(lambda months: months // 12), "months": _months_part(lambda months: months % 12)},
    Range: {
        "start": lambda value: value.low,
        "end": lambda value: value.high,
        "start included": lambda value: value.low_included,
        "end included": lambda value: value.high_included,
    },
}


def member(value: Value, name: str) -> Value:
    """The member of a value, of a list that of each item (DMN 1.5, 10.3.2.5 and table 64)."""
    kind = type(value)
    if kind is dict:
        return value[name] if name in value else fault(f"a context has no entry {name!r}")
    if kind is list:
        effort.charge(len(value))
        return [each[name] if type(each) is dict and name in each else _of_item(each, name) for each in value]
    properties = _PROPERTIES.get(kind)
    if properties is None or name not in properties:
        hint = f": write date(x).{name}" if kind is str and name in _CALENDAR else ""
        return fault(f"{described(value)} has no member {name!r}{hint}")
    return properties[name](value)


def _of_item(item: Value, name: str) -> Value:
    return fault(f"a list in a list has no member {name!r}") if type(item) is list else member(item, name)


def has(value: Value, name: str) -> bool:
    """Whether there is such a member, in a list one of an item."""
    kind = type(value)
    if kind is dict:
        return name in value
    if kind is list:
        effort.charge(len(value))
        return any(type(each) is dict and name in each for each in value)
    return name in _PROPERTIES.get(kind, ())
