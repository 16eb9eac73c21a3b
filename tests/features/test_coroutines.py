"""Hooks that are coroutine functions: on one event loop, under every dispatcher, stopped at their next await."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from riverstone.engine import BpmnError, Engine, Invalid, NotFound, Stone, TaskInfo, ThreadsDispatcher
from riverstone.engine.stones.hooks import event_loop

from ..models.stores import SHARED, fresh
from .sketch import definitions as file
from .sketch import flow, line, process, service
from .test_undo_cancel import until

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")
Kind = Literal["inline", "threads"]


@pytest.fixture(params=["inline", "threads"])
def engine(request: pytest.FixtureRequest, sqlite: str) -> Iterator[Engine]:
    kind: Kind = request.param
    with Engine(sqlite, dispatcher=kind) as engine:
        yield engine


@pytest.fixture
def serving(sqlite: str) -> Iterator[Engine]:
    """An engine on threads: one whose hooks can be stopped from outside."""
    with Engine(sqlite, dispatcher="threads", threads=2) as engine:
        yield engine


class World:
    """What the stone of these stories has made, and what was called."""

    def __init__(self) -> None:
        self.things: set[str] = set()
        self.calls: list[str] = []
        self.threads: set[str] = set()

    def stone(self) -> type[Stone]:
        world = self

        class Volume(Stone):
            code = "volume"
            monitor_interval = 0.02

            async def start(self, task: TaskInfo) -> dict[str, Any]:
                await world.note(task)
                world.things.add(task.idempotency_key)
                task.progress(40, "made")
                task.add_output("size", 10)
                return {"id": task.idempotency_key}

            async def monitor(self, task: TaskInfo) -> bool:
                await world.note(task)
                task.state["polls"] = task.state.get("polls", 0) + 1
                return bool(task.state["polls"] == 3)

            async def delete(self, task: TaskInfo) -> None:
                await world.note(task)
                if task.outputs["id"] not in world.things:
                    raise NotFound(task.outputs["id"])
                world.things.remove(task.outputs["id"])

            rollback = cancel = delete

        return Volume

    async def note(self, task: TaskInfo) -> None:
        self.threads.add(threading.current_thread().name)
        await asyncio.sleep(0)
        self.calls.append(task.event)


def run(engine: Engine, key: str, **options: Any) -> Any:
    return engine.wait(engine.start(key=key, name="test", **options).process_instance_id, timeout=20)


def test_coroutine_hooks_are_awaited_from_start_to_delete(engine: Engine) -> None:
    """An async def delete once said delete.success and had never run."""
    world = World()
    engine.register(world.stone())
    engine.deploy(line("shop", service("a", "volume")))
    ended = run(engine, "shop")
    assert ended.status == "success"
    (task,) = engine.tasks(ended.process_instance_id)
    assert (task.status, task.outputs["size"], task.progress) == ("monitor.success", 10, 100)
    assert "made" in task.log
    assert world.things == {task.outputs["id"]}

    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id, timeout=60).status == "delete.success"
    assert not world.things
    assert world.calls == ["start", "monitor", "monitor", "monitor", "delete"]
    assert world.threads == {"riverstone-coroutines"}


async def function(task: TaskInfo) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"who": WHO.get(), "n": task.attempt}


class Asking:
    async def __call__(self, task: TaskInfo) -> dict[str, Any]:
        return await function(task)


@pytest.mark.parametrize("given", [function, partial(function), Asking()])
def test_a_function_may_be_a_coroutine_function(engine: Engine, given: Any) -> None:
    engine.stone("f")(given)
    engine.deploy(line("shop", service("a", "f")))
    assert run(engine, "shop").native_output_values["a"]["n"] == 1


def test_what_a_coroutine_raises_is_the_reason_and_goes_its_way(engine: Engine) -> None:
    async def fails(task: TaskInfo) -> None:
        await asyncio.sleep(0)
        raise {"bpmn": BpmnError("no", "not now"), "cloud": OSError("no answer")}[task.parameters["kind"]]

    engine.stone("fails", parameters={})(fails)
    caught = '<boundaryEvent id="caught" attachedToRef="a"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    nodes = '<startEvent id="s"/><endEvent id="e1"/><endEvent id="e2"/>'
    engine.deploy(
        file(
            '<error id="e" errorCode="no"/>',
            process(
                "shop",
                nodes,
                service("a", "fails", {"kind": "${kind}"}),
                caught,
                flow("s", "a"),
                flow("a", "e1"),
                flow("caught", "e2"),
            ),
        )
    )
    assert run(engine, "shop", variables={"kind": "bpmn"}).status == "success"
    failed = run(engine, "shop", variables={"kind": "cloud"}, rollback=False)
    assert (failed.status, "OSError: no answer" in (failed.reason or "")) == ("failed", True)


def test_context_variables_are_those_of_the_call_and_each_hook_has_its_own(sqlite: str) -> None:
    async def set_and_tell(task: TaskInfo) -> dict[str, Any]:
        before = WHO.get()
        WHO.set(task.task_id)
        await asyncio.sleep(0.01)
        return {"before": before, "after": WHO.get() == task.task_id}

    with Engine(sqlite) as engine:
        engine.stone("f")(set_and_tell)
        engine.deploy(line("shop", service("a", "f"), service("b", "f")))
        token = WHO.set("caller")
        try:
            values = run(engine, "shop").native_output_values
        finally:
            WHO.reset(token)
    assert values == {name: {"before": "caller", "after": True} for name in ("a", "b")}


def test_a_call_that_waits_is_refused_on_the_event_loop(engine: Engine) -> None:
    """It would hold up every coroutine, and under inline wait for itself."""
    refusals: list[str] = []

    async def asks(task: TaskInfo) -> None:
        for call in (
            partial(engine.wait, task.process_instance_id),
            partial(engine.start, key="shop", name="again"),
            engine.run_pending,
            engine.close,
            partial(task.wait_for_cancel, 5),
        ):
            with pytest.raises(Invalid) as refused:
                call()
            refusals.append(refused.value.code)
        assert not await asyncio.to_thread(task.wait_for_cancel, 0.01)
        assert engine.get(task.process_instance_id).status == "running"

    engine.stone("asks")(asks)
    engine.deploy(line("shop", service("a", "asks")))
    ended = run(engine, "shop")
    assert (ended.status, ended.reason) == ("success", None)
    assert refusals == ["blocks-event-loop"] * 5


@pytest.mark.parametrize("cleans_up", [True, False])
@pytest.mark.parametrize("url", SHARED, indirect=True)
def test_a_cancel_reaches_the_next_await(url: str, *, cleans_up: bool) -> None:
    reached, calls = threading.Event(), []

    class Slow(Stone):
        code = "slow"
        grace = 20.0

        async def start(self, task: TaskInfo) -> None:
            try:
                reached.set()
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                calls.append("stopped")
                assert task.cancel_requested
                if not cleans_up:
                    raise
                # Longer than the poll by which a process that stops is told of once more.
                await asyncio.sleep(1.3)
                task.add_output("left", "this")

        async def cancel(self, task: TaskInfo) -> None:
            calls.append(f"cancel {task.phase} {task.outputs.get('left')}")

    with Engine(url, stones=[Slow], dispatcher="threads") as engine:
        engine.deploy(line("shop", service("a", "slow")))
        number = engine.start(key="shop", name="test").process_instance_id
        assert reached.wait(60)
        engine.cancel(number)
        ended = engine.wait(number, 60)
        (task,) = engine.tasks(number)
    assert ended.status == "cancel.success"
    phase, left = ("complete", "this") if cleans_up else ("partial", None)
    assert calls == ["stopped", f"cancel {phase} {left}"]
    assert task.status == ("start.success" if cleans_up else "start.failed")
    if not cleans_up:
        assert "stopped when it was asked to" in (task.reason or "")


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh(request.param, tmp_path) as url:
        yield url


def test_a_timeout_cancels_the_coroutine_and_its_retry_begins_after_it(serving: Engine) -> None:
    calls = []

    class Slow(Stone):
        code = "slow"
        timeouts = {"start": 0.2}
        retries = 1
        retry_backoff = 0.01

        async def start(self, task: TaskInfo) -> None:
            calls.append(f"start {task.attempt}")
            try:
                await asyncio.sleep(60 if task.attempt == 1 else 0)
            finally:
                calls.append(f"end {task.attempt}")

    serving.register(Slow)
    serving.deploy(line("shop", service("a", "slow")))
    assert run(serving, "shop").status == "success"
    assert calls == ["start 1", "end 1", "start 2", "end 2"]


def test_one_that_swallows_its_cancel_is_unknown_and_what_it_makes_late_is_undone_once_more(serving: Engine) -> None:
    reached, networks, calls = threading.Event(), set(), []
    go_on: list[Any] = []

    class Deaf(Stone):
        code = "deaf"
        grace = 0.1

        async def start(self, task: TaskInfo) -> None:
            event = asyncio.Event()
            go_on.append(partial(asyncio.get_running_loop().call_soon_threadsafe, event.set))
            reached.set()
            while not event.is_set():
                try:
                    await event.wait()
                except asyncio.CancelledError:
                    calls.append("swallowed")
            networks.add("net-1")
            task.add_output("id", "net-1")

        async def cancel(self, task: TaskInfo) -> None:
            calls.append(f"cancel {task.phase} {task.outputs.get('id')}")
            networks.discard(task.outputs.get("id", ""))

    serving.register(Deaf)
    serving.deploy(line("shop", service("a", "deaf")))
    number = serving.start(key="shop", name="test").process_instance_id
    assert reached.wait(60)
    serving.cancel(number)
    assert serving.wait(number, 60).status == "cancel.success"
    (task,) = serving.tasks(number)
    assert task.status == "unknown"
    go_on[0]()
    until(lambda: calls == ["swallowed", "cancel unknown None", "cancel unknown net-1"])
    assert serving.wait(number, 60).status == "cancel.success"
    assert not networks


def test_a_thousand_that_wait_hold_no_thread_and_no_more_run_than_may(sqlite: str) -> None:
    now = most = 0
    threads: set[int] = set()

    async def waits(task: TaskInfo) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        threads.add(threading.active_count())
        now -= 1

    def plain(task: TaskInfo) -> None:
        time.sleep(0.001)

    with Engine(sqlite, dispatcher="threads", threads=2, coroutines=300) as engine:
        engine.stone("waits")(waits)
        engine.stone("plain")(plain)
        engine.deploy(line("shop", service("a", "waits"), service("b", "plain")))
        before = threading.active_count()
        numbers = [engine.start(key="shop", name="test").process_instance_id for _ in range(1000)]
        assert {engine.wait(number, 60).status for number in numbers} == {"success"}
    assert most <= 300
    assert max(threads) <= before + 5


def test_what_has_not_begun_for_want_of_room_never_does_once_it_is_cancelled(sqlite: str) -> None:
    begun: list[str] = []
    reached = threading.Event()

    async def waits(task: TaskInfo) -> None:
        begun.append(task.process_instance_id)
        reached.set()
        await asyncio.sleep(60)

    with Engine(sqlite, dispatcher="threads", coroutines=1) as engine:
        engine.stone("waits", grace=10.0)(waits)
        engine.deploy(line("shop", service("a", "waits")))
        first = engine.start(key="shop", name="test").process_instance_id
        assert reached.wait(60)
        second = engine.start(key="shop", name="test").process_instance_id
        for number in (second, first):
            engine.cancel(number)
            assert engine.wait(number, 60).status == "cancel.success"
        assert begun == [first]
        assert engine.tasks(second)[0].status == "canceled"


def test_a_blocked_event_loop_is_told_of_with_its_place(
    serving: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop, "BLOCKED", 0.1)
    go_on = threading.Event()

    async def blocks(task: TaskInfo) -> None:
        await asyncio.sleep(0)
        assert go_on.wait(60)

    serving.stone("blocks")(blocks)
    serving.deploy(line("shop", service("a", "blocks")))
    with caplog.at_level(logging.WARNING, "riverstone.stone"):
        number = serving.start(key="shop", name="test").process_instance_id
        until(lambda: "has been blocked" in caplog.text)
        assert f"by start of blocks (task {serving.tasks(number)[0].task_id})" in caplog.text
        assert f" at {__file__}:" in caplog.text
        go_on.set()
        assert serving.wait(number, 60).status == "success"
        until(lambda: "goes on after" in caplog.text)


def test_a_hook_that_becomes_a_coroutine_while_its_task_waits_is_awaited(serving: Engine) -> None:
    """And the other way round: the class that is registered when its turn comes is asked."""
    gate, taken = threading.Event(), threading.Semaphore(0)

    def holds(task: TaskInfo) -> None:
        taken.release()
        assert gate.wait(60)

    def plain(task: TaskInfo) -> dict[str, Any]:
        return {"by": "plain"}

    async def awaited(task: TaskInfo) -> dict[str, Any]:
        return {"by": "coroutine"}

    serving.stone("holds")(holds)
    serving.stone("f")(plain)
    serving.deploy(line("hold", service("a", "holds")))
    serving.deploy(line("shop", service("a", "f")))
    held = [serving.start(key="hold", name="test").process_instance_id for _ in range(2)]
    assert all(taken.acquire(timeout=10) for _ in held)
    number = serving.start(key="shop", name="test").process_instance_id
    serving.stone("f")(awaited)
    gate.set()
    assert serving.wait(number, 60).native_output_values == {"a": {"by": "coroutine"}}


def test_what_a_hook_leaves_running_beside_it_ends_with_the_engine(sqlite: str) -> None:
    ended = threading.Event()

    async def beside() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    kept = []

    async def leaves(task: TaskInfo) -> None:
        kept.append(asyncio.get_running_loop().create_task(beside()))
        await asyncio.sleep(0)

    with Engine(sqlite, dispatcher="threads") as engine:
        engine.stone("leaves")(leaves)
        engine.deploy(line("shop", service("a", "leaves")))
        assert run(engine, "shop").status == "success"
        assert not ended.is_set()
    assert ended.is_set()


def test_one_that_leaves_the_interpreter_beside_its_hook_stops_no_other(serving: Engine) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def beside(task: TaskInfo) -> None:
        task_beside = asyncio.get_running_loop().create_task(leave())
        await asyncio.sleep(0.05)
        assert task_beside.done()

    serving.stone("beside")(beside)
    serving.deploy(line("shop", service("a", "beside")))
    assert [run(serving, "shop").status for _ in range(2)] == ["success", "success"]


def test_the_bounds_of_a_dispatcher_are_its_own() -> None:
    assert ThreadsDispatcher(3, 7)._coroutines.most == 7
