"""When values are equal, and which is before which (DMN 1.5, tables 42 to 45, 52 and 53)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal

from ... import effort
from ..faults import fault
from . import decimals
from .kinds import Range, Value, described, kind_of
from .temporal import SECOND, Date, DateTime, Months, Nanos, Time, instant, time_instant

_PAIR = 8
"""What comparing two members costs, in the time of a look at one."""
EXACT = frozenset({int, Decimal})
"""Numbers that Python compares as FEEL does; a float stands for the decimal that JSON writes it as."""
ORDERS: Mapping[str, Callable[[Value, Value], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def equal(left: Value, right: Value) -> bool | None:
    """Whether values are equal; null for kinds that cannot be, but any value may be compared with null."""
    if type(left) is type(right) and type(left) in (int, bool, str):
        return bool(left == right)
    if left is None or right is None:
        return left is right
    same = _same(left, right)
    if same is None:
        fault(f"{described(left)} and {described(right)} cannot be equal")
        return None
    return same


def is_equal(left: Value, right: Value) -> bool:
    """As :func:`equal`, with values of other kinds as not equal, and no reason kept."""
    if left is None or right is None:
        return left is right
    return _same(left, right) is True


def _same(left: Value, right: Value) -> bool | None:
    """Null only if the values themselves are of different kinds; what is inside of them then only differs."""
    stack = [(left, right)]
    outermost = True
    while stack:
        one, two = stack.pop()
        kind = kind_of(one)
        if kind != kind_of(two):
            return None if outermost else False
        outermost = False
        if kind == "list":
            effort.charge(_PAIR * len(one))
            if len(one) != len(two):
                return False
            stack.extend(zip(one, two, strict=True))
        elif kind == "context":
            effort.charge(_PAIR * len(one))
            if one.keys() != two.keys():
                return False
            stack.extend((one[key], two[key]) for key in one)
        elif kind == "range":
            if one[2:] != two[2:]:
                return False
            stack += [(one.low, two.low), (one.high, two.high)]
        elif not _same_scalar(one, two, kind):
            return False
    return True


def _same_scalar(one: Value, two: Value, kind: str) -> bool:
    """Times are equal if their hours, minutes and whole seconds are, at the same offset (table 42)."""
    if kind == "number":
        return decimals.compare(one, two) == 0
    if kind == "string":
        effort.charge_text(one)
    elif kind == "date and time":
        return one.time.is_local == two.time.is_local and instant(one) // SECOND == instant(two) // SECOND
    elif kind == "time":
        return one.is_local == two.is_local and time_instant(one) // SECOND == time_instant(two) // SECOND
    return bool(one == two)


def order(left: Value, right: Value) -> int | None:
    """Below zero, zero or above, as left is before, at or after right; None for what has no order."""
    kind = type(left)
    if kind in decimals.NUMBERS and type(right) in decimals.NUMBERS:
        return decimals.compare(left, right)
    if kind is not type(right):
        return None
    if kind is str:
        effort.charge_text(left)
    elif kind is DateTime:
        if left.time.is_local != right.time.is_local:
            return None
        left, right = instant(left), instant(right)
    elif kind is Time:
        if left.is_local != right.is_local:
            return None
        left, right = time_instant(left), time_instant(right)
    elif kind not in (Date, Months, Nanos):
        return None
    return int(left > right) - int(left < right)


def compared(sign: str, left: Value, right: Value) -> bool | None:
    """``<``, ``<=``, ``>`` or ``>=``; null for what has no order."""
    found = order(left, right)
    if found is None:
        fault(f"{described(left)} {sign} {described(right)} has no order")
        return None
    return ORDERS[sign](found, 0)


def within(value: Value, interval: Range) -> bool | None:
    """Whether a range holds a value; null for what has no order with its ends."""
    sign = interval.sign
    if sign == "=" or sign == "!=":
        same = equal(value, interval.low)
        return same if same is None or sign == "=" else not same
    if sign:
        return compared(sign, value, interval.low if interval.high is None else interval.high)
    above = compared(">=" if interval.low_included else ">", value, interval.low)
    below = compared("<=" if interval.high_included else "<", value, interval.high)
    return None if above is None or below is None else above and below


def matches(value: Value, wanted: Value) -> bool | None:
    """Whether a value is what a unary test asks for: equal to it, in its list, in its range (DMN 1.5, 10.3.2.8)."""
    kind = type(wanted)
    if kind is Range:
        return within(value, wanted)
    if kind is list and type(value) is not list:
        effort.charge(_PAIR * len(wanted))
        return any(within(value, each) if type(each) is Range else is_equal(value, each) for each in wanted)
    if kind is list:
        effort.charge(_PAIR * len(wanted))
        return is_equal(value, wanted) or any(is_equal(value, each) for each in wanted)
    return equal(value, wanted)
