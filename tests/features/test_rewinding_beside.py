"""Going back while others are at work: hooks that do not stop, events that came in between, and a new version."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, TaskInfo, UnknownDeployment, VirtualClock

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


def test_a_hook_that_does_not_stop_is_undone_past_its_grace_and_what_it_made_late_too(url: str, world: World) -> None:
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
        until(lambda: world.exists == ["a", "b"] and world.of("rollback") == ["b", "a", "b"])
        engine.complete(ids(engine, number)["ask"])
        assert engine.wait(number, 30).status == "success"
        engine.delete(number)
        assert engine.wait(number, 30).status == "delete.success"
    assert world.exists == []


def test_a_rollback_that_runs_is_waited_for_and_asked_for_once_more(url: str, world: World) -> None:
    """It was asked to stop, so nobody knows how far it has come; the rewind's own begins when it has come back."""
    go, ended = threading.Event(), list[int]()

    def slow(task: TaskInfo) -> None:
        go.wait(60)
        ended.append(world.of("rollback").count("b"))

    world.wrong("start", "b", RuntimeError("no"))
    world.wrong("rollback", "b", slow)
    with Engine(url, stones=world.stones(), dispatcher="threads", threads=4) as engine:
        engine.deploy(line("skipped", service("a", "make"), service("b", "make")))
        number = engine.start(key="skipped", name="x", on_failure="pause").process_instance_id
        until(lambda: engine.get(number).attention == 1)
        first = ids(engine, number)
        engine.skip(first["b"])
        until(lambda: world.of("rollback") == ["b"])
        engine.rewind(number, first["a"])
        go.set()
        until(lambda: engine.get(number).status == "success")
    assert ended == [1]
    assert (world.of("rollback"), world.exists) == (["b", "b", "a"], ["a", "b"])


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
    assert engine.wait(number, 60).status == "success"


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
    assert engine.wait(number, 60).status == "success"
    engine.delete(number)
    engine.wait(number, 60)
    assert world.exists == []


def test_a_process_of_a_version_that_noted_no_way_is_refused_by_name(url: str, world: World) -> None:
    with Engine(url, stones=world.stones()) as engine:
        engine.deploy(line("old", service("a", "make"), '<userTask id="ask"/>'))
        number = engine.start(key="old", name="x").process_instance_id
        task = ids(engine, number)["a"]
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as store, store:
        # So migration 0018 has left those that had begun before.
        store.execute("UPDATE process_instance SET retraced = -1")
    store.close()
    with Engine(url, stones=world.stones()) as engine:
        for call in (engine.rewind, engine.preview_rewind):
            with pytest.raises(Conflict, match=f"Process {number}: It began in a version that did not note"):
                call(number, task)
        engine.complete(ids(engine, number)["ask"])
        assert (engine.wait(number, 60).status, world.exists) == ("success", ["a"])


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


def beside(*stones: str) -> bytes:
    """Stones one after the other, and a person at the end; another person beside."""
    body = '<startEvent id="s"/><parallelGateway id="f"/><userTask id="other"/><userTask id="ask"/><endEvent id="e"/>'
    tasks = "".join(service(name, "make", {"size": str(len(stones))}) for name in stones)
    return drawn("fixed", body + tasks, "s -> f -> other -> e", " -> ".join(("f", *stones, "ask", "e")))


def test_a_task_begins_again_on_another_version(engine: Engine, world: World) -> None:
    """What is undone is there no more; what waits beside is moved."""
    engine.deploy(beside("a", "b"))
    number = engine.start(key="fixed", name="x").process_instance_id
    engine.run_pending()
    new = engine.deploy(beside("a", "c", "d"))
    asked = ids(engine, number)
    before = engine.get(number), engine.tasks(number), engine.tokens(number)
    plan = engine.preview_rewind(number, asked["a"], deployment_id=new.deployment_id)
    assert (engine.get(number), engine.tasks(number), engine.tokens(number)) == before
    assert ([step.name for step in plan.steps], plan.people) == (["b", "a"], (asked["ask"],))
    assert plan.migration is not None
    assert (plan.migration.moves, plan.migration.findings) == ({"a": "a", "fixed": "fixed", "other": "other"}, {})
    assert engine.preview_rewind(number, asked["a"]).migration is None
    engine.rewind(number, asked["a"], deployment_id=new.deployment_id)
    engine.run_pending()
    assert (world.of("rollback"), world.exists) == (["b", "a"], ["a", "c", "d"])
    assert next(task.parameters for task in world.seen[::-1] if task.namespace == "d") == {"size": "3"}
    assert engine.get(number).deployment_id == new.deployment_id
    assert ids(engine, number)["other"] == asked["other"]
    for name in ("other", "ask"):
        engine.complete(ids(engine, number)[name])
    assert engine.wait(number, 60).status == "success"
    assert set(undone(engine.tasks(number)).values()) <= {None, "undone", "never-begun"}
    engine.delete(number)
    assert (engine.wait(number, 60).status, world.exists) == ("delete.success", [])


def test_another_version_that_does_not_fit_changes_nothing(engine: Engine, world: World) -> None:
    engine.deploy(beside("a", "b"))
    number = engine.start(key="fixed", name="x").process_instance_id
    engine.run_pending()
    task = ids(engine, number)["a"]
    before = engine.get(number), engine.tasks(number)
    gone = engine.deploy(beside("a", "b").replace(b'"other"', b'"another"'))
    lacking = engine.deploy(beside("b"))
    for version, text in ((gone, "stands on 'other'"), (lacking, "stands on 'a'")):
        with pytest.raises(Invalid, match=text) as refused:
            engine.rewind(number, task, deployment_id=version.deployment_id)
        assert refused.value.code == "migration-invalid"
    with pytest.raises(Invalid, match="needs a deployment_id"):
        engine.rewind(number, task, mapping={"a": "b"})
    with pytest.raises(UnknownDeployment):
        engine.rewind(number, task, deployment_id="nothing")
    assert ((engine.get(number), engine.tasks(number)), world.of("rollback")) == (before, [])
    engine.rewind(number, task, deployment_id=gone.deployment_id, mapping={"other": "another"})
    engine.run_pending()
    assert (world.of("rollback"), world.exists) == (["b", "a"], ["a", "b"])
    assert engine.get(number).deployment_id == gone.deployment_id


def test_no_hook_is_asked_to_stop_where_another_version_does_not_fit(url: str, world: World) -> None:
    go, asked = threading.Event(), []

    def waits(task: TaskInfo) -> None:
        while not go.wait(0.02):
            asked.extend(["stop"] if task.cancel_requested else [])
        make(world, task)

    world.wrong("start", "b", waits)
    with Engine(url, stones=world.stones(), dispatcher="threads") as engine:
        engine.deploy(line("two", service("a", "make"), service("b", "make")))
        number = engine.start(key="two", name="x").process_instance_id
        until(lambda: "b" in world.of("start"))
        lacking = engine.deploy(line("two", service("b", "make")))
        with pytest.raises(Invalid, match="stands on 'a'"):
            engine.rewind(number, ids(engine, number)["a"], deployment_id=lacking.deployment_id)
        time.sleep(0.2)
        go.set()
        assert (engine.wait(number, 30).status, world.exists, asked) == ("success", ["a", "b"], [])
