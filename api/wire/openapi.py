"""The OpenAPI 3.1 description, made from the operations themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields

from ..access.clients import OPEN, TOKEN
from . import plain_records, records
from .examples import EXAMPLES
from .members import (
    DECIMAL_ID,
    STORABLE,
    TIME_FORM,
    Always,
    Instant,
    InstantText,
    JsonText,
    LocalTime,
    LocalTimeText,
    Object,
    Texts,
)
from .operation import DECIMAL, METHODS, Operation
from .plain_records import Problem
from .record import camel
from .request_schemas import (
    batches,
    decisions,
    lists,
    models,
    processes,
    quotas,
    resources,
    stones,
    strict,
    tasks,
    undo,
    webhooks,
)

# Every text of this form is a time: each month has 28 days, and no zone leaves them out.
CLOCK_SOUGHT = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
TIME_SOUGHT = (
    "^(19[89][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    rf"( {CLOCK_SOUGHT}|T{CLOCK_SOUGHT}(\.[0-9]{{1,6}})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9]))$"
)
ANY = {"$ref": "#/components/schemas/Json"}
JSON = {
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        {"type": "string", "pattern": STORABLE},
        {"type": "array", "items": ANY},
        {"$ref": "#/components/schemas/JsonObject"},
    ]
}
JSON_OBJECT = {"type": "object", "propertyNames": {"pattern": STORABLE}, "additionalProperties": ANY}
REQUESTS = (batches, decisions, lists, models, processes, quotas, resources, stones, strict, tasks, undo, webhooks)
"""The modules of what requests may hold."""
TITLES = {
    400: "The request cannot be read.",
    401: "The client did not show a valid key or token.",
    403: "The client may not do this, or no access rule is set and it is not this machine itself.",
    404: "No such thing.",
    409: "The present state does not allow it; nothing was changed.",
    412: "Another one is there than If-Match names, or one where it names none; nothing was changed.",
    413: "The body is too large.",
    415: "The body has a media type that is not read here.",
    422: "The request can be read but is wrong; every wrong field is listed.",
    429: "Too many process instances of this key.",
    500: "A defect of the server, which it has logged.",
    503: "The database or the token server does not answer, or the server is closing.",
}
TAGS = {
    "process": "Process instances: started, shown, cancelled, and undone.",
    "batch": "The same done to many process instances, one after the other.",
    "task": "Their tasks: what stones and people do.",
    "message": "BPMN messages, each for one process that waits.",
    "signal": "BPMN signals, for all that wait.",
    "callback": "Webhooks for tasks that were deferred.",
    "subscription": "Who is told over HTTP what processes come to.",
    "notice": "What they were told.",
    "webhook": "How they know that it is from here.",
    "model": "Models: authored processes that can still be edited.",
    "draft": "Drafts: what authors draw and have not saved.",
    "deployment": "Deployments: their numbered versions.",
    "decision": "Decisions of DMN: evaluated by themselves.",
    "finding": "What the checks say of files that are not kept.",
    "code": "What codes of findings and errors mean.",
    "statistics": "What the last runs came to.",
    "timer": "When timers come.",
    "stone": "Stones: what models may use.",
    "key": "Keys of models: all processes of one.",
    "quota": "How many hooks of a stone act at once, and who waits.",
    "resource": "What exists by the ledger.",
    "template": "The forms of stones, for modelers.",
    "client": "Whoever asks.",
    "health": "For what starts and watches servers.",
    "metrics": "For Prometheus.",
}


SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of this server, or an OAuth2 access token."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of this server."},
}
# None at all is enough for this machine itself while no access rule is set.
DESCRIPTIONS = {OPEN: "Answers everybody.", TOKEN: "Needs the token of the task, and no key."}
SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"key": []}, {}]


def describe(operations: Iterable[Operation], *, server: str = "/") -> dict[str, Any]:
    """The description of these operations as served below the path ``server``."""
    plugin = MarshmallowPlugin()
    spec = APISpec(
        title="riverstone",
        version=package_version(),
        openapi_version="3.1.0",
        info={"description": "Process instances that can be undone, task by task."},
        servers=[{"url": server}],
        plugins=[plugin],
    )
    assert plugin.converter is not None
    plugin.converter.add_attribute_function(own_fields)
    for name, scheme in SECURITY_SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    spec.components.schema("Json", JSON)
    spec.components.schema("JsonObject", JSON_OBJECT)
    spec.components.schema("Problem", schema=Problem)
    for name, example in EXAMPLES.items():
        schema: Any = next(vars(module)[name] for module in (*REQUESTS, records, plain_records) if name in vars(module))
        further = one_model() if schema is processes.ProcessStart else {}
        spec.components.schema(name, {**further, "examples": [example]}, schema=schema)
    for name, description in TAGS.items():
        spec.tag({"name": name, "description": description})
    by_rule: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_rule.setdefault(operation.rule, {})[operation.method] = operation
    for rule, found in by_rule.items():
        path = re.sub(r"<(\w+)>", lambda name: "{" + camel(name[1]) + "}", rule)
        described = {method: describe_operation(plugin, found[method]) for method in METHODS if method in found}
        spec.path(path, operations=described, parameters=list(path_parameters(rule)))
    document: dict[str, Any] = spec.to_dict()
    return document


def own_fields(converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """The JSON Schema of the kinds of field that are ours."""
    if isinstance(field, Object):
        return JSON_OBJECT | {"type": ["object", "null"] if field.allow_none else "object"}
    if isinstance(field, Texts):
        return {"propertyNames": {"pattern": STORABLE, "minLength": 1, "maxLength": 255}}
    if isinstance(field, Always):
        return {"type": "null"}
    if isinstance(field, Instant | InstantText):
        return {"type": ["string", "null"] if field.allow_none else "string", "format": "date-time"}
    if isinstance(field, LocalTime):
        return {"type": ["string", "null"] if field.allow_none else "string", "pattern": f"^{TIME_FORM}$"}
    if isinstance(field, LocalTimeText):
        return {"type": "string", "pattern": TIME_SOUGHT}
    if isinstance(field, JsonText):
        return {"contentMediaType": "application/json"}
    return {}


def one_model() -> dict[str, Any]:
    """JSON Schema for "exactly one of the three ids", where null counts as absent, and for what excludes each other."""
    ids = ("modelId", "deploymentId", "key")

    def only(name: str) -> dict[str, Any]:
        types = {other: {"type": "string" if other == name else "null"} for other in ids}
        return {"required": [name], "properties": types}

    both = {"rollback": {"const": False}, "onFailure": {"type": "string"}}
    return {"oneOf": [only(name) for name in ids], "not": {"required": list(both), "properties": both}}


def describe_operation(plugin: MarshmallowPlugin, operation: Operation) -> dict[str, Any]:
    """One operation with everything that it can answer."""
    assert plugin.converter is not None
    converter = plugin.converter
    parameters = converter.schema2parameters(operation.query, location="query")
    if operation.headers is not None:
        parameters += converter.schema2parameters(operation.headers, location="header")
    answer: dict[str, Any] = {"application/json": {"schema": operation.answer}}
    if operation.also is not None:
        answer = {"application/json": {"schema": {"oneOf": [operation.answer, operation.also]}}}
    if operation.media_type is not None:
        schema = operation.answer if operation.media_type == "application/json" else {"type": "string"}
        answer = {operation.media_type: {"schema": schema}}
    refusals = {OPEN: (), TOKEN: (401,)}.get(operation.scope, (401, 403))
    statuses = {*refusals, 422, 500, 503, *operation.problems, *((400, 413, 415) if operation.body else ())}
    if any(each["name"] == "cursor" for each in parameters):
        statuses.add(400)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.rule.split("/")[1]],
        "summary": operation.summary,
        "description": DESCRIPTIONS.get(operation.scope) or f"Needs the scope `{operation.scope}`.",
        "security": {OPEN: [], TOKEN: [] if "token" in operation.rule else [{"bearer": []}]}.get(
            operation.scope, SECURITY
        ),
        "responses": {"200": {"description": "Done.", "content": answer}},
    }
    if operation.later is not None:
        empty = {"application/json": {"schema": {"type": "null"}}}
        described["responses"]["202"] = {"description": operation.later, "content": empty}
    for status in sorted(statuses):
        content = {"application/problem+json": {"schema": "Problem"}}
        response: dict[str, Any] = {"description": TITLES[status], "content": content}
        if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            response["headers"] = {"Retry-After": {"schema": {"type": "string"}, "required": True}}
        described["responses"][str(status)] = response
    if operation.method == "get" and operation.media_type is None:
        described["responses"]["200"]["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
        described["responses"]["304"] = {"description": "The same as what the ETag in If-None-Match came with."}
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": operation.body.required, "content": operation.body.content()}
    return described


LONGEST = {"token": 100}


def path_parameters(rule: str) -> Iterator[dict[str, Any]]:
    """The parameters in the path of a rule."""
    for name in re.findall(r"<(\w+)>", rule):
        form = {"pattern": DECIMAL_ID} if name in DECIMAL else {"minLength": 1, "maxLength": LONGEST.get(name, 64)}
        yield {"name": camel(name), "in": "path", "required": True, "schema": {"type": "string", **form}}


def package_version() -> str:
    """The version of the installed package, or 0 in a tree that is not installed."""
    try:
        return version("riverstone")
    except PackageNotFoundError:
        return "0"
