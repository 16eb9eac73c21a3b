"""The next looks of monitors, which the engine that may have one takes without stepping its process."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..commit.connection import Connection
from ..databases.statements import marks, parts
from ..row_types.tables import columns
from ..row_types.tasks import Look
from ..vocabulary import UNDER_WAY


class Looks:
    """Which are due, and who has them in hand; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self._store = store

    def due(self, task_ids: Sequence[int], now: int, keeper: str | None) -> list[Look]:
        """The looks that are due at these tasks, as far as they are this engine's; without ``keeper``, nobody's."""
        mine, whose = _whose(keeper)
        found: list[Look] = []
        for part in parts(task_ids):
            sql = f"{SELECT_LOOKS} AND {mine} AND `task`.`id` IN ({marks(part)})"
            found += self._store.rows(Look, sql, (now, *whose, *part))
        return found

    def take(self, looks: Sequence[Look], now: int, owner: str, keeper: str | None) -> list[Look]:
        """Have these looks in hand from now on; those of them that still were due and this engine's to take.

        The revisions of their instances go up, so that no copy in memory takes the tasks for idle.
        """
        numbers = sorted({look.process_instance_id for look in looks})
        task_ids = [look.id for look in looks]

        def take() -> list[Look]:
            # First, since who changes one of the tasks by a step holds its instance.
            for part in parts(numbers):
                self._store.run(f"{OUTDATE_ALL} ({marks(part)})", part)
            taken = [look for look in self.due(task_ids, now, keeper) if look.phase in UNDER_WAY]
            for part in parts([look.id for look in taken]):
                self._store.run(f"{TAKE_LOOKS} ({marks(part)})", (owner, *part))
            return taken

        return self._store.write_own(take)

    def put_off(
        self, task_ids: Sequence[int], process_instance_ids: Collection[int], due: int, owner: str, keeper: str | None
    ) -> int:
        """Let monitors that this engine has in hand and whose processes run be due again at this time.

        Returns how many of them there were. From now on they are the ``keeper``'s, or nobody's. The revisions of their
        instances go up, so that no copy in memory takes the tasks for being in hand, and waits for them in vain.
        """
        sql = f"{UPDATE_LOOKS} ({marks(task_ids)})"

        def put() -> int:
            for part in parts(sorted(process_instance_ids)):
                self._store.run(f"{OUTDATE_ALL} ({marks(part)})", part)
            return self._store.run(sql, (due, keeper, owner, *task_ids))

        return self._store.write_own(put)

    def were_put_off(self, task_ids: Sequence[int], due: int, keeper: str | None) -> set[int]:
        """Those of these monitors that are the ``keeper``'s, or without one nobody's, and due again at this time."""
        mine, whose = _whose(keeper)
        sql = f"{SELECT_LOOKED_AT} AND {mine} AND `id` IN ({marks(task_ids)})"
        return {number for (number,) in self._store.read(sql, (due, *whose, *task_ids))}


def _whose(keeper: str | None) -> tuple[str, tuple[str, ...]]:
    """The condition for what is an engine's to see to: nobody's, where it keeps no time."""
    return ("`task`.`owner` IS NULL", ()) if keeper is None else ("`task`.`owner` = ?", (keeper,))


_LOOK_NAMES = ", ".join(
    [f"`task`.`{name}`" for name in columns(Look)[:-8]]
    + [f"`process_instance`.`{name}`" for name in ("id", "phase", "trace", "key", "name", "business_key", "owner_name")]
    + ["`deployment`.`version`"]
)
SELECT_LOOKS = (
    f"SELECT {_LOOK_NAMES} FROM `task` JOIN `process_instance`"
    " ON `process_instance`.`process_instance_id` = `task`.`process_instance_id`"
    " JOIN `deployment` ON `deployment`.`id` = `process_instance`.`deployment_id`"
    " WHERE `open` = 1 AND `task`.`status` = 'monitor.begin' AND `task`.`due` <= ?"
)
TAKE_LOOKS = "UPDATE `task` SET `due` = NULL, `owner` = ? WHERE `id` IN"
OUTDATE_ALL = "UPDATE `process_instance` SET `revision` = `revision` + 1 WHERE `process_instance_id` IN"
UPDATE_LOOKS = (
    "UPDATE `task` SET `due` = ?, `owner` = ? WHERE `owner` = ? AND `open` = 1 AND `event` = 'monitor'"
    " AND EXISTS (SELECT 1 FROM `process_instance` WHERE"
    " `process_instance`.`process_instance_id` = `task`.`process_instance_id`"
    " AND `phase` IN ('running', 'suspended')) AND `id` IN"
)
SELECT_LOOKED_AT = "SELECT `id` FROM `task` WHERE `due` = ? AND `open` = 1 AND `event` = 'monitor'"
