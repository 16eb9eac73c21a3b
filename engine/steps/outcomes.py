"""What came of a task, entered into the ledger and given to the workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...models import TaskRow
from ...models.vocabulary import LedgerEvent, TaskStatus
from .. import jsontext
from ..bpmn.running.token import Token
from ..callback_tokens import secret_part
from ..instance.flags import Flags
from ..instance.instance import Instance
from ..instance.tasks import quota_slots
from ..instance.tasks.hand_over import hand_over
from ..ledger import deferral, entries, ledger, secrets
from ..undo.instance import UndoInstance
from ..work import Outcome
from .attempts import attempt_taken_back, not_done
from .draining import is_fenced, is_stopping
from .late import apply_late
from .monitors import begin_monitor, is_to_be_watched, poll_again
from .pauses import has_settled, put_off
from .settling import settle
from .tasks.callbacks import outcome_of, take_early

DONE: Mapping[LedgerEvent, TaskStatus] = {
    "start": "start.success",
    "monitor": "monitor.success",
    "mock": "mock.success",
}


def apply_outcome(instance: Instance, outcome: Outcome) -> None:
    """Enter what came of one hook of a task; a late or repeated outcome feeds the ledger and moves nothing."""
    row = instance.tasks.get(outcome.task_id)
    if row is None:
        return
    asked = row.attempt, row.event, row.lost + row.handed
    # What workers were handed last has had its answer where the next hand-over is still to come.
    answered = row.due is not None and instance.facilities.dispatcher.remote
    # What a start tells once more that was deferred is not what came of it.
    answered = answered or (outcome.result == "deferred" and deferral.is_deferred(row))
    if not row.open or answered or asked != (outcome.attempt, outcome.event, outcome.delivery):
        apply_late(instance, row, outcome)
        return
    before = row.outputs
    entries.enter(row, outcome)
    if row.outputs is not before:
        instance.weight.total += len(row.outputs or "") - len(before or "")
    if row.lost:
        ledger.keep(row, survived=row.lost)
    instance.changes.task_changed(row)
    if outcome.token_taken:
        _keep_token(instance, row)
        if row.event == "start" and outcome.result in ("failed", "bpmn-error"):
            # Somebody outside has the token, and may have begun although the start broke off.
            ledger.keep(row, outside=row.attempt)
    token = instance.workflow.tasks.get(row.token)
    if outcome.result == "withdrawn":
        _not_begun(instance, row)
    elif outcome.result == "again":
        poll_again(instance, row)
    elif outcome.result == "deferred":
        _deferred(instance, row, outcome)
    elif outcome.result == "supplied":
        _supplied(instance, row, token, outcome)
    elif row.kind in ledger.FORWARD and (row.event == "rollback" or "watches" in ledger.kept(row)):
        attempt_taken_back(instance, row, token, outcome)
    elif outcome.result == "done":
        _done(instance, row, token, outcome)
    else:
        not_done(instance, row, token, outcome)
    settle(instance)


# -- done, or not yet


def _deferred(instance: Instance, row: TaskRow, outcome: Outcome) -> None:
    """Somebody outside has the task now; a monitor is polled meanwhile, should they never tell."""
    now, stone = instance.now(), instance.facilities.stone_of(row)
    deferral.begin(row, outcome.signature)
    timeout = outcome.timeout
    row.status = "start.begin"
    row.deadline = None
    row.due = None if timeout is None else now + round(timeout * 1000)
    if stone.has("monitor"):
        row.event, row.status = "monitor", "monitor.begin"
        timeout = stone.timeouts.get("monitor") if timeout is None else timeout
        row.deadline = None if timeout is None else now + round(timeout * 1000)
        row.due = entries.next_poll(stone.monitor_interval, now)
    # It is in nobody's hands: an engine that dies leaves no more of it than the time when it is due.
    row.owner = None if row.due is None else instance.facilities.engine_id
    if (told := take_early(row)) is not None:
        take_back(instance, row)
        deferral.told(row)
        apply_outcome(instance, outcome_of(row, told, row.attempt, ledger.delivery(row)))
    elif is_stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped while somebody outside had it.")


def take_back(instance: Instance, row: TaskRow) -> None:
    """The task waits no longer for somebody outside: it is this engine's again."""
    deferral.time_over(row)
    row.due = None
    row.owner = instance.facilities.engine_id


def _keep_token(instance: Instance, row: TaskRow) -> None:
    """Keep what gives a token away, so that it is hidden wherever the hook has put it."""
    token = secret_part(instance.facilities.tokens.token_of(row.id, row.generation))
    tokens = ledger.kept(row).get("tokens", [])
    if token not in tokens:
        ledger.keep(row, tokens=[*tokens, token])
    instance.row.flags |= Flags.SECRETS


def _supplied(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    """A worker has defaults for what the task lacked. They are frozen before its hook sees them, like all others."""
    before = row.parameters
    if secrets.add(row, instance.facilities.stone_of(row), outcome.parameters or {}):
        instance.row.flags |= Flags.SECRETS
    if row.parameters is before:
        reason = "The worker has supplied nothing that the task lacked."
        not_done(instance, row, token, replace(outcome, result="failed", reason=reason))
        return
    instance.weight.total += len(row.parameters) - len(before)
    _not_begun(instance, row)


def _not_begun(instance: Instance, row: TaskRow) -> None:
    """Whoever got the task has not begun it; where that is to stop, it never does."""
    if is_stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped before a worker had begun it.", held_back=True)
    else:
        hand_over(instance, row, instance.facilities.stone_of(row))


def _done(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    stone = instance.facilities.stone_of(row)
    if outcome.variables and token is not None and row.target is None:
        token.node.receive(token, outcome.variables)
    if row.event == "start" and stone.has("monitor"):
        begin_monitor(instance, row, stone)
        return
    if row.target is not None and isinstance(instance, UndoInstance):
        if not has_settled(instance, row, stone, outcome):
            put_off(instance, row, outcome)
        elif not is_to_be_watched(instance, row, stone, outcome):
            instance.undo_done(row, token)
        return
    row.progress = 100
    if row.event == "monitor" and row.state is not None:
        # It has seen for itself what somebody outside would tell.
        deferral.told(row)
    instance.end_task(row, DONE[row.event] if row.event != "mock" or stone.has("mock") else "mock.passed")
    if row.outputs:
        instance.put_out(row)
    if token is None or (instance.row.phase != "running" and is_fenced(instance)):
        return
    instance.workflow.task_done(token, row.id, jsontext.read(row.outputs) if row.outputs else {})


# -- meanwhile


def progressed(instance: Instance, task_id: int, attempt: int, percent: int) -> None:
    """A running task says how far it is."""
    row = instance.tasks.get(task_id)
    if row is not None and row.open and row.attempt == attempt and row.progress != percent:
        row.progress = percent
        instance.changes.task_changed(row)
        instance.save()


def stone_is_gone(instance: Instance, task_id: int) -> None:
    """Nobody can carry out a task that was handed over: it waits until its stone is registered again."""
    row = instance.tasks.get(task_id)
    if row is None or not row.open:
        return
    instance.changes.task_changed(row)
    if instance.facilities.stones.choose(row.stone, row.parameters) is not None:
        # It came back before anybody could see that the task waits for it.
        _not_begun(instance, row)
    elif is_stopping(instance) and row.kind in ledger.FORWARD:
        # A cancel or a failure came while it was looked for: nothing is there to stop, or to wait for.
        lost = ledger.has_begun(row)
        reason = "Its stone was missing when its process was stopped."
        instance.stop_task(row, "unknown" if lost else "canceled", reason, held_back=True)
    else:
        ledger.miss_stone(row, instance.now())
        quota_slots.free(instance, row)
    settle(instance)
