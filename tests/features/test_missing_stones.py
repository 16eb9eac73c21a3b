"""A task whose stone is gone waits as ``stone-missing`` and goes on when the stone is back."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, VirtualClock, failpoints

from .sketch import definitions, flow, line, process, service


class Make(Stone):
    """Makes one thing."""

    code = "make"

    def start(self, task: TaskInfo) -> None:
        task.add_output("id", task.namespace)


class Boot(Make):
    """Comes up at the second look."""

    code = "boot"
    monitor_interval = 10.0

    def monitor(self, task: TaskInfo) -> bool:
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] == 2)


MODEL = line("shop", '<userTask id="ask"/>', service("order", "make"))


def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/river.db"


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_a_task_waits_for_its_stone(tmp_path: Path, dispatcher: Literal["inline", "threads"]) -> None:
    with Engine(url(tmp_path), stones=[Make], dispatcher=dispatcher) as engine:
        engine.deploy(MODEL)
        number = engine.start(key="shop", name="test").process_instance_id
        engine.stones.remove("make")
        engine.complete(engine.tasks(number)[0].task_id)

        _, task = engine.tasks(number)
        assert (task.status, task.end_time) == ("stone-missing", None)
        assert task.reason is not None
        assert "'make'" in task.reason
        assert engine.get(number).status == "running"

        engine.register(Make)
        ended = engine.wait(number, timeout=60)
        assert (ended.status, ended.native_output_values) == ("success", {"order": {"id": "order"}})
        assert engine.task(task.task_id).reason is None


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
@pytest.mark.parametrize("place", ["before-step", "before-commit"])
def test_a_stone_that_comes_back_just_as_it_is_missed_is_not_waited_for(
    tmp_path: Path, dispatcher: Literal["inline", "threads"], place: str
) -> None:
    with Engine(url(tmp_path), stones=[Make], dispatcher=dispatcher) as engine:
        engine.deploy(line("shop", service("order", "make")))
        gone: list[str] = []
        back, missed = Thread(target=engine.register, args=(Make,)), Event()

        def passing(name: str) -> None:
            if name == "before-handover" and not gone:
                gone.append(name)
                engine.stones.remove("make")
            elif name == place and len(gone) == 1:
                gone.append(name)
                back.start()
                back.join(0.2)
                missed.set()

        failpoints.tell(passing)
        try:
            number = engine.start(key="shop", name="test").process_instance_id
            assert missed.wait(60)
            back.join()
            assert engine.wait(number, timeout=60).status == "success"
        finally:
            failpoints.tell(None)
    assert gone == ["before-handover", place]


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_an_engine_that_is_made_with_the_missing_stone_goes_on(
    tmp_path: Path, dispatcher: Literal["inline", "threads"]
) -> None:
    with Engine(url(tmp_path), stones=[Make]) as engine:
        engine.deploy(MODEL)
        number = engine.start(key="shop", name="test").process_instance_id
    with Engine(url(tmp_path)) as engine:
        engine.complete(engine.tasks(number)[0].task_id)
        assert engine.tasks(number)[1].status == "stone-missing"

    with Engine(url(tmp_path), stones=[Make], dispatcher=dispatcher) as engine:
        assert engine.wait(number, timeout=60).status == "success"


def test_a_stone_that_is_decorated_later_is_back_too(tmp_path: Path) -> None:
    with Engine(url(tmp_path), stones=[Make]) as engine:
        engine.deploy(MODEL)
        number = engine.start(key="shop", name="test").process_instance_id
    with Engine(url(tmp_path)) as engine:
        engine.complete(engine.tasks(number)[0].task_id)

        @engine.stone("make")
        def make(task: TaskInfo) -> dict[str, Any]:
            return {"id": "by hand"}

        assert engine.wait(number).native_output_values == {"order": {"id": "by hand"}}


def test_a_monitor_whose_stone_goes_missing_looks_on_where_it_was(tmp_path: Path) -> None:
    clock = VirtualClock(1_800_000_000_000)
    with Engine(url(tmp_path), stones=[Boot], clock=clock) as engine:
        engine.deploy(line("shop", service("order", "boot")))
        number = engine.start(key="shop", name="test").process_instance_id
        engine.stones.remove("boot")
        clock.advance(10)
        engine.run_pending()
        assert engine.tasks(number)[0].status == "stone-missing"
        assert engine.tasks(number)[0].outputs == {"id": "order"}

        engine.register(Boot)
        clock.advance(10)
        engine.run_pending()

        assert engine.get(number).status == "success"
        assert engine.tasks(number)[0].attempt == 1


def test_a_stone_for_other_values_is_no_stone_for_these(tmp_path: Path) -> None:
    class Far(Make):
        serves = {"regionId": "far"}

    class Near(Make):
        serves = {"regionId": "near"}

    model = line("shop", '<userTask id="ask"/>', service("order", "make", {"regionId": "near"}))
    with Engine(url(tmp_path), stones=[Far, Near]) as engine:
        engine.deploy(model)
        number = engine.start(key="shop", name="test").process_instance_id
        engine.complete(engine.tasks(number)[0].task_id)
        assert engine.get(number).status == "success"


def beside(stone: str) -> bytes:
    """A task that fails unless told otherwise beside one of another stone."""
    return definitions(
        process(
            "beside",
            '<startEvent id="begin"/><parallelGateway id="fork"/>',
            service("other", stone),
            service("bad", "bad"),
            *(flow("begin", "fork"), flow("fork", "other"), flow("fork", "bad")),
        )
    )


class Bad(Stone):
    """Fails unless it is told that all is well."""

    code = "bad"

    def start(self, task: TaskInfo) -> None:
        if not task.parameters.get("well"):
            raise RuntimeError("no more room")


def test_a_task_that_may_end_by_itself_waits_for_its_stone_even_after_a_failure(tmp_path: Path) -> None:
    clock = VirtualClock(1_800_000_000_000)
    with Engine(url(tmp_path), stones=[Boot, Bad], clock=clock) as engine:
        engine.deploy(beside("boot"))
        number = engine.start(key="beside", name="test", drain="all").process_instance_id
        engine.stones.remove("boot")
        clock.advance(10)
        engine.run_pending()
        assert [task.status for task in engine.tasks(number)] == ["stone-missing", "start.failed"]
        assert engine.get(number).status == "running"

        engine.register(Boot)

        assert engine.wait(number, timeout=60).status == "rollback.success"
        assert engine.tasks(number)[0].status == "monitor.success"


def test_a_debug_run_pauses_beside_a_task_that_waits_for_its_stone(tmp_path: Path) -> None:
    with Engine(url(tmp_path), stones=[Make, Bad]) as engine:
        model_id = engine.save_model(beside("${stone}")).model_id
        number = engine.start(model_id=model_id, name="test", variables={"stone": "later"}).process_instance_id
        waiting, failed = engine.tasks(number)
        assert (waiting.status, failed.status) == ("stone-missing", "start.failed")
        assert engine.get(number).paused

        engine.register(type("Later", (Make,), {"code": "later"}))
        engine.rerun(failed.task_id, {"well": True})

        assert engine.wait(number, timeout=60).status == "success"
        assert engine.task(waiting.task_id).status == "start.success"
