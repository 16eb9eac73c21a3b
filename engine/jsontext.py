"""Strict JSON: what cannot be stored, sent on and read back the same is refused at the door."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, NoReturn, TypeAlias

from .errors import Invalid, Malformed
from .limits import Limits

# A recursive alias would be invariant: a ``dict[str, str]`` could not be passed where JSON is asked for.
JSON: TypeAlias = Any

# A string that is not closed runs to the end, so the scan looks at each character once.
_STRINGS_AND_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|([\[{])|[\]}]', re.DOTALL)
NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
"""What no string may hold: PostgreSQL has no NUL, and half of a surrogate pair has no UTF-8."""


def storable(text: str) -> str:
    """The text without what no database keeps."""
    return NOT_STORABLE.sub("", text)


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode


def loads(text: str | bytes, *, limits: Limits, name: str = "body") -> JSON:
    """The value of a JSON text (RFC 8259), with the doubtful parts of that standard refused.

    Raises Malformed for what cannot be read, repeated names (RFC 8259, section 4), ``NaN`` and too deep
    nesting; Invalid for integers over ``limits.integer_digits``, numbers beyond a double, and strings that
    hold NUL or half of a surrogate pair (``code`` is ``text-not-storable``).
    """
    if isinstance(text, bytes):
        try:
            text = text.decode().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise Malformed(f"The {name} is not UTF-8 at byte {error.start}: send JSON in UTF-8.") from None
    elif not text.isascii() and NOT_STORABLE.search(text):
        raise not_storable(name)
    if _too_deep(text, limits.json_depth):
        raise Malformed(f"The {name} is nested deeper than {limits.json_depth} levels (json_depth): make it flatter.")
    try:
        value = _decoder(limits, name).decode(text)
    except json.JSONDecodeError as error:
        place, why = _misread(error)
        raise Malformed(f"The {name} is not JSON at {place}: {why}.") from None
    except RecursionError:
        raise Malformed(f"The {name} is nested too deep to be read: make it flatter.") from None
    # Only an escape can still smuggle in what the text itself does not hold.
    if "\\u" in text:
        check(value, limits=limits, name=name)
    return value


def dumps(value: JSON) -> str:
    """The compact JSON text of a value that passed :func:`check` or came from :func:`loads`; order is kept."""
    return _encode(value) if value or type(value) is not dict else "{}"


def read(text: str) -> JSON:
    """The value of a text that :func:`dumps` has made, quicker than what has to be expected of others' texts."""
    return _decode(text)[0] if text != "{}" else {}


def check(value: object, *, limits: Limits, name: str) -> None:
    """Make sure that a Python value is JSON by the rules of :func:`loads`: exact types, no tuples.

    Raises Invalid naming the path of the first wrong part. ``name`` is what the path starts with.
    """
    if _sound(value, limits):
        return
    path, code, text = next(_faults(value, limits))
    field = ".".join((name, *path))
    raise Invalid(f"{field} {text}.", code=code, errors={field: [text]})


def weigh(value: JSON, most: int, charge: Callable[[int], None] | None = None) -> int:
    """About the length of the value's JSON text, counted until it exceeds ``most``.

    A value can hold the same list many times; its text then is far larger than what is in memory. ``charge``
    is told how many members it goes through.
    """
    total, stack = 0, [value]
    while stack and total <= most:
        part = stack.pop()
        kind = type(part)
        if kind is str:
            total += len(part) + 2
        elif kind is dict:
            if charge is not None:
                charge(len(part))
            total += 2 + sum(map(len, part)) + 4 * len(part)
            stack.extend(part.values())
        elif kind is list:
            if charge is not None:
                charge(len(part))
            total += 2 + len(part)
            stack.extend(part)
        elif kind is int:
            total += 1 + part.bit_length() // 3
        else:
            total += 5
    return total


def _too_deep(text: str, most: int) -> bool:
    if text.count("[") + text.count("{") <= most:
        return False
    depth = 0
    for found in _STRINGS_AND_BRACKETS.finditer(text):
        if found.lastindex:
            depth += 1
            if depth > most:
                return True
        elif text[found.start()] != '"':
            depth -= 1
    return False


TRAILING = {
    "}": "illegal trailing comma before end of object",
    "]": "illegal trailing comma before end of array",
}
"""By the bracket before which there is a comma, in the words of CPython 3.13."""


def _misread(error: json.JSONDecodeError) -> tuple[str, str]:
    """Where a text is no JSON and why, the same on every Python: before 3.13 none knew a comma before a bracket."""
    before = error.doc[: error.pos].rstrip(" \t\n\r")
    told = TRAILING.get(error.doc[error.pos : error.pos + 1])
    if told and before.endswith(","):
        error = json.JSONDecodeError(told, error.doc, len(before) - 1)
    return f"line {error.lineno} column {error.colno}", error.msg.lower()


@lru_cache(maxsize=16)
def _decoder(limits: Limits, name: str) -> json.JSONDecoder:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise Malformed(f"The {name} has the name {twice!r} twice in one object: give it once.")
        return members

    def integer(digits: str) -> int:
        if len(digits.lstrip("-")) > limits.integer_digits:
            text = f"holds an integer of more than {limits.integer_digits} digits (integer_digits): send it as a string"
            raise Invalid(f"The {name} {text}.", code="integer-too-long", errors={name: [text]})
        return int(digits)

    def real(digits: str) -> float:
        number = float(digits)
        if math.isinf(number):
            text = "holds a number beyond the range of a double: send it as a string"
            raise Invalid(f"The {name} {text}.", code="number-too-large", errors={name: [text]})
        return number

    def constant(word: str) -> NoReturn:
        raise Malformed(f"The {name} holds {word}, which is not JSON: send null or a number.")

    return json.JSONDecoder(object_pairs_hook=unique, parse_int=integer, parse_float=real, parse_constant=constant)


def check_texts(**texts: object) -> None:
    """Make sure that no database refuses these texts; raises Invalid (``text-not-storable``)."""
    for name, text in texts.items():
        if isinstance(text, str) and NOT_STORABLE.search(text):
            raise not_storable(name)


def values_of(given: Mapping[str, JSON] | None, *, limits: Limits, name: str) -> dict[str, JSON]:
    """A copy of the values that a program gives; raises Invalid for what is no mapping, and as :func:`check` does."""
    if given is not None and not isinstance(given, Mapping):
        raise Invalid(f"{name} must be an object.", errors={name: ["Must be an object."]})
    values = dict(given or {})
    if values:
        check(values, limits=limits, name=name)
    return values


def not_storable(name: str) -> Invalid:
    """What is raised for a text that no database takes."""
    text = "holds NUL or half of a surrogate pair, which cannot be stored: take it out"
    return Invalid(f"{name} {text}.", code="text-not-storable", errors={name: [text]})


@cache
def _power_of_ten(digits: int) -> int:
    return int(10**digits)


def _sound(value: object, limits: Limits) -> bool:
    """The quick yes of :func:`check`; it knows no path, and says no also to what is merely too much."""
    level: list[Any] = [value]
    room, largest = max(limits.body_size, limits.output_size), _power_of_ten(limits.integer_digits)
    for depth in range(limits.json_depth + 1):
        below: list[Any] = []
        room -= len(level)
        if room < 0:
            return False
        for part in level:
            kind = type(part)
            if kind is str:
                if NOT_STORABLE.search(part):
                    return False
            elif kind is dict:
                for key in part:
                    if type(key) is not str or NOT_STORABLE.search(key):
                        return False
                below.extend(part.values())
            elif kind is list:
                below.extend(part)
            elif kind is int:
                if not -largest < part < largest:
                    return False
            elif kind is float:
                if not math.isfinite(part):
                    return False
            elif part is not None and kind is not bool:
                return False
        if not below:
            return depth < limits.json_depth or not any(type(part) in (dict, list) for part in level)
        level = below
    return False


def _faults(value: object, limits: Limits) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Path, code and text of what is wrong, in no particular order; at least one if ``_sound`` said no."""
    room = max(limits.body_size, limits.output_size)
    stack: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while stack:
        path, part = stack.pop()
        room -= 1
        if room < 0:
            yield path, "too-many-values", "is one of too many values: make the whole smaller"
            return
        fault = _fault(part, limits)
        if fault:
            yield path, *fault
        elif len(path) > limits.json_depth - 1 and isinstance(part, dict | list):
            yield path, "too-deep", f"is nested deeper than {limits.json_depth} levels (json_depth): make it flatter"
        elif isinstance(part, dict):
            stack.extend(((*path, key), member) for key, member in part.items())
        elif isinstance(part, list):
            stack.extend(((*path, str(index)), member) for index, member in enumerate(part))
    yield (), "too-many-values", "holds too many values: make it smaller"


def _fault(part: object, limits: Limits) -> tuple[str, str] | None:
    """Code and text of what is wrong with one part, its members left aside."""
    kind = type(part)
    if kind is str or kind is dict:
        texts = [part] if kind is str else list(part)  # type: ignore[call-overload]
        for text in texts:
            if type(text) is not str:
                return "not-json", f"has the key {text!r}, which is not a string: use a string"
            if NOT_STORABLE.search(text):
                return "text-not-storable", "holds NUL or half of a surrogate pair, which cannot be stored: take it out"
    elif kind is int:
        if abs(part) >= _power_of_ten(limits.integer_digits):  # type: ignore[arg-type]
            return "integer-too-long", f"is an integer of more than {limits.integer_digits} digits: use a string"
    elif kind is float:
        if not math.isfinite(part):  # type: ignore[arg-type]
            return "not-json", "is NaN or infinite, which JSON cannot say: use null or a string"
    elif kind is not list and kind is not bool and part is not None:
        return "not-json", f"is of the Python type {kind.__name__}, which is not JSON: convert it first"
    return None
