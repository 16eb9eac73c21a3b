"""What HTTP answers that is no view of the engine."""

from __future__ import annotations

from typing import Any, Literal

from marshmallow import Schema, fields

from ...engine.operating.access_keys import Scope
from .members import LocalTime, Word, shown
from .records import FindingRecord


class TemplateRecord(Schema):
    """An element template, as the modelers of Camunda read it."""

    schema_of = fields.String(data_key="$schema")
    id = fields.String()
    name = fields.String()
    description = fields.String()
    category = fields.Dict()
    applies_to = fields.List(fields.String(), data_key="appliesTo")
    element_type = fields.Dict(data_key="elementType")
    groups = fields.List(fields.Dict())
    properties = fields.List(fields.Dict())

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        return obj


class SourceRecord(Schema):
    """The BPMN files that a process instance runs; the first holds its process unless another one has its key."""

    files = shown("files", fields.List, cls_or_instance=fields.String())


class VariablesRecord(Schema):
    """The variables of a process, secrets hidden."""

    variables = shown("variables", fields.Dict)


class ProcessCounts(Schema):
    """How many process instances there are in each state; of each at most 1,000 are counted."""

    running = shown("running", fields.Integer)
    attention = shown("attention", fields.Integer)
    person = shown("person", fields.Integer)
    event = shown("event", fields.Integer)
    stone = shown("stone", fields.Integer)
    suspended = shown("suspended", fields.Integer)
    quota = shown("quota", fields.Integer)
    success = shown("success", fields.Integer)
    failed = shown("failed", fields.Integer)
    canceled = shown("canceled", fields.Integer)


class ClientRecord(Schema):
    """Whom the server takes the client for, and what it may do."""

    name = shown("name")
    scopes = shown("scopes", fields.List, cls_or_instance=Word(Scope))
    owner = shown("owner", allow_none=True)
    user = shown("user", allow_none=True, metadata={"description": "The person who asks, as models name people."})
    groups = shown("groups", fields.List, cls_or_instance=fields.String(), metadata={"description": "Of that person."})
    time = shown("time", LocalTime, metadata={"description": "The server's present time, in the zone of all times."})


class HealthRecord(Schema):
    """That the server is there, in one word."""

    status = Word(Literal["live", "ready"], required=True)


class SignalReceivers(Schema):
    """Which process instances a signal reached."""

    process_instance_ids = shown("processInstanceIds", fields.List, cls_or_instance=fields.String())


class WebhookDone(Schema):
    """That it is done."""

    done = shown("done", fields.Boolean)


class WebhookSecretRecord(Schema):
    """A secret by which a receiver knows what it is told; it is not shown again."""

    secret = shown("secret")


class TokenAnswer(Schema):
    """What came of telling something by the token of a task."""

    taken = shown("taken", fields.Boolean)


class SecretOutputs(Schema):
    """The secret outputs of a task, in clear."""

    outputs = shown("outputs", fields.Dict)


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
