"""What came of a task, entered into the ledger and given to the workflow."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from ...models import TaskRow
from ...models.vocabulary import HOOK_FAILED, UNDER_WAY, UNDO_BEGUN, UNDO_KINDS, UNDO_MONITORS, LedgerEvent, TaskStatus
from .. import jsontext
from ..bpmn.running.token import Token
from ..callback_tokens import secret_part
from ..errors import BpmnError
from ..instance import deferral, ledger, quota_slots, secrets
from ..instance.flags import Flags
from ..instance.history import note_attempt
from ..instance.instance import Instance
from ..stones.stone import Stone
from ..undo.instance import UndoInstance
from ..work import Outcome
from .draining import is_fenced, is_stopping
from .late import apply_late
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
    ledger.enter(row, outcome)
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
        _poll_again(instance, row)
    elif outcome.result == "deferred":
        _deferred(instance, row, outcome)
    elif outcome.result == "supplied":
        _supplied(instance, row, token, outcome)
    elif row.kind in ledger.FORWARD and (row.event == "rollback" or "watches" in ledger.kept(row)):
        _attempt_taken_back(instance, row, token, outcome)
    elif outcome.result == "done":
        _done(instance, row, token, outcome)
    else:
        _not_done(instance, row, token, outcome)
    settle(instance)


def stone_of(instance: Instance, row: TaskRow) -> type[Stone]:
    """The class that serves a row, or one without hooks while it is missing."""
    return instance.facilities.stones.choose(row.stone, row.parameters) or Stone


# -- done, or not yet


def _poll_again(instance: Instance, row: TaskRow) -> None:
    watches = ledger.kept(row).get("watches")
    row.status = "monitor.begin" if watches is None else UNDO_BEGUN[watches]
    ledger.drop(row, "looks", "failing")
    if is_stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped between two looks of its monitor.")
        return
    row.owner = instance.facilities.engine_id
    row.due = ledger.next_poll(stone_of(instance, row).monitor_interval, instance.now())


def _deferred(instance: Instance, row: TaskRow, outcome: Outcome) -> None:
    """Somebody outside has the task now; a monitor is polled meanwhile, should they never tell."""
    now, stone = instance.now(), stone_of(instance, row)
    deferral.begin(row, outcome.signature)
    timeout = outcome.timeout
    row.status = "start.begin"
    row.deadline = None
    row.due = None if timeout is None else now + round(timeout * 1000)
    if stone.has("monitor"):
        row.event, row.status = "monitor", "monitor.begin"
        timeout = stone.timeouts.get("monitor") if timeout is None else timeout
        row.deadline = None if timeout is None else now + round(timeout * 1000)
        row.due = ledger.next_poll(stone.monitor_interval, now)
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
    if secrets.add(row, stone_of(instance, row), outcome.parameters or {}):
        instance.row.flags |= Flags.SECRETS
    if row.parameters is before:
        reason = "The worker has supplied nothing that the task lacked."
        _not_done(instance, row, token, replace(outcome, result="failed", reason=reason))
        return
    instance.weight.total += len(row.parameters) - len(before)
    _not_begun(instance, row)


def _not_begun(instance: Instance, row: TaskRow) -> None:
    """Whoever got the task has not begun it; where that is to stop, it never does."""
    if is_stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped before a worker had begun it.", held_back=True)
    else:
        instance.hand_over(row, stone_of(instance, row))


def _done(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    stone = stone_of(instance, row)
    if outcome.variables and token is not None and row.target is None:
        token.node.receive(token, outcome.variables)
    if row.event == "start" and stone.has("monitor"):
        _begin_monitor(instance, row, stone)
        return
    if row.target is not None and isinstance(instance, UndoInstance):
        if not _has_settled(instance, row, stone, outcome):
            _put_off(instance, row, outcome)
        elif not _is_to_be_watched(instance, row, stone, outcome):
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


def _begin_monitor(instance: Instance, row: TaskRow, stone: type[Stone]) -> None:
    row.event = "monitor"
    row.status = "start.success"
    row.deadline = None
    if is_stopping(instance):
        instance.stop_task(row, "canceled", "It was stopped before its monitor looked.")
        return
    timeout = stone.timeouts.get("monitor")
    row.deadline = instance.now() + round(timeout * 1000) if timeout is not None else None
    row.due = None
    instance.hand_over(row, stone)


def _is_to_be_watched(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> bool:
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
    instance.hand_over(row, stone)
    return True


def _has_settled(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> bool:
    """Whether an undo may believe that a thing is not there, which does not show at once in every cloud.

    Otherwise the outcome says when to ask once more.
    """
    if not outcome.gone or stone.settle <= 0 or row.event == "monitor" or "settled" in ledger.kept(row):
        return True
    seconds = stone.settle
    if isinstance(instance, UndoInstance):
        ended = instance.origin.tasks[row.target].ended if row.target is not None else None
        seconds -= (instance.now() - ended) / 1000 if ended is not None else 0.0
    ledger.keep(row, settled=True)
    outcome.later, outcome.reason = seconds, "it is not there, and may not show yet"
    return seconds <= 0


# -- failed


def _not_done(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    stone = stone_of(instance, row)
    again = outcome.result == "failed" and instance.row.phase in UNDER_WAY and not outcome.fatal
    again = again and _is_in_time(instance, row, stone)
    if again and outcome.later is not None:
        _put_off(instance, row, outcome)
        return
    if again and row.event == "monitor" and _look_again(instance, row, stone, outcome):
        return
    if row.event == "monitor" and (kind := ledger.kept(row).get("watches")) is not None:
        # The undo itself is tried again, or has failed.
        row.event = kind
        ledger.drop(row, "watches")
    if again and ledger.tries(row) <= ledger.kept(row).get("retries", stone.retries):
        _retry(instance, row, stone, outcome)
        return
    fail_for_good(instance, row, token, outcome)


def _is_in_time(instance: Instance, row: TaskRow, stone: type[Stone]) -> bool:
    """Whether the time is not over in which an event that has failed may be tried again."""
    kept, now = ledger.kept(row), instance.now()
    lasting = kept.get("retry_for", None if stone.retry_for is None else round(stone.retry_for * 1000))
    if lasting is None:
        return True
    since = kept.get("failing")
    if since is None:
        ledger.keep(row, failing=now)
        return True
    return now < int(since) + int(lasting)


def _put_off(instance: Instance, row: TaskRow, outcome: Outcome) -> None:
    """The hook has said that it cannot be done now: it is called again, and no attempt is used up."""
    seconds = outcome.later or 0.0
    if row.event != "monitor":
        row.status = HOOK_FAILED[row.event]
    if row.event in ("start", "mock") and not outcome.unbegun:
        ledger.keep(row, begun=True)
    row.reason = f"Put off for {seconds:g} seconds: {outcome.reason}"
    row.owner = instance.facilities.engine_id
    row.due = instance.now() + round(seconds * 1000)
    # The next one is another delivery: what still comes of this one is no answer to it.
    row.handed += 1
    if row.event != "monitor":
        row.deadline = None
    quota_slots.free(instance, row)


def _look_again(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> bool:
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
    row.due = ledger.next_poll(max(stone.monitor_interval, _backoff(row, stone, failed)), now)
    return True


def fail_for_good(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    """The task has failed, whatever retries it has left."""
    if row.target is not None and isinstance(instance, UndoInstance):
        instance.undo_failed(row, token, outcome.reason or "")
        return
    if outcome.unbegun and not ledger.has_begun(row):
        row.undo = "never-begun"
    instance.end_task(row, HOOK_FAILED[row.event], outcome.reason)
    if token is None or is_fenced(instance):
        return
    reason = f"Task {row.id} ({row.namespace}, stone {row.stone}) failed in {row.event}: {outcome.reason}"
    if outcome.variables and outcome.result == "bpmn-error":
        token.node.receive(token, outcome.variables)
    error = BpmnError(outcome.error_code or "", outcome.reason or "") if outcome.result == "bpmn-error" else None
    if instance.row.phase == "draining" and error is not None:
        instance.workflow.fail(token, reason)
        return
    instance.workflow.task_failed(token, row.id, error, reason)


def _retry(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> None:
    """Wait and try again; what a failed start left behind is taken back before."""
    tries, kept = ledger.tries(row), ledger.kept(row)
    if pauses := kept.get("pauses"):
        delay, jitter = pauses[min(tries, len(pauses)) - 1], kept.get("jitter", 0.0)
    else:
        delay, jitter = _backoff(row, stone, tries) * 1000, kept.get("jitter", stone.retry_jitter)
    note_attempt(instance, row, HOOK_FAILED[row.event], outcome.reason, edited=False)
    row.owner = instance.facilities.engine_id
    row.due = instance.now() + round(delay * (1 + random.random() * jitter))
    row.deadline = None
    row.status = HOOK_FAILED[row.event]
    row.reason = f"Attempt {row.attempt} failed: {outcome.reason}"
    if outcome.unbegun and not ledger.has_begun(row):
        ledger.keep(row, unbegun=row.attempt)
    next_attempt(row, stone)
    if row.event == "rollback":
        instance.leave_outside(row)
    quota_slots.free(instance, row)


def _backoff(row: TaskRow, stone: type[Stone], times: int) -> float:
    """Seconds before one more try after so many, as the node says or else the stone."""
    kept = ledger.kept(row)
    first: float = kept["backoff"] / 1000 if "backoff" in kept else stone.retry_backoff
    # A first pause of the node that is longer than the stone's longest is meant as it is.
    longest = max(stone.retry_backoff_max, first) if "backoff" in kept else stone.retry_backoff_max
    most: float = kept["backoff_max"] / 1000 if "backoff_max" in kept else longest
    seconds: float = min(first * 2 ** min(times - 1, 60), most)
    return seconds


def next_attempt(row: TaskRow, stone: type[Stone], *, anew: bool = False) -> None:
    """Make a failed row ready to be tried again: first what it left behind is taken back, under the old attempt.

    One that begins ``anew``, with other parameters, may have left something behind whatever it has put out.
    """
    left = row.kind in ledger.FORWARD and row.event in ("start", "monitor") and (anew or bool(row.outputs))
    if left and stone.has("rollback"):
        deferral.spend_early(row)
        row.event = "rollback"
        return
    row.attempt += 1
    row.event = "start" if row.event == "monitor" else row.event
    ledger.forget_state(row)


def _attempt_taken_back(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    """What the failed attempt left behind is gone, or not: start the next one under a new key, or fail."""
    stone, under_way = stone_of(instance, row), instance.row.phase in UNDER_WAY
    if under_way and (not _has_settled(instance, row, stone, outcome) or outcome.later is not None):
        _put_off(instance, row, outcome)
        return
    if outcome.result == "done" and _is_to_be_watched(instance, row, stone, outcome):
        return
    looks = under_way and row.event == "monitor" and not outcome.fatal
    if outcome.result != "done" and looks and _look_again(instance, row, stone, outcome):
        return
    row.event = "rollback"
    ledger.drop(row, "watches", "settled")
    if outcome.result != "done":
        text = f"What attempt {row.attempt} left behind could not be taken back: {outcome.reason}"
        instance.end_task(row, "start.failed", text)
        if token is not None and not is_fenced(instance):
            instance.workflow.task_failed(token, row.id, None, text)
        return
    if ledger.kept(row).get("skip"):
        row.undo = "undone"
        instance.end_task(row, "start.skipped")
        if token is not None and not is_fenced(instance):
            instance.workflow.task_skipped(token, row.id)
        return
    row.event = "start"
    row.attempt += 1
    row.generation += 1
    row.outputs = None
    row.progress = 0
    row.due = None
    row.deadline = None
    ledger.forget_state(row)
    take_edited(instance, row)
    ledger.drop(row, "early", "signature", "edited", "saved", "save")
    if instance.row.phase in ("running", "suspended", "paused"):
        instance.hand_over(row, stone_of(instance, row))
        return
    instance.end_task(row, "canceled")
    row.reason = "It was not tried again, because the process had failed or was cancelled."
    row.undo = "undone"


def take_edited(instance: Instance, row: TaskRow) -> None:
    """The next attempt begins with the parameters that somebody has given for it, if anybody has."""
    edited = ledger.kept(row).get("edited")
    if edited is None:
        return
    parameters, references = edited
    before, row.parameters = row.parameters, jsontext.dumps(parameters)
    instance.weight.total += len(row.parameters) - len(before)
    if secrets.keep(row, stone_of(instance, row), references):
        instance.row.flags |= Flags.SECRETS


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
