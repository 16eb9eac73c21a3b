"""A hook that nobody could stop ends after its task was undone: what it made then is undone once more, by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Conflict, Engine, NotFound, Stone, TaskInfo

from ..models.stores import SHARED, fresh
from .sketch import definitions, flow, line, process, service
from .test_undo_cancel import until


class Cloud(Stone):
    """Creates a network, slowly and deaf to whoever asks it to stop; its id is known when it is there."""

    code = "net"
    grace = 0.1
    reached: ClassVar[threading.Event]
    go_on: ClassVar[threading.Event]
    undo_goes_on: ClassVar[threading.Event]
    networks: ClassVar[set[str]]
    calls: ClassVar[list[str]]
    tells = True
    failures: ClassVar[list[Exception]] = []

    def start(self, task: TaskInfo) -> None:
        self.calls.append(f"start {task.attempt}")
        type(self).made += 1
        name = f"net-{self.made}"
        self.reached.set()
        assert self.go_on.wait(60)
        self.networks.add(name)
        if self.tells:
            task.add_output("id", name)

    made: ClassVar[int] = 0

    def cancel(self, task: TaskInfo) -> None:
        self.calls.append(f"{task.event} {task.outputs.get('id')}")
        assert self.undo_goes_on.wait(60)
        if self.failures:
            raise self.failures.pop(0)
        gone = {task.outputs["id"]} if "id" in task.outputs else set() if self.tells else set(self.networks)
        if not gone & self.networks:
            raise NotFound("no network")
        self.networks.difference_update(gone)

    rollback = delete = cancel


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def cloud() -> type[Cloud]:
    members: dict[str, Any] = {"networks": set(), "calls": [], "failures": []}
    members |= {name: threading.Event() for name in ("reached", "go_on", "undo_goes_on")}
    kind: type[Cloud] = type("Cloud", (Cloud,), {**members, "__doc__": "One of its own."})
    kind.undo_goes_on.set()
    return kind


@pytest.fixture
def engine(url: str, cloud: type[Cloud]) -> Iterator[Engine]:
    with Engine(url, stones=[cloud], dispatcher="threads", threads=4) as engine:
        yield engine
        cloud.go_on.set()


def started(engine: Engine, cloud: type[Cloud], **options: Any) -> str:
    """A process whose only task is just creating its network."""
    engine.deploy(line("shop", service("a", "net")))
    number = engine.start(key="shop", name="test", **options).process_instance_id
    assert cloud.reached.wait(60)
    return number


def state(engine: Engine, number: str) -> tuple[str, str | None]:
    """The status of a process and what became of its task."""
    (task,) = engine.tasks(number)
    return engine.get(number).status, task.undo


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("force", [True, False])
def test_what_a_cancelled_hook_made_after_its_undo_is_undone_once_more(
    engine: Engine, cloud: type[Cloud], *, force: bool, tells: bool
) -> None:
    """Also where the hook puts out nothing, so that only its end tells of what it made."""
    cloud.tells = tells
    number = started(engine, cloud)
    engine.cancel(number, force=force)
    first = engine.wait(number, 60)
    assert first.status == "cancel.success"
    assert state(engine, number) == ("cancel.success", "undone")
    assert "has not reported its end" in " ".join(engine.why(number).sentences)
    assert engine.purge(0, even_undeleted=True) == 0

    cloud.undo_goes_on.clear()
    cloud.go_on.set()
    until(lambda: state(engine, number) == ("cancel.begin", "left"))
    assert [step.action for step in engine.preview(number, "delete")] == ["delete"]
    assert {each.labels[0]: each.count for each in engine.figures().left} == {"left": 1}
    assert "exists until it is undone once more" in " ".join(engine.why(number).sentences)
    cloud.undo_goes_on.set()
    again = engine.wait(number, 60)
    assert again.status == "cancel.success"
    assert again.cancel_process_instance_id == first.cancel_process_instance_id
    assert cloud.calls == ["start 1", "cancel None", "cancel net-1" if tells else "cancel None"]
    assert not cloud.networks
    assert state(engine, number) == ("cancel.success", "undone")
    assert not engine.preview(number, "delete")
    keys = {task.task_id for task in engine.tasks(first.cancel_process_instance_id or "")}
    assert len(keys) == 2
    assert engine.purge(0) == 1


def test_an_undo_that_is_asked_for_once_more_and_fails_is_listed_and_retried_by_name(
    engine: Engine, cloud: type[Cloud]
) -> None:
    number = started(engine, cloud)
    engine.cancel(number, force=True)
    engine.wait(number, 60)
    cloud.failures.append(RuntimeError("the cloud is away"))
    cloud.go_on.set()
    until(lambda: state(engine, number) == ("cancel.failed", "failed"))
    assert cloud.networks == {"net-1"}
    engine.retry_undo(number)
    assert engine.wait(number, 60).status == "cancel.success"
    assert state(engine, number) == ("cancel.success", "undone")
    assert not cloud.networks
    assert cloud.calls == ["start 1", "cancel None", "cancel net-1", "cancel net-1"]


def test_a_delete_takes_what_a_cancel_could_not_take_once_more(engine: Engine, cloud: type[Cloud]) -> None:
    number = started(engine, cloud)
    engine.cancel(number, force=True)
    engine.wait(number, 60)
    cloud.failures.append(RuntimeError("the cloud is away"))
    cloud.go_on.set()
    until(lambda: state(engine, number) == ("cancel.failed", "failed"))
    engine.delete(number)
    assert engine.wait(number, 60).status == "delete.success"
    assert not cloud.networks


def test_a_rollback_and_a_delete_are_reopened_alike(engine: Engine, cloud: type[Cloud]) -> None:
    cloud.timeouts = {"start": 0.1}
    number = started(engine, cloud)
    assert engine.wait(number, 60).status == "rollback.success"
    engine.delete(number)
    assert engine.wait(number, 60).status == "delete.success"
    cloud.go_on.set()
    until(lambda: cloud.calls[-1] == "delete net-1" and state(engine, number) == ("delete.success", "undone"))
    assert cloud.calls == ["start 1", "rollback None", "delete net-1"]
    assert not cloud.networks


def test_a_hook_that_ends_while_it_is_undone_is_undone_once_more(engine: Engine, cloud: type[Cloud]) -> None:
    cloud.undo_goes_on.clear()
    number = started(engine, cloud)
    engine.cancel(number, force=True)
    until(lambda: cloud.calls[-1] == "cancel None")
    cloud.go_on.set()
    until(lambda: engine.tasks(number)[0].outputs == {"id": "net-1"})
    cloud.undo_goes_on.set()
    assert engine.wait(number, 60).status == "cancel.success"
    assert cloud.calls == ["start 1", "cancel None", "cancel net-1"]
    assert not cloud.networks


def gone_back(engine: Engine, cloud: type[Cloud]) -> tuple[str, str]:
    """A process that has gone back to its first task while that ran, deaf; its number and that of the task."""
    engine.deploy(line("shop", service("a", "net"), '<userTask id="ask"/>'))
    number = engine.start(key="shop", name="test").process_instance_id
    assert cloud.reached.wait(60)
    first = engine.tasks(number)[0].task_id
    engine.rewind(number, first)
    return number, first


def asked(engine: Engine, number: str) -> str:
    """The person's task, once the process has come there."""
    until(lambda: any(task.stone is None for task in engine.tasks(number)))
    return next(task.task_id for task in engine.tasks(number) if task.stone is None)


def test_what_a_rewind_could_not_know_of_is_undone_once_more_while_it_is_at_it(
    engine: Engine, cloud: type[Cloud]
) -> None:
    cloud.undo_goes_on.clear()
    number, first = gone_back(engine, cloud)
    until(lambda: cloud.calls[-1] == "rollback None")
    cloud.go_on.set()
    until(lambda: engine.task(first).outputs == {"id": "net-1"})
    cloud.undo_goes_on.set()
    engine.complete(asked(engine, number))
    assert engine.wait(number, 60).status == "success"
    assert (engine.task(first).undo, cloud.networks) == ("undone", {"net-2"})
    assert cloud.calls == ["start 1", "rollback None", "rollback net-1", "start 1"]


def test_a_process_that_has_gone_back_ends_only_when_what_was_left_is_undone(
    engine: Engine, cloud: type[Cloud]
) -> None:
    number, first = gone_back(engine, cloud)
    until(lambda: cloud.calls == ["start 1", "rollback None", "start 1"])
    cloud.undo_goes_on.clear()
    cloud.go_on.set()
    until(lambda: engine.task(first).undo == "left")
    engine.complete(asked(engine, number))
    assert "exists until it is undone once more" in " ".join(engine.why(number).sentences)
    second = engine.tasks(number)[1].task_id
    with pytest.raises(Conflict, match="is under way"):
        engine.rewind(number, second)
    assert engine.get(number).status == "running"
    cloud.undo_goes_on.set()
    assert engine.wait(number, 60).status == "success"
    assert (engine.task(first).undo, cloud.networks) == ("undone", {"net-2"})


@pytest.mark.parametrize("giving_up", ["retry", "retain", "cancel"])
def test_what_was_left_of_a_rewind_and_cannot_be_undone_waits_for_somebody(
    engine: Engine, cloud: type[Cloud], giving_up: str
) -> None:
    number, first = gone_back(engine, cloud)
    until(lambda: cloud.calls == ["start 1", "rollback None", "start 1"])
    cloud.failures.append(RuntimeError("the cloud is away"))
    cloud.go_on.set()
    until(lambda: engine.get(number).attention == 1)
    ask = asked(engine, number)
    assert engine.task(first).undo == "failed"
    if giving_up == "cancel":
        engine.cancel(number)
        assert engine.wait(number, 60).status == "cancel.success"
        assert not cloud.networks
        return
    engine.retry(number, retain=[first] if giving_up == "retain" else [])
    engine.complete(ask)
    assert engine.wait(number, 60).status == "success"
    became = ("undone", {"net-2"}) if giving_up == "retry" else ("retained", {"net-1", "net-2"})
    assert (engine.task(first).undo, cloud.networks) == became


def test_what_a_timed_out_attempt_made_is_taken_back_before_the_next(engine: Engine, cloud: type[Cloud]) -> None:
    cloud.timeouts = {"start": 0.1}
    cloud.retries = 1
    cloud.retry_backoff = 0.01
    number = started(engine, cloud)
    until(lambda: "longer than its timeout" in (engine.tasks(number)[0].reason or ""))
    cloud.timeouts = {}
    cloud.go_on.set()
    assert engine.wait(number, 60).status == "success"
    assert cloud.calls == ["start 1", "rollback net-1", "start 2"]
    assert cloud.networks == {"net-2"}


def test_a_late_result_is_undone_after_a_restart(url: str, cloud: type[Cloud]) -> None:
    """The engine ends between the late result and the end of the undo that it has brought about."""
    with Engine(url, stones=[cloud], dispatcher="threads", threads=4) as engine:
        number = started(engine, cloud)
        engine.cancel(number, force=True)
        engine.wait(number, 60)
        cloud.failures.append(RuntimeError("the cloud is away"))
        cloud.go_on.set()
        until(lambda: state(engine, number) == ("cancel.failed", "failed"))
    with Engine(url, stones=[cloud], dispatcher="threads", threads=4) as engine:
        engine.retry_undo(number)
        assert engine.wait(number, 60).status == "cancel.success"
        assert state(engine, number) == ("cancel.success", "undone")
        assert not cloud.networks


class Together(Stone):
    """Two of them end at the same moment, one by failing."""

    code = "together"
    at: ClassVar[dict[str, threading.Barrier]] = {}
    started: ClassVar[list[str]] = []
    undone: ClassVar[list[str]] = []

    def start(self, task: TaskInfo) -> None:
        self.started.append(task.start_key)
        self.at.setdefault(task.process_instance_id, threading.Barrier(2)).wait(20)
        if task.namespace == "b":
            raise ValueError("no room")
        task.add_output("id", 1)

    def rollback(self, task: TaskInfo) -> None:
        self.undone.append(task.start_key)


def test_what_has_ended_as_its_sibling_failed_is_entered_and_undone_once(url: str) -> None:
    """Its outcome was on its way as the process stopped: it counted as stopped, and was undone again when heard of."""
    body = '<startEvent id="s"/><parallelGateway id="g"/>' + service("a", "together") + service("b", "together")
    source = definitions(process("p", body, flow("s", "g"), flow("g", "a"), flow("g", "b")))
    Together.at, Together.started, Together.undone = {}, [], []
    with Engine(url, stones=[Together], dispatcher="threads") as engine:
        engine.deploy(source)
        numbers = [engine.start(key="p", name="test").process_instance_id for _ in range(30)]
        ended = [engine.wait(number, 60) for number in numbers]
        # Whatever was to be undone once more would have come before what is started now.
        engine.wait(engine.start(key="p", name="test").process_instance_id, 60)
        statuses = {task.status for number in numbers for task in engine.tasks(number) if task.namespace == "a"}

    assert {each.status for each in ended} == {"rollback.success"}
    assert statuses == {"start.success"}
    assert sorted(Together.undone) == sorted(Together.started)
