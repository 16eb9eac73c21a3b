"""What is due: a monitor's poll, a retry, a timeout, the end of a grace, a timer of the model, a stone that is back."""

from __future__ import annotations

from collections.abc import Collection

from ...models import WORKERS, StragglerKey, TaskRow
from ..bpmn.elements.tasks import StoneTask
from ..errors import RiverstoneError
from ..instance.instance import Instance
from ..instance.tasks import quota_slots
from ..instance.tasks.hand_over import hand_over, hold_back
from ..instance.tasks.new_tasks import produce
from ..ledger import deferral, ledger
from ..undo.instance import UndoInstance
from ..undo.nodes import begin_next
from ..work import Outcome
from .attempts import fail_for_good
from .draining import is_stopping
from .outcomes import apply_outcome
from .settling import settle
from .tasks import deferred

MOST_LOSSES = 3
"""How often a task may be lost with its engine before it fails, beside the retries of its stone."""


def task_due(instance: Instance, task_id: int) -> None:
    """A task's time has come: the next poll of its monitor, its retry, or the end of its patience."""
    row = instance.tasks.get(task_id)
    if row is None or not row.open:
        return
    now = instance.now()
    dispatcher = instance.facilities.dispatcher
    if row.event == "start" and deferral.is_deferred(row):
        mine = row.owner in (None, instance.facilities.engine_id)
        if mine and row.due is not None and row.due <= now:
            deferred.time_is_up(instance, row)
        return
    ours = row.owner == instance.facilities.engine_id or _is_handed(instance, row)
    if row.deadline is not None and row.deadline <= now and (ours or row.event == "monitor"):
        _timed_out(instance, row)
        return
    if row.due is None or row.due > now or dispatcher.holds(task_id) or instance.stragglers.may_run(task_id):
        return
    if row.owner is not None and not ours:
        # A living engine has it in hand: a dead one's tasks are nobody's.
        return
    if row.status == "stone-missing" and row.owner is None and row.stone not in instance.facilities.stones:
        # Whoever has it takes the task.
        return
    _take_over(instance, row)
    if ledger.losses(row) >= instance.facilities.stone_of(row).retries + MOST_LOSSES:
        _lost_too_often(instance, row)
    elif row.status in ledger.HELD_BACK:
        goes_on(instance, task_id)
    elif is_stopping(instance):
        reason = "It may have been running when its engine died, while its process was being stopped."
        instance.stop_task(row, "unknown", reason)
        settle(instance)
    elif row.target is not None and isinstance(instance, UndoInstance):
        instance.hand_over_undo(row, instance.workflow.tasks[row.token])
        settle(instance)
    else:
        hand_over(instance, row, instance.facilities.stone_of(row))


def _is_handed(instance: Instance, row: TaskRow) -> bool:
    """Whether workers on other machines have the task in hand, and this engine is one that hears of them."""
    return instance.facilities.dispatcher.remote and row.owner == WORKERS


def _take_over(instance: Instance, row: TaskRow) -> None:
    """A task that was nobody's, or had been lost: it may have begun where it was."""
    if row.owner is not None and not row.lost:
        return
    row.owner = instance.facilities.engine_id
    if row.event == "start" and row.status == "produce.success":
        ledger.keep(row, begun=True)
    instance.changes.task_changed(row)
    instance.save()


def _lost_too_often(instance: Instance, row: TaskRow) -> None:
    """Whoever carries the task out dies of it, so nobody tries again."""
    text = f"{row.event} was lost {ledger.losses(row)} times with the engine that carried it out, so it is given up"
    fail_for_good(instance, row, instance.workflow.tasks.get(row.token), _failure(instance, row, text))
    settle(instance)


def _failure(instance: Instance, row: TaskRow, reason: str) -> Outcome:
    """A failure of the task's present hook that no stone has reported; observers hear of it here."""
    failure = Outcome(
        task_id=row.id,
        process_instance_id=instance.number,
        event=row.event,
        attempt=row.attempt,
        result="failed",
        reason=reason,
        delivery=ledger.delivery(row),
        stone=row.stone or "",
    )
    instance.facilities.observers.tell_events([failure])
    return failure


def _timed_out(instance: Instance, row: TaskRow) -> None:
    dispatcher = instance.facilities.dispatcher
    waits = dispatcher.holds(row.id) or _is_handed(instance, row)
    if waits and not dispatcher.running(row.id) and row.event != "monitor":
        # It has not begun, so its time has not either.
        timeout = instance.facilities.stone_of(row).timeouts.get(row.event, 0.0)
        row.deadline = instance.now() + round(timeout * 1000)
        instance.changes.task_changed(row)
        instance.save()
        return
    if not dispatcher.withdraw(row.id):
        dispatcher.ask_to_stop(row.id, ledger.delivery(row))
        instance.stragglers.note(row)
    deferral.time_over(row)
    apply_outcome(instance, _failure(instance, row, f"{row.event} took longer than its timeout allows"))


def out_of_hand(instance: Instance) -> list[int]:
    """The tasks that this engine should have in hand and has not, as far as what came of them is entered."""
    facilities = instance.facilities
    if instance.row.phase not in ("running", "suspended", "draining", "paused"):
        return []
    holds, engine_id = facilities.dispatcher.holds, facilities.engine_id
    return [
        row.id
        for row in instance.tasks.open_rows()
        if row.stone is not None
        and row.status not in ledger.HELD_BACK
        and row.due is None
        and row.owner == engine_id
        and not holds(row.id)
    ]


def hand_over_again(instance: Instance, task_ids: Collection[int]) -> None:
    """Hand over what a failed turn may have taken back from the dispatcher, or never brought to it.

    ``task_ids`` were out of hand before all was entered that has come in since; those that still are have been lost.
    """
    for task_id in out_of_hand(instance):
        if task_id not in task_ids:
            continue
        row = instance.tasks[task_id]
        if is_stopping(instance):
            instance.stop_task(row, "unknown", "It was lost to its engine while its process was being stopped.")
            settle(instance)
            continue
        if row.event == "start" and "begun" not in ledger.kept(row):
            ledger.keep(row, begun=True)
        hand_over(instance, row, instance.facilities.stone_of(row))


def stop_here(instance: Instance, task_ids: Collection[int]) -> None:
    """Let tasks of this engine, or of workers, hear that another engine is stopping their process."""
    if not is_stopping(instance):
        return
    for task_id in task_ids:
        row = instance.tasks.get(task_id)
        if row is None or not row.open or row.due is not None:
            continue
        if hold_back(instance, row):
            instance.stop_task(row, "canceled", "It was stopped before it had begun.", held_back=True)
        else:
            instance.facilities.dispatcher.ask_to_stop(row.id, ledger.delivery(row))
    settle(instance)


def straggler_gone(instance: Instance, key: StragglerKey) -> None:
    """A hook that might still run at this engine does not, and nothing came of it."""
    if not instance.facilities.dispatcher.holds(key[0]) and instance.stragglers.has_ended(key):
        instance.save()


def goes_on(instance: Instance, task_id: int) -> None:
    """A task goes on that waited for its stone to be registered, or for the end of a suspension."""
    row = instance.tasks.get(task_id)
    if row is None or not row.open or row.status not in ledger.HELD_BACK:
        return
    was_missing = row.status == "stone-missing"
    is_missing = row.stone not in instance.facilities.stones
    may_go_on = _may_go_on(instance, row)
    if row.status == "queued" and (is_missing or not may_go_on):
        quota_slots.leave_line(instance, row)
        instance.save()
    if not may_go_on:
        if row.due is not None:
            # Nobody needs to take it before the process goes on.
            row.owner, row.due = instance.facilities.engine_id if was_missing else None, None
            instance.changes.task_changed(row)
            instance.save()
        return
    if is_missing and (was_missing or row.status == "queued"):
        if row.owner is not None or not was_missing:
            ledger.miss_stone(row, instance.now())
            instance.changes.task_changed(row)
            instance.save()
        return
    token = instance.workflow.tasks[row.token]
    row.status = "produce.success"
    row.reason = None
    row.due = None
    row.owner = instance.facilities.engine_id
    instance.changes.task_changed(row)
    if row.target is not None and isinstance(instance, UndoInstance):
        instance.hand_over_undo(row, token)
    elif not was_missing or row.event not in ("start", "mock") or row.parameters != "{}":
        # It was on its way when its stone went: it goes on with what was frozen.
        row.status = "start.success" if row.event == "monitor" else row.status
        hand_over(instance, row, instance.facilities.stone_of(row))
    else:
        assert isinstance(token.node, StoneTask)
        try:
            produce(instance, row, token, token.node)
        except RiverstoneError as error:
            instance.workflow.task_failed(token, row.id, None, error.message)
    settle(instance)


def _may_go_on(instance: Instance, row: TaskRow) -> bool:
    """Whether the process runs, or at least lets what has begun come to its end."""
    phase = instance.row.phase
    return phase == "running" or (phase == "draining" and not is_stopping(instance) and ledger.has_begun(row))


def grace_over(instance: Instance) -> None:
    """The time that running tasks had to stop is over: what still runs is fenced off and counts as begun.

    Where nothing is to stop, there is more to be done than one turn may do.
    """
    if instance.row.phase == "running" and instance.row.due is not None:
        if isinstance(instance, UndoInstance):
            begin_next(instance.workflow.task_tree)
        settle(instance)
        return
    if instance.row.phase != "draining" or instance.row.due is None or instance.row.due > instance.now():
        return
    for row in instance.tasks.open_rows():
        reason = "It did not stop within its grace; what it still reports feeds the ledger only."
        instance.stop_task(row, "unknown", reason)
        instance.row.due = None
    settle(instance)


def timer_due(instance: Instance, token_id: int, number: int) -> None:
    """A timer of the model is due."""
    token = instance.workflow.tasks.get(token_id)
    if token is None or instance.row.phase != "running":
        return
    workflow, now = instance.workflow, instance.now()
    for wait in workflow.waits.get(token_id, ()):
        if wait.number == number and wait.due is not None and wait.due <= now:
            if token_id in workflow.paused:
                workflow.give_up(token)
            else:
                workflow.fire(token, number, {})
            settle(instance)
            return
