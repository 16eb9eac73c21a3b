"""Timers that start processes: when each is due is kept with its deployment, and whoever is first starts one.

A start event's timer is kept among the triggers of the newest deployment of its key, as text that sorts by time:
when it is due, which of the event's definitions it is, and how often it comes after that (-1: for ever).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ...models import StoreError
from ..bpmn.running import timers
from ..bpmn.running.event_definitions import EventDefinition
from ..bpmn.running.node import Process
from ..errors import ExpressionError, RiverstoneError
from ..instance.facilities import Facilities
from ..language.context import Context
from ..limits import Limits
from .river import River
from .turn import Turn

if TYPE_CHECKING:
    from .starts import Starts

logger = logging.getLogger("riverstone.engine")

KIND = "timer"
OVER = "over"
"""In place of a time, for a timer that comes no more; it sorts behind all times."""
MOST_AT_ONCE = 100


def schedule(process: Process, now: int, limits: Limits) -> list[tuple[str, str, str]]:
    """The triggers of a process whose start events have timers, set now; a date that is over starts nothing."""
    found: list[tuple[str, str, str]] = []
    for node, definitions in process.starting:
        for number, definition in enumerate(definitions):
            if definition.kind != "timer":
                continue
            try:
                due, left, _ = _times(definition, now, limits)
            except ExpressionError:
                continue  # refused when it was checked; what was deployed before that was, stays as it is
            if definition.timer != "date" or due > now:
                found.append((KIND, _text(due, number, left), node.name))
    return found


def _times(definition: EventDefinition, now: int, limits: Limits) -> tuple[int, int, str]:
    assert definition.expression is not None
    assert definition.timer is not None
    value = definition.expression.evaluate(Context())
    return timers.first_due(definition.timer, value, now, round(limits.timer_interval * 1000))


def _text(due: int, number: int, left: int) -> str:
    return f"{max(due, 0):015d}:{number}:{left}"


class StartTimers:
    """Starts processes whose time has come."""

    def __init__(self, facilities: Facilities, river: River, starts: Starts) -> None:
        self.facilities = facilities
        self.river = river
        self.starts = starts

    def fire(self, now: int) -> bool:
        """Start what is due, each by one engine only; whether there was anything."""
        moved = False
        due = self.facilities.store.catalogue.due_start_timers(_text(now + 1, 0, 0), MOST_AT_ONCE)
        for key, deployment_id, node, text in due:
            try:
                self._start(deployment_id, node, text, now)
                moved = True
            except (RiverstoneError, StoreError) as error:
                # Too many run, or another engine was faster: if it is still due, the next look tries again.
                logger.warning("the timer of %r did not start %r: %s", node, key, error)
        return moved

    def _start(self, deployment_id: str, node: str, text: str, now: int) -> None:
        due, number, left = (int(part) for part in text.split(":"))
        definition = self.facilities.definitions.get(deployment_id)
        event = next(events[number] for start, events in definition.process.starting if start.name == node)
        following = OVER
        if left:
            _, _, interval = _times(event, now, self.facilities.limits)
            following = _text(timers.next_due(interval, due, now), number, left - 1 if left > 0 else -1)
        request = self.starts.triggered(deployment_id, node, definition.name, {}, None, None, 0)

        def begin(turn: Turn) -> None:
            turn.changes.moved_timers.append((following, KIND, deployment_id, node, text))
            self.starts.begin(turn, request)

        self.river.now(begin)
