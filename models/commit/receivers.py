"""Who waits for a message: asked in the store, and once more by the commit that says nobody does.

Each question goes by an index to those who may get it: by their id or business key where that is given, else by the
message's name and correlation. So it costs the same however many wait for a message of that name.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product
from string import Formatter
from typing import NamedTuple

from ..databases.guard import Kind
from ..row_types.instances import InstanceRow

Receiver = tuple[int, int]
"""Process instance and token."""

# SQLite goes through the tables of a cross join in this order. That a process has not ended is said as an index has it.
_OF_WAITS = "FROM `wait` AS w CROSS JOIN `process_instance` AS p WHERE "
_OF_KEY = (
    "FROM `process_instance` AS p CROSS JOIN `wait` AS w"
    " WHERE p.`phase` <> 'ended' AND p.`business_key` = {business_key} AND "
)
# Of which phase a process is comes last: a PostgreSQL that has counted nothing would read all that run by an index, to
# find the one of a business key among them.
_WAITS = (
    "{kind} = 'message' AND w.`name` = {name} AND p.`process_instance_id` = w.`process_instance_id`"
    " AND COALESCE(p.`phase`, 'ended') IN ('running', 'suspended')"
)
# Of an instance that is known, SQLite is to take its few waits, and not look at all of that name.
_BY_INSTANCE, _BY_NAME = (_WAITS.replace("{kind}", each) for each in ("COALESCE(w.`kind`, '')", "w.`kind`"))
_FOR_ANY = " AND w.`correlation` IS NULL"
_FOR_THIS = " AND w.`correlation` = {correlation}"
_FOR_BOTH = " AND (w.`correlation` IS NULL OR w.`correlation` = {correlation})"
_AFTER = (
    " AND w.`process_instance_id` >= {number} AND (w.`process_instance_id` > {number} OR w.`token` > {token})"
    " ORDER BY {order} LIMIT {limit}"
)
_IN_ORDER, _AS_INDEXED = "1, 2", "w.`correlation`, w.`process_instance_id`, w.`token`"
"""The same order, where the correlation is known, for a planner that does not see that: PostgreSQL's takes the index by
names in its own order only, else it sorts all of a name; MariaDB's sorts them for the second."""


class ReceiverFilter(NamedTuple):
    """Which of those that wait for a message may get it; None for any."""

    name: str
    correlation: str | None = None
    """Only those get it that wait for no correlation, or for this one."""
    owner: str | None = None
    business_key: str | None = None
    process_instance_id: int | None = None

    def admits(self, row: InstanceRow) -> bool:
        """Whether this instance may get it, if it waits."""
        return (
            self.owner in (None, row.owner_name)
            and self.business_key in (None, row.business_key)
            and self.process_instance_id in (None, row.process_instance_id)
        )

    @property
    def any(self) -> tuple[str, tuple[object, ...]]:
        """The statement that tells whether there is one, of :data:`EVERY_ANY`, with its values."""
        text, names = _any(*self._given)
        return text, tuple(getattr(self, name) for name in names)

    def page(self, after: Receiver, limit: int, kind: Kind) -> tuple[str, tuple[object, ...]]:
        """The statement that reads those after one, the longest waiting first, with its values."""
        text, names = _page(kind, *self._given)
        values = {**self._asdict(), "number": after[0], "token": after[1], "limit": limit}
        return text, tuple(values[name] for name in names)

    @property
    def _given(self) -> tuple[bool, ...]:
        return tuple(value is not None for value in self[1:])


def ways(correlation: bool, owner: bool, key: bool, number: bool) -> list[str]:
    """All who may get a message that says so much of them, each found by one index; without what is selected."""
    owned = " AND p.`owner_name` = {owner}" if owner else ""
    if number:
        keyed = " AND p.`business_key` = {business_key}" if key else ""
        found = f"{_OF_WAITS}{_BY_INSTANCE} AND w.`process_instance_id` = {{process_instance_id}}{keyed}"
    else:
        found = _OF_KEY + _BY_INSTANCE if key else _OF_WAITS + _BY_NAME
    if key or number:
        return [found + (_FOR_BOTH if correlation else _FOR_ANY) + owned]
    return [found + each + owned for each in ((_FOR_ANY, _FOR_THIS) if correlation else (_FOR_ANY,))]


def exists(found: Iterable[str]) -> str:
    """Whether there is anybody of these."""
    return "(" + " OR ".join(f"EXISTS (SELECT 1 {each})" for each in found) + ")"


@cache
def _any(*given: bool) -> tuple[str, tuple[str, ...]]:
    return _marked(f"SELECT 1 FROM (SELECT 1 AS one) AS here WHERE {exists(ways(*given))}")


@cache
def _page(kind: Kind, correlation: bool, owner: bool, key: bool, number: bool) -> tuple[str, tuple[str, ...]]:
    by_name = not key and not number
    after = _AFTER.replace("{order}", _AS_INDEXED if by_name and kind == "postgresql" else _IN_ORDER)
    found = ways(correlation, owner, key, number)
    pages = [f"SELECT w.`process_instance_id`, w.`token` {each}{after}" for each in found]
    if len(pages) == 1:
        return _marked(pages[0])
    both = " UNION ALL ".join(f"SELECT * FROM ({page}) AS part{place}" for place, page in enumerate(pages))
    return _marked(f"{both} ORDER BY 1, 2 LIMIT {{limit}}")


def _marked(text: str) -> tuple[str, tuple[str, ...]]:
    """The statement with marks, and the names of their values."""
    names = tuple(name for _, name, _, _ in Formatter().parse(text) if name is not None)
    return text.format(**dict.fromkeys(names, "?")), names


EVERY_ANY = [_any(*given)[0] for given in product((False, True), repeat=4)]
