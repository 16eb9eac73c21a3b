"""The closures that a compiled expression is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ExpressionError, ReferenceNotFound
from ..jsontext import JSON
from .context import Context, Path, member
from .operators import Reading, kind_of

if TYPE_CHECKING:
    from .functions import Function

Run = Callable[[Context], JSON]
_ABSENT: JSON = object()


class Interval(NamedTuple):
    """A range of FEEL (DMN 1.3, section 10.3.2.7), which only ``in`` and ``between`` can see."""

    low: JSON
    high: JSON
    ends: str


def constant(value: JSON) -> Run:
    """Always the same value."""
    return lambda context: value


def reference(path: Path, reading: Reading) -> Run:
    """The value at a path; what is not there is null in FEEL and an error in JUEL."""
    if reading.feel:
        return lambda context: context.find(path)
    return lambda context: context.lookup(path)


def variable(name: Run, *, is_there: bool) -> Run:
    """The variable of a name that is itself a value, null where there is none; or whether there is one."""

    def run(context: Context) -> JSON:
        wanted = name(context)
        if not isinstance(wanted, str):
            raise ExpressionError(f"{kind_of(wanted)} is no name of a variable: use a text")
        found = context.find((wanted,), _ABSENT)
        if is_there:
            return found is not _ABSENT
        return None if found is _ABSENT else found

    return run


def choice(branches: Sequence[tuple[Run, Run]], otherwise: Run, reading: Reading) -> Run:
    """The value of the first branch whose condition holds."""
    truth = reading.truth

    def run(context: Context) -> JSON:
        for condition, value in branches:
            if truth(condition(context)):
                return value(context)
        return otherwise(context)

    return run


def chain(left: Run, rest: Sequence[tuple[str, Run]], reading: Reading) -> Run:
    """Operators of one precedence, taken from the left."""
    sign = rest[0][0]
    if sign in ("and", "or"):
        return _logical(sign == "or", [left, *(run for _, run in rest)], reading)
    if len(rest) == 1:
        return _binary(sign, left, rest[0][1], reading)
    steps = [(_applied(sign, reading), right) for sign, right in rest]

    def run(context: Context) -> JSON:
        value = left(context)
        for applied, right in steps:
            value = applied(value, right(context))
        return value

    return run


def _logical(decisive: bool, operands: Sequence[Run], reading: Reading) -> Run:
    truth = reading.truth

    def run(context: Context) -> JSON:
        for operand in operands:
            value = operand(context)
            if (value if value is True or value is False else truth(value)) is decisive:
                return decisive
        return not decisive

    return run


def _binary(sign: str, left: Run, right: Run, reading: Reading) -> Run:
    applied = _applied(sign, reading)
    return lambda context: applied(left(context), right(context))


def _applied(sign: str, reading: Reading) -> Callable[[JSON, JSON], JSON]:
    """What one sign does with two values."""
    if sign == "==":
        return reading.equal
    if sign == "!=":
        return lambda left, right: not reading.equal(left, right)
    if sign in ("<", "<=", ">", ">="):
        return lambda left, right: reading.ordered(sign, left, right)
    if sign in ("in", "between"):
        return lambda item, container: _within(item, container, reading)
    if sign == "not in":
        return lambda item, container: not _within(item, container, reading)
    return lambda left, right: reading.calculate(sign, left, right)


def _within(item: JSON, container: JSON, reading: Reading) -> JSON:
    if type(container) is not Interval:
        return reading.contains(container, item)
    above = reading.ordered(">=" if container.ends[0] == "[" else ">", item, container.low)
    below = reading.ordered("<=" if container.ends[1] == "]" else "<", item, container.high)
    return None if above is None or below is None else above and below


def interval(low: Run, high: Run, ends: str, reading: Reading) -> Run:
    """A range between two values; ``ends`` says by ``[]`` or ``()`` which of them belong to it."""
    return lambda context: Interval(low(context), high(context), ends)


def prefix(sign: str, operand: Run, reading: Reading) -> Run:
    """``!``, ``not``, ``-`` or ``empty`` before an operand."""
    if sign == "empty":
        return lambda context: _tolerant(operand, context) in (None, "", [], {})
    if sign == "-":
        return lambda context: reading.calculate("-", 0, operand(context))

    def negated(context: Context) -> JSON:
        value = operand(context)
        if value is None and reading.feel:
            return None
        return not reading.truth(value)

    return negated


def exists(operand: Run, reading: Reading) -> Run:
    """Whether a reference finds something; in FEEL, something that is not null."""
    if reading.feel:
        return lambda context: operand(context) is not None

    def run(context: Context) -> JSON:
        try:
            operand(context)
        except ReferenceNotFound:
            return False
        return True

    return run


def _tolerant(operand: Run, context: Context) -> JSON:
    try:
        return operand(context)
    except ReferenceNotFound:
        return None


def item(container: Run, key: Run, path: Path | None, reading: Reading) -> Run:
    """``container[key]``; JUEL counts from 0, FEEL from 1, and from the end with negative numbers.

    In FEEL a key that is no number is a condition: those items of a list for which it holds (DMN 1.3, 10.3.2.5).
    """
    name = ".".join(path) if path else "x"

    def run(context: Context) -> JSON:
        value, wanted = container(context), key(context)
        if reading.feel and isinstance(value, list) and (wanted is None or isinstance(wanted, bool)):
            if len(value) > reading.limits.multi_instance:
                raise ExpressionError(f"the list has {len(value)} items, too many to be filtered")
            return [each for each in value if _holds(key, each, context, reading)]
        if type(wanted) is float and wanted.is_integer():
            wanted = int(wanted)
        if type(wanted) is int and reading.feel and isinstance(value, list):
            wanted = wanted - 1 if wanted > 0 else len(value) + wanted if wanted else -1
        if type(wanted) not in (int, str):
            raise ExpressionError(f"{kind_of(wanted)} is no index: use a number or a text")
        try:
            return member(value, str(wanted))
        except KeyError:
            if reading.feel:
                return None
            raise ReferenceNotFound(f"{name}[{wanted!r}]") from None

    return run


def _holds(condition: Run, item: JSON, context: Context, reading: Reading) -> bool:
    names = {**item, "item": item} if isinstance(item, dict) else {"item": item}
    found = condition(context.child(names))
    return found is not None and reading.truth(found)


def listed(items: Sequence[Run], reading: Reading) -> Run:
    """A list of values."""
    return lambda context: reading.fitting([run(context) for run in items])


def object_of(members: dict[str, Run], reading: Reading) -> Run:
    """An object of values by key."""
    return lambda context: reading.fitting({key: run(context) for key, run in members.items()})


def called(function: Function, arguments: Sequence[Run], reading: Reading) -> Run:
    """A function's value for the values of its arguments."""
    called = function.run
    return lambda context: called(reading, *[argument(context) for argument in arguments])
