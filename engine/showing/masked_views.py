"""From rows to what is shown: the record, the tasks, with every secret masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from ...models import (
    ContentRow,
    DecisionMadeRow,
    InstanceRow,
    PutOut,
    RecordRow,
    SummaryRow,
    TaskRow,
    TokenRow,
    WaitRow,
)
from ...models.search.resources import ResourceRow
from ...models.search.task_counts import TaskLine
from ...models.vocabulary import HOOK_BEGUN, TaskStatus, UndoMark
from .. import jsontext
from ..authoring.deployed_decisions import result_of
from ..bpmn.running.results import Results, calls_in, runs_in
from ..bpmn.running.token import ERROR
from ..bpmn.running.token_data import CALLED, TASK
from ..clock import moment
from ..instance.flags import Flags
from ..instance.notes.variables import read as read_variables
from ..ledger.causality import after_text
from ..ledger.entries import logged
from ..ledger.ledger import in_order_of_results, place
from ..ledger.ledger import saved as saved_in
from ..ledger.secrets import mask_of, names_in, names_put_out
from ..ledger.window import Fold
from ..mask import Mask
from ..stones.declarations.parameters import masked
from ..stones.registry import Stones
from ..views.decisions import DecisionMade
from ..views.failures import Failure
from ..views.processes import Awaited, InstanceRecord, ProcessInstance, ProcessSummary, Suspension, Token, Wait
from ..views.resources import Resource
from ..views.tasks import Task, Undone
from ..views.undo import UndoStep

if TYPE_CHECKING:
    from ..authoring.definitions import Definition

TASKS = UUID("8d3c0f0e-6d1c-5f5e-9d55-3a4f3d6f1b52")
"""The UUID namespace in which a task's ``id`` is made from its ``taskId``."""

SHOWN_UNDO: Mapping[UndoMark, Undone] = {
    "undone": "undone",
    "left": "left",
    "retained": "retained",
    "failed": "failed",
    "skipped": "retained",
}
"""What is shown of a row's ``undo``, which says more than its reader needs; of what never began, nothing."""


def mask_for(definition: Definition, content: ContentRow, tasks: Iterable[TaskRow], stones: Stones) -> Mask | None:
    """What hides the secret start variables of one instance, and the secrets of its ``tasks``; None where none are."""
    return mask_of(definition, lambda: read_variables(content), tasks, stones)


def show_instance(
    row: InstanceRow,
    content: ContentRow,
    outputs: Mapping[str, Any],
    mask: Mask | None,
    *,
    kept: int = 0,
    waits_for: tuple[Awaited, ...] = (),
) -> ProcessInstance:
    """The record of one instance; ``outputs`` by namespace."""
    return ProcessInstance(
        **_documented(row, content, outputs, mask),
        key=row.key,
        deployment_id=row.deployment_id,
        kind=row.kind,
        reason=_hidden(row.reason, mask),
        business_key=row.business_key,
        origin_process_instance_id=_text(row.origin),
        debug=bool(row.flags & Flags.DEBUG),
        mock=bool(row.flags & Flags.MOCK),
        protected=bool(row.flags & Flags.PROTECTED),
        paused=row.phase == "paused",
        owner=row.owner_name,
        decided=bool(row.flags & Flags.DECISIONS),
        attention=row.attention,
        kept=kept,
        outcome=row.outcome,
        awaits=row.awaits,
        waits_for=_awaited(waits_for, mask),
        suspended=_suspension(row, mask),
        rewind_process_instance_id=_text(row.rewind_id) if row.kind == "start" else None,
    )


def show_record(row: RecordRow, outputs: Mapping[str, Any], mask: Mask | None) -> InstanceRecord:
    """The same without what the documented record has not."""
    return InstanceRecord(**_documented(row, row, outputs, mask))


def documented(row: InstanceRow, content: ContentRow) -> RecordRow:
    """What is documented of a record, out of both of its rows."""
    return RecordRow(*(getattr(row if hasattr(row, name) else content, name) for name in RecordRow.__slots__))


def _documented(
    row: InstanceRow | RecordRow, content: ContentRow | RecordRow, outputs: Mapping[str, Any], mask: Mask | None
) -> dict[str, Any]:
    """What both have, by its names in the views."""
    process_content, values = content.start_variables, content.outputs
    if mask is not None:
        process_content = jsontext.dumps(mask.mask_value(jsontext.read(process_content)))
        values = None if values is None else jsontext.dumps(mask.mask_value(jsontext.read(values)))
        outputs = mask.mask_value(dict(outputs))
    return {
        "id": row.id,
        "process_instance_id": str(row.process_instance_id),
        "model_id": row.model_id,
        "model_key": row.model_key,
        "process_name": row.name,
        "status": row.status,
        "process_content": process_content,
        "start_time": moment(row.started),
        "end_time": moment(row.ended),
        "outputs": values,
        "native_outputs": jsontext.dumps(dict(outputs)) if outputs else "",
        "rollback_process_instance_id": _text(row.rollback_id),
        "cancel_process_instance_id": _text(row.cancel_id),
        "delete_process_instance_id": _text(row.delete_id),
    }


def show_summary(
    row: SummaryRow,
    mask: Mask | None,
    *,
    kept: int = 0,
    waits_for: tuple[Awaited, ...] = (),
    failure: str | None = None,
) -> ProcessSummary:
    """One instance in a list."""
    return ProcessSummary(
        process_instance_id=str(row.process_instance_id),
        process_name=row.name,
        key=row.key,
        kind=row.kind,
        status=row.status,
        reason=_hidden(row.reason, mask),
        start_time=moment(row.started),
        end_time=moment(row.ended),
        model_id=row.model_id,
        deployment_id=row.deployment_id,
        business_key=row.business_key,
        origin_process_instance_id=_text(row.origin),
        rollback_process_instance_id=_text(row.rollback_id),
        cancel_process_instance_id=_text(row.cancel_id),
        delete_process_instance_id=_text(row.delete_id),
        debug=bool(row.flags & Flags.DEBUG),
        mock=bool(row.flags & Flags.MOCK),
        protected=bool(row.flags & Flags.PROTECTED),
        paused=row.phase == "paused",
        owner=row.owner_name,
        attention=row.attention,
        kept=kept,
        outcome=row.outcome,
        awaits=row.awaits,
        waits_for=_awaited(waits_for, mask),
        suspended=_suspension(row, mask),
        failure=_hidden(failure, mask),
    )


def _suspension(row: InstanceRow | SummaryRow, mask: Mask | None) -> Suspension | None:
    if row.suspension is None:
        return None
    kept = jsontext.read(row.suspension)
    reason = mask.mask_text(kept["reason"]) if mask is not None and kept["reason"] else kept["reason"]
    return Suspension(since=moment(kept["since"]), reason=reason, who=kept["who"], by_key="key" in kept)


def show_tokens(
    rows: Sequence[TokenRow], waits: Iterable[WaitRow], tasks: Iterable[TaskRow], mask: Mask | None
) -> list[Token]:
    """Where an instance stands beside its open tasks; nodes that only listen for an event sub-process are left out."""
    known = {row.id: row for row in rows}
    scopes = {row.scope for row in rows} | {task.scope for task in tasks if task.open}
    by_token: dict[int, list[Wait]] = {}
    for wait in waits:
        by_token.setdefault(wait.token, []).append(
            Wait(
                kind=wait.kind,
                name=_hidden(wait.name, mask),
                due=moment(wait.due),
                correlation=_hidden(wait.correlation, mask),
            )
        )
    internal: dict[int, dict[str, Any]] = {row.id: jsontext.read(row.internal) if row.internal else {} for row in rows}
    shown = []
    for row in rows:
        element_id, _, part = row.node.partition(":")
        in_ledger = TASK in internal[row.id]
        if row.scope is None or in_ledger or part == "listener":
            continue
        shown.append(
            Token(
                element_id=element_id if part in ("fired", "outstanding") else row.node,
                calls=tuple(_call_path(row, known, internal)),
                scope=row.id in scopes,
                waits=tuple(by_token.get(row.id, ())),
                failed=row.state == ERROR,
            )
        )
    return shown


def show_failures(
    rows: Sequence[TokenRow], waits: Iterable[WaitRow], tasks: Mapping[int, TaskRow], mask: Mask | None
) -> list[Failure]:
    """The tokens that have failed and stand still, oldest first."""
    known = {row.id: row for row in rows}
    internal: dict[int, dict[str, Any]] = {row.id: jsontext.read(row.internal) if row.internal else {} for row in rows}
    due = {wait.token: wait.due for wait in waits}
    shown = []
    for row in sorted(rows, key=lambda row: row.id):
        if row.state != ERROR:
            continue
        task = tasks.get(internal[row.id].get(TASK, 0))
        told = task.reason if task is not None and task.status.endswith("failed") else None
        reason = told or internal[row.id].get("failed", "")
        shown.append(
            Failure(
                element_id=row.node.partition(":")[0],
                reason=reason if mask is None else mask.mask_text(reason),
                task_id=None if told is None or task is None else str(task.id),
                calls=tuple(_call_path(row, known, internal)),
                rolls_back=moment(due.get(row.id)),
            )
        )
    return shown


def show_failed(row: InstanceRow) -> list[Token]:
    """Where an instance that has ended has failed, of what is told by no task."""
    places = jsontext.read(row.failed_at) if row.failed_at and row.phase != "paused" else []
    return [Token(element_id=element_id, calls=tuple(calls), failed=True) for *calls, element_id in places]


def _call_path(row: TokenRow, known: Mapping[int, TokenRow], internal: Mapping[int, dict[str, Any]]) -> list[str]:
    current = known.get(row.scope) if row.scope is not None else None
    while current is not None:
        if CALLED in internal[current.id]:
            return calls_in(internal[current.id]["path"])
        current = known.get(current.scope) if current.scope is not None else None
    return []


def outputs_of(tasks: Iterable[TaskRow | PutOut], stones: Stones, fold: Fold | None = None) -> dict[str, Any]:
    """The native outputs by namespace, those of called processes inside that of their call; secret ones masked.

    What a ``fold`` stands for comes before ``tasks``; there may be no secrets in it.
    """
    shown = Results()
    if fold is not None:
        shown.take(fold.results)
    for row in in_order_of_results(tasks):
        values = masked(jsontext.read(row.outputs or "{}"), names_put_out(row, stones))
        shown.put(place(row), row.namespace, values)
    return shown.values


class Followed:
    """What the rows of a ledger followed, as it is shown: what many followed is made once for all of them."""

    def __init__(self, ledger: Mapping[int, TaskRow]) -> None:
        self._ledger = ledger
        self._shown: dict[str, tuple[str, ...]] = {}

    def of(self, row: TaskRow) -> tuple[str, ...]:
        """The ids of the tasks that this one followed."""
        text = after_text(row, self._ledger)
        if not text:
            return ()
        found = self._shown.get(text)
        if found is None:
            found = self._shown[text] = tuple(map(str, jsontext.read(text)))
        return found


def show_task(row: TaskRow, stones: Stones, mask: Mask | None, followed: Followed, *, running: bool) -> Task:
    """One task; ``running`` tells that its hook is being carried out here at this moment."""
    secret = names_in(row, stones)
    stone = row.stone
    parameters = jsontext.read(row.parameters)
    outputs = jsontext.read(row.outputs) if row.outputs else {}
    log = logged(row)
    reason, saved = row.reason, masked(saved_in(row), secret[1])
    parameters, outputs = masked(parameters, secret[0]), masked(outputs, secret[1])
    if mask is not None:
        parameters, outputs, saved = (mask.mask_value(each) for each in (parameters, outputs, saved))
        reason = None if reason is None else mask.mask_text(reason)
        stone = None if stone is None else mask.mask_text(stone)
        log = tuple(mask.mask_text(line) for line in log)
    return Task(
        id=str(uuid5(TASKS, str(row.id))),
        process_instance_id=str(row.process_instance_id),
        task_id=str(row.id),
        name=row.name or row.node,
        namespace=row.namespace,
        stone=stone,
        element_id=row.node,
        create_time=moment(row.created),
        end_time=moment(row.ended),
        status=status_of(row, running=running),
        reason=reason,
        parameters=parameters,
        outputs=outputs,
        progress=row.progress,
        attempt=row.attempt,
        kind=row.kind,
        origin_task_id=_text(row.target),
        undo=None if row.undo is None else SHOWN_UNDO.get(row.undo),
        after=followed.of(row),
        log=log,
        saved=saved,
        calls=tuple(calls_in(place(row))),
        runs=tuple(runs_in(place(row))),
    )


def status_of(row: TaskRow | TaskLine, *, running: bool) -> TaskStatus:
    """How a task stands; ``running`` tells that its hook is being carried out here at this moment."""
    # Of an undo that was begun, a monitor looks whether it is done.
    is_watched = row.target is not None and row.event == "monitor"
    return HOOK_BEGUN[row.event] if running and row.open and not is_watched else row.status


def show_resource(row: ResourceRow, stones: Stones, mask: Mask | None) -> Resource:
    """What one task has made."""
    task, instance, check = row.task, row.instance, row.check
    outputs = masked(jsontext.read(task.outputs) if task.outputs else {}, names_put_out(task, stones))
    reason = None if check is None else check.reason
    stone = task.stone or ""
    if mask is not None:
        outputs, stone = mask.mask_value(outputs), mask.mask_text(stone)
        reason = None if reason is None else mask.mask_text(reason)
    return Resource(
        task_id=str(task.id),
        process_instance_id=str(instance.process_instance_id),
        process_name=instance.name,
        key=instance.key,
        owner=instance.owner_name,
        stone=stone,
        name=task.name or task.node,
        namespace=task.namespace,
        element_id=task.node,
        state=row.state,
        since=moment(task.created),
        outputs=outputs,
        checked=None if check is None else moment(check.checked),
        check=None if check is None else check.state,
        reason=reason,
    )


def show_decision(row: DecisionMadeRow, mask: Mask | None) -> DecisionMade:
    """One decision that an instance has made."""
    told = jsontext.read(row.result)
    if mask is not None:
        told |= {name: mask.mask_value(told[name]) for name in ("value", "violation", "warnings")}
        for each in told["matched"]:
            each |= {name: mask.mask_value(each[name]) for name in ("inputs", "outputs")}
    path = jsontext.read(row.path) if row.path else ()
    return DecisionMade(
        process_instance_id=str(row.process_instance_id),
        element_id=row.node,
        name=row.name or row.node,
        made_at=moment(row.made),
        result=result_of(told, row.decision_id, row.decision_name, row.deployment_id, row.version),
        calls=tuple(calls_in(path)),
        runs=tuple(runs_in(path)),
    )


def show_steps(steps: Iterable[UndoStep], mask: Mask | None) -> list[UndoStep]:
    """The preview of an undo."""
    if mask is None:
        return list(steps)
    return [replace(step, stone=_hidden(step.stone, mask)) for step in steps]


def _awaited(found: tuple[Awaited, ...], mask: Mask | None) -> tuple[Awaited, ...]:
    return found if mask is None else tuple(replace(each, name=_hidden(each.name, mask)) for each in found)


def _hidden(text: str | None, mask: Mask | None) -> str | None:
    return text if text is None or mask is None else mask.mask_text(text)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
