"""What becomes of a checked file: the nodes that run it, and findings for what cannot run."""

from __future__ import annotations

from lxml import etree

from riverstone.engine.bpmn.elements.events import CatchEvent
from riverstone.engine.bpmn.elements.tasks import ReceiveTask, StoneTask
from riverstone.engine.bpmn.reading.parser import ModelParser, ParsedModels
from riverstone.engine.limits import Limits

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:t="urn:t" targetNamespace="urn:t">'
)


def parse(body: str, before: str = "", *, scripts: bool = False) -> ParsedModels:
    text = f'{HEAD}{before}<process id="p" isExecutable="true">{body}</process></definitions>'
    return ModelParser([etree.fromstring(text)], limits=Limits(), scripts=scripts).parse()


def codes(parsed: ParsedModels) -> list[str]:
    return [finding.code for finding in parsed.findings]


def test_a_script_is_refused_unless_scripts_are_trusted() -> None:
    body = '<scriptTask id="t"><script>1</script></scriptTask>'
    assert codes(parse(body)) == ["script-refused"]
    assert codes(parse(body, scripts=True)) == []


def test_a_task_that_names_no_stone_is_told() -> None:
    (finding,) = parse('<serviceTask id="t"/>').findings
    assert (finding.code, finding.element_id) == ("stone-missing", "t")


def test_a_timer_without_a_time_is_told() -> None:
    body = '<intermediateCatchEvent id="w"><timerEventDefinition/></intermediateCatchEvent>'
    assert codes(parse(body)) == ["timer-without-time"]


def test_a_time_that_is_none_is_told() -> None:
    def timer(time: str) -> str:
        definition = f"<timerEventDefinition>{time}</timerEventDefinition>"
        return f'<intermediateCatchEvent id="w">{definition}</intermediateCatchEvent>'

    for time in (
        "<timeDate>2031-02-30</timeDate>",
        "<timeCycle>0 0 25 * * ?</timeCycle>",
        "<timeDuration>P</timeDuration>",
    ):
        (finding,) = parse(timer(time)).findings
        assert (finding.code, finding.element_id) == ("timer-time", "w")
    assert codes(parse(timer("<timeDate>2031-02-28T00:00:00+01:00[Europe/Berlin]</timeDate>"))) == []
    assert codes(parse(timer("<timeDuration>${later}</timeDuration>"))) == []


def test_more_expressions_than_anybody_writes_are_refused_before_they_cost() -> None:
    def conditions(*texts: str) -> str:
        return '<manualTask id="a"/><manualTask id="b"/>' + "".join(
            f'<sequenceFlow id="f{n}" sourceRef="a" targetRef="b"><conditionExpression>{text}</conditionExpression>'
            "</sequenceFlow>"
            for n, text in enumerate(texts)
        )

    long = "a+" * 180
    assert codes(parse(conditions(*["${" + long + "b}"] * 1000))) == []  # written a thousand times, read once
    found = parse(conditions(*[f"${{{long}{n}}}" for n in range(1000)])).findings
    assert {finding.code for finding in found} == {"expression"}
    assert "model_expressions (100000)" in found[0].text


def test_a_message_of_a_file_that_is_not_there_is_told() -> None:
    throw = '<intermediateThrowEvent id="t"><messageEventDefinition messageRef="o:m"/></intermediateThrowEvent>'
    (finding,) = parse(throw).findings
    assert (finding.code, finding.element_id) == ("dangling-reference", "t")


def test_a_send_task_that_sends_nothing_is_told() -> None:
    (finding,) = parse('<sendTask id="t"/>').findings
    assert (finding.code, finding.element_id) == ("stone-missing", "t")


def test_a_wrong_expression_is_told_with_its_element() -> None:
    body = (
        '<manualTask id="a"/><manualTask id="b"/><sequenceFlow id="f" sourceRef="a" targetRef="b">'
        "<conditionExpression>${1 +}</conditionExpression></sequenceFlow>"
    )
    (finding,) = parse(body).findings
    assert (finding.code, finding.element_id) == ("expression", "f")


def test_references_may_have_prefixes() -> None:
    parsed = parse('<receiveTask id="r" messageRef="t:M"/>', '<message id="M" name="order"/>')
    node = parsed.processes["p"].nodes["r"]
    assert isinstance(node, ReceiveTask)
    assert [definition.name for definition in node.definitions] == ["order"]


def test_a_receive_task_may_name_its_message_by_an_operation() -> None:
    before = (
        '<message id="M" name="order"/><interface id="I" name="I"><operation id="O" name="O">'
        "<inMessageRef>M</inMessageRef></operation></interface>"
    )
    node = parse('<receiveTask id="r" operationRef="O"/>', before).processes["p"].nodes["r"]
    assert isinstance(node, ReceiveTask)
    assert [definition.name for definition in node.definitions] == ["order"]


def test_a_service_task_may_name_its_stone_by_an_operation() -> None:
    before = (
        '<message id="M" name="m"/><interface id="I" name="I"><operation id="O" name="mail">'
        "<inMessageRef>M</inMessageRef></operation></interface>"
    )
    (task,) = parse('<serviceTask id="t" operationRef="t:O"/>', before).stone_tasks
    assert (task.stone, task.dialect) == ("mail", "operation")


def test_the_correlation_key_of_a_message_is_read() -> None:
    before = (
        '<message id="M" name="paid"><extensionElements><zeebe:subscription correlationKey="=orderId"/>'
        "</extensionElements></message>"
    )
    body = '<intermediateCatchEvent id="w"><messageEventDefinition messageRef="M"/></intermediateCatchEvent>'
    node = parse(body, before).processes["p"].nodes["w"]
    assert isinstance(node, CatchEvent)
    correlation = node.definitions[0].correlation
    assert correlation is not None
    assert correlation.references == (("orderId",),)


def test_a_flow_without_an_id_is_drawn_all_the_same() -> None:
    body = '<userTask id="a"/><userTask id="b"/><sequenceFlow sourceRef="a" targetRef="b"/>'
    nodes = parse(body).processes["p"].nodes
    assert [flow.target.name for flow in nodes["a"].outgoing] == ["b"]


def test_ids_that_other_engines_keep_for_themselves_are_free() -> None:
    body = '<startEvent id="Start"/><userTask id="Root"/><endEvent id="End"/>'
    assert {"Start", "Root", "End"} <= parse(body).processes["p"].nodes.keys()


def test_a_long_sequence_is_read_without_recursion() -> None:
    tasks = "".join(f'<serviceTask id="t{n}" camunda:type="external" camunda:topic="x"/>' for n in range(1500))
    flows = "".join(f'<sequenceFlow id="f{n}" sourceRef="t{n}" targetRef="t{n + 1}"/>' for n in range(1499))
    parsed = parse(tasks + flows)
    assert len(parsed.stone_tasks) == 1500
    assert isinstance(parsed.processes["p"].entries[0], StoneTask)
