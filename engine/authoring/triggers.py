"""What starts processes of a deployment from outside: messages, signals, and the timers of start events.

They are kept with the newest deployment of a key as kind, name, and the id of the node where the process begins. A
timer's name is a text that sorts by time: when it is due, which of the event's definitions it is, and how often it
comes after that (-1: for ever). One that comes so long after something, and not by the calendar, is due by the
database's time, which nobody sets: its name begins with a letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from ...models.catalogue import Trigger
from ..bpmn.running.event_definitions import EventDefinition
from ..bpmn.running.node import Process
from ..bpmn.running.timers.cycles import Timer, TimerKind, read_cycle, read_timer
from ..errors import ExpressionError
from ..language.context import Context
from ..limits import Limits

TIMER: Final = "timer"
OVER = "over"
"""In place of a time, for a timer that comes no more; it sorts behind all times."""


STEADY = "d"
"""What begins the names of timers that are due by the database's time; it sorts behind all others and before OVER."""
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
    is_steady: bool = False
    """Whether it is due by the database's time."""

    @classmethod
    def read(cls, name: str) -> TimerTrigger:
        """The trigger that a name tells."""
        due, number, left, *repeats = (int(part) for part in name.removeprefix(STEADY).split(":"))
        start, turn = repeats or (-1, 0)
        return cls(due, number, left, start, turn, name.startswith(STEADY))

    @property
    def name(self) -> str:
        """The text that sorts by time."""
        repeats = f":{self.start}:{self.turn}" if self.start >= 0 else ""
        steady = STEADY if self.is_steady else ""
        return f"{steady}{max(self.due, 0):015d}:{self.number}:{self.left}{repeats}"

    def following(self, process: Process, node: str, times: Times, limits: Limits) -> str:
        """The name of the time after this one."""
        if not self.left:
            return OVER
        now = times.of(steady=self.is_steady)
        event = next(events[self.number] for start, events in process.starting if start.name == node)
        cycle, by_calendar = read_cycle(*_told(event, now, limits), sunday=event.sunday, until=_until(event))
        following = cycle._replace(left=self.left, start=self.start, turn=self.turn).following(self.due, now)
        if following is None:
            return OVER
        due, cycle = following
        return TimerTrigger(due, self.number, cycle.left, cycle.start, cycle.turn, not by_calendar).name


class Times(NamedTuple):
    """What time it is, in milliseconds since 1970."""

    now: int
    """By the engine's clock."""
    steady: int
    """By the database's."""

    def of(self, *, steady: bool) -> int:
        """The one that counts."""
        return self.steady if steady else self.now

    def due(self) -> Iterator[tuple[str, str]]:
        """Between which names those of all timers are that are due: the first, and one behind the last."""
        yield "", TimerTrigger(self.now + 1, 0, 0).name
        yield STEADY, TimerTrigger(self.steady + 1, 0, 0, is_steady=True).name


def next_times(process: Process, timers: Iterable[tuple[str, str]], times: Times, limits: Limits) -> list[int]:
    """The next three times at which timers, told as node and name, start the process; by the engine's clock."""
    found: list[int] = []
    for node, name in timers:
        for _ in range(MOST_TIMES):
            if name == OVER:
                break
            trigger = TimerTrigger.read(name)
            found.append(trigger.due + times.now - times.of(steady=trigger.is_steady))
            then = max(times.of(steady=trigger.is_steady), trigger.due)
            name = trigger.following(process, node, Times(then, then), limits)
    return sorted(found)[:MOST_TIMES]


def times_of(kind: TimerKind, text: str, now: int, limits: Limits) -> list[int]:
    """The next three times of a timer that is set now; raises ExpressionError for what is no time."""
    timer = read_timer(kind, text, now, round(limits.timer_interval * 1000))
    found: list[int] = []
    due, cycle = timer.due, timer.cycle
    while due is not None and len(found) < MOST_TIMES:
        found.append(due)
        following = None if cycle is None else cycle.following(due, due)
        due, cycle = (None, None) if following is None else following
    return found


def triggers_of(process: Process, times: Times, limits: Limits) -> list[Trigger]:
    """What starts this process from now on; a date that is over starts nothing."""
    found: list[Trigger] = []
    for node, definitions in process.starting:
        for number, definition in enumerate(definitions):
            if definition.kind in ("message", "signal") and definition.expression is None:
                found.append((definition.kind, definition.name or "", node.name))
            elif definition.kind == "timer":
                assert definition.timer is not None
                try:
                    timer = _set(definition, times, limits)
                except ExpressionError:
                    continue  # refused when it was checked; what was deployed before that was, stays as it is
                if timer.due is None or (definition.timer == "date" and timer.due <= times.now):
                    continue
                left, start, turn = (0, -1, 0) if timer.cycle is None else timer.cycle[:1] + timer.cycle[2:4]
                trigger = TimerTrigger(timer.due, number, left, start, turn, not timer.by_calendar)
                found.append((TIMER, trigger.name, node.name))
    return found


def _set(definition: EventDefinition, times: Times, limits: Limits) -> Timer:
    assert definition.timer is not None
    until = _until(definition)
    timer = read_timer(definition.timer, *_told(definition, times.now, limits), sunday=definition.sunday, until=until)
    if not timer.by_calendar:
        told = _told(definition, times.steady, limits)
        timer = read_timer(definition.timer, *told, sunday=definition.sunday, until=until)
    return timer


def _told(definition: EventDefinition, now: int, limits: Limits) -> tuple[Any, int, int]:
    assert definition.expression is not None
    return definition.expression.evaluate(Context()), now, round(limits.timer_interval * 1000)


def _until(definition: EventDefinition) -> Any:
    return None if definition.until is None else definition.until.evaluate(Context())
