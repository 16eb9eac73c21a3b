"""Regular expressions that anybody may write: matched without backtracking, so no pattern can hang the engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ..errors import Invalid
from . import effort

_MOST_STATES = 2_000
_MOST_LENGTH = 500
_MOST_NESTED = 40
_MOST_STEPS = 500_000
# What it costs to make a state and to take a step from it, in the measure of ``effort``.
_STATE = 25
_STEP = 4

Test = Callable[[str], bool]

_CLASSES: dict[str, Test] = {
    "d": lambda sign: sign.isdecimal(),
    "w": lambda sign: sign.isalnum() or sign == "_",
    "s": lambda sign: sign.isspace(),
}
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}", re.ASCII)


class _State(NamedTuple):
    """Takes a character by ``test``, or moves on freely if it has none; ``anchor`` lets it move only at an end."""

    test: Test | None
    following: list[int]
    anchor: str = ""


class _Part(NamedTuple):
    """A piece of the machine: where one enters it and where one leaves it."""

    first: int
    last: int


class Pattern:
    """A pattern that a whole value must match.

    Understood are literals, ``.``, classes, ``\\d \\w \\s``, groups, ``|``, ``* + ? {m,n}`` and ``^ $``. A lazy sign
    changes nothing, because only the whole value counts. Look-around, back references and flags are refused: they
    cannot be matched in a time that grows evenly with the value.
    """

    __slots__ = ("_first", "_last", "_states", "source")

    def __init__(self, source: str) -> None:
        """Compile the pattern; raises Invalid (``code`` is ``pattern``)."""
        self.source = source
        builder = _Builder(source)
        part = builder.whole()
        self._states, self._first, self._last = builder.states, part.first, part.last

    def matches(self, value: str) -> bool:
        """Whether the whole value fits; a value too long for the size of the pattern does not.

        Raises ExpressionWork where the turn has looked at enough.
        """
        if len(value) * len(self._states) > _MOST_STEPS:
            return False
        here = self._reach([self._first], value, 0)
        for position, sign in enumerate(value):
            effort.charge(_STEP * len(here))
            ahead = [
                state.following[0]
                for number in here
                if (state := self._states[number]).test is not None and state.test(sign)
            ]
            if not ahead:
                return False
            here = self._reach(ahead, value, position + 1)
        return self._last in here

    def _reach(self, begin: list[int], value: str, position: int) -> set[int]:
        """The states that can be reached from here without taking a character."""
        reached: set[int] = set()
        stack = begin
        while stack:
            number = stack.pop()
            if number in reached:
                continue
            state = self._states[number]
            if (state.anchor == "^" and position) or (state.anchor == "$" and position < len(value)):
                continue
            reached.add(number)
            if state.test is None:
                stack.extend(state.following)
        return reached


class _Builder:
    """Thompson's construction, straight from the text."""

    def __init__(self, source: str) -> None:
        if len(source) > _MOST_LENGTH:
            raise _wrong(source, f"is longer than {_MOST_LENGTH} characters: make it shorter")
        self.source = source
        self.at = 0
        self.nested = 0
        self.states: list[_State] = []

    def whole(self) -> _Part:
        part = self.choice()
        if self.at < len(self.source):
            raise self.wrong("has a closing parenthesis too many: remove it")
        return part

    def wrong(self, text: str) -> Invalid:
        return _wrong(self.source, text)

    def state(self, test: Test | None = None, *, anchor: str = "") -> int:
        if len(self.states) >= _MOST_STATES:
            raise self.wrong("repeats too much: use smaller numbers of repetition")
        effort.charge(_STATE)
        self.states.append(_State(test, [], anchor))
        return len(self.states) - 1

    def join(self, origin: int, target: int) -> None:
        self.states[origin].following.append(target)

    def choice(self) -> _Part:
        self.nested += 1
        if self.nested > _MOST_NESTED:
            raise self.wrong(f"is nested deeper than {_MOST_NESTED} levels: make it simpler")
        first, last = self.state(), self.state()
        while True:
            branch = self.sequence()
            self.join(first, branch.first)
            self.join(branch.last, last)
            if self.source[self.at : self.at + 1] != "|":
                self.nested -= 1
                return _Part(first, last)
            self.at += 1

    def sequence(self) -> _Part:
        first = last = self.state()
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            begun = self.at
            part = self.atom()
            ended = self.at
            part = self.repeated(part, begun, ended)
            self.join(last, part.first)
            last = part.last
        return _Part(first, last)

    def repeated(self, part: _Part, begun: int, ended: int) -> _Part:
        bounds = self.bounds()
        if bounds is None:
            return part
        if self.bounds() is not None:
            raise self.wrong("repeats a repetition: put the inner one into parentheses")
        least, most = bounds
        after = self.at
        first = last = self.state()
        copies = max(least, 1) if most is None else most
        end = self.state()
        for number in range(copies):
            if number:
                part = self.again(begun, ended)
            if number >= least:
                self.join(last, end)
            self.join(last, part.first)
            last = part.last
        if most is None:
            self.join(last, part.first)
        self.join(last, end)
        self.at = after
        return _Part(first, end)

    def again(self, begun: int, ended: int) -> _Part:
        """Another copy of the atom that stands between two positions."""
        self.at = begun
        part = self.atom()
        assert self.at == ended
        return part

    def bounds(self) -> tuple[int, int | None] | None:
        sign = self.source[self.at : self.at + 1]
        if sign and sign in "*+?":
            self.at += 1
            found: tuple[int, int | None] = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif (repeat := _REPEAT.match(self.source, self.at)) and (repeat[1] or (repeat[2] and repeat[3])):
            self.at = repeat.end()
            least = int(repeat[1][:5] or 0)
            most = (int(repeat[3][:5]) if repeat[3] else None) if repeat[2] else least
            if most is not None and most < least:
                raise self.wrong("repeats at least more often than at most: swap the numbers")
            found = least, most
        else:
            return None
        if self.source[self.at : self.at + 1] == "?":
            self.at += 1
        return found

    def atom(self) -> _Part:
        sign = self.source[self.at]
        if self.bounds() is not None:
            raise self.wrong(f"has a {sign!r} with nothing before it: write \\{sign} for the sign itself")
        self.at += 1
        if sign == "(":
            return self.group()
        if sign in "^$":
            number = self.state(anchor=sign)
            return _Part(number, number)
        if sign == ".":
            return self.single(lambda other: other != "\n")
        if sign == "[":
            return self.single(self.members())
        if sign == "\\":
            if self.source[self.at : self.at + 1] in ("A", "Z"):
                self.at += 1
                number = self.state(anchor="^" if self.source[self.at - 1] == "A" else "$")
                return _Part(number, number)
            test, _ = self.escape()
            return self.single(test)
        return self.single(lambda other: other == sign)

    def single(self, test: Test) -> _Part:
        first, last = self.state(test), self.state()
        self.join(first, last)
        return _Part(first, last)

    def group(self) -> _Part:
        if self.source.startswith("?:", self.at):
            self.at += 2
        elif self.source.startswith("?", self.at):
            raise self.wrong("has a group that begins with '(?', of which only '(?:' is supported: use a plain group")
        part = self.choice()
        if self.source[self.at : self.at + 1] != ")":
            raise self.wrong("has a parenthesis that is not closed: close it")
        self.at += 1
        return part

    def escape(self) -> tuple[Test, str]:
        """A test, and the one character that it stands for or an empty text."""
        sign = self.source[self.at : self.at + 1]
        self.at += 1
        if sign and sign.lower() in _CLASSES:
            test = _CLASSES[sign.lower()]
            return (test if sign.islower() else lambda other: not test(other)), ""
        if not sign or (sign.isalnum() and sign not in _ESCAPED):
            raise self.wrong(f"has the unsupported escape '\\{sign}': write the sign itself or a class")
        literal = _ESCAPED.get(sign, sign)
        return (lambda other: other == literal), literal

    def members(self) -> Test:
        negated = self.source[self.at : self.at + 1] == "^"
        self.at += negated
        tests: list[Test] = []
        signs: set[str] = set()
        first = True
        while first or self.source[self.at : self.at + 1] != "]":
            first = False
            test, low = self.member()
            if not low:
                tests.append(test)
                continue
            if self.source[self.at : self.at + 1] != "-" or self.source[self.at + 1 : self.at + 2] in ("]", ""):
                signs.add(low)
                continue
            self.at += 1
            _, high = self.member()
            if not high or high < low:
                raise self.wrong(f"has the range {low}-{high or '?'} with no characters in it: swap its ends")
            tests.append(_between(low, high))
        self.at += 1
        return lambda sign: (sign in signs or any(test(sign) for test in tests)) is not negated

    def member(self) -> tuple[Test, str]:
        sign = self.source[self.at : self.at + 1]
        if not sign:
            raise self.wrong("has a bracket that is not closed: close it")
        self.at += 1
        return self.escape() if sign == "\\" else ((lambda other: other == sign), sign)


def _between(low: str, high: str) -> Test:
    return lambda sign: low <= sign <= high


def _wrong(source: str, text: str) -> Invalid:
    shown = source if len(source) <= 60 else source[:59] + "…"
    return Invalid(f"The pattern {shown!r} {text}.", code="pattern")
