"""Functions of dates and times (DMN 1.5, tables 74 and 80), and those that Camunda 8 adds."""

from __future__ import annotations

from time import gmtime

from ... import effort
from ..faults import fault
from ..values import iso
from ..values.decimals import Number, decimal_of, whole
from ..values.kinds import Value
from ..values.temporal import (
    HOUR,
    MIDNIGHT,
    MINUTE,
    SECOND,
    UTC_MIDNIGHT,
    Date,
    DateTime,
    Months,
    Nanos,
    Time,
    date_of_number,
    day_number,
    days_in_month,
    in_zone,
    instant,
    make_date,
    months_between,
    weekday,
)
from ..values.zones import zone
from .signature import builtin

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MOST_OFFSET = 18 * 3600 * SECOND


@builtin("date(from: string|date|date and time)")
def _date(value: Value) -> Value:
    if type(value) is Date:
        return value
    if type(value) is DateTime:
        return value.date
    return _read("date", value, iso.read_date(value))


def _read(name: str, text: str, found: Value) -> Value:
    return fault(f"{name}(): {text[:60]!r} is no {name}") if found is None else found


@builtin("date(year: number, month: number, day: number)")
def _date_of(*parts: Number) -> Value:
    year, month, day = (whole(part) for part in parts)
    if year is None or month is None or day is None:
        return fault("date(): the year, the month or the day is no whole number")
    return make_date(year, month, day)


@builtin("time(from: string|time|date|date and time)")
def _time(value: Value) -> Value:
    if type(value) is Time:
        return value
    if type(value) is DateTime:
        return value.time
    return UTC_MIDNIGHT if type(value) is Date else _read("time", value, iso.read_time(value))


@builtin("time(hour: number, minute: number, second: number, offset?: days duration?)")
def _time_of(hour: Number, minute: Number, second: Number, offset: Nanos | None = None) -> Value:
    hours, minutes = whole(hour), whole(minute)
    exact = decimal_of(second)
    if hours is None or minutes is None or not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= exact < 60):
        return fault(f"time(): there is no time {hour}:{minute}:{second}")
    if offset is not None and (abs(offset.nanos) > _MOST_OFFSET or offset.nanos % SECOND):
        return fault("time(): the offset is more than 18 hours, or no whole seconds")
    nanos = hours * HOUR + minutes * MINUTE + int(exact * SECOND)
    return Time(nanos, None if offset is None else offset.nanos // SECOND)


@builtin("date and time(from: string|date|date and time)")
def _date_and_time(value: Value) -> Value:
    if type(value) is DateTime:
        return value
    if type(value) is Date:
        return DateTime(value, MIDNIGHT)
    return _read("date and time", value, iso.read_date_time(value))


@builtin("date and time(date: date|date and time, time: time)")
def _date_and_time_of(date: Value, time: Time) -> Value:
    return DateTime(date.date if type(date) is DateTime else date, time)


@builtin("date and time(date: date and time, timezone: string)")
def _in_zone(value: DateTime, name: str) -> Value:
    if zone(name) is None:
        return fault(f"date and time(): {name[:60]!r} is no time zone")
    return in_zone(instant(value), name)


@builtin(
    "date and time(year: number, month: number, day: number, hour: number, minute: number, second: number,"
    " offset?: days duration?)"
)
def _date_and_time_parts(year: Number, month: Number, day: Number, *clock: Value) -> Value:
    date, time = _date_of(year, month, day), _time_of(*clock)
    return None if date is None or time is None else DateTime(date, time)


@builtin("duration(from: string|days duration|months duration)")
def _duration(value: Value) -> Value:
    return value if type(value) is not str else _read("duration", value, iso.read_duration(value))


@builtin("cycle(interval: days duration|months duration)")
def _cycle(interval: Value) -> Value:
    return f"R/{iso.write(interval)}"


@builtin("cycle(repetitions: number, interval: days duration|months duration)")
def _bounded_cycle(repetitions: Number, interval: Value) -> Value:
    times = whole(repetitions)
    if times is None or times < 0:
        return fault("cycle(): the repetitions are no whole number from 0 on")
    return f"R{times}/{iso.write(interval)}"


@builtin("years and months duration(from: date|date and time, to: date|date and time)")
def _years_and_months(start: Value, end: Value) -> Value:
    return Months(months_between(_day(start), _day(end)))


def _day(value: Value) -> Date:
    return value.date if type(value) is DateTime else value


@builtin("day of year(date: date|date and time)")
def _day_of_year(date: Value) -> Value:
    day = _day(date)
    return day_number(day) - day_number(Date(day.year, 1, 1)) + 1


@builtin("day of week(date: date|date and time)")
def _day_of_week(date: Value) -> Value:
    return _DAYS[weekday(_day(date)) - 1]


@builtin("month of year(date: date|date and time)")
def _month_of_year(date: Value) -> Value:
    return _MONTHS[_day(date).month - 1]


@builtin("week of year(date: date|date and time)")
def _week_of_year(date: Value) -> Value:
    """As ISO 8601 counts: a week belongs to the year that its Thursday is in."""
    day = _day(date)
    thursday = date_of_number(day_number(day) - weekday(day) + 4)
    if thursday is None:
        return None
    return (day_number(thursday) - day_number(Date(thursday.year, 1, 1))) // 7 + 1


@builtin("last day of month(date: date|date and time)")
def _last_day_of_month(date: Value) -> Value:
    day = _day(date)
    return Date(day.year, day.month, days_in_month(day.year, day.month))


@builtin("now()", pure=False)
def _now() -> Value:
    seconds, milliseconds = divmod(effort.now(), 1000)
    moment = gmtime(seconds)
    nanos = ((moment.tm_hour * 60 + moment.tm_min) * 60 + moment.tm_sec) * SECOND + milliseconds * 1_000_000
    return DateTime(Date(moment.tm_year, moment.tm_mon, moment.tm_mday), Time(nanos, 0))


@builtin("today()", pure=False)
def _today() -> Value:
    return _now().date
