"""What is shown of one call for many processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...models.vocabulary import BatchAction, BatchResult, BatchState
from .failures import ReasonGroup


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPreview:
    """What a batch would do now; nothing is changed."""

    action: BatchAction
    processes: int
    """How many there are."""
    tasks: int
    """How many of their tasks would be tried again, undone or given up."""
    groups: tuple[ReasonGroup, ...]
    left_out: int = 0
    """How many tasks are of further groups."""
    partial: bool = False
    """Whether only a part of the processes was looked into for the tasks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One call for many process instances, and how far it is."""

    batch_id: str
    action: BatchAction
    options: Mapping[str, Any]
    where: Mapping[str, Any]
    """What was searched for when it was started, with the words of a search."""
    state: BatchState
    total: int
    done: int
    refused: int
    """Of how many nothing was done, for a reason that their result tells."""
    rate: float | None
    """The most processes a second."""
    created: datetime
    ended: datetime | None
    client: str | None
    """Who asked for it."""
    owner: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchItem:
    """What a batch has done to one process instance."""

    process_instance_id: str
    result: BatchResult
    code: str | None
    """Of the error that refused it."""
    reason: str | None
    ended: datetime | None
