"""How much one model, one request or one process instance may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Sizes are in bytes, times in seconds; a breach is an error that names the field."""

    body_size: int = 1024 * 1024
    json_depth: int = 64
    integer_digits: int = 100
    model_size: int = 2 * 1024 * 1024
    model_nodes: int = 2_000
    model_depth: int = 200
    multi_instance: int = 10_000
    call_depth: int = 20
    steps_per_turn: int = 100_000
    steps_per_instance: int = 10_000_000
    timer_interval: float = 0.01
    expression_length: int = 4096
    expression_tokens: int = 400
    output_size: int = 1024 * 1024
    instances_per_key: int = 100_000
