"""Cron as the modelers write it: the Java engines (Quartz), Camunda 8 (Spring), and plain cron of five fields."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from ....clock import LATEST
from ....errors import ExpressionError
from .moments import LOCAL, zone_named

_MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MOST = (59, 59, 23, 31, 12, 6)
_ZONED = re.compile(
    r"(?:(?:CRON_)?TZ=(?P<before>[\w/+-]{1,64})\s+)?(?P<cron>[^\[]*?)\s*(?:\[(?P<behind>[\w/+-]{1,64})\])?"
)
_FIELD = re.compile(r"[0-9A-Z*?/,#-]+|@[a-z]+", re.IGNORECASE)


class Cron(NamedTuple):
    """A cron expression in the form that is stored: six fields with Sunday as 0, and a zone."""

    fields: str
    zone: str
    either_day: bool = False
    """Whether one of the two days is enough where both are given, as in plain cron."""

    @property
    def text(self) -> str:
        """As it is stored."""
        return f"{'|' if self.either_day else '&'} {self.fields} {self.zone}"

    @classmethod
    def of(cls, text: str) -> Cron:
        """The expression that was stored so."""
        days, *fields, zone = text.split(" ")
        return cls(" ".join(fields), zone, days == "|")

    def after(self, moment: int) -> int | None:
        """The first time after a moment, both in milliseconds since 1970; None if there is none in fifty years.

        A local time that daylight saving skips comes when it is over, and one that it repeats comes once.
        """
        from cronsim import CronSim, CronSimError

        zone = zone_named(self.zone)
        # By the clock on the wall, which the library then takes each time of once.
        begin = datetime.fromtimestamp(moment / 1000, zone).replace(tzinfo=None)
        try:
            times = CronSim(self.fields, begin)
            times.day_and = not self.either_day or times.day_and
            while True:
                due = round(next(times).replace(tzinfo=zone).timestamp() * 1000)
                if due > moment:
                    return due if due <= LATEST else None
        except (StopIteration, OverflowError):
            return None
        except CronSimError as error:
            raise ExpressionError(f"The cron {self.fields!r} cannot be read: {error}.") from error


def read_cron(text: str, *, sunday: int) -> Cron:
    """Read what a modeler wrote, with the number that Sunday has there; raises ExpressionError.

    Six fields, or seven with a year of ``*``: seconds, minutes, hours, day of the month, month, day of the week; or
    five without seconds; or ``@daily`` and its like. A zone stands behind as ``[Europe/Berlin]`` or in front as
    ``CRON_TZ=Europe/Berlin``; without one it is the server's.
    """
    zoned = _ZONED.fullmatch(text.strip())
    fields = [] if zoned is None else _MACROS.get(zoned["cron"].lower(), zoned["cron"]).upper().split()
    if zoned is None or not 5 <= len(fields) <= 7 or not all(map(_FIELD.fullmatch, fields)):
        raise ExpressionError(
            f"{text!r} is neither an ISO 8601 repetition such as R3/PT10S nor a cron such as '0 0 9 ? * MON-FRI'."
        )
    zone = zoned["before"] or zoned["behind"] or LOCAL
    zone_named(zone)
    if len(fields) == 7 and fields.pop() != "*":
        raise ExpressionError(f"The cron {text!r} names years: use * there, and let a date end the timer.")
    plain = len(fields) == 5
    if plain or zoned["cron"].startswith("@"):
        sunday = 0
    fields = ["0", *fields] if plain else fields
    for place, field in enumerate(fields):
        fields[place] = ",".join(_term(text, place, term, sunday) for term in field.split(","))
    if not plain and sunday == 1 and "*" not in (fields[3], fields[5]):
        raise ExpressionError(f"The cron {text!r} gives the day twice: write ? for the one that is not to count.")
    cron = Cron(" ".join(fields), zone, either_day=plain)
    if cron.after(0) is None:
        raise ExpressionError(f"The cron {text!r} never comes.")
    return cron


def _term(text: str, place: int, term: str, sunday: int) -> str:
    """One part of one field, in the words of the library."""
    whole, _, step = term.partition("/")
    behind = f"/{step}" if step else ""
    if whole in ("?", "*"):
        return f"*{behind}"
    if place == 3 and whole in ("L", "LW") and not step:
        return whole
    if place == 5 and whole == "L":
        return "6"
    if place == 5 and (found := re.fullmatch(r"(\w+?)(L|#\d)", whole)) is not None and not step:
        return f"{_number(text, place, found[1], sunday)}{found[2]}"
    first, _, last = whole.partition("-")
    low = _number(text, place, first, sunday)
    if not last:
        return f"{low}-{_MOST[place]}{behind}" if step else f"{low}"
    high = _number(text, place, last, sunday)
    if low <= high:
        return f"{low}-{high}{behind}"
    if step:
        raise _unreadable(text, term)
    # Over the end of the week, the day or the year.
    return f"{low}-{_MOST[place]},{0 if place not in (3, 4) else 1}-{high}"


def _number(text: str, place: int, word: str, sunday: int) -> int:
    names = {4: _MONTHS, 5: _DAYS}.get(place, ())
    if word in names:
        return names.index(word) + (place == 4)
    if not (word.isascii() and word.isdigit() and len(word) < 3):
        raise _unreadable(text, word)
    if place != 5:
        return int(word)
    if not sunday <= int(word) <= 7:
        raise _unreadable(text, word)
    return (int(word) - sunday) % 7


def _unreadable(text: str, part: str) -> ExpressionError:
    return ExpressionError(f"{part!r} in the cron {text!r} is not understood.")
