"""How much one turn may look at, so that no model can hold the engine up."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ExpressionWork, LimitExceeded
from ..limits import Limits

TEXT = 6
"""As a shift: so many characters at once are looked at in about the time of one member of a list."""


MADE = 4
"""As a shift, the same for characters of a text that is made: it also takes memory."""


class _Left(threading.local):
    """Of the present thread; where no turn has begun there is nothing to hold up but the caller itself."""

    amount: float = math.inf
    limit = 0


_left = _Left()


def begin(limits: Limits) -> None:
    """A turn begins in this thread, and nothing is spent yet."""
    _left.amount = _left.limit = limits.turn_work


def end() -> None:
    """The turn of this thread is over: what its stones weigh is their own matter."""
    _left.amount = math.inf


@contextmanager
def turn(limits: Limits) -> Iterator[None]:
    """What is inside may look at no more than a turn may; inside of a turn it is part of that."""
    if _left.amount != math.inf:
        yield
        return
    begin(limits)
    try:
        yield
    finally:
        end()


def charge(amount: int) -> None:
    """Count what an expression looks at, in its parts and the members of its values; raises ExpressionWork."""
    left = _left
    left.amount -= amount
    if left.amount < 0:
        raise ExpressionWork(left.limit)


def spend(amount: int) -> None:
    """Count what the step loop looks at, such as tokens that may wait for a signal; raises LimitExceeded."""
    left = _left
    left.amount -= amount
    if left.amount < 0:
        raise LimitExceeded("turn_work", f"One turn looks at more than the limit turn_work ({left.limit}) allows.")


def charge_made(length: int) -> None:
    """Count what it takes to make a text of this length; raises ExpressionWork."""
    if length > 256:
        charge(length >> MADE)


def charge_text(*texts: str) -> None:
    """Count what it takes to go through texts once; raises ExpressionWork."""
    length = sum(map(len, texts))
    if length > 256:
        charge(length >> TEXT)
