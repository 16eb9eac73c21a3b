"""``/stone``: what models may use."""

from __future__ import annotations

from ...engine import StoneDeclaration
from ..wire.operation import Resource, Route, operation
from ..wire.records import StoneRecord


class Stones(Resource):
    """All stones that are known."""

    @operation("List the stones with what they take and put out", StoneRecord, many=True)
    def get(self) -> tuple[StoneDeclaration, ...]:
        return self.engine.stones_declared()


ROUTES: tuple[Route, ...] = (("/stone", Stones),)
