"""What models, drafts and deployments are asked with."""

from __future__ import annotations

from ....engine.bpmn.running.timers.cycles import TimerKind
from ....engine.stones.declarations.element_templates import Modeler
from ..members import FlagText, Text, Word
from .lists import Part
from .strict import CURSOR, FAILURE_POLICY, ON_COMPENSATION, ON_FAILURE, STRICT, Strict

EXTERNAL = "Whether topics that no stone serves are those of workers over HTTP."


class ModelQuery(Part):
    """Filters of the list of models."""

    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9A-Za-z-]{1,36}$", description=CURSOR)
    key = Text()


class DeploymentQuery(ModelQuery):
    """Filters of the list of deployments."""

    model_id = Text(data_key="modelId")


class ModelOptions(Strict):
    """What is said of a model beside its BPMN."""

    name = Text()
    protected = FlagText(data_key="deleteProtection")


class DraftHeaders(Strict):
    """Which draft a request is about."""

    revision = Text(
        data_key="If-Match", description="The ETag of the draft that was read; another one is left as it is (412)."
    )


class DraftList(Part):
    """Which part of the drafts."""

    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9A-Za-z-]{1,36}$", description=CURSOR)


class TimerQuery(Strict):
    """What a model says of a timer."""

    kind = Word(TimerKind, required=True)
    text = Text(required=True, description="As a constant: ISO 8601, or cron.")


class DraftOptions(Strict):
    """What is said of a draft beside its BPMN."""

    name = Text()


class DraftSaving(Strict):
    """How a draft becomes the model."""

    replace = FlagText(
        metadata={"description": "Save it although the model was saved otherwise since the draft was begun."}
    )


class TemplateQuery(Strict):
    """For which modeler the forms of stones are."""

    modeler = Word(Modeler, load_default="camunda7")


class Strictness(Strict):
    """How strictly a model is checked."""

    strict = FlagText(metadata={"description": STRICT})


class CheckOptions(Strictness):
    """How files are checked that are not kept."""

    external = FlagText(metadata={"description": EXTERNAL})


class DeployedModelOptions(Strictness):
    """What is said of the deployment of a model that is kept."""

    on_failure = Text(data_key="onFailure", shown=FAILURE_POLICY, description=ON_FAILURE)
    undo_on_compensation = FlagText(data_key="undoOnCompensation", metadata={"description": ON_COMPENSATION})


class DeploymentOptions(ModelOptions):
    """What is said of a deployment beside its BPMN."""

    on_failure = Text(data_key="onFailure", shown=FAILURE_POLICY, description=ON_FAILURE)
    undo_on_compensation = FlagText(data_key="undoOnCompensation", metadata={"description": ON_COMPENSATION})
    strict = FlagText(metadata={"description": STRICT})
    external = FlagText(metadata={"description": EXTERNAL})
