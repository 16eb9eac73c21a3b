"""Which process instances a list is to hold."""

from __future__ import annotations

from typing import Any, NamedTuple

from .rows import InstanceRow, columns


class InstanceFilter(NamedTuple):
    """What instances must have to be found; None and nothing do not matter. Times are milliseconds since 1970."""

    statuses: tuple[str, ...] = ()
    kind: str | None = None
    key: str | None = None
    name: str | None = None
    text: str | None = None
    """A part of the name or the key in any case, or the whole business key or id."""
    started_from: int | None = None
    started_before: int | None = None
    owner: str | None = None

    def query(self, *, limit: int, before: int | None) -> Any:
        """Newest first, those with an id below ``before``."""
        from .tables import ProcessInstance as table  # late: see Store

        query = table.select(*(getattr(table, column) for column in columns(InstanceRow)))
        if before is not None:
            query = query.where(table.process_instance_id < before)
        if self.statuses:
            query = query.where(table.status.in_(self.statuses))
        equal = {"kind": self.kind, "key": self.key, "name": self.name, "owner_name": self.owner}
        for column, value in equal.items():
            if value is not None:
                query = query.where(getattr(table, column) == value)
        if self.text is not None:
            query = query.where(_holds(self.text))
        if self.started_from is not None:
            query = query.where(table.started >= self.started_from)
        if self.started_before is not None:
            query = query.where(table.started < self.started_before)
        return query.order_by(table.process_instance_id.desc()).limit(limit)


def _holds(text: str) -> Any:
    from peewee import fn

    from .tables import ProcessInstance as table

    found = table.business_key == text
    for column in (table.name, table.key):
        # Databases differ in which letters they know in both cases, so the text as it is counts in each.
        found = found | column.contains(text) | fn.LOWER(column).contains(text.lower())
    if text.isascii() and text.isdigit() and len(text) <= 18:
        found = found | (table.process_instance_id == int(text))
    return found
