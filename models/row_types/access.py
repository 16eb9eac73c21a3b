"""The rows of keys, secrets and the audit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TokenSecretRow:
    """A secret of the tokens of tasks whose ids are not less than ``since``, up to that of the next one."""

    number: int
    value: str
    """32 random bytes, in hexadecimal digits."""
    since: int
    made: int


@dataclass(slots=True)
class KeyRow:
    """One access key; only the digest of its secret is kept."""

    id: str
    name: str
    digest: str
    scopes: str
    """The scopes' names, separated by blanks."""
    owner_name: str | None
    """Whose process instances it starts and sees; None sees all and starts some that are nobody's."""
    created: int
    revoked: int | None = None
    topics: str | None = None
    """Of one with the scope ``work``: the patterns of what it may fetch, separated by blanks."""
    user_name: str | None = None
    """The person who has it."""
    user_groups: str | None = None
    """The groups of that person: a JSON array of their names."""


@dataclass(slots=True)
class SessionRow:
    """One session of somebody who has signed in; only the digest of its secret is kept."""

    id: str
    digest: str
    user_name: str
    user_groups: str
    """A JSON array of their names."""
    scopes: str
    """The scopes' names, separated by blanks."""
    owner_name: str
    created: int
    used: int
    """When somebody has last used it, to the minute."""


@dataclass(slots=True)
class AuditRow:
    """One changing call."""

    created: int
    request_id: str
    client: str
    """Who."""
    address: str
    """From where."""
    action: str
    """What: the operation's name."""
    target: str | None
    """Of what: the id of a process instance, task, model or key, where there is one."""
    outcome: str
    """``done``, or the code of the error that refused it."""
    person: str | None = None
    """Which person, where the client told."""
