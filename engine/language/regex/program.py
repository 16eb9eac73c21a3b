"""From the text of a pattern to the steps of a machine.

Patterns are those of XPath (XPath and XQuery Functions 3.1, section 5.6.1), or the common part of those that people
know from Python, Java and JavaScript.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .. import effort
from .classes import Test, variants
from .signs import MOST_NESTED, Modifiers, SignReader, wrong_pattern

_MOST_STEPS = 2_000
_MOST_LENGTH = 500
# What it costs to make a step, in the measure of ``effort``.
_STEP = 25

Kind = Literal["sign", "split", "save", "start", "end", "again", "match"]
_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}", re.ASCII)


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


def compile_pattern(source: str, flags: Modifiers) -> Program:
    """The program of a pattern; raises Invalid (``code`` is ``pattern``)."""
    if len(source) > _MOST_LENGTH:
        raise wrong_pattern(source, f"is longer than {_MOST_LENGTH} characters: make it shorter")
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


class _Builder(SignReader):
    """Reads by recursive descent and puts each step in its place at once; a repetition reads its part again."""

    def __init__(self, source: str, text: str, flags: Modifiers) -> None:
        super().__init__(source, text, flags)
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
        if self.nested > MOST_NESTED:
            raise self.wrong(f"is nested deeper than {MOST_NESTED} levels: make it simpler")
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
        """How often the atom is repeated, and whether as seldom as can be; None where no quantifier follows."""
        found = self.quantifier()
        if found is None:
            return None
        lazy = self.peek() == "?"
        self.at += lazy
        if self.quantifier() is not None:
            raise self.wrong("repeats a repetition: put the inner one into parentheses")
        return *found, lazy

    def quantifier(self) -> tuple[int, int | None] | None:
        sign = self.peek()
        if sign and sign in "*+?":
            self.at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if sign != "{":
            return None
        repeat = _REPEAT.match(self.text, self.at)
        common = self.flags.is_common
        if repeat is None or not (repeat[1] or (common and repeat[2] and repeat[3])):
            if common:
                return None
            raise self.wrong("has a brace that is no repetition: write \\{ for the sign itself")
        self.at = repeat.end()
        least = int(repeat[1][:5] or 0)
        most = (int(repeat[3][:5]) if repeat[3] else None) if repeat[2] else least
        if most is not None and most < least:
            raise self.wrong("repeats at least more often than at most: swap the numbers")
        return least, most

    def atom(self) -> None:
        sign = self.text[self.at]
        if self.quantifier() is not None:
            raise self.wrong(f"has a {sign!r} with nothing before it: write \\{sign} for the sign itself")
        if sign in "]}" and not self.flags.is_common:
            raise self.wrong(f"has a {sign!r} that closes nothing: write \\{sign} for the sign itself")
        self.at += 1
        if sign == "(":
            self.group()
        elif sign == "^":
            self.add("start")
        elif sign == "$":
            self.add("end")
        elif sign == ".":
            ends = "" if self.flags.dot_is_all else "\n" if self.flags.is_common else "\n\r"
            self.add("sign", lambda other: other not in ends)
        elif sign == "[":
            self.add("sign", self.members())
        elif sign == "\\" and self.peek().isdigit() and not self.flags.is_common:
            self.back_reference()
        elif sign == "\\" and self.peek() in ("A", "Z") and self.flags.is_common:
            self.at += 1
            self.add("start" if self.text[self.at - 1] == "A" else "end")
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
