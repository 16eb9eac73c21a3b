"""New UUIDs, of randomness that is asked for in advance: asking takes a system call, and the turn of other threads."""

from __future__ import annotations

import os
from uuid import UUID

AT_ONCE = 64
SIZE = 16

_made: list[str] = []


def new_uuid() -> str:
    """A random UUID as text, as ``str(uuid4())`` is one; from any thread."""
    try:
        return _made.pop()
    except IndexError:
        made = _make()
        _made.extend(made[1:])
        return made[0]


def _make() -> list[str]:
    random = os.urandom(AT_ONCE * SIZE)
    return [str(UUID(bytes=random[at : at + SIZE], version=4)) for at in range(0, len(random), SIZE)]


if hasattr(os, "register_at_fork"):
    # Otherwise parent and child would both give away what was made before.
    os.register_at_fork(after_in_child=_made.clear)
