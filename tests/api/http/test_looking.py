"""What HTTP tells beyond the records: searching, standing, the files that run, stones, and the caller."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import Any

import pytest
from marshmallow import fields

from riverstone.api import create_app
from riverstone.api.wire import resource_export
from riverstone.bpmn_samples import path
from riverstone.engine import Engine, Stone

from .. import processes
from ..asking import Client


class Stubborn(Stone):
    """Makes a thing, and undoes it only when told to.

    Or never.
    """

    code = "stubborn"
    display_name = "Stubborn"
    parameters = {
        "size": fields.Integer(load_default=1, metadata={"display_name": "Size", "description": "In GB."}),
        "password": fields.String(load_default="x", metadata={"no_echo": True, "visible": False}),
    }
    outputs = {"thing": "the thing's id"}
    willing = True

    def start(self, task: Any) -> None:
        task.add_output("thing", "t-1")
        task.log("made t-1")

    def delete(self, task: Any) -> None:
        if not Stubborn.willing:
            raise RuntimeError("it is stuck")


@pytest.fixture
def started(engine: Engine) -> list[str]:
    """Four process instances: two done, one that waits for a message, one for a person."""
    for source in (processes.making(), processes.listening(), processes.asking()):
        engine.deploy(source)
    keys = {"Shop 100%": "making", "shop_2": "making", "waits": "listening", "asks": "asking"}
    return [
        engine.start(name=name, key=key, business_key=f"b-{name}").process_instance_id for name, key in keys.items()
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["asks", "waits", "shop_2", "Shop 100%"]),
        ("?text=shop", ["shop_2", "Shop 100%"]),
        ("?text=SHOP_", ["shop_2"]),
        ("?text=0%25", ["Shop 100%"]),
        ("?text=listen", ["waits"]),
        ("?text=b-asks", ["asks"]),
        ("?text=b-as", ["asks"]),
        ("?text=k-as", []),
        ("?status=success&status=failed", ["shop_2", "Shop 100%"]),
        ("?kind=delete", []),
        ("?key=asking&kind=start", ["asks"]),
        ("?startedBefore=1999-01-01 00:00:00", []),
        ("?startedFrom=1999-01-01 00:00:00&limit=1", ["asks"]),
        ("?startedBefore=1999-01-01T00:00:00-11:00", []),
        ("?startedFrom=1999-01-01T00:00:00.5Z&limit=1", ["asks"]),
        ("?startedFrom=1999-01-01T00:00:00%2B02:00&endedFrom=9000-01-01T00:00:00+02:00", []),
        ("?businessKey=b-waits", ["waits"]),
        ("?element=middle&sort=started&limit=1", ["asks"]),
        ("?stone=unknown", []),
        ("?state=person&endedFrom=1999-01-01 00:00:00", []),
        ("?variable=colour=red&error=quota", []),
    ],
)
def test_process_instances_are_found_by_what_one_remembers(
    client: Client, started: list[str], query: str, names: list[str]
) -> None:
    found = client.get(f"/process/search{query}").json

    assert [item["processName"] for item in found["items"]] == names
    assert (found["cursor"] is None) == ("limit" not in query)


def test_an_id_is_found_as_it_is(client: Client, started: list[str]) -> None:
    found = client.get(f"/process/search?text={started[2]}").json["items"]

    assert [item["processInstanceId"] for item in found] == [started[2]]
    assert "processContent" not in found[0]


@pytest.mark.parametrize(
    "time",
    [
        *("yesterday", "2026-13-01 00:00:00", "0001-01-01 00:00:00", "2026-1-1 00:00:00", "2026-01-01T00:00:00"),
        *("2026-01-01T00:00:00+24:00", "0001-01-01T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z"),
    ],
)
def test_a_time_that_is_none_is_refused(client: Client, time: str) -> None:
    answer = client.get("/process/search", query_string={"startedFrom": time})

    assert (answer.status_code, list(answer.json["errors"])) == (422, ["startedFrom"])


@pytest.mark.parametrize("query", ["variable=colour", "variable==red", "sort=name", "cursor=1-2-3", "state=gone"])
def test_a_search_that_cannot_be_is_refused_by_name(client: Client, query: str) -> None:
    answer = client.get(f"/process/search?{query}")

    assert answer.status_code == 422
    assert [each.partition(".")[0] for each in answer.json["errors"]] == [query.partition("=")[0]]


def test_a_history_is_read_in_parts(client: Client, started: list[str]) -> None:
    whole = client.get(f"/process/{started[0]}/history").json
    first = client.get(f"/process/{started[0]}/history?limit=1").json
    rest = client.get(f"/process/{started[0]}/history?cursor={first['cursor']}").json

    assert [each["kind"] for each in whole["items"]] == ["started", "task", "attempt", "ended"]
    assert first["items"] + rest["items"] == whole["items"]
    assert client.get(f"/process/{started[0]}/history?cursor=x").status_code == 422
    assert client.get("/process/77777/history").status_code == 404


def test_a_detail_tells_where_a_process_stands(client: Client, started: list[str]) -> None:
    done, _, waits, asks = (client.get(f"/process/{process_id}/detail").json for process_id in started)

    assert waits["tokens"] == [
        {
            "elementId": "middle",
            "calls": [],
            "scope": False,
            "waits": [{"kind": "message", "name": "paid", "due": None, "correlation": None}],
            "failed": False,
        }
    ]
    assert (done["tokens"], asks["tokens"]) == ([], [])
    assert json.loads(done["nativeOutputs"]) == {"middle": {"thing": "thing-1"}}


def test_tasks_of_called_processes_tell_whose_they_are(engine: Engine) -> None:
    for code in ("SIP::EC2::Instance", "SIP::EC2::Volume", "SIP::EC2::AttachVolume"):
        engine.stone(code)(lambda task: {"instanceCode": "i-1", "volumeId": "v-1"})
    engine.deploy(path("call_activity"), path("attach_volume"))
    instance = engine.start(name="called", key="call-activity", variables={"dataDisk": 5, "regionId": "bcc"})
    client = Client(create_app(engine))

    tasks = client.get(f"/process/{instance.process_instance_id}/task").json
    files = client.get(f"/process/{instance.process_instance_id}/source").json["files"]

    assert {task["elementId"]: task["calls"] for task in tasks}["server"] == []
    assert [task["calls"] for task in tasks][1:] == [["attach"]] * (len(tasks) - 1)
    assert len(tasks) > 1
    assert ['id="call-activity"' in file for file in files] == [True, False]


def test_an_undo_has_files_of_its_own_and_goes_on_when_it_is_asked_to(engine: Engine, client: Client) -> None:
    engine.register(Stubborn)
    Stubborn.willing = False
    engine.deploy(processes.serviced("stubborn", "stubborn"))
    process_id = engine.start(name="s", key="stubborn").process_instance_id
    assert client.put(f"/process/{process_id}/retry").json["code"] == "conflict"
    undo = client.put(f"/process/{process_id}/delete").json["deleteProcessInstanceId"]

    failed = client.get(f"/process/{process_id}/detail").json
    (task,) = client.get(f"/process/{undo}/task").json
    (file,) = client.get(f"/process/{undo}/source").json["files"]
    wrong = client.put(f"/process/{process_id}/retry", json={"retain": ["1"]})
    retried = client.put(f"/process/{process_id}/retry", json={"retain": [task["originTaskId"]]}).json

    assert failed["processStatus"] == "delete.failed"
    assert (task["kind"], task["reason"]) == ("delete", "RuntimeError: it is stuck")
    assert f'id="{task["elementId"]}"' in file
    assert "BPMNShape" in file
    assert (wrong.status_code, wrong.json["code"]) == (409, "retain-invalid")
    assert retried["processStatus"] == "delete.success"
    (origin,) = client.get(f"/process/{process_id}/task").json
    assert (origin["undo"], origin["log"]) == ("retained", ["made t-1"])


def test_a_stone_is_suspended_and_let_go_on(client: Client) -> None:
    body = {"code": "make", "reason": "The yard is closed"}
    told = client.put("/stone/suspend", json=body).json
    assert (told["code"], told["reason"]) == ("make", "The yard is closed")
    assert client.get("/stone/suspended").json == [told]
    assert client.put("/stone/unsuspend", json={"code": "make"}).json == []
    again = client.put("/stone/unsuspend", json={"code": "make"})
    assert (again.status_code, again.json["code"]) == (409, "not-suspended")
    unknown = client.put("/stone/suspend", json={"code": "mkae"})
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown-stone")
    assert client.put("/stone/suspend", json={"reason": "x"}).status_code == 422


def test_stones_are_listed_with_what_they_take_and_put_out(engine: Engine, client: Client) -> None:
    engine.register(Stubborn)

    broken, make, stubborn = client.get("/stone").json

    assert (broken["code"], make["hooks"]) == ("break", ["start", "delete", "mock"])
    assert stubborn["description"] == "Makes a thing, and undoes it only when told to.\n\nOr never."
    assert [parameter["default"] for parameter in stubborn["parameters"]] == [1, "*****"]
    assert stubborn["parameters"][0]["description"] == "In GB."
    assert stubborn["outputs"] == [{"name": "thing", "description": "the thing's id", "secret": False}]


def test_a_caller_learns_what_it_may_do(engine: Engine, client: Client) -> None:
    local = client.get("/client").json
    _, key = engine.keys.add("shop", scopes=["read", "run"])

    shop = client.get("/client", headers={"Authorization": f"Bearer {key}"}).json

    assert (local["name"], local["scopes"], local["owner"]) == (
        "local",
        ["read", "run", "deploy", "work", "admin", "secrets"],
        None,
    )
    assert (shop["name"], shop["scopes"], shop["owner"]) == ("key:shop", ["read", "run"], "key:shop")


def test_what_is_known_is_not_sent_again(client: Client, engine: Engine, started: list[str]) -> None:
    where = f"/process/{started[3]}/task"
    first = client.get(where)
    (task,) = first.json

    same = client.get(where, headers={"If-None-Match": first.headers["ETag"]})
    engine.complete(task["taskId"])
    changed = client.get(where, headers={"If-None-Match": first.headers["ETag"]})

    assert (same.status_code, same.data) == (304, b"")
    assert (changed.status_code, changed.json[0]["status"]) == (200, "success")


def test_another_owner_sees_none_of_it(engine: Engine, client: Client) -> None:
    engine.deploy(processes.making())
    process_id = engine.start(name="mine", key="making", owner="ann").process_instance_id
    _, key = engine.keys.add("bob", scopes=["read", "run"])
    headers = {"Authorization": f"Bearer {key}"}

    for end in ("detail", "task", "source"):
        assert client.get(f"/process/{process_id}/{end}", headers=headers).status_code == 404
    assert client.put(f"/process/{process_id}/retry", headers=headers).status_code == 404
    assert client.get("/process/search", headers=headers).json["items"] == []


def test_what_exists_is_exported_as_a_whole(client: Client, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_export, "AT_ONCE", 2)
    engine.deploy(processes.making())
    for size in range(5):
        engine.start(key="making", name="=1+1", variables={"size": size}, owner="ann" if size else "bob")
    listed = client.get("/resource?limit=500").json["items"]
    exported = client.get("/resource/json")
    assert (exported.content_type, exported.json, len(listed)) == ("application/json", listed, 5)
    table = client.get("/resource/csv?owner=ann&text=THING")
    assert table.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(table.text)))
    assert [json.loads(row["outputs"])["thing"] for row in rows] == ["thing-4", "thing-3", "thing-2", "thing-1"]
    assert [row["taskId"] for row in rows] == [each["taskId"] for each in listed[:4]]
    # A spreadsheet would calculate what somebody has called a process.
    assert {row["processName"] for row in rows} == {"'=1+1"}
    assert client.get("/resource/json?state=left").json == []
    assert client.get("/resource/csv?processInstanceId=999").status_code == 404
    assert client.get("/resource/csv?limit=3").status_code == 422


def test_a_client_of_one_owner_finds_nothing_of_another(client: Client, engine: Engine) -> None:
    engine.deploy(processes.making())
    for owner in ("ann", "bob"):
        engine.start(key="making", name="x", variables={"size": 3}, owner=owner)
    _, key = engine.keys.add("ann", scopes=["read"], owner="ann")
    headers = {"Authorization": f"Bearer {key}"}
    assert [each["owner"] for each in client.get("/resource", headers=headers).json["items"]] == ["ann"]
    assert [each["owner"] for each in client.get("/resource/json?owner=ann", headers=headers).json] == ["ann"]
    assert client.get("/resource?owner=bob", headers=headers).json == {"items": [], "cursor": None}
    assert client.get("/resource/json?owner=bob", headers=headers).json == []
    assert client.get("/resource/count?owner=bob", headers=headers).json == []
    assert client.get("/resource/drift?owner=bob", headers=headers).json == {"items": [], "cursor": None}


def test_what_exists_is_listed_counted_and_checked(client: Client, engine: Engine) -> None:
    engine.deploy(processes.making())
    body = {"key": "making", "processName": "x", "variables": {"size": 3}}
    number = client.post("/process", json=body).json["processInstanceId"]
    (found,) = client.get(f"/resource?processInstanceId={number}&state=kept").json["items"]
    assert (found["stone"], found["outputs"], found["state"]) == ("make", {"thing": "thing-3"}, "kept")
    assert client.get("/resource/count").json == [{"stone": "make", "state": "kept", "count": 1}]
    assert client.put(f"/process/{number}/check").json == [found]
    assert client.put(f"/process/{number}/gone", json={"taskIds": [found["taskId"]]}).status_code == 409
    assert client.get("/resource?state=lost").status_code == 422
    assert client.post("/resource/check", json={"every": "soon"}).status_code == 422
    schedule = client.post("/resource/check", json={"every": "PT6H", "stone": "make"}).json
    assert (schedule["rate"], schedule["batchId"], client.get("/resource/check").json) == (5.0, None, [schedule])
    assert client.delete(f"/resource/check/{schedule['scheduleId']}").json == []
    assert client.delete(f"/resource/check/{schedule['scheduleId']}").status_code == 404
    assert client.get("/resource?processInstanceId=999").status_code == 404
    assert client.put("/process/999/check").status_code == 404
