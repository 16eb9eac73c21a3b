"""What is shown of quotas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaUse:
    """How much of one quota is used, for one value of the parameter by which it is counted.

    Counted to a thousand and no further.
    """

    name: str
    value: str | None
    """None where it is counted by no parameter; ``*****`` for a secret one."""
    at_once: int | None
    per_minute: int | None
    held: int
    """Tasks that are at work."""
    waiting: int
    undo_held: int
    """The same of what undoes something."""
    undo_waiting: int
    next: datetime | None
    """When who is first in line may begin, where that is only a question of time."""
    used: datetime
    """When anything of it has last changed."""
