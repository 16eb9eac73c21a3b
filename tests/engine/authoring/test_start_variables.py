"""The variables of a start that nothing lists: those that the model reads, and none that it sets by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from marshmallow import fields

from riverstone.engine import Engine, Stone, TaskInfo

from ...features.sketch import definitions, flow, line, process, service
from ...features.test_decisions import decisions, table


class Room(Stone):
    code = "Shop::Room"
    parameters: ClassVar = {
        "size": fields.Integer(required=True),
        "town": fields.String(required=True, metadata={"description": "Where it is."}),
        "note": fields.String(load_default=""),
        "code": fields.String(load_default="", metadata={"no_echo": True}),
    }
    outputs: ClassVar = {"roomId": "the id"}

    def start(self, task: TaskInfo) -> None:
        """Books nothing."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:", stones=[Room]) as engine:
        yield engine


def read(engine: Engine, model: bytes, **options: Any) -> dict[str, Any]:
    version = engine.deploy(model, **options)
    return {each.name: each for each in engine.start_form(deployment_id=version.deployment_id).variables}


def test_what_inputs_read_has_the_type_that_the_stone_declares(engine: Engine) -> None:
    found = read(
        engine,
        line(
            "p",
            service("first", "Shop::Room", {"size": "${guests}", "code": "${lock}"}),
            service("second", "Shop::Room", {"size": "${parameters.order.count}", "town": "${outputs.first.roomId}"}),
        ),
    )
    assert {name: each.kind for name, each in found.items()} == {
        "guests": "number",
        "lock": "text",
        "town": "text",
        "order": "json",
    }
    assert [name for name, each in found.items() if each.secret] == ["lock"]
    assert found["order"].members == ("count",)
    assert found["town"].description == "Where it is."


def test_what_is_compared_tells_its_type(engine: Engine) -> None:
    conditions = ["${amount > 5}", "${express}", "${colour == 'red'}", "${colour == 'blue'}"]
    flows = [
        flow("choose", "end", condition).replace("choose_end", f"way{number}", 1)
        for number, condition in enumerate(conditions)
    ]
    parts = ['<startEvent id="start"/>', flow("start", "choose"), '<exclusiveGateway id="choose" default="other"/>']
    other = '<sequenceFlow id="other" sourceRef="choose" targetRef="end"/><endEvent id="end"/>'
    found = read(engine, definitions(process("p", *parts, *flows, other)))
    kinds = {name: each.kind for name, each in found.items()}
    assert kinds == {"amount": "number", "express": "truth", "colour": "text"}
    assert found["colour"].options == ("red", "blue")


FORM = (
    '<extensionElements><camunda:formData><camunda:formField id="guests" type="long"/></camunda:formData>'
    "</extensionElements>"
)
EACH = (
    '<userTask id="each" camunda:assignee="${person}"><multiInstanceLoopCharacteristics'
    ' camunda:collection="${people}" camunda:elementVariable="person"/></userTask>'
)


def test_what_the_model_sets_is_not_asked_for(engine: Engine) -> None:
    ask = f'<userTask id="ask">{FORM}</userTask>'
    room = service("room", "Shop::Room", {"size": "${guests}", "town": "${execution.processBusinessKey}"})
    found = read(engine, line("p", ask, EACH, room))
    assert {name: each.kind for name, each in found.items()} == {"people": "json"}


def test_what_a_person_without_a_form_is_asked_is_not_asked_before(engine: Engine) -> None:
    parts = ['<startEvent id="start"/>', flow("start", "ask"), '<userTask id="ask"/>', flow("ask", "choose")]
    parts += ['<exclusiveGateway id="choose" default="no"/>', flow("choose", "end", "${agreed}")]
    parts += ['<sequenceFlow id="no" sourceRef="choose" targetRef="end"/>', '<endEvent id="end"/>']
    assert read(engine, definitions(process("p", *parts))) == {}


def test_a_decision_of_another_deployment_tells_what_it_reads(engine: Engine) -> None:
    engine.deploy(decisions(size=table("UNIQUE", ["guests"], ["size"], "> 8 : 40")))
    found = read(engine, line("p", '<businessRuleTask id="decide" camunda:decisionRef="size"/>'))
    assert list(found) == ["guests"]


def test_where_something_lists_them_nothing_else_is_told(engine: Engine) -> None:
    model = line("p", service("room", "Shop::Room", {"size": "${guests}", "town": "here"}))
    assert read(engine, model, parameter_template=[{"Key": "guests", "Type": "Integer"}]) == {}
    room = service("room", "Shop::Room", {"size": "${guests}", "town": "${town}"})
    assert read(engine, line("q", room, start=FORM)) == {}


def test_no_more_are_told_than_anybody_fills_in(engine: Engine) -> None:
    inputs = {f"input{number}": f"${{variable{number}}}" for number in range(80)}
    assert len(read(engine, line("p", service("many", "Shop::Room", inputs)))) == 50
