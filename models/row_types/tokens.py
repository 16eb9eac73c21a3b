"""The rows of tokens, and of what they wait for."""

from __future__ import annotations

from dataclasses import dataclass

from ..vocabulary import WaitKind


@dataclass(slots=True)
class TokenRow:
    """One saved token that does not live in a task's row."""

    process_instance_id: int
    id: int
    scope: int | None
    node: str
    state: int
    flow: str | None
    internal: str | None
    locals: str | None
    causes: str | None


@dataclass(slots=True)
class WaitRow:
    """One thing that a token waits for from outside; ``owner`` is the engine that sees to ``due``."""

    process_instance_id: int
    token: int
    number: int
    kind: WaitKind
    name: str | None
    correlation: str | None
    due: int | None
    owner: str | None = None
