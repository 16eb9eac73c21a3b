"""Who may do what, and who did what: the rows of access keys and of the audit, with their queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .rows import columns

if TYPE_CHECKING:
    from .store import Store


@dataclass(slots=True)
class KeyRow:
    """One access key; only the digest of its secret is kept."""

    id: str
    name: str
    digest: str
    scopes: str
    """The scopes' names, separated by blanks."""
    owner_name: str | None
    """Whose process instances it starts and sees; None sees all and starts some that are nobody's."""
    created: int
    revoked: int | None = None


@dataclass(slots=True)
class AuditRow:
    """One changing call."""

    created: int
    request_id: str
    client: str
    """Who."""
    address: str
    """From where."""
    action: str
    """What: the operation's name."""
    target: str | None
    """Of what: the id of a process instance, task, model or key, where there is one."""
    outcome: str
    """``done``, or the code of the error that refused it."""


class AccessRecords:
    """The access keys and the audit of one store; every method may raise StoreError."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def has_keys(self) -> bool:
        """Whether any key was ever added, revoked ones included."""
        return bool(self.store.read("SELECT 1 FROM `access_key` LIMIT 1"))

    def key(self, key_id: str) -> KeyRow | None:
        found = self.store.read(f"SELECT {KEY_COLUMNS} FROM `access_key` WHERE `id` = ?", (key_id,))
        return KeyRow(*found[0]) if found else None

    def all_keys(self) -> list[KeyRow]:
        """Every key, the oldest first."""
        return [KeyRow(*row) for row in self.store.read(f"SELECT {KEY_COLUMNS} FROM `access_key` ORDER BY `created`")]

    def add_key(self, row: KeyRow) -> None:
        """Raises AlreadyUsed where the name or the id is taken."""
        values = tuple(getattr(row, name) for name in columns(KeyRow))
        self.store.execute(f"INSERT INTO `access_key` ({KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def revoke_key(self, key_id: str, now: int) -> bool:
        """Whether there was a valid key of this id."""
        changed = self.store.execute(
            "UPDATE `access_key` SET `revoked` = ? WHERE `id` = ? AND `revoked` IS NULL", (now, key_id)
        )
        return changed > 0

    def add_audit(self, row: AuditRow) -> None:
        """Write one row by itself; rows of steps are written with them."""
        values = tuple(getattr(row, name) for name in columns(AuditRow))
        self.store.execute(f"INSERT INTO `audit` ({AUDIT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def audit(self, *, limit: int, before: int | None) -> list[tuple[int, AuditRow]]:
        """Rows with their numbers, newest first, those numbered below ``before``."""
        condition, values = ("WHERE `id` < ?", (before, limit)) if before is not None else ("", (limit,))
        sql = f"SELECT `id`, {AUDIT_COLUMNS} FROM `audit` {condition} ORDER BY `id` DESC LIMIT ?"
        return [(int(number), AuditRow(*row)) for number, *row in self.store.read(sql, values)]

    def forget_audit(self, before: int, *, batch: int = 100) -> int:
        """Delete rows older than ``before`` (milliseconds), a few at a time; how many there were."""
        gone = 0
        while numbers := self.store.read(
            "SELECT `id` FROM `audit` WHERE `created` < ? ORDER BY `id` LIMIT ?", (before, batch)
        ):
            marks = ", ".join("?" * len(numbers))
            gone += self.store.execute(
                f"DELETE FROM `audit` WHERE `id` IN ({marks})", tuple(number for (number,) in numbers)
            )
        return gone


KEY_COLUMNS = ", ".join(f"`{name}`" for name in columns(KeyRow))
AUDIT_COLUMNS = ", ".join(f"`{name}`" for name in columns(AuditRow))
