"""Values of FEEL as they leave an expression: JSON, with dates, times and durations as ISO 8601 texts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from ...errors import ExpressionError
from ...jsontext import JSON, weigh
from ...limits import Limits
from .. import effort
from .values import decimals, iso
from .values.kinds import Range, Value, kind_of, literal_of
from .values.temporal import SECOND, TEMPORAL, Nanos

_PLAIN = frozenset({int, float, str, bool, type(None)})


_PYTHON = (date, time, timedelta)


def from_python(value: Any, levels: int) -> Value:
    """What a program gives, so many levels deep: dates, times and durations of Python's own are FEEL's."""
    if levels < 0:
        return value
    if type(value) is dict:
        return {key: from_python(each, levels - 1) for key, each in value.items()}
    if type(value) is list:
        return [from_python(each, levels - 1) for each in value]
    return _temporal(value) if isinstance(value, _PYTHON) else value


def in_json(value: Value, levels: int) -> Any:
    """The same with times as texts, as they are in JSON."""
    if levels < 0:
        return value
    if type(value) is dict:
        return {key: in_json(each, levels - 1) for key, each in value.items()}
    if type(value) is list:
        return [in_json(each, levels - 1) for each in value]
    return iso.write(value) if type(value) in TEMPORAL else value


def _temporal(value: date | time | timedelta) -> Value:
    if isinstance(value, timedelta):
        return Nanos((value.days * 86_400 + value.seconds) * SECOND + value.microseconds * 1_000)
    text = value.isoformat()
    if isinstance(value, datetime):
        return iso.read_date_time(text)
    return iso.read_date(text) if isinstance(value, date) else iso.read_time(text)


def to_json(value: Value, limits: Limits) -> JSON:
    """The value as JSON; raises ExpressionError for functions, and for what is too large or too deep."""
    if type(value) in _PLAIN:
        return value
    if type(value) is list or type(value) is dict:
        if weigh(value, limits.output_size, effort.charge) > limits.output_size:
            raise ExpressionError(f"the value is over {limits.output_size} long: make it smaller")
        return _structure(value, limits.json_depth)
    return _simple(value)


def _structure(value: Value, levels: int) -> JSON:
    if levels < 0:
        raise ExpressionError("the value has too many levels of lists and contexts (json_depth): make it flatter")
    if type(value) is list:
        return [each if type(each) in _PLAIN else _inner(each, levels) for each in value]
    if _PLAIN.issuperset(map(type, value.values())):
        return value.copy()
    return {key: each if type(each) in _PLAIN else _inner(each, levels) for key, each in value.items()}


def _inner(value: Value, levels: int) -> JSON:
    return _structure(value, levels - 1) if type(value) is list or type(value) is dict else _simple(value)


def _simple(value: Value) -> JSON:
    kind = type(value)
    if kind in decimals.NUMBERS:
        try:
            return decimals.json_of(value)
        except OverflowError:
            raise ExpressionError("the number is too large for JSON: use smaller numbers") from None
    if kind in TEMPORAL:
        return iso.write(value)
    if kind is Range:
        return literal_of(value)
    raise ExpressionError(f"a {kind_of(value)} cannot be a variable: call it, or take what it gives")
