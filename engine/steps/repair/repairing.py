"""What somebody may do about an element that has failed and stands still.

It is tried again, its outputs are given by hand, it is skipped, or the process rolls back: in a process whose failure
policy pauses, and in a debug run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....models import TaskRow
from ... import jsontext
from ...bpmn.elements.activity import Activity
from ...bpmn.elements.tasks import StoneTask
from ...bpmn.running.token import READY, STARTED, Token, merged
from ...bpmn.running.token_data import TASK
from ...errors import Conflict, Invalid, RiverstoneError, UnknownTask
from ...instance import ledger, secrets
from ...instance.flags import Flags
from ...instance.forward import ForwardInstance, forward_of
from ...instance.history import note_attempt
from ...instance.instance import Instance
from ...instance.masked_values import unmasked_outputs, unmasked_parameters, unmasked_variables
from ...instance.task_parameters import Resolved, code_of, resolve
from ...stones.parameters import typed
from ..attempts import next_attempt
from ..draining import drain
from ..due import goes_on
from ..settling import settle
from .suspending import refuse_suspended


def rerun(instance: Instance, task_id: int, parameters: Mapping[str, Any] | None) -> int:
    """Start a failed task that stands still again, with edited parameters if any are given.

    Returns the task that goes on: another one where the old attempt has to stay. Raises UnknownTask, Conflict, and
    Invalid for parameters that do not fit the stone.
    """
    token = begin_again(instance, task_id, parameters)
    settle(instance)
    return token.internal_data.get(TASK, task_id)


def begin_again(instance: Instance, task_id: int, parameters: Mapping[str, Any] | None) -> Token:
    """The same, but for what follows from it in this step."""
    process, row, token = failed_task(instance, task_id)
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


def skip_task(instance: Instance, task_id: int) -> None:
    """Go on without a failed task: what an attempt may have made is taken back first. Raises UnknownTask, Conflict."""
    leave_out_task(instance, task_id)
    settle(instance)


def leave_out_task(instance: Instance, task_id: int) -> None:
    """The same, but for what follows from it in this step."""
    process, row, token = failed_task(instance, task_id)
    _skip(process, token, row)


def skip(instance: Instance, element_id: str) -> None:
    """The same for an element, whether it has a task or none. Raises Conflict."""
    leave_out(instance, element_id)
    settle(instance)


def leave_out(instance: Instance, element_id: str) -> None:
    """The same, but for what follows from it in this step."""
    process, tokens = failed(instance, element_id)
    for token in tokens:
        _skip(process, token, row_of(process, token))


def done_by_hand(instance: Instance, task_id: int, outputs: Mapping[str, Any]) -> None:
    """Somebody has done a failed task's work: it counts as made with these outputs, and an undo is called with them.

    Raises UnknownTask, Conflict, Invalid for outputs that its stone does not declare.
    """
    enter_as_made(instance, task_id, outputs)
    settle(instance)


def enter_as_made(instance: Instance, task_id: int, outputs: Mapping[str, Any]) -> None:
    """The same, but for what follows from it in this step."""
    process, row, token = failed_task(instance, task_id)
    if row.stone is None or row.status.endswith("success"):
        text = f"The work of task {task_id} is done; what failed came after it: try it again, or skip it."
        raise Conflict(text, status=row.status, related=str(process.number), allowed=("rerun", "skip", "cancel"))
    _refuse_while_it_runs(process, row)
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
    _takes_up(process, token)
    process.workflow.task_done(token, row.id, jsontext.read(text))


def set_variables(instance: Instance, values: Mapping[str, Any], task_id: int | None = None) -> None:
    """Set variables of a process that has not ended, as they are seen from a task where one is named.

    Raises UnknownTask, Conflict, Invalid for values that the parameter template refuses, or that hold the mask in
    place of a secret.
    """
    process = forward_of(instance, ": ask for that again.")
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


# -- what has failed and stands still


def failed(instance: Instance, element_id: str | None) -> tuple[ForwardInstance, Sequence[Token]]:
    """All that stands still in a process, or at one element of it; raises Conflict where nothing does."""
    process = forward_of(instance, ": ask for that again.")
    refuse_suspended(process)
    tokens = process.waits_for_somebody
    found = [token for token in tokens if element_id in (None, token.node.bpmn_id)]
    if not found:
        places = ", ".join(sorted({token.node.label for token in tokens})[:5])
        where = "" if element_id is None else f" at {element_id[:80]!r}"
        text = f"Nothing of process {process.number} has failed{where} and waits for somebody"
        raise Conflict(f"{text}: that is so at {places}." if places else f"{text}.", status=process.row.status)
    return process, found


def failed_task(instance: Instance, task_id: int) -> tuple[ForwardInstance, TaskRow, Token]:
    """The same of one task; raises UnknownTask, Conflict."""
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    refuse_suspended(instance)
    waiting = instance.waits_for_somebody if isinstance(instance, ForwardInstance) else []
    token = next((each for each in waiting if each.id == row.token), None)
    if token is None or row.open or not isinstance(instance, ForwardInstance):
        text = f"Task {task_id} does not stand still after a failure, so there is nothing to decide about it."
        raise Conflict(text, status=row.status, related=str(instance.number))
    return instance, row, token


def row_of(process: ForwardInstance, token: Token) -> TaskRow | None:
    """The task of what stands still, if its element has one."""
    return process.tasks.get(token.internal_data.get(TASK, 0))


def _refuse_while_it_runs(process: ForwardInstance, row: TaskRow) -> None:
    if process.may_run(row.id):
        text = f"A hook of task {row.id} may still run: wait until it has ended, which its log tells."
        raise Conflict(text, status=row.status, related=str(process.number), allowed=("rerun", "cancel"))


def _takes_up(process: ForwardInstance, token: Token, state: int = STARTED) -> None:
    """The token goes on; with the last failure a process that stood still as a whole does too."""
    process.workflow.forget_failure(token)
    token._set_state(state)
    row = process.row
    if row.phase == "paused" and not process.workflow.failures:
        row.phase = "running"
        row.reason = None
        row.ended = None
        for other in process.tasks.open_rows():
            if other.status in ledger.HELD_BACK:
                goes_on(process, other.id)


# -- again


def _again(process: ForwardInstance, token: Token, row: TaskRow | None, parameters: Mapping[str, Any] | None) -> None:
    workflow, leaving = process.workflow, "leaving" in token.internal_data
    if leaving or row is None or not row.status.endswith("success"):
        if not leaving and row is not None:
            _again_in_stone(process, token, row, parameters)
            return
        _takes_up(process, token)
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
        _takes_up(process, token)
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
            text += " can be taken back before it begins with other parameters: register it, and try again."
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
            process.produce(row, token, token.node, given=parameters)
        except RiverstoneError as error:
            if parameters or process.has(Flags.DEBUG):
                raise
            process.workflow.fail(token, error.message)
            return
    else:
        try_again(process, row, *(edited or ()))
    process.changes.task_changed(row)
    _takes_up(process, token)
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
    """Run a task with other parameters as a row of its own, since nothing takes back what the old one may have made.

    That stays in the ledger with its own parameters and key, for a cancel or a delete.
    """
    _refuse_while_it_runs(process, row)
    node = token.node
    assert isinstance(node, StoneTask)
    token.causes = merged(token.causes, (row.id,))
    begun = process.begin_beside(token, node, row, parameters, references)
    text = "what its attempts may have made stays in the ledger, since the stone has no rollback"
    ledger.log(row, (f"Run again with other parameters as task {begun.id}; {text}.",))
    ledger.log(begun, (f"It runs task {row.id} again with other parameters; {text}.",))
    process.changes.task_changed(row)
    _takes_up(process, token)


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
            f"{text} {row.stone!r}: go back to it by a rewind, which takes it back and begins it anew.",
            status=row.status,
            related=str(process.number),
            allowed=("rewind", "skip", "cancel"),
        )
    if code not in process.facilities.stones:
        # What it declares says which of the new version's values it takes.
        text = f"No stone is registered for {code!r}, so nobody knows what task {row.id} takes in this version"
        raise Conflict(f"{text}: register it, and try again.", code="stone-missing", status=row.status)
    return resolve(process.facilities.stones, token, node, code, given=given)


def try_again(
    instance: Instance, row: TaskRow, edited: Mapping[str, Any] | None = None, references: Sequence[str] = ()
) -> None:
    """Make a failed row's next attempt, with fresh retries.

    With ``edited`` parameters what the last one may have made is taken back before, under its own.
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
        instance.leave_outside(row)
    ledger.drop(row, "failing", "looks")
    # The retries count from here; taking back what was left counts as none.
    ledger.keep(row, tried=row.attempt if row.event == "rollback" else row.attempt - 1, survived=row.lost)
    if instance.may_run(row.id):
        # A hook past its timeout: the next one begins when it has come back.
        row.due = instance.now()
    else:
        instance.hand_over(row, stone)


# -- without it


def _skip(process: ForwardInstance, token: Token, row: TaskRow | None) -> None:
    workflow = process.workflow
    if "leaving" in token.internal_data or not isinstance(token.node, Activity):
        text = f"{token.node.label} decides where it goes on, so it cannot be skipped"
        raise Conflict(
            f"{text}: set the variables that it reads, and try it again.",
            status=process.row.status,
            related=str(process.number),
            allowed=("retry", "cancel"),
        )
    if row is None or row.status.endswith("success"):
        _takes_up(process, token)
        workflow.guard(token, token.complete)
        return
    _refuse_while_it_runs(process, row)
    note_attempt(process, row, row.status, row.reason, edited=False)
    stone = process.facilities.stone_of(row)
    begun = row.undo != "never-begun"
    if begun and row.kind in ledger.FORWARD and stone.has("rollback"):
        row.open, row.ended, row.event, row.status = 1, None, "rollback", "produce.success"
        ledger.keep(row, skip=True, tried=row.attempt, survived=row.lost)
        process.changes.task_changed(row)
        _takes_up(process, token)
        workflow.open_tasks.add(token.id)
        process.hand_over(row, stone)
        return
    reason = row.reason
    process.end_task(row, "start.skipped")
    row.reason = reason
    _takes_up(process, token)
    workflow.task_skipped(token, row.id)
