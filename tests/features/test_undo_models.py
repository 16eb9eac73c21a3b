"""Undo in models that are more than a line: repeated, nested, called, interrupted and compensated activities."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from riverstone.engine import Engine, Limits, VirtualClock, WaitTimeout

from .sketch import definitions, flow, line, process, row, runs, service
from .world import World, makes_then_fails, run, statuses, undone

STANDARD_LOOP = (
    '<standardLoopCharacteristics loopMaximum="3"><loopCondition>${true}</loopCondition></standardLoopCharacteristics>'
)


@pytest.fixture
def url(sqlite: str) -> str:
    return sqlite


def apart(key: str, *nodes: str) -> str:
    """One process in a line whose start, end and flows have ids of their own in the file."""
    text = row(key, *nodes)
    for name in ("begin", "done"):
        text = text.replace(f'"{name}', f'"{key}_{name}').replace(f'_{name}"', f'_{key}_{name}"')
    return text.replace(f"{key}_{key}_", f"{key}_")


def sub(node: str, *nodes: str) -> str:
    """A sub-process of a start, these nodes in a line, and an end."""
    head = f'<process id="{node}" name="{node}" isExecutable="true">'
    return f'<subProcess id="{node}">{apart(node, *nodes).removeprefix(head).removesuffix("</process>")}</subProcess>'


def handled(stone: str, inputs: dict[str, str] | None = None, *, inside: str = "", thrown: bool = False) -> bytes:
    """a, which has a compensation handler, then b; perhaps with a throw event in between that compensates."""
    throw = '<intermediateThrowEvent id="back"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    between = (throw, flow("a", "back"), flow("back", "b")) if thrown else (flow("a", "b"),)
    return definitions(
        process(
            "handled",
            '<startEvent id="begin"/><endEvent id="done"/>',
            service("a", "make", inside=inside),
            '<boundaryEvent id="on" attachedToRef="a"><compensateEventDefinition id="caught"/></boundaryEvent>',
            service("refund", stone, inputs, isForCompensation="true"),
            service("b", "make"),
            *(flow("begin", "a"), *between, flow("b", "done")),
            '<association id="by" sourceRef="on" targetRef="refund" associationDirection="One"/>',
        )
    )


def calling() -> bytes:
    """A process that calls another, in one file."""
    call = '<callActivity id="call" calledElement="called"/>'
    called = apart("called", service("b", "make"), service("c", "make"))
    return definitions(row("caller", service("a", "make"), call, service("z", "make")), called)


def delete(engine: Engine, process_instance_id: str) -> dict[str, str]:
    engine.delete(process_instance_id)
    ended = engine.wait(process_instance_id, 60)
    assert ended.status == "delete.success"
    return statuses(engine.tasks(str(ended.delete_process_instance_id)))


def test_each_run_of_a_parallel_multi_instance_is_undone_before_what_came_before(engine: Engine, world: World) -> None:
    engine.deploy(line("many", service("a", "make"), service("m", "make", inside=runs("3")), service("z", "make")))
    ended = run(engine, "many")
    delete(engine, ended.process_instance_id)
    assert world.of("delete")[0] == "z"
    assert sorted(world.of("delete")[1:4]) == ["m1", "m2", "m3"]
    assert world.of("delete")[4:] == ["a"]


def test_the_runs_of_a_sequential_multi_instance_are_undone_in_reverse(engine: Engine, world: World) -> None:
    repeated = service("m", "make", inside=runs("3", sequential=True))
    engine.deploy(line("many", service("a", "make"), repeated, service("z", "make")))
    ended = run(engine, "many")
    delete(engine, ended.process_instance_id)
    assert world.of("delete") == ["z", "m3", "m2", "m1", "a"]


def test_a_multi_instance_that_fails_in_the_middle_takes_back_the_runs_that_began(engine: Engine, world: World) -> None:
    engine.deploy(line("many", service("a", "make"), service("m", "make", inside=runs("4", sequential=True))))
    world.wrong("start", "m3", RuntimeError("broke"))
    ended = run(engine, "many")
    assert (ended.status, world.of("rollback")) == ("rollback.success", ["m3", "m2", "m1", "a"])


def test_the_turns_of_a_loop_are_undone_in_reverse(engine: Engine, world: World) -> None:
    engine.deploy(line("turns", service("a", "make"), service("t", "make", inside=STANDARD_LOOP), service("z", "make")))
    ended = run(engine, "turns")
    delete(engine, ended.process_instance_id)
    deleted = [task for task in world.seen if task.event == "delete"]
    assert [task.namespace for task in deleted] == ["z", "t", "t", "t", "a"]
    begun = [task.start_key for task in world.seen if task.event == "start"]
    assert [task.start_key for task in deleted] == begun[::-1]


def test_a_loop_of_flows_is_undone_turn_by_turn(engine: Engine, world: World) -> None:
    script = (
        '<serviceTask id="b" camunda:type="external" camunda:topic="count"><extensionElements><camunda:inputOutput>'
        '<camunda:outputParameter name="turn">${turn + 1}</camunda:outputParameter>'
        "</camunda:inputOutput></extensionElements></serviceTask>"
    )
    counting = type("Count", (world.stones()[0],), {"code": "count", "__doc__": "Counts its turns."})
    engine.register(counting)
    engine.deploy(
        definitions(
            process(
                "around",
                '<startEvent id="begin"/><exclusiveGateway id="again" default="again_done"/><endEvent id="done"/>'
                '<exclusiveGateway id="merge"/>',
                service("a", "make"),
                script,
                flow("begin", "merge"),
                flow("merge", "a"),
                flow("a", "b"),
                flow("b", "again"),
                flow("again", "merge", "${turn < 3}"),
                flow("again", "done"),
            )
        )
    )
    ended = run(engine, "around", {"turn": 0})
    assert world.of("start") == ["a", "b"] * 3
    delete(engine, ended.process_instance_id)
    assert world.of("delete") == ["b", "a"] * 3


def test_what_a_sub_process_did_is_undone_at_its_place(engine: Engine, world: World) -> None:
    inner = sub("inner", service("b", "make"), service("c", "make"))
    engine.deploy(line("nested", service("a", "make"), inner, service("z", "make")))
    ended = run(engine, "nested")
    delete(engine, ended.process_instance_id)
    assert world.of("delete") == ["z", "c", "b", "a"]


def test_what_a_called_process_did_is_undone_at_the_calls_place(engine: Engine, world: World) -> None:
    engine.deploy(calling())
    ended = run(engine, "caller")
    delete(engine, ended.process_instance_id)
    assert world.of("delete") == ["z", "c", "b", "a"]
    assert world.exists == []


def test_a_failure_in_a_called_process_rolls_the_whole_back(engine: Engine, world: World) -> None:
    engine.deploy(calling())
    world.wrong("start", "c", RuntimeError("broke"))
    ended = run(engine, "caller")
    assert (ended.status, world.of("rollback")) == ("rollback.success", ["c", "b", "a"])
    assert [instance.kind for instance in engine.instances().items] == ["rollback", "start"]


def test_what_an_interrupting_event_cut_off_is_undone_too(engine: Engine, world: World) -> None:
    boundary = (
        '<boundaryEvent id="late" attachedToRef="w"><timerEventDefinition id="ted"><timeDuration>PT5S</timeDuration>'
        '</timerEventDefinition></boundaryEvent><endEvent id="other"/>'
    )
    engine.deploy(
        definitions(
            process(
                "cut",
                '<startEvent id="begin"/><endEvent id="done"/>',
                service("a", "make"),
                service("w", "watch"),
                boundary,
                service("instead", "make"),
                *(flow("begin", "a"), flow("a", "w"), flow("w", "done"), flow("late", "instead")),
                flow("instead", "other"),
            )
        )
    )
    ended = run(engine, "cut")
    assert (ended.status, statuses(engine.tasks(ended.process_instance_id))["w"]) == ("success", "canceled")
    delete(engine, ended.process_instance_id)
    assert world.of("delete") == ["instead", "w", "a"]
    assert world.exists == []


@pytest.mark.parametrize("activity", ["runs", "sub-process"])
def test_what_had_ended_inside_an_activity_before_it_was_cut_off_comes_before_what_follows(
    engine: Engine, world: World, activity: str
) -> None:
    fork = '<parallelGateway id="fork"/>'
    inner = definitions(
        process(
            "inner",
            '<startEvent id="in"/><endEvent id="x"/><endEvent id="y"/>',
            fork,
            *(service("m1", "make"), service("m2", "watch")),
            *(flow("in", "fork"), flow("fork", "m1"), flow("fork", "m2"), flow("m1", "x"), flow("m2", "y")),
        )
    ).decode()
    body = inner[inner.index("<startEvent") : inner.index("</process>")]
    if activity == "runs":
        engine.register(type("Second", (world.stones()[1],), {"code": "second", "serves": {"loopCounter": 1}}))
        engine.register(type("First", (world.stones()[0],), {"code": "second"}))
        cut = service("cut", "second", {"loopCounter": "${loopCounter}"}, inside=runs("2"))
    else:
        cut = f'<subProcess id="cut">{body}</subProcess>'
    boundary = (
        '<boundaryEvent id="late" attachedToRef="cut"><timerEventDefinition id="ted"><timeDuration>PT5S</timeDuration>'
        '</timerEventDefinition></boundaryEvent><endEvent id="other"/>'
    )
    engine.deploy(
        definitions(
            process(
                "cutting",
                '<startEvent id="begin"/><endEvent id="done"/>',
                *(cut, boundary, service("instead", "make")),
                *(flow("begin", "cut"), flow("cut", "done"), flow("late", "instead"), flow("instead", "other")),
            )
        )
    )
    ended = run(engine, "cutting")
    tasks = {task.namespace: task for task in engine.tasks(ended.process_instance_id)}
    assert len(tasks) == 3
    others = {task.task_id for name, task in tasks.items() if name != "instead"}
    assert set(tasks["instead"].after) == others
    assert sorted(task.status for task in tasks.values()) == ["canceled", "start.success", "start.success"]


def test_a_compensation_handler_stands_in_for_the_stones_rollback(engine: Engine, world: World) -> None:
    engine.deploy(handled("mail", {"of": "${outputs.a.id}", "size": "${size}"}))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "handled", {"size": 5})
    assert ended.status == "rollback.success"
    assert world.calls == [("start", "a"), ("start", "b"), ("rollback", "b"), ("start", "a")]
    handler = world.seen[-1]
    assert (handler.parameters, handler.phase) == ({"of": "a", "size": 5}, "complete")
    assert undone(engine.tasks(ended.process_instance_id)) == {"a": "undone", "b": "undone"}
    undo = {task.namespace: task for task in engine.tasks(str(ended.rollback_process_instance_id))}
    assert (undo["a"].stone, undo["a"].status) == ("mail", "rollback.success")


def test_a_handler_that_is_monitored_is_waited_for(engine: Engine, world: World) -> None:
    engine.deploy(handled("watch"))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "handled")
    assert (ended.status, world.of("monitor")) == ("rollback.success", ["a"] * 3)


def test_a_task_that_did_not_complete_is_rolled_back_by_its_stone(engine: Engine, world: World) -> None:
    engine.deploy(handled("mail"))
    world.wrong("start", "a", RuntimeError("broke"))
    ended = run(engine, "handled")
    assert (ended.status, world.calls) == ("rollback.success", [("start", "a"), ("rollback", "a")])


def test_a_handler_whose_values_are_not_there_yet_is_given_them_at_the_rollback(engine: Engine, world: World) -> None:
    engine.deploy(handled("mail", {"of": "${late}"}))
    world.wrong("start", "b", makes_then_fails)
    number = engine.start(key="handled", name="test", on_failure="pause").process_instance_id
    with suppress(WaitTimeout):
        engine.wait(number)
    engine.set_variables(number, {"late": "there by now"})
    engine.roll_back(number)
    assert engine.wait(number).status == "rollback.success"
    assert world.of("rollback") == ["b"]
    assert world.seen[-1].parameters == {"of": "there by now"}


def test_a_handler_whose_values_are_missing_fails_and_a_delete_does_without_it(engine: Engine, world: World) -> None:
    """It stands in place of the stone's own rollback (BPMN 2.0.2, 10.7.1), so that is not called in its place."""
    engine.deploy(handled("mail", {"of": "${nobody}"}))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "handled")
    assert (ended.status, world.of("rollback"), world.exists) == ("rollback.failed", ["b"], ["a"])
    assert "${nobody}" in " ".join(engine.why(ended.process_instance_id).sentences)

    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id).status == "delete.success"
    assert world.exists == []


def test_each_run_is_compensated_with_its_own_values(engine: Engine, world: World) -> None:
    each = (
        '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="${names}" '
        'camunda:elementVariable="name"/>'
    )
    engine.deploy(handled("mail", {"of": "${name}"}, inside=each))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "handled", {"names": ["x", "y"]})
    assert ended.status == "rollback.success"
    assert [task.parameters for task in world.seen[-2:]] == [{"of": "y"}, {"of": "x"}]


def test_only_a_rollback_uses_the_handler(engine: Engine, world: World) -> None:
    engine.deploy(handled("mail"))
    ended = run(engine, "handled")
    delete(engine, ended.process_instance_id)
    assert world.calls == [("start", "a"), ("start", "b"), ("delete", "b"), ("delete", "a")]


def test_what_the_model_has_compensated_itself_is_not_undone_again(engine: Engine, world: World) -> None:
    engine.deploy(handled("make", thrown=True))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "handled")
    assert ended.status == "rollback.success"
    assert world.calls == [("start", "a"), ("start", "refund"), ("start", "b"), ("rollback", "b")]
    assert undone(engine.tasks(ended.process_instance_id)) == {"a": "undone", "refund": None, "b": "undone"}


def thrown(activity: str, *others: str) -> bytes:
    """before, then an activity s with a handler that is run by a throw event, then b."""
    throw = '<intermediateThrowEvent id="back"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    return definitions(
        process(
            "handled",
            '<startEvent id="begin"/><endEvent id="done"/>',
            service("before", "make"),
            activity,
            '<boundaryEvent id="on" attachedToRef="s"><compensateEventDefinition id="caught"/></boundaryEvent>',
            service("refund", "make", isForCompensation="true"),
            *(throw, service("b", "make")),
            *(flow("begin", "before"), flow("before", "s"), flow("s", "back"), flow("back", "b"), flow("b", "done")),
            '<association id="by" sourceRef="on" targetRef="refund" associationDirection="One"/>',
        ),
        *others,
    )


@pytest.mark.parametrize(
    ("activity", "others", "handled"),
    [
        (sub("s", service("x", "make"), service("y", "make")), (), 1),
        (sub("s", sub("t", service("x", "make")), service("y", "make", inside=runs("2", sequential=True))), (), 1),
        (service("s", "make", inside=runs("3", sequential=True)), (), 3),
        (service("s", "make", inside=STANDARD_LOOP), (), 3),
        (sub("s", '<callActivity id="call" calledElement="called"/>'), (apart("called", service("x", "make")),), 1),
        ('<task id="s"/>', (), 1),
    ],
)
def test_all_that_a_compensated_activity_did_counts_as_undone_and_nothing_else(
    engine: Engine, world: World, activity: str, others: tuple[str, ...], handled: int
) -> None:
    engine.deploy(thrown(activity, *others))
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "handled")
    assert ended.status == "rollback.success"
    assert world.of("rollback") == ["b", "before"]
    assert world.of("start").count("refund") == handled


def test_the_generated_model_is_valid_bpmn_with_a_diagram(engine: Engine, world: World) -> None:
    wide = (service("m", "make", inside=runs("3")), service("n", "make", inside=runs("3")))
    engine.deploy(line("wide", service("a", "make"), *wide))
    ended = run(engine, "wide")
    engine.delete(ended.process_instance_id)
    undo = engine.get(str(engine.get(ended.process_instance_id).delete_process_instance_id))
    deployment = engine.deployment(undo.deployment_id)
    assert engine.lint(deployment.xml.encode()) == []
    assert deployment.name == "delete of test"
    assert undo.deployment_id not in [known.deployment_id for known in engine.deployments().items]
    assert "BPMNShape" in deployment.xml


def test_an_undo_of_many_tasks_stays_small_and_quick(engine: Engine, world: World) -> None:
    engine.deploy(line("wide", service("m", "make", inside=runs("60")), service("n", "make", inside=runs("60"))))
    ended = run(engine, "wide")
    delete(engine, ended.process_instance_id)
    undo = engine.get(str(engine.get(ended.process_instance_id).delete_process_instance_id))
    assert engine.deployment(undo.deployment_id).xml.count("<sequenceFlow") < 500, "not sixty times sixty"
    assert world.exists == []


def test_an_undo_larger_than_any_model_may_be_goes_through(tmp_path: Path, world: World) -> None:
    url = f"sqlite:///{tmp_path}/small.db"
    limits = Limits(model_size=6_000, model_nodes=20)
    with Engine(url, stones=world.stones(), clock=VirtualClock(), limits=limits) as engine:
        engine.deploy(line("wide", service("m", "make", inside=runs("60", sequential=True))))
        started = engine.start(key="wide", name="test").process_instance_id
        delete_id = engine.delete(started).delete_process_instance_id
        assert engine.wait(started, 60).status == "delete.success"
    with Engine(url, stones=world.stones(), clock=VirtualClock(), limits=limits) as engine:
        assert len(engine.tasks(str(delete_id))) == 60
        assert engine.delete(started).status == "delete.success"


def test_variables_that_refer_to_secrets_are_not_in_the_generated_model(engine: Engine, world: World) -> None:
    template = [{"Key": "password", "Type": "String", "NoEcho": True}]
    engine.deploy(handled("mail", {"with": "${password}"}), parameter_template=template)
    world.wrong("start", "b", RuntimeError("broke"))
    ended = run(engine, "handled", {"password": "s3cret-word"})
    assert world.seen[-1].parameters == {"with": "s3cret-word"}
    undo = engine.get(str(ended.rollback_process_instance_id))
    shown = [engine.deployment(undo.deployment_id).xml, repr(engine.tasks(undo.process_instance_id))]
    assert "s3cret-word" not in json.dumps(shown)
