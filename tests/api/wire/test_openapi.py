"""The description tells of everything that is served, and of nothing else."""

from __future__ import annotations

import json
from typing import get_args
from urllib.parse import urljoin

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from riverstone.api import create_blueprint
from riverstone.engine import Engine
from riverstone.models.vocabulary import WaitKind

from .. import processes
from ..asking import Client
from ..http.test_process import RECORD
from ..http.test_seed import CONTENT, START

TEXTS = {
    "/metrics": "text/plain; version=0.0.4; charset=utf-8",
    "/task/{taskId}/picture": "image/svg+xml",
    "/resource/csv": "text/csv; charset=utf-8",
}
"""What is not answered as JSON."""


def test_every_route_is_described_and_every_description_is_served(client: Client) -> None:
    described = client.get("/openapi.json").json

    rules = {
        (str(rule).replace("<", "{").replace(">", "}"), method.lower())
        for rule in client.application.url_map.iter_rules()
        # Those of Camunda have documents of their own, and those of a session are for browsers alone.
        if not rule.endpoint.startswith(("console.", "docs.", "camunda.", "session."))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    snake = {"processInstanceId": "process_instance_id", "taskId": "task_id"}
    snake |= {"batchId": "batch_id", "scheduleId": "schedule_id"}
    snake |= {"modelId": "model_id", "deploymentId": "deployment_id", "decisionId": "decision_id"}
    snake |= {"subscriptionId": "subscription_id", "noticeId": "notice_id"}
    told = set()
    for path, operations in described["paths"].items():
        for camel, name in snake.items():
            path = path.replace(f"{{{camel}}}", f"{{{name}}}")
        told |= {(path, method) for method in operations if method != "parameters"}
    # The address alone leads people to the console, and its pages ask whether one can sign in.
    assert rules - {("/openapi.json", "get"), ("/", "get"), ("/session", "get")} == told
    assert described["openapi"].startswith("3.1")


def test_the_record_is_described_member_by_member(client: Client) -> None:
    schemas = client.get("/openapi.json").json["components"]["schemas"]

    assert list(schemas["ProcessRecord"]["properties"]) == RECORD
    assert sorted(schemas["ProcessRecord"]["required"]) == sorted(RECORD)
    assert schemas["ProcessStart"]["additionalProperties"] is False
    assert schemas["ProcessStart"]["required"] == ["processName", "variables"]


def test_every_operation_tells_of_its_problems(client: Client) -> None:
    described = client.get("/openapi.json").json

    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            for status, response in operation["responses"].items():
                if status == "304":
                    continue
                good = TEXTS.get(path, "application/json")
                media_type = good if status in ("200", "202") else "application/problem+json"
                assert list(response["content"]) == [media_type], (path, method, status)
            assert "500" in operation["responses"]
            assert ("requestBody" in operation) == ("415" in operation["responses"])


def test_below_a_prefix_the_description_names_its_own_server(engine: Engine) -> None:
    host = Flask("host")
    host.register_blueprint(create_blueprint(engine), url_prefix="/river")

    (server,) = Client(host).get("/river/openapi.json").json["servers"]
    assert urljoin("https://bpm.example.com/river/openapi.json", server["url"]) == "https://bpm.example.com/river"


def test_the_description_is_valid_openapi_with_the_examples_of_the_original(client: Client) -> None:
    described = client.get("/openapi.json").json

    OpenAPIV31SpecValidator(described).validate()
    schemas = described["components"]["schemas"]
    start, record = schemas["ProcessStart"]["examples"][0], schemas["ProcessRecord"]["examples"][0]
    assert start["variables"] == json.loads(START)["variables"]
    assert json.dumps(record["processContent"]) == f'"{CONTENT}"'
    assert list(record) == RECORD
    for name, schema in schemas.items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        validator = Draft202012Validator(whole)
        for example in schema.get("examples", ()):
            assert not list(validator.iter_errors(example)), name
    bodies = [
        content["schema"]["$ref"].rpartition("/")[2]
        for operations in described["paths"].values()
        for operation in operations.values()
        if isinstance(operation, dict)
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
        if kind == "application/json"
    ]
    assert [name for name in bodies if not schemas[name].get("examples")] == []


WAITING = {
    "message": '<messageEventDefinition messageRef="paid"/>',
    "signal": '<signalEventDefinition signalRef="alarm"/>',
    "timer": "<timerEventDefinition><timeDuration>PT3H</timeDuration></timerEventDefinition>",
    "date": "<timerEventDefinition><timeDate>2099-01-31T08:00:00Z</timeDate></timerEventDefinition>",
    "condition": "<conditionalEventDefinition><condition>${parameters.ready}</condition></conditionalEventDefinition>",
}
"""An event that waits, by the kind of its wait (BPMN 2.0.2, 10.5.5; a ``timeDate`` is a date)."""


@pytest.mark.parametrize("kind", get_args(WaitKind))
def test_what_waits_is_shown_as_it_is_described(engine: Engine, client: Client, kind: str) -> None:
    before = '<message id="paid" name="paid"/><signal id="alarm" name="alarm"/>'
    engine.deploy(processes.bpmn("waits", processes.catching(WAITING[kind]), before=before))
    started = engine.start(key="waits", name="waits", variables={"ready": False})

    detail = client.get(f"/process/{started.process_instance_id}/detail").json

    assert [wait["kind"] for token in detail["tokens"] for wait in token["waits"]] == [kind]
    components = client.get("/openapi.json").json["components"]
    whole = {"$ref": "#/components/schemas/ProcessDetail", "components": components}
    Draft202012Validator(whole).validate(detail)


def test_every_operation_belongs_to_a_part_that_is_told_of(client: Client) -> None:
    described = client.get("/openapi.json").json

    parts = {tag["name"] for tag in described["tags"]}
    used = {
        tag
        for operations in described["paths"].values()
        for name, operation in operations.items()
        if name != "parameters"
        for tag in operation["tags"]
    }
    assert used == parts
