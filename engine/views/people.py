"""What people see of the tasks that wait for them: lists, forms and who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

VariableKind: TypeAlias = Literal["text", "number", "truth", "json"]
"""As what somebody fills in a variable."""

FormKind: TypeAlias = Literal[
    "textfield",
    "textarea",
    "number",
    "checkbox",
    "radio",
    "select",
    "checklist",
    "datetime",
    "text",
    "table",
    "group",
    "separator",
    "spacer",
]
DateKind: TypeAlias = Literal["date", "time", "datetime"]
PersonAct: TypeAlias = Literal["claim", "release", "assign", "delegate", "schedule", "complete"]
"""What is done about a task of a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserTask:
    """A task of a person, as it stands in lists: nothing of the process but its name."""

    task_id: str
    process_instance_id: str
    name: str
    element_id: str
    process_name: str
    key: str
    business_key: str | None
    created: datetime
    due: datetime | None
    follow_up: datetime | None
    """Before which nobody has to look at it."""
    priority: int
    assignee: str | None
    delegated_by: str | None
    """Who has handed it on, and has it back once it is given back."""
    users: tuple[str, ...]
    """The candidates, who may take it."""
    groups: tuple[str, ...]
    ended: datetime | None = None
    done_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxCounts:
    """How many open tasks somebody would find; of each at most 100 are counted."""

    mine: int
    groups: int
    """Those that nobody has and that they or their groups may take."""
    all: int
    """All that they may see."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FormOption:
    """One thing to choose."""

    value: Any
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FormPart:
    """One part of a form as it stands with the present values."""

    id: str
    kind: FormKind
    key: str
    """By which its value is given, with dots where it is a member; empty for what is only shown."""
    inside: str | None
    """The id of the group that it is in."""
    label: str
    description: str
    text: str
    hidden: bool
    readonly: bool
    required: bool
    options: tuple[FormOption, ...] = ()
    suggests: bool = False
    """Whether the options are only suggestions."""
    minimum: float | None = None
    maximum: float | None = None
    shortest: int | None = None
    longest: int | None = None
    date: DateKind = "date"
    """What a ``datetime`` asks for."""
    step: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    width: int | None = None
    """Of the sixteen columns of its row."""
    row: str | None = None
    """Parts of the same row stand side by side."""
    secret: bool = False
    """Whether its value is not to be shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartVariable:
    """A variable that a model reads and that nothing in it sets."""

    name: str
    kind: VariableKind
    """What it is taken for, as far as the model tells."""
    description: str
    """What the stone that takes it says of it."""
    members: tuple[str, ...]
    """Those of its members that are read, with dots."""
    options: tuple[str, ...]
    """Texts that it is compared with."""
    secret: bool
    """Whether it is not to be shown, since a stone takes it for what is secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartForm:
    """What whoever starts a process is asked for; without parts where its model has no form."""

    key: str
    parts: tuple[FormPart, ...]
    values: Mapping[str, Any]
    """What the form is filled in with, as start variables."""
    errors: Mapping[str, Sequence[str]]
    """What is wrong with the values that were given, by key."""
    changes: bool
    """Whether any part depends on what is filled in."""
    variables: tuple[StartVariable, ...] = ()
    """Where there is neither a form nor a parameter template: what the model reads. A start may leave them out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DoneTask:
    """A task that was done before."""

    name: str
    ended: datetime
    who: str | None
    """The person who has done it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskForm:
    """A task of a person with what it asks for, and nothing else of its process."""

    task: UserTask
    documentation: str | None
    parts: tuple[FormPart, ...]
    values: Mapping[str, Any]
    """What the form is filled in with, as variables."""
    errors: Mapping[str, Sequence[str]]
    """What is wrong with the values that were given, by key."""
    changes: bool
    """Whether any part depends on what is filled in."""
    may: tuple[PersonAct, ...]
    """What whoever asks may do about the task."""
    barred: str | None
    """Why whoever asks may not do it although the model names them."""
    before: tuple[DoneTask, ...]
    """What was done before, the last twenty, the last one last."""
