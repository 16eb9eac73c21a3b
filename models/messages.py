"""Messages and signals on their way: who waits for them, which are still to be delivered, and which are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from .commit.connection import Connection
from .commit.receivers import Receiver, ReceiverFilter, exists, ways
from .databases.statements import marks, select
from .row_types.messages import EventRow, KeptMessageRow

RECEIVERS = 20
"""How many of those that wait for a message are read at once: mostly the first takes it."""


class Messages:
    """What is asked of them; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self._store = store

    def receivers(self, wanted: ReceiverFilter) -> Iterator[tuple[int, int]]:
        """Those that wait for a message, the longest waiting first: (instance, token)."""
        after: Receiver = 0, 0
        while True:
            found = self._store.read(*wanted.page(after, RECEIVERS, self._store.kind))
            yield from ((number, token) for number, token in found)
            if len(found) < RECEIVERS:
                return
            after = found[-1][0], found[-1][1]

    def listeners(self, name: str, owner: str | None, after: int, limit: int) -> list[int]:
        """The first process instances (of the ``owner``) beyond an id that wait for a signal."""
        owned, values = ("", ()) if owner is None else (" AND `owner_name` = ?", (owner,))
        sql = f"{SELECT_LISTENERS}{owned} ORDER BY 1 LIMIT ?"
        return [number for (number,) in self._store.read(sql, (name, after, *values, limit))]

    def owed(self, owner: str, limit: int) -> list[EventRow]:
        """What this engine has to deliver, the oldest first."""
        return self._store.rows(EventRow, SELECT_EVENTS, (owner, limit))

    def owes(self, engines: Sequence[str]) -> bool:
        """Whether one of these engines has anything to deliver."""
        sql = f"SELECT 1 FROM `event` WHERE `owner` IN ({marks(engines)}) LIMIT 1"
        return self._store.value(sql, engines) is not None

    def reached(self, event_id: str) -> int | None:
        """The last process that has got an owed signal, 0 for none; None where nothing is owed any more."""
        found = self._store.value("SELECT `reached` FROM `event` WHERE `id` = ?", (event_id,))
        return None if found is None else int(found)

    def deliverable(self, now: int, limit: int) -> list[KeptMessageRow]:
        """Kept messages that somebody waits for now, the oldest first."""
        return self._store.rows(KeptMessageRow, SELECT_DELIVERABLE, (now, limit))

    def is_kept(self, message_id: str) -> bool:
        """Whether nobody has got it yet."""
        return self._store.value("SELECT 1 FROM `kept_message` WHERE `id` = ?", (message_id,)) is not None

    def forget_expired(self, now: int) -> None:
        """Drop messages for which nobody has waited in time."""
        if self._store.value("SELECT 1 FROM `kept_message` WHERE `expires` <= ? LIMIT 1", (now,)) is not None:
            self._store.execute("DELETE FROM `kept_message` WHERE `expires` <= ?", (now,))


SELECT_LISTENERS = (
    "SELECT DISTINCT `wait`.`process_instance_id` FROM `wait` JOIN `process_instance`"
    " ON `process_instance`.`process_instance_id` = `wait`.`process_instance_id`"
    " WHERE `wait`.`kind` = 'signal' AND `wait`.`name` = ? AND `wait`.`process_instance_id` > ?"
    " AND `phase` IN ('running', 'suspended')"
)


def _awaited() -> Iterator[str]:
    """Whether somebody waits for a kept message, by what it says of who may get it."""
    columns = ("name", "correlation", "owner", "business_key", "process_instance_id")
    own = {name: f"`kept_message`.`{'owner_name' if name == 'owner' else name}`" for name in columns}
    for given in product((False, True), repeat=4):
        said = zip(columns[1:], given, strict=True)
        fits = [f"{own[name]} IS {'NOT ' if is_given else ''}NULL" for name, is_given in said]
        yield f"({' AND '.join(fits)} AND {exists(ways(*given)).format(**own)})"


SELECT_DELIVERABLE = select(
    "kept_message",
    KeptMessageRow,
    f"`expires` > ? AND ({' OR '.join(_awaited())}) ORDER BY `created`, `id` LIMIT ?",
)
SELECT_EVENTS = select("event", EventRow, "`owner` = ? ORDER BY `created`, `id` LIMIT ?")
