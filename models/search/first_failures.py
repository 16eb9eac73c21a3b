"""What has failed first in each of several process instances and waits for a decision, for whoever looks at a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..commit.connection import Connection
from ..databases.statements import listed, parts, select
from ..row_types.tables import columns
from ..row_types.tasks import Told
from ..row_types.tokens import TokenRow

AT_ONCE = 500


def read_first_failures(store: Connection, numbers: Sequence[int], *, failed: int) -> list[TokenRow]:
    """The oldest token of each instance whose state is ``failed``; raises StoreError."""
    return [row for some in parts(numbers, AT_ONCE) for row in _first(store, some, failed)]


def _first(store: Connection, numbers: Sequence[int], failed: int) -> Iterable[TokenRow]:
    among, values = store.among(numbers)
    return store.rows(TokenRow, FIRST.format(among), (*values, failed))


def read_told(store: Connection, task_ids: Sequence[int]) -> dict[int, Told]:
    """Why these tasks have failed, by their ids; raises StoreError."""
    asked = (store.among(some) for some in parts(task_ids, AT_ONCE))
    return {row.id: row for among, values in asked for row in store.rows(Told, TOLD.format(among), values)}


_OLDEST = (
    "SELECT `process_instance_id` AS `instance`, MIN(`id`) AS `first` FROM `token`"
    " WHERE `process_instance_id` {} AND `state` = ? GROUP BY `process_instance_id`"
)
# The limit, which cuts nothing off, tells a server that there are few: so it looks for each by the key.
FIRST = (
    f"SELECT {listed(columns(TokenRow))} FROM ({_OLDEST} LIMIT {AT_ONCE}) AS `oldest`"
    " JOIN `token` ON `process_instance_id` = `instance` AND `id` = `first`"
)
TOLD = select("task", Told, "`id` {}")
