"""An attempt that has failed: another one follows, or the task has failed for good."""

from __future__ import annotations

import random

from ...models import TaskRow
from ...models.vocabulary import HOOK_FAILED, UNDER_WAY
from .. import jsontext
from ..bpmn.running.token import Token
from ..errors import BpmnError
from ..instance.flags import Flags
from ..instance.instance import Instance
from ..instance.notes.history import note_attempt
from ..instance.tasks import quota_slots
from ..instance.tasks.hand_over import hand_over
from ..ledger import deferral, ledger, secrets
from ..stones.stone import Stone
from ..undo.instance import UndoInstance
from ..work import Outcome
from .draining import is_fenced
from .monitors import is_to_be_watched, look_again
from .pauses import backoff, has_settled, is_in_time, put_off


def not_done(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    stone = instance.facilities.stone_of(row)
    again = outcome.result == "failed" and instance.row.phase in UNDER_WAY and not outcome.fatal
    again = again and is_in_time(instance, row, stone)
    if again and outcome.later is not None:
        put_off(instance, row, outcome)
        return
    if again and row.event == "monitor" and look_again(instance, row, stone, outcome):
        return
    if row.event == "monitor" and (kind := ledger.kept(row).get("watches")) is not None:
        # The undo itself is tried again, or has failed.
        row.event = kind
        ledger.drop(row, "watches")
    if again and ledger.tries(row) <= ledger.kept(row).get("retries", stone.retries):
        _retry(instance, row, stone, outcome)
        return
    fail_for_good(instance, row, token, outcome)


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
    """Wait and try again; what a failed start left behind is undone before."""
    tries, kept = ledger.tries(row), ledger.kept(row)
    if pauses := kept.get("pauses"):
        delay, jitter = pauses[min(tries, len(pauses)) - 1], kept.get("jitter", 0.0)
    else:
        delay, jitter = backoff(row, stone, tries) * 1000, kept.get("jitter", stone.retry_jitter)
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
        instance.stragglers.leave_outside(row)
    quota_slots.free(instance, row)


def next_attempt(row: TaskRow, stone: type[Stone], *, anew: bool = False) -> None:
    """Make a failed row ready to be tried again: first what it left behind is undone, under the old attempt.

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


def attempt_taken_back(instance: Instance, row: TaskRow, token: Token | None, outcome: Outcome) -> None:
    """What the failed attempt left behind is gone, or not: start the next one under a new key, or fail."""
    stone, under_way = instance.facilities.stone_of(row), instance.row.phase in UNDER_WAY
    if under_way and (not has_settled(instance, row, stone, outcome) or outcome.later is not None):
        put_off(instance, row, outcome)
        return
    if outcome.result == "done" and is_to_be_watched(instance, row, stone, outcome):
        return
    looks = under_way and row.event == "monitor" and not outcome.fatal
    if outcome.result != "done" and looks and look_again(instance, row, stone, outcome):
        return
    row.event = "rollback"
    ledger.drop(row, "watches", "settled")
    if outcome.result != "done":
        text = f"What attempt {row.attempt} left behind could not be undone: {outcome.reason}"
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
        hand_over(instance, row, instance.facilities.stone_of(row))
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
    if secrets.keep(row, instance.facilities.stone_of(row), references):
        instance.row.flags |= Flags.SECRETS
