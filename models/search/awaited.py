"""Where process instances stand still: at tasks that begin when somebody sees to it, and at what tokens wait for.

There is a line for each place.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from ..commit.connection import Connection
from ..databases.statements import quoted
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


def read_awaited(
    store: Connection, numbers: Sequence[int], *, failed: int, at_tasks: Sequence[int] | None = None
) -> list[AwaitedRow]:
    """The places at which these instances stand, tasks first; raises StoreError.

    Those ``at_tasks``, all unless said otherwise, may stand at tasks too. A token whose state is ``failed`` waits for
    a decision, whatever ends its patience.
    """
    if not numbers:
        return []
    among, values = store.among(numbers)
    # What only listens for an event sub-process holds nothing up.
    waiting = (failed, "%:listener", *values)
    at_tasks = numbers if at_tasks is None else at_tasks
    if at_tasks:
        among_tasks, task_values = store.among(at_tasks)
        found = store.read(BOTH.format(among_tasks=among_tasks, among=among), (*task_values, *waiting))
        # Nothing but their own order is promised of both.
        found.sort(key=itemgetter(0))
    else:
        found = store.read(WAITS.format(among=among), waiting)
    return [AwaitedRow(*row[1:]) for row in found]


_HELD = ("stone-missing", "suspended")
# Words, not what a column holds: the kind of a wait is another type there.
_WORD = " ".join(f"WHEN '{word}' THEN '{word}'" for word in _HELD)
_IS_HELD = f"`status` IN ({quoted(_HELD)})"
_PLACE = (
    f"SELECT `process_instance_id`, CASE `status` {_WORD} END AS `held`, `node`,"
    f" CASE WHEN {_IS_HELD} THEN `stone` ELSE `name` END AS `called`, `id` FROM `task`"
    f" WHERE `process_instance_id` {{among_tasks}} AND `open` = 1 AND (`event` = 'user' OR {_IS_HELD})"
)
# Of the two parts, this has no times; NULLIF makes a null that is a number, as the other's are.
TASKS = (
    "SELECT 1 AS `part`, `process_instance_id`, `held`, `node`, `called`, NULLIF(0, 0) AS `due`, COUNT(*) AS `places`"
    f" FROM ({_PLACE}) AS `held_back` GROUP BY `process_instance_id`, `held`, `node`, `called`"
    f" ORDER BY MIN(`id`) LIMIT {MOST}"
)
# Each wait finds its token by the key, however many rows a server expects; with its limit the inner question stays one.
_WAIT = (
    "SELECT `process_instance_id`, `kind`, `name`, `due`, `token`, `number`, (SELECT `node` FROM `token` WHERE"
    " `token`.`process_instance_id` = `wait`.`process_instance_id` AND `token`.`id` = `wait`.`token`"
    " AND `state` <> ? AND `node` NOT LIKE ?) AS `node` FROM `wait` WHERE `process_instance_id` {among} LIMIT "
    f"{EVERY}"
)
WAITS = (
    "SELECT 2 AS `part`, `process_instance_id`, `kind`, `node`, `name`, MIN(`due`) AS `due`, COUNT(*) AS `places`"
    f" FROM ({_WAIT}) AS `waiting` WHERE `node` IS NOT NULL GROUP BY `process_instance_id`, `kind`, `node`, `name`"
    f" ORDER BY MIN(`token`), MIN(`number`) LIMIT {MOST}"
)
BOTH = f"SELECT * FROM ({TASKS}) AS `tasks` UNION ALL SELECT * FROM ({WAITS}) AS `waits`"
