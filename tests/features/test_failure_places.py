"""Every failure names its element, by its drawn name, and is marked in the diagram also after the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from riverstone.engine import Engine

from .sketch import definitions, flow, process, service

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
MAKE = 'camunda:type="external" camunda:topic="make"'
COUNT = f'<loopCardinality {XSI} xsi:type="tFormalExpression">%s</loopCardinality>'


def io(kind: str) -> str:
    parameter = f'<camunda:{kind} name="v">${{dataDisk}}</camunda:{kind}>'
    return f"<extensionElements><camunda:inputOutput>{parameter}</camunda:inputOutput></extensionElements>"


def many(inside: str) -> str:
    return f"<multiInstanceLoopCharacteristics>{inside}</multiInstanceLoopCharacteristics>"


PLACES = {
    "call expression": '<callActivity id="t" name="Do it" calledElement="${dataDisk}"/>',
    "input of a sub-process": f'<subProcess id="t" name="Do it">{io("inputParameter")}<task id="i"/></subProcess>',
    "output of a sub-process": f'<subProcess id="t" name="Do it">{io("outputParameter")}<task id="i"/></subProcess>',
    "input of a person": f'<userTask id="t" name="Do it">{io("inputParameter")}</userTask>',
    "number of runs": f'<task id="t" name="Do it">{many(COUNT % "${dataDisk}")}</task>',
    "completion": '<task id="t" name="Do it">'
    + many(COUNT % "2" + "<completionCondition>${dataDisk}</completionCondition>")
    + "</task>",
    "timer": '<intermediateCatchEvent id="t" name="Do it"><timerEventDefinition>'
    "<timeDuration>${dataDisk}</timeDuration></timerEventDefinition></intermediateCatchEvent>",
    "formula": '<serviceTask id="t" name="Do it" camunda:expression="${dataDisk + 1}" camunda:resultVariable="r"/>',
    "output of a stone": f'<serviceTask id="t" name="Do it" {MAKE}>{io("outputParameter")}</serviceTask>',
}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        engine.stone("make")(lambda task: {"id": 1})
        yield engine


def failed(engine: Engine, content: str) -> tuple[str, list[str], str]:
    """The reason, the elements that are marked as failed, and the picture."""
    engine.deploy(definitions(process("p", '<startEvent id="s"/>', content, flow("s", "t"))))
    number = engine.start(key="p", name="x", rollback=False).process_instance_id
    ended = engine.wait(number, timeout=60)
    assert ended.status == "failed"
    marked = [token.element_id for token in engine.tokens(number) if token.failed]
    return ended.reason or "", marked, engine.picture(number).svg


@pytest.mark.parametrize("place", PLACES)
def test_a_reference_that_finds_nothing_is_told_with_its_place(engine: Engine, place: str) -> None:
    reason, marked, svg = failed(engine, PLACES[place])
    assert reason == "At 'Do it' (t): The reference ${dataDisk} finds nothing."
    assert marked == ["t"]
    assert "#b91c1c" in svg, "the colour of what failed"


def test_a_flow_that_cannot_be_decided_marks_its_gateway(engine: Engine) -> None:
    condition = f'<conditionExpression {XSI} xsi:type="tFormalExpression">${{dataDisk}}</conditionExpression>'
    gateway = '<exclusiveGateway id="t" name="Do it" default="d"/><task id="a"/>'
    gateway += f'<sequenceFlow id="c" sourceRef="t" targetRef="a">{condition}</sequenceFlow>'
    reason, marked, _ = failed(engine, gateway + '<sequenceFlow id="d" sourceRef="t" targetRef="a"/>')
    assert "from 'Do it' (t) to 'a'" in reason
    assert marked == ["t"]


def test_what_is_no_list_is_told_in_words(engine: Engine) -> None:
    marker = '<multiInstanceLoopCharacteristics camunda:collection="${null}"/>'
    reason, marked, _ = failed(engine, f'<task id="t" name="Do it">{marker}</task>')
    assert (reason, marked) == ("The collection of 'Do it' (t) is null, not a list.", ["t"])


def test_a_failure_inside_of_a_call_is_marked_at_the_call(engine: Engine) -> None:
    inner = '<startEvent id="is"/><callActivity id="gone" name="Further" calledElement="${dataDisk}"/>'
    called = process("inner", inner, '<sequenceFlow id="if" sourceRef="is" targetRef="gone"/>')
    outer = process("p", '<startEvent id="s"/><callActivity id="t" calledElement="inner"/>', flow("s", "t"))
    engine.deploy(definitions(outer, called))
    number = engine.start(key="p", name="x", rollback=False).process_instance_id
    assert engine.wait(number, timeout=60).reason == "At 'Further' (gone): The reference ${dataDisk} finds nothing."
    (token,) = engine.tokens(number)
    assert (token.element_id, token.calls, token.failed) == ("gone", ("t",), True)
    assert "#b91c1c" in engine.picture(number).svg


def test_a_stone_that_fails_is_told_by_its_task_alone(engine: Engine) -> None:
    def broken(task: object) -> None:
        raise RuntimeError("no")

    engine.stone("broken")(broken)
    _, marked, _ = failed(engine, service("t", "broken"))
    assert marked == []
