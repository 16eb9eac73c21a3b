"""In what order mappings are read, which scope they see, and where their values go. Told twice, as above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .elements import START, Stage, catch, end, model, script, stages, user
from .test_elements_mappings import EXTENDED, KEEP, put, variables, zeebe

NAMES = '<message id="M" name="M"><extensionElements xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">{}</extensionElements></message>'


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def task(*mappings: str) -> str:
    """A task without work that has these mappings."""
    return f'<task id="t">{EXTENDED.format("".join(mappings))}</task>'


def told(stage: Stage, element: str, **given: Any) -> dict[str, Any]:
    """The variables behind an element."""
    stage.start(model(START + element + KEEP + end("e"), "s -> t -> keep -> e"), **given)
    return variables(stage)


def order(*pairs: tuple[str, str], direction: str = "output") -> str:
    """Zeebe's mappings in this order, as target and source."""
    inside = "".join(f'<zeebe:{direction} target="{target}" source="{source}"/>' for target, source in pairs)
    return f"<zeebe:ioMapping>{inside}</zeebe:ioMapping>"


def test_an_output_mapping_sees_those_before_it(stage: Stage) -> None:
    # As Zeebe (variable mappings are evaluated in order) and Camunda 7, where each is set before the next is read.
    assert told(stage, task(order(("x", "=1"), ("y", "=x + 1"), ("z", "=x + y"))), x=10) == {"x": 1, "y": 2, "z": 3}
    assert told(stage, task(put("out", x="new", y="${x}")), x="old") == {"x": "new", "y": "new"}


def test_an_input_mapping_of_zeebe_sees_those_before_it_and_one_of_camunda_7_does_not(stage: Stage) -> None:
    local = order(("x", "=1"), ("y", "=x + 1"), direction="input")
    assert told(stage, task(local, order(("out", "=y"))), x=10) == {"x": 10, "out": 2}
    local = put("in", x="inner", y="${x}")
    assert told(stage, task(local, put("out", out="${y}")), x="outer") == {"x": "outer", "out": "outer"}


def test_of_two_mappings_of_zeebe_to_one_target_the_last_counts(stage: Stage) -> None:
    local = order(("a", "=1"), ("a", "=2"), direction="input")
    assert told(stage, task(local, order(("out", "=a"), ("out", "=a + 1")))) == {"out": 3}


def test_a_long_chain_of_mappings_is_read_without_depth(stage: Stage) -> None:
    chain = [("n0", "=1"), *((f"n{number}", f"=n{number - 1} + 1") for number in range(1, 1500))]
    assert told(stage, task(order(*chain, direction="input"), order(("out", "=n1499")))) == {"out": 1500}


def test_a_nested_target_sets_a_member_beside_those_that_are_there(stage: Stage) -> None:
    # Zeebe, "Input/output variable mappings": a target x.y is the member y of x.
    nested = task(order(("x.y.z", "=1"), ("x.w", "=x.y.z + 1"), ("new.member", "=x.keep")))
    behind = script("keep", "log({'x': x, 'new': new})")
    stage.start(model(START + nested + behind + end("e"), "s -> t -> keep -> e"), x={"keep": 5, "y": {"a": 0}})
    assert variables(stage) == {"x": {"keep": 5, "y": {"a": 0, "z": 1}, "w": 2}, "new": {"member": 5}}


def test_a_nested_target_takes_the_place_of_what_is_no_object(stage: Stage) -> None:
    behind = script("keep", "log({'x': x})")
    stage.start(model(START + task(order(("x.y", "=1"))) + behind + end("e"), "s -> t -> keep -> e"), x=7)
    assert variables(stage) == {"x": {"y": 1}}


CALL = '<callActivity id="t" calledElement="inner">{}</callActivity>'


def call(stage: Stage, mappings: str, inner: str, **given: Any) -> dict[str, Any]:
    """The variables of a process behind its call of another one."""
    stage.deploy(model(START + inner + end("f"), "s -> i -> f", key="inner"))
    return told(stage, CALL.format(EXTENDED.format(mappings)), **given)


def test_an_input_of_a_call_stays_with_the_call(stage: Stage) -> None:
    """It is local to the activity (Zeebe and Camunda 7), so what comes back under its name stops there too."""
    inner = script("i", "seen = z; z = 6; made = 1")
    everything = "<zeebe:calledElement/>"
    assert call(stage, zeebe("input", z="=5") + everything, inner, z=1) == {"z": 1, "seen": 5, "made": 1}
    everything = '<camunda:in variables="all"/><camunda:out variables="all"/>'
    assert call(stage, put("in", z="${5}") + everything, inner, z=1) == {"z": 1, "seen": 5, "made": 1}


def test_what_goes_into_a_called_process_by_name_reads_the_inputs_of_the_call(stage: Stage) -> None:
    mappings = put("in", loc="inner") + '<camunda:in source="loc" target="got"/><camunda:out source="got"/>'
    assert call(stage, mappings, script("i", "pass"), loc="outer") == {"loc": "outer", "got": "inner"}


@pytest.mark.parametrize("name", ["a+b", "5", "null", "a b", "a.b"])
def test_what_is_passed_by_its_name_is_no_expression(stage: Stage, name: str) -> None:
    mappings = f'<camunda:in source="{name}" target="got"/><camunda:out source="got"/>'
    behind = script("keep", "log(got)")
    stage.deploy(model(START + script("i", "pass") + end("f"), "s -> i -> f", key="inner"))
    caller = CALL.format(EXTENDED.format(mappings))
    given: dict[str, Any] = {"a": 1, "b": 2, name: "the variable"}
    stage.start(model(START + caller + behind + end("e"), "s -> t -> keep -> e"), **given)
    assert stage.log[-1] == "the variable"


@pytest.mark.parametrize(
    ("value", "kind"), [(None, "null"), (True, "a boolean"), ([1], "a list"), ({"a": 1}, "an object")]
)
def test_a_correlation_is_text_or_a_number(stage: Stage, value: object, kind: str) -> None:
    """Else all processes without an order would wait for the same message (Zeebe: an incident)."""
    names = NAMES.format('<zeebe:subscription correlationKey="=order"/>')
    waits = catch("w", '<messageEventDefinition messageRef="M"/>')
    source = model(START + waits + end("e"), "s -> w -> e", before=names)
    assert stage.start(source, order=value).status == "failed"
    assert stage.reason == f"The correlation of 'w' is {kind}, neither text nor a number: give it a value."
    assert stage.start(order=7).status == "running"


@pytest.mark.parametrize(("value", "found"), [(None, "null"), ("", "an empty text"), (5, "a number")])
def test_a_called_process_is_named_by_text(stage: Stage, value: object, found: str) -> None:
    source = model(START + '<callActivity id="t" calledElement="${which}"/>' + end("e"), "s -> t -> e")
    assert stage.start(source, which=value).status == "failed"
    assert stage.reason == f"What 't' calls is {found}, not the key of a process."


def test_an_element_that_is_tried_again_lets_its_inputs_in_once(stage: Stage) -> None:
    """An input that is made of the variable in front of which it stands was made of itself the second time."""
    counts = put("in", n="${n + 1}") + put("out", made="${missing}", twice="${n}")
    stage.deploy(model(START + task(counts) + end("e"), "s -> t -> e"))
    process = stage.engine.start(key="p", name="test", variables={"n": 1}, on_failure="pause").process_instance_id
    stage.engine.set_variables(process, {"missing": 5})
    stage.engine.retry(process, element_id="t")
    assert stage.engine.variables(process) == {"n": 1, "missing": 5, "made": 5, "twice": 2}


def test_a_task_that_is_gone_back_to_lets_its_inputs_in_once(stage: Stage) -> None:
    asked = user("t", EXTENDED.format(put("in", n="${n + 1}")))
    stage.start(model(START + asked + user("u") + end("e"), "s -> t -> u -> e"), n=1)
    stage.complete("t")
    (first,) = [each for each in stage.engine.tasks(stage.number) if each.element_id == "t"]
    stage.engine.rewind(stage.number, to=first.task_id)
    stage.watch(stage.number)
    shown = [dict(each.parameters) for each in stage.engine.tasks(stage.number) if each.element_id == "t"]
    assert shown == [{"n": 2}, {"n": 2}]


EACH = '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="items" camunda:elementVariable="x"/>'


@pytest.mark.parametrize("tag", ["serviceTask", "userTask"])
def test_a_run_that_is_gone_back_to_reads_its_element_in_an_input_of_the_same_name(stage: Stage, tag: str) -> None:
    """The element variable belongs to the run (BPMN 2.0.2, 13.3.7), and the input stands in front of it."""
    bound = ' camunda:type="external" camunda:topic="log"' if tag == "serviceTask" else ""
    repeated = f'<{tag} id="t"{bound}>{EXTENDED.format(put("in", x="${x * 10}"))}{EACH}</{tag}>'
    stage.start(model(START + repeated + user("u") + end("e"), "s -> t -> u -> e"), items=[1, 2])
    for _ in range(2 * (tag == "userTask")):
        stage.complete("t")
    second = [each for each in stage.engine.tasks(stage.number) if each.element_id == "t"][1]
    stage.engine.rewind(stage.number, to=second.task_id, retain=[second.task_id] * bool(bound))
    stage.watch(stage.number)._settle()
    again = [dict(each.parameters) for each in stage.engine.tasks(stage.number) if each.element_id == "t"]
    assert (stage.status, again) == ("running", [{"x": 10}, {"x": 20}, {"x": 20}])


def test_a_run_that_is_tried_again_before_its_inputs_were_let_in_keeps_its_element(stage: Stage) -> None:
    inputs = EXTENDED.format(put("in", x="${x + missing}") + '<camunda:in source="x" target="x"/>')
    called = model(START + script("c", "log(x)") + end("e"), "s -> c -> e", key="q")
    calls = f'<callActivity id="t" calledElement="q">{inputs}{EACH}</callActivity>'
    stage.deploy(model(START + calls + end("e"), "s -> t -> e"), called)
    process = stage.engine.start(
        key="p", name="test", variables={"items": [1, 2]}, on_failure="pause"
    ).process_instance_id
    stage.engine.set_variables(process, {"missing": 5})
    stage.engine.retry(process, element_id="t")
    stage.watch(process)._settle()
    assert (stage.log, stage.status) == ([6, 7], "success")
