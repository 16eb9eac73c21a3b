"""From the text of a pattern to the steps of a machine (XPath and XQuery Functions 3.1, section 5.6.1)."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ...errors import Invalid
from .. import effort
from .classes import CLASSES, Test, category, folded, variants

_MOST_STEPS = 2_000
_MOST_LENGTH = 500
_MOST_NESTED = 40
# What it costs to make a step, in the measure of ``effort``.
_STEP = 25

Kind = Literal["sign", "split", "save", "start", "end", "again", "match"]
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_PLAIN = frozenset("\\|.-^?*+{}()[]$/")
_REPEAT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.ASCII)


class Step(NamedTuple):
    """``first`` and ``second`` are the numbers of the steps to go on with, or of the mark of a group."""

    kind: Kind
    test: Test | None = None
    first: int = -1
    second: int = -1


class Program(NamedTuple):
    """``groups`` counts those with a number; ``remembers`` tells of back references."""

    steps: list[Step]
    groups: int
    remembers: bool


class Flags(NamedTuple):
    """The flags of XPath, by their meaning."""

    dot_is_all: bool = False
    lines: bool = False
    ignores_case: bool = False
    ignores_space: bool = False
    is_literal: bool = False


def flags_of(text: str) -> Flags:
    """Of letters such as ``im``; raises Invalid for one that XPath does not have."""
    for letter in text:
        if letter not in "smixq":
            raise Invalid(f"The flag {letter!r} of a pattern is none of s, m, i, x and q.", code="pattern")
    return Flags("s" in text, "m" in text, "i" in text, "x" in text, "q" in text)


def compile_pattern(source: str, flags: Flags) -> Program:
    """The program of a pattern; raises Invalid (``code`` is ``pattern``)."""
    if len(source) > _MOST_LENGTH:
        raise _wrong(source, f"is longer than {_MOST_LENGTH} characters: make it shorter")
    text = _without_space(source) if flags.ignores_space and not flags.is_literal else source
    return _Builder(source, text, flags).whole()


def _without_space(source: str) -> str:
    """As the flag ``x`` has it: blanks go unless they are in brackets."""
    kept, depth, escaped = "", 0, False
    for sign in source:
        if depth or not sign.isspace():
            kept += sign
        if not escaped:
            depth += (sign == "[") - (sign == "]" and depth > 0)
        escaped = sign == "\\" and not escaped
    return kept


class _Builder:
    """Reads by recursive descent and puts each step in its place at once; a repetition reads its part again."""

    def __init__(self, source: str, text: str, flags: Flags) -> None:
        self.source = source
        self.text = text
        self.flags = flags
        self.at = 0
        self.nested = 0
        self.steps: list[Step] = []
        self.groups = 0
        self.closed: set[int] = set()
        self.remembers = False

    def whole(self) -> Program:
        if self.flags.is_literal:
            for sign in self.text:
                self.literal(sign)
        else:
            self.choice()
        if self.at < len(self.text) and not self.flags.is_literal:
            raise self.wrong("has a closing parenthesis too many: remove it")
        self.add("match")
        return Program(self.steps, self.groups, self.remembers)

    def wrong(self, text: str) -> Invalid:
        return _wrong(self.source, text)

    def peek(self, amount: int = 1) -> str:
        return self.text[self.at : self.at + amount]

    def add(self, kind: Kind, test: Test | None = None, first: int = -1, second: int = -1) -> int:
        if len(self.steps) >= _MOST_STEPS:
            raise self.wrong("repeats too much: use smaller numbers of repetition")
        effort.charge(_STEP)
        here = len(self.steps)
        self.steps.append(Step(kind, test, here + 1 if first < 0 else first, second))
        return here

    def patch(self, number: int, *, first: int = -1, second: int = -1) -> None:
        step = self.steps[number]
        self.steps[number] = step._replace(
            first=step.first if first < 0 else first, second=step.second if second < 0 else second
        )

    def choice(self) -> None:
        self.nested += 1
        if self.nested > _MOST_NESTED:
            raise self.wrong(f"is nested deeper than {_MOST_NESTED} levels: make it simpler")
        ends: list[int] = []
        while True:
            split = self.add("split")
            self.sequence()
            if self.peek() != "|":
                break
            self.at += 1
            ends.append(self.add("split"))
            self.patch(split, second=len(self.steps))
        for end in ends:
            self.patch(end, first=len(self.steps))
        self.nested -= 1

    def sequence(self) -> None:
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            self.repeated()

    def repeated(self) -> None:
        """One atom with its quantifier: the atom is read again for each copy of it."""
        begun, first_group = self.at, self.groups
        place = len(self.steps)
        self.atom()
        ended = self.at
        bounds = self.bounds()
        if bounds is None:
            return
        least, most, lazy = bounds
        after = self.at
        del self.steps[place:]
        skips: list[int] = []
        for number in range(most if most is not None else max(least, 1)):
            if number >= least:
                skips.append(self.add("split"))
            begin = len(self.steps)
            self.at, self.groups = begun, first_group
            self.atom()
            assert self.at == ended
        if most is None:
            again = self.add("split", first=begin)
            self.patch(again, second=len(self.steps))
            if lazy:
                self._swap(again)
        for skip in skips:
            self.patch(skip, second=len(self.steps))
            if lazy:
                self._swap(skip)
        self.at = after

    def _swap(self, number: int) -> None:
        step = self.steps[number]
        self.steps[number] = step._replace(first=step.second, second=step.first)

    def bounds(self) -> tuple[int, int | None, bool] | None:
        sign = self.peek()
        if sign and sign in "*+?":
            self.at += 1
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif sign == "{":
            repeat = _REPEAT.match(self.text, self.at)
            if repeat is None:
                raise self.wrong("has a brace that is no repetition: write \\{ for the sign itself")
            self.at = repeat.end()
            least = int(repeat[1][:5])
            most = (int(repeat[3][:5]) if repeat[3] else None) if repeat[2] else least
            if most is not None and most < least:
                raise self.wrong("repeats at least more often than at most: swap the numbers")
        else:
            return None
        lazy = self.peek() == "?"
        self.at += lazy
        if self.peek() and self.peek() in "*+?{":
            raise self.wrong("repeats a repetition: put the inner one into parentheses")
        return least, most, lazy

    def atom(self) -> None:
        sign = self.text[self.at]
        if sign in "*+?{":
            raise self.wrong(f"has a {sign!r} with nothing before it: write \\{sign} for the sign itself")
        if sign in "]}":
            raise self.wrong(f"has a {sign!r} that closes nothing: write \\{sign} for the sign itself")
        self.at += 1
        if sign == "(":
            self.group()
        elif sign == "^":
            self.add("start")
        elif sign == "$":
            self.add("end")
        elif sign == ".":
            self.add("sign", (lambda _: True) if self.flags.dot_is_all else (lambda other: other not in "\n\r"))
        elif sign == "[":
            self.add("sign", self.members())
        elif sign == "\\" and self.peek().isdigit():
            self.back_reference()
        elif sign == "\\":
            test, literal = self.escape()
            self.literal(literal) if literal else self.add("sign", test)
        else:
            self.literal(sign)

    def literal(self, sign: str) -> None:
        if self.flags.ignores_case:
            same = {sign} | variants(sign)
            self.add("sign", lambda other: other in same or not same.isdisjoint(variants(other)))
        else:
            self.add("sign", lambda other: other == sign)

    def group(self) -> None:
        number = 0
        if self.peek(2) == "?:":
            self.at += 2
        elif self.peek() == "?":
            raise self.wrong("has a group that begins with '(?', of which only '(?:' is supported: use a plain group")
        else:
            self.groups += 1
            number = self.groups
            self.add("save", second=2 * number)
        self.choice()
        if self.peek() != ")":
            raise self.wrong("has a parenthesis that is not closed: close it")
        self.at += 1
        if number:
            self.closed.add(number)
            self.add("save", second=2 * number + 1)

    def back_reference(self) -> None:
        number = int(self.peek())
        self.at += 1
        while self.peek().isdigit() and self.peek().isascii() and number * 10 + int(self.peek()) <= self.groups:
            number = number * 10 + int(self.peek())
            self.at += 1
        if number not in self.closed:
            raise self.wrong(f"refers back to the group {number}, which has not been closed before")
        self.remembers = True
        self.add("again", second=number)

    def escape(self) -> tuple[Test, str]:
        """A test, and the one character that it stands for or an empty text."""
        sign = self.peek()
        self.at += 1
        if sign and sign.lower() in CLASSES:
            return self.negated(CLASSES[sign.lower()], sign.isupper()), ""
        if sign in ("p", "P") and (end := self.text.find("}", self.at)) > 0 and self.peek() == "{":
            name = self.text[self.at + 1 : end]
            self.at = end + 1
            test = category(name)
            if test is None:
                raise self.wrong(
                    f"names the unknown category {name[:40]!r}: use one of Unicode or a block such as IsGreek"
                )
            return self.negated(test, sign == "P"), ""
        if not sign or (sign not in _ESCAPED and sign not in _PLAIN):
            raise self.wrong(f"has the unsupported escape '\\{sign}': write the sign itself or a class")
        literal = _ESCAPED.get(sign, sign)
        return (lambda other: other == literal), literal

    def negated(self, test: Test, negative: bool) -> Test:
        return (lambda sign: not test(sign)) if negative else test

    def members(self) -> Test:
        """What stands in brackets, with ``-[...]`` for what is taken out of it."""
        self.nested += 1
        if self.nested > _MOST_NESTED:
            raise self.wrong(f"is nested deeper than {_MOST_NESTED} levels: make it simpler")
        negative = self.peek() == "^"
        self.at += negative
        tests: list[Test] = []
        signs: set[str] = set()
        without: Test | None = None
        first = True
        while first or self.peek() != "]":
            if not first and self.peek(2) == "-[":
                self.at += 2
                without = self.members()
                if self.peek() != "]":
                    raise self.wrong("goes on after what is taken out of a class: close the bracket")
                break
            first = False
            test, low = self.member()
            if not low:
                tests.append(test)
            elif self.peek() != "-" or self.peek(2) in ("-]", "-[", "-"):
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
        if sign == "[":
            raise self.wrong("has a bracket in brackets: write \\[ for the sign itself")
        self.at += 1
        return self.escape() if sign == "\\" else ((lambda other: other == sign), sign)


def _wrong(source: str, text: str) -> Invalid:
    shown = source if len(source) <= 60 else source[:59] + "…"
    return Invalid(f"The pattern {shown!r} {text}.", code="pattern")
