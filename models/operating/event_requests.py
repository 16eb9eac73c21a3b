"""The keys of messages and signals that clients have sent, and what came of each; they are known for a time."""

from __future__ import annotations

from ..commit.connection import Connection
from ..databases.statements import marks, select
from ..row_types.messages import EventRequestRow

MOST_AT_ONCE = 500


class EventRequests:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def of(self, idempotency_key: str) -> list[EventRequestRow]:
        """The parts of what was sent under a key, in order."""
        return self.store.rows(EventRequestRow, SELECT_REQUEST, (idempotency_key,))

    def forget(self, before: int) -> bool:
        """Remove some that are older; whether there may be more."""
        found = [key for (key,) in self.store.read(SELECT_OLD, (before, MOST_AT_ONCE))]
        if found:
            sql = f"DELETE FROM `event_request` WHERE `idempotency_key` IN ({marks(found)}) AND `created` < ?"
            self.store.execute(sql, (*found, before))
        return len(found) == MOST_AT_ONCE


SELECT_REQUEST = select("event_request", EventRequestRow, "`idempotency_key` = ? ORDER BY `part`")
SELECT_OLD = "SELECT `idempotency_key` FROM `event_request` WHERE `created` < ? ORDER BY `created` LIMIT ?"
