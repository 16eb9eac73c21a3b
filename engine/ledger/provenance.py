"""Of which definition a task is: workers choose by that, and neither a call nor an undo hides it from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..bpmn.running.token_data import CALLED
from . import ledger

if TYPE_CHECKING:
    from ...models import InstanceRow, TaskRow
    from ..bpmn.running.token import Token


class DefinedBy(NamedTuple):
    """A process by its key, and where it is found: a deployment, and call activities that lead on inside."""

    key: str
    place: str

    @property
    def deployment_id(self) -> str:
        """The deployment that holds it."""
        return self.place.partition("/")[0]


def of_instance(row: InstanceRow) -> DefinedBy:
    """What a process instance runs."""
    return DefinedBy(row.key, row.deployment_id)


def defined_by(row: TaskRow, token: Token | None, outermost: DefinedBy, *, in_undo: bool = False) -> DefinedBy:
    """What a task is of, by what was kept of it or by where its token stands.

    The outermost call of an undo is that of a handler, which is no process of its own.
    """
    if (called := ledger.kept(row).get("called")) is not None:
        return DefinedBy(*called)
    key, scope = outermost.key, None if token is None else token.scope
    while scope is not None and scope.scope is not None:
        if CALLED in scope.internal_data and not (in_undo and scope.scope.scope is None):
            key = scope.internal_data["called"]
            break
        scope = scope.scope
    return outermost if token is None else DefinedBy(key, token.process_place(outermost.place))
