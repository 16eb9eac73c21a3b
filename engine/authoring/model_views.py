"""What is shown of models and deployments."""

from __future__ import annotations

import json

from ...models import DeploymentRow, ModelRow
from ..clock import moment
from ..views import Deployment, Model
from .sources import texts_of


def model_view(row: ModelRow) -> Model:
    """What is shown of a model."""
    created, updated = moment(row.created), moment(row.updated)
    assert created is not None
    assert updated is not None
    files = texts_of(row.sources)
    return Model(
        model_id=row.id,
        key=row.key,
        name=row.name,
        created=created,
        updated=updated,
        protected=bool(row.protected),
        xml=files[0],
        files=files,
        parameter_template=json.loads(row.parameter_template) if row.parameter_template else None,
        outputs_template=json.loads(row.outputs_template) if row.outputs_template else None,
    )


def deployment_view(row: DeploymentRow) -> Deployment:
    """What is shown of a deployment."""
    created = moment(row.created)
    assert created is not None
    files = texts_of(row.sources)
    return Deployment(
        deployment_id=row.id,
        model_id=row.model_id or "",
        key=row.key,
        name=row.name,
        version=row.version,
        created=created,
        xml=files[0],
        files=files,
        parameter_template=json.loads(row.parameter_template) if row.parameter_template else None,
        outputs_template=json.loads(row.outputs_template) if row.outputs_template else None,
    )
