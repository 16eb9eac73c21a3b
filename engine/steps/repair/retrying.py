"""Trying again what has failed and stands still, with other parameters where some are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....models import TaskRow
from ... import jsontext
from ...bpmn.elements.activity import Activity
from ...bpmn.elements.tasks import StoneTask
from ...bpmn.running.token import READY, Token, merged
from ...bpmn.running.token_data import TASK
from ...errors import Conflict, RiverstoneError
from ...instance.flags import Flags
from ...instance.forward import ForwardInstance
from ...instance.instance import Instance
from ...instance.masked_values import unmasked_parameters
from ...instance.notes.history import note_attempt
from ...instance.tasks.hand_over import hand_over
from ...instance.tasks.new_tasks import begin_beside, produce
from ...instance.tasks.task_parameters import Resolved, code_of, resolve
from ...ledger import entries, ledger, secrets
from ...stones.declarations.parameters import typed
from ..attempts import next_attempt
from ..settling import settle
from .failures import failed, failed_task, refuse_while_it_runs, row_of, take_up


def rerun(instance: Instance, task_id: int, parameters: Mapping[str, Any] | None, attempt: int | None = None) -> int:
    """Start a failed task that stands still again, with edited parameters if any are given.

    Returns the task that goes on: another one where the old attempt has to stay. Raises UnknownTask, Conflict, and
    Invalid for parameters that do not fit the stone.
    """
    token = begin_again(instance, task_id, parameters, attempt)
    settle(instance)
    return token.internal_data.get(TASK, task_id)


def begin_again(instance: Instance, task_id: int, parameters: Mapping[str, Any] | None, attempt: int | None) -> Token:
    """The same, but for what follows from it in this step."""
    process, row, token = failed_task(instance, task_id, attempt)
    if row.status.endswith("success") and parameters:
        text = f"The stone of task {task_id} has done its work: what failed came after it, so no parameter is used."
        raise Conflict(text, status=row.status, related=str(process.number), allowed=("rerun", "cancel"))
    _again(process, token, row, parameters)
    return token


def retry(instance: Instance, element_id: str | None = None) -> None:
    """Try all again that has failed and stands still, or what did so at one element. Raises Conflict."""
    begin_all_again(instance, element_id)
    settle(instance)


def begin_all_again(instance: Instance, element_id: str | None) -> None:
    """The same, but for what follows from it in this step."""
    process, tokens = failed(instance, element_id)
    for token in tokens:
        if token.id in process.workflow.tasks:
            _again(process, token, row_of(process, token), None)


def try_again(
    instance: Instance, row: TaskRow, edited: Mapping[str, Any] | None = None, references: Sequence[str] = ()
) -> None:
    """Make a failed row's next attempt, with fresh retries.

    With ``edited`` parameters what the last one may have made is undone before, under its own.
    """
    stone = instance.facilities.stone_of(row)
    anew = edited is not None and _may_have_made(row)
    if anew:
        ledger.keep(row, edited=[dict(edited or {}), list(references)])
    elif edited is not None:
        row.parameters = jsontext.dumps(edited)
        if secrets.keep(row, stone, references):
            instance.row.flags |= Flags.SECRETS
    row.status = "produce.success"
    if row.undo == "never-begun":
        ledger.keep(row, unbegun=row.attempt)
        row.undo = None
    next_attempt(row, stone, anew=anew)
    if row.event == "rollback":
        instance.stragglers.leave_outside(row)
    ledger.drop(row, "failing", "looks")
    # The retries count from here; undoing what was left counts as none.
    ledger.keep(row, tried=row.attempt if row.event == "rollback" else row.attempt - 1, survived=row.lost)
    if instance.stragglers.may_run(row.id):
        # A hook past its timeout: the next one begins when it has come back.
        row.due = instance.now()
    else:
        hand_over(instance, row, stone)


def _again(process: ForwardInstance, token: Token, row: TaskRow | None, parameters: Mapping[str, Any] | None) -> None:
    workflow, leaving = process.workflow, "leaving" in token.internal_data
    if leaving or row is None or not row.status.endswith("success"):
        if not leaving and row is not None:
            _again_in_stone(process, token, row, parameters)
            return
        take_up(process, token)
        if leaving:
            workflow.guard(token, token.complete)
            return
        if isinstance(token.node, Activity) and token.node.boundary:
            token.note(again=True)
        token.node.drop_inputs(token)
        token._set_state(READY)
        workflow.make_ready(token)
    else:
        # What came after the work failed: a mapping, or what collects the run's output.
        take_up(process, token)
        workflow.task_done(token, row.id, jsontext.read(row.outputs) if row.outputs else {})


def _again_in_stone(process: ForwardInstance, token: Token, row: TaskRow, parameters: Mapping[str, Any] | None) -> None:
    produced = row.status != "produce.failed"
    if parameters:
        parameters = unmasked_parameters(process, row, parameters)
    edited = _edited(process, token, row, parameters) if produced else None
    if edited is not None and _may_have_made(row):
        stone = process.facilities.stones.choose(row.stone, row.parameters)
        if stone is None:
            text = f"No stone is registered for {row.stone!r}, so nobody knows whether what task {row.id} may have made"
            text += " can be undone before it begins with other parameters: register it, and try again."
            raise Conflict(text, code="stone-missing", status=row.status)
        if not stone.has("rollback"):
            _begin_beside(process, token, row, *edited)
            return
    note_attempt(process, row, row.status, row.reason, edited=edited is not None or not produced)
    row.open = 1
    row.ended = None
    row.owner = process.facilities.engine_id
    row.reason = None
    if ledger.kept(row).get("skip"):
        ledger.keep(row, skip=False)
    if not produced:
        row.status = "produce.success"
        assert isinstance(token.node, StoneTask)
        try:
            produce(process, row, token, token.node, given=parameters)
        except RiverstoneError as error:
            if parameters or process.has(Flags.DEBUG):
                raise
            process.workflow.fail(token, error.message)
            return
    else:
        try_again(process, row, *(edited or ()))
    process.changes.task_changed(row)
    take_up(process, token)
    process.workflow.open_tasks.add(token.id)


def _may_have_made(row: TaskRow) -> bool:
    """Whether an attempt of the row may have made something, so that its key is not good for other parameters."""
    return row.kind in ledger.FORWARD and row.event != "mock" and row.undo != "never-begun"


def _edited(
    process: ForwardInstance, token: Token, row: TaskRow, given: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]] | None:
    """The parameters of the next attempt, where they are others than those of the last one; raises Invalid.

    With the names of those that the model has written as references to secrets; what somebody gives is none.
    """
    before, moved = jsontext.read(row.parameters), ledger.kept(row).get("moved")
    references = secrets.references_in(row)
    if moved:
        _, edited, now = _taken_from_model(process, token, row, given)
        references = list(now)
        secrets.refuse_others(edited, references, process.row.owner_name)
    else:
        edited = {**before, **(given or {})}
        references = [name for name in references if edited[name] == before[name]]
    if edited != before:
        chosen = process.facilities.stones.choose(row.stone, jsontext.dumps(edited))
        if not references:
            # A secret is looked at when the hook begins.
            typed(chosen or process.facilities.stone_of(row), edited, resolved=True)
        process.weight.foresee(edited)
    if moved:
        ledger.keep(row, moved=False)
    return (edited, references) if edited != before else None


def _begin_beside(
    process: ForwardInstance, token: Token, row: TaskRow, parameters: Mapping[str, Any], references: Sequence[str]
) -> None:
    """Run a task with other parameters as a row of its own, since nothing undoes what the old one may have made.

    That stays in the ledger with its own parameters and key, for a cancel or a delete.
    """
    refuse_while_it_runs(process, row)
    node = token.node
    assert isinstance(node, StoneTask)
    token.causes = merged(token.causes, (row.id,))
    begun = begin_beside(process, token, node, row, parameters, references)
    text = "what its attempts may have made stays in the ledger, since the stone has no rollback"
    entries.log(row, (f"Run again with other parameters as task {begun.id}; {text}.",))
    entries.log(begun, (f"It runs task {row.id} again with other parameters; {text}.",))
    process.changes.task_changed(row)
    take_up(process, token)


def _taken_from_model(
    process: ForwardInstance, token: Token, row: TaskRow, given: Mapping[str, Any] | None
) -> Resolved:
    """What failed was moved to another version of its model since: the next attempt takes what that says."""
    node = token.node
    assert isinstance(node, StoneTask)
    code = node.fixed_code or code_of(node, token.context)
    if code != row.stone:
        text = f"{node.label} is carried out by the stone {code!r} in this version, and task {row.id} is one of"
        raise Conflict(
            f"{text} {row.stone!r}: go back to it by a rewind, which undoes it and begins it anew.",
            status=row.status,
            related=str(process.number),
            allowed=("rewind", "skip", "cancel"),
        )
    if code not in process.facilities.stones:
        # What it declares says which of the new version's values it takes.
        text = f"No stone is registered for {code!r}, so nobody knows what task {row.id} takes in this version"
        raise Conflict(f"{text}: register it, and try again.", code="stone-missing", status=row.status)
    return resolve(process.facilities.stones, token, node, code, given=given)
