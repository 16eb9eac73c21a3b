"""Runs the program of a pattern over a text without ever trying the same step at the same place twice.

That bounds the time by the length of the pattern times that of the text. Only a pattern with back references has to try
again; there the number of tries is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ...errors import ExpressionError
from .. import effort
from .classes import variants
from .program import Program, compile_pattern
from .signs import Modifiers, flags_of

_MOST_PLACES = 8_000_000
_MOST_TRIES = 200_000
_STEP = 4
_BEGUN = 3
"""Steps that it takes to begin at a place."""
_MARKS = 4
"""As a shift: so many marks of groups are copied in the time of a step."""
_AT_ONCE = 1_000

Match = list[int]
"""Where the match and its groups begin and end, -1 for a group that took no part."""


class Regex:
    """A pattern that can be found in texts."""

    __slots__ = ("flags", "program")

    def __init__(self, source: str, flags: str | Modifiers = "") -> None:
        """Compile the pattern; raises Invalid (``code`` is ``pattern``)."""
        self.flags = flags_of(flags) if isinstance(flags, str) else flags
        self.program = _compiled(source, self.flags)

    @property
    def groups(self) -> int:
        return self.program.groups

    def find(self, text: str) -> Match | None:
        """The first match; raises ExpressionError where text and pattern are too long together."""
        return _Search(self.program, self.flags, text).first(0)

    def find_all(self, text: str) -> Iterator[Match]:
        """Every match, none of them inside of another."""
        search, start = _Search(self.program, self.flags, text), 0
        while start <= len(text):
            found = search.first(start)
            if found is None:
                return
            yield found
            start = found[1] if found[1] > found[0] else found[1] + 1
            search.forget(found[1])

    def fits(self, text: str) -> bool:
        """Whether the whole text matches."""
        return _Search(self.program, self.flags, text, whole=True).at(0) is not None


@lru_cache(maxsize=256)
def _compiled(source: str, flags: Modifiers) -> Program:
    return compile_pattern(source, flags)


class _Search:
    def __init__(self, program: Program, flags: Modifiers, text: str, *, whole: bool = False) -> None:
        self.steps = program.steps
        self.program = program
        self.flags = flags
        self.text = text
        self.whole = whole
        self.width = len(text) + 1
        self.blank = bytes(len(self.steps))
        """The part of ``seen`` that is about one place."""
        if self.width * len(self.steps) > _MOST_PLACES:
            raise ExpressionError(f"a text of {len(text)} characters is too long for the pattern: shorten one of them")
        self.seen = bytearray(0 if program.remembers else self.width * len(self.steps))
        self.tries = 0

    def first(self, start: int) -> Match | None:
        for place in range(start, self.width):
            found = self.at(place)
            if found is not None:
                return found
        return None

    def at(self, start: int) -> Match | None:
        """The match that begins at a place; what was tried from an earlier place has failed and is not tried again."""
        text, steps, seen, width = self.text, self.steps, self.seen, self.width
        count = len(steps)
        remembers = self.program.remembers
        marks = [-1] * (2 * self.program.groups + 2)
        stack: list[tuple[int, int, Match]] = [(0, start, marks)]
        spent = _BEGUN
        while stack:
            number, place, marks = stack.pop()
            while True:
                spent += 1
                if spent >= _AT_ONCE:
                    self.spend(spent)
                    spent = 0
                if not remembers:
                    key = place * count + number
                    if seen[key]:
                        break
                    seen[key] = 1
                kind, test, first, second = steps[number]
                if kind == "sign":
                    if place == width - 1 or not test(text[place]):  # type: ignore[misc]
                        break
                    place += 1
                elif kind == "split":
                    if second >= 0:
                        stack.append((second, place, marks))
                elif kind == "save":
                    # What is tried later may need each of the copies.
                    spent += len(marks) >> _MARKS
                    marks = marks.copy()
                    marks[second] = place
                elif kind == "match":
                    if self.whole and place < width - 1:
                        break
                    self.spend(spent)
                    return [start, place, *marks[2:]]
                elif kind == "again":
                    place = self.repeated(marks, second, place)
                    if place < 0:
                        break
                elif not self.anchored(kind, place):
                    break
                number = first
        self.spend(spent)
        return None

    def forget(self, place: int) -> None:
        """What was tried at the end of a match has led to it; all else that was tried has failed for good."""
        if not self.program.remembers:
            begin = place * len(self.steps)
            self.seen[begin : begin + len(self.steps)] = self.blank

    def spend(self, steps: int) -> None:
        effort.charge(_STEP * steps)
        self.tries += steps
        if self.program.remembers and self.tries > _MOST_TRIES:
            raise ExpressionError(
                "a pattern with a back reference takes too long on this text: make one of them simpler"
            )

    def anchored(self, kind: str, place: int) -> bool:
        if kind == "start":
            return place == 0 or (self.flags.lines and place < self.width - 1 and self.text[place - 1] == "\n")
        return place == self.width - 1 or (self.flags.lines and self.text[place] == "\n")

    def repeated(self, marks: Match, group: int, place: int) -> int:
        """Where what the group took ends if it stands here once more, -1 if it does not."""
        begin, end = marks[2 * group], marks[2 * group + 1]
        if begin < 0 or end < 0:
            return place
        wanted, given = self.text[begin:end], self.text[place : place + end - begin]
        if wanted == given or (self.flags.ignores_case and len(wanted) == len(given) and _same(wanted, given)):
            return place + end - begin
        return -1


def _same(one: str, two: str) -> bool:
    return all(a == b or not ({a} | variants(a)).isdisjoint({b} | variants(b)) for a, b in zip(one, two, strict=True))
