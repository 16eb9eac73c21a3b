"""OpenAPI 3.1 descriptions of both interfaces: what of Camunda's own is answered here, and with what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import jobs, modeling, orchestration, workers

Schema = Mapping[str, Any]
TYPES: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "number": {"type": "integer"},
    "truth": {"type": "boolean"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object", "additionalProperties": True},
    "objects": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    "values": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/TypedValue"}},
    "topics": {"type": "array", "items": {"$ref": "#/components/schemas/Topic"}},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """What is told of one function beside its path and its scope."""

    summary: str
    body: str = ""
    """The members that are read, each ``name:type``; those that have to be there end in ``!``."""
    answer: str | None = None
    """The schema of a 200; None is a 204."""
    many: bool = False
    form: str = ""
    """The part of a multipart form that holds files."""
    query: str = ""
    also: Mapping[int, str] = field(default_factory=dict)


WHO, WITH = "workerId:text!", "variables:values localVariables:values"
LIST = "topicName:text workerId:text processDefinitionKey:text processDefinitionId:text processInstanceId:text"
LIST += " noRetriesLeft:truth withRetriesLeft:truth"
START = "businessKey:text variables:values withVariablesInReturn:truth"
LEASED = "variables:object jobLeaseToken:text"
DESCRIBED: Mapping[Any, Described] = {
    workers.fetch_and_lock: Described(
        summary="Lock tasks of some topics; with asyncResponseTimeout wait for one",
        body=f"{WHO} maxTasks:number! topics:topics! usePriority:truth sorting:objects asyncResponseTimeout:number",
        answer="LockedTask",
        many=True,
    ),
    workers.complete: Described(summary="Say that a task is done", body=f"{WHO} {WITH}"),
    workers.failure: Described(
        summary="Say that a task has failed, and how often it is to be tried again",
        body=f"{WHO} errorMessage:text errorDetails:text retries:number retryTimeout:number {WITH}",
    ),
    workers.bpmn_error: Described(
        summary="Throw a BPMN error", body=f"{WHO} errorCode:text! errorMessage:text variables:values"
    ),
    workers.extend_lock: Described(summary="Keep a task for longer", body=f"{WHO} newDuration:number!"),
    workers.progress: Described(
        summary="Say how far a task is, and lines for its log", body=f"{WHO} percent:number lines:texts"
    ),
    workers.lock: Described(summary="Lock one task", body=f"{WHO} lockDuration:number!"),
    workers.unlock: Described(summary="Offer a task again"),
    workers.put_retries: Described(
        summary="Say how often a task may be tried; one that has failed for good is tried again", body="retries:number!"
    ),
    workers.put_priority: Described(summary="Have a task fetched before or after others", body="priority:number!"),
    workers.get_task: Described(summary="Show one open task", answer="Task"),
    workers.get_tasks: Described(
        summary="List open tasks", answer="Task", many=True, query=f"{LIST} firstResult:number maxResults:number"
    ),
    workers.post_tasks: Described(summary="List open tasks", body=LIST, answer="Task", many=True),
    workers.get_count: Described(summary="Count open tasks", answer="Count", query=LIST),
    workers.post_count: Described(summary="Count open tasks", body=LIST, answer="Count"),
    workers.file_of: Described(summary="Read a file among the variables of a task", answer="File"),
    workers.set_variables: Described(
        summary="Set variables while the worker has one task of the process", body=f"{WHO} modifications:values!"
    ),
    modeling.version: Described(summary="Tell which version's clients are answered", answer="Version"),
    modeling.get_deployments: Described(
        summary="List at most 100 deployments, the newest first; the header Link names the next ones",
        answer="Deployment",
        many=True,
        query="firstResult:number maxResults:number sortBy:text sortOrder:text",
    ),
    modeling.create_deployment: Described(
        summary="Deploy the files of a form; unknown topics are for workers", form="data", answer="Deployment"
    ),
    modeling.start_by_id: Described(summary="Start a process of one version", body=START, answer="Instance"),
    modeling.start_by_key: Described(summary="Start a process of the newest version", body=START, answer="Instance"),
    modeling.get_instance: Described(summary="Show a process", answer="Instance"),
    modeling.delete_instance: Described(summary="Cancel a process, and undo what it made"),
    modeling.message: Described(
        summary="Give a message to the process that waits for it",
        body="messageName:text! businessKey:text processInstanceId:text processVariables:values resultEnabled:truth",
        also={200: "With resultEnabled, who has got it"},
    ),
    jobs.activate: Described(
        summary="Lock jobs of one type; the answer waits for one",
        body=(
            "type:text! timeout:number! maxJobsToActivate:number! worker:text requestTimeout:number fetchVariable:texts"
            " tenantIds:texts withLease:truth"
        ),
        answer="Jobs",
    ),
    jobs.complete: Described(summary="Say that a job is done", body=LEASED),
    jobs.fail: Described(
        summary="Say that a job has failed, and how often it is to be tried again",
        body=f"retries:number retryBackOff:number errorMessage:text {LEASED}",
    ),
    jobs.throw: Described(summary="Throw a BPMN error", body=f"errorCode:text! errorMessage:text {LEASED}"),
    jobs.update: Described(summary="Change a job's timeout or retries", body="changeset:object!"),
    orchestration.topology: Described(summary="Tell that there is a broker", answer="Topology"),
    orchestration.deploy: Described(
        summary="Deploy the files of a form; unknown job types are for workers", form="resources", answer="Deployed"
    ),
    orchestration.start: Described(
        summary="Start a process; with awaitCompletion answer at its end, with its variables",
        body=(
            "processDefinitionKey:text processDefinitionId:text processDefinitionVersion:number variables:object"
            " businessId:text awaitCompletion:truth requestTimeout:number fetchVariables:texts"
        ),
        answer="Started",
        also={409: "It has ended otherwise", 504: "It has not ended in time, and goes on"},
    ),
    orchestration.cancel: Described(summary="Cancel a process, and undo what it made"),
    orchestration.publish: Described(
        summary="Give a message to whoever waits for it, or keep it",
        body="name:text! correlationKey:text variables:object timeToLive:number",
        answer="Published",
    ),
    orchestration.correlate: Described(
        summary="Give a message to a process that waits for it now",
        body="name:text! correlationKey:text variables:object",
        answer="Correlated",
        also={404: "Nobody waits for it"},
    ),
}


def _members(text: str) -> dict[str, Schema]:
    return {name: TYPES[kind.rstrip("!")] for name, _, kind in (each.partition(":") for each in text.split())}


def _object(text: str, *, nullable: Iterable[str] = ()) -> Schema:
    members = {name: dict(found) for name, found in _members(text).items()}
    for name in nullable:
        members[name]["type"] = [members[name]["type"], "null"]
    needed = [each.partition(":")[0] for each in text.split() if each.endswith("!")]
    return {"type": "object", "properties": members, **({"required": needed} if needed else {})}


TASK = (
    "id:text! topicName:text! activityId:text! activityInstanceId:text! processInstanceId:text! executionId:text!"
    " processDefinitionId:text! processDefinitionKey:text! processDefinitionVersionTag:text! businessKey:text!"
    " tenantId:text! workerId:text! createTime:text! lockExpirationTime:text! errorMessage:text! retries:number!"
    " priority:number! suspended:truth!"
)
MAY_BE_NULL = (
    "processDefinitionVersionTag businessKey tenantId workerId lockExpirationTime errorMessage retries".split()
)
LOCKED = " variables:values! errorDetails:text! extensionProperties:object! event:text! attempt:number! phase:text!"
LOCKED += " delivery:number! origin:text!"
KEYS = "jobKey processInstanceKey rootProcessInstanceKey processDefinitionKey elementInstanceKey".split()
SEVEN: Mapping[str, Schema] = {
    "TypedValue": {
        "description": "A value with its type; a value alone is taken too.",
        "properties": {"value": {}, "type": {"type": ["string", "null"]}, "valueInfo": {"type": ["object", "null"]}},
    },
    "Topic": _object(
        "topicName:text! lockDuration:number! variables:texts localVariables:truth businessKey:text"
        " processDefinitionId:text processDefinitionIdIn:texts processDefinitionKey:text processDefinitionKeyIn:texts"
        " processDefinitionVersionTag:text processVariables:values withoutTenantId:truth tenantIdIn:texts"
        " includeExtensionProperties:truth"
    ),
    "Task": _object(TASK, nullable=MAY_BE_NULL),
    "LockedTask": _object(TASK + LOCKED, nullable=[*MAY_BE_NULL, "errorDetails", "extensionProperties", "origin"]),
    "Count": _object("count:number!"),
    "Version": _object("version:text!"),
    "File": {"type": "string", "format": "binary"},
    "Deployment": _object("id:text! name:text! deploymentTime:text!"),
    "Instance": _object(
        "id:text! definitionId:text! definitionKey:text! businessKey:text! ended:truth!", nullable=["businessKey"]
    ),
    "Error": _object("type:text! message:text! code:number!"),
}
EIGHT: Mapping[str, Schema] = {
    "Job": _object(
        " ".join(f"{name}:text!" for name in [*KEYS, "type", "processDefinitionId", "elementId", "worker", "tenantId"])
        + " processDefinitionVersion:number! customHeaders:object! retries:number! deadline:number! variables:object!"
        " jobLeaseToken:text!",
        nullable=["jobLeaseToken"],
    ),
    "Jobs": {
        "type": "object",
        "properties": {"jobs": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}}},
        "required": ["jobs"],
    },
    "Topology": _object("brokers:objects! clusterId:text! gatewayVersion:text!"),
    "Deployed": _object("deploymentKey:text! tenantId:text! deployments:objects!"),
    "Started": _object(
        "processInstanceKey:text! processDefinitionKey:text! processDefinitionId:text! variables:object!"
        " processDefinitionVersion:number!"
    ),
    "Published": _object("messageKey:text! tenantId:text!"),
    "Correlated": _object("messageKey:text! tenantId:text! processInstanceKey:text!"),
    "Error": _object("type:text! title:text! status:number! detail:text! instance:text!"),
}


def describe(prefix: str, routes: Iterable[tuple[str, str, Any, str]], schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """The document of one interface; ``routes`` are methods, paths below the prefix, functions and scopes."""
    paths: dict[str, dict[str, Any]] = {}
    for method, rule, function, scope in routes:
        path = re.sub(r"<(\w+)>", r"{\1}", rule)
        paths.setdefault(path, {})[method.lower()] = _operation(path, method, function, scope, prefix)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"riverstone {prefix}",
            "version": modeling.VERSION if prefix == "/engine-rest" else orchestration.VERSION,
            "description": "What clients of Camunda ask, as far as it is answered here (docs/camunda.md).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic", "description": "The key is the password."},
            },
        },
        "security": [{"key": []}, {"password": []}],
    }


def _operation(path: str, method: str, function: Any, scope: str, prefix: str) -> dict[str, Any]:
    told = DESCRIBED[function]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": TYPES["text"]} for name in re.findall(r"{(\w+)}", path)
    ]
    parameters += [{"name": name, "in": "query", "schema": found} for name, found in _members(told.query).items()]
    kind = "application/json" if prefix == "/engine-rest" else "application/problem+json"
    error = {"description": "Refused", "content": {kind: {"schema": {"$ref": "#/components/schemas/Error"}}}}
    answers: dict[str, Any] = {"default": error}
    if told.answer is None:
        answers["204"] = {"description": "Done"}
    else:
        found: Schema = {"$ref": f"#/components/schemas/{told.answer}"}
        found = {"type": "array", "items": found} if told.many else found
        media = "application/octet-stream" if told.answer == "File" else "application/json"
        answers["200"] = {"description": "Done", "content": {media: {"schema": found}}}
    for status, text in told.also.items():
        answers[str(status)] = {**(error if status >= 400 else {}), "description": text}
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{re.sub(r'[^a-zA-Z]+', '_', path).strip('_')}",
        "summary": told.summary,
        "description": f"Needs the scope `{scope}`." if scope != "known" else "Needs any key.",
        "parameters": parameters,
        "responses": answers,
    }
    if told.body:
        operation["requestBody"] = {"content": {"application/json": {"schema": _object(told.body)}}}
    if told.form:
        files = {"type": "array", "items": {"type": "string", "format": "binary"}}
        schema = {"type": "object", "properties": {told.form: files}}
        operation["requestBody"] = {"content": {"multipart/form-data": {"schema": schema}}}
    return operation
