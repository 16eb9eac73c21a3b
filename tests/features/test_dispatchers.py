"""The same stories on every dispatcher, and many hands on one store."""

from __future__ import annotations

import gc
import logging
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import pytest

from riverstone.engine import (
    BpmnError,
    Engine,
    EngineClosed,
    InlineDispatcher,
    Invalid,
    Stone,
    TaskInfo,
    ThreadsDispatcher,
    WaitTimeout,
)
from riverstone.engine.bpmn.running.token import Token
from riverstone.engine.bpmn.running.workflow import Workflow
from riverstone.engine.instance.instance import Instance
from riverstone.engine.work import Work

from .sketch import definitions, flow, line, process, runs, service

Kind = Literal["inline", "threads"]
both = pytest.mark.parametrize("dispatcher", ["inline", "threads"])


class Add(Stone):
    """Adds one."""

    code = "add"

    def start(self, task: TaskInfo) -> None:
        task.add_output("n", int(task.parameters.get("n", 0)) + 1)


class Look(Stone):
    """Comes up at the third look."""

    code = "look"
    monitor_interval = 0.02

    def monitor(self, task: TaskInfo) -> bool:
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] == 3)


class Flaky(Stone):
    """Works at the second attempt."""

    code = "flaky"
    retries = 1
    retry_backoff = 0.02

    def start(self, task: TaskInfo) -> None:
        if task.attempt == 1:
            raise OSError("no answer")


class Refuse(Stone):
    """Always says no."""

    code = "refuse"

    def start(self, task: TaskInfo) -> None:
        raise BpmnError("no")


STORY = definitions(
    '<error id="e" errorCode="no"/>',
    process(
        "story",
        '<startEvent id="begin"/><endEvent id="done"/>',
        '<parallelGateway id="split"/><parallelGateway id="join"/><exclusiveGateway id="which" default="which_last"/>',
        service("first", "add"),
        service("left", "look"),
        service("right", "flaky"),
        service("slave-", "add", {"n": "${loopCounter}"}, inside=runs("3")),
        service("no", "refuse"),
        '<boundaryEvent id="caught" attachedToRef="no"><errorEventDefinition errorRef="e"/></boundaryEvent>',
        service("again", "add", {"n": "${outputs.first.n}"}),
        service("last", "add", {"n": "${outputs.again.n}"}),
        flow("begin", "first"),
        flow("first", "split"),
        *(flow("split", name) + flow(name, "join") for name in ("left", "right", "slave-")),
        flow("join", "no"),
        flow("no", "done"),
        flow("caught", "again"),
        flow("again", "which"),
        flow("which", "done", "${outputs.again.n > 2}"),
        flow("which", "last"),
        flow("last", "done"),
    ),
)


def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/river.db"


@both
def test_a_story_with_everything_in_it_ends_the_same(tmp_path: Path, dispatcher: Kind) -> None:
    with Engine(url(tmp_path), stones=[Add, Look, Flaky, Refuse], dispatcher=dispatcher) as engine:
        engine.deploy(STORY)
        ended = engine.wait(engine.start(key="story", name="test").process_instance_id, timeout=10)
        tasks = {task.namespace: task for task in engine.tasks(ended.process_instance_id)}

    assert ended.status == "success"
    assert ended.native_output_values == {
        "first": {"n": 1},
        "slave-1": {"n": 1},
        "slave-2": {"n": 2},
        "slave-3": {"n": 3},
        "again": {"n": 2},
        "last": {"n": 3},
    }
    assert {name: (task.status, task.attempt) for name, task in tasks.items()} == {
        **dict.fromkeys(("first", "slave-1", "slave-2", "slave-3", "again", "last"), ("start.success", 1)),
        "left": ("monitor.success", 1),
        "right": ("start.success", 2),
        "no": ("start.failed", 1),
    }


@both
def test_waiting_for_what_takes_too_long_times_out_and_harms_nothing(tmp_path: Path, dispatcher: Kind) -> None:
    class Boot(Look):
        code = "boot"
        monitor_interval = 0.4

    with Engine(url(tmp_path), stones=[Boot], dispatcher=dispatcher) as engine:
        engine.deploy(line("shop", service("a", "boot")))
        number = engine.start(key="shop", name="test").process_instance_id

        with pytest.raises(WaitTimeout, match=r"after 0\.1 seconds"):
            engine.wait(number, timeout=0.1)
        assert engine.wait(number, timeout=60).status == "success"


def test_a_wait_of_many_threads_ends_for_all(tmp_path: Path) -> None:
    go = threading.Event()
    with Engine(url(tmp_path), dispatcher="threads") as engine:
        engine.stone("hold")(lambda task: go.wait(10) and None)
        engine.deploy(line("shop", service("a", "hold")))
        number = engine.start(key="shop", name="test").process_instance_id
        with ThreadPoolExecutor(20) as pool:
            waiting = [pool.submit(engine.wait, number, 10) for _ in range(20)]
            time.sleep(0.05)
            go.set()
            assert {one.result().status for one in waiting} == {"success"}


def test_closing_lets_running_stones_end_and_keeps_what_they_did(tmp_path: Path) -> None:
    begun, order = threading.Event(), []

    def slow(task: TaskInfo) -> dict[str, int]:
        begun.set()
        time.sleep(0.3)
        order.append("stone")
        return {"x": 1}

    with Engine(url(tmp_path), dispatcher="threads") as engine:
        engine.stone("slow")(slow)
        engine.stone("next")(lambda task: {"y": 2})
        engine.deploy(line("shop", service("a", "slow"), service("b", "next")))
        number = engine.start(key="shop", name="test").process_instance_id
        begun.wait(5)
        engine.close()
        order.append("closed")
        with pytest.raises(EngineClosed):
            engine.start(key="shop", name="test")

    assert order == ["stone", "closed"]
    with Engine(url(tmp_path), stones=[Add]) as engine:
        engine.stone("next")(lambda task: {"y": 2})
        assert engine.tasks(number)[0].status == "start.success"
        assert engine.wait(number).native_output_values == {"a": {"x": 1}, "b": {"y": 2}}
    assert order == ["stone", "closed"]


def test_closing_while_others_start_answers_each_with_a_record_or_a_refusal(tmp_path: Path) -> None:
    engine = Engine(url(tmp_path), stones=[Add], dispatcher="threads")
    engine.deploy(line("shop", service("a", "add"), service("b", "add")))
    answers: list[str] = []

    def start() -> None:
        while True:
            try:
                answers.append(engine.start(key="shop", name="test").process_instance_id)
            except EngineClosed:
                return

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    engine.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()

    with Engine(url(tmp_path), stones=[Add]) as engine:
        stored = Counter(engine.wait(number).status for number in answers)
    assert stored == {"success": len(answers)}


@both
def test_twenty_threads_deploy_and_start_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, dispatcher: Kind
) -> None:
    caplog.set_level(logging.WARNING)
    with Engine(url(tmp_path), stones=[Add], dispatcher=dispatcher) as engine:

        def work(number: int) -> list[str]:
            key = f"shop{number % 5}"
            engine.deploy(line(key, service("a", "add"), service("b", "add", {"n": "${outputs.a.n}"})))
            return [engine.start(key=key, name=f"{number}").process_instance_id for _ in range(20)]

        with ThreadPoolExecutor(20) as pool:
            ids = [number for numbers in pool.map(work, range(20)) for number in numbers]

        assert len(set(ids)) == 400
        for number in ids:
            assert engine.wait(number, timeout=30).native_output_values == {"a": {"n": 1}, "b": {"n": 2}}
        assert sorted(deployment.version for deployment in engine.deployments(limit=100).items) == [1] * 5
        task_ids = [task.task_id for number in ids for task in engine.tasks(number)]
        assert len(set(task_ids) | set(ids)) == 3 * 400
    assert "locked" not in caplog.text
    assert caplog.text == ""


@both
def test_threads_that_start_and_wait_over_and_over_each_see_their_processes_end(
    tmp_path: Path, dispatcher: Kind
) -> None:
    with Engine(url(tmp_path), stones=[Add], dispatcher=dispatcher) as engine:
        engine.deploy(line("shop", *(service(f"s{number}", "add") for number in range(5))))

        def caller(name: int) -> list[str]:
            started = [engine.start(key="shop", name=f"{name}") for _ in range(2)]
            return [engine.wait(each.process_instance_id, timeout=30).status for each in started for _ in range(2)]

        with ThreadPoolExecutor(24) as pool:
            assert Counter(status for statuses in pool.map(caller, range(240)) for status in statuses) == {
                "success": 960
            }


def test_an_inline_engine_leaves_nothing_undone_when_the_last_of_many_threads_has_returned(tmp_path: Path) -> None:
    def dawdle(task: TaskInfo) -> None:
        time.sleep(random.random() / 500)

    with Engine(url(tmp_path)) as engine, Engine(url(tmp_path), passive=True) as onlooker:
        engine.stone("dawdle")(dawdle)
        engine.deploy(line("shop", service("a", "dawdle"), service("b", "dawdle")))
        for _ in range(15):
            with ThreadPoolExecutor(8) as pool:
                started = list(pool.map(lambda name: engine.start(key="shop", name=f"{name}"), range(16)))

            statuses = {onlooker.get(instance.process_instance_id).status for instance in started}
            assert statuses == {"success"}, "what was handed in while another thread was at it waits for the next call"


def test_two_engines_on_one_file_share_the_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with (
        Engine(url(tmp_path), stones=[Add, Look], dispatcher="threads") as working,
        Engine(url(tmp_path), stones=[Add, Look], dispatcher="threads", passive=True) as asking,
    ):
        working.deploy(line("shop", '<userTask id="ask"/>', service("a", "add"), service("b", "look")))

        def work(number: int) -> str:
            first, second = (working, asking) if number % 2 else (asking, working)
            started = first.start(key="shop", name=str(number)).process_instance_id
            (task,) = second.tasks(started)
            second.complete(task.task_id, {"n": number})
            return started

        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(work, range(60)))
        for number in ids:
            assert asking.wait(number, timeout=60).status == "success"
            assert [task.attempt for task in working.tasks(number)] == [1, 1, 1]
    assert "locked" not in caplog.text


def test_a_passive_engine_can_start_what_the_other_goes_on_with(tmp_path: Path) -> None:
    with Engine(url(tmp_path), stones=[Look]) as asking:
        asking.deploy(line("shop", service("b", "look")))
        number = asking.start(key="shop", name="test").process_instance_id
        with Engine(url(tmp_path), stones=[Look], dispatcher="threads") as working:
            asking.close()
            assert working.wait(number, timeout=60).status == "success"


@pytest.mark.parametrize("dispatcher", [InlineDispatcher, lambda: ThreadsDispatcher(2)], ids=["inline", "threads"])
def test_a_dispatcher_object_is_taken_as_it_is(tmp_path: Path, dispatcher: Any) -> None:
    with Engine(url(tmp_path), stones=[Add], dispatcher=dispatcher()) as engine:
        engine.deploy(line("shop", service("a", "add")))
        assert engine.wait(engine.start(key="shop", name="test").process_instance_id, timeout=60).status == "success"


def test_no_more_stones_run_at_once_than_there_are_threads(tmp_path: Path) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def count(task: TaskInfo) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    with Engine(url(tmp_path), dispatcher="threads", threads=3) as engine:
        engine.stone("count")(count)
        engine.deploy(line("shop", service("a-", "count", inside=runs("20"))))
        assert engine.wait(engine.start(key="shop", name="test").process_instance_id, timeout=60).status == "success"
    assert most == 3


def test_a_dispatcher_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no dispatcher"):
        Engine(url(tmp_path), dispatcher="celerity")  # type: ignore[arg-type]


@both
def test_an_engine_in_memory_leaves_nothing_behind(dispatcher: Kind) -> None:
    for _ in range(2):
        with Engine("sqlite:///:memory:", stones=[Add], dispatcher=dispatcher) as engine:
            assert engine.deployments().items == ()
            engine.deploy(line("shop", service("a", "add")))
            number = engine.start(key="shop", name="test").process_instance_id
            assert engine.wait(number, timeout=60).status == "success"


def test_a_process_that_has_ended_is_gone_without_a_search_for_rubbish(tmp_path: Path) -> None:
    with Engine(url(tmp_path), stones=[Add]) as engine:
        engine.deploy(line("shop", service("a", "add"), service("b", "add", {"n": "${outputs.a.n}"})))
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for _ in range(3):
                engine.start(key="shop", name="test")
            gc.collect()
            left = {type(part) for part in gc.garbage}
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert not left & {Instance, Workflow, Token, TaskInfo, Work}


@both
def test_progress_of_a_running_stone_is_seen_from_outside(tmp_path: Path, dispatcher: Kind) -> None:
    seen: list[tuple[str, int]] = []
    half, go_on = threading.Event(), threading.Event()

    def work(task: TaskInfo) -> None:
        task.progress(50)
        half.set()
        go_on.wait(5)

    with Engine(url(tmp_path), dispatcher=dispatcher) as engine:
        engine.stone("work")(work)
        engine.deploy(line("shop", service("a", "work")))
        if dispatcher == "inline":
            go_on.set()
        number = engine.start(key="shop", name="test").process_instance_id
        half.wait(5)
        deadline = time.monotonic() + 3
        while dispatcher == "threads" and time.monotonic() < deadline and seen[-1:] != [("start.begin", 50)]:
            (task,) = engine.tasks(number)
            seen.append((task.status, task.progress))
        go_on.set()
        assert engine.wait(number, timeout=60).status == "success"
        assert engine.tasks(number)[0].progress == 100
    assert dispatcher == "inline" or seen[-1] == ("start.begin", 50)
