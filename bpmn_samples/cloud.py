"""A made-up cloud: it keeps what the sample stones create, and refuses what a real one would refuse."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

Thing: TypeAlias = dict[str, Any]

PREFIXES = {
    "groups": "sg",
    "servers": "i",
    "volumes": "vol",
    "ports": "port",
    "files": "file",
    "commands": "cmd",
    "bills": "bill",
    "mails": "mail",
}
"""The kinds of things, with the letters that their ids start with."""
HOLDERS = {
    "servers": ("group", "groups"),
    "ports": ("group", "groups"),
    "volumes": ("server", "servers"),
    "files": ("server", "servers"),
    "commands": ("server", "servers"),
}
"""By kind: the field that names the thing it hangs on, and that thing's kind."""
ROOT_DISK = 20
"""Gigabytes that a server has before any volume is attached."""


class CloudError(Exception):
    """The cloud refuses; nothing was changed."""


class Gone(CloudError):
    """There is no such thing, or no longer."""


class Cloud:
    """Everything that exists, in memory or in an SQLite file that outlives the process and may be shared.

    Every call is one transaction. A create with a known idempotency key returns what the first one made.
    Deleting a thing on which others hang is refused, so a wrong undo order does not pass unnoticed.
    """

    def __init__(self, file: str | Path | None = None) -> None:
        self._lock = threading.Lock()
        self._file = str(file) if file is not None else None
        self._memory = json.dumps({"last": 0, "down": [], "things": {kind: {} for kind in PREFIXES}})
        if self._file is not None:
            with self._connection() as connection:
                connection.execute("create table if not exists cloud (id integer primary key, state text not null)")
                connection.execute("insert or ignore into cloud values (1, ?)", (self._memory,))

    def create(self, kind: str, key: str, **fields: Any) -> Thing:
        """Make one thing, or return the one that ``key`` (an idempotency key) made before.

        Raises CloudError while the kind is broken down, Gone when what it hangs on is missing.
        """

        def change(state: dict[str, Any]) -> Thing:
            things: dict[str, Thing] = state["things"][kind]
            known = next((thing for thing in things.values() if thing["key"] == key), None)
            if known is not None:
                return known
            if kind in state["down"]:
                raise CloudError(f"The cloud cannot create {kind} at the moment: try again later.")
            field, holders = HOLDERS.get(kind, ("", ""))
            held = fields.get(field)
            if holders and held != "default" and held not in state["things"][holders]:
                raise Gone(f"The cloud has no {field} {held!r} for a new one of {kind}.")
            state["last"] += 1
            identifier = f"{PREFIXES[kind]}-{state['last']:08X}"
            things[identifier] = {"id": identifier, "key": key, **fields}
            return things[identifier]

        return self._change(change)

    def delete(self, kind: str, identifier: str) -> None:
        """Remove one thing; raises Gone if it does not exist, CloudError while others hang on it."""

        def change(state: dict[str, Any]) -> Thing:
            for other, (field, holders) in HOLDERS.items():
                # Files and commands live on the server's own disk and vanish with it.
                if holders != kind or other in ("files", "commands"):
                    continue
                hanging = [thing["id"] for thing in state["things"][other].values() if thing[field] == identifier]
                if hanging:
                    raise CloudError(f"The cloud does not delete {identifier} while {', '.join(hanging)} hangs on it.")
            if identifier not in state["things"][kind]:
                raise Gone(f"The cloud has no {identifier} among its {kind}.")
            removed: Thing = state["things"][kind].pop(identifier)
            for other in ("files", "commands") if kind == "servers" else ():
                left = {name: thing for name, thing in state["things"][other].items() if thing["server"] != identifier}
                state["things"][other] = left
            return removed

        self._change(change)

    def list(self, kind: str) -> list[Thing]:
        """All things of a kind, oldest first."""
        found: list[Thing] = []

        def look(state: dict[str, Any]) -> Thing:
            found.extend(state["things"][kind].values())
            return {}

        self._change(look)
        return found

    def made_by(self, kind: str, key: str) -> Thing | None:
        """The thing that was created under this idempotency key, if it still exists."""
        return next((thing for thing in self.list(kind) if thing["key"] == key), None)

    def disk(self, server: str) -> int:
        """The gigabytes of a server's own disk and all volumes attached to it."""
        sizes: list[int] = [volume["size"] for volume in self.list("volumes") if volume["server"] == server]
        return ROOT_DISK + sum(sizes)

    def break_down(self, kind: str) -> None:
        """Refuse to create things of this kind until :meth:`repair`."""

        def change(state: dict[str, Any]) -> Thing:
            state["down"] = sorted({*state["down"], kind})
            return {}

        self._change(change)

    def repair(self, kind: str) -> None:
        """Create things of this kind again."""

        def change(state: dict[str, Any]) -> Thing:
            state["down"] = [down for down in state["down"] if down != kind]
            return {}

        self._change(change)

    def is_empty(self) -> bool:
        """Whether nothing exists but mails, which nobody can take back."""
        return not any(self.list(kind) for kind in PREFIXES if kind != "mails")

    def _change(self, change: Callable[[dict[str, Any]], Thing]) -> Thing:
        with self._lock:
            if self._file is None:
                state = json.loads(self._memory)
                result = change(state)
                self._memory = json.dumps(state)
                return result
            with self._connection() as connection:
                state = json.loads(connection.execute("select state from cloud where id = 1").fetchone()[0])
                result = change(state)
                connection.execute("update cloud set state = ? where id = 1", (json.dumps(state),))
                return result

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file or "", timeout=10, isolation_level=None)
        try:
            connection.execute("begin immediate")
            yield connection
            connection.execute("commit")
        finally:
            # Closing an open transaction rolls it back.
            connection.close()
