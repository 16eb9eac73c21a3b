"""``/engine-rest`` for modelers and callers of Camunda 7: deploy, start, message, look, cancel."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from ...engine import Deployment, Engine, ModelInvalid, ProcessInstance
from ..access.clients import present_client
from ..wire.operation import visible
from .values import read_variables
from .view import body_of, json_answer, needed, text, uploaded, wrong
from .workers import moment

VERSION = "7.24.0"
"""The version of Camunda 7 whose clients this was tried with; Camunda Modeler asks whether it knows it."""
UNREADABLE = "ENGINE-09005 Could not parse BPMN process."
"""How Camunda Modeler knows that the diagram is what is wrong."""
FIELDS = frozenset(
    "deployment-name deployment-source enable-duplicate-filtering deploy-changed-only tenant-id"
    " deployment-activation-time".split()
)


def version(engine: Engine) -> dict[str, str]:
    return {"version": VERSION}


def get_deployments(engine: Engine) -> list[dict[str, Any]]:
    if request.args.get("maxResults") == "0":
        return []
    return [_deployment(each) for each in engine.deployments(limit=100).items]


def create_deployment(engine: Engine) -> dict[str, Any]:
    """Every file of the form, whatever its part is called; topics that nobody serves are for workers to fetch."""
    files = uploaded(engine)
    models = [
        file
        for file in files
        if str(file.name or "").lower().endswith((".bpmn", ".bpmn20.xml", ".dmn", ".form", ".xml"))
    ]
    if not models:
        raise wrong("the form", "holds no file that ends in .bpmn or .dmn")
    models.sort(key=lambda file: str(file.name).lower().endswith((".dmn", ".form")))
    try:
        deployed = engine.deploy(*models, name=request.form.get("deployment-name") or None, external=True)
    except ModelInvalid as error:
        raise ModelRefused(error) from error
    return {**_deployment(deployed), "deployedProcessDefinitions": {deployed.deployment_id: _definition(deployed)}}


class ModelRefused(Exception):
    """A model that cannot be deployed, for clients that know a diagram's errors by how the message begins."""

    def __init__(self, error: ModelInvalid) -> None:
        super().__init__(f"{UNREADABLE} {error.message}")


def _deployment(found: Deployment) -> dict[str, Any]:
    return {
        "id": found.deployment_id,
        "name": found.name,
        "deploymentTime": moment(found.created),
        "source": None,
        "tenantId": None,
        "links": [],
        "deployedProcessDefinitions": None,
        "deployedCaseDefinitions": None,
        "deployedDecisionDefinitions": None,
        "deployedDecisionRequirementsDefinitions": None,
    }


def _definition(found: Deployment) -> dict[str, Any]:
    return {
        "id": found.deployment_id,
        "key": found.key,
        "category": None,
        "description": None,
        "name": found.name,
        "version": found.version,
        "resource": f"{found.key}.bpmn",
        "deploymentId": found.deployment_id,
        "diagram": None,
        "suspended": False,
        "tenantId": None,
        "versionTag": None,
        "historyTimeToLive": None,
        "startableInTasklist": True,
    }


def start_by_id(engine: Engine, deployment_id: str) -> dict[str, Any]:
    return _start(engine, deployment_id=deployment_id)


def start_by_key(engine: Engine, key: str) -> dict[str, Any]:
    return _start(engine, key=key)


def _start(engine: Engine, **which: str) -> dict[str, Any]:
    body = body_of(engine)
    business_key = text(body, "businessKey")
    started = engine.start(
        **which,  # type: ignore[arg-type]
        name=business_key or next(iter(which.values())),
        variables=read_variables(engine, body.get("variables")),
        business_key=business_key,
        owner=present_client().owner,
    )
    return _instance(started)


def _instance(found: ProcessInstance) -> dict[str, Any]:
    return {
        "links": [],
        "id": found.process_instance_id,
        "definitionId": found.deployment_id,
        "definitionKey": found.key,
        "businessKey": found.business_key,
        "caseInstanceId": None,
        "ended": found.end_time is not None,
        "suspended": False,
        "tenantId": found.owner,
    }


def get_instance(engine: Engine, process_instance_id: str) -> dict[str, Any]:
    return _instance(visible(engine).get(process_instance_id))


def delete_instance(engine: Engine, process_instance_id: str) -> None:
    """A delete in Camunda ends a running process; here that is a cancel, which takes back what it made."""
    visible(engine).cancel(process_instance_id)


def message(engine: Engine) -> Response | None:
    body = body_of(engine)
    variables = read_variables(engine, body.get("processVariables"), "processVariables")
    taken = visible(engine).message(
        needed(body, "messageName"),
        variables,
        business_key=text(body, "businessKey"),
        process_instance_id=text(body, "processInstanceId"),
    )
    if not body.get("resultEnabled"):
        return None
    return json_answer([{"resultType": "ProcessDefinition", "execution": None, "processInstance": _instance(taken)}])
