"""What an undo, a repair, a rewind and a migration would do, before they do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ...models.vocabulary import Hook, UndoKind

UndoAction: TypeAlias = Literal[UndoKind, "retain"]
RepairAction: TypeAlias = Literal["retry", "skip", "done-by-hand"]
"""What somebody may do about an element that has failed and stands still, beside giving its process up."""


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
class RepairStep:
    """What a repair would do with one thing that has failed and stands still."""

    element_id: str
    name: str
    task_id: str | None = None
    """None where no task has failed, but the element itself."""
    stone: str | None = None
    hook: Hook | None = None
    """The hook that is called first: ``rollback`` first undoes what an attempt may have made. None calls none."""
    attempt: int | None = None
    """The number of the attempt that begins; None where none does."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Those with which it begins; empty where none does."""
    beside: bool = False
    """Whether a new task takes its place, since nothing undoes what the old one may have made: that stays."""
    made: bool = False
    """Whether it counts as made, so that a later undo covers it."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """What is known of it from then on."""
    missing: tuple[str, ...] = ()
    """The outputs that its stone declares and that are not known then: a reference to one of them fails."""
    reason: str | None = None
    """Why it would not go on at once: what would fail again, or what is suspended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairPlan:
    """What a retry, a skip or a work done by hand would do."""

    action: RepairAction
    process_instance_id: str
    steps: tuple[RepairStep, ...]
    next: tuple[str, ...]
    """The elements to which tokens come with it; none where a hook has to end before."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class RewindPlan:
    """What a rewind to a task would do."""

    to: str
    """The task that begins again."""
    steps: tuple[UndoStep, ...]
    """What is undone, in this order; one whose action is ``retain`` has to be given up by name."""
    variables: Mapping[str, Any]
    """The variables of the process that return to these values; those that there were not are null."""
    begins_again: tuple[str, ...]
    """The elements at which tokens stand again: the task's own, and gateways that wait for it."""
    opened_again: tuple[str, ...]
    """The sub-processes, calls and repeated activities that had ended, whose timers are set anew."""
    people: tuple[str, ...]
    """The tasks of people whose answers are forgotten."""
    migration: MigrationPlan | None = None
    """Where it begins again on another version of the model: what is moved there, and what stands against that."""
    fired: tuple[str, ...] = ()
    """The events beside what begins again that have come: their branches stay, so they do not come a second time."""
