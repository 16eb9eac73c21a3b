"""Rollback, cancel and delete as process instances of their own, with a model made from what was executed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from ...models import ContentRow, DeploymentRow, InstanceRow, TaskRow
from ...models.vocabulary import UNDO_BEGUN, UNDO_KINDS, UndoKind
from .. import failpoints
from ..authoring.sources import digest_of, pack
from ..instance.forward import ForwardInstance
from ..instance.instance import Instance
from ..observing import tracing
from ..views import UndoStep
from .instance import UndoInstance
from .order import handler_of, is_kept, plan


def undo_ids(row: InstanceRow) -> dict[str, int]:
    """The ids of an instance's undos by kind, oldest first."""
    found = {kind: getattr(row, f"{kind}_id") for kind in UNDO_KINDS}
    return {kind: number for kind, number in found.items() if number is not None}


def preview(instance: Instance, kind: UndoKind) -> list[UndoStep]:
    """What an undo would do now, in order; nothing is changed."""
    stones = instance.facilities.stones
    shown: list[UndoStep] = []
    order = plan(instance.tasks, kind)
    after = {task_id: tuple(map(str, before)) for task_id, before in order.after().items()}
    for task_id in order.in_order():
        row = instance.tasks[task_id]
        stone = stones.choose(row.stone, row.parameters)
        handler = handler_of(row, kind)
        undone = handler is not None or stone is None or stone.has(kind)
        shown.append(
            UndoStep(
                task_id=str(row.id),
                name=_name_of(row, handler),
                namespace=(handler or {}).get("namespace", row.namespace),
                stone=row.stone if handler is None else handler.get("stone"),
                action=kind if undone and not is_kept(row, kind) else "retain",
                after=after[task_id],
            )
        )
    return shown


def create_undo(origin: ForwardInstance, kind: UndoKind) -> UndoInstance:
    """The undo instance, its generated model and its link, in the transaction of the origin's change of state."""
    facilities = origin.facilities
    now = origin.now()
    number = facilities.store.new_id()
    deployment = _deployment(origin, kind, number)
    row = InstanceRow(
        process_instance_id=number,
        id=str(uuid4()),
        model_id=None,
        model_key=None,
        deployment_id=deployment.id,
        key=deployment.key,
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
        owner_name=origin.row.owner_name,
    )
    content = ContentRow(number, "{}")
    origin.changes.new_deployments.append(deployment)
    origin.changes.new_instances[number] = row
    origin.changes.new_contents[number] = content
    undo = UndoInstance(facilities, row, content, facilities.definitions.add(deployment), {}, origin)
    origin.turn.join(undo)
    tracing.begun(row, origin.row)
    setattr(origin.row, f"{kind}_id", number)
    origin.row.status = UNDO_BEGUN[kind]
    origin.row.ended = origin.row.ended or now
    failpoints.reach("undo-created")
    return undo


def _deployment(origin: ForwardInstance, kind: UndoKind, number: int) -> DeploymentRow:
    # Late, for a program that takes nothing back draws no model of that.
    from .model import UndoNode, undo_model

    nodes = []
    order = plan(origin.tasks, kind)
    for task_id in order.in_order():
        row = origin.tasks[task_id]
        handler = None if is_kept(row, kind) else handler_of(row, kind)
        stone = (row.stone or "") if handler is None else handler.get("stone", "")
        called = handler is not None and "entry" in handler
        nodes.append(UndoNode(row.id, _name_of(row, handler), stone, called))
    key = f"{origin.row.key[:200]}-{kind}-{number}"
    name = f"{kind} of {origin.row.name}"[:255]
    source = undo_model(key, name, nodes, order.groups)
    return DeploymentRow(
        id=str(uuid4()),
        model_id=None,
        key=key,
        name=name,
        version=0,
        digest=digest_of([source], None, None),
        sources=pack([source]),
        parameter_template=None,
        outputs_template=None,
        created=origin.now(),
    )


def _name_of(row: TaskRow, handler: dict[str, Any] | None) -> str:
    return str((handler or {}).get("of") or row.name or row.node)
