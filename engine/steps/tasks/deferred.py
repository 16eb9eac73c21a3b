"""Tasks whose start has handed them to somebody outside: what they tell, and what comes of it when nobody does.

Who has the token may be faster than the start itself, or than the commit that enters its end. What is told then is kept
in the row, and holds as soon as the task is known to be deferred.
"""

from __future__ import annotations

from dataclasses import replace

from ....models import TaskRow
from ...instance.instance import Instance
from ...instance.tasks.hand_over import hold_back
from ...ledger import deferral, entries, ledger
from ..late import apply_late, enter_late
from ..outcomes import apply_outcome, progressed, take_back
from .callbacks import DeferredAnswer, check, keep_early, outcome_of


def answer(instance: Instance, task_id: int, generation: int, told: DeferredAnswer) -> bool:
    """Enter what is told of a task; false where that changes nothing, since it was told before or comes too late.

    Raises Invalid for a callback that is not signed as its task asks.
    """
    row = instance.tasks.get(task_id)
    if row is None:
        return False
    if not _is_awaited(row, generation):
        return _too_late(instance, row, generation, told)
    if deferral.is_deferred(row):
        check(row, told)
        _enter(instance, row, told)
        return True
    if row.event != "start" or not keep_early(row, told):
        return False
    instance.changes.task_changed(row)
    instance.save()
    return True


def progress(instance: Instance, task_id: int, generation: int, percent: int, text: str | None) -> bool:
    """Enter how far a task is; false where that changes nothing any more."""
    row = instance.tasks.get(task_id)
    if row is None or not _is_awaited(row, generation):
        return False
    if text:
        entries.log(row, (text,))
        instance.changes.task_changed(row)
        instance.save()
    progressed(instance, task_id, row.attempt, percent)
    return True


def time_is_up(instance: Instance, row: TaskRow) -> None:
    """Nobody has told in time what came of a task."""
    take_back(instance, row)
    reason = "Nobody completed it within the timeout of its deferral."
    _apply(instance, row, DeferredAnswer(result="failed", reason=reason))


def _is_awaited(row: TaskRow, generation: int) -> bool:
    return bool(row.open) and row.generation == generation and row.event in ("start", "monitor")


def _enter(instance: Instance, row: TaskRow, told: DeferredAnswer) -> None:
    if row.event == "monitor" and row.due is None and not hold_back(instance, row):
        # A poll of its monitor is under way, perhaps at another engine; nobody needs it any more.
        instance.facilities.dispatcher.ask_to_stop(row.id, ledger.delivery(row))
        instance.stragglers.note(row)
    take_back(instance, row)
    deferral.told(row)
    deferral.hear(row, row.generation)
    _apply(instance, row, told)


def _apply(instance: Instance, row: TaskRow, told: DeferredAnswer) -> None:
    outcome = outcome_of(row, told, row.attempt, ledger.delivery(row))
    instance.facilities.observers.tell_events([outcome])
    apply_outcome(instance, outcome)


def _too_late(instance: Instance, row: TaskRow, generation: int, told: DeferredAnswer) -> bool:
    """The task has ended or gone on without it: it feeds the ledger once, as what a hook reports late."""
    unheard = not deferral.is_heard(row, generation)
    keys = {key: owner for key, owner in instance.stragglers.of(row.id).items() if key[2] == "start"}
    key = next((key for key, owner in keys.items() if owner is None), None)
    if key is not None:
        check(row, told)
        deferral.hear(row, generation)
        apply_late(instance, row, replace(outcome_of(row, told, key[1], key[3]), event="start"))
        return True
    if keys and "told" not in ledger.kept(row):
        # The start itself may still run, and nobody knows yet that it has deferred the task.
        _, attempt, _, delivery = next(iter(keys))
        ledger.keep(row, told=True)
    elif not keys and unheard and deferral.may_have_deferred(row):
        attempt, delivery = row.attempt, ledger.delivery(row)
    else:
        return False
    check(row, told)
    deferral.hear(row, generation)
    enter_late(instance, row, replace(outcome_of(row, told, attempt, delivery), event="start"), straggled=True)
    return True
