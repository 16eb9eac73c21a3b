"""What the signs of JUEL do with JSON values."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ExpressionError
from ..jsontext import JSON, dumps, weigh
from ..limits import Limits
from . import effort

Number = int | float

_PAIR = 8
"""What comparing two members costs, in the time of a look at one."""
_READ = 12
"""The same of reading a text as a number."""
_WRITTEN = 16
"""The same of writing a value as a text."""
_CHARACTERS = 2
"""As a shift: so many characters of JSON are written in that time."""
_NUMERIC = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_ORDER: dict[str, Callable[[JSON, JSON], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How values are read: a text that says a number is one where a number is wanted."""

    limits: Limits

    def number(self, value: JSON) -> Number | None:
        """The number that a value is or that its text says (EL 3.0, section 1.23); None if neither."""
        kind = type(value)
        if kind is int or kind is float:
            return value  # type: ignore[no-any-return]
        if kind is str and len(value) <= self.limits.integer_digits:
            effort.charge(_READ)
            if _NUMERIC.fullmatch(value) is None:
                return None
            return int(value) if value.lstrip("-").isdigit() else float(value)
        return None

    def truth(self, value: JSON) -> bool:
        """The value as a condition: booleans, null as false, and the texts ``true`` and ``false``."""
        if value is True or value is False:
            return value
        if value is None:
            return False
        if type(value) is str and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise ExpressionError(f"{kind_of(value)} is neither true nor false: compare it with something")

    def equal(self, left: JSON, right: JSON) -> bool:
        """Equality: a number or a boolean also equals the text that says it; other types are never equal."""
        kind, other = type(left), type(right)
        if kind is other:
            if kind is str:
                effort.charge_text(left)
            return left == right if kind is not dict and kind is not list else _same(left, right)
        if left is None or right is None:
            return False
        if kind is bool or other is bool:
            text = right if kind is bool else left
            return type(text) is str and text.lower() == ("true" if True in (left, right) else "false")
        one, two = self.number(left), self.number(right)
        return one is not None and two is not None and one == two

    def ordered(self, sign: str, left: JSON, right: JSON) -> bool:
        """``<``, ``<=``, ``>``, ``>=`` on two numbers or two texts."""
        if type(left) is str and type(right) is str:
            effort.charge_text(left)
            return _ORDER[sign](left, right)
        one, two = self.number(left), self.number(right)
        if one is not None and two is not None:
            return _ORDER[sign](one, two)
        raise ExpressionError(f"{kind_of(left)} and {kind_of(right)} have no order: compare numbers or texts")

    def contains(self, container: JSON, item: JSON) -> bool:
        """``item in container``: an item of a list, a key of an object, a part of a text."""
        if type(container) is list:
            effort.charge(_PAIR * len(container))
            return any(self.equal(member, item) for member in container)
        if type(container) is str and type(item) is str:
            effort.charge_text(container, item)
            return item in container
        if type(container) is dict:
            return type(item) is str and item in container
        raise ExpressionError(f"{kind_of(item)} cannot be in {kind_of(container)}: use a list, an object or a text")

    def calculate(self, sign: str, left: JSON, right: JSON) -> JSON:
        """``+ - * / %`` on numbers."""
        one, two = self.number(left), self.number(right)
        if one is None or two is None:
            wrong = kind_of(left if one is None else right)
            hint = "; to join texts write ${a}${b} or concat(a, b)" if sign == "+" else ""
            raise ExpressionError(f"{wrong} cannot be calculated with{hint or ': use numbers'}")
        try:
            return self.bounded(self._arithmetic(sign, one, two))
        except ZeroDivisionError:
            raise ExpressionError("it divides by zero: check the divisor first") from None
        except OverflowError:
            raise ExpressionError("the number is too large: use smaller numbers") from None

    def _arithmetic(self, sign: str, left: Number, right: Number) -> Number:
        if sign == "+":
            return left + right
        if sign == "-":
            return left - right
        if sign == "*":
            return left * right
        if sign == "/":
            if type(left) is int and type(right) is int and left % right == 0:
                return left // right
            return left / right
        # EL keeps the sign of the dividend, as Java does; Python that of the divisor.
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest

    def bounded(self, number: Number) -> Number:
        """The number, if JSON can hold it within the limits; raises ExpressionError."""
        if type(number) is int:
            most = self.limits.integer_digits
            if number.bit_length() > 3 * most and abs(number) >= 10**most:
                raise ExpressionError(f"the number has more than {most} digits: use smaller ones")
        elif not math.isfinite(number):
            raise ExpressionError("the number is too large: use smaller numbers")
        return number

    def text(self, value: JSON, what: str = "it") -> str:
        """A value inside text: booleans in lower case, lists and objects as JSON; raises ExpressionError for null."""
        kind = type(value)
        if kind is str:
            return value  # type: ignore[no-any-return]
        if kind is bool:
            return "true" if value else "false"
        if value is None:
            raise ExpressionError(f"{what} is null, which has no text: give it a value or leave it out")
        if kind is dict or kind is list:
            effort.charge(self._weighed(value) >> _CHARACTERS)
        effort.charge(_WRITTEN)
        return dumps(value)

    def fitting(self, value: JSON) -> JSON:
        """The value, if its JSON text is within ``limits.output_size``; raises ExpressionError."""
        self._weighed(value)
        return value

    def _weighed(self, value: JSON) -> int:
        size = weigh(value, self.limits.output_size, effort.charge)
        if size > self.limits.output_size:
            raise ExpressionError(f"the value is over {self.limits.output_size} long: make it smaller")
        return size


def kind_of(value: JSON) -> str:
    """The JSON word for the value's type, with its article."""
    names = {str: "a text", bool: "a boolean", int: "a number", float: "a number", dict: "an object", list: "a list"}
    return names.get(type(value), "null")


def _same(left: JSON, right: JSON) -> bool:
    """Equality of structures where, unlike in Python, ``1`` and ``true`` differ."""
    stack = [(left, right)]
    while stack:
        one, two = stack.pop()
        if isinstance(one, dict | list):
            effort.charge(_PAIR * len(one))
        elif isinstance(one, str):
            effort.charge_text(one)
        if isinstance(one, dict) and isinstance(two, dict):
            if one.keys() != two.keys():
                return False
            stack.extend((one[key], two[key]) for key in one)
        elif isinstance(one, list) and isinstance(two, list):
            if len(one) != len(two):
                return False
            stack.extend(zip(one, two, strict=True))
        elif isinstance(one, bool) is not isinstance(two, bool) or one != two:
            return False
    return True
