"""An undo that takes minutes holds no thread, and what does not show yet is not taken for gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Later, NotFound, Stone, TaskInfo, VirtualClock

from .sketch import line, service
from .world import World, run


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is told here does not depend on the database."""
    return f"sqlite:///{tmp_path}/undo.db"


class Server(Stone):
    """A server that takes some looks to go away."""

    code = "server"
    monitor_interval = 30.0
    retry_jitter = 0.0
    things: ClassVar[dict[str, int]] = {}
    """By key: how many looks it is there yet after its undo was begun."""
    calls: ClassVar[list[tuple[str, str]]] = []
    faults: ClassVar[dict[str, list[Exception]]] = {}

    def note(self, hook: str, task: TaskInfo) -> None:
        self.calls.append((hook, task.namespace))
        if self.faults.get(hook):
            raise self.faults[hook].pop(0)

    def start(self, task: TaskInfo) -> None:
        self.note("start", task)
        self.things[task.idempotency_key] = 3
        task.add_output("id", task.namespace)

    def undo(self, task: TaskInfo) -> None:
        self.note("undo", task)
        if task.start_key not in self.things:
            raise NotFound

    def look(self, task: TaskInfo) -> bool:
        self.note("look", task)
        assert task.outputs == {"id": task.namespace}
        left = self.things[task.start_key] = self.things[task.start_key] - 1
        if left:
            return False
        del self.things[task.start_key]
        raise NotFound

    rollback = cancel = delete = undo
    rollback_monitor = cancel_monitor = delete_monitor = look


def server(**members: Any) -> type[Server]:
    own: dict[str, Any] = {"things": {}, "calls": [], "faults": {}, "__doc__": Server.__doc__}
    made: Any = type("Servers", (Server,), {**own, **members})
    found: type[Server] = made
    return found


def two(engine: Engine, stone: type[Server], **options: Any) -> Any:
    engine.register(stone)
    engine.deploy(line("shop", service("a", "server"), service("b", "server")))
    return run(engine, "shop", **options)


def test_an_undo_is_looked_at_until_it_is_done_and_then_the_next_begins(engine: Engine, clock: VirtualClock) -> None:
    stone = server()
    number = two(engine, stone).process_instance_id
    stone.calls.clear()
    found = engine.delete(number)
    assert (found.status, stone.calls) == ("delete.begin", [("undo", "b"), ("look", "b")])
    (task,) = engine.tasks(str(found.delete_process_instance_id))
    assert task.status == "delete.begin"
    begun = clock.now()
    assert engine.wait(number, 1000).status == "delete.success"
    assert stone.calls == [("undo", "b"), *[("look", "b")] * 3, ("undo", "a"), *[("look", "a")] * 3]
    assert (stone.things, clock.now() - begun) == ({}, 120_000)


@pytest.mark.parametrize("way", ["cancel", "rollback"])
def test_every_kind_of_undo_has_its_monitor(engine: Engine, world: World, way: str) -> None:
    stone = server()
    engine.register(stone)
    world.wrong("start", "b", RuntimeError("no"))
    last = '<userTask id="b"/>' if way == "cancel" else service("b", "make")
    engine.deploy(line("shop", service("a", "server"), last))
    number = engine.start(key="shop", name="x").process_instance_id
    if way == "cancel":
        engine.cancel(number)
    assert (engine.wait(number, 1000).status, stone.things) == (f"{way}.success", {})
    assert stone.calls == [("start", "a"), ("undo", "a"), *[("look", "a")] * 3]


def test_it_goes_on_after_a_restart(url: str, clock: VirtualClock) -> None:
    stone = server()
    with Engine(url, stones=[stone], clock=clock) as engine:
        number = two(engine, stone).process_instance_id
        engine.delete(number)
    clock.advance(30_000)
    with Engine(url, stones=[stone], clock=clock) as engine:
        engine.run_pending()
        assert engine.wait(number, 1000).status == "delete.success"
    assert stone.calls[2:] == [("undo", "b"), *[("look", "b")] * 3, ("undo", "a"), *[("look", "a")] * 3]


def test_a_look_at_an_undo_that_fails_is_a_failed_look(engine: Engine) -> None:
    stone = server(faults={"look": [RuntimeError("503")] * 3 + [Later(60)]})
    number = two(engine, stone).process_instance_id
    engine.delete(number)
    assert (engine.wait(number, 1000).status, stone.things) == ("delete.success", {})
    assert [name for hook, name in stone.calls if hook == "undo"] == ["b", "a"]


def test_an_undo_whose_looks_all_fail_has_failed_and_is_tried_again_by_name(engine: Engine) -> None:
    stone = server(faults={"look": [RuntimeError("503")] * 4})
    number = two(engine, stone).process_instance_id
    engine.delete(number)
    found = engine.wait(number, 1000)
    assert (found.status, len(stone.things)) == ("delete.failed", 2)
    engine.retry(number)
    assert (engine.wait(number, 1000).status, stone.things) == ("delete.success", {})


def test_an_undo_that_takes_too_long_has_failed(engine: Engine) -> None:
    stone = server(timeouts={"delete_monitor": 45.0})
    number = two(engine, stone).process_instance_id
    engine.delete(number)
    found = engine.wait(number, 1000)
    assert found.status == "delete.failed"
    undo = engine.tasks(str(found.delete_process_instance_id))
    assert "longer than its timeout" in (undo[0].reason or "")


def test_a_late_retry_begins_only_when_the_attempt_before_is_gone(engine: Engine) -> None:
    def half(self: Server, task: TaskInfo) -> None:
        Server.start(self, task)
        if len([hook for hook, _ in self.calls if hook == "start"]) == 1:
            raise RuntimeError("broke")

    stone = server(start=half, retries=1)
    engine.register(stone)
    engine.deploy(line("shop", service("a", "server")))
    found = engine.wait(engine.start(key="shop", name="x").process_instance_id, 1000)
    assert found.status == "success"
    assert [hook for hook, _ in stone.calls] == ["start", "undo", "look", "look", "look", "start"]
    assert len(stone.things) == 1


def test_a_skipped_task_waits_until_what_it_made_is_gone(engine: Engine) -> None:
    def half(self: Server, task: TaskInfo) -> None:
        Server.start(self, task)
        raise RuntimeError("broke")

    stone = server(start=half)
    engine.register(stone)
    engine.deploy(line("shop", service("a", "server")))
    number = engine.start(key="shop", name="x", on_failure="pause").process_instance_id
    engine.skip(engine.tasks(number)[0].task_id)
    assert (engine.wait(number, 1000).status, stone.things) == ("success", {})


def test_what_does_not_show_yet_is_not_taken_for_gone(engine: Engine, world: World, clock: VirtualClock) -> None:
    shown_from: list[int] = []

    class Shy(Stone):
        """One that shows only some time after it was made."""

        code = "shy-cloud"
        settle = 30.0

        def start(self, task: TaskInfo) -> None:
            world.things[task.idempotency_key] = task.namespace
            shown_from.append(clock.now() + 20_000)

        def rollback(self, task: TaskInfo) -> None:
            world.calls.append(("rollback", task.namespace))
            if clock.now() < shown_from[0] or task.start_key not in world.things:
                raise NotFound
            del world.things[task.start_key]

    engine.register(Shy)
    world.wrong("start", "b", RuntimeError("no"))
    engine.deploy(line("shop", service("a", "shy-cloud"), service("b", "make")))
    found = run(engine, "shop")
    assert (found.status, world.exists) == ("rollback.success", [])
    assert [each for each in world.calls if each[1] == "a"] == [("rollback", "a")] * 2


def test_what_is_gone_long_after_its_start_is_gone_at_once(engine: Engine, clock: VirtualClock) -> None:
    stone = server(settle=30.0)
    number = two(engine, stone).process_instance_id
    clock.advance(60_000)
    stone.things.clear()
    assert engine.delete(number).status == "delete.success"
    assert [hook for hook, _ in stone.calls[2:]] == ["undo", "undo"]
