"""Numbers that texts say: none loses a digit, and whatever is in the text, it is a number or none."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine.bpmn.elements.loops import whole_number
from riverstone.engine.errors import ExpressionError
from riverstone.engine.language.numerals import read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12345678901234567890.", 12345678901234567890),
        ("-12345678901234567890.0", -12345678901234567890),
        ("1e23", 10**23),
        ("1e5", 100_000),
        ("007", 7),
        ("-0", 0),
        ("-0.0", 0),
        ("0e999", 0),
        (".5", 0.5),
        ("1e-7", 1e-7),
        ("9" * 100, 10**100 - 1),
        ("-" + "9" * 100, 1 - 10**100),
        ("1e308", 1e308),
        # No double is that number.
        ("9" * 101, None),
        ("1e400", None),
        ("1e-99999999999999999999", None),
        ("1" + "0" * 200, None),
        ("", None),
        (".", None),
        ("1_000", None),
        ("0x10", None),
        ("NaN", None),
        ("Infinity", None),
        (" 7", None),
    ],
)
def test_a_text_is_the_number_that_it_says(text: str, number: Any) -> None:
    read = read_number(text)
    assert (read, type(read)) == (number, type(number))


@pytest.mark.parametrize("text", ["\u0661\u0662", "1\u0662", "\uff11", "1_0"])
def test_digits_of_other_scripts_say_no_number(text: str) -> None:
    """Python reads the digits of all scripts; FEEL, JSON and Java's numerals know ten."""
    assert read_number(text) is None
    with pytest.raises(ExpressionError):
        whole_number(text, "cardinality", "a")
