"""Whatever is sent, the answer is a named refusal or a failed process, soon and in little memory."""

from __future__ import annotations

import gc
import io
import json
import logging
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from riverstone.api import create_app
from riverstone.engine import Engine, Invalid, Limits, RiverstoneError

from ..api.asking import Client
from . import attacks

SOON = 10.0
"""Seconds of this process's own time, so that a busy machine does not matter; a slow one needs two for the longest of
these attacks, and without its limit each of them takes minutes."""
LITTLE = 100 * 1024 * 1024
XML = {"content_type": "application/xml"}


@contextmanager
def soon() -> Iterator[None]:
    """What is inside takes the processor some seconds at most."""
    gc.collect()
    began = time.process_time()
    yield
    assert time.process_time() - began < SOON


def started(client: Client, source: bytes, **variables: Any) -> Any:
    """The answer to the start of a process of this file, which can be deployed."""
    model = client.post("/model", data=source, **XML)
    assert model.status_code == 200, model.json
    deployed = client.post(f"/model/{model.json['modelId']}/deployment")
    assert deployed.status_code == 200, deployed.json
    body = {"key": deployed.json["key"], "processName": "attack", "variables": variables}
    return client.post("/process", json=body)


@pytest.mark.parametrize("name", attacks.REFUSED_FILES)
def test_a_hostile_file_is_refused_by_name(client: Client, engine: Engine, name: str) -> None:
    with soon():
        answer = client.post("/model", data=attacks.REFUSED_FILES[name], **XML)

    assert answer.status_code in (400, 413, 422), answer.json
    assert answer.json["code"] in ("malformed", "too-large", "model-invalid")
    assert "root:" not in answer.text
    assert engine.models().items == ()


@pytest.mark.parametrize("name", ["250,000 tasks", "a billion laughs", "100,000 attributes", "100,000 levels"])
def test_a_hostile_file_takes_little_memory(client: Client, name: str) -> None:
    tracemalloc.start()
    try:
        client.post("/model", data=attacks.REFUSED_FILES[name], **XML)
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", attacks.RUNAWAYS)
def test_a_process_that_would_never_end_fails_by_the_name_of_a_limit(client: Client, engine: Engine, name: str) -> None:
    source, limit = attacks.RUNAWAYS[name]

    with soon():
        model = client.post("/model", data=source, **XML)
        if model.status_code == 422:
            # What can be seen in the file itself is refused before anything runs.
            assert limit in model.json["detail"]
            return
        answer = started(client, source)

    assert answer.status_code == 200
    instance = engine.get(answer.json["processInstanceId"])
    assert instance.status in ("failed", "rollback.success")
    assert instance.reason is not None
    assert limit in instance.reason


@pytest.mark.parametrize("name", attacks.COSTLY)
def test_what_a_turn_may_cost_is_bounded_by_name(client: Client, engine: Engine, name: str) -> None:
    source, limit = attacks.COSTLY[name]

    answer = started(client, source, big="x" * 800_000, list=[0] * 40_000)

    assert answer.status_code == 200
    instance = engine.get(answer.json["processInstanceId"])
    assert instance.status in ("failed", "rollback.success")
    assert instance.reason is not None
    assert limit in instance.reason
    # It has failed like any other: it can be deleted, and others go on.
    engine.delete(instance.process_instance_id)
    assert started(client, attacks.blocks(1)).json["processStatus"] == "success"


def test_no_start_sets_off_a_storm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    throw = '<intermediateThrowEvent id="{}"><messageEventDefinition id="d{}" messageRef="x"/></intermediateThrowEvent>'
    flows = attacks.flow("f1", "s", "m") + attacks.flow("f2", "s", "n")
    begun_by = '<startEvent id="s"><messageEventDefinition id="d" messageRef="x"/></startEvent>'
    source = attacks.process(
        begun_by + throw.format("m", 1) + throw.format("n", 2) + flows, before='<message id="x" name="again"/>'
    )
    limits = Limits(throw_family=100, throw_depth=1_000)
    with Engine(f"sqlite:///{tmp_path}/river.db", limits=limits) as engine, caplog.at_level(logging.WARNING):
        engine.deploy(source)
        engine.message("again", {})
        engine.run_pending()

        # What is thrown counts as well as what that starts.
        assert len(engine.instances(limit=500).items) <= 50
    assert "throw_family" in caplog.text


def test_the_files_of_a_model_are_counted_together(client: Client) -> None:
    def answer(count: int, nodes: int) -> Any:
        files = [
            (
                io.BytesIO(attacks.process("".join(f'<task id="t{i}"/>' for i in range(nodes)), key=f"k{number}")),
                "a.bpmn",
            )
            for number in range(count)
        ]
        return client.post("/model", data={"bpmn": files}, content_type="multipart/form-data")

    assert answer(2, 10).status_code == 200
    with soon():
        refused = answer(12, 1_900)
    assert refused.status_code == 413
    assert "model_nodes" in refused.json["detail"]


def test_a_template_cannot_hold_anybody_up(engine: Engine) -> None:
    pattern = {"AllowedPattern": "((a|b){0,50}c){1,20}"}
    many = [{"Key": f"k{number}", "DefaultValue": "x", **pattern} for number in range(2_000)]
    source = attacks.around('<task id="m"/>')
    with pytest.raises(RiverstoneError, match="turn_work"):
        engine.deploy(source, parameter_template=many)

    engine.deploy(source, parameter_template=[{"Key": "k", "Type": "List", "AllowedPattern": "(a|a){0,100}"}])
    with soon(), pytest.raises(RiverstoneError, match="turn_work"):
        engine.start(key="attack", name="x", variables={"k": ["a" * 90] * 5_000})


def test_a_part_of_a_list_ends_before_it_becomes_too_large(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", limits=Limits(page_size=100_000)) as engine:
        client = Client(create_app(engine))
        for _ in range(5):
            started(client, attacks.around('<task id="m"/>'), big="x" * 60_000)
        found: list[str] = []
        cursor = ""
        for _ in range(5):
            page = client.get(f"/process?limit=500{cursor}").json
            assert len(json.dumps(page)) < 250_000
            found += [item["processInstanceId"] for item in page["items"]]
            if page["cursor"] is None:
                break
            cursor = f"&cursor={page['cursor']}"
    assert len(set(found)) == len(found) == 5


@pytest.mark.parametrize("encoding", ["utf-7", "hz"])
def test_a_file_in_an_encoding_that_hides_what_it_says_is_refused(client: Client, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + attacks.around('<task id="m"/>').decode()

    answer = client.post("/model", data=text.encode(encoding), **XML)

    assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert "encoding" in answer.json["detail"]


@pytest.mark.parametrize("count", [14, 200])
def test_parallel_blocks_in_a_row_take_time_by_their_number_only(client: Client, count: int) -> None:
    with soon():
        answer = started(client, attacks.blocks(count))

    assert answer.json["processStatus"] == "success"


@pytest.mark.parametrize("name", attacks.BODIES)
def test_a_hostile_body_is_refused_by_name(client: Client, name: str) -> None:
    body, status = attacks.BODIES[name]

    with soon():
        answer = client.post("/process", data=body, content_type="application/json")

    assert answer.status_code == status, answer.json
    assert answer.json["code"]
    assert answer.json["requestId"] == answer.headers["X-Request-Id"]


def test_any_name_of_a_variable_comes_back_as_it_was_given(client: Client, engine: Engine) -> None:
    variables = {
        "__proto__": {"constructor": 1},
        "Bingo::RS::FRONT::RSBILLING": {},
        "": "",
        "typename": 1,
        "py/object": "os.system",
        "__class__": "x",
        "${parameters.x}": "${outputs.y}",
        "中文": "😀",
    }

    answer = started(client, attacks.around('<userTask id="m"/>'), **variables)

    shown = client.get(f"/process/{answer.json['processInstanceId']}").json
    assert engine.get(shown["processInstanceId"]).process_content == shown["processContent"]
    assert (
        client.post("/process", json={"key": "attack", "processName": "x", "variables": variables}).status_code == 200
    )
    assert json.loads(shown["processContent"]) == variables


PLACES = {
    "a condition": lambda text: attacks.around('<task id="m"/>', condition=f"${{{text}}}"),
    "an input": lambda text: attacks.around(
        '<serviceTask id="m" camunda:type="external" camunda:topic="say"><extensionElements><camunda:inputOutput>'
        f'<camunda:inputParameter name="what">${{{text}}}</camunda:inputParameter>'
        "</camunda:inputOutput></extensionElements></serviceTask>"
    ),
    "an output": lambda text: attacks.around(
        '<serviceTask id="m" camunda:type="external" camunda:topic="say"><extensionElements><camunda:inputOutput>'
        f'<camunda:outputParameter name="what">${{{text}}}</camunda:outputParameter>'
        "</camunda:inputOutput></extensionElements></serviceTask>"
    ),
    "a loop's condition": lambda text: attacks.around(
        '<task id="m"><standardLoopCharacteristics loopMaximum="2">'
        f"<loopCondition>${{{text}}}</loopCondition></standardLoopCharacteristics></task>"
    ),
    "a number of runs": lambda text: attacks.around(attacks.repeated('<task id="m"/>', f"${{{text}}}")),
    "a timer": lambda text: attacks.around(
        '<intermediateCatchEvent id="m"><timerEventDefinition id="t">'
        f"<timeDuration>${{{text}}}</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    ),
    "a bare timer": lambda text: attacks.around(
        '<intermediateCatchEvent id="m"><timerEventDefinition id="t">'
        f"<timeDuration>{text}</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    ),
    "a condition to wait for": lambda text: attacks.around(
        '<intermediateCatchEvent id="m"><conditionalEventDefinition id="c">'
        f"<condition>${{{text}}}</condition></conditionalEventDefinition></intermediateCatchEvent>"
    ),
    "the name of a message": lambda text: attacks.around(
        '<intermediateCatchEvent id="m"><messageEventDefinition id="c" messageRef="x"/></intermediateCatchEvent>',
        before=f'<message id="x" name="${{{text}}}"/>',
    ),
    "the name of a signal": lambda text: attacks.around(
        '<intermediateThrowEvent id="m"><signalEventDefinition id="c" signalRef="x"/></intermediateThrowEvent>',
        before=f'<signal id="x" name="${{{text}}}"/>',
    ),
    "a stone's code": lambda text: attacks.around(
        f'<serviceTask id="m" camunda:type="external" camunda:topic="${{{text}}}"/>'
    ),
    "a called process": lambda text: attacks.around(f'<callActivity id="m" calledElement="${{{text}}}"/>'),
    "an assignee": lambda text: attacks.around(f'<userTask id="m" camunda:assignee="${{{text}}}"/>'),
    "a class": lambda text: attacks.around(f'<serviceTask id="m" camunda:expression="${{{text}}}"/>'),
    "FEEL": lambda text: attacks.around('<task id="m"/>', condition=f"={text}"),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_escape_is_ever_evaluated_as_python(
    client: Client, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    logging.disable(logging.ERROR)
    monkeypatch.setattr("builtins.breakpoint", lambda: pytest.fail("Python was evaluated"))
    file = tmp_path / "escaped"
    try:
        for text in attacks.ESCAPES:
            source = PLACES[place](escape(text.replace("{file}", str(file)), {'"': "&quot;"}))
            model = client.post("/model", data=source, **XML)
            assert model.status_code in (200, 400, 422), (text, model.json)
            if model.status_code == 200:
                answer = started(client, source)
                assert answer.status_code == 200, (text, answer.json)
                engine.run_pending()
                instance = engine.get(answer.json["processInstanceId"])
                assert "object" not in instance.native_outputs, text
                assert "<class" not in f"{instance.native_outputs}{instance.reason}", text
            assert not file.exists(), text
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("text", attacks.ESCAPES)
def test_no_escape_in_a_template_or_a_variable_is_evaluated(
    client: Client, engine: Engine, tmp_path: Path, text: str
) -> None:
    text = text.replace("{file}", str(tmp_path / "escaped"))
    wrapped = "${" + text + "}"
    say = attacks.around(
        '<serviceTask id="m" camunda:type="external" camunda:topic="say"><extensionElements><camunda:inputOutput>'
        '<camunda:inputParameter name="what">${parameters.given}</camunda:inputParameter>'
        "</camunda:inputOutput></extensionElements></serviceTask>"
    )

    answer = started(client, say, given=wrapped)
    assert engine.get(answer.json["processInstanceId"]).native_output_values == {"m": {"said": wrapped}}
    try:
        engine.deploy(say, outputs_template=[{"Key": "x", "DisplayName": "x", "Value": wrapped}])
        ended = engine.start(key="attack", name="x", variables={"given": 1})
        assert "object" not in (ended.outputs or "")
    except RiverstoneError:
        assert engine.instances(name="x").items == ()
    assert not (tmp_path / "escaped").exists()


def test_no_more_processes_of_a_key_run_than_may(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", limits=Limits(instances_per_key=3)) as engine:
        client = Client(create_app(engine))
        first = started(client, attacks.around('<userTask id="m"/>')).json["processInstanceId"]
        body = {"key": "attack", "processName": "x", "variables": {}}
        assert [client.post("/process", json=body).status_code for _ in range(3)] == [200, 200, 429]

        refused = client.post("/process", json=body)
        assert refused.json["code"] == "limit-exceeded"
        assert "instances_per_key" in refused.json["detail"]
        assert refused.headers["Retry-After"]

        engine.cancel(first)
        assert client.post("/process", json=body).status_code == 200


@pytest.mark.parametrize("values", [{"body_size": 0}, {"json_depth": -1}, {"call_depth": "x"}, {"no_such": 1}])
def test_a_limit_that_is_none_is_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=next(iter(values))):
        Limits.of(values)


def test_a_limit_is_read_from_a_text() -> None:
    assert Limits.of({"body_size": "10", "timer_interval": "0.5"}) == Limits(body_size=10, timer_interval=0.5)


@pytest.mark.parametrize("kind", ["signal", "message"])
def test_processes_that_start_one_another_without_end_are_stopped(
    client: Client, engine: Engine, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = f'<{kind}EventDefinition id="d" {kind}Ref="x"/>'
    throwing = attacks.around(
        f'<intermediateThrowEvent id="m">{event}</intermediateThrowEvent>', before=f'<{kind} id="x" name="again"/>'
    )
    started_by = event.replace('"d"', '"d2"')
    source = throwing.replace(b'<startEvent id="s"/>', f'<startEvent id="s">{started_by}</startEvent>'.encode())

    with soon(), caplog.at_level(logging.WARNING):
        started(client, source)
        engine.run_pending()

    assert len(engine.instances(limit=100).items) == 1 + Limits().throw_depth
    assert "throw_depth" in caplog.text
