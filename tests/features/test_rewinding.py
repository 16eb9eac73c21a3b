"""Going back to a task: what came after it is undone, and then it begins again."""

from __future__ import annotations

import time
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, TaskInfo, UnknownTask, VirtualClock

from .sketch import definitions, flow, line, process, service
from .world import Make, World, policy, run, statuses, undone


def drawn(key: str, *parts: str) -> bytes:
    return definitions(process(key, *parts))


def ids(engine: Engine, number: str) -> dict[str, str]:
    """The last task of each namespace."""
    return {task.namespace: task.task_id for task in engine.tasks(number)}


def begun(engine: Engine, source: bytes, key: str, variables: dict[str, Any] | None = None) -> str:
    """A process that has come to the task of a person at its end."""
    engine.deploy(source)
    started = engine.start(key=key, name="test", variables=variables).process_instance_id
    engine.run_pending()
    assert engine.get(started).status == "running"
    return started


def finish(engine: Engine, number: str, node: str = "ask") -> Any:
    engine.complete(ids(engine, number)[node])
    return engine.wait(number, 99)


ASK = '<userTask id="ask"/>'
THREE = line("three", service("a", "make"), service("b", "make"), service("c", "make"), ASK)


def test_what_came_after_a_task_is_taken_back_and_it_begins_again(engine: Engine, world: World) -> None:
    number = begun(engine, THREE, "three")
    first = ids(engine, number)
    engine.rewind(number, first["b"])
    engine.run_pending()
    assert world.calls == [
        *[("start", name) for name in "abc"],
        *[("rollback", name) for name in "cb"],
        *[("start", name) for name in "bc"],
    ]
    again = ids(engine, number)
    assert (again["a"], again["b"] != first["b"]) == (first["a"], True)
    assert world.seen[1].idempotency_key != world.seen[5].idempotency_key
    assert finish(engine, number).status == "success"
    engine.delete(number)
    engine.wait(number, 60)
    assert (world.of("delete"), world.exists) == (["c", "b", "a"], [])


def test_the_rewind_is_a_process_with_a_record_and_a_diagram(engine: Engine, world: World) -> None:
    number = begun(engine, THREE, "three")
    rewind = engine.rewind(number, ids(engine, number)["b"]).rewind_process_instance_id
    engine.run_pending()
    assert rewind is not None
    found = engine.get(rewind)
    assert (found.kind, found.status, found.origin_process_instance_id) == ("rewind", "success", number)
    assert statuses(engine.tasks(rewind)) == dict.fromkeys("bc", "rollback.success")
    assert b"task_" in engine.sources(rewind)[0].encode()
    assert engine.get(number).status == "running"


def test_it_begins_with_other_parameters_and_variables(engine: Engine, world: World) -> None:
    number = begun(engine, line("two", service("a", "make", {"size": "${size}"}), ASK), "two", {"size": 1})
    engine.rewind(number, ids(engine, number)["a"], variables={"size": 2}, parameters={"colour": "red"})
    engine.run_pending()
    assert world.seen[-1].parameters == {"size": 2, "colour": "red"}


def test_outputs_of_what_is_undone_are_seen_no_more(engine: Engine, world: World) -> None:
    number = begun(engine, THREE, "three")
    world.wrong("rollback", "b", RuntimeError("no"))
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    assert engine.get(number).native_output_values == {"a": {"id": "a"}}


BESIDE = drawn(
    "beside",
    '<startEvent id="s"/><parallelGateway id="f"/><parallelGateway id="j"/><userTask id="ask"/>',
    *[service(name, "make") for name in "abcz"],
    flow("s", "f"),
    flow("f", "a"),
    flow("f", "c"),
    flow("a", "b"),
    flow("b", "j"),
    flow("c", "j"),
    flow("j", "z"),
    flow("z", "ask"),
)


def test_a_branch_that_stays_waits_at_the_join_again(engine: Engine, world: World) -> None:
    number = begun(engine, BESIDE, "beside")
    plan = engine.preview_rewind(number, ids(engine, number)["b"])
    assert [step.name for step in plan.steps] == ["z", "b"]
    assert plan.begins_again == ("b", "j")
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    assert (world.of("rollback"), world.of("start")) == (["z", "b"], ["a", "c", "b", "z", "b", "z"])
    assert finish(engine, number).status == "success"
    assert world.exists == ["a", "b", "c", "z"]
    engine.delete(number)
    engine.wait(number, 60)
    assert world.of("delete")[0] == "z"
    assert world.exists == []


INSIDE = drawn(
    "inside",
    '<startEvent id="s"/><userTask id="ask"/>',
    '<subProcess id="sub"><startEvent id="i"/>',
    service("a", "make"),
    service("b", "make"),
    '<endEvent id="o"/>',
    flow("i", "a"),
    flow("a", "b"),
    flow("b", "o"),
    "</subProcess>",
    '<boundaryEvent id="late" attachedToRef="sub" cancelActivity="true"><timerEventDefinition><timeDuration>PT1H'
    "</timeDuration></timerEventDefinition></boundaryEvent>",
    service("z", "make"),
    service("alarm", "make"),
    flow("s", "sub"),
    flow("sub", "z"),
    flow("z", "ask"),
    flow("late", "alarm"),
)


def test_a_sub_process_that_has_ended_is_open_again_with_its_timers(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    number = begun(engine, INSIDE, "inside")
    clock.advance(1800)
    assert engine.preview_rewind(number, ids(engine, number)["b"]).opened_again == ("sub",)
    world.wrong("start", "b", *[RuntimeError("no")] * 1)
    engine.rewind(number, ids(engine, number)["a"])
    engine.run_pending()
    assert world.of("start")[-2:] == ["a", "b"]
    assert engine.wait(number, 60).status == "rollback.success"
    assert world.exists == []


def test_its_end_is_reached_once(engine: Engine, world: World) -> None:
    number = begun(engine, INSIDE, "inside")
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    assert world.of("start") == ["a", "b", "z", "b", "z"]
    assert finish(engine, number).status == "success"


def repeated(loop: str) -> str:
    return f'<serviceTask id="m" camunda:type="external" camunda:topic="make">{loop}</serviceTask>'


def test_one_run_of_many_begins_again_and_the_others_stay(engine: Engine, world: World) -> None:
    loop = '<multiInstanceLoopCharacteristics camunda:collection="${items}" camunda:elementVariable="item"/>'
    parts = ('<startEvent id="s"/>', repeated(loop), service("z", "make"), ASK)
    number = begun(
        engine,
        drawn("many", *parts, flow("s", "m"), flow("m", "z"), flow("z", "ask")),
        "many",
        {"items": [1, 2, 3]},
    )
    engine.rewind(number, ids(engine, number)["m2"])
    engine.run_pending()
    assert world.of("rollback") == ["z", "m2"]
    assert world.of("start")[-2:] == ["m2", "z"]
    assert finish(engine, number).status == "success"
    assert world.exists == ["m1", "m2", "m3", "z"]


def test_later_turns_of_a_loop_are_undone(engine: Engine, world: World) -> None:
    loop = (
        '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="${items}"'
        ' camunda:elementVariable="item"/>'
    )
    parts = ('<startEvent id="s"/>', repeated(loop), ASK)
    number = begun(engine, drawn("turns", *parts, flow("s", "m"), flow("m", "ask")), "turns", {"items": [1, 2, 3, 4]})
    engine.rewind(number, ids(engine, number)["m2"])
    engine.run_pending()
    assert (world.of("rollback"), world.of("start")[4:]) == (["m4", "m3", "m2"], ["m2", "m3", "m4"])
    assert finish(engine, number).status == "success"


SETS = (
    '<serviceTask id="b" camunda:type="external" camunda:topic="make"><extensionElements><camunda:inputOutput>'
    '<camunda:outputParameter name="n">${n + 1}</camunda:outputParameter></camunda:inputOutput></extensionElements>'
    "</serviceTask>"
)


def test_variables_return_unless_somebody_has_set_them_since(engine: Engine, world: World) -> None:
    source = line("counting", service("a", "make"), SETS, ASK)
    number = begun(engine, source, "counting", {"n": 1})
    assert engine.preview_rewind(number, ids(engine, number)["b"]).variables == {"n": 1}
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    assert engine.preview_rewind(number, ids(engine, number)["b"]).variables == {"n": 1}
    engine.set_variables(number, {"n": 10})
    assert engine.preview_rewind(number, ids(engine, number)["b"]).variables == {}


def test_what_no_rollback_takes_back_has_to_be_named(engine: Engine, world: World) -> None:
    number = begun(engine, line("mails", service("a", "make"), service("post", "mail"), ASK), "mails")
    tasks = ids(engine, number)
    plan = engine.preview_rewind(number, tasks["a"])
    assert [(step.name, step.action) for step in plan.steps] == [("post", "retain"), ("a", "rollback")]
    with pytest.raises(Conflict, match="Name them in retain") as caught:
        engine.rewind(number, tasks["a"])
    assert caught.value.code == "rewind-refused"
    with pytest.raises(Invalid, match="not to be retained"):
        engine.rewind(number, tasks["a"], retain=[tasks["a"]])
    engine.rewind(number, tasks["a"], retain=[tasks["post"]])
    engine.run_pending()
    assert undone(engine.tasks(number)[:2]) == {"a": "undone", "post": "retained"}
    assert finish(engine, number).status == "success"


def test_what_its_policy_keeps_has_to_be_named_too(engine: Engine, world: World) -> None:
    number = begun(engine, line("kept", service("a", "make"), policy("k", "make", "retain"), ASK), "kept")
    tasks = ids(engine, number)
    with pytest.raises(Conflict, match="Name them in retain"):
        engine.rewind(number, tasks["a"])


def test_a_rewind_that_fails_waits_and_goes_on_when_it_is_asked_to(engine: Engine, world: World) -> None:
    number = begun(engine, THREE, "three")
    world.wrong("rollback", "c", RuntimeError("busy"))
    engine.rewind(number, ids(engine, number)["b"])
    found = engine.wait(number, 60)
    assert (found.status, found.attention) == ("running", 1)
    assert "riverstone retry" in " ".join(engine.why(number).commands)
    with pytest.raises(Conflict, match="under way"):
        engine.rewind(number, ids(engine, number)["a"])
    engine.retry(number)
    engine.run_pending()
    assert world.of("start")[3:] == ["b", "c"]
    assert finish(engine, number).status == "success"


def test_what_a_rewind_cannot_take_back_is_given_up_by_name(engine: Engine, world: World) -> None:
    number = begun(engine, THREE, "three")
    world.wrong("rollback", "c", RuntimeError("never"))
    tasks = ids(engine, number)
    engine.rewind(number, tasks["b"])
    engine.wait(number, 60)
    engine.retry(number, retain=[tasks["c"]])
    engine.run_pending()
    assert world.of("start")[3:] == ["b", "c"]
    assert "c" in world.exists


def test_a_cancel_takes_back_what_a_failed_rewind_has_left(engine: Engine, world: World) -> None:
    number = begun(engine, THREE, "three")
    world.wrong("rollback", "b", RuntimeError("never"))
    engine.rewind(number, ids(engine, number)["b"])
    engine.wait(number, 60)
    engine.cancel(number)
    assert engine.wait(number, 60).status == "cancel.success"
    assert (world.of("rollback"), world.of("cancel"), world.exists) == (["c", "b"], ["b", "a"], [])


def test_a_cancel_waits_for_a_rewind_that_is_under_way(engine: Engine, world: World, clock: VirtualClock) -> None:
    members = {"world": world, "code": "patient", "retries": 2, "__doc__": "Tries again."}
    engine.register(type("Patient", (Make,), members))
    number = begun(engine, line("slow", service("a", "make"), service("b", "patient"), ASK), "slow")
    world.wrong("rollback", "b", RuntimeError("busy"))
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    assert (engine.get(number).status, engine.get(number).attention) == ("running", 0)
    engine.cancel(number)
    assert engine.get(number).status == "cancel.begin"
    clock.advance(1000)
    assert engine.wait(number, 99).status == "cancel.success"
    assert (world.of("rollback"), world.of("cancel"), world.exists) == (["b", "b"], ["a"], [])


def test_a_failed_task_is_gone_back_behind(engine: Engine, world: World) -> None:
    engine.deploy(line("pausing", service("a", "make"), service("b", "make"), service("c", "make")))
    world.wrong("start", "c", RuntimeError("wrong disk"))
    number = run(engine, "pausing", on_failure="pause").process_instance_id
    engine.rewind(number, ids(engine, number)["b"], parameters={"disk": "large"})
    assert engine.wait(number, 99).status == "success"
    assert (world.of("rollback"), world.of("start")) == (["c", "b"], ["a", "b", "c", "b", "c"])


def test_a_debug_run_goes_back_too(engine: Engine, world: World) -> None:
    model = engine.save_model(line("trial", service("a", "make"), service("b", "make")))
    world.wrong("start", "b", RuntimeError("no"))
    number = engine.start(model_id=model.model_id, name="trial").process_instance_id
    assert engine.wait(number, 60).paused
    engine.rewind(number, ids(engine, number)["a"])
    assert engine.wait(number, 60).status == "success"


def test_what_an_interruption_removed_is_not_brought_back(engine: Engine, world: World, clock: VirtualClock) -> None:
    source = drawn(
        "cut",
        '<startEvent id="s"/><userTask id="ask"/><subProcess id="sub"><startEvent id="i"/><parallelGateway id="f"/>',
        service("a", "make"),
        '<userTask id="read"/><userTask id="sign"/>',
        flow("i", "f"),
        flow("f", "a"),
        flow("f", "read"),
        flow("a", "sign"),
        "</subProcess>",
        '<boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></boundaryEvent>",
        flow("s", "sub"),
        flow("late", "ask"),
    )
    number = begun(engine, source, "cut")
    clock.advance(3601)
    engine.run_pending()
    with pytest.raises(Conflict, match="interrupted"):
        engine.rewind(number, ids(engine, number)["a"])
    assert finish(engine, number).status == "success"


def test_what_cannot_be_gone_back_to_is_refused_and_nothing_changes(engine: Engine, world: World) -> None:
    number = begun(engine, THREE, "three")
    tasks = ids(engine, number)
    with pytest.raises(UnknownTask):
        engine.rewind(number, "999999")
    with pytest.raises(UnknownTask):
        engine.preview_rewind(number, "999999")
    rewind = engine.rewind(number, tasks["b"]).rewind_process_instance_id
    engine.run_pending()
    with pytest.raises(Conflict, match="was undone"):
        engine.rewind(number, tasks["b"])
    assert rewind is not None
    with pytest.raises(Conflict, match="goes one way"):
        engine.rewind(rewind, engine.tasks(rewind)[0].task_id)
    for kind in (engine.cancel, engine.delete):
        with pytest.raises(Conflict):
            kind(rewind)
    finish(engine, number)
    with pytest.raises(Conflict, match="not ended"):
        engine.rewind(number, tasks["a"])


def test_a_rewind_goes_on_after_a_restart(engine: Engine, url: str, world: World, clock: VirtualClock) -> None:
    number = begun(engine, BESIDE, "beside")
    world.wrong("rollback", "z", RuntimeError("busy"))
    engine.rewind(number, ids(engine, number)["b"])
    engine.wait(number, 60)
    engine.close()
    with Engine(url, stones=world.stones(), clock=clock) as other:
        other.retry(number)
        other.run_pending()
        assert finish(other, number).status == "success"
        other.delete(number)
        other.wait(number, 60)
    assert world.exists == []


def test_a_second_rewind_reaches_behind_the_first(engine: Engine, world: World) -> None:
    number = begun(engine, BESIDE, "beside")
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    engine.rewind(number, ids(engine, number)["a"])
    engine.run_pending()
    assert world.of("start") == ["a", "c", "b", "z", "b", "z", "a", "b", "z"]
    assert finish(engine, number).status == "success"
    engine.delete(number)
    engine.wait(number, 60)
    assert (world.of("delete")[0], world.exists) == ("z", [])


def test_a_rewound_process_is_purged_whole(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = begun(engine, BESIDE, "beside")
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    engine.rewind(number, ids(engine, number)["a"])
    engine.run_pending()
    finish(engine, number)
    engine.delete(number)
    engine.wait(number, 60)
    clock.advance(1000)
    assert engine.purge(older_than_seconds=1) == 1
    assert engine.search().items == ()
    assert engine._store.retraces(int(number)) == []


CALLED = drawn(
    "called",
    '<startEvent id="i"/><endEvent id="o"/>',
    service("a", "make"),
    SETS,
    flow("i", "a"),
    flow("a", "b"),
    flow("b", "o"),
)
CALLING = drawn(
    "calling",
    '<startEvent id="s"/><userTask id="ask"/><callActivity id="call" calledElement="called"><extensionElements>'
    '<camunda:in source="n" target="n"/><camunda:out source="n" target="n"/></extensionElements></callActivity>',
    service("z", "make"),
    flow("s", "call"),
    flow("call", "z"),
    flow("z", "ask"),
)


def test_a_called_process_that_has_ended_is_gone_back_into(engine: Engine, world: World) -> None:
    engine.deploy(CALLED)
    number = begun(engine, CALLING, "calling", {"n": 1})
    plan = engine.preview_rewind(number, ids(engine, number)["b"])
    assert (plan.variables, plan.opened_again) == ({"n": 1}, ("call",))
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    assert (world.of("rollback"), world.of("start")) == (["z", "b"], ["a", "b", "z", "b", "z"])
    assert engine.preview_rewind(number, ids(engine, number)["a"]).variables == {"n": 1}
    assert finish(engine, number).status == "success"


RUNS = drawn(
    "runs",
    '<startEvent id="s"/><userTask id="ask"/>',
    '<subProcess id="sub"><multiInstanceLoopCharacteristics camunda:collection="${items}"'
    ' camunda:elementVariable="item"/><startEvent id="i"/><endEvent id="o"/>',
    service("a", "make"),
    service("b", "make"),
    flow("i", "a"),
    flow("a", "b"),
    flow("b", "o"),
    "</subProcess>",
    service("z", "make"),
    flow("s", "sub"),
    flow("sub", "z"),
    flow("z", "ask"),
)


@pytest.mark.parametrize("sequential", [False, True])
def test_a_run_of_a_sub_process_is_gone_back_into(engine: Engine, world: World, sequential: bool) -> None:
    source = RUNS.replace(b"Characteristics ", b'Characteristics isSequential="true" ') if sequential else RUNS
    number = begun(engine, source, "runs", {"items": [1, 2, 3]})
    second = [task for task in engine.tasks(number) if task.namespace == "b" and task.runs == (2,)]
    engine.rewind(number, second[0].task_id)
    engine.run_pending()
    assert world.of("rollback") == (["z", "b", "a", "b"] if sequential else ["z", "b"])
    assert world.of("start")[7:] == (["b", "a", "b", "z"] if sequential else ["b", "z"])
    assert finish(engine, number).status == "success"
    engine.delete(number)
    engine.wait(number, 60)
    assert (world.of("delete")[0], world.exists) == ("z", [])


def test_a_loop_goes_back_to_a_turn(engine: Engine, world: World) -> None:
    loop = '<standardLoopCharacteristics testBefore="true"><loopCondition>${3 > loopCounter}</loopCondition>'
    source = drawn(
        "looping",
        '<startEvent id="s"/>',
        repeated(f"{loop}</standardLoopCharacteristics>"),
        ASK,
        flow("s", "m"),
        flow("m", "ask"),
    )
    number = begun(engine, source, "looping")
    turns = [task.task_id for task in engine.tasks(number) if task.stone]
    engine.rewind(number, turns[1])
    engine.run_pending()
    assert (world.of("rollback"), len(world.of("start"))) == (["m", "m"], 5)
    assert finish(engine, number).status == "success"


def test_branches_beside_go_on_untouched(engine: Engine, world: World, clock: VirtualClock) -> None:
    source = drawn(
        "wide",
        '<startEvent id="s"/><parallelGateway id="f"/><parallelGateway id="j"/><userTask id="ask"/>',
        *[service(name, "make") for name in "ab"],
        service("w", "watch"),
        flow("s", "f"),
        flow("f", "a"),
        flow("f", "w"),
        flow("a", "b"),
        flow("b", "j"),
        flow("w", "j"),
        flow("j", "ask"),
    )
    number = begun(engine, source, "wide")
    assert statuses(engine.tasks(number))["w"] == "monitor.begin"
    engine.rewind(number, ids(engine, number)["a"])
    engine.run_pending()
    for _ in range(3):
        clock.advance(11)
        engine.run_pending()
    assert (world.of("rollback"), world.of("start")) == (["b", "a"], ["a", "w", "b", "a", "b"])
    assert finish(engine, number).status == "success"


def test_a_hook_that_runs_is_asked_to_stop_before_it_is_taken_back(url: str, world: World) -> None:
    stopped: list[str] = []

    def slow(task: TaskInfo) -> None:
        if task.wait_for_cancel(20):
            stopped.append(task.namespace)
            raise RuntimeError("stopped")

    world.wrong("start", "b", slow)
    with Engine(url, stones=world.stones(), dispatcher="threads") as engine:
        engine.deploy(line("slow", service("a", "make"), service("b", "make")))
        number = engine.start(key="slow", name="x").process_instance_id
        while "b" not in world.of("start"):
            time.sleep(0.02)
        engine.rewind(number, ids(engine, number)["a"])
        assert engine.wait(number, 30).status == "success"
    assert stopped == ["b"]
    assert (world.of("rollback"), world.of("start")) == (["b", "a"], ["a", "b", "a", "b"])


def test_a_task_that_is_held_back_and_never_began_need_not_be_retained(engine: Engine, world: World) -> None:
    """It made nothing, so nothing of it stays, and the preview does not tell of it."""
    engine.suspend_stone("mail")
    number = begun(engine, line("held", service("a", "make"), service("b", "mail"), ASK), "held")
    target = ids(engine, number)["a"]
    assert [step.namespace for step in engine.preview_rewind(number, target).steps] == ["a"]
    assert [step.namespace for step in engine.preview(number, "cancel")] == ["a"]
    engine.rewind(number, target)
    engine.run_pending()
    engine.unsuspend_stone("mail")
    engine.run_pending()
    assert world.calls == [("start", "a"), ("rollback", "a"), ("start", "a"), ("start", "b")]
