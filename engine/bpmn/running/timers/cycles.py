"""When timers are due, and when those that repeat are due again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from ....errors import ExpressionError
from ....language.operators import kind_of
from .cron import Cron, read_cron
from .moments import LONGEST, later, read_date, read_duration

TimerKind = Literal["date", "duration", "cycle"]

_TIMES = re.compile(r"R(\d{0,9})")


class Cycle(NamedTuple):
    """What is to come of a repeating timer once its present turn has come; a token keeps it as JSON."""

    left: int
    """How often it comes again; -1 for ever."""
    interval: str
    """An ISO 8601 duration, or a :class:`Cron`."""
    start: int = -1
    """From when the turns are counted, in milliseconds since 1970; -1: from the present turn."""
    turn: int = 0
    """The number of the present turn, where the first after ``start`` is 1."""
    zone: str = ""
    """Whose days and months are counted."""
    end: int | None = None
    """When it is over."""

    @classmethod
    def of(cls, kept: Sequence[Any]) -> Cycle:
        """What was kept, by an earlier version as the first two alone."""
        return cls(*kept)

    def following(self, due: int, now: int) -> tuple[int, Cycle] | None:
        """The turn after the one that was due; those that were missed while nobody ran are not made up.

        Where somebody has set the clock meanwhile, ``due`` tells, and the turns that follow are moved as well.
        """
        if self.left == 0:
            return None
        if self.interval[0] in "&|":
            turn = self.turn + 1
            found = Cron.of(self.interval).after(max(due, now - 1))
        else:
            turn, found = self._next_turn(due, now)
        if found is None or (self.end is not None and found > self.end):
            return None
        start = self.start if self.start >= 0 else due
        return found, self._replace(left=max(self.left - 1, -1), start=start, turn=turn)

    def first(self, now: int) -> tuple[int, Cycle] | None:
        """The first turn of one that begins at a date or is a cron; those that are over have been used up."""
        if self.interval[0] in "&|":
            return self.following(now, now)
        if self.start >= now:
            found: tuple[int, Cycle] | None = (self.start, self._replace(left=max(self.left - 1, -1)))
        else:
            found = self.following(self.start, now)
        if found is None or (self.end is not None and found[0] > self.end):
            return None
        if self.left < 0:
            return found
        left = self.left - found[1].turn - 1
        return None if left < 0 else (found[0], found[1]._replace(left=left))

    def _next_turn(self, due: int, now: int) -> tuple[int, int]:
        length = read_duration(self.interval)
        start, turn = (self.start, self.turn) if self.start >= 0 else (due, 0)
        moved = due - later(length, start, self.zone, turn)
        about = max(length.months * 2_629_746_000 + length.days * 86_400_000 + length.ms, 1)
        following = max(turn + 1, (now - start - moved) // about)
        while following > turn + 1 and later(length, start, self.zone, following - 1) + moved >= now:
            following -= 1
        while (found := later(length, start, self.zone, following) + moved) < now:
            following += 1
        return following, found

    def turns(self, due: int, most: int) -> Iterator[int]:
        """The times of the turns after the one that is due."""
        found = self.following(due, due)
        while found is not None and most > 0:
            due, cycle = found
            yield due
            found, most = cycle.following(due, due), most - 1


class Timer(NamedTuple):
    """When a timer is due, None for one that is over already, and what it repeats."""

    due: int | None
    cycle: Cycle | None = None
    by_calendar: bool = False
    """Whether it is due by the calendar, not so long after it was set."""


def read_timer(
    kind: TimerKind, value: Any, now: int, least_interval: int, *, sunday: int = 1, until: Any = None
) -> Timer:
    """When a timer that is set now is due; raises ExpressionError for what is no time.

    Args:
        kind: What the model calls it.
        value: What its expression yields: ISO 8601, for a duration also a number of seconds, for a cycle also cron.
            A cycle is ``R3/PT10S``, ``R/2026-01-31T08:00:00Z/P1D`` or ``R2/P1D/<end>``.
        now: In milliseconds since 1970.
        least_interval: The limit on how fast a cycle may be, in milliseconds.
        sunday: Its number in the modeler's cron.
        until: The date at which a cycle ends, where the model says it beside the cycle.
    """
    if kind == "duration" and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= LONGEST / 1000:
            raise ExpressionError(f"A timer of {value} seconds cannot be set.")
        return Timer(now + round(value * 1000))
    if not isinstance(value, str):
        raise ExpressionError(f"A timer {kind} must be a text in ISO 8601, and it is {kind_of(value)}.")
    if kind == "date":
        return Timer(read_date(value)[0], by_calendar=True)
    if kind == "duration":
        length = later(read_duration(value), now, "") - now
        if length > LONGEST:
            raise ExpressionError(f"The duration {value!r} is longer than a hundred years.")
        return Timer(now + length)
    cycle, begins = read_cycle(value, now, least_interval, sunday=sunday, until=until)
    found = cycle.first(now) if begins else cycle.following(cycle.start, cycle.start)
    return Timer(None, by_calendar=begins) if found is None else Timer(*found, by_calendar=begins)


def read_cycle(value: Any, now: int, least_interval: int, *, sunday: int = 1, until: Any = None) -> tuple[Cycle, bool]:
    """What a timer that is set now repeats, before its first turn, and whether it follows the calendar."""
    if not isinstance(value, str):
        raise ExpressionError(f"A timer cycle must be a text in ISO 8601, and it is {kind_of(value)}.")
    end = None
    if until is not None:
        if not isinstance(until, str):
            raise ExpressionError(f"The end of a timer must be a date in ISO 8601, and it is {kind_of(until)}.")
        end, _ = read_date(until)
    if re.match(r"\s*R\d*/", value):
        cycle, begins = _repetition(value, now, end)
        fastest = later(read_duration(cycle.interval), cycle.start, cycle.zone) - cycle.start
    else:
        cycle, begins = Cycle(-1, read_cron(value, sunday=sunday).text, now, end=end), True
        times = list(cycle.turns(now, 4))
        fastest = min((after - before for before, after in pairwise(times)), default=least_interval)
    if fastest < max(least_interval, 1):
        raise ExpressionError(
            f"The timer {value!r} repeats faster than the limit timer_interval ({least_interval / 1000:g} s) allows."
        )
    return cycle, begins


def _repetition(text: str, now: int, end: int | None) -> tuple[Cycle, bool]:
    # The name of a zone may hold a slash, too.
    first, *parts = re.split(r"/(?=-?P[\dT]|\d)", text.strip())
    times = _TIMES.fullmatch(first)
    place = next((place for place, part in enumerate(parts) if part.startswith("P")), -1)
    if times is None or place not in (0, 1) or len(parts) - place > 2:
        raise ExpressionError(f"{text!r} is not an ISO 8601 repetition such as R3/PT10S or R/2026-01-31T08:00:00Z/P1D.")
    if place + 1 < len(parts):
        told, _ = read_date(parts[place + 1])
        end = told if end is None else min(end, told)
    start, zone = read_date(parts[0]) if place else (now, "")
    return Cycle(-1 if not times[1] else max(int(times[1]), 1), parts[place], start, 0, zone, end), bool(place)
