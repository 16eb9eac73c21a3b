"""A failed task that is run again with other parameters begins under a new key; its old attempt is not forgotten."""

from __future__ import annotations

import pytest

from riverstone.engine import Conflict, Engine, Later, TaskInfo, VirtualClock

from .sketch import line, service
from .world import World, run, undone


def failed(engine: Engine, world: World, stone: str) -> tuple[str, str]:
    """A process whose task b has failed without a word of what it has made, and that task."""
    world.wrong("start", "b", RuntimeError("the cloud did not answer"))
    engine.deploy(line("two", service("a", "make"), service("b", stone, {"size": "${size}"})))
    number = run(engine, "two", {"size": 5}, on_failure="pause").process_instance_id
    (failure,) = engine.failures(number)
    assert failure.task_id is not None
    return number, failure.task_id


def test_an_attempt_is_rolled_back_with_its_own_parameters_before_others_are_tried(
    engine: Engine, world: World
) -> None:
    number, task_id = failed(engine, world, "make")
    assert engine.rerun(task_id, {"size": 3}).task_id == task_id
    assert engine.wait(number, 60).status == "success"
    first, back, second = [task for task in world.seen if task.namespace == "b"]
    assert [(task.event, task.parameters) for task in (first, back, second)] == [
        ("start", {"size": 5}),
        ("rollback", {"size": 5}),
        ("start", {"size": 3}),
    ]
    assert back.start_key == first.idempotency_key != second.idempotency_key
    assert engine.task(task_id).parameters == {"size": 3}


def test_the_same_parameters_and_none_keep_the_key(engine: Engine, world: World) -> None:
    number, task_id = failed(engine, world, "make")
    world.wrong("start", "b", RuntimeError("again"))
    engine.rerun(task_id, {"size": 5})
    engine.rerun(task_id)
    assert engine.wait(number, 60).status == "success"
    seen = [task for task in world.seen if task.namespace == "b"]
    assert [task.event for task in seen] == ["start", "start", "start"]
    assert len({task.idempotency_key for task in seen}) == 1


def test_a_rollback_that_fails_is_tried_again_with_the_old_parameters(engine: Engine, world: World) -> None:
    number, task_id = failed(engine, world, "make")
    world.wrong("rollback", "b", RuntimeError("not now"))
    engine.rerun(task_id, {"size": 3})
    (failure,) = engine.failures(number)
    assert "could not be undone: RuntimeError: not now" in failure.reason
    engine.rerun(task_id, {"size": 2})
    assert engine.wait(number, 60).status == "success"
    seen = [(task.event, task.parameters["size"]) for task in world.seen if task.namespace == "b"]
    assert seen == [("start", 5), ("rollback", 5), ("rollback", 5), ("start", 2)]


def test_without_a_rollback_the_old_attempt_stays_as_a_row_of_its_own(engine: Engine, world: World) -> None:
    number, task_id = failed(engine, world, "shy")
    going_on = engine.rerun(task_id, {"size": 3})
    assert going_on.task_id != task_id
    assert f"runs task {task_id} again with other parameters" in going_on.log[0]
    assert engine.wait(number, 60).status == "success"
    old = engine.task(task_id)
    assert (old.status, old.parameters, old.undo) == ("start.failed", {"size": 5}, None)
    assert f"as task {going_on.task_id}" in old.log[-1]
    first, second = [task for task in world.seen if task.namespace == "b"]
    assert first.idempotency_key != second.idempotency_key

    engine.delete(number)
    assert engine.wait(number, 60).status == "delete.success"
    assert world.of("delete") == ["b", "b", "a"]
    deleted = [(task.parameters["size"], task.start_key) for task in world.seen[3:5]]
    assert deleted == [(3, second.idempotency_key), (5, first.idempotency_key)]
    assert {task.undo for task in engine.tasks(number)} == {"undone"}


def test_what_cannot_be_taken_back_at_all_is_listed_twice(engine: Engine, world: World) -> None:
    number, task_id = failed(engine, world, "mail")
    world.wrong("start", "b", RuntimeError("again"))
    other = engine.rerun(task_id, {"size": 3}).task_id
    (failure,) = engine.failures(number)
    assert failure.task_id == other
    engine.roll_back(number)
    ended = engine.wait(number, 60)
    assert (ended.status, undone(engine.tasks(number))["a"]) == ("rollback.success", "undone")
    assert {task.task_id: task.undo for task in engine.tasks(number) if task.namespace == "b"} == {
        task_id: "retained",
        other: "retained",
    }


def test_a_restart_between_the_rollback_and_the_next_attempt_loses_nothing(
    url: str, world: World, clock: VirtualClock
) -> None:
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        number, task_id = failed(engine, world, "make")
        world.wrong("rollback", "b", Later(60, "throttled"))
        engine.rerun(task_id, {"size": 3})
        assert engine.task(task_id).parameters == {"size": 5}
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        assert engine.wait(number, 99).status == "success"
    seen = [(task.event, task.parameters["size"]) for task in world.seen if task.namespace == "b"]
    assert seen == [("start", 5), ("rollback", 5), ("rollback", 5), ("start", 3)]


def test_it_is_refused_where_nobody_knows_the_stone(url: str, world: World, clock: VirtualClock) -> None:
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        number, task_id = failed(engine, world, "make")
    with Engine(url, clock=clock) as engine:
        with pytest.raises(Conflict, match="register it") as refused:
            engine.rerun(task_id, {"size": 3})
        assert (refused.value.code, engine.get(number).attention) == ("stone-missing", 1)


def test_it_is_refused_while_a_hook_that_nothing_takes_back_may_still_run(
    url: str, world: World, clock: VirtualClock
) -> None:
    """Of two engines: one carries the hook out, the other is asked."""
    stones = world.stones()
    stones[2].timeouts = {"start": 5.0}
    with Engine(url, stones=stones, clock=clock) as one, Engine(url, stones=stones, clock=clock, passive=True) as other:
        asked: list[str] = []

        def hangs(task: TaskInfo) -> None:
            clock.advance(6)
            one.run_pending()
            (failure,) = other.failures(task.process_instance_id)
            with pytest.raises(Conflict, match="may still run"):
                other.rerun(str(failure.task_id), {"size": 3})
            asked.append(str(failure.task_id))

        world.wrong("start", "b", hangs)
        one.deploy(line("one", service("b", "mail", {"size": "${size}"})))
        number = one.start(key="one", name="test", variables={"size": 5}, on_failure="pause").process_instance_id
        one.wait(number, 60)
        assert world.of("start") == ["b"]
        assert other.rerun(asked[0], {"size": 3}).task_id != asked[0]
