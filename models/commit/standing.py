"""What a commit rests on beside the rows that it writes: that its engine is there, what is suspended, who is told."""

from __future__ import annotations

from collections.abc import Collection, Set
from functools import cache
from typing import Any

from ..databases.cipher import Cipher
from ..databases.statements import Graded, Statement, Writer
from ..errors import EngineForgotten

SUSPENDED = "SELECT `kind`, `name` FROM `suspension`"
ANYBODY = "SELECT 1 FROM `subscription` LIMIT 1"
FORGOTTEN, HEARD = "forgotten", "heard"
# Hardly ever is anything found: SQLite's driver goes to the database once more for each row.
STANDING = (
    f"SELECT '{FORGOTTEN}', '' WHERE NOT EXISTS (SELECT 1 FROM `engine_node` WHERE `id` = ?)"
    f" UNION ALL SELECT '{HEARD}', '' WHERE EXISTS (SELECT 1 FROM `subscription`) UNION ALL {SUSPENDED}"
)
"""All of it in one question."""
PLAIN = (
    "EXISTS (SELECT 1 FROM `engine_node` WHERE `id` = ?)"
    " AND NOT EXISTS (SELECT 1 FROM `subscription`) AND NOT EXISTS (SELECT 1 FROM `suspension`)"
)
"""Whether it would find nothing."""
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

    def put_first(self, graded: Graded, rows: Collection[Any], otherwise: str) -> None:
        """Write records before it is asked what else the commit rests on."""
        self.put(graded, rows, otherwise)


class SqliteWriter(StandingWriter):
    """Knows all of it at once, since nobody else writes before this commit ends.

    Most steps update an instance while nothing is suspended and nobody is to be told: that update says so itself, and
    where it finds otherwise, all is asked.
    """

    def __init__(
        self, cursor: Any, dialects: dict[str, str], engine_id: str, cipher: Cipher | None, *, is_plain: bool
    ) -> None:
        """``is_plain`` says whether nothing was found the last time."""
        super().__init__(cursor, dialects, wide=True, cipher=cipher)
        self._engine_id = engine_id
        self._is_plain = is_plain
        self._found: Set[tuple[str, str]] | None = None

    def put_first(self, graded: Graded, rows: Collection[Any], otherwise: str) -> None:
        if self._is_plain and len(rows) == 1:
            (row,) = rows
            statement = graded.fitting(row)
            self._write_one(statement, (*statement.values(row), self._engine_id), _while_plain(statement))
            if self.cursor.rowcount == 1:
                self._found = NOTHING
                return
        self.put(graded, rows, otherwise)

    def suspended(self) -> frozenset[tuple[str, str]]:
        found = self.found()
        return frozenset(found - {(HEARD, "")}) if found else NOTHING

    def is_heard(self) -> bool:
        return (HEARD, "") in self.found()

    def found(self) -> Set[tuple[str, str]]:
        """What there is; raises EngineForgotten where the engine was taken for dead."""
        if self._found is None:
            self.cursor.execute(STANDING, (self._engine_id,))
            self._found = {*self.cursor.fetchall()}
        if (FORGOTTEN, "") in self._found:
            raise EngineForgotten(f"engine {self._engine_id} was taken for dead")
        return self._found


@cache
def _while_plain(statement: Statement) -> str:
    return f"{statement.text} AND {PLAIN}"
