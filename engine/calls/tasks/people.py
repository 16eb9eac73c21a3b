"""The engine's calls for people who have tasks to do: what there is for them, and what they do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ....models import ALL, FoundTask, InboxOrder, Listed, list_of
from ... import jsontext
from ...arguments import Checked
from ...clock import milliseconds, moment
from ...errors import Conflict, Invalid, Malformed, UnknownTask
from ...instance.instance import Instance
from ...instance.tasks.user_tasks import candidates, is_seen
from ...person import Person
from ...showing.forms import show_form
from ...showing.lists.user_tasks import show_user_task
from ...steps.tasks import user_tasks as steps
from ...store_errors import engine_errors
from ...views.pages import Page, refuse_limit
from ...views.people import InboxCounts, PersonAct, TaskForm, UserTask
from ...views.processes import Picture
from ..processes import ProcessCalls
from ..workings import number_of, refuse_other_words

MOST_COMPARED = 1_000
"""How many tasks are looked at for one page; one with few that are wanted ends early."""
AT_ONCE = 200
MOST_COUNTED = 100
MOST_PRIORITY = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which tasks somebody asks for."""

    assignee: str | None = None
    candidate: str | None = None
    groups: Sequence[str] = ()
    assigned: bool | None = None
    """Whether somebody has it."""
    process_instance_id: int | None = None
    key: str | None = None
    text: str | None = None
    due_before: int | None = None

    def fits(self, found: FoundTask) -> bool:
        """Whether a task is one of these."""
        row = found.task
        if self.assignee not in (None, row.assignee) or self.assigned not in (None, row.assignee is not None):
            return False
        if self.candidate is not None or self.groups:
            users, groups = candidates(row)
            if self.candidate not in users and not groups.intersection(self.groups):
                return False
        if self.process_instance_id not in (None, row.process_instance_id) or self.key not in (None, found.key):
            return False
        if self.due_before is not None and (row.due is None or row.due >= self.due_before):
            return False
        return self.text is None or self._tells(found, self.text.lower())

    def _tells(self, found: FoundTask, text: str) -> bool:
        told = (found.name or found.node, found.process_name, found.key, found.business_key, str(found.task.id))
        return any(text in each.lower() for each in told if each)

    def lists(self, person: Person) -> list[str]:
        """The lists in which all of these stand that somebody may see, the shortest there are."""
        if self.assignee is not None:
            return [list_of("to", self.assignee)]
        states = [taken for taken in (False, True) if self.assigned in (None, taken)]
        if self.candidate is not None or self.groups:
            users = [] if self.candidate is None else [self.candidate]
            return [*_open_to(users, self.groups, states)]
        if person.sees_all:
            return [ALL]
        own = [] if person.owner is None else [list_of("owner", person.owner)]
        return [*own, list_of("to", person.user), *_open_to([person.user], sorted(person.groups), states)]


def _open_to(users: Sequence[str], groups: Sequence[str], states: Sequence[bool]) -> list[str]:
    found = [list_of("user", name, taken=taken) for name in users for taken in states]
    return [*found, *(list_of("group", name, taken=taken) for name in groups for taken in states)]


EVERYBODY = Person(user="", sees_all=True, is_program=True)
"""A program that uses the engine itself."""


class PeopleCalls(Checked):
    """Everything here is asked as a :class:`~riverstone.engine.Person`, or as a program that may do all.

    A task that somebody may not see raises UnknownTask, as one that is not there.
    """

    def __init__(self, workings: ProcessCalls) -> None:
        self._workings = workings
        self._store = workings._facilities.people

    def inbox(
        self,
        person: Person | None = None,
        *,
        assignee: str | None = None,
        candidate: str | None = None,
        groups: Sequence[str] = (),
        assigned: bool | None = None,
        process_instance_id: str | None = None,
        key: str | None = None,
        text: str | None = None,
        due_before: datetime | None = None,
        sort: InboxOrder = "created",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[UserTask]:
        """Open tasks of people, those that ``person`` may see.

        Args:
            assignee: Whose they are.
            candidate: A user who may take them; with ``groups`` either is enough.
            groups: The groups that may take them.
            assigned: Whether somebody has them.
            key: Of their processes.
            text: A part of their name, of the name or key of their process, or its business key.
            sort: The newest first, or by when they are ``due``, or the highest ``priority`` first.
            cursor: That of the part before. A part in which few are found ends early, and may be empty.

        Raises:
            Malformed: For a cursor that is none.
            Invalid: For an order that is none.
        """
        refuse_limit(limit)
        refuse_other_words(sort=([sort], InboxOrder))
        who = person or EVERYBODY
        number = None if process_instance_id is None else number_of(process_instance_id, UnknownTask)
        wanted = Wanted(
            assignee=assignee,
            candidate=candidate,
            groups=groups,
            assigned=assigned,
            process_instance_id=number,
            key=key,
            text=text,
            due_before=milliseconds(due_before),
        )
        lists, place, compared = wanted.lists(who), _place(cursor), 0
        items: list[UserTask] = []
        with engine_errors():
            while compared < MOST_COMPARED:
                count = AT_ONCE if items or compared else limit + 1
                listed = self._store.listed(lists, sort, count, place)
                found = self._store.found([each.task_id for each in listed])
                for each in listed:
                    task = found.get(each.task_id)
                    if task is not None and is_seen(task.task, who) and wanted.fits(task):
                        if len(items) == limit:
                            return Page(items=tuple(items), cursor=_cursor(place))
                        items.append(show_user_task(task))
                    place = each
                if len(listed) < count:
                    return Page(items=tuple(items), cursor=None)
                compared += len(listed)
        return Page(items=tuple(items), cursor=_cursor(place))

    def task(self, task_id: str, person: Person | None = None) -> UserTask:
        """One task of a person, open or not; raises UnknownTask."""
        return show_user_task(self._found(task_id, person))

    def form(self, task_id: str, person: Person | None = None, values: Mapping[str, Any] | None = None) -> TaskForm:
        """One task with what it asks for; with ``values`` as its form then stands, and what is wrong with them.

        Nothing is kept of them. Raises UnknownTask, Conflict for a task that no person does, and ExpressionWork.
        """
        found = self._found(task_id, person)
        if values is not None:
            jsontext.check(dict(values), limits=self._workings.limits, name="values")
        with engine_errors():
            number, records = found.task.process_instance_id, self._workings._records
            return self._workings._rehearsals.of(
                number, lambda copy: show_form(copy, found, person or EVERYBODY, records.mask(number), values)
            )

    def picture(self, task_id: str, person: Person | None = None) -> Picture:
        """The diagram of the process that a task is in, in the colours of what happened. Raises UnknownTask."""
        return self._workings.picture(str(self._found(task_id, person).task.process_instance_id))

    def _found(self, task_id: str, person: Person | None) -> FoundTask:
        number = number_of(task_id, UnknownTask)
        with engine_errors():
            found = self._store.found([number]).get(number)
        who = person or EVERYBODY
        if found is not None and is_seen(found.task, who):
            return found
        if found is None and who.sees(self._workings.owner_of_task(task_id)):
            text = f"Task {task_id} has ended or is carried out by a stone, so there is nothing for a person to do."
            raise Conflict(text, code="not-a-persons")
        raise UnknownTask(task_id)

    def claim(self, task_id: str, person: Person) -> UserTask:
        """Take a task, so that others leave it alone.

        Raises UnknownTask, NotAllowed, and Conflict (``task-claimed``) where somebody else has it.
        """
        return self._act("claim", task_id, person, lambda process, number: steps.claim(process, number, person))

    def release(self, task_id: str, person: Person | None = None) -> UserTask:
        """Give a task back: to who has handed it on, else to all who may take it. Raises UnknownTask, NotAllowed."""
        return self._act("release", task_id, person, lambda process, number: steps.release(process, number, person))

    def assign(self, task_id: str, to: str, person: Person | None = None) -> UserTask:
        """Say whose a task is, as who oversees its process. Raises UnknownTask, NotAllowed, Invalid."""
        return self._act(
            "assign", task_id, person, lambda process, number: steps.assign(process, number, to, person), assignee=to
        )

    def delegate(self, task_id: str, to: str, person: Person) -> UserTask:
        """Hand on a task that one has; who gets it may give it back. Raises UnknownTask, NotAllowed, Invalid."""

        def step(process: Instance, number: int) -> None:
            steps.delegate(process, number, to, person)

        return self._act("delegate", task_id, person, step, assignee=to)

    def schedule(
        self,
        task_id: str,
        person: Person | None = None,
        *,
        due: datetime | Literal["same"] | None = "same",
        follow_up: datetime | Literal["same"] | None = "same",
        priority: int | Literal["same"] = "same",
    ) -> UserTask:
        """Say when a task is due, when it is taken up, and how it ranks, as who has it or oversees its process.

        Args:
            task_id: An open task.
            person: Who asks; None is a program that may do all.
            due: None is never; without a zone it is this machine's.
            follow_up: Before it nobody has to look at the task; None takes that away.
            priority: From -1,000,000 to 1,000,000; 50 is usual, and the highest comes first.

        Raises:
            UnknownTask, NotAllowed, Conflict, Invalid: As the other acts.
        """
        changed: dict[str, int | None] = {}
        if due != "same":
            changed["due"] = milliseconds(due)
        if follow_up != "same":
            changed["follow_up"] = milliseconds(follow_up)
        if priority != "same":
            if type(priority) is not int or abs(priority) > MOST_PRIORITY:
                text = f"The priority is a whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}."
                raise Invalid(text, code="priority-invalid", errors={"priority": [text]})
            changed["priority"] = priority
        told = {name: _told(name, value) for name, value in changed.items()}
        return self._act(
            "schedule",
            task_id,
            person,
            lambda process, number: steps.schedule(process, number, changed, person),
            values=told,
        )

    def counts(self, person: Person | None = None) -> InboxCounts:
        """How many open tasks there are for somebody; of each list at most 100 are counted."""
        who = person or EVERYBODY
        free = Wanted(candidate=who.user, groups=sorted(who.groups), assigned=False)
        wanted = (Wanted(assignee=who.user), free, Wanted())
        with engine_errors():
            mine, groups, everything = (
                len(self._store.listed(each.lists(who), "created", MOST_COUNTED, None)) for each in wanted
            )
        return InboxCounts(mine=mine, groups=groups, all=everything)

    def complete(
        self, task_id: str, outputs: Mapping[str, Any] | None = None, person: Person | None = None
    ) -> UserTask:
        """Say that a task is done, with what its form asks for.

        Raises UnknownTask, NotAllowed, Conflict (``task-claimed``, ``task-ended``), and Invalid, by field, for what
        cannot be taken: then the task is as open as before.
        """
        values = dict(outputs or {})
        jsontext.check(values, limits=self._workings.limits, name="outputs")
        return self._act(
            "complete", task_id, person, lambda process, number: steps.complete(process, number, values, person)
        )

    def _act(
        self,
        act: PersonAct,
        task_id: str,
        person: Person | None,
        step: Callable[[Instance, int], None],
        **told: Any,
    ) -> UserTask:
        found = self._found(task_id, person).task
        who = None if person is None else person.user
        self._workings._asked(
            act, found.process_instance_id, lambda process: step(process, found.id), task=found.id, who=who, **told
        )
        with engine_errors():
            return show_user_task(self._store.found([found.id])[found.id])


def _told(name: str, value: int | None) -> int | str | None:
    """What a history tells of a changed date or priority."""
    when = None if name == "priority" else moment(value)
    return value if when is None else when.astimezone().isoformat(timespec="seconds")


def _place(cursor: str | None) -> Listed | None:
    if cursor is None:
        return None
    parts = re.fullmatch(r"(-?[0-9]{1,18})\.([0-9]{1,18})", cursor, re.ASCII)
    if parts is None:
        raise Malformed(f"{cursor[:100]!r} is not a cursor of this list.", code="cursor")
    return Listed(int(parts[1]), int(parts[2]))


def _cursor(place: Listed | None) -> str | None:
    return None if place is None else f"{place.value}.{place.task_id}"
