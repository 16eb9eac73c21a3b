"""How ranges and points lie to each other (DMN 1.5, table 79), and how a text is read as a range."""

from __future__ import annotations

import decimal
import re

from ..faults import fault
from ..values import decimals, iso
from ..values.comparison import equal, order, within
from ..values.kinds import Range, Value
from .signature import builtin

_LITERAL = (
    r'\s*(?:(-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|"([^"\\]*)"'
    r'|(?:@|(?:date and time|date|time|duration)\s*\(\s*)"([^"\\]*)"\s*\)?)\s*'
)
_RANGE = re.compile(rf"\s*([\[\](]){_LITERAL}\.\.{_LITERAL}([\])\[])\s*", re.ASCII)


@builtin("range(from: string)")
def _range(text: str) -> Value:
    found = _RANGE.fullmatch(text) if len(text) <= 1000 else None
    if not found:
        return fault('range(): the text is no range such as "[1..5]" between two literals')
    low, high = (_literal(*found.groups()[place : place + 3]) for place in (1, 4))
    sides = order(low, high)
    if sides is None or sides > 0:
        return fault("range(): the ends are not in order")
    return Range(low, high, found[1] == "[", found[8] == "]")


def _literal(number: str | None, text: str | None, temporal: str | None) -> Value:
    if number is not None:
        try:
            return decimals.parse(number)
        except decimal.DecimalException:
            return fault("range(): the number is too large")
    return text if temporal is None else iso.read(temporal)


def _before(one: Value, two: Value, *, touching: bool = False) -> Value:
    """Whether one end is before another, or, if ``touching``, at it."""
    found = order(one, two)
    if found is None:
        return fault("the ends of the ranges have no order")
    return found < 0 or (touching and found == 0)


def _ends(value: Value) -> Range:
    return value if type(value) is Range else Range(value, value, True, True)


@builtin("before(range1: range, range2: range)")
@builtin("before(range: range, point: any)")
@builtin("before(point: any, range: range)")
@builtin("before(point1: any, point2: any)")
def before(a: Value, b: Value) -> Value:
    """Whether all of ``a`` is before all of ``b``."""
    one, two = _ends(a), _ends(b)
    return _before(one.high, two.low, touching=not (one.high_included and two.low_included))


@builtin("after(range1: range, range2: range)")
@builtin("after(range: range, point: any)")
@builtin("after(point: any, range: range)")
@builtin("after(point1: any, point2: any)")
def _after(a: Value, b: Value) -> Value:
    return before(b, a)


@builtin("meets(range1: range, range2: range)")
def meets(one: Range, two: Range) -> Value:
    """Whether one ends where the other begins, with the end in both."""
    same = equal(one.high, two.low)
    return same if same is None else same and one.high_included and two.low_included


@builtin("met by(range1: range, range2: range)")
def _met_by(one: Range, two: Range) -> Value:
    return meets(two, one)


@builtin("overlaps(range1: range, range2: range)")
def _overlaps(one: Range, two: Range) -> Value:
    apart = (before(one, two), before(two, one))
    return None if None in apart else not any(apart)


@builtin("overlaps before(range1: range, range2: range)")
def overlaps_before(one: Range, two: Range) -> Value:
    """Whether one begins first and ends inside of the other."""
    starts, ends, apart = order(one.low, two.low), order(one.high, two.high), before(one, two)
    if starts is None or ends is None or apart is None:
        return fault("the ends of the ranges have no order")
    begins = starts < 0 or (starts == 0 and one.low_included and not two.low_included)
    stops = ends < 0 or (ends == 0 and (not one.high_included or two.high_included))
    return begins and stops and not apart


@builtin("overlaps after(range1: range, range2: range)")
def _overlaps_after(one: Range, two: Range) -> Value:
    return overlaps_before(two, one)


@builtin("finishes(range1: range, range2: range)")
@builtin("finishes(point: any, range: range)")
def finishes(one: Value, two: Range) -> Value:
    """Whether a point is the end of a range, or a range ends with another and begins in it."""
    if type(one) is not Range:
        same = equal(one, two.high)
        return same if same is None else same and two.high_included
    same, starts = equal(one.high, two.high), order(one.low, two.low)
    if same is None or starts is None:
        return fault("the ends of the ranges have no order")
    begins = starts > 0 or (starts == 0 and (not one.low_included or two.low_included))
    return same and one.high_included == two.high_included and begins


@builtin("finished by(range1: range, range2: range)")
@builtin("finished by(range: range, point: any)")
def _finished_by(one: Range, two: Value) -> Value:
    return finishes(two, one)


@builtin("starts(range1: range, range2: range)")
@builtin("starts(point: any, range: range)")
def starts(one: Value, two: Range) -> Value:
    """Whether a point is the begin of a range, or a range begins with another and ends in it."""
    if type(one) is not Range:
        same = equal(one, two.low)
        return same if same is None else same and two.low_included
    same, ends = equal(one.low, two.low), order(one.high, two.high)
    if same is None or ends is None:
        return fault("the ends of the ranges have no order")
    stops = ends < 0 or (ends == 0 and (not one.high_included or two.high_included))
    return same and one.low_included == two.low_included and stops


@builtin("started by(range1: range, range2: range)")
@builtin("started by(range: range, point: any)")
def _started_by(one: Range, two: Value) -> Value:
    return starts(two, one)


@builtin("includes(range1: range, range2: range)")
@builtin("includes(range: range, point: any)")
def includes(one: Range, two: Value) -> Value:
    """Whether a range holds a point or all of another range."""
    if type(two) is not Range:
        return within(two, one)
    begins, ends = order(one.low, two.low), order(one.high, two.high)
    if begins is None or ends is None:
        return fault("the ends of the ranges have no order")
    holds_low = begins < 0 or (begins == 0 and (one.low_included or not two.low_included))
    return holds_low and (ends > 0 or (ends == 0 and (one.high_included or not two.high_included)))


@builtin("during(range1: range, range2: range)")
@builtin("during(point: any, range: range)")
def _during(one: Value, two: Range) -> Value:
    return includes(two, one)


@builtin("coincides(range1: range, range2: range)")
@builtin("coincides(point1: any, point2: any)")
def _coincides(a: Value, b: Value) -> Value:
    return equal(a, b)
