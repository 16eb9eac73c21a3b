"""What has failed and stands still, over HTTP: it is shown with its reason, and somebody decides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riverstone.engine import Engine

from .. import processes
from ..asking import Client


@pytest.fixture
def waiting(client: Client, engine: Engine) -> dict[str, Any]:
    """The detail of a process in which a task has failed and stands still."""
    engine.deploy(processes.breaking())
    body = {"key": "breaking", "processName": "waiting", "variables": {}, "onFailure": "pause"}
    number = client.post("/process", json=body).json["processInstanceId"]
    return detail(client, number)


def detail(client: Client, number: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/process/{number}/detail").json
    return found


def test_what_waits_is_told_with_its_reason(client: Client, waiting: dict[str, Any]) -> None:
    assert (waiting["processStatus"], waiting["attention"], waiting["endTime"]) == ("running", 1, None)
    (failure,) = waiting["failures"]
    assert "blunt" in failure["reason"]
    assert failure["taskId"] is not None
    assert (failure["calls"], failure["rollsBack"]) == ([], None)
    found = client.get("/process/search?key=breaking").json["items"]
    assert [item["attention"] for item in found] == [1]


@pytest.mark.parametrize(
    ("way", "body", "audited"),
    [
        ("task/{task}/reRun", {"parameters": {"works": True}}, "putRerunTask"),
        ("task/{task}/skip", None, "putSkipTask"),
        ("task/{task}/skip", {"attempt": 1}, "putSkipTask"),
        ("task/{task}/done", {"outputs": {"thing": "by hand"}}, "putDoneTask"),
        ("process/{process}/skip", {"elementId": "{element}"}, "putSkipElement"),
    ],
)
def test_somebody_decides_and_the_process_ends(
    client: Client, engine: Engine, waiting: dict[str, Any], way: str, body: dict[str, Any] | None, audited: str
) -> None:
    number, (failure,) = waiting["processInstanceId"], waiting["failures"]
    names = {"task": failure["taskId"], "process": number, "element": failure["elementId"]}
    sent = None if body is None else json.loads(json.dumps(body).replace("{element}", failure["elementId"]))
    response = client.put("/" + way.format(**names), json=sent) if sent else client.put("/" + way.format(**names))
    assert response.status_code == 200, response.json
    ended = detail(client, number)
    assert (ended["processStatus"], ended["attention"], ended["failures"]) == ("success", 0, [])
    entry = engine.audit.entries().items[0]
    assert (entry.action, entry.outcome) == (audited, "done")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"action": "retry", "parameters": {"works": True}}, {"beside": True, "parameters": {"works": True}}),
        ({"action": "skip"}, {"attempt": None, "made": False}),
        ({"action": "done-by-hand", "outputs": {"thing": "by hand"}}, {"made": True, "outputs": {"thing": "by hand"}}),
    ],
)
def test_what_somebody_would_decide_is_shown_before(
    client: Client, engine: Engine, waiting: dict[str, Any], body: dict[str, Any], wanted: dict[str, Any]
) -> None:
    number, (failure,) = waiting["processInstanceId"], waiting["failures"]
    response = client.post(f"/task/{failure['taskId']}/repair", json=body)
    assert response.status_code == 200, response.json
    (step,) = response.json["steps"]
    assert {name: step[name] for name in wanted} == wanted
    assert detail(client, number) == waiting
    assert not [entry for entry in engine.audit.entries().items if "Repair" in entry.action]
    refused = client.post(
        f"/task/{failure['taskId']}/repair", json={**body, "parameters": {"a": 1}, "outputs": {"b": 1}}
    )
    assert (refused.status_code, refused.json["code"]) == (422, "repair-action")


def test_what_a_retry_of_all_would_do_is_shown(client: Client, waiting: dict[str, Any]) -> None:
    number, (failure,) = waiting["processInstanceId"], waiting["failures"]
    found = client.get(f"/process/{number}/repair?action=retry").json
    assert [step["taskId"] for step in found["steps"]] == [failure["taskId"]]
    one = client.get(f"/process/{number}/repair?action=skip&elementId={failure['elementId']}").json
    assert (one["action"], one["steps"][0]["made"]) == ("skip", False)
    for query, status in (("action=skip", 422), ("action=retry&elementId=nobody", 409), ("action=undo", 422)):
        assert client.get(f"/process/{number}/repair?{query}").status_code == status
    assert client.get("/process/99999/repair?action=retry").status_code == 404


def test_what_is_tried_again_in_vain_waits_again(client: Client, waiting: dict[str, Any]) -> None:
    number = waiting["processInstanceId"]
    assert client.put(f"/process/{number}/retry").status_code == 200
    assert detail(client, number)["attention"] == 1
    assert client.put(f"/process/{number}/variables", json={"variables": {"works": True}}).status_code == 200


def test_somebody_gives_up(client: Client, waiting: dict[str, Any]) -> None:
    number = waiting["processInstanceId"]
    assert client.put(f"/process/{number}/rollback").status_code == 200
    assert detail(client, number)["attention"] == 0
    again = client.put(f"/process/{number}/rollback")
    assert (again.status_code, again.json["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("way", "body", "status"),
    [
        ("process/{process}/skip", {}, 422),
        ("process/{process}/skip", {"elementId": "nobody"}, 409),
        ("process/{process}/retry", {"elementId": "nobody"}, 409),
        ("process/{process}/variables", {}, 422),
        ("process/{process}/variables", {"variables": {}, "taskId": "99999"}, 404),
        ("process/99999/rollback", {}, 404),
        ("task/99999/skip", {}, 404),
        ("task/{task}/done", {"outputs": []}, 422),
        ("task/{task}/done", {"attempt": 2}, 409),
        ("task/{task}/skip", {"attempt": 2}, 409),
        ("task/{task}/reRun", {"attempt": 0}, 409),
        ("task/{task}/reRun", {"attempt": "1"}, 422),
        ("task/{task}/skip", {"attempt": None}, 422),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    client: Client, waiting: dict[str, Any], way: str, body: dict[str, Any], status: int
) -> None:
    names = {"task": waiting["failures"][0]["taskId"], "process": waiting["processInstanceId"]}
    response = client.put("/" + way.format(**names), json=body)
    assert response.status_code == status, response.json
    assert detail(client, waiting["processInstanceId"])["attention"] == 1


def test_a_process_goes_back_to_a_task(client: Client, waiting: dict[str, Any]) -> None:
    number, task = waiting["processInstanceId"], waiting["failures"][0]["taskId"]
    plan = client.get(f"/process/{number}/rewind?to={task}").json
    assert [step["action"] for step in plan["steps"]] == ["rollback"] or plan["steps"][0]["action"] == "retain"
    assert plan["beginsAgain"] == [waiting["failures"][0]["elementId"]]
    retain = [step["taskId"] for step in plan["steps"] if step["action"] == "retain"]
    body = {"to": task, "parameters": {"works": True}, "retain": retain}
    assert client.put(f"/process/{number}/rewind", json=body).status_code == 200
    assert detail(client, number)["processStatus"] == "success"


@pytest.mark.parametrize(("body", "status"), [({}, 422), ({"to": "99999"}, 404), ({"to": 5}, 422), ({"to": "x"}, 404)])
def test_a_task_that_there_is_not_is_not_gone_back_to(
    client: Client, waiting: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    response = client.put(f"/process/{waiting['processInstanceId']}/rewind", json=body)
    assert response.status_code == status, response.json


def test_a_process_is_suspended_and_let_go_on(client: Client, waiting: dict[str, Any]) -> None:
    number = waiting["processInstanceId"]
    assert client.put(f"/process/{number}/suspend", json={"reason": "the quota is used up"}).status_code == 200
    told = detail(client, number)
    assert (told["processStatus"], told["awaits"]) == ("running", "suspended")
    assert told["suspended"]["reason"] == "the quota is used up"
    assert client.get("/process/count").json["suspended"] == 1
    assert client.get("/process/search?state=suspended").json["items"][0]["suspended"] == told["suspended"]
    refused = client.put(f"/process/{number}/retry")
    assert (refused.status_code, refused.json["code"]) == (409, "suspended")
    assert refused.json["allowed"] == ["unsuspend", "cancel"]
    assert client.put(f"/process/{number}/unsuspend").status_code == 200
    assert (detail(client, number)["suspended"], detail(client, number)["awaits"]) == (None, "attention")


@pytest.mark.parametrize(
    ("way", "body", "status"),
    [
        ("{process}/suspend", {"reason": 5}, 422),
        ("{process}/suspend", {"reason": "x" * 1001}, 422),
        ("{process}/suspend", {"why": "x"}, 422),
        ("{process}/unsuspend", None, 409),
        ("99999/suspend", None, 404),
    ],
)
def test_what_is_no_suspension_is_refused(
    client: Client, waiting: dict[str, Any], way: str, body: dict[str, Any] | None, status: int
) -> None:
    response = client.put("/process/" + way.format(process=waiting["processInstanceId"]), json=body)
    assert response.status_code == status, response.json


def test_a_key_is_suspended_and_goes_on(client: Client, waiting: dict[str, Any]) -> None:
    found = client.put("/key/suspend", json={"key": "breaking", "reason": "Too many saws break."})
    assert (found.status_code, found.json["key"], found.json["reason"]) == (200, "breaking", "Too many saws break.")
    assert client.get("/key/suspended").json == [found.json]
    assert detail(client, waiting["processInstanceId"])["suspended"]["byKey"] is True
    refused = client.put(f"/process/{waiting['processInstanceId']}/unsuspend")
    assert (refused.status_code, refused.json["code"]) == (409, "key-suspended")
    assert client.put("/key/unsuspend", json={"key": "breaking"}).json == []
    assert client.put("/key/unsuspend", json={"key": "breaking"}).status_code == 409
    assert client.put("/key/suspend", json={"key": "baking"}).status_code == 404
    assert client.put("/key/suspend", json={}).status_code == 422


def test_a_version_is_deployed_with_a_policy(client: Client) -> None:
    found = client.post("/deployment?onFailure=pause", data=processes.breaking(), content_type="application/xml")
    assert client.get(f"/deployment/{found.json['deploymentId']}").json["onFailure"] == "pause"
    started = client.post("/process", json={"key": "breaking", "processName": "x", "variables": {}}).json
    assert detail(client, started["processInstanceId"])["attention"] == 1
    again = client.post(f"/model/{found.json['modelId']}/deployment?onFailure=keep").json
    assert (again["version"], client.post("/deployment?onFailure=ask").status_code) == (2, 400)


@pytest.mark.parametrize("policy", ["ask", "pause 2h", ""])
def test_a_policy_that_there_is_not_is_refused(client: Client, waiting: dict[str, Any], policy: str) -> None:
    body = {"key": "breaking", "processName": "x", "variables": {}, "onFailure": policy}
    response = client.post("/process", json=body)
    assert (response.status_code, list(response.json["errors"])) == (422, ["onFailure"])


def test_whoever_lets_a_key_go_on_is_in_the_history_of_its_processes(client: Client, waiting: dict[str, Any]) -> None:
    number = waiting["processInstanceId"]
    for way in ("suspend", "unsuspend"):
        assert client.put(f"/key/{way}", json={"key": "breaking"}).status_code == 200
    told = client.get(f"/process/{number}/history").json["items"]
    acts = [(each["action"], each["who"]) for each in told if each["kind"] == "action"]
    assert acts == [("suspend", "local"), ("unsuspend", "local")]
