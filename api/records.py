"""What HTTP answers: camelCase outside, the names of the engine's views inside."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from .members import Always, JsonText, LocalTime, shown


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
    request_id = fields.String(data_key="requestId")
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    findings = fields.List(fields.Nested(FindingRecord))
    current_status = fields.String(data_key="currentStatus", allow_none=True)
    allowed = fields.List(fields.String())
    related = fields.String(data_key="relatedProcessInstanceId", allow_none=True)
