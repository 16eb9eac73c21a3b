"""Functions that convert or ask about any value (DMN 1.5, tables 73, 74 and 83), and those that Camunda 8 adds."""

from __future__ import annotations

import decimal
import re

from ....errors import ExpressionError, RiverstoneError
from ....jsontext import dumps, loads
from ....limits import Limits
from ...effort import charge
from ..border import to_json
from ..faults import fault
from ..values import decimals
from ..values.arithmetic import made
from ..values.comparison import is_equal
from ..values.kinds import Value, kind_of, text_of
from ..values.temporal import DateTime, Time
from .signature import builtin

_LIMITS = Limits()
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,5})?", re.ASCII)


@builtin("string(from: any)")
def _string(value: Value) -> Value:
    return text_of(value)


@builtin("number(from: string|number)")
def _number(value: Value) -> Value:
    return value if type(value) is not str else _read(value)


@builtin("number(from: string, grouping separator: string?, decimal separator?: string?)")
def _number_written(text: str, grouping: str | None, point: str | None = None) -> Value:
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or grouping == point is not None:
        return fault("number(): the separators are not different ones of a space, a comma and a point")
    if grouping is not None:
        text = text.replace(grouping, "")
    if point == ",":
        if "." in text:
            return fault(f"number(): {text[:60]!r} is no number")
        text = text.replace(",", ".")
    return _read(text)


def _read(text: str) -> Value:
    if len(text) > 200 or not _NUMBER.fullmatch(text):
        return fault(f"number(): {text[:60]!r} is no number")
    try:
        return decimals.parse(text)
    except decimal.DecimalException:
        return fault("number(): the number is too large")


@builtin("to json(value: any)")
def _to_json(value: Value) -> Value:
    return made(dumps(to_json(value, _LIMITS)))


_READ = 2
"""As a shift: so many characters of JSON are read in the time of a look at a member of a list."""


@builtin("from json(value: string)")
def _from_json(text: str) -> Value:
    """The value of a JSON text; what says a date stays a text, as in variables."""
    charge(len(text) >> _READ)
    try:
        return loads(text, limits=_LIMITS)
    except RiverstoneError:
        return fault(f"from json(): {text[:60]!r} is no JSON")


@builtin("not(negand: any)")
def negation(negand: Value) -> Value:
    """``not(...)``: null for what is no boolean."""
    if type(negand) is bool:
        return not negand
    return None if negand is None else fault(f"not(): a {kind_of(negand)} is neither true nor false")


@builtin("is(value1: any, value2: any)")
def _is(one: Value, two: Value) -> Value:
    """Whether values are the same down to the way in which their times are written."""
    if kind_of(one) != kind_of(two):
        return False
    if type(one) in (Time, DateTime):
        return bool(one == two)
    return is_equal(one, two)


@builtin("get or else(value: any, default: any)")
def _get_or_else(value: Value, default: Value) -> Value:
    return default if value is None else value


@builtin("assert(value: any, condition: any, cause?: string?)")
def _assert(value: Value, condition: Value, cause: str | None = None) -> Value:
    if condition is True:
        return value
    raise ExpressionError(cause or "the condition of assert() does not hold")


@builtin("fromAi(value: any, description?: any, type?: any, schema?: any, options?: any)")
def _from_ai(value: Value, *_: Value) -> Value:
    """What a model of a language would fill in stays what it is."""
    return value
