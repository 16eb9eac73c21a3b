"""What an HTTP stone makes of answers and of missing values: nothing is made twice, nothing else is removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Engine, Fatal, Invalid
from riverstone.engine.ready import HttpRequest, HttpStone
from riverstone.engine.ready.http_request import MISSING, holds
from riverstone.engine.testkit import FaultProxy

from ..features.sketch import definitions, flow, line, process, service
from .http_cloud import HttpCloud, http_cloud
from .test_http_attacks import put
from .test_http_stone import ran, record

ALONE: dict[str, Any] = {"lookup_request": None, "undo_request": None, "ready_request": None, "check_request": None}


def below(base: type[HttpStone], **members: Any) -> type[HttpStone]:
    """A subclass of it, under a code of its own."""
    return type("Below", (base,), {"code": "Ops::Below"} | members)


@pytest.fixture
def cloud() -> Iterator[HttpCloud]:
    with http_cloud() as made:
        yield made


def test_a_subclass_has_no_hook_for_a_request_that_it_does_without(cloud: HttpCloud) -> None:
    base = record(cloud.url, gone_request=HttpRequest(method="GET", path="/v1/records/{outputs.id}"))
    stone = below(base, gone_request=None, **ALONE)
    assert not [hook for hook in ("monitor", "check", "rollback", "delete", "delete_monitor") if stone.has(hook)]
    assert dict(stone.outputs) == {"id": "record.id of the answer"}
    assert ran(stone)[0] == "success"
    again = below(stone, undo_request=HttpRequest(method="DELETE", path="/{key}"))
    assert (again.has("rollback"), again.has("monitor"), base.has("monitor")) == (True, False, True)
    own = below(base, rollback=lambda *_: None, gone_request=None, **ALONE)
    assert (own.has("rollback"), own.has("cancel")) == (True, False)


def test_a_subclass_with_one_origin_chooses_none(cloud: HttpCloud) -> None:
    base = record(cloud.url, origins={"a": cloud.url, "b": "https://example.com"}, **ALONE)
    assert "origin" in base.parameters
    stone = below(base, origins={"a": cloud.url})
    assert "origin" not in stone.parameters
    assert ran(stone)[0] == "success"


def test_a_parameter_that_was_not_given_is_left_out(cloud: HttpCloud) -> None:
    request = HttpRequest(
        method="PUT",
        path="/v1/things/x",
        query={"size": "{size}", "tag": "{name}"},
        headers={"X-Size": "{size}"},
        body={"size": "{size}", "name": "{name}", "sizes": ["{size}", "{name}"], "text": "<{size}>", "none": None},
    )
    cloud.answers.append((200, {}, b""))
    status, task = ran(
        put(cloud.url, request=request, parameters={"name": fields.Raw(load_default="n"), "size": fields.Integer()})
    )
    assert status == "success", task.reason
    _, path, headers, body = cloud.asked[0]
    assert path == "/v1/things/x?tag=n"
    assert "x-size" not in headers
    assert json.loads(body) == {"name": "n", "sizes": ["n"], "text": "<>", "none": None}
    in_path = HttpRequest(method="PUT", path="/{size}")
    status, task = ran(put(cloud.url, request=in_path, parameters={"size": fields.Integer()}))
    assert (status, task.reason) == ("rollback.success", "The value of {size} is empty or leads to another path.")


def test_a_parameter_of_ones_own_does_not_choose_among_the_origins() -> None:
    with pytest.raises(Invalid, match="give yours another name"):
        record("https://a", origins={"a": "https://a", "b": "https://b"}, parameters={"origin": fields.Raw()}, **ALONE)


@pytest.mark.parametrize("members", [{"method": "HEAD"}, {"method": "PUT", "expect": (204,)}])
@pytest.mark.parametrize("reads", [{"outputs": {"id": "id"}}, {"done_when": {"a": 1}}, {"failed_when": {"a": 1}}])
def test_nothing_is_read_from_an_answer_without_a_body(members: Any, reads: Any) -> None:
    with pytest.raises(Invalid, match="nothing can be read from it"):
        HttpRequest(path="/", **members, **reads)


def test_a_secret_output_is_in_no_address_and_in_no_reason(cloud: HttpCloud) -> None:
    secret = "sec/ret+99 x"
    request = HttpRequest(method="PUT", path="/v1/x", outputs={"token": "token"})
    told: dict[str, Any] = {"request": request, "secret_outputs": frozenset({"token"}), "monitor_retries": 0}
    shown = HttpRequest(method="GET", path="/look", query={"t": "{outputs.token}"}, done_when={"a": 1})
    with pytest.raises(Invalid, match=r"The secret 'outputs\.token' of Put would be logged"):
        put(cloud.url, **told, ready_request=shown)
    quoted = rb'sec%2Fret%2B99+x sec%2Fret%2B99%20x "sec\/ret+99 x" sec/ret+99 x'
    cloud.answers += [(200, {}, json.dumps({"token": secret}).encode()), (422, {}, quoted)]
    hidden = HttpRequest(method="GET", path="/look", headers={"X": "{outputs.token}"}, done_when={"a": 1})
    _, task = ran(put(cloud.url, **told, ready_request=hidden))
    assert (task.reason or "").endswith(': ***** ***** "*****" *****')


@pytest.mark.parametrize("role", ["lookup_request", "undo_request", "check_request"])
def test_what_removes_and_what_looks_is_not_about_more_where_a_parameter_is_missing(role: str) -> None:
    members = {role: HttpRequest(method="DELETE", path="/v1/records", query={"name": "{name}"})}
    with pytest.raises(Invalid, match="may have no 'name'"):
        record("https://example.com", **(ALONE | members), parameters={"name": fields.String(), "size": fields.Raw()})
    for value in (None, "", MISSING):
        with pytest.raises(Fatal, match="about more"):
            members[role].filled({"name": value}.get)
    assert members[role].filled({"name": 0}.get).target == "/v1/records?name=0"


@pytest.mark.parametrize("answer", [b'{"id": null}', b'{"id": ""}'])
def test_an_id_that_names_nothing_is_none_and_removes_nothing(cloud: HttpCloud, answer: bytes) -> None:
    by_id = HttpRequest(method="DELETE", path="/v1/things", query={"id": "{outputs.id}"})
    by_key = HttpRequest(method="GET", path="/v1/things", query={"key": "{key}"}, outputs={"id": "items.0.id"})
    request = HttpRequest(method="PUT", path="/v1/things/x", outputs={"id": "id"})
    cloud.answers += [(200, {}, answer), (200, {}, b'{"items": [{"id": 0}]}'), (200, {}, b"{}")]
    status, task = ran(put(cloud.url, request=request, lookup_request=by_key, undo_request=by_id))
    assert (status, task.reason) == ("rollback.success", "ValueError: the answer has no id")
    assert [path for method, path, *_ in cloud.asked if method == "DELETE"] == ["/v1/things?id=0"]
    for empty in (None, ""):
        for body in (None, {"id": "{outputs.id}"}):
            query = {} if body else {"id": "{outputs.id}"}
            with pytest.raises(Fatal, match="has put out nothing as 'id'"):
                HttpRequest(method="POST", path="/", query=query, body=body).filled({"outputs.id": empty}.get)


def test_an_output_that_nobody_fills_in_may_be_null(cloud: HttpCloud) -> None:
    cloud.answers.append((200, {}, b'{"note": null}'))
    status, task = ran(put(cloud.url, request=HttpRequest(method="PUT", path="/", outputs={"note": "note"})))
    assert (status, task.outputs) == ("success", {"note": None})


@pytest.mark.parametrize("status", [502, 503])
def test_a_503_of_a_proxy_may_have_been_carried_out(cloud: HttpCloud, status: int) -> None:
    cloud.knows_keys = False
    with FaultProxy(cloud.url) as proxy:
        proxy.fail("POST /v1/records", "error-after", times=1, status=status)
        ended, task = ran(record(proxy.url, **ALONE))
        assert ended.startswith(("failed", "rollback"))
        assert (task.reason or "").startswith("Nobody can tell what came of POST /v1/records: ")
        assert (len(cloud.things), task.attempt) == (1, 1)
        cloud.knows_keys = True
        proxy.fail("POST /v1/records", "error-after", times=2, status=status)
        assert ran(record(proxy.url, **ALONE, rerunnable=True))[0] == "success"
        assert len(cloud.things) == 2


def test_a_503_that_says_when_to_come_again_asks_for_patience(cloud: HttpCloud) -> None:
    cloud.answers.append((503, {"Retry-After": "1"}, b""))
    status, task = ran(record(cloud.url, retries=0, **ALONE))
    assert (status, task.attempt, len(cloud.things)) == ("success", 1, 1)


def test_a_redirect_of_a_post_may_have_been_carried_out(cloud: HttpCloud) -> None:
    cloud.answers.append((303, {"Location": "/v1/records/r-1"}, b""))
    _, task = ran(record(cloud.url, **ALONE))
    assert (task.reason or "").startswith("Nobody can tell what came of POST /v1/records: ")
    assert (task.reason or "").endswith("Redirects are not followed.")


@pytest.mark.parametrize("status", [404, 410])
def test_a_start_that_is_told_that_something_is_not_there_fails_at_once(cloud: HttpCloud, status: int) -> None:
    cloud.answers += [(status, {}, b"no zone")] * 3
    ended, task = ran(put(cloud.url, retries=2, retry_backoff=0.02))
    assert ended.startswith(("failed", "rollback"))
    assert (task.attempt, len(cloud.asked)) == (1, 1)


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_model_hears_first_of_what_is_an_error_of_bpmn(cloud: HttpCloud, status: int) -> None:
    cloud.answers += [(status, {}, b"no zone")] * 3
    stone = put(cloud.url, bpmn_errors={status: "e"})
    parts = (
        '<startEvent id="start"/>',
        service("one", stone.code),
        '<boundaryEvent id="caught" attachedToRef="one"><errorEventDefinition errorRef="e"/></boundaryEvent>',
        '<endEvent id="end"/><endEvent id="other"/>',
        flow("start", "one"),
        flow("one", "end"),
        flow("caught", "other"),
    )
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(definitions('<error id="e" errorCode="e"/>', process("p", *parts)))
        number = engine.start(key="p", name="one").process_instance_id
        assert engine.wait(number, timeout=60).status == "success"
        assert len(cloud.asked) == 1


def test_a_404_of_an_undo_says_that_it_is_gone_whatever_the_model_hears_of(cloud: HttpCloud) -> None:
    stone = record(cloud.url, bpmn_errors={404: "e"})
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(line("p", service("one", stone.code)))
        number = engine.start(key="p", name="one").process_instance_id
        assert engine.wait(number, timeout=60).status == "success"
        cloud.things.clear()
        assert [each.check for each in engine.check(number)] == ["gone"]
        engine.wait(engine.delete(number).delete_process_instance_id or "", timeout=60)
        assert engine.get(number).status == "delete.success"


@pytest.mark.parametrize("state", [{}, [], "b", None])
def test_a_condition_is_a_set_whatever_stands_there(state: Any) -> None:
    assert holds({"state": state}, {"state": {"a", "b"}}) == (state == "b")
    assert holds({"state": state}, {"state": [{}, []]}) == (state in ({}, []))
