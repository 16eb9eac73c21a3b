"""Monitors of a task: one begins, looks once more, or has failed to look."""

from __future__ import annotations

from ...models import TaskRow
from ...models.vocabulary import UNDO_BEGUN, UNDO_KINDS, UNDO_MONITORS
from ..instance.instance import Instance
from ..instance.tasks.hand_over import hand_over
from ..ledger import entries, ledger
from ..stones.stone import Stone
from ..work import Outcome
from .draining import is_stopping
from .pauses import backoff


def begin_monitor(instance: Instance, row: TaskRow, stone: type[Stone]) -> None:
    row.event = "monitor"
    row.status = "start.success"
    row.deadline = None
    if is_stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped before its monitor looked.")
        return
    timeout = stone.timeouts.get("monitor")
    row.deadline = instance.now() + round(timeout * 1000) if timeout is not None else None
    row.due = None
    hand_over(instance, row, stone)


def poll_again(instance: Instance, row: TaskRow) -> None:
    watches = ledger.kept(row).get("watches")
    row.status = "monitor.begin" if watches is None else UNDO_BEGUN[watches]
    ledger.drop(row, "looks", "failing")
    if is_stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped between two looks of its monitor.")
        return
    row.owner = instance.facilities.engine_id
    row.due = entries.next_poll(instance.facilities.stone_of(row).monitor_interval, instance.now())


def look_again(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> bool:
    """A look of a monitor has failed, not its task, unless too many in a row have, or its whole time is over."""
    now = instance.now()
    failed = int(ledger.kept(row).get("looks", 0)) + 1
    if failed > stone.monitor_retries or (row.deadline is not None and row.deadline <= now):
        ledger.drop(row, "looks")
        return False
    ledger.keep(row, looks=failed)
    watches = ledger.kept(row).get("watches")
    row.status = "monitor.failed" if watches is None else UNDO_BEGUN[watches]
    row.reason = f"Look {failed} of {stone.monitor_retries} that may fail: {outcome.reason}"
    row.owner = instance.facilities.engine_id
    row.due = entries.next_poll(max(stone.monitor_interval, backoff(row, stone, failed)), now)
    return True


def is_to_be_watched(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> bool:
    """Whether an undo was only begun, so that its monitor looks from now on whether it is done."""
    kind = next((each for each in UNDO_KINDS if each == row.event), None)
    if kind is None or outcome.gone or stone.external or not stone.has(UNDO_MONITORS[kind]):
        return False
    ledger.forget_state(row)
    ledger.keep(row, watches=kind)
    row.event, row.status = "monitor", UNDO_BEGUN[kind]
    timeout = stone.timeouts.get(UNDO_MONITORS[kind])
    row.deadline = instance.now() + round(timeout * 1000) if timeout is not None else None
    row.due = None
    hand_over(instance, row, stone)
    return True
