"""What somebody may have meant by a name that finds nothing."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

_LONGEST = 100
_MOST_COMPARED = 500
_MOST_LISTED = 12


def closest(name: str, known: Collection[str]) -> str | None:
    """The name of which this one is a slip."""
    meant = {each.lower(): each for each in known}.get(name.lower())
    if meant is None and len(name) <= _LONGEST:
        compared = [each for each in sorted(known)[:_MOST_COMPARED] if len(each) <= _LONGEST]
        meant = next(iter(get_close_matches(name, compared, 1, 0.75)), None)
    return meant


def suggestion(name: str, known: Collection[str]) -> str:
    """What to say behind "... is not there:": the name that is meant, else those that there are; empty for none."""
    if not known:
        return ""
    meant = closest(name, known)
    if meant is not None:
        return f"did you mean {meant!r}?"
    shown = sorted(known)[:_MOST_LISTED]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"there are {', '.join(each[:_LONGEST] for each in shown)}{more}."
