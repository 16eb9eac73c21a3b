"""How long this machine has run: time that nobody sets, the same for all its processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)
uptime: Callable[[], float] = time.monotonic if _CLOCK is None else partial(time.clock_gettime, _CLOCK)
"""Seconds by a clock that nobody sets and that, where there is one, goes on while the machine sleeps.

Asked for each hook, so it is no function of Python's own.
"""


def boot_id() -> str:
    """What tells this run of the machine from others; empty where the system does not say."""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as found:
        return found.read().strip()
    return ""
