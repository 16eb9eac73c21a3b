"""What an event waits for or sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from ...language.expressions import Expression, Value
    from .timers.cycles import TimerKind

EventKind = Literal[
    "message",
    "signal",
    "timer",
    "condition",
    "error",
    "escalation",
    "link",
    "terminate",
    "cancel",
    "compensate",
]

AWAITED: Final = frozenset({"message", "signal", "timer", "condition"})
"""The kinds that a token waits for; errors and their like find their catcher without one."""


class EventDefinition(NamedTuple):
    """One trigger or result of an event; ``name`` is the message, signal, link name or the error or escalation code."""

    kind: EventKind
    name: str | None = None
    expression: Expression | None = None
    timer: TimerKind | None = None
    sunday: int = 1
    """Of a timer: the number of Sunday in the modeler's cron."""
    until: Expression | None = None
    """Of a cycle: when it ends, where that is said beside it."""
    correlation: Expression | None = None
    activity: str | None = None
    """For a compensation: the one activity to compensate."""
    wait_for_completion: bool = True
    payload: Mapping[str, Value] = {}
    """For a thrown message or signal: what it brings, by name."""
    all_variables: bool = False
    """Whether it brings every variable that its thrower sees."""
    message: Value | None = None
    """For a thrown error: its text, where the model gives one."""
    variables: Mapping[str, str] = {}
    """For a caught error or escalation: further variables that get its ``errorCode`` and the like."""


def named(definitions: Sequence[EventDefinition], payload: Mapping[str, Any]) -> dict[str, Any]:
    """What an event brings, also under the names that the model gives it."""
    found = dict(payload)
    for definition in definitions:
        found.update((name, payload[key]) for name, key in definition.variables.items() if key in payload)
    return found


def matches(definition: EventDefinition, kind: str, code: str) -> bool:
    """Whether an event catches this error or escalation; one without a code catches all."""
    return definition.kind == kind and definition.name in (None, code)
