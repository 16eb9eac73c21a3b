"""Workers of Camunda 7 in JavaScript: theirs is the client, ours what it talks to."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import requests

from riverstone.engine import Engine

from ..features.sketch import definitions, flow, line, process, service
from .conftest import Begin

ENDS = ('<endEvent id="yes"/>', '<endEvent id="no"/>')


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def started(engine: Engine, model: bytes, variables: dict[str, Any] | None = None, **more: Any) -> str:
    key = engine.deploy(model, external=True).key
    return engine.start(key=key, name="test", variables=variables or {}, **more).process_instance_id


def test_each_kind_of_value_reaches_the_worker_and_the_next_gateway(engine: Engine, url: str, node: Begin) -> None:
    gateway = '<exclusiveGateway id="g" default="g_no"/>'
    flows = flow("s", "a"), flow("a", "g"), flow("g", "yes", "${yes and list[1].a == 2}"), flow("g", "no")
    model = definitions(process("kinds", '<startEvent id="s"/>', service("a", "kinds"), gateway, *ENDS, *flows))
    engine.deploy(model, external=True)
    worker = node("seven.mjs", f"{url}/engine-rest", "", '{"asyncResponseTimeout": 5000}')
    worker.says("ready")
    doc: dict[str, Any] = {
        "value": base64.b64encode(b"hello").decode(),
        "type": "File",
        "valueInfo": {"filename": "a b.txt", "mimetype": "text/plain"},
    }
    values: dict[str, Any] = {
        "text": "größer",
        "whole": 3,
        "large": 2**40,
        "real": 0.5,
        "yes": True,
        "none": None,
        "list": [1],
        "object": {"a": {}},
    }
    given: dict[str, Any] = {name: {"value": value} for name, value in values.items()}
    answer = requests.post(
        f"{url}/engine-rest/process-definition/key/kinds/start", json={"variables": {**given, "doc": doc}}, timeout=9
    )
    assert answer.status_code == 200
    number = answer.json()["id"]
    said = worker.says("got")
    assert said["got"] == values
    assert said["file"] == {"name": "a b.txt", "type": "text/plain", "text": "hello"}
    outputs = engine.wait(number, 60).native_output_values["a"]
    assert engine.get(number).status == "success"
    back = outputs.pop("back")
    assert base64.b64decode(back["base64"]) == b"back again"
    assert str(outputs.pop("when")).startswith("2026-11-25T")
    assert outputs == {
        "text": "größer",
        "whole": 7,
        "real": 1.5,
        "yes": True,
        "none": None,
        "list": [1, {"a": 2}],
        "object": {"b": []},
        "own": 1,
    }


def test_with_its_defaults_it_gets_tasks_without_a_long_poll(engine: Engine, url: str, node: Begin) -> None:
    number = started(engine, line("shop", service("a", "plain")))
    worker = node("seven.mjs", f"{url}/engine-rest")
    said = worker.says("id")
    assert said["retries"] in (None, 0) or "retries" not in said
    assert engine.wait(number, 60).status == "success"


def test_a_failure_comes_again_as_often_as_the_worker_says(engine: Engine, url: str, node: Begin) -> None:
    number = started(engine, line("shop", service("a", "flaky")), rollback=False)
    worker = node("seven.mjs", f"{url}/engine-rest")
    said = [worker.says("id") for _ in range(3)]
    assert [each["retries"] for each in said] == [None, 2, 1]
    assert len({each["id"] for each in said}) == len({each["activityInstanceId"] for each in said}) == 1
    ended = engine.wait(number, 60)
    assert ended.status == "failed"
    assert "no network" in (ended.reason or "")


def test_a_bpmn_error_goes_to_the_boundary_event_with_its_variables(engine: Engine, url: str, node: Begin) -> None:
    caught = '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    gateway = '<exclusiveGateway id="g" default="g_no"/>'
    parts = '<startEvent id="s"/>', service("a", "bounce"), caught, gateway, *ENDS, '<endEvent id="sent"/>'
    flows = flow("s", "a"), flow("a", "sent"), flow("b", "g"), flow("g", "yes", "${box == 'full'}"), flow("g", "no")
    model = definitions('<error id="e" errorCode="bounced"/>', process("mails", *parts, *flows))
    number = started(engine, model)
    node("seven.mjs", f"{url}/engine-rest")
    assert engine.wait(number, 60).status == "success"
    assert engine.get(number).native_output_values == {}


def test_what_is_unlocked_can_be_fetched_at_once(engine: Engine, url: str, node: Begin) -> None:
    started(engine, line("shop", service("a", "keep")))
    worker = node("seven.mjs", f"{url}/engine-rest")
    assert worker.says("unlocked")["unlocked"] == worker.says("unlocked")["unlocked"]


def test_a_worker_takes_back_what_it_made_although_it_was_away(engine: Engine, url: str, node: Begin) -> None:
    """The first undo that workers of Camunda have: a topic of their own."""
    number = started(engine, line("shop", service("a", "plain"), service("b", "nobody")))
    worker = node("seven.mjs", f"{url}/engine-rest", "", '{"asyncResponseTimeout": 5000}')
    made = worker.says("id")
    until(lambda: len(engine.tasks(number)) == 2)
    worker.end()
    (task,) = engine.external.fetch("other", [_topic("nobody")])
    engine.external.fail(task.id, "other", "out of order")
    until(lambda: engine.get(number).status == "rollback.begin")
    until(lambda: bool(engine.tasks(str(engine.get(number).rollback_process_instance_id))))
    engine.external.declare({"code": "nobody", "hooks": ["start"]})
    again = node("seven.mjs", f"{url}/engine-rest")
    undone = again.says("undo")
    assert undone["of"] == made["activityInstanceId"]
    assert engine.wait(number, 60).status == "rollback.success"


def test_a_key_is_the_password_and_without_it_nothing_is_polled(engine: Engine, url: str, node: Begin) -> None:
    _, key = engine.keys.add("worker", scopes=["work"], topics=["plain"], every_owner=True)
    number = started(engine, line("shop", service("a", "plain")))
    refused = node("seven.mjs", f"{url}/engine-rest")
    assert refused.says("event")["event"] == "poll:error"
    answer = requests.post(
        f"{url}/engine-rest/external-task/fetchAndLock",
        json={"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "plain", "lockDuration": 1000}]},
        auth=("worker", key),
        timeout=9,
    )
    assert answer.status_code == 200
    requests.post(
        f"{url}/engine-rest/external-task/{answer.json()[0]['id']}/complete",
        json={"workerId": "w"},
        auth=("w", key),
        timeout=9,
    )
    assert engine.wait(number, 60).status == "success"


def _topic(name: str) -> Any:
    from riverstone.engine.calls.tasks.external_views import Topic

    return Topic(name=name, lock=60_000)
