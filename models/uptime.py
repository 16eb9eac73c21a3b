"""How long this machine has run: time that nobody sets, the same for all its processes."""

from __future__ import annotations

import time
from contextlib import suppress


def uptime() -> float:
    """Seconds by a clock that nobody sets and that, where there is one, goes on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def boot_id() -> str:
    """What tells this run of the machine from others; empty where the system does not say."""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as found:
        return found.read().strip()
    return ""
