"""Functions of numbers (DMN 1.5, table 78), and ``random number`` of Camunda 8."""

from __future__ import annotations

import decimal
import random
from decimal import Decimal

from ..faults import fault
from ..values import decimals
from ..values.arithmetic import number as guarded
from ..values.decimals import DECIMAL128, Number, decimal_of, truncated
from ..values.kinds import Value
from ..values.temporal import Months, Nanos
from .signature import builtin

_LEAST_SCALE, _MOST_SCALE = -6111, 6176


def rounded(value: Number, scale: Value, mode: str) -> Value:
    """The number with so many digits after its point."""
    places = truncated(scale)
    if places is None or not _LEAST_SCALE <= places <= _MOST_SCALE:
        return fault(f"the scale is not from {_LEAST_SCALE} to {_MOST_SCALE}")
    if type(value) is int and places >= 0:
        return value
    exact = decimal_of(value)
    if -exact.as_tuple().exponent <= places:  # type: ignore[operator]
        return value
    return guarded(lambda: exact.quantize(Decimal(1).scaleb(-places), mode, DECIMAL128) + 0)


@builtin("decimal(n: number, scale: number)")
def _decimal(n: Number, scale: Number) -> Value:
    return rounded(n, scale, decimal.ROUND_HALF_EVEN)


@builtin("floor(n: number, scale?: number)")
def _floor(n: Number, scale: Number = 0) -> Value:
    return rounded(n, scale, decimal.ROUND_FLOOR)


@builtin("ceiling(n: number, scale?: number)")
def _ceiling(n: Number, scale: Number = 0) -> Value:
    return rounded(n, scale, decimal.ROUND_CEILING)


@builtin("round up(n: number, scale: number)")
def _round_up(n: Number, scale: Number) -> Value:
    return rounded(n, scale, decimal.ROUND_UP)


@builtin("round down(n: number, scale: number)")
def _round_down(n: Number, scale: Number) -> Value:
    return rounded(n, scale, decimal.ROUND_DOWN)


@builtin("round half up(n: number, scale: number)")
def _round_half_up(n: Number, scale: Number) -> Value:
    return rounded(n, scale, decimal.ROUND_HALF_UP)


@builtin("round half down(n: number, scale: number)")
def _round_half_down(n: Number, scale: Number) -> Value:
    return rounded(n, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs(n: number|days duration|months duration)")
def _abs(n: Value) -> Value:
    if type(n) in (Nanos, Months):
        return type(n)(abs(n[0]))
    return abs(n) if type(n) is int else DECIMAL128.abs(decimal_of(n))


@builtin("modulo(dividend: number, divisor: number)")
def modulo(dividend: Number, divisor: Number) -> Value:
    """The rest of a division, with the sign of the divisor."""
    if divisor == 0:
        return fault("modulo(): the divisor is 0")
    if type(dividend) is int and type(divisor) is int:
        return guarded(decimals.add, dividend % divisor, 0)
    return guarded(_remainder, decimal_of(dividend), decimal_of(divisor))


def _remainder(dividend: Decimal, divisor: Decimal) -> Number:
    if dividend.adjusted() - divisor.adjusted() > 100:
        raise decimal.InvalidOperation
    rest = decimal.Context(prec=200).remainder(dividend, divisor)
    if rest and (rest < 0) is not (divisor < 0):
        rest += divisor
    return DECIMAL128.plus(rest)


@builtin("sqrt(number: number)")
def _sqrt(number: Number) -> Value:
    return guarded(DECIMAL128.sqrt, decimal_of(number))


@builtin("log(number: number)")
def _log(number: Number) -> Value:
    return fault("log(): the number is not above 0") if number <= 0 else guarded(DECIMAL128.ln, decimal_of(number))


@builtin("exp(number: number)")
def _exp(number: Number) -> Value:
    return guarded(DECIMAL128.exp, decimal_of(number))


@builtin("odd(number: number)")
def _odd(number: Number) -> Value:
    return _rest_of_two(number, 1)


@builtin("even(number: number)")
def _even(number: Number) -> Value:
    return _rest_of_two(number, 0)


def _rest_of_two(number: Number, rest: int) -> Value:
    value = modulo(number, 2)
    return None if value is None else bool(value == rest)


@builtin("random number()", pure=False)
def _random_number() -> Value:
    return random.random()
