"""What an instance was started with."""

from __future__ import annotations

from typing import Final


class Flags:
    """The bits of an instance's row; plain integers, since every step asks for them."""

    DEBUG: Final = 1
    MOCK: Final = 2
    NO_ROLLBACK: Final = 4
    PROTECTED: Final = 8
    DRAIN_ALL: Final = 16
    DECISIONS: Final = 32
    """Set once a decision that it made is kept."""
    PAUSES: Final = 64
    """What fails for good waits for somebody, in place of a rollback."""
    SECRETS: Final = 128
    """Set once a task with secret parameters or outputs was made."""
    THROWN: Final = 256
    """The bits from here on count how many processes in a row have started one another by what they throw."""
