"""Cells of decision tables, made quick: most of them compare with something that is known before (DMN 1.5, 7.3.9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .faults import apart
from .reading.grammar import Test
from .reading.naming import INPUT
from .values.comparison import EXACT, ORDERS, matches, within
from .values.kinds import Range, Value

Cell = Callable[[Value, Value], bool | None]
"""From an input value and the place of the table's names to whether the cell fits."""


def cell_of(cells: Sequence[Cell], *, negated: bool) -> Cell:
    """One cell of its alternatives."""
    if len(cells) == 1 and not negated:
        return cells[0]

    def cell(value: Value, place: Value) -> bool | None:
        certain = True
        for each in cells:
            found = each(value, place)
            if found is True:
                return not negated
            certain = certain and found is False
        return negated if certain else None

    return cell


def alternative(test: Test) -> Cell:
    """The cell of one unary test."""
    node, asks = test
    run = node.run
    if asks:

        def asked(value: Value, place: Value) -> bool | None:
            found = run(({INPUT: value}, place))
            return found if type(found) is bool else matches(value, found)

        return asked
    if not node.is_constant:
        if node.is_condition:
            return lambda value, place: _holds_or_matches(value, run(place))
        return lambda value, place: matches(value, run(place))
    with apart():
        wanted = run(None)
    if type(wanted) is Range:
        return _range(wanted)
    kind = type(wanted)
    return lambda value, place: (
        value == wanted if type(value) is kind and kind in (str, bool, int) else matches(value, wanted)
    )


def _range(wanted: Range) -> Cell:
    """The cell of a range that is known before; null is in none."""
    low, high, sign = wanted.low, wanted.high, wanted.sign
    if sign in ORDERS and type(low if high is None else high) in EXACT:
        end, test = low if high is None else high, ORDERS[sign]

        def compares(value: Value, place: Value) -> bool | None:
            if type(value) in EXACT:
                return test(value, end)
            return None if value is None else within(value, wanted)

        return compares
    if not sign and type(low) in EXACT and type(high) in EXACT:
        above, below = ORDERS[">=" if wanted.low_included else ">"], ORDERS["<=" if wanted.high_included else "<"]

        def holds(value: Value, place: Value) -> bool | None:
            if type(value) in EXACT:
                return above(value, low) and below(value, high)
            return None if value is None else within(value, wanted)

        return holds
    return lambda value, place: None if value is None else within(value, wanted)


def _holds_or_matches(value: Value, found: Value) -> bool | None:
    """A condition on other names, which many modelers let stand in a cell: it fits where it holds."""
    if found is True and type(value) is not bool:
        return True
    return matches(value, found)
