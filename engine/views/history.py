"""What is shown of what happened in a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

HistoryKind: TypeAlias = Literal[
    "started",
    "message",
    "signal",
    "timer",
    "condition",
    "action",
    "variables",
    "decision",
    "attempt",
    "task",
    "undo",
    "undo-ended",
    "ended",
    "cut",
]
"""In the order in which things are told that happened in the same millisecond: what brings something about first."""
HistoryAction: TypeAlias = Literal[
    "complete",
    "claim",
    "release",
    "assign",
    "delegate",
    "schedule",
    "rerun",
    "retry",
    "skip",
    "done-by-hand",
    "roll-back",
    "set-variables",
    "rewind",
    "migrate",
    "cancel",
    "delete",
    "protect",
    "unprotect",
    "suspend",
    "unsuspend",
    "accept-gone",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """Something that happened in a process instance; what does not concern its kind is None."""

    time: datetime
    kind: HistoryKind
    """``task`` is one that begins, ``attempt`` what came of one of its attempts, ``action`` what somebody asked for,
    ``undo`` a rollback, cancel, delete or rewind that begins; after ``cut`` only what rows keep is told."""
    who: str | None = None
    """The client that asked for it, where that is known."""
    action: HistoryAction | None = None
    task_id: str | None = None
    element_id: str | None = None
    name: str | None = None
    """Of the task, the message or the signal."""
    stone: str | None = None
    attempt: int | None = None
    status: str | None = None
    """With which the attempt, the process or its undo ended."""
    reason: str | None = None
    parameters: Mapping[str, Any] | None = None
    """Of an attempt: its own."""
    outputs: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] | None = None
    """What was set, or came with a message or a signal."""
    assignee: str | None = None
    """To whom a task was given."""
    retained: tuple[str, ...] = ()
    """Tasks that were given up."""
    engine: str | None = None
    """Who had the attempt in hand: the id of an engine, or ``workers``."""
    undo: str | None = None
    """The kind of the undo."""
    process_instance_id: str | None = None
    """Of the undo."""
    shortened: bool = False
    """Whether values were left out, since there were too many of them."""
