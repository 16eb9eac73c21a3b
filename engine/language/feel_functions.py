"""FEEL's own functions (DMN 1.3, 10.3.4), those of them that need no clock, and what Camunda adds to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime

from ..errors import ExpressionError
from ..jsontext import JSON
from . import effort
from .functions import FUNCTIONS, Function, is_empty, numbers_of, text_of
from .operators import Reading, kind_of


def _date(reading: Reading, value: JSON) -> str:
    """A date stays text in ISO 8601, which orders as its dates do."""
    text = text_of(reading, value)
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise ExpressionError(f"{text[:40]!r} is no date: write one such as 2031-01-31") from None


def _date_and_time(reading: Reading, value: JSON, *more: JSON) -> str:
    """As :func:`_date`; with an offset it becomes UTC, so that the order is right."""
    text = "T".join([text_of(reading, value), *(text_of(reading, each) for each in more)])
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()
    except (ValueError, OverflowError):
        example = "2031-01-31T12:00:00Z"
        raise ExpressionError(f"{text[:40]!r} is no date and time: write one such as {example}") from None


def _list(value: JSON) -> list[JSON]:
    if isinstance(value, list):
        effort.charge(len(value))
        return value
    raise ExpressionError(f"{kind_of(value)} is no list")


def _whole(reading: Reading, value: JSON, what: str) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise ExpressionError(f"{what} takes a whole number, not {kind_of(value)}")


def _start(place: int, length: int) -> int:
    """FEEL counts from one, and from the end with negative numbers."""
    return place - 1 if place > 0 else max(length + place, 0)


def _substring(reading: Reading, text: JSON, start: JSON, length: JSON = None) -> str:
    whole = text_of(reading, text)
    begin = _start(_whole(reading, start, "substring"), len(whole))
    return whole[begin:] if length is None else whole[begin : begin + max(_whole(reading, length, "substring"), 0)]


def _before(reading: Reading, text: JSON, mark: JSON) -> str:
    before, found, _ = text_of(reading, text).partition(text_of(reading, mark) or "\0")
    return before if found else ""


def _after(reading: Reading, text: JSON, mark: JSON) -> str:
    whole, sought = text_of(reading, text), text_of(reading, mark)
    return whole.partition(sought)[2] if sought else whole


def _is_blank(reading: Reading, value: JSON) -> bool:
    return value is None or not text_of(reading, value).strip()


def _or_else(reading: Reading, value: JSON, otherwise: JSON) -> JSON:
    return otherwise if value is None else value


def _get_value(reading: Reading, container: JSON, key: JSON) -> JSON:
    return container.get(key) if isinstance(container, dict) and isinstance(key, str) else None


def _modulo(reading: Reading, dividend: JSON, divisor: JSON) -> JSON:
    return reading.calculate("%", dividend, divisor)


def _sqrt(reading: Reading, value: JSON) -> JSON:
    (number,) = numbers_of(reading, (value,))
    if number < 0:
        raise ExpressionError("a negative number has no square root")
    return math.sqrt(number)


def _odd(reading: Reading, value: JSON) -> bool:
    return _whole(reading, value, "odd") % 2 == 1


def _even(reading: Reading, value: JSON) -> bool:
    return _whole(reading, value, "even") % 2 == 0


def _product(reading: Reading, *values: JSON) -> JSON:
    result: JSON = 1
    for number in numbers_of(reading, values):
        result = reading.calculate("*", result, number)
    return result


def _mean(reading: Reading, *values: JSON) -> JSON:
    numbers = numbers_of(reading, values)
    total: JSON = 0
    for number in numbers:
        total = reading.calculate("+", total, number)
    return reading.calculate("/", total, len(numbers)) if numbers else None


def _median(reading: Reading, *values: JSON) -> JSON:
    numbers = sorted(numbers_of(reading, values))
    if not numbers:
        return None
    half = len(numbers) // 2
    return reading.bounded(numbers[half] if len(numbers) % 2 else (numbers[half - 1] + numbers[half]) / 2)


def _append(reading: Reading, items: JSON, *more: JSON) -> JSON:
    return reading.fitting([*_list(items), *more])


def _distinct(reading: Reading, items: JSON) -> JSON:
    found: list[JSON] = []
    for item in _list(items):
        if len(found) > MOST_COMPARED:
            raise ExpressionError(f"distinct values compares no more than {MOST_COMPARED} different ones")
        effort.charge(len(found))
        if not any(reading.equal(item, other) for other in found):
            found.append(item)
    return found


def _flatten(reading: Reading, items: JSON) -> JSON:
    found: list[JSON] = []
    pending = list(reversed(_list(items)))
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(reversed(item))
        else:
            found.append(item)
    return reading.fitting(found)


def _reverse(reading: Reading, items: JSON) -> JSON:
    return _list(items)[::-1]


def _index_of(reading: Reading, items: JSON, sought: JSON) -> JSON:
    return [place for place, item in enumerate(_list(items), 1) if reading.equal(item, sought)]


def _sublist(reading: Reading, items: JSON, start: JSON, length: JSON = None) -> JSON:
    whole = _list(items)
    begin = _start(_whole(reading, start, "sublist"), len(whole))
    return whole[begin:] if length is None else whole[begin : begin + max(_whole(reading, length, "sublist"), 0)]


def _all(reading: Reading, *values: JSON) -> bool:
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    effort.charge(len(items))
    return all(reading.truth(item) for item in items)


def _any(reading: Reading, *values: JSON) -> bool:
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    effort.charge(len(items))
    return any(reading.truth(item) for item in items)


MOST_COMPARED = 1_000
FEEL_FUNCTIONS: Mapping[str, Function] = {
    **FUNCTIONS,
    "date": Function(_date, 1, 1),
    "dateAndTime": Function(_date_and_time, 1, 2),
    "substring": Function(_substring, 2, 3),
    "substringBefore": Function(_before, 2, 2),
    "substringAfter": Function(_after, 2, 2),
    "isEmpty": Function(is_empty, 1, 1),
    "isBlank": Function(_is_blank, 1, 1),
    "getOrElse": Function(_or_else, 2, 2),
    "getValue": Function(_get_value, 2, 2),
    "modulo": Function(_modulo, 2, 2),
    "sqrt": Function(_sqrt, 1, 1),
    "odd": Function(_odd, 1, 1),
    "even": Function(_even, 1, 1),
    "product": Function(_product, 1, 100),
    "mean": Function(_mean, 1, 100),
    "median": Function(_median, 1, 100),
    "append": Function(_append, 1, 100),
    "distinctValues": Function(_distinct, 1, 1),
    "flatten": Function(_flatten, 1, 1),
    "reverse": Function(_reverse, 1, 1),
    "indexOf": Function(_index_of, 2, 2),
    "sublist": Function(_sublist, 2, 3),
    "all": Function(_all, 1, 100),
    "any": Function(_any, 1, 100),
}

# FEEL spells some of them in several words or otherwise.
FEEL_NAMES: Mapping[str, str] = {
    "string length": "length",
    "starts with": "startsWith",
    "ends with": "endsWith",
    "lower case": "lower",
    "upper case": "upper",
    "list contains": "contains",
    "string join": "join",
    "is defined": "exists",
    "ceiling": "ceil",
    "concatenate": "concat",
    "date and time": "dateAndTime",
    "substring before": "substringBefore",
    "substring after": "substringAfter",
    "is empty": "isEmpty",
    "is blank": "isBlank",
    "get or else": "getOrElse",
    "get value": "getValue",
    "distinct values": "distinctValues",
    "index of": "indexOf",
}
