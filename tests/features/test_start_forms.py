"""The form of a start event: what a start asks for, what is refused, and what goes before what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import (
    Engine,
    Invalid,
    Malformed,
    ModelInvalid,
    UnknownDeployment,
    UnknownModel,
    VariablesInvalid,
)

from .sketch import definitions, flow, line, process

FIELDS = (
    '<extensionElements><camunda:formData><camunda:formField id="size" type="long" label="Size"><camunda:validation>'
    '<camunda:constraint name="required"/><camunda:constraint name="min" config="2"/></camunda:validation>'
    '</camunda:formField><camunda:formField id="name" type="string" defaultValue="srv"/>'
    '<camunda:formField id="pin" type="string"/></camunda:formData></extensionElements>'
)
FORM = {
    "type": "default",
    "id": "order",
    "components": [
        {"type": "checkbox", "key": "urgent", "label": "Urgent", "id": "urgent"},
        {
            "type": "textarea",
            "key": "why",
            "label": "Why?",
            "id": "why",
            "validate": {"required": True},
            "conditional": {"hide": "=urgent != true"},
        },
        {"type": "textfield", "key": "at.city", "label": "City", "id": "city", "readonly": "=fixed = true"},
    ],
}
LINKED = (
    '<extensionElements xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><zeebe:formDefinition formId="order"/>'
    "</extensionElements>"
)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


ASKED = '<userTask id="a" camunda:assignee="ann"/>'


def deploy(engine: Engine, start: str = FIELDS, *forms: dict[str, Any], **options: Any) -> str:
    texts = [json.dumps(form).encode() for form in forms]
    return engine.deploy(line("p", ASKED, start=start), *texts, **options).deployment_id


def begun(engine: Engine, **variables: Any) -> Any:
    started = engine.start(key="p", name="x", variables=variables)
    return engine.variables(started.process_instance_id)


def refused(engine: Engine, **variables: Any) -> Any:
    """What is told by field, and nothing has begun."""
    with pytest.raises(VariablesInvalid) as wrong:
        engine.start(key="p", name="x", variables=variables)
    assert engine.instances().items == ()
    return wrong.value


def test_a_start_is_checked_and_typed_by_the_form_of_its_start_event(engine: Engine) -> None:
    assert engine.lint(line("p", ASKED, start=FIELDS)) == []
    deploy(engine)
    assert refused(engine).errors == {"size": ["Is required."]}
    assert refused(engine, size="many").errors == {"size": ["Must be a whole number."]}
    wrong = refused(engine, size=1, name=7)
    assert wrong.errors == {"size": ["Must be at least 2."], "name": ["Must be a text."]}
    assert wrong.message == "The variables do not fit the form of the model's start event: name, size."
    # What nobody asks for is let through, as by a parameter template.
    assert begun(engine, size="4", other=[1]) == {"size": 4, "name": "srv", "other": [1]}


def test_what_a_start_asks_for_is_shown_as_it_stands_with_other_values(engine: Engine) -> None:
    deployment = deploy(engine, LINKED, FORM)
    shown = engine.start_form(key="p")
    assert [(part.key, part.hidden, part.readonly) for part in shown.parts] == [
        ("urgent", False, False),
        ("why", True, False),
        ("at.city", False, False),
    ]
    assert (shown.key, shown.changes, shown.values, shown.errors) == ("p", True, {"urgent": False}, {})
    filled = engine.start_form(deployment_id=deployment, values={"urgent": True, "why": 7, "fixed": True})
    assert [part.hidden for part in filled.parts] == [False, False, False]
    assert filled.parts[2].readonly
    assert filled.errors == {"why": ["Must be a text."]}
    assert engine.instances().items == ()


def test_conditions_and_objects_hold_for_the_start_itself(engine: Engine) -> None:
    deploy(engine, LINKED, FORM)
    assert refused(engine, urgent=True).errors == {"why": ["Is required."]}
    assert "why" in refused(engine, why="so").errors
    assert refused(engine, at="Berlin").errors == {"at": ["Must be an object."]}
    assert refused(engine, fixed=True, at={"city": "Bonn"}).errors == {"at.city": ["Is only shown: leave it out."]}
    given = begun(engine, at={"city": "Bonn", "zip": 1})
    assert given == {"urgent": False, "at": {"city": "Bonn", "zip": 1}}


def test_the_form_goes_before_the_parameter_template(engine: Engine) -> None:
    template = [
        {"Key": "size", "Type": "Integer", "MaxValue": 9},
        {"Key": "region", "Type": "String"},
        {"Key": "name", "Type": "String", "DefaultValue": "box"},
        {"Key": "pin", "Type": "String", "NoEcho": True, "DefaultValue": "4711-secret"},
    ]
    deployment = deploy(engine, parameter_template=template)
    wrong = refused(engine, size="1")
    assert wrong.errors == {
        "size": ["Must be at least 2."],
        "region": ["Is missing and has no default: give it a value."],
    }
    assert "the form of the model's start event, and its parameter template" in wrong.message
    assert refused(engine, size=12, region="cn").errors == {"size": ["Must be at most 9."]}
    shown = engine.start_form(deployment_id=deployment, values={"size": 12})
    # The default of the template is what the form begins with, and its secrets are none of a form's.
    assert (shown.values, shown.errors) == ({"size": 12, "name": "box"}, {"size": ["Must be at most 9."]})
    assert [part.key for part in shown.parts if part.secret] == ["pin"]
    assert "4711" not in str(shown)
    assert begun(engine, size="4", region="cn") == {"size": 4, "region": "cn", "name": "box", "pin": "*****"}


def test_a_trial_run_asks_for_what_the_saved_model_does(engine: Engine) -> None:
    saved = engine.save_model(line("p", ASKED, start=FIELDS))
    assert [part.key for part in engine.start_form(model_id=saved.model_id).parts] == ["size", "name", "pin"]
    with pytest.raises(VariablesInvalid):
        engine.start(model_id=saved.model_id, name="x")
    engine.save_model(line("p", ASKED), model_id=saved.model_id)
    assert engine.start_form(model_id=saved.model_id).parts == ()
    # Looking has deployed nothing.
    assert engine.deployments().items == ()
    assert engine.start(model_id=saved.model_id, name="x").debug


def test_what_is_not_there_asks_for_nothing(engine: Engine) -> None:
    with pytest.raises(UnknownDeployment):
        engine.start_form(key="p")
    with pytest.raises(UnknownModel):
        engine.start_form(model_id="p")
    with pytest.raises(Malformed):
        engine.start_form(key="p", model_id="p")
    with pytest.raises(Malformed):
        engine.start_form()
    deployment = deploy(engine)
    engine.remove_deployment(deployment)
    with pytest.raises(UnknownDeployment):
        engine.start_form(deployment_id=deployment)


def test_another_engine_starts_by_the_form_that_was_deployed_meanwhile(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Engine(url) as one, Engine(url) as two:
        deploy(one, "")
        two.start(key="p", name="x")
        deploy(one)
        assert [part.key for part in two.start_form(key="p").parts] == ["size", "name", "pin"]
        with pytest.raises(VariablesInvalid):
            two.start(key="p", name="x")


def test_what_starts_by_itself_is_not_asked(engine: Engine) -> None:
    message = '<messageEventDefinition messageRef="m"/>'
    parts = [
        f'<startEvent id="s">{FIELDS}</startEvent><startEvent id="t">{FIELDS}{message}</startEvent>',
        '<endEvent id="e"/>',
        flow("s", "e"),
        flow("t", "e"),
    ]
    source = definitions('<message id="m" name="m"/>', process("p", *parts))
    (told,) = engine.lint(source)
    assert (told.code, told.element_id) == ("not-yet-used", "t")
    engine.deploy(source)
    engine.message("m", {"size": "many"})
    assert engine.instances().items[0].status == "success"


def test_a_called_process_takes_what_it_is_given(engine: Engine) -> None:
    engine.deploy(
        line("p", '<callActivity id="c" calledElement="q"/>'),
        line("q", ASKED, start=FIELDS),
    )
    assert engine.start(key="p", name="x").status == "running"
    with pytest.raises(VariablesInvalid):
        engine.start(key="q", name="x")


def test_a_form_that_is_not_there_is_told_before_it_is_deployed(engine: Engine) -> None:
    source = line("p", ASKED, start=LINKED)
    assert [each.code for each in engine.lint(source)] == ["form-missing"]
    with pytest.raises(Invalid):
        engine.deploy(source)


def test_of_two_start_events_that_begin_together_one_asks(engine: Engine) -> None:
    parts = [f'<startEvent id="{name}">{FIELDS}</startEvent>' for name in "st"]
    source = definitions(process("p", *parts, '<endEvent id="e"/>', flow("s", "e"), flow("t", "e")))
    assert [(each.code, each.element_id) for each in engine.lint(source)] == [("form-second", "t")]


def test_a_condition_reads_what_the_form_asks_for(engine: Engine) -> None:
    template = [{"Key": "region", "Type": "String", "DefaultValue": "cn"}]
    parts = [
        f'<startEvent id="s">{FIELDS}</startEvent><exclusiveGateway id="g" default="g_e"/>',
        '<endEvent id="e"/><endEvent id="f"/>',
        flow("s", "g"),
        flow("g", "e"),
        flow("g", "f", "${size > 5}"),
    ]
    source = definitions(process("p", *parts))
    assert engine.lint(source, parameter_template=template) == []


@pytest.mark.parametrize("text", ["1e999", "-1e400"])
def test_a_number_that_is_none_is_refused(engine: Engine, text: str) -> None:
    """A double of IEEE 754 ends at 1.8e308, and JSON has no infinity (RFC 8259, 6)."""
    deploy(engine, LINKED, {"id": "order", "components": [{"type": "number", "key": "size", "id": "size"}]})
    assert refused(engine, size=text).errors == {"size": ["Must be a number."]}


@pytest.mark.parametrize("keys", [("a", "a.b"), ("a.b.c", "a.b"), ("a.b.c", "a")])
def test_a_field_is_not_inside_of_the_value_of_another(engine: Engine, keys: tuple[str, str]) -> None:
    fields = [{"type": "textfield", "key": key, "label": key} for key in keys]
    with pytest.raises(ModelInvalid, match="another inside of its value: rename one of them"):
        deploy(engine, LINKED, {"id": "order", "components": fields})


def test_a_secret_among_the_choices_is_neither_shown_nor_told(engine: Engine) -> None:
    template = [{"Key": "pin", "Type": "String", "NoEcho": True, "DefaultValue": "4711-secret"}]
    choice = {"type": "select", "key": "which", "id": "which", "label": "Which?", "valuesExpression": "=[pin, 1]"}
    form = {"id": "order", "components": [choice]}
    deployment = deploy(engine, LINKED, form, parameter_template=template)
    shown = engine.start_form(deployment_id=deployment, values={"which": "x"})
    assert [option.value for part in shown.parts for option in part.options] == [1]
    assert "4711" not in str(shown)
    assert "4711" not in str(refused(engine, which="x").errors)
    asked = f'<userTask id="a" camunda:assignee="ann">{LINKED}</userTask>'
    engine.deploy(line("q", asked), json.dumps(form).encode(), parameter_template=template)
    (task,) = engine.tasks(engine.start(key="q", name="x", variables={}).process_instance_id)
    with pytest.raises(Invalid) as wrong:
        engine.people.complete(task.task_id, {"which": "x"})
    assert wrong.value.errors == {"which": ["Must be one of *****, 1."]}
    assert "4711" not in wrong.value.message
