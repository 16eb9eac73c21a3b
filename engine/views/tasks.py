"""What is shown of a task, and of what carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ...models.vocabulary import TaskKind, TaskStatus

Executor: TypeAlias = Literal["stone", "decision", "person"]
Undone: TypeAlias = Literal["undone", "left", "retained", "failed"]
TaskState: TypeAlias = Literal["open", "failed"]
"""By which tasks are chosen: those that have not ended, and those that failed or could not be undone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskBinding:
    """What was read from a model for one task."""

    process: str
    """The key of the process that it is in."""
    element_id: str
    name: str | None
    line: int | None
    kind: Executor
    """Who carries it out."""
    code: str | None
    """The stone's code or the decision's id as written; None for a person."""
    dialect: str | None
    """What named it, such as ``camunda:topic``."""
    parameters: Mapping[str, Any]
    """What goes in, as written."""
    outputs: Mapping[str, Any]
    """The variables that are set when it is done, with the expressions as written."""
    result_variable: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One execution of one node that had to wait: a stone, or a user task."""

    id: str
    process_instance_id: str
    task_id: str
    name: str
    namespace: str
    stone: str | None
    """The stone's code; None for a user task."""
    element_id: str
    create_time: datetime
    end_time: datetime | None
    status: TaskStatus
    reason: str | None
    parameters: Mapping[str, Any]
    outputs: Mapping[str, Any]
    progress: int
    attempt: int = 1
    kind: TaskKind = "start"
    """``start``, ``compensation`` for a handler of the model, or for a task of an undo its hook."""
    origin_task_id: str | None = None
    """For a task of an undo instance: the task that it undoes."""
    undo: Undone | None = None
    """For a forward task, what became of it; None while it is kept.

    ``left`` is one whose hook ended after its undo: what it made exists until it is undone once more.
    """
    after: tuple[str, ...] = ()
    """The ids of the tasks that it causally followed."""
    after_as: str | None = None
    """Over HTTP, where many followed the same: the task, earlier in the list, whose ``after`` is meant."""
    log: tuple[str, ...] = ()
    saved: Mapping[str, Any] = field(default_factory=dict)
    """What its start has kept before it had ended; no output."""
    calls: tuple[str, ...] = ()
    """The namespaces of the call activities that it is inside of, outermost first."""
    runs: tuple[int, ...] = ()
    """The numbers of the runs of multi-instance sub-processes that it is inside of, outermost first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskCount:
    """How many tasks of a process are alike: of one element, inside of the same calls, and in the same state."""

    element_id: str
    calls: tuple[str, ...]
    name: str
    """Of the first of them."""
    stone: str | None
    kind: TaskKind
    status: TaskStatus
    open: bool
    """Whether they have not ended."""
    undo: Undone | None
    count: int
    progress: int
    """Their mean."""
    first_task_id: str
    after: tuple[int, ...]
    """The positions, in the list of counts, of those that any of them causally followed."""
    begins: bool
    """Whether any of them followed none."""
