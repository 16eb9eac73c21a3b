"""What is let in and out of tasks and events, and what thrown messages and signals bring. Told twice, as above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import ModelInvalid

from .elements import START, Stage, catch, end, model, script, stages, sub, throw, user, work

NAMES = '<signal id="S" name="S"/><message id="M" name="M"/><error id="E" errorCode="one"/>'
ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
FLOWABLE = 'xmlns:flowable="http://flowable.org/bpmn"'
EXTENDED = f"<extensionElements {ZEEBE}>{{}}</extensionElements>"


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def put(direction: str, **values: str) -> str:
    """Camunda's mappings, ``in`` or ``out``."""
    kind = {"in": "inputParameter", "out": "outputParameter"}[direction]
    inside = "".join(f'<camunda:{kind} name="{name}">{value}</camunda:{kind}>' for name, value in values.items())
    return f"<camunda:inputOutput>{inside}</camunda:inputOutput>"


def zeebe(direction: str, **values: str) -> str:
    """Zeebe's mappings, ``input`` or ``output``."""
    inside = "".join(f'<zeebe:{direction} target="{name}" source="{value}"/>' for name, value in values.items())
    return f"<zeebe:ioMapping>{inside}</zeebe:ioMapping>"


def variables(stage: Stage) -> dict[str, Any]:
    """The variables that the process had when its last script logged them."""
    found: dict[str, Any] = stage.log[-1]
    return found


KEEP = script("keep", "log({name: value for name, value in globals().items() if isinstance(value, (str, int, list))})")


SIGNAL = '<signalEventDefinition signalRef="S"/>'
MESSAGE = '<messageEventDefinition messageRef="M"/>'
SHARED = '<signalEventDefinition signalRef="S"><extensionElements>{}</extensionElements></signalEventDefinition>'


@pytest.mark.parametrize(
    ("event", "definition", "trigger"),
    [
        (f'<intermediateThrowEvent id="t">{EXTENDED.format(put("in", who="${name}", n="${2 + 1}"))}', MESSAGE, MESSAGE),
        (f'<endEvent id="t">{EXTENDED.format(zeebe("input", who="=name", n="=2 + 1"))}', MESSAGE, MESSAGE),
        (f'<endEvent id="t">{EXTENDED.format(put("in", who="${name}", n="${3}"))}', SIGNAL, SIGNAL),
        (
            '<intermediateThrowEvent id="t">',
            SHARED.format('<camunda:in source="name" target="who"/><camunda:in sourceExpression="${3}" target="n"/>'),
            SIGNAL,
        ),
        (f'<sendTask id="t" messageRef="M">{EXTENDED.format(put("in", who="${name}", n="${3}"))}', "", MESSAGE),
    ],
)
def test_what_is_thrown_brings_what_the_model_lets_out(stage: Stage, event: str, definition: str, trigger: str) -> None:
    tag = event[1:].partition(" ")[0]
    after = "" if tag == "endEvent" else end("e")
    sender = model(
        START + event + definition + f"</{tag}>" + after, "s -> t" + (" -> e" if after else ""), before=NAMES
    )
    receiver = model(
        f'<startEvent id="s">{trigger}</startEvent>' + KEEP + end("e"), "s -> keep -> e", key="q", before=NAMES
    )
    stage.deploy(receiver)
    stage.start(sender, name="ann", other=1)
    assert variables(stage) == {"who": "ann", "n": 3}


def test_a_signal_may_bring_everything(stage: Stage) -> None:
    body = START + throw("t", SHARED.format('<camunda:in variables="all"/>')) + end("e")
    stage.deploy(
        model(f'<startEvent id="s">{SIGNAL}</startEvent>' + KEEP + end("e"), "s -> keep -> e", key="q", before=NAMES)
    )
    stage.start(model(body, "s -> t -> e", before=NAMES), name="ann", n=3)
    assert variables(stage) == {"name": "ann", "n": 3}


def test_what_comes_with_an_event_is_mapped(stage: Stage) -> None:
    waits = catch("w", EXTENDED.format(zeebe("output", total="=price * 2")) + MESSAGE)
    stage.start(model(START + waits + KEEP + end("e"), "s -> w -> keep -> e", before=NAMES)).message("M", price=4)
    assert variables(stage)["total"] == 8


def test_an_event_on_a_border_maps_what_it_catches(stage: Stage) -> None:
    inside = EXTENDED.format(put("out", why="${errorCode}")) + (
        '<errorEventDefinition errorRef="E" camunda:errorCodeVariable="code" camunda:errorMessageVariable="text"/>'
    )
    body = START + script("t", "fail('one')") + f'<boundaryEvent id="x" attachedToRef="t">{inside}</boundaryEvent>'
    stage.start(model(body + KEEP + end("e") + end("f"), "s -> t -> f", "x -> keep -> e", before=NAMES))
    assert {"why": "one", "code": "one", "text": "thrown by a script"}.items() <= variables(stage).items()


@pytest.mark.parametrize(
    ("said", "told"), [("No room for ${n}.", "No room for 3."), ("${n}", "3"), ("", "thrown by the end event 'x'")]
)
def test_an_end_event_throws_an_error_with_the_text_of_its_model(stage: Stage, said: str, told: str) -> None:
    named = NAMES.replace('errorCode="one"', f'errorCode="one" camunda:errorMessage="{said}"')
    thrown = '<startEvent id="b"/><endEvent id="x"><errorEventDefinition errorRef="E"/></endEvent>'
    body = START + f'<subProcess id="t">{thrown}<sequenceFlow id="in" sourceRef="b" targetRef="x"/></subProcess>'
    body += '<boundaryEvent id="c" attachedToRef="t"><errorEventDefinition errorRef="E"/></boundaryEvent>'
    stage.start(model(body + KEEP + end("e") + end("f"), "s -> t -> f", "c -> keep -> e", before=named), n=3)
    assert variables(stage)["errorMessage"] == told


def test_a_start_event_may_set_variables(stage: Stage) -> None:
    start = f'<startEvent id="s">{EXTENDED.format(zeebe("output", twice="=n * 2"))}</startEvent>'
    stage.start(model(start + KEEP + end("e"), "s -> keep -> e"), n=2)
    assert variables(stage) == {"n": 2, "twice": 4}


def test_what_a_task_lets_in_is_seen_inside_and_only_there(stage: Stage) -> None:
    inside = EXTENDED.format(put("in", local="${n + 1}")) + "<script>log(local); local = 9; made = local</script>"
    body = START + f'<scriptTask id="t">{inside}</scriptTask>' + KEEP + end("e")
    stage.start(model(body, "s -> t -> keep -> e"), n=1)
    assert stage.log[0] == 2
    assert variables(stage) == {"n": 1, "made": 9}


def test_a_person_sees_what_her_task_lets_in(stage: Stage) -> None:
    task = user("a", EXTENDED.format(put("in", question="Take ${n}?") + zeebe("output", answer="=said")))
    stage.start(model(START + task + KEEP + end("e"), "s -> a -> keep -> e"), n=1)
    (shown,) = stage.engine.tasks(stage.number)
    assert dict(shown.parameters) == {"question": "Take 1?"}
    stage.complete("a", said="yes")
    # Zeebe's output mapping is all that leaves the task (Camunda 8, "Input/output variable mappings").
    assert variables(stage) == {"n": 1, "answer": "yes"}


def test_a_script_that_is_one_expression_needs_no_trust(stage: Stage) -> None:
    formula = EXTENDED.format('<zeebe:script expression="=n + 1" resultVariable="m"/>')
    task = f'<scriptTask id="t">{formula}</scriptTask>'
    stage.start(model(START + task + KEEP + end("e"), "s -> t -> keep -> e"), n=1)
    assert variables(stage) == {"n": 1, "m": 2}


def test_the_model_may_say_which_activities_of_an_ad_hoc_sub_process_begin(stage: Stage) -> None:
    chosen = EXTENDED.format('<zeebe:adHoc activeElementsCollection="=wanted"/>')
    body = sub("h", work("a") + work("b") + work("c"), tag="adHocSubProcess", inside=chosen)
    source = model(START + body + end("e"), "s -> h -> e")
    assert stage.start(source, wanted=["a", "c"]).status == "success"
    assert sorted(stage.log) == ["a", "c"]
    assert stage.start(wanted=["d"]).status == "failed"
    assert stage.reason == "'h' is to begin 'd', which it does not hold."


def test_a_terminate_end_event_may_end_everything(stage: Stage) -> None:
    last = f'<terminateEventDefinition {FLOWABLE} flowable:terminateAll="true"/>'
    inner = '<startEvent id="i"/>' + end("t", last)
    source = model(START + sub("h", inner, "i -> t") + user("a") + end("e"), "s -> h -> a -> e")
    assert stage.start(source).status == "success"


def test_what_a_listener_would_do_is_refused_and_not_left_out(stage: Stage) -> None:
    task = user("a", EXTENDED.format('<camunda:taskListener event="create" class="com.example.Notify"/>'))
    with pytest.raises(ModelInvalid) as refused:
        stage.deploy(model(START + task + end("e"), "s -> a -> e"))
    assert [(each.code, each.element_id) for each in refused.value.findings if each.severity == "error"] == [
        ("not-understood", "a")
    ]


def test_an_unknown_vendors_words_are_told_once(stage: Stage) -> None:
    task = user("a", **{"other:thing": "1"}).replace("<userTask", '<userTask xmlns:other="urn:other"')
    more = user("b", **{"other:thing": "1"}).replace("<userTask", '<userTask xmlns:other="urn:other"')
    found = stage.engine.lint(model(START + task + more + end("e"), "s -> a -> b -> e"))
    assert [each.element_id for each in found if each.code == "foreign-extension"] == ["a"]


def test_a_formula_of_a_java_engine_needs_no_stone(stage: Stage) -> None:
    task = '<serviceTask id="t" camunda:expression="${n * 2 + 1}" camunda:resultVariable="m"/>'
    stage.start(model(START + task + KEEP + end("e"), "s -> t -> keep -> e"), n=3)
    assert variables(stage) == {"n": 3, "m": 7}
    bean = '<serviceTask id="t" camunda:expression="${mailer.send(n)}" camunda:resultVariable="m"/>'
    found = stage.engine.lint(model(START + bean + end("e"), "s -> t -> e"))
    assert [each.text for each in found if each.severity == "error"] == [
        "'t' names the stone 'mailer.send(n)', which is not registered: write a stone with this code for what the Java"
        " class does, or make it an external task (type=external and a topic) for a worker."
    ]


def test_a_variable_may_be_asked_for_as_in_java(stage: Stage) -> None:
    body = START + '<exclusiveGateway id="g" default="g.b"/>' + script("a") + script("b") + end("e")
    flows = ("s -> g", "g -> a ? ${execution.getVariable('n') > 1 && !execution.hasVariable('m')}", "g -> b")
    source = model(body, *flows, "a -> e", "b -> e")
    stage.start(source, n=2).start(n=2, m=1)
    assert stage.log == ["a", "b"]


def test_a_data_object_may_begin_with_a_value(stage: Stage) -> None:
    def value(name: str, kind: str, text: str) -> str:
        inside = f"<extensionElements><flowable:value {FLOWABLE}>{text}</flowable:value></extensionElements>"
        typed = f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" itemSubjectRef="xsd:{kind}"'
        return f'<dataObject id="id-{name}" name="{name}" {typed}>{inside}</dataObject>'

    objects = value("n", "int", "3") + value("who", "string", "ann") + value("given", "string", "mine")
    objects += value("long", "long", "9" * 40) + value("real", "decimal", "12345678901234567890")
    stage.start(model(START + objects + KEEP + end("e"), "s -> keep -> e"), given="yours")
    kept = {"n": 3, "who": "ann", "given": "yours", "long": 10**40 - 1, "real": 12345678901234567890}
    assert variables(stage) == kept
    with pytest.raises(ModelInvalid, match="is no int"):
        stage.deploy(model(START + value("n", "int", "three") + end("e"), "s -> e"))
