"""Reads what stands for one character of a pattern: classes, escapes and brackets (XML Schema part 2, appendix F)."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import Invalid
from .classes import CLASSES, PYTHON_CLASSES, Test, category, folded

MOST_NESTED = 40
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_MORE_ESCAPED = {**_ESCAPED, "f": "\f", "v": "\v"}
_PLAIN = frozenset("\\|.-^?*+{}()[]$/")


class Modifiers(NamedTuple):
    """The flags of XPath, by their meaning."""

    dot_is_all: bool = False
    lines: bool = False
    ignores_case: bool = False
    ignores_space: bool = False
    is_literal: bool = False
    is_common: bool = False
    """Not a flag of XPath: the pattern is one of the common kind."""


def flags_of(text: str) -> Modifiers:
    """Of letters such as ``im``; raises Invalid for one that XPath does not have."""
    for letter in text:
        if letter not in "smixq":
            raise Invalid(f"The flag {letter!r} of a pattern is none of s, m, i, x and q.", code="pattern")
    return Modifiers("s" in text, "m" in text, "i" in text, "x" in text, "q" in text)


class SignReader:
    """Goes through the text of a pattern, which ``source`` was before its blanks were taken out."""

    def __init__(self, source: str, text: str, flags: Modifiers) -> None:
        self.source = source
        self.text = text
        self.flags = flags
        self.at = 0
        self.nested = 0

    def wrong(self, text: str) -> Invalid:
        return wrong_pattern(self.source, text)

    def peek(self, amount: int = 1) -> str:
        return self.text[self.at : self.at + amount]

    def escape(self) -> tuple[Test, str]:
        """A test, and the one character that it stands for or an empty text."""
        sign = self.peek()
        self.at += 1
        common = self.flags.is_common
        classes = PYTHON_CLASSES if common else CLASSES
        if sign and sign.lower() in classes:
            return self.negated(classes[sign.lower()], sign.isupper()), ""
        if sign in ("p", "P") and self.peek() == "{" and not common:
            return self.category(sign == "P"), ""
        escaped = _MORE_ESCAPED if common else _ESCAPED
        if not sign or (sign not in escaped and (sign.isalnum() if common else sign not in _PLAIN)):
            raise self.wrong(f"has the unsupported escape '\\{sign}': write the sign itself or a class")
        literal = escaped.get(sign, sign)
        return (lambda other: other == literal), literal

    def category(self, negative: bool) -> Test:
        end = self.text.find("}", self.at)
        name = self.text[self.at + 1 : end]
        test = category(name) if end > 0 else None
        if test is None:
            raise self.wrong(f"names the unknown category {name[:40]!r}: use one of Unicode or a block such as IsGreek")
        self.at = end + 1
        return self.negated(test, negative)

    def negated(self, test: Test, negative: bool) -> Test:
        return (lambda sign: not test(sign)) if negative else test

    def members(self) -> Test:
        """What stands in brackets, with ``-[...]`` for what is taken out of it."""
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise self.wrong(f"is nested deeper than {MOST_NESTED} levels: make it simpler")
        negative = self.peek() == "^"
        self.at += negative
        tests: list[Test] = []
        signs: set[str] = set()
        without: Test | None = None
        first = True
        while first or self.peek() != "]":
            if not first and self.peek(2) == "-[" and not self.flags.is_common:
                self.at += 2
                without = self.members()
                if self.peek() != "]":
                    raise self.wrong("goes on after what is taken out of a class: close the bracket")
                break
            first = False
            test, low = self.member()
            if not low:
                tests.append(test)
            elif (
                self.peek() != "-" or self.peek(2) in ("-]", "-") or (self.peek(2) == "-[" and not self.flags.is_common)
            ):
                signs.add(low)
            else:
                self.at += 1
                tests.append(self.between(low))
        self.at += 1
        self.nested -= 1
        return self.held(signs, tests, negative, without)

    def held(self, signs: set[str], tests: list[Test], negative: bool, without: Test | None) -> Test:
        inside: Test = lambda sign: sign in signs or any(test(sign) for test in tests)  # noqa: E731
        if self.flags.ignores_case:
            inside = folded(inside)
        if without is None:
            return (lambda sign: not inside(sign)) if negative else inside
        taken = without
        return lambda sign: inside(sign) is not negative and not taken(sign)

    def between(self, low: str) -> Test:
        _, high = self.member()
        if not high or high < low:
            raise self.wrong(f"has the range {low}-{high or '?'} with no characters in it: swap its ends")
        return lambda sign: low <= sign <= high

    def member(self) -> tuple[Test, str]:
        sign = self.peek()
        if not sign:
            raise self.wrong("has a bracket that is not closed: close it")
        if sign == "[" and not self.flags.is_common:
            raise self.wrong("has a bracket in brackets: write \\[ for the sign itself")
        self.at += 1
        return self.escape() if sign == "\\" else ((lambda other: other == sign), sign)


def wrong_pattern(source: str, text: str) -> Invalid:
    """The error for a pattern; the text goes on a sentence that names it."""
    shown = source if len(source) <= 60 else source[:59] + "…"
    return Invalid(f"The pattern {shown!r} {text}.", code="pattern")
