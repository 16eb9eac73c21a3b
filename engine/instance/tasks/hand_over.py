"""How work leaves an instance: once its step is durable, unless it is suspended; and how it is kept back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....models import EXTERNAL, WORKERS, TaskRow
from ..facilities import what_is_suspended
from . import quota_slots
from .offers import lock_of, offer

if TYPE_CHECKING:
    from ...stones.stone import Stone
    from ..instance import Instance


def hand_over(instance: Instance, row: TaskRow, stone: type[Stone]) -> None:
    """Let the row's present hook be called once this step is durable: the one way in which work leaves.

    The row says so, and with the instance's revision every engine learns it: a copy that was read before can no
    longer be used to stop the task as one that waits. In a process that is suspended the row waits; what has
    begun is looked at until it ends.
    """
    if instance.rehearsed:
        return
    if row.event != "monitor" and (what := suspended_for(instance, row)) is not None:
        _let_wait(instance, row, f"{what} is suspended; the task goes on when that is lifted.")
        return
    if row.event != "monitor" and (instance.facilities.stones.quotas or row.state is not None):
        quota_slots.claim(instance, row, stone)
    if stone.external and (row.event != "mock" or stone.has("mock")):
        offer(instance, row)
        return
    if stone.timeouts and row.event != "monitor":
        timeout = stone.timeouts.get(row.event)
        row.deadline = None if timeout is None else instance.now() + round(timeout * 1000)
    remote = instance.facilities.dispatcher.remote
    if remote:
        # In the store, since others than this engine may hear what comes of it, and it may not be there to hear.
        row.owner, row.due = WORKERS, None
        row.handed += 1
    if row.id not in instance.changes.new_tasks:
        # A new row is this engine's, is not due, and is written anyway.
        if not remote:
            row.owner, row.due = instance.facilities.engine_id, None
        instance.changes.task_changed(row)
        instance.changes.instance_changed(instance.row)
    instance.to_hand_over.append(row)


def suspended_for(instance: Instance, row: TaskRow) -> str | None:
    """What is suspended, so that no hook of a task begins; None where nothing is, which the commit compares."""
    return what_is_suspended(instance.row, row.stone, instance.suspended)


def _let_wait(instance: Instance, row: TaskRow, reason: str) -> None:
    """Let the row wait in nobody's hands."""
    if row.owner == EXTERNAL:
        instance.changes.rare.external[row.id] = None
    row.status, row.owner, row.due, row.deadline = "suspended", None, None, None
    instance.to_hand_over = [each for each in instance.to_hand_over if each is not row]
    if row.attempt > 1 and row.reason:
        reason = f"{reason} {row.reason}"
    row.reason = reason
    quota_slots.free(instance, row)
    instance.changes.task_changed(row)
    instance.changes.instance_changed(instance.row)


def hold_back(instance: Instance, row: TaskRow) -> bool:
    """Keep a row that was or would be handed over from being carried out; false if that may have begun."""
    if row.owner == EXTERNAL:
        offered = lock_of(instance, row)[0]
        return offered is None or offered.worker is None
    return any(other is row for other in instance.to_hand_over) or instance.facilities.dispatcher.withdraw(row.id)
