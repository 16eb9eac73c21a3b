"""The rows of models, their versions and drafts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MEANING: Final = 1
"""The reading of the standard by which new deployments run; 0 took a condition that is null for false."""


@dataclass(slots=True)
class DeploymentRow:
    """One deployment; ``sources`` is a JSON array of XML texts, the first holding the process to run."""

    id: str
    model_id: str | None
    key: str
    name: str
    version: int
    digest: str
    sources: str
    parameter_template: str | None
    outputs_template: str | None
    created: int
    removed: int | None = None
    """Since when it is out of use, kept only for the records that refer to it."""
    undo_order: str | None = None
    """Of an undo: what it takes back and in which order, as JSON; its ``sources`` are made when they are first read."""
    meaning: int = MEANING
    """By which reading of the standard it runs."""
    on_failure: str | None = None
    """The failure policy of its processes, as it was written; None for what their model says."""
    undo_on_compensation: int = 0
    """Whether a compensation calls the stones' own hooks where the model draws no handler and does not say."""


@dataclass(slots=True)
class ModelRow:
    """One authored model."""

    id: str
    key: str
    name: str
    sources: str
    parameter_template: str | None
    outputs_template: str | None
    created: int
    updated: int
    protected: int = 0


@dataclass(slots=True)
class DraftRow:
    """What is drawn of one model and not saved; ``base`` is when the model was saved that it was begun on."""

    id: str
    revision: str
    key: str
    name: str
    sources: str
    parameter_template: str | None
    outputs_template: str | None
    base: int | None
    created: int
    updated: int
    who: str | None
