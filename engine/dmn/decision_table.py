"""A decision table: which rules fit, and what its hit policy makes of them (DMN 1.5, 8.2.8 to 8.2.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from ..language import effort
from ..language.feel.builtins.table import FUNCTIONS
from ..language.feel.cells import Cell
from ..language.feel.closures import Run
from ..language.feel.faults import fault
from ..language.feel.values.comparison import is_equal
from ..language.feel.values.kinds import Value
from ..language.feel.values.types import ANY, Type, coerced, from_json

HitPolicy = Literal["UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"]
HIT_POLICIES: Mapping[str, HitPolicy] = {
    "UNIQUE": "UNIQUE",
    "FIRST": "FIRST",
    "PRIORITY": "PRIORITY",
    "ANY": "ANY",
    "COLLECT": "COLLECT",
    "RULE ORDER": "RULE ORDER",
    "OUTPUT ORDER": "OUTPUT ORDER",
}
Aggregation = Literal["SUM", "MIN", "MAX", "COUNT"]
AGGREGATIONS: Mapping[str, Aggregation] = {"SUM": "SUM", "MIN": "MIN", "MAX": "MAX", "COUNT": "COUNT"}
Row = dict[str, Value]
_LISTED = 10
"""Rules that a text names, where more of them are in each other's way."""


class InputClause(NamedTuple):
    """A column of what is asked; ``own_name`` is by what its cells may call the value, ``allows`` limits it.

    ``values`` are those that it allows, where they are known before; ``text`` is the expression.
    """

    shown: str
    run: Run
    type: Type = ANY
    allows: Cell | None = None
    own_name: str | None = None
    values: Sequence[Value] | None = None
    text: str = ""


class OutputClause(NamedTuple):
    """A column of what comes out; ``values`` tests what may come, the most important first."""

    name: str
    type: Type = ANY
    default: Run | None = None
    values: Sequence[Cell] = ()
    shown: str = ""


class Rule(NamedTuple):
    """A row: it fits if all its cells do; None fits everything."""

    number: int
    id: str | None
    cells: Sequence[Cell | None]
    entries: Sequence[Run]


class Hits(NamedTuple):
    """What a table made: its value, a row of outputs for each rule that counts, and the numbers of these rules.

    ``violation`` says how the rules that fit break the hit policy, ``inputs`` is what was asked by column.
    """

    value: Value
    rows: Sequence[Row] = ()
    rules: Sequence[int] = ()
    violation: str | None = None
    inputs: Row = {}


class DecisionTable(NamedTuple):
    """Its columns, its rules in order, and how it decides between rules that fit."""

    inputs: Sequence[InputClause]
    outputs: Sequence[OutputClause]
    rules: Sequence[Rule]
    policy: HitPolicy
    aggregation: Aggregation | None
    parts: int
    """What it costs to ask all of its rules."""

    @property
    def gives_list(self) -> bool:
        """Whether several rules may count."""
        return self.policy in ("RULE ORDER", "OUTPUT ORDER") or (self.policy == "COLLECT" and self.aggregation is None)

    def run(self, place: Value) -> Value:
        """Its value alone."""
        return self.decide(place).value

    def decide(self, place: Value) -> Hits:
        """Ask the rules in their order."""
        effort.charge(self.parts)
        values = [self._input(column, place) for column in self.inputs]
        asked = {column.shown: value for column, value in zip(self.inputs, values, strict=True)}
        return self._hits(values, place)._replace(inputs=asked)

    def _hits(self, values: Sequence[Value], place: Value) -> Hits:
        for column, value in zip(self.inputs, values, strict=True):
            if column.allows is not None and value is not None and column.allows(value, place) is not True:
                return Hits(fault(f"the input {column.shown!r} has a value that its column does not allow"))
        named = {column.own_name: value for column, value in zip(self.inputs, values, strict=True) if column.own_name}
        inner = (named, place) if named else place
        fitting: list[Rule] = []
        for rule in self.rules:
            if _fits(rule, values, inner):
                fitting.append(rule)
                if self.policy == "FIRST":
                    break
        if not fitting:
            return self._defaults(place)
        rows = [self._row(rule, inner) for rule in fitting]
        return self._decided(fitting, rows, inner)

    def _input(self, column: InputClause, place: Value) -> Value:
        value = column.run(place)
        if column.type is ANY:
            return value
        return coerced(from_json(value, column.type), column.type, f"the input {column.shown!r}")

    def _row(self, rule: Rule, place: Value) -> Row:
        effort.charge(len(rule.entries))
        return {
            output.name: entry(place) if output.type is ANY else self._output(output, entry(place))
            for output, entry in zip(self.outputs, rule.entries, strict=True)
        }

    def _output(self, output: OutputClause, value: Value) -> Value:
        return coerced(value, output.type, f"the output {output.name!r}")

    def _defaults(self, place: Value) -> Hits:
        if all(output.default is None for output in self.outputs):
            return Hits([] if self.gives_list else None)
        row = {each.name: self._output(each, each.default(place)) if each.default else None for each in self.outputs}
        value = self._entry(row)
        return Hits([value] if self.gives_list else value, [row])

    def _entry(self, row: Row) -> Value:
        return next(iter(row.values())) if len(self.outputs) == 1 else row

    def _decided(self, fitting: Sequence[Rule], rows: list[Row], place: Value) -> Hits:
        numbers = [rule.number for rule in fitting]
        if self.policy in ("UNIQUE", "ANY") and len(rows) > 1:
            if self.policy == "UNIQUE" or not all(is_equal(row, rows[0]) for row in rows):
                listed = ", ".join(map(str, numbers[:_LISTED])) + (" and more" if len(numbers) > _LISTED else "")
                text = f"the rules {listed} fit together, which the hit policy {self.policy} forbids"
                return Hits(fault(text), rows, numbers, text)
            return Hits(self._entry(rows[0]), rows[:1], numbers[:1])
        if self.policy in ("PRIORITY", "OUTPUT ORDER"):
            ranked = sorted(range(len(rows)), key=lambda number: self._rank(rows[number], place))
            rows, numbers = [rows[each] for each in ranked], [numbers[each] for each in ranked]
        if self.policy in ("UNIQUE", "ANY", "FIRST", "PRIORITY"):
            return Hits(self._entry(rows[0]), rows[:1], numbers[:1])
        if self.aggregation is None:
            return Hits([self._entry(row) for row in rows], rows, numbers)
        total = {output.name: self._aggregated([row[output.name] for row in rows]) for output in self.outputs}
        return Hits(self._entry(total), [total], numbers)

    def _aggregated(self, values: Sequence[Value]) -> Value:
        if self.aggregation == "COUNT":
            return len(values)
        return FUNCTIONS[str(self.aggregation).lower()].call([list(values)])

    def _rank(self, row: Row, place: Value) -> list[int]:
        ranks: list[int] = []
        for output in self.outputs:
            value = row[output.name]
            found = (rank for rank, cell in enumerate(output.values) if cell(value, place) is True)
            ranks.append(next(found, len(output.values)))
        return ranks


def _fits(rule: Rule, values: Sequence[Value], place: Value) -> bool:
    for cell, value in zip(rule.cells, values, strict=True):
        if cell is not None and cell(value, place) is not True:
            return False
    return True
