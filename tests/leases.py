"""Leases of engines that are short enough for a test, here and in processes of their own."""

from __future__ import annotations

from riverstone.engine.river.engines import dead_engines, lease

LEASE = 2.0


def hasten(seconds: float = LEASE) -> None:
    """Make leases of this process short: an engine that gives no sign for so long is taken for dead."""
    dead_engines.LEASE, dead_engines.WITNESSED, lease.HEARTBEAT = seconds, seconds / 2, seconds / 5
