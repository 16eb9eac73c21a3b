"""What a test expects in which order, and how what came differs from it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from types import EllipsisType

Expected = str | Set[str] | EllipsisType
"""A name; a set of names in any order; or ``...`` for any number of names, none included."""


def difference(expected: Sequence[Expected], found: Sequence[str]) -> str | None:
    """How the names found differ from those expected, in one sentence; None if they do not."""
    reached = _farthest(expected, found)
    if reached is None:
        return None
    place, position = reached
    rest = found[position:]
    if place == len(expected):
        return f"After what was expected came {_names(rest)}."
    wanted = _name(expected[place])
    if not rest:
        return f"It ended where {wanted} was expected."
    if expected[place] is ...:
        return f"After {_names(found)} nothing more that was expected came."
    return f"At place {position + 1} came {rest[0]!r} where {wanted} was expected."


def _farthest(expected: Sequence[Expected], found: Sequence[str]) -> tuple[int, int] | None:
    """None on a match; else how far the best reading came: places of the first misfit in both."""
    best = (0, 0)
    seen: set[tuple[int, int]] = set()
    pending = [(0, 0)]
    while pending:
        state = pending.pop()
        if state in seen:
            continue
        seen.add(state)
        best = max(best, state)
        place, position = state
        if place == len(expected):
            if position == len(found):
                return None
            continue
        wanted = expected[place]
        if wanted is ...:
            pending += [(place + 1, further) for further in range(position, len(found) + 1)]
        elif isinstance(wanted, str):
            if position < len(found) and found[position] == wanted:
                pending.append((place + 1, position + 1))
        elif sorted(found[position : position + len(wanted)]) == sorted(wanted):
            pending.append((place + 1, position + len(wanted)))
    return best


def shown(expected: Sequence[Expected]) -> str:
    """The expected order in one line."""
    return ", ".join(map(_name, expected)) or "nothing"


def _name(expected: Expected) -> str:
    if expected is ...:
        return "..."
    if isinstance(expected, str):
        return expected
    return "{" + ", ".join(sorted(expected)) + "}"


def _names(found: Sequence[str]) -> str:
    return ", ".join(found) or "nothing"
