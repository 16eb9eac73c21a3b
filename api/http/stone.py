"""``/stone``: what models may use."""

from __future__ import annotations

from ...engine import Engine, StoneDeclaration
from ..wire.operation import Operations
from ..wire.records import StoneRecord

OPERATIONS = Operations()


@OPERATIONS.add("/stone", "List the stones with what they take and put out", StoneRecord, many=True)
def get_stones(engine: Engine) -> tuple[StoneDeclaration, ...]:
    return engine.stones_declared()
