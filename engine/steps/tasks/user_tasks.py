"""Tasks of people: who takes one, gives it on or back, and what somebody gives when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....models import TaskRow, UserTaskRow
from ....models.vocabulary import UNDER_WAY
from ... import jsontext
from ...errors import Conflict, Invalid, NotAllowed, UnknownTask
from ...instance.instance import Instance
from ...instance.masked_values import unmasked_variables
from ...instance.tasks.user_tasks import is_seen, may, refuse_barred, row_of
from ...ledger import ledger
from ...person import LONGEST_NAME, Person, is_person
from ...views.people import PersonAct
from ..settling import settle
from .answers import checked_answer


def complete(instance: Instance, task_id: int, outputs: Mapping[str, Any], person: Person | None = None) -> None:
    """A task is done; without a ``person`` by a program that may do everything.

    Raises UnknownTask, NotAllowed, Conflict, and Invalid, after which the task is as open as before.
    """
    row = _open_task(instance, task_id)
    if instance.row.phase not in UNDER_WAY:
        raise Conflict(f"Task {task_id} has ended or its process is not running.", status=row.status)
    if person is not None:
        _refuse_stranger(instance, row, person, "complete")
        refuse_barred(instance, row, person.user)
    token = instance.workflow.tasks[row.token]
    answer = checked_answer(instance, token, unmasked_variables(instance, outputs, token))
    if person is not None:
        ledger.keep(row, person=person.user)
    row.outputs = jsontext.dumps(answer) if answer else None
    row.progress = 100
    instance.end_task(row, "success")
    instance.put_out(row)
    token.node.receive(token, answer)
    instance.workflow.task_done(token, row.id, answer)
    settle(instance)


def claim(instance: Instance, task_id: int, person: Person) -> None:
    """Somebody takes a task; once more does no harm."""
    row = _open_task(instance, task_id)
    whose = row_of(instance, task_id)
    if whose.assignee == person.user:
        return
    _refuse_stranger(instance, row, person, "claim")
    if whose.assignee is not None:
        raise _taken(row, whose)
    refuse_barred(instance, row, person.user)
    _give(instance, whose, person.user)


def release(instance: Instance, task_id: int, person: Person | None = None) -> None:
    """Somebody gives a task back: to who has handed it on, else to all who may take it."""
    row = _open_task(instance, task_id)
    whose = row_of(instance, task_id)
    if person is not None:
        _refuse_stranger(instance, row, person, "release")
    if whose.assignee is None:
        return
    _give(instance, replace(whose, delegated_by=None), whose.delegated_by)


def assign(instance: Instance, task_id: int, to: str, person: Person | None = None) -> None:
    """Somebody who oversees the process says whose a task is."""
    row = _open_task(instance, task_id)
    if person is not None:
        _refuse_stranger(instance, row, person, "assign")
    _refuse_misfit(instance, row, to)
    _give(instance, replace(row_of(instance, task_id), delegated_by=None), to)


def delegate(instance: Instance, task_id: int, to: str, person: Person) -> None:
    """Whoever has a task hands it on; who gets it may give it back."""
    row = _open_task(instance, task_id)
    whose = row_of(instance, task_id)
    _refuse_stranger(instance, row, person, "delegate")
    if to == whose.assignee:
        return
    _refuse_misfit(instance, row, to)
    # Handed on further it still comes back to the first.
    by = whose.delegated_by or whose.assignee or person.user
    _give(instance, replace(whose, delegated_by=None if to == by else by), to)


def schedule(instance: Instance, task_id: int, changed: Mapping[str, int | None], person: Person | None = None) -> None:
    """Whoever has a task, or oversees its process, says when it is due, when it is taken up, and how it ranks.

    ``changed`` has ``due`` and ``follow_up`` in milliseconds, None for never, and ``priority``; what it has not stays.
    """
    row = _open_task(instance, task_id)
    if person is not None:
        _refuse_stranger(instance, row, person, "schedule")
    values: dict[str, Any] = dict(changed)
    instance.changes.rare.user_tasks[task_id] = replace(row_of(instance, task_id), **values)
    instance.changes.instance_changed(instance.row)


def _open_task(instance: Instance, task_id: int) -> TaskRow:
    row = instance.tasks.get(task_id)
    if row is None:
        raise UnknownTask(str(task_id))
    if row.event != "user":
        raise Conflict(
            f"Task {task_id} is carried out by a stone, so it cannot be completed from outside.", status=row.status
        )
    if not row.open:
        by = ledger.kept(row).get("person")
        text = f"was done by {by!r}" if by is not None and row.status == "success" else "has ended"
        raise Conflict(f"Task {task_id} {text}, so there is nothing to do.", code="task-ended", status=row.status)
    return row


def _refuse_stranger(instance: Instance, row: TaskRow, person: Person, act: PersonAct) -> None:
    """Raise what somebody is told who may not do this."""
    whose = row_of(instance, row.id)
    if may(whose, person, act) or (act == "claim" and whose.assignee is not None and is_seen(whose, person)):
        return
    if not is_seen(whose, person):
        raise UnknownTask(str(row.id))
    if act == "complete" and whose.assignee is not None and may(replace(whose, assignee=None), person, act):
        raise _taken(row, whose)
    who = {
        "release": "whoever has it gives it back",
        "delegate": "whoever has it hands it on",
        "schedule": "whoever has it says when it is due",
        "assign": "an administrator of its process says whose it is",
    }.get(act, "only who is named as its candidate or assignee does it")
    raise NotAllowed(f"Task {row.id} is not for {person.user!r}: {who}.")


def _taken(row: TaskRow, whose: UserTaskRow) -> Conflict:
    text = f"Task {row.id} was taken by {whose.assignee!r}: it can be done once that gives it back."
    return Conflict(text, code="task-claimed", status=row.status)


def _refuse_misfit(instance: Instance, row: TaskRow, to: str) -> None:
    if not is_person(to):
        text = f"{to[:100]!r} is no name of a user: give one of at most {LONGEST_NAME} characters."
        raise Invalid(text, code="assignee-invalid", errors={"assignee": [text]})
    try:
        refuse_barred(instance, row, to)
    except NotAllowed as error:
        raise Invalid(error.message, code=error.code, errors={"assignee": [error.message]}) from None


def _give(instance: Instance, whose: UserTaskRow, to: str | None) -> None:
    instance.changes.rare.user_tasks[whose.id] = replace(whose, assignee=to)
    instance.changes.instance_changed(instance.row)
