"""Taking back what a process did: the undo set and its order, and the life of rollback, cancel and delete.

Undo reads the ledger and nothing else: the frozen parameters, stone, outputs and ``after`` of each row, never
today's model or a stone's defaults. It is a process instance like any other, with a generated model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from ..models import ContentRow, DeploymentRow, InstanceRow, TaskRow
from . import jsontext, step
from .bpmn.activities import StoneTask
from .bpmn.token import ERROR, STARTED, Token
from .definition import digest_of, pack
from .errors import Conflict, Invalid
from .instance import Flags, Instance
from .undo_model import UndoNode, undo_model
from .views import UndoStep

Kind = Literal["rollback", "cancel", "delete"]

DONE_WITH = frozenset({"undone", "retained", "never-begun"})
"""What a row's ``undo`` says when no undo will touch it again."""


# -- what is undone, and in which order


def undo_set(instance: Instance, kind: str) -> list[TaskRow]:
    """Every row that may have begun, less what is undone, retained for ever, or was only a mock."""
    return [
        row
        for row in instance.tasks.values()
        if row.kind == "start" and row.stone is not None and row.undo not in DONE_WITH and row.event != "mock"
    ]


@dataclass(frozen=True, slots=True)
class Step:
    """One row to undo, after the rows in ``after``: those that causally followed it."""

    row: TaskRow
    after: tuple[int, ...]


def plan(instance: Instance, rows: Sequence[TaskRow]) -> list[Step]:
    """The undo of these rows: each comes after all that followed it, and independent ones stay independent."""
    wanted = {row.id for row in rows}
    followed = _followed(instance.tasks, wanted)
    after: dict[int, list[int]] = {task_id: [] for task_id in wanted}
    for task_id, predecessors in followed.items():
        for predecessor in predecessors:
            after[predecessor].append(task_id)
    return [Step(row, tuple(sorted(after[row.id]))) for row in sorted(rows, key=lambda row: row.id)]


def _followed(tasks: Mapping[int, TaskRow], wanted: set[int]) -> dict[int, list[int]]:
    """For each wanted row the wanted rows that it directly followed, seen through the rows between that are not wanted."""
    position = {task_id: index for index, task_id in enumerate(sorted(wanted))}
    near: dict[int, frozenset[int]] = {}
    ancestors: dict[int, int] = {}
    direct: dict[int, list[int]] = {}
    for task_id in _causal_order(tasks):
        found: set[int] = set()
        for predecessor in _after(tasks[task_id]):
            if predecessor in wanted:
                found.add(predecessor)
            else:
                found |= near.get(predecessor, frozenset())
        reached = 0
        for predecessor in found:
            reached |= ancestors[predecessor]
        kept = [predecessor for predecessor in sorted(found) if not reached >> position[predecessor] & 1]
        near[task_id] = frozenset(kept)
        if task_id in wanted:
            direct[task_id] = kept
            ancestors[task_id] = reached
            for predecessor in kept:
                ancestors[task_id] |= 1 << position[predecessor]
    return direct


def _after(row: TaskRow) -> list[int]:
    return json.loads(row.after) if row.after else []


def _causal_order(tasks: Mapping[int, TaskRow]) -> Iterable[int]:
    """Task ids so that each comes after all that it followed; ids alone do not say so with several engines."""
    done: set[int] = set()
    for first in sorted(tasks):
        stack = [first]
        while stack:
            task_id = stack[-1]
            waiting = [p for p in _after(tasks[task_id]) if p in tasks and p not in done] if task_id not in done else []
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if task_id not in done:
                done.add(task_id)
                yield task_id


def preview(instance: Instance, kind: Kind) -> list[UndoStep]:
    """What an undo would do now, in order; nothing is changed."""
    steps = plan(instance, undo_set(instance, kind))
    return [
        UndoStep(
            task_id=str(each.row.id),
            name=each.row.name or each.row.node,
            namespace=each.row.namespace,
            stone=each.row.stone,
            action=_action(instance, each.row, kind),
            after=tuple(str(task_id) for task_id in each.after),
        )
        for each in _in_undo_order(steps)
    ]


def _in_undo_order(steps: Sequence[Step]) -> list[Step]:
    left = {each.row.id: set(each.after) for each in steps}
    ordered: list[Step] = []
    pending = sorted(steps, key=lambda each: -each.row.id)
    while pending:
        ready = [each for each in pending if not left[each.row.id]]
        for each in ready:
            ordered.append(each)
        gone = {each.row.id for each in ready}
        pending = [each for each in pending if each.row.id not in gone]
        for each in pending:
            left[each.row.id] -= gone
    return ordered


def _action(instance: Instance, row: TaskRow, kind: str) -> str:
    if _is_kept(row, kind):
        return "retain"
    if kind == "rollback" and _handler_of(instance, row) is not None:
        return kind
    stone = instance.facilities.stones.choose(row.stone, row.parameters)
    return kind if stone is None or stone.has(kind) else "retain"


def _is_kept(row: TaskRow, kind: str) -> bool:
    """Whether the node's policy keeps what the task made."""
    return row.policy == "retain" or (row.policy == "retain-except-on-failed-start" and kind != "rollback")


def _handler_of(instance: Instance, row: TaskRow) -> StoneTask | None:
    """The compensation handler in the model, which stands in for the stone's own rollback."""
    node = instance.definition.process.find(row.node)
    handler = getattr(node, "compensation", None)
    return handler if isinstance(handler, StoneTask) else None


# -- the undo process


def create_undo(origin: Instance, kind: Kind) -> Instance:
    """The undo instance, its generated model and its link, in the transaction of the origin's change of state."""
    facilities = origin.facilities
    steps = plan(origin, undo_set(origin, kind))
    now = origin.now()
    number = facilities.store.new_id()
    key = f"{origin.row.key}-{kind}-{number}"[:255]
    source = undo_model(key, f"{kind} of {origin.row.name}"[:255], kind, [_node(origin, each, kind) for each in steps])
    deployment = DeploymentRow(
        id=str(uuid4()),
        model_id=None,
        key=key,
        name=f"{kind} of {origin.row.name}"[:255],
        version=0,
        digest=digest_of([source], None, None),
        sources=pack([source]),
        parameter_template=None,
        outputs_template=None,
        created=now,
    )
    row = InstanceRow(
        process_instance_id=number,
        id=str(uuid4()),
        model_id=None,
        model_key=None,
        deployment_id=deployment.id,
        key=key,
        name=origin.row.name,
        kind=kind,
        status="running",
        phase="created",
        flags=0,
        revision=0,
        next_token=1,
        steps=0,
        started=now,
        business_key=origin.row.business_key,
        origin=origin.number,
    )
    content = ContentRow(number, "{}")
    changes = origin.changes
    changes.new_deployments.append(deployment)
    changes.new_instances[number] = row
    changes.new_contents[number] = content
    undo = Instance(facilities, row, content, facilities.definitions.add(deployment), {})
    undo.changes = changes
    undo.origin = origin
    setattr(origin.row, f"{kind}_id", number)
    origin.row.status = f"{kind}.begin"
    origin.row.ended = origin.row.ended or now
    origin.made.append(undo)
    return undo


def _node(origin: Instance, each: Step, kind: str) -> UndoNode:
    row = each.row
    handler = _handler_of(origin, row) if kind == "rollback" else None
    properties = {"target": str(row.id)}
    code = row.stone or ""
    if handler is not None and not _is_kept(row, kind):
        code = str(handler.code.evaluate(origin.context))
        _, parameters = origin.resolve(_no_token(origin), handler, code, origin.context)
        properties |= {"event": "start", "parameters": jsontext.dumps(parameters)}
    return UndoNode(row.id, row.name or row.node, code, each.after, properties)


def _no_token(origin: Instance) -> Token:
    """A place outside of all scopes, for evaluating what has no token of its own."""
    return Token(origin.workflow, origin.workflow.spec.root, None, 0, STARTED)


def begin_undo(origin: Instance, kind: Kind) -> None:
    """Let the undo run, creating it first where that has not been done when the origin was fenced off."""
    existing = getattr(origin.row, f"{kind}_id")
    undo = create_undo(origin, kind) if existing is None else origin.undo_instance(existing)
    origin.row.phase = "undoing"
    undo.row.phase = "running"
    step.begin(undo, None, {})


# -- tasks of an undo process


def begin_undo_task(undo: Instance, token: Token) -> None:
    """The task that undoes one row of the origin's ledger."""
    node = token.node
    assert isinstance(node, StoneTask) and undo.origin is not None
    target = undo.origin.tasks[int(node.binding.properties["target"])]
    kind = undo.row.kind
    row = undo.new_task(token, target.stone, target.namespace, kind=kind, event=kind)
    row.target = target.id
    row.parameters = target.parameters
    row.name = target.name or target.node
    if "event" in node.binding.properties:
        row.stone = node.binding.stone
        row.event = node.binding.properties["event"]
        row.parameters = node.binding.properties["parameters"]
    hand_over_undo(undo, row, token)


def hand_over_undo(undo: Instance, row: TaskRow, token: Token) -> None:
    """Hand the task over, or pass over what is kept by policy or has no such hook."""
    assert undo.origin is not None and row.target is not None
    target = undo.origin.tasks[row.target]
    kind = undo.row.kind
    if _is_kept(target, kind):
        _pass_over(undo, row, token, "retained", f"The policy of {target.node!r} keeps it.")
        return
    if row.stone not in undo.facilities.stones:
        row.status = "stone-missing"
        row.reason = f"No stone is registered for {row.stone!r}; the undo goes on when there is one."
        undo.changes.task_changed(row)
        return
    stone = undo.facilities.stones.choose(row.stone, row.parameters)
    if stone is None or not stone.has(row.event):
        _pass_over(undo, row, token, "skipped", f"The stone {row.stone!r} has no {kind}, so what it made is kept.")
        return
    undo.handed.append(row)


def _pass_over(undo: Instance, row: TaskRow, token: Token, mark: str, reason: str) -> None:
    undo.end_task(row, "canceled" if undo.row.kind == "cancel" else f"{undo.row.kind}.skipped")
    row.reason = reason
    _mark(undo, row, mark)
    undo.workflow.task_done(token, row.id, {})


def _mark(undo: Instance, row: TaskRow, mark: str) -> None:
    """What became of the origin's row, written with the origin's revision so that no stale copy of it lives on."""
    assert undo.origin is not None and row.target is not None
    target = undo.origin.tasks[row.target]
    target.undo = mark
    undo.changes.task_changed(target)
    undo.changes.instance_changed(undo.origin.row)


def undo_done(undo: Instance, row: TaskRow, token: Token | None) -> None:
    """The hook has taken the row back."""
    row.progress = 100
    reason = row.reason
    undo.end_task(row, f"{undo.row.kind}.success")
    row.reason = reason
    _mark(undo, row, "undone")
    if token is not None:
        undo.workflow.task_done(token, row.id, {})


def undo_failed(undo: Instance, row: TaskRow, token: Token | None, reason: str) -> None:
    """The hook has failed for good: independent branches go on, what must come later waits."""
    undo.end_task(row, f"{undo.row.kind}.failed", reason)
    _mark(undo, row, "failed")
    if token is not None:
        text = f"The {undo.row.kind} of task {row.target} ({row.namespace}, stone {row.stone}) failed: {reason}"
        undo.workflow.task_failed(token, row.id, None, text)


def undo_ended(undo: Instance) -> None:
    """The undo has come to its end, well or not; its origin follows in the same transaction."""
    origin = undo.origin
    assert origin is not None
    kind = undo.row.kind
    success = undo.row.status == "success"
    origin.row.status = f"{kind}.{'success' if success else 'failed'}"
    origin.row.phase = "ended"
    pending = origin.row.pending
    origin.row.pending = None
    undo.changes.instance_changed(origin.row)
    if kind == "cancel" and success and pending == "delete":
        begin_undo(origin, "delete")


# -- what may be asked for


def request_cancel(instance: Instance, *, force: bool) -> None:
    """Cancel a running or paused process; asked again, the same cancel goes on."""
    _refuse_for_undo(instance, "cancelled")
    row = instance.row
    if row.cancel_id is not None:
        _ask_again(instance, "cancel", row.cancel_id, ())
        if force and row.phase == "draining":
            _skip_grace(instance)
        return
    if row.phase not in ("running", "paused", "draining"):
        raise _in_the_way(instance, "cancelled")
    _fence(instance, "cancel", force=force)


def request_delete(instance: Instance, *, force: bool, retain: Sequence[int]) -> None:
    """Delete what an ended process made; asked again after a failure, the same delete goes on."""
    _refuse_for_undo(instance, "deleted")
    row = instance.row
    if instance.has(Flags.PROTECTED):
        raise Conflict(
            f"Process {instance.number} is protected against deletion: lift the protection first.",
            code="protected",
            status=row.status,
        )
    if row.delete_id is not None:
        _ask_again(instance, "delete", row.delete_id, retain)
        return
    if retain:
        raise Invalid("Tasks can be retained only after they have failed in a delete.", code="retain-invalid")
    if row.phase == "ended":
        begin_undo(instance, "delete")
        step.settle(instance)
        return
    if force and row.cancel_id is not None:
        row.pending = "cancel delete" if row.phase == "draining" else "delete"
        step.settle(instance)
        return
    if force and row.phase in ("running", "paused", "draining"):
        _fence(instance, "cancel delete", force=False)
        return
    raise _in_the_way(instance, "deleted")


def _fence(instance: Instance, pending: str, *, force: bool) -> None:
    """No token moves any more: results feed the ledger only, running hooks are told to stop, the cancel stands ready."""
    instance.row.phase = "draining"
    instance.row.pending = pending
    instance.row.ended = instance.now()
    step.drain(instance)
    create_undo(instance, "cancel")
    if force:
        _skip_grace(instance)
    else:
        step.settle(instance)


def _skip_grace(instance: Instance) -> None:
    instance.row.due = instance.now()
    step.grace_over(instance)


def _refuse_for_undo(instance: Instance, what: str) -> None:
    if instance.is_undo:
        raise Conflict(
            f"Process {instance.number} is itself a {instance.row.kind}, which cannot be {what}.",
            code="is-undo",
            status=instance.row.status,
            related=str(instance.row.origin),
        )


def _in_the_way(instance: Instance, what: str) -> Conflict:
    row = instance.row
    allowed = {"running": ("cancel",), "paused": ("cancel", "rerun", "resume"), "ended": ("delete",)}.get(row.phase, ())
    related = row.delete_id or row.cancel_id or row.rollback_id
    return Conflict(
        f"Process {instance.number} has the status {row.status!r} and cannot be {what} now"
        + (f": allowed is {' or '.join(allowed)}." if allowed else ": wait until its undo has ended."),
        status=row.status,
        allowed=allowed,
        related=str(related) if related is not None else None,
    )


def _ask_again(origin: Instance, kind: Kind, undo_id: int, retain: Sequence[int]) -> None:
    if origin.row.status == f"{kind}.failed" and origin.row.phase == "ended":
        resume_undo(origin, kind, undo_id, retain)
    elif retain:
        raise Conflict(
            f"Tasks can be retained only after the {kind} has failed.", status=origin.row.status, related=str(undo_id)
        )
    elif origin.row.phase == "ended" and getattr(origin.row, "delete_id") not in (None, undo_id):
        raise _in_the_way(origin, "cancelled" if kind == "cancel" else "deleted")


def retry(origin: Instance, retain: Sequence[int]) -> None:
    """Let whichever undo of this process has failed go on."""
    _refuse_for_undo(origin, "retried")
    kind, _, end = origin.row.status.partition(".")
    if end != "failed" or kind not in ("rollback", "cancel", "delete") or origin.row.phase != "ended":
        raise Conflict(f"No undo of process {origin.number} has failed.", status=origin.row.status)
    resume_undo(origin, kind, getattr(origin.row, f"{kind}_id"), retain)


def resume_undo(origin: Instance, kind: Kind, undo_id: int, retain: Sequence[int]) -> None:
    """The same undo instance goes on: what failed is tried again with fresh counters, or retained for ever."""
    undo = origin.undo_instance(undo_id)
    failed = {row.target: row for row in undo.tasks.values() if row.status.endswith(".failed") and not row.open}
    unknown = [task_id for task_id in retain if task_id not in failed]
    if unknown:
        raise Invalid(
            f"Only tasks that failed in the {kind} can be retained, not {', '.join(map(str, unknown))}.",
            code="retain-invalid",
            errors={"retain": [f"{task_id} has not failed." for task_id in unknown]},
        )
    undo.row.phase = "running"
    undo.row.status = "running"
    undo.row.ended = None
    undo.row.reason = None
    origin.row.status = f"{kind}.begin"
    origin.row.phase = "undoing"
    origin.changes.instance_changed(origin.row)
    for target, row in failed.items():
        token = undo.workflow.tasks[row.token]
        undo.workflow.failures.pop(token.id, None)
        token._set_state(STARTED)
        if target in retain:
            undo.end_task(row, f"{kind}.retained", f"{row.reason} Retained on request.")
            row.reason = f"{row.reason} Retained on request." if row.reason else "Retained on request."
            _mark(undo, row, "retained")
            undo.workflow.task_done(token, row.id, {})
            continue
        row.open = 1
        row.ended = None
        row.status = "produce.success"
        row.attempt += 1
        row.state = jsontext.dumps({"tried": row.attempt - 1})
        row.owner = origin.facilities.engine_id
        undo.workflow.open_tasks.add(token.id)
        undo.changes.task_changed(row)
        hand_over_undo(undo, row, token)
    step.settle(undo)


__all__ = ["ERROR", "Kind", "begin_undo", "preview", "request_cancel", "request_delete", "undo_set"]
