"""A process is started by one of three ids, and its record says what it was started with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import (
    Conflict,
    Engine,
    EngineClosed,
    Invalid,
    Malformed,
    Stone,
    TaskInfo,
    UnknownDeployment,
    UnknownModel,
    UnknownProcessInstance,
    UnknownTask,
    VariablesInvalid,
)

from .sketch import line, service


class Echo(Stone):
    """Puts out what it is given."""

    code = "echo"

    def start(self, task: TaskInfo) -> None:
        task.add_outputs(task.parameters)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    with Engine(url, stones=[Echo]) as engine:
        yield engine


SHOP = line("shop", service("order", "echo", {"region": "${regionId}"}))


def test_a_start_by_key_runs_the_newest_version_and_names_the_key(engine: Engine) -> None:
    old = engine.deploy(SHOP)
    new = engine.deploy(line("shop", service("order", "echo", {"region": "new ${regionId}"})))

    started = engine.start(key="shop", name="test", variables={"regionId": "bcc"})
    ended = engine.wait(started.process_instance_id)

    assert (started.model_key, started.key, started.status) == ("shop", "shop", "running")
    assert started.end_time is None
    assert (ended.status, ended.deployment_id) == ("success", new.deployment_id)
    assert ended.native_output_values == {"order": {"region": "new bcc"}}
    assert old.deployment_id != new.deployment_id


def test_a_start_by_deployment_runs_that_version_and_names_no_key(engine: Engine) -> None:
    old = engine.deploy(SHOP)
    engine.deploy(line("shop", service("order", "echo")))

    ended = engine.wait(
        engine.start(deployment_id=old.deployment_id, name="test", variables={"regionId": "bcc"}).process_instance_id
    )

    assert (ended.model_key, ended.key, ended.model_id) == (None, "shop", old.model_id)
    assert ended.native_output_values == {"order": {"region": "bcc"}}


def test_a_start_by_model_is_a_trial_run_in_debug_mode(engine: Engine) -> None:
    model = engine.save_model(SHOP)

    started = engine.start(model_id=model.model_id, name="test", variables={"regionId": "bcc"})

    assert (started.status, started.debug, started.model_key, started.model_id) == ("debug", True, None, model.model_id)
    assert engine.wait(started.process_instance_id).status == "success"
    assert engine.deployments().items == ()


def test_a_trial_run_goes_on_with_what_the_model_was_when_it_started(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=[Echo]) as engine:
        model = engine.save_model(line("shop", '<userTask id="ask"/>', service("old", "echo", {"x": "1"})))
        running = engine.start(model_id=model.model_id, name="test").process_instance_id
        engine.save_model(line("shop", service("new", "echo", {"x": "2"})), model_id=model.model_id)
        after = engine.start(model_id=model.model_id, name="test").process_instance_id

    with Engine(url, stones=[Echo]) as engine:
        engine.complete(engine.tasks(running)[0].task_id)

        assert engine.wait(running).native_output_values == {"old": {"x": "1"}}
        assert engine.wait(after).native_output_values == {"new": {"x": "2"}}


@pytest.mark.parametrize(
    "ids", [{}, {"key": "shop", "model_id": "x"}, {"key": "a", "deployment_id": "b", "model_id": "c"}]
)
def test_exactly_one_id_must_be_given(engine: Engine, ids: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="exactly one of model_id, deployment_id and key"):
        engine.start(name="test", **ids)  # type: ignore[arg-type]


def test_an_id_that_nothing_has_is_unknown(engine: Engine) -> None:
    with pytest.raises(UnknownDeployment, match="key 'shop'"):
        engine.start(key="shop", name="test")
    with pytest.raises(UnknownDeployment, match="id 'shop'"):
        engine.start(deployment_id="shop", name="test")
    with pytest.raises(UnknownModel):
        engine.start(model_id="shop", name="test")
    for wrong in ("1", "", "-1", "9" * 30, "१", "1 "):
        with pytest.raises(UnknownProcessInstance):
            engine.get(wrong)
        with pytest.raises(UnknownTask):
            engine.task(wrong)


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "a\0b", "\ud800"])
def test_a_name_that_cannot_be_kept_is_refused(engine: Engine, name: str) -> None:
    engine.deploy(SHOP)

    with pytest.raises(Invalid):
        engine.start(key="shop", name=name)
    assert engine.instances().items == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 5}, {"key": 5}, {"business_key": 5}, {"owner": 5}, {"owner": "a\0"}, {"on_failure": 5},
        {"idempotency_key": 5}, {"callback_url": 5}, {"callback_url": ["x"]}, {"callback_url": b"https://a.example/"},
        {"variables": [1]}, {"variables": "x"}, {"priority": 1.0}, {"drain": 5},
    ],
)  # fmt: skip
def test_a_start_by_a_program_with_what_is_no_text_is_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    engine.deploy(SHOP)

    with pytest.raises(Invalid):
        engine.start(**{"key": "shop", "name": "test", **wrong})
    assert engine.instances().items == ()


@pytest.mark.parametrize(
    "wrong", [{"name": 5}, {"payload": [1]}, {"correlation": 5}, {"business_key": 5}, {"idempotency_key": 5}]
)
def test_a_message_by_a_program_with_what_is_no_text_is_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        engine.message(**{"name": "m", **wrong})


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize("value", [float("nan"), (1,), {1}, b"x", {1: 2}, "\0", CIRCLE, 10**200, object()])
def test_variables_that_are_no_json_are_refused(engine: Engine, value: Any) -> None:
    engine.deploy(SHOP)

    with pytest.raises(Invalid, match=r"variables\.regionId"):
        engine.start(key="shop", name="test", variables={"regionId": value})
    assert engine.instances().items == ()


def test_the_start_variables_are_kept_byte_for_byte(engine: Engine) -> None:
    engine.deploy(line("free", service("order", "echo")))
    variables = {"z": 1, "a": {"名": ["é", None, True, 1.50, "</script>"]}, "": "", "Bingo::RS": {}, "n": 10**60}

    started = engine.start(key="free", name="test", variables=variables)

    content = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    assert started.process_content == content
    assert engine.get(started.process_instance_id).process_content == content


def test_changing_variables_afterwards_changes_nothing(engine: Engine) -> None:
    engine.deploy(line("free", '<userTask id="ask"/>', service("order", "echo", {"x": "${a.b}"})))
    variables = {"a": {"b": [1]}}
    started = engine.start(key="free", name="test", variables=variables)

    variables["a"]["b"].append(2)
    engine.complete(engine.tasks(started.process_instance_id)[0].task_id)

    assert engine.wait(started.process_instance_id).native_output_values == {"order": {"x": [1]}}


def test_the_same_idempotency_key_starts_one_process(engine: Engine) -> None:
    engine.deploy(SHOP)
    request: dict[str, Any] = {
        "key": "shop",
        "name": "test",
        "variables": {"regionId": "bcc"},
        "idempotency_key": "k-1",
    }

    first = engine.start(**request)
    again = engine.start(**request)

    assert again.process_instance_id == first.process_instance_id
    assert again.status == "success"
    assert len(engine.instances().items) == 1
    for change in ({"name": "other"}, {"variables": {"regionId": "x"}}, {"business_key": "b"}, {"rollback": False}):
        with pytest.raises(Conflict) as caught:
            engine.start(**{**request, **change})
        assert (caught.value.code, caught.value.related) == ("idempotency-conflict", first.process_instance_id)
    assert len(engine.instances().items) == 1


def test_the_same_idempotency_key_at_the_same_moment_starts_one_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with (
        Engine(url, stones=[Echo], dispatcher="threads") as engine,
        Engine(url, stones=[Echo], dispatcher="threads", passive=True) as other,
    ):
        engine.deploy(SHOP)

        def start(number: int) -> str:
            started = (engine, other)[number % 2].start(
                key="shop", name="test", variables={"regionId": "bcc"}, idempotency_key="k-1"
            )
            return started.process_instance_id

        with ThreadPoolExecutor(16) as pool:
            ids = set(pool.map(start, range(32)))

        assert len(ids) == 1
        assert engine.wait(ids.pop(), timeout=60).status == "success"
        assert len(engine.instances().items) == 1


def test_a_process_without_variables_that_its_node_needs_fails_with_the_path(engine: Engine) -> None:
    engine.deploy(SHOP)

    ended = engine.wait(engine.start(key="shop", name="test").process_instance_id)

    assert ended.status == "failed"
    assert ended.reason is not None
    for part in ("region", "order", "${regionId}"):
        assert part in ended.reason
    assert ended.end_time is not None
    assert ended.native_outputs == ""


TEMPLATE = [
    {"Key": "regionId", "Type": "String", "AllowedValues": ["bcc", "gz"]},
    {"Key": "count", "Type": "Number", "MinValue": 1, "MaxValue": 9, "DefaultValue": 2},
    {"Key": "zone", "Type": "String", "DefaultValue": "Ref:regionId"},
    {"Key": "size", "Type": "Number", "NameSpace": "order", "DefaultValue": 40},
]


def test_a_template_completes_the_variables_for_the_stones_but_not_in_the_record(engine: Engine) -> None:
    inputs = {"all": "${regionId}/${zone}/${count}/${parameters.order.size}"}
    engine.deploy(line("shop", service("order", "echo", inputs)), parameter_template=TEMPLATE)

    ended = engine.wait(engine.start(key="shop", name="test", variables={"regionId": "gz"}).process_instance_id)

    assert ended.native_output_values == {"order": {"all": "gz/gz/2/40"}}
    assert ended.process_content == '{"regionId":"gz"}'


def test_a_template_tells_every_wrong_variable_at_once(engine: Engine) -> None:
    engine.deploy(SHOP, parameter_template=TEMPLATE)

    with pytest.raises(VariablesInvalid) as caught:
        engine.start(key="shop", name="test", variables={"regionId": "mars", "count": 10, "order": {"size": "big"}})

    assert set(caught.value.errors) == {"regionId", "count", "order.size"}
    assert engine.instances().items == ()


def test_the_outputs_template_shows_what_the_process_made(engine: Engine) -> None:
    template = [
        {"Key": "where", "DisplayName": "区域", "Value": "${outputs.order.region}"},
        {"Key": "text", "Value": "in ${outputs.order.region} as ${regionId}"},
        {"Key": "fixed", "Value": [1, {"a": None}]},
    ]
    engine.deploy(SHOP, outputs_template=template)

    started = engine.start(key="shop", name="test", variables={"regionId": "bcc"})
    ended = engine.wait(started.process_instance_id)

    assert started.outputs is None
    assert ended.outputs == '{"where":"bcc","text":"in bcc as bcc","fixed":[1,{"a":null}]}'
    assert ended.native_outputs == '{"order":{"region":"bcc"}}'


def test_an_output_that_nothing_gives_is_told_and_the_process_is_a_success(engine: Engine) -> None:
    engine.deploy(SHOP, outputs_template=[{"Key": "id", "Value": "${outputs.order.id}"}])

    ended = engine.wait(engine.start(key="shop", name="test", variables={"regionId": "bcc"}).process_instance_id)

    assert (ended.status, ended.outputs) == ("success", None)
    assert ended.reason is not None
    assert "'id'" in ended.reason


def test_the_list_of_processes_goes_backwards_page_by_page(engine: Engine) -> None:
    engine.deploy(line("free", service("order", "echo")))
    ids = [engine.start(key="free", name=f"test {number}").process_instance_id for number in range(7)]

    first = engine.instances(limit=3)
    second = engine.instances(limit=3, cursor=first.cursor)
    third = engine.instances(limit=3, cursor=second.cursor)

    assert [one.process_instance_id for page in (first, second, third) for one in page.items] == ids[::-1]
    assert third.cursor is None
    assert [one.process_name for one in engine.instances(name="test 3").items] == ["test 3"]
    assert engine.instances(status="running").items == ()
    assert engine.instances(key="nothing").items == ()
    with pytest.raises(Malformed):
        engine.instances(cursor="x")


def test_a_closed_engine_takes_nothing_new_and_says_so(engine: Engine) -> None:
    engine.deploy(SHOP)

    engine.close()
    engine.close()

    with pytest.raises(EngineClosed):
        engine.start(key="shop", name="test", variables={"regionId": "bcc"})


def test_a_text_that_says_a_number_is_one_for_expressions_and_kept_as_sent(engine: Engine) -> None:
    """The clients of the first system send every variable as a text, and ``"10"`` was less than ``"9"``."""

    class Sized(Stone):
        code = "sized"
        parameters = {"a": fields.String(), "b": fields.Integer()}

        def start(self, task: TaskInfo) -> None:
            task.add_outputs(task.parameters)

    engine.register(Sized)
    template = [{"Key": "a", "Type": "Number"}, {"Key": "b", "Type": "Number"}]
    looked = {"more": "${a > b}", "sum": "${a + b}"}
    came = '<message id="m" name="order"/>'
    start = '<messageEventDefinition messageRef="m"/>'
    nodes = ('<userTask id="ask"/>', service("look", "echo", looked), service("give", "sized"))
    engine.deploy(line("shop", *nodes), parameter_template=template)
    engine.deploy(line("ordered", *nodes, before=came, start=start), parameter_template=template)

    sent = {"a": "10", "b": "9"}
    for begun in (engine.start(key="shop", name="x", variables=sent), engine.message("order", sent)):
        assert begun is not None
        assert json.loads(begun.process_content) == sent
        (asked,) = engine.tasks(begun.process_instance_id)
        engine.set_variables(begun.process_instance_id, {"b": "8"})
        engine.complete(asked.task_id)
        ended = engine.wait(begun.process_instance_id)
        assert ended.native_output_values["look"] == {"more": True, "sum": 18}
        assert ended.native_output_values["give"] == {"a": "10", "b": 8}
