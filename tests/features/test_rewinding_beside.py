"""Going back while others are at work: hooks that do not stop, events that came in between, and a new version."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, TaskInfo, VirtualClock

from .elements import boundary, flows, message, on_event, ordered, sub, timer
from .sketch import definitions, line, process, service
from .world import World, make, undone


@pytest.fixture
def url(tmp_path: Any) -> str:
    """What is told here does not depend on the database."""
    return f"sqlite:///{tmp_path}/river.db"


def drawn(key: str, body: str, *lines: str, before: str = "") -> bytes:
    return definitions(before, process(key, ordered(body + flows(*lines))))


def ids(engine: Engine, number: str) -> dict[str, str]:
    """The last task of each namespace."""
    return {task.namespace: task.task_id for task in engine.tasks(number)}


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


BODY = '<startEvent id="s"/>' + service("pre", "make") + '<userTask id="ask"/><endEvent id="e"/>'


def test_a_hook_that_does_not_stop_is_undone_past_its_grace_and_what_it_made_late_is_listed(
    url: str, world: World
) -> None:
    go = threading.Event()

    def deaf(task: TaskInfo) -> None:
        go.wait(60)

    world.wrong("start", "b", deaf)
    hasty = [type(stone.__name__, (stone,), {"grace": 0.3}) for stone in world.stones()]
    with Engine(url, stones=hasty, dispatcher="threads", threads=4) as engine:
        engine.deploy(line("slow", service("a", "make"), service("b", "make"), '<userTask id="ask"/>'))
        number = engine.start(key="slow", name="x").process_instance_id
        until(lambda: "b" in world.of("start"))
        first = ids(engine, number)
        engine.rewind(number, first["a"])
        # It goes on past the grace, while the hook of before still runs.
        until(lambda: world.of("start").count("b") == 2 and "ask" in ids(engine, number))
        assert world.of("rollback") == ["b", "a"]
        go.set()
        until(lambda: {task.task_id: task.undo for task in engine.tasks(number)}[first["b"]] == "left")
        assert world.exists == ["a", "b", "b"]
        left = engine.resources(process_instance_id=number, state="left").items
        assert [each.task_id for each in left] == [first["b"]]
        engine.complete(ids(engine, number)["ask"])
        assert engine.wait(number, 30).status == "success"
        engine.delete(number)
        assert engine.wait(number, 30).status == "delete.success"
    assert world.exists == []


def test_an_interruption_is_undone_with_the_scope_that_it_left(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    inner = sub("sub", '<startEvent id="i"/>' + service("x", "make") + '<userTask id="read"/>', "i -> x -> read")
    body = BODY + inner + boundary("late", "sub", timer("PT1H")) + service("then", "make")
    engine.deploy(drawn("cut", body, "s -> pre -> sub", "late -> then -> ask -> e"))
    number = engine.start(key="cut", name="x").process_instance_id
    clock.advance(3601)
    engine.run_pending()
    assert world.exists == ["pre", "then", "x"]
    first = ids(engine, number)
    with pytest.raises(Conflict, match="interrupted"):
        engine.rewind(number, first["x"])
    engine.rewind(number, first["pre"])
    engine.run_pending()
    assert world.of("rollback") == ["then", "x", "pre"]
    assert world.exists == ["pre", "x"]
    assert [task.namespace for task in engine.tasks(number) if task.status == "running"] == ["read"]
    # Its timer is set anew.
    clock.advance(3599)
    engine.run_pending()
    assert "then" not in world.exists
    clock.advance(2)
    engine.run_pending()
    assert world.exists == ["pre", "then", "x"]
    engine.complete(ids(engine, number)["ask"])
    assert engine.wait(number, 9).status == "success"


def test_what_an_event_sub_process_did_is_gone_back_into(engine: Engine, world: World) -> None:
    handler = on_event(
        "h",
        message("m"),
        service("x", "make") + service("y", "make") + '<endEvent id="he"/>',
        "sh -> x -> y -> he",
        interrupting=False,
    )
    body = BODY + handler
    engine.deploy(drawn("told", body, "s -> pre -> ask -> e", before='<message id="m" name="paid"/>'))
    number = engine.start(key="told", name="x").process_instance_id
    engine.message("paid", process_instance_id=number)
    engine.run_pending()
    assert world.exists == ["pre", "x", "y"]
    engine.rewind(number, ids(engine, number)["x"])
    engine.run_pending()
    assert (world.of("rollback"), world.of("start")) == (["y", "x"], ["pre", "x", "y", "x", "y"])
    engine.complete(ids(engine, number)["ask"])
    assert engine.wait(number, 9).status == "success"
    engine.delete(number)
    engine.wait(number, 9)
    assert world.exists == []


def test_a_process_of_a_version_that_noted_no_way_is_refused_by_name(url: str, world: World) -> None:
    with Engine(url, stones=world.stones()) as engine:
        engine.deploy(line("old", service("a", "make"), '<userTask id="ask"/>'))
        number = engine.start(key="old", name="x").process_instance_id
        task = ids(engine, number)["a"]
    with sqlite3.connect(url.removeprefix("sqlite:///")) as store:
        # So migration 0018 has left those that had begun before.
        store.execute("UPDATE process_instance SET retraced = -1")
    store.close()
    with Engine(url, stones=world.stones()) as engine:
        for call in (engine.rewind, engine.preview_rewind):
            with pytest.raises(Conflict, match=f"Process {number}: It began in a version that did not note"):
                call(number, task)
        engine.complete(ids(engine, number)["ask"])
        assert (engine.wait(number, 9).status, world.exists) == ("success", ["a"])


def test_hooks_that_run_come_to_their_end_before_a_process_is_moved(url: str, world: World) -> None:
    go = threading.Event()

    def waits(task: TaskInfo) -> None:
        go.wait(60)
        make(world, task)

    world.wrong("start", "a", waits)
    with Engine(url, stones=world.stones(), dispatcher="threads") as engine:
        old = engine.deploy(line("moved", service("a", "make"), service("b", "make"), '<userTask id="ask"/>'))
        number = engine.start(key="moved", name="x").process_instance_id
        until(lambda: world.of("start") == ["a"])
        stones = service("a", "make"), service("b", "make"), service("c", "make")
        new = engine.deploy(line("moved", *stones, '<userTask id="ask"/>'))
        with pytest.raises(Conflict, match="come to their end first") as refused:
            engine.migrate(number, new.deployment_id, timeout=0.2)
        assert refused.value.code == "hooks-run"
        assert engine.plan_migration(number, new.deployment_id).running == (ids(engine, number)["a"],)
        assert (engine.get(number).deployment_id, engine.get(number).suspended) == (old.deployment_id, None)
        threading.Timer(0.5, go.set).start()
        engine.suspend(number)
        engine.migrate(number, new.deployment_id, timeout=30)
        engine.unsuspend(number)
        until(lambda: "ask" in ids(engine, number))
        assert (engine.get(number).deployment_id, world.exists) == (new.deployment_id, ["a", "b", "c"])


def test_a_version_in_which_nothing_stands_beside_is_moved_to_before_it_is_gone_back(
    engine: Engine, world: World
) -> None:
    """A corrected model: first the process is moved, all or nothing, and then it goes back as that says."""
    engine.deploy(line("fixed", service("a", "make", {"size": "1"}), service("b", "make"), '<userTask id="ask"/>'))
    number = engine.start(key="fixed", name="x").process_instance_id
    engine.run_pending()
    new = engine.deploy(
        line("fixed", service("a", "make", {"size": "2"}), service("c", "make"), '<userTask id="ask"/>')
    )
    engine.migrate(number, new.deployment_id)
    engine.rewind(number, ids(engine, number)["a"])
    engine.run_pending()
    assert (world.of("rollback"), world.exists) == (["b", "a"], ["a", "c"])
    assert next(task.parameters for task in reversed(world.seen) if task.namespace == "a") == {"size": "2"}
    engine.complete(ids(engine, number)["ask"])
    assert engine.wait(number, 9).status == "success"
    assert set(undone(engine.tasks(number)).values()) == {None, "undone"}
