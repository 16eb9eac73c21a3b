"""The tasks of an undo process: each takes back one row of its origin's ledger, or says why it does not.

They use what the row has frozen, never today's model or a stone's defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...models.vocabulary import PASSED_OVER, UNDO_FAILED, UNDO_RETAINED, UNDO_SUCCEEDED, UndoMark
from ..bpmn.elements.tasks import StoneTask
from ..bpmn.running.token import Token
from ..instance import ledger
from .handlers import covered, mark
from .order import handler_in

if TYPE_CHECKING:
    from ...models import TaskRow
    from ..instance.instance import Instance

LOOK_SOON = 5
LOOK_AGAIN = 200
"""Milliseconds until an undo task looks whether a hook that is in its way still runs, first and then again."""


def begin_undo_task(undo: Instance, token: Token) -> None:
    """Make the task that undoes the row named by the token's node, and hand it over."""
    assert isinstance(token.node, StoneTask)
    target = _ledger(undo)[int(token.node.binding.properties["target"])]
    kind = undo.row.kind
    row = undo.new_task(token, target.stone, target.namespace, kind=kind, event=kind)
    row.target = target.id
    row.name = target.name or target.node
    row.parameters = target.parameters
    if (secret := ledger.kept(target).get("secret")) is not None:
        ledger.keep(row, secret=secret)
    handler = handler_of(target, kind)
    if handler is not None and not is_kept(target, kind):
        row.stone, row.event, row.parameters = handler["stone"], "start", handler["parameters"]
        row.name, row.namespace = handler["of"][:255], handler["namespace"]
    hand_over_undo(undo, row, token)


def hand_over_undo(undo: Instance, row: TaskRow, token: Token) -> None:
    """Hand the task over, or pass over what needs no undo, is kept by policy, or has no such hook."""
    assert row.target is not None
    target = _ledger(undo)[row.target]
    kind = undo.row.kind
    if target.undo is not None and target.undo in ledger.DONE_WITH:
        pass_over(undo, row, token, target.undo, "It had been taken back before.")
    elif is_kept(target, kind):
        pass_over(undo, row, token, "retained", f"The policy of {target.node!r} keeps it.")
    elif row.stone not in undo.facilities.stones:
        row.status = "stone-missing"
        row.reason = f"No stone is registered for {row.stone!r}; the undo goes on when there is one."
        undo.changes.task_changed(row)
    else:
        stone = undo.facilities.stones.choose(row.stone, row.parameters)
        if stone is None or not (stone.has(row.event) or row.event == "start"):
            reason = f"The stone {row.stone!r} has no {kind}, so what it may have made stays."
            pass_over(undo, row, token, "skipped", reason)
        elif _still_running(undo, row, target):
            row.due = undo.now() + (LOOK_SOON if row.due is None else LOOK_AGAIN)
            undo.changes.task_changed(row)
        else:
            row.due = None
            undo.hand_over(row, stone)


def _still_running(undo: Instance, row: TaskRow, target: TaskRow) -> bool:
    """Whether the target's own hook runs here yet, within its grace, or an undo hook that was taken for failed.

    Taking back what is being made would miss it.
    """
    running = undo.facilities.dispatcher.running
    if running(row.id):
        return True
    if target.status == "unknown" or not running(target.id):
        return False
    stone = undo.facilities.stones.choose(target.stone, target.parameters)
    grace = stone.grace if stone is not None else 0.0
    return undo.now() < (target.ended or 0) + round(grace * 1000)


def is_kept(row: TaskRow, kind: str) -> bool:
    """Whether the node's policy keeps what the task made."""
    return row.policy == "retain" or (row.policy == "retain-except-on-failed-start" and kind != "rollback")


def handler_of(row: TaskRow, kind: str) -> dict[str, Any] | None:
    """The model's compensation handler, frozen when the activity completed, which stands in for the stone's rollback.

    Only in a rollback: cancel and delete have hooks of their own for what completed too.
    """
    return handler_in(row) if kind == "rollback" else None


def pass_over(undo: Instance, row: TaskRow, token: Token, mark: UndoMark, reason: str) -> None:
    """End the task without having done anything; ``mark`` is what became of the target."""
    undo.end_task(row, PASSED_OVER[undo.undo_kind])
    row.reason = reason
    _mark(undo, row, mark)
    undo.workflow.task_done(token, row.id, {})


def undo_done(undo: Instance, row: TaskRow, token: Token | None) -> None:
    """The hook has taken the row back."""
    row.progress = 100
    reason = row.reason
    undo.end_task(row, UNDO_SUCCEEDED[undo.undo_kind])
    row.reason = reason
    _mark(undo, row, "undone")
    if token is not None:
        undo.workflow.task_done(token, row.id, {})


def undo_failed(undo: Instance, row: TaskRow, token: Token | None, reason: str) -> None:
    """The hook has failed for good: independent branches go on, what must come later waits."""
    undo.end_task(row, UNDO_FAILED[undo.undo_kind], reason)
    _mark(undo, row, "failed")
    if token is not None:
        text = f"The {undo.row.kind} of task {row.target} ({row.namespace}, stone {row.stone}) failed: {reason}"
        undo.workflow.task_failed(token, row.id, None, text)


def retain(undo: Instance, row: TaskRow, token: Token) -> None:
    """Give up, on request, a row whose undo has failed."""
    reason = f"{row.reason or 'It failed'} (retained on request)"
    undo.end_task(row, UNDO_RETAINED[undo.undo_kind])
    row.reason = reason
    _mark(undo, row, "retained")
    undo.workflow.task_done(token, row.id, {})


def _mark(undo: Instance, row: TaskRow, what: UndoMark) -> None:
    """What became of the origin's row, or of all rows that its handler takes back with it."""
    assert undo.origin is not None
    assert row.target is not None
    target = undo.origin.tasks[row.target]
    mark(undo, covered(undo.origin, target) if undo.row.kind == "rollback" else [target], what)


def _ledger(undo: Instance) -> dict[int, TaskRow]:
    assert undo.origin is not None
    return undo.origin.tasks
