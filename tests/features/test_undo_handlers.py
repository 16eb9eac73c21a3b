"""A compensation handler of the model undoes the whole of a completed activity, in the stones' stead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.engine import BpmnError, Engine, VirtualClock

from .sketch import definitions, flow, process, runs, service
from .test_undo_models import apart, sub
from .world import World, policy, run, statuses, undone

HANDLER = service("refund", "mail", isForCompensation="true")
STEPS = (
    '<subProcess id="refund" isForCompensation="true"><startEvent id="in"/>'
    f"{service('first', 'make')}{service('second', 'watch', {'of': '${outputs.x.id} ${size}'})}"
    f"{flow('in', 'first')}{flow('first', 'second')}</subProcess>"
)
OWN = (
    '<subProcess id="own" triggeredByEvent="true"><startEvent id="asked"><compensateEventDefinition id="trigger"/>'
    "</startEvent>{inside}</subProcess>"
)


def model(activity: str, handler: str = HANDLER, *others: str) -> bytes:
    """before, the activity s with a handler on its border, then b."""
    border, line = (on("", "s", "refund", handler)) if handler else ("", "")
    return definitions(
        process(
            "shop",
            '<startEvent id="begin"/><endEvent id="done"/>',
            service("before", "make"),
            *(activity, border, service("b", "make")),
            *(flow("begin", "before"), flow("before", "s"), flow("s", "b"), flow("b", "done")),
            line,
        ),
        *others,
    )


def on(name: str, activity: str, handler: str, text: str) -> tuple[str, str]:
    """A handler on the border of an activity, and the line between them, which comes last in its process."""
    border = f'<boundaryEvent id="on{name}" attachedToRef="{activity}"><compensateEventDefinition id="caught{name}"/>'
    line = f'<association id="by{name}" sourceRef="on{name}" targetRef="{handler}" associationDirection="One"/>'
    return f"{border}</boundaryEvent>{text}", line


WATCHED = b'id="b" camunda:type="external" camunda:topic="watch"'
XY = sub("s", service("x", "make"), service("y", "make"))


@pytest.fixture
def engine(tmp_path: Path, world: World) -> Iterator[Engine]:
    world.wrong("start", "b", RuntimeError("no more room"))
    with opened(tmp_path, world) as engine:
        yield engine


def opened(folder: Path, world: World) -> Engine:
    return Engine(f"sqlite:///{folder}/river.db", stones=world.stones(), clock=VirtualClock(1_800_000_000_000))


def undoing(world: World) -> list[tuple[str, str]]:
    """The calls after the failure of b."""
    return world.calls[world.calls.index(("start", "b")) + 1 :]


def test_the_handler_of_a_sub_process_runs_once_for_all_that_happened_inside(engine: Engine, world: World) -> None:
    engine.deploy(model(XY))

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    assert undoing(world) == [("rollback", "b"), ("start", "s"), ("rollback", "before")]
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}
    undo = engine.tasks(str(ended.rollback_process_instance_id))
    assert [(task.name, task.namespace, task.stone) for task in undo] == [
        ("b", "b", "make"),
        ("s", "s", "mail"),
        ("before", "before", "make"),
    ]
    xml = engine.deployment(engine.get(str(ended.rollback_process_instance_id)).deployment_id).xml
    assert xml.count("<serviceTask") == 3


def test_a_sub_process_that_has_not_completed_has_no_handler_yet(engine: Engine, world: World) -> None:
    engine.deploy(model(XY))
    world.wrong("start", "y", RuntimeError("broke"))

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    assert world.calls[3:] == [("rollback", "y"), ("rollback", "x"), ("rollback", "before")]


@pytest.mark.parametrize("kind", ["cancel", "delete"])
def test_cancel_and_delete_have_hooks_of_their_own(engine: Engine, world: World, kind: str) -> None:
    world.faults.clear()
    engine.deploy(model(XY).replace(b'id="b" camunda:type="external" camunda:topic="make"', WATCHED))
    started = engine.start(key="shop", name="test").process_instance_id
    if kind == "delete":
        engine.wait(started, 60)

    getattr(engine, kind)(started)

    assert engine.get(started).status == f"{kind}.success"
    assert world.of(kind) == ["b", "y", "x", "before"]


def test_a_preview_shows_the_handler(engine: Engine, world: World) -> None:
    world.faults.clear()
    engine.deploy(model(XY))
    started = run(engine, "shop").process_instance_id
    b, s, before = engine.preview(started, "rollback")

    assert (s.name, s.namespace, s.stone, s.action) == ("s", "s", "mail", "rollback")
    assert (s.after, before.after) == ((b.task_id,), (s.task_id,))
    assert [step.namespace for step in engine.preview(started, "delete")] == ["b", "y", "x", "before"]


@pytest.mark.parametrize("sequential", [True, False])
def test_each_run_of_a_repeated_sub_process_is_compensated_by_itself(
    engine: Engine, world: World, sequential: bool
) -> None:
    xy = XY.replace('<subProcess id="s">', f'<subProcess id="s">{runs("2", sequential=sequential)}')
    engine.deploy(model(xy, service("refund", "mail", {"of": "${loopCounter}"}, isForCompensation="true")))

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    assert undoing(world) == [("rollback", "b"), ("start", "s2"), ("start", "s1"), ("rollback", "before")]
    assert [task.parameters for task in world.seen[-3:-1]] == [{"of": 1}, {"of": 0}]
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}


def test_a_turn_of_a_loop_covers_no_other_turn(engine: Engine, world: World) -> None:
    loop = '<standardLoopCharacteristics loopMaximum="2"/>'
    engine.deploy(model(XY.replace('<subProcess id="s">', f'<subProcess id="s">{loop}')))
    world.wrong("start", "s", RuntimeError("the second turn cannot be compensated"))

    ended = run(engine, "shop")

    assert ended.status == "rollback.failed"
    marks = [(task.namespace, task.undo) for task in engine.tasks(ended.process_instance_id)]
    assert marks == [("before", None), ("x", None), ("y", None), ("x", "failed"), ("y", "failed"), ("b", "undone")]
    assert engine.retry_undo(ended.process_instance_id).status == "rollback.success"
    assert world.of("start").count("s") == 3


def test_the_outermost_handler_takes_the_place_of_those_inside(engine: Engine, world: World) -> None:
    border, by = on("x", "x", "hx", service("hx", "mail", isForCompensation="true"))
    engine.deploy(model(XY.replace("</subProcess>", f"{border}{by}</subProcess>")))
    world.wrong("start", "y", RuntimeError("broke"))
    assert run(engine, "shop").status == "rollback.success"
    assert world.calls[3:] == [("rollback", "y"), ("start", "x"), ("rollback", "before")]
    world.calls.clear()

    assert run(engine, "shop").status == "rollback.success"

    assert undoing(world) == [("rollback", "b"), ("start", "s"), ("rollback", "before")]


@pytest.mark.parametrize("together", [True, False])
def test_a_called_process_is_compensated_as_a_whole(engine: Engine, world: World, together: bool) -> None:
    inner = apart("inner", service("x", "make"), service("y", "make"))
    if not together:
        engine.deploy(definitions(inner))
    engine.deploy(model('<callActivity id="s" calledElement="inner"/>', HANDLER, *([inner] if together else [])))

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    assert undoing(world) == [("rollback", "b"), ("start", "s"), ("rollback", "before")]
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}


def test_what_no_stone_did_can_be_compensated_too(engine: Engine, world: World) -> None:
    engine.deploy(model('<task id="s" name="Sign"/>'))

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    assert undoing(world) == [("rollback", "b"), ("start", "s"), ("rollback", "before")]
    [sign] = [task for task in engine.tasks(ended.process_instance_id) if task.name == "Sign"]
    assert (sign.stone, sign.status, sign.undo) == (None, "success", "undone")


def test_a_node_inside_that_is_to_be_kept_stays_listed(engine: Engine, world: World) -> None:
    engine.deploy(model(sub("s", service("x", "make"), policy("kept", "make", "retain"), service("y", "make"))))

    ended = run(engine, "shop")

    assert undoing(world) == [("rollback", "b"), ("start", "s"), ("rollback", "before")]
    assert undone(engine.tasks(ended.process_instance_id)) == {
        "before": "undone",
        "x": "undone",
        "kept": "retained",
        "y": "undone",
        "b": "undone",
    }


@pytest.mark.parametrize("together", [True, False])
def test_a_handler_of_several_steps_is_run_by_the_rollback(
    engine: Engine, world: World, together: bool, tmp_path: Path
) -> None:
    inner = apart("inner", service("x", "make"), service("y", "make"))
    activity = XY if together else '<callActivity id="s" calledElement="inner"/>'
    handler = STEPS if together else STEPS.replace("outputs.x.id", "outputs.s.x.id")
    engine.deploy(model(activity, handler, *([] if together else [inner])))

    ended = run(engine, "shop", {"size": 7})

    assert ended.status == "rollback.success"
    assert [call for call in undoing(world) if call[0] != "monitor"] == [
        ("rollback", "b"),
        ("start", "first"),
        ("start", "second"),
        ("rollback", "before"),
    ]
    assert next(task.parameters["of"] for task in world.seen if task.namespace == "second") == "x 7"
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}
    undo = engine.get(str(ended.rollback_process_instance_id))
    assert [task.status for task in engine.tasks(undo.process_instance_id)] == [
        "rollback.success",
        "start.success",
        "monitor.success",
        "rollback.success",
    ]
    xml = engine.deployment(undo.deployment_id).xml
    assert xml.count("<callActivity") == 1
    assert not [finding for finding in engine.lint(xml.encode()) if finding.code != "unknown-called-process"]


def test_a_compensation_event_sub_process_decides_itself_what_becomes_of_what_is_inside(
    engine: Engine, world: World
) -> None:
    border, by = on("x", "x", "hx", service("hx", "mail", {"of": "${outputs.x.id}"}, isForCompensation="true"))
    throw = '<intermediateThrowEvent id="back"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    inside = service("told", "mail", {"of": "${outputs.y.id}"}) + throw + flow("asked", "told") + flow("told", "back")
    activity = XY.replace("</subProcess>", f"{border}{OWN.format(inside=inside)}{by}</subProcess>")
    engine.deploy(model(activity, ""))

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    assert undoing(world) == [("rollback", "b"), ("start", "told"), ("start", "hx"), ("rollback", "before")]
    assert [task.parameters for task in world.seen[-3:-1]] == [{"of": "y"}, {"of": "x"}]
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}


def test_a_handler_that_fails_is_listed_and_goes_on_where_it_failed(engine: Engine, world: World) -> None:
    engine.deploy(model(XY, STEPS))
    world.wrong("start", "second", RuntimeError("closed today"))

    ended = run(engine, "shop", {"size": 7})

    assert ended.status == "rollback.failed"
    marks = undone(engine.tasks(ended.process_instance_id))
    assert marks == {"before": None, "x": "failed", "y": "failed", "b": "undone"}
    reason = engine.get(str(ended.rollback_process_instance_id)).reason or ""
    assert "closed today" in reason
    assert "remain to be undone" in reason

    engine.retry_undo(ended.process_instance_id)
    again = engine.wait(ended.process_instance_id, 60)

    assert again.status == "rollback.success"
    assert world.of("start").count("first") == 1
    assert world.of("start").count("second") == 2
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}


def test_a_handler_whose_values_are_missing_in_the_rollback_fails_and_can_be_given_up(
    engine: Engine, world: World
) -> None:
    engine.deploy(model(XY, STEPS.replace("${outputs.x.id} ${size}", "${nobody}")))

    ended = run(engine, "shop")

    assert ended.status == "rollback.failed"
    assert "nobody" in (engine.get(str(ended.rollback_process_instance_id)).reason or "")
    assert engine.retry_undo(ended.process_instance_id).status == "rollback.failed"
    rows = {task.namespace: task.task_id for task in engine.tasks(ended.process_instance_id)}
    assert engine.retry_undo(ended.process_instance_id, retain=[rows["x"]]).status == "rollback.success"
    assert undone(engine.tasks(ended.process_instance_id)) == {
        "before": "undone",
        "x": "retained",
        "y": "retained",
        "b": "undone",
    }


def test_what_a_handler_left_that_failed_half_way_can_be_given_up_by_name(engine: Engine, world: World) -> None:
    border, by = on("y", "y", "hy", service("hy", "mail", isForCompensation="true"))
    throw = '<intermediateThrowEvent id="back"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    own = OWN.format(inside=f"{throw}{service('told', 'mail')}{flow('asked', 'back')}{flow('back', 'told')}")
    engine.deploy(model(XY.replace("</subProcess>", f"{border}{own}{by}</subProcess>"), ""))
    world.wrong("start", "told", RuntimeError("closed today"))
    ended = run(engine, "shop")
    rows = {task.namespace: task.task_id for task in engine.tasks(ended.process_instance_id)}
    assert undone(engine.tasks(ended.process_instance_id)) == {
        "before": None,
        "x": "failed",
        "y": "undone",
        "b": "undone",
    }
    reason = engine.get(str(ended.rollback_process_instance_id)).reason or ""
    assert reason.endswith(f"; {rows['before']} remain to be undone.")

    assert engine.retry_undo(ended.process_instance_id, retain=[rows["x"]]).status == "rollback.success"

    assert undone(engine.tasks(ended.process_instance_id)) == {
        "before": "undone",
        "x": "retained",
        "y": "undone",
        "b": "undone",
    }


def test_what_a_failed_handler_left_a_delete_takes_back_stone_by_stone(engine: Engine, world: World) -> None:
    engine.deploy(model(XY))
    world.wrong("start", "s", RuntimeError("closed today"))
    ended = run(engine, "shop")
    assert ended.status == "rollback.failed"

    engine.delete(ended.process_instance_id)

    assert engine.get(ended.process_instance_id).status == "delete.success"
    assert world.of("delete") == ["y", "x", "before"]


def steps(inside: str) -> str:
    """A handler of several steps."""
    return f'<subProcess id="refund" isForCompensation="true"><startEvent id="in"/>{inside}</subProcess>'


def test_handlers_inside_of_a_handler_are_called_as_its_model_says(engine: Engine, world: World) -> None:
    border, by = on("first", "first", "hf", service("hf", "mail", isForCompensation="true"))
    throw = '<intermediateThrowEvent id="back"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    flows = (flow("in", "first"), flow("first", "second"), flow("second", "back"))
    engine.deploy(
        model(XY, steps(service("first", "make") + border + service("second", "make") + throw + "".join(flows) + by))
    )

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    expected = [("rollback", "b"), ("start", "first"), ("start", "second"), ("start", "hf"), ("rollback", "before")]
    assert undoing(world) == expected
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) == {"undone"}
    # What the handler made is its own.
    assert world.exists == ["first", "hf", "second", "x", "y"]


def test_a_handler_that_is_left_by_its_border_in_a_rollback_has_taken_nothing_back(
    engine: Engine, world: World
) -> None:
    world.wrong("start", "first", BpmnError("closed", "come back tomorrow"))
    border = '<boundaryEvent id="left" attachedToRef="refund"><errorEventDefinition id="lefts"/></boundaryEvent>'
    told = service("told", "mail")
    handler = steps(service("first", "make") + flow("in", "first")) + border + told + flow("left", "told")
    engine.deploy(model(XY, handler))

    ended = run(engine, "shop")

    assert ended.status == "rollback.success"
    assert undoing(world) == [("rollback", "b"), ("start", "first"), ("start", "told"), ("rollback", "before")]
    found = undone(engine.tasks(ended.process_instance_id))
    assert (found["x"], found["y"], found["before"]) == ("retained", "retained", "undone")
    assert {each.namespace for each in engine.resources(process_instance_id=ended.process_instance_id).items} == {
        "x",
        "y",
    }
    engine.delete(ended.process_instance_id)
    assert engine.wait(ended.process_instance_id, 60).status == "delete.success"
    assert undone(engine.tasks(ended.process_instance_id))["x"] == "undone"


@pytest.mark.parametrize(("handler", "failed"), [(HANDLER, "refund"), (STEPS, "second")])
def test_a_handler_that_somebody_skips_has_taken_nothing_back(
    engine: Engine, world: World, handler: str, failed: str
) -> None:
    """The process goes on, and what the activity made is there for the next undo."""
    world.faults.clear()
    world.wrong("start", failed, RuntimeError("closed"))
    throw = '<intermediateThrowEvent id="b"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    engine.deploy(model(XY, handler).replace(service("b", "make").encode(), throw.encode()))
    number = run(engine, "shop", {"size": 7}, on_failure="pause").process_instance_id
    (failure,) = engine.failures(number)

    engine.skip(str(failure.task_id))

    assert engine.wait(number, 60).status == "success"
    assert {"x", "y"} <= {each.namespace for each in engine.resources(process_instance_id=number).items}
    engine.delete(number)
    assert engine.wait(number, 60).status == "delete.success"
    assert not {"x", "y"} & set(world.exists)


def test_a_compensation_that_a_process_has_begun_is_finished_by_its_rollback(engine: Engine, world: World) -> None:
    """The handler had its first step done when the process failed beside it."""
    throw = '<intermediateThrowEvent id="b"><compensateEventDefinition id="throwing"/></intermediateThrowEvent>'
    source = model(XY, STEPS).replace(service("b", "make").encode(), throw.encode())
    engine.deploy(source)
    world.wrong("start", "second", RuntimeError("closed today"))

    ended = run(engine, "shop", {"size": 7})

    assert ended.status == "rollback.success"
    calls = [name for event, name in world.calls if event == "start"]
    assert calls == ["before", "x", "y", "first", "second", "first", "second"]
    assert world.of("rollback") == ["before"]
    assert set(undone(engine.tasks(ended.process_instance_id)).values()) <= {"undone", None}


def test_a_handler_of_several_steps_survives_a_restart(tmp_path: Path, world: World) -> None:
    world.wrong("start", "b", RuntimeError("no more room"))
    with opened(tmp_path, world) as engine:
        engine.deploy(model(XY, STEPS))
        started = engine.start(key="shop", name="test", variables={"size": 7}).process_instance_id
        assert engine.get(started).status == "rollback.begin"
        assert ("start", "second") in world.calls
    with opened(tmp_path, world) as engine:
        assert isinstance(engine.clock, VirtualClock)
        ended = engine.wait(started, 3600)

        assert ended.status == "rollback.success"
        assert world.of("start").count("second") == 1
        assert world.of("monitor") == ["second"] * 3
        assert world.calls[-1] == ("rollback", "before")
        assert statuses(engine.tasks(str(ended.rollback_process_instance_id)))["second"] == "monitor.success"


def test_what_a_branch_beside_it_did_waits_for_neither(engine: Engine, world: World) -> None:
    text = model(XY).decode()
    fork = '<parallelGateway id="fork"/>' + service("beside", "make") + flow("before", "fork") + flow("fork", "beside")
    text = text.replace(flow("before", "s"), fork + flow("fork", "s"))
    engine.deploy(text.encode())

    ended = run(engine, "shop")

    steps = {task.namespace: task for task in engine.tasks(str(ended.rollback_process_instance_id))}
    assert steps["beside"].after == ()
    assert set(steps["before"].after) == {steps["beside"].task_id, steps["s"].task_id}


def test_an_activity_whose_results_are_all_kept_is_compensated_all_the_same(engine: Engine, world: World) -> None:
    engine.deploy(model(sub("s", policy("kept", "make", "retain"))))

    ended = run(engine, "shop")

    assert undoing(world) == [("rollback", "b"), ("start", "s"), ("rollback", "before")]
    marks = undone(engine.tasks(ended.process_instance_id))
    assert marks == {"before": "undone", "kept": "retained", "s": "undone", "b": "undone"}
