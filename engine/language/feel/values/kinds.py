"""What a value of FEEL can be beside JSON, and the words for its kind (DMN 1.5, 10.3.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

from ... import effort
from . import decimals, iso
from .temporal import TEMPORAL, Date, DateTime, Months, Nanos, Time

Value: TypeAlias = Any
"""A value inside an expression; lists and contexts are those of JSON and are never changed in place."""
Kind: TypeAlias = Literal[
    "Null",
    "number",
    "string",
    "boolean",
    "list",
    "context",
    "range",
    "function",
    "date",
    "time",
    "date and time",
    "days and time duration",
    "years and months duration",
]
RangeSign: TypeAlias = Literal["", "<", "<=", ">", ">=", "=", "!="]
_WRITTEN = 20
"""What it costs to write a member, in the time of a look at one."""


class Range(NamedTuple):
    """An interval, or with a ``sign`` a comparison such as ``< 10``, of which one end is open."""

    low: Value
    high: Value
    low_included: bool
    high_included: bool
    sign: RangeSign = ""


_KINDS: dict[type, Kind] = {
    type(None): "Null",
    int: "number",
    float: "number",
    Decimal: "number",
    str: "string",
    bool: "boolean",
    list: "list",
    dict: "context",
    Range: "range",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    Nanos: "days and time duration",
    Months: "years and months duration",
}


def kind_of(value: Value) -> Kind:
    """The name of the type of a value, as ``instance of`` knows it."""
    return _KINDS.get(type(value), "function")


def described(value: Value) -> str:
    """The kind of a value with its article, for a reason."""
    kind = kind_of(value)
    return {"Null": "null", "range": "a range", "function": "a function"}.get(kind, f"a {kind}")


def as_list(value: Value) -> list[Value]:
    """The list that a value is, or the list of it alone."""
    return value if type(value) is list else [value]


def text_of(value: Value) -> str | None:
    """What ``string(value)`` gives (DMN 1.5, 10.3.2.3.1): texts as they are, and quoted inside of others."""
    if type(value) is str:
        return value
    return None if value is None else literal_of(value)


def literal_of(value: Value) -> str:
    """The text of a value as FEEL would write it."""
    parts: list[str] = []
    stack: list[Value] = [value]
    while stack:
        part = stack.pop()
        kind = type(part)
        if kind is _Raw:
            parts.append(part.text)
        elif kind is list:
            effort.charge(_WRITTEN * (len(part) + 1))
            stack.extend(_bracketed("[", "]", [(item,) for item in part]))
        elif kind is dict:
            effort.charge(_WRITTEN * (len(part) + 1))
            stack.extend(_bracketed("{", "}", [(_Raw(f"{_key(key)}: "), item) for key, item in part.items()]))
        elif kind is Range:
            stack.extend(reversed(_range_parts(part)))
        else:
            parts.append(_simple(part))
            effort.charge_made(len(parts[-1]))
    return "".join(parts)


class _Raw(NamedTuple):
    """Text that stands for itself among values."""

    text: str


def _bracketed(opening: str, closing: str, items: Sequence[tuple[Value, ...]]) -> list[Value]:
    """The brackets with the items and commas between them, the last first."""
    flat: list[Value] = [_Raw(closing)]
    for place, item in enumerate(reversed(items)):
        if place:
            flat.append(_Raw(", "))
        flat.extend(reversed(item))
    flat.append(_Raw(opening))
    return flat


def _range_parts(value: Range) -> list[Value]:
    if value.sign:
        return [_Raw(f"({value.sign} "), value.high if value.low is None else value.low, _Raw(")")]
    opening, closing = "[" if value.low_included else "(", "]" if value.high_included else ")"
    return [_Raw(opening), value.low, _Raw(".."), value.high, _Raw(closing)]


def _simple(value: Value) -> str:
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if kind in decimals.NUMBERS:
        return decimals.text_of(value)
    if kind in TEMPORAL:
        return iso.write(value)
    return f"function({', '.join(value.parameters)})"


def _key(key: str) -> str:
    return key if key.replace("_", "").replace(" ", "").isalnum() and not key[0].isdigit() else quoted(key)


def quoted(text: str) -> str:
    """The text as a literal of FEEL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return '"' + escaped.replace("\t", "\\t") + '"'
