"""``/decision``: what decisions of DMN there are, and what comes of them."""

from __future__ import annotations

from typing import Any

from ...engine import Decision, DecisionResult, Engine, Page
from ..wire.body import JsonBody
from ..wire.operation import Operations
from ..wire.records import DecisionPage, DecisionResultRecord
from ..wire.request_schemas.decisions import DecisionList, DecisionQuery, DecisionVariables

OPERATIONS = Operations()


@OPERATIONS.add("/decision", "List the decisions that can be evaluated, by id", DecisionPage, query=DecisionList)
def get_decisions(engine: Engine, query: dict[str, Any]) -> Page[Decision]:
    return engine.decisions(**query)


@OPERATIONS.add(
    "/decision/<decision_id>/evaluate",
    "Evaluate a decision with variables; nothing is started or stored",
    DecisionResultRecord,
    body=JsonBody(DecisionVariables),
    query=DecisionQuery,
    problems=(404,),
    scope="read",
)
def post_decision_evaluation(
    engine: Engine, decision_id: str, body: dict[str, Any], query: dict[str, Any]
) -> DecisionResult:
    return engine.decide(decision_id, body["variables"], **query)
