"""Which process instances a list is to hold."""

from __future__ import annotations

from typing import Any, NamedTuple

from .row_types import InstanceRow
from .statements import marks, select
from .vocabulary import InstanceKind, ProcessStatus


class InstanceFilter(NamedTuple):
    """What instances must have to be found; None and nothing do not matter. Times are milliseconds since 1970."""

    statuses: tuple[ProcessStatus, ...] = ()
    kind: InstanceKind | None = None
    key: str | None = None
    name: str | None = None
    text: str | None = None
    """A part of the name or the key in any case, or the whole business key or id."""
    started_from: int | None = None
    started_before: int | None = None
    owner: str | None = None

    def statement(self, *, limit: int, before: int | None) -> tuple[str, list[Any]]:
        """The newest first, those with an id below ``before``: the statement and its values."""
        wanted = {
            "`process_instance_id` < ?": before,
            "`kind` = ?": self.kind,
            "`key` = ?": self.key,
            "`name` = ?": self.name,
            "`owner_name` = ?": self.owner,
            "`started` >= ?": self.started_from,
            "`started` < ?": self.started_before,
        }
        conditions = [condition for condition, value in wanted.items() if value is not None]
        values: list[Any] = [value for value in wanted.values() if value is not None]
        if self.statuses:
            conditions.append(f"`status` IN ({marks(self.statuses)})")
            values += self.statuses
        if self.text is not None:
            found = _holding(self.text)
            conditions.append(f"({' OR '.join(condition for condition, _ in found)})")
            values += [value for _, value in found]
        every = " AND ".join(conditions) or "1 = 1"
        sql = select("process_instance", InstanceRow, f"{every} ORDER BY `process_instance_id` DESC LIMIT ?")
        return sql, [*values, limit]


def _holding(text: str) -> list[tuple[str, str | int]]:
    found: list[tuple[str, str | int]] = [("`business_key` = ?", text)]
    for column in ("name", "key"):
        # Databases differ in which letters they know in both cases, so the text as it is counts in each.
        found.append((f"`{column}` LIKE ? ESCAPE '!'", _part(text)))
        found.append((f"LOWER(`{column}`) LIKE ? ESCAPE '!'", _part(text.lower())))
    if text.isascii() and text.isdigit() and len(text) <= 18:
        found.append(("`process_instance_id` = ?", int(text)))
    return found


def _part(text: str) -> str:
    """A pattern for what holds this text."""
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return f"%{text}%"
