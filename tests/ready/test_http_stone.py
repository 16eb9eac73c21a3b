"""A thing behind an HTTP interface: made once whatever goes wrong, looked at, and undone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Engine, Invalid, Stone, Task
from riverstone.engine.ready import ClientCredentials, HttpRequest, HttpStone
from riverstone.engine.testkit import FaultProxy, check_stone

from ..features.sketch import definitions, flow, line, process, service
from .http_cloud import CLIENT, SECRET, HttpCloud, http_cloud


@pytest.fixture
def cloud() -> Iterator[HttpCloud]:
    with http_cloud() as made:
        yield made


def record(url: str, **members: Any) -> type[HttpStone]:
    """A record with all that an HTTP stone can have."""
    told: dict[str, Any] = {
        "code": "Ops::Record",
        "parameters": {"name": fields.String(load_default="www"), "size": fields.Integer(load_default=3)},
        "origins": {"dns": url},
        "networks": ("127.0.0.0/8",),
        "request": HttpRequest(
            method="POST",
            path="/v1/records",
            body={"name": "{name}.example", "size": "{size}", "key": "{key}", "tags": ["{name}", 1, None]},
            expect=(201,),
            outputs={"id": "record.id"},
        ),
        "lookup_request": HttpRequest(
            method="GET", path="/v1/records", query={"key": "{key}"}, outputs={"id": "items.0.id"}
        ),
        "ready_request": HttpRequest(
            method="GET",
            path="/v1/records/{outputs.id}",
            done_when={"state": ["active", "partly"]},
            failed_when={"state": "broken"},
            outputs={"state": "state"},
        ),
        "undo_request": HttpRequest(method="DELETE", path="/v1/records/{outputs.id}"),
        "check_request": HttpRequest(method="GET", path="/v1/records/{outputs.id}", done_when={"state": "active"}),
        "monitor_interval": 0.02,
        "retry_backoff": 0.02,
        "pause": 0.02,
    }
    return type("Record", (HttpStone,), told | members)


def ran(stone: type[Stone], **variables: Any) -> tuple[str, Task]:
    """How a process with one such task has ended, and its task."""
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(line("p", service("one", stone.code)))
        started = engine.start(key="p", name="one", variables=variables)
        ended = engine.wait(started.process_instance_id, timeout=60)
        return ended.status, engine.tasks(started.process_instance_id)[0]


def test_a_record_is_made_looked_at_until_it_is_ready_checked_and_removed(cloud: HttpCloud) -> None:
    stone = record(cloud.url)
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(line("p", service("one", stone.code)))
        number = engine.start(key="p", name="one", variables={"name": "mail", "size": 7}).process_instance_id
        assert engine.wait(number, timeout=60).status == "success"
        task = engine.tasks(number)[0]
        assert task.outputs == {"id": "r-1", "state": "active"}
        method, path, headers, body = cloud.asked[0]
        key = headers["idempotency-key"]
        assert (method, path, headers["content-type"]) == ("POST", "/v1/records", "application/json")
        assert json.loads(body) == {"name": "mail.example", "size": 7, "key": key, "tags": ["mail", 1, None]}
        assert [each.check for each in engine.check(number)] == ["there"]
        cloud.things["r-1"]["looks"] = -10
        assert [each.check for each in engine.check(number)] == ["different"]
        engine.wait(engine.delete(number).delete_process_instance_id or "", timeout=60)
        assert not cloud.things
        assert engine.get(number).status == "delete.success"


def test_it_keeps_the_contract_of_stones(cloud: HttpCloud) -> None:
    with FaultProxy(cloud.url) as proxy:
        stone = record(proxy.url, timeouts={"start": 20.0}, limit=5.0)
        report = check_stone(stone, exists=lambda: list(cloud.things), proxy=proxy, pace=0.02)
        report.assert_ok()
    assert not cloud.things


@pytest.mark.parametrize("fault", ["error-after", "drop-after", "drop-before", "refuse", "hang-after"])
def test_what_was_made_and_not_heard_of_is_looked_for_first(cloud: HttpCloud, fault: Any) -> None:
    cloud.knows_keys = False
    with FaultProxy(cloud.url) as proxy:
        proxy.fail("POST /v1/records", fault, times=2, status=503)
        status, task = ran(record(proxy.url, limit=1.0))
        assert status == "success", task.reason
        assert [*cloud.things] == [task.outputs["id"]]


def test_without_a_lookup_nothing_is_sent_twice_unless_the_operator_says_so(cloud: HttpCloud) -> None:
    cloud.knows_keys = False
    lost = {"lookup_request": None, "undo_request": None, "retries": 3}
    with FaultProxy(cloud.url) as proxy:
        proxy.fail("POST /v1/records", "drop-after", times=2)
        status, task = ran(record(proxy.url, **lost))
        assert status.startswith(("failed", "rollback"))
        assert "Nobody can tell what came of POST /v1/records" in (task.reason or "")
        assert len(cloud.things) == 1
        proxy.heal()
        # What was refused for certain may be sent again.
        proxy.fail("POST /v1/records", "refuse", times=2, status=429)
        assert ran(record(proxy.url, **lost))[0] == "success"
        assert len(cloud.things) == 2
        cloud.knows_keys = True
        proxy.fail("POST /v1/records", "drop-after", times=2)
        assert ran(record(proxy.url, **lost, rerunnable=True))[0] == "success"
        assert len(cloud.things) == 3


def test_an_undo_finds_what_nobody_has_heard_of(cloud: HttpCloud) -> None:
    with FaultProxy(cloud.url) as proxy:
        proxy.fail("POST /v1/records", "drop-after", times=None)
        proxy.fail("GET /v1/records", "refuse", times=1, status=400)
        status, _ = ran(record(proxy.url))
        assert status == "rollback.success"
    assert len(cloud.asked) > 1
    assert not cloud.things


def test_who_asks_for_patience_is_asked_again_then_and_no_attempt_is_used_up(cloud: HttpCloud) -> None:
    cloud.answers += [(429, {"Retry-After": "1"}, b""), (503, {"Retry-After": "no time"}, b"{}")]
    began = time.monotonic()
    status, task = ran(record(cloud.url, lookup_request=None, undo_request=None, retries=0))
    assert (status, task.attempt) == ("success", 1)
    assert time.monotonic() - began > 1.0


def test_other_refusals_fail_at_once_and_a_model_may_hear_of_some(cloud: HttpCloud) -> None:
    cloud.answers.append((422, {}, b'{"error": "size\\n is too large"}'))
    status, task = ran(record(cloud.url))
    assert status == "rollback.success"
    assert task.attempt == 1
    assert task.reason == (
        'POST /v1/records was answered with 422 Unprocessable Content: {"error": "size\\n is too large"}'
    )


def test_a_model_hears_of_the_statuses_that_are_errors_of_bpmn(cloud: HttpCloud) -> None:
    cloud.answers.append((409, {}, b""))
    stone = record(cloud.url, bpmn_errors={409: "taken"})
    caught = '<boundaryEvent id="caught" attachedToRef="one"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    parts = (
        '<startEvent id="start"/>',
        service("one", stone.code),
        caught,
        '<endEvent id="end"/><endEvent id="other"/>',
        flow("start", "one"),
        flow("one", "end"),
        flow("caught", "other"),
    )
    xml = definitions('<error id="e" errorCode="taken"/>', process("p", *parts))
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(xml)
        number = engine.start(key="p", name="one").process_instance_id
        assert engine.wait(number, timeout=60).status == "success"
        assert not cloud.things


def test_what_never_will_be_ready_fails(cloud: HttpCloud) -> None:
    ready = HttpRequest(
        method="GET", path="/v1/records/{outputs.id}", failed_when={"state": "pending"}, done_when={"a": 1}
    )
    status, task = ran(record(cloud.url, ready_request=ready))
    assert status == "rollback.success"
    assert "never will be ready" in (task.reason or "")
    assert not cloud.things


def test_somebody_outside_tells_what_came_of_it(cloud: HttpCloud) -> None:
    stone = record(
        cloud.url,
        request=HttpRequest(method="POST", path="/v1/records", body={"tell": "{callback_token}", "key": "{key}"}),
        lookup_request=None,
        ready_request=None,
        check_request=None,
        undo_request=None,
        callback_within=60.0,
    )
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(line("p", service("one", stone.code)))
        number = engine.start(key="p", name="one").process_instance_id
        deadline = time.monotonic() + 60
        while not cloud.things:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        task = engine.tasks(number)[0]
        token = cloud.things["r-1"]["tell"]
        assert token not in str(task)
        assert engine.complete_deferred(token, {"id": "r-1"})
        assert engine.wait(number, timeout=60).status == "success"
        assert engine.tasks(number)[0].outputs["id"] == "r-1"


def with_token(cloud: HttpCloud, **members: Any) -> type[HttpStone]:
    credentials = ClientCredentials(
        token_url=f"{cloud.url}/token", client_id=CLIENT, client_secret="{secret}", scope="records"
    )
    parameters = {
        "secret": fields.String(load_default=SECRET, metadata={"no_echo": True}),
        "name": fields.String(load_default="x"),
        "size": fields.Integer(load_default=1),
    }
    return record(cloud.url, credentials=credentials, parameters=parameters, **members)


def test_a_token_is_kept_and_another_taken_where_it_is_refused_or_over(cloud: HttpCloud) -> None:
    stone = with_token(cloud)
    assert ran(stone)[0] == "success"
    assert ran(stone)[0] == "success"
    assert len(cloud.tokens) == 1
    cloud.tokens_for = set()
    assert ran(stone)[0] == "success"
    assert len(cloud.tokens) == 2
    assert len(cloud.things) == 3
    cloud.lasts = 1
    cloud.tokens_for = set()
    assert ran(stone)[0] == "success"
    # One that lasts for a second is asked for anew by each request.
    assert len(cloud.tokens) > 4


def test_no_secret_is_told_whatever_the_other_side_quotes(cloud: HttpCloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    status, task = ran(with_token(cloud), secret="an other secret")
    assert status.startswith(("failed", "rollback"))
    assert task.reason == "The token endpoint answers 401 invalid_client: check the client's id, secret and scope."
    cloud.tokens_for, cloud.answers = set(), [(422, {}, b"not with Bearer token-number-1"), (200, {}, b'{"items": []}')]
    _, task = ran(with_token(cloud, retries=0))
    assert "not with Bearer *****" in (task.reason or "")
    for secret in ("an other secret", SECRET, "token-number-1"):
        assert secret not in caplog.text
        assert secret not in str(task)


def test_a_secret_of_the_operators_own_is_referred_to(cloud: HttpCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {"token_url": f"{cloud.url}/token", "client_id": CLIENT}
    with pytest.raises(Invalid, match="not written into code"):
        ClientCredentials(**told, client_secret=SECRET)
    stone = record(cloud.url, credentials=ClientCredentials(**told, client_secret="secret:shared/records"))
    status, task = ran(stone)
    assert status.startswith(("failed", "rollback"))
    assert "'secret:shared/records' is nowhere to be found" in (task.reason or "")
    monkeypatch.setenv("RIVERSTONE_SECRET_SHARED__RECORDS", SECRET)
    assert ran(stone)[0] == "success"


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"origins": {}}, "needs origins"),
        ({"origins": {"a": "https://*.example.com"}}, "no origin"),
        ({"origins": {"a": "https://x@example.com"}}, "no origin"),
        ({"lookup_request": None}, "of which nobody may have heard"),
        ({"undo_request": HttpRequest(method="DELETE", path="/{nobody}")}, "has nothing for"),
        ({"ready_request": HttpRequest(method="GET", path="/", query={"a": "{callback_token}"})}, "has nothing for"),
    ],
)
def test_what_could_not_work_is_refused_where_it_is_declared(members: dict[str, Any], text: str) -> None:
    with pytest.raises(Invalid, match=text):
        record("https://example.com", **members)
