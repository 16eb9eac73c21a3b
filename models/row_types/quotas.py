"""The rows of quotas: how much of each is used, and whose tasks hold a slot or wait for one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class QuotaRow:
    """One quota, for one value of the parameter by which it is counted."""

    id: int
    digest: str
    """Of the name and the value, by which it is found."""
    name: str
    value: str | None
    """As it is shown; None where the quota is counted by no parameter."""
    at_once: int | None
    per_minute: int | None
    granted: int = 0
    """How many hooks were let begin."""
    turn: int = 0
    """How far the owners who wait have been gone through, one task of each in a round; of an undo the next."""
    undo_turn: int = 0
    due: int | None = None
    """When who is first in line may go on, by the database's clock; None where nobody waits, or for a slot."""
    used: int = 0


@dataclass(slots=True)
class QuotaSlotRow:
    """A task that holds a slot, or waits for one."""

    task_id: int
    process_instance_id: int
    quota_id: int
    undo: int
    """1 of what takes something back, which has slots of its own."""
    held: int
    owner_name: str
    """Empty where it is nobody's."""
    priority: int
    """Below zero, so that the highest comes first."""
    created: int
    since: int
    """Since when it is held or waits, by the engine's clock."""
