"""The rows of messages and signals that nobody has got yet."""

from __future__ import annotations

from dataclasses import dataclass

from ..vocabulary import EventOutcome, ThrownKind


@dataclass(slots=True)
class EventRow:
    """One message or signal that is owed, and the process that has thrown it.

    ``owner`` is the engine that delivers it; ``reached`` is the last process that has got it, of a signal.
    """

    id: str
    kind: ThrownKind
    name: str
    payload: str | None
    process_instance_id: int | None
    created: int
    owner: str | None = None
    reached: int = 0


@dataclass(slots=True)
class KeptMessageRow:
    """One message for which nobody has waited yet, and who may get it until it ``expires``; None for any."""

    id: str
    name: str
    payload: str | None
    correlation: str | None
    owner_name: str | None
    business_key: str | None
    process_instance_id: int | None
    created: int
    expires: int


@dataclass(slots=True)
class EventRequestRow:
    """What came of a message or a signal that a client has sent under a key, for whoever sends it again.

    A signal has a part for each step that has given it to some: ``reached`` are their ids, as JSON, and ``after`` the
    last of them, None in the last part.
    """

    idempotency_key: str
    part: int
    digest: str
    outcome: EventOutcome
    reached: str
    after: int | None
    created: int
