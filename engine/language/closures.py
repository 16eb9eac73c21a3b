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
    """A range such as ``[1..5]``, which only ``in`` can see."""

    low: JSON
    high: JSON
    ends: str


def constant(value: JSON) -> Run:
    """Always the same value."""
    return lambda context: value


def reference(path: Path) -> Run:
    """The value at a path; what is not there is an error."""
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
    if sign == "in":
        return lambda item, container: _within(item, container, reading)
    if sign == "not in":
        return lambda item, container: not _within(item, container, reading)
    return lambda left, right: reading.calculate(sign, left, right)


def _within(item: JSON, container: JSON, reading: Reading) -> JSON:
    if type(container) is not Interval:
        return reading.contains(container, item)
    above = reading.ordered(">=" if container.ends[0] == "[" else ">", item, container.low)
    below = reading.ordered("<=" if container.ends[1] == "]" else "<", item, container.high)
    return above and below


def interval(low: Run, high: Run, ends: str) -> Run:
    """A range between two values; ``ends`` says by ``[]`` or ``()`` which of them belong to it."""
    return lambda context: Interval(low(context), high(context), ends)


def prefix(sign: str, operand: Run, reading: Reading) -> Run:
    """``!``, ``not``, ``-`` or ``empty`` before an operand."""
    if sign == "empty":
        return lambda context: _tolerant(operand, context) in (None, "", [], {})
    if sign == "-":
        return lambda context: reading.calculate("-", 0, operand(context))

    return lambda context: not reading.truth(operand(context))


def exists(operand: Run) -> Run:
    """Whether a reference finds something."""

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


def item(container: Run, key: Run, path: Path | None) -> Run:
    """``container[key]``, counted from 0."""
    name = ".".join(path) if path else "x"

    def run(context: Context) -> JSON:
        value, wanted = container(context), key(context)
        if type(wanted) is float and wanted.is_integer():
            wanted = int(wanted)
        if type(wanted) not in (int, str):
            raise ExpressionError(f"{kind_of(wanted)} is no index: use a number or a text")
        try:
            return member(value, str(wanted))
        except KeyError:
            raise ReferenceNotFound(f"{name}[{wanted!r}]") from None

    return run


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
