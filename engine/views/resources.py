"""What is shown of what exists by the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...models.vocabulary import CheckState, ResourceState


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """What one task has made and nobody has taken back, as far as the ledger and the last check tell."""

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
class ResourceCount:
    """How much of what exists by the ledger one stone has made."""

    stone: str
    state: ResourceState
    count: int
