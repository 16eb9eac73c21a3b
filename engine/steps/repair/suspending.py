"""Suspending a process: what comes to it is taken in, and nothing of it begins until that is lifted.

Its undo is suspended with it, or begins so. Hooks that run end and are entered; monitors are polled, since they only
look; messages and people's answers move tokens, which then stand ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....models import InstanceRow, Suspensions
from ....models.vocabulary import UNDO_KINDS
from ... import jsontext
from ...errors import Conflict, Invalid
from ...instance import process_slots
from ...instance.forward import ForwardInstance
from ...instance.instance import Instance
from ...instance.tasks.hand_over import hand_over, hold_back
from ...ledger import deferral, ledger
from ...undo.instance import UndoInstance
from ..draining import is_stopping
from ..settling import settle
from ..undoing import undo_of

LONGEST_REASON = 1000
PUT_OFF = 3_155_760_000_000
"""Milliseconds by which what is due in a process is put off that could not be stepped: a hundred years."""


def is_put_off(moment: int, now: int) -> bool:
    """Whether a moment is so far ahead since nobody is to come for it."""
    return moment > now + PUT_OFF // 2


def suspend(instance: Instance, reason: str | None, who: str | None) -> None:
    """Let nothing of a process begin; asked again, the reason is replaced. Raises Conflict, Invalid."""
    process = _process_of(instance)
    check_reason(reason)
    _suspend(process, {"reason": reason or None, "who": who or process.changes.who, "since": process.now()})


def suspend_with_key(instance: Instance) -> None:
    """Suspend a process since its key is; one that somebody has suspended itself stays so. Raises Conflict."""
    process = _process_of(instance)
    if (kept := _of_key(process)) is None:
        text = f"The key {process.row.key!r} is not suspended any more, so process {process.number} goes on."
        raise Conflict(text, code="not-suspended", status=process.row.status)
    if process.row.suspension is None or is_of_key(process.row):
        _suspend(process, kept)


def begin_suspended(process: ForwardInstance) -> None:
    """Let a process that begins wait where its key is suspended."""
    if (kept := _of_key(process)) is not None:
        process.row.suspension, process.row.phase = jsontext.dumps(kept), "suspended"


def _of_key(process: ForwardInstance) -> dict[str, Any] | None:
    """What is kept of the suspension of a process's key; None where that is not suspended, which the commit compares.

    If others have just let it go on, the commit finds that out too.
    """
    if ("key", process.row.key) not in process.suspended:
        return None
    row = Suspensions(process.facilities.store).of("key", process.row.key)
    about = {"reason": row.reason, "who": row.who, "since": row.since} if row is not None else {}
    return {"reason": None, "who": None, "since": process.now(), **about, "key": True}


def is_of_key(row: InstanceRow) -> bool:
    """Whether a process is suspended since its key is, or was."""
    return "key" in jsontext.read(row.suspension or "{}")


def _suspend(process: ForwardInstance, kept: Mapping[str, Any]) -> None:
    row = process.row
    if row.phase == "ended":
        text = f"Process {process.number} has the status {row.status!r}: nothing goes on that could be suspended."
        raise Conflict(text, status=row.status)
    text = jsontext.dumps(dict(kept))
    for each in _family(process):
        each.row.suspension = text
        if each.row.phase == "running":
            each.row.phase, each.row.due = "suspended", None
            _hold(each)
        elif each.row.phase == "draining" and not is_stopping(each):
            # What it waits for is tried again, which is a beginning too.
            _hold(each)
        elif each.row.phase == "queued":
            # It asks again, at its old place, when it is let go on.
            process_slots.free(each)
        each.save()


def check_reason(reason: str | None) -> None:
    """Raise Invalid for a reason that is too long to be kept."""
    if reason is not None and len(reason) > LONGEST_REASON:
        text = f"The reason of a suspension has at most {LONGEST_REASON} characters, not {len(reason)}."
        raise Invalid(text, code="reason-invalid", errors={"reason": [text]})


def unsuspend(instance: Instance) -> None:
    """Let a suspended process go on where it stands. Raises Conflict."""
    process = _process_of(instance)
    if process.row.suspension is not None and is_of_key(process.row) and _of_key(process) is not None:
        text = f"Process {process.number} is suspended with all of the key {process.row.key!r}: let the key go on,"
        raise Conflict(f"{text} or cancel the process.", code="key-suspended", status=process.row.status)
    _unsuspend(process)


def unsuspend_with_key(instance: Instance) -> None:
    """Let a process go on that was suspended since its key was. Raises Conflict."""
    process = _process_of(instance)
    if process.row.suspension is not None and not is_of_key(process.row):
        text = f"Process {process.number} was suspended by itself before its key was: it goes on when it is let go on."
        raise Conflict(text, code="suspended", status=process.row.status, allowed=("unsuspend", "cancel"))
    unsuspend(process)


def _unsuspend(process: ForwardInstance) -> None:
    if process.row.suspension is None:
        text = f"Process {process.number} is not suspended, so it goes on by itself as far as it can."
        raise Conflict(text, status=process.row.status)
    family = list(_family(process))
    lift(process)
    if process.row.phase == "queued":
        process_slots.ask(process)
        return
    for each in family:
        settle(each)


def lift(process: ForwardInstance) -> None:
    """The same without a step: whatever comes next may begin again."""
    for each in list(_family(process)):
        each.row.suspension = None
        _call_back(each)
        if each.row.phase in ("suspended", "draining"):
            _let_go(each)
        each.save()


def refuse_suspended(instance: Instance) -> None:
    """Raise Conflict where nothing may begin in a process."""
    row = instance.row
    if row.suspension is None:
        return
    who = jsontext.read(row.suspension)["who"]
    by = f" by {who}" if who else ""
    raise Conflict(
        f"Process {instance.number} was suspended{by}, so nothing of it begins: let it go on first, or cancel it.",
        code="suspended",
        status=row.status,
        allowed=("unsuspend", "cancel"),
    )


def _process_of(instance: Instance) -> ForwardInstance:
    if isinstance(instance, UndoInstance):
        return instance.origin
    assert isinstance(instance, ForwardInstance)
    return instance


def _family(process: ForwardInstance) -> Iterator[Instance]:
    """The process and its undos that have not ended; those that stand ready are asked when they begin."""
    yield process
    numbers = {getattr(process.row, f"{kind}_id") for kind in UNDO_KINDS} | set(
        process.workflow.undos.rewinding.values()
    )
    for number in sorted(number for number in numbers if number is not None):
        undo = undo_of(process, number)
        if undo.row.phase in ("running", "suspended"):
            yield undo


def _hold(instance: Instance) -> None:
    """What was handed over and has not begun is taken back; what runs is let end."""
    for row in instance.tasks.open_rows():
        in_hand = row.stone is not None and row.due is None and row.status not in ledger.HELD_BACK
        if in_hand and row.event != "monitor" and not deferral.is_deferred(row) and hold_back(instance, row):
            hand_over(instance, row, instance.facilities.stone_of(row))


def _call_back(instance: Instance) -> None:
    """What was put off is due when it would have been."""
    now, row = instance.now(), instance.row
    if row.due is not None and is_put_off(row.due, now):
        row.due -= PUT_OFF
    for task in instance.tasks.open_rows():
        if task.due is not None and is_put_off(task.due, now):
            task.due -= PUT_OFF
            instance.changes.task_changed(task)
        if task.deadline is not None and is_put_off(task.deadline, now):
            task.deadline -= PUT_OFF
            instance.changes.task_changed(task)


def _let_go(instance: Instance) -> None:
    row, now = instance.row, instance.now()
    was_running = row.phase == "suspended"
    if was_running:
        row.phase = "running"
    for task in instance.tasks.open_rows():
        if task.status in ledger.HELD_BACK:
            task.due, task.owner = now, instance.facilities.engine_id
            instance.changes.task_changed(task)
    if was_running and isinstance(instance, UndoInstance) and "more" in instance.workflow.task_tree.internal_data:
        row.due, row.due_owner = now, instance.facilities.timekeeper
