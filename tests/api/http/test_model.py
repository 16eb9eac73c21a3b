"""Authoring and publishing models over HTTP."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from riverstone.engine import Engine

from .. import processes
from ..asking import Client


def post(client: Client, source: bytes, path: str = "/model", media_type: str | None = "application/xml") -> Any:
    return client.post(path, data=source, content_type=media_type)


@pytest.mark.parametrize(
    "media_type", ["application/xml", "text/xml", "application/bpmn+xml", "application/octet-stream", None]
)
def test_a_model_is_made_from_a_bpmn_body(client: Client, media_type: str | None) -> None:
    response = post(client, processes.making(), "/model?name=甲", media_type)

    assert response.status_code == 200
    assert response.json["key"] == "making"
    assert response.json["name"] == "甲"
    assert all(finding["severity"] == "warning" for finding in response.json["findings"])
    shown = client.get(f"/model/{response.json['modelId']}").json
    assert 'id="making"' in shown["xml"]
    assert shown["parameterTemplate"] is None


def test_a_form_carries_the_file_and_its_templates(client: Client) -> None:
    parameters = [{"Key": "size", "Type": "Number", "DefaultValue": "3"}]
    outputs = [{"Key": "thing", "DisplayName": "The thing", "Value": "${outputs.middle.thing}"}]
    form = {
        "bpmn": (io.BytesIO(processes.making()), "making.bpmn"),
        "name": "Making",
        "parameterTemplate": json.dumps(parameters),
        "outputsTemplate": (io.BytesIO(json.dumps(outputs).encode()), "outputs.json"),
    }

    model = client.post("/model", data=form).json
    deployed = client.post(f"/model/{model['modelId']}/deployment").json
    body = {"deploymentId": deployed["deploymentId"], "processName": "test", "variables": {}}
    started = client.post("/process", json=body).json

    ended = client.get(f"/process/{started['processInstanceId']}").json
    assert json.loads(ended["outputs"]) == {"thing": "thing-3"}
    assert client.get(f"/deployment/{deployed['deploymentId']}").json["parameterTemplate"] == parameters


def test_formal_rules_count_only_for_who_asks(client: Client) -> None:
    formal = processes.making().replace(b'<serviceTask id="middle"', b'<serviceTask startQuantity="0" id="middle"')
    model_id = post(client, formal).json["modelId"]

    def severity(query: str) -> str:
        found = client.get(f"/model/{model_id}/finding{query}").json
        return next(str(each["severity"]) for each in found if each["code"] == "quantity-below-one")

    assert (severity(""), severity("?strict=false"), severity("?strict=true")) == ("warning", "warning", "error")
    for path in ("/deployment", f"/model/{model_id}/deployment"):
        refused = post(client, formal, f"{path}?strict=true")
        assert refused.status_code == 422, refused.json
        assert "quantity-below-one" in {each["code"] for each in refused.json["findings"]}
        assert post(client, formal, path).status_code == 200
        assert post(client, formal, f"{path}?strict=true").status_code == 422, "the same content is deployed already"
    assert post(client, formal, "/deployment?strict=maybe").status_code == 422


def test_nodes_without_ids_are_a_finding(client: Client) -> None:
    """Two of them once were a 500 (Duplicate task spec name: None)."""
    refused = post(client, processes.making().replace(b"</process>", b"<task/><task/></process>"), "/deployment")
    assert refused.status_code == 422
    assert {each["code"] for each in refused.json["findings"] if each["severity"] == "error"} == {"missing-id"}


def test_an_edit_takes_effect_when_it_is_deployed(client: Client) -> None:
    model_id = post(client, processes.making()).json["modelId"]
    first = client.post(f"/model/{model_id}/deployment").json

    edited = client.put(
        f"/model/{model_id}?name=better", data=processes.serviced("making", "break"), content_type="application/xml"
    )
    before = client.get("/deployment?key=making").json["items"]
    second = client.post(f"/model/{model_id}/deployment").json

    assert edited.status_code == 200
    assert [one["deploymentId"] for one in before] == [first["deploymentId"]]
    assert (first["version"], second["version"]) == (1, 2)
    listed = client.get(f"/deployment?modelId={model_id}&limit=1").json
    assert [one["version"] for one in listed["items"]] == [2]
    rest = client.get(f"/deployment?modelId={model_id}&limit=1&cursor={listed['cursor']}").json
    assert [one["version"] for one in rest["items"]] == [1]
    assert rest["cursor"] is None


def test_deploying_the_same_content_again_gives_the_same_deployment(client: Client) -> None:
    model_id = post(client, processes.making()).json["modelId"]

    deployed = [client.post(f"/model/{model_id}/deployment").json["deploymentId"] for _ in range(2)]

    assert deployed[0] == deployed[1]


def test_a_refused_model_answers_with_its_findings(client: Client) -> None:
    dangling = processes.making().replace(b'targetRef="done"', b'targetRef="nowhere"')

    response = post(client, dangling)

    assert response.status_code == 422
    assert response.json["code"] == "model-invalid"
    assert response.json["findings"][0].keys() == {"code", "severity", "text", "elementId", "line", "source"}
    assert any(finding["severity"] == "error" for finding in response.json["findings"])
    assert client.get("/model").json["items"] == []


@pytest.mark.parametrize(
    ("source", "statuses"),
    [
        (b"", {400}),
        (b"not xml", {400}),
        (b"<definitions>", {400}),
        (b"\xff\xfe\x00", {400}),
        (b"<html/>", {422}),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', {400, 422}),
        (b"<a>" * 100_000, {413}),
        (b" " * (2 * 1024 * 1024 + 1), {413}),
    ],
)
def test_what_is_no_bpmn_is_refused(client: Client, source: bytes, statuses: set[int]) -> None:
    response = post(client, source)

    assert response.status_code in statuses
    assert response.mimetype == "application/problem+json"
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"name": "x"}, 422, "bpmn"),
        ({"bpmn": "text instead of a file"}, 415, None),
        ({"colour": "red"}, 422, "colour"),
        ({"name": ""}, 422, "name"),
        ({"parameterTemplate": "["}, 400, None),
        ({"parameterTemplate": "{}"}, 422, "parameterTemplate"),
        ({"outputsTemplate": '[{"Key": 1}]'}, 422, None),
    ],
)
def test_a_form_is_read_strictly(client: Client, fields: dict[str, Any], status: int, named: str | None) -> None:
    form = dict(fields)
    if named != "bpmn" and "bpmn" not in form:
        form["bpmn"] = (io.BytesIO(processes.making()), "making.bpmn")
    content_type = "multipart/form-data" if named == "bpmn" else None

    response = client.post("/model", data=form, content_type=content_type)

    assert response.status_code == status, response.text
    assert named is None or named in response.json["errors"]


@pytest.mark.parametrize("identifier", ["nobody", "%00", "x" * 300, "d4888443-857e-11e8-bef7-d00dd670a106"])
def test_an_unknown_model_or_deployment_is_not_found(client: Client, identifier: str) -> None:
    assert client.get(f"/model/{identifier}").status_code == 404
    assert client.get(f"/deployment/{identifier}").status_code == 404
    assert client.post(f"/model/{identifier}/deployment").status_code == 404
    edit = client.put(f"/model/{identifier}", data=processes.making(), content_type="application/xml")
    assert edit.status_code == 404


def test_models_are_listed_by_key(client: Client) -> None:
    post(client, processes.making())
    post(client, processes.asking())

    assert [model["key"] for model in client.get("/model?key=asking").json["items"]] == ["asking"]
    assert len(client.get("/model").json["items"]) == 2


def test_files_that_call_each_other_are_uploaded_together(client: Client, engine: Engine) -> None:
    call = processes.bpmn("calling", '<callActivity id="middle" calledElement="making"/>')

    alone = post(client, call)
    files = [(io.BytesIO(call), "calling.bpmn"), (io.BytesIO(processes.making()), "making.bpmn")]
    together = client.post("/model", data={"bpmn": files})

    assert alone.status_code == 422
    assert "making" in alone.json["message"]
    assert together.status_code == 200
    assert together.json["key"] == "calling"
    deployed = client.post(f"/model/{together.json['modelId']}/deployment")
    assert deployed.status_code == 200
    started = engine.start(key="calling", name="test")
    assert engine.wait(started.process_instance_id, timeout=60).status == "success"


def test_a_finding_names_the_file_that_it_is_about(client: Client) -> None:
    dangling = processes.asking().replace(b'targetRef="done"', b'targetRef="nowhere"')
    files = [(io.BytesIO(processes.making()), "making.bpmn"), (io.BytesIO(dangling), "asking.bpmn")]

    findings = client.post("/model", data={"bpmn": files}).json["findings"]

    assert {finding["source"] for finding in findings if finding["severity"] == "error"} == {"asking.bpmn"}
