"""What hands tasks to whoever carries them out, and brings back what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from ..limits import Limits
from ..stones.stone import Stone
from ..work import Outcome, Work


class Desk(Protocol):
    """Where a dispatcher reports to: the engine."""

    limits: Limits

    def stone_for(self, work: Work) -> type[Stone] | None:
        """The class that carries out this work, or None while it is not registered."""

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Hand in what came of tasks; returns once that is durable, or (in a thread) queued."""

    def report_progress(self, work: Work, percent: int, text: str | None) -> None:
        """A running task is so far."""


class Dispatcher(Protocol):
    """A messenger only: a task that it loses, or hands over twice, is repaired from the store."""

    remote: bool
    """Whether tasks are carried out on other machines, by workers that outlive this engine."""

    def open(self, desk: Desk) -> None:
        """Begin to take work."""

    def submit(self, work: Sequence[Work]) -> None:
        """Take over tasks whose hand-over is committed."""

    def withdraw(self, task_id: int) -> bool:
        """Take a task back that has not begun; false if it may have begun."""

    def ask_to_stop(self, task_id: int, delivery: int) -> None:
        """Tell a running task that it should stop; ``delivery`` says which of its hand-overs."""

    def holds(self, task_id: int) -> bool:
        """Whether the task is waiting or running here."""

    def running(self, task_id: int) -> bool:
        """Whether a hook of the task is running here now."""

    def close(self) -> None:
        """Take nothing more, and return when the running hooks have ended."""


@runtime_checkable
class Loaded(Protocol):
    """A dispatcher that can tell, without asking anybody else, how much it has in hand."""

    def load(self) -> tuple[int, int]:
        """How many tasks wait for a hand here, and how many are being carried out."""


Progress = Callable[[int, "str | None"], None]
