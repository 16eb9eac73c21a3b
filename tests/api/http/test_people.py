"""Tasks of people over HTTP: an inbox by pages, and who may do what with which key."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import Engine

from ..asking import Client
from ..processes import bpmn

ASK = bpmn("asking", '<userTask id="middle" name="Approve" camunda:candidateGroups="sales" camunda:dueDate="P1D"/>')


@pytest.fixture
def task(engine: Engine) -> str:
    engine.deploy(ASK)
    number = engine.start(key="asking", name="An order", variables={"secret": 1}, owner="shop").process_instance_id
    return engine.tasks(number)[0].task_id


def key(engine: Engine, user: str | None, *groups: str, scopes: tuple[str, ...] = ("read", "run"), **more: Any) -> Any:
    name = f"of-{user}-{len(engine.keys.all())}"
    text = engine.keys.add(name, scopes=scopes, user=user, groups=groups, **more)[1]
    return {"Authorization": f"Bearer {text}"}


def test_a_person_finds_takes_and_does_a_task_of_somebody_elses_process(
    client: Client, engine: Engine, task: str
) -> None:
    alice, bob = key(engine, "alice", "sales"), key(engine, "bob", "sales")
    for query in ("kind=user", "kind=user&group=me", "kind=user&group=sales&assigned=false", "kind=user&sort=due"):
        page = client.get(f"/task?{query}", headers=alice).json
        assert [each["taskId"] for each in page["items"]] == [task], query
    (found,) = page["items"]
    assert (found["name"], found["processName"], found["groups"], found["assignee"]) == (
        "Approve",
        "An order",
        ["sales"],
        None,
    )
    assert client.put(f"/task/{task}/claim", headers=alice).json["assignee"] == "alice"
    assert len(client.get("/task?kind=user&assignee=me", headers=alice).json["items"]) == 1
    refused = client.put(f"/task/{task}/claim", headers=bob)
    assert (refused.status_code, refused.json["code"]) == (409, "task-claimed")
    # The process itself is not theirs to see.
    assert client.get(f"/process/{found['processInstanceId']}", headers=alice).status_code == 404
    assert client.get(f"/task?processInstanceId={found['processInstanceId']}", headers=alice).status_code == 404
    assert client.get(f"/task/{task}", headers=alice).json["params"] == "{}"
    done = client.put(f"/task/{task}/complete", json={"outputs": {"ok": True}}, headers=alice)
    assert (done.status_code, done.json["status"]) == (200, "success")
    again = client.put(f"/task/{task}/complete", json={}, headers=bob)
    assert (again.status_code, again.json["code"]) == (409, "task-ended")
    assert client.get(f"/task/{task}/user", headers=bob).json["doneBy"] == "alice"
    told = [(each.client, each.person, each.action, each.outcome) for each in engine.audit.entries().items]
    assert ("key:of-alice-0", "alice", "putCompleteTask", "done") in told
    assert ("key:of-bob-1", "bob", "putClaimTask", "task-claimed") in told


def test_everybody_else_gets_404(client: Client, engine: Engine, task: str) -> None:
    carol = key(engine, "carol", "law")
    assert client.get("/task?kind=user", headers=carol).json["items"] == []
    for method, path, body in (
        ("get", f"/task/{task}", None),
        ("get", f"/task/{task}/user", None),
        ("get", f"/task/{task}/detail", None),
        ("put", f"/task/{task}/claim", None),
        ("put", f"/task/{task}/release", None),
        ("put", f"/task/{task}/assign", {"assignee": "carol"}),
        ("put", f"/task/{task}/delegate", {"assignee": "carol"}),
        ("put", f"/task/{task}/complete", {}),
    ):
        answer = getattr(client, method)(path, headers=carol, **({} if body is None else {"json": body}))
        assert (answer.status_code, answer.json["code"]) == (404, "unknown-task"), path


def test_a_key_of_the_owner_oversees_and_a_reading_one_only_looks(client: Client, engine: Engine, task: str) -> None:
    program = key(engine, None, owner="shop")
    clerk = key(engine, "dora", owner="shop")
    reader = key(engine, "alice", "sales", scopes=("read",))
    assert client.put(f"/task/{task}/claim", headers=reader).status_code == 403
    refused = client.put(f"/task/{task}/claim", headers=clerk)
    assert (refused.status_code, refused.json["code"]) == (403, "not-allowed")
    assert client.put(f"/task/{task}/assign", json={"assignee": "dora"}, headers=program).json["assignee"] == "dora"
    assert client.put(f"/task/{task}/delegate", json={"assignee": "erin"}, headers=clerk).json["delegatedBy"] == "dora"
    wrong = client.put(f"/task/{task}/assign", json={"assignee": " "}, headers=program)
    assert (wrong.status_code, wrong.json["errors"]) == (422, {"assignee": wrong.json["errors"]["assignee"]})


def test_four_eyes_know_who_started_the_process_over_http(client: Client, engine: Engine) -> None:
    rule = (
        "<extensionElements><camunda:properties><camunda:property name='not' value='starter'/></camunda:properties>"
        "</extensionElements>"
    )
    engine.deploy(bpmn("checked", f'<userTask id="middle" camunda:candidateGroups="sales">{rule}</userTask>'))
    alice, bob = key(engine, "alice", "sales"), key(engine, "bob", "sales")
    body = {"key": "checked", "processName": "x", "variables": {}}
    number = client.post("/process", json=body, headers=alice).json["processInstanceId"]
    (found,) = engine.tasks(number)
    refused = client.put(f"/task/{found.task_id}/complete", json={}, headers=alice)
    assert (refused.status_code, refused.json["code"]) == (403, "four-eyes")
    assert client.put(f"/task/{found.task_id}/complete", json={}, headers=bob).status_code == 200


def test_the_initiator_of_a_java_engines_model_is_who_started_it_whatever_the_start_says(
    client: Client, engine: Engine
) -> None:
    model = bpmn("asked", '<userTask id="middle" name="Revise" camunda:assignee="${asks}"/>')
    engine.deploy(model.replace(b"<startEvent", b'<startEvent camunda:initiator="asks"'))
    alice, bob = key(engine, "alice", "sales"), key(engine, "bob", "sales")
    body = {"key": "asked", "processName": "x", "variables": {"asks": "bob"}}
    number = client.post("/process", json=body, headers=alice).json["processInstanceId"]
    (found,) = engine.tasks(number)
    assert client.put(f"/task/{found.task_id}/complete", json={}, headers=bob).status_code == 404
    assert engine.people.task(found.task_id).assignee == "alice"
    assert client.put(f"/task/{found.task_id}/complete", json={}, headers=alice).status_code == 200
    # Where nobody says who starts it, the task is for all who see it.
    (free,) = engine.tasks(engine.start(key="asked", name="x", variables={}).process_instance_id)
    assert engine.people.task(free.task_id).assignee is None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("kind=robot", 422),
        ("processInstanceId=1&assignee=me", 422),
        ("kind=user&limit=0", 422),
        ("kind=user&cursor=x", 422),
        ("kind=user&sort=name", 422),
        ("kind=user&assigned=maybe", 422),
        ("kind=user&processInstanceId=x", 404),
    ],
)
def test_a_wrong_question_is_told(client: Client, query: str, status: int) -> None:
    assert client.get(f"/task?{query}").status_code == status


def test_the_list_of_a_process_is_whole_as_it_always_was(client: Client, task: str, engine: Engine) -> None:
    number = engine.people.task(task).process_instance_id
    found = client.get(f"/task?processInstanceId={number}").json
    assert [each["taskId"] for each in found] == [task]
