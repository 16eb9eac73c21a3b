"""What a process takes back just now, whoever has asked for it, and what has to wait for that: all that came before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ...models import TaskRow
from ..bpmn.running.node import Node
from ..bpmn.running.token import Token
from ..ledger import causality, ledger
from . import freezing

if TYPE_CHECKING:
    from ..bpmn.running.token_data import Executed
    from .forward import ForwardInstance


def held_up(process: ForwardInstance, asker: Token) -> Callable[[Node, Executed], bool]:
    """What tells whether an activity is not to be compensated now, since others take back what followed it.

    What stones take back waits for undos by itself, and so here only for handlers.
    """
    handled, undone = _handled_for_others(process, asker), _undone_for_others(process, asker)
    if not (handled or undone):
        return lambda activity, entry: False
    tasks, call_path = process.tasks, asker.call_path
    before_handled = before(tasks, handled)
    before_all = before_handled | before(tasks, undone)

    def is_held_up(activity: Node, entry: Executed) -> bool:
        waits_for = before_handled if activity.is_undone_by_stones else before_all
        return any(row.id in waits_for for row in freezing.made_by(tasks, activity, entry, call_path))

    return is_held_up


def under_undo(process: ForwardInstance, token: Token) -> list[int]:
    """The rows that the undo for which this token waits has still to take back."""
    return [
        task_id
        for first, last in token.internal_data.get("undoes", ())
        for task_id in range(first, last + 1)
        if process.tasks[task_id].undo not in ledger.DONE_WITH
    ]


def before(tasks: Mapping[int, TaskRow], rows: Iterable[int]) -> set[int]:
    """These rows, and all that they causally followed."""
    found: set[int] = set()
    read: set[str | None] = set()
    pending = list(rows)
    while pending:
        task_id = pending.pop()
        if task_id in found or task_id not in tasks:
            continue
        found.add(task_id)
        # Many may have followed the same many others.
        if (text := causality.after_text(tasks[task_id], tasks)) not in read:
            read.add(text)
            pending += causality.after(tasks[task_id], tasks)
    return found


def _handled_for_others(process: ForwardInstance, asker: Token) -> set[int]:
    """The rows that handlers take back which others have asked for, at once or when it is their turn."""
    workflow = process.workflow
    around: set[int] = set()
    scope: Token | None = asker
    while scope is not None:
        around.add(scope.id)
        scope = scope.scope
    found: set[int] = set()
    others = workflow.undos.handlers.items()
    for token_id in {each for other, tokens in others if other != asker.id for each in tokens} - around:
        handler = workflow.tasks[token_id]
        internal = handler.internal_data
        activity = workflow.node_named(internal["activity"], handler.scope)
        entry: Executed = {"id": internal["entry"], "tasks": internal["tasks"]}
        found.update(row.id for row in freezing.made_by(process.tasks, activity, entry, handler.call_path))
    for token_id, uncompensated in workflow.undos.askers.items():
        if token_id == asker.id:
            continue
        other = workflow.tasks[token_id]
        scope = workflow.tasks[other.internal_data["compensated_in"]]
        for left in uncompensated.left.values():
            made = freezing.made_by(process.tasks, workflow.node_named(left["node"], scope), left, other.call_path)
            found.update(row.id for row in made)
    return found


def _undone_for_others(process: ForwardInstance, asker: Token) -> set[int]:
    """The rows that undos take back which others have asked for, or are about to."""
    workflow = process.workflow
    waiting = [workflow.tasks[token_id] for token_id in workflow.undos.rewinding if token_id != asker.id]
    found: set[int] = set()
    for each in waiting:
        for task_id in under_undo(process, each):
            found.update(ledger.covers(process.tasks[task_id]))
    for token_id, activities in workflow.undos.to_undo.items():
        token = workflow.tasks.get(token_id)
        if token is not None and token is not asker:
            made = [freezing.made_by(process.tasks, activity, entry, token.call_path) for activity, entry in activities]
            found.update(row.id for rows in made for row in rows if row.undo not in ledger.DONE_WITH)
    return found
