"""Messages and signals: who waits for one, who is started by one, and the delivery of what processes throw."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ...models import EventRow
from .. import jsontext
from ..errors import LimitExceeded, RiverstoneError
from ..instance.facilities import Facilities
from ..instance.flags import Flags
from ..river.turn import Turn
from ..steps import delivery
from .starts import Starts

logger = logging.getLogger("riverstone.engine")

SOON = 1_000
"""Milliseconds: a process that throws later than that after its start is no link of a runaway chain."""

Step = Callable[[Callable[[Turn], Any]], Any]


class MessageDelivery:
    """Brings messages to one receiver and signals to all; ``step`` has one action stepped and committed."""

    def __init__(self, facilities: Facilities, starts: Starts, step: Step) -> None:
        self.facilities = facilities
        self.starts = starts
        self.step = step

    def message(
        self,
        name: str,
        payload: Mapping[str, Any],
        *,
        business_key: str | None = None,
        process_instance_id: int | None = None,
        correlation: str | None = None,
        owner: str | None = None,
        pending: str | None = None,
        thrower: int | None = None,
        depth: int = 0,
    ) -> int | None:
        """Give it to whoever has waited longest, else start what it triggers; the instance, or None.

        Without an ``owner`` it is for everyone's. ``pending`` is the id of the thrown message that this delivers,
        settled in the same transaction.
        """
        for wait in self.facilities.store.waits_for("message", name):
            if process_instance_id not in (None, wait.process_instance_id):
                continue
            if wait.correlation not in (None, correlation):
                continue

            def give(turn: Turn, number: int = wait.process_instance_id, token: int = wait.token) -> bool:
                instance = turn.instance(number)
                if owner is not None and instance.row.owner_name != owner:
                    return False
                if business_key is not None and instance.row.business_key != business_key:
                    return False
                taken = delivery.deliver(instance, "message", name, payload, token_id=token)
                if taken:
                    _settle(turn, pending)
                return taken

            if self.step(give):
                return wait.process_instance_id
        if process_instance_id is not None:
            return None
        for _, deployment_id, node in self.facilities.store.catalogue.start_triggers("message", name)[:1]:
            return self._start(deployment_id, node, name, payload, business_key, pending, owner, thrower, depth)
        return None

    def signal(
        self,
        name: str,
        payload: Mapping[str, Any],
        *,
        owner: str | None = None,
        pending: str | None = None,
        thrower: int | None = None,
        depth: int = 0,
    ) -> list[int]:
        """Give it to every instance that waits, and start all that it triggers; the instances.

        The ``thrower`` is left out: an instance delivers its own signals to itself as it throws them.
        """
        store = self.facilities.store
        numbers = (wait.process_instance_id for wait in store.waits_for("signal", name))
        waiting = dict.fromkeys(number for number in numbers if number != thrower)
        reached: list[int] = []
        for number in waiting:

            def give(turn: Turn, number: int = number) -> bool:
                instance = turn.instance(number)
                if owner is not None and instance.row.owner_name != owner:
                    return False
                return delivery.deliver(instance, "signal", name, payload)

            if self.step(give):
                reached.append(number)
        for _, deployment_id, node in store.catalogue.start_triggers("signal", name):
            reached.append(self._start(deployment_id, node, name, payload, None, None, owner, thrower, depth))
        if pending is not None:
            self.step(lambda turn: _settle(turn, pending))
        return reached

    def _start(
        self,
        deployment_id: str,
        node: str,
        name: str,
        payload: Mapping[str, Any],
        business_key: str | None,
        pending: str | None,
        owner: str | None,
        thrower: int | None,
        depth: int,
    ) -> int:
        if thrower is not None:
            self.facilities.families.count(thrower)
        request = self.starts.triggered(deployment_id, node, name, payload, business_key, owner, depth, thrower)

        def begin(turn: Turn) -> int:
            _settle(turn, pending)
            return int(self.starts.begin(turn, request).process_instance_id)

        number: int = self.step(begin)
        return number

    def deliver(self, event: EventRow) -> None:
        """Deliver what a process has thrown; a message that nobody expects is dropped, with a warning."""
        number = event.process_instance_id
        thrower = None if number is None else self.facilities.store.instance(number)
        # What one owner's process throws is not for the processes of others.
        owner = None if thrower is None else thrower.owner_name
        depth = 1 if thrower is None or event.created - thrower.started > SOON else thrower.flags // Flags.THROWN + 1
        payload = jsontext.loads(event.payload, limits=self.facilities.limits) if event.payload else {}
        try:
            if event.kind == "signal":
                self.signal(event.name, payload, owner=owner, depth=depth, pending=event.id, thrower=number)
            elif self.message(event.name, payload, owner=owner, depth=depth, pending=event.id, thrower=number) is None:
                logger.warning("no process waits for a message that process %s has thrown", number)
                self.step(lambda turn: _settle(turn, event.id))
        except RiverstoneError as error:
            # Neither its name nor the error's words: both may hold a value.
            why = error.limit if isinstance(error, LimitExceeded) else error.code
            logger.warning("a %s that process %s has thrown could not be delivered: %s", event.kind, number, why)
            if isinstance(error, LimitExceeded) and error.limit in ("throw_depth", "throw_family"):
                self.step(lambda turn: _settle(turn, event.id))


def _settle(turn: Turn, pending: str | None) -> None:
    if pending is not None:
        turn.changes.gone_events.append(pending)
