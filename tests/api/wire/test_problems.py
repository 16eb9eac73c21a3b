"""Whatever is sent, the answer is a problem that says what to do, and never a traceback."""

from __future__ import annotations

import http.client
import json
import logging
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from flask import Flask, Response, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riverstone.api import create_app, create_blueprint
from riverstone.engine import Engine

from ..asking import Client

HOSTILE_BODIES = {
    "empty": (b"", 400),
    "not JSON": (b"{processName: test}", 400),
    "cut off": (b'{"key": "making"', 400),
    "not UTF-8": (b'{"processName": "\xff"}', 400),
    "NaN": (b'{"key": "making", "processName": "t", "variables": {"a": NaN}}', 400),
    "Infinity": (b'{"key": "making", "processName": "t", "variables": {"a": -Infinity}}', 400),
    "a key twice": (b'{"key": "making", "key": "other", "processName": "t", "variables": {}}', 400),
    "100,000 levels of lists": (b"[" * 100_000 + b"]" * 100_000, 400),
    "100,000 levels of objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "65 levels": (b'{"variables":' + b"[" * 65 + b"]" * 65 + b"}", 400),
    "a huge integer": (b'{"key": "making", "processName": "t", "variables": {"a": ' + b"9" * 5_000 + b"}}", 400),
    "a huge exponent": (b'{"key": "making", "processName": "t", "variables": {"a": 1e999999}}', 400),
    "a lone surrogate": (b'{"key": "making", "processName": "\\ud800", "variables": {}}', 422),
    "a NUL in a value": (b'{"key": "making", "processName": "t", "variables": {"a": "\\u0000"}}', 422),
    "a NUL in a name": (b'{"key": "making", "processName": "t", "variables": {"\\u0000": 1}}', 422),
    "a list": (b"[]", 422),
    "a text": (b'"start"', 422),
    "null": (b"null", 422),
    "two megabytes": (b" " * 2_000_000 + b"{}", 413),
}


def check(response: Any, *statuses: int) -> None:
    assert response.status_code in statuses, response.text
    assert response.mimetype == "application/problem+json"
    problem = response.json
    assert list(problem)[:6] == ["type", "title", "status", "detail", "code", "message"]
    assert problem["status"] == response.status_code
    assert problem["message"] == problem["detail"]
    assert problem["detail"]
    assert "Traceback" not in response.text


@pytest.mark.parametrize("name", HOSTILE_BODIES)
def test_a_hostile_body_is_refused(client: Client, key: str, name: str) -> None:
    body, status = HOSTILE_BODIES[name]

    # Which of the two a body deserves that JSON allows and we do not is for the reader of JSON to say.
    statuses = {status, 422} if status == 400 else {status}
    check(client.post("/process", data=body, content_type="application/json"), *statuses)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "a/b"])
def test_a_body_that_is_not_called_json_is_not_read(client: Client, media_type: str) -> None:
    check(client.post("/process", data=b"{}", content_type=media_type), 415)


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/vnd.x+json", None])
def test_a_body_that_is_called_json_or_nothing_is_read(client: Client, media_type: str | None) -> None:
    check(client.post("/process", data=b"{}", content_type=media_type), 422)


def test_a_wrong_method_is_told_which_are_right(client: Client) -> None:
    response = client.delete("/process/1")

    check(response, 405)
    assert response.allow == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/proces", "/process/", "/process//", "/process/1/cancel/2", "/%00", "/%FF"])
def test_an_unknown_path_is_a_problem_too(client: Client, path: str) -> None:
    check(client.get(path), 404)


def test_a_closed_engine_asks_to_come_back_later(client: Client, engine: Engine, key: str) -> None:
    engine.close()

    response = client.post("/process", json={"key": key, "processName": "test", "variables": {}})

    check(response, 503)
    assert response.headers["Retry-After"].isdigit()


def test_a_store_that_does_not_answer_asks_to_come_back_later(client: Client, key: str, tmp_path: Path) -> None:
    store = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    store.execute("alter table task rename to elsewhere")

    start = client.post("/process", json={"key": key, "processName": "test", "variables": {}})
    listing = client.get("/task?processInstanceId=1")
    store.execute("alter table elsewhere rename to task")
    store.close()
    again = client.post("/process", json={"key": key, "processName": "test", "variables": {}})

    check(start, 503)
    assert start.headers["Retry-After"].isdigit()
    assert listing.status_code in (404, 503)
    assert again.status_code == 200


def test_a_defect_is_logged_and_not_shown(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    def defective() -> str:
        raise ZeroDivisionError("secret detail")

    app = create_app(engine)
    app.add_url_rule("/defective", view_func=defective)
    with caplog.at_level(logging.ERROR):
        response = Client(app).get("/defective")

    check(response, 500)
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text


def test_inside_another_application_only_the_own_paths_answer_with_problems(engine: Engine, key: str) -> None:
    host = Flask("host")
    host.register_blueprint(create_blueprint(engine), url_prefix="/river")
    host.register_error_handler(404, lambda error: ("the host's own page", 404))
    host.add_url_rule("/broken", view_func=lambda: str(1 // 0))
    client = Client(host)

    assert client.get("/nowhere").text == "the host's own page"
    assert client.get("/river/nowhere").text == "the host's own page"
    assert client.get("/broken").mimetype == "text/html"
    check(client.get("/river/process/1"), 404)
    help_at = '<../code/unknown-process-instance>; rel="help"'
    assert client.get("/river/process/1").headers["Link"] == help_at
    check(client.post("/river/process", data=b"{"), 400)
    started = client.post("/river/process", json={"key": key, "processName": "test", "variables": {}})
    assert started.status_code == 200


def test_a_host_may_keep_a_part_of_the_path_before_the_calls_for_itself(engine: Engine) -> None:
    """As Flask's pattern for tenants or languages has it: only the host knows what stands there."""
    host, blueprint = Flask("host"), create_blueprint(engine, camunda=True)

    @blueprint.url_value_preprocessor
    def take_tenant(endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values is not None:
            values.pop("tenant", None)

    host.register_blueprint(blueprint, url_prefix="/<tenant>/river")
    client = Client(host)

    answer = client.get("/acme/river/process/1")
    check(answer, 404)
    assert "Link" not in answer.headers
    assert client.get("/acme/river/engine-rest/external-task/1-1").status_code == 404
    (server,) = client.get("/acme/river/openapi.json").json["servers"]
    assert urljoin("/acme/river/openapi.json", server["url"]) == "/acme/river"


@pytest.mark.parametrize("early", [True, False])
def test_an_application_around_it_may_look_at_the_body_and_change_the_answer(
    engine: Engine, key: str, early: bool
) -> None:
    host = Flask("host")
    host.register_blueprint(create_blueprint(engine))
    seen: list[Any] = []

    @host.before_request
    def look() -> None:
        if early:
            seen.append(request.get_json()["processName"])

    @host.after_request
    def change(response: Response) -> Response:
        seen.append(len(request.get_data()) > 0)
        response.headers["Cache-Control"] = "private"
        response.set_data(response.get_data() + b" ")
        response.call_on_close(lambda: seen.append("sent"))
        return response

    started = Client(host).post("/process", json={"key": key, "processName": "test", "variables": {}})

    assert started.text.endswith("} ")
    assert started.headers.getlist("Cache-Control") == ["private"]
    assert started.headers["Content-Length"] == str(len(started.data))
    started.close()
    assert seen == (["test", True, "sent"] if early else [False, "sent"])
    assert not Client(host).head("/process").data


def test_a_body_without_a_told_length_is_read_and_one_that_is_shorter_than_told_is_refused(
    client: Client, key: str, address: str
) -> None:
    body = json.dumps({"key": key, "processName": "test", "variables": {}}).encode()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request("POST", "/process", iter([body[:5], body[5:]]), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()

    short = {"CONTENT_LENGTH": str(len(body) + 1)}
    check(client.post("/process", data=body, content_type="application/json", environ_overrides=short), 400)


def test_two_engines_live_in_one_application(engine: Engine, key: str) -> None:
    host = Flask("host")
    with Engine("sqlite:///:memory:") as other:
        host.register_blueprint(create_blueprint(engine), url_prefix="/one")
        host.register_blueprint(create_blueprint(other, name="second"), url_prefix="/two")
        client = Client(host)

        assert len(client.get("/one/deployment").json["items"]) == 1
        assert client.get("/two/deployment").json["items"] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["modelId", "deploymentId", "key", "processName", "variables", "rollback", "businessKey", "x"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | st.dictionaries(NAMES, JSON, max_size=5))
def test_no_body_at_all_makes_the_server_fail(client: Client, body: bytes | dict[str, object]) -> None:
    if isinstance(body, bytes):
        response = client.post("/process", data=body, content_type="application/json")
    else:
        response = client.post("/process", json=body)

    assert response.status_code in (200, 400, 404, 422)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.sampled_from(["process", "task", "model", "deployment", "message", "x"]),
    rest=st.lists(st.sampled_from(["1", "cancel", "reRun", "preview"]) | st.text(), max_size=3),
)
def test_no_path_at_all_makes_the_server_fail(client: Client, first: str, rest: list[str]) -> None:
    path = "/".join(["", first, *(quote(segment.encode("utf-8", "replace"), safe="") for segment in rest)])

    for method in ("GET", "PUT", "POST"):
        assert client.open(path, method=method).status_code < 500


def test_raw_bytes_in_the_request_line_and_headers_are_survived(address: str) -> None:
    place = urlsplit(address)
    for path in ("/process/%", "/process/%zz", "/process?limit=%ff", "/process?" + "a=1&" * 5_000):
        connection = http.client.HTTPConnection(place.netloc, timeout=10)
        connection.putrequest("GET", path)
        connection.putheader("Idempotency-Key", b"\xff\xfe")
        connection.endheaders()
        assert 400 <= connection.getresponse().status < 500
        connection.close()
