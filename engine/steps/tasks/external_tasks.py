"""Tasks that workers fetch over HTTP: locked for one of them, answered by it, or given back.

All of this happens in the turn of the process instance: what a worker gets was compared with the revision of everything
that was read for it, and whoever cancels meanwhile finds the lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from ....models import EXTERNAL, ExternalRow, TaskRow
from ....models.vocabulary import UNDO_KINDS
from ... import jsontext
from ...errors import Conflict, Invalid, Unknown
from ...instance.instance import Instance
from ...instance.tasks import quota_slots
from ...instance.tasks.hand_over import hand_over, suspended_for
from ...instance.tasks.offers import lock_of, topic_of
from ...instance.tasks.quota_slots import Fetch
from ...ledger import entries, ledger
from ...mask import cut
from ...work import LONGEST_REASON, Outcome, Result
from .. import checking
from ..attempts import fail_for_good
from ..draining import is_stopping
from ..late import apply_late
from ..outcomes import apply_outcome, progressed
from ..settling import settle
from . import external_checks

AGAIN = "riverstone.again"
"""The variable with which a worker says that a monitor is to be asked again."""
DIFFERENT = "riverstone.different"
"""The variable in which a worker says what a check has found to be different."""
ALREADY_GONE = "not-found"
"""The code of the BPMN error by which a worker says that what it is to undo is not there."""


class UnknownExternalTask(Unknown):
    """No open task that workers fetch has this id."""

    code = "unknown-external-task"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No open external task has the id {identifier[:100]!r}: it may have ended.")


class TaskId(NamedTuple):
    """The id under which workers know a task: the same over its deliveries, another after what it made was undone."""

    task_id: int
    generation: int

    def __str__(self) -> str:
        return f"{self.task_id}-{self.generation}"


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerAnswer:
    """What a worker says that came of a task."""

    result: Result
    variables: Mapping[str, Any]
    """Outputs that become variables of the process too."""
    local_variables: Mapping[str, Any]
    """Outputs alone."""
    reason: str | None = None
    details: str | None = None
    error_code: str | None = None
    retries: int = 0
    """How often the worker wants it tried again after this failure."""
    pause: int = 0
    """The milliseconds before that."""
    delivery: int | None = None
    """Which delivery it answers, if it tells."""


Answered = Literal["taken", "late"]


def open_row(instance: Instance, wanted: TaskId) -> TaskRow:
    """The row of a task that is offered to workers or in the hands of one; raises UnknownExternalTask."""
    row = instance.tasks.get(wanted.task_id)
    if row is None or row.generation != wanted.generation or not is_offered(row):
        raise UnknownExternalTask(str(wanted))
    return row


def is_offered(row: TaskRow) -> bool:
    """Whether workers may have the row's present hook in hand, or can get it."""
    return bool(row.open) and row.owner == EXTERNAL and row.due is None and row.status not in ledger.HELD_BACK


class Lock(NamedTuple):
    """A task that a worker has got, if the commit gives it a slot of its quota."""

    row: ExternalRow
    slot: Fetch | None = None

    @property
    def is_held(self) -> bool:
        """Whether it has, once that is committed; else the task waits for one."""
        return self.slot is None or self.slot.is_held


def lock(instance: Instance, task_id: int, worker: str, milliseconds: int, *, most_losses: int) -> Lock | None:
    """Give a task to a worker; None if nobody may have it now.

    One that somebody else had and whose lock has run out is lost with it, which too often is a failure.
    """
    row = instance.tasks.get(task_id)
    if row is not None and not row.open:
        check = external_checks.lock(instance, task_id, worker, milliseconds)
        return None if check is None else Lock(check)
    if row is None or not is_offered(row) or is_stopping(instance) or instance.row.phase == "suspended":
        return None
    offered, left = lock_of(instance, row)
    if offered is None or left >= 0:
        return None
    if row.event != "monitor" and suspended_for(instance, row) is not None:
        hand_over(instance, row, instance.facilities.stone_of(row))
        return None
    if offered.worker is not None:
        times = int(ledger.kept(row).get("expired", 0)) + 1
        if times > most_losses:
            _lost_too_often(instance, row, times)
            return None
        ledger.keep(row, expired=times)
        # What the other one still answers is that of an earlier delivery.
        row.handed += 1
    slot, stone = None, instance.facilities.stone_of(row)
    # Which quotas there are is known once this engine has heard of the stone.
    if row.event != "monitor" and (instance.facilities.stones.quotas or row.state is not None):
        slot = quota_slots.fetch(instance, row, stone)
    if row.event == "start":
        ledger.keep(row, begun=True)
    taken = replace(offered, delivery=ledger.delivery(row), worker=worker, until=_now(instance) + milliseconds)
    _write(instance, row, taken)
    return Lock(taken, slot)


def lock_one(instance: Instance, wanted: TaskId, worker: str, milliseconds: int, *, most_losses: int) -> Lock | None:
    """Give one named task to a worker, or for longer; raises UnknownExternalTask, Invalid while another has it."""
    if wanted.generation == external_checks.GENERATION:
        if external_checks.lock(instance, wanted.task_id, worker, milliseconds) is None:
            extend(instance, wanted, worker, milliseconds)
        return None
    row = open_row(instance, wanted)
    offered, left = lock_of(instance, row)
    if offered is not None and left >= 0 and offered.worker != worker:
        raise _is_locked(wanted, offered)
    if offered is not None and offered.worker == worker:
        _write(instance, row, replace(offered, until=_now(instance) + milliseconds))
        return None
    taken = lock(instance, wanted.task_id, worker, milliseconds, most_losses=most_losses)
    if taken is None:
        raise UnknownExternalTask(str(wanted))
    return taken


def extend(instance: Instance, wanted: TaskId, worker: str | None, milliseconds: int) -> None:
    """Let a worker keep a task; raises Invalid if it has not got it, UnknownExternalTask as soon as it should stop."""
    if wanted.generation == external_checks.GENERATION:
        check = _held_check(instance, wanted, worker)
        external_checks.hold(instance, check, check.worker, _now(instance) + milliseconds)
        return
    row = open_row(instance, wanted)
    if is_stopping(instance):
        raise UnknownExternalTask(str(wanted))
    held = _held(instance, row, wanted, worker)
    if lock_of(instance, row)[1] < 0:
        raise Invalid(f"The lock of external task {wanted} has run out: fetch it again.", code="external-task-expired")
    _write(instance, row, replace(held, until=_now(instance) + milliseconds))


def unlock(instance: Instance, wanted: TaskId) -> None:
    """Offer a task again to whoever fetches next; it is no loss."""
    if wanted.generation == external_checks.GENERATION:
        external_checks.hold(instance, _held_check(instance, wanted, None), None, None)
        return
    row = open_row(instance, wanted)
    offered = lock_of(instance, row)[0]
    if offered is not None and offered.worker is not None:
        # What it answers after all is that of an earlier delivery.
        row.handed += 1
        _write(instance, row, replace(offered, delivery=ledger.delivery(row), worker=None, until=None))
        if row.state is not None:
            quota_slots.free(instance, row)


def set_priority(instance: Instance, wanted: TaskId, priority: int) -> None:
    """Have a task fetched before or after others."""
    row = open_row(instance, wanted)
    offered = lock_of(instance, row)[0]
    ledger.keep(row, priority=priority)
    if offered is not None:
        _write(instance, row, replace(offered, priority=priority))


def set_retries(instance: Instance, wanted: TaskId, retries: int) -> None:
    """Let the next fetch tell another number of tries that are left."""
    row = open_row(instance, wanted)
    ledger.keep(row, left=retries)
    instance.changes.task_changed(row)
    instance.save()


def set_variables(instance: Instance, task_id: int, worker: str, values: Mapping[str, Any]) -> None:
    """Enter what a worker has got so far; an undo knows of it, whatever comes of the task then.

    Raises UnknownExternalTask, Invalid where it has not got the task any more.
    """
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownExternalTask(str(task_id))
    wanted = TaskId(task_id, row.generation)
    _held(instance, open_row(instance, wanted), wanted, worker)
    before = row.outputs
    row.outputs = jsontext.dumps({**(jsontext.read(before) if before else {}), **values})
    instance.weight.total += len(row.outputs) - len(before or "")
    instance.changes.task_changed(row)
    token = instance.workflow.tasks.get(row.token)
    if row.target is None and token is not None and not is_stopping(instance):
        token.node.receive(token, values)
    settle(instance)


def tell(
    instance: Instance, wanted: TaskId, worker: str | None, *, percent: int | None, lines: tuple[str, ...]
) -> None:
    """Keep how far a worker is, and what it says for the log; raises as :func:`extend`.

    Raises Invalid for lines of a stone with secret outputs: what is secret in them is known at its end alone.
    """
    row = open_row(instance, wanted)
    if is_stopping(instance):
        raise UnknownExternalTask(str(wanted))
    _held(instance, row, wanted, worker)
    if lines:
        if instance.facilities.stone_of(row).secret_outputs:
            text = f"The stone {row.stone!r} has secret outputs, which lines could tell too early: leave them out."
            raise Invalid(text, code="log-secret")
        entries.log(row, lines)
        instance.changes.task_changed(row)
        instance.save()
    if percent is not None:
        progressed(instance, row.id, row.attempt, percent)


def answer(instance: Instance, wanted: TaskId, worker: str | None, given: WorkerAnswer) -> Answered:
    """Enter what a worker says; what comes after the task has ended feeds the ledger alone.

    Raises UnknownExternalTask for what never was, Invalid where another worker has it, Conflict where the worker tells
    another delivery than the present one.
    """
    if wanted.generation == external_checks.GENERATION:
        _answer_check(instance, _held_check(instance, wanted, worker), given)
        return "taken"
    row = instance.tasks.get(wanted.task_id)
    if row is None or row.generation != wanted.generation:
        raise UnknownExternalTask(str(wanted))
    if not is_offered(row):
        _answer_late(instance, row, given)
        return "late"
    held = _held(instance, row, wanted, worker)
    if given.delivery not in (None, held.delivery):
        raise Conflict(f"External task {wanted} was fetched again since this worker got it.", code="lease-stale")
    outcome = _outcome(instance, row, given)
    if outcome.result == "failed":
        # The worker decides: so many more, or none.
        tries = ledger.tries(row)
        ledger.keep(row, retries=tries + given.retries - 1, pauses=[given.pause], left=given.retries)
    if "expired" in ledger.kept(row):
        ledger.keep(row, expired=0)
    instance.facilities.observers.tell_events([outcome])
    apply_outcome(instance, outcome)
    return "taken"


def retries_left(row: TaskRow) -> int | None:
    """What a worker has last said of the tries that are left, or the model; None while nobody has."""
    kept = ledger.kept(row)
    found = kept.get("left")
    if found is None and "retries" in kept:
        found = kept["retries"] - ledger.tries(row) + 2
    return None if found is None else int(found)


def _outcome(instance: Instance, row: TaskRow, given: WorkerAnswer) -> Outcome:
    outputs = {**given.variables, **given.local_variables}
    result, state, variables = given.result, None, given.variables
    if row.event == "monitor" and result == "done":
        again = outputs.pop(AGAIN, False) is True
        if again:
            result, state, outputs, variables = "again", outputs, {}, {}
    if row.event in UNDO_KINDS and result == "bpmn-error" and given.error_code == ALREADY_GONE:
        result = "done"
    outputs.pop(AGAIN, None)
    stone = instance.facilities.stone_of(row)
    return Outcome(
        task_id=row.id,
        process_instance_id=instance.number,
        event=row.event,
        attempt=row.attempt,
        result=result,
        outputs=outputs,
        variables={name: value for name, value in variables.items() if name != AGAIN},
        state=state,
        log=() if given.details is None else tuple(given.details.splitlines()),
        reason=given.reason,
        error_code=given.error_code,
        delivery=ledger.delivery(row),
        stone=row.stone or "",
        interval=stone.monitor_interval,
    )


def _answer_late(instance: Instance, row: TaskRow, given: WorkerAnswer) -> None:
    known = list(instance.stragglers.of(row.id))
    if not known:
        return
    _, attempt, event, delivery = known[-1]
    outcome = replace(_outcome(instance, row, given), attempt=attempt, event=event, delivery=delivery)
    apply_late(instance, row, outcome)
    settle(instance)


def _answer_check(instance: Instance, held: ExternalRow, given: WorkerAnswer) -> None:
    told = {**given.variables, **given.local_variables}.get(DIFFERENT)
    if given.result == "done":
        reason = cut(str(told), LONGEST_REASON) if told else None
        outcome = external_checks.outcome_of(instance, held, "different" if told else "there", reason)
    else:
        gone = given.result == "bpmn-error" and given.error_code == ALREADY_GONE
        outcome = external_checks.outcome_of(instance, held, "gone" if gone else None, given.reason)
    checking.enter(instance, outcome)


def _held_check(instance: Instance, wanted: TaskId, worker: str | None) -> ExternalRow:
    """The check that a worker has; raises as :func:`_held`, UnknownExternalTask where there is none any more."""
    found = external_checks.offered(instance, wanted.task_id)
    if found is None:
        raise UnknownExternalTask(str(wanted))
    if found.worker is None or worker not in (None, found.worker):
        raise _is_locked(wanted, found)
    return found


def _held(instance: Instance, row: TaskRow, wanted: TaskId, worker: str | None) -> ExternalRow:
    """The lock that a worker has, or had until nobody else fetched the task; raises Invalid.

    In a protocol that does not name the worker it is that of whoever has one.
    """
    offered = lock_of(instance, row)[0]
    if offered is None or offered.worker is None or worker not in (None, offered.worker):
        raise _is_locked(wanted, offered)
    return offered


def _is_locked(wanted: TaskId, offered: ExternalRow | None) -> Invalid:
    holder = None if offered is None else offered.worker
    whose = "by nobody" if holder is None else f"by {holder!r}"
    text = f"External task {wanted} is locked {whose}, so this worker cannot answer it: fetch it first."
    return Invalid(text, code="external-task-locked")


def _write(instance: Instance, row: TaskRow, offered: ExternalRow) -> None:
    instance.changes.rare.external[row.id] = offered
    instance.changes.task_changed(row)
    instance.save()


def _now(instance: Instance) -> int:
    return instance.facilities.external.now()


def _lost_too_often(instance: Instance, row: TaskRow, times: int) -> None:
    text = f"The lock of {topic_of(row)!r} ran out {times} times without an answer, so the task is given up"
    outcome = replace(
        _outcome(instance, row, WorkerAnswer(result="failed", variables={}, local_variables={}, reason=text)), log=()
    )
    instance.facilities.observers.tell_events([outcome])
    fail_for_good(instance, row, instance.workflow.tasks.get(row.token), outcome)
    settle(instance)
