"""A part of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Item]):
    """A part of a list; ``cursor`` asks for the next part and is None at the end."""

    items: tuple[Item, ...]
    cursor: str | None = None
