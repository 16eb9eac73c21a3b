"""How much one model, one request, one process instance or one engine may ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from .errors import Invalid


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Sizes are in bytes, times in seconds; a breach is an error that names the field.

    Raises Invalid for a limit that is not a number above zero.
    """

    body_size: int = 1024 * 1024
    """Of one request."""
    json_depth: int = 64
    integer_digits: int = 100
    model_size: int = 2 * 1024 * 1024
    """Of all files of a model."""
    model_nodes: int = 2_000
    model_depth: int = 200
    """Elements inside of each other."""
    model_elements: int = 50_000
    """With everything that is inside of nodes, and their pictures."""
    model_attributes: int = 200
    """Of one element."""
    multi_instance: int = 10_000
    call_depth: int = 20
    throw_depth: int = 10
    """Of processes that start one another within a second, by the messages and signals that they throw."""
    steps_per_turn: int = 100_000
    """Without waiting for anything."""
    turn_work: int = 5_000_000
    """What is looked at without waiting for anything: the parts of expressions, the members of values that they go
    through, texts by 64 characters, and waiting tokens that a signal or a condition may concern."""
    step_work: int = 1_000_000
    """Of that, what one step of one token may look at, such as a decision: no other process goes on meanwhile."""
    throw_family: int = 20_000
    """Messages, signals and starts within an hour that can be traced back to one process by what it threw."""
    throws_per_turn: int = 2_000
    """Messages and signals, without waiting for anything."""
    steps_per_instance: int = 10_000_000
    tokens: int = 25_000
    """Of one process instance at the same time."""
    timer_interval: float = 0.01
    """The shortest time after which a repeated timer fires again."""
    expression_length: int = 16_384
    expression_tokens: int = 800
    model_expressions: int = 100_000
    """Characters of all expressions of one model together, what is written twice counted once."""
    output_size: int = 1024 * 1024
    """Of all outputs of one task."""
    instance_size: int = 32 * 1024 * 1024
    """Of all that one process instance holds: variables, parameters and outputs of its tasks, what its tokens keep."""
    history_size: int = 1024 * 1024
    """Of what is noted of one process instance beside its rows; what comes after that is left out, which it tells."""
    page_size: int = 8 * 1024 * 1024
    """Of what a part of a list holds: one that reaches it ends there, and its cursor tells where to go on."""
    instances_per_key: int = 100_000
    """Running at the same time."""
    batch_processes: int = 100_000
    """Process instances of one batch."""
    check_schedules: int = 100
    """Of one store, by which what exists is checked again and again."""
    check_interval: float = 60.0
    """Between two turns of one of them at least."""
    lost_locks: int = 10
    """How often the lock of a task that workers fetch over HTTP may run out without an answer before it has failed."""
    connections: int = 12
    """Of one engine to PostgreSQL or MariaDB at the same time; a SQLite file is opened by each thread."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            kinds = (int, float) if field.type == "float" else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < math.inf:
                what = "number" if field.type == "float" else "whole number"
                raise Invalid(f"The limit {field.name} is {value!r}: give a {what} above zero.", code="limit-invalid")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The limits with these in place of the defaults, read from texts too; raises Invalid naming the limit."""
        types = {field.name: field.type for field in fields(cls)}
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name not in types:
                raise Invalid(f"There is no limit {name!r}: use one of {', '.join(types)}.", code="limit-invalid")
            read[name] = _number(value, real=types[name] == "float") if isinstance(value, str) else value
        return cls(**read)


def _number(text: str, *, real: bool) -> Any:
    try:
        return float(text) if real else int(text)
    except ValueError:
        return text
