"""New UUIDs, of randomness that is asked for in advance: asking takes a system call, and the turn of other threads."""

from __future__ import annotations

import os

AT_ONCE = 64
SIZE = 16
VARIANTS = "89ab"

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
    return [_text(random[at : at + SIZE].hex()) for at in range(0, len(random), SIZE)]


def _text(digits: str) -> str:
    """A UUID of version 4 and the usual variant (RFC 9562, 5.4), of 32 hexadecimal digits."""
    variant = VARIANTS[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


if hasattr(os, "register_at_fork"):
    # Otherwise parent and child would both give away what was made before.
    os.register_at_fork(after_in_child=_made.clear)
