"""Stones that workers on other machines have declared, so that engines know them without their code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .commit.connection import Connection
from .databases.statements import select
from .errors import AlreadyUsed, StoreError
from .row_types.tasks import TaskRow

MOST = 10_000
"""Declared stones of one store."""
MOST_LOOKED_AT = 1_000
"""Tasks that are read to see what they were chosen by."""
SELECT_OF_STONE = select("task", TaskRow, "`stone` = ?")


class DeclarationRow(NamedTuple):
    """One stone; ``declaration`` is JSON."""

    id: str
    code: str
    declaration: str
    updated: int


class Declarations:
    """The declared stones of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def all(self) -> list[DeclarationRow]:
        """Every declared stone, by code."""
        sql = "SELECT `id`, `code`, `declaration`, `updated` FROM `stone` ORDER BY `code`, `id`"
        return [DeclarationRow(*row) for row in self.store.read(sql)]

    def stamp(self) -> tuple[int, int]:
        """What changes whenever a declaration is added or replaced."""
        count, newest = self.store.read("SELECT COUNT(*), COALESCE(MAX(`updated`), 0) FROM `stone`")[0]
        return int(count), int(newest)

    def save(self, declarations: Sequence[tuple[str, str, str]], now: int, replace: Callable[[str, str], str]) -> bool:
        """Add or replace stones, all or none: (code, what it serves as JSON, declaration); false if nothing was new.

        ``replace`` says what becomes of a declaration and the one that is to replace it.
        """

        def write() -> bool:
            count, newest = self.stamp()
            if count + len(declarations) > MOST:
                raise StoreError(f"workers have declared {count} stones, and {MOST} fit")
            # Later than every other, whatever the clocks say, so that other engines see the difference.
            updated = max(now, newest + 1)
            return sum(self._save(*each, updated, replace) for each in declarations) > 0

        try:
            return self.store.write(write)
        except AlreadyUsed:
            # Another engine has added one of them at this moment.
            return self.store.write(write)

    def forget(self, code: str) -> int:
        """Remove what was declared of a stone; how many declarations that were."""
        return self.store.execute("DELETE FROM `stone` WHERE `code` = ?", (code,))

    def has_tasks(self, code: str, serves: Mapping[str, Any]) -> bool:
        """Whether the ledger holds tasks of a stone with these parameter values, as far as that is soon told."""
        if not serves:
            return self.store.value("SELECT 1 FROM `task` WHERE `stone` = ? LIMIT 1", (code,)) is not None
        rows = self.store.rows(TaskRow, f"{SELECT_OF_STONE} ORDER BY `id` DESC LIMIT ?", (code, MOST_LOOKED_AT))
        served = (serves.items() <= json.loads(row.parameters).items() for row in rows)
        return len(rows) == MOST_LOOKED_AT or any(served)

    def _save(self, code: str, serves: str, declaration: str, updated: int, replace: Callable[[str, str], str]) -> bool:
        key = hashlib.sha256(f"{code}\n{serves}".encode()).hexdigest()
        # Held until the end of the transaction, whoever else would replace it.
        self.store.run("UPDATE `stone` SET `updated` = `updated` WHERE `id` = ?", (key,))
        found = self.store.read("SELECT `declaration` FROM `stone` WHERE `id` = ?", (key,))
        if found and found[0][0] != declaration:
            declaration = replace(found[0][0], declaration)
        if not found:
            sql = "INSERT INTO `stone` (`id`, `code`, `declaration`, `updated`) VALUES (?, ?, ?, ?)"
            self.store.run(sql, (key, code, declaration, updated))
        elif found[0][0] == declaration:
            return False
        else:
            sql = "UPDATE `stone` SET `declaration` = ?, `updated` = ? WHERE `id` = ?"
            self.store.run(sql, (declaration, updated, key))
        return True
