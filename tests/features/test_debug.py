"""A trial run that fails stands still, for whoever wants to look, try again, or give up."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Conflict, Engine, Invalid, UnknownTask, VirtualClock

from .sketch import definitions, flow, line, process, service
from .world import Make, World, makes_then_fails, statuses, undone


def trial(engine: Engine, source: bytes, variables: dict[str, Any] | None = None) -> Any:
    """A run of the model as it now stands, in debug mode."""
    model = engine.save_model(source)
    started = engine.start(model_id=model.model_id, name="trial", variables=variables)
    return engine.wait(started.process_instance_id, 3600)


def ids(engine: Engine, process_instance_id: str) -> dict[str, str]:
    return {task.namespace: task.task_id for task in engine.tasks(process_instance_id)}


THREE = line("three", service("a", "make"), service("b", "make", {"size": "${size}"}), service("c", "make"))


def test_a_failed_trial_run_pauses_before_its_rollback(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("too big"))
    paused = trial(engine, THREE, {"size": 5})
    assert (paused.status, paused.paused, paused.debug, paused.end_time) == ("debug", True, True, None)
    assert "too big" in paused.reason
    assert paused.rollback_process_instance_id is None
    assert world.exists == ["a"]


def test_a_trial_run_that_succeeds_is_like_any_other(engine: Engine, world: World) -> None:
    ended = trial(engine, THREE, {"size": 5})
    assert (ended.status, ended.model_key, world.exists) == ("success", None, ["a", "b", "c"])


def test_the_failed_task_is_run_again_with_edited_parameters(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("too big"))
    paused = trial(engine, THREE, {"size": 5})
    started = paused.process_instance_id
    engine.rerun(ids(engine, started)["b"], {"size": 3})
    ended = engine.wait(started, 60)
    assert (ended.status, ended.reason, world.exists) == ("success", None, ["a", "b", "c"])
    task = engine.task(ids(engine, started)["b"])
    assert (task.attempt, task.parameters, task.reason) == (2, {"size": 3}, None)


def test_what_the_failed_attempt_left_behind_is_taken_back_before_the_task_runs_again(
    engine: Engine, world: World
) -> None:
    world.wrong("start", "b", makes_then_fails)
    started = trial(engine, THREE, {"size": 5}).process_instance_id
    engine.rerun(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "success"
    assert world.calls == [("start", "a"), ("start", "b"), ("rollback", "b"), ("start", "b"), ("start", "c")]


def test_a_task_may_be_run_again_and_again(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("one"), RuntimeError("two"))
    started = trial(engine, THREE, {"size": 5}).process_instance_id
    engine.rerun(ids(engine, started)["b"])
    assert engine.wait(started, 60).paused
    engine.rerun(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "success"


def test_a_parameter_that_was_missing_can_be_given(engine: Engine, world: World) -> None:
    paused = trial(engine, THREE)
    task = engine.task(ids(engine, paused.process_instance_id)["b"])
    assert (paused.paused, task.status) == (True, "produce.failed")
    assert "size" in (task.reason or "")
    with pytest.raises(Exception, match="size"):
        engine.rerun(task.task_id)
    assert engine.get(paused.process_instance_id).paused
    engine.rerun(task.task_id, {"size": 3})
    assert engine.wait(paused.process_instance_id, 60).status == "success"
    assert engine.task(task.task_id).parameters == {"size": 3}


def test_parameters_that_do_not_fit_the_stone_are_refused(engine: Engine, world: World) -> None:
    class Sized(Make):
        code = "sized"
        parameters = {"size": fields.Date(required=True)}

    Sized.world = world
    engine.register(Sized)
    world.wrong("start", "s", RuntimeError("broke"))
    started = trial(engine, line("sized", service("s", "sized")), {"size": "2027-01-01"}).process_instance_id
    with pytest.raises(Invalid) as refused:
        engine.rerun(ids(engine, started)["s"], {"size": "never"})
    assert list(refused.value.errors) == ["size"]
    assert engine.task(ids(engine, started)["s"]).status == "start.failed"
    engine.rerun(ids(engine, started)["s"], {"size": "2027-02-02"})
    assert engine.wait(started, 60).status == "success"


def test_resuming_leaves_the_debug_mode_and_rolls_back(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("broke"))
    started = trial(engine, THREE, {"size": 5}).process_instance_id
    engine.resume(ids(engine, started)["b"])
    ended = engine.wait(started, 60)
    assert (ended.status, ended.paused, ended.debug) == ("rollback.success", False, False)
    assert ended.end_time is not None
    assert (world.of("rollback"), world.exists) == (["b", "a"], [])


def test_a_paused_run_can_be_cancelled(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("broke"))
    started = trial(engine, THREE, {"size": 5}).process_instance_id
    engine.cancel(started)
    ended = engine.wait(started, 60)
    assert (ended.status, world.of("cancel"), world.exists) == ("cancel.success", ["b", "a"], [])


def test_only_a_failed_task_of_a_paused_run_is_run_again(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("broke"))
    started = trial(engine, THREE, {"size": 5}).process_instance_id
    with pytest.raises(Conflict):
        engine.rerun(ids(engine, started)["a"])
    with pytest.raises(UnknownTask):
        engine.rerun("424242")
    engine.rerun(ids(engine, started)["b"])
    for ask in (engine.rerun, engine.resume):
        with pytest.raises(Conflict):
            ask(ids(engine, started)["b"])


def test_siblings_run_to_their_end_before_a_trial_run_pauses(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("broke"))
    source = definitions(
        process(
            "both",
            '<startEvent id="begin"/><parallelGateway id="fork"/><parallelGateway id="join"/><endEvent id="done"/>',
            service("b", "make"),
            service("w", "watch"),
            service("z", "make"),
            *(flow("begin", "fork"), flow("fork", "b"), flow("fork", "w"), flow("b", "join"), flow("w", "join")),
            *(flow("join", "z"), flow("z", "done")),
        )
    )
    paused = trial(engine, source)
    started = paused.process_instance_id
    assert (paused.paused, statuses(engine.tasks(started))) == (
        True,
        {"b": "start.failed", "w": "monitor.success"},
    )
    engine.rerun(ids(engine, started)["b"])
    assert (engine.wait(started, 60).status, world.exists) == ("success", ["b", "w", "z"])


def test_all_that_failed_has_to_be_run_again_before_the_process_goes_on(engine: Engine, world: World) -> None:
    world.wrong("start", "b", makes_then_fails)
    world.wrong("start", "c", RuntimeError("broke"))
    source = definitions(
        process(
            "both",
            '<startEvent id="begin"/><parallelGateway id="fork"/><parallelGateway id="join"/><endEvent id="done"/>',
            *(service(node, "make") for node in ("b", "c", "z")),
            *(flow("begin", "fork"), flow("fork", "b"), flow("fork", "c"), flow("b", "join"), flow("c", "join")),
            *(flow("join", "z"), flow("z", "done")),
        )
    )
    started = trial(engine, source).process_instance_id
    engine.rerun(ids(engine, started)["b"])
    assert engine.get(started).paused
    assert statuses(engine.tasks(started)) == {"b": "start.success", "c": "start.failed"}
    engine.rerun(ids(engine, started)["c"])
    assert engine.wait(started, 60).status == "success"
    assert world.exists == ["b", "c", "z"]


def test_a_person_who_is_still_asked_does_not_hold_up_a_resumed_rollback(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("broke"))
    source = definitions(
        process(
            "asking",
            '<startEvent id="begin"/><parallelGateway id="fork"/><endEvent id="x"/><endEvent id="y"/>',
            service("b", "make"),
            '<userTask id="u"/>',
            *(flow("begin", "fork"), flow("fork", "b"), flow("fork", "u"), flow("b", "x"), flow("u", "y")),
        )
    )
    paused = trial(engine, source)
    started = paused.process_instance_id
    assert paused.paused
    engine.resume(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "rollback.success"
    assert statuses(engine.tasks(started))["u"] == "canceled"


def test_a_paused_run_survives_a_restart(url: str, world: World, clock: VirtualClock) -> None:
    world.wrong("start", "b", RuntimeError("broke"))
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        started = trial(engine, THREE, {"size": 5}).process_instance_id
    with Engine(url, stones=world.stones(), clock=clock) as engine:
        assert engine.get(started).paused
        engine.rerun(ids(engine, started)["b"])
        assert engine.wait(started, 60).status == "success"
        assert undone(engine.tasks(started)) == {"a": None, "b": None, "c": None}


def test_a_timer_that_came_due_while_a_run_was_paused_acts_when_it_goes_on(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    world.wrong("start", "b", RuntimeError("broke"))
    timer = (
        '<intermediateCatchEvent id="later"><timerEventDefinition><timeDuration>PT1M</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    source = definitions(
        process(
            "timed",
            '<startEvent id="begin"/><parallelGateway id="fork"/><endEvent id="x"/><endEvent id="y"/>',
            service("b", "make"),
            timer,
            service("z", "make"),
            *(flow("begin", "fork"), flow("fork", "b"), flow("fork", "later"), flow("b", "x")),
            *(flow("later", "z"), flow("z", "y")),
        )
    )
    started = trial(engine, source).process_instance_id
    clock.advance(600)
    engine.run_pending()
    engine.run_pending()
    assert engine.get(started).paused
    assert "z" not in world.of("start")
    engine.rerun(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "success"
    assert "z" in world.of("start")
