"""A decision and what it needs: its value is made from a table or from one expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..errors import ExpressionError
from ..jsontext import JSON
from ..language.context import Context
from ..language.expressions import Value
from .table import DecisionTable, Row

Shape = Literal["resultList", "singleResult", "singleEntry", "collectEntries", "value"]
"""How a result is handed to a process: by the words of ``camunda:mapDecisionResult``, or as FEEL has it."""


@dataclass(eq=False, slots=True)
class Decision:
    """``logic`` is None where the decision cannot be run; then the reader has said why."""

    id: str
    name: str
    logic: DecisionTable | Value | None
    variable: str | None = None
    required: Sequence[Decision] = field(default_factory=list)

    def rows(self, context: Context) -> list[Row]:
        """One row of outputs for each rule that counts; raises ExpressionError."""
        return self._rows(context, {})

    def _rows(self, context: Context, known: dict[str, list[Row]]) -> list[Row]:
        if self.id in known:
            return known[self.id]
        seen: dict[str, JSON] = {}
        for other in self.required:
            rows = other._rows(context, known)
            if len(rows) == 1:
                seen.update(rows[0])
            for name in (other.name, other.variable, other.id):
                if name:
                    seen[name] = other.value(rows)
        inner = context.child(seen) if seen else context
        try:
            known[self.id] = self._made(inner)
        except ExpressionError as error:
            raise ExpressionError(f"The decision {self.id!r} cannot be made: {error.message}") from None
        return known[self.id]

    def _made(self, context: Context) -> list[Row]:
        if isinstance(self.logic, DecisionTable):
            return self.logic.rows(context)
        assert self.logic is not None
        return [{self.variable or self.id: self.logic.evaluate(context)}]

    def value(self, rows: Sequence[Row]) -> JSON:
        """The result as FEEL has it: a value for one output, else an object; a list where several rules may count."""
        values = [_entry(row) for row in rows]
        if isinstance(self.logic, DecisionTable) and self.logic.gives_list:
            return values
        return values[0] if values else None

    def shaped(self, rows: Sequence[Row], shape: Shape) -> JSON:
        """The result in the shape that a model asks for; raises ExpressionError where it does not fit."""
        if shape == "value":
            return self.value(rows)
        if shape == "resultList":
            return [dict(row) for row in rows]
        if shape == "collectEntries":
            return [self._sole(row) for row in rows]
        if len(rows) > 1:
            raise ExpressionError(f"The decision {self.id!r} gives {len(rows)} results where {shape} wants one.")
        if not rows:
            return None
        return dict(rows[0]) if shape == "singleResult" else self._sole(rows[0])

    def _sole(self, row: Row) -> JSON:
        if len(row) > 1:
            raise ExpressionError(f"The decision {self.id!r} has {len(row)} outputs where one is wanted.")
        return next(iter(row.values()), None)


def _entry(row: Mapping[str, JSON]) -> JSON:
    return next(iter(row.values())) if len(row) == 1 else dict(row)
