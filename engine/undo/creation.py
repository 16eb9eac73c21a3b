"""Rollback, cancel and delete as process instances of their own, with a model made from what was executed."""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from ...models import ContentRow, DeploymentRow, InstanceRow, SummaryRow
from ...models.vocabulary import UNDO_BEGUN, UNDO_KINDS, InstanceKind, UndoKind
from .. import failpoints
from ..authoring.sources import digest_of
from ..bpmn.running.results import runs_in
from ..instance.forward import ForwardInstance
from ..instance.instance import Instance
from ..ledger import ledger
from ..ledger.window import Window
from ..observing import tracing
from ..views.undo import UndoStep
from .file import NOT_MADE, name_of
from .frozen import Order
from .instance import UndoInstance
from .nodes import undo_definition
from .order import handler_of, handler_used, is_kept, plan


def undo_ids(row: InstanceRow | SummaryRow) -> dict[str, int]:
    """The ids of an instance's undos by kind, oldest first."""
    found: dict[str, int | None] = {"rewind": row.rewind_id} if row.kind == "start" else {}
    found |= {kind: getattr(row, f"{kind}_id") for kind in UNDO_KINDS}
    return {kind: number for kind, number in found.items() if number is not None}


def preview(instance: Instance, kind: UndoKind) -> list[UndoStep]:
    """What an undo would do now, in order; nothing is changed."""
    return steps_of(instance, plan(instance.tasks, kind))


def steps_of(instance: Instance, order: Order) -> list[UndoStep]:
    """The same of an order that is known."""
    stones, kind = instance.facilities.stones, order.kind
    shown: list[UndoStep] = []
    after = order.after()
    shown_before: dict[int, tuple[str, ...]] = {}
    for task_id in order.in_order():
        row = instance.tasks[task_id]
        stone = stones.choose(row.stone, row.parameters)
        handler = None if task_id in order.alone else handler_of(row, kind)
        before = after[task_id]
        if id(before) not in shown_before:
            shown_before[id(before)] = tuple(map(str, before))
        undone = handler is not None or stone is None or stone.undeclared or stone.has(kind)
        shown.append(
            UndoStep(
                task_id=str(row.id),
                name=name_of(row, handler),
                namespace=(handler or {}).get("namespace", row.namespace),
                stone=row.stone if handler is None else handler.get("stone"),
                action=kind if undone and not is_kept(row, kind) else "retain",
                after=shown_before[id(before)],
                runs=tuple(runs_in(ledger.place(row))),
            )
        )
    return shown


def create_undo(origin: ForwardInstance, kind: UndoKind) -> UndoInstance:
    """The undo instance, its order and its link, in the transaction of the origin's change of state."""
    undo = _create(origin, kind, plan(origin.tasks, kind))
    setattr(origin.row, f"{kind}_id", undo.number)
    origin.row.status = UNDO_BEGUN[kind]
    origin.row.ended = origin.row.ended or origin.now()
    failpoints.reach("undo-created")
    return undo


def create_rewind(origin: ForwardInstance, order: Order) -> UndoInstance:
    """The undo of a part of what a process has made, which goes on beside it."""
    undo = _create(origin, "rewind", order)
    undo.row.rewind_id, origin.row.rewind_id = origin.row.rewind_id, undo.number
    failpoints.reach("undo-created")
    return undo


def _create(origin: ForwardInstance, kind: UndoKind | Literal["rewind"], order: Order) -> UndoInstance:
    facilities = origin.facilities
    now = origin.now()
    number = facilities.store.ids.next()
    order = _frozen(origin, order)
    deployment = _deployment(origin, kind, order, number)
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
        priority=origin.row.priority,
    )
    content = ContentRow(number, "{}")
    origin.changes.rare.new_deployments.append(deployment)
    origin.changes.new_instances[number] = row
    origin.changes.new_contents[number] = content
    tasks = Window(facilities.store, number)
    undo = UndoInstance(facilities, row, content, undo_definition(deployment, order), tasks, origin)
    origin.turn.join(undo)
    tracing.begun(row, origin.row)
    return undo


def _frozen(origin: ForwardInstance, order: Order) -> Order:
    kind = order.kind
    rows = [row for task_id in order.tasks if (row := origin.tasks[task_id]).undo != "left"]
    called = [row.id for row in rows if row.id not in order.alone and "entry" in (handler_used(row, kind) or ())]
    return order._replace(origin=origin.number, called=frozenset(called))


def _deployment(origin: ForwardInstance, kind: InstanceKind, order: Order, number: int) -> DeploymentRow:
    """What the undo runs; its file is made when somebody reads it first."""
    text = order.text()
    return DeploymentRow(
        id=str(uuid4()),
        model_id=None,
        key=f"{origin.row.key[:200]}-{kind}-{number}",
        name=f"{kind} of {origin.row.name}"[:255],
        version=0,
        digest=digest_of([text.encode()], None, None),
        sources=NOT_MADE,
        parameter_template=None,
        outputs_template=None,
        created=origin.now(),
        undo_order=text,
    )
