"""The rows of calls for many processes."""

from __future__ import annotations

from dataclasses import dataclass

from ..vocabulary import BatchAction, BatchResult, BatchState


@dataclass(slots=True)
class BatchRow:
    """One call for many process instances; ``options`` and what was ``searched`` for are JSON."""

    id: str
    action: BatchAction
    options: str
    searched: str
    state: BatchState
    total: int
    created: int
    client: str
    """Who asked for it."""
    owner_name: str | None = None
    rate: float | None = None
    """The most processes a second; None for as many as can be."""
    done: int = 0
    refused: int = 0
    due: int = 0
    """Before which the next of them is not to be touched."""
    ended: int | None = None
    engine: str | None = None
    """The engine that works at it."""
    revision: int = 0


@dataclass(slots=True)
class BatchItemRow:
    """One process instance of a batch, the ``number``-th from 1; a refusal has a ``code`` and a ``reason``."""

    batch_id: str
    number: int
    process_instance_id: int
    result: BatchResult
    code: str | None = None
    reason: str | None = None
    ended: int | None = None


@dataclass(slots=True)
class CheckScheduleRow:
    """When what processes have made is checked by itself; each turn is a batch."""

    id: str
    every: str
    """As it was written: an ISO 8601 repetition or cron."""
    cycle: str
    """What is to come of it, as JSON: a list, or while it is paused an object of that and when it was due."""
    due: int | None
    """When the next turn is; None after the last, and while it is paused."""
    stone: str | None
    key: str | None
    """Of which stone's, and in the processes of which key; None for all."""
    rate: float
    """The most processes a second."""
    created: int
    client: str
    owner_name: str | None = None
    last: int | None = None
    batch_id: str | None = None
    """The last turn that checked anything."""
    reason: str | None = None
    """Why the last turn checked nothing."""

    @property
    def is_paused(self) -> bool:
        """Whether no turn comes until somebody lets it go on."""
        return self.cycle.startswith("{")
