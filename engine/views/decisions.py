"""What is shown of decisions, and of those that processes have made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedRules:
    """Which rules of one decision table fitted."""

    decision_id: str
    name: str
    rules: tuple[int, ...]
    """Their numbers, from 1, in the order of the outputs."""
    outputs: tuple[Mapping[str, Any], ...]
    """What counts of them: a row for each rule, or one row with the aggregated or default values."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What the columns asked about, by their labels, else by their expressions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionResult:
    """What came of a decision."""

    decision_id: str
    name: str
    deployment_id: str
    version: int
    value: Any
    """As FEEL has it: null, a single value, a context by output names, or a list of these."""
    matched: tuple[MatchedRules, ...] = ()
    """Of every decision table that was asked, those that this one needs first."""
    violation: str | None = None
    """How a table's rules broke its hit policy; the value is null then."""
    warnings: tuple[str, ...] = ()
    """Why values became null."""
    omitted: tuple[str, ...] = ()
    """Of ``value``, ``matched``, ``inputs`` and ``outputs`` what is not told, since it is too large or no JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionMade:
    """A decision that a process has made, as it is kept with the process."""

    process_instance_id: str
    element_id: str
    """Of the task that made it."""
    name: str
    """What the task is called, else its ``element_id``."""
    made_at: datetime
    result: DecisionResult
    calls: tuple[str, ...] = ()
    """The namespaces of the call activities that the task is inside of, outermost first."""
    runs: tuple[int, ...] = ()
    """The numbers of the runs of multi-instance sub-processes that it is inside of, outermost first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A decision that can be evaluated, in its newest version."""

    decision_id: str
    name: str
    key: str
    """Of the model that it is in."""
    deployment_id: str
    version: int
