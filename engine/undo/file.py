"""The BPMN file of an undo with its diagram, made when somebody first reads it and the same to the byte ever after."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ...models import DeploymentRow, Store, StoreError, TaskRow
from ..authoring.sources import pack
from .frozen import Order
from .order import handler_used

NOT_MADE = "[]"
"""The sources of an undo whose file nobody has read."""


def sources_of(store: Store, deployment: DeploymentRow) -> str:
    """The packed files of any deployment; those of an undo are made and kept. May raise StoreError."""
    if deployment.undo_order is None or deployment.sources != NOT_MADE:
        return deployment.sources
    sources = pack([_drawn(store, deployment, Order.read(deployment.undo_order))])
    with suppress(StoreError):
        # Whoever was first has made the same; where nothing can be written, it is made again for the next.
        return store.catalogue.keep_sources(deployment.id, sources, instead_of=NOT_MADE)
    return sources


def _drawn(store: Store, deployment: DeploymentRow, order: Order) -> bytes:
    from .model import UndoNode, undo_model  # late, like all that draws

    rows = {row.id: row for row in store.tasks(order.origin)}
    nodes = []
    for row in (rows[task_id] for task_id in order.in_order() if task_id in rows):
        handler = None if row.id in order.alone else handler_used(row, order.kind)
        stone = (row.stone or "") if handler is None else handler.get("stone", "")
        nodes.append(UndoNode(row.id, name_of(row, handler), stone, row.id in order.called))
    return undo_model(deployment.key, deployment.name, nodes, order.groups)


def name_of(row: TaskRow, handler: dict[str, Any] | None) -> str:
    """What a task of an undo is called."""
    return str((handler or {}).get("of") or row.name or row.node)
