"""Whose the tasks of people are in one process, and who may do what about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ....models import TaskRow, UserTaskRow
from ... import jsontext
from ...bpmn.elements.people.assignment import ANYBODY, NOBODY, STARTER, Assigned, Assignment
from ...bpmn.elements.tasks import UserTask
from ...errors import NotAllowed
from ...ledger import ledger
from ...person import Person
from ...views.people import PersonAct

if TYPE_CHECKING:
    from ...bpmn.running.token import Token
    from ..instance import Instance


def assignment_of(token: Token) -> Assignment:
    """What the model says of the task that a token is at."""
    return token.node.assignment if isinstance(token.node, UserTask) else NOBODY


def assigned(instance: Instance, token: Token) -> Assigned:
    """To whom a task goes that begins now; raises ExpressionError."""
    assignment = assignment_of(token)
    return ANYBODY if assignment is NOBODY else assignment.of(token.context, instance.now())


def begin(instance: Instance, row: TaskRow, to: Assigned) -> None:
    """Write whose a new task is."""
    named = {"users": list(to.users), "groups": list(to.groups)} if to.users or to.groups else None
    instance.changes.rare.user_tasks[row.id] = UserTaskRow(
        row.id,
        row.process_instance_id,
        row.created,
        instance.row.owner_name,
        jsontext.dumps(named) if named else "",
        to.priority,
        to.due,
        to.follow_up,
        to.assignee,
    )


def end(instance: Instance, row: TaskRow) -> None:
    """A task is in nobody's list any more."""
    rare, ended, by = instance.changes.rare, row.ended or instance.now(), done_by(row)
    begun = rare.user_tasks.get(row.id)
    if begun is not None:
        rare.user_tasks[row.id] = replace(begun, ended=ended, done_by=by)
    else:
        rare.ended_user_tasks[row.id] = ended, by


def done_by(row: TaskRow) -> str | None:
    """Who has done a task of the ledger."""
    found: str | None = ledger.kept(row).get("person")
    return found


def row_of(instance: Instance, task_id: int) -> UserTaskRow:
    """Whose an open task is, as it is stored or was changed in this turn: it holds if the revision of this does."""
    return instance.changes.rare.user_tasks.get(task_id) or stored(instance, task_id)


def stored(instance: Instance, task_id: int) -> UserTaskRow:
    """The same as it is stored."""
    found = instance.facilities.people.row(task_id)
    if found is not None:
        return found
    row = instance.tasks[task_id]
    return UserTaskRow(row.id, row.process_instance_id, row.created, instance.row.owner_name, "", ANYBODY.priority)


def candidates(row: UserTaskRow) -> tuple[frozenset[str], frozenset[str]]:
    """The users and groups who may take a task."""
    found = jsontext.read(row.candidates) if row.candidates else {}
    return frozenset(found.get("users", ())), frozenset(found.get("groups", ()))


def is_candidate(row: UserTaskRow, person: Person) -> bool:
    """Whether the model names somebody, or one of their groups, as who may take a task."""
    if not row.candidates:
        return False
    users, groups = candidates(row)
    return person.user in users or bool(groups & person.groups)


def is_seen(row: UserTaskRow, person: Person) -> bool:
    """Whether somebody may know of a task at all."""
    return person.sees(row.owner_name) or person.user in (row.assignee, row.delegated_by) or is_candidate(row, person)


def may(row: UserTaskRow, person: Person, act: PersonAct) -> bool:
    """Whether somebody may do something about an open task, but for the rules of who may not do it."""
    sees = person.sees(row.owner_name)
    if sees and (person.is_admin or person.is_program):
        return True
    mine = person.user == row.assignee
    if act in ("release", "delegate", "schedule"):
        return mine
    if act == "assign":
        return False
    if row.assignee is not None:
        return mine
    # Where the model names nobody, it is for all who see the process.
    return is_candidate(row, person) or (sees and not row.candidates)


def barred(instance: Instance, task: TaskRow) -> dict[str, str]:
    """Who may not do a task since they have started the process or done an earlier task, and why."""
    token = instance.workflow.tasks.get(task.token)
    names = () if token is None else assignment_of(token).barred
    found: dict[str, str] = {}
    for name in names:
        if name == STARTER:
            if (starter := starter_of(instance)) is not None:
                found.setdefault(starter, "started the process")
            continue
        for row in instance.tasks.values():
            if row.node == name and row.event == "user" and (by := done_by(row)) is not None and ledger.in_force(row):
                found.setdefault(by, f"did the task {row.name or row.node!r}")
    return found


def starter_of(instance: Instance) -> str | None:
    """Who has started a process, as its history tells; None where nobody said so."""
    number = instance.number
    noted = instance.changes.rare.new_history.get(number)
    texts = [row.entries for row in instance.facilities.store.history(number)]
    for entry in _entries([*texts, *([noted.entries] if noted is not None else [])]):
        if entry.get("kind") == "started":
            who: str | None = entry.get("who")
            return who
    return None


def _entries(texts: list[str]) -> Iterator[dict[str, str]]:
    for text in texts:
        yield from jsontext.read(text)


def refuse_barred(instance: Instance, task: TaskRow, user: str) -> None:
    """Raise NotAllowed for somebody who may not do a task although the model names them."""
    if (why := barred(instance, task).get(user)) is not None:
        text = f"{user!r} {why}, so somebody else has to do the task {task.name or task.node!r}."
        raise NotAllowed(text, code="four-eyes")
