"""What the ledger keeps of a model's own compensation handler (BPMN 2.0, 10.7.1 and 13.5.5), for a rollback to come.

When an activity completes that a handler can compensate, the ledger is told, in one of the rows that the activity
made: what the handler takes back (``covers``) and how. A handler that is one stone task is frozen as its stone and
parameters. Any other is run from the deployment of its process, with the compensation's entry as the workflow
remembers it; the same goes for a compensation event sub-process. An activity that has not completed has no handler
yet, so what it made is rolled back stone by stone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...models import TaskRow
from .. import jsontext
from ..bpmn.elements.subprocesses import CallActivity
from ..bpmn.elements.tasks import StoneTask, run_namespace
from ..bpmn.running.node import Node
from ..bpmn.running.results import Place, Results
from ..bpmn.running.token import COMPLETED, Token
from ..errors import ExpressionError, Invalid
from ..language.mapped import all_of
from ..ledger import causality, ledger
from .instance import Instance
from .tasks.new_tasks import new_task
from .tasks.task_parameters import code_of, resolve

if TYPE_CHECKING:
    from ..bpmn.running.token_data import Compensable, Executed


def freeze(instance: Instance, token: Token, entry: Compensable) -> tuple[int, ...]:
    """Keep what a rollback needs to have a completed activity compensated; what follows the activity comes after.

    Returns the ids of the tasks that the activity's token has followed, now that there may be one more.
    """
    node = token.node
    handler = node.compensation_handler()
    assert handler is not None
    if _leaves_to_stones(node, handler):
        return tuple(token.after)
    rows = made_by(instance.tasks, node, entry, token.call_path)
    free = [row for row in rows if row.kind == ledger.START and not _is_settled(row)]
    if not free and isinstance(node, StoneTask):
        return tuple(token.after)
    row = max(free, key=lambda row: row.id) if free else _own_row(instance, token)
    frozen: dict[str, Any] = {"of": token.node.bpmn_name or token.node.bpmn_id, "namespace": _namespace(token)}
    # What a task's inputs read may not be there yet: then the rollback evaluates them, as it does for several steps.
    with suppress(Invalid, ExpressionError):
        frozen |= _frozen_task(instance, token, handler) if isinstance(handler, StoneTask) else {}
    try:
        if "stone" not in frozen:
            frozen |= {"entry": entry, "place": token.process_place(instance.row.deployment_id), "path": token.place}
            # A rollback finds the variables of the whole process with its origin.
            frozen["parameters"] = jsontext.dumps(token.visible_inside)
    except (Invalid, ExpressionError) as error:
        lines = jsontext.read(row.log) if row.log else []
        row.log = jsontext.dumps([*lines, f"No compensation: {error.message}"])
    else:
        ledger.keep(row, handler={**frozen, "covers": sorted({row.id, *(each.id for each in rows)})})
    instance.changes.task_changed(row)
    return tuple(token.after) if free else (row.id,)


def made_by(tasks: dict[int, TaskRow], activity: Node, entry: Executed, call_path: list[str]) -> list[TaskRow]:
    """The rows that one execution of an activity has made, by what the workflow remembers of it."""
    nodes = [activity, *(activity.body.walk() if activity.body is not None else ())]
    calls = [node.namespace for node in nodes if isinstance(node, CallActivity)]
    names = {node.name for node in nodes}
    return causality.made_inside(tasks, entry["tasks"], names, calls, call_path, since=abs(entry["id"]))


def outputs_of(rows: Sequence[TaskRow], activity: str, calls: int) -> Mapping[str, Any]:
    """What one execution of the activity of this name has put out, inside of so many calls.

    Its handler sees that before what later runs of it and later turns of a loop have put out: it takes back this one.
    """
    results = Results()
    told = ledger.in_order_of_results(rows)
    around = min((len(_before_call(ledger.place(row), calls)) for row in told), default=0)
    for row in told:
        values = jsontext.read(row.outputs or "{}")
        results.put(ledger.place(row)[around:], row.namespace, values)
        if row.run is not None and row.node == activity != row.namespace:
            # One run of a task stands for all of it.
            results.put((), row.namespace.removesuffix(str(row.run)), values)
    return results.values


def _before_call(place: Place, calls: int) -> Place:
    """The steps of a place that come before the call after so many."""
    for number, step in enumerate(place):
        if isinstance(step, str):
            calls -= 1
            if calls < 0:
                return place[:number]
    return place


def _is_settled(row: TaskRow) -> bool:
    return row.undo in ledger.DONE_WITH or row.policy == "retain"


def _leaves_to_stones(activity: Node, handler: Node) -> bool:
    """Whether a handler asks for what stones inside of its activity take back: a rollback has them do that itself."""
    if activity.body is None or handler.body is None:
        return False
    asks = any(each.kind == "compensate" for node in handler.body.walk() for each in getattr(node, "definitions", ()))
    return asks and any(node.is_undone_by_stones for node in activity.body.walk())


def _own_row(instance: Instance, token: Token) -> TaskRow:
    """A row for an activity that made none: without one, nobody would know that it was done."""
    row = new_task(instance, token, None, _namespace(token), kind=ledger.START, event="activity")
    instance.workflow.open_tasks.discard(token.id)
    token._set_state(COMPLETED)
    instance.end_task(row, "success")
    row.progress, row.locals = 100, None
    return row


def _namespace(token: Token) -> str:
    return run_namespace(token.node.namespace, token)


def _frozen_task(instance: Instance, token: Token, handler: StoneTask) -> dict[str, Any]:
    stones = instance.facilities.stones
    code = code_of(handler, token.context)
    if code in stones:
        _, parameters, references = resolve(stones, token, handler, code)
    else:
        parameters = all_of(handler.input_values.items(), token.context)
        references = ()
    frozen: dict[str, Any] = {"stone": code, "parameters": jsontext.dumps(parameters)}
    if handler.retrying:
        frozen["retrying"] = dict(handler.retrying)
    return {**frozen, "references": list(references)} if references else frozen
