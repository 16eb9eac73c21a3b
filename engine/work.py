"""What passes between the engine and whoever carries out its tasks: a hook to be called, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from ..models.databases.uptime import uptime
from ..models.vocabulary import CheckState, Hook, LedgerEvent

MOST_LOG_LINES = 200
LONGEST_LOG_LINE = 1_000
MOST_LIVE_SIGNS = 4_000
"""Of the lines of a hook that still runs: every step of its process reads them."""
LONGEST_REASON = 2_000
SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 86_400.0
"""Seconds that a hook may put itself off for."""
CHECK = -1
"""As which delivery a look at what a task made goes out: it is none of these."""
Reached: TypeAlias = Literal["running", "partial", "complete", "unknown"]
"""How far a task had come that is taken back; ``running`` while it is none."""
Result: TypeAlias = Literal["done", "again", "failed", "bpmn-error", "withdrawn", "supplied", "deferred"]


class ProcessFacts(NamedTuple):
    """What a hook is told of its process."""

    id: str
    key: str
    name: str
    version: int
    """That of the model which it was started with."""
    business_key: str | None
    owner: str | None
    """Whose it is, and so whose secrets it may use."""


@dataclass(slots=True)
class Work:
    """One hook of one task, ready to be called; plain data that could cross a wire.

    Nobody changes one. It is not frozen because that makes it several times dearer, and every step makes one.
    """

    task_id: int
    process_instance_id: int
    stone: str
    event: LedgerEvent
    attempt: int
    idempotency_key: str
    namespace: str
    element_id: str
    parameters: str
    outputs: str | None
    state: str | None
    phase: Reached = "running"
    name: str = ""
    start_key: str = ""
    progress: int = -1
    """What a monitor has reported before, in percent; below zero at its first poll."""
    delivery: int = 0
    """How many engines have lost the task before: a result of an earlier delivery comes too late."""
    traceparent: str | None = None
    """Where the process's trace goes on (W3C Trace Context), if it is traced."""
    token: str = field(default="", repr=False)
    """By which somebody outside may complete the task; empty where it is made when it is asked for."""
    callback_url: str | None = field(default=None, repr=False)
    hook: Hook | None = None
    """What is called, where it has another name than the event: the monitor of an undo."""
    saved: str | None = None
    """What the task's start has saved, as the JSON of an object; of an undo, that of what it undoes."""
    references: tuple[str, ...] = ()
    """The parameters that are references to secrets, which whoever calls the hook resolves."""
    process: ProcessFacts | None = None
    """The process that it belongs to, or of an undo the one that is undone."""
    run: int | None = None
    """Which run of a multi-instance activity it is, from 1."""
    deadline: int | None = None
    """When the hook, or a monitor as a whole, will have taken too long, in milliseconds since 1970."""
    since: float = field(default_factory=uptime, compare=False)
    """When it was handed over, or came to whoever carries it out, by :func:`..models.uptime.uptime`."""


@dataclass(slots=True)
class Outcome:
    """What one hook of one task came to; ``again`` is a monitor that is not done yet. Nobody changes one.

    ``withdrawn`` is a task that a worker was asked to stop before it had begun. ``supplied`` is a start that has not
    begun either: its worker has defaults for what was missing, which have to be in the ledger before. ``deferred`` is a
    start that has handed the task to somebody outside.
    """

    task_id: int
    process_instance_id: int
    event: LedgerEvent
    attempt: int
    result: Result
    _: KW_ONLY
    outputs: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] | None = None
    progress: int | None = None
    log: tuple[str, ...] = ()
    reason: str | None = None
    error_code: str | None = None
    delivery: int = 0
    """The delivery that it is the outcome of; see :class:`Work`."""
    stone: str = ""
    seconds: float = 0.0
    """For how long the hook ran."""
    interval: float = 0.0
    """Of a monitor that is not done yet: seconds until its next poll."""
    parameters: Mapping[str, Any] | None = None
    """What the worker has supplied."""
    timeout: float | None = None
    """Of a start that is deferred: seconds after which it has failed."""
    signature: Mapping[str, str] | None = field(default=None, repr=False)
    """Of one that is deferred: how the sender of a webhook proves who it is, as the ledger keeps it."""
    token_taken: bool = False
    """Whether the hook was handed the task's token, which may be in what it has told."""
    variables: Mapping[str, Any] | None = None
    """What of the outputs becomes variables of the process too."""
    fatal: bool = False
    """Of a failure: trying again is of no use."""
    later: float | None = None
    """Of one that is none yet: seconds after which the hook is to be called again."""
    gone: bool = False
    """Of an undo: the thing was not there."""
    found: CheckState | None = None
    """What a check has found."""
    unchanged: bool = False
    """Whether such a monitor has found everything as it was at its last poll."""
    unbegun: bool = False
    """Of a failure: the hook was not called, so it has made nothing."""

    @classmethod
    def of(cls, work: Work, result: Result, reason: str | None = None, *, seconds: float = 0.0) -> Outcome:
        """What came of a hook, and nothing of what it may have told."""
        return cls(
            work.task_id,
            work.process_instance_id,
            work.event,
            work.attempt,
            result,
            reason=reason,
            delivery=work.delivery,
            stone=work.stone,
            seconds=seconds,
        )

    def as_failure(self) -> Outcome:
        """A plain failure in its place, for when the engine cannot enter what it really was."""
        reason = "What the stone reported could not be entered; the engine's log tells why."
        return replace(self, result="failed", outputs={}, state=None, log=(), reason=reason, signature=None)


@dataclass(kw_only=True, slots=True)
class LiveLines:
    """What a hook has logged so far, while it still runs. Nobody changes one."""

    task_id: int
    process_instance_id: int
    event: LedgerEvent
    attempt: int
    delivery: int
    first: int
    """The how-manieth line of this call the first of these is, from 0: lines that come twice are told once."""
    lines: tuple[str, ...]


def last_lines(lines: Sequence[str]) -> list[str]:
    """Those of a running hook that are kept until its outcome tells all: the last one and what fits before it."""
    room, first = MOST_LIVE_SIGNS, len(lines)
    for line in reversed(lines[-MOST_LOG_LINES:]):
        room -= len(line)
        if room < 0 and first < len(lines):
            break
        first -= 1
    return list(lines[first:])


@dataclass(kw_only=True, slots=True)
class Saving:
    """A start wants a value kept durably before it goes on. Nobody changes one."""

    task_id: int
    process_instance_id: int
    event: LedgerEvent
    attempt: int
    delivery: int
    number: int
    """The how-manieth that it asks for: one that comes twice, and late, does not count."""
    name: str
    value: Any


class StopRequest:
    """Tells a running hook that it should stop; shared by the hook and whoever asks."""

    __slots__ = ("_asked", "_event", "_stop")
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._asked = False
        self._event: threading.Event | None = None
        self._stop: Callable[[], None] | None = None

    def ask(self) -> None:
        """Ask the hook to stop; again it changes nothing."""
        with self._lock:
            stop, self._stop = self._stop, None
            self._asked = True
            if self._event is not None:
                self._event.set()
        if stop is not None:
            stop()

    def when_asked(self, stop: Callable[[], None]) -> None:
        """Have this called once when the hook is asked to stop, at once if it was; from any thread."""
        with self._lock:
            if not self._asked:
                self._stop = stop
                return
        stop()

    @property
    def asked(self) -> bool:
        """Whether it was asked to stop."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Wait until asked, at most so long; whether it was."""
        with self._lock:
            # Made only for a hook that waits: an event costs more than the rest of a short task.
            if self._event is None:
                self._event = threading.Event()
            if self._asked:
                self._event.set()
        return self._event.wait(seconds)
