"""The errors of the ways in, beside those of the engine.

RiverstoneError
├── Refused              the client is not let in, or may not do this (401, 403)
└── ServerUnavailable    a client's server does not answer, or not as a riverstone server does
"""

from __future__ import annotations

from ..engine.errors import RiverstoneError


class Refused(RiverstoneError):
    """The client is not let in: it is not known, or may not do this."""

    code = "refused"

    def __init__(self, message: str, *, status: int, code: str, challenge: str | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.challenge = challenge


class ServerUnavailable(RiverstoneError):
    """The server does not answer, or with something that no riverstone server says; whether it did anything is open."""

    code = "server-unavailable"
