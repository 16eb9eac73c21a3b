"""What the last runs came to, counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFigures:
    """What the last runs of one version, stone or element came to; what does not concern it is None."""

    key: str | None = None
    deployment_id: str | None = None
    version: int | None = None
    """0 for trial runs."""
    element_id: str | None = None
    name: str | None = None
    """Of the element, as it is drawn."""
    stone: str | None = None
    runs: int
    open: int
    """Those that have not ended."""
    failed: int
    """Those that failed for good, whatever was undone since."""
    retries: int
    """Attempts beside the first ones."""
    median: int | None
    """In milliseconds, of those that did not fail."""
    slow: int | None
    """In milliseconds: 95 of 100 took no longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """What the last runs came to, those that failed most often first; a stone's runs are its tasks."""

    runs: int
    """How many runs were counted."""
    since: datetime | None
    """When the oldest of them began."""
    complete: bool
    """Whether these are all that were asked for; else there are older ones."""
    models: tuple[RunFigures, ...]
    """By version."""
    stones: tuple[RunFigures, ...]
    elements: tuple[RunFigures, ...]
