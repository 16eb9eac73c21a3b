"""``/stone``: what models may use."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, StoneDeclaration, SuspendedStone
from ..wire.body import JsonBody
from ..wire.operation import Operations
from ..wire.plain_records import TemplateRecord
from ..wire.records import StoneRecord, SuspendedStoneRecord
from ..wire.request_schemas.models import TemplateQuery
from ..wire.request_schemas.stones import StoneCode, StoneDeclared, StoneSuspension

OPERATIONS = Operations()


@OPERATIONS.add("/stone", "List the stones with what they take and put out", StoneRecord, many=True)
def get_stones(engine: Engine) -> tuple[StoneDeclaration, ...]:
    return engine.stones_declared()


@OPERATIONS.add(
    "/template",
    "List the forms of the stones as element templates of a modeler",
    TemplateRecord,
    many=True,
    query=TemplateQuery,
)
def get_templates(engine: Engine, query: dict[str, Any]) -> list[dict[str, Any]]:
    # Late: few servers are asked for them.
    from ...engine.stones.declarations.element_templates import element_templates

    return element_templates(engine.stones_declared(), query["modeler"])


@OPERATIONS.add(
    "/stone",
    "Declare a stone whose tasks workers fetch over HTTP",
    StoneRecord,
    body=JsonBody(StoneDeclared),
    problems=(409,),
    scope="deploy",
)
def post_stones(engine: Engine, body: dict[str, Any]) -> StoneDeclaration:
    engine.declare_stone(**body)
    return next(each for each in engine.stones_declared() if each.code == body["code"])


@OPERATIONS.add("/stone/suspended", "List the stones of which nothing begins", SuspendedStoneRecord, many=True)
def get_suspended(engine: Engine) -> tuple[SuspendedStone, ...]:
    return engine.suspended_stones()


@OPERATIONS.add(
    "/stone/suspend",
    "Let no hook of a stone begin, in any process",
    SuspendedStoneRecord,
    body=JsonBody(StoneSuspension),
    problems=(404,),
    scope="deploy",
)
def put_suspend_stone(engine: Engine, body: dict[str, Any]) -> SuspendedStone:
    return engine.suspend_stone(**body)


@OPERATIONS.add(
    "/stone/unsuspend",
    "Let a suspended stone's hooks begin again",
    SuspendedStoneRecord,
    many=True,
    body=JsonBody(StoneCode),
    problems=(409,),
    scope="deploy",
)
def put_unsuspend_stone(engine: Engine, body: dict[str, Any]) -> tuple[SuspendedStone, ...]:
    engine.unsuspend_stone(body["code"])
    return engine.suspended_stones()
