"""Numbers of FEEL: decimals of 34 digits (IEEE 754-2008 decimal128; DMN 1.5, 10.3.2.3.1).

Numbers of JSON stay ``int`` or ``float`` until arithmetic needs a decimal. A float stands for the decimal that JSON
writes it as, so ``0.1`` is one tenth.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any, TypeAlias

Number: TypeAlias = int | float | Decimal

NUMBERS = frozenset({int, float, Decimal})
"""The exact types of numbers; a boolean is none of them."""
DECIMAL128 = decimal.Context(
    prec=34,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
_MOST = 10**34
_LARGEST_INT = 100


def is_number(value: Any) -> bool:
    """Whether the value is a number, which a boolean is not."""
    return type(value) in NUMBERS


def decimal_of(number: Number) -> Decimal:
    """The decimal that a number stands for, rounded to 34 digits."""
    kind = type(number)
    if kind is Decimal:
        return number  # type: ignore[return-value]
    if kind is float:
        return Decimal(repr(number))
    return DECIMAL128.create_decimal(number)


def whole(number: Number) -> int | None:
    """The integer that a number is; None for a fraction or for what has too many digits to count with."""
    if type(number) is int:
        return number
    value = decimal_of(number)
    if value.adjusted() > 40 or value != value.to_integral_value():
        return None
    return int(value)


def truncated(number: Number) -> int | None:
    """The integer that is left without the fraction; None for what has too many digits to count with."""
    if type(number) is int:
        return number
    value = decimal_of(number)
    return None if value.adjusted() > 40 else int(value)


def parse(digits: str) -> Number:
    """The number that a literal writes, an ``int`` where it can be; raises decimal.Overflow."""
    if digits.isdigit() and len(digits) <= 34:
        return int(digits)
    return DECIMAL128.create_decimal(digits)


def add(left: Number, right: Number) -> Number:
    """The sum; raises decimal.DecimalException."""
    if type(left) is int and type(right) is int:
        total = left + right
        if -_MOST < total < _MOST:
            return total
    return DECIMAL128.add(decimal_of(left), decimal_of(right))


def subtract(left: Number, right: Number) -> Number:
    """The difference; raises decimal.DecimalException."""
    if type(left) is int and type(right) is int:
        total = left - right
        if -_MOST < total < _MOST:
            return total
    return DECIMAL128.subtract(decimal_of(left), decimal_of(right))


def multiply(left: Number, right: Number) -> Number:
    """The product; raises decimal.DecimalException."""
    if type(left) is int and type(right) is int and -_MOST < left < _MOST and -_MOST < right < _MOST:
        total = left * right
        if -_MOST < total < _MOST:
            return total
    return DECIMAL128.multiply(decimal_of(left), decimal_of(right))


def divide(left: Number, right: Number) -> Number:
    """The quotient; raises decimal.DecimalException, also for a division by zero."""
    if type(left) is int and type(right) is int and right and -_MOST < left < _MOST and left % right == 0:
        return left // right
    return DECIMAL128.divide(decimal_of(left), decimal_of(right))


def power(left: Number, right: Number) -> Number:
    """The power; raises decimal.DecimalException."""
    base, exponent = decimal_of(left), decimal_of(right)
    if exponent == 0:
        return 1
    return DECIMAL128.power(base, exponent)


def negate(number: Number) -> Number:
    """The number with the other sign."""
    return -number if type(number) is int else DECIMAL128.minus(decimal_of(number))


def compare(left: Number, right: Number) -> int:
    """Below zero, zero or above, as left is smaller, equal or larger."""
    if type(left) is not type(right) and (type(left) is float or type(right) is float):
        left, right = decimal_of(left), decimal_of(right)
    return (left > right) - (left < right)


def text_of(number: Number) -> str:
    """The number as FEEL writes it, without an exponent and without zeros that say nothing."""
    if type(number) is int:
        return str(number) if abs(number) < _MOST else format(decimal_of(number), "f")
    value = decimal_of(number)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def json_of(number: Number) -> int | float:
    """The number that JSON can hold: a whole one as it is, a fraction as the nearest double; raises OverflowError."""
    if type(number) is not Decimal:
        return number  # type: ignore[return-value]
    if number.adjusted() < _LARGEST_INT and number == number.to_integral_value():
        return int(number)
    real = float(number)
    if real in (float("inf"), float("-inf")):
        raise OverflowError
    return real
