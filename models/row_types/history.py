"""The rows of what happened in a process, and of what it has decided."""

from __future__ import annotations

from dataclasses import dataclass

from ..vocabulary import RetraceKind


@dataclass(slots=True)
class RetraceRow:
    """One note of the way of a process's tokens, the ``number``-th; ``causes`` and ``data`` are JSON.

    Where many notes in a row have the same many causes, all but the first are stored with its number in their place.
    ``data`` is None where it would be too long.
    """

    process_instance_id: int
    number: int
    kind: RetraceKind
    token: int
    name: str | None
    causes: str
    data: str | None


@dataclass(slots=True)
class DecisionMadeRow:
    """One decision that a process has made; ``result`` is JSON, as long as ``size`` says."""

    id: int
    process_instance_id: int
    node: str
    decision_id: str
    decision_name: str
    deployment_id: str
    """The deployment that holds the decision."""
    version: int
    made: int
    size: int
    result: str
    name: str | None = None
    path: str | None = None
    """The calls and runs that its task is inside of, as JSON."""


@dataclass(slots=True)
class HistoryRow:
    """What one step has noted of a process: a JSON list of entries. ``number`` grows from row to row."""

    process_instance_id: int
    number: int
    entries: str


@dataclass(slots=True)
class NewHistoryRow:
    """The same while the step goes on: its entries one by one, since there may be many."""

    process_instance_id: int
    number: int
    parts: list[str]

    @property
    def entries(self) -> str:
        """All of them, as they are stored."""
        return f"[{','.join(self.parts)}]"
