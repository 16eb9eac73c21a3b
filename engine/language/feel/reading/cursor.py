"""Goes through the tokens of a text."""

from __future__ import annotations

from collections.abc import Sequence

from .lexer import Lexeme
from .places import Misread

MOST_NESTED = 64
"""Brackets inside of each other; each costs ten of a thousand Python frames in the reading, and fewer later."""


class Cursor:
    """Where a reader is, and how deep."""

    def __init__(self, tokens: Sequence[Lexeme]) -> None:
        self.tokens = tokens
        self.at = 0
        self.nested = 0

    @property
    def here(self) -> Lexeme:
        return self.tokens[self.at]

    def sees(self, *texts: str) -> bool:
        token = self.tokens[self.at]
        return token.text in texts and token.kind in ("sign", "name")

    def takes(self, *texts: str) -> bool:
        if self.sees(*texts):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.takes(text):
            raise self.unexpected(f"{text!r} was expected")

    def unexpected(self, why: str) -> Misread:
        token = self.here
        return Misread(why if token.kind == "end" else f"{why} instead of {token.text[:40]!r}", token.start)

    def nest(self) -> None:
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise Misread(f"it is nested deeper than {MOST_NESTED} levels", self.here.start)
