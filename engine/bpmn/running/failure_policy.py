"""What follows when something in a process has failed for good: it is taken back, waits for somebody, or is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...errors import ExpressionError, Invalid
from ...mask import cut
from .timers.moments import read_duration

if TYPE_CHECKING:
    from ....models.vocabulary import FailureAction
    from .token import Token

WORDS = "use rollback, pause, keep, or pause and how long, such as 'pause PT2H'"
LONGEST = 80
_DAY = 86_400_000


class FailurePolicy(NamedTuple):
    """One policy, and of a pause how many milliseconds it lasts before the rollback; None for as long as it takes."""

    action: FailureAction
    patience: int | None = None


ROLLBACK = FailurePolicy("rollback")


def read_policy(text: str) -> FailurePolicy:
    """Read ``rollback``, ``pause``, ``keep`` or ``pause`` with an ISO 8601 duration; raises ExpressionError."""
    action, *rest = text.split()[:3] or [""]
    if not rest and action in ("rollback", "pause", "keep"):
        return FailurePolicy(action)  # type: ignore[arg-type]
    if action != "pause" or len(rest) != 1 or len(text) > LONGEST:
        raise ExpressionError(f"{cut(text, 80)!r} is no failure policy: {WORDS}.")
    try:
        length = read_duration(rest[0])
    except ExpressionError as error:
        raise ExpressionError(f"{error.message.rstrip('.')}: {WORDS}.") from None
    patience = length.days * _DAY + length.ms
    if length.months or patience <= 0:
        raise ExpressionError(f"A pause lasts days, hours, minutes and seconds, not {cut(rest[0], 80)!r}: {WORDS}.")
    return FailurePolicy("pause", patience)


def asked_policy(text: str) -> FailurePolicy:
    """The same for what somebody asks for; raises Invalid."""
    try:
        return read_policy(text)
    except ExpressionError as error:
        raise Invalid(error.message, errors={"onFailure": [error.message]}) from None


def policy_at(token: Token, otherwise: FailurePolicy) -> FailurePolicy:
    """The policy for what a token stands on: its element's, that of the nearest element around it, or the process's."""
    current: Token | None = token
    while current is not None and current.scope is not None:
        if current.node.on_failure is not None:
            return current.node.on_failure
        current = current.scope
    return otherwise
