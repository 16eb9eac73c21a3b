"""Cells of decision tables: unary tests (DMN 1.5, 7.3.9 and 10.3.1.2, rules 7 to 10)."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine.language.context import Context
from riverstone.engine.language.feel.expressions import compile_tests

from .examples import LIMITS

VARIABLES = {"limit": 10, "allowed": ["a", "b"]}


@pytest.mark.parametrize(
    ("cell", "value", "fits"),
    [
        ("1", 1, True),
        ("1", 1.0, True),
        ("1", "1", None),
        ('"a", "b"', "b", True),
        ('"a", "b"', "c", False),
        ("< 10", 9, True),
        ("< 10", None, None),
        ("[1..5]", 5, True),
        ("]1..5[", 5, False),
        ("not(1, 2)", 3, True),
        ("not(1, 2)", 2, False),
        ("not(< 5)", 7, True),
        ("null", None, True),
        ("true", True, True),
        ("< limit", 9, True),
        ("allowed", "b", True),
        ("> limit, < 0", 11, True),
        ("? > 3 and ? < limit", 5, True),
        ('contains(?, "x")', "axb", True),
        ("even(?)", 3, False),
        ('@"2024-01-01"', "2024-01-01", None),
        ("limit > 5", 3, True),
        ("[< 5, > 8]", 9, True),
    ],
)
def test_a_cell_asks_its_input(cell: str, value: Any, fits: bool | None) -> None:
    assert compile_tests(cell, limits=LIMITS).cell(value, Context(VARIABLES)) is fits
