"""Lists in parts: as many as asked for, but no more at once than may be held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ....models import DeploymentRow, DraftRow, ModelRow

Row = TypeVar("Row", ModelRow, DeploymentRow, DraftRow)
Place = tuple[int, str]
"""Where a part ends: milliseconds since 1970 and the id of its last row."""

AT_ONCE = 10


def read_part(
    read: Callable[[int, Place | None], Sequence[Row]], limit: int, after: Place | None, most: int
) -> tuple[list[Row], str | None]:
    """At most ``limit`` rows, with the cursor of the next part if there is one.

    Their files are read along with them, so the part ends early once these are over ``most`` bytes.
    """
    rows: list[Row] = []
    held = 0
    while len(rows) <= limit:
        wanted = min(AT_ONCE, limit + 1 - len(rows))
        found = read(wanted, after)
        rows += found
        if len(found) < wanted:
            return rows[:limit], None if len(rows) <= limit else _cursor(rows[limit - 1])
        held += sum(len(row.sources) for row in found)
        after = rows[-1].created, rows[-1].id
        if held > most and len(rows) <= limit:
            return rows, _cursor(rows[-1])
    return rows[:limit], _cursor(rows[limit - 1])


def _cursor(row: ModelRow | DeploymentRow | DraftRow) -> str:
    return f"{row.created}-{row.id}"
