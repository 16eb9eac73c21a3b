"""Showing, rerunning, giving up and completing tasks over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riverstone.engine import Engine

from ...features.sketch import line, runs
from .. import processes
from ..asking import Client

RECORD = [
    "id",
    "processInstanceId",
    "taskId",
    "name",
    "namespace",
    "stone",
    "createTime",
    "endTime",
    "status",
    "reason",
    "params",
    "outputs",
    "progress",
]


@pytest.fixture
def failed(client: Client, engine: Engine) -> dict[str, Any]:
    """The failed task of a process in debug mode."""
    model = engine.save_model(processes.breaking())
    body = {"modelId": model.model_id, "processName": "trial", "variables": {}}
    instance = client.post("/process", json=body).json
    task: dict[str, Any] = client.get(f"/task?processInstanceId={instance['processInstanceId']}").json[0]
    return task


def test_a_task_has_its_thirteen_members_in_order(client: Client, key: str) -> None:
    body = {"key": key, "processName": "test", "variables": {"size": "7"}}
    process_instance_id = client.post("/process", json=body).json["processInstanceId"]

    tasks = client.get(f"/task?processInstanceId={process_instance_id}").json

    assert [list(task) for task in tasks] == [RECORD]
    task = client.get(f"/task/{tasks[0]['taskId']}").json
    assert task == tasks[0]
    assert task["processInstanceId"] == process_instance_id
    assert (task["name"], task["namespace"], task["stone"]) == ("中间", "middle", "make")
    assert json.loads(task["params"])["size"] == 7
    assert json.loads(task["outputs"]) == {"thing": "thing-7"}


def test_a_failed_task_says_why_and_runs_again_with_other_parameters(client: Client, failed: dict[str, Any]) -> None:
    assert failed["status"] == "start.failed"
    assert "blunt" in failed["reason"]

    again = client.put(f"/task/{failed['taskId']}/reRun", json={"parameters": {"works": True}})

    assert again.status_code == 200
    assert list(again.json) == RECORD
    assert client.get(f"/process/{failed['processInstanceId']}").json["processStatus"] == "success"


def test_giving_up_a_failed_task_ends_the_trial_run(client: Client, failed: dict[str, Any]) -> None:
    response = client.put(f"/task/{failed['taskId']}/resume")

    assert response.status_code == 200
    assert response.json["processInstanceId"] == failed["processInstanceId"]
    assert response.json["processStatus"] != "debug"


def test_a_task_that_did_not_fail_is_neither_rerun_nor_resumed(client: Client, key: str) -> None:
    body = {"key": key, "processName": "test", "variables": {}}
    process_instance_id = client.post("/process", json=body).json["processInstanceId"]
    task_id = client.get(f"/task?processInstanceId={process_instance_id}").json[0]["taskId"]

    for operate in ("reRun", "resume", "complete"):
        response = client.put(f"/task/{task_id}/{operate}")
        assert response.status_code == 409, operate
        assert response.json["message"]


def test_a_person_completes_a_task_with_outputs(client: Client, engine: Engine) -> None:
    engine.deploy(processes.asking())
    body = {"key": "asking", "processName": "test", "variables": {}}
    process_instance_id = client.post("/process", json=body).json["processInstanceId"]
    task = client.get(f"/task?processInstanceId={process_instance_id}").json[0]
    assert task["stone"] is None

    done = client.put(f"/task/{task['taskId']}/complete", json={"outputs": {"approved": True}})

    assert done.status_code == 200
    assert json.loads(done.json["outputs"]) == {"approved": True}
    assert client.get(f"/process/{process_instance_id}").json["processStatus"] == "success"


@pytest.mark.parametrize("body", [{"parameters": []}, {"parameters": None}, {"colour": 1}])
def test_a_rerun_takes_only_an_object_of_parameters(
    client: Client, failed: dict[str, Any], body: dict[str, Any]
) -> None:
    assert client.put(f"/task/{failed['taskId']}/reRun", json=body).status_code == 422


@pytest.mark.parametrize("identifier", ["1", "9" * 30, "%00", "abc", "-5"])
def test_an_unknown_task_is_not_found(client: Client, identifier: str) -> None:
    assert client.get(f"/task/{identifier}").status_code == 404
    assert client.get(f"/task?processInstanceId={identifier}").status_code in (404, 422)
    for operate in ("reRun", "resume", "complete"):
        assert client.put(f"/task/{identifier}/{operate}").status_code == 404


def test_tasks_are_listed_of_one_process_only(client: Client) -> None:
    response = client.get("/task")

    assert response.status_code == 422
    assert list(response.json["errors"]) == ["processInstanceId"]


def test_the_tasks_of_a_process_are_read_in_parts_too(client: Client, engine: Engine) -> None:
    repeated = runs("25")
    engine.deploy(line("many", *(f'<userTask id="{name}">{repeated}</userTask>' for name in "ab")))
    number = engine.start(key="many", name="test").process_instance_id
    for task in engine.tasks(number):
        engine.complete(task.task_id)

    for path in (f"/task?processInstanceId={number}&", f"/process/{number}/task?"):
        whole = client.get(path).json
        assert len(whole) == 50
        parts: list[dict[str, Any]] = []
        while part := client.get(f"{path}limit=20" + (f"&after={parts[-1]['taskId']}" if parts else "")).json:
            assert len(part) <= 20
            parts += part
        assert parts == whole
        assert client.get(f"{path}after={whole[47]['taskId']}").json == whole[48:]

    assert client.get(f"/process/{number}/task?elementId=b&limit=3").json == whole[25:28]
    assert client.get(f"/process/{number}/task?state=open").json == whole[25:]
    assert [each["count"] for each in client.get(f"/process/{number}/task/count").json] == [25, 25]
    assert client.get(f"/process/{number}/task?state=x").status_code == 422
    assert client.get("/process/999999/task/count").status_code == 404

    for wrong in ("limit=0", "limit=501", "limit=x", "after=x", "after=", "assignee=ann"):
        assert client.get(f"/task?processInstanceId={number}&{wrong}").status_code == 422, wrong
    assert client.get("/task?kind=user&after=7").status_code == 422
    assert client.get("/task?limit=7").status_code == 422


def test_the_dates_of_a_task_are_set_and_its_lists_counted(client: Client, engine: Engine) -> None:
    engine.deploy(processes.asking())
    number = engine.start(key="asking", name="asks").process_instance_id
    task = engine.tasks(number)[0].task_id

    changed = client.put(f"/task/{task}/schedule", json={"dueAt": "2099-01-31T12:00:00+01:00", "priority": 70}).json
    assert changed["dueAt"].startswith("2099-01-31T")
    assert (changed["priority"], changed["followUpAt"]) == (70, None)
    assert client.put(f"/task/{task}/schedule", json={"dueAt": None}).json["dueAt"] is None
    assert client.get("/task/count").json == {"mine": 0, "groups": 0, "all": 1}

    for wrong in (
        {"dueAt": "2099-01-31"},
        {"dueAt": "2099-01-31T12:00:00"},
        {"followUpAt": 7},
        {"followUpAt": "0001-01-01T00:00:00+00:00"},
        {"priority": "high"},
        {"priority": 10**12},
        {"priority": 1.5},
        {"other": 1},
    ):
        assert client.put(f"/task/{task}/schedule", json=wrong).status_code == 422, wrong
    assert client.put("/task/999999/schedule", json={}).status_code == 404
