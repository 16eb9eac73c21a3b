"""What HTTP answers: camelCase outside, the names of the engine's views inside."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, get_args

from marshmallow import Schema, fields, validate

from ...models.vocabulary import WaitKind
from .members import Always, Instant, JsonText, LocalTime, shown

AS_IT_IS = (fields.String, fields.Integer, Always)
"""The kinds of field under which a view has the very value that is shown."""


class Record(Schema):
    """A view of the engine, member by member; one of plain members is shown by a table, to the same result."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        named = {field.data_key or name: field for name, field in self.dump_fields.items()}
        self._names = tuple(named)
        self._values_of = attrgetter(*self.dump_fields)
        self._changing = [(name, field.show) for name, field in named.items() if hasattr(field, "show")]
        self._is_plain = all(type(field) in AS_IT_IS or hasattr(field, "show") for field in named.values())

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        if not self._is_plain:
            return super().dump(obj, many=many)
        several = self.many if many is None else many
        return [self._shown(each) for each in obj] if several else self._shown(obj)

    def _shown(self, view: Any) -> dict[str, Any]:
        shown = dict(zip(self._names, self._values_of(view), strict=True))
        for name, show in self._changing:
            shown[name] = show(shown[name])
        return shown


class ProcessRecord(Record):
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


class TaskRecord(Record):
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


class TaskDetail(TaskRecord):
    """A task with all that is known of it."""

    created_at = shown("createdAt", Instant, of="create_time")
    ended_at = shown("endedAt", Instant, of="end_time", allow_none=True)
    element_id = shown("elementId")
    calls = shown(
        "calls",
        fields.List,
        cls_or_instance=fields.String(),
        metadata={"description": "The namespaces of the call activities that it is inside of, outermost first."},
    )
    kind = shown("kind")
    attempt = shown("attempt", fields.Integer)
    origin_task_id = shown("originTaskId", allow_none=True)
    undo = shown("undo", allow_none=True)
    after = shown("after", fields.List, cls_or_instance=fields.String())
    log = shown("log", fields.List, cls_or_instance=fields.String())


class WaitRecord(Schema):
    """One thing that a token waits for."""

    kind = shown("kind", validate=validate.OneOf(get_args(WaitKind)))
    name = shown("name", allow_none=True)
    due = shown("due", LocalTime, allow_none=True)


class TokenRecord(Schema):
    """One place where a process instance stands, other than at an open task."""

    element_id = shown("elementId")
    calls = shown("calls", fields.List, cls_or_instance=fields.String())
    scope = shown("scope", fields.Boolean, metadata={"description": "Whether others stand inside it."})
    waits = fields.List(fields.Nested(WaitRecord), required=True)


class ProcessSummaryRecord(Schema):
    """A process instance without its variables and outputs."""

    process_instance_id = shown("processInstanceId")
    process_name = shown("processName")
    key = shown("key")
    kind = shown("kind", validate=validate.OneOf(("start", "rollback", "cancel", "delete")))
    status = shown("processStatus")
    reason = shown("reason", allow_none=True)
    start_time = shown("startTime", LocalTime)
    end_time = shown("endTime", LocalTime, allow_none=True)
    started_at = shown("startedAt", Instant, of="start_time")
    ended_at = shown("endedAt", Instant, of="end_time", allow_none=True)
    model_id = shown("modelId", allow_none=True)
    deployment_id = shown("deploymentId")
    business_key = shown("businessKey", allow_none=True)
    origin_process_instance_id = shown("originProcessInstanceId", allow_none=True)
    rollback_process_instance_id = shown("rollbackProcessInstanceId", allow_none=True)
    cancel_process_instance_id = shown("cancelProcessInstanceId", allow_none=True)
    delete_process_instance_id = shown("deleteProcessInstanceId", allow_none=True)
    debug = shown("debug", fields.Boolean)
    mock = shown("mock", fields.Boolean)
    protected = shown("deleteProtection", fields.Boolean)
    paused = shown("paused", fields.Boolean)
    owner = shown("owner", allow_none=True)


class ProcessDetail(ProcessSummaryRecord):
    """A process instance with all that is known of it, but for its tasks."""

    id = shown("id")
    model_key = shown("modelKey", allow_none=True)
    process_content = shown("processContent", metadata={"description": "The start variables as JSON text."})
    outputs = shown("outputs", allow_none=True)
    native_outputs = shown("nativeOutputs")
    tokens = fields.List(fields.Nested(TokenRecord), required=True)


class ExplanationRecord(Schema):
    """Why a process instance stands where it stands, for a person."""

    process_instance_id = shown("processInstanceId")
    status = shown("processStatus")
    sentences = shown("sentences", fields.List, cls_or_instance=fields.String())
    commands = shown(
        "commands",
        fields.List,
        cls_or_instance=fields.String(),
        metadata={"description": "Command lines that help; MODULE stands for the module that defines the stones."},
    )


class SourceRecord(Schema):
    """The BPMN files that a process instance runs; the first holds its process unless another one has its key."""

    files = shown("files", fields.List, cls_or_instance=fields.String())


class StoneParameter(Schema):
    """A parameter that a stone takes."""

    name = shown("name")
    type = shown("type")
    required = shown("required", fields.Boolean)
    default = shown("default", fields.Raw, allow_none=True)
    display_name = shown("displayName")
    description = shown("description")
    visible = shown("visible", fields.Boolean)
    no_echo = shown("noEcho", fields.Boolean)
    allowed_values = shown("allowedValues", fields.List, cls_or_instance=fields.Raw(), allow_none=True)


class StoneOutput(Schema):
    """Something that a stone puts out."""

    name = shown("name")
    description = shown("description")
    secret = shown("secret", fields.Boolean)


class StoneRecord(Schema):
    """What a stone takes, puts out and can do."""

    code = shown("code")
    display_name = shown("displayName")
    description = shown("description")
    parameters = fields.List(fields.Nested(StoneParameter), required=True)
    outputs = fields.List(fields.Nested(StoneOutput), required=True)
    hooks = shown("hooks", fields.List, cls_or_instance=fields.String())
    serves = shown("serves", fields.Dict)


class ClientRecord(Schema):
    """Whom the server takes the client for, and what it may do."""

    name = shown("name")
    scopes = shown("scopes", fields.List, cls_or_instance=fields.String())
    owner = shown("owner", allow_none=True)
    time = shown("time", LocalTime, metadata={"description": "The server's present time, in the zone of all times."})


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
    created_at = shown("createdAt", Instant, of="created")
    updated_at = shown("updatedAt", Instant, of="updated")
    protected = shown("deleteProtection", fields.Boolean)


class DeploymentRecord(Schema):
    """A deployment in a list."""

    deployment_id = shown("deploymentId")
    model_id = shown("modelId", allow_none=True)
    key = shown("key")
    name = shown("name")
    version = shown("version", fields.Integer)
    created = shown("createTime", LocalTime)
    created_at = shown("createdAt", Instant, of="created")


class ModelDetail(ModelRecord):
    """A model with its content; ``xml`` is the first of its files."""

    xml = shown("xml")
    files = shown("files", fields.List, cls_or_instance=fields.String())
    parameter_template = shown("parameterTemplate", fields.Raw, allow_none=True)
    outputs_template = shown("outputsTemplate", fields.Raw, allow_none=True)


class DeploymentDetail(DeploymentRecord):
    """A deployment with its content; ``xml`` is the first of its files."""

    xml = shown("xml")
    files = shown("files", fields.List, cls_or_instance=fields.String())
    parameter_template = shown("parameterTemplate", fields.Raw, allow_none=True)
    outputs_template = shown("outputsTemplate", fields.Raw, allow_none=True)


class BindingRecord(Schema):
    """What was read for one task: the stone, decision or person that carries it out, and what goes in and out."""

    process = shown("process")
    element_id = shown("elementId")
    name = shown("name", allow_none=True)
    line = shown("line", fields.Integer, allow_none=True)
    kind = shown("kind")
    code = shown("code", allow_none=True)
    dialect = shown("dialect", allow_none=True)
    parameters = shown("parameters", fields.Raw)
    outputs = shown("outputs", fields.Raw)
    result_variable = shown("resultVariable", allow_none=True)


class SavedModel(ModelRecord):
    """A model that was just saved, with the warnings of the checks and what was read for each task."""

    findings = fields.List(fields.Nested(FindingRecord), required=True)
    tasks = fields.List(fields.Nested(BindingRecord), required=True)


class ProcessPage(Schema):
    """A part of the list of process instances; ``cursor`` asks for the next part and is null at the end."""

    items = fields.List(fields.Nested(ProcessRecord), required=True)
    cursor = shown("cursor", allow_none=True)


class HealthRecord(Schema):
    """That the server is there, in one word."""

    status = shown("status", validate=validate.OneOf(("live", "ready")))


class SearchPage(Schema):
    """A part of what a search has found; ``cursor`` asks for the next part and is null at the end."""

    items = fields.List(fields.Nested(ProcessSummaryRecord), required=True)
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
