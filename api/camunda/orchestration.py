"""``/v2`` for modelers and callers of Camunda 8: topology, deploy, start, cancel, messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from flask import Response, request

from ...engine import Conflict, Engine, Invalid, ProcessInstance, Situation
from ..access.clients import present_client
from ..http.waiting import held
from ..wire.operation import visible
from .definitions import DEFAULT_TENANT, deployment_of, key_of, version_of
from .view import body_of, json_answer, needed, number, text, texts, truth, uploaded, wrong
from .workers import EARLY, WAIT

VERSION = "8.8.0"
"""The version of Camunda 8 whose clients this was tried with."""
LONGEST_TTL = 366 * 86_400_000
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
"""Where a request says that the server is (RFC 9110, 7.2)."""


def topology(engine: Engine) -> dict[str, Any]:
    """One broker with one partition: whoever asks wants to know whether it may go on."""
    asked = HOST.fullmatch(request.host)
    host, port = (asked[1], int(asked[2] or 80)) if asked is not None else ("", 80)
    partition = {"partitionId": 1, "role": "leader", "health": "healthy", "state": "active"}
    broker = {"nodeId": 0, "brokerId": "0", "host": host, "port": port, "version": VERSION, "partitions": [partition]}
    return {
        "brokers": [broker],
        "clusterId": "riverstone",
        "clusterSize": 1,
        "partitionsCount": 1,
        "replicationFactor": 1,
        "gatewayVersion": VERSION,
        "lastCompletedChangeId": "-1",
    }


def deploy(engine: Engine) -> dict[str, Any]:
    """The files of the form; job types that nobody serves are for workers to activate."""
    files = uploaded(engine, "resources")
    models = [file for file in files if str(file.name).lower().endswith((".bpmn", ".dmn", ".form", ".xml"))]
    if not models:
        raise wrong("resources", "holds no file that ends in .bpmn or .dmn")
    models.sort(key=lambda file: str(file.name).lower().endswith((".dmn", ".form")))
    deployed = engine.deploy(*models, external=True)
    definition = {
        "processDefinitionId": deployed.key,
        "processDefinitionVersion": deployed.version,
        "resourceName": models[0].name,
        "tenantId": DEFAULT_TENANT,
        "processDefinitionKey": key_of(deployed.deployment_id),
    }
    kinds = {"decisionDefinition", "decisionRequirements", "form", "resource"}
    listed = {"processDefinition": definition, **dict.fromkeys(sorted(kinds))}
    return {"deploymentKey": key_of(deployed.deployment_id), "tenantId": DEFAULT_TENANT, "deployments": [listed]}


def start(engine: Engine) -> dict[str, Any] | Response:
    """Start a process; with ``awaitCompletion`` it is answered at its end, with its variables."""
    body = body_of(engine)
    which = _which(engine, body)
    variables = body.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise wrong("variables", "is to be an object")
    wanted, wait = texts(body, "fetchVariables"), number(body, "requestTimeout", 0) or WAIT
    if wait < 0:
        raise wrong("requestTimeout", "is to be 0 or more milliseconds")
    business_key, awaited = text(body, "businessId"), truth(body, "awaitCompletion")
    started = engine.start(
        **which,  # type: ignore[arg-type]
        name=business_key or text(body, "processDefinitionId") or next(iter(which.values())),
        variables=variables or {},
        business_key=business_key,
        owner=present_client().owner,
    )
    if not awaited:
        return _started(engine, started, {})
    return _at_its_end(engine, started.process_instance_id, wait, wanted)


def _at_its_end(engine: Engine, process_instance_id: str, wait: int, wanted: Sequence[str] | None) -> Response:
    """What a process has come to: its variables where it succeeds, else an error; another when the time is over."""
    seen = visible(engine)

    def look(situation: Situation, last: bool) -> Response | None:
        found = situation.instance
        if situation.need == "ended" and found.status == "success":
            variables = seen.variables(process_instance_id)
            if wanted:
                variables = {name: variables[name] for name in wanted if name in variables}
            return json_answer(_started(engine, found, variables))
        told = f"Process {process_instance_id} has the status {found.status}"
        if situation.need == "ended":
            return problem(409, "INVALID_STATE", f"{told}: {found.reason}" if found.reason else f"{told}.")
        return problem(504, "DEADLINE_EXCEEDED", f"{told}: it has not ended in time, and goes on.") if last else None

    return held(seen, process_instance_id, look, max(0, wait - EARLY) / 1000)


def _started(engine: Engine, started: ProcessInstance, variables: dict[str, Any]) -> dict[str, Any]:
    return {
        "processDefinitionId": started.key,
        "processDefinitionVersion": version_of(engine, started.deployment_id),
        "tenantId": started.owner or DEFAULT_TENANT,
        "variables": variables,
        "processDefinitionKey": key_of(started.deployment_id),
        "processInstanceKey": started.process_instance_id,
        "tags": [],
        "businessId": started.business_key,
    }


def _which(engine: Engine, body: dict[str, Any]) -> dict[str, str]:
    if (number_of := body.get("processDefinitionKey")) is not None:
        if type(number_of) not in (str, int):
            raise wrong("processDefinitionKey", "is to be a text of digits")
        return {"deployment_id": deployment_of(engine, str(number_of))}
    key, version = needed(body, "processDefinitionId"), number(body, "processDefinitionVersion", -1)
    if version < 0:
        return {"key": key}
    if (found := engine.versions.numbered(key, version)) is not None:
        return {"deployment_id": found}
    raise Invalid(f"The process {key!r} has no version {version}.", code="fields-invalid")


def cancel(engine: Engine, process_instance_id: str) -> None:
    visible(engine).cancel(process_instance_id)


def publish(engine: Engine) -> dict[str, Any]:
    """A message that is kept for its time to live where nobody waits for it."""
    kept = number(body_of(engine), "timeToLive", 0)
    if not 0 <= kept <= LONGEST_TTL:
        raise wrong("timeToLive", f"is to be 0 to {LONGEST_TTL} milliseconds")
    try:
        _send(engine, kept / 1000 if kept else None)
    except Conflict as error:
        if error.code != "message-not-expected":
            raise
    return {"messageKey": str(uuid4().int % 2**62), "tenantId": DEFAULT_TENANT}


def correlate(engine: Engine) -> dict[str, Any] | Response:
    """A message that somebody has to wait for now."""
    try:
        taken = _send(engine, None)
    except Conflict as error:
        if error.code != "message-not-expected":
            raise
        return problem(404, "NOT_FOUND", error.message)
    number_of = "" if taken is None else taken.process_instance_id
    return {"messageKey": str(uuid4().int % 2**62), "tenantId": DEFAULT_TENANT, "processInstanceKey": number_of}


def _send(engine: Engine, ttl: float | None) -> Any:
    body = body_of(engine)
    variables = body.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise wrong("variables", "is to be an object")
    more: dict[str, Any] = {} if ttl is None else {"ttl": ttl}
    return visible(engine).message(
        needed(body, "name"), variables or {}, correlation=text(body, "correlationKey") or None, **more
    )


def problem(status: int, title: str, detail: str) -> Response:
    """An error as clients of Camunda 8 read it: a worker stops for good at one that lacks any of these five."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.path}
    answer = json_answer(content, status)
    answer.headers["Content-Type"] = "application/problem+json"
    return answer
