"""A process that has failed or is cancelled: what runs is asked to stop or let end, then it rests or is undone."""

from __future__ import annotations

from collections.abc import Sequence

from ...models import EXTERNAL, InstanceRow, TaskRow
from ...models.vocabulary import FailureAction, Pending
from .. import jsontext
from ..bpmn.running.results import calls_in
from ..bpmn.running.token_data import TASK
from ..instance.flags import Flags
from ..instance.forward import ForwardInstance
from ..instance.instance import Instance
from ..instance.tasks.hand_over import hold_back
from ..instance.tasks.offers import lock_of
from ..ledger import deferral, ledger
from ..undo import order
from .undoing import begin_undo

MOST_PLACES = 20
FAILED = frozenset({"failed", "rollback", "keep", "pause"})
"""What a process does next that drains because something in it has failed."""


def is_stopping(instance: Instance) -> bool:
    """Whether running tasks are to stop: the process failed or is cancelled, and they are not to end by themselves."""
    return is_stopped(instance.row)


def is_stopped(row: InstanceRow) -> bool:
    """The same of an instance as it is stored."""
    if row.phase != "draining" or row.pending == "pause":
        return False
    debugged = row.pending == "failed" and row.flags & Flags.DEBUG
    return not (debugged or (row.pending in FAILED and row.flags & Flags.DRAIN_ALL))


def is_fenced(instance: Instance) -> bool:
    """Whether the process is being cancelled, so that no token moves any more."""
    return instance.row.phase == "draining" and instance.row.pending in ("cancel", "cancel delete")


def fail(instance: ForwardInstance) -> None:
    """Something has failed for good: start nothing new; what runs is asked to stop, or may run to its end."""
    row = instance.row
    failures = sorted(instance.workflow.failures.items())
    row.reason = failures[0][1]
    row.failed_at = _places(instance, [token_id for token_id, _ in failures[:MOST_PLACES]])
    row.phase = "draining"
    row.pending = row.pending or _then(instance)
    if row.pending == "pause" or instance.has(Flags.DEBUG):
        return
    if instance.has(Flags.DRAIN_ALL):
        _stop_what_waits(instance)
    else:
        drain(instance)


def _then(instance: ForwardInstance) -> Pending:
    """What follows, by the policies of all that has failed: what one of them undoes no other keeps."""
    if instance.has(Flags.DEBUG):
        return "failed"
    tokens = instance.workflow.tasks
    actions = {instance.policy_of(tokens[token_id]).action for token_id in instance.workflow.failures}
    order: tuple[FailureAction, ...] = ("rollback", "keep", "pause")
    action = next(each for each in order if each in actions)
    return "failed" if action == instance.policy.action != "pause" else action


def _places(instance: ForwardInstance, failed: Sequence[int]) -> str | None:
    """The elements of failed tokens whose failure no task tells of."""
    tokens = [instance.workflow.tasks[token_id] for token_id in failed]
    rows = [instance.tasks.get(each.internal_data.get(TASK, 0)) for each in tokens]
    untold = [each for each, row in zip(tokens, rows, strict=True) if row is None or not row.status.endswith("failed")]
    places = [[*calls_in(each.place), each.node.bpmn_id] for each in untold]
    return jsontext.dumps(places) if places else None


def _stop_what_waits(instance: ForwardInstance) -> None:
    """Let what is being made be made; what waits for a person, a stone or its next attempt would hold the undo up."""
    _stop_listening(instance)
    for row in instance.tasks.open_rows():
        to_be_tried_again = row.due is not None and row.event != "monitor" and row.status.endswith(".failed")
        if row.stone is None or row.status in ledger.HELD_BACK or to_be_tried_again:
            instance.stop_task(row, "canceled", "It waited when its process failed, and was not begun again.")


def drain(instance: ForwardInstance) -> None:
    """Ask every open task to stop; those whose hook runs now get their grace, the others end at once."""
    longest = 0.0
    facilities = instance.facilities
    _stop_listening(instance)
    for row in instance.tasks.open_rows():
        if row.event == "start" and deferral.is_deferred(row):
            # Nobody here could stop it, and nobody knows whether anything will ever be heard of it.
            instance.stop_task(row, "canceled", "It was stopped while somebody outside had it.", held_back=False)
            continue
        # Of a hook that does not run any more, here too, the outcome may be on its way: it counts, and is waited for.
        in_hand = row.stone is not None and row.due is None and row.owner is not None
        in_hand = in_hand and row.status not in ledger.HELD_BACK
        # Whoever fetched it hears of nothing, and is waited for no longer than for its lock.
        left = lock_of(instance, row)[1] if row.owner == EXTERNAL else 0
        in_hand = in_hand and (row.owner != EXTERNAL or left > 0)
        # Held back first: between seeing whether it runs and this, it could have begun.
        held_back = hold_back(instance, row)
        if not held_back and (in_hand or facilities.dispatcher.running(row.id)):
            facilities.dispatcher.ask_to_stop(row.id, ledger.delivery(row))
            stone = facilities.stone_of(row)
            longest = max(longest, min(stone.grace, left / 1000) if row.owner == EXTERNAL else stone.grace)
        else:
            reason = "It was stopped because its process failed or was cancelled."
            instance.stop_task(row, "canceled", reason, held_back=held_back)
    instance.row.due = instance.now() + round(longest * 1000) if longest else None
    instance.row.due_owner = facilities.timekeeper


def _stop_listening(instance: ForwardInstance) -> None:
    """No message, signal or timer reaches the process any more: its forward flow is over."""
    workflow = instance.workflow
    for token_id in list(workflow.waits):
        workflow.stop_waiting(workflow.tasks[token_id])


def end_if_drained(instance: ForwardInstance) -> None:
    """Once no task is open any more, end, pause or begin the undo, whichever was meant."""
    row = instance.row
    if any("failed" not in token.internal_data for token in instance.rewinding):
        # At most one undo of a task is under way; what is left is undone by the next.
        return
    pauses = row.pending == "pause" or (row.pending in (None, "failed") and instance.has(Flags.DEBUG))
    if any(not (pauses and _can_wait(task)) for task in instance.tasks.open_rows()):
        return
    if pauses:
        row.due = None
        row.phase = "paused"
        row.pending = None
        return
    pending = row.pending or "failed"
    keeps = pending == "keep" or (pending == "failed" and instance.has(Flags.NO_ROLLBACK))
    if pending in FAILED and not keeps and _reads_on(instance):
        row.due, row.due_owner = instance.now(), instance.facilities.timekeeper
        instance.changes.instance_changed(row)
        return
    row.due = row.pending = None
    row.ended = row.ended or instance.now()
    if pending not in FAILED:
        row.pending = "delete" if pending == "cancel delete" else None
        begin_undo(instance, "cancel")
    elif keeps or not _to_undo(instance):
        row.phase = "ended"
        row.suspension = None
        row.status = "failed"
        instance.drop_tokens()
    else:
        begin_undo(instance, "rollback")


def _reads_on(instance: ForwardInstance) -> bool:
    """Whether a part of its long ledger was read for the undo, and the next turn goes on with that."""
    due = instance.row.due
    if due is not None and due <= instance.now() and not instance.tasks.is_read_on:
        # What a turn before has read is gone with that copy. So that it cannot go again, all is read in one go.
        return False
    return instance.tasks.read_on() is not None


def _to_undo(instance: ForwardInstance) -> bool:
    return bool(order.undo_set(instance.tasks, "rollback"))


def _can_wait(task: TaskRow) -> bool:
    """Whether an open task does not hold up a pause: a person's, or one that has not begun for want of its stone."""
    return task.stone is None or ledger.awaits_begin(task)
