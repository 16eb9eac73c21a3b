"""Undo of a part of what a process has made, before that goes on: on the way of an error, or in a compensation.

It is a process of its own like any undo, of the kind of a rewind's: what has been made goes, and its origin goes on.
Nothing is undone beside what follows it, nor twice: who asks for that waits for the undo that is at it, whoever began
that and whether or not an event has taken away who did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..bpmn.running.node import Node
from ..bpmn.running.token import Token
from ..bpmn.running.token_data import COMPENSATES
from ..instance import freezing, taken_back
from ..instance.flags import Flags
from ..instance.forward import ForwardInstance
from ..ledger import ledger
from ..undo.creation import create_rewind
from ..undo.frozen import Order
from ..undo.order import first_followed, plan
from .undoing import settle_undo

if TYPE_CHECKING:
    from ..bpmn.running.token_data import Executed


class _Asked(NamedTuple):
    """What one token wants to be undone before it goes on."""

    token: Token
    activities: Sequence[tuple[Node, Executed]]
    order: Order


def begin_undos(process: ForwardInstance) -> None:
    """Begin what its tokens have asked for; a token whose activities have made nothing goes on."""
    workflow = process.workflow
    asked: list[_Asked] = []
    while workflow.undos.to_undo:
        token_id, activities = workflow.undos.to_undo.popitem()
        token = workflow.tasks.get(token_id)
        if token is None:
            continue
        rows = {
            row.id
            for activity, entry in activities
            for row in freezing.made_by(process.tasks, activity, entry, token.call_path)
        }
        order = plan(process.tasks, "rollback", rows, _handlers_around(token))
        if process.has(Flags.MOCK) or not order.tasks:
            workflow.undos.done(token)
        else:
            asked.append(_Asked(token, activities, order))
    for each in _latest_first(process, asked):
        if (other := _at_work(process, each.order)) is None:
            _begin(process, each)
        else:
            each.token.note(undo_first=True)
            workflow.undos.after(each.token, other, each.activities)


def _handlers_around(token: Token) -> set[int]:
    """The handlers that a token is inside of, by what they compensate: what they ask for is no business of theirs."""
    found: set[int] = set()
    scope: Token | None = token
    while scope is not None:
        if COMPENSATES in scope.internal_data:
            found.add(scope.internal_data["entry"])
        scope = scope.scope
    return found


def _latest_first(process: ForwardInstance, asked: list[_Asked]) -> list[_Asked]:
    """Those that ask at once, in the order in which one undo of all of it would come to what they ask for."""
    if len(asked) < 2:
        return asked
    whole = plan(process.tasks, "rollback", {task_id for each in asked for task_id in each.order.tasks})
    place = {task_id: number for number, task_id in enumerate(whole.in_order())}
    return sorted(asked, key=lambda each: min(place[task_id] for task_id in each.order.tasks))


def _at_work(process: ForwardInstance, order: Order) -> Token | None:
    """A token that waits for an undo which is at some of this, or at what followed it."""
    tasks, workflow = process.tasks, process.workflow
    by_task: dict[int, Token] = {}
    for token_id in sorted(workflow.undos.rewinding):
        token = workflow.tasks[token_id]
        for task_id in taken_back.under_undo(process, token):
            by_task.update(dict.fromkeys(ledger.covers(tasks[task_id]), token))
    if not by_task:
        return None
    wanted = {covered for task_id in order.tasks for covered in ledger.covers(tasks[task_id])}
    found = first_followed(tasks, wanted, by_task)
    return None if found is None else by_task[found]


def _begin(process: ForwardInstance, asked: _Asked) -> None:
    token, workflow = asked.token, process.workflow
    undo = create_rewind(process, asked.order)
    token.note(rewinding=undo.number, undoes=runs_of(asked.order.tasks))
    workflow.undos.rewinding[token.id] = undo.number
    undo.row.suspension = process.row.suspension
    undo.row.phase = "running" if undo.row.suspension is None else "suspended"
    undo.workflow.begin(None)
    settle_undo(undo)


def runs_of(tasks: Sequence[int]) -> list[list[int]]:
    """Ascending ids as runs, each by its first and its last."""
    runs: list[list[int]] = []
    for task_id in tasks:
        if runs and task_id == runs[-1][1] + 1:
            runs[-1][1] = task_id
        else:
            runs.append([task_id, task_id])
    return runs
