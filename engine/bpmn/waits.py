"""What a token waits for from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Wait:
    """``due`` is milliseconds since 1970 for a timer; ``number`` counts the event definitions of one event."""

    kind: Literal["message", "signal", "timer", "condition"]
    number: int = 0
    name: str | None = None
    correlation: str | None = None
    due: int | None = None
