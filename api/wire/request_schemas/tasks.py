"""What is said of tasks: by people, by operators and by those who have them outside."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from ....models import InboxOrder
from ..members import FlagText, InstantText, LocalTimeText, Number, Object, Text, Whole, Word
from .lists import TaskPart
from .strict import CURSOR, ME, OF_PROCESS, PROCESS, Strict, TasksAsked


class TaskQuery(TaskPart):
    """Whose tasks are asked for."""

    process_instance_id = Text(data_key="processInstanceId")
    kind = Word(TasksAsked, metadata={"description": "The open tasks of people, of all processes unless one is named."})
    assignee = Text(description=f"Who has them; {ME} is whoever asks.")
    candidate = Text(description=f"A user who may take them; {ME} is whoever asks. With a group either is enough.")
    groups = fields.List(
        Text(),
        data_key="group",
        metadata={"description": f"A group that may take them; may be given again. {ME} is who asks, in every group."},
    )
    assigned = FlagText(metadata={"description": "Whether somebody has them."})
    key = Text(description="The key of their processes.")
    text = Text(description="A part of their name, or of the name or key of their process, or its business key.")
    due_before = LocalTimeText(data_key="dueBefore")
    sort = Word(
        InboxOrder, metadata={"description": "The newest first, the first due first, or the highest priority first."}
    )
    cursor = Text(pattern=r"^-?[0-9]{1,18}\.[0-9]{1,18}$", description=CURSOR)

    def is_whole(self, values: dict[str, Any]) -> bool:
        return "after" not in values if "kind" in values else PROCESS in values and values.keys() <= OF_PROCESS

    @validates_schema
    def asks_of_one_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is said of people's tasks where all tasks of a process are asked for."""
        if "kind" in data:
            if "after" in data:
                raise ValidationError({"after": ["Is for all tasks of a process; those of people have a cursor."]})
            return
        wrong = {self.fields[name].data_key or name: ["Needs kind=user."] for name in data if name not in OF_PROCESS}
        if PROCESS not in data:
            wrong["processInstanceId"] = ["Missing data for required field."]
        if wrong:
            raise ValidationError(wrong)


class FormValues(Strict):
    """What a form is filled in with, as variables."""

    values = Object()


class Assignee(Strict):
    """To whom a task of a person is given."""

    assignee = Text(required=True)


class Schedule(Strict):
    """When a task is due and taken up, and how it ranks; what is left out stays, and null is no date."""

    due = InstantText(data_key="dueAt", allow_none=True)
    follow_up = InstantText(data_key="followUpAt", allow_none=True)
    priority = Whole()


def last_attempt() -> Whole:
    """The attempt that somebody decides about."""
    text = "The task's last attempt as it was seen; with another one nothing is done (409, `attempt-changed`)."
    return Whole(metadata={"description": text})


class Rerun(Strict):
    """The optional body of a rerun."""

    attempt = last_attempt()
    parameters = Object(metadata={"description": "Values that replace the task's parameters of these names."})


class SkippedTask(Strict):
    """The optional body of a skip."""

    attempt = last_attempt()


class HandWork(Strict):
    """The optional body of what was done by hand: what the task's stone would have put out."""

    attempt = last_attempt()
    outputs = Object()


class Completion(Strict):
    """The optional body of the completion of a user task."""

    outputs = Object()


class DeferredFailure(Strict):
    """Why a deferred task has failed, and what it has made so far."""

    reason = Text(longest=2000, allow_none=True)
    outputs = Object()


class DeferredError(Strict):
    """The BPMN error with which a deferred task ended, and what it has made so far."""

    code = Text(required=True)
    reason = Text(longest=2000, allow_none=True)
    outputs = Object()


class DeferredProgress(Strict):
    """How far a deferred task is, in percent, with a word for its log."""

    percent = Number(required=True, validate=validate.Range(0, 100))
    text = Text(longest=1000, allow_none=True)
