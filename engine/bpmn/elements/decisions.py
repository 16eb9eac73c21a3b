"""Business rule tasks that a decision of DMN carries out (BPMN 2.0, 10.3.3; DMN 1.3, 12)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ....models.catalogue import NEWEST, WantedVersion
from ...dmn.decisions import evaluate
from ...dmn.outcome import Shape
from ...errors import ExpressionError
from ...language.feel.border import to_json
from ...language.operators import kind_of
from ...mask import cut
from .activity import Activity

if TYPE_CHECKING:
    from ...dmn.elements import DecisionElement
    from ...language.expressions import Expression
    from ..running.host import DeployedDecision
    from ..running.token import Token

RESULT = "decisionResult"
"""By which name output mappings see the list of results, as in the Java engines."""


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
    version: WantedVersion = NEWEST
    """Which version; of the newest that which was deployed together comes first."""
    together: bool = False
    """Whether it has to be one that was deployed with the process."""


class DecisionTask(Activity):
    """A task whose result a decision of the same deployment makes."""

    call: DecisionCall
    decisions: Mapping[str, DecisionElement]
    """All of the deployment, by id; others are sought in the newest deployment that holds them."""
    named: Expression | None = None
    """What yields the id of the decision, where that is an expression."""

    def execute(self, token: Token) -> bool | None:
        self.take_inputs(token)
        host = token.workflow.host
        limits = host.limits
        decision, elsewhere = self._decision(token)
        outcome = evaluate(decision, token.context)
        host.decision_made(token, outcome, elsewhere)
        if outcome.violation is not None:
            raise ExpressionError(f"The decision {decision.label} cannot be made: {outcome.violation}.")
        if not outcome.rows and self.call.must_hit:
            raise ExpressionError(f"No rule of the decision {decision.label} fits what {self.label} gives it.")
        value = to_json(outcome.shaped(self.call.shape), limits)
        rows = to_json(list(outcome.rows), limits)
        results: dict[str, Any] = {}
        if self.call.spread:
            results |= dict(rows[0]) if len(rows) == 1 and not isinstance(value, list) else {decision.id: value}
        if self.call.result_variable:
            results[self.call.result_variable] = value
        self.receive(token, results)
        self.map_outputs(token, {**results, RESULT: rows})
        return True

    def _decision(self, token: Token) -> tuple[DecisionElement, DeployedDecision | None]:
        wanted = self.call.decision if self.named is None else self.named.evaluate(token.context)
        if not isinstance(wanted, str):
            raise ExpressionError(f"The decision of {self.label} is named by a {kind_of(wanted)}, not by a text.")
        found = self._own(wanted)
        if found is not None and found.is_usable:
            return found, None
        if self.call.together:
            raise ExpressionError(f"{self.label} asks for the decision {cut(wanted, 80)!r}, not deployed with it.")
        elsewhere = token.workflow.host.deployed_decision(wanted, self.call.version)
        return elsewhere.decision, elsewhere

    def _own(self, wanted: str) -> DecisionElement | None:
        """The decision of this id in the files of the process, if it is in the version that is meant."""
        found, version = self.decisions.get(wanted), self.call.version
        own = found is not None and version.number is None and version.tag in (None, found.version_tag)
        return found if own else None

    def may_make(self, decisions: Collection[str]) -> bool:
        """Whether it may need one of these of other deployments."""
        if self.named is not None:
            return bool(decisions)
        return self.call.decision in decisions and not self.is_deployed_together

    @property
    def is_deployed_together(self) -> bool:
        """Whether the decision is in the files of the process, in the version that is meant."""
        return self._own(self.call.decision) is not None
