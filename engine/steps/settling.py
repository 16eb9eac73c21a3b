"""How an instance goes on: it runs until it waits, ends, or fails and drains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.vocabulary import UNDER_WAY
from .. import jsontext
from ..bpmn.running.node import Node
from ..errors import ExpressionError, LimitExceeded
from ..instance.forward import ForwardInstance
from ..instance.instance import Instance
from ..undo.instance import UndoInstance
from .draining import end_if_drained, fail
from .partial_undo import begin_undos
from .undoing import settle_undo


def begin(instance: ForwardInstance, entry: Node | None, payload: Mapping[str, Any]) -> None:
    """Start a new instance: at its none start events, or where a message or a signal triggered it."""
    workflow = instance.workflow
    workflow.begin(entry)
    if payload:
        root = workflow.task_tree
        first = next((token for token in root.children if token.node is entry), root)
        first.node.receive(first, payload)
    settle_forward(instance)


def settle(instance: Instance) -> None:
    """Run the workflow as far as it goes, then let the instance's own state follow; ends every step."""
    if isinstance(instance, ForwardInstance):
        settle_forward(instance)
    elif isinstance(instance, UndoInstance):
        settle_undo(instance)
        if instance.rewinds and instance.row.phase == "ended":
            settle_forward(instance.origin)


def settle_forward(instance: ForwardInstance) -> None:
    """The same, for what is known to be no undo."""
    workflow = instance.workflow
    if instance.row.phase == "running":
        instance.row.due = None
        instance.advance()
    while workflow.undos.to_undo:
        begin_undos(instance)
        if instance.row.phase == "running":
            instance.advance()
    if workflow.completed and instance.row.phase in UNDER_WAY:
        instance.succeed()
        _evaluate_outputs(instance)
    elif workflow.failures and instance.row.phase == "running":
        fail(instance)
    if instance.row.phase == "draining":
        end_if_drained(instance)
    instance.save()


def _evaluate_outputs(instance: ForwardInstance) -> None:
    template = instance.definition.outputs_template
    if template is None:
        return
    try:
        outputs = template.evaluate(instance.context)
        instance.weight.foresee(outputs)
        instance.content.outputs = jsontext.dumps(outputs)
    except (ExpressionError, LimitExceeded) as error:
        instance.row.reason = error.message
    instance.changes.content_changed(instance.content)
