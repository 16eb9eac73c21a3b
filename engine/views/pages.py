"""A part of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import Malformed

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Item]):
    """A part of a list; ``cursor`` asks for the next part and is None at the end."""

    items: tuple[Item, ...]
    cursor: str | None = None


def refuse_limit(limit: object) -> None:
    """Raise Malformed for what is no number of entries: a part of none would have no end."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise Malformed(f"The limit is {str(limit)[:100]!r}: give a whole number from 1 on.", code="limit")
