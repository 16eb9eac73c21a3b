"""What clients that no package brings send and read: the Java client, Camunda Modeler, Go's."""

from __future__ import annotations

import io
import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from riverstone.api import create_app, create_blueprint
from riverstone.api.server import THREADS, Server
from riverstone.engine import Engine

from ..features.sketch import definitions, flow, line, process, service

JAVA_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")


def fetch(url: str, *topics: str, worker: str = "w", wait: int | None = None, most: int = 10, **more: Any) -> Any:
    asked = [{"topicName": topic, "lockDuration": 20000, "variables": None, **more} for topic in topics]
    body: dict[str, Any] = {
        "workerId": worker,
        "maxTasks": most,
        "usePriority": True,
        "topics": asked,
        "asyncResponseTimeout": wait,
    }
    return requests.post(f"{url}/engine-rest/external-task/fetchAndLock", json=body, timeout=70)


def tell(url: str, task: dict[str, Any], what: str, **body: Any) -> requests.Response:
    body = {"workerId": "w", **body}
    return requests.post(f"{url}/engine-rest/external-task/{task['id']}/{what}", json=body, timeout=60)


def started(engine: Engine, *nodes: str, key: str = "shop", **more: Any) -> str:
    engine.deploy(line(key, *nodes), external=True)
    return engine.start(key=key, name="test", **more).process_instance_id


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def test_the_java_client_reads_dates_types_and_errors(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"), variables={"n": 2**40, "m": {"a": 1}}, business_key="k")
    answer = fetch(url, "mail", includeExtensionProperties=True)
    assert answer.headers["Content-Type"] == "application/json"
    (task,) = answer.json()
    assert JAVA_DATE.fullmatch(task["createTime"])
    assert JAVA_DATE.fullmatch(task["lockExpirationTime"])
    assert task["executionId"] == task["processInstanceId"] == number
    assert task["businessKey"] == "k"
    assert task["extensionProperties"]["riverstone.event"] == "start"
    assert task["variables"] == {
        "n": {"value": 2**40, "type": "Long", "valueInfo": {}},
        "m": {"value": '{"a":1}', "type": "Json", "valueInfo": {}},
    }
    refused = tell(url, task, "complete", workerId="other")
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/json")
    assert type(refused.json()["code"]) is int
    assert {"type", "message", "code"} == refused.json().keys()
    java_map = {
        "value": '{"a":{"b":[1]}}',
        "type": "Object",
        "valueInfo": {"objectTypeName": "java.util.HashMap", "serializationDataFormat": "application/json"},
    }
    done = tell(
        url, task, "complete", variables={"map": java_map, "s": {"value": 1, "type": "Short", "valueInfo": None}}
    )
    assert (done.status_code, done.content) == (204, b"")
    assert "Content-Type" not in done.headers
    assert engine.wait(number, 30).native_output_values == {"a": {"map": {"a": {"b": [1]}}, "s": 1}}
    assert tell(url, task, "complete").status_code == 404
    assert requests.get(f"{url}/engine-rest/nothing", timeout=60).status_code == 404


DATE = "2026-11-25T10:20:30.000+0100"
TYPED: list[tuple[str, Any, Any, str]] = [
    ("Date", DATE, DATE, "Date"),
    ("date", "2026-11-25T09:20:30Z", "2026-11-25T09:20:30.000+0000", "Date"),
    ("String", "2026-11-25T09:20:30Z", "2026-11-25T09:20:30Z", "String"),
    ("Date", "0999-01-02T03:04:05.678-0930", "0999-01-02T03:04:05.678-0930", "Date"),
    ("Double", 5, 5.0, "Double"),
    ("Float", "0.5", 0.5, "Double"),
    ("Long", 2**53 + 1, 2**53 + 1, "Long"),
    ("Long", "5", 5, "Integer"),
    ("Long", -(2**63), -(2**63), "Long"),
    ("Short", -(2**15), -(2**15), "Integer"),
    ("Json", "9223372036854775808", "9223372036854775808", "Json"),
    ("Short", 5.0, 5, "Integer"),
    ("String", 5, "5", "String"),
    ("Boolean", "true", True, "Boolean"),
    ("Bytes", "aGVsbG8=", "aGVsbG8=", "Bytes"),
    ("Date", None, None, "Null"),
    ("Null", None, None, "Null"),
]


def test_types_come_back_as_far_as_json_can_hold_them(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "first"), service("b", "second"))
    (task,) = fetch(url, "first").json()
    sent = {f"v{place}": {"value": value, "type": kind} for place, (kind, value, *_) in enumerate(TYPED)}
    assert tell(url, task, "complete", variables=sent).status_code == 204
    (task,) = fetch(url, "second", asyncResponseTimeout=9000).json()
    shown = {
        f"v{place}": {"value": back, "type": kind, "valueInfo": {}} for place, (*_, back, kind) in enumerate(TYPED)
    }
    assert task["variables"] == shown
    assert [type(task["variables"][f"v{place}"]["value"]) for place in (4, 5, 11)] == [float, float, int]
    assert tell(url, task, "complete", variables=task["variables"]).status_code == 204
    outputs = engine.wait(number, 30).native_output_values
    assert outputs["b"] == outputs["a"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Date", "tomorrow"), ("Date", "2026-11-25T10:20:30"), ("Date", 7), ("Long", "x"), ("Integer", 5.5),
        ("Integer", True), ("Double", "NaN"), ("Double", [1]), ("Boolean", "yes"), ("Boolean", {}),
        ("String", {"a": 1}), ("Bytes", "%"), ("Bytes", 7), ("Long", "9" * 5000), ("Double", 10**400),
        ("Short", 2**15), ("Integer", 2**31), ("Integer", -(2**31) - 1), ("Long", 2**63), ("Long", 1e300),
        ("Date", "2026-11-25T10:20:30+05:30:15"), ("Bytes", 1234), ("Bytes", True),
        ("Long", "1_000"), ("Long", "١٢"), ("Double", "1_0.5"), ("Double", ""),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_its_type_is_refused_by_name(engine: Engine, url: str, kind: str, value: Any) -> None:
    started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail").json()
    refused = tell(url, task, "complete", variables={"when": {"value": value, "type": kind}})
    assert refused.status_code == 400
    assert tell(url, task, "complete").status_code == 204


def test_java_objects_that_are_no_json_are_refused_by_name(engine: Engine, url: str) -> None:
    started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail").json()
    info = {"serializationDataFormat": "application/x-java-serialized-object", "objectTypeName": "a.B"}
    refused = tell(url, task, "complete", variables={"bean": {"value": "rO0AB", "type": "Object", "valueInfo": info}})
    assert refused.status_code == 400
    assert "'bean'" in refused.json()["message"]


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
def test_unlock_comes_with_any_body_or_none(engine: Engine, url: str, body: bytes) -> None:
    started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail").json()
    answer = requests.post(f"{url}/engine-rest/external-task/{task['id']}/unlock", data=body, timeout=60)
    assert answer.status_code == 204
    (again,) = fetch(url, "mail", worker="other").json()
    assert again["id"] == task["id"]


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"workerId": 1}',
        b'{"workerId": "w", "maxTasks": 1, "topics": {}}',
        b'{"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "a"}]}',
        b'{"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "a", "lockDuration": 0}]}',
        b'{"workerId": "w", "maxTasks": 1, "topics": [], "asyncResponseTimeout": 1800001}',
        b'{"workerId": "w", "maxTasks": -1, "topics": []}',
    ],
)
def test_what_is_wrong_is_a_400_in_the_form_of_camunda(url: str, body: bytes) -> None:
    answer = requests.post(f"{url}/engine-rest/external-task/fetchAndLock", data=body, timeout=60)
    assert answer.status_code == 400
    assert type(answer.json()["code"]) is int


def test_a_long_poll_is_answered_when_a_task_comes_or_the_time_is_over(engine: Engine, url: str) -> None:
    begun = time.monotonic()
    assert fetch(url, "mail", wait=700).json() == []
    assert time.monotonic() - begun > 0.6
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(fetch, url, "mail", wait=30000)
        until(lambda: engine.external.offers.count() == 1)
        started(engine, service("a", "mail"))
        (task,) = waiting.result(60).json()
    assert tell(url, task, "complete").status_code == 204


def test_many_wait_beside_plain_requests_and_who_hangs_up_takes_no_task(engine: Engine, url: str) -> None:
    waiters = 3 * THREADS
    text = b'{"workerId":"%d","maxTasks":1,"asyncResponseTimeout":60000,"topics":'
    text += b'[{"topicName":"mail","lockDuration":20000}]'
    port = urlsplit(url).port or 0
    connections = []
    for number in range(waiters):
        connection = socket.create_connection(("127.0.0.1", port))
        body = text % number + b"}"
        head = (
            f"POST /engine-rest/external-task/fetchAndLock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}"
        )
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        connections.append(connection)
    until(lambda: engine.external.offers.count() == waiters)
    assert requests.get(f"{url}/engine-rest/version", timeout=60).status_code == 200
    for connection in connections[:-1]:
        connection.close()
    until(lambda: engine.external.offers.count() == 1)
    started(engine, service("a", "mail"))
    connections[-1].settimeout(20)
    assert b'"mail"' in connections[-1].recv(65536)
    connections[-1].close()


@pytest.mark.parametrize(
    ("path", "body", "nothing"),
    [
        (
            "/engine-rest/external-task/fetchAndLock",
            '{"workerId":"w","maxTasks":1,"asyncResponseTimeout":60000,'
            '"topics":[{"topicName":"mail","lockDuration":20000}]}',
            b"[]",
        ),
        (
            "/v2/jobs/activation",
            '{"type":"mail","timeout":20000,"maxJobsToActivate":1,"requestTimeout":60000}',
            b'{"jobs":[]}',
        ),
    ],
)
def test_who_closes_its_half_while_it_waits_hears_so_and_takes_no_task(
    engine: Engine, url: str, path: str, body: str, nothing: bytes
) -> None:
    """It may be gone: a task that came in the same moment would stay locked for nobody (RFC 9112, 9.6)."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=30) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        until(lambda: engine.external.offers.count() == 1)
        connection.shutdown(socket.SHUT_WR)
        got = b"".join(iter(lambda: connection.recv(65536), b""))
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert got.partition(b"\r\n\r\n")[2].replace(b" ", b"") == nothing
    started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail").json()
    assert tell(url, task, "complete").status_code == 204


def test_filters_order_and_nulls_are_understood(engine: Engine, url: str) -> None:
    low = started(engine, service("a", "mail"), key="low", business_key="one")
    high = started(
        engine, service("a", "mail", None, "", **{"camunda:taskPriority": "9"}), key="high", variables={"k": 1}
    )
    third = started(engine, service("a", "mail"), key="low", owner="ann")
    assert fetch(url, "mail", processDefinitionKey="nobody").json() == []
    assert fetch(url, "mail", processVariables={"k": {"value": 2}}).json() == []
    order: dict[str, Any] = {"sorting": [{"sortBy": "createTime", "sortOrder": "desc"}] * 2}
    body: dict[str, Any] = {
        "workerId": "w",
        "maxTasks": 1,
        "topics": [{"topicName": "mail", "lockDuration": 1000}],
        "usePriority": False,
        **order,
    }
    newest = requests.post(f"{url}/engine-rest/external-task/fetchAndLock", json=body, timeout=60).json()
    assert [task["processInstanceId"] for task in newest] == [third]
    assert newest[0]["tenantId"] == "ann"
    first = fetch(url, "mail", most=1, processDefinitionKey=None, tenantIdIn=None, processVariables=None).json()
    assert [task["processInstanceId"] for task in first] == [high]
    assert [task["processInstanceId"] for task in fetch(url, "mail", businessKey="one").json()] == [low]
    assert requests.get(f"{url}/engine-rest/external-task/count?topicName=mail", timeout=60).json() == {"count": 3}
    listed = requests.get(f"{url}/engine-rest/external-task?workerId=w&maxResults=2&firstResult=1", timeout=60).json()
    assert len(listed) == 2
    assert requests.get(f"{url}/engine-rest/external-task?colour=red", timeout=60).status_code == 400


def test_camunda_modeler_looks_deploys_twice_and_starts(engine: Engine, url: str) -> None:
    base, page = (
        f"{url}/engine-rest",
        {"Origin": "file://", "Sec-Fetch-Site": "cross-site", "Accept": "application/json"},
    )
    look = requests.get(f"{base}/deployment?maxResults=0", headers=page, timeout=60)
    assert (look.status_code, look.headers["Access-Control-Allow-Origin"]) == (200, "file://")
    assert requests.get(f"{base}/version", headers=page, timeout=60).json()["version"].startswith("7.")

    def deploy(model: bytes) -> requests.Response:
        form = {
            "deployment-name": "shop",
            "deployment-source": "Camunda Modeler",
            "enable-duplicate-filtering": "true",
        }
        files = {"shop.bpmn": ("shop.bpmn", io.BytesIO(model), "text/xml")}
        return requests.post(f"{base}/deployment/create", data=form, files=files, headers=page, timeout=60)

    deployed = deploy(line("shop", service("a", "mail"))).json()
    ((identifier, definition),) = deployed["deployedProcessDefinitions"].items()
    assert deploy(line("shop", service("a", "mail"))).json()["id"] == deployed["id"]
    assert definition["id"] == identifier
    body: dict[str, Any] = {"businessKey": None, "variables": None}
    started = requests.post(f"{base}/process-definition/{identifier}/start", json=body, headers=page, timeout=60)
    assert engine.get(started.json()["id"]).status == "running"
    broken = definitions(process("broken", '<startEvent id="s"/>', service("a", "x"), flow("s", "nowhere")))
    refused = deploy(broken)
    assert refused.status_code == 400
    assert refused.json()["message"].startswith("ENGINE-09005 Could not parse BPMN process.")


def test_pages_of_other_sites_are_refused_with_and_without_keys(engine: Engine, url: str) -> None:
    base = f"{url}/engine-rest/version"
    pages: list[dict[str, str]] = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ]
    for headers in pages:
        assert requests.get(base, headers=headers, timeout=60).status_code == 403
    _, key = engine.keys.add("worker", scopes=["work"], topics=["mail"], every_owner=True)
    for headers in pages:
        assert requests.get(base, headers=headers, auth=("", key), timeout=60).status_code == 403
    assert requests.get(base, headers={"Origin": "file://"}, auth=("w", key), timeout=60).status_code == 200
    preflight = {"Origin": "file://", "Access-Control-Request-Method": "POST"}
    assert requests.options(f"{url}/engine-rest/deployment/create", headers=preflight, timeout=60).status_code == 204


def test_a_key_gets_its_topics_and_its_owners_tasks_and_nothing_else(engine: Engine, url: str) -> None:
    started(engine, service("a", "mail.send"), owner="key:ann")
    keys = {
        name: engine.keys.add(name, scopes=["work"], topics=topics)[1]
        for name, topics in (("ann", ["mail.*"]), ("bob", ["mail.*"]), ("none", []))
    }

    def ask(name: str, topic: str) -> requests.Response:
        body: dict[str, Any] = {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": topic, "lockDuration": 9000}]}
        return requests.post(
            f"{url}/engine-rest/external-task/fetchAndLock", json=body, auth=("w", keys[name]), timeout=60
        )

    assert ask("none", "mail.send").status_code == 403
    assert ask("ann", "bill").status_code == 403
    assert ask("bob", "mail.send").json() == []
    assert ask("ann", "mail.send.rollback").json() == []
    (task,) = ask("ann", "mail.send").json()
    path = f"{url}/engine-rest/external-task/{task['id']}/complete"
    assert requests.post(path, json={"workerId": "w"}, auth=("w", keys["bob"]), timeout=60).status_code == 404
    headers = {"Authorization": f"Bearer {keys['ann']}"}
    assert requests.get(f"{url}/process", headers=headers, timeout=60).status_code == 403
    start = f"{url}/engine-rest/process-definition/key/shop/start"
    assert requests.post(start, json={}, headers=headers, timeout=60).status_code == 403
    assert requests.post(path, json={"workerId": "w"}, headers=headers, timeout=60).status_code == 204


def test_a_401_is_no_basic_challenge_and_basic_is_for_these_paths_alone(engine: Engine, url: str) -> None:
    _, key = engine.keys.add("all", scopes=["read", "work"], topics=["*"], every_owner=True)
    for authorization in ("", "Basic Og==", "Basic !!!", "Basic d3JvbmcK", "Bearer x"):
        answer = requests.get(f"{url}/engine-rest/version", headers={"Authorization": authorization}, timeout=60)
        assert answer.status_code == 401
        assert type(answer.json()["code"]) is int
        assert "basic" not in answer.headers.get("WWW-Authenticate", "").lower()
    assert requests.get(f"{url}/process", auth=("x", key), timeout=60).status_code == 401
    assert requests.get(f"{url}/engine-rest/version", auth=(key, ""), timeout=60).status_code == 200


def test_a_file_goes_out_as_an_attachment_that_no_browser_runs(engine: Engine, url: str) -> None:
    engine.deploy(line("shop", service("a", "mail")), external=True)
    page: dict[str, Any] = {
        "value": "PHNjcmlwdD4=",
        "type": "file",
        "valueInfo": {"filename": "x.html", "mimetype": "text/html"},
    }
    start = f"{url}/engine-rest/process-definition/key/shop/start"
    number = requests.post(start, json={"variables": {"page": page}}, timeout=60).json()["id"]
    (task,) = fetch(url, "mail").json()
    assert task["variables"]["page"] == {
        "value": None,
        "type": "File",
        "valueInfo": {"filename": "x.html", "mimetype": "text/html"},
    }
    for path in (f"execution/{number}/localVariables/page/data", f"process-instance/{number}/variables/page/data"):
        answer = requests.get(f"{url}/engine-rest/{path}", timeout=60)
        assert answer.content == b"<script>"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert requests.get(f"{url}/engine-rest/execution/{number}/localVariables/none/data", timeout=60).status_code == 404


FILES = {
    "lines": ({"filename": "a\r\nSet-Cookie: b=c.txt"}, "eA==", b"x"),
    "signs": ({"filename": "\x1f\x85.txt"}, "eA==", b"x"),
    "unreadable": ({"filename": "a.txt"}, "eA", None),
    "number": ({"filename": "a.txt"}, 5, None),
    "list": ({"filename": ["a"]}, "eA==", b"x"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_variable_that_only_looks_like_a_file_is_no_error_of_the_server(engine: Engine, url: str, name: str) -> None:
    """A start gives any JSON, and so does a stone."""
    told, content, read = FILES[name]
    variables = {name: {"riverstone:file": told, "base64": content}}
    number = started(engine, service("a", "mail"), variables=variables)

    answer = requests.get(f"{url}/engine-rest/process-instance/{number}/variables/{name}/data", timeout=60)

    assert (answer.status_code, answer.content) == (200, read) if read is not None else answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("tenants", [5, True, {"a": 1}, [5], [["a"]], [{}], ["a"] * 10_001, "a," * 10_001])
def test_tenants_that_are_no_texts_are_refused(engine: Engine, url: str, tenants: Any) -> None:
    for path in ("external-task", "external-task/count"):
        answer = requests.post(f"{url}/engine-rest/{path}", json={"tenantIdIn": tenants}, timeout=60)
        assert (answer.status_code, answer.json()["type"]) == (400, "InvalidRequestException")


def test_a_server_that_stops_answers_workers_that_wait(engine: Engine) -> None:
    server = Server(create_app(engine), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(fetch, server.url, "mail", wait=60000)
        until(lambda: engine.external.offers.count() == 1)
        server.stop()
        assert waiting.result(60).json() == []
    thread.join(20)


def test_a_blueprint_has_these_paths_only_where_they_are_asked_for(engine: Engine) -> None:
    from flask import Flask

    for camunda, status in ((False, 404), (True, 200)):
        app = Flask("host")
        app.register_blueprint(create_blueprint(engine, camunda=camunda), url_prefix="/river")
        assert app.test_client().get("/river/engine-rest/version", base_url="http://127.0.0.1").status_code == status


def test_a_java_worker_sets_variables_before_it_completes_and_an_undo_knows_them(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"), service("b", "call"))
    (task,) = fetch(url, "mail").json()
    path = f"{url}/engine-rest/process-instance/{number}/variables"

    def put(**body: Any) -> requests.Response:
        return requests.post(path, json={"workerId": "w", **body}, timeout=60)

    answer = put(modifications={"id": {"value": 7, "type": "Integer", "valueInfo": None}})
    assert (answer.status_code, answer.content) == (204, b"")
    assert engine.variables(number) == {"id": 7}
    assert put(workerId="other", modifications={"id": 8}).status_code == 404
    assert put(modifications=[]).status_code == 400
    assert put(deletions=["id"]).status_code == 400
    engine.external.declare({"code": "mail", "hooks": ["start", "cancel"]})
    engine.cancel(number)
    assert tell(url, task, "failure", errorMessage="gone", retries=0).status_code == 204
    undo = fetch(url, "mail.cancel", wait=20_000).json()[0]
    assert undo["variables"]["id"]["value"] == 7
    path = f"{url}/engine-rest/process-instance/{undo['processInstanceId']}/variables"
    assert put(modifications={"id": 9}).status_code == 204
    assert engine.variables(number) == {"id": 7}
    assert tell(url, undo, "complete").status_code == 204
    assert engine.wait(number, 30).status == "cancel.success"


def test_variables_of_a_worker_with_several_tasks_of_a_process_are_refused(engine: Engine, url: str) -> None:
    split = '<parallelGateway id="p"/>'
    parts = '<startEvent id="s"/>', split, service("a", "mail"), service("b", "mail"), '<endEvent id="x"/>'
    flows = flow("s", "p"), flow("p", "a"), flow("p", "b"), flow("a", "x"), flow("b", "x")
    engine.deploy(definitions(process("two", *parts, *flows)), external=True)
    number = engine.start(key="two", name="test").process_instance_id
    assert len(fetch(url, "mail").json()) == 2
    path = f"{url}/engine-rest/process-instance/{number}/variables"
    answer = requests.post(path, json={"workerId": "w", "modifications": {"a": 1}}, timeout=60)
    assert answer.status_code == 400
    assert "several tasks" in answer.json()["message"]


def test_a_key_sets_no_variables_of_another_owners_process(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"), owner="key:ann")
    keys = {name: engine.keys.add(name, scopes=["work"], topics=["mail"])[1] for name in ("ann", "bob")}
    topics = [{"topicName": "mail", "lockDuration": 9000}]
    body: dict[str, Any] = {"workerId": "w", "maxTasks": 1, "topics": topics}
    path = f"{url}/engine-rest/external-task/fetchAndLock"
    assert len(requests.post(path, json=body, auth=("w", keys["ann"]), timeout=60).json()) == 1
    path = f"{url}/engine-rest/process-instance/{number}/variables"
    for name, status in (("bob", 404), ("ann", 204)):
        answer = requests.post(
            path, json={"workerId": "w", "modifications": {"a": {"value": name}}}, auth=("", keys[name]), timeout=60
        )
        assert answer.status_code == status
    assert engine.variables(number) == {"a": "ann"}


def test_a_version_tag_and_what_the_model_says_to_workers_reach_them(engine: Engine, url: str) -> None:
    properties = '<camunda:properties><camunda:property name="team" value="blue"/></camunda:properties>'
    model = line("shop", service("a", "mail", None, f"<extensionElements>{properties}</extensionElements>"))
    engine.deploy(model.replace(b'<process id="shop"', b'<process id="shop" camunda:versionTag="v2"'), external=True)
    number = engine.start(key="shop", name="test").process_instance_id
    assert fetch(url, "mail", processDefinitionVersionTag="v1").json() == []
    (task,) = fetch(url, "mail", processDefinitionVersionTag="v2", includeExtensionProperties=True).json()
    assert (task["processInstanceId"], task["processDefinitionVersionTag"]) == (number, "v2")
    assert task["extensionProperties"]["team"] == "blue"


def test_a_lock_runs_out_is_kept_and_is_lost_as_in_camunda(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail", worker="first", lockDuration=1).json()
    until(lambda: not engine.external.find(_locked(), limit=1))
    expired = tell(url, task, "extendLock", workerId="first", newDuration=1000)
    assert (expired.status_code, expired.json()["type"]) == (400, "InvalidRequestException")
    # Nobody else has fetched it, so the first one may still complete it. Whoever fetches now takes it over.
    (again,) = fetch(url, "mail", worker="second").json()
    assert (again["id"], again["activityInstanceId"]) == (task["id"], task["activityInstanceId"])
    assert tell(url, task, "complete", workerId="first").status_code == 400
    assert tell(url, again, "extendLock", workerId="second", newDuration=60000).status_code == 204
    assert fetch(url, "mail", worker="third").json() == []
    assert tell(url, again, "complete", workerId="second").status_code == 204
    assert engine.wait(number, 30).status == "success"
    for what, body in (("complete", {}), ("extendLock", {"newDuration": 1000}), ("failure", {}), ("unlock", {})):
        gone = tell(url, again, what, workerId="second", **body)
        assert (gone.status_code, type(gone.json()["code"])) == (404, int)


def test_a_worker_tells_how_far_it_is(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail").json()
    assert tell(url, task, "progress", percent=50, lines=["half"]).status_code == 204
    (shown,) = engine.tasks(number)
    assert (shown.progress, shown.log) == (50, ("half",))
    for wrong in ({"percent": "much"}, {"lines": "half"}, {"lines": [1]}):
        assert tell(url, task, "progress", **wrong).status_code == 400
    assert tell(url, task, "progress", workerId="other", percent=60).status_code == 400
    assert tell(url, task, "complete").status_code == 204
    assert tell(url, task, "progress", percent=60).status_code == 404


def test_what_nobody_has_taken_over_is_completed_after_its_lock(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail", lockDuration=1).json()
    until(lambda: not engine.external.find(_locked(), limit=1))
    assert tell(url, task, "complete").status_code == 204
    assert engine.wait(number, 30).status == "success"


def test_a_worker_of_a_cancelled_process_hears_so_and_may_still_answer(engine: Engine, url: str) -> None:
    engine.external.declare({"code": "mail", "hooks": ["start", "cancel"], "grace": 60})
    number = started(engine, service("a", "mail"))
    (task,) = fetch(url, "mail", lockDuration=60_000).json()
    engine.cancel(number)
    assert tell(url, task, "extendLock", newDuration=60000).status_code == 404
    assert fetch(url, "mail.cancel").json() == []
    assert tell(url, task, "complete", variables={"made": {"value": 7}}).status_code == 204
    (undo,) = fetch(url, "mail.cancel", wait=20_000).json()
    assert undo["variables"]["made"]["value"] == 7
    assert undo["activityInstanceId"] == task["activityInstanceId"]
    assert tell(url, undo, "bpmnError", errorCode="not-found").status_code == 204
    assert engine.wait(number, 30).status == "cancel.success"
    assert tell(url, task, "complete").status_code == 404


def test_tenants_and_definitions_filter(engine: Engine, url: str) -> None:
    engine.deploy(line("shop", service("a", "mail")), external=True)
    anns = engine.start(key="shop", name="t", owner="ann").process_instance_id
    nobodys = engine.start(key="shop", name="t").process_instance_id
    deployment_id = engine.get(anns).deployment_id
    assert fetch(url, "mail", processDefinitionIdIn=["nothing"]).json() == []
    assert fetch(url, "mail", tenantIdIn=["bob"]).json() == []
    assert fetch(url, "mail", processDefinitionKeyIn=[]).json() == []
    (first,) = fetch(url, "mail", tenantIdIn=["ann"], processDefinitionId=deployment_id).json()
    (second,) = fetch(url, "mail", withoutTenantId=True, processDefinitionKeyIn=["shop", "other"]).json()
    assert (first["processInstanceId"], second["processInstanceId"]) == (anns, nobodys)


def test_a_closed_engine_is_a_503_in_the_form_of_camunda(engine: Engine, url: str) -> None:
    engine.close()
    for path, kind in (("/engine-rest/external-task/fetchAndLock", int), ("/v2/jobs/activation", None)):
        body: dict[str, Any] = {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "mail", "lockDuration": 1000}]}
        if kind is None:
            body = {"type": "mail", "worker": "w", "timeout": 1000, "maxJobsToActivate": 1, "requestTimeout": -1}
        answer = requests.post(url + path, json=body, timeout=60)
        assert answer.status_code == 503
        if kind is int:
            assert type(answer.json()["code"]) is int
        else:
            assert answer.json()["title"] == "RESOURCE_EXHAUSTED"
            assert answer.json()["instance"] == path


def test_a_worker_key_deploys_starts_and_reads_nothing(engine: Engine, url: str) -> None:
    started(engine, service("a", "mail"), owner="key:w")
    _, key = engine.keys.add("w", scopes=["work"], topics=["*"])
    base, auth = f"{url}/engine-rest", ("w", key)
    files = {"shop.bpmn": ("shop.bpmn", io.BytesIO(line("x", service("a", "mail"))), "text/xml")}
    refused = [
        requests.post(f"{base}/deployment/create", files=files, auth=auth, timeout=60),
        requests.post(f"{base}/process-definition/key/shop/start", json={}, auth=auth, timeout=60),
        requests.post(f"{base}/message", json={"messageName": "m"}, auth=auth, timeout=60),
        requests.get(f"{base}/deployment", auth=auth, timeout=60),
        requests.post(f"{url}/v2/process-instances", json={"processDefinitionId": "shop"}, auth=auth, timeout=60),
    ]
    assert [each.status_code for each in refused] == [403] * 5
    answer = requests.get(f"{base}/external-task/count", auth=auth, timeout=60)
    assert answer.json() == {"count": 1}


def _locked() -> Any:
    from riverstone.models import ExternalFilter

    return ExternalFilter(locked=True)
