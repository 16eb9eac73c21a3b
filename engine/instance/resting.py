"""When nothing goes on in an instance any more, and what there is to show of it then."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ...models import ContentRow, InstanceRow, TaskRow

RESTING = frozenset({"ended", "paused"})
"""The phases in which nothing goes on in an instance."""


def at_rest(row: InstanceRow) -> bool:
    """Whether nothing goes on in it, or it waits for somebody: it was suspended, or something in it has failed."""
    return row.phase in RESTING or row.attention > 0 or row.suspension is not None


class Rested(NamedTuple):
    """An instance that has come to rest, as it was committed; its tasks are in the store where they are not here."""

    row: InstanceRow
    content: ContentRow
    tasks: Collection[TaskRow] | None = None
