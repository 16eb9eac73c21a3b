"""Stones and keys of which nothing begins: said once for all engines of the store.

Every commit that hands a hook over or starts a process compares them, so whoever says so waits for the commits that
are under way; what is committed after that knows of it.
"""

from __future__ import annotations

from ..commit.connection import Connection
from ..commit.standing import SUSPENDED
from ..databases.statements import select
from ..row_types.engines import SuspensionRow
from ..vocabulary import SuspendedKind


class Suspensions:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def all(self, kind: SuspendedKind) -> list[SuspensionRow]:
        """All of a kind, by name."""
        return self.store.rows(SuspensionRow, SELECT_ALL, (kind,))

    def of(self, kind: SuspendedKind, name: str) -> SuspensionRow | None:
        """That of one stone or key."""
        return self.store.one(SuspensionRow, SELECT_ONE, (kind, name))

    def names(self) -> frozenset[tuple[str, str]]:
        """What nothing begins of: kinds and names."""
        return frozenset(self.store.read(SUSPENDED))

    def suspend(self, row: SuspensionRow) -> None:
        """Let nothing of it begin; said again, the reason is replaced."""

        def write() -> None:
            self.store.wait_for_commits()
            self.store.run(DELETE, (row.kind, row.name))
            self.store.run(INSERT, (row.kind, row.name, row.reason, row.who, row.since))

        self.store.write(write)

    def unsuspend(self, kind: SuspendedKind, name: str, now: int) -> bool:
        """Let it begin again, and what has waited be due for any engine; false if it was not suspended."""
        outdate, release = RELEASES[kind]

        def write() -> bool:
            self.store.wait_for_commits()
            if not self.store.run(DELETE, (kind, name)):
                return False
            self.store.run(outdate, (name,))
            self.store.run(release, (now, name))
            return True

        return self.store.write(write)


SELECT_ALL = select("suspension", SuspensionRow, "`kind` = ? ORDER BY `name`")
SELECT_ONE = select("suspension", SuspensionRow, "`kind` = ? AND `name` = ?")
DELETE = "DELETE FROM `suspension` WHERE `kind` = ? AND `name` = ?"
INSERT = "INSERT INTO `suspension` (`kind`, `name`, `reason`, `who`, `since`) VALUES (?, ?, ?, ?, ?)"
_WAITING = "`open` = 1 AND `status` = 'suspended'"
_OF_KEY = "(SELECT `process_instance_id` FROM `process_instance` WHERE `phase` <> 'ended' AND `key` = ?)"


def _release(waiting: str) -> tuple[str, str]:
    """Two statements: no copy in memory is taken for the present any more, and then the tasks that wait are due."""
    return (
        "UPDATE `process_instance` SET `revision` = `revision` + 1 WHERE `process_instance_id` IN"
        f" (SELECT `process_instance_id` FROM `task` WHERE {waiting})",
        f"UPDATE `task` SET `due` = ?, `owner` = NULL WHERE {waiting}",
    )


RELEASES: dict[SuspendedKind, tuple[str, str]] = {
    "stone": _release(f"{_WAITING} AND `stone` = ?"),
    "key": _release(f"{_WAITING} AND `process_instance_id` IN {_OF_KEY}"),
}
