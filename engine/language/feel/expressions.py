"""Compiles FEEL, and evaluates it with the reasons for what became null."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ...errors import ExpressionError
from ...limits import Limits
from .. import effort
from ..context import Path
from .border import to_json
from .cells import Cell, alternative, cell_of
from .closures import Run
from .reading.grammar import FeelParser
from .reading.levels import Spot
from .reading.lexer import scan
from .reading.names import NOTHING, DeclaredNames, Scope
from .reading.places import Doubt, FeelSyntaxError, Misread, pointed
from .values.kinds import Value
from .values.types import Type

Made = TypeVar("Made")
Member = TypeVar("Member")
_SHOWN = 120
PROCESS = Scope(NOTHING, is_open=True)
"""The names of a process, which are known when they are there."""


class Feel(NamedTuple):
    """A compiled text. ``certain`` tells what is null whatever the values are; ``spots`` are names with signs."""

    source: str
    run: Run
    is_constant: bool
    is_plain: bool
    """Whether it is nothing but a reference, so that its value is one that was there before."""
    is_condition: bool
    references: Sequence[Path]
    parts: int
    certain: Sequence[Doubt]
    impossible: Sequence[Doubt]
    """Calls that no value could make work."""
    spots: Sequence[Spot]

    def in_json(self, limits: Limits) -> Run:
        """The closure with its values as JSON, which those are already that it only looks up."""
        run = self.run
        return run if self.is_plain else lambda place: to_json(run(place), limits)

    def evaluate(self, place: Value) -> Value:
        """The value of FEEL, null where it has none; raises ExpressionError beyond a limit."""
        effort.charge(self.parts)
        try:
            return self.run(place)
        except RecursionError:
            raise ExpressionError(f"{shown(self.source)} is nested too deep to be evaluated: make it flatter") from None


def compile_feel(
    text: str,
    *,
    limits: Limits,
    scope: Scope = PROCESS,
    types: Mapping[str, Type] | None = None,
    members: DeclaredNames = NOTHING,
) -> Feel:
    """Compile an expression; raises FeelSyntaxError with the place of what is wrong, or ExpressionError.

    Args:
        text: Without the ``=`` that marks it in a diagram.
        limits: How long it may be.
        scope: The names that it may use.
        types: What ``instance of`` and parameters may name, beside FEEL's own.
        members: Names of members that hold signs or words such as ``and``.
    """
    parser, node = _read(text, limits, scope, types, members, FeelParser.whole)
    return Feel(
        text,
        node.run,
        node.is_constant,
        node.path is not None,
        node.is_condition,
        _once(parser.references),
        0 if node.is_constant else len(parser.tokens),
        _once(parser.certain),
        _once(parser.impossible),
        tuple(parser.spots),
    )


class Tests(NamedTuple):
    """A compiled cell."""

    source: str
    cell: Cell
    alternatives: Sequence[Cell]
    """Each test between two commas by itself."""
    constants: Sequence[Value] | None
    """What these ask for, where all of that is known before and the cell does not negate it."""
    parts: int
    certain: Sequence[Doubt]


def compile_tests(
    text: str,
    *,
    limits: Limits,
    scope: Scope = PROCESS,
    types: Mapping[str, Type] | None = None,
    members: DeclaredNames = NOTHING,
) -> Tests:
    """Compile the unary tests of a cell, as :func:`compile_feel` does an expression; ``-`` is not among them."""
    parser, (tests, negated) = _read(text, limits, scope, types, members, FeelParser.unary_tests)
    cells = [alternative(test) for test in tests]
    certain = _once([*parser.certain, *parser.impossible])
    is_known = not negated and all(test.node.is_constant for test in tests)
    constants = [test.node.run(None) for test in tests] if is_known else None
    return Tests(text, cell_of(cells, negated=negated), cells, constants, len(parser.tokens), certain)


def _once(found: Sequence[Member]) -> Sequence[Member]:
    """Each of them once."""
    return tuple(dict.fromkeys(found)) if found else ()


def _read(
    text: str,
    limits: Limits,
    scope: Scope,
    types: Mapping[str, Type] | None,
    members: DeclaredNames,
    read: Callable[[FeelParser], Made],
) -> tuple[FeelParser, Made]:
    if len(text) > limits.expression_length:
        raise ExpressionError(f"it is longer than {limits.expression_length} characters: make it shorter")
    try:
        tokens = scan(text, most=limits.expression_tokens)
        if len(tokens) == 1:
            raise ExpressionError("it is empty: write a value")
        parser = FeelParser(tokens, scope, types=types or {}, members=members)
        return parser, read(parser)
    except Misread as error:
        message = f"{error.message} at character {error.position + 1}"
        raise FeelSyntaxError(message, pointed(text, error.position)) from None
    except RecursionError:
        raise ExpressionError("it is nested too deep: make it simpler") from None


def shown(source: str) -> str:
    """The text in quotes, cut where it is long."""
    return repr(source if len(source) <= _SHOWN else source[: _SHOWN - 1] + "…")


def refused(source: str, doubt: Doubt) -> FeelSyntaxError:
    """The error of an expression that no value could make work."""
    return FeelSyntaxError(doubt.why, pointed(source, doubt.position))
