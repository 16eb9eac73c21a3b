"""Undo of a part of what a process has made, before that goes on: on the way of an error, or in a compensation.

It is a process of its own like any undo, of the kind of a rewind's: what has been made goes, and its origin goes on.
"""

from __future__ import annotations

from ..instance import freezing
from ..instance.flags import Flags
from ..instance.forward import ForwardInstance
from ..undo.creation import create_rewind
from ..undo.order import plan
from .undoing import settle_undo


def begin_undos(process: ForwardInstance) -> None:
    """Begin what its tokens have asked for; a token whose activities have made nothing goes on."""
    workflow = process.workflow
    while workflow.to_undo:
        token_id, activities = workflow.to_undo.popitem()
        token = workflow.tasks.get(token_id)
        if token is None:
            continue
        rows = {
            row.id
            for activity, entry in activities
            for row in freezing.made_by(process.tasks, activity, entry, token.call_path)
        }
        order = plan(process.tasks, "rollback", rows)
        if process.has(Flags.MOCK) or not order.tasks:
            workflow.undone(token)
            continue
        undo = create_rewind(process, order)
        token.note(rewinding=undo.number)
        workflow.rewinding[token.id] = undo.number
        undo.row.suspension = process.row.suspension
        undo.row.phase = "running" if undo.row.suspension is None else "suspended"
        undo.workflow.begin(None)
        settle_undo(undo)
