"""Errors that point at their place in an expression with a caret."""

from __future__ import annotations

from typing import NamedTuple

from ....errors import ExpressionError

_AROUND = 60


class FeelSyntaxError(ExpressionError):
    """A text is no FEEL; ``drawn`` shows the place of the error with a caret."""

    def __init__(self, message: str, drawn: str) -> None:
        super().__init__(message)
        self.drawn = drawn


class Misread(ExpressionError):
    """The text of an expression is wrong at one place; ``message`` is the part of a sentence that says how."""

    def __init__(self, why: str, position: int) -> None:
        super().__init__(why)
        self.position = position


class Doubt(NamedTuple):
    """Why a part of an expression is null whatever the values are, and where it begins."""

    why: str
    position: int


def pointed(text: str, position: int) -> str:
    """The line of an expression that holds a place, and a line with a caret under the place."""
    position = min(position, len(text))
    begin = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[begin : len(text) if end < 0 else end]
    column = position - begin
    cut = max(0, column - _AROUND)
    before, after = "…" if cut else "", "…" if column + _AROUND < len(line) else ""
    shown = line[cut : column + _AROUND].replace("\t", " ")
    caret = " " * (column - cut + len(before)) + "^"
    return f"    {before}{shown}{after}\n    {caret}"
