"""What hands tasks to whoever carries them out, and brings back what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, runtime_checkable

from ...models import HandedRow, Handovers
from ...models.databases.uptime import uptime
from ..limits import Limits
from ..secret_sources.source import Secrets
from ..stones.hooks.call import HookCall
from ..stones.hooks.live_log import Tell
from ..stones.hooks.opened import OpenStones
from ..stones.stone import Stone
from ..work import LiveLines, Outcome, Saving, StopRequest, Work


class Reports(Protocol):
    """Where a dispatcher reports to: the engine that hands tasks to it. Its methods may be called from any thread."""

    limits: Limits
    secrets: Secrets
    """Where the secrets are that models refer to."""
    opened: OpenStones
    """What stones share among their hooks in this process."""
    handovers: Handovers
    """What the store keeps of tasks in the hands of workers on other machines."""

    @property
    def engine_id(self) -> str:
        """The engine's, for now: it gets another one where others took it for dead."""

    def stone_for(self, work: Work) -> type[Stone] | None:
        """The class that carries out this work; without one, the task waits for its stone."""

    def tokens(self, work: Work) -> tuple[str, str | None]:
        """The token by which somebody outside may complete this task, and the address of its callback.

        Raises StoreError.
        """

    def is_awaited(self, work: Work) -> bool:
        """Whether the hook of this work is a coroutine function, as far as is known now."""

    def may_begin(self, work: Work, waited: float) -> bool:
        """Whether the hook of work that was submitted so many seconds ago may begin; if not, it is to be dropped.

        Called from the thread that is about to call the hook. It asks the store where the work has waited, or where
        others may have taken the engine for dead.
        """

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Hand in what came of tasks; returns once that is durable, or (in a thread) queued."""

    def report_progress(self, work: Work, percent: int, text: str | None) -> None:
        """A running task is so far."""

    def save(self, saving: Saving) -> None:
        """Keep what a start saves; returns once that is durable. Raises Conflict where its task has ended."""

    def tell_lines(self, told: LiveLines) -> None:
        """A running hook has logged so much; the outcome tells it once more."""

    # -- for dispatchers whose workers are on other machines

    def enter_saving(self, saving: Saving) -> Future[str | None]:
        """Hand in what a start saves; the future tells when that is durable why its task waits no more, or None."""

    def progressed(self, process_instance_id: int, task_id: int, attempt: int, percent: int) -> None:
        """A running task is so far, for who has no work of it at hand."""

    def enter(self, outcome: Outcome) -> Future[Any]:
        """Hand in what came of a task; the future tells when that is durable, or why it cannot be."""

    def drop_stale(self, process_instance_ids: Iterable[int]) -> None:
        """Forget copies of these in memory that another engine has changed, so that none spoils a batch of outcomes."""

    def lose(self, task_id: int, process_instance_id: int, delivery: int) -> bool:
        """Whoever had this delivery of a task is lost: it is offered anew, or given up. False if it is out of date."""

    def works_in_hand(self, rows: Sequence[HandedRow]) -> list[Work]:
        """What was handed over, once more and as the same deliveries; without what has gone on since."""

    def may_worker_begin(self, task_id: int, delivery: int) -> bool:
        """Whether the hook of a delivery in a worker's hands may begin; raises StoreError."""

    def declare(self, declarations: Iterable[Mapping[str, Any]]) -> None:
        """Keep what workers say of their stones; raises Invalid for what is no declaration."""

    def learn(self) -> None:
        """Take in what workers have declared to any engine; tasks that waited for such a stone go on."""


class Dispatcher(Protocol):
    """A messenger only: a task that it loses, or hands over twice, is repaired from the store."""

    remote: bool
    """Whether tasks are carried out on other machines, by workers that outlive this engine."""

    def open(self, reports: Reports) -> None:
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


def stone_to_call(reports: Reports, work: Work) -> type[Stone] | None:
    """The class whose hook is to be called for this work now, in this process; None where none may be or can be."""
    return reports.stone_for(work) if reports.may_begin(work, uptime() - work.since) else None


def call_for(
    reports: Reports,
    stone: type[Stone],
    work: Work,
    request: StopRequest,
    on_progress: Callable[[int, str | None], None] | None = None,
    on_lines: Tell | None = None,
) -> HookCall:
    """The call of a hook in this process."""
    return HookCall(
        stone,
        work,
        limits=reports.limits,
        request=request,
        on_progress=on_progress,
        on_lines=on_lines,
        tokens=reports.tokens,
        save=reports.save,
        secrets=reports.secrets,
        opened=reports.opened,
    )


@runtime_checkable
class Loaded(Protocol):
    """A dispatcher that can tell, without asking anybody else, how much it has in hand."""

    def load(self) -> tuple[int, int]:
        """How many tasks wait for a hand here, and how many are being carried out."""
