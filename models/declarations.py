"""Stones that workers on other machines have declared, so that engines know them without their code."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import AlreadyUsed

if TYPE_CHECKING:
    from .store import Store


@dataclass(frozen=True, slots=True)
class DeclarationRow:
    """One stone; ``declaration`` is JSON."""

    id: str
    code: str
    declaration: str
    updated: int


class Declarations:
    """The declared stones of one store; every method may raise StoreError."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def all(self) -> list[DeclarationRow]:
        """Every declared stone, by code."""
        sql = "SELECT `id`, `code`, `declaration`, `updated` FROM `stone` ORDER BY `code`, `id`"
        return [DeclarationRow(*row) for row in self.store.read(sql)]

    def stamp(self) -> tuple[int, int]:
        """What changes whenever a declaration is added or replaced."""
        count, newest = self.store.read("SELECT COUNT(*), COALESCE(MAX(`updated`), 0) FROM `stone`")[0]
        return int(count), int(newest)

    def save(self, code: str, serves: str, declaration: str, now: int) -> bool:
        """Add or replace the stone with this code that ``serves`` (JSON) these values; false if nothing was new."""
        key = hashlib.sha256(f"{code}\n{serves}".encode()).hexdigest()
        found = self.store.read("SELECT `declaration` FROM `stone` WHERE `id` = ?", (key,))
        if found and found[0][0] == declaration:
            return False
        # Later than every other, whatever the clocks say, so that other engines see the difference.
        updated = max(now, self.stamp()[1] + 1)
        sql = "UPDATE `stone` SET `declaration` = ?, `updated` = ? WHERE `id` = ?"
        if not self.store.execute(sql, (declaration, updated, key)):
            insert = "INSERT INTO `stone` (`id`, `code`, `declaration`, `updated`) VALUES (?, ?, ?, ?)"
            try:
                self.store.execute(insert, (key, code, declaration, updated))
            except AlreadyUsed:
                self.store.execute(sql, (declaration, updated, key))
        return True
