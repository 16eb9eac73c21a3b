"""Forms of people's tasks: what they ask for, what is refused, and that no answer can break a process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from riverstone.engine import (
    Engine,
    Invalid,
    Limits,
    Malformed,
    ModelInvalid,
    Person,
    RiverstoneError,
    Stone,
    TaskInfo,
)

from .sketch import definitions, flow, line, process, service

ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:flowable="http://flowable.org/bpmn"'
LINKED = '<extensionElements><zeebe:formDefinition formId="order"/></extensionElements>'
ORDER: list[dict[str, Any]] = [
    {"type": "text", "text": "# Order of {{customer}}", "id": "head"},
    {"type": "textfield", "key": "name", "label": "Name", "id": "name", "validate": {"required": True, "minLength": 2}},
    {"type": "number", "key": "amount", "label": "=words", "id": "amount", "decimalDigits": 2,
     "validate": {"min": 1, "max": "=limit"}},
    {"type": "checkbox", "key": "urgent", "label": "Urgent", "id": "urgent"},
    {"type": "textarea", "key": "why", "label": "Why?", "id": "why", "validate": {"required": True},
     "conditional": {"hide": "=urgent != true"}},
    {"type": "group", "id": "address", "label": "Address", "path": "address", "components": [
        {"type": "textfield", "key": "city", "label": "City", "id": "city"},
        {"type": "select", "key": "land", "label": "Land", "id": "land",
         "values": [{"label": "Germany", "value": "de"}, {"label": "China", "value": "cn"}]}]},
    {"type": "checklist", "key": "extras", "label": "Extras", "id": "extras", "valuesExpression": "=offers"},
    {"type": "datetime", "subtype": "date", "key": "when", "dateLabel": "When", "id": "when",
     "disallowPassedDates": True},
    {"type": "table", "id": "items", "label": "Items", "dataSource": "=items",
     "columns": [{"label": "What", "key": "what"}, {"label": "Price", "key": "price"}]},
    {"type": "textfield", "key": "mail", "label": "Mail", "id": "mail", "validate": {"validationType": "email"}},
    {"type": "textfield", "key": "number", "label": "No", "id": "no", "readonly": True},
    {"type": "button", "label": "Send", "id": "send"},
]  # fmt: skip
VALUES = {
    "customer": "Ann",
    "words": "How much",
    "limit": 100,
    "offers": [{"label": "Fast", "value": "fast"}, "gift"],
    "items": [{"what": "pen", "price": 2}],
    "address": {"city": "Berlin", "zip": "1"},
    "number": "7",
}


def schema(*components: dict[str, Any], name: str = "order") -> bytes:
    return json.dumps({"type": "default", "id": name, "schemaVersion": 16, "components": components}).encode()


def model(*tasks: str, key: str = "p") -> bytes:
    return line(key, *tasks).replace(b"<definitions", f"<definitions {ZEEBE}".encode(), 1)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


def asked(engine: Engine, source: bytes, *forms: bytes, **variables: Any) -> str:
    engine.deploy(source, *forms)
    number = engine.start(key="p", name="x", variables=variables).process_instance_id
    return next(task.task_id for task in engine.tasks(number) if task.end_time is None)


def order(engine: Engine) -> str:
    task = f'<userTask id="a" name="Check"><documentation>Look at ${{customer}}.</documentation>{LINKED}</userTask>'
    return asked(engine, model(task), schema(*ORDER), **VALUES)


def wrong(engine: Engine, task: str, answer: dict[str, Any]) -> dict[str, list[str]]:
    """What is refused, after which the task is as open as before."""
    with pytest.raises(Invalid) as refused:
        engine.people.complete(task, answer)
    assert refused.value.code == "outputs-invalid"
    assert engine.task(task).end_time is None
    assert engine.get(engine.task(task).process_instance_id).status == "running"
    return refused.value.errors


def test_a_form_that_is_deployed_with_the_model_is_shown(engine: Engine) -> None:
    form = engine.people.form(order(engine))
    parts = {part.id: part for part in form.parts}
    shown = "head name amount urgent why address city land extras when items mail no"
    assert list(parts) == shown.split()
    assert (parts["head"].text, parts["amount"].label, parts["amount"].maximum) == ("# Order of Ann", "How much", 100)
    assert (parts["why"].hidden, parts["name"].required, parts["no"].readonly) == (True, True, True)
    assert [(each.value, each.label) for each in parts["extras"].options] == [("fast", "Fast"), ("gift", "gift")]
    assert (parts["city"].key, parts["city"].inside) == ("address.city", "address")
    assert parts["items"].rows == (("pen", "2"),)
    # Nothing of the process but what the form names.
    assert form.values == {"urgent": False, "address": {"city": "Berlin"}, "number": "7"}
    assert form.documentation == "Look at Ann."


def test_conditions_are_evaluated_with_what_is_filled_in(engine: Engine) -> None:
    task = order(engine)
    form = engine.people.form(task, values={"urgent": True, "amount": "200"})
    assert not next(part for part in form.parts if part.id == "why").hidden
    assert form.errors == {"amount": ["Must be at most 100."]}
    assert engine.people.form(task).values["urgent"] is False


def test_a_text_that_is_too_long_is_not_searched_for_its_pattern_too(engine: Engine) -> None:
    """It would be refused for what a step may look at, and take as long as that."""
    field = {"type": "textfield", "key": "t", "validate": {"maxLength": 5, "pattern": "^[a-z]+$"}}
    task = asked(engine, model(f'<userTask id="a" name="Check">{LINKED}</userTask>'), schema(field))
    assert wrong(engine, task, {"t": "x" * 900_000}) == {"t": ["Must have at most 5 characters."]}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, {"name": ["Is required."]}),
        ({"name": " "}, {"name": ["Is required."]}),
        ({"name": "A"}, {"name": ["Must have at least 2 characters."]}),
        ({"name": 7}, {"name": ["Must be a text."]}),
        ({"name": "Ann", "amount": "many"}, {"amount": ["Must be a number."]}),
        ({"name": "Ann", "amount": 0}, {"amount": ["Must be at least 1."]}),
        ({"name": "Ann", "amount": 1.234}, {"amount": ["Must have at most 2 decimals."]}),
        ({"name": "Ann", "amount": True}, {"amount": ["Must be a number."]}),
        ({"name": "Ann", "urgent": "yes"}, {"urgent": ["Must be true or false."]}),
        ({"name": "Ann", "urgent": True}, {"why": ["Is required."]}),
        ({"name": "Ann", "why": "late"}, {"why": ["Is not asked for with these values: leave it out."]}),
        ({"name": "Ann", "number": "8"}, {"number": ["Is only shown: leave it out."]}),
        ({"name": "Ann", "mail": "ann"}, {"mail": ["Must be an address such as ann@example.com."]}),
        ({"name": "Ann", "address": {"land": "fr"}}, {"address.land": ["Must be one of de, cn."]}),
        ({"name": "Ann", "address": "Berlin"}, {"address": ["Must be an object."]}),
        ({"name": "Ann", "extras": ["fast", "x"]}, {"extras": ["May hold fast, gift."]}),
        ({"name": "Ann", "extras": ["gift", "gift"]}, {"extras": ["Holds something twice."]}),
        ({"name": "Ann", "extras": "gift"}, {"extras": ["Must be a list."]}),
        ({"name": "Ann", "when": "31.12.2099"}, {"when": ["Must be a date such as 2026-01-31."]}),
        ({"name": "Ann", "when": "2099-02-30"}, {"when": ["Must be a date such as 2026-01-31."]}),
        ({"name": "Ann", "when": "2020-01-01"}, {"when": ["Must not be in the past."]}),
        ({"name": "Ann", "nam": 1}, {"nam": ["Is not asked for: did you mean 'name'?"]}),
        (
            {"name": "Ann", "address": {"cty": "x"}},
            {"address.cty": ["Is not asked for: did you mean 'address.city'?"]},
        ),
    ],
)
def test_nothing_wrong_is_ever_taken(engine: Engine, answer: dict[str, Any], told: dict[str, list[str]]) -> None:
    assert wrong(engine, order(engine), answer) == told


def test_values_are_taken_with_the_types_of_their_fields(engine: Engine) -> None:
    task = order(engine)
    engine.people.complete(
        task,
        {"name": "Ann", "amount": "12.5", "address": {"land": "cn"}, "extras": ["gift"], "when": "2099-01-01"},
    )
    assert engine.task(task).outputs == {
        "name": "Ann",
        "amount": 12.5,
        "urgent": False,
        # What is beside the fields stays.
        "address": {"city": "Berlin", "zip": "1", "land": "cn"},
        "extras": ["gift"],
        "when": "2099-01-01",
    }


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ({}, "12345678901234567890.", 12345678901234567890),
        ({}, "1e23", 10**23),
        ({"validate": {"max": "12345678901234567890"}}, "12345678901234567890", 12345678901234567890),
        ({"serializeToString": True}, "12345678901234567890.0", "12345678901234567890.0"),
        ({"serializeToString": True, "validate": {"max": 10**99}}, -(10**99), "-1" + "0" * 99),
        ({"defaultValue": "12345678901234567890"}, None, 12345678901234567890),
        ({"defaultValue": "0.5"}, None, 0.5),
        ({"defaultValue": 5, "serializeToString": True}, None, "5"),
    ],
)
def test_a_number_loses_no_digit(engine: Engine, field: dict[str, Any], given: Any, kept: Any) -> None:
    number = {"type": "number", "key": "n", **field}
    task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(number))
    engine.people.complete(task, {} if given is None else {"n": given})
    assert json.dumps(engine.task(task).outputs) == json.dumps({"n": kept})


@pytest.mark.parametrize("default", ["NaN", "Infinity", "1e400"])
def test_a_number_begins_with_nothing_where_its_default_is_none(engine: Engine, default: str) -> None:
    """As what begins with ``x``. It was taken, and no form with it could be completed, nor its process go on."""
    number = {"type": "number", "key": "n", "defaultValue": default}
    task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(number))
    assert engine.people.form(task).values == {}
    engine.people.complete(task, {})
    assert engine.task(task).outputs == {}


@pytest.mark.parametrize("limit", ["nan", "inf", "1e400", "x"])
def test_a_limit_that_is_no_number_is_refused(engine: Engine, limit: str) -> None:
    number = {"type": "number", "key": "n", "validate": {"max": limit}}
    with pytest.raises(ModelInvalid, match="which is no number: correct it"):
        engine.deploy(model(f'<userTask id="a">{LINKED}</userTask>'), schema(number))


def test_a_number_of_more_digits_than_a_text_may_say_is_none(tmp_path: Path) -> None:
    """Where an operator lets JSON hold longer ones, its form ended in an error of the engine."""
    number = {"type": "number", "key": "n", "serializeToString": True, "validate": {"min": 0}}
    with Engine(f"sqlite:///{tmp_path}/river.db", limits=Limits(integer_digits=300)) as engine:
        task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(number))
        for given in (10**150 + 1, str(10**150 + 1)):
            assert wrong(engine, task, {"n": given}) == {"n": ["Must be a number."]}


def test_a_limit_is_told_with_all_of_its_digits(engine: Engine) -> None:
    number = {"type": "number", "key": "n", "validate": {"min": 0.5, "max": 1234567}}
    task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(number))
    assert wrong(engine, task, {"n": 1234568}) == {"n": ["Must be at most 1234567."]}
    assert wrong(engine, task, {"n": 0.1}) == {"n": ["Must be at least 0.5."]}


def test_the_first_year_of_the_calendar_is_past(engine: Engine) -> None:
    """It has no equal in another zone, and ended in an error of the engine."""
    when = {"type": "datetime", "subtype": "datetime", "key": "w", "disallowPassedDates": True}
    task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(when))
    assert wrong(engine, task, {"w": "0001-01-01T00:00"}) == {"w": ["Must not be in the past."]}
    engine.people.complete(task, {"w": "9999-12-31T23:59"})


def test_a_person_gives_no_hour_24_on_any_python(engine: Engine) -> None:
    kinds = ("datetime", "time")
    fields = [{"type": "datetime", "subtype": kind, "key": kind, "id": kind} for kind in kinds]
    task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(*fields))
    assert wrong(engine, task, {"datetime": "2027-01-31T24:00", "time": "24:00"}).keys() == set(kinds)


def test_a_form_survives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    source = model(
        f'<userTask id="a">{LINKED}</userTask>',
        '<userTask id="b" camunda:formKey="camunda-forms:deployment:second.form"/>',
    )
    second = tmp_path / "second.form"
    second.write_bytes(schema({"type": "textfield", "key": "more", "id": "m"}, name="other"))
    (tmp_path / "p.bpmn").write_bytes(source)
    with Engine(url) as engine:
        engine.deploy(str(tmp_path / "p.bpmn"), schema(*ORDER), str(second))
        engine.start(key="p", name="x", variables=VALUES)
    with Engine(url) as engine:
        (task,) = engine.people.inbox().items
        assert len(engine.people.form(task.task_id).parts) == 13
        engine.people.complete(task.task_id, {"name": "Ann"})
        (task,) = engine.people.inbox().items
        assert [part.key for part in engine.people.form(task.task_id).parts] == ["more"]


def test_a_form_inside_of_the_model_is_shown(engine: Engine) -> None:
    inside = schema({"type": "number", "key": "size", "id": "s"}).decode().replace('"', "&quot;")
    holder = f'<extensionElements><zeebe:userTaskForm id="f1">{inside}</zeebe:userTaskForm></extensionElements>'
    task = '<userTask id="a"><extensionElements><zeebe:formDefinition formKey="camunda-forms:bpmn:f1"/>'
    source = model(f"{task}</extensionElements></userTask>").replace(
        b'isExecutable="true">', b'isExecutable="true">' + holder.encode(), 1
    )
    assert [part.key for part in engine.people.form(asked(engine, source)).parts] == ["size"]


@pytest.mark.parametrize(
    ("component", "told"),
    [
        ({"type": "html", "content": "<b>x</b>", "id": "h"}, "the component 'h' of the type 'html'"),
        ({"type": "iframe", "label": "Page"}, "the component 'Page' of the type 'iframe'"),
        ({"type": "dynamiclist", "path": "rows"}, "of the type 'dynamiclist'"),
        ({"type": "textfield", "label": "No key"}, "the field 'No key' without a usable key"),
        ({"type": "select", "key": "s", "label": "Empty"}, "nothing to choose from in 'Empty'"),
        ({"type": "textfield", "key": "t", "validate": {"pattern": "("}}, "the pattern '('"),
        ({"type": "textfield", "key": "t", "conditional": {"hide": "=a +"}}, "cannot be read"),
        ({"type": "text", "text": "{{#loop x}}y{{/loop}}"}, "'{{#loop x}}'"),
        ({"type": "number", "key": "n", "validate": {"min": "few"}}, "the limit min 'few'"),
    ],
)
def test_what_cannot_be_shown_is_refused_at_deployment_by_name(
    engine: Engine, component: dict[str, Any], told: str
) -> None:
    with pytest.raises(ModelInvalid) as refused:
        engine.deploy(model(f'<userTask id="a" name="Check">{LINKED}</userTask>'), schema(component))
    assert told in str(refused.value)
    assert {finding.element_id for finding in refused.value.findings if finding.severity == "error"} == {"a"}


def test_a_form_that_is_not_there_or_alone_or_broken_is_told(engine: Engine) -> None:
    task = model(f'<userTask id="a" name="Check">{LINKED}</userTask>')
    with pytest.raises(ModelInvalid, match="shows the form 'order', which is not deployed: deploy it together"):
        engine.deploy(task)
    with pytest.raises(ModelInvalid, match="not deployed: deploy it together"):
        engine.deploy(task, b'{"id": "order", ')
    with pytest.raises(Malformed, match="deploy a form together"):
        engine.deploy(schema(*ORDER))


def test_groups_nest_as_deep_as_anybody_likes(engine: Engine) -> None:
    component: dict[str, Any] = {"type": "textfield", "key": "x", "id": "x"}
    for number in range(25):
        component = {"type": "group", "id": f"g{number}", "components": [component]}
    task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(component))
    assert len(engine.people.form(task).parts) == 26


FIELDS = {
    "camunda": '<camunda:formData><camunda:formField id="size" label="Size" type="long" defaultValue="3">'
    '<camunda:validation><camunda:constraint name="required"/>'
    '<camunda:constraint name="max" config="9"/></camunda:validation>'
    '</camunda:formField><camunda:formField id="kind" type="enum"><camunda:value id="new" name="New one"/>'
    "</camunda:formField></camunda:formData>",
    "flowable": '<flowable:formProperty id="size" name="Size" type="long" required="true" default="3"/>'
    '<flowable:formProperty id="kind" type="enum"><flowable:value id="new" name="New one"/></flowable:formProperty>',
}


@pytest.mark.parametrize("dialect", FIELDS)
def test_the_java_engines_fields_are_a_form(engine: Engine, dialect: str) -> None:
    task = asked(engine, model(f'<userTask id="a"><extensionElements>{FIELDS[dialect]}</extensionElements></userTask>'))
    form = engine.people.form(task)
    size, kind = form.parts
    assert (size.label, size.kind, size.required, size.step) == ("Size", "number", True, "1")
    assert [(each.value, each.label) for each in kind.options] == [("new", "New one")]
    assert form.values == {"size": 3}
    if dialect == "camunda":
        assert wrong(engine, task, {"size": 10}) == {"size": ["Must be at most 9."]}
    assert wrong(engine, task, {"size": None}) == {"size": ["Is required."]}
    engine.people.complete(task, {"kind": "new"})
    assert engine.task(task).outputs == {"size": 3, "kind": "new"}


@pytest.mark.parametrize(
    ("kind", "default", "kept"),
    [
        ("double", "1.5", 1.5),
        ("long", "1e5", 100_000),
        ("long", "12345678901234567890.", 12345678901234567890),
        ("boolean", "TRUE", True),
        ("string", "1.5", "1.5"),
        # What fits no long stays what it is: for whoever fills in the form.
        ("long", "1.5", "1.5"),
    ],
)
def test_what_a_java_field_begins_with_is_of_its_type(engine: Engine, kind: str, default: str, kept: Any) -> None:
    field = f'<camunda:formField id="n" type="{kind}" defaultValue="{default}"/>'
    inside = f"<extensionElements><camunda:formData>{field}</camunda:formData></extensionElements>"
    task = asked(engine, model(f'<userTask id="a">{inside}</userTask>'))
    engine.people.complete(task, {})
    assert json.dumps(engine.task(task).outputs) == json.dumps({"n": kept})


@pytest.mark.parametrize("answer", ["12345678901234567890.5", "1e-400", 1e300, "1e300"])
def test_a_whole_number_takes_nothing_else(engine: Engine, answer: Any) -> None:
    inside = f"<extensionElements>{FIELDS['flowable']}</extensionElements>"
    task = asked(engine, model(f'<userTask id="a">{inside}</userTask>'))
    assert wrong(engine, task, {"size": answer}) == {"size": ["Must be a whole number."]}


YES_OR_NO = {
    "camunda": '<camunda:formData><camunda:formField id="ok" label="All right?" type="boolean"><camunda:validation>'
    '<camunda:constraint name="required"/></camunda:validation></camunda:formField></camunda:formData>',
    "flowable": '<flowable:formProperty id="ok" name="All right?" type="boolean" required="true"/>',
}


@pytest.mark.parametrize("dialect", YES_OR_NO)
@pytest.mark.parametrize("answer", [False, "false"])
def test_a_yes_or_no_that_has_to_be_answered_takes_no(engine: Engine, dialect: str, answer: Any) -> None:
    form = YES_OR_NO[dialect]
    task = asked(engine, model(f'<userTask id="a"><extensionElements>{form}</extensionElements></userTask>'))
    (part,) = engine.people.form(task).parts
    assert (part.kind, [each.value for each in part.options], part.required) == ("radio", [True, False], True)
    assert wrong(engine, task, {}) == {"ok": ["Is required."]}
    assert wrong(engine, task, {"ok": "maybe"}) == {"ok": ["Must be one of true, false."]}
    engine.people.complete(task, {"ok": answer})
    assert engine.task(task).outputs == {"ok": False}


class Server(Stone):
    """Made things that a wrong answer must not take away."""

    code = "server"
    gone: list[str] = []

    def start(self, task: TaskInfo) -> None:
        task.add_output("id", "s-1")

    def rollback(self, task: TaskInfo) -> None:
        self.gone.append(task.task_id)


def deciding(yes: str, no: str | None, **more: str) -> bytes:
    """A server is made, a person is asked, and a gateway decides by the answer."""
    default = "" if no is not None else ' default="g_n"'
    return definitions(
        process(
            "p",
            '<startEvent id="s"/>',
            service("make", "server"),
            f'<userTask id="ask" name="Ask">{more.get("inside", "")}</userTask>',
            f'<exclusiveGateway id="g" name="Well?"{default}/><endEvent id="y"/><endEvent id="n"/>',
            flow("s", "make"), flow("make", "ask"), flow("ask", "g"), flow("g", "y", yes), flow("g", "n", no),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("yes", "no", "kind", "options", "bad", "good"),
    [
        ("${approved}", "${!approved}", "radio", [True, False], [{}, {"aproved": True}, {"approved": "maybe"}], True),
        ("${approved == 'yes'}", "${approved == 'no'}", "select", ["yes", "no"], [{}, {"approved": "perhaps"}], "no"),
        ("=approved > 3", "=approved <= 3", "number", [], [{}, {"approved": "a lot"}], 4),
        ("${approved == 'yes'}", None, "select", ["yes"], [{}, {"aproved": "yes"}], "else"),
    ],
)
def test_a_typo_in_an_answer_destroys_nothing(
    engine: Engine, yes: str, no: str | None, kind: str, options: list[Any], bad: list[dict[str, Any]], good: Any
) -> None:
    """Without a form, what the next conditions read is asked for, and an answer that no way follows is none."""
    Server.gone.clear()
    engine.register(Server)
    task = asked(engine, deciding(yes, no))
    (part,) = engine.people.form(task).parts
    assert (part.kind, part.key, [each.value for each in part.options]) == (kind, "approved", options)
    for answer in bad:
        assert wrong(engine, task, answer).keys() <= {"approved", "aproved"}, answer
    with pytest.raises(Invalid):
        engine.complete(task, bad[0])
    engine.people.complete(task, {"approved": good, "note": "other names are free"})
    assert engine.get(engine.task(task).process_instance_id).status == "success"
    assert Server.gone == []


def test_an_answer_that_no_flow_takes_is_refused_for_a_form_too(engine: Engine) -> None:
    field = '<camunda:formData><camunda:formField id="approved" type="string"/></camunda:formData>'
    field = f"<extensionElements>{field}</extensionElements>"
    engine.register(Server)
    task = asked(engine, deciding("${approved == 'yes'}", "${approved == 'no'}", inside=field))
    assert list(wrong(engine, task, {"approved": "maybe"})) == ["approved"]
    engine.people.complete(task, {"approved": "no"})


def test_what_is_collected_of_many_answers_is_not_asked_of_each(engine: Engine) -> None:
    many = (
        '<userTask id="ask"><multiInstanceLoopCharacteristics camunda:collection="${who}"'
        ' camunda:elementVariable="one"/></userTask>'
    )
    source = definitions(
        process(
            "p",
            '<startEvent id="s"/>', many, '<exclusiveGateway id="g"/><endEvent id="y"/><endEvent id="n"/>',
            flow("s", "ask"), flow("ask", "g"), flow("g", "y", "${nrOfVotes > 1}"), flow("g", "n", "${nrOfVotes < 2}"),
        )
    )  # fmt: skip
    engine.deploy(source)
    number = engine.start(key="p", name="x", variables={"who": ["a", "b"], "nrOfVotes": 2}).process_instance_id
    for task in engine.tasks(number):
        assert engine.people.form(task.task_id).parts == ()
        engine.people.complete(task.task_id, {})
    assert engine.get(number).status == "success"


def test_a_secret_variable_is_not_shown_in_a_form(engine: Engine) -> None:
    source = model(f'<userTask id="a">{LINKED}</userTask>')
    engine.deploy(
        source,
        schema({"type": "textfield", "key": "pin", "id": "pin"}, {"type": "text", "text": "{{pin}}", "id": "t"}),
        parameter_template=[{"Key": "pin", "NoEcho": True}],
    )
    number = engine.start(key="p", name="x", variables={"pin": "4711-secret"}).process_instance_id
    form = engine.people.form(engine.tasks(number)[0].task_id)
    assert form.values == {}
    assert "4711" not in repr(form)
    assert form.parts[0].secret


def test_what_led_here_is_told_with_who_did_it(engine: Engine) -> None:
    task = asked(engine, model('<userTask id="a" name="Draft"/>', '<userTask id="b" name="Check"/>'))
    done = engine.people.complete(task, {}, Person(user="ann", sees_all=True))
    second = engine.tasks(done.process_instance_id)[-1].task_id
    assert [(each.name, each.who) for each in engine.people.form(second).before] == [("Draft", "ann")]


WORDS = (
    "type key label values value validate required min max pattern conditional hide components path id columns"
    " dataSource valuesExpression valuesKey layout row text readonly defaultValue subtype decimalDigits description"
).split()
ODD: list[Any] = [None, True, 0, -1.5, "", "x", "=x", "=", "{{a}}", "{{", "text", "a.b", 10**40, "(", [], {}]


def anything(chance: Random, depth: int = 0) -> Any:
    if depth > 3 or chance.random() < 0.5:
        return chance.choice(ODD)
    if chance.random() < 0.5:
        return [anything(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(WORDS): anything(chance, depth + 1) for _ in range(chance.randrange(7))}


@pytest.mark.parametrize("seed", range(3))
def test_any_json_at_all_is_a_form_or_is_refused_and_so_is_any_answer(engine: Engine, seed: int) -> None:
    chance, shown = Random(seed), 0
    kinds = "textfield number select group table text checkbox radio checklist datetime separator".split()
    for _ in range(120):
        drawn = [each for each in (anything(chance) for _ in range(3)) if isinstance(each, dict)]
        components = [{**each, "type": chance.choice(kinds), "key": chance.choice("abc")} for each in drawn]
        with suppress(RiverstoneError):
            task = asked(engine, model(f'<userTask id="a">{LINKED}</userTask>'), schema(*components))
            engine.people.form(task)
            for _ in range(5):
                answer = {name: anything(chance) for name in "abc"}
                with suppress(RiverstoneError):
                    engine.people.form(task, values=answer)
                    engine.people.complete(task, answer)
                    break
            shown += 1
    assert shown > 40
