"""The closures that a compiled FEEL expression is made of.

A closure takes the place where names are looked up: a pair of a frame and the place around it, in the end the
context of the process. Frames are the locals of loops and functions, and the items of filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from .. import effort
from ..context import Path
from .faults import fault
from .functions import Defined, FunctionValue
from .values import arithmetic, decimals
from .values.comparison import EXACT, ORDERS, compared, equal, matches, order, within
from .values.decimals import NUMBERS, whole
from .values.kinds import Range, RangeSign, Value, described
from .values.members import ABSENT, has, member
from .values.types import Type, is_instance

Run = Callable[[Value], Value]
"""From a place to a value."""
_DIRECT = frozenset({int, float, Decimal, bool})


def constant(value: Value) -> Run:
    """Always the same value."""
    return lambda place: value


def find(place: Value, path: Path) -> Value:
    """The value at a path, ABSENT if its first name is nowhere."""
    head = path[0]
    while type(place) is tuple:
        frame, place = place
        if head in frame:
            value = frame[head]
            for name in path[1:]:
                value = value[name] if type(value) is dict and name in value else member(value, name)
            return value
    return place.find(path, ABSENT)


def variable(name: str) -> Run:
    """The value of a name; null, with its reason, for one that is nowhere."""
    path = (name,)

    def run(place: Value) -> Value:
        while type(place) is tuple:
            frame, place = place
            if name in frame:
                return frame[name]
        found = place.find(path, ABSENT)
        return fault(f"there is no variable {name!r}") if found is ABSENT else found

    return run


def reference(path: Path) -> Run:
    """The value at a path of names; through lists and dates it goes step by step."""
    first, rest = variable(path[0]), path[1:]

    def run(place: Value) -> Value:
        found = find(place, path)
        if found is not ABSENT:
            return found
        value = first(place)
        for name in rest:
            value = member(value, name)
        return value

    return run


def is_there(path: Path) -> Run:
    """Whether a path of names leads to something, null included."""

    def run(place: Value) -> bool:
        head = path[0]
        while type(place) is tuple:
            frame, place = place
            if head in frame:
                value = frame[head]
                for name in path[1:]:
                    if not has(value, name):
                        return False
                    value = member(value, name)
                return True
        if place.find(path, ABSENT) is not ABSENT:
            return True
        value = place.find(path[:1], ABSENT)
        for name in path[1:]:
            if value is ABSENT or not has(value, name):
                return False
            value = member(value, name)
        return value is not ABSENT

    return run


def has_member(base: Run, name: str) -> Run:
    """Whether a value has a member of that name."""
    return lambda place: has(base(place), name)


def member_of(base: Run, name: str) -> Run:
    """The member of a value."""

    def run(place: Value) -> Value:
        value = base(place)
        return value[name] if type(value) is dict and name in value else member(value, name)

    return run


def comparison(sign: str, left: Run, right: Run) -> Run:
    """``= != < <= > >=`` of two values."""
    if sign == "=":
        return lambda place: equal(left(place), right(place))
    if sign == "!=":

        def unequal(place: Value) -> Value:
            same = equal(left(place), right(place))
            return None if same is None else not same

        return unequal
    test = ORDERS[sign]

    def run(place: Value) -> Value:
        one, two = left(place), right(place)
        kind = type(one)
        if kind is type(two) and kind in _DIRECT and kind is not bool:
            return test(one, two)
        return compared(sign, one, two)

    return run


def comparison_with(sign: str, left: Run, end: Value) -> Run:
    """The same with a value that is known before."""
    if sign not in ORDERS or type(end) not in EXACT:
        return comparison(sign, left, constant(end))
    test = ORDERS[sign]

    def run(place: Value) -> Value:
        value = left(place)
        return test(value, end) if type(value) in EXACT else compared(sign, value, end)

    return run


def calculation(sign: str, left: Run, right: Run) -> Run:
    """``+ - * / **`` of two values."""
    calculate = arithmetic.calculate
    if sign in "+-":
        direct = decimals.add if sign == "+" else decimals.subtract

        def run(place: Value) -> Value:
            one, two = left(place), right(place)
            if type(one) is int and type(two) is int:
                return direct(one, two)
            return calculate(sign, one, two)

        return run
    return lambda place: calculate(sign, left(place), right(place))


def negation(operand: Run) -> Run:
    """``-x``."""
    return lambda place: arithmetic.negated(operand(place))


def logical(decisive: bool, operands: Sequence[Run]) -> Run:
    """``or`` if true is decisive, else ``and``: null where neither value is certain (DMN 1.5, table 50)."""
    word = "or" if decisive else "and"

    def run(place: Value) -> Value:
        result: bool | None = not decisive
        for operand in operands:
            value = operand(place)
            if value is decisive:
                return decisive
            if type(value) is not bool:
                result = None
                if value is not None:
                    fault(f"{described(value)} stands where {word} needs a boolean")
        return result

    return run


def choice(branches: Sequence[tuple[Run, Run]], otherwise: Run) -> Run:
    """``if``: the value of the first branch whose condition is true."""

    def run(place: Value) -> Value:
        for condition, value in branches:
            found = condition(place)
            if found is True:
                return value(place)
            if found is not False:
                fault(f"the condition of an if is {described(found)}, so its else counts")
        return otherwise(place)

    return run


def between(value: Run, low: Run, high: Run) -> Run:
    """``value between low and high``, both included."""

    def run(place: Value) -> Value:
        return within(value(place), Range(low(place), high(place), True, True))

    return run


def interval(low: Run, high: Run, low_included: bool, high_included: bool) -> Run:
    """A range between two values of which the second is not before the first; else null."""

    def run(place: Value) -> Value:
        start, end = low(place), high(place)
        if start is not None and end is not None:
            found = order(start, end)
            if found is None or found > 0:
                why = "it ends before it begins" if found else "they have no order"
                return fault(f"a range cannot go from {described(start)} to {described(end)}: {why}")
        return Range(start, end, low_included, high_included)

    return run


def half_open(sign: RangeSign, end: Run) -> Run:
    """The range of what compares so with a value."""
    if sign[0] == "<":
        return lambda place: Range(None, end(place), False, sign == "<=", sign)
    if sign[0] == ">":
        return lambda place: Range(end(place), None, sign == ">=", False, sign)

    def run(place: Value) -> Value:
        value = end(place)
        return Range(value, value, sign == "=", sign == "=", sign)

    return run


def membership(value: Run, tests: Sequence[tuple[Run, bool]], name: str) -> Run:
    """Whether one of the tests fits a value; one that asks for ``name`` itself gives the answer (10.3.2.8)."""

    def run(place: Value) -> Value:
        given = value(place)
        inner = ({name: given}, place)
        certain = True
        for test, asks in tests:
            found = test(inner if asks else place)
            if not asks or type(found) is not bool:
                found = matches(given, found)
            if found is True:
                return True
            certain = certain and found is False
        return False if certain else None

    return run


def instance_of(value: Run, type_: Type) -> Run:
    """``value instance of type``."""
    return lambda place: is_instance(value(place), type_)


def listed(items: Sequence[Run]) -> Run:
    """A list of values."""
    return lambda place: [item(place) for item in items]


def context_of(entries: Sequence[tuple[str, Run]]) -> Run:
    """A context, whose entries see those before them; null if a key is there twice."""
    keys = [key for key, _ in entries]
    if len(set(keys)) < len(keys):
        return lambda place: fault("a context has the same key twice")

    def run(place: Value) -> Value:
        made: dict[str, Value] = {}
        inner = (made, place)
        for key, value in entries:
            made[key] = value(inner)
        return made

    return run


def filtered(items: Run, condition: Run, *, is_condition: bool, parts: int, sees_item: bool = True) -> Run:
    """``items[condition]``: one item by its position, or those for which the condition holds (10.3.2.5)."""
    inside = _inside if sees_item else _members

    def run(place: Value) -> Value:
        values = items(place)
        if type(values) is not list:
            values = [] if values is None else [values]
        effort.charge(parts * len(values) + 1)
        if not values:
            first = None if is_condition else condition(place)
            return _by_position(values, first) if type(first) in NUMBERS else []
        if is_condition and not sees_item:
            return [each for each in values if condition((each, place) if type(each) is dict else place) is True]
        if is_condition:
            return [each for each in values if condition(inside(each, place)) is True]
        first = condition(inside(values[0], place))
        if type(first) in NUMBERS:
            return _by_position(values, first)
        if first is not None and type(first) is not bool:
            return fault(f"a filter gives {described(first)}: it takes a position or a condition")
        kept = [each for each in values[1:] if condition(inside(each, place)) is True]
        return [values[0], *kept] if first is True else kept

    return run


def _members(item: Value, place: Value) -> Value:
    return (item, place) if type(item) is dict else place


def _inside(item: Value, place: Value) -> Value:
    inner = ({"item": item}, place)
    return (item, inner) if type(item) is dict else inner


def _by_position(values: Sequence[Value], position: Value) -> Value:
    at = whole(position)
    if at is None or not 1 <= abs(at) <= len(values):
        return fault(f"the position {decimals.text_of(position)} is not in a list of {len(values)}")
    return values[at - 1 if at > 0 else at]


def at_position(items: Run, position: int) -> Run:
    """``items[position]`` with a number that is written there."""

    def run(place: Value) -> Value:
        values = items(place)
        return _by_position(values if type(values) is list else [values], position)

    return run


def defined(parameters: Mapping[str, Type], body: Run, *, parts: int) -> Run:
    """A function that remembers where it was defined."""
    return lambda place: Defined("function", parameters, body, scope=place, parts=parts)


def call(function: Run, arguments: Sequence[Run], shown: str) -> Run:
    """A function's value for arguments by their order."""

    def run(place: Value) -> Value:
        callee = function(place)
        if not isinstance(callee, FunctionValue):
            return fault(f"{shown} is {described(callee)} and no function")
        return callee.call([argument(place) for argument in arguments])

    return run


def call_named(function: Run, arguments: Mapping[str, Run], shown: str) -> Run:
    """A function's value for arguments by name."""

    def run(place: Value) -> Value:
        callee = function(place)
        if not isinstance(callee, FunctionValue):
            return fault(f"{shown} is {described(callee)} and no function")
        return callee.call_named({name: argument(place) for name, argument in arguments.items()})

    return run


def null_because(text: str) -> Run:
    """Null for a reason that is known before any value is."""
    return lambda place: fault(text)
