"""What starts processes of a deployment from outside: messages, signals, and the timers of start events.

They are kept with the newest deployment of a key as kind, name, and the id of the node where the process begins. A
timer's name is a text that sorts by time: when it is due, which of the event's definitions it is, and how often it
comes after that (-1: for ever).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ...models.catalogue import Trigger
from ..bpmn.running import timers
from ..bpmn.running.event_definitions import EventDefinition
from ..bpmn.running.node import Process
from ..errors import ExpressionError
from ..language.context import Context
from ..limits import Limits

TIMER: Final = "timer"
OVER = "over"
"""In place of a time, for a timer that comes no more; it sorts behind all times."""


class TimerTrigger(NamedTuple):
    """The next time of one timer, as its name tells it."""

    due: int
    number: int
    left: int

    @classmethod
    def read(cls, name: str) -> TimerTrigger:
        """The trigger that a name tells."""
        due, number, left = (int(part) for part in name.split(":"))
        return cls(due, number, left)

    @property
    def name(self) -> str:
        """The text that sorts by time."""
        return f"{max(self.due, 0):015d}:{self.number}:{self.left}"

    def following(self, process: Process, node: str, now: int, limits: Limits) -> str:
        """The name of the time after this one."""
        if not self.left:
            return OVER
        event = next(events[self.number] for start, events in process.starting if start.name == node)
        _, _, interval = _times(event, now, limits)
        left = self.left - 1 if self.left > 0 else -1
        return TimerTrigger(timers.next_due(interval, self.due, now), self.number, left).name


def due_before(now: int) -> str:
    """A name behind those of all timers that are due."""
    return TimerTrigger(now + 1, 0, 0).name


def triggers_of(process: Process, now: int, limits: Limits) -> list[Trigger]:
    """What starts this process from now on; a date that is over starts nothing."""
    found: list[Trigger] = []
    for node, definitions in process.starting:
        for number, definition in enumerate(definitions):
            if definition.kind in ("message", "signal") and definition.expression is None:
                found.append((definition.kind, definition.name or "", node.name))
            elif definition.kind == "timer":
                try:
                    due, left, _ = _times(definition, now, limits)
                except ExpressionError:
                    continue  # refused when it was checked; what was deployed before that was, stays as it is
                if definition.timer != "date" or due > now:
                    found.append((TIMER, TimerTrigger(due, number, left).name, node.name))
    return found


def _times(definition: EventDefinition, now: int, limits: Limits) -> tuple[int, int, str]:
    assert definition.expression is not None
    assert definition.timer is not None
    value = definition.expression.evaluate(Context())
    return timers.first_due(definition.timer, value, now, round(limits.timer_interval * 1000))
