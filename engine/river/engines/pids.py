"""Processes by their ids: which of those that an engine was told of are gone, where that can be seen at all.

An id counts within one run of one machine and one pid namespace of it. Containers have namespaces of their own, often
with the same ids, and with the host's network also the same host name.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ....models.databases.uptime import boot_id
from ...commands.runner import HIDDEN, started

UNKNOWN = "?"


def identity(pid: int) -> str:
    """What tells a process of here from any other with the same id, in at most 64 characters."""
    space = _space()
    return f"{started(pid)} {UNKNOWN if space is None else space}"


def is_gone(pid: int, known: str) -> bool:
    """Whether the process that had this identity is certainly no more; false where that cannot be seen from here."""
    then, _, space = known.partition(" ")
    if space != _space():
        return False
    found = started(pid)
    return found is None or found not in (then, HIDDEN)


def _space() -> str | None:
    """Within what ids of processes are told apart here: empty for the whole machine, None where that cannot be seen."""
    if not os.path.isdir("/proc"):
        return ""
    with suppress(OSError):
        # A /proc of another namespace tells of other processes by the same ids.
        if os.readlink("/proc/self") == str(os.getpid()) and (boot := boot_id()):
            return f"{boot[:24]} {os.readlink('/proc/self/ns/pid')}"
    return None
