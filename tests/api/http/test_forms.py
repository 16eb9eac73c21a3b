"""Forms of people's tasks over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riverstone.engine import Engine

from ...features.sketch import definitions, flow, process
from ..asking import Client
from ..processes import bpmn

HIDE = "=if size > 5 then false else true"
SCHEMA = {
    "type": "default",
    "id": "ask",
    "components": [
        {"type": "number", "key": "size", "label": "Size", "id": "size", "validate": {"required": True, "max": 9}},
        {"type": "textfield", "key": "why", "label": "Why", "id": "why", "conditional": {"hide": HIDE}},
    ],
}
ASK = bpmn("asking", '<userTask id="middle" name="Approve" camunda:formRef="ask" camunda:candidateGroups="sales"/>')


@pytest.fixture
def task(engine: Engine) -> str:
    engine.deploy(ASK, json.dumps(SCHEMA).encode())
    number = engine.start(key="asking", name="An order", variables={"pin": 4711}, owner="shop").process_instance_id
    return engine.tasks(number)[0].task_id


@pytest.fixture
def alice(engine: Engine, task: str) -> dict[str, str]:
    text = engine.keys.add("alice", scopes=["read", "run"], user="alice", groups=["sales"])[1]
    return {"Authorization": f"Bearer {text}"}


def hidden(answer: Any) -> dict[str, bool]:
    return {part["id"]: part["hidden"] for part in answer.json["parts"]}


def test_a_form_is_shown_evaluated_refused_by_field_and_taken(
    client: Client, engine: Engine, task: str, alice: dict[str, str]
) -> None:
    shown = client.get(f"/task/{task}/form", headers=alice)
    assert (shown.status_code, hidden(shown), shown.json["may"]) == (
        200,
        {"size": False, "why": True},
        ["claim", "complete"],
    )
    assert "4711" not in shown.text
    filled = client.post(f"/task/{task}/form", json={"values": {"size": 7}}, headers=alice)
    assert (hidden(filled), filled.json["errors"]) == ({"size": False, "why": False}, {})
    filled = client.post(f"/task/{task}/form", json={"values": {"size": 70}}, headers=alice)
    assert filled.json["errors"] == {"size": ["Must be at most 9."]}
    assert client.post(f"/task/{task}/form", json={"values": 7}, headers=alice).status_code == 422
    refused = client.put(f"/task/{task}/complete", json={"outputs": {"size": 70, "siez": 1}}, headers=alice)
    assert refused.status_code == 422
    assert refused.json["errors"].keys() == {"size", "siez"}
    picture = client.get(f"/task/{task}/picture", headers=alice)
    assert (picture.status_code, picture.mimetype) == (200, "image/svg+xml")
    assert client.put(f"/task/{task}/complete", json={"outputs": {"size": "7"}}, headers=alice).status_code == 200
    assert json.loads(client.get(f"/task/{task}", headers=alice).json["outputs"]) == {"size": 7}
    done = client.get(f"/task/{task}/form", headers=alice)
    assert (done.json["parts"], done.json["may"], done.json["task"]["doneBy"]) == ([], [], "alice")


def test_a_form_is_as_if_it_were_not_there_for_everybody_else(client: Client, engine: Engine, task: str) -> None:
    text = engine.keys.add("carol", scopes=["read", "run"], user="carol", groups=["law"])[1]
    headers = {"Authorization": f"Bearer {text}"}
    for method, path in (("get", "form"), ("post", "form"), ("get", "picture")):
        body: dict[str, Any] = {"json": {"values": {}}} if method == "post" else {}
        assert getattr(client, method)(f"/task/{task}/{path}", headers=headers, **body).status_code == 404


def test_a_form_with_a_form_is_deployed_over_http(client: Client, engine: Engine) -> None:
    import io

    def deployed(*files: tuple[bytes, str]) -> Any:
        data = {"bpmn": [(io.BytesIO(content), name) for content, name in files]}
        return client.post("/deployment", data=data, content_type="multipart/form-data")

    missing = deployed((ASK, "asking.bpmn"))
    assert (missing.status_code, missing.json["findings"][0]["code"]) == (422, "form-missing")
    made = deployed((ASK, "asking.bpmn"), (json.dumps(SCHEMA).encode(), "ask.form"))
    assert made.status_code == 200, made.text
    # By now a deployment holds it.
    assert deployed((ASK, "asking.bpmn")).status_code == 200


def test_a_start_is_asked_for_by_a_form_too(client: Client, engine: Engine) -> None:
    start = '<startEvent id="s" camunda:formRef="ask"/>'
    source = definitions(process("asked", start, '<endEvent id="e"/>', flow("s", "e")))
    version = engine.deploy(source, json.dumps(SCHEMA).encode())
    for place in (f"/deployment/{version.deployment_id}/form", f"/model/{version.model_id}/form"):
        shown = client.get(place)
        assert (hidden(shown), shown.json["key"]) == ({"size": False, "why": True}, "asked")
        filled = client.post(place, json={"values": {"size": 70}})
        assert (hidden(filled)["why"], filled.json["errors"]) == (False, {"size": ["Must be at most 9."]})
        assert client.post(place, json={"values": 7}).status_code == 422
    assert client.get("/deployment/gone/form").status_code == 404
    refused = client.post("/process", json={"key": "asked", "processName": "x", "variables": {"size": "many"}})
    assert (refused.status_code, refused.json["code"]) == (422, "variables-invalid")
    assert refused.json["errors"] == {"size": ["Must be a number."]}
    assert (
        client.post("/process", json={"key": "asked", "processName": "x", "variables": {"size": 3}}).status_code == 200
    )
