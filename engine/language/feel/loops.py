"""Loops of FEEL: ``for``, ``some`` and ``every`` over lists, ranges and their products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...errors import ExpressionError
from .. import effort
from .closures import Run
from .faults import fault
from .values.decimals import NUMBERS, whole
from .values.kinds import Range, Value, described
from .values.temporal import Date, date_of_number, day_number

PARTIAL = "partial"
"""By which name a loop sees its own results."""
_MOST_STEPS = 1_000_000_000
Loop = tuple[str, Run, Run | None]
"""A name, and the list that it goes through or the two ends between which it counts."""


def _domain(loop: Loop, place: Value) -> Sequence[Value] | None:
    _, first, last = loop
    value = first(place)
    if last is not None:
        return _counted(value, last(place))
    if type(value) is list:
        return value
    if type(value) is not Range:
        return None if value is None else [value]
    if value.sign or value.low is None or value.high is None:
        fault("a range without an end cannot be gone through")
        return None
    steps = _counted(value.low, value.high)
    if steps is None:
        return None
    begin = 0 if value.low_included else 1
    return steps[begin : len(steps) if value.high_included else -1]


def _counted(start: Value, end: Value) -> Sequence[Value] | None:
    """From one whole number or day to another, upwards or downwards."""
    if type(start) is Date and type(end) is Date:
        days = _counted(day_number(start), day_number(end))
        if days is not None:
            effort.charge(20 * len(days))
        return None if days is None else [date_of_number(day) for day in days]
    low = whole(start) if type(start) in NUMBERS else None
    high = whole(end) if type(end) in NUMBERS else None
    if low is None or high is None:
        fault(f"a loop cannot count from {described(start)} to {described(end)}")
        return None
    if abs(high - low) > _MOST_STEPS:
        raise ExpressionError(f"a loop counts to more than {_MOST_STEPS}: count less far")
    return range(low, high + 1) if low <= high else range(low, high - 1, -1)


class _Partial(dict[str, Value]):
    """The frame of ``partial``: what is asked for is a list that does not grow any more."""

    def __init__(self, results: list[Value]) -> None:
        super().__init__({PARTIAL: results})

    def __getitem__(self, name: str) -> Value:
        results = super().__getitem__(name)
        effort.charge(len(results))
        return results.copy()


def iteration(loops: Sequence[Loop], body: Run, *, parts: int, sees_partial: bool) -> Run:
    """``for``: the value of the body for each combination; ``partial`` is what there is so far."""

    def run(place: Value) -> Value:
        results: list[Value] = []
        if sees_partial:
            place = (_Partial(results), place)
        places = _places(loops, place, parts)
        if places is None:
            return None
        for inner in places:
            results.append(fault("a loop goes through null") if inner is None else body(inner))
        return results

    return run


def _places(loops: Sequence[Loop], place: Value, parts: int) -> Iterable[Value] | None:
    """A place for each combination, null for one whose inner loop has nothing to go through."""
    steps = _domain(loops[0], place)
    if steps is None:
        return None
    name = loops[0][0]
    if len(loops) == 1:
        effort.charge(parts * len(steps))
        return (({name: value}, place) for value in steps)
    return _combined(name, steps, loops[1:], place, parts)


def _combined(name: str, steps: Sequence[Value], rest: Sequence[Loop], place: Value, parts: int) -> Iterator[Value]:
    for value in steps:
        effort.charge(parts)
        inner = _places(rest, ({name: value}, place), parts)
        if inner is None:
            yield None
        else:
            yield from inner


def quantified(loops: Sequence[Loop], condition: Run, *, decisive: bool, parts: int) -> Run:
    """``some`` if true is decisive, else ``every``; null where a condition before the decisive one is no boolean."""

    def run(place: Value) -> Value:
        places = _places(loops, place, parts)
        if places is None:
            return None
        certain = True
        for inner in places:
            found = None if inner is None else condition(inner)
            if found is decisive:
                return decisive
            if found is None:
                certain = False
            elif type(found) is not bool:
                return fault(f"the condition of a quantifier is {described(found)}")
        return not decisive if certain else None

    return run
