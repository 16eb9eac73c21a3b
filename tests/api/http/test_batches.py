"""Many processes at once over HTTP: previewed, begun, looked at and steered; and why many have failed."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.engine import Engine

from .. import processes
from ..asking import Client


@pytest.fixture
def failed(client: Client, engine: Engine) -> list[str]:
    engine.deploy(processes.breaking())
    body = {"key": "breaking", "processName": "waiting", "variables": {}, "onFailure": "pause"}
    return [client.post("/process", json=body).json["processInstanceId"] for _ in range(3)]


def test_what_has_failed_is_counted_and_rolled_back_together(client: Client, failed: list[str]) -> None:
    why = client.get("/process/reason").json
    assert (why["processes"], why["leftOut"], why["partial"]) == (3, 0, False)
    (group,) = why["groups"]
    assert (group["tasks"], group["processes"], group["example"] in failed) == (3, 3, True)
    assert "blunt" in group["reason"]

    plan = client.get("/batch/preview?state=attention&action=retry").json
    assert (plan["processes"], plan["tasks"]) == (3, 3)
    answer = client.post("/batch?state=attention&error=blunt", json={"action": "rollback", "rate": 1000})
    assert answer.status_code == 200, answer.json
    batch = answer.json
    assert (batch["total"], batch["where"], batch["rate"]) == (3, {"state": "attention", "error": "blunt"}, 1000)
    again = client.get(f"/batch/{batch['batchId']}").json
    assert (again["state"], again["done"], again["refused"]) == ("ended", 3, 0)
    assert {client.get(f"/process/{number}").json["processStatus"] for number in failed} == {"rollback.success"}
    items = client.get(f"/batch/{batch['batchId']}/process?result=done&limit=2").json
    assert [item["processInstanceId"] for item in items["items"]] == failed[:2]
    assert client.get("/batch").json["items"] == [again]


def test_what_a_batch_was_asked_with_is_told_by_the_names_of_the_request(client: Client, failed: list[str]) -> None:
    first = client.get(f"/process/{failed[0]}").json["startTime"]
    body = {"action": "retry", "elementId": "break", "rate": 1000}
    batch = client.post(f"/batch?startedFrom={first}&businessKey=none", json=body)
    assert batch.json["code"] == "batch-empty"
    answer = client.post(f"/batch?startedFrom={first}&state=attention", json=body)
    assert answer.status_code == 200, answer.json
    assert list(answer.json["where"]) == ["state", "startedFrom"]
    assert answer.json["options"] == {"elementId": "break"}
    assert (answer.json["total"], client.get("/batch").json["items"][0]["options"]) == (3, {"elementId": "break"})


def test_a_batch_that_is_over_says_what_it_cannot_be(client: Client, failed: list[str]) -> None:
    batch = client.post("/batch?state=attention", json={"action": "cancel"}).json
    over = client.put(f"/batch/{batch['batchId']}/resume")
    assert "so it cannot be resumed any more" in over.json["message"]


def test_a_batch_is_paused_goes_on_and_is_stopped(client: Client, failed: list[str]) -> None:
    batch = client.post("/batch?state=attention", json={"action": "cancel", "rate": 0.001}).json
    path = f"/batch/{batch['batchId']}"
    assert (batch["state"], batch["done"]) == ("running", 1)
    assert client.put(f"{path}/pause").json["state"] == "paused"
    # Each time that it goes on, the first is done at once.
    assert client.put(f"{path}/resume", json={"rate": 0.01}).json["rate"] == 0.01
    assert client.put(f"{path}/stop").json["state"] == "stopped"
    over = client.put(f"{path}/resume")
    assert (over.status_code, over.json["code"], over.json["currentStatus"]) == (409, "batch-over", "stopped")


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("", {"action": "cancel"}, 422, "batch-unfiltered"),
        ("?key=nothing", {"action": "cancel"}, 422, "batch-empty"),
        ("?key=breaking", {"action": "explode"}, 422, "fields-invalid"),
        ("?key=breaking", {}, 422, "fields-invalid"),
        ("?key=breaking", {"action": "rewind"}, 422, "batch-options"),
        ("?key=breaking", {"action": "cancel", "elementId": "a"}, 422, "batch-options"),
        ("?key=breaking", {"action": "cancel", "rate": 0}, 422, "fields-invalid"),
        ("?key=breaking", {"action": "cancel", "rate": "5"}, 422, "fields-invalid"),
        ("?key=breaking&limit=3", {"action": "cancel"}, 422, "fields-invalid"),
        ("?state=odd", {"action": "cancel"}, 422, "fields-invalid"),
    ],
)
def test_what_no_batch_can_be_made_of_is_refused(
    client: Client, failed: list[str], query: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(f"/batch{query}", json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert client.get("/batch").json["items"] == []


def test_a_batch_that_nobody_began_is_unknown(client: Client) -> None:
    for path in ("/batch/nothing", "/batch/" + "x" * 300, "/batch/nothing/process"):
        assert client.get(path).json["code"] == "unknown-batch"
    assert client.put("/batch/nothing/stop").status_code == 404
    assert client.get("/batch?cursor=odd").status_code == 422


def test_a_batch_is_in_the_audit_and_is_its_owners(engine: Engine, failed: list[str]) -> None:
    secrets = {name: engine.keys.add(name, scopes=["read", "run"], owner=name)[1] for name in ("ann", "bob")}
    asks = Client(create_app(engine))
    ann, bob = ({"Authorization": f"Bearer {secrets[name]}"} for name in ("ann", "bob"))
    body = {"key": "breaking", "processName": "hers", "variables": {}, "onFailure": "pause"}
    hers = asks.post("/process", json=body, headers=ann).json["processInstanceId"]
    batch = asks.post("/batch?state=attention", json={"action": "cancel"}, headers=ann).json
    assert (batch["total"], batch["owner"], batch["client"]) == (1, "ann", "key:ann")
    assert engine.get(hers).status == "cancel.success"
    assert asks.get(f"/batch/{batch['batchId']}", headers=bob).status_code == 404
    assert asks.get("/batch", headers=bob).json["items"] == []
    told = [entry for entry in engine.history(hers).items if entry.kind == "action"]
    assert [(entry.action, entry.who) for entry in told] == [("cancel", "key:ann")]
    entry = engine.audit.entries().items[0]
    assert (entry.action, entry.target, entry.outcome) == ("postBatches", batch["batchId"], "done")
