"""Business rule tasks that a decision of DMN carries out (BPMN 2.0, 10.3.3; DMN 1.3, 12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from lxml import etree

from ...dmn.decision import Shape
from ...errors import ExpressionError
from ...language.operators import Reading
from ..reading.mappings import read_fields
from ..reading.vendors import CAMUNDA, FLOWABLE, SPIFF, ZEEBE, attribute_value, extensions, local_name, own_text
from .activity import Activity

if TYPE_CHECKING:
    from ...dmn.decision import Decision
    from ...language.expressions import Expression
    from ..running.token import Token

RESULT = "decisionResult"
"""By which name output mappings see the list of results, as in the Java engines."""
SHAPES = frozenset({"resultList", "singleResult", "singleEntry", "collectEntries"})


class DecisionCall(NamedTuple):
    """Which decision a task makes, and what becomes of its result."""

    decision: str
    """Its id as written; it may be an expression."""
    dialect: str
    shape: Shape
    result_variable: str | None = None
    spread: bool = False
    """Whether each output becomes a variable of its own name."""
    must_hit: bool = False
    """Whether it is a failure that no rule fits."""


def read_decision(element: etree._Element) -> DecisionCall | None:
    """The decision that a task names in the way of its modeler; None if it names none."""
    kind = local_name(element)
    if kind == "serviceTask" and attribute_value(element, "type", (FLOWABLE,)) == "dmn":
        return _flowable(element)
    if kind != "businessRuleTask":
        return None
    if reference := attribute_value(element, "decisionRef", (CAMUNDA,)):
        shape = attribute_value(element, "mapDecisionResult", (CAMUNDA,)) or "resultList"
        return DecisionCall(
            decision=reference,
            dialect="camunda:decisionRef",
            shape=cast(Shape, shape) if shape in SHAPES else "resultList",
            result_variable=attribute_value(element, "resultVariable", (CAMUNDA,)),
        )
    for called in extensions(element, "calledDecision", (ZEEBE,)):
        if reference := called.get("decisionId", "").strip():
            variable = called.get("resultVariable", "").strip() or None
            return DecisionCall(
                decision=reference, dialect="zeebe:calledDecision", shape="value", result_variable=variable
            )
    for called in extensions(element, "calledDecisionId", (SPIFF,)):
        if reference := own_text(called):
            return DecisionCall(
                decision=reference, dialect="spiffworkflow:calledDecisionId", shape="value", spread=True, must_hit=True
            )
    return None


def _flowable(element: etree._Element) -> DecisionCall | None:
    fields = read_fields(element)
    reference = fields.get("decisionTableReferenceKey") or fields.get("decisionServiceReferenceKey") or ""
    if not reference.strip():
        return None
    must_hit = fields.get("decisionTaskThrowErrorOnNoHits", "false").strip() == "true"
    return DecisionCall(
        decision=reference.strip(), dialect="flowable:type=dmn", shape="value", spread=True, must_hit=must_hit
    )


class DecisionTask(Activity):
    """A task whose result a decision of the same deployment makes."""

    call: DecisionCall
    decisions: Mapping[str, Decision]
    """All of the deployment, by id."""
    named: Expression | None = None
    """What yields the id of the decision, where that is an expression."""

    def execute(self, token: Token) -> bool | None:
        self.take_inputs(token)
        decision = self._decision(token)
        rows = decision.rows(token.context)
        if not rows and self.call.must_hit:
            raise ExpressionError(f"No rule of the decision {decision.id!r} fits what {self.bpmn_id!r} gives it.")
        value = Reading(True, token.workflow.host.limits).fitting(decision.shaped(rows, self.call.shape))
        results: dict[str, Any] = {}
        if self.call.spread:
            results |= dict(rows[0]) if len(rows) == 1 and not isinstance(value, list) else {decision.id: value}
        if self.call.result_variable:
            results[self.call.result_variable] = value
        (token.scope or token).set_variables(results)
        self.map_outputs(token, {**results, RESULT: [dict(row) for row in rows]})
        return True

    def _decision(self, token: Token) -> Decision:
        wanted = self.call.decision if self.named is None else self.named.evaluate(token.context)
        found = self.decisions.get(wanted) if isinstance(wanted, str) else None
        if found is None or found.logic is None:
            name = str(wanted)[:80]
            raise ExpressionError(f"{self.bpmn_id!r} asks for the decision {name!r}, which is not deployed.")
        return found


__all__ = ["DecisionCall", "DecisionTask", "read_decision"]
