"""What came of a decision: its value, the rules that counted in its tables, and why values became null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..errors import ExpressionError, ExpressionWork
from ..jsontext import JSON, weigh
from ..language import effort
from ..language.feel.border import to_json
from ..language.feel.values.kinds import Value
from ..limits import Limits
from .decision_table import Hits, Row
from .elements import DecisionElement, Element

Shape = Literal["resultList", "singleResult", "singleEntry", "collectEntries", "value"]
"""How a result is handed to a process: by the words of ``camunda:mapDecisionResult``, or as FEEL has it."""


class DecisionOutcome(NamedTuple):
    """The value of FEEL, the rules that counted in each decision with a table, and why values became null."""

    element: Element
    value: Value
    hits: Mapping[DecisionElement, Hits]
    warnings: Sequence[str]

    @property
    def violation(self) -> str | None:
        """How one of the tables broke its hit policy."""
        return next((each.violation for each in self.hits.values() if each.violation), None)

    @property
    def rows(self) -> Sequence[Row]:
        """A row of outputs for each rule that counts; without a table one row with the value."""
        element = self.element
        if isinstance(element, DecisionElement) and element in self.hits:
            return self.hits[element].rows
        return [{element.name: self.value}]

    def shaped(self, shape: Shape) -> Value:
        """The result in the shape that a task asks for; raises ExpressionError where it does not fit."""
        if shape == "value":
            return self.value
        if shape == "resultList":
            return list(self.rows)
        if shape == "collectEntries":
            return [self._sole(row) for row in self.rows]
        if len(self.rows) > 1:
            text = f"The decision {self.element.label} gives {len(self.rows)} results where {shape} wants one."
            raise ExpressionError(text)
        row = next(iter(self.rows), None)
        return row if row is None or shape == "singleResult" else self._sole(row)

    def _sole(self, row: Row) -> Value:
        if len(row) > 1:
            raise ExpressionError(f"The decision {self.element.label} has {len(row)} outputs where one is wanted.")
        return next(iter(row.values()), None)

    def told(self, limits: Limits) -> dict[str, Any]:
        """All of it as JSON, by the fields of the view; raises ExpressionError where a result cannot be JSON."""
        return self._told(_Teller(limits))

    def told_within(self, most: int, limits: Limits) -> dict[str, Any]:
        """The same in about so many characters: what does not fit, or cannot be JSON, is listed in ``omitted``.

        What is told first of is the result itself, then the rules, from the decision to those that it needs.
        """
        return self._told(_Teller(limits, most))

    def _told(self, teller: _Teller) -> dict[str, Any]:
        value = teller.result("value", self.value)
        matched = [teller.matched(decision, hits) for decision, hits in [*self.hits.items()][::-1]]
        return {
            "value": value,
            "matched": [each for each in matched[::-1] if each is not None],
            "violation": self.violation,
            "warnings": list(self.warnings),
            "omitted": sorted(teller.omitted),
        }


class _Teller:
    """Turns values into JSON, as long as there is room; without a bound only what is asked can be left out."""

    def __init__(self, limits: Limits, room: int | None = None) -> None:
        self.limits = limits
        self.room = room
        self.omitted: set[str] = set()

    def matched(self, decision: DecisionElement, hits: Hits) -> dict[str, Any] | None:
        if self.room is not None and not self._fits("matched", [decision.id, decision.name, list(hits.rules)]):
            return None
        outputs = self.result("outputs", list(hits.rows))
        return {
            "decision_id": decision.id,
            "name": decision.name,
            "rules": list(hits.rules),
            "inputs": self._tolerant("inputs", hits.inputs) or {},
            "outputs": outputs or [],
        }

    def result(self, what: str, value: Value) -> JSON:
        """What has to be JSON for whoever asks for all of it."""
        return to_json(value, self.limits) if self.room is None else self._tolerant(what, value)

    def _tolerant(self, what: str, value: Value) -> JSON:
        if not self._fits(what, value):
            return None
        try:
            return to_json(value, self.limits)
        except ExpressionWork:
            raise
        except ExpressionError:
            self.omitted.add(what)
            return None

    def _fits(self, what: str, value: Value) -> bool:
        if self.room is None:
            return True
        size = weigh(value, self.room, effort.charge)
        if size > self.room:
            self.omitted.add(what)
            return False
        self.room -= size
        return True
