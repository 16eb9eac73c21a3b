"""What ``+ - * / **`` do with two values (DMN 1.5, tables 55 to 61)."""

from __future__ import annotations

import decimal
from collections.abc import Callable

from ....errors import ExpressionError
from ... import effort
from ..faults import fault
from . import decimals
from .decimals import DECIMAL128, Number, decimal_of
from .kinds import Value, described
from .temporal import (
    DAY,
    UTC_MIDNIGHT,
    Date,
    DateTime,
    Months,
    Nanos,
    Time,
    add_months,
    add_nanos,
    date_of_number,
    day_number,
    instant,
    make_months,
    make_nanos,
    time_instant,
)

_NUMERIC: dict[str, Callable[[Number, Number], Number]] = {
    "+": decimals.add,
    "-": decimals.subtract,
    "*": decimals.multiply,
    "/": decimals.divide,
    "**": decimals.power,
}
_SLOW = frozenset({decimals.power, DECIMAL128.ln, DECIMAL128.exp, DECIMAL128.sqrt})
_TRANSCENDENT = 400
"""What a power or a logarithm of 34 digits costs, in the time of a look at a member of a list."""
MOST_TEXT = 1 << 20
"""Characters of a text that an expression makes."""


def calculate(sign: str, left: Value, right: Value) -> Value:
    """The value of ``left sign right``; null for what cannot be calculated."""
    if type(left) in decimals.NUMBERS and type(right) in decimals.NUMBERS:
        return number(_NUMERIC[sign], left, right)
    if sign == "+" and type(left) is str and type(right) is str:
        return joined(left, right)
    if left is not None and right is not None:
        found = _temporal(sign, left, right)
        if found is not NotImplemented:
            return found
    hint = ": use string(x)" if sign == "+" and str in (type(left), type(right)) else ""
    return fault(f"{described(left)} {sign} {described(right)} cannot be calculated{hint}")


def number(function: Callable[..., Number], *numbers: Value) -> Value:
    """The result of a function of numbers; null where it has none."""
    if function in _SLOW:
        effort.charge(_TRANSCENDENT)
    try:
        return function(*numbers)
    except decimal.DivisionByZero:
        return fault("it divides by zero")
    except decimal.Overflow:
        return fault("the number is too large")
    except (decimal.DecimalException, ArithmeticError):
        return fault("the number is not defined")


def joined(*texts: str) -> str:
    """The texts in one; raises ExpressionError for what is too long."""
    length = sum(map(len, texts))
    if length > MOST_TEXT:
        raise ExpressionError(f"a text becomes longer than {MOST_TEXT} characters: make its parts smaller")
    return made("".join(texts))


def made(text: str) -> str:
    """The text, counted for the memory that it takes."""
    if len(text) > 64:
        effort.charge(len(text) >> 2)
    return text


def negated(value: Value) -> Value:
    """The value with the other sign."""
    if type(value) in decimals.NUMBERS:
        return decimals.negate(value)
    if type(value) is Months:
        return Months(-value.months)
    if type(value) is Nanos:
        return Nanos(-value.nanos)
    return None if value is None else fault(f"{described(value)} has no opposite")


def _temporal(sign: str, left: Value, right: Value) -> Value:
    kinds = (type(left), type(right))
    if sign == "+":
        return _sum(left, right) if kinds[1] in (Months, Nanos) else _sum(right, left)
    if sign == "-":
        return _difference(left, right)
    if sign == "*":
        return _scaled(left, right) if kinds[0] in (Months, Nanos) else _scaled(right, left)
    return _quotient(left, right) if sign == "/" else NotImplemented


def _sum(left: Value, right: Value) -> Value:
    """Something plus a duration."""
    if type(right) is Months:
        if type(left) is Months:
            return make_months(left.months + right.months)
        if type(left) is Date:
            return add_months(left, right.months)
        if type(left) is DateTime:
            date = add_months(left.date, right.months)
            return None if date is None else DateTime(date, left.time)
    elif type(right) is Nanos:
        if type(left) is Nanos:
            return make_nanos(left.nanos + right.nanos)
        if type(left) is Date:
            return date_of_number(day_number(left) + right.nanos // DAY)
        if type(left) is DateTime:
            return add_nanos(left, right.nanos)
        if type(left) is Time:
            return left._replace(nanos=(left.nanos + right.nanos) % DAY)
    return NotImplemented


def _difference(left: Value, right: Value) -> Value:
    if type(right) in (Months, Nanos):
        return _sum(left, negated(right))
    if type(left) is Time and type(right) is Time:
        if left.is_local != right.is_local:
            return fault("only one of the times says its offset")
        return Nanos(time_instant(left) - time_instant(right))
    one, two = _moment(left), _moment(right)
    if one is None or two is None:
        return NotImplemented
    if one.time.is_local != two.time.is_local:
        return fault("only one of the dates says its offset")
    return make_nanos(instant(one) - instant(two))


def _moment(value: Value) -> DateTime | None:
    """A date is midnight UTC where it meets a date and time (DMN 1.5, table 57)."""
    if type(value) is Date:
        return DateTime(value, UTC_MIDNIGHT)
    return value if type(value) is DateTime else None


def _scaled(duration: Value, factor: Value) -> Value:
    if type(duration) not in (Months, Nanos) or type(factor) not in decimals.NUMBERS:
        return NotImplemented
    return _rounded(duration, number(decimals.multiply, duration[0], factor))


def _quotient(left: Value, right: Value) -> Value:
    if type(left) not in (Months, Nanos):
        return NotImplemented
    if type(left) is type(right):
        return number(decimals.divide, left[0], right[0])
    if type(right) not in decimals.NUMBERS:
        return NotImplemented
    return _rounded(left, number(decimals.divide, left[0], right))


def _rounded(duration: Months | Nanos, size: Number | None) -> Value:
    """A duration of whole months or nanoseconds, what is over cut off."""
    if size is None:
        return None
    amount = decimal_of(size)
    if amount.adjusted() > 30:
        return fault("the duration is too long")
    return make_months(int(amount)) if type(duration) is Months else make_nanos(int(amount))
