"""Numbers are decimals of 34 digits (DMN 1.5, 10.3.2.3.1 and table 78)."""

from __future__ import annotations

import pytest

from riverstone.engine.errors import ExpressionError
from riverstone.engine.language.feel.border import to_json

from .examples import LIMITS, check, feel, lines, reason


@pytest.mark.parametrize(
    "line",
    lines(
        """
        0.1 + 0.2 = 0.3 -> true
        price * 3 = 0.3 -> true
        1 / 3 -> 0.3333333333333333333333333333333333
        2 / 3 -> 0.6666666666666666666666666666666667
        10 / 4 -> 2.5
        6 / 3 -> 2
        1e3 -> 1000
        .5 + 1.50 -> 2
        3 ** 4 ** 5 -> 3486784401
        -3 ** 2 -> 9
        2 ** 0.5 -> 1.414213562373095048801688724209698
        --10 -> 10
        9999999999999999999999999999999999 + 1 -> 10000000000000000000000000000000000
        12345678901234567890123456789012345 = 12345678901234567890123456789012344 -> true
        decimal(1/3, 2) -> 0.33
        decimal(2.5, 0) -> 2
        decimal(3.5, 0) -> 4
        decimal(1234, -2) -> 1200
        floor(-1.5) -> -2
        floor(1.56, 1) -> 1.5
        ceiling(-1.5) -> -1
        round up(5.5, 0) -> 6
        round up(-1.121, 2) -> -1.13
        round down(-1.126, 2) -> -1.12
        round half up(-1.5, 0) -> -2
        round half down(5.5, 0) -> 5
        abs(-3.2) -> 3.2
        modulo(-12, 5) -> 3
        modulo(12, -5) -> -3
        modulo(10.1, -4.5) -> -3.4
        modulo(dividend: 10, divisor: 4) -> 2
        sqrt(16) -> 4
        exp(0) -> 1
        log(exp(2)) = 2 -> true
        odd(5) -> true
        even(-4) -> true
        even(2.5) -> false
        number("1 000,0", " ", ",") -> 1000
        number("1,000.5", ",", ".") -> 1000.5
        number("-1e2") -> -100
        string(1.10) -> "1.1"
        string(1e3) -> "1000"
        """
    ),
)
def test_calculations_are_decimal(line: str) -> None:
    check(line, {"price": 0.1})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 / 0", "divides by zero"),
        ("modulo(1, 0)", "divisor is 0"),
        ("10 ** 7000", "too large"),
        ("sqrt(-1)", "not defined"),
        ("log(0)", "not above 0"),
        ("1 + null", "a number + null cannot be calculated"),
        ("1 + true", "cannot be calculated"),
        ('1 + "1"', "use string(x)"),
        ('number("1.000,0", ".", ".")', "separators"),
        ('number("x")', "'x' is no number"),
        ("floor(1.5, null)", "scale is null"),
        ("decimal(1, 7000)", "scale is not from"),
    ],
)
def test_what_cannot_be_calculated_is_null_and_says_why(text: str, why: str) -> None:
    assert why in reason(text)


def test_numbers_of_json_pass_through_unchanged() -> None:
    for number in (2.0, 0.1, 1e300, 10**90, -7):
        found = to_json(feel("x", {"x": number}), LIMITS)
        assert (type(found), found) == (type(number), number)


def test_results_leave_as_numbers_of_json() -> None:
    assert to_json(feel("[0.1 + 0.2, 1.5 + 0.5, 2 ** 70]"), LIMITS) == [0.3, 2, 2**70]
    assert type(to_json(feel("1.5 + 0.5"), LIMITS)) is int
    with pytest.raises(ExpressionError, match="too large for JSON"):
        to_json(feel("10 ** 400"), LIMITS)
