"""``/engine-rest`` for modelers and callers of Camunda 7: deploy, start, message, look, cancel."""

from __future__ import annotations

from itertools import islice
from typing import Any

from flask import Response, request

from ...engine import Conflict, Decision, Deployment, Engine, ModelInvalid, ProcessInstance
from ...engine.calls.tasks.external_views import MOST_AT_ONCE
from ..access.clients import present_client
from ..errors import Refused
from ..wire.operation import visible
from .definitions import deployments
from .values import read_variables, show_variables
from .view import body_of, json_answer, needed, text, truth, uploaded, wrong
from .workers import count, moment, refuse_order

VERSION = "7.24.0"
"""The version of Camunda 7 whose clients this was tried with; Camunda Modeler asks whether it knows it."""
UNREADABLE = "ENGINE-09005 Could not parse BPMN process."
"""How Camunda Modeler knows that the diagram is what is wrong."""
OTHER = (".dmn", ".form")
"""How files end that hold no process."""
PART = ("firstResult", "maxResults")
FURTHEST = 10_000
"""How many deployments a list passes over: they are read to be counted."""


USUAL = {
    "failIfNotExists": "true",
    **dict.fromkeys(("skipCustomListeners", "skipIoMappings", "skipSubprocesses"), "false"),
}
"""What a cancel may be told, since it is so here."""


def version(engine: Engine) -> dict[str, str]:
    return {"version": VERSION}


def get_deployments(engine: Engine) -> Response:
    """The newest first, at most 100; a Link names the next ones (RFC 8288)."""
    for name in request.args:
        if name not in PART and name not in ("sortBy", "sortOrder"):
            # What it should leave out would be among them.
            raise wrong(name, "is no filter that is known here")
    refuse_order(request.args, "deploymentTime", "desc")
    first, most = count("firstResult", 0), min(count("maxResults", MOST_AT_ONCE), MOST_AT_ONCE)
    if first > FURTHEST:
        raise wrong("firstResult", f"is to be at most {FURTHEST}")
    found = list(islice(deployments(engine), first, first + most + 1)) if most else []
    answer = json_answer([_deployment(each) for each in found[:most]])
    if len(found) > most:
        answer.headers["Link"] = f'<deployment?firstResult={first + most}&maxResults={most}>; rel="next"'
    return answer


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
    models.sort(key=lambda file: str(file.name).lower().endswith(OTHER))
    try:
        deployed = engine.deploy(*models, name=request.form.get("deployment-name") or None, external=True)
    except ModelInvalid as error:
        raise ModelRefused(error, str(models[0].name)) from error
    process = next((str(file.name) for file in models if not str(file.name).lower().endswith(OTHER)), None)
    decision = next((str(file.name) for file in models if str(file.name).lower().endswith(".dmn")), "")
    decisions = {
        each.decision_id: {**_of_decision(each, decision), "deploymentId": deployed.deployment_id}
        for each in engine.versions.decisions(deployed)
    }
    holds_process = process is not None and not (decisions and deployed.key in decisions)
    definitions = {deployed.deployment_id: {**_definition(deployed), "resource": process}}
    return {
        **_deployment(deployed),
        "source": request.form.get("deployment-source"),
        "deployedProcessDefinitions": definitions if holds_process else None,
        "deployedDecisionDefinitions": {each["id"]: each for each in decisions.values()} or None,
    }


def _of_decision(found: Decision, resource: str) -> dict[str, Any]:
    return {
        "id": f"{found.decision_id}:{found.version}:{found.deployment_id}",
        "key": found.decision_id,
        "category": None,
        "name": found.name,
        "version": found.version,
        "resource": resource,
        "tenantId": None,
        "decisionRequirementsDefinitionId": None,
        "decisionRequirementsDefinitionKey": None,
        "historyTimeToLive": None,
        "versionTag": None,
    }


class ModelRefused(Exception):
    """A model that cannot be deployed, for clients that know a diagram's errors by how the message begins."""

    def __init__(self, error: ModelInvalid, name: str) -> None:
        super().__init__(f"{UNREADABLE} {error.message}")
        self.details: dict[str, dict[str, list[dict[str, Any]]]] = {}
        """Every finding by its file, as Camunda tells those of a parser."""
        for finding in error.findings:
            told = self.details.setdefault(finding.source or name, {"errors": [], "warnings": []})
            ids = [] if finding.element_id is None else [finding.element_id]
            told["errors" if finding.severity == "error" else "warnings"].append(
                {
                    "message": finding.text,
                    "line": finding.line or 0,
                    "column": 0,
                    "mainElementId": finding.element_id,
                    "elementIds": ids,
                }
            )


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
    if body.get("startInstructions"):
        raise wrong("startInstructions", "is not known here: a process starts at its start event")
    business_key, shows = text(body, "businessKey"), truth(body, "withVariablesInReturn")
    started = engine.start(
        **which,  # type: ignore[arg-type]
        name=business_key or next(iter(which.values())),
        variables=read_variables(engine, body.get("variables")),
        business_key=business_key,
        owner=present_client().owner,
    )
    if not shows:
        return _instance(started)
    return {**_instance(started), "variables": show_variables(engine.variables(started.process_instance_id))}


def _instance(found: ProcessInstance) -> dict[str, Any]:
    return {
        "links": [],
        "id": found.process_instance_id,
        "definitionId": found.deployment_id,
        "definitionKey": found.key,
        "businessKey": found.business_key,
        "caseInstanceId": None,
        # An undo that has begun has work to do yet, which Camunda's callers know nothing of.
        "ended": found.end_time is not None and not found.status.endswith(".begin"),
        "suspended": False,
        "tenantId": found.owner,
    }


def get_instance(engine: Engine, process_instance_id: str) -> dict[str, Any]:
    return _instance(visible(engine).get(process_instance_id))


def delete_instance(engine: Engine, process_instance_id: str) -> None:
    """A delete in Camunda ends a running process; here that is a cancel, which undoes what it made."""
    for name, value in request.args.items():
        if USUAL.get(name) != value:
            usual = f", except as {USUAL[name]}" if name in USUAL else ""
            raise wrong(name, f"is not known here{usual}")
    visible(engine).cancel(process_instance_id)


UNKNOWN_OF_MESSAGES = (
    "correlationKeys",
    "localCorrelationKeys",
    "processVariablesLocal",
    "processVariablesToTriggeredScope",
    "all",
)


def message(engine: Engine) -> Response | None:
    body = body_of(engine)
    for name in UNKNOWN_OF_MESSAGES:
        # It would choose another process, or give it other values.
        if body.get(name):
            raise wrong(name, "is not known here: use businessKey, processInstanceId and processVariables")
    variables = read_variables(engine, body.get("processVariables"), "processVariables")
    told = truth(body, "resultEnabled")
    try:
        taken = visible(engine).correlate(
            needed(body, "messageName"),
            variables,
            business_key=text(body, "businessKey"),
            process_instance_id=text(body, "processInstanceId"),
        )
    except Conflict as error:
        if error.code != "message-not-expected":
            raise
        raise NobodyWaits(error.message) from error
    number = taken.process_instance_id
    if number is None or not told:
        return None
    process = visible(engine).get(number)
    if taken.outcome == "started":
        return json_answer(
            [{"resultType": "ProcessDefinition", "execution": None, "processInstance": _instance(process)}]
        )
    execution = {"id": number, "processInstanceId": number, "ended": False, "tenantId": process.owner}
    return json_answer([{"resultType": "Execution", "execution": execution, "processInstance": None}])


class NobodyWaits(Exception):
    """A message that nobody can take, by the name that Camunda has for it."""


def elsewhere(engine: Engine, rest: str) -> None:
    """Whatever of Camunda's own is not answered."""
    text = f"{request.method} /{rest[:200]} of Camunda is not answered here: see /engine-rest/openapi.json for what is."
    raise Refused(text, status=404, code="not-found")
