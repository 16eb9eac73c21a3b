"""``/stone``: what models may use."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, StoneDeclaration
from ..wire.body import JsonBody
from ..wire.operation import Operations
from ..wire.records import StoneRecord, TemplateRecord
from ..wire.request_schemas import StoneDeclared, TemplateQuery

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
    from ...engine.stones.element_templates import element_templates  # late: few servers are asked for them

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
