"""How an instance goes on: it runs until it waits, ends, fails and drains, and is undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models import TaskRow
from ...models.vocabulary import UNDO_FAILED, UNDO_SUCCEEDED, UndoKind
from .. import failpoints, jsontext
from ..bpmn.running.node import Node
from ..bpmn.running.token import READY
from ..errors import ExpressionError
from ..instance import ledger
from ..instance.instance import Flags, Instance
from ..stones.stone import Stone
from ..undo import handlers, order
from ..undo.creation import create_undo

MOST_LISTED = 50
"""How many tasks a reason names before it only counts them."""


def begin(instance: Instance, entry: Node | None, payload: Mapping[str, Any]) -> None:
    """Start a new instance: at its none start events, or where a message or a signal triggered it."""
    workflow = instance.workflow
    workflow.begin(entry)
    if payload:
        workflow.task_tree.set_variables(payload)
    settle(instance)


def settle(instance: Instance) -> None:
    """Run the workflow as far as it goes, then let the instance's own state follow; ends every step."""
    workflow = instance.workflow
    if instance.row.phase == "running":
        workflow.advance()
        instance.weigh()
        if workflow.completed:
            _succeed(instance)
        elif workflow.failures:
            _fail(instance)
    if instance.row.phase == "draining":
        _drained(instance)
    instance.save()


def is_stopping(instance: Instance) -> bool:
    """Whether running tasks are to stop: the process failed or is cancelled, and they are not to end by themselves."""
    row = instance.row
    return row.phase == "draining" and not (row.pending == "failed" and instance.has(Flags.DEBUG | Flags.DRAIN_ALL))


def is_fenced(instance: Instance) -> bool:
    """Whether the process is being cancelled, so that no token moves any more."""
    return instance.row.phase == "draining" and instance.row.pending in ("cancel", "cancel delete")


# -- ends


def _succeed(instance: Instance) -> None:
    row = instance.row
    row.ended = instance.now()
    row.phase = "ended"
    row.due = None
    row.status = "success"
    for task in instance.tasks.values():
        if task.open:
            instance.stop_task(task, "canceled", "The process ended without it.")
    if instance.is_undo:
        _undo_ended(instance)
    elif instance.definition.outputs_template is not None:
        try:
            values = instance.definition.outputs_template.evaluate(instance.context)
            instance.content.outputs = jsontext.dumps(values)
        except ExpressionError as error:
            row.reason = error.message
        instance.changes.content_changed(instance.content)


def _fail(instance: Instance) -> None:
    """Something has failed for good: start nothing new; what runs is asked to stop, or may run to its end."""
    row = instance.row
    workflow = instance.workflow
    if instance.is_undo:
        if any(task.open for task in instance.tasks.values()):
            return
        if workflow.waits or any(token._state == READY for token in workflow.tasks.values()):
            return
        handlers.mark_failed(instance)
        row.phase = "ended"
        row.status = "failed"
        row.ended = instance.now()
        row.reason = _what_is_left(instance)
        _undo_ended(instance)
        return
    row.reason = next(reason for _, reason in sorted(workflow.failures.items()))
    row.phase = "draining"
    row.pending = row.pending or "failed"
    if instance.has(Flags.DRAIN_ALL) and not instance.has(Flags.DEBUG):
        _stop_what_waits(instance)
    elif not instance.has(Flags.DEBUG):
        drain(instance)


# -- draining


def _stop_what_waits(instance: Instance) -> None:
    """Let what is being made be made; what waits for a person, a stone or its next attempt would hold the undo up."""
    stop_listening(instance)
    for row in list(instance.tasks.values()):
        to_be_tried_again = row.due is not None and row.status.endswith(".failed")
        if row.open and (row.stone is None or row.status == "stone-missing" or to_be_tried_again):
            instance.stop_task(row, "canceled", "It waited when its process failed, and was not begun again.")


def drain(instance: Instance) -> None:
    """Ask every open task to stop; those whose hook runs now get their grace, the others end at once."""
    longest = 0.0
    facilities = instance.facilities
    stop_listening(instance)
    for row in list(instance.tasks.values()):
        if not row.open:
            continue
        elsewhere = row.stone is not None and row.due is None and row.owner not in (None, facilities.engine_id)
        # Held back first: between a look whether it runs and this, it could have begun.
        held_back = instance.hold_back(row)
        if not held_back and (elsewhere or facilities.dispatcher.running(row.id)):
            facilities.dispatcher.ask_to_stop(row.id, ledger.delivery(row))
            stone = facilities.stones.choose(row.stone, row.parameters) or Stone
            longest = max(longest, stone.grace)
        else:
            reason = "It was stopped because its process failed or was cancelled."
            instance.stop_task(row, "canceled", reason, held_back=held_back)
    instance.row.due = instance.now() + round(longest * 1000) if longest else None
    instance.row.due_owner = facilities.timekeeper


def stop_listening(instance: Instance) -> None:
    """No message, signal or timer reaches the process any more: its forward flow is over."""
    workflow = instance.workflow
    for token_id in list(workflow.waits):
        workflow.stop_waiting(workflow.tasks[token_id])


def grace_over(instance: Instance) -> None:
    """The time that running tasks had to stop is over: what still runs is fenced off and counts as begun."""
    if instance.row.phase != "draining" or instance.row.due is None or instance.row.due > instance.now():
        return
    for row in list(instance.tasks.values()):
        if row.open:
            reason = "It did not stop within its grace; what it still reports feeds the ledger only."
            instance.stop_task(row, "unknown", reason)
    settle(instance)


def _drained(instance: Instance) -> None:
    row = instance.row
    debugged = row.pending in (None, "failed") and instance.has(Flags.DEBUG)
    if any(task.open and not (debugged and _can_wait(instance, task)) for task in instance.tasks.values()):
        return
    row.due = None
    if debugged:
        row.phase = "paused"
        row.pending = None
        return
    pending, row.pending = row.pending or "failed", None
    row.ended = row.ended or instance.now()
    if pending != "failed":
        row.pending = "delete" if pending == "cancel delete" else None
        begin_undo(instance, "cancel")
    elif instance.has(Flags.NO_ROLLBACK) or not order.undo_set(instance.tasks, "rollback"):
        row.phase = "ended"
        row.status = "failed"
        _drop_tokens(instance)
    else:
        begin_undo(instance, "rollback")


def _can_wait(instance: Instance, task: TaskRow) -> bool:
    """Whether an open task does not hold up a pause: a person's, or one that has not begun for want of its stone."""
    return task.stone is None or (task.status == "stone-missing" and not instance.has_begun(task))


def _drop_tokens(instance: Instance) -> None:
    """The forward flow never goes on: nothing of it needs to be kept but the ledger."""
    workflow = instance.workflow
    for token in list(workflow.tasks.values()):
        workflow._forget(token)


# -- undoing


def begin_undo(origin: Instance, kind: UndoKind) -> None:
    """Let the undo run, creating it first where that has not been done when the origin was fenced off."""
    existing: int | None = getattr(origin.row, f"{kind}_id")
    undo = create_undo(origin, kind) if existing is None else origin.undo_instance(existing)
    _drop_tokens(origin)
    origin.row.phase = "undoing"
    undo.row.phase = "running"
    begin(undo, None, {})


def _undo_ended(undo: Instance) -> None:
    """The undo has come to its end, well or not; its origin follows in the same transaction."""
    origin = undo.origin
    assert origin is not None
    kind = undo.undo_kind
    success = undo.row.status == "success"
    origin.row.status = (UNDO_SUCCEEDED if success else UNDO_FAILED)[kind]
    origin.row.phase = "ended"
    pending, origin.row.pending = origin.row.pending, None
    if kind == "cancel" and success and pending == "delete":
        begin_undo(origin, "delete")
    origin.save()
    failpoints.reach("undo-ended")


def _what_is_left(undo: Instance) -> str:
    """Which tasks failed and which remain, for whoever has to decide what to retain."""
    assert undo.origin is not None
    kind = undo.undo_kind
    failed = {
        row.target: (row.namespace, row.reason)
        for row in undo.tasks.values()
        if row.status == UNDO_FAILED[kind] and row.target is not None
    }
    for token_id, target in handlers.failed(undo).items():
        handler = order.handler_in(undo.origin.tasks[target])
        assert handler is not None
        failed[target] = handler["namespace"], undo.workflow.failures[token_id]
    told = [f"{target} ({namespace}: {reason})" for target, (namespace, reason) in failed.items()]
    targets = order.taken_with(undo.origin.tasks, failed, kind).keys()
    passed = {row.target for row in undo.tasks.values() if not row.open} - targets
    remaining = [
        str(row.id) for row in order.undo_set(undo.origin.tasks, kind) if row.id not in targets and row.id not in passed
    ]
    text = f"The {kind} failed for task {_listed(told)}"
    return f"{text}; {_listed(remaining)} remain to be undone." if remaining else f"{text}; nothing else remains."


def _listed(texts: list[str]) -> str:
    more = len(texts) - MOST_LISTED
    return ", ".join(texts[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
