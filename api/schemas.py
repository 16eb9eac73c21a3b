"""The shapes of what HTTP takes and gives: camelCase outside, the engine's names inside.

What comes in is read strictly: a member that is not listed here is refused, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from ..engine import jsontext

STATUSES = (
    "running",
    "debug",
    "success",
    "failed",
    *(f"{undo}.{state}" for undo in ("rollback", "cancel", "delete") for state in ("begin", "success", "failed")),
)
STORABLE = r"^[^\x00]*$"
DECIMAL_ID = r"^[1-9][0-9]{0,17}$"
TIME = "%Y-%m-%d %H:%M:%S"


class Text(fields.String):
    """A string of 1 to ``longest`` characters that as a whole has the form ``pattern``."""

    default_error_messages = {"pattern": "Does not have the form {pattern}."}

    def __init__(self, *, longest: int = 255, pattern: str = STORABLE, description: str = "", **options: Any) -> None:
        metadata = {"pattern": pattern, **({"description": description} if description else {})}
        super().__init__(validate=validate.Length(min=1, max=longest), metadata=metadata, **options)
        self.form = re.compile(pattern.removeprefix("^").removesuffix("$"))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if not self.form.fullmatch(text):
            raise self.make_error("pattern", pattern=self.metadata["pattern"])
        return text


class Object(fields.Dict):
    """A JSON object with any members."""

    default_error_messages = {"invalid": "Not a JSON object."}


class AnyValue(fields.Raw):
    """Any JSON value."""


class Flag(fields.Boolean):
    """``true`` or ``false`` and nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class FlagText(fields.Boolean):
    """The same in a query: the texts ``true`` and ``false``."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return bool(value == "true")


class CountText(fields.Integer):
    """A whole number in a query, without sign, blanks or underscores."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> int:
        if not re.fullmatch("[0-9]{1,9}", value):
            raise self.make_error("invalid", input=value)
        return int(value)


class LocalTime(fields.Field[datetime]):
    """A moment as ``YYYY-MM-DD HH:MM:SS`` in the server's own time zone, as the record has it."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **options: Any) -> str | None:
        return None if value is None else value.astimezone().strftime(TIME)


class JsonText(fields.String):
    """A JSON value as text inside JSON, as the record has it."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str:
        return jsontext.dumps(dict(value))


class Always(fields.Raw):
    """A member that the record has but does not support: always null."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> None:
        return None


def shown(name: str, kind: type[fields.Field[Any]] = fields.String, **options: Any) -> Any:
    """A member of an answer, which is always present, under its outside name."""
    return kind(data_key=name, required=True, **options)


class Strict(Schema):
    """Root of what comes in."""

    class Meta:
        unknown = RAISE


class Nothing(Strict):
    """No member at all."""


class ProcessStart(Strict):
    """The body of a start. Exactly one of ``modelId``, ``deploymentId`` and ``key`` is given; null counts as absent."""

    model_id = Text(data_key="modelId", allow_none=True, description="A trial run of this model as it now stands.")
    deployment_id = Text(data_key="deploymentId", allow_none=True, description="This version.")
    key = Text(allow_none=True, description="The newest deployment of this key.")
    name = Text(data_key="processName", required=True)
    variables = Object(required=True)
    business_key = Text(data_key="businessKey", allow_none=True)
    rollback = Flag(metadata={"description": "Whether a failure rolls back; true unless said otherwise."})
    protected = Flag(data_key="deleteProtection", metadata={"description": "Whether a delete is refused."})

    @validates_schema(skip_on_field_errors=False)
    def names_one_model(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse none and several of the three ids."""
        ids = {"modelId": "model_id", "deploymentId": "deployment_id", "key": "key"}
        given = [name for name, attribute in ids.items() if data.get(attribute) is not None]
        if len(given) == 1:
            return
        found = f"{' and '.join(given)} are given" if given else "none is"
        text = f"Exactly one of modelId, deploymentId and key must be given: {found}."
        raise ValidationError({name: [text] for name in given or ids})


class UndoOptions(Strict):
    """The optional body of a cancel or a delete."""

    force = Flag(metadata={"description": "Skip the grace; a delete of a running process cancels it first."})


class DeleteOptions(UndoOptions):
    """The optional body of a delete."""

    retain = fields.List(Text(pattern=DECIMAL_ID), metadata={"description": "Ids of tasks to give up for good."})


class UndoQuery(Strict):
    """The options of a cancel, in the query."""

    force = FlagText()


class DeleteQuery(UndoQuery):
    """The options of a delete, in the query."""

    retain = fields.List(Text(pattern=DECIMAL_ID))


class Part(Strict):
    """Which part of a list is asked for."""

    limit = CountText(validate=validate.Range(min=1, max=500), metadata={"description": "50 unless said otherwise."})
    cursor = Text(pattern=r"^[A-Za-z0-9_.~=-]*$", description="The cursor of the part before.")


class InstanceQuery(Part):
    """Filters of the list of process instances."""

    status = fields.String(validate=validate.OneOf(STATUSES))
    key = Text()
    name = Text()


class ModelQuery(Part):
    """Filters of the list of models."""

    key = Text()


class DeploymentQuery(ModelQuery):
    """Filters of the list of deployments."""

    model_id = Text(data_key="modelId")


class PreviewQuery(Strict):
    """Which undo is asked about."""

    kind = fields.String(validate=validate.OneOf(("rollback", "cancel", "delete")), load_default="delete")


class TaskQuery(Strict):
    """Whose tasks are asked for."""

    process_instance_id = Text(data_key="processInstanceId", required=True)


class StartHeaders(Strict):
    """What a start reads from the request's headers."""

    idempotency_key = Text(
        data_key="Idempotency-Key",
        pattern=r"^[!-~]*$",
        description="The same key with the same body gives the same process instance.",
    )


class NameQuery(Strict):
    """The name of a model whose BPMN is the raw body."""

    name = Text()


class Rerun(Strict):
    """The optional body of a rerun."""

    parameters = Object(metadata={"description": "Values that replace the task's parameters of these names."})


class Completion(Strict):
    """The optional body of the completion of a user task."""

    outputs = Object()


class Message(Strict):
    """A BPMN message, and whom it is for."""

    name = Text(required=True)
    payload = Object(allow_none=True)
    business_key = Text(data_key="businessKey", allow_none=True)
    process_instance_id = Text(data_key="processInstanceId", allow_none=True)


class Signal(Strict):
    """A BPMN signal, for everyone who waits for it."""

    name = Text(required=True)
    payload = Object(allow_none=True)


class Protection(Strict):
    """Whether a delete is refused from now on."""

    protected = Flag(data_key="deleteProtection", required=True)


class ProcessRecord(Schema):
    """The sixteen members of a process instance, in their documented order."""

    id = shown("id")
    process_instance_id = shown("processInstanceId")
    model_id = shown("modelId", allow_none=True)
    model_key = shown("modelKey", allow_none=True)
    process_name = shown("processName")
    process_type = shown("processType", Always)
    status = shown("processStatus")
    process_content = shown("processContent", metadata={"description": "The start variables as JSON text."})
    start_time = shown("startTime", LocalTime)
    end_time = shown("endTime", LocalTime, allow_none=True)
    activiti_file_id = shown("activitiFileId", Always)
    outputs = shown("outputs", allow_none=True)
    native_outputs = shown("nativeOutputs")
    rollback_process_instance_id = shown("rollbackProcessInstanceId", allow_none=True)
    cancel_process_instance_id = shown("cancelProcessInstanceId", allow_none=True)
    delete_process_instance_id = shown("deleteProcessInstanceId", allow_none=True)


class TaskRecord(Schema):
    """The thirteen members of a task, in their documented order."""

    id = shown("id")
    process_instance_id = shown("processInstanceId")
    task_id = shown("taskId")
    name = shown("name")
    namespace = shown("namespace")
    stone = shown("stone", allow_none=True)
    create_time = shown("createTime", LocalTime)
    end_time = shown("endTime", LocalTime, allow_none=True)
    status = shown("status")
    reason = shown("reason", allow_none=True)
    parameters = shown("params", JsonText)
    outputs = shown("outputs", JsonText)
    progress = shown("progress", fields.Integer)


class UndoStepRecord(Schema):
    """What an undo would do with one task."""

    task_id = shown("taskId")
    name = shown("name")
    namespace = shown("namespace")
    stone = shown("stone", allow_none=True)
    action = shown("action")
    after = fields.List(fields.String(), required=True)


class FindingRecord(Schema):
    """What the checks say about one place of a BPMN file."""

    code = shown("code")
    severity = shown("severity", validate=validate.OneOf(("error", "warning")))
    text = shown("text")
    element_id = shown("elementId", allow_none=True)
    line = shown("line", fields.Integer, allow_none=True)
    source = shown("source", allow_none=True)


class ModelRecord(Schema):
    """A model in a list."""

    model_id = shown("modelId")
    key = shown("key")
    name = shown("name")
    created = shown("createTime", LocalTime)
    updated = shown("updateTime", LocalTime)


class DeploymentRecord(Schema):
    """A deployment in a list."""

    deployment_id = shown("deploymentId")
    model_id = shown("modelId", allow_none=True)
    key = shown("key")
    name = shown("name")
    version = shown("version", fields.Integer)
    created = shown("createTime", LocalTime)


class ModelDetail(ModelRecord):
    """A model with its content."""

    xml = shown("xml")
    parameter_template = shown("parameterTemplate", fields.Raw, allow_none=True)
    outputs_template = shown("outputsTemplate", fields.Raw, allow_none=True)


class DeploymentDetail(DeploymentRecord):
    """A deployment with its content."""

    xml = shown("xml")
    parameter_template = shown("parameterTemplate", fields.Raw, allow_none=True)
    outputs_template = shown("outputsTemplate", fields.Raw, allow_none=True)


class SavedModel(ModelRecord):
    """A model that was just saved, with the warnings of the checks."""

    findings = fields.List(fields.Nested(FindingRecord), required=True)


class SavedDeployment(DeploymentRecord):
    """A deployment that was just made, with the warnings of the checks."""

    findings = fields.List(fields.Nested(FindingRecord), required=True)


class ProcessPage(Schema):
    """A part of the list of process instances; ``cursor`` asks for the next part and is null at the end."""

    items = fields.List(fields.Nested(ProcessRecord), required=True)
    cursor = shown("cursor", allow_none=True)


class ModelPage(Schema):
    """A part of the list of models."""

    items = fields.List(fields.Nested(ModelRecord), required=True)
    cursor = shown("cursor", allow_none=True)


class DeploymentPage(Schema):
    """A part of the list of deployments."""

    items = fields.List(fields.Nested(DeploymentRecord), required=True)
    cursor = shown("cursor", allow_none=True)


class SignalReceivers(Schema):
    """Which process instances a signal reached."""

    process_instance_ids = shown("processInstanceIds", fields.List, cls_or_instance=fields.String())


class Problem(Schema):
    """An error as RFC 9457 has it, with a stable ``code``."""

    type = shown("type")
    title = shown("title")
    status = shown("status", fields.Integer)
    detail = shown("detail")
    code = shown("code")
    message = shown("message")
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    findings = fields.List(fields.Nested(FindingRecord))
    current_status = fields.String(data_key="currentStatus", allow_none=True)
    allowed = fields.List(fields.String())
    related = fields.String(data_key="relatedProcessInstanceId", allow_none=True)
