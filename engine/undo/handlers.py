"""The model's own compensation handlers of several steps, called by a rollback in place of the stones' hooks.

What the ledger keeps of one tells which process it is run from, and with which of the compensation's entries; see
:mod:`riverstone.engine.instance.freezing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...models import TaskRow
from .. import jsontext
from ..authoring.definitions import Definitions
from ..bpmn.running.host import Called
from ..bpmn.running.results import calls_in
from ..bpmn.running.token import Token
from ..bpmn.running.token_data import CALLED
from ..instance import freezing
from ..instance.forward import ForwardInstance
from ..ledger import ledger
from .nodes import HANDLER_OF

if TYPE_CHECKING:
    from ..bpmn.running.token_data import Compensable


def target_of(key: str) -> int:
    """The id of the row that is undone by what an undo's model calls by this key."""
    return int(key.removeprefix(HANDLER_OF))


def frozen_in(target: TaskRow) -> dict[str, Any]:
    """What the ledger keeps of the handler of a row that has one."""
    handler = ledger.handler_in(target)
    assert handler is not None
    return handler


def called(origin: ForwardInstance, target: TaskRow, definitions: Definitions) -> Called:
    """The handler of a row as a call of an undo's model."""
    handler = frozen_in(target)
    parameters = jsontext.read(handler["parameters"])
    if not calls_in(handler["path"]):
        parameters = {**origin.context.parameters, **parameters}
    return Called(
        process=definitions.process_at(handler["place"]),
        deployment_id=handler["place"],
        parameters=parameters,
        compensates=_renumbered(handler["entry"]),
    )


def _renumbered(entry: Compensable) -> Compensable:
    """The entry with numbers that no token of the undo has."""
    inner = [_renumbered(each) for each in entry["inner"]]
    return {**entry, "id": -entry["id"], "after": [-number for number in entry["after"]], "inner": inner}


def outputs_for(origin: ForwardInstance, target: TaskRow) -> dict[str, Any]:
    """The outputs that the handler of a row sees: those of the process that its activity is in."""
    handler = frozen_in(target)
    seen = dict(origin.results.seen_from(handler["path"]))
    rows = [origin.tasks[number] for number in handler["covers"]]
    return {**seen, **freezing.outputs_of(rows, handler["entry"]["node"], len(calls_in(handler["path"])))}


def handled_by(token: Token) -> int | None:
    """The id of the origin's row whose handler a token of an undo belongs to, None for a plain undo task."""
    current: Token | None = token
    while current is not None:
        if CALLED in current.internal_data and current.scope is not None and current.scope.scope is None:
            return target_of(current.internal_data[CALLED])
        current = current.scope
    return None
