"""Timer expressions: when something is due, by ISO 8601 and the engine's own clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ...errors import ExpressionError

DURATION = re.compile(
    r"^(?P<sign>-)?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:[.,]\d+)?)H)?(?:(?P<minutes>\d+(?:[.,]\d+)?)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?$"
)
ZONE = re.compile(r"(?<=[0-9Z])\[[\w/+-]{1,64}\]$")
LONGEST = 3_155_760_000_000
"""A hundred years in milliseconds: what is due later is a mistake."""


def duration_ms(text: str, start: int) -> int:
    """The length of an ISO 8601 duration in milliseconds, months and years counted from ``start`` (ms since 1970)."""
    match = DURATION.match(text.strip())
    if match is None or not any(value for name, value in match.groupdict().items() if name != "sign"):
        raise ExpressionError(f"{text!r} is not an ISO 8601 duration such as PT30S or P1D.")
    texts = {name: value or "0" for name, value in match.groupdict().items() if name != "sign"}
    part = {name: float(text.replace(",", ".")) for name, text in texts.items()}
    if any(value > 1e9 for value in part.values()):
        raise ExpressionError(f"The duration {text!r} is too long.")
    try:
        days = part["weeks"] * 7 + part["days"]
        length = timedelta(days=days, hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"])
        ms = round(length.total_seconds() * 1000) + _months_ms(int(part["years"] * 12 + part["months"]), start)
    except (OverflowError, ValueError) as error:
        raise ExpressionError(f"The duration {text!r} is too long.") from error
    if ms > LONGEST:
        raise ExpressionError(f"The duration {text!r} is longer than a hundred years.")
    return -ms if match["sign"] else ms


def _months_ms(months: int, start: int) -> int:
    if not months:
        return 0
    if months > 1200:
        raise OverflowError
    begin = datetime.fromtimestamp(start / 1000, UTC)
    index = begin.year * 12 + begin.month - 1 + months
    year, month = divmod(index, 12)
    day = begin.day
    while True:
        try:
            end = begin.replace(year=year, month=month + 1, day=day)
            return round((end - begin).total_seconds() * 1000)
        except ValueError:
            if day <= 28:
                raise
            day -= 1


def date_ms(text: str) -> int:
    """An ISO 8601 date and time in milliseconds since 1970; without an offset it is the server's local time."""
    try:
        # The name of a zone behind the offset says nothing more.
        moment = datetime.fromisoformat(ZONE.sub("", text.strip()))
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        raise ExpressionError(f"{text!r} is not an ISO 8601 date and time such as 2026-01-31T08:00:00Z.") from error


def first_due(kind: str, value: Any, now: int, least_interval: int) -> tuple[int, int, str]:
    """When a timer is due first, how often after that (-1: for ever), and the ISO text that gives the interval.

    ``kind`` is ``date``, ``duration`` or ``cycle``; ``value`` what its expression yields: ISO 8601 text, or a
    number of seconds for a duration. A cycle is ``R3/PT10S``, ``R/2026-01-31T08:00:00Z/P1D`` or ``R2/P1D/<end>``.
    """
    if kind == "duration" and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= LONGEST / 1000:
            raise ExpressionError(f"A timer of {value} seconds cannot be set.")
        return now + round(value * 1000), 0, ""
    if not isinstance(value, str):
        raise ExpressionError(f"A timer {kind} must be text in ISO 8601, not {type(value).__name__}.")
    if kind == "date":
        return date_ms(value), 0, ""
    if kind == "duration":
        return now + duration_ms(value, now), 0, ""
    return _cycle(value, now, least_interval)


def follows_calendar(kind: str, value: Any) -> bool:
    """Whether a timer that :func:`first_due` has read is due by the calendar, not so long after it was set."""
    return kind == "date" or (kind == "cycle" and not value.strip().split("/")[1].startswith("P"))


def _cycle(text: str, now: int, least_interval: int) -> tuple[int, int, str]:
    parts = text.strip().split("/")
    if not re.fullmatch(r"R\d{0,9}", parts[0]) or len(parts) not in (2, 3):
        raise ExpressionError(f"{text!r} is not an ISO 8601 repetition such as R3/PT10S; cron is not supported.")
    times = int(parts[0][1:]) if parts[0] != "R" else -1
    begin = None if parts[1].startswith("P") else date_ms(parts[1])
    interval = parts[1] if begin is None else parts[2] if len(parts) == 3 else ""
    length = duration_ms(interval, now)
    if length < least_interval:
        raise ExpressionError(
            f"The timer {text!r} repeats faster than the limit timer_interval ({least_interval / 1000:g} s) allows."
        )
    if times == 0:
        times = 1
    first = begin if begin is not None else now + length
    return first, times - 1 if times > 0 else -1, interval


def next_due(interval: str, previous: int, now: int) -> int:
    """When a repeating timer is due again; turns that were missed while nobody ran are not made up."""
    length = max(duration_ms(interval, previous), 1)
    due = previous + length
    return due if due >= now else due + -(-(now - due) // length) * length
