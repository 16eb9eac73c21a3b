"""One step: an event is applied to an instance, the workflow runs until it waits, and the instance's state follows."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from ..models import TaskRow
from . import jsontext, undo
from .bpmn.node import Node
from .bpmn.state import TASK
from .bpmn.token import ERROR, READY, STARTED, Token
from .bpmn.activities import StoneTask
from .errors import BpmnError, Conflict, ExpressionError, Invalid, RiverstoneError, UnknownTask
from .instance import Flags, Instance
from .perform import MOST_LOG_LINES, Outcome
from .stone import Stone

DONE = {"start": "start.success", "monitor": "monitor.success", "mock": "mock.success"}


def begin(instance: Instance, entry: Node | None, payload: Mapping[str, Any]) -> None:
    """Start a new instance: at its none start events, or where a message or a signal triggered it."""
    workflow = instance.workflow
    workflow.begin(entry)
    if payload:
        workflow.set_variables(workflow.task_tree, payload)
    if entry is not None:
        for token in list(workflow.tasks.values()):
            if token.node is entry and getattr(entry, "instantiate", False):
                token._set_state(STARTED)
                token.complete()
    settle(instance)


def settle(instance: Instance) -> None:
    """Run the workflow as far as it goes, then let the instance's own state follow; ends every step."""
    workflow = instance.workflow
    if instance.row.phase == "running":
        workflow.advance()
        if workflow.completed:
            _succeed(instance)
        elif workflow.failures:
            _failed(instance)
    if instance.row.phase == "draining":
        _drained(instance)
    instance.save()


# -- what came of a task


def apply_outcome(instance: Instance, outcome: Outcome) -> None:
    """Enter what came of one event of a task; a late or repeated outcome feeds the ledger and moves nothing."""
    row = instance.tasks.get(outcome.task_id)
    if row is None:
        return
    if not row.open or row.attempt != outcome.attempt or row.event != outcome.event:
        _enter_late(instance, row, outcome)
        return
    _enter(row, outcome)
    instance.changes.task_changed(row)
    token = instance.workflow.tasks.get(row.token)
    fenced = instance.row.phase == "draining" and instance.row.pending in ("cancel", "cancel delete")
    if outcome.result == "again":
        _look_again(instance, row)
    elif row.event == "rollback" and row.kind == "start":
        _retry_after_rollback(instance, row, outcome)
    elif outcome.result == "done":
        _done(instance, row, token, fenced)
    else:
        _not_done(instance, row, token, outcome, fenced)
    settle(instance)


def _enter(row: TaskRow, outcome: Outcome) -> None:
    if outcome.outputs:
        before = json.loads(row.outputs) if row.outputs else {}
        row.outputs = jsontext.dumps({**before, **outcome.outputs})
    if outcome.progress is not None:
        row.progress = outcome.progress
    if outcome.log:
        lines = json.loads(row.log) if row.log else []
        row.log = jsontext.dumps([*lines, *outcome.log][-MOST_LOG_LINES:])
    if outcome.state is not None:
        row.state = jsontext.dumps({**_kept_by_engine(row), **outcome.state})
    row.reason = outcome.reason


def _kept_by_engine(row: TaskRow) -> dict[str, Any]:
    state = json.loads(row.state) if row.state else {}
    return {name: state[name] for name in ("retries", "tried") if name in state}


def _enter_late(instance: Instance, row: TaskRow, outcome: Outcome) -> None:
    if outcome.outputs and row.undo != "undone" and row.attempt == outcome.attempt:
        before = json.loads(row.outputs) if row.outputs else {}
        row.outputs = jsontext.dumps({**outcome.outputs, **before})
        row.log = jsontext.dumps([*(json.loads(row.log) if row.log else []), "A late result was recorded."][-MOST_LOG_LINES:])
        instance.changes.task_changed(row)
        instance.save()


def _stopping(instance: Instance) -> bool:
    """Whether running tasks are to stop: the process failed or is cancelled, and nobody debugs."""
    row = instance.row
    return row.phase == "draining" and not (row.pending == "failed" and instance.has(Flags.DEBUG))


def _look_again(instance: Instance, row: TaskRow) -> None:
    stone = _stone(instance, row)
    row.status = "monitor.begin"
    if _stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped between two looks of its monitor.")
        return
    row.due = instance.now() + round(stone.monitor_interval * 1000)


def _done(instance: Instance, row: TaskRow, token: Token | None, fenced: bool) -> None:
    stone = _stone(instance, row)
    if instance.is_undo:
        undo.undo_done(instance, row, token)
        return
    if row.event == "start" and stone.has("monitor"):
        row.event = "monitor"
        row.status = "start.success"
        if _stopping(instance):
            instance.stop_task(row, "canceled", "It was stopped before its monitor looked.")
            return
        timeout = stone.timeouts.get("monitor")
        row.deadline = instance.now() + round(timeout * 1000) if timeout is not None else None
        row.due = instance.now()
        instance.handed.append(row)
        return
    row.progress = 100
    instance.end_task(row, DONE[row.event] if row.event != "mock" or stone.has("mock") else "mock.passed")
    instance.put_out(row)
    if token is not None and not fenced:
        instance.workflow.task_done(token, row.id, json.loads(row.outputs) if row.outputs else {})


def _not_done(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome, fenced: bool) -> None:
    stone = _stone(instance, row)
    kept = _kept_by_engine(row)
    tries = row.attempt - kept.get("tried", 0)
    if outcome.result == "failed" and tries <= kept.get("retries", stone.retries) and instance.row.phase == "running":
        _retry(instance, row, stone, outcome)
        return
    if instance.is_undo:
        undo.undo_failed(instance, row, token, outcome.reason or "")
        return
    instance.end_task(row, f"{row.event}.failed", outcome.reason)
    if token is None or fenced:
        return
    error = BpmnError(outcome.error_code or "", outcome.reason or "") if outcome.result == "bpmn-error" else None
    reason = f"Task {row.id} ({row.namespace}, stone {row.stone}) failed in {row.event}: {outcome.reason}"
    if instance.row.phase == "draining" and error is not None:
        instance.workflow.fail(token, reason)
        return
    instance.workflow.task_failed(token, row.id, error, reason)


def _retry(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> None:
    """Wait and try again; what a failed start left behind is taken back before."""
    tries = row.attempt - _kept_by_engine(row).get("tried", 0)
    delay = min(stone.retry_backoff * 2 ** min(tries - 1, 60), stone.retry_backoff_max)
    row.due = instance.now() + round(delay * 1000 * (1 + random.random() / 10))
    row.deadline = None
    row.status = f"{row.event}.failed"
    row.reason = f"Attempt {row.attempt} failed: {outcome.reason}"
    if row.kind == "start" and row.event in ("start", "monitor") and row.outputs and stone.has("rollback"):
        row.event = "rollback"
    else:
        row.attempt += 1
        row.event = "start" if row.event == "monitor" else row.event
        row.state = jsontext.dumps(_kept_by_engine(row)) if _kept_by_engine(row) else None


def _retry_after_rollback(instance: Instance, row: TaskRow, outcome: Outcome) -> None:
    """What the failed attempt left behind is gone: start the next attempt under a new key."""
    if outcome.result != "done":
        token = instance.workflow.tasks.get(row.token)
        instance.end_task(row, "start.failed", f"What attempt {row.attempt} left behind could not be taken back: {outcome.reason}")
        if token is not None:
            instance.workflow.task_failed(token, row.id, None, row.reason or "")
        return
    row.event = "start"
    row.attempt += 1
    row.generation += 1
    row.outputs = None
    row.progress = 0
    row.state = jsontext.dumps(_kept_by_engine(row)) if _kept_by_engine(row) else None
    row.due = None
    if instance.row.phase == "running":
        instance.handed.append(row)
    else:
        row.undo = "undone"
        instance.stop_task(row, "canceled", "It was not tried again, because the process had failed or was cancelled.")


def _stone(instance: Instance, row: TaskRow) -> type[Stone]:
    return instance.facilities.stones.choose(row.stone, row.parameters) or Stone


def progressed(instance: Instance, task_id: int, attempt: int, percent: int) -> None:
    """A running task says how far it is."""
    row = instance.tasks.get(task_id)
    if row is not None and row.open and row.attempt == attempt and row.progress != percent:
        row.progress = percent
        instance.changes.task_changed(row)


def stone_is_gone(instance: Instance, task_id: int) -> None:
    """Nobody can carry out a task that was handed over: it waits until its stone is registered again."""
    row = instance.tasks.get(task_id)
    if row is not None and row.open:
        row.status = "stone-missing"
        row.reason = f"No stone is registered for {row.stone!r}; the task goes on when there is one."
        row.due = None
        instance.changes.task_changed(row)


def hand_over_again(instance: Instance) -> None:
    """Hand over what a failed turn may have taken back from the dispatcher, or never brought to it."""
    facilities = instance.facilities
    if instance.row.phase not in ("running", "draining"):
        return
    for row in instance.tasks.values():
        waits = row.stone is None or row.status == "stone-missing" or row.due is not None
        if row.open and not waits and row.owner == facilities.engine_id and not facilities.dispatcher.holds(row.id):
            instance.handed.append(row)


# -- time


def task_due(instance: Instance, task_id: int) -> None:
    """A task's time has come: the next look of its monitor, its retry, or the end of its patience."""
    row = instance.tasks.get(task_id)
    if row is None or not row.open:
        return
    now = instance.now()
    dispatcher = instance.facilities.dispatcher
    if row.deadline is not None and row.deadline <= now:
        _timed_out(instance, row)
        return
    if row.due is not None and row.due <= now and not dispatcher.holds(task_id):
        if row.owner != instance.facilities.engine_id:
            row.owner = instance.facilities.engine_id
            instance.changes.task_changed(row)
            instance.save()
        if row.status == "stone-missing":
            stone_is_back(instance, task_id)
        elif _stopping(instance):
            instance.stop_task(row, "unknown", "It may have been running when its engine died, while its process was being stopped.")
            settle(instance)
        else:
            instance.handed.append(row)


def _timed_out(instance: Instance, row: TaskRow) -> None:
    dispatcher = instance.facilities.dispatcher
    if not dispatcher.withdraw(row.id):
        dispatcher.ask_to_stop(row.id)
    reason = f"{row.event} took longer than its timeout allows"
    outcome = Outcome(
        task_id=row.id, process_instance_id=instance.number, event=row.event, attempt=row.attempt, result="failed", reason=reason
    )
    apply_outcome(instance, outcome)


def stone_is_back(instance: Instance, task_id: int) -> None:
    """A task that waited for its stone to be registered goes on."""
    row = instance.tasks.get(task_id)
    if row is None or not row.open or row.status != "stone-missing" or instance.row.phase != "running":
        return
    if row.stone not in instance.facilities.stones:
        if row.due is not None:
            row.due = None
            instance.changes.task_changed(row)
            instance.save()
        return
    token = instance.workflow.tasks[row.token]
    row.status = "produce.success"
    row.reason = None
    row.due = None
    row.owner = instance.facilities.engine_id
    instance.changes.task_changed(row)
    if instance.is_undo:
        undo.hand_over_undo(instance, row, token)
    else:
        node = token.node
        assert isinstance(node, StoneTask)
        try:
            _, parameters = instance.resolve(token, node, row.stone or "", token.context)
        except RiverstoneError as error:
            instance.end_task(row, "produce.failed", error.message)
            instance.workflow.task_failed(token, row.id, None, error.message)
        else:
            row.parameters = jsontext.dumps(parameters)
            instance.handed.append(row)
    settle(instance)


def timer_due(instance: Instance, token_id: int, number: int) -> None:
    """A timer of the model is due."""
    token = instance.workflow.tasks.get(token_id)
    if token is None or instance.row.phase != "running":
        return
    now = instance.now()
    for wait in instance.workflow.waits.get(token_id, ()):
        if wait.number == number and wait.kind == "timer" and wait.due is not None and wait.due <= now:
            instance.workflow.fire(token, number, {})
            settle(instance)
            return


def grace_over(instance: Instance) -> None:
    """The time that running tasks had to stop is over: what still runs is fenced off and counts as begun."""
    if instance.row.phase != "draining" or instance.row.due is None or instance.row.due > instance.now():
        return
    for row in list(instance.tasks.values()):
        if row.open:
            instance.stop_task(row, "unknown", "It did not stop within its grace; what it still reports feeds the ledger only.")
    settle(instance)


# -- from outside


def deliver(instance: Instance, kind: str, name: str, payload: Mapping[str, Any], *, token_id: int | None = None) -> bool:
    """Give a message to one waiting token, or a signal to all; whether anyone was waiting."""
    if instance.row.phase != "running":
        return False
    workflow = instance.workflow
    found = [
        (waiting, wait.number)
        for waiting in sorted(workflow.waits)
        for wait in workflow.waits[waiting]
        if wait.kind == kind and wait.name == name and token_id in (None, waiting)
    ]
    for waiting, number in found[:1] if kind == "message" else found:
        token = workflow.tasks.get(waiting)
        if token is not None and any(wait.number == number for wait in workflow.waits.get(waiting, ())):
            workflow.fire(token, number, payload)
    if found:
        settle(instance)
    return bool(found)


def complete(instance: Instance, task_id: int, outputs: Mapping[str, Any]) -> None:
    """A person says that a user task is done."""
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    if row.stone is not None:
        raise Conflict(f"Task {task_id} is carried out by a stone, so it cannot be completed from outside.", status=row.status)
    if not row.open or instance.row.phase != "running":
        raise Conflict(f"Task {task_id} has ended or its process is not running.", status=row.status)
    row.outputs = jsontext.dumps(dict(outputs)) if outputs else None
    row.progress = 100
    instance.end_task(row, "success")
    instance.put_out(row)
    token = instance.workflow.tasks[row.token]
    instance.workflow.set_variables(token.scope or token, outputs)
    instance.workflow.task_done(token, row.id, outputs)
    settle(instance)


def rerun(instance: Instance, task_id: int, parameters: Mapping[str, Any] | None) -> None:
    """Start a failed task of a paused debug run again, with edited parameters if any are given."""
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    token = instance.workflow.tasks.get(row.token)
    if instance.row.phase != "paused" or token is None or token._state != ERROR or row.open:
        raise Conflict(
            f"Task {task_id} cannot be run again: only a failed task of a paused debug run can.",
            status=row.status,
            related=str(instance.number),
        )
    stone = _stone(instance, row)
    if parameters:
        row.parameters = jsontext.dumps({**json.loads(row.parameters), **parameters})
    row.open = 1
    row.ended = None
    row.owner = instance.facilities.engine_id
    row.reason = None
    row.status = "produce.success"
    row.state = None
    if row.outputs and stone.has("rollback"):
        row.event = "rollback"
    else:
        row.event = "start"
        row.attempt += 1
    instance.changes.task_changed(row)
    instance.workflow.failures.pop(token.id, None)
    token._set_state(STARTED)
    instance.workflow.open_tasks.add(token.id)
    if not instance.workflow.failures:
        instance.row.phase = "running"
        instance.row.reason = None
        instance.row.ended = None
    instance.handed.append(row)
    settle(instance)


def resume(instance: Instance, task_id: int) -> None:
    """Leave the debug mode of a paused run: it rolls back."""
    if task_id not in instance.tasks:
        raise UnknownTask(str(task_id))
    if instance.row.phase != "paused":
        raise Conflict(
            f"Process {instance.number} is not paused, so there is nothing to resume.", status=instance.row.status,
            related=str(instance.number),
        )
    instance.row.flags &= ~Flags.DEBUG
    instance.row.phase = "draining"
    settle(instance)


# -- how an instance goes on


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
        undo.undo_ended(instance)
    elif instance.definition.outputs_template is not None:
        try:
            values = instance.definition.outputs_template.evaluate(instance.context)
            instance.content.outputs = jsontext.dumps(values)
        except ExpressionError as error:
            row.reason = error.message
        instance.changes.content_changed(instance.content)


def _failed(instance: Instance) -> None:
    """Something has failed for good: start nothing new; what runs is asked to stop, unless somebody debugs."""
    row = instance.row
    workflow = instance.workflow
    if instance.is_undo:
        if workflow.open_tasks or workflow.waits or any(token._state == READY for token in workflow.tasks.values()):
            return
        row.phase = "ended"
        row.status = "failed"
        row.ended = instance.now()
        row.reason = next(iter(workflow.failures.values()))
        undo.undo_ended(instance)
        return
    row.reason = next(reason for _, reason in sorted(workflow.failures.items()))
    row.phase = "draining"
    row.pending = row.pending or "failed"
    if not instance.has(Flags.DEBUG):
        drain(instance)


def drain(instance: Instance) -> None:
    """Ask every open task to stop; those whose hook runs now get their grace, the others end at once."""
    longest = 0.0
    dispatcher = instance.facilities.dispatcher
    for row in list(instance.tasks.values()):
        if not row.open:
            continue
        if dispatcher.running(row.id):
            dispatcher.ask_to_stop(row.id)
            longest = max(longest, _stone(instance, row).grace)
        else:
            instance.stop_task(row, "canceled", "It was stopped because its process failed or was cancelled.")
    instance.row.due = instance.now() + round(longest * 1000) if longest else None


def _drained(instance: Instance) -> None:
    if any(row.open and (row.stone is not None or not instance.has(Flags.DEBUG)) for row in instance.tasks.values()):
        return
    row = instance.row
    row.due = None
    pending = row.pending or "failed"
    if pending == "failed" and instance.has(Flags.DEBUG):
        row.phase = "paused"
        row.pending = None
        return
    row.ended = row.ended or instance.now()
    if pending == "failed":
        row.pending = None
        if instance.has(Flags.NO_ROLLBACK) or not undo.undo_set(instance, "rollback"):
            row.phase = "ended"
            row.status = "failed"
            return
        undo.begin_undo(instance, "rollback")
        return
    row.pending = "delete" if pending == "cancel delete" else None
    undo.begin_undo(instance, "cancel")


__all__ = ["Invalid", "TASK", "apply_outcome", "begin", "deliver", "settle"]
