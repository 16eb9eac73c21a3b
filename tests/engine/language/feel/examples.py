"""Expressions with the values that they have to give, one a line: ``expression -> value``."""

from __future__ import annotations

from typing import Any

from riverstone.engine.language import effort
from riverstone.engine.language.context import Context
from riverstone.engine.language.feel import faults
from riverstone.engine.language.feel.expressions import compile_feel
from riverstone.engine.language.feel.values.kinds import literal_of
from riverstone.engine.limits import Limits

LIMITS = Limits()


def lines(text: str) -> list[str]:
    """The lines of a table that are not empty."""
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def feel(text: str, variables: dict[str, Any] | None = None) -> Any:
    """The value of FEEL."""
    faults.forget()
    with effort.turn(LIMITS):
        return compile_feel(text, limits=LIMITS).evaluate(Context(variables or {}))


def written(text: str, variables: dict[str, Any] | None = None) -> str:
    """The value as FEEL writes it."""
    return literal_of(feel(text, variables))


def reason(text: str, variables: dict[str, Any] | None = None) -> str:
    """Why the value is null, all reasons in one."""
    assert feel(text, variables) is None
    return "; ".join(faults.reasons())


def check(line: str, variables: dict[str, Any] | None = None) -> None:
    """The expression of a line has the value of the line, written in the same way."""
    expression, _, expected = line.rpartition(" -> ")
    assert written(expression.strip(), variables) == expected.strip()
