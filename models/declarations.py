"""Stones that workers on other machines have declared, so that engines know them without their code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from .connection import Connection
from .errors import AlreadyUsed


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

    def save(self, declarations: Sequence[tuple[str, str, str]], now: int) -> bool:
        """Add or replace stones, all or none: (code, what it serves as JSON, declaration); false if nothing was new."""

        def write() -> bool:
            # Later than every other, whatever the clocks say, so that other engines see the difference.
            updated = max(now, self.stamp()[1] + 1)
            return sum(self._save(*each, updated) for each in declarations) > 0

        try:
            return self.store.write(write)
        except AlreadyUsed:
            # Another engine has added one of them at this moment.
            return self.store.write(write)

    def _save(self, code: str, serves: str, declaration: str, updated: int) -> bool:
        key = hashlib.sha256(f"{code}\n{serves}".encode()).hexdigest()
        found = self.store.read("SELECT `declaration` FROM `stone` WHERE `id` = ?", (key,))
        if not found:
            sql = "INSERT INTO `stone` (`id`, `code`, `declaration`, `updated`) VALUES (?, ?, ?, ?)"
            self.store.run(sql, (key, code, declaration, updated))
        elif found[0][0] == declaration:
            return False
        else:
            sql = "UPDATE `stone` SET `declaration` = ?, `updated` = ? WHERE `id` = ?"
            self.store.run(sql, (declaration, updated, key))
        return True
