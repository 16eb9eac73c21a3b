"""Engines that died, perhaps on other machines: seen by their leases, and their tasks released."""

from __future__ import annotations

import logging
import platform
import time

from ....models import EngineRow
from ... import failpoints
from .lease import Lease
from .pids import is_gone

logger = logging.getLogger("riverstone.engine")

LEASE = 30.0
"""Seconds without a sign of life after which an engine counts as dead, even if its process is there."""
WITNESSED = 8.0
"""Seconds for which whoever says so must have seen no sign of life itself."""


class DeadEngines:
    """What one engine knows of the others on its store."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._observed: dict[str, tuple[int, float]] = {}
        """By engine: its last sign of life, and since when this engine has seen no other."""

    def take_over(self) -> None:
        """Release what dead engines held, so that any living one goes on with it; raises StoreError."""
        engines = self._lease.leases.engines()
        self._observed = {row.id: self._observation(row) for row in engines}
        dead = [row for row in engines if self._is_dead(row)]
        if dead:
            failpoints.reach("before-takeover")
            released = self._lease.leases.take_from(dead, self._lease.moment())
            failpoints.reach("after-takeover")
            logger.info("released %d tasks of %d engines that died", released, len(dead))

    def alive(self, *, own: bool) -> list[EngineRow]:
        """The engines that are alive, as far as they show, with this one or without; raises StoreError."""
        return [
            row for row in self._lease.leases.engines() if (own if row.id == self._lease.engine_id else is_alive(row))
        ]

    def _observation(self, row: EngineRow) -> tuple[int, float]:
        before = self._observed.get(row.id)
        return before if before is not None and before[0] == row.seen else (row.seen, time.monotonic())

    def _is_dead(self, row: EngineRow) -> bool:
        if row.id == self._lease.engine_id:
            return False
        if _is_gone(row):
            return True
        # The database's clock may have jumped, so the silence has also to be witnessed for a while.
        witnessed = time.monotonic() - self._observed[row.id][1]
        return row.silent > LEASE * 1000 and witnessed > WITNESSED


def is_alive(row: EngineRow) -> bool:
    """Whether an engine is at work, as far as it shows."""
    return row.silent <= LEASE * 1000 and not _is_gone(row)


def _is_gone(row: EngineRow) -> bool:
    """Whether it is seen that an engine's process is no more; only those of this machine can be looked at."""
    return row.host == platform.node() and is_gone(row.pid, row.pid_started)
