"""What is shown of what exists by the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...models.vocabulary import CheckState, ResourceState


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """What one task has made and nobody has undone, as far as the ledger and the last check tell."""

    task_id: str
    process_instance_id: str
    process_name: str
    key: str
    owner: str | None
    stone: str
    name: str
    namespace: str
    element_id: str
    state: ResourceState
    since: datetime
    """When its task began."""
    outputs: Mapping[str, Any]
    checked: datetime | None = None
    """When it was last looked at."""
    check: CheckState | None = None
    """What that has found."""
    reason: str | None = None
    """What is different, or why it could not be looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceDrift:
    """What one stone made in one process, and the last checks have not found as it was made."""

    process_instance_id: str
    process_name: str
    key: str
    owner: str | None
    stone: str
    gone: int
    different: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckSchedule:
    """When what exists by the ledger is checked by itself, and what came of the last turn."""

    schedule_id: str
    every: str
    """An ISO 8601 repetition or duration, or cron."""
    stone: str | None
    """Of which stone; None for all."""
    key: str | None
    """In the processes of which key; None for all."""
    rate: float
    """The most processes a second."""
    next: datetime | None
    """When the next turn is; None after the last one."""
    last: datetime | None
    batch_id: str | None
    """The last turn that checked anything: a batch, which tells how far it is."""
    reason: str | None
    """Why the last turn checked nothing, or left something out."""
    created: datetime
    client: str | None
    """Who asked for it."""
    owner: str | None
    paused: bool = False
    """Whether no turn comes until somebody lets it go on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceCount:
    """How much of what exists by the ledger one stone has made."""

    stone: str
    state: ResourceState
    count: int
