"""Decisions of DMN as callers and processes find them: by id, in the newest deployment that holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...models import DeploymentRow, Store
from ...models.catalogue import NEWEST, WantedVersion
from .. import jsontext
from ..errors import UnknownDecision
from ..language import effort
from ..language.context import Context
from ..limits import Limits
from ..views.decisions import DecisionResult, MatchedRules
from .definitions import Definitions

if TYPE_CHECKING:
    from ..dmn.elements import Element


LONGEST_ID = 200
"""Characters that the id of a decision may have."""


def find_decision(
    store: Store,
    definitions: Definitions,
    decision_id: str,
    *,
    version: WantedVersion = NEWEST,
    deployment_id: str | None = None,
) -> tuple[DeploymentRow, Element]:
    """The decision and its deployment, as the store has them now: that of the newest deployment that holds it.

    It may be a decision service too, and be called by its name where only one has that; a number means another
    version of that deployment. Raises UnknownDecision, UnknownDeployment.
    """
    if not decision_id.isprintable() or len(decision_id) > LONGEST_ID:
        raise UnknownDecision(decision_id[:LONGEST_ID], str(version))
    if deployment_id is None:
        deployment_id = store.catalogue.deployment_of_decision(decision_id, version)
        if deployment_id is None:
            raise UnknownDecision(decision_id, str(version))
    row, decisions = definitions.decisions(deployment_id)
    found = decisions.named(decision_id)
    if found is None or not has_version(found, row, version):
        raise UnknownDecision(decision_id, str(version))
    return row, found


def has_version(element: Element, row: DeploymentRow, version: WantedVersion) -> bool:
    """Whether a decision of this deployment is the one that is meant."""
    return version.number in (None, row.version) and version.tag in (None, element.version_tag)


def decide(
    row: DeploymentRow, decision: Element, variables: Mapping[str, Any], limits: Limits, now: Callable[[], int]
) -> DecisionResult:
    """What comes of a decision with these variables; ``now`` is the engine's clock.

    Raises VariablesInvalid or Invalid, and ExpressionError for a decision with errors or over a limit.
    """
    from ..dmn.decisions import evaluate  # late, like all that reads decisions
    from ..language.feel.border import from_python, in_json

    given = from_python(dict(variables), limits.json_depth)
    jsontext.check(in_json(given, limits.json_depth), limits=limits, name="variables")
    with effort.turn(limits, now):
        outcome = evaluate(decision, Context(given))
        return result_of(outcome.told(limits), decision.id, decision.name, row.id, row.version)


def result_of(told: Mapping[str, Any], decision_id: str, name: str, deployment_id: str, version: int) -> DecisionResult:
    """The view of what an outcome tells as JSON."""
    return DecisionResult(
        decision_id=decision_id,
        name=name,
        deployment_id=deployment_id,
        version=version,
        value=told["value"],
        matched=tuple(
            MatchedRules(**{**each, "rules": tuple(each["rules"]), "outputs": tuple(each["outputs"])})
            for each in told["matched"]
        ),
        violation=told["violation"],
        warnings=tuple(told["warnings"]),
        omitted=tuple(told["omitted"]),
    )
