"""What a cell of a decision table asks of its input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverstone.engine.errors import ExpressionError
from riverstone.engine.language.context import Context
from riverstone.engine.language.unary_tests import compile_unary_tests
from riverstone.engine.limits import Limits

CONTEXT = Context({"limit": 10, "names": ["ann", "bob"], "name": "ann"})


def fits(cell: str, value: Any) -> bool:
    return compile_unary_tests(cell, limits=Limits()).fit(value, CONTEXT)


@pytest.mark.parametrize(
    ("cell", "fitting", "others"),
    [
        ("-", [1, "x", None], []),
        ("", [1, None], []),
        ("5", [5, 5.0], [4, "5", None]),
        ('"a", "b"', ["a", "b"], ["c", None]),
        ("< 10", [9], [10, None]),
        (">= limit", [10, 11], [9]),
        ("< 3, > 7", [2, 8], [5]),
        ("[1..5]", [1, 5], [0, 6, None]),
        ("]1..5[", [2, 4], [1, 5]),
        ("(1..5)", [2, 4], [1, 5]),
        ("]1..5[, 9", [2, 9], [1, 5]),
        ("not(3)", [4], [3]),
        ('not("a", "b")', ["c"], ["a", "b"]),
        ("not(> 5)", [5], [6]),
        ("true", [True], [False, None]),
        ("false", [False], [True]),
        ("null", [None], [1]),
        ("name", ["ann"], ["bob"]),
        ("names", ["ann", "bob", ["ann", "bob"]], ["eve"]),
        ("limit + 1", [11], [10]),
        ("? > 3 and ? < limit", [4], [3, 10]),
        ('contains(?, "nn")', ["ann"], ["bob"]),
        ('starts with(?, "a")', ["ann"], ["bob"]),
        ('>= date("2031-01-31")', ["2031-02-01"], ["2030-12-31"]),
        ('< date and time("2031-01-31T00:00:00+01:00")', ["2031-01-30T22:59:59+00:00"], ["2031-01-31"]),
    ],
)
def test_a_cell_fits_what_it_says(cell: str, fitting: list[Any], others: list[Any]) -> None:
    assert [value for value in fitting if not fits(cell, value)] == []
    assert [value for value in others if fits(cell, value)] == []


@pytest.mark.parametrize("cell", ["<", "1 2", "[1..", "not(", '"a', "nope(?)", "1,", "x" * 5000, "(" * 900 + "1"])
def test_a_cell_that_cannot_be_read_is_told(cell: str) -> None:
    with pytest.raises(ExpressionError, match="cell"):
        compile_unary_tests(cell, limits=Limits())


def test_what_has_no_order_cannot_be_compared() -> None:
    with pytest.raises(ExpressionError, match="'< 3' cannot be decided: a text and a number have no order"):
        fits("< 3", "x")


@given(st.text(alphabet="<>=!?-,.()[]{}\"' 12aé:\\not", max_size=40))
def test_any_text_is_a_cell_or_a_finding(text: str) -> None:
    try:
        tests = compile_unary_tests(text, limits=Limits())
    except ExpressionError:
        return
    for value in (None, 1, "a", [1], {"a": 1}, True):
        try:
            assert tests.fit(value, CONTEXT) in (True, False)
        except ExpressionError:
            continue
