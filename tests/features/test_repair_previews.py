"""What a retry, a skip or a work done by hand would do is told before, and nothing is changed by that."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from marshmallow import fields

from riverstone.engine import Conflict, Engine, Invalid, RepairPlan, RiverstoneError, UnknownTask

from .sketch import definitions, flow, line, process, runs, service
from .test_pausing import BESIDE, ids, paused
from .world import Mail, Make, World, makes_then_fails, run, statuses

GATEWAY = definitions(
    process(
        "way",
        '<startEvent id="s"/><exclusiveGateway id="g"/><endEvent id="e"/>',
        service("a", "make"),
        flow("s", "g"),
        '<sequenceFlow id="f1" sourceRef="g" targetRef="a"><conditionExpression>${much &gt; 5}</conditionExpression>'
        "</sequenceFlow>",
        '<sequenceFlow id="f2" sourceRef="g" targetRef="e"><conditionExpression>${much &lt; 5}</conditionExpression>'
        "</sequenceFlow>",
        flow("a", "e"),
    )
)


class Sized(Make):
    """Says what it takes and what it puts out."""

    code = "sized"
    parameters: ClassVar = {"size": fields.Integer(load_default=1)}
    outputs: ClassVar = {"id": "the thing's id"}


class Bare(Mail):
    """Can be told apart from what is mailed."""

    code = "bare"


@pytest.fixture(autouse=True)
def deployed(engine: Engine, world: World) -> None:
    for stone in (Sized, Bare):
        engine.register(type(stone.__name__, (stone,), {"world": world, "__doc__": stone.__doc__}))
    engine.deploy(line("three", service("a", "make"), service("b", "sized", {"size": "${size}"}), service("c", "make")))


def unchanged(engine: Engine, number: str) -> Any:
    return engine.get(number), engine.tasks(number), engine.history(number).items, engine.tokens(number)


def shown(engine: Engine, number: str, action: Any, name: str = "b", **given: Any) -> RepairPlan:
    """The preview, by which nothing is changed."""
    before = unchanged(engine, number)
    plan = engine.preview_repair(ids(engine, number)[name], action, **given)
    assert unchanged(engine, number) == before
    return plan


def test_a_retry_tells_with_which_parameters_it_begins(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    (step,) = shown(engine, started, "retry").steps
    assert (step.hook, step.attempt, step.parameters, step.beside, step.made) == ("start", 2, {"size": 5}, False, False)
    assert (step.outputs, step.missing, step.reason, step.stone) == ({}, (), None, "sized")
    engine.rerun(ids(engine, started)["b"])
    assert [task.parameters for task in engine.tasks(started) if task.attempt == 2] == [step.parameters]


def test_changed_parameters_tell_that_the_old_attempt_is_rolled_back_first(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    (step,) = shown(engine, started, "retry", parameters={"size": 3}).steps
    assert (step.hook, step.attempt, step.parameters) == ("rollback", 2, {"size": 3})
    calls = list(world.calls)
    engine.rerun(ids(engine, started)["b"], {"size": 3})
    engine.wait(started, 60)
    assert world.calls[len(calls) :][:2] == [("rollback", "b"), ("start", "b")]


def test_without_a_rollback_another_task_takes_its_place(engine: Engine, world: World) -> None:
    engine.deploy(line("bare", service("b", "bare", {"size": "${size}"})))
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine, "bare")
    (step,) = shown(engine, started, "retry", parameters={"size": 3}).steps
    assert (step.beside, step.hook, step.attempt, step.parameters) == (True, "start", 1, {"size": 3})


def test_a_skip_tells_what_is_rolled_back_what_is_missing_and_what_comes_next(engine: Engine, world: World) -> None:
    world.wrong("start", "b", makes_then_fails)
    started = paused(engine)
    plan = shown(engine, started, "skip")
    (step,) = plan.steps
    assert (step.hook, step.attempt, step.made, step.outputs, step.missing) == ("rollback", None, False, {}, ("id",))
    assert plan.next == ("c",)
    engine.skip(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "success"


def test_done_by_hand_tells_what_is_entered_as_made(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    plan = shown(engine, started, "done-by-hand", outputs={"id": "by-hand"})
    (step,) = plan.steps
    assert (step.hook, step.made, step.outputs, step.missing, plan.next) == (None, True, {"id": "by-hand"}, (), ("c",))
    (step,) = shown(engine, started, "done-by-hand").steps
    assert (step.outputs, step.missing) == ({}, ("id",))


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("done-by-hand", {"outputs": {"unheard": 1}}),
        ("retry", {"parameters": {"size": "large"}}),
    ],
)
def test_what_would_be_refused_is_refused_in_the_same_words(
    engine: Engine, world: World, action: Any, given: dict[str, Any]
) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    task = ids(engine, started)["b"]
    act = {"retry": engine.rerun, "done-by-hand": engine.done_by_hand}[action]
    with pytest.raises(RiverstoneError) as real:
        act(task, *given.values())
    with pytest.raises(RiverstoneError) as told:
        engine.preview_repair(task, action, **given)
    assert (str(told.value), told.value.code) == (str(real.value), real.value.code)


@pytest.mark.parametrize("action", ["retry", "skip", "done-by-hand"])
def test_what_does_not_stand_still_has_no_preview(engine: Engine, world: World, action: Any) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    with pytest.raises(Conflict, match="does not stand still"):
        engine.preview_repair(ids(engine, started)["a"], action)
    with pytest.raises(UnknownTask):
        engine.preview_repair("4711", action)
    engine.suspend(started)
    with pytest.raises(Conflict, match="suspended"):
        engine.preview_repair(ids(engine, started)["b"], action)


def test_values_of_another_action_are_refused(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    task = ids(engine, paused(engine))["b"]
    for action, given in (("skip", {"parameters": {"a": 1}}), ("retry", {"outputs": {"a": 1}}), ("undo", {})):
        with pytest.raises(Invalid) as told:
            engine.preview_repair(task, action, **given)  # type: ignore[arg-type]
        assert told.value.code == "repair-action"


def test_a_gateway_that_would_fail_again_is_told_of(engine: Engine) -> None:
    engine.deploy(GATEWAY)
    started = run(engine, "way", {"much": 5}, on_failure="pause").process_instance_id
    before = unchanged(engine, started)
    plan = engine.preview_element_repair(started, "retry", "g")
    assert unchanged(engine, started) == before
    (step,) = plan.steps
    assert (step.element_id, step.task_id, step.hook) == ("g", None, None)
    with pytest.raises(Conflict, match="cannot be skipped"):
        engine.preview_element_repair(started, "skip", "g")
    with pytest.raises(Invalid, match="name the task"):
        engine.preview_element_repair(started, "done-by-hand", "g")
    assert engine.get(started).attention == 1


def test_all_that_has_failed_is_told_of_together(engine: Engine, world: World) -> None:
    engine.deploy(BESIDE)
    world.wrong("start", "a", RuntimeError("down"))
    world.wrong("start", "b", RuntimeError("down"))
    started = run(engine, "beside", on_failure="pause").process_instance_id
    plan = engine.preview_element_repair(started, "retry")
    assert [(step.element_id, step.hook) for step in plan.steps] == [("a", "start"), ("b", "start")]


def test_a_stone_in_maintenance_lets_the_retry_wait(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    engine.suspend_stone("sized")
    (step,) = shown(engine, started, "retry").steps
    assert "suspended" in str(step.reason)


def test_no_run_beside_is_stopped_by_the_preview_of_a_skip(engine: Engine, world: World) -> None:
    """The completion condition would end the other runs with this one."""
    marker = runs("3").replace(
        "</multiInstanceLoopCharacteristics>",
        "<completionCondition>${nrOfCompletedInstances == 1}</completionCondition></multiInstanceLoopCharacteristics>",
    )
    engine.deploy(line("many", service("b", "make", inside=marker)))
    for name in ("b1", "b2", "b3"):
        world.wrong("start", name, RuntimeError("quota"))
    started = run(engine, "many", on_failure="pause").process_instance_id
    before = unchanged(engine, started)
    engine.preview_repair(ids(engine, started)["b1"], "skip")
    assert unchanged(engine, started) == before
    assert engine.get(started).attention == 3
    assert set(statuses(engine.tasks(started)).values()) == {"start.failed"}
