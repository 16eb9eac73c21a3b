"""What a token waits for from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ....models.vocabulary import WaitKind


class Wait(NamedTuple):
    """``number`` counts the event definitions of one event; ``due`` is milliseconds since 1970.

    The due time of a ``timer`` counts from when it was set, that of a ``date`` follows the calendar.
    """

    kind: WaitKind
    number: int = 0
    name: str | None = None
    correlation: str | None = None
    due: int | None = None
