"""The rows of engines, and of what they let nobody begin."""

from __future__ import annotations

from dataclasses import dataclass

from ..vocabulary import SuspendedKind


@dataclass(slots=True)
class SuspensionRow:
    """One stone, or one key of processes, of which nothing begins."""

    kind: SuspendedKind
    name: str
    reason: str | None
    who: str | None
    since: int


POSTGRESQL_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
MYSQL_NOW = "CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)"


@dataclass(slots=True)
class EngineRow:
    """One engine that works on the store; ``silent`` is for how many milliseconds, by the database's own clock.

    ``closing`` is 1 once it was told to stop, and ``pid_started`` also says where the ``pid`` counts.
    """

    id: str
    host: str
    pid: int
    pid_started: str
    seen: int
    closing: int
    silent: int
