"""Callers who wait for a process: they hold no thread of the server, and are answered when it is different."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import flask
import pytest
import requests

from riverstone.api import create_app
from riverstone.api.client import Client as RemoteEngine
from riverstone.api.server import THREADS, Server
from riverstone.engine import Engine, Stone, TaskInfo, WaitTimeout

from ...features.sketch import line, service
from ...models.stores import SHARED, fresh
from .. import processes
from ..asking import Client


class Gate(Stone):
    """Ends when it is let."""

    code = "gate"
    go_on: ClassVar[threading.Event]

    def start(self, task: TaskInfo) -> None:
        assert self.go_on.wait(30)
        task.add_output("through", True)


@pytest.fixture
def gate() -> Iterator[type[Gate]]:
    kind: type[Gate] = type("Gate", (Gate,), {"__doc__": "One of its own.", "go_on": threading.Event()})
    yield kind
    kind.go_on.set()


@pytest.fixture
def engine(sqlite: str, gate: type[Gate]) -> Iterator[Engine]:
    with Engine(sqlite, stones=[gate], dispatcher="threads") as engine:
        engine.deploy(line("slow", service("a", "gate")))
        yield engine
        gate.go_on.set()


@contextmanager
def served(engine: Engine, asked: list[str] | None = None) -> Iterator[Server]:
    app = create_app(engine)
    if asked is not None:
        app.before_request(lambda: asked.append(flask.request.path))
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def server(engine: Engine) -> Iterator[Server]:
    with served(engine) as server:
        yield server


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def parked(server: Server) -> int:
    """How many requests have given their threads back; a ticket exists before, while its request still looks."""
    tickets = [channel.ticket for channel in server._channels()]
    return sum(ticket is not None and ticket._state == "parked" for ticket in tickets)


def body(**more: Any) -> dict[str, Any]:
    return {"key": "slow", "processName": "test", "variables": {}, **more}


def test_a_start_is_answered_when_the_process_has_ended(server: Server, gate: type[Gate]) -> None:
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(
            requests.post, f"{server.url}/process", json=body(), headers={"Prefer": "respond-async, wait=30"}
        )
        until(lambda: parked(server) == 1)
        gate.go_on.set()
        answer = asked.result(60)
    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "wait"
    record = answer.json()
    assert record["processStatus"] == "success"
    assert len(record) == 16
    listed = requests.get(f"{server.url}/process", timeout=60).json()["items"]
    assert [each["processInstanceId"] for each in listed] == [record["processInstanceId"]]


def test_a_process_that_ends_with_its_start_is_answered(server: Server, engine: Engine) -> None:
    engine.deploy(line("short", '<manualTask id="a"/>'))
    engine.deploy(
        line("wrong", '<serviceTask id="a" camunda:expression="${amount + 1}" camunda:resultVariable="sum"/>')
    )
    for key, status in (("short", "success"), ("wrong", "failed")):
        answer = requests.post(f"{server.url}/process", json=body(key=key), headers={"Prefer": "wait=30"}, timeout=20)
        assert answer.json()["processStatus"] == status
        assert answer.headers["Preference-Applied"] == "wait"


def test_a_start_that_is_sent_again_waits_for_the_first(server: Server, gate: type[Gate]) -> None:
    headers = {"Prefer": "wait=30", "Idempotency-Key": "once"}
    with ThreadPoolExecutor() as pool:
        asked = [
            pool.submit(requests.post, f"{server.url}/process", json=body(), headers=headers, timeout=40)
            for _ in range(3)
        ]
        until(lambda: parked(server) == 3)
        gate.go_on.set()
        answers = [each.result(60).json() for each in asked]
    assert {each["processStatus"] for each in answers} == {"success"}
    assert len({each["processInstanceId"] for each in answers}) == 1


def test_what_goes_on_is_shown_as_it_stands_when_the_time_is_over(server: Server) -> None:
    begun = time.monotonic()
    answer = requests.post(f"{server.url}/process", json=body(), headers={"Prefer": "wait=1"}, timeout=60)
    assert time.monotonic() - begun > 0.9
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers
    assert answer.json()["processStatus"] == "running"
    address = f"{server.url}/process/{answer.json()['processInstanceId']}"
    assert requests.get(address, {"wait": "1"}, timeout=60).json() == answer.json()
    assert requests.get(address, {"wait": "0"}, timeout=60).json() == answer.json()


@pytest.mark.parametrize("prefer", ["wait", "wait=", "wait=-1", "wait=1e3", "return=minimal", "\x80", "wait=1x"])
def test_a_preference_that_is_none_is_ignored(server: Server, prefer: str) -> None:
    answer = requests.post(
        f"{server.url}/process", json=body(), headers={"Prefer": prefer.encode("latin-1")}, timeout=60
    )
    assert answer.status_code == 200
    assert answer.json()["processStatus"] == "running"


def test_too_long_a_wait_in_a_query_is_refused(server: Server) -> None:
    for wait in ("61", "-1", "x", "1.5"):
        answer = requests.get(f"{server.url}/process/1", {"wait": wait}, timeout=60)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["wait"])
    assert requests.get(f"{server.url}/process/1", {"wait": "30"}, timeout=60).status_code == 404


def test_who_waits_for_a_change_hears_of_each_step_and_else_of_none(server: Server, gate: type[Gate]) -> None:
    number = requests.post(f"{server.url}/process", json=body(), timeout=60).json()["processInstanceId"]
    address = f"{server.url}/process/{number}"
    before = requests.get(address, timeout=60)
    etag = before.headers["ETag"]
    for given in (etag, f"W/{etag}", etag.strip('"')):
        same = requests.get(address, {"since": given}, timeout=60)
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert requests.get(address, {"since": '"other"', "wait": "30"}, timeout=60).json() == before.json()
    assert requests.get(address, {"since": etag, "wait": "1"}, timeout=60).status_code == 304
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(requests.get, address, {"since": etag, "wait": "30"}, timeout=40)
        until(lambda: parked(server) == 1)
        gate.go_on.set()
        answer = asked.result(60)
    assert answer.status_code == 200
    assert answer.json()["processStatus"] == "success"
    assert requests.get(address, headers={"If-None-Match": answer.headers["ETag"]}, timeout=60).status_code == 304


def test_somebody_is_needed(server: Server, engine: Engine) -> None:
    """A person, or a stone that nobody has registered here; the wait ends although the process has not."""
    engine.deploy(processes.asking())
    with Engine(engine.url, passive=True) as elsewhere:
        elsewhere.stone("elsewhere")(print)
        elsewhere.deploy(processes.serviced("missing", "elsewhere"))
    for key in ("asking", "missing"):
        answer = requests.post(f"{server.url}/process", json=body(key=key), headers={"Prefer": "wait=30"}, timeout=20)
        assert answer.json()["processStatus"] == "running"
        assert answer.headers["Preference-Applied"] == "wait"


def test_the_undo_is_waited_for_too(server: Server, engine: Engine, gate: type[Gate]) -> None:
    number = engine.start(key="slow", name="test").process_instance_id
    address = f"{server.url}/process/{number}"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(requests.get, address, {"wait": "30"}, timeout=40)
        until(lambda: parked(server) == 1)
        engine.cancel(number)
        gate.go_on.set()
        assert asked.result(60).json()["processStatus"] == "cancel.success"


def test_many_wait_and_a_plain_question_is_answered(server: Server, engine: Engine, gate: type[Gate]) -> None:
    """More than the server has threads."""
    number = engine.start(key="slow", name="test").process_instance_id
    waiters = 3 * THREADS
    question = f"GET /process/{number}?wait=60 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with ExitStack() as stack:
        port = urlsplit(server.url).port
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(waiters)]
        for each in connections:
            each.sendall(question)
        until(lambda: parked(server) == waiters)
        assert requests.get(f"{server.url}/process/{number}", timeout=60).json()["processStatus"] == "running"
        gone = connections[: waiters // 2]
        for each in gone:
            each.close()
        until(lambda: parked(server) == waiters - len(gone))
        gate.go_on.set()
        for each in connections[len(gone) :]:
            each.settimeout(20)
            assert b'"success"' in each.recv(65536)
    until(lambda: not engine._river.watchers.has_watches)


def test_a_request_behind_one_that_waits_comes_after_it(server: Server, engine: Engine, gate: type[Gate]) -> None:
    """Two on one connection: the second is neither lost nor answered first."""
    number = engine.start(key="slow", name="test").process_instance_id
    port = urlsplit(server.url).port
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET /process/{number}?wait=60 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        until(lambda: parked(server) == 1)
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        gate.go_on.set()
        connection.settimeout(20)
        got = b""
        while part := connection.recv(65536):
            got += part
    assert got.index(b'"success"') < got.index(b"HTTP/1.1 200 OK", 10)


@pytest.mark.parametrize("asks", ["reads", "starts"])
def test_who_closes_its_half_while_it_waits_is_answered_at_once(server: Server, engine: Engine, asks: str) -> None:
    """RFC 9112, 9.6: the other half stays open for the answer."""
    number = engine.start(key="slow", name="test").process_instance_id
    text = '{"key":"slow","processName":"test","variables":{}}'
    question = {
        "reads": f"GET /process/{number}?wait=60 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "starts": "POST /process HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=60\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}",
    }[asks]
    for parks_first in (True, False):
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=30) as connection:
            connection.sendall(question.encode())
            if parks_first:
                until(lambda: parked(server) == 1)
            connection.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: connection.recv(65536), b""))
        assert got.startswith(b"HTTP/1.1 200 OK")
        assert b'"processStatus": "running"' in got or b'"processStatus":"running"' in got
        until(lambda: not [channel for channel in server._channels() if channel.requests])
    until(lambda: not engine._river.watchers.has_watches)


def test_a_server_that_stops_answers_whoever_waits(engine: Engine) -> None:
    number = engine.start(key="slow", name="test").process_instance_id
    with ThreadPoolExecutor() as pool, served(engine) as server:
        asked = pool.submit(requests.get, f"{server.url}/process/{number}", {"wait": "60"}, timeout=70)
        until(lambda: parked(server) == 1)
        server.stop()
        answer = asked.result(60)
    assert answer.status_code == 200
    assert answer.json()["processStatus"] == "running"


def test_a_key_that_is_revoked_while_it_waits_hears_nothing(server: Server, engine: Engine, gate: type[Gate]) -> None:
    number = engine.start(key="slow", name="test").process_instance_id
    key, secret = engine.keys.add("waiter", scopes=["read"], every_owner=True)
    headers = {"X-API-Key": secret}
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(requests.get, f"{server.url}/process/{number}", {"wait": "60"}, headers=headers, timeout=70)
        until(lambda: parked(server) == 1)
        engine.keys.revoke(key.key_id)
        gate.go_on.set()
        assert asked.result(60).status_code == 401
    until(lambda: parked(server) == 0 and not engine._river.watchers.has_watches)


def test_a_revoked_key_gets_nothing_from_a_server_that_cannot_park_either(engine: Engine, gate: type[Gate]) -> None:
    """Such as gunicorn, whose threads wait."""
    number = engine.start(key="slow", name="test").process_instance_id
    key, secret = engine.keys.add("waiter", scopes=["read"], every_owner=True)
    client = Client(create_app(engine))
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(client.get, f"/process/{number}?wait=60", headers={"X-API-Key": secret})
        until(lambda: engine._river.watchers.has_watches)
        engine.keys.revoke(key.key_id)
        gate.go_on.set()
        assert asked.result(60).status_code == 401


@pytest.mark.parametrize("kind", SHARED)
def test_another_engine_brings_it_about(kind: str, tmp_path: Path, gate: type[Gate]) -> None:
    """The server's own engine is told by nobody: it looks."""
    with fresh(kind, tmp_path) as url, Engine(url, stones=[gate], dispatcher="threads") as working:
        working.deploy(line("slow", service("a", "gate"), '<userTask id="b" name="Approve"/>'))
        number = working.start(key="slow", name="test").process_instance_id
        with Engine(url, dispatcher="threads", passive=True) as engine, served(engine) as server:
            address = f"{server.url}/process/{number}"
            etag = requests.get(address, timeout=60).headers["ETag"]
            with ThreadPoolExecutor() as pool:
                first = pool.submit(requests.get, address, {"wait": "60"}, timeout=70)
                second = pool.submit(requests.get, address, {"wait": "60", "since": etag}, timeout=70)
                until(lambda: parked(server) == 2)
                gate.go_on.set()
                assert first.result(60).headers["Preference-Applied"] == "wait"
                assert second.result(60).headers["ETag"] != etag


@pytest.mark.parametrize("kind", SHARED)
def test_another_engine_ends_what_a_waiting_start_has_begun(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url, Engine(url, dispatcher="threads") as engine, served(engine) as server:
        engine.deploy(processes.listening())
        with Engine(url, dispatcher="threads") as other, ThreadPoolExecutor() as pool:
            headers = {"Prefer": "wait=60"}
            asked = pool.submit(
                requests.post, f"{server.url}/process", json=body(key="listening"), headers=headers, timeout=70
            )
            until(lambda: parked(server) == 1 and len(other.instances().items) == 1)
            other.message("paid", {})
            assert asked.result(60).json()["processStatus"] == "success"


def test_a_waiting_start_that_its_step_refuses_is_answered_and_written_down(server: Server, engine: Engine) -> None:
    """The request is parked before that is known: another engine has removed the version, which is known here."""
    deployed = engine.deploy(line("short", '<manualTask id="a"/>')).deployment_id
    with Engine(engine.url, passive=True) as other:
        other.remove_deployment(deployed)
    order: dict[str, Any] = {"deploymentId": deployed, "processName": "test", "variables": {}}
    answer = requests.post(f"{server.url}/process", json=order, headers={"Prefer": "wait=30"}, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-deployment")
    refused = engine.audit.entries().items
    assert [(entry.action, entry.outcome) for entry in refused] == [("postProcesses", "unknown-deployment")]
    until(lambda: not engine._river.watchers.has_watches)


def test_a_waiting_start_begins_the_version_that_another_engine_has_just_deployed(
    server: Server, engine: Engine
) -> None:
    engine.deploy(line("short", '<manualTask id="a"/>'))
    with Engine(engine.url, passive=True) as other:
        newer = other.deploy(line("short", '<manualTask id="b"/>')).deployment_id
    answer = requests.post(
        f"{server.url}/process", json=body(key="short"), headers={"Prefer": "wait=30"}, timeout=60
    ).json()
    assert answer["processStatus"] == "success"
    assert engine.get(answer["processInstanceId"]).deployment_id == newer
    assert [entry.outcome for entry in engine.audit.entries().items] == ["done"]
    until(lambda: not engine._river.watchers.has_watches)


def test_elsewhere_few_wait_in_threads_and_the_rest_is_answered_at_once(engine: Engine, gate: type[Gate]) -> None:
    """As under gunicorn: here by calling the application itself."""
    client = Client(create_app(engine))
    number = client.post("/process", json=body()).json["processInstanceId"]
    begun = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(client.get, f"/process/{number}?wait=60") for _ in range(12)]
        until(lambda: sum(each.done() for each in asked) == 4)
        assert time.monotonic() - begun < 55
        gate.go_on.set()
        found = sorted(each.result(60).json["processStatus"] for each in asked)
    assert found == ["running"] * 4 + ["success"] * 8


def test_an_engine_without_threads_goes_on_while_somebody_waits(sqlite: str) -> None:
    timer = "<timerEventDefinition><timeDuration>PT0.3S</timeDuration></timerEventDefinition>"
    with Engine(sqlite) as engine, served(engine) as server:
        engine.deploy(processes.bpmn("later", processes.catching(timer)))
        answer = requests.post(
            f"{server.url}/process", json=body(key="later"), headers={"Prefer": "wait=30"}, timeout=40
        )
    assert answer.json()["processStatus"] == "success"


def test_the_client_waits_on_the_server_and_does_not_ask_again_and_again(engine: Engine, gate: type[Gate]) -> None:
    asked: list[str] = []
    engine.deploy(line("both", service("a", "gate"), '<userTask id="b" name="Approve"/>'))
    with served(engine, asked) as server, RemoteEngine(server.url) as client, ThreadPoolExecutor() as pool:
        number = client.start(key="both", name="test").process_instance_id
        with pytest.raises(WaitTimeout):
            client.wait(number, timeout=0.2)
        asked.clear()
        ended = pool.submit(client.wait, number, 60)
        until(lambda: parked(server) == 1)
        gate.go_on.set()
        until(lambda: len(engine.tasks(number)) == 2 and parked(server) == 1)
        assert not ended.done()
        (approval,) = [task for task in engine.tasks(number) if task.stone is None]
        engine.complete(approval.task_id)
        assert ended.result(60).status == "success"
    assert len(asked) <= 12, "each wait is served twice, and followed by a look"


def test_what_is_refused_leaves_nothing_waiting_on_its_connection(server: Server) -> None:
    with requests.Session() as session:
        for path in ("/process/999?wait=20", "/process/999?wait=20&since=x", "/process/99999999999999999999?wait=20"):
            assert session.get(f"{server.url}{path}", timeout=30).status_code == 404
            assert session.get(f"{server.url}/health/live", timeout=30).json() == {"status": "live"}
