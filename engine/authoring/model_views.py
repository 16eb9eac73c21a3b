"""What is shown of models and deployments: frozen snapshots, never rows of the store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...models import DeploymentRow, DraftRow, ModelRow
from ..clock import moment
from ..findings import Finding
from ..views.tasks import TaskBinding
from .sources import texts_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """An authored process that can still be edited."""

    model_id: str
    key: str
    name: str
    created: datetime
    updated: datetime
    protected: bool = False
    """Whether the delete of what its processes made is refused."""
    xml: str = field(default="", repr=False)
    parameter_template: list[dict[str, Any]] | None = field(default=None, repr=False)
    outputs_template: list[dict[str, Any]] | None = field(default=None, repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    """All its BPMN files, of which ``xml`` is the first."""
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    """The warnings of the checks; only of a model that was just saved."""
    tasks: tuple[TaskBinding, ...] = field(default=(), repr=False)
    """What was read for each task; only of a model that was just saved."""

    def _repr_svg_(self) -> str | None:
        """The diagram, for notebooks; None for one out of a list that is shown without its files."""
        from ..bpmn.drawing.svg import draw_svg  # late, like whatever else draws

        return draw_svg(self.xml) if self.xml else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """An immutable, numbered version of a model."""

    deployment_id: str
    model_id: str
    key: str
    name: str
    version: int
    created: datetime
    xml: str = field(default="", repr=False)
    parameter_template: list[dict[str, Any]] | None = field(default=None, repr=False)
    outputs_template: list[dict[str, Any]] | None = field(default=None, repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    """All its BPMN files, of which ``xml`` is the first."""
    next_starts: tuple[datetime, ...] = ()
    """When its timers start processes next, at most three times; only of the newest of a key, asked for alone."""
    on_failure: str | None = None
    """What follows a failure in its processes; None leaves it to their model."""
    undo_on_compensation: bool = False
    """Whether a compensation has stones undo what they made where the model does not say."""

    def _repr_svg_(self) -> str | None:
        """The diagram, for notebooks; None for one out of a list that is shown without its files."""
        from ..bpmn.drawing.svg import draw_svg  # late, like whatever else draws

        return draw_svg(self.xml) if self.xml else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What is drawn of a model and not saved; it may hold errors."""

    model_id: str
    """That of its model, or which its model will have."""
    revision: str
    """Different after each write; whoever writes next names the one that was read."""
    key: str
    name: str
    created: datetime
    updated: datetime
    who: str | None = None
    """Who wrote it last."""
    new: bool = False
    """Whether there is no saved model yet."""
    outdated: bool = False
    """Whether the model was saved since the draft was begun."""
    parameter_template: list[dict[str, Any]] | None = field(default=None, repr=False)
    outputs_template: list[dict[str, Any]] | None = field(default=None, repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)


def draft_view(row: DraftRow, saved: int | None) -> Draft:
    """What is shown of a draft whose model was saved at that time."""
    return Draft(
        model_id=row.id,
        revision=row.revision,
        key=row.key,
        name=row.name,
        created=moment(row.created),
        updated=moment(row.updated),
        who=row.who,
        new=saved is None,
        outdated=saved != row.base,
        files=texts_of(row.sources),
        parameter_template=json.loads(row.parameter_template) if row.parameter_template else None,
        outputs_template=json.loads(row.outputs_template) if row.outputs_template else None,
    )


def model_view(row: ModelRow) -> Model:
    """What is shown of a model."""
    files = texts_of(row.sources)
    return Model(
        model_id=row.id,
        key=row.key,
        name=row.name,
        created=moment(row.created),
        updated=moment(row.updated),
        protected=bool(row.protected),
        xml=files[0],
        files=files,
        parameter_template=json.loads(row.parameter_template) if row.parameter_template else None,
        outputs_template=json.loads(row.outputs_template) if row.outputs_template else None,
    )


def deployment_view(row: DeploymentRow) -> Deployment:
    """What is shown of a deployment."""
    files = texts_of(row.sources)
    return Deployment(
        deployment_id=row.id,
        model_id=row.model_id or "",
        key=row.key,
        name=row.name,
        version=row.version,
        created=moment(row.created),
        xml=files[0],
        files=files,
        parameter_template=json.loads(row.parameter_template) if row.parameter_template else None,
        outputs_template=json.loads(row.outputs_template) if row.outputs_template else None,
        on_failure=row.on_failure,
        undo_on_compensation=bool(row.undo_on_compensation),
    )
