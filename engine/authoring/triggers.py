"""What starts processes of a deployment from outside: messages, signals, and the timers of start events.

They are kept with the newest deployment of a key as kind, name, and the id of the node where the process begins. A
timer's name is a text that sorts by time: when it is due, which of the event's definitions it is, and how often it
comes after that (-1: for ever).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from ...models.catalogue import Trigger
from ..bpmn.running.cycles import read_cycle, read_timer
from ..bpmn.running.event_definitions import EventDefinition
from ..bpmn.running.node import Process
from ..errors import ExpressionError
from ..language.context import Context
from ..limits import Limits

TIMER: Final = "timer"
OVER = "over"
"""In place of a time, for a timer that comes no more; it sorts behind all times."""


MOST_TIMES = 3
"""How many times of a schedule are shown."""


class TimerTrigger(NamedTuple):
    """The next time of one timer, as its name tells it."""

    due: int
    number: int
    left: int
    start: int = -1
    """From when its turns are counted, -1 where it does not repeat."""
    turn: int = 0
    """The number of this turn."""

    @classmethod
    def read(cls, name: str) -> TimerTrigger:
        """The trigger that a name tells."""
        return cls(*(int(part) for part in name.split(":")))

    @property
    def name(self) -> str:
        """The text that sorts by time."""
        repeats = f":{self.start}:{self.turn}" if self.start >= 0 else ""
        return f"{max(self.due, 0):015d}:{self.number}:{self.left}{repeats}"

    def following(self, process: Process, node: str, now: int, limits: Limits) -> str:
        """The name of the time after this one."""
        if not self.left:
            return OVER
        event = next(events[self.number] for start, events in process.starting if start.name == node)
        cycle, _ = read_cycle(*_told(event, now, limits), sunday=event.sunday, until=_until(event))
        following = cycle._replace(left=self.left, start=self.start, turn=self.turn).following(self.due, now)
        if following is None:
            return OVER
        due, cycle = following
        return TimerTrigger(due, self.number, cycle.left, cycle.start, cycle.turn).name


def next_times(process: Process, timers: Iterable[tuple[str, str]], now: int, limits: Limits) -> list[int]:
    """The next three times at which timers, told as node and name, start the process."""
    found: list[int] = []
    for node, name in timers:
        for _ in range(MOST_TIMES):
            if name == OVER:
                break
            trigger = TimerTrigger.read(name)
            found.append(trigger.due)
            name = trigger.following(process, node, max(now, trigger.due), limits)
    return sorted(found)[:MOST_TIMES]


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
                assert definition.timer is not None
                told, until = _told(definition, now, limits), _until(definition)
                try:
                    timer = read_timer(definition.timer, *told, sunday=definition.sunday, until=until)
                except ExpressionError:
                    continue  # refused when it was checked; what was deployed before that was, stays as it is
                if timer.due is None or (definition.timer == "date" and timer.due <= now):
                    continue
                again = () if timer.cycle is None else (timer.cycle.left, timer.cycle.start, timer.cycle.turn)
                found.append((TIMER, TimerTrigger(timer.due, number, *(again or (0,))).name, node.name))
    return found


def _told(definition: EventDefinition, now: int, limits: Limits) -> tuple[Any, int, int]:
    assert definition.expression is not None
    return definition.expression.evaluate(Context()), now, round(limits.timer_interval * 1000)


def _until(definition: EventDefinition) -> Any:
    return None if definition.until is None else definition.until.evaluate(Context())
