"""Cells of decision tables, made quick: most of them compare with something that is known before (DMN 1.5, 7.3.9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .faults import apart
from .reading.grammar import Test
from .reading.naming import INPUT
from .values.comparison import matches
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
        return lambda value, place: None if value is None else matches(value, wanted)
    kind = type(wanted)
    return lambda value, place: (
        value == wanted if type(value) is kind and kind in (str, bool, int) else matches(value, wanted)
    )


def _holds_or_matches(value: Value, found: Value) -> bool | None:
    """A condition on other names, which many modelers let stand in a cell: it fits where it holds."""
    if found is True and type(value) is not bool:
        return True
    return matches(value, found)
