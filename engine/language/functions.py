"""The functions and methods that an expression may call; none reads a clock, a file or a regular expression."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..errors import ExpressionError
from ..jsontext import JSON
from . import effort
from .operators import Number, Reading, kind_of

_CALCULATION = 3
"""What an item costs that is calculated with, in the time of a look at one."""


class Function(NamedTuple):
    """``run`` gets the reading and the evaluated arguments; ``least`` and ``most`` say how many it takes."""

    run: Callable[..., JSON]
    least: int
    most: int


def text_of(reading: Reading, value: JSON) -> str:
    """The value if it is a text; raises ExpressionError."""
    if isinstance(value, str):
        effort.charge_text(value)
        return value
    raise ExpressionError(f"{kind_of(value)} is not a text: use string(x)")


def _number(reading: Reading, value: JSON) -> Number:
    number = reading.number(value)
    if number is None:
        raise ExpressionError(f"{kind_of(value)} is not a number: use number(x)")
    return number


def _size(reading: Reading, value: JSON) -> int:
    if isinstance(value, str | list | dict):
        return len(value)
    raise ExpressionError(f"{kind_of(value)} has no size: use a text, a list or an object")


def is_empty(reading: Reading, value: JSON) -> bool:
    """Whether it is null or has nothing in it."""
    return value is None or value == "" or value == [] or value == {}


def _contains(reading: Reading, container: JSON, item: JSON) -> bool:
    return reading.contains(container, item)


def _starts_with(reading: Reading, text: JSON, start: JSON) -> bool:
    return text_of(reading, text).startswith(text_of(reading, start))


def _ends_with(reading: Reading, text: JSON, end: JSON) -> bool:
    return text_of(reading, text).endswith(text_of(reading, end))


def _lower(reading: Reading, text: JSON) -> str:
    effort.charge_made(len(text_of(reading, text)))
    return text_of(reading, text).lower()


def _upper(reading: Reading, text: JSON) -> str:
    effort.charge_made(len(text_of(reading, text)))
    return text_of(reading, text).upper()


def _trim(reading: Reading, text: JSON) -> str:
    return text_of(reading, text).strip()


def _to_number(reading: Reading, value: JSON) -> Number:
    number = reading.number(value.strip() if isinstance(value, str) else value)
    if number is None:
        raise ExpressionError(f"{kind_of(value)} does not say a number: use digits")
    return reading.bounded(number)


def _to_string(reading: Reading, value: JSON) -> JSON:
    return reading.text(value)


def numbers_of(reading: Reading, values: tuple[JSON, ...]) -> list[Number]:
    """The arguments, or the items of the only one, as numbers; raises ExpressionError."""
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    effort.charge(_CALCULATION * len(items))
    return [_number(reading, item) for item in items]


def _min(reading: Reading, *values: JSON) -> JSON:
    return reading.bounded(min(_some(numbers_of(reading, values))))


def _max(reading: Reading, *values: JSON) -> JSON:
    return reading.bounded(max(_some(numbers_of(reading, values))))


def _some(numbers: list[Number]) -> list[Number]:
    if not numbers:
        raise ExpressionError("an empty list has no least or greatest item: check that it is not empty")
    return numbers


def _sum(reading: Reading, *values: JSON) -> JSON:
    total: JSON = 0
    for number in numbers_of(reading, values):
        total = reading.calculate("+", total, number)
    return total


def _round(reading: Reading, value: JSON, places: JSON = 0) -> JSON:
    number, digits = _number(reading, value), _number(reading, places)
    if type(digits) is not int or not -30 <= digits <= 30:
        raise ExpressionError("round(x, n) takes a whole number of places from -30 to 30")
    rounded = round(number, digits)
    return reading.bounded(int(rounded) if digits <= 0 else rounded)


def _floor(reading: Reading, value: JSON) -> Number:
    return reading.bounded(math.floor(_number(reading, value)))


def _ceil(reading: Reading, value: JSON) -> Number:
    return reading.bounded(math.ceil(_number(reading, value)))


def _abs(reading: Reading, value: JSON) -> Number:
    return reading.bounded(abs(_number(reading, value)))


def _split(reading: Reading, text: JSON, separator: JSON) -> list[str]:
    between = text_of(reading, separator)
    if not between:
        raise ExpressionError("split(text, separator) needs a separator that is not empty")
    parts = text_of(reading, text).split(between)
    return reading.fitting(parts)  # type: ignore[no-any-return]


def _join(reading: Reading, items: JSON, separator: JSON = "") -> str:
    if not isinstance(items, list):
        raise ExpressionError(f"join(list, separator) got {kind_of(items)}: use a list")
    effort.charge(_CALCULATION * len(items))
    between = text_of(reading, separator)
    if len(between) * len(items) > reading.limits.output_size:
        raise ExpressionError(f"the text is over {reading.limits.output_size} long: make it smaller")
    return _joined(reading, between, items)


def _concat(reading: Reading, *values: JSON) -> JSON:
    if values and all(isinstance(value, list) for value in values):
        if sum(map(len, values)) > reading.limits.output_size:
            raise ExpressionError(f"the list is over {reading.limits.output_size} long: make it smaller")
        return reading.fitting([item for value in values for item in value])
    return _joined(reading, "", values)


def _joined(reading: Reading, between: str, values: list[JSON] | tuple[JSON, ...]) -> str:
    room, texts = reading.limits.output_size, []
    effort.charge(len(values))
    for value in values:
        texts.append(reading.text(value))
        room -= len(texts[-1]) + len(between)
        if room < 0:
            raise ExpressionError(f"the text is over {reading.limits.output_size} long: make it smaller")
    effort.charge_made(reading.limits.output_size - room)
    return between.join(texts)


def _equals(reading: Reading, left: JSON, right: JSON) -> bool:
    return type(left) is type(right) and reading.equal(left, right)


def _equals_ignore_case(reading: Reading, left: JSON, right: JSON) -> bool:
    return isinstance(right, str) and _lower(reading, left) == right.lower()


def _sole(reading: Reading, value: JSON, what: str) -> JSON:
    """What the Java engines' results of decisions give where no more than one is there."""
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise ExpressionError(f"{kind_of(value)} is no result of a decision")
    if len(items) > 1:
        raise ExpressionError(f"{what}() found {len(items)} where only one may be")
    return items[0] if items else None


def _single_result(reading: Reading, value: JSON) -> JSON:
    return _sole(reading, value, "getSingleResult") if isinstance(value, list) else value


def _single_entry(reading: Reading, value: JSON) -> JSON:
    row = _single_result(reading, value)
    return _sole(reading, row, "getSingleEntry") if isinstance(row, dict) else row


def _first_result(reading: Reading, value: JSON) -> JSON:
    return (value[0] if value else None) if isinstance(value, list) else value


def _collect_entries(reading: Reading, value: JSON, name: JSON) -> JSON:
    rows = value if isinstance(value, list) else [value]
    effort.charge(len(rows))
    return reading.fitting([row[name] for row in rows if isinstance(row, dict) and name in row])


def _get(reading: Reading, container: JSON, key: JSON) -> JSON:
    """An item as Java's ``get`` gives it: null for an absent key."""
    if isinstance(container, dict) and isinstance(key, str):
        return container.get(key)
    if isinstance(container, list) and type(key) is int:
        if 0 <= key < len(container):
            return container[key]
        raise ExpressionError(f"the list has no item {key}: it has {len(container)}, counted from 0")
    raise ExpressionError(
        f"{kind_of(container)} cannot be asked for {kind_of(key)}: use list.get(0) or object.get('x')"
    )


FUNCTIONS: Mapping[str, Function] = {
    **dict.fromkeys(("size", "length", "count"), Function(_size, 1, 1)),
    "contains": Function(_contains, 2, 2),
    "startsWith": Function(_starts_with, 2, 2),
    "endsWith": Function(_ends_with, 2, 2),
    "lower": Function(_lower, 1, 1),
    "upper": Function(_upper, 1, 1),
    "trim": Function(_trim, 1, 1),
    "number": Function(_to_number, 1, 1),
    "string": Function(_to_string, 1, 1),
    "min": Function(_min, 1, 100),
    "max": Function(_max, 1, 100),
    "sum": Function(_sum, 1, 100),
    "round": Function(_round, 1, 2),
    "floor": Function(_floor, 1, 1),
    "ceil": Function(_ceil, 1, 1),
    "abs": Function(_abs, 1, 1),
    "split": Function(_split, 2, 2),
    "join": Function(_join, 1, 2),
    "concat": Function(_concat, 1, 100),
}

# What models that were written for Java engines call on a value.
METHODS: Mapping[str, Function] = {
    **dict.fromkeys(("size", "length"), Function(_size, 1, 1)),
    "isEmpty": Function(is_empty, 1, 1),
    **dict.fromkeys(("contains", "containsKey"), Function(_contains, 2, 2)),
    "equals": Function(_equals, 2, 2),
    "equalsIgnoreCase": Function(_equals_ignore_case, 2, 2),
    "startsWith": Function(_starts_with, 2, 2),
    "endsWith": Function(_ends_with, 2, 2),
    "toLowerCase": Function(_lower, 1, 1),
    "toUpperCase": Function(_upper, 1, 1),
    "trim": Function(_trim, 1, 1),
    "toString": Function(_to_string, 1, 1),
    "get": Function(_get, 2, 2),
    "getSingleResult": Function(_single_result, 1, 1),
    "getSingleEntry": Function(_single_entry, 1, 1),
    "getFirstResult": Function(_first_result, 1, 1),
    "collectEntries": Function(_collect_entries, 2, 2),
}
