"""The numbers of process instances and tasks, which all engines of a store draw from one sequence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

from .commit.connection import Connection
from .errors import AlreadyUsed

ID_BLOCK = 500
SPARE_IDS = 1_000_000
"""Numbers that are passed over after a restore: more than were given out since the backup."""


class IdSequence:
    """Gives them out, a block of them at a time; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self._store = store
        self._block: Iterator[int] = iter(())
        self._lock = threading.Lock()
        self._prepare()

    def _prepare(self) -> None:
        if self._store.value("SELECT `next` FROM `sequence` WHERE `name` = 'id'") is None:
            with suppress(AlreadyUsed):
                self._store.execute("INSERT INTO `sequence` (`name`, `next`) VALUES ('id', 1)")

    def next(self) -> int:
        """The next number of the sequence that process instances and tasks share; gaps are normal."""
        with self._lock:
            number = next(self._block, None)
            if number is None:
                self._block = iter(self._take())
                number = next(self._block)
            return number

    def above(self, number: int) -> int:
        """The next number of the sequence that is greater than one that another engine has taken."""
        found = self.next()
        while found <= number:
            with self._lock:
                self._block = iter(self._take())
            found = self.next()
        return found

    def _take(self) -> range:
        def take() -> range:
            self._store.run("UPDATE `sequence` SET `next` = `next` + ? WHERE `name` = 'id'", (ID_BLOCK,))
            end = int(self._store.value("SELECT `next` FROM `sequence` WHERE `name` = 'id'"))
            return range(end - ID_BLOCK, end)

        with self._store.ahead():
            return self._store.write(take)

    def skip(self, beyond: int | None) -> int:
        """Give out no number up to ``beyond``, or to one far above all that are known; the next that is given out."""

        def skip() -> int:
            sql = "UPDATE `sequence` SET `next` = ? WHERE `name` = 'id' AND `next` <= ?"
            known = (self._store.value(text) for text in SELECT_HIGHEST_IDS)
            last = max(int(number or 0) for number in known) + SPARE_IDS if beyond is None else beyond
            self._store.run(sql, (last + 1, last))
            return int(self._store.value("SELECT `next` FROM `sequence` WHERE `name` = 'id'"))

        with self._lock:
            self._block = iter(())
            return self._store.write(skip)


SELECT_HIGHEST_IDS = (
    "SELECT MAX(`process_instance_id`) FROM `process_instance`",
    "SELECT MAX(`id`) FROM `task`",
    "SELECT `next` FROM `sequence` WHERE `name` = 'id'",
)
