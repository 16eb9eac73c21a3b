"""The model's own compensation handlers, which stand in for the stones' rollbacks (BPMN 2.0, 10.7.1 and 13.5.5).

When an activity completes that a handler can compensate, the ledger is told, in one of the rows that the activity
made: what the handler takes back (``covers``) and how. A handler that is one stone task is frozen as its stone and
parameters. Any other is run from the deployment of its process, with the compensation's entry as the workflow
remembers it; the same goes for a compensation event sub-process. An activity that has not completed has no handler
yet, so what it made is rolled back stone by stone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...models import TaskRow
from ...models.vocabulary import UndoMark
from .. import jsontext
from ..bpmn.elements.compensation import Entry
from ..bpmn.elements.subprocesses import CallActivity
from ..bpmn.elements.tasks import StoneTask, run_namespace
from ..bpmn.running.host import Called
from ..bpmn.running.node import Node, Process
from ..bpmn.running.token import CALLED, COMPLETED, Token
from ..errors import ExpressionError, Invalid
from ..instance import ledger
from ..instance.task_parameters import code_of, resolve
from .order import covers, handler_in

if TYPE_CHECKING:
    from ..instance.instance import Instance

HANDLER_OF = "handler-of-"
"""What a handler of several steps is called by, with the task that it takes back behind."""


def freeze(instance: Instance, token: Token, entry: Entry) -> tuple[int, ...]:
    """Keep what a rollback needs to have a completed activity compensated; what follows the activity comes after.

    Returns the ids of the tasks that the activity's token has followed, now that there may be one more.
    """
    node = token.node
    handler = node.compensation_handler()
    assert handler is not None
    rows = made_by(instance.tasks, node, entry, token.call_path)
    free = [row for row in rows if row.kind == ledger.START and not _is_settled(row)]
    if not free and isinstance(node, StoneTask):
        return tuple(token.after)
    row = max(free, key=lambda row: row.id) if free else _own_row(instance, token)
    frozen: dict[str, Any] = {"of": token.node.bpmn_name or token.node.bpmn_id, "namespace": _namespace(token)}
    try:
        if isinstance(handler, StoneTask):
            frozen |= _frozen_task(instance, token, handler)
        else:
            frozen |= {"entry": entry, "place": _place(instance, token), "path": token.call_path}
            # A rollback finds the variables of the whole process with its origin.
            frozen["parameters"] = jsontext.dumps(token.visible_inside)
    except (Invalid, ExpressionError) as error:
        lines = jsontext.read(row.log) if row.log else []
        row.log = jsontext.dumps([*lines, f"No compensation: {error.message}"])
    else:
        ledger.keep(row, handler={**frozen, "covers": sorted({row.id, *(each.id for each in rows)})})
    instance.changes.task_changed(row)
    return tuple(token.after) if free else (row.id,)


def made_by(tasks: dict[int, TaskRow], activity: Node, entry: Entry, call_path: list[str]) -> list[TaskRow]:
    """The rows that one execution of an activity has made, by what the workflow remembers of it."""
    body: Process | None = getattr(activity, "body", None)
    nodes = [activity, *(body.walk() if body is not None else ())]
    calls = [node.namespace for node in nodes if isinstance(node, CallActivity)]
    names = {node.name for node in nodes}
    return ledger.made_inside(tasks, entry["tasks"], names, calls, call_path, since=abs(entry["id"]))


def _is_settled(row: TaskRow) -> bool:
    return row.undo in ledger.DONE_WITH or row.policy == "retain"


def _own_row(instance: Instance, token: Token) -> TaskRow:
    """A row for an activity that made none: without one, nobody would know that it was done."""
    row = instance.new_task(token, None, _namespace(token), kind=ledger.START, event="activity")
    instance.workflow.open_tasks.discard(token.id)
    token._set_state(COMPLETED)
    instance.end_task(row, "success")
    row.progress, row.locals = 100, None
    return row


def _namespace(token: Token) -> str:
    return run_namespace(getattr(token.node, "namespace", token.node.bpmn_id), token)


def _frozen_task(instance: Instance, token: Token, handler: StoneTask) -> dict[str, Any]:
    stones = instance.facilities.stones
    code = code_of(handler, token.context)
    if code in stones:
        _, parameters = resolve(stones, token, handler, code)
    else:
        parameters = {name: value.evaluate(token.context) for name, value in handler.input_values.items()}
    return {"stone": code, "parameters": jsontext.dumps(parameters)}


def _place(instance: Instance, token: Token) -> str:
    """Where the activity's process is found again: a deployment, and the call activities that lead on inside it."""
    hops: list[str] = []
    current = token.scope
    while current is not None:
        if CALLED in current.internal_data:
            deployment_id: str | None = current.internal_data["deployment"]
            if deployment_id is not None:
                return "/".join((deployment_id, *reversed(hops)))
            hops.append(current.node.name)
        current = current.scope
    return "/".join((instance.row.deployment_id, *reversed(hops)))


# -- in the rollback


def target_of(key: str) -> int:
    """The id of the row that is taken back by what an undo's model calls by this key."""
    return int(key.removeprefix(HANDLER_OF))


def called(undo: Instance, target: TaskRow) -> Called:
    """The handler of a row as a call of an undo's model."""
    assert undo.origin is not None
    handler = handler_in(target)
    assert handler is not None
    parameters = jsontext.read(handler["parameters"])
    if not handler["path"]:
        parameters = {**undo.origin.context.parameters, **parameters}
    return Called(
        process=process_at(undo, handler["place"]),
        deployment_id=handler["place"],
        parameters=parameters,
        compensates=_renumbered(handler["entry"]),
    )


def process_at(instance: Instance, place: str) -> Process:
    """The process that a place names."""
    deployment_id, *hops = place.split("/")
    process = instance.facilities.definitions.get(deployment_id).process
    for hop in hops:
        node = process.find(hop)
        assert isinstance(node, CallActivity)
        assert node.own_process is not None
        process = node.own_process
    return process


def _renumbered(entry: Entry) -> Entry:
    """The entry with numbers that no token of the undo has."""
    inner = [_renumbered(each) for each in entry["inner"]]
    return {**entry, "id": -entry["id"], "after": [-number for number in entry["after"]], "inner": inner}


def show_outputs(undo: Instance) -> None:
    """Let the handlers that run see what the stones of the origin put out; for an undo that was loaded."""
    origin = undo.origin
    assert origin is not None
    for token in undo.workflow.tasks.values():
        target = handled_by(token)
        if target is None or token.node.process is not undo.workflow.spec:
            continue
        own = undo.context.outputs
        own[token.node.name] = {**outputs_for(origin, origin.tasks[target]), **own.get(token.node.name, {})}


def outputs_for(origin: Instance, target: TaskRow) -> dict[str, Any]:
    """The outputs that the handler of a row sees: those of the process that its activity is in."""
    handler = handler_in(target)
    assert handler is not None
    outputs: dict[str, Any] = origin.context.outputs
    for namespace in handler["path"]:
        outputs = outputs.get(namespace, {})
    return dict(outputs)


def handled_by(token: Token) -> int | None:
    """The id of the origin's row whose handler a token of an undo belongs to, None for a plain undo task."""
    current: Token | None = token
    while current is not None:
        if CALLED in current.internal_data and current.scope is not None and current.scope.scope is None:
            return target_of(current.internal_data[CALLED])
        current = current.scope
    return None


def compensated(undo: Instance, activity: Node, handler: Token) -> None:
    """A handler has run in a rollback: what it has compensated there is undone, be it the whole or a part."""
    target = handled_by(handler)
    origin = undo.origin
    assert target is not None
    assert origin is not None
    entry_id: int = handler.internal_data["entry"]
    row = origin.tasks[target]
    frozen = handler_in(row)
    assert frozen is not None
    if entry_id == -frozen["entry"]["id"]:
        mark(undo, covered(origin, row), "undone")
    elif entry_id < 0:
        remembered = {"id": entry_id, "tasks": handler.internal_data["tasks"]}
        path = [*frozen["path"], *handler.call_path[1:]]
        mark(undo, made_by(origin.tasks, activity, remembered, path), "undone")


def covered(origin: Instance, row: TaskRow) -> list[TaskRow]:
    """The rows that are undone with this one: all that its handler takes back, or just itself."""
    return [origin.tasks[task_id] for task_id in covers(row) if task_id in origin.tasks]


def mark(undo: Instance, rows: Iterable[TaskRow], what: UndoMark) -> None:
    """What became of the origin's rows, written with the origin's revision so that no stale copy of it lives on."""
    assert undo.origin is not None
    for row in rows:
        became: UndoMark = "retained" if what == "undone" and row.policy == "retain" else what
        if row.undo != became and row.undo not in ledger.DONE_WITH:
            row.undo = became
            undo.changes.task_changed(row)
            undo.changes.instance_changed(undo.origin.row)


def failed(undo: Instance) -> dict[int, int]:
    """The handlers that have failed: by the token that cannot go on, the origin's row that they were to take back."""
    found = {token_id: handled_by(undo.workflow.tasks[token_id]) for token_id in sorted(undo.workflow.failures)}
    return {token_id: target for token_id, target in found.items() if target is not None}


def mark_failed(undo: Instance) -> None:
    """Say of all that a failed handler was to take back that this has failed."""
    assert undo.origin is not None
    for target in set(failed(undo).values()):
        mark(undo, covered(undo.origin, undo.origin.tasks[target]), "failed")


def give_up(undo: Instance, target: int) -> None:
    """Keep for ever, on request, what a failed handler was to take back."""
    assert undo.origin is not None
    mark(undo, covered(undo.origin, undo.origin.tasks[target]), "retained")
    workflow = undo.workflow
    for call in list(workflow.task_tree.inside.values()):
        if handled_by(call) == target:
            workflow.interrupt(call)
            workflow.task_done(call, target, {})
