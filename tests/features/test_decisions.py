"""Business rule tasks make the decisions of DMN files that are deployed with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import pytest

from riverstone.engine import (
    Conflict,
    Engine,
    ExpressionError,
    Finding,
    Invalid,
    ModelInvalid,
    UnknownDecision,
    UnknownDeployment,
)

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:p" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:flowable="http://flowable.org/bpmn" xmlns:spiff="http://spiffworkflow.org/bpmn/schema/1.0/core">'
)
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
FIELD = '<flowable:field name="decisionTableReferenceKey"><flowable:string>dish</flowable:string></flowable:field>'


def process(task: str) -> bytes:
    return (
        f'{HEAD}<process id="dinner" isExecutable="true"><startEvent id="s"/>'
        f'<sequenceFlow id="f" sourceRef="s" targetRef="choose"/>{task}'
        '<sequenceFlow id="g" sourceRef="choose" targetRef="e"/><endEvent id="e"/></process></definitions>'
    ).encode()


def camunda(shape: str = "singleEntry", reference: str = "dish") -> bytes:
    attributes = f'camunda:decisionRef="{reference}" camunda:resultVariable="r" camunda:mapDecisionResult="{shape}"'
    return process(f'<businessRuleTask id="choose" {attributes}/>')


def extended(extension: str, task: str = '<businessRuleTask id="choose"') -> bytes:
    name = task.partition(" ")[0][1:]
    return process(f"{task}><extensionElements>{extension}</extensionElements></{name}>")


def zeebe(reference: str = "dish") -> bytes:
    return extended(f'<zeebe:calledDecision decisionId="{reference}" resultVariable="r"/>')


def table(policy: str, inputs: list[str], outputs: list[str], *rules: str, more: str = "") -> str:
    """A decision table; a rule is ``cell | cell : output | output``, an output may be an element of its own."""
    columns = "".join(f"<input><inputExpression><text>{text}</text></inputExpression></input>" for text in inputs)
    columns += "".join(each if each.startswith("<") else f'<output name="{each}"/>' for each in outputs)
    rows = ""
    for rule in rules:
        tests, _, entries = rule.partition(" : ")
        cells = "".join(f"<inputEntry><text>{escape(cell.strip())}</text></inputEntry>" for cell in tests.split("|"))
        cells += "".join(f"<outputEntry><text>{escape(out.strip())}</text></outputEntry>" for out in entries.split("|"))
        rows += f"<rule>{cells}</rule>"
    return f'<decisionTable hitPolicy="{policy}" {more}>{columns}{rows}</decisionTable>'


def decisions(**logic: str) -> bytes:
    made = "".join(f'\n<decision id="{key}" name="{key.title()}">{inside}</decision>' for key, inside in logic.items())
    return f'<definitions xmlns="{DMN}" id="d" name="d" namespace="urn:d">{made}</definitions>'.encode()


DISH = decisions(
    dish=table(
        "UNIQUE",
        ["season", "guests"],
        ["dish"],
        '"Winter" | <= 8 : "Roast"',
        '"Winter" | > 8 : "Stew"',
        'not("Winter") | - : "Salad"',
    )
)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as made:
        yield made


def decide(engine: Engine, model: bytes, *rules: bytes, **variables: Any) -> Any:
    """Run the process to its end; its variables, or why it failed."""
    engine.deploy(model, *rules, outputs_template=[{"Key": "all", "Value": "${parameters}"}])
    instance = engine.wait(engine.start(key="dinner", name="dinner", variables=variables).process_instance_id)
    return json.loads(instance.outputs)["all"] if instance.outputs else instance.reason


def findings(engine: Engine, model: bytes, *rules: bytes) -> list[Finding]:
    with pytest.raises(ModelInvalid) as raised:
        engine.deploy(model, *rules)
    return list(raised.value.findings)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (camunda("singleEntry"), {"r": "Roast"}),
        (camunda("singleResult"), {"r": {"dish": "Roast"}}),
        (camunda("collectEntries"), {"r": ["Roast"]}),
        (camunda("resultList"), {"r": [{"dish": "Roast"}]}),
        (zeebe(), {"r": "Roast"}),
        (extended("<spiff:calledDecisionId>dish</spiff:calledDecisionId>"), {"dish": "Roast"}),
        (extended(FIELD, '<serviceTask id="choose" flowable:type="dmn"'), {"dish": "Roast"}),
    ],
)
def test_each_modelers_way_to_name_a_decision_is_read(engine: Engine, model: bytes, expected: dict[str, Any]) -> None:
    assert decide(engine, model, DISH, season="Winter", guests=4) == {"season": "Winter", "guests": 4, **expected}


def test_the_rules_come_first_or_last(engine: Engine) -> None:
    deployed = engine.deploy(DISH, camunda())
    assert "businessRuleTask" in deployed.xml
    assert engine.deploy(camunda(), DISH).version == deployed.version


def test_a_decision_may_be_named_by_an_expression(engine: Engine) -> None:
    assert decide(engine, camunda(reference="${which}"), DISH, season="Summer", guests=1, which="dish")["r"] == "Salad"
    failed = decide(engine, camunda(reference="${which}"), DISH, season="Summer", guests=1, which="wine")
    assert failed == "At 'choose': No deployment holds the decision 'wine': deploy the DMN file with it first."


def test_inputs_and_outputs_are_mapped_around_a_decision(engine: Engine) -> None:
    mapped = (
        '<camunda:inputOutput><camunda:inputParameter name="season">${when}</camunda:inputParameter>'
        '<camunda:outputParameter name="meal">${decisionResult.getSingleEntry()}</camunda:outputParameter>'
        "</camunda:inputOutput>"
    )
    model = extended(mapped, '<businessRuleTask id="choose" camunda:decisionRef="dish"')
    assert decide(engine, model, DISH, when="Winter", guests=9) == {"when": "Winter", "guests": 9, "meal": "Stew"}


@pytest.mark.parametrize(
    ("policy", "more", "expected"),
    [
        ("FIRST", "", 10),
        ("RULE ORDER", "", [10, 20, 20]),
        ("COLLECT", "", [10, 20, 20]),
        ("COLLECT", 'aggregation="SUM"', 50),
        ("COLLECT", 'aggregation="MIN"', 10),
        ("COLLECT", 'aggregation="MAX"', 20),
        ("COLLECT", 'aggregation="COUNT"', 3),
        ("PRIORITY", "", 20),
        ("OUTPUT ORDER", "", [20, 20, 10]),
    ],
)
def test_the_hit_policy_decides_between_rules_that_fit(engine: Engine, policy: str, more: str, expected: Any) -> None:
    output = '<output name="x"><outputValues><text>20, 10</text></outputValues></output>'
    rules = ("> 0 : 10", "> 1 : 20", "[1..9] : a * 10", "99 : 1")
    made = decisions(dish=table(policy, ["a"], [output], *rules, more=more))
    assert decide(engine, zeebe(), made, a=2)["r"] == expected


def test_rules_that_must_not_fit_together_fail_the_task(engine: Engine) -> None:
    both = ("> 0 : 1", "> 1 : 2")
    why = "The decision 'Dish' (dish) cannot be made: the rules 1, 2 fit together, which the hit policy {} forbids."
    text = f"At 'choose': {why}"
    assert decide(engine, zeebe(), decisions(dish=table("UNIQUE", ["a"], ["x"], *both)), a=2) == text.format("UNIQUE")
    assert decide(engine, zeebe(), decisions(dish=table("ANY", ["a"], ["x"], *both)), a=2) == text.format("ANY")
    agreed = decisions(dish=table("ANY", ["a"], ["x"], "> 0 : 1", "> 1 : 1"))
    assert decide(engine, zeebe(), agreed, a=2)["r"] == 1


def test_no_rule_that_fits_gives_the_default_or_nothing(engine: Engine) -> None:
    assert decide(engine, zeebe(), decisions(dish=table("UNIQUE", ["a"], ["x"], "1 : 2")), a=0)["r"] is None
    output = '<output name="x"><defaultOutputEntry><text>"none"</text></defaultOutputEntry></output>'
    assert decide(engine, zeebe(), decisions(dish=table("UNIQUE", ["a"], [output], "1 : 2")), a=0)["r"] == "none"


def test_a_decision_may_need_others(engine: Engine) -> None:
    needs = '<informationRequirement><requiredDecision href="#season"/></informationRequirement>'
    rules = decisions(
        dish=needs + table("UNIQUE", ["season"], ["x", "y"], '"Winter" : "Stew" | 1', '"Summer" : "Salad" | 2'),
        season=table("UNIQUE", ["month"], ["season"], '[4..9] : "Summer"', 'not([4..9]) : "Winter"'),
    )
    assert decide(engine, zeebe(), rules, month=12)["r"] == {"x": "Stew", "y": 1}
    literal = decisions(dish="<literalExpression><text>guests * 2 + 1</text></literalExpression>")
    assert decide(engine, zeebe(), literal, guests=4)["r"] == 9


def test_what_cannot_be_decided_is_refused_with_its_place(engine: Engine) -> None:
    (missing,) = findings(engine, camunda(reference="wine"), DISH)
    assert (missing.code, missing.element_id) == ("unknown-decision", "choose")
    wrong = findings(engine, zeebe(), decisions(dish=table("BEST", ["nope(a)"], ["x"], "1 2 : 3", "1 | 2 : 3")))
    assert [(each.code, each.element_id, each.line) for each in wrong] == [
        ("decision-table", "dish", 2),
        ("expression-null", "dish", 2),
        ("decision-expression", "dish", 2),
        ("decision-table", "dish", 2),
    ]
    assert "there is no function 'nope'" in wrong[1].text
    assert wrong[2].text.endswith("instead of '2' at character 3.\n    1 2\n      ^")
    round_trip = '<informationRequirement><requiredDecision href="#{}"/></informationRequirement><literalExpression/>'
    circle = decisions(dish=round_trip.format("wine"), wine=round_trip.format("dish"))
    assert "decision-cycle" in {each.code for each in findings(engine, zeebe(), circle)}


def told(engine: Engine, rules: bytes) -> list[str]:
    """What lint says of a file of decisions, without its first words."""
    return [each.text.removeprefix("The decision 'Choose the dish' (dish): ") for each in engine.lint(rules)]


def drawn(inputs: str, outputs: str, *rules: str) -> bytes:
    """A table under the drawn name ``Choose the dish``."""
    made = table("UNIQUE", [], [inputs, outputs], *rules)
    return decisions(dish=made).replace(b'name="Dish"', b'name="Choose the dish"')


def test_findings_call_decisions_columns_and_rules_by_their_drawn_names(engine: Engine) -> None:
    season = '<input id="i1" label="Season"><inputExpression><text>season</text></inputExpression></input>'
    dish = '<output id="o1" label="What to cook" name="dish"/>'
    assert told(engine, drawn(season, dish, '"Win : "Roast"', '"Summer" : date("2024-13-01")')) == [
        "the cell of rule 1 under 'Season' cannot be read: a text is not closed: add a quote at character 1.\n"
        '    "Win\n    ^',
        "the output 'What to cook' of rule 2 is null, or a part of it: there is no day 2024-13-1; date():"
        " '2024-13-01' is no date.\n"
        '    date("2024-13-01")\n    ^',
    ]


def test_what_is_null_for_certain_is_told_with_its_place(engine: Engine) -> None:
    literal = decisions(dish='<literalExpression><text>a + ("x" - 1) + upper case(b, 2)</text></literalExpression>')
    first, second = (each.text.partition("\n")[2] for each in engine.lint(literal))
    assert first == '    a + ("x" - 1) + upper case(b, 2)\n         ^'
    assert second == '    a + ("x" - 1) + upper case(b, 2)\n                    ^'
    condition = '<conditionExpression>= n &gt; "x" * 2</conditionExpression>'
    flow = f'<sequenceFlow id="h" name="enough" sourceRef="choose" targetRef="e">{condition}</sequenceFlow></process>'
    model = process('<exclusiveGateway id="choose" default="g"/>').replace(b"</process>", flow.encode())
    (found,) = [each for each in engine.lint(model) if each.code == "expression-null"]
    assert found.text == (
        "A part of an expression of sequenceFlow 'enough' (h) is always null:"
        " a string * a number cannot be calculated.\n"
        '    n > "x" * 2\n        ^'
    )


def test_a_cell_that_never_fits_and_an_output_of_another_type_are_told(engine: Engine) -> None:
    """A typed column takes no other kind (DMN 1.5, 10.3.2.9.4), and one with values no value beside them."""
    season = (
        '<input id="i1" label="Season"><inputExpression typeRef="string"><text>season</text></inputExpression>'
        '<inputValues><text>"Winter","Summer"</text></inputValues></input>'
    )
    dish = '<output id="o1" label="Price" name="price" typeRef="number"/>'
    rules = ('"Wintr" : 1', "5 : 2", '"Winter" : "9"', '"Wintr", "Summer" : 4', 'not("x") : 5', "- : 6", "null : 7")
    assert told(engine, drawn(season, dish, *rules)) == [
        "the cell of rule 1 under 'Season' never fits: no value of the column is so.\n    \"Wintr\"\n    ^",
        "the cell of rule 2 under 'Season' never fits: no value of the column is so.\n    5\n    ^",
        "the output 'Price' of rule 3 is null, or a part of it: it is a string where number is expected.\n"
        '    "9"\n    ^',
    ]


def test_a_decision_that_nobody_makes_keeps_nobody_from_deploying(engine: Engine) -> None:
    wine = b'<decision id="wine" name="Wine"><literalExpression><text>1 +</text></literalExpression></decision>'
    rules = DISH.replace(b"</definitions>", wine + b"</definitions>")
    (finding,) = [each for each in engine.lint(camunda(), rules) if each.code.startswith("decision")]
    assert (finding.severity, finding.element_id) == ("warning", "wine")
    assert decide(engine, camunda(), rules, season="Winter", guests=1)["r"] == "Roast"


def test_a_function_that_only_others_have_is_null_and_the_model_warns_of_it(engine: Engine) -> None:
    """As Camunda 8 has it, whose connectors bring functions of their own."""
    mapping = '<zeebe:output source="=if ok then 1 else bpmnError(&quot;no&quot;, &quot;It failed.&quot;)" target="r"/>'
    model = extended(f"<zeebe:ioMapping>{mapping}</zeebe:ioMapping>", '<userTask id="choose"')
    (found,) = [each for each in engine.lint(model) if each.code == "expression-null"]
    assert (found.severity, found.element_id) == ("warning", "choose")
    assert "there is no function 'bpmnError'" in found.text


def test_python_in_a_cell_is_never_run(engine: Engine, tmp_path: Any) -> None:
    """SpiffWorkflow evaluates cells as Python; here they are FEEL, in which nothing else can be called."""
    made = decisions(dish=table("UNIQUE", ["a"], ["x"], f"open('{tmp_path}/made', 'w') : 1"))
    assert "there is no function 'open'" in str(engine.lint(zeebe(), made))
    assert decide(engine, zeebe(), made, a=1)["r"] is None
    assert not list(tmp_path.iterdir())


def test_what_was_read_for_each_task_is_told(engine: Engine) -> None:
    task = (
        '<businessRuleTask id="choose" name="Choose" camunda:decisionRef="dish" camunda:resultVariable="r">'
        '<extensionElements><camunda:inputOutput><camunda:inputParameter name="guests">${n}</camunda:inputParameter>'
        '<camunda:outputParameter name="meal">${r}</camunda:outputParameter></camunda:inputOutput>'
        "</extensionElements></businessRuleTask>"
    )
    (binding,) = engine.bindings(process(task), DISH)
    assert (binding.process, binding.element_id, binding.name, binding.line) == ("dinner", "choose", "Choose", 1)
    assert (binding.kind, binding.code, binding.dialect) == ("decision", "dish", "camunda:decisionRef")
    assert (binding.parameters, binding.outputs) == ({"guests": "${n}"}, {"meal": "${r}"})
    assert binding.result_variable == "r"
    saved = engine.save_model(process(task), DISH)
    assert saved.tasks == (binding,)
    assert [finding.code for finding in saved.findings] == [f.code for f in engine.lint(process(task), DISH)]


def test_a_file_of_decisions_is_deployed_by_itself_and_evaluated(engine: Engine) -> None:
    first = engine.deploy(DISH)
    assert (first.key, first.name, first.version) == ("d", "d", 1)
    assert engine.deploy(DISH).version == 1
    made = engine.decide("dish", {"season": "Winter", "guests": 9})
    assert (made.value, made.deployment_id, made.version) == ("Stew", first.deployment_id, 1)
    (matched,) = made.matched
    assert (matched.decision_id, matched.rules, matched.outputs) == ("dish", (2,), ({"dish": "Stew"},))
    second = engine.deploy(decisions(dish='<literalExpression><text>"Soup"</text></literalExpression>'))
    assert (second.version, engine.decide("dish").value) == (2, "Soup")
    assert engine.decide("dish", {"season": "Autumn", "guests": 1}, version=1).value == "Salad"
    assert engine.decide("dish", {"season": "Autumn", "guests": 1}, deployment_id=first.deployment_id).value == "Salad"
    assert [(each.decision_id, each.key, each.version) for each in engine.decisions().items] == [("dish", "d", 2)]


def test_a_decision_is_called_by_its_name_where_only_one_has_it(engine: Engine) -> None:
    engine.deploy(DISH)
    assert engine.decide("Dish", {"season": "Winter", "guests": 9}).decision_id == "dish"


def test_a_decision_service_is_evaluated_by_itself(engine: Engine) -> None:
    """DMN 1.5, 10.4.2: its input data are given, its output decisions are its value."""
    service = (
        '<inputData id="n" name="n"/><decision id="twice" name="twice"><informationRequirement>'
        '<requiredInput href="#n"/></informationRequirement>'
        "<literalExpression><text>2 * n</text></literalExpression></decision>"
        '<decisionService id="s" name="Doubling"><outputDecision href="#twice"/><inputData href="#n"/>'
        "</decisionService>"
    )
    engine.deploy(f'<definitions xmlns="{DMN}" id="d" name="d" namespace="urn:d">{service}</definitions>'.encode())
    assert engine.decide("s", {"n": 4}).value == 8
    assert engine.decide("Doubling", {"n": 4}).value == 8
    assert {each.decision_id for each in engine.decisions().items} == {"s", "twice"}


def test_inputs_of_imports_are_given_by_the_names_of_the_imports(engine: Engine) -> None:
    """One model that is imported twice may be given two different inputs (DMN 1.5, 6.3.2)."""
    head = f'<definitions xmlns="{DMN}" id="{{0}}" name="{{0}}" namespace="urn:{{0}}">'
    imported = f'<import name="{{0}}" namespace="urn:{{1}}" importType="{DMN}"/>'
    need = '<informationRequirement><required{0} href="urn:{1}"/></informationRequirement>'
    literal = "<literalExpression><text>{0}</text></literalExpression></decision>"

    def greeting(name: str) -> bytes:
        needs = need.format("Input", "base#who") + literal.format('"Hello " + in.who')
        made = f"<decision id='of-{name}' name='greeting'>{needs}</definitions>"
        return f"{head.format(name)}{imported.format('in', 'base')}{made}".encode()

    base = f'{head.format("base")}<inputData id="who" name="who"/></definitions>'.encode()
    needs = need.format("Decision", "one#of-one") + need.format("Decision", "two#of-two")
    both = imported.format("first", "one") + imported.format("second", "two")
    text = literal.format("[first.greeting, second.greeting]")
    top = f'{head.format("top")}{both}<decision id="all" name="all">{needs}{text}</definitions>'
    engine.deploy(top.encode(), greeting("one"), greeting("two"), base)
    given = {"first": {"in": {"who": "Ann"}}, "second": {"in": {"who": "Bo"}}}
    assert engine.decide("all", given).value == ["Hello Ann", "Hello Bo"]
    assert engine.decide("all", {"who": "Cy"}).value == ["Hello Cy", "Hello Cy"]


def test_a_program_gives_times_as_python_has_them(engine: Engine) -> None:
    """They are FEEL's own values inside, and ISO 8601 texts when they leave."""
    engine.deploy(decisions(next="<literalExpression><text>d + span</text></literalExpression>"))
    assert engine.decide("next", {"d": date(2026, 1, 31), "span": timedelta(days=1)}).value == "2026-02-01"
    moment = datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert engine.decide("next", {"d": moment, "span": timedelta(hours=1)}).value == "2026-01-31T09:00:00Z"
    deep: Any = date(2026, 1, 31)
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(Invalid):
        engine.decide("next", {"d": deep})


def test_what_became_null_says_why(engine: Engine) -> None:
    engine.deploy(decisions(sum="<literalExpression><text>a + 1</text></literalExpression>"))
    made = engine.decide("sum", {"a": "x"})
    assert made.value is None
    assert made.warnings


def test_rules_that_fit_against_their_policy_are_told(engine: Engine) -> None:
    engine.deploy(decisions(dish=table("UNIQUE", ["a"], ["x"], "> 1 : 1", "> 2 : 2")))
    made = engine.decide("dish", {"a": 3})
    assert (made.value, made.matched[0].rules) == (None, (1, 2))
    assert made.violation == "the rules 1, 2 fit together, which the hit policy UNIQUE forbids"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"decision_id": "wine"}, UnknownDecision),
        ({"decision_id": "dish", "version": 7}, UnknownDecision),
        ({"decision_id": "dish", "deployment_id": "nope"}, UnknownDeployment),
        ({"decision_id": "dish", "variables": {"a": object()}}, Invalid),
    ],
)
def test_a_decision_that_is_not_there_is_refused(engine: Engine, asked: dict[str, Any], error: type[Exception]) -> None:
    engine.deploy(DISH)
    with pytest.raises(error):
        engine.decide(**asked)


def test_a_task_finds_a_decision_that_was_deployed_apart(engine: Engine) -> None:
    """Camunda 7 manual, "Decision binding": the newest one unless the task is bound to a version."""
    engine.deploy(DISH)
    bound = process(
        '<businessRuleTask id="choose" camunda:decisionRef="dish" camunda:decisionRefBinding="version"'
        ' camunda:decisionRefVersion="1" camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry"/>'
    )
    assert decide(engine, zeebe(), season="Winter", guests=9)["r"] == "Stew"
    engine.deploy(decisions(dish='<literalExpression><text>"Soup"</text></literalExpression>'))
    assert decide(engine, zeebe(), season="Winter", guests=9)["r"] == "Soup"
    assert decide(engine, bound, season="Winter", guests=9)["r"] == "Stew"


def soup(text: str, tag: str) -> bytes:
    literal = f'<literalExpression><text>"{text}"</text></literalExpression>'
    return decisions(dish=literal).replace(b'id="dish"', f'id="dish" {CAMUNDA_DMN} c:versionTag="{tag}"'.encode(), 1)


CAMUNDA_DMN = 'xmlns:c="http://camunda.org/schema/1.0/dmn"'
ZEEBE_TAG = (
    b'<extensionElements><z:versionTag xmlns:z="http://camunda.org/schema/zeebe/1.0" value="v1"/></extensionElements>'
)
TAGGED = extended(
    '<zeebe:calledDecision decisionId="dish" resultVariable="r" bindingType="versionTag" versionTag="v1"/>'
)
BY_TAG = process(
    '<businessRuleTask id="choose" camunda:decisionRef="dish" camunda:decisionRefBinding="versionTag"'
    ' camunda:decisionRefVersionTag="v1" camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry"/>'
)


@pytest.mark.parametrize("model", [TAGGED, BY_TAG])
def test_a_task_is_bound_to_a_version_tag(engine: Engine, model: bytes) -> None:
    engine.deploy(decisions(dish='<literalExpression><text>"Bare"</text></literalExpression>'))
    (missing,) = [each for each in findings(engine, model) if each.severity == "error"]
    assert "makes the decision 'dish', which is not deployed with the version tag 'v1'" in missing.text
    engine.deploy(soup("Soup", "v1"))
    engine.deploy(soup("Roast", "v2"))
    assert decide(engine, model)["r"] == "Soup"
    assert engine.decide("dish", version_tag="v1").version == 2
    with pytest.raises(UnknownDecision, match="with the version tag 'v3'"):
        engine.decide("dish", version_tag="v3")
    zeebe_tag = soup("Stew", "").replace(b"<literal", ZEEBE_TAG + b"<literal", 1)
    engine.deploy(zeebe_tag)
    assert decide(engine, model)["r"] == "Stew"
    assert decide(engine, model, soup("Together", "v1"))["r"] == "Together"


def test_a_version_that_a_task_is_bound_to_is_not_removed(engine: Engine) -> None:
    first = engine.deploy(soup("Soup", "v1"))
    engine.deploy(soup("Roast", "v2"))
    waits = '<userTask id="w"/><sequenceFlow id="h" sourceRef="w" targetRef="choose"/>'
    engine.deploy(TAGGED.replace(b'targetRef="choose"/>', b'targetRef="w"/>' + waits.encode(), 1))
    number = engine.start(key="dinner", name="x").process_instance_id
    with pytest.raises(Conflict, match="1 process needs it"):
        engine.remove_deployment(first.deployment_id)
    engine.complete(engine.tasks(number)[0].task_id)
    engine.remove_deployment(first.deployment_id)


@pytest.mark.parametrize(
    "binding",
    ['bindingType="versionTag"', 'bindingType="versionTag" versionTag="= tag"', 'bindingType="newest"'],
)
def test_a_binding_that_cannot_be_read_is_refused_by_name(engine: Engine, binding: str) -> None:
    error, *_ = findings(
        engine, extended(f'<zeebe:calledDecision decisionId="dish" resultVariable="r" {binding}/>'), DISH
    )
    assert "calledDecision bindingType" in error.text


def test_a_version_tag_that_is_too_long_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="version tag"):
        engine.deploy(soup("Soup", "x" * 300))


def test_a_decision_that_must_be_deployed_together_is_not_sought_elsewhere(engine: Engine) -> None:
    engine.deploy(DISH)
    task = extended('<zeebe:calledDecision decisionId="dish" resultVariable="r" bindingType="deployment"/>')
    assert [each.code for each in findings(engine, task)] == ["unknown-decision"]


def test_a_key_is_of_processes_or_of_decisions(engine: Engine) -> None:
    engine.deploy(DISH.replace(b'id="d"', b'id="dinner"'))
    with pytest.raises(Invalid, match="belongs to decisions already"):
        engine.deploy(camunda(), DISH)
    with pytest.raises(Conflict, match="holds decisions and no process"):
        engine.start(key="dinner", name="x")


def test_decisions_are_not_removed_while_a_process_may_need_them(engine: Engine) -> None:
    dish = engine.deploy(DISH)
    waits = '<userTask id="w"/><sequenceFlow id="h" sourceRef="w" targetRef="choose"/>'
    engine.deploy(zeebe().replace(b'targetRef="choose"/>', b'targetRef="w"/>' + waits.encode(), 1))
    number = engine.start(key="dinner", name="x", variables={"season": "Winter", "guests": 9}).process_instance_id
    with pytest.raises(Conflict, match="1 process needs it"):
        engine.remove_deployment(dish.deployment_id)
    engine.complete(engine.tasks(number)[0].task_id)
    assert engine.get(number).status == "success"
    engine.remove_deployment(dish.deployment_id)
    with pytest.raises(UnknownDecision):
        engine.decide("dish")


def test_a_file_of_decisions_with_an_error_is_refused(engine: Engine) -> None:
    wrong = decisions(dish=table("UNIQUE", ["a"], ["x"], "1 2 : 3"))
    assert "decision-expression" in [each.code for each in findings(engine, wrong)]


def test_a_decision_that_needs_one_with_errors_is_not_made(engine: Engine) -> None:
    """Nobody's process makes it, so it did not keep the file from being deployed."""
    needs = '<informationRequirement><requiredDecision href="#broken"/></informationRequirement>'
    broken = table("UNIQUE", ["a"], ["x"], "1 | 2 : 3")
    literal = "<literalExpression><text>broken</text></literalExpression>"
    rules = DISH.replace(b"</definitions>", decisions(broken=broken, wine=needs + literal).partition(b'urn:d">')[2])
    engine.deploy(camunda(), rules)
    with pytest.raises(ExpressionError, match="'Broken' \\(broken\\) cannot be made: it has errors"):
        engine.decide("wine", {"a": 1})


def test_values_of_a_type_that_cannot_be_read_are_refused_with_their_place(engine: Engine) -> None:
    wrong = b'<itemDefinition name="size"><typeRef>number</typeRef><allowedValues><text>[1..</text></allowedValues>'
    rules = DISH.replace(b"\n<decision", wrong + b"</itemDefinition>\n<decision")
    (finding,) = findings(engine, rules)
    assert finding.code == "decision-expression"
    assert "the values of the type 'size' cannot be read" in finding.text


def test_what_a_table_costs_counts_each_time_it_is_asked(engine: Engine) -> None:
    """Each call looks at 100 rules with 50 cells: 5 million looks are spent long before the loop is over."""
    columns = [f"x{number}" for number in range(50)]
    logic = table("COLLECT", columns, ["o"], *[f"{' | '.join(['> 0'] * 50)} : 1"] * 100)
    names = "".join(f'<formalParameter name="{name}"/>' for name in columns)
    function = f'<businessKnowledgeModel id="k" name="k"><encapsulatedLogic>{names}{logic}</encapsulatedLogic>'
    needs = '<knowledgeRequirement><requiredKnowledge href="#k"/></knowledgeRequirement>'
    loop = f"<literalExpression><text>for i in 1..5000 return k({', '.join(['i'] * 50)})</text></literalExpression>"
    rules = decisions(many=needs + loop).replace(
        b"</definitions>", function.encode() + b"</businessKnowledgeModel></definitions>"
    )
    engine.deploy(rules)
    with pytest.raises(ExpressionError, match="turn_work"):
        engine.decide("many", {})
