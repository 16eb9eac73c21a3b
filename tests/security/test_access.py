"""Who is let in, what they may do, whose processes they see, and what is written down of it."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort, request
from marshmallow import fields

from riverstone.api import Client as Known
from riverstone.api import create_app, create_blueprint
from riverstone.api.server import Server
from riverstone.engine import Conflict, Engine, Invalid, Stone
from riverstone.engine.operating.access_keys import UnknownKey

from ..api.asking import Client
from . import attacks

WAITING = attacks.around('<userTask id="m"/>')


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def key(engine: Engine, name: str, *scopes: str, **options: Any) -> dict[str, str]:
    """The header of a new key."""
    return bearer(engine.keys.add(name, scopes=scopes, **options)[1])


def start(client: Client, headers: Mapping[str, str], **more: Any) -> Any:
    body = {"key": "attack", "processName": "x", "variables": {}, **more}
    return client.post("/process", json=body, headers=headers)


# -- while no rule is set


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_without_a_rule_this_machine_is_answered(client: Client, address: str) -> None:
    assert client.get("/process", environ_overrides={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "0.0.0.0", "::", "2001:db8::1", "", "localhost", "127.1"])
@pytest.mark.parametrize("path", ["/process", "/openapi.json", "/nothing"])
def test_without_a_rule_no_other_machine_is_answered(client: Client, address: str, path: str) -> None:
    answer = client.get(path, environ_overrides={"REMOTE_ADDR": address})

    assert (answer.status_code, answer.json["code"]) == (403, "loopback-only")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:8080"])
def test_without_a_rule_a_name_of_this_machine_is_answered(client: Client, host: str) -> None:
    assert client.get("/process", environ_overrides={"HTTP_HOST": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "127.0.0.1:80@evil", "192.0.2.7", "", "::1"]
)
def test_without_a_rule_another_name_is_not_answered(client: Client, host: str) -> None:
    answer = client.get("/process", environ_overrides={"HTTP_HOST": host})

    assert (answer.status_code, answer.json["code"]) == (403, "loopback-only")


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via", "CF-Connecting-IP"],
)
def test_without_a_rule_nothing_forwarded_is_answered(client: Client, header: str) -> None:
    answer = client.get("/process", headers={header: "127.0.0.1"})

    assert (answer.status_code, answer.json["code"]) == (403, "loopback-only")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_without_a_rule_a_page_of_another_site_changes_nothing(
    client: Client, engine: Engine, headers: dict[str, str]
) -> None:
    engine.deploy(WAITING)

    assert start(client, headers).status_code == 403
    assert engine.instances().items == ()


def test_a_forwarded_request_is_refused_over_real_http(engine: Engine) -> None:
    server = Server(create_app(engine), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        host, port = server.url.removeprefix("http://").split(":")
        answers = []
        for extra in ("", "X-Forwarded-For: 1.2.3.4\r\n"):
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                text = f"GET /process HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{extra}\r\n"
                connection.sendall(text.encode())
                answers.append(connection.makefile("rb").readline())
    finally:
        server.stop()
        thread.join()

    assert b" 200 " in answers[0]
    assert b" 403 " in answers[1]


# -- keys


def test_the_first_key_closes_the_door_and_revoking_it_does_not_open_it(client: Client, engine: Engine) -> None:
    headers = key(engine, "web", "read")

    assert client.get("/process").status_code == 401
    assert client.get("/process", headers=headers).status_code == 200
    engine.keys.revoke("web")
    refused = client.get("/process", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (401, "key-invalid")
    assert client.get("/process").json["code"] == "access-required"


def test_a_key_lets_in_from_anywhere(client: Client, engine: Engine) -> None:
    headers = key(engine, "web", "read")

    far = {"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "river.example"}
    assert client.get("/process", headers=headers, environ_overrides=far).status_code == 200
    as_key = {"X-API-Key": headers["Authorization"].removeprefix("Bearer ")}
    assert client.get("/process", headers=as_key, environ_overrides=far).status_code == 200


def test_only_the_digest_of_a_key_is_kept(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        _, text = engine.keys.add("web", scopes=["read"])
        secret = text.rsplit("_", 1)[-1] if text.count("_") == 2 else text[17:]
        assert text not in repr(engine.keys.all())
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in stored
    assert len(secret) == 43


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.upper(),
        lambda text: "rsk_" + "0" * 12 + text[16:],
        lambda text: text[:17],
        lambda text: "rsk_",
        lambda text: text + "\x00",
    ],
)
def test_what_is_nearly_a_key_is_none(engine: Engine, spoilt: Any) -> None:
    _, text = engine.keys.add("web", scopes=["read"])

    assert engine.keys.find(text) is not None
    assert engine.keys.find(spoilt(text)) is None


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("read", {"get"}), ("run", {"start"}), ("deploy", {"save"}), ("admin", {"get", "start", "save"})],
)
def test_a_scope_allows_what_it_names_and_no_more(
    client: Client, engine: Engine, scope: str, allowed: set[str]
) -> None:
    engine.deploy(WAITING)
    headers = key(engine, "one", scope)

    answers = {
        "get": client.get("/process", headers=headers),
        "start": start(client, headers),
        "save": client.post("/model", data=WAITING, content_type="application/xml", headers=headers),
    }

    assert {name for name, answer in answers.items() if answer.status_code == 200} == allowed
    assert {answer.status_code for name, answer in answers.items() if name not in allowed} <= {403}


def test_keys_are_named_once_and_have_scopes_that_exist(engine: Engine) -> None:
    engine.keys.add("web", scopes=["read"])

    with pytest.raises(Conflict, match="web"):
        engine.keys.add("web", scopes=["read"])
    with pytest.raises(Invalid, match="everything"):
        engine.keys.add("other", scopes=["everything"])
    with pytest.raises(Invalid, match="none"):
        engine.keys.add("other", scopes=[])
    with pytest.raises(Invalid, match="name"):
        engine.keys.add("a b", scopes=["read"])
    with pytest.raises(UnknownKey, match="other"):
        engine.keys.revoke("other")


def test_a_key_tells_which_person_asks(engine: Engine) -> None:
    client = Client(create_app(engine))
    here = client.get("/client").json
    ann = client.get("/client", headers=key(engine, "laptop", "read", user="ann", groups=["ops", "Buyers"])).json
    shop = client.get("/client", headers=key(engine, "shop", "read")).json

    assert (here["user"], here["groups"]) == ("local", [])
    assert (ann["name"], ann["user"], ann["groups"]) == ("key:laptop", "ann", ["Buyers", "ops"])
    assert (shop["user"], shop["groups"]) == (None, [])
    for wrong in ({"user": ""}, {"user": "a\nb"}, {"groups": ["x" * 256]}, {"groups": [f"g{n}" for n in range(501)]}):
        with pytest.raises(Invalid, match="Users and groups"):
            key(engine, "other", "run", **wrong)


# -- owners


@pytest.fixture
def two(engine: Engine) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The headers of two clients and of an administrator; the process waits for a user."""
    engine.deploy(WAITING)
    return (
        key(engine, "ann", "read", "run"),
        key(engine, "bob", "read", "run"),
        key(engine, "root", "admin"),
    )


def test_one_client_neither_sees_nor_touches_what_is_anothers(
    client: Client, engine: Engine, two: tuple[dict[str, str], ...]
) -> None:
    ann, bob, root = two
    number = start(client, ann).json["processInstanceId"]
    (task,) = engine.tasks(number)

    calls = [
        ("get", f"/process/{number}"),
        ("get", f"/process/{number}/preview"),
        ("put", f"/process/{number}/cancel"),
        ("put", f"/process/{number}/delete"),
        ("put", f"/process/{number}/protection"),
        ("get", f"/task?processInstanceId={number}"),
        ("get", f"/task/{task.task_id}"),
        ("put", f"/task/{task.task_id}/complete"),
        ("put", f"/task/{task.task_id}/reRun"),
        ("put", f"/task/{task.task_id}/resume"),
    ]
    for method, path in calls:
        body = {"json": {"deleteProtection": True}} if path.endswith("protection") else {}
        refused = getattr(client, method)(path, headers=bob, **body)
        absent = getattr(client, method)(
            path.replace(number, "999999").replace(task.task_id, "999999"), headers=bob, **body
        )
        assert refused.status_code == 404, path
        assert refused.json["code"] == absent.json["code"]
    assert client.get("/process", headers=bob).json["items"] == []
    assert engine.get(number).status == "running"

    assert len(client.get("/process", headers=ann).json["items"]) == 1
    assert client.get(f"/process/{number}", headers=root).status_code == 200
    cancelled = client.put(f"/process/{number}/cancel", headers=ann).json
    assert client.get(f"/process/{cancelled['cancelProcessInstanceId']}", headers=bob).status_code == 404
    assert client.get(f"/process/{cancelled['cancelProcessInstanceId']}", headers=ann).status_code == 200


def test_keys_may_share_an_owner_or_see_every_owner(client: Client, engine: Engine) -> None:
    engine.deploy(WAITING)
    first, second = key(engine, "a", "run", owner="shop"), key(engine, "b", "read", owner="shop")
    watcher = key(engine, "watcher", "read", every_owner=True)
    number = start(client, first).json["processInstanceId"]

    assert client.get(f"/process/{number}", headers=second).status_code == 200
    assert client.get(f"/process/{number}", headers=watcher).status_code == 200
    assert start(client, watcher).status_code == 403


def test_messages_and_signals_reach_only_ones_own(client: Client, engine: Engine) -> None:
    listening = attacks.around(
        '<intermediateCatchEvent id="m"><messageEventDefinition id="d" messageRef="x"/></intermediateCatchEvent>',
        before='<message id="x" name="paid"/>',
    )
    engine.deploy(listening)
    ann, bob = key(engine, "ann", "run"), key(engine, "bob", "run")
    number = start(client, ann).json["processInstanceId"]

    assert client.post("/message", json={"name": "paid"}, headers=bob).json["code"] == "message-not-expected"
    named = {"name": "paid", "processInstanceId": number}
    assert client.post("/message", json=named, headers=bob).status_code == 404
    assert client.post("/signal", json={"name": "paid"}, headers=bob).json == {"processInstanceIds": []}
    assert client.post("/message", json={"name": "paid"}, headers=ann).json["processStatus"] == "success"


def test_what_one_owners_process_throws_does_not_reach_anothers(client: Client, engine: Engine) -> None:
    signal = '<signal id="x" name="alarm"/>'
    event = '<signalEventDefinition id="d" signalRef="x"/>'
    engine.deploy(attacks.around(f'<intermediateCatchEvent id="m">{event}</intermediateCatchEvent>', before=signal))
    throwing = attacks.around(f'<intermediateThrowEvent id="m">{event}</intermediateThrowEvent>', before=signal)
    engine.deploy(throwing.replace(b'"attack"', b'"throwing"'))
    ann, bob = key(engine, "ann", "run"), key(engine, "bob", "run")
    of_ann = start(client, ann).json["processInstanceId"]

    start(client, bob, key="throwing")
    assert engine.get(of_ann).status == "running"
    start(client, ann, key="throwing")
    assert engine.get(of_ann).status == "success"


def test_the_same_idempotency_key_of_two_clients_is_two_keys(client: Client, two: tuple[dict[str, str], ...]) -> None:
    ann, bob, _ = two
    first = start(client, {**ann, "Idempotency-Key": "1"}).json["processInstanceId"]

    assert start(client, {**bob, "Idempotency-Key": "1"}).json["processInstanceId"] != first
    assert start(client, {**ann, "Idempotency-Key": "1"}).json["processInstanceId"] == first


# -- inside of another application


def test_inside_another_application_the_same_rule_holds(engine: Engine) -> None:
    app = Flask("host")
    app.add_url_rule("/own", view_func=lambda: "own")
    app.register_blueprint(create_blueprint(engine), url_prefix="/river")
    client = Client(app)
    far = {"REMOTE_ADDR": "192.0.2.7"}

    assert client.get("/river/process").status_code == 200
    assert client.get("/river/process", environ_overrides=far).json["code"] == "loopback-only"
    assert client.get("/own", environ_overrides=far).text == "own"
    assert "Content-Security-Policy" not in client.get("/own").headers


def test_an_application_may_take_over(engine: Engine) -> None:
    def access(scope: str) -> Known:
        name = request.headers.get("X-User")
        if name is None:
            abort(401, "Log in first.")
        return Known(name=name, scopes=frozenset({"read", "run"}), owner=name)

    engine.deploy(WAITING)
    app = Flask("host")
    app.register_blueprint(create_blueprint(engine, access=access))
    client = Client(app)
    far = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}

    assert client.get("/process", **far).status_code == 401
    number = start(client, {"X-User": "ann"}).json["processInstanceId"]
    assert client.get(f"/process/{number}", headers={"X-User": "ann"}, **far).status_code == 200
    assert client.get(f"/process/{number}", headers={"X-User": "bob"}, **far).status_code == 404
    (entry,) = engine.audit.entries().items
    assert entry.client == "ann"


def test_a_client_is_not_remembered_from_one_request_to_the_next(engine: Engine) -> None:
    app = create_app(engine)
    headers = key(engine, "ann", "read")

    with app.app_context():
        client = Client(app)
        assert client.get("/process", headers=headers).status_code == 200
        assert client.get("/process").status_code == 401


# -- headers, request ids, audit, logs


def test_every_answer_carries_protective_headers(client: Client) -> None:
    for answer in (client.get("/process"), client.get("/nothing"), client.post("/process", data=b"{")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_a_request_id_goes_in_and_out_if_it_has_a_usable_form(client: Client) -> None:
    answer = client.get("/nothing", headers={"X-Request-Id": "trace-1.2"})
    assert answer.headers["X-Request-Id"] == answer.json["requestId"] == "trace-1.2"
    for unusable in ("x" * 65, "a b", "<script>", ""):
        assert client.get("/process", headers={"X-Request-Id": unusable}).headers["X-Request-Id"] != unusable


def test_every_changing_call_is_written_down_with_its_outcome(client: Client, engine: Engine) -> None:
    engine.deploy(WAITING)
    ann = {**key(engine, "ann", "read", "run"), "X-Request-Id": "r-1"}
    far = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    number = client.post(
        "/process", json={"key": "attack", "processName": "x", "variables": {}}, headers=ann, **far
    ).json["processInstanceId"]
    client.put(f"/process/{number}/delete", headers=ann)
    client.put(f"/process/{number}/cancel", headers=ann)
    client.post("/message", json={"name": "nobody"}, headers=ann)
    client.post("/process", json={}, headers=ann)
    client.get("/process", headers=ann)

    page = engine.audit.entries()
    seen = [(entry.client, entry.action, entry.target, entry.outcome) for entry in reversed(page.items)]
    assert seen == [
        ("key:ann", "postProcesses", number, "done"),
        ("key:ann", "putDelete", number, "conflict"),
        ("key:ann", "putCancel", number, "done"),
        ("key:ann", "postMessages", None, "message-not-expected"),
        ("key:ann", "postProcesses", None, "fields-invalid"),
    ]
    assert (page.items[-1].address, page.items[-1].request_id) == ("192.0.2.7", "r-1")
    first = engine.audit.entries(limit=2)
    assert [*first.items, *engine.audit.entries(limit=2, cursor=first.cursor).items] == list(page.items[:4])
    assert engine.audit.forget(page.items[0].time) <= 5


def test_no_secret_is_in_any_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secrets = {"password": "hunter2-hunter2", "wrong": "rsk_000000000000_" + "A" * 43, "token": "tok-9876543210"}

    class Careless(Stone):
        """Says all that it knows."""

        code = "say"

        def start(self, task: Any) -> None:
            task.log(f"using {secrets['password']}")
            raise RuntimeError(f"no connection with {secrets['password']}")

    template = [{"Key": "password", "DisplayName": "p", "Type": "String", "NoEcho": True}]
    say = attacks.around('<serviceTask id="m" camunda:type="external" camunda:topic="say"/>')
    with caplog.at_level(logging.DEBUG), Engine(f"sqlite:///{tmp_path}/river.db", stones=[Careless]) as engine:
        engine.deploy(say, parameter_template=template)
        client = Client(create_app(engine))
        headers = key(engine, "ann", "read", "run")
        answer = start(client, headers, variables={"password": secrets["password"]})
        for credential in (secrets["wrong"], secrets["token"]):
            client.get("/process", headers=bearer(credential))
        shown = client.get(f"/task?processInstanceId={answer.json['processInstanceId']}", headers=headers)
        assert shown.json[0]["status"] == "start.failed"
        assert secrets["password"] not in answer.text + shown.text
        whole = caplog.text + repr(engine.audit.entries().items) + repr(engine.keys.all())

    for secret in (*secrets.values(), headers["Authorization"].removeprefix("Bearer ")):
        assert secret not in whole


def test_the_default_of_a_secret_is_shown_to_those_who_may_write_it(client: Client, engine: Engine) -> None:
    template = [{"Key": "p", "DisplayName": "p", "Type": "String", "NoEcho": True, "DefaultValue": "hunter2-hunter2"}]
    deployment = engine.deploy(WAITING, parameter_template=template)
    reader, writer = key(engine, "reader", "read"), key(engine, "writer", "read", "deploy")

    for path in (f"/deployment/{deployment.deployment_id}", f"/model/{deployment.model_id}"):
        assert "hunter2" not in client.get(path, headers=reader).text
        assert "hunter2" in client.get(path, headers=writer).text


class Confide(Stone):
    """Takes one secret, makes another, and tells both to whoever asks."""

    code = "confide"
    parameters = {"password": fields.String(metadata={"no_echo": True})}
    secret_outputs = frozenset({"token"})

    def start(self, task: Any) -> None:
        made = task.parameters["password"][::-1]
        task.add_output("token", made)
        task.log(f"{made} was made of {task.parameters['password']}")
        raise RuntimeError(f"{made!r} does not work")


@pytest.mark.parametrize("stones", [[Confide], []], ids=["with its stone", "when its stone is gone"])
def test_what_a_stone_calls_secret_is_shown_nowhere(tmp_path: Path, stones: list[type[Stone]]) -> None:
    secret, made = 'p"ss-wörd\\1', '1\\dröw-ss"p'
    url = f"sqlite:///{tmp_path}/river.db"
    ask = attacks.around('<serviceTask id="m" camunda:type="external" camunda:topic="confide"/>')
    with Engine(url, stones=[Confide]) as engine:
        engine.deploy(ask)
        engine.start(key="attack", name="x", variables={"password": secret})

    with Engine(url, stones=stones) as engine:
        client = Client(create_app(engine))
        number = engine.instances().items[0].process_instance_id
        of_one = f"/process/{number}"
        paths = (of_one, f"/task?processInstanceId={number}", "/process", f"{of_one}/explanation")
        shown = "".join(client.get(path).text for path in paths)

    for text in (secret, made):
        for _ in range(3):
            assert text not in shown
            text = json.dumps(text, ensure_ascii=False)[1:-1]
    assert "*****" in shown


def test_a_known_client_that_may_not_is_written_down_too(client: Client, engine: Engine) -> None:
    headers = key(engine, "reader", "read")

    assert start(client, headers).json["code"] == "scope-missing"
    assert client.get("/process", headers=headers).status_code == 200

    (entry,) = engine.audit.entries().items
    assert (entry.client, entry.action, entry.outcome) == ("key:reader", "postProcesses", "scope-missing")


def test_secret_outputs_are_read_in_clear_by_their_own_scope_alone_and_that_is_written_down(tmp_path: Path) -> None:
    class Vends(Stone):
        """Vends a password."""

        code = "vends"
        outputs = {"id": "shown", "password": "hidden"}
        secret_outputs = frozenset({"password"})

        def start(self, task: Any) -> dict[str, str]:
            task.save("password", "sesame-open")
            return {"id": "i-1", "password": "sesame-open"}

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Vends]) as engine:
        engine.deploy(attacks.around('<serviceTask id="m" camunda:type="external" camunda:topic="vends"/>'))
        mine = engine.start(key="attack", name="x", owner="acme").process_instance_id
        (task,) = engine.tasks(mine)
        client = create_app(engine).test_client()
        path = f"/task/{task.task_id}/secrets"

        def asked(headers: dict[str, str]) -> Any:
            return client.post(path, headers=headers)

        admin = key(engine, "admin", "admin")
        assert asked(admin).status_code == 403
        assert asked(key(engine, "all", "read", "run", "deploy", owner="acme")).status_code == 403
        assert asked(key(engine, "stranger", "secrets", owner="other")).status_code == 404
        answer = asked(key(engine, "reader", "secrets", owner="acme"))
        assert (answer.status_code, answer.json) == (200, {"outputs": {"password": "sesame-open"}})
        reader = key(engine, "other-reader", "secrets", owner="acme")
        assert client.get(f"/task/{task.task_id}/detail", headers=reader).status_code == 403
        assert "sesame" not in client.get(f"/task/{task.task_id}/detail", headers=admin).text
        calls = [
            (call.client, call.outcome) for call in engine.audit.entries().items if call.action == "postTaskSecrets"
        ]
        assert ("key:reader", "done") in calls
        assert "sesame" not in repr(engine.audit.entries())
