"""A decision table: which rules fit, and what its hit policy makes of them (DMN 1.3, 8.2.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from ..errors import ExpressionError
from ..jsontext import JSON
from ..language.context import Context
from ..language.expressions import Expression, Value
from ..language.functions import FUNCTIONS
from ..language.operators import Reading
from ..language.unary_tests import UnaryTests
from ..limits import Limits

HitPolicy = Literal["UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"]
HIT_POLICIES: frozenset[str] = frozenset(get_args(HitPolicy))
AGGREGATIONS: frozenset[str] = frozenset({"SUM", "MIN", "MAX", "COUNT"})

Row = dict[str, JSON]


class InputClause(NamedTuple):
    """A column of what is asked; ``names`` are by what its cells may call the value."""

    expression: Value
    names: Sequence[str] = ()


class OutputClause(NamedTuple):
    """A column of what comes out; ``values`` is the list of what may come, the most important first."""

    name: str
    default: Value | None = None
    values: Value | None = None


class Rule(NamedTuple):
    """A row: it fits if all its tests do."""

    number: int
    tests: Sequence[UnaryTests | Expression]
    """A test in JUEL is a condition of its own, which calls the input ``cellInput``."""
    entries: Sequence[Value]


class DecisionTable(NamedTuple):
    """Its columns, its rules in order, and how it decides between rules that fit."""

    inputs: Sequence[InputClause]
    outputs: Sequence[OutputClause]
    rules: Sequence[Rule]
    policy: HitPolicy
    aggregation: str | None
    limits: Limits

    @property
    def gives_list(self) -> bool:
        """Whether several rules may count."""
        return self.policy in ("RULE ORDER", "OUTPUT ORDER") or (self.policy == "COLLECT" and self.aggregation is None)

    def rows(self, context: Context) -> list[Row]:
        """The outputs of the rules that count, the defaults if none fits; raises ExpressionError."""
        values = [each.expression.evaluate(context) for each in self.inputs]
        named = {name: value for each, value in zip(self.inputs, values, strict=True) for name in each.names}
        inner = context.child(named) if named else context
        fitting = [rule for rule in self.rules if _fits(rule, values, inner)]
        if not fitting and any(output.default is not None for output in self.outputs):
            return [{each.name: each.default.evaluate(context) if each.default else None for each in self.outputs}]
        counted = fitting[:1] if self.policy == "FIRST" else fitting
        found = [(rule.number, self._row(rule, inner)) for rule in counted]
        if self.aggregation is not None:
            return self._aggregated([row for _, row in found])
        return self._decided(found, context)

    def _row(self, rule: Rule, context: Context) -> Row:
        cells = zip(self.outputs, rule.entries, strict=True)
        return {output.name: cell.evaluate(context) for output, cell in cells}

    def _decided(self, found: list[tuple[int, Row]], context: Context) -> list[Row]:
        rows = [row for _, row in found]
        if self.policy in ("UNIQUE", "ANY") and len(rows) > 1:
            differ = self.policy == "UNIQUE" or any(row != rows[0] for row in rows)
            if differ:
                numbers = ", ".join(str(number) for number, _ in found)
                raise ExpressionError(f"the rules {numbers} fit together, which the hit policy {self.policy} forbids")
            return rows[:1]
        if self.policy in ("PRIORITY", "OUTPUT ORDER"):
            ranks = [each.values.evaluate(context) if each.values else [] for each in self.outputs]
            rows = sorted(rows, key=lambda row: _rank(list(row.values()), ranks))
            return rows[:1] if self.policy == "PRIORITY" else rows
        return rows

    def _aggregated(self, rows: list[Row]) -> list[Row]:
        name = self.outputs[0].name
        values = [row[name] for row in rows]
        if self.aggregation == "COUNT":
            return [{name: len(values)}]
        if not values:
            return []
        function = FUNCTIONS[str(self.aggregation).lower()]
        return [{name: function.run(Reading(True, self.limits), values)}]


def _fits(rule: Rule, values: Sequence[JSON], context: Context) -> bool:
    for test, value in zip(rule.tests, values, strict=True):
        if isinstance(test, UnaryTests):
            if not test.fit(value, context):
                return False
        elif not test.is_true(context.child({"cellInput": value})):
            return False
    return True


def _rank(row: Sequence[JSON], ranks: Sequence[Sequence[JSON]]) -> list[int]:
    return [ranked.index(value) if value in ranked else len(ranked) for value, ranked in zip(row, ranks, strict=True)]
