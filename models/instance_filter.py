"""Which process instances a list is to hold."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from .row_types import InstanceRow
from .statements import marks, select
from .vocabulary import Awaits, InstanceKind, ProcessState, ProcessStatus

MOST_COUNTED = 1_000
"""How many are counted at most, of each state."""


class InstanceFilter(NamedTuple):
    """What instances must have to be found; None and nothing do not matter. Times are milliseconds since 1970."""

    statuses: tuple[ProcessStatus, ...] = ()
    state: ProcessState | None = None
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
        every, values = self._conditions(before)
        sql = select("process_instance", InstanceRow, f"{every} ORDER BY `process_instance_id` DESC LIMIT ?")
        return sql, [*values, limit]

    def counting(self) -> tuple[str, list[Any]]:
        """How many there are, up to as many as are counted: the statement and its values."""
        every, values = self._conditions(None)
        found = f"SELECT 1 FROM `process_instance` WHERE {every} LIMIT {MOST_COUNTED}"
        return f"SELECT COUNT(*) FROM ({found}) AS found", values

    def _conditions(self, before: int | None) -> tuple[str, list[Any]]:
        wanted: dict[str, Any] = {
            "`process_instance_id` < ?": before,
            "`kind` = ?": self.kind,
            "`key` = ?": self.key,
            "`name` = ?": self.name,
            "`owner_name` = ?": self.owner,
            "`started` >= ?": self.started_from,
            "`started` < ?": self.started_before,
        }
        if self.state == "running":
            wanted["`phase` <> ?"] = "ended"
        elif self.state is not None:
            wanted["`awaits` = ?" if self.state in get_args(Awaits) else "`outcome` = ?"] = self.state
        conditions = [condition for condition, value in wanted.items() if value is not None]
        values: list[Any] = [value for value in wanted.values() if value is not None]
        if self.state == "running":
            conditions.append("`awaits` IS NULL")
        if self.statuses:
            conditions.append(f"`status` IN ({marks(self.statuses)})")
            values += self.statuses
        if self.text is not None:
            found = _holding(self.text)
            conditions.append(f"({' OR '.join(condition for condition, _ in found)})")
            values += [value for _, value in found]
        return " AND ".join(conditions) or "1 = 1", values


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
