"""What a commit rests on beside the rows that it writes: that its engine is there, what is suspended, who is told."""

from __future__ import annotations

from typing import Any

from ..databases.cipher import Cipher
from ..databases.statements import Writer

SUSPENDED = "SELECT `kind`, `name` FROM `suspension`"
ANYBODY = "SELECT 1 FROM `subscription` LIMIT 1"
FORGOTTEN, HEARD = "forgotten", "heard"
# Hardly ever is anything found: SQLite's driver goes to the database once more for each row.
STANDING = (
    f"SELECT '{FORGOTTEN}', '' WHERE NOT EXISTS (SELECT 1 FROM `engine_node` WHERE `id` = ?)"
    f" UNION ALL SELECT '{HEARD}', '' WHERE EXISTS (SELECT 1 FROM `subscription`) UNION ALL {SUSPENDED}"
)
"""All of it in one question."""
TEXTS = (SUSPENDED, ANYBODY)
NOTHING: frozenset[tuple[str, str]] = frozenset()


class StandingWriter(Writer):
    """A writer that asks for each when a commit needs to know it."""

    def suspended(self) -> frozenset[tuple[str, str]]:
        """What is suspended: kinds and names."""
        return frozenset(self.find(SUSPENDED, ()))

    def is_heard(self) -> bool:
        """Whether anybody wants to be told of processes."""
        return self.finds(ANYBODY)


class SqliteWriter(StandingWriter):
    """Asks once for all of it, since nobody else writes before this commit ends."""

    def __init__(self, cursor: Any, dialects: dict[str, str], engine_id: str, cipher: Cipher | None) -> None:
        super().__init__(cursor, dialects, wide=True, cipher=cipher)
        cursor.execute(STANDING, (engine_id,))
        self._found = {*cursor.fetchall()}
        self.is_forgotten = (FORGOTTEN, "") in self._found
        """Whether the engine was taken for dead."""

    def suspended(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._found - {(HEARD, "")}) if self._found else NOTHING

    def is_heard(self) -> bool:
        return (HEARD, "") in self._found
