"""Idempotency keys: by which a request that is sent again is known, and what came of messages and signals so sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...models import EventRequestRow, EventRequests, digests
from ...models.vocabulary import EventOutcome, MessageOutcome
from .. import jsontext
from ..clock import moment
from ..errors import Conflict, Invalid
from ..instance.facilities import Facilities

LONGEST_KEY = 255


class RequestKey(NamedTuple):
    """A key, and the digests that tell what it is used for: that which is stored now, then those of before."""

    key: str
    digests: tuple[str, ...]


class Reception(NamedTuple):
    """What came of a message, and which process has got it; none where it is kept, until a time."""

    outcome: MessageOutcome
    process_instance_id: int | None = None
    until: int | None = None


class SignalProgress(NamedTuple):
    """How far a signal has come: who has got it, the last that was asked (None at its end), and the parts noted."""

    reached: list[int]
    after: int | None
    parts: int


def request_key(facilities: Facilities, key: str | None, owner: str | None, about: Sequence[Any]) -> RequestKey | None:
    """The key as it is kept, for a request that is ``about`` this; None without one. Raises Invalid."""
    if key is None:
        return None
    refuse_length("idempotencyKey", key)
    jsontext.check(key, limits=facilities.limits, name="idempotencyKey")
    return RequestKey(_of_owner(key, owner), digests(jsontext.dumps(about), facilities.store.cipher))


def refuse_length(what: str, key: str) -> None:
    """Raise Invalid for a key, called ``what``, that is empty or too long."""
    if not 0 < len(key) <= LONGEST_KEY:
        text = f"Must be a text of 1 to {LONGEST_KEY} characters."
        raise Invalid(f"The {what} is empty or too long.", errors={what: [text]})


def _of_owner(key: str, owner: str | None) -> str:
    """The key as it is stored: owners who by chance use the same text do not meet."""
    return key if owner is None else "owned-" + hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()


class SentEvents:
    """What came of messages and signals that clients have sent under a key."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self.requests = EventRequests(facilities.store)

    def reception(self, request: RequestKey) -> Reception | None:
        """What came of a message; None while nothing is known.

        Raises Conflict if the key was for something else, or the time is over for which its message was kept.
        """
        found = self._parts(request)
        if not found or found[0].outcome == "signal":
            return None
        until = found[0].after
        if until is not None and self.facilities.clock.now() >= until:
            end = moment(until).isoformat(timespec="seconds")
            text = (
                f"The message was kept under this idempotency key until {end}, and"
                " whether a process took it by then is not known any more: if none did, send it under a new key."
            )
            raise Conflict(text, code="message-expired")
        reached: list[int] = jsontext.loads(found[0].reached, limits=self.facilities.limits)
        return Reception(found[0].outcome, reached[0] if reached else None)

    def progress(self, request: RequestKey) -> SignalProgress:
        """How far a signal has come; raises Conflict if the key was for something else."""
        found = self._parts(request)
        limits = self.facilities.limits
        reached = [number for part in found for number in jsontext.loads(part.reached, limits=limits)]
        return SignalProgress(reached, found[-1].after if found else 0, len(found))

    def _parts(self, request: RequestKey) -> list[EventRequestRow]:
        found = self.requests.of(request.key)
        if found and found[0].digest not in request.digests:
            text = "The idempotency key was used for another message or signal: use a new one."
            raise Conflict(text, code="idempotency-conflict")
        return found

    def row(
        self,
        request: RequestKey,
        outcome: EventOutcome,
        reached: Sequence[int],
        *,
        part: int = 0,
        after: int | None = None,
    ) -> EventRequestRow:
        """What is noted in the transaction that decides."""
        text, now = jsontext.dumps(list(reached)), self.facilities.clock.now()
        return EventRequestRow(request.key, part, request.digests[0], outcome, text, after, now)
