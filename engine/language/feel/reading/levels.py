"""Levels of an expression: what lies between brackets, commas and words, and may be read in several ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from typing import NamedTuple

from ....errors import ExpressionError
from ... import effort
from ...context import Context, Path
from .. import closures
from ..builtins.signature import Builtin
from ..closures import Run
from ..faults import apart, reasons
from ..values.kinds import Value
from ..values.types import Type
from .cursor import Cursor
from .lexer import Lexeme
from .names import NOTHING, DeclaredNames, Scope
from .places import Doubt, Misread

MOST_READINGS = 64
"""In how many ways one level may be kept compiled that holds names with signs."""


class Read(NamedTuple):
    """A part that was read; ``path`` tells that it is nothing but a reference, ``is_condition`` that it is boolean.

    ``there`` asks of a member whether there is one.
    """

    run: Run
    path: Path | None = None
    is_constant: bool = False
    is_condition: bool = False
    function: Builtin | None = None
    there: Run | None = None


class Spot(NamedTuple):
    """Where a name with signs in it may be one name or several: ``checks`` ask for the longer ones, longest first."""

    checks: Sequence[Run]
    shorter: Sequence[str]
    name: str


class Level:
    """What lies between brackets, commas and words, read with certain choices at its spots."""

    def __init__(self, choices: Sequence[int] = (), *, longest: bool = False) -> None:
        self.choices = choices
        self.longest = longest
        self.spots: list[Spot] = []
        self.chosen: list[int] = []

    def choose(self, spot: Spot) -> int:
        """Which name to take at the next spot: a choice that was given, else the shortest or the longest."""
        place = len(self.spots)
        self.spots.append(spot)
        default = 0 if self.longest else len(spot.checks)
        self.chosen.append(self.choices[place] if place < len(self.choices) else default)
        return self.chosen[place]


class LevelReading(NamedTuple):
    """A level as it was read once."""

    node: Read
    spots: Sequence[Spot]
    chosen: Sequence[int]


class LevelReader(Cursor):
    """Reads levels with the names that are there when they are evaluated; what a level holds others say."""

    def __init__(
        self, tokens: Sequence[Lexeme], scope: Scope, *, types: Mapping[str, Type], members: DeclaredNames = NOTHING
    ) -> None:
        super().__init__(tokens)
        self.scopes: tuple[Scope, ...] = (scope,)
        self.types = types
        self.members = members
        self.level = Level()
        self.references: list[Path] = []
        self.spots: list[Spot] = []
        self.certain: list[Doubt] = []
        """Why parts are null, whatever the values are."""
        self.impossible: list[Doubt] = []
        """Calls that no value could make work."""
        self.asks = False
        """Whether ``?`` was read."""
        self._known: dict[tuple[int, str], tuple[Read, int, bool] | Misread] = {}

    def expression_here(self) -> Read:
        """An expression at its own level."""
        raise NotImplementedError

    def expression_or_comparison(self) -> Read:
        """As :meth:`expression_here`, or half of a comparison such as ``< 10``."""
        raise NotImplementedError

    def expression(self) -> Read:
        return self.leveled(self.expression_here)

    def leveled(self, read: Callable[[], Read]) -> Read:
        """Read a level that stands by itself: with the names that are there when it is evaluated."""
        key = (self.at, read.__name__)
        known = self._known.get(key)
        if isinstance(known, Misread):
            raise known
        if known is not None:
            node, self.at, asks = known
            self.asks = self.asks or asks
            return node
        begun, outer, references = self.at, self.asks, len(self.references)
        self.asks = False
        self.nest()
        try:
            reading = self.read_either(read)
        except Misread as error:
            self._known[key] = error
            raise
        self.nested -= 1
        node = reading.node
        if reading.spots:
            # Which names are read is known only when it is evaluated.
            del self.references[references:]
            self.spots.extend(reading.spots)
            node = Read(self.chosen(begun, read.__name__, reading), is_condition=node.is_condition)
        self._known[key] = (node, self.at, self.asks)
        self.asks = self.asks or outer
        return node

    def read_either(self, read: Callable[[], Read]) -> LevelReading:
        """With the shortest names, or else with the longest if only they make sense."""
        begun, level = self.at, Level()
        try:
            return self.read_as(read, level)
        except Misread as error:
            if not level.spots:
                raise
            self.at = begun
            try:
                return self.read_as(read, Level(longest=True))
            except Misread:
                raise error from None

    def read_as(self, read: Callable[[], Read], level: Level) -> LevelReading:
        outer, self.level = self.level, level
        nested, scopes = self.nested, self.scopes
        try:
            node = read()
        finally:
            self.level, self.nested, self.scopes = outer, nested, scopes
        return LevelReading(node, level.spots, level.chosen)

    def chosen(self, begun: int, name: str, first: LevelReading) -> Run:
        """Ask at each spot for the names that are there, the longest first, and run what was read so."""
        parser = copy(self)
        parser.at = begun
        readings: dict[tuple[int, ...], LevelReading] = {}

        def read(choices: tuple[int, ...]) -> LevelReading:
            known = readings.get(choices)
            if known is None:
                effort.charge(4 * len(parser.tokens))
                again = copy(parser)
                again.references, again.spots, again.certain, again.impossible = [], [], [], []
                known = again.read_as(getattr(again, name), Level(choices))
                if len(readings) < MOST_READINGS:
                    readings[choices] = known
            return known

        def run(place: Value) -> Value:
            reading, spot = first, 0
            while spot < len(reading.spots):
                checks = reading.spots[spot].checks
                wanted = next((number for number, check in enumerate(checks) if check(place)), len(checks))
                if wanted != reading.chosen[spot]:
                    with suppress(Misread):  # a longer name stays that alone makes sense
                        reading = read((*reading.chosen[:spot], wanted))
                spot += 1
            return reading.node.run(place)

        return run

    def folded(self, begin: int, node: Read, *parts: Read) -> Read:
        """The node as a constant if its parts are; what is null then for sure is told before anything runs.

        ``begin`` is the token with which it begins.
        """
        for part in parts:
            if not part.is_constant:
                return node
        with apart():
            try:
                value = node.run(Context())
            except ExpressionError:
                return node
            if why := reasons():
                self.doubt(begin, "; ".join(why))
            if value is None:
                return node
        return Read(closures.constant(value), is_constant=True, is_condition=node.is_condition, there=node.there)

    def doubt(self, begin: int, why: str) -> None:
        """What begins with this token is null whatever the values are."""
        self.certain.append(Doubt(why, self.tokens[begin].start))
