"""Deferred tasks are completed over HTTP: by their own service with the token as bearer, and by foreign webhooks."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.api.client import Client as RemoteClient
from riverstone.api.settings import Settings
from riverstone.engine import CallbackSignature, Deferral, Engine, Invalid, TaskInfo, UnknownToken
from riverstone.engine.callback_tokens import secret_part

from ...features.sketch import line, service
from ..asking import Client

GIVEN: list[Deferral] = []
OPTIONS: dict[str, Any] = {}


@pytest.fixture
def number(engine: Engine) -> Iterator[str]:
    """A process whose one task somebody outside is to complete."""

    def start(task: TaskInfo) -> Deferral:
        GIVEN.append(task.defer(**OPTIONS))
        return GIVEN[-1]

    OPTIONS.clear()
    engine.stone("outside")(start)
    engine.deploy(line("shop", service("a", "outside")))
    yield engine.start(key="shop", name="test").process_instance_id
    GIVEN.clear()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def task_of(token: str) -> str:
    return token.split("_")[1]


def test_a_service_completes_its_task_with_the_token_as_bearer(client: Client, engine: Engine, number: str) -> None:
    engine.keys.add("shop", scopes=["read"])
    token = GIVEN[-1].token
    path = f"/task/{task_of(token)}"
    answer = client.post(f"{path}/progress", json={"percent": 30, "text": "on its way"}, headers=bearer(token))
    assert (answer.status_code, answer.json) == (200, {"taken": True})
    assert engine.tasks(number)[0].progress == 30
    for taken in (True, False):
        answer = client.post(f"{path}/complete", json={"outputs": {"id": "x"}}, headers=bearer(token))
        assert (answer.status_code, answer.json) == (200, {"taken": taken})
    assert engine.get(number).native_output_values == {"a": {"id": "x"}}
    entries = engine.audit.entries(limit=20).items
    assert {entry.client for entry in entries} == {f"task:{task_of(token)}"}
    assert {entry.action for entry in entries} == {"postProgressTask", "postCompleteTask"}


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("fail", {"reason": "no paper"}, "start.failed"),
        ("fail", None, "start.failed"),
        ("error", {"code": "sold-out", "reason": "none left"}, "start.failed"),
        ("complete", None, "start.success"),
    ],
)
def test_each_door_is_open_to_the_token_alone(
    client: Client, engine: Engine, number: str, what: str, body: Any, status: str
) -> None:
    _, key = engine.keys.add("shop", scopes=["admin"])
    token = GIVEN[-1].token
    path = f"/task/{task_of(token)}/{what}"
    other = f"/task/{int(task_of(token)) + 1}/{what}"
    for wrong, where in ((key, path), (token[:-1], path), (token, other), ("", path)):
        headers = bearer(wrong) if wrong else {}
        answer = client.post(where, json=body or {}, headers=headers)
        assert answer.status_code == 401, (wrong, where)
        assert secret_part(token) not in answer.text
        assert "WWW-Authenticate" in answer.headers
    assert engine.audit.entries(limit=20).items == ()
    answer = client.post(path, json=body, headers=bearer(token)) if body else client.post(path, headers=bearer(token))
    assert answer.json == {"taken": True}
    assert engine.tasks(number)[0].status == status


def test_what_is_wrong_is_refused_by_field(client: Client, engine: Engine, number: str) -> None:
    token = GIVEN[-1].token
    path, headers = f"/task/{task_of(token)}", bearer(token)
    for what, body in (
        ("error", {}),
        ("progress", {"percent": 101}),
        ("fail", {"why": "?"}),
        ("complete", {"outputs": 1}),
    ):
        answer = client.post(f"{path}/{what}", json=body, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (422, "fields-invalid")
    assert engine.get(number).status == "running"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"json": {"state": "ready"}}, {"state": "ready"}),
        ({"data": {"state": "ready"}}, {"state": "ready"}),
        ({"data": "ready", "content_type": "text/plain"}, "ready"),
        ({}, None),
    ],
)
def test_a_webhook_needs_no_key_and_its_body_is_the_output(
    client: Client, engine: Engine, number: str, sent: Any, read: object
) -> None:
    engine.keys.add("shop", scopes=["read"])
    path = f"/callback/{GIVEN[-1].token}"
    assert client.post(path, **sent).json == {"taken": True}
    assert engine.get(number).native_output_values["a"]["callback"] == read
    again = client.post(path, json={"another": 1})
    assert (again.status_code, again.json) == (200, {"taken": False})
    assert engine.get(number).native_output_values["a"]["callback"] == read


def test_a_webhook_is_checked_where_its_task_asks_for_that(client: Client, engine: Engine) -> None:
    def start(task: TaskInfo) -> Deferral:
        GIVEN.append(task.defer(signature=CallbackSignature(secret="k", header="X-Sign", prefix="", encoding="hex")))
        return GIVEN[-1]

    engine.stone("outside")(start)
    engine.deploy(line("shop", service("a", "outside")))
    number = engine.start(key="shop", name="test").process_instance_id
    path = f"/callback/{GIVEN[-1].token}"
    refused = client.post(path, data=b"{}", headers={"X-Sign": "00"})
    assert (refused.status_code, refused.json["code"]) == (422, "signature-invalid")
    sign = hmac.new(b"k", b"{}", hashlib.sha256).hexdigest()
    assert client.post(path, data=b"{}", headers={"X-Sign": sign}).json == {"taken": True}
    assert engine.get(number).status == "success"


def test_a_token_is_in_no_answer_log_or_audit(
    client: Client, engine: Engine, number: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = GIVEN[-1].token
    secret = secret_part(token)
    answers = []
    with caplog.at_level(logging.DEBUG):
        forged = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
        answers.append(client.post(f"/callback/{forged}"))
        assert answers[-1].status_code == 404
        assert answers[-1].json["code"] == "unknown-token"
        answers.append(client.get(f"/callback/{token}"))
        assert answers[-1].status_code == 405
        answers.append(client.post(f"/callbacks/{token}"))
        assert answers[-1].status_code == 404
        assert engine.audit.entries(limit=20).items == ()
        answers.append(client.post(f"/callback/{token}"))
    assert not any(secret in answer.text for answer in answers)
    # The database's own log of statements is nobody's but who switches it on.
    assert secret not in "".join(each.getMessage() for each in caplog.records if each.name.startswith("riverstone"))
    (entry,) = engine.audit.entries(limit=20).items
    assert (entry.client, entry.target) == (f"task:{task_of(token)}", f"rst_{task_of(token)}_1_*****")


def test_the_client_completes_tasks_by_their_tokens(address: str, engine: Engine, number: str) -> None:
    engine.keys.add("shop", scopes=["read"])
    token = GIVEN[-1].token
    with RemoteClient(address) as server:
        for wrong in ("", "rst_1_1_x", "a_1_b_c", token[:-1] + ("A" if token[-1] != "A" else "B")):
            with pytest.raises(UnknownToken):
                server.complete_deferred(wrong)
        assert server.progress_deferred(token, 10)
        assert server.complete_deferred(token, {"id": 1})
        assert not server.fail_deferred(token, "no")
        assert not server.error_deferred(token, "no")
    assert engine.get(number).native_output_values == {"a": {"id": 1}}


def test_the_public_address_is_a_setting(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIVERSTONE_PUBLIC_URL", "https://bpm.example.com/engine/")
    app = create_app(config={"RIVERSTONE_DB": sqlite})
    with app.extensions["riverstone"] as engine:
        assert engine._facilities.tokens.url_of("t") == "https://bpm.example.com/engine/callback/t"
    for wrong in ("bpm.example.com", "ftp://x", "https://x?y=1", "https://"):
        with pytest.raises(Invalid, match="public_url"):
            Settings.read(config={"RIVERSTONE_PUBLIC_URL": wrong})


def test_a_form_of_too_many_fields_is_refused_and_the_task_waits_on(
    client: Client, number: str, engine: Engine
) -> None:
    path = f"/callback/{GIVEN[-1].token}"
    form = "application/x-www-form-urlencoded"
    refused = client.post(path, data="&".join(f"a{field}=1" for field in range(1001)), content_type=form)
    assert (refused.status_code, refused.json["code"]) == (400, "malformed")
    assert client.post(path, data="a=1", content_type=form).json == {"taken": True}
    assert engine.get(number).native_output_values == {"a": {"callback": {"a": "1"}}}
