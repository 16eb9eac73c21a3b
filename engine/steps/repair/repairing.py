"""What else somebody may do about what has failed and stands still: give its outputs, set variables, or roll back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import jsontext
from ...errors import Conflict, Invalid, UnknownTask
from ...instance.flags import Flags
from ...instance.forward import forward_of, refuse_queued
from ...instance.instance import Instance
from ...instance.masked_values import unmasked_outputs, unmasked_variables
from ...instance.notes.history import note_attempt
from ...ledger import ledger, secrets
from ..draining import drain
from ..settling import settle
from .failures import failed, failed_task, refuse_while_it_runs, take_up


def done_by_hand(instance: Instance, task_id: int, outputs: Mapping[str, Any], attempt: int | None) -> None:
    """Somebody has done a failed task's work: it counts as made with these outputs, and an undo is called with them.

    Raises UnknownTask, Conflict, Invalid for outputs that its stone does not declare.
    """
    enter_as_made(instance, task_id, outputs, attempt)
    settle(instance)


def enter_as_made(instance: Instance, task_id: int, outputs: Mapping[str, Any], attempt: int | None) -> None:
    """The same, but for what follows from it in this step."""
    process, row, token = failed_task(instance, task_id, attempt)
    if row.stone is None or row.status.endswith("success"):
        text = f"The work of task {task_id} is done; what failed came after it: try it again, or skip it."
        raise Conflict(text, status=row.status, related=str(process.number), allowed=("rerun", "skip", "cancel"))
    refuse_while_it_runs(process, row)
    stone = process.facilities.stone_of(row)
    unknown = sorted(set(outputs).difference(stone.outputs)) if stone.outputs else []
    if unknown:
        errors = {name: [f"Is no output of the stone {row.stone!r}: {', '.join(stone.outputs)}."] for name in unknown}
        raise Invalid(f"The stone {row.stone!r} puts out no {unknown[0]!r}.", code="outputs-invalid", errors=errors)
    before = jsontext.read(row.outputs) if row.outputs else {}
    outputs = unmasked_outputs(process, row, outputs)
    note_attempt(process, row, row.status, row.reason, edited=False)
    text = jsontext.dumps({**before, **outputs})
    process.weight.foresee(dict(outputs))
    process.weight.total += len(text) - len(row.outputs or "")
    row.outputs, row.undo, row.progress = text, None, 100
    if secrets.keep(row, stone):
        process.row.flags |= Flags.SECRETS
    ledger.keep(row, by_hand=True)
    process.end_task(row, "monitor.success" if row.event == "monitor" else "start.success")
    process.put_out(row)
    take_up(process, token)
    process.workflow.task_done(token, row.id, jsontext.read(text))


def set_variables(instance: Instance, values: Mapping[str, Any], task_id: int | None = None) -> None:
    """Set variables of a process that has not ended, as they are seen from a task where one is named.

    Raises UnknownTask, Conflict, Invalid for values that the parameter template refuses, or that hold the mask in
    place of a secret.
    """
    process = forward_of(instance, ": ask for that again.")
    refuse_queued(process)
    if process.row.phase not in ("running", "suspended", "paused"):
        text = f"Process {process.number} has the status {process.row.status!r}: its variables change no more."
        raise Conflict(text, status=process.row.status)
    token = process.workflow.task_tree
    if task_id is not None:
        row = process.tasks.get(task_id)
        found = None if row is None else process.workflow.tasks.get(row.token)
        if row is None:
            raise UnknownTask(str(task_id))
        if found is None:
            text = f"Task {task_id} has ended, so no variables are seen from it any more: leave it out."
            raise Conflict(text, status=row.status)
        token = found
    values = unmasked_variables(process, values, token)
    template, errors = process.definition.parameter_template, {}
    for name, value in values.items():
        if template is not None and value is not None and (texts := template.violations((name,), value)):
            errors[name] = list(texts)
    if errors:
        told = " ".join(f"{name!r}: {' '.join(texts)}" for name, texts in errors.items())
        raise Invalid(f"The parameter template refuses these values. {told}", code="variables-invalid", errors=errors)
    if template is not None:
        values = template.typed(values)
    process.weight.foresee(dict(values))
    token.set_variables(values)
    settle(process)


def resume(instance: Instance, task_id: int) -> None:
    """Roll back the process that a failed task holds up, or that somebody debugs. Raises UnknownTask, Conflict."""
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    if instance.row.phase != "paused":
        failed_task(instance, task_id)
    roll_back(instance)


def roll_back(instance: Instance) -> None:
    """Roll back a process in which something has failed and stands still. Raises Conflict."""
    process, tokens = failed(instance, None)
    if process.row.phase == "running":
        for token in tokens:
            process.workflow.give_up(token)
    else:
        process.row.flags &= ~Flags.DEBUG
        process.row.phase = "draining"
        process.row.pending = "failed" if process.has(Flags.NO_ROLLBACK) else "rollback"
        drain(process)
    settle(process)
