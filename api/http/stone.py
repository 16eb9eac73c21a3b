"""``/stone``: what models may use."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, StoneDeclaration
from ..wire.body import JsonBody
from ..wire.operation import Operations
from ..wire.records import StoneRecord
from ..wire.request_schemas import StoneDeclared

OPERATIONS = Operations()


@OPERATIONS.add("/stone", "List the stones with what they take and put out", StoneRecord, many=True)
def get_stones(engine: Engine) -> tuple[StoneDeclaration, ...]:
    return engine.stones_declared()


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
