"""The words of the store's rows, one type for each vocabulary; views, records and the HTTP description use the same.

They are ``Literal`` types, so that a misspelt word is a type error and a comparison costs what one of strings does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

UndoKind: TypeAlias = Literal["rollback", "cancel", "delete"]
InstanceKind: TypeAlias = Literal["start", UndoKind, "rewind"]
"""Of a process instance: a forward run, the undo of one, or of what came after one of its tasks."""

ProcessStatus: TypeAlias = Literal[
    "running",
    "debug",
    "success",
    "failed",
    "rollback.begin",
    "rollback.success",
    "rollback.failed",
    "cancel.begin",
    "cancel.success",
    "cancel.failed",
    "delete.begin",
    "delete.success",
    "delete.failed",
]

ProcessOutcome: TypeAlias = Literal["success", "failed", "canceled"]
"""How the own work of a process instance has ended, whatever was undone since; None before that."""

Awaits: TypeAlias = Literal["attention", "person", "event", "stone", "suspended", "quota"]
"""For whom or what an instance stands still: somebody who decides what becomes of a failure (``attention``), a person
with a task, an event (a message, a signal, a time or a condition), a stone that is suspended or that no engine has,
that somebody lets it go on who has suspended it, or for its turn to begin (``quota``). None while it goes on by itself
or has ended."""

HeldBack: TypeAlias = Literal["stone-missing", "suspended"]
"""The statuses of tasks that begin only when somebody does something about their stone."""

ProcessState: TypeAlias = Literal["running", Awaits, ProcessOutcome]
"""By what process instances are looked for: ``running`` is what has not ended and waits for nobody."""

Phase: TypeAlias = Literal["created", "queued", "running", "suspended", "draining", "paused", "undoing", "ended"]
"""Where an instance is in its life, for the engine; only ``running`` moves tokens. One that is ``suspended`` takes in
what comes to it, and begins nothing. One that is ``queued`` waits for a slot of a quota, and has not begun."""

FailureAction: TypeAlias = Literal["rollback", "pause", "keep"]
"""What follows when something in a process has failed for good."""

Pending: TypeAlias = Literal["failed", FailureAction, "cancel", "delete", "cancel delete"]
"""What an instance that drains, or is being cancelled, does next; ``failed`` is what it was started with."""

TaskKind: TypeAlias = Literal["start", "compensation", UndoKind]
"""Of a row of the ledger: what the model asked for, what a compensation handler of it did, or an undo."""

UndoMonitor: TypeAlias = Literal["rollback_monitor", "cancel_monitor", "delete_monitor"]
"""The hooks that look whether an undo that was begun is done."""

Hook: TypeAlias = Literal["start", "monitor", UndoKind, "mock", "check", UndoMonitor]
"""The events of a stone."""

LedgerEvent: TypeAlias = Literal[Hook, "user", "activity"]
"""What a row of the ledger is about at present: a hook, a person (``user``), or an activity that has a handler. That of
an undo that is looked at is ``monitor``."""

TaskStatus: TypeAlias = Literal[
    "running",
    "success",
    "canceled",
    "unknown",
    "stone-missing",
    "suspended",
    "queued",
    "produce.success",
    "produce.failed",
    "start.begin",
    "start.success",
    "start.failed",
    "start.skipped",
    "monitor.begin",
    "monitor.success",
    "monitor.failed",
    "mock.begin",
    "mock.success",
    "mock.passed",
    "mock.failed",
    "rollback.begin",
    "rollback.success",
    "rollback.failed",
    "rollback.skipped",
    "rollback.retained",
    "cancel.begin",
    "cancel.success",
    "cancel.failed",
    "cancel.retained",
    "delete.begin",
    "delete.success",
    "delete.failed",
    "delete.skipped",
    "delete.retained",
]

UndoMark: TypeAlias = Literal["undone", "left", "retained", "failed", "skipped", "never-begun"]
"""What became of a row of the ledger when it was to be undone; None while nothing was.

``left`` is one that was undone before its hook had ended: what that made since then is there until it is undone again.
"""

NOT_TAKEN_BACK: tuple[UndoMark, ...] = ("retained", "skipped", "failed", "left")
"""Of what was to be undone: what of it is there, or may be."""

CheckState: TypeAlias = Literal["there", "gone", "different", "unknown"]
"""What a check has found of what a task made; ``unknown`` is one that failed."""

ResourceState: TypeAlias = Literal["kept", "left", "retained", "gone", "different", "unknown"]
"""Of what exists by the ledger."""

UndoPolicy: TypeAlias = Literal["delete", "retain", "retain-except-on-failed-start"]

WaitKind: TypeAlias = Literal["message", "signal", "timer", "date", "condition"]
"""A ``timer`` is due so long after it was set; a ``date`` follows the calendar."""

ThrownKind: TypeAlias = Literal["message", "signal"]

MessageOutcome: TypeAlias = Literal["awaited", "started", "kept"]
"""What came of a message: a process took it that waited for it, one was started, or it is kept."""

EventOutcome: TypeAlias = Literal[MessageOutcome, "signal"]

RetraceKind: TypeAlias = Literal["variable", "merge", "scope", "removed"]
"""What is noted of the way of tokens for a rewind."""

SuspendedKind: TypeAlias = Literal["stone", "key"]
"""Of what nothing begins, whatever process it is in."""

TriggerKind: TypeAlias = Literal[ThrownKind, "timer", "decision", "form"]
"""Of what starts a process from outside, or is found by its id in the newest version of a model."""

BatchAction: TypeAlias = Literal[
    "cancel", "delete", "retry", "rollback", "rewind", "migrate", "retain", "suspend", "unsuspend", "check"
]
"""What is done to each process of a batch; ``retain`` gives up what a failed undo could not take back."""

BatchState: TypeAlias = Literal["preparing", "running", "paused", "stopped", "ended"]
"""``preparing`` is one whose list is still being written: nothing is done for it."""

BatchResult: TypeAlias = Literal["waiting", "done", "refused"]
"""What came of one process of a batch."""

UNDER_WAY: Final[frozenset[Phase]] = frozenset({"running", "suspended"})
"""The phases in which what comes to an instance is taken in."""
UNDO_KINDS: Final[tuple[UndoKind, ...]] = get_args(UndoKind)
"""In the order in which a process can have them."""
HOOKS: Final[tuple[Hook, ...]] = get_args(Hook)
"""In the order of a task's life."""

UNDO_MONITORS: Final[Mapping[UndoKind, UndoMonitor]] = {
    "rollback": "rollback_monitor",
    "cancel": "cancel_monitor",
    "delete": "delete_monitor",
}
UNDO_BEGUN: Final[Mapping[UndoKind, Literal["rollback.begin", "cancel.begin", "delete.begin"]]] = {
    "rollback": "rollback.begin",
    "cancel": "cancel.begin",
    "delete": "delete.begin",
}
UNDO_SUCCEEDED: Final[Mapping[UndoKind, Literal["rollback.success", "cancel.success", "delete.success"]]] = {
    "rollback": "rollback.success",
    "cancel": "cancel.success",
    "delete": "delete.success",
}
UNDO_FAILED: Final[Mapping[UndoKind, Literal["rollback.failed", "cancel.failed", "delete.failed"]]] = {
    "rollback": "rollback.failed",
    "cancel": "cancel.failed",
    "delete": "delete.failed",
}
UNDO_RETAINED: Final[Mapping[UndoKind, TaskStatus]] = {
    "rollback": "rollback.retained",
    "cancel": "cancel.retained",
    "delete": "delete.retained",
}
PASSED_OVER: Final[Mapping[UndoKind, TaskStatus]] = {
    "rollback": "rollback.skipped",
    "cancel": "canceled",
    "delete": "delete.skipped",
}
"""The status of a task of an undo that had nothing to do."""
OUTCOMES: Final[Mapping[ProcessStatus, ProcessOutcome]] = {
    "success": "success",
    "failed": "failed",
    "rollback.begin": "failed",
    "rollback.success": "failed",
    "rollback.failed": "failed",
    "cancel.begin": "canceled",
    "cancel.success": "canceled",
    "cancel.failed": "canceled",
}
"""The outcome that follows from a status; a delete comes after any."""
HOOK_BEGUN: Final[Mapping[LedgerEvent, TaskStatus]] = {
    "start": "start.begin",
    "monitor": "monitor.begin",
    "rollback": "rollback.begin",
    "cancel": "cancel.begin",
    "delete": "delete.begin",
    "mock": "mock.begin",
}
HOOK_FAILED: Final[Mapping[LedgerEvent, TaskStatus]] = {
    "start": "start.failed",
    "monitor": "monitor.failed",
    "rollback": "rollback.failed",
    "cancel": "cancel.failed",
    "delete": "delete.failed",
    "mock": "mock.failed",
}
