"""Who may do what, and who did what: the access keys and the audit."""

from __future__ import annotations

from .commit.connection import Connection
from .databases.statements import Insert, listed, marks, select
from .row_types.access import AuditRow, KeyRow
from .row_types.tables import columns


class AccessRecords:
    """The access keys and the audit of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def has_keys(self) -> bool:
        """Whether any key was ever added, revoked ones included."""
        return bool(self.store.read("SELECT 1 FROM `access_key` LIMIT 1"))

    def key(self, key_id: str) -> KeyRow | None:
        return self.store.one(KeyRow, SELECT_KEY, (key_id,))

    def all_keys(self) -> list[KeyRow]:
        """Every key, the oldest first."""
        return self.store.rows(KeyRow, SELECT_KEYS)

    def add_key(self, row: KeyRow) -> None:
        """Raises AlreadyUsed where the name or the id is taken."""
        self.store.write(lambda: self.store.put(INSERT_KEY, row))

    def revoke_key(self, key_id: str, now: int) -> bool:
        """Whether there was a valid key of this id."""
        changed = self.store.execute(
            "UPDATE `access_key` SET `revoked` = ? WHERE `id` = ? AND `revoked` IS NULL", (now, key_id)
        )
        return changed > 0

    def add_audit(self, row: AuditRow) -> None:
        """Write one row by itself; rows of steps are written with them."""
        self.store.write(lambda: self.store.put(INSERT_AUDIT, row))

    def audit(self, *, limit: int, before: int | None) -> list[tuple[int, AuditRow]]:
        """Rows with their numbers, newest first, those numbered below ``before``."""
        condition, values = ("WHERE `id` < ?", (before, limit)) if before is not None else ("", (limit,))
        sql = f"SELECT `id`, {listed(columns(AuditRow))} FROM `audit` {condition} ORDER BY `id` DESC LIMIT ?"
        return [(int(number), AuditRow(*row)) for number, *row in self.store.read(sql, values)]

    def forget_audit(self, before: int, *, batch: int = 100) -> int:
        """Delete rows older than ``before`` (milliseconds), a few at a time; how many there were."""
        gone = 0
        while found := self.store.read(SELECT_OLD_AUDIT, (before, batch)):
            numbers = [number for (number,) in found]
            gone += self.store.execute(f"DELETE FROM `audit` WHERE `id` IN ({marks(numbers)})", numbers)
        return gone


SELECT_KEY = select("access_key", KeyRow, "`id` = ?")
SELECT_KEYS = select("access_key", KeyRow, "1 = 1 ORDER BY `created`")
INSERT_KEY = Insert.of("access_key", KeyRow)
INSERT_AUDIT = Insert.of("audit", AuditRow)
SELECT_OLD_AUDIT = "SELECT `id` FROM `audit` WHERE `created` < ? ORDER BY `id` LIMIT ?"
