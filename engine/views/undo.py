"""What an undo, a rewind and a migration would do, before they do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ...models.vocabulary import UndoKind

UndoAction: TypeAlias = Literal[UndoKind, "retain"]


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoStep:
    """One row of a preview: what an undo would do with one task, after the tasks in ``after``."""

    task_id: str
    name: str
    namespace: str
    stone: str | None
    action: UndoAction
    """``retain`` where there is no such hook or the policy keeps it."""
    after: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()
    """The numbers of the runs of multi-instance sub-processes that the task is inside of, outermost first."""
    after_as: str | None = None
    """Over HTTP, where many come after the same: the task, earlier in the list, whose ``after`` is meant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RewindPlan:
    """What a rewind to a task would do."""

    to: str
    """The task that begins again."""
    steps: tuple[UndoStep, ...]
    """What is taken back, in this order; one whose action is ``retain`` has to be given up by name."""
    variables: Mapping[str, Any]
    """The variables of the process that return to these values; those that there were not are null."""
    begins_again: tuple[str, ...]
    """The elements at which tokens stand again: the task's own, and gateways that wait for it."""
    opened_again: tuple[str, ...]
    """The sub-processes, calls and repeated activities that had ended, whose timers are set anew."""
    people: tuple[str, ...]
    """The tasks of people whose answers are forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MovedTimer:
    """A timer that is set anew since the other version says it otherwise."""

    element_id: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MigrationPlan:
    """What moving a process to another version of its model would do."""

    process_instance_id: str
    deployment_id: str
    version: int
    moves: Mapping[str, str]
    """By element at which something stands, the element at which it will."""
    findings: Mapping[str, str]
    """By element, what stands against it; with any, nothing is moved."""
    dropped: tuple[str, ...]
    """Events that listened and that the other version does not have."""
    timers: tuple[MovedTimer, ...]
    running: tuple[str, ...]
    """Tasks whose hooks are in hand: they come to their end before anything is moved."""
