"""Sessions of people who have signed in with a browser."""

from __future__ import annotations

from .commit.connection import Connection
from .databases.statements import Insert, select
from .row_types.access import SessionRow


class SessionRecords:
    """Those of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def add(self, row: SessionRow) -> None:
        """Keep a new one."""
        self.store.write(lambda: self.store.put(INSERT_SESSION, row))

    def find(self, session_id: str) -> SessionRow | None:
        return self.store.one(SessionRow, SELECT_SESSION, (session_id,))

    def all(self) -> list[SessionRow]:
        """Every one, the oldest first."""
        return self.store.rows(SessionRow, SELECT_SESSIONS)

    def touch(self, session_id: str, now: int) -> None:
        """Somebody has used it."""
        self.store.execute(
            "UPDATE `browser_session` SET `used` = ? WHERE `id` = ? AND `used` < ?", (now, session_id, now)
        )

    def end(self, session_id: str) -> bool:
        """Whether there was one."""
        return self.store.execute("DELETE FROM `browser_session` WHERE `id` = ?", (session_id,)) > 0

    def end_of(self, user: str) -> int:
        """End all of a person; how many there were."""
        return self.store.execute("DELETE FROM `browser_session` WHERE `user_name` = ?", (user,))

    def forget(self, *, used_before: int, made_before: int) -> None:
        """Remove those that are over."""
        sql = "DELETE FROM `browser_session` WHERE `used` < ? OR `created` < ?"
        self.store.execute(sql, (used_before, made_before))


SELECT_SESSION = select("browser_session", SessionRow, "`id` = ?")
SELECT_SESSIONS = select("browser_session", SessionRow, "1 = 1 ORDER BY `created`")
INSERT_SESSION = Insert.of("browser_session", SessionRow)
