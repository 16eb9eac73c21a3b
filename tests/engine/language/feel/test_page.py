"""The page of the manual about FEEL tells of every function, and its examples have the values that it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riverstone.engine.language.context import Context
from riverstone.engine.language.feel.builtins.table import FUNCTIONS
from riverstone.engine.language.feel.expressions import compile_feel
from riverstone.engine.language.feel.values.kinds import text_of

from .examples import LIMITS

PAGE = Path(__file__).parents[4] / "docs" / "feel.md"
VARIABLES = {"orders": [{"price": 10}, {"price": 25.5}, {"price": 7}], "a-b": 7}


def rows() -> list[list[str]]:
    """The cells of the tables of examples."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [re.split(r" (?<!\\)\| ", line[2:-2]) for line in lines if line.startswith("| ")]
    return [row for row in cells if len(row) == 4 and row[2] not in ("example", "---")]


def code(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return [found.replace("\\|", "|") for found in re.findall(r"`([^`]+)`", cell)]


def spoken(cell: str) -> str:
    """The one expression of a cell."""
    inside = cell[3:-3] if cell.startswith("`` ") else cell[1:-1]
    return inside.replace("\\|", "|")


def value(text: str) -> str | None:
    return text_of(compile_feel(text, limits=LIMITS).evaluate(Context(VARIABLES)))


@pytest.mark.parametrize("row", rows(), ids=lambda row: spoken(row[2]))
def test_each_example_has_the_value_that_the_page_tells(row: list[str]) -> None:
    assert value(spoken(row[2])) == value(spoken(row[3]))


def test_each_function_is_told_of_with_all_its_signatures() -> None:
    told = {signature for row in rows() for signature in code(row[0])}
    assert told == {each.text for function in FUNCTIONS.values() for each in function.signatures} | {
        "is defined(value: any)"
    }
