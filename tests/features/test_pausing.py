"""A failure is a question: only what has failed stands still, until somebody says how it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, UnknownTask, VirtualClock

from .sketch import definitions, flow, line, process, runs, service
from .test_undo_handlers import on
from .world import Make, World, makes_then_fails, run, statuses, undone


def drawn(key: str, *parts: str) -> bytes:
    return definitions(process(key, *parts))


def ids(engine: Engine, process_instance_id: str) -> dict[str, str]:
    return {task.namespace: task.task_id for task in engine.tasks(process_instance_id)}


THREE = line("three", service("a", "make"), service("b", "make", {"size": "${size}"}), service("c", "make"))


@pytest.fixture(autouse=True)
def deployed(engine: Engine) -> None:
    engine.deploy(THREE)


def paused(engine: Engine, key: str = "three", variables: dict[str, Any] | None = None, **options: Any) -> str:
    found = run(engine, key, {"size": 5} if variables is None else variables, on_failure="pause", **options)
    assert (found.status, found.attention, found.end_time) == ("running", 1, None)
    identifier: str = found.process_instance_id
    return identifier


def test_a_failed_task_waits_for_somebody_who_tries_it_again(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    assert (world.exists, statuses(engine.tasks(started))["b"]) == (["a"], "start.failed")
    engine.rerun(ids(engine, started)["b"], {"size": 3})
    ended = engine.wait(started, 60)
    assert (ended.status, ended.attention, world.exists) == ("success", 0, ["a", "b", "c"])


def test_all_that_has_failed_in_a_process_is_tried_again_together(engine: Engine, world: World) -> None:
    engine.deploy(BESIDE)
    world.wrong("start", "a", RuntimeError("down"))
    world.wrong("start", "b", RuntimeError("down"))
    found = run(engine, "beside", on_failure="pause")
    assert found.attention >= 1
    engine.retry(found.process_instance_id)
    assert engine.wait(found.process_instance_id, 60).status == "success"


BESIDE = drawn(
    "beside",
    '<startEvent id="s"/><parallelGateway id="f"/><parallelGateway id="j"/><endEvent id="e"/>',
    service("a", "make"),
    service("b", "make"),
    service("c", "make"),
    flow("s", "f"),
    flow("f", "a"),
    flow("f", "b"),
    flow("b", "c"),
    flow("a", "j"),
    flow("c", "j"),
    flow("j", "e"),
)


def test_what_runs_beside_goes_on_and_the_join_waits(engine: Engine, world: World) -> None:
    engine.deploy(BESIDE)
    world.wrong("start", "a", RuntimeError("quota"))
    started = paused(engine, "beside", {})
    assert world.exists == ["b", "c"]
    engine.rerun(ids(engine, started)["a"])
    assert engine.wait(started, 60).status == "success"


def test_done_by_hand_counts_as_made_and_is_deleted_with_its_outputs(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = paused(engine)
    engine.done_by_hand(ids(engine, started)["b"], {"id": "by-hand"})
    ended = engine.wait(started, 60)
    assert (ended.status, ended.native_output_values["b"]) == ("success", {"id": "by-hand"})
    engine.delete(started)
    engine.wait(started, 60)
    deleted = [dict(task.outputs) for task in world.seen if (task.event, task.namespace) == ("delete", "b")]
    assert (deleted, world.exists) == ([{"id": "by-hand"}], [])


def test_what_could_not_even_begin_is_undone_once_it_is_done_by_hand(engine: Engine, world: World) -> None:
    started = paused(engine, variables={})
    assert statuses(engine.tasks(started))["b"] == "produce.failed"
    engine.done_by_hand(ids(engine, started)["b"], {"id": "x"})
    assert engine.wait(started, 60).status == "success"
    engine.delete(started)
    engine.wait(started, 60)
    assert world.of("delete") == ["c", "b", "a"]


def test_what_was_half_made_is_taken_back_before_it_is_skipped(engine: Engine, world: World) -> None:
    world.wrong("start", "b", makes_then_fails)
    started = paused(engine)
    engine.skip(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "success"
    assert world.calls == [("start", "a"), ("start", "b"), ("rollback", "b"), ("start", "c")]
    assert statuses(engine.tasks(started))["b"] == "start.skipped"
    engine.delete(started)
    engine.wait(started, 60)
    assert world.of("delete") == ["c", "a"]


def test_a_skip_whose_rollback_fails_stands_still_again(engine: Engine, world: World) -> None:
    world.wrong("start", "b", makes_then_fails)
    world.wrong("rollback", "b", RuntimeError("no"))
    started = paused(engine)
    task = ids(engine, started)["b"]
    engine.skip(task)
    found = engine.wait(started, 60)
    assert (found.status, found.attention) == ("running", 1)
    assert "could not be undone" in (engine.task(task).reason or "")
    engine.skip(task)
    assert engine.wait(started, 60).status == "success"
    assert undone(engine.tasks(started))["b"] == "undone"


@pytest.mark.parametrize("marker", ["", runs("2")])
def test_no_handler_of_the_model_takes_back_what_was_skipped(engine: Engine, world: World, marker: str) -> None:
    """Nothing was made, so the handler would find no outputs of it."""
    border, by = on("b", "b", "hb", service("hb", "mail", {"of": "${outputs.b.id}"}, isForCompensation="true"))
    throw = '<intermediateThrowEvent id="back"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    ends = '<startEvent id="s"/><endEvent id="e"/>'
    engine.deploy(
        drawn(
            "k",
            ends,
            service("b", "make", inside=marker),
            border,
            throw,
            flow("s", "b"),
            flow("b", "back"),
            flow("back", "e"),
            by,
        )
    )
    for name in ("b", "b1", "b2"):
        world.wrong("start", name, makes_then_fails)
    started = run(engine, "k", on_failure="pause").process_instance_id
    for failure in engine.failures(started):
        engine.skip(str(failure.task_id))
    assert (engine.wait(started, 60).status, world.exists) == ("success", [])
    assert set(world.of("rollback")) == ({"b1", "b2"} if marker else {"b"})


def test_what_never_began_is_skipped_without_a_call(engine: Engine, world: World) -> None:
    started = paused(engine, variables={})
    engine.skip(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "success"
    assert world.calls == [("start", "a"), ("start", "c")]


def test_somebody_gives_up_and_all_is_rolled_back(engine: Engine, world: World) -> None:
    world.wrong("start", "b", makes_then_fails)
    started = paused(engine)
    engine.resume(ids(engine, started)["b"])
    assert engine.wait(started, 60).status == "rollback.success"
    assert (world.of("rollback"), world.exists) == (["b", "a"], [])


def test_a_process_that_waits_for_somebody_can_be_cancelled(engine: Engine, world: World) -> None:
    world.wrong("start", "b", makes_then_fails)
    started = paused(engine)
    engine.cancel(started)
    assert engine.wait(started, 60).status == "cancel.success"
    assert world.of("cancel") == ["b", "a"]


def test_nobody_comes_in_time_so_it_rolls_back(engine: Engine, world: World, clock: VirtualClock) -> None:
    world.wrong("start", "b", RuntimeError("quota"))
    started = run(engine, "three", {"size": 1}, on_failure="pause PT2H").process_instance_id
    clock.advance(3600)
    engine.run_pending()
    assert engine.get(started).status == "running"
    clock.advance(3601)
    engine.run_pending()
    assert engine.wait(started, 60).status == "rollback.success"
    assert world.exists == []


def on_failure(text: str, inside: str = "") -> str:
    return (
        f"<extensionElements>{inside}<camunda:properties>"
        f'<camunda:property name="onFailure" value="{text}"/></camunda:properties></extensionElements>'
    )


def stone(node: str, policy: str) -> str:
    return f'<serviceTask id="{node}" camunda:type="external" camunda:topic="make">{on_failure(policy)}</serviceTask>'


def test_the_element_goes_before_the_start(engine: Engine, world: World) -> None:
    engine.deploy(line("eager", service("a", "make"), stone("b", "rollback")))
    world.wrong("start", "b", RuntimeError("no"))
    assert run(engine, "eager", on_failure="pause").status == "rollback.success"
    engine.deploy(line("patient", service("a", "make"), stone("b", "pause")))
    world.wrong("start", "b", RuntimeError("no"))
    found = run(engine, "patient")
    assert (found.status, found.attention) == ("running", 1)
    engine.deploy(line("keeping", service("a", "make"), stone("b", "keep")))
    world.wrong("start", "b", RuntimeError("no"))
    assert run(engine, "keeping", on_failure="pause").status == "failed"


def test_the_model_says_so_for_all_that_does_not(engine: Engine, world: World) -> None:
    engine.deploy(drawn("modest", on_failure("pause"), '<startEvent id="s"/>', service("a", "make"), flow("s", "a")))
    world.wrong("start", "a", RuntimeError("no"), RuntimeError("no"))
    assert run(engine, "modest").attention == 1
    assert run(engine, "modest", on_failure="rollback").status == "rollback.success"


def test_a_version_is_deployed_with_a_policy_of_its_own(engine: Engine, world: World) -> None:
    plain = engine.deploy(line("asked", service("a", "make")))
    pausing = engine.deploy(line("asked", service("a", "make")), on_failure="pause  PT2H")
    assert (pausing.version, pausing.on_failure, plain.on_failure) == (2, "pause PT2H", None)
    assert engine.deploy(line("asked", service("a", "make")), on_failure="pause PT2H").version == 2
    world.wrong("start", "a", *[RuntimeError("no")] * 4)
    assert run(engine, "asked").attention == 1
    assert run(engine, "asked", on_failure="rollback").status == "rollback.success"
    assert run(engine, "asked", rollback=False).status == "failed"
    old = engine.start(deployment_id=plain.deployment_id, name="old")
    assert engine.wait(old.process_instance_id, 60).status == "rollback.success"


def test_what_is_deployed_goes_before_what_the_model_says(engine: Engine, world: World) -> None:
    parts = on_failure("pause"), '<startEvent id="s"/>', service("a", "make"), flow("s", "a")
    engine.deploy(drawn("modest", *parts), on_failure="keep")
    world.wrong("start", "a", RuntimeError("no"))
    assert run(engine, "modest").status == "failed"
    model = engine.save_model(line("asked", stone("a", "rollback")))
    assert engine.deploy_model(model.model_id, on_failure="pause").on_failure == "pause"
    world.wrong("start", "a", RuntimeError("no"))
    assert run(engine, "asked").status == "rollback.success"


def test_a_process_that_a_message_starts_follows_the_policy_of_its_deployment(engine: Engine, world: World) -> None:
    called = '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>'
    parts = process("told", called, service("a", "make"), flow("s", "a"))
    engine.deploy(definitions('<message id="m" name="order"/>', parts), on_failure="pause")
    world.wrong("start", "a", RuntimeError("no"))
    engine.message("order", {})
    engine.run_pending()
    (found,) = engine.search(key="told").items
    assert (found.status, found.attention) == ("running", 1)


def test_a_policy_that_nobody_can_read_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="onFailure='ask'"):
        engine.deploy(line("ask", stone("b", "ask")))
    for text in ("ask", "pause 2h", "pause P1M", "pause PT0S", "keep PT1H", "pause PT" + "0" * 99 + "1H", ""):
        with pytest.raises(Invalid, match="rollback, pause, keep") as caught:
            engine.start(key="three", name="x", variables={"size": 1}, on_failure=text)
        assert "onFailure" in caught.value.errors
        with pytest.raises(Invalid, match=r"rollback, pause, keep|failure policy") as caught:
            engine.deploy(THREE, on_failure=text)
        assert "onFailure" in caught.value.errors
    with pytest.raises(Invalid, match="one of the two"):
        engine.start(key="three", name="x", variables={"size": 1}, on_failure="keep", rollback=False)


CHOICE = drawn(
    "choice",
    '<startEvent id="s"/><exclusiveGateway id="g" name="How big?"/><endEvent id="e"/>',
    service("small", "make"),
    service("large", "make"),
    flow("s", "g"),
    flow("g", "small", "${size < 10}"),
    flow("g", "large", "${size > 10}"),
    flow("small", "e"),
    flow("large", "e"),
)


def test_a_gateway_that_cannot_decide_waits_for_a_variable(engine: Engine, world: World) -> None:
    engine.deploy(CHOICE)
    started = paused(engine, "choice", {"size": 10})
    told = " ".join(engine.why(started).sentences)
    assert "How big?" in told
    assert "riverstone retry" in " ".join(engine.why(started).commands)
    with pytest.raises(Conflict, match="cannot be skipped"):
        engine.skip_element(started, "g")
    engine.set_variables(started, {"size": 11})
    engine.retry(started, element_id="g")
    assert (engine.wait(started, 60).status, world.exists) == ("success", ["large"])


MAPPED = line(
    "mapped",
    '<serviceTask id="a" camunda:type="external" camunda:topic="make"><extensionElements><camunda:inputOutput>'
    '<camunda:outputParameter name="n">${missing}</camunda:outputParameter></camunda:inputOutput></extensionElements>'
    "</serviceTask>",
    service("b", "make"),
)


def test_a_mapping_that_failed_is_tried_again_and_the_stone_is_not(engine: Engine, world: World) -> None:
    engine.deploy(MAPPED)
    started = paused(engine, "mapped", {})
    task = ids(engine, started)["a"]
    with pytest.raises(Conflict, match="no parameter is used"):
        engine.rerun(task, {"x": 1})
    with pytest.raises(Conflict, match="work of task"):
        engine.done_by_hand(task, {})
    engine.set_variables(started, {"missing": 7})
    engine.rerun(task)
    assert (engine.wait(started, 60).status, world.of("start")) == ("success", ["a", "b"])


def test_a_mapping_that_failed_is_skipped_and_what_was_made_stays(engine: Engine, world: World) -> None:
    engine.deploy(MAPPED)
    started = paused(engine, "mapped", {})
    engine.skip(ids(engine, started)["a"])
    assert (engine.wait(started, 60).status, world.exists) == ("success", ["a", "b"])
    engine.delete(started)
    engine.wait(started, 60)
    assert world.exists == []


BRANCHING = drawn(
    "branching",
    '<startEvent id="s"/><endEvent id="e"/>',
    service("a", "make"),
    service("b", "make"),
    flow("s", "a"),
    flow("a", "b", "${missing}"),
    flow("b", "e"),
)


def test_a_task_that_could_not_leave_is_not_done_twice(engine: Engine, world: World) -> None:
    engine.deploy(BRANCHING)
    started = paused(engine, "branching", {})
    with pytest.raises(Conflict, match="cannot be skipped"):
        engine.skip(ids(engine, started)["a"])
    engine.set_variables(started, {"missing": True})
    engine.rerun(ids(engine, started)["a"])
    assert (engine.wait(started, 60).status, world.of("start")) == ("success", ["a", "b"])


MANY = drawn(
    "many",
    '<startEvent id="s"/><serviceTask id="m" camunda:type="external" camunda:topic="make">'
    '<multiInstanceLoopCharacteristics camunda:collection="${items}" camunda:elementVariable="item"/></serviceTask>',
    service("z", "make"),
    flow("s", "m"),
    flow("m", "z"),
)


def test_one_run_of_many_waits_and_the_others_end(engine: Engine, world: World) -> None:
    engine.deploy(MANY)
    world.wrong("start", "m2", RuntimeError("quota"))
    started = paused(engine, "many", {"items": [1, 2, 3]})
    assert world.exists == ["m1", "m3"]
    engine.rerun(ids(engine, started)["m2"])
    assert (engine.wait(started, 60).status, world.exists) == ("success", ["m1", "m2", "m3", "z"])


TIMED = drawn(
    "timed",
    '<startEvent id="s"/>',
    service("a", "make"),
    service("b", "make"),
    '<boundaryEvent id="t" attachedToRef="a"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    "</timerEventDefinition></boundaryEvent>",
    flow("s", "a"),
    flow("t", "b"),
)


def test_an_event_that_interrupts_takes_what_waits_away_and_keeps_it_in_the_ledger(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    engine.deploy(TIMED)
    world.wrong("start", "a", makes_then_fails)
    started = paused(engine, "timed", {})
    clock.advance(3601)
    engine.run_pending()
    ended = engine.wait(started, 60)
    assert (ended.status, ended.attention, world.exists) == ("success", 0, ["b"])
    engine.delete(started)
    engine.wait(started, 60)
    assert world.of("delete") == ["b", "a"]


def test_what_does_not_stand_still_is_left_alone(engine: Engine, world: World) -> None:
    started = run(engine, "three", {"size": 1}).process_instance_id
    task = ids(engine, started)["a"]
    for call in (engine.skip, engine.done_by_hand, engine.rerun, engine.resume):
        with pytest.raises(Conflict, match="does not stand still"):
            call(task)
    for ask in (engine.retry, engine.roll_back):
        with pytest.raises(Conflict, match="Nothing of process"):
            ask(started)
    with pytest.raises(Conflict, match="change no more"):
        engine.set_variables(started, {"size": 2})
    with pytest.raises(UnknownTask):
        engine.skip("999999")


def test_outputs_that_the_stone_does_not_declare_are_refused(engine: Engine, world: World) -> None:
    class Declared(Make):
        """Says what it puts out."""

        code = "declared"
        outputs = {"id": "the thing's id"}

    engine.register(type("Declared", (Declared,), {"world": world, "__doc__": "Says what it puts out."}))
    engine.deploy(line("declared", service("d", "declared")))
    world.wrong("start", "d", RuntimeError("no"))
    started = paused(engine, "declared", {})
    with pytest.raises(Invalid) as caught:
        engine.done_by_hand(ids(engine, started)["d"], {"idd": 1})
    assert "idd" in caught.value.errors
    assert engine.get(started).attention == 1


def test_a_limit_stops_the_whole_process_and_takes_nothing_back(engine: Engine, world: World) -> None:
    engine.deploy(
        drawn(
            "endless",
            '<startEvent id="s"/><exclusiveGateway id="x"/>',
            service("a", "make"),
            flow("s", "a"),
            flow("a", "x"),
            flow("x", "y"),
            '<exclusiveGateway id="y"/>',
            flow("y", "x"),
        )
    )
    found = run(engine, "endless", on_failure="pause")
    assert (found.status, found.paused, found.attention, world.exists) == ("running", True, 1, ["a"])
    engine.roll_back(found.process_instance_id)
    assert engine.wait(found.process_instance_id, 60).status == "rollback.success"


def test_what_waits_for_somebody_is_there_after_a_restart(
    engine: Engine, url: str, world: World, clock: VirtualClock
) -> None:
    engine.deploy(CHOICE)
    first = paused(engine, "choice", {"size": 10})
    world.wrong("start", "b", RuntimeError("quota"))
    second = paused(engine)
    engine.close()
    with Engine(url, stones=world.stones(), clock=clock) as other:
        assert [item.attention for item in other.search(key="choice").items] == [1]
        other.set_variables(first, {"size": 1})
        other.retry(first)
        other.rerun(ids(other, second)["b"])
        assert [other.wait(each, 60).status for each in (first, second)] == ["success", "success"]


def test_a_debug_run_shares_the_verbs(engine: Engine, world: World) -> None:
    model = engine.save_model(THREE)
    world.wrong("start", "b", RuntimeError("no"))
    started = engine.start(model_id=model.model_id, name="trial", variables={"size": 1}).process_instance_id
    found = engine.wait(started, 60)
    assert (found.paused, found.attention) == (True, 1)
    engine.done_by_hand(ids(engine, started)["b"], {"id": "x"})
    assert engine.wait(started, 60).status == "success"


def test_a_list_tells_why_each_stands_still_and_hides_secrets(engine: Engine, world: World) -> None:
    template = [{"Key": "password", "Type": "String", "NoEcho": "true"}]
    engine.deploy(line("secretive", service("a", "make")), parameter_template=template)
    asks = '<exclusiveGateway id="g" name="Large?"/><endEvent id="y"/><endEvent id="n"/>'
    ways = flow("g", "y", "${size > 3}") + flow("g", "n", "${size < 2}")
    engine.deploy(drawn("chooses", '<startEvent id="s"/>', asks, flow("s", "g"), ways))
    world.wrong("start", "b", RuntimeError("no more quota"))
    world.wrong("start", "a", RuntimeError("hunter22 is no password"))
    expected = {
        run(
            engine, "secretive", {"password": "hunter22"}, on_failure="pause"
        ).process_instance_id: "***** is no password",
        paused(engine): "no more quota",
        run(engine, "chooses", {"size": 2}, on_failure="pause").process_instance_id: "no condition holds",
    }
    going = run(engine, "three", {"size": 1})
    found = {item.process_instance_id: item.failure for item in engine.search().items}
    assert found.pop(going.process_instance_id) is None
    assert found.keys() == expected.keys()
    for number, text in expected.items():
        assert text in str(found[number])
        assert "hunter22" not in str(found[number])
    (retried,) = (number for number, text in expected.items() if "quota" in text)
    engine.retry(retried)
    engine.wait(retried, 60)
    assert [item.failure for item in engine.search().items if item.process_instance_id == retried] == [None]
