"""Stones of which nothing begins: said once for all engines of the store.

Every commit that hands a hook over compares them, so whoever says so waits for the commits that are under way; what is
committed after that knows of it.
"""

from __future__ import annotations

from .changes import CODES
from .connection import Connection
from .row_types import SuspendedStoneRow
from .statements import select


class SuspendedStones:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def all(self) -> list[SuspendedStoneRow]:
        """All of them, by code."""
        return self.store.rows(SuspendedStoneRow, f"{SELECT} ORDER BY `code`", ())

    def codes(self) -> frozenset[str]:
        """What nothing begins of."""
        return frozenset(code for (code,) in self.store.read(CODES))

    def suspend(self, row: SuspendedStoneRow) -> None:
        """Let nothing of a stone begin; said again, the reason is replaced."""

        def write() -> None:
            self._wait_for_commits()
            self.store.run("DELETE FROM `suspended_stone` WHERE `code` = ?", (row.code,))
            sql = "INSERT INTO `suspended_stone` (`code`, `reason`, `who`, `since`) VALUES (?, ?, ?, ?)"
            self.store.run(sql, (row.code, row.reason, row.who, row.since))

        self.store.write(write)

    def unsuspend(self, code: str, now: int) -> bool:
        """Let it begin again, and what has waited be due for any engine; false if it was not suspended."""

        def write() -> bool:
            self._wait_for_commits()
            if not self.store.run("DELETE FROM `suspended_stone` WHERE `code` = ?", (code,)):
                return False
            self.store.run(OUTDATE, (code,))
            self.store.run(RELEASE, (now, code))
            return True

        return self.store.write(write)

    def _wait_for_commits(self) -> None:
        """Each engine's commit holds its own row; SQLite has one writer at a time."""
        if self.store.kind != "sqlite":
            self.store.read("SELECT `id` FROM `engine_node` ORDER BY `id` FOR UPDATE")


SELECT = select("suspended_stone", SuspendedStoneRow, "1 = 1")
_WAITING = "`open` = 1 AND `status` = 'suspended' AND `stone` = ?"
OUTDATE = (
    "UPDATE `process_instance` SET `revision` = `revision` + 1 WHERE `process_instance_id` IN"
    f" (SELECT `process_instance_id` FROM `task` WHERE {_WAITING})"
)
RELEASE = f"UPDATE `task` SET `due` = ?, `owner` = NULL WHERE {_WAITING}"
