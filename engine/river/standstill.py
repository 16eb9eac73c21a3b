"""What nobody foresaw in a step: a token of it stands still, or the whole process as it is stored.

It waits for somebody, since trying again at every wake would fail for ever. What is suspended here is not read as an
instance, which may be what goes wrong; it goes on as any other that was suspended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

from ...models import InstanceRow, TaskRow
from .. import jsontext
from ..bpmn.running.unforeseen import Place, Unforeseen
from ..errors import InternalError
from ..instance import process_slots
from ..instance.tasks import quota_slots
from ..ledger import ledger
from ..observing import logs
from ..observing.observer import Observation, observed
from ..steps.repair.suspending import PUT_OFF, is_put_off
from ..webhooks.telling import NoticeWriter, Seen, seen_of
from .turn import Turn, Unreadable

logger = logging.getLogger("riverstone.engine")

MOST = 20
"""Tokens that stand still in one turn, each of which has it done once more."""


class Unstepped(InternalError):
    """Why an action could not be stepped, and which process it was about when that was seen, if any."""

    def __init__(self, kind: str, log_id: str, process_instance_id: int | None) -> None:
        super().__init__(
            f"The engine met an error that it did not foresee ({kind}, in its log as {log_id}). Nothing was changed:"
            " try again once the cause is mended."
        )
        self.reason = f"The engine met an error that it did not foresee ({kind}, in its log as {log_id})."
        self.process_instance_id = process_instance_id


def note(turn: Turn, error: Unforeseen, unforeseen: dict[int, dict[Place, str]]) -> bool:
    """Note where a token is to stand still when a turn is done once more; false where that would not help."""
    known_as = turn.instance_of(error.workflow)
    if known_as is None or sum(map(len, unforeseen.values())) >= MOST:
        return False
    places = unforeseen.setdefault(known_as, {})
    if error.place in places:
        return False
    cause = _cause_of(error)
    log_id = _log(f"what follows at {error.element}", known_as if known_as > 0 else None, cause)
    places[error.place] = (
        f"the engine met an error that it did not foresee ({type(cause).__name__}, in its log as {log_id}). Nothing was"
        " done there: try again once the cause is mended."
    )
    return True


def unstepped(turn: Turn, error: Exception) -> Unstepped:
    """What whoever asked for an action is told; the log has the error itself."""
    number, cause = next(reversed(turn.revisions), None), _cause_of(error)
    kind = cause.code if isinstance(cause, Unreadable) else type(cause).__name__
    return Unstepped(kind, _log("an action", number, cause), number)


def _cause_of(error: Exception) -> BaseException:
    return (error.__cause__ or error) if isinstance(error, Unforeseen) else error


def _log(what: str, number: int | None, error: BaseException) -> str:
    """Let the log tell of it; the id by which it is found there."""
    log_id = uuid4().hex[:12]
    whose = "a process that begins" if number is None else f"process {number}"
    text = "%s: %s of %s could not be stepped: %s"
    logger.error(text, log_id, what, whose, logs.where(error), extra=logs.about(process_instance_id=number))
    return log_id


class _NoRows:
    def open_rows(self) -> list[TaskRow]:
        return []


@dataclass(slots=True)
class StoredProcess:
    """A process as it is stored, for whoever is told what it has come to."""

    row: InstanceRow
    seen: Seen | None
    observed: Observation | None
    tasks: _NoRows = field(default_factory=_NoRows)


class _NotAlone(Exception):
    """Others in the turn may have the same process in hand as an instance; it is done once more, each alone."""


def suspend(turn: Turn, number: int, reason: str, telling: NoticeWriter) -> list[StoredProcess]:
    """Suspend a process and its undos as they are stored, and put off what is due there; those that were not before."""
    if not turn.alone:
        raise _NotAlone
    now, told = turn.facilities.clock.now(), list[StoredProcess]()
    kept = jsontext.dumps({"reason": reason, "who": None, "since": now, "unforeseen": True})
    for row in _family(turn, number):
        if row.phase == "ended":
            continue
        turn.cache.forget([row.process_instance_id])
        if row.suspension is None:
            told.append(StoredProcess(row, seen_of(row), observed(row)))
            row.suspension, row.awaits = kept, "attention"
        if row.phase == "running":
            row.phase, row.due = "suspended", None
        elif row.phase == "queued":
            # It asks again when it is let go on, and those behind it do not wait for that.
            process_slots.leave(row, turn.changes, turn.facilities)
        elif row.due is not None and not is_put_off(row.due, now):
            row.due += PUT_OFF
        turn.changes.instance_changed(row)
        for task in turn.facilities.store.some_tasks(row.process_instance_id, 0, None, state="open"):
            _put_off(turn, row, task, now)
    telling.note(told, turn.changes, now)
    return told


def _family(turn: Turn, number: int) -> Iterator[InstanceRow]:
    """The process and its undos, whichever of them is named."""
    store = turn.facilities.store
    row = store.instance(number)
    if row is not None and row.origin is not None:
        row = store.instance(row.origin)
    if row is None:
        return
    yield row
    numbers = {number, row.rollback_id, row.cancel_id, row.delete_id, row.rewind_id} - {None, row.process_instance_id}
    for each in sorted(filter(None, numbers)):
        if (undo := store.instance(each)) is not None:
            yield undo


def _put_off(turn: Turn, row: InstanceRow, task: TaskRow, now: int) -> None:
    """Let nobody come for a task that is due until the process goes on."""
    if task.status == "queued" and "quota" in (kept := ledger.kept(task)):
        quota_slots.changes_of(turn.changes, turn.facilities).free(task.id, kept["quota"], row.owner_name)
    if task.due is not None and not is_put_off(task.due, now):
        task.due += PUT_OFF
        turn.changes.task_changed(task)
    if task.deadline is not None and not is_put_off(task.deadline, now):
        task.deadline += PUT_OFF
        turn.changes.task_changed(task)
