"""Going back to a task: what causally came after it is undone, and then it begins again.

Of a game of tokens a step back is this: what the undone part has made goes, and what it has consumed of others comes
back. The ledger tells which rows that are, and the notes of the way (``bpmn/running/retracing``) what was consumed:
tokens that joins have merged, scopes that have ended, and variables that were written over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ....models import TaskRow
from ... import jsontext
from ...authoring.definitions import Definition
from ...bpmn.elements.boundary import armed
from ...bpmn.running.retracing import put_back
from ...bpmn.running.token import STARTED, Token
from ...bpmn.running.token_data import CALLED, RUN
from ...errors import Conflict, Invalid, UnknownTask
from ...instance.forward import ForwardInstance
from ...instance.instance import Instance
from ...instance.masked_values import unmasked_parameters, unmasked_variables
from ...ledger import causality, ledger
from ...undo.creation import create_rewind, steps_of
from ...undo.frozen import Order
from ...undo.order import is_kept, plan, stand_ins
from ...views.undo import MigrationPlan, RewindPlan
from ..partial_undo import runs_of
from ..settling import settle, settle_forward
from . import migrating
from .counters import count_back
from .retraces import Retraced, retraced
from .suspending import refuse_suspended


class WayBack(NamedTuple):
    """What a rewind to one task would do, found before anything of it is done."""

    found: Retraced
    order: Order
    """Of all that came after the task."""
    left: Order
    """The same without what is retained."""


def find_way(instance: Instance, task_id: int, kept: Collection[int] = ()) -> WayBack:
    """What a rewind to this task would do; raises UnknownTask, Conflict where there can be none."""
    found = look(instance, task_id)
    tasks = found.process.tasks
    order = plan(tasks, "rollback", found.undone)
    return WayBack(found, order, plan(tasks, "rollback", found.undone - set(kept)) if kept else order)


def request_rewind(
    way: WayBack,
    *,
    variables: Mapping[str, Any],
    parameters: Mapping[str, Any],
    kept: Collection[int],
    version: tuple[Definition, Mapping[str, str]] | None = None,
) -> None:
    """Undo what came after a task, and let it begin again. Raises Conflict, Invalid.

    Nothing is kept of it where it is refused. With another ``version`` of the model and a mapping of elements, the
    task begins again on that, and all that does not follow from it is moved there.
    """
    found, order = way.found, way.left
    process = found.process
    _refuse_unnamed(found, way.order, kept)
    variables = unmasked_variables(process, variables, process.workflow.task_tree)
    variables = _fitting(process, variables)
    parameters = unmasked_parameters(process, found.target, parameters)
    if version is not None:
        # Before any hook is asked to stop.
        migrating.refuse_beside(process, *version, found.target, found.is_after)
    for number in kept:
        process.tasks[number].undo = "retained"
    _fence(found)
    placeholder = _go_back(found)
    if version is not None:
        migrating.migrate_beside(process, *version)
    process.workflow.task_tree.set_variables(variables)
    if parameters:
        placeholder.note(given=dict(parameters))
    if not order.tasks:
        process.workflow.make_ready(placeholder)
        settle_forward(process)
        return
    undo = create_rewind(process, order)
    placeholder.note(rewinding=undo.number, undoes=runs_of(order.tasks))
    process.workflow.undos.rewinding[placeholder.id] = undo.number
    undo.row.phase = "running"
    undo.workflow.begin(None)
    settle(undo)
    settle_forward(process)


def look(instance: Instance, task_id: int) -> Retraced:
    """What a rewind to this task undoes and brings back; raises UnknownTask, Conflict where there can be none."""
    if not isinstance(instance, ForwardInstance):
        raise _refused(instance, f"Process {instance.number} is itself a {instance.row.kind}, which goes one way.")
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    refuse_suspended(instance)
    if instance.row.phase not in ("running", "paused"):
        text = f"Process {instance.number} has the status {instance.row.status!r}: only what has not ended can go back."
        raise _refused(instance, text)
    if instance.row.retraced < 0:
        text = "It began in a version that did not note the way of its tokens, so it cannot go back."
        raise _refused(instance, f"Process {instance.number}: {text}")
    if (rewind := _under_way(instance)) is not None:
        text = f"A rewind of process {instance.number} is under way: wait until it has ended, or let it go on by retry."
        raise _refused(instance, text, related=rewind)
    if row.kind != ledger.START or not ledger.in_force(row):
        text = f"Task {task_id} was undone, or undoes something itself: choose one that is in force."
        raise _refused(instance, text)
    found = retraced(instance, row)
    outside = [token for token in instance.waits_for_somebody if not found.is_after(token)]
    if instance.row.phase == "paused" and outside:
        text = f"{outside[0].node.label} has failed too and does not follow from task {task_id}: decide about it first."
        raise _refused(instance, text)
    _refuse_parts_of_handlers(instance, found.undone)
    return found


def needs_retaining(process: ForwardInstance, order: Order) -> list[TaskRow]:
    """The rows of an order that no rollback can undo: they have to be given up by name."""
    stands_for, stones = stand_ins(process.tasks), process.facilities.stones
    found = []
    for number in order.tasks:
        row = process.tasks[number]
        stone = stones.choose(row.stone, row.parameters)
        handled = number in stands_for and not is_kept(row, "rollback")
        if is_kept(row, "rollback") or not (handled or stone is None or stone.has("rollback")):
            found.append(row)
    return found


def _refuse_unnamed(found: Retraced, order: Order, kept: Collection[int]) -> None:
    process = found.process
    needed = {row.id: row for row in needs_retaining(process, order)}
    wrong = sorted(set(kept) - set(needed))
    if wrong:
        text = f"Task {wrong[0]} can be undone, or is not undone by this rewind: it is not to be retained."
        raise Invalid(text, code="retain-invalid", errors={"retain": [text]})
    left = [row for number, row in sorted(needed.items()) if number not in kept]
    if left:
        named = ", ".join(f"{row.id} ({row.namespace}, stone {row.stone})" for row in left[:20])
        text = f"No rollback undoes what these tasks made: {named}. Name them in retain, and it stays for good."
        raise _refused(process, text)


def _fitting(process: ForwardInstance, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variables with the types of the parameter template; raises Invalid for what it refuses."""
    template = process.definition.parameter_template
    errors = {
        name: list(texts)
        for name, value in variables.items()
        if template is not None and value is not None and (texts := template.violations((name,), value))
    }
    if errors:
        raise Invalid("The parameter template refuses these values.", code="variables-invalid", errors=errors)
    if template is not None:
        variables = template.typed(variables)
    process.weight.foresee(dict(variables))
    return variables


def _refuse_parts_of_handlers(process: ForwardInstance, undone: Collection[int]) -> None:
    """A handler of the model undoes all that its activity made, or nothing."""
    for head in set(stand_ins(process.tasks).values()):
        covered = set(ledger.covers(process.tasks[head]))
        if covered & set(undone) and not covered <= set(undone):
            first = min(covered)
            text = f"A compensation handler undoes more than came after that: go back to task {first} or before it."
            raise _refused(process, text)


def _under_way(process: ForwardInstance) -> int | None:
    return next(iter(process.workflow.undos.rewinding.values()), None)


def _refused(instance: Instance, text: str, related: int | None = None) -> Conflict:
    return Conflict(
        text, status=instance.row.status, code="rewind-refused", related=None if related is None else str(related)
    )


# -- doing it


def _fence(found: Retraced) -> None:
    """What is undone moves no token any more: its hooks are asked to stop, and its tokens go."""
    process = found.process
    workflow = process.workflow
    for number in sorted(found.undone):
        row = process.tasks[number]
        if row.open:
            process.stop_task(row, "canceled", "It was stopped, since its process goes back to an earlier task.")
        ledger.rewind(row)
        if row.stone is None and row.undo is None:
            row.undo = "never-begun"
        process.changes.task_marked(row)
    for token in sorted(workflow.tasks.values(), key=lambda token: token.id):
        if token.id in workflow.tasks and found.is_after(token):
            for listener in armed(token):
                workflow.cancel_token(listener)
            workflow.cancel_token(token)


def _go_back(found: Retraced) -> Token:
    """Bring back what was consumed; the token that is to begin the task again."""
    process, workflow = found.process, found.process.workflow
    for kept in found.scopes:
        _reopen(found, kept)
    for scope_id in found.around:
        scope = workflow.tasks[scope_id]
        if not found.undone.isdisjoint(scope.causes):
            # A loop follows its last turn: now that of the turn before.
            before = tuple(cause for cause in scope.causes if cause not in found.undone)
            scope.causes = before or tuple(causality.after(found.target, process.tasks))
            workflow.touched[scope.id] = scope
    for scope in list(workflow.tasks.values()):
        if scope.ended & found.undone:
            scope.ended -= found.undone
            workflow.touched[scope.id] = scope
        entries = scope.internal_data.get("compensable")
        if entries and (left := [each for each in entries if not found.undone.intersection(each["tasks"])]) != entries:
            scope.note(compensable=left)
    count_back(found)
    for kept in found.joining:
        if kept["id"] in workflow.tasks:
            # It was brought back before, and waits yet.
            continue
        token = put_back(workflow, kept)
        token.node.resume(token)
    _restore_variables(found)
    process.gather_results_anew()
    target = found.target
    scope = workflow.tasks[target.scope]
    token = workflow.new_token(
        workflow.node_named(target.node, scope),
        scope,
        None,
        tuple(causality.after(target, process.tasks)),
        state=STARTED,
    )
    token.data = jsontext.read(target.locals) if target.locals else {}
    if target.run is not None:
        token.note(run=target.run)
    if found.fired:
        token.note(fired=found.fired)
        if workflow.way is not None:
            # The task that begins here may be gone back to as well.
            workflow.way.fired(token)
    if process.row.phase == "paused":
        process.row.phase, process.row.reason, process.row.ended = "running", None, None
    return token


def _reopen(found: Retraced, kept: Mapping[str, Any]) -> None:
    """A scope that had ended: its listeners listen again, and its timers are set anew."""
    scope = put_back(found.process.workflow, kept, state=STARTED)
    scope.ended.update(set(kept["ended"]) - found.undone)
    node = scope.node
    if RUN not in scope.internal_data:
        for event in getattr(node, "boundary", ()):
            event.listen(scope)
    body = scope.body if CALLED in scope.internal_data else node.body
    repeated = getattr(node, "loop", None) is not None and RUN not in scope.internal_data
    if body is not None and not repeated:
        for handler in body.event_sub_processes:
            handler.listen(scope)


def _restore_variables(found: Retraced) -> None:
    workflow = found.process.workflow
    for (scope_id, name), (had, value) in found.variables.items():
        scope = workflow.tasks.get(scope_id) if scope_id else None
        if scope_id and scope is None:
            continue
        if scope is None:
            known = workflow.root_context.parameters
            found.process.weight.replace(known.get(name), value if had else None)
            workflow.variables_changed = True
        else:
            known = scope.internal_data["parameters"] if CALLED in scope.internal_data else scope.data
            workflow.touched[scope.id] = scope
        if had:
            known[name] = value
        else:
            known.pop(name, None)
    workflow.conditions.may_differ()


def preview_rewind(
    instance: Instance, task_id: int, version: tuple[Definition, Mapping[str, str]] | None = None
) -> RewindPlan:
    """What a rewind would do now, its values unmasked. Raises UnknownTask, Conflict, Invalid.

    Nothing is changed, but with another ``version`` of the model: then it is done to the instance, which is to be a
    copy that nobody keeps.
    """
    found = look(instance, task_id)
    tasks = found.process.tasks
    order = plan(tasks, "rollback", found.undone)
    needed = {row.id for row in needs_retaining(found.process, order)}
    steps = steps_of(instance, order)
    told = RewindPlan(
        to=str(task_id),
        steps=tuple([replace(step, action="retain" if int(step.task_id) in needed else "rollback") for step in steps]),
        variables={name: value for (scope, name), (_, value) in found.variables.items() if not scope},
        begins_again=(found.target.node, *dict.fromkeys(str(kept["node"]) for kept in found.joining)),
        opened_again=tuple(str(kept["node"]) for kept in found.scopes),
        people=tuple(str(number) for number in sorted(found.undone) if tasks[number].stone is None),
        fired=found.stays,
    )
    return told if version is None else replace(told, migration=_rehearse_move(found, *version))


def _rehearse_move(found: Retraced, definition: Definition, mapping: Mapping[str, str]) -> MigrationPlan:
    """What would be moved to another version, brought back tokens among it; the process is a copy afterwards."""
    process = found.process
    process.rehearse()
    before = migrating.look_beside(process, definition, mapping, found.target, found.is_after)
    if before.findings or before.busy:
        return before.plan()
    _fence(found)
    _go_back(found)
    return migrating.rehearse(process, definition, mapping)
