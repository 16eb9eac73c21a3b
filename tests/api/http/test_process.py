"""Starting, showing, listing and undoing processes over HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from riverstone.engine import Engine

from .. import processes
from ..asking import Client

RECORD = [
    "id",
    "processInstanceId",
    "modelId",
    "modelKey",
    "processName",
    "processType",
    "processStatus",
    "processContent",
    "startTime",
    "endTime",
    "activitiFileId",
    "outputs",
    "nativeOutputs",
    "rollbackProcessInstanceId",
    "cancelProcessInstanceId",
    "deleteProcessInstanceId",
]


def start(client: Client, **body: Any) -> dict[str, Any]:
    response = client.post("/process", json={"processName": "test", "variables": {}, **body})
    assert response.status_code == 200, response.text
    record: dict[str, Any] = response.json
    return record


def test_a_start_by_key_answers_the_whole_record_in_its_order(client: Client, key: str) -> None:
    body = f'{{"key": "{key}", "processName": "测试", "variables": {{"名": "值", "a": [1]}}}}'

    response = client.post("/process", data=body.encode(), content_type="application/json")

    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert "测试" in response.text
    record = json.loads(response.text)
    assert list(record) == RECORD
    assert record["modelKey"] == key
    assert record["processName"] == "测试"
    assert record["processContent"] == '{"名":"值","a":[1]}'
    assert record["processType"] is None
    assert record["activitiFileId"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", record["startTime"])


def test_the_record_is_shown_again_by_its_id(client: Client, key: str) -> None:
    started = start(client, key=key, variables={"size": 3})

    record = client.get(f"/process/{started['processInstanceId']}").json

    assert record["id"] == started["id"]
    assert record["processStatus"] == "success"
    assert json.loads(record["nativeOutputs"]) == {"middle": {"thing": "thing-3"}}
    assert record["endTime"] is not None


def test_null_beside_one_id_counts_as_absent(client: Client, key: str) -> None:
    assert start(client, key=key, modelId=None, deploymentId=None)["modelKey"] == key


def test_a_start_by_deployment_has_no_model_key(client: Client, engine: Engine) -> None:
    deployment = engine.deploy(processes.making())

    record = start(client, deploymentId=deployment.deployment_id)

    assert record["modelKey"] is None
    assert record["modelId"] == deployment.model_id


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        ({}, {"modelId", "deploymentId", "key"}),
        ({"key": None}, {"modelId", "deploymentId", "key"}),
        ({"key": "making", "modelId": "m"}, {"key", "modelId"}),
        ({"key": "making", "modelId": "m", "deploymentId": "d"}, {"key", "modelId", "deploymentId"}),
        ({"key": ""}, {"key"}),
        ({"key": 7}, {"key"}),
        ({"modelId": ["m"]}, {"modelId"}),
    ],
)
def test_exactly_one_id_must_be_given(client: Client, key: str, ids: dict[str, Any], named: set[str]) -> None:
    response = client.post("/process", json={"processName": "test", "variables": {}, **ids})

    assert response.status_code == 422
    assert named <= response.json["errors"].keys()


def test_every_wrong_field_is_told_at_once(client: Client, key: str) -> None:
    response = client.post(
        "/process", json={"key": key, "modelId": 5, "processName": "", "variables": [], "rollback": "yes", "colour": 1}
    )

    assert response.status_code == 422
    assert response.json["errors"].keys() >= {"modelId", "processName", "variables", "rollback", "colour"}
    assert response.json["message"] == response.json["detail"]


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u3000", 5, None, ["test"], "x" * 256])
def test_a_process_has_a_name(client: Client, key: str, name: Any) -> None:
    response = client.post("/process", json={"key": key, "processName": name, "variables": {}})

    assert response.status_code == 422
    assert list(response.json["errors"]) == ["processName"]


@pytest.mark.parametrize("variables", [[], "text", 1, True, None])
def test_variables_must_be_an_object(client: Client, key: str, variables: Any) -> None:
    response = client.post("/process", json={"key": key, "processName": "test", "variables": variables})

    assert response.status_code == 422
    assert list(response.json["errors"]) == ["variables"]


@pytest.mark.parametrize("name", ["modelId", "deploymentId", "key"])
def test_an_unknown_model_is_not_found(client: Client, name: str) -> None:
    response = client.post("/process", json={name: "nobody", "processName": "test", "variables": {}})

    assert response.status_code == 404
    assert "nobody" in response.json["message"]
    assert response.mimetype == "application/problem+json"


def test_variables_that_break_the_template_are_all_listed(client: Client, engine: Engine) -> None:
    template = [
        {"Key": "size", "Type": "Number", "MinValue": 1, "MaxValue": 9},
        {"Key": "colour", "Type": "String", "AllowedValues": ["red", "green"]},
    ]
    engine.deploy(processes.making(), parameter_template=template)

    response = client.post(
        "/process", json={"key": "making", "processName": "test", "variables": {"size": "77", "colour": "blue"}}
    )

    assert response.status_code == 422
    assert response.json["code"] == "variables-invalid"
    assert response.json["errors"].keys() == {"size", "colour"}


@pytest.mark.parametrize("identifier", ["1", "0", "-1", "9" * 30, "%00", "%F0%9F%92%A9", "%FF", "..%2f", "007", "1%20"])
@pytest.mark.parametrize("rest", ["", "/preview"])
def test_an_id_that_nothing_has_is_not_found(client: Client, identifier: str, rest: str) -> None:
    response = client.get(f"/process/{identifier}{rest}")

    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"


def test_the_same_idempotency_key_gives_the_same_instance(client: Client, key: str) -> None:
    body = {"key": key, "processName": "test", "variables": {"size": 2}}
    headers = {"Idempotency-Key": "order-4711"}

    first = client.post("/process", json=body, headers=headers)
    again = client.post("/process", json=body, headers=headers)
    other = client.post("/process", json={**body, "processName": "other"}, headers=headers)

    assert first.status_code == again.status_code == 200
    assert first.json["processInstanceId"] == again.json["processInstanceId"]
    assert other.status_code == 409
    assert other.json["code"] == "idempotency-conflict"


@pytest.mark.parametrize("value", ["", "two words", "x" * 256])
def test_an_idempotency_key_is_one_short_word(client: Client, key: str, value: str) -> None:
    body = {"key": key, "processName": "test", "variables": {}}

    response = client.post("/process", json=body, headers={"Idempotency-Key": value})

    assert response.status_code == 422
    assert list(response.json["errors"]) == ["Idempotency-Key"]


def test_a_list_is_read_part_by_part_newest_first(client: Client, key: str) -> None:
    started = [start(client, key=key, processName=f"n{number}")["processInstanceId"] for number in range(5)]

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2, "key": key}
    while True:
        page = client.get("/process", query_string=query).json
        seen += [record["processInstanceId"] for record in page["items"]]
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]

    assert seen == started[::-1]


def test_a_list_is_narrowed_by_status_and_name(client: Client, key: str) -> None:
    start(client, key=key, processName="one")
    start(client, key=key, processName="two")

    assert [one["processName"] for one in client.get("/process?name=two").json["items"]] == ["two"]
    assert client.get("/process?status=failed").json["items"] == []
    assert len(client.get("/process?status=success").json["items"]) == 2


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "limit=%C2%B2", "limit=1_0", "limit=1&limit=2", "status=odd", "a=b", "key=%00"],
)
def test_a_list_refuses_a_query_that_it_does_not_understand(client: Client, query: str) -> None:
    response = client.get(f"/process?{query}")

    assert response.status_code == 422
    assert list(response.json["errors"]) == [query.split("=")[0]]


def test_a_cursor_that_was_never_given_out_is_refused(client: Client) -> None:
    assert client.get("/process?cursor=%2F%2F").status_code == 422
    assert client.get("/process?cursor=zzz").status_code in (400, 422)


def test_a_delete_removes_what_a_process_made_and_is_idempotent(client: Client, key: str) -> None:
    started = start(client, key=key)["processInstanceId"]
    steps = client.get(f"/process/{started}/preview?kind=delete").json

    deleted = client.put(f"/process/{started}/delete").json
    again = client.put(f"/process/{started}/delete", json={"force": False}).json

    assert [(step["name"], step["action"]) for step in steps] == [("中间", "delete")]
    assert list(deleted) == RECORD
    assert deleted["processInstanceId"] == started
    assert again["deleteProcessInstanceId"] == deleted["deleteProcessInstanceId"]
    undo = client.get(f"/process/{deleted['deleteProcessInstanceId']}").json
    assert undo["processStatus"] == "success"


def test_a_process_that_has_ended_cannot_be_cancelled(client: Client, key: str) -> None:
    started = start(client, key=key)["processInstanceId"]

    response = client.put(f"/process/{started}/cancel?force=true")

    assert response.status_code == 409
    assert response.json["currentStatus"] == "success"
    assert "delete" in response.json["allowed"]


def test_a_running_process_must_be_cancelled_before_its_delete(client: Client, engine: Engine) -> None:
    engine.deploy(processes.asking())
    started = start(client, key="asking")["processInstanceId"]

    refused = client.put(f"/process/{started}/delete")
    cancelled = client.put(f"/process/{started}/cancel")

    assert refused.status_code == 409
    assert refused.json["currentStatus"] == "running"
    assert cancelled.json["processStatus"] == "cancel.success"
    assert cancelled.json["cancelProcessInstanceId"] is not None


def test_a_protected_process_is_not_deleted_until_the_protection_is_lifted(client: Client, key: str) -> None:
    started = start(client, key=key, deleteProtection=True)["processInstanceId"]

    refused = client.put(f"/process/{started}/delete")
    client.put(f"/process/{started}/protection", json={"deleteProtection": False})
    deleted = client.put(f"/process/{started}/delete")

    assert refused.status_code == 409
    assert deleted.status_code == 200


@pytest.mark.parametrize("operate", ["explode", "Cancel", "%00"])
def test_an_operation_that_does_not_exist_is_not_found(client: Client, key: str, operate: str) -> None:
    started = start(client, key=key)["processInstanceId"]

    assert client.put(f"/process/{started}/{operate}").status_code == 404


def test_undo_options_are_read_strictly(client: Client, key: str) -> None:
    started = start(client, key=key)["processInstanceId"]

    assert client.put(f"/process/{started}/delete?force=1").status_code == 422
    assert client.put(f"/process/{started}/delete", json={"force": 1}).status_code == 422
    assert client.put(f"/process/{started}/cancel", json={"retain": ["1"]}).status_code == 422
    assert client.put(f"/process/{started}/delete", json={"retain": "1"}).status_code == 422


def test_a_message_is_kept_for_a_time_where_nobody_waits_yet(client: Client, engine: Engine) -> None:
    engine.deploy(processes.listening())
    kept = client.post("/message", json={"name": "paid", "businessKey": "late", "correlation": "c", "ttl": 60})
    assert (kept.status_code, kept.json) == (202, None)
    for wrong in (0, -1, "60", 1e12):
        refused = client.post("/message", json={"name": "paid", "ttl": wrong})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["ttl"]), wrong
    number = engine.start(key="listening", name="x", business_key="late").process_instance_id
    assert engine.wait(number, timeout=60).status == "success"
    assert client.post("/message", json={"name": "paid", "businessKey": "late"}).status_code == 409


def test_a_message_reaches_the_process_that_waits_for_it(client: Client, engine: Engine) -> None:
    engine.deploy(processes.listening())
    started = start(client, key="listening", businessKey="order-1")["processInstanceId"]

    reached = client.post("/message", json={"name": "paid", "businessKey": "order-1", "payload": {"amount": 5}})
    nobody = client.post("/message", json={"name": "paid", "businessKey": "order-1"})

    assert reached.status_code == 200
    assert reached.json["processInstanceId"] == started
    assert nobody.status_code in (404, 409)
    assert client.get(f"/process/{started}").json["processStatus"] == "success"


def test_a_message_and_a_signal_that_are_sent_again_reach_nobody_twice(client: Client, engine: Engine) -> None:
    for source in (processes.listening(), processes.hearing()):
        engine.deploy(source)
    for model in ("listening", "hearing"):
        for _ in range(2):
            start(client, key=model)
    key = {"Idempotency-Key": "k-1"}
    paid = [client.post("/message", json={"name": "paid"}, headers=key).json["processInstanceId"] for _ in range(3)]
    assert len(set(paid)) == 1
    assert len(engine.instances(status="success").items) == 1
    heard = [client.post("/signal", json={"name": "alarm"}, headers={"Idempotency-Key": "k-2"}).json for _ in range(2)]
    assert heard[0] == heard[1]
    assert len(heard[0]["processInstanceIds"]) == 2
    other = client.post("/signal", json={"name": "alarm"}, headers=key)
    assert (other.status_code, other.json["code"]) == (409, "idempotency-conflict")
    assert client.post("/message", json={"name": "paid"}, headers={"Idempotency-Key": ""}).status_code == 422


def test_a_signal_reaches_everyone_who_waits_for_it(client: Client, engine: Engine) -> None:
    engine.deploy(processes.hearing())
    started = {start(client, key="hearing")["processInstanceId"] for _ in range(3)}

    reached = client.post("/signal", json={"name": "alarm"}).json["processInstanceIds"]

    assert set(reached) == started
