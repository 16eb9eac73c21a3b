"""Hooks that may still run although their tasks have ended or gone on, and tasks that another engine is stopping.

Both are found in the store by the engines that carry them out, once a second, since only these can stop them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks, select
from ..row_types.tasks import StragglerRow
from ..store import IN_PHASES


class StoppedTask(NamedTuple):
    """A task in hand whose process is being stopped, perhaps by another engine."""

    process_instance_id: int
    task_id: int
    delivery: int


class Stragglers:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def stopped(self, owners: Sequence[str]) -> list[StoppedTask]:
        """The tasks that these have in hand and whose processes are stopping, or let what runs come to its end."""
        return [StoppedTask(*row) for row in self.store.read(f"{SELECT_STOPPED} ({marks(owners)})", owners)]

    def of(self, owners: Sequence[str]) -> list[StragglerRow]:
        """The hooks that these may still run."""
        return self.store.rows(StragglerRow, f"{SELECT_THEIRS} ({marks(owners)})", owners)


SELECT_STOPPED = (
    "SELECT `task`.`process_instance_id`, `task`.`id`, `handed` + `lost` FROM `process_instance` CROSS JOIN `task`"
    f" WHERE `phase` = 'draining' AND {IN_PHASES}"
    " AND `task`.`process_instance_id` = `process_instance`.`process_instance_id`"
    " AND `open` = 1 AND `stone` IS NOT NULL AND `task`.`due` IS NULL AND `task`.`owner` IN"
)
SELECT_THEIRS = select("straggler", StragglerRow, "`owner` IN")
