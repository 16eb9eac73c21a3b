"""What a start saves is durable before it goes on: for its next attempt, the monitor and every undo hook."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from riverstone.engine import Conflict, Engine, Invalid, Limits, Stone, TaskInfo, VirtualClock

from .sketch import line, service
from .world import run


@dataclass
class Cloud:
    """Two calls make a volume whose password is told once; ``broken`` says how often the second call fails."""

    volumes: list[str] = field(default_factory=list)
    broken: int = 0
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    then: Callable[[TaskInfo], None] = lambda task: None

    def stone(self, *, awaits: bool = False, **members: Any) -> type[Stone]:
        cloud = self

        class Volume(Stone):
            """A volume that two calls make."""

            code = "volume"
            retries = 1
            retry_backoff = 0.01
            monitor_interval = 0.01
            outputs = {"volumeId": "the volume", "password": "told once"}
            secret_outputs = frozenset({"password"})

            def monitor(self, task: TaskInfo) -> bool:
                cloud.seen.append(("monitor", dict(task.saved)))
                return True

            def rollback(self, task: TaskInfo) -> None:
                cloud.seen.append(("rollback", dict(task.saved)))
                cloud.volumes.remove(task.saved["volumeId"])

            def cancel(self, task: TaskInfo) -> None:
                cloud.seen.append(("cancel", dict(task.saved)))
                cloud.volumes.remove(task.saved["volumeId"])

            def delete(self, task: TaskInfo) -> None:
                cloud.seen.append(("delete", dict(task.saved)))
                cloud.volumes.remove(task.saved["volumeId"])

        def begin(task: TaskInfo) -> None:
            cloud.seen.append(("start", dict(task.saved)))

        def attach(task: TaskInfo) -> dict[str, Any]:
            cloud.then(task)
            if cloud.broken:
                cloud.broken -= 1
                raise RuntimeError(f"not attached, with {task.saved['password']}")
            return {"volumeId": task.saved["volumeId"]}

        def created() -> str:
            cloud.volumes.append(f"v-{len(cloud.volumes) + 1}")
            return cloud.volumes[-1]

        def start(self: Stone, task: TaskInfo) -> dict[str, Any]:
            begin(task)
            if "volumeId" not in task.saved:
                task.save("volumeId", created())
                task.save("password", "sesame-open")
            return attach(task)

        async def start_awaited(self: Stone, task: TaskInfo) -> dict[str, Any]:
            begin(task)
            if "volumeId" not in task.saved:
                await task.save("volumeId", created())
                # Nobody awaits this one; it is durable before the start has ended all the same.
                task.save("password", "sesame-open")
            return attach(task)

        return type("Volume", (Volume,), {"start": start_awaited if awaits else start, "__doc__": "Two.", **members})


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


BOTH = {"volumeId": "v-1", "password": "sesame-open"}


@pytest.fixture(params=["inline", "threads", "inline-coroutine", "coroutine"])
def hosted(request: pytest.FixtureRequest, url: str, cloud: Cloud) -> Iterator[Engine]:
    """An engine on each dispatcher, which has the stone with plain hooks or an awaited start."""
    dispatcher: Literal["inline", "threads"] = "inline" if request.param.startswith("inline") else "threads"
    stone = cloud.stone(awaits="coroutine" in request.param)
    with Engine(url, stones=[stone], dispatcher=dispatcher) as engine:
        engine.deploy(line("one", service("v", "volume")))
        yield engine


def test_the_next_attempt_the_monitor_and_the_undo_find_what_was_saved(hosted: Engine, cloud: Cloud) -> None:
    cloud.broken = 1
    number = hosted.start(key="one", name="test").process_instance_id
    assert hosted.wait(number, 30).status == "success"
    assert cloud.seen == [("start", {}), ("start", BOTH), ("monitor", BOTH)]
    assert cloud.volumes == ["v-1"]
    hosted.delete(number)
    assert hosted.wait(number, 30).status == "delete.success"
    assert (cloud.seen[-1], cloud.volumes) == (("delete", BOTH), [])


def test_it_is_masked_like_the_secret_output_of_its_name(hosted: Engine, cloud: Cloud) -> None:
    cloud.broken = 2
    number = hosted.start(key="one", name="test", rollback=False).process_instance_id
    assert hosted.wait(number, 30).status == "failed"
    (task,) = hosted.tasks(number)
    assert task.reason == "RuntimeError: not attached, with *****"
    assert "sesame" not in repr((hosted.get(number), hosted.history(number), hosted.tasks(number)))


def test_a_failed_start_is_rolled_back_by_what_it_saved(hosted: Engine, cloud: Cloud) -> None:
    cloud.broken = 2
    number = hosted.start(key="one", name="test").process_instance_id
    assert hosted.wait(number, 30).status == "rollback.success"
    assert (cloud.seen[-1], cloud.volumes) == (("rollback", BOTH), [])


def test_an_attempt_that_was_rolled_back_has_saved_nothing_for_the_next(
    url: str, cloud: Cloud, clock: VirtualClock
) -> None:
    with Engine(url, stones=[cloud.stone(retries=0)], clock=clock) as engine:
        engine.deploy(line("one", service("v", "volume", {"size": "${size}"})))
        cloud.broken = 1
        number = run(engine, "one", {"size": 1}, on_failure="pause").process_instance_id
        (failure,) = engine.failures(number)
        engine.rerun(str(failure.task_id), {"size": 2})
        assert engine.wait(number, 60).status == "success"
        assert [event for event, _ in cloud.seen] == ["start", "rollback", "start", "monitor"]
        assert cloud.seen[2] == ("start", {})


def test_an_engine_that_dies_after_a_save_leaves_it_to_the_next(url: str, cloud: Cloud, clock: VirtualClock) -> None:
    def dies(task: TaskInfo) -> None:
        raise KeyboardInterrupt

    cloud.then = dies
    with Engine(url, stones=[cloud.stone()], clock=clock) as engine:
        engine.deploy(line("one", service("v", "volume")))
        with pytest.raises(KeyboardInterrupt):
            engine.start(key="one", name="test")
        cloud.then = lambda task: None
        with Engine(url, passive=True, clock=clock) as other:
            (instance,) = other.instances().items
    with Engine(url, stones=[cloud.stone()], clock=clock) as engine:
        assert engine.wait(instance.process_instance_id, 99).status == "success"
    assert cloud.seen == [("start", {}), ("start", BOTH), ("monitor", BOTH)]


def test_a_start_that_was_cancelled_elsewhere_is_told_so_and_its_undo_knows_what_it_saved(
    url: str, cloud: Cloud
) -> None:
    """Of two engines: one is in the start, the other is asked to cancel."""
    refused: list[Conflict] = []
    entered, cancelled = threading.Event(), threading.Event()

    def waits(self: Stone, task: TaskInfo) -> None:
        entered.set()
        assert cancelled.wait(30)
        cloud.volumes.append("v-1")
        try:
            task.save("volumeId", "v-1")
        except Conflict as error:
            refused.append(error)

    stone = cloud.stone(start=waits, retries=0)
    with Engine(url, stones=[stone], dispatcher="threads") as one, Engine(url, stones=[stone], passive=True) as other:
        one.deploy(line("one", service("v", "volume")))
        number = one.start(key="one", name="test").process_instance_id
        assert entered.wait(30)
        other.cancel(number, force=True)
        cancelled.set()
        assert other.wait(number, 60).status == "cancel.success"
    assert cloud.volumes == []
    assert cloud.seen[-1] == ("cancel", {"volumeId": "v-1"})
    assert "has ended" in refused[0].message


def test_only_a_start_saves_and_only_what_is_json_and_not_too_much(url: str, cloud: Cloud) -> None:
    told: list[str] = []

    def tries(task: TaskInfo, name: str, value: Any) -> None:
        with pytest.raises(Invalid) as error:
            task.save(name, value)
        told.append(error.value.code)

    def then(task: TaskInfo) -> None:
        tries(task, "", 1)
        tries(task, "set", {1, 2})
        tries(task, "long", "x" * 3000)

    cloud.then = then

    def looks(self: Stone, task: TaskInfo) -> bool:
        tries(task, "late", 1)
        return True

    with Engine(url, stones=[cloud.stone(monitor=looks)], limits=Limits(output_size=2000)) as engine:
        engine.deploy(line("one", service("v", "volume")))
        assert run(engine, "one").status == "success"
    assert told == ["output-invalid", "not-json", "output-too-large", "save-start"]
