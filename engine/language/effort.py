"""How much one turn may look at, so that no model can hold the engine up."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import ExpressionWork, LimitExceeded
from ..limits import Limits

TEXT = 6
"""As a shift: so many characters at once are looked at in about the time of one member of a list."""


MADE = 4
"""As a shift, the same for characters of a text that is made: it also takes memory."""


def machine_time() -> int:
    """Milliseconds since 1970 by the machine's clock."""
    return time.time_ns() // 1_000_000


class _Left:
    """What a thread has left; where no turn has begun there is nothing to hold up but the caller itself."""

    __slots__ = ("amount", "floor", "limits", "now")

    def __init__(self) -> None:
        self.amount: float = math.inf
        self.floor: float = -math.inf
        """What has to be left when the present step is over."""
        self.limits = Limits()
        self.now: Callable[[], int] = machine_time
        """By whose clock expressions tell the time."""


class _Here(threading.local):
    """The present thread's; asked once for each count, since a value of a thread takes longer to find than another."""

    def __init__(self) -> None:
        self.left = _Left()


_here = _Here()


def begin(limits: Limits, now: Callable[[], int] = machine_time) -> None:
    """A turn of the river begins in this thread, and nothing is spent yet; ``now`` is the engine's clock."""
    left = _here.left
    left.now, left.limits = now, limits
    left.amount = limits.turn_work
    step(limits)


def end() -> None:
    """The turn of this thread is over: what its stones weigh is their own matter."""
    left = _here.left
    left.amount, left.floor = math.inf, -math.inf
    left.now = machine_time


def now() -> int:
    """The present moment by the clock of the engine whose turn it is, in milliseconds since 1970."""
    return _here.left.now()


def step(limits: Limits) -> None:
    """Something begins that nothing can come in between: of what the turn has left it may take so much."""
    left = _here.left
    floor = left.amount - limits.step_work
    left.floor = floor if floor > 0 else 0


def spent() -> int:
    """What the present turn has looked at."""
    left = _here.left
    return int(left.limits.turn_work - left.amount) if left.amount != math.inf else 0


def carry(amount: int) -> None:
    """Count what an earlier turn has looked at that this one carries on."""
    left = _here.left
    left.amount -= amount
    left.floor -= amount


@contextmanager
def turn(limits: Limits, now: Callable[[], int] = machine_time) -> Iterator[None]:
    """What is inside may look at no more than a turn may; inside of a turn it is part of that."""
    left = _here.left
    if left.amount != math.inf:
        yield
        return
    begin(limits, now)
    # Whoever asks outside of the river holds up nobody else.
    left.floor = 0
    try:
        yield
    finally:
        end()


def charge(amount: int) -> None:
    """Count what an expression looks at, in its parts and the members of its values; raises ExpressionWork."""
    left = _here.left
    left.amount -= amount
    if left.amount < left.floor:
        raise ExpressionWork(*_breached())


def spend(amount: int) -> None:
    """Count what the step loop looks at, such as tokens that may wait for a signal; raises LimitExceeded."""
    left = _here.left
    left.amount -= amount
    if left.amount < left.floor:
        name, limit = _breached()
        unit = "turn" if name == "turn_work" else "step"
        raise LimitExceeded(name, f"One {unit} looks at more than the limit {name} ({limit}) allows.")


def _breached() -> tuple[str, int]:
    """The limit that is breached: of a step, or of all steps together."""
    left = _here.left
    limits = left.limits
    name = "turn_work" if left.floor <= 0 else "step_work"
    return name, getattr(limits, name)


def charge_made(length: int) -> None:
    """Count what it takes to make a text of this length; raises ExpressionWork."""
    if length > 256:
        charge(length >> MADE)


def charge_text(*texts: str) -> None:
    """Count what it takes to go through texts once; raises ExpressionWork."""
    length = sum(map(len, texts))
    if length > 256:
        charge(length >> TEXT)
