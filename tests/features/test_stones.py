"""Stones as classes and as functions: what they are handed, and what becomes of what they give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import BpmnError, Engine, Invalid, Stone, TaskInfo, VirtualClock

from .sketch import definitions, flow, line, process, runs, service


@pytest.fixture
def engine(sqlite: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(sqlite, clock=clock) as engine:
        yield engine


def run(engine: Engine, key: str, variables: dict[str, Any] | None = None, **options: Any) -> Any:
    return engine.wait(engine.start(key=key, name="test", variables=variables, **options).process_instance_id)


def test_a_class_is_handed_its_task(engine: Engine) -> None:
    seen: list[TaskInfo] = []

    class Volume(Stone):
        code = "SIP::EC2::Volume"
        parameters = {
            "size": fields.Integer(load_default=10),
            "until": fields.Date(required=True),
            "name": fields.String(required=True),
        }

        def start(self, task: TaskInfo) -> None:
            seen.append(task)
            task.add_output("volumeId", "vol-1")

    engine.register(Volume)
    engine.deploy(line("disk", service("data", "SIP::EC2::Volume", {"name": "数据 ${n}", "extra": "${n}"}, name="盘")))
    ended = run(engine, "disk", {"n": 7, "until": "2027-01-02", "data": {"size": "20"}})
    (info,), (task,) = seen, engine.tasks(ended.process_instance_id)

    assert ended.status == "success"
    assert info.parameters == {"size": 20, "until": date(2027, 1, 2), "name": "数据 7", "extra": 7}
    assert (info.task_id, info.process_instance_id) == (task.task_id, ended.process_instance_id)
    assert (info.namespace, info.element_id, info.name, info.event, info.attempt) == ("data", "data", "盘", "start", 1)
    assert info.idempotency_key
    assert (task.status, task.progress, task.outputs, task.name) == ("start.success", 100, {"volumeId": "vol-1"}, "盘")
    assert task.parameters == {"size": "20", "until": "2027-01-02", "name": "数据 7", "extra": 7}
    assert int(task.task_id) > int(ended.process_instance_id)


def test_a_function_is_a_stone_whose_mapping_is_its_outputs(engine: Engine) -> None:
    @engine.stone("double", parameters={"n": fields.Integer(required=True)})
    def double(task: TaskInfo) -> dict[str, int]:
        return {"n": 2 * task.parameters["n"]}

    engine.deploy(line("twice", service("a", "double", {"n": "3"}), service("b", "double", {"n": "${outputs.a.n}"})))

    assert run(engine, "twice").native_output_values == {"a": {"n": 6}, "b": {"n": 12}}


def test_a_required_parameter_that_nothing_supplies_fails_the_process_with_where_was_looked(engine: Engine) -> None:
    @engine.stone("need", parameters={"zone": fields.String(required=True)})
    def need(task: TaskInfo) -> None:
        raise AssertionError("must not run")

    engine.deploy(line("shop", service("order", "need")))
    ended = run(engine, "shop")

    assert ended.status == "failed"
    for part in ("'order'", "'need'", "'zone'", "parameters.order", "parameters.need"):
        assert part in ended.reason


def test_parameters_come_from_the_nearest_place(engine: Engine) -> None:
    names = ("input", "numbered", "namespace", "code", "plain", "default")

    @engine.stone("SIP::Any", parameters={name: fields.String(load_default="default") for name in names})
    def keep(task: TaskInfo) -> dict[str, Any]:
        return dict(task.parameters)

    engine.deploy(line("many", service("slave-", "SIP::Any", {"input": "own"}, inside=runs("${slaveNum}"))))
    places: dict[str, Any] = {
        "slaveNum": "2",
        "slave-2": {"numbered": "run 2"},
        "slave-": {"input": "no", "numbered": "every run", "namespace": "every run"},
        "SIP::Any": {"input": "no", "numbered": "no", "namespace": "no", "code": "of the code"},
        "input": "no",
        "numbered": "no",
        "namespace": "no",
        "code": "no",
        "plain": "of all",
    }

    everywhere = {
        "input": "own",
        "namespace": "every run",
        "code": "of the code",
        "plain": "of all",
        "default": "default",
    }
    assert run(engine, "many", places).native_output_values == {
        "slave-1": {**everywhere, "numbered": "every run"},
        "slave-2": {**everywhere, "numbered": "run 2"},
    }


def test_a_stone_is_chosen_by_the_parameters_that_it_serves(engine: Engine) -> None:
    def place(code: str, name: str, serves: dict[str, Any]) -> None:
        @engine.stone(code, serves=serves)
        def here(task: TaskInfo) -> dict[str, str]:
            return {"at": name}

    place("vm", "beijing", {"regionId": "beijing"})
    place("vm", "beijing fast", {"regionId": "beijing", "speed": "fast"})
    place("vm", "anywhere", {})
    place("disk", "beijing", {"regionId": "beijing"})
    engine.deploy(line("servers", service("server", "vm")))
    engine.deploy(line("own", service("server", "vm", {"regionId": "beijing"})))
    engine.deploy(line("disks", service("server", "disk")))

    def at(key: str, **variables: str) -> str:
        return str(run(engine, key, variables).native_output_values["server"]["at"])

    assert at("servers", regionId="beijing") == "beijing"
    assert at("servers", regionId="beijing", speed="fast") == "beijing fast"
    assert at("servers", regionId="gz", speed="fast") == "anywhere"
    assert at("servers") == "anywhere"
    assert at("own", regionId="gz") == "beijing"
    nobody = run(engine, "disks", {"regionId": "gz"})
    assert nobody.status == "failed"
    assert "regionId" in nobody.reason


def test_a_bpmn_error_goes_to_its_boundary_event(engine: Engine) -> None:
    @engine.stone("buy")
    def buy(task: TaskInfo) -> None:
        raise BpmnError("sold-out", "no more")

    @engine.stone("say")
    def say(task: TaskInfo) -> dict[str, Any]:
        return dict(task.parameters)

    engine.deploy(
        definitions(
            '<error id="e" errorCode="sold-out"/>',
            process(
                "shop",
                '<startEvent id="begin"/><endEvent id="done"/>',
                service("order", "buy"),
                '<boundaryEvent id="sad" attachedToRef="order"><errorEventDefinition errorRef="e"/></boundaryEvent>',
                service("sorry", "say", {"why": "${errorCode}: ${errorMessage}"}),
                flow("begin", "order"),
                flow("order", "done"),
                flow("sad", "sorry"),
                flow("sorry", "done"),
            ),
        )
    )
    ended = run(engine, "shop")

    assert ended.status == "success"
    assert ended.native_output_values == {"sorry": {"why": "sold-out: no more"}}
    order, _ = engine.tasks(ended.process_instance_id)
    assert (order.status, order.reason) == ("start.failed", "no more")


class Boot(Stone):
    """Takes four looks to come up."""

    code = "boot"
    monitor_interval = 10.0

    def start(self, task: TaskInfo) -> None:
        task.add_output("serverId", "i-1")

    def monitor(self, task: TaskInfo) -> bool:
        looks = task.state["looks"] = task.state.get("looks", 0) + 1
        task.progress(25 * looks, f"look {looks}")
        if looks == 4:
            task.add_output("address", f"10.0.0.{looks}")
        return bool(looks == 4)


def test_a_monitor_looks_again_until_it_is_done(engine: Engine, clock: VirtualClock) -> None:
    engine.register(Boot)
    engine.deploy(line("host", service("server", "boot")))
    begun = clock.now()
    started = engine.start(key="host", name="test")

    (task,) = engine.tasks(started.process_instance_id)
    assert (task.status, task.progress, task.outputs) == ("monitor.begin", 25, {"serverId": "i-1"})
    ended = engine.wait(started.process_instance_id)

    (task,) = engine.tasks(started.process_instance_id)
    assert (task.status, task.progress) == ("monitor.success", 100)
    assert task.log == ("look 1", "look 2", "look 3", "look 4")
    assert ended.native_output_values == {"server": {"serverId": "i-1", "address": "10.0.0.4"}}
    assert clock.now() - begun == 30_000


def test_a_monitor_goes_on_with_its_state_after_a_restart(tmp_path: Path, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=[Boot], clock=clock) as engine:
        engine.deploy(line("host", service("server", "boot")))
        number = engine.start(key="host", name="test").process_instance_id

    progress = []
    for _ in range(3):
        clock.advance(10)
        with Engine(url, stones=[Boot], clock=clock) as engine:
            engine.run_pending()
            progress.append(engine.tasks(number)[0].progress)
    with Engine(url, stones=[Boot], clock=clock) as engine:
        assert engine.get(number).status == "success"
        assert engine.tasks(number)[0].log == ("look 1", "look 2", "look 3", "look 4")
    assert progress == [50, 75, 100]


def test_outputs_are_seen_only_when_the_task_has_succeeded(engine: Engine, clock: VirtualClock) -> None:
    engine.register(Boot)
    engine.deploy(line("host", service("server", "boot")))
    started = engine.start(key="host", name="test")

    assert engine.get(started.process_instance_id).native_outputs == ""
    assert engine.tasks(started.process_instance_id)[0].outputs == {"serverId": "i-1"}


def test_progress_stays_between_0_and_100(engine: Engine) -> None:
    @engine.stone("odd")
    def odd(task: TaskInfo) -> None:
        for percent in (-5, 250, 33.9):
            task.progress(percent)
        assert task.percent == 33
        task.progress(101)
        assert task.percent == 100

    engine.deploy(line("odd", service("a", "odd")))
    assert run(engine, "odd").status == "success"


def test_a_mock_run_calls_only_mock_and_passes_a_stone_without_it(engine: Engine) -> None:
    called: list[str] = []

    class Real(Stone):
        code = "real"

        def start(self, task: TaskInfo) -> None:
            called.append("start")

        def monitor(self, task: TaskInfo) -> bool:
            called.append("monitor")
            return True

    class Mocked(Real):
        code = "mocked"

        def mock(self, task: TaskInfo) -> None:
            called.append("mock")
            task.add_output("id", "mock-1")

    class Failing(Mocked):
        code = "failing"

        def mock(self, task: TaskInfo) -> None:
            raise RuntimeError("not even pretended")

        def rollback(self, task: TaskInfo) -> None:
            called.append("rollback")

    for stone in (Real, Mocked, Failing):
        engine.register(stone)
    engine.deploy(
        line("good", service("a", "real"), service("b", "mocked", {"x": "${outputs.a.id}"}), service("c", "real"))
    )
    engine.deploy(line("bad", service("a", "mocked"), service("b", "failing")))

    good = run(engine, "good", {"SipRS::Mock": True})
    assert (good.status, good.mock) == ("success", True)
    assert [task.status for task in engine.tasks(good.process_instance_id)] == [
        "mock.passed",
        "mock.success",
        "mock.passed",
    ]
    bad = run(engine, "bad", {"SipRS::Mock": True})
    assert (bad.status, bad.rollback_process_instance_id) == ("failed", None)
    assert [task.status for task in engine.tasks(bad.process_instance_id)] == ["mock.success", "mock.failed"]
    assert called == ["mock", "mock"]


@pytest.mark.parametrize("wrong", [{"color": 1}, {"_private": 1}, {"retires": 2}])
def test_an_option_that_no_stone_has_is_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="no option"):
        engine.stone("x", **wrong)(lambda task: None)


def test_what_is_no_stone_is_refused(engine: Engine) -> None:
    class Nameless(Stone):
        pass

    for wrong in (object, int, "x", None, Nameless):
        with pytest.raises(Invalid):
            engine.register(wrong)  # type: ignore[arg-type]
