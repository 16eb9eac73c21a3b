"""Messages and signals: who waits for one, who is started by one, and the delivery of what processes throw."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal
from uuid import uuid4

from ...models import AlreadyUsed, EventRow, KeptMessageRow, ReceiverFilter
from ...models.vocabulary import ThrownKind, TriggerKind
from .. import jsontext
from ..errors import EngineClosed, LimitExceeded, RiverstoneError, StoreUnavailable
from ..instance.facilities import Facilities
from ..instance.flags import Flags
from ..observing import logs
from ..river.river import River
from ..river.standstill import Unstepped
from ..river.turn import Turn
from ..steps import delivery
from .request_keys import Reception, RequestKey, SentEvents
from .starts import Starts

logger = logging.getLogger("riverstone.engine")

LISTENERS = 10
"""How many get a signal in one step: others have their turns in between."""
SOON = 1_000
"""Milliseconds: a process that throws later than that after its start is no link of a runaway chain."""

Step = Callable[[Callable[[Turn], Any]], Any]
Part = tuple[RequestKey, int]
"""Which part of a signal that was sent under a key."""


class MessageDelivery:
    """Brings messages to one receiver and signals to all; ``step`` has one action stepped and committed."""

    def __init__(self, facilities: Facilities, starts: Starts, river: River, step: Step) -> None:
        self.facilities = facilities
        self.starts = starts
        self.step = step
        self._river = river
        self.sent = SentEvents(facilities)

    def message(
        self,
        name: str,
        payload: Mapping[str, Any],
        *,
        business_key: str | None = None,
        process_instance_id: int | None = None,
        correlation: str | None = None,
        owner: str | None = None,
        thrown: EventRow | None = None,
        depth: int = 0,
        ttl: float | None = None,
        request: RequestKey | None = None,
    ) -> Reception | None:
        """Give it to whoever has waited longest, else start what it triggers; None where nobody gets it.

        Where nobody waits it is kept for ``ttl`` seconds, in the transaction that makes sure of that.
        Without an ``owner`` it is for everyone's. ``thrown`` is the owed message that this delivers, settled in the
        same transaction even where nobody gets it. What came of a ``request`` before is told and not done again.
        """
        if request is not None and (before := self.sent.reception(request)) is not None:
            return before
        wanted = ReceiverFilter(name, correlation, owner, business_key, process_instance_id)
        self._read_ahead("message", name, thrown)

        def keep(turn: Turn) -> Reception | Literal[False]:
            if ttl is None:
                return False
            now = self.facilities.clock.now()
            until = now + round(ttl * 1000)
            text = jsontext.dumps(dict(payload)) if payload else None
            kept = (correlation, owner, business_key, process_instance_id, now, until)
            turn.changes.rare.new_kept.append(KeptMessageRow(str(uuid4()), name, text, *kept))
            turn.changes.rare.unheard.append(wanted)
            return Reception("kept", until=until)

        def give(turn: Turn) -> Reception | Literal[False]:
            if thrown is not None:
                if turn.alone and self.facilities.store.messages.reached(thrown.id) is None:
                    return False
                turn.changes.rare.gone_events.append(thrown.id)
            for number, token in self.facilities.store.messages.receivers(wanted):
                if delivery.deliver(turn.instance(number), "message", name, payload, token_id=token):
                    return Reception("awaited", number)
            # What others in this turn have begun is not in the store yet.
            for instance in list(turn.instances.values()):
                if wanted.admits(instance.row) and delivery.deliver(
                    instance, "message", name, payload, correlation=correlation
                ):
                    return Reception("awaited", instance.number)
            if process_instance_id is not None:
                return keep(turn)
            for trigger in self._triggers("message", name)[:1]:
                turn.changes.rare.unheard.append(wanted)
                number = self._start(turn, trigger, name, payload, business_key, owner, thrown, depth)
                return Reception("started", number)
            if thrown is not None:
                turn.changes.rare.unheard.append(wanted)
                logger.warning("no process waits for a message that process %s has thrown", thrown.process_instance_id)
            return keep(turn)

        if request is None:
            return self.step(give) or None

        def give_once(turn: Turn) -> Reception | Literal[False]:
            taken = give(turn)
            if taken:
                reached = [] if taken.process_instance_id is None else [taken.process_instance_id]
                turn.changes.rare.new_event_requests.append(
                    self.sent.row(request, taken.outcome, reached, after=taken.until)
                )
            return taken

        try:
            taken = self.step(give_once)
        except AlreadyUsed:
            if (first := self.sent.reception(request)) is None:
                raise
            return first
        # Who was waiting may have got it by the same request, at the same moment.
        return taken or self.sent.reception(request)

    def signal(
        self,
        name: str,
        payload: Mapping[str, Any],
        *,
        owner: str | None = None,
        thrown: EventRow | None = None,
        depth: int = 0,
        request: RequestKey | None = None,
    ) -> list[int]:
        """Give it to every instance that waits, and start all that it triggers; the instances.

        Whoever has thrown it is left out: an instance delivers its own signals to itself as it throws them. A
        ``thrown`` one notes in its row how far it has come, and a ``request`` in a part of its own for each step, so
        that whoever goes on gives it to nobody twice.
        """
        self._read_ahead("signal", name, thrown)
        reached: list[int] = []
        after, most = 0 if thrown is None else thrown.reached, LISTENERS
        give = partial(self._give, name=name, payload=payload, owner=owner, thrown=thrown, depth=depth)
        part: Part | None = None
        if request is not None:
            reached, begun, parts = self.sent.progress(request)
            if begun is None:
                return reached
            after, part = begun, (request, parts)
        while True:
            try:
                given = self.step(partial(give, after=after, most=most, part=part))
            except (StoreUnavailable, EngineClosed, LimitExceeded):
                raise
            except AlreadyUsed:
                # The same request at the same moment: what is left of it is done by both.
                if part is None or (progress := self.sent.progress(part[0])).parts <= part[1]:
                    raise
                if progress.after is None:
                    return progress.reached
                reached, after, part = progress.reached, progress.after, (part[0], progress.parts)
                continue
            except Exception as error:
                if most > 1:
                    # One of them cannot be reached, and the others are not to wait for it.
                    most = 1
                    continue
                passed = self.step(
                    partial(self._pass_by, name=name, owner=owner, after=after, thrown=thrown, part=part)
                )
                if passed is None:
                    raise
                logger.error("a signal cannot reach process %d: %s", passed, logs.where(error))
                if isinstance(error, Unstepped):
                    self._river.stand_still(error, self.step)
                given, most = ([], passed), LISTENERS
            if given is False:
                return reached
            reached += given[0]
            if given[1] is None:
                return reached
            after = given[1]
            part = part and (part[0], part[1] + 1)

    def _give(
        self,
        turn: Turn,
        name: str,
        payload: Mapping[str, Any],
        owner: str | None,
        thrown: EventRow | None,
        depth: int,
        after: int,
        most: int,
        part: Part | None,
    ) -> tuple[list[int], int | None] | Literal[False]:
        """Give a signal to the next that wait for it: those that took it, and the last of them, None at the end."""
        if thrown is not None and turn.alone and self.facilities.store.messages.reached(thrown.id) != after:
            # Another engine delivers it.
            return False
        numbers = self.facilities.store.messages.listeners(name, owner, after, most)
        found = [
            number
            for number in numbers
            if (thrown is None or number != thrown.process_instance_id)
            and delivery.deliver(turn.instance(number), "signal", name, payload)
        ]
        if numbers:
            if thrown is not None:
                turn.changes.rare.reached.append((numbers[-1], thrown.id, after))
            self._note(turn, part, found, numbers[-1])
            return found, numbers[-1]
        for trigger in self._triggers("signal", name):
            found.append(self._start(turn, trigger, name, payload, None, owner, thrown, depth))
        if thrown is not None:
            turn.changes.rare.gone_events.append(thrown.id)
        self._note(turn, part, found, None)
        return found, None

    def _note(self, turn: Turn, part: Part | None, reached: Sequence[int], after: int | None) -> None:
        if part is not None:
            row = self.sent.row(part[0], "signal", reached, part=part[1], after=after)
            turn.changes.rare.new_event_requests.append(row)

    def _triggers(self, kind: ThrownKind, name: str) -> list[tuple[TriggerKind, str, str, str]]:
        """What a message or a signal starts: kind, name, deployment and start node."""
        found = self.facilities.store.catalogue.start_triggers(kind, name)
        return [(kind, name, deployment_id, node) for _, deployment_id, node in found]

    def _read_ahead(self, kind: ThrownKind, name: str, thrown: EventRow | None) -> None:
        """Have in memory what may be started: reading a model takes longer than a step may.

        What is thrown is delivered where the steps run, and nothing else is to wait there while a model is read.
        """
        if thrown is not None and self.facilities.definitions.are_read_aside:
            return
        for _, _, deployment_id, _ in self._triggers(kind, name):
            self.facilities.definitions.get(deployment_id)

    def _start(
        self,
        turn: Turn,
        trigger: tuple[TriggerKind, str, str, str],
        name: str,
        payload: Mapping[str, Any],
        business_key: str | None,
        owner: str | None,
        thrown: EventRow | None,
        depth: int,
    ) -> int:
        thrower = None if thrown is None else thrown.process_instance_id
        if thrower is not None:
            self.facilities.families.count(thrower)
        _, _, deployment_id, node = trigger
        request = self.starts.triggered(deployment_id, node, name, payload, business_key, owner, depth, thrower)
        turn.changes.rare.triggered.append(trigger)
        return int(self.starts.begin(turn, request).process_instance_id)

    def _deliver_kept(self, kept: KeptMessageRow) -> bool:
        """Give a kept message to who waits for it by now; it stays where that is nobody any more."""
        wanted = ReceiverFilter(
            kept.name, kept.correlation, kept.owner_name, kept.business_key, kept.process_instance_id
        )
        payload = jsontext.loads(kept.payload, limits=self.facilities.limits) if kept.payload else {}

        def give(turn: Turn) -> bool:
            if turn.alone and not self.facilities.store.messages.is_kept(kept.id):
                return False
            for number, token in self.facilities.store.messages.receivers(wanted):
                if delivery.deliver(turn.instance(number), "message", kept.name, payload, token_id=token):
                    turn.changes.rare.gone_kept.append(kept.id)
                    return True
            return False

        self.step(give)
        return True

    def _pass_by(
        self, turn: Turn, name: str, owner: str | None, after: int, thrown: EventRow | None, part: Part | None
    ) -> int | None:
        """Leave out the next one that waits for a signal; None where there is none any more."""
        numbers = self.facilities.store.messages.listeners(name, owner, after, 1)
        if numbers and thrown is not None:
            turn.changes.rare.reached.append((numbers[0], thrown.id, after))
        if numbers:
            self._note(turn, part, (), numbers[0])
        return numbers[0] if numbers else None

    def deliver(self, event: EventRow | KeptMessageRow) -> bool:
        """Deliver what a process has thrown, or was kept; false where that cannot be done now.

        A thrown message that nobody expects is dropped, with a warning. Raises StoreError, StoreUnavailable.
        """
        if isinstance(event, KeptMessageRow):
            return self._deliver_kept(event)
        number = event.process_instance_id
        thrower = None if number is None else self.facilities.store.instance(number)
        # What one owner's process throws is not for the processes of others.
        owner = None if thrower is None else thrower.owner_name
        depth = 1 if thrower is None or event.created - thrower.started > SOON else thrower.flags // Flags.THROWN + 1
        payload = jsontext.loads(event.payload, limits=self.facilities.limits) if event.payload else {}
        try:
            if event.kind == "signal":
                self.signal(event.name, payload, owner=owner, depth=depth, thrown=event)
            else:
                self.message(event.name, payload, owner=owner, depth=depth, thrown=event)
        except (StoreUnavailable, Unstepped):
            raise
        except RiverstoneError as error:
            # Neither its name nor the error's words: both may hold a value.
            why = error.limit if isinstance(error, LimitExceeded) else error.code
            logger.warning("a %s that process %s has thrown could not be delivered: %s", event.kind, number, why)
            if not isinstance(error, LimitExceeded) or error.limit not in ("throw_depth", "throw_family"):
                return False
            self.step(partial(self._drop, event=event))
        return True

    def _drop(self, turn: Turn, event: EventRow) -> None:
        if not turn.alone or self.facilities.store.messages.reached(event.id) is not None:
            turn.changes.rare.gone_events.append(event.id)
