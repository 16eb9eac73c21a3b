"""What is shown of a failure, and why many processes have failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One element that has failed and stands still until somebody decides about it."""

    element_id: str
    reason: str
    task_id: str | None = None
    """The task that has failed there; None where it was in none, or in what came after its work."""
    calls: tuple[str, ...] = ()
    """The namespaces of the call activities that it is inside of, outermost first."""
    rolls_back: datetime | None = None
    """When the process rolls back if nobody has decided by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasonGroup:
    """Tasks that have much in common, in a summary of many process instances."""

    element_id: str
    stone: str | None
    reason: str | None
    """Why they have failed, as one of them tells it: others may differ in numbers and ids. None for what did not."""
    tasks: int
    processes: int
    example: str | None = None
    """The id of one of the processes, for what has failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasons:
    """Why many process instances have failed, the commonest reasons first."""

    processes: int
    """How many were looked at."""
    groups: tuple[ReasonGroup, ...]
    left_out: int = 0
    """How many tasks are of further groups."""
    partial: bool = False
    """Whether there are more processes than are looked at."""
