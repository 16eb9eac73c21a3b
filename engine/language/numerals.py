"""Numbers that people and templates write as texts, read with all of their digits."""

from __future__ import annotations

import re
from decimal import Decimal

from .operators import Number

_LONGEST = 128
_MOST_DIGITS = 100
"""Of a whole number, as ``integer_digits`` has it where nobody sets that."""
_NUMERAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,5})?", re.ASCII)


def read_number(text: str) -> Number | None:
    """The number that a text says: a whole one as it is, a fraction as the nearest double; None for any other text.

    ``7.0`` and ``1e23`` are whole. One of more than 100 digits is a double where that is the same number, else none.
    """
    if len(text) > _LONGEST or not _NUMERAL.fullmatch(text):
        return None
    exact = Decimal(text)
    if not exact:
        return 0
    if exact != exact.to_integral_value():
        return float(text)
    if exact.adjusted() < _MOST_DIGITS:
        return int(exact)
    number = float(text)
    return number if Decimal(repr(number)) == exact else None
