"""``/model`` and ``/deployment``: authoring processes and publishing them."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any, TypeVar

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from ...engine import Deployment, Draft, Engine, Finding, Model, NextTimes, Page, jsontext
from ...engine.errors import Malformed
from ...engine.limits import Limits
from ...engine.mask import MASKED
from ...engine.views.people import StartForm
from ..access.clients import present_client
from ..codes import CodeExplained, explain
from ..wire.body import JsonBody
from ..wire.operation import Operations, visible
from ..wire.problems import wrong_fields
from ..wire.records import (
    CodeRecord,
    DeploymentDetail,
    DeploymentPage,
    DeploymentRecord,
    FindingRecord,
    ModelDetail,
    ModelPage,
    ModelRecord,
    NextTimesRecord,
    SavedModel,
    StartFormRecord,
)
from ..wire.request_schemas.models import (
    CheckOptions,
    DeployedModelOptions,
    DeploymentOptions,
    DeploymentQuery,
    ModelOptions,
    ModelQuery,
    Strictness,
    TimerQuery,
)
from ..wire.request_schemas.processes import Protection
from ..wire.request_schemas.tasks import FormValues

TEMPLATES = {"parameterTemplate": "parameter_template", "outputsTemplate": "outputs_template"}
Detail = TypeVar("Detail", Model, Deployment, Draft)
XML_TYPE = r"(application|text)/([^;]+\+)?xml|application/octet-stream"


class Upload(io.BytesIO):
    """An uploaded file, which like an opened one has a name for findings to tell it by."""

    def __init__(self, content: bytes, name: str | None = None) -> None:
        super().__init__(content)
        self.name = name or ""


class ModelBody:
    """BPMN as the whole body, or as files of a form beside its templates."""

    required = True

    def read(self, limits: Limits) -> dict[str, Any]:
        if request.mimetype == "multipart/form-data":
            return self._read_form(limits)
        if request.mimetype and not re.fullmatch(XML_TYPE, request.mimetype):
            wanted = "application/xml, or as the file bpmn of multipart/form-data"
            raise UnsupportedMediaType(f"Send the BPMN as {wanted}, not as {request.mimetype}.")
        request.max_content_length = limits.model_size
        data = request.get_data(cache=False)
        if not data:
            raise Malformed("The body is empty: send a BPMN file.", code="body-missing")
        return {"sources": [Upload(data)]}

    def _read_form(self, limits: Limits) -> dict[str, Any]:
        request.max_content_length = limits.model_size + 2 * limits.body_size
        request.max_form_memory_size = limits.body_size
        sources = [Upload(file.read(), file.filename) for file in request.files.getlist("bpmn")]
        known = {"name", *TEMPLATES}
        wrong = {name: ["Unknown field."] for name in {*request.form, *request.files} - known - {"bpmn"}}
        if "bpmn" in request.form:
            wrong["bpmn"] = ["Send it as a file, with a filename."]
        elif not sources:
            wrong["bpmn"] = ["Send at least one BPMN file of this name."]
        texts: dict[str, bytes] = {}
        for name in known & {*request.form, *request.files}:
            given = [text.encode() for text in request.form.getlist(name)]
            given += [file.read() for file in request.files.getlist(name)]
            texts[name] = given[0]
            if len(given) > 1:
                wrong[name] = ["Given more than once."]
        if wrong:
            raise wrong_fields(wrong)
        values: dict[str, Any] = {"sources": sources}
        for name in TEMPLATES.keys() & texts.keys():
            template = jsontext.loads(texts[name], limits=limits, name=name)
            if not isinstance(template, list):
                raise wrong_fields({name: ["Not a JSON array."]})
            values[TEMPLATES[name]] = template
        if "name" in texts:
            values |= ModelOptions().load({"name": texts["name"].decode("utf-8", "replace")})
        return values

    def content(self) -> dict[str, Any]:
        file = {"type": "string", "contentMediaType": "application/xml"}
        text = {"type": "string", "contentMediaType": "application/json"}
        form = {
            "type": "object",
            "required": ["bpmn"],
            "additionalProperties": False,
            "properties": {
                "bpmn": {"type": "array", "minItems": 1, "items": file},
                "name": {"type": "string", "minLength": 1, "maxLength": 255},
                **dict.fromkeys(TEMPLATES, text),
            },
        }
        return {"application/xml": {"schema": file}, "multipart/form-data": {"schema": form}}


OPERATIONS = Operations()


@OPERATIONS.add("/model", "List models, newest first", ModelPage, query=ModelQuery)
def get_models(engine: Engine, query: dict[str, Any]) -> Page[Model]:
    return engine.models(**query)


@OPERATIONS.add("/model", "Create a model", SavedModel, body=ModelBody(), query=ModelOptions, scope="deploy")
def post_models(engine: Engine, body: dict[str, Any], query: dict[str, Any]) -> Model:
    return engine.save_model(*body["sources"], **described(body, query))


@OPERATIONS.add("/model/<model_id>", "Show a model", ModelDetail, problems=(404,))
def get_model(engine: Engine, model_id: str) -> Model:
    return concealed(engine.model(model_id))


@OPERATIONS.add(
    "/model/<model_id>",
    "Remove a model with its deployments, which no process may still need",
    ModelRecord,
    problems=(404, 409),
    scope="deploy",
)
def delete_model(engine: Engine, model_id: str) -> Model:
    return visible(engine).remove_model(model_id)


@OPERATIONS.add(
    "/model/<model_id>",
    "Replace a model: its BPMN, its name and its templates",
    SavedModel,
    body=ModelBody(),
    query=ModelOptions,
    problems=(404, 409),
    scope="deploy",
)
def put_model(engine: Engine, model_id: str, body: dict[str, Any], query: dict[str, Any]) -> Model:
    engine.model(model_id)
    return engine.save_model(*body["sources"], model_id=model_id, **described(body, query))


@OPERATIONS.add(
    "/model/<model_id>/deployment",
    "Deploy a model as it now stands",
    DeploymentRecord,
    query=DeployedModelOptions,
    problems=(404, 409),
    scope="deploy",
)
def post_model_deployment(engine: Engine, model_id: str, query: dict[str, Any]) -> Deployment:
    return engine.deploy_model(model_id, **query)


@OPERATIONS.add(
    "/model/<model_id>/protection",
    "Refuse or allow deletes of what processes of a model made",
    ModelRecord,
    body=JsonBody(Protection),
    problems=(404,),
    scope="deploy",
)
def put_model_protection(engine: Engine, model_id: str, body: dict[str, Any]) -> Model:
    return engine.protect_model(model_id, body["protected"])


@OPERATIONS.add(
    "/model/<model_id>/finding",
    "Check a model as it now stands",
    FindingRecord,
    many=True,
    query=Strictness,
    problems=(404,),
)
def get_model_findings(engine: Engine, model_id: str, query: dict[str, Any]) -> list[Finding]:
    return engine.lint_model(model_id, **query)


@OPERATIONS.add("/model/<model_id>/form", "Show what a trial run asks for", StartFormRecord, problems=(404, 409))
def get_model_form(engine: Engine, model_id: str) -> StartForm:
    return engine.start_form(model_id=model_id)


@OPERATIONS.add(
    "/model/<model_id>/form",
    "Show how the form of a trial run stands with other values, and what is wrong with these; nothing is kept",
    StartFormRecord,
    body=JsonBody(FormValues),
    problems=(404, 409),
    scope="read",
    audited=False,
)
def post_model_form(engine: Engine, model_id: str, body: dict[str, Any]) -> StartForm:
    return engine.start_form(model_id=model_id, values=body.get("values") or {})


@OPERATIONS.add(
    "/finding",
    "Check BPMN files with their templates, keeping nothing",
    FindingRecord,
    many=True,
    body=ModelBody(),
    query=CheckOptions,
    scope="deploy",
    audited=False,
)
def post_findings(engine: Engine, body: dict[str, Any], query: dict[str, Any]) -> list[Finding]:
    return engine.lint(
        *body["sources"],
        parameter_template=body.get("parameter_template"),
        outputs_template=body.get("outputs_template"),
        strict=query.get("strict", False),
        external=query.get("external", False),
    )


@OPERATIONS.add("/timer", "Tell when a timer of a model would come next", NextTimesRecord, query=TimerQuery)
def get_next_times(engine: Engine, query: dict[str, Any]) -> NextTimes:
    return engine.next_times(**query)


@OPERATIONS.add("/deployment", "List deployments, newest first", DeploymentPage, query=DeploymentQuery)
def get_deployments(engine: Engine, query: dict[str, Any]) -> Page[Deployment]:
    return engine.deployments(**query)


@OPERATIONS.add(
    "/deployment",
    "Deploy BPMN files: their model is made or brought up to date, and the same content is deployed once",
    DeploymentRecord,
    body=ModelBody(),
    query=DeploymentOptions,
    problems=(409,),
    scope="deploy",
)
def post_deployments(engine: Engine, body: dict[str, Any], query: dict[str, Any]) -> Deployment:
    return engine.deploy(
        *body["sources"],
        **described(body, query),
        strict=query.get("strict", False),
        external=query.get("external", False),
        on_failure=query.get("on_failure"),
        undo_on_compensation=query.get("undo_on_compensation", False),
    )


@OPERATIONS.add("/deployment/<deployment_id>", "Show a deployment", DeploymentDetail, problems=(404,))
def get_deployment(engine: Engine, deployment_id: str) -> Deployment:
    return concealed(engine.deployment(deployment_id))


@OPERATIONS.add(
    "/deployment/<deployment_id>",
    "Remove a deployment, which no process may still need",
    DeploymentRecord,
    problems=(404, 409),
    scope="deploy",
)
def delete_deployment(engine: Engine, deployment_id: str) -> Deployment:
    return visible(engine).remove_deployment(deployment_id)


@OPERATIONS.add("/deployment/<deployment_id>/form", "Show what a start asks for", StartFormRecord, problems=(404, 409))
def get_deployment_form(engine: Engine, deployment_id: str) -> StartForm:
    return engine.start_form(deployment_id=deployment_id)


@OPERATIONS.add(
    "/deployment/<deployment_id>/form",
    "Show how the form of a start stands with other values, and what is wrong with these; nothing is kept",
    StartFormRecord,
    body=JsonBody(FormValues),
    problems=(404, 409),
    scope="read",
    audited=False,
)
def post_deployment_form(engine: Engine, deployment_id: str, body: dict[str, Any]) -> StartForm:
    return engine.start_form(deployment_id=deployment_id, values=body.get("values") or {})


def described(body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    """What is said of a model beside its files; raises Invalid for a name that is given twice."""
    if "name" in query and "name" in body:
        raise wrong_fields({"name": ["Given in both the query and the form."]})
    return {
        "name": body.get("name", query.get("name")),
        "parameter_template": body.get("parameter_template"),
        "outputs_template": body.get("outputs_template"),
        "protected": query.get("protected"),
    }


def concealed(view: Detail) -> Detail:
    """The model or deployment without the defaults of secret parameters, unless the client may write them itself."""
    if view.parameter_template is None or present_client().may("deploy"):
        return view
    shown = [
        entry | {"DefaultValue": MASKED} if entry.get("NoEcho") and "DefaultValue" in entry else entry
        for entry in view.parameter_template
    ]
    return replace(view, parameter_template=shown)


@OPERATIONS.add("/code/<code>", "Explain the code of a finding or an error", CodeRecord, problems=(404,))
def get_code(engine: Engine, code: str) -> CodeExplained:
    return explain(code)
