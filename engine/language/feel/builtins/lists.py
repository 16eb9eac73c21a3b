"""Functions of lists (DMN 1.5, tables 76 and 81), and those that Camunda 8 adds."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from functools import cmp_to_key

from ...effort import charge
from ..faults import fault
from ..functions import FunctionValue
from ..values import decimals
from ..values.arithmetic import number as guarded
from ..values.comparison import is_equal, order
from ..values.decimals import DECIMAL128, NUMBERS, Number, decimal_of, truncated
from ..values.kinds import Value, described
from .signature import builtin, called

_COMPARISON = 8
"""What comparing two values costs, in the time of a look at one."""
_KEYED = 20
"""What it costs to put one under what it is equal to, in the same measure."""
_HASHED = frozenset({str, bool})


@builtin("list contains(list: list, element: any)")
def _list_contains(items: list[Value], element: Value) -> Value:
    charge(_COMPARISON * len(items))
    return any(is_equal(item, element) for item in items)


@builtin("count(list: list)")
def _count(items: list[Value]) -> Value:
    return len(items)


@builtin("min(list: list)")
def _min(items: list[Value]) -> Value:
    return _extreme("min", items, -1)


@builtin("min(...c1: any)")
def _min_of(*items: Value) -> Value:
    return _extreme("min", items, -1)


@builtin("max(list: list)")
def _max(items: list[Value]) -> Value:
    return _extreme("max", items, 1)


@builtin("max(...c1: any)")
def _max_of(*items: Value) -> Value:
    return _extreme("max", items, 1)


def _extreme(name: str, items: Sequence[Value], side: int) -> Value:
    charge(_COMPARISON * len(items))
    if not items:
        return fault(f"{name}(): the list is empty")
    best = items[0]
    for item in items:
        found = order(item, best)
        if found is None:
            return fault(f"{name}(): {described(item)} and {described(best)} have no order")
        if found * side > 0:
            best = item
    return best


def _numbers(name: str, items: Sequence[Value]) -> Sequence[Number] | None:
    charge(_COMPARISON * len(items))
    for item in items:
        if type(item) not in NUMBERS:
            fault(f"{name}(): {described(item)} is in the list, where numbers are expected")
            return None
    return items if items else fault(f"{name}(): the list is empty")


def _total(numbers: Sequence[Number]) -> Number:
    total: Number = 0
    for number in numbers:
        total = decimals.add(total, number)
    return total


@builtin("sum(list: list)")
@builtin("sum(...n1: any)")
def _sum(*given: Value) -> Value:
    numbers = _numbers("sum", _given(given))
    return None if numbers is None else guarded(_total, numbers)


@builtin("mean(list: list)")
@builtin("mean(...n1: any)")
def _mean(*given: Value) -> Value:
    numbers = _numbers("mean", _given(given))
    return None if numbers is None else guarded(lambda: decimals.divide(_total(numbers), len(numbers)))


@builtin("product(list: list)")
@builtin("product(...n1: any)")
def _product(*given: Value) -> Value:
    numbers = _numbers("product", _given(given))
    return None if numbers is None else guarded(_multiplied, numbers)


def _multiplied(numbers: Sequence[Number]) -> Number:
    result: Number = 1
    for number in numbers:
        result = decimals.multiply(result, number)
    return result


@builtin("median(list: list)")
@builtin("median(...n1: any)")
def _median(*given: Value) -> Value:
    numbers = _numbers("median", _given(given))
    if numbers is None:
        return None
    ranked = sorted(numbers, key=decimal_of)
    half = len(ranked) // 2
    if len(ranked) % 2:
        return ranked[half]
    return guarded(lambda: decimals.divide(decimals.add(ranked[half - 1], ranked[half]), 2))


@builtin("stddev(list: list)")
@builtin("stddev(...n1: any)")
def _stddev(*given: Value) -> Value:
    numbers = _numbers("stddev", _given(given))
    if numbers is None:
        return None
    if len(numbers) < 2:
        return fault("stddev(): it takes two numbers or more")
    return guarded(_deviation, numbers)


def _deviation(numbers: Sequence[Number]) -> Number:
    with decimal.localcontext(DECIMAL128):
        mean = decimal_of(_total(numbers)) / len(numbers)
        squares = sum((decimal_of(number) - mean) ** 2 for number in numbers)
        return (squares / (len(numbers) - 1)).sqrt()  # type: ignore[union-attr]


@builtin("mode(list: list)")
@builtin("mode(...n1: any)")
def _mode(*given: Value) -> Value:
    items = _given(given)
    numbers = _numbers("mode", items) if items else items
    if not numbers:
        return None if numbers is None else []
    counts: dict[decimal.Decimal, int] = {}
    for number in numbers:
        exact = decimal_of(number)
        counts[exact] = counts.get(exact, 0) + 1
    most = max(counts.values())
    return sorted(number for number, amount in counts.items() if amount == most)


def _given(given: Sequence[Value]) -> Sequence[Value]:
    return given[0] if len(given) == 1 and type(given[0]) is list else given


@builtin("all(list: list)")
@builtin("all(...b1: any)")
def _all(*given: Value) -> Value:
    return _quantified("all", _given(given), False)


@builtin("any(list: list)")
@builtin("any(...b1: any)")
def _any(*given: Value) -> Value:
    return _quantified("any", _given(given), True)


def _quantified(name: str, items: Sequence[Value], decisive: bool) -> Value:
    charge(len(items))
    if any(item is decisive for item in items):
        return decisive
    if all(type(item) is bool for item in items):
        return not decisive
    return fault(f"{name}(): an item of the list is no boolean")


@builtin("sublist(list: list, start position: number, length?: number?)")
def _sublist(items: list[Value], start: Number, length: Number | None = None) -> Value:
    begin = _place("sublist", items, start)
    amount = len(items) if length is None else truncated(length)
    if begin is None:
        return None
    if amount is None or amount < 1 or (length is not None and begin + amount > len(items)):
        return fault("sublist(): the length does not fit the list")
    return items[begin : begin + amount]


def _place(name: str, items: Sequence[Value], position: Number) -> int | None:
    """The index of a position, which counts from 1 or, below zero, from the end."""
    place = truncated(position)
    if place is None or not 1 <= abs(place) <= len(items):
        fault(f"{name}(): the position {position} is not in a list of {len(items)}")
        return None
    return place - 1 if place > 0 else len(items) + place


@builtin("append(list: list, ...item: any)")
def _append(items: list[Value], *more: Value) -> Value:
    charge(len(items) + len(more))
    return [*items, *more]


@builtin("concatenate(...list: list)")
def _concatenate(*lists: list[Value]) -> Value:
    charge(sum(map(len, lists)))
    return [item for items in lists for item in items]


@builtin("insert before(list: list, position: number, newItem: any)")
def _insert_before(items: list[Value], position: Number, item: Value) -> Value:
    place = _place("insert before", items, position)
    charge(len(items))
    return None if place is None else [*items[:place], item, *items[place:]]


@builtin("remove(list: list, position: number)")
def _remove(items: list[Value], position: Number) -> Value:
    place = _place("remove", items, position)
    charge(len(items))
    return None if place is None else [*items[:place], *items[place + 1 :]]


@builtin("list replace(list: list, position: number, newItem: any)")
def _list_replace(items: list[Value], position: Number, item: Value) -> Value:
    place = _place("list replace", items, position)
    charge(len(items))
    return None if place is None else [*items[:place], item, *items[place + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any)")
def _list_replace_matching(items: list[Value], match: FunctionValue, item: Value) -> Value:
    found: list[Value] = []
    for each in items:
        fits = called(match, each, item)
        if type(fits) is not bool:
            return fault(f"list replace(): the match gives {described(fits)} and no boolean")
        found.append(item if fits else each)
    return found


@builtin("reverse(list: list)")
def _reverse(items: list[Value]) -> Value:
    charge(len(items))
    return items[::-1]


@builtin("index of(list: list, match: any)")
def _index_of(items: list[Value], match: Value) -> Value:
    charge(_COMPARISON * len(items))
    return [place for place, item in enumerate(items, 1) if is_equal(item, match)]


@builtin("union(...list: list)")
def _union(*lists: list[Value]) -> Value:
    return distinct(_concatenate(*lists))


@builtin("distinct values(list: list)")
def distinct(items: list[Value]) -> list[Value]:
    """Each value once, where it came first."""
    return [item for item, _ in _amounts(items)]


@builtin("duplicate values(list: list)")
def _duplicates(items: list[Value]) -> Value:
    return [item for item, amount in _amounts(items) if amount > 1]


def _amounts(items: list[Value]) -> list[tuple[Value, int]]:
    """Each value where it came first, and how often; only what cannot be hashed is compared one by one."""
    places: dict[tuple[type, Value], int] = {}
    others: list[int] = []
    found: list[tuple[Value, int]] = []
    charge(_KEYED * len(items))
    for item in items:
        kind = type(item)
        if kind in _HASHED or kind in NUMBERS:
            place = places.setdefault((int, decimal_of(item)) if kind in NUMBERS else (kind, item), len(found))
        else:
            charge(_COMPARISON * len(others))
            place = next((each for each in others if is_equal(item, found[each][0])), len(found))
            if place == len(found):
                others.append(place)
        if place == len(found):
            found.append((item, 1))
        else:
            found[place] = (found[place][0], found[place][1] + 1)
    return found


_FLATTENED = 6
"""What moving an item out of its list costs, in the time of a look at it."""


@builtin("flatten(list: list)")
def _flatten(items: list[Value]) -> Value:
    found: list[Value] = []
    pending = items[::-1]
    while pending:
        item = pending.pop()
        if type(item) is list:
            charge(_FLATTENED * (1 + len(item)))
            pending.extend(reversed(item))
        else:
            found.append(item)
    return found


@builtin("sort(list: list, precedes?: function)")
def _sort(items: list[Value], precedes: FunctionValue | None = None) -> Value:
    if precedes is not None and len(precedes.parameters) != 2:
        return fault("sort(): the function does not take two items")

    def compare(one: Value, two: Value) -> int:
        charge(2 * _COMPARISON)
        if precedes is None:
            found = order(one, two)
            if found is None:
                raise _Unordered
            return found
        if called(precedes, one, two) is True:
            return -1
        return 1 if called(precedes, two, one) is True else 0

    try:
        return sorted(items, key=cmp_to_key(compare))
    except _Unordered:
        return fault("sort(): two items of the list have no order")


class _Unordered(Exception):
    pass


@builtin("is empty(list: list)")
def _is_empty(items: list[Value]) -> Value:
    return not items


@builtin("partition(list: list, size: number)")
def _partition(items: list[Value], size: Number) -> Value:
    amount = truncated(size)
    if amount is None or amount < 1:
        return fault("partition(): the size is below 1")
    charge(len(items))
    return [items[place : place + amount] for place in range(0, len(items), amount)]
