"""Where process instances stand still: at tasks that begin when somebody sees to it, and at what tokens wait for.

There is a line for each place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks
from ..vocabulary import HeldBack, WaitKind

MOST = 2_000
"""Places that are read at once, of all instances together."""
EVERY = 2**62
"""More rows than there can be."""


class AwaitedRow(NamedTuple):
    """One place of one instance: ``kind`` is None for a person's task, whose ``name`` is then drawn in the model.

    That of a task whose stone is missing or suspended is the stone's code.
    """

    process_instance_id: int
    kind: WaitKind | HeldBack | None
    node: str
    name: str | None
    due: int | None
    """The earliest of as many as there are."""
    places: int


def read_awaited(store: Connection, numbers: Sequence[int], *, failed: int, tasks: bool = True) -> list[AwaitedRow]:
    """The places at which these instances stand, ``tasks`` first; raises StoreError.

    A token whose state is ``failed`` waits for a decision, whatever ends its patience.
    """
    if not numbers:
        return []
    found = store.read(TASKS.format(marks(numbers)), numbers) if tasks else []
    # What only listens for an event sub-process holds nothing up.
    found += store.read(WAITS.format(marks(numbers)), (failed, "%:listener", *numbers))
    return [AwaitedRow(*row) for row in found]


_HELD = "`status` IN ('stone-missing', 'suspended')"
_PLACE = (
    f"SELECT `process_instance_id`, CASE WHEN {_HELD} THEN `status` END AS `held`, `node`,"
    f" CASE WHEN {_HELD} THEN `stone` ELSE `name` END AS `called`, `id` FROM `task`"
    f" WHERE `process_instance_id` IN ({{}}) AND `open` = 1 AND (`event` = 'user' OR {_HELD})"
)
TASKS = (
    f"SELECT `process_instance_id`, `held`, `node`, `called`, NULL, COUNT(*) FROM ({_PLACE}) AS `places`"
    f" GROUP BY `process_instance_id`, `held`, `node`, `called` ORDER BY MIN(`id`) LIMIT {MOST}"
)
# Each wait finds its token by the key, however many rows a server expects; with its limit the inner question stays one.
_WAIT = (
    "SELECT `process_instance_id`, `kind`, `name`, `due`, `token`, `number`, (SELECT `node` FROM `token` WHERE"
    " `token`.`process_instance_id` = `wait`.`process_instance_id` AND `token`.`id` = `wait`.`token`"
    " AND `state` <> ? AND `node` NOT LIKE ?) AS `node` FROM `wait` WHERE `process_instance_id` IN ({}) LIMIT "
    f"{EVERY}"
)
WAITS = (
    "SELECT `process_instance_id`, `kind`, `node`, `name`, MIN(`due`), COUNT(*)"
    f" FROM ({_WAIT}) AS `places` WHERE `node` IS NOT NULL GROUP BY `process_instance_id`, `kind`, `node`, `name`"
    f" ORDER BY MIN(`token`), MIN(`number`) LIMIT {MOST}"
)
