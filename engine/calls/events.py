"""The engine's calls that reach processes from outside: messages, which one gets, and signals for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, overload

from ...models import AlreadyUsed
from .. import jsontext
from ..errors import Conflict, Invalid, StoreUnavailable, UnknownProcessInstance
from ..store_errors import engine_errors
from ..triggers.request_keys import request_key
from ..views.processes import MessageReceipt, ProcessInstance
from .starts import StartCalls
from .workings import number_of

LONGEST_TTL = 366 * 86_400
"""Seconds that a message for which nobody waits can be kept."""


class EventCalls(StartCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    @overload
    def message(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
        owner: str | None = None,
        ttl: None = None,
        idempotency_key: str | None = None,
    ) -> ProcessInstance: ...

    @overload
    def message(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
        owner: str | None = None,
        ttl: float,
        idempotency_key: str | None = None,
    ) -> ProcessInstance | None: ...

    def message(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
        owner: str | None = None,
        ttl: float | None = None,
        idempotency_key: str | None = None,
    ) -> ProcessInstance | None:
        """Give a message to the one process that has waited longest for it, or start one that it triggers.

        ``business_key``, ``process_instance_id``, ``correlation`` and ``owner`` narrow down who may get it: who waits
        for a correlation gets only what is sent with it. With a ``ttl`` (seconds) a message for which nobody waits
        yet is kept so long, for whoever waits for it first; the answer is None then. With an ``idempotency_key`` the
        same message sent again within a day is not given twice: the answer is the same process, as it is by then.
        Raises Conflict if nobody can take it (code ``message-not-expected``), the key was used for something else
        (code ``idempotency-conflict``), the process that got it is purged (code ``message-receiver-purged``), or the
        time is over for which it was kept (code ``message-expired``); Invalid for what cannot be stored.
        """
        taken = self.correlate(
            name,
            payload,
            business_key=business_key,
            process_instance_id=process_instance_id,
            correlation=correlation,
            owner=owner,
            ttl=ttl,
            idempotency_key=idempotency_key,
        )
        if taken.process_instance_id is None:
            return None
        try:
            return self.get(taken.process_instance_id)
        except UnknownProcessInstance as error:
            number = taken.process_instance_id
            text = f"The message {name!r} was given to the process {number} before, which has been purged since."
            raise Conflict(text, code="message-receiver-purged") from error

    def correlate(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
        owner: str | None = None,
        ttl: float | None = None,
        idempotency_key: str | None = None,
    ) -> MessageReceipt:
        """As :meth:`message`; tells whether a process waited for it or was started, and leaves its record out."""
        values = jsontext.values_of(payload, limits=self.limits, name="payload")
        jsontext.check_texts(name=name, business_key=business_key, correlation=correlation, owner=owner)
        long = [field for field, text in (("name", name), ("business_key", business_key)) if len(text or "") > 255]
        if ttl is not None and long:
            raise Invalid("What is kept has at most 255 characters.", errors={key: ["Is too long."] for key in long})
        wanted = None if process_instance_id is None else number_of(process_instance_id, UnknownProcessInstance)
        if ttl is not None and not 0 < ttl <= LONGEST_TTL:
            text = f"A message can be kept for more than 0 and at most {LONGEST_TTL} seconds."
            raise Invalid(text, code="ttl", errors={"ttl": [text]})
        about = ["message", name, values, business_key, wanted, correlation, ttl]
        request = request_key(self._facilities, idempotency_key, owner, about)
        with _sent_errors():
            taken = self._messages.message(
                name,
                values,
                business_key=business_key,
                process_instance_id=wanted,
                correlation=correlation,
                owner=owner,
                ttl=ttl,
                request=request,
            )
        if taken is None:
            given = (("correlation", correlation), ("business key", business_key), ("id", process_instance_id))
            told = "".join(f", with the {what} {value!r}" for what, value in given if value is not None)
            raise Conflict(f"No process waits for the message {name!r}{told}.", code="message-not-expected")
        number = taken.process_instance_id
        return MessageReceipt(outcome=taken.outcome, process_instance_id=None if number is None else str(number))

    def signal(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        owner: str | None = None,
        idempotency_key: str | None = None,
    ) -> list[str]:
        """Give a signal to every process (of the ``owner``) that waits for it, and start those that it triggers.

        With an ``idempotency_key`` the same signal sent again within a day reaches nobody twice: if its first sending
        was cut short it goes on where that ended. Returns the ids of all of them. Raises Conflict (code
        ``idempotency-conflict``) if the key was used for something else, Invalid for what cannot be stored.
        """
        values = jsontext.values_of(payload, limits=self.limits, name="payload")
        jsontext.check_texts(name=name, owner=owner)
        request = request_key(self._facilities, idempotency_key, owner, ["signal", name, values])
        with _sent_errors():
            found = self._messages.signal(name, values, owner=owner, request=request)
        return [str(number) for number in found]


@contextmanager
def _sent_errors() -> Iterator[None]:
    try:
        with engine_errors():
            yield
    except AlreadyUsed as error:
        # The same request is at work at this moment, and what comes of it cannot be told yet.
        raise StoreUnavailable("The same idempotency key is being used at this moment: try again.") from error
