"""The checks as a whole: the schema, references, flows, processes, and what they promise of every finding."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from riverstone.engine.bpmn.checks import check
from riverstone.engine.bpmn.reading.xml import read_xml
from riverstone.engine.findings import Finding
from riverstone.engine.limits import Limits

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:own="urn:orders" xmlns:other="urn:elsewhere" targetNamespace="urn:orders"'
)
CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
IN, OUT = "<incoming>{}</incoming>", "<outgoing>{}</outgoing>"


def definitions(content: str, *, attributes: str = "") -> str:
    return f"<definitions {NAMESPACES} {attributes}>{content}</definitions>"


def process(content: str, *, attributes: str = 'isExecutable="true"') -> str:
    return f'<process id="order" {attributes}>{content}</process>'


def sound(middle: str = '<task id="pack"><incoming>f1</incoming><outgoing>f2</outgoing></task>') -> str:
    """A process that breaks no rule: start, ``middle``, end."""
    return (
        f'<startEvent id="start"><outgoing>f1</outgoing></startEvent>{middle}'
        '<endEvent id="end"><incoming>f2</incoming></endEvent>'
        '<sequenceFlow id="f1" sourceRef="start" targetRef="pack"/>'
        '<sequenceFlow id="f2" sourceRef="pack" targetRef="end"/>'
    )


def findings(source: str, *, limits: Limits | None = None, strict: bool = True) -> list[Finding]:
    limits = limits or Limits()
    return check(read_xml(source.encode(), limits=limits), limits=limits, source="order.bpmn", strict=strict)


def errors(source: str, *, strict: bool = True) -> set[str]:
    return {finding.code for finding in findings(source, strict=strict) if finding.severity == "error"}


def warnings(source: str) -> set[str]:
    return {finding.code for finding in findings(source) if finding.severity == "warning"}


def test_a_sound_file_has_no_findings() -> None:
    assert findings(definitions(process(sound()))) == []


def test_a_finding_names_the_element_the_line_and_the_file() -> None:
    source = definitions("\n" + process("\n" + sound() + '\n<sequenceFlow id="f3" sourceRef="pack" targetRef="gone"/>'))
    (finding,) = [finding for finding in findings(source) if finding.code == "dangling-reference"]
    assert (finding.element_id, finding.line, finding.source, finding.severity) == ("f3", 4, "order.bpmn", "error")
    assert str(finding) == (
        "order.bpmn:4: error dangling-reference: The targetRef of sequenceFlow 'f3' refers to 'gone', which is not in"
        " the file: add it or correct the reference."
    )


def test_all_findings_come_at_once_and_in_the_order_of_the_lines() -> None:
    wrong = '\n<sequenceFlow id="f3" sourceRef="pack" targetRef="gone"/>\n<task id="pack"/>\n<task id="new" wrong="1"/>'
    found = findings(definitions(process(sound() + wrong)))
    assert {"dangling-reference", "duplicate-id", "schema"} <= {finding.code for finding in found}
    assert [finding.line for finding in found] == sorted(finding.line or 0 for finding in found)


def test_the_tree_that_is_checked_stays_as_it_is() -> None:
    path = (
        '<correlationProperty id="p"><correlationPropertyRetrievalExpression messageRef="m">'
        "<formalExpression>x</formalExpression></correlationPropertyRetrievalExpression></correlationProperty>"
    )
    root = read_xml(definitions('<message id="m"/>' + path + process(sound())).encode(), limits=Limits())
    before = etree.tostring(root)
    assert check(root, limits=Limits()) == []
    assert etree.tostring(root) == before


def test_breaches_of_the_schema_name_the_nearest_element_with_an_id() -> None:
    loop = '<standardLoopCharacteristics loopMaximum="many"/>'
    middle = f'<task id="pack"><incoming>f1</incoming><outgoing>f2</outgoing>{loop}</task>'
    found = findings(definitions(process(sound(middle))))
    assert {(finding.code, finding.element_id, finding.severity) for finding in found} == {("schema", "pack", "error")}
    assert found[0].text == (
        "The standardLoopCharacteristics without id has in its attribute 'loopMaximum' 'many' where a whole number is"
        " wanted: correct it."
    )


def test_an_expression_where_the_schema_wants_a_name_is_what_engines_read() -> None:
    call = (
        '<callActivity id="pack" calledElement="${{{}}}"><incoming>f1</incoming><outgoing>f2</outgoing></callActivity>'
    )
    assert errors(definitions(process(sound(call.format("flow ? 'a b' : c"))))) == set()
    assert errors(definitions(process(sound(call.replace("${{{}}}", "a b"))))) == {"schema"}


def test_a_modeler_may_leave_out_the_sets_that_its_engine_does_not_read() -> None:
    content = definitions(process("<ioSpecification/>" + sound()))
    assert errors(content) == {"schema"}
    assert errors(content, strict=False) == set()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("<order/>", "no-definitions"),
        ("<definitions/>", "no-definitions"),
        (definitions(""), "no-process"),
        (definitions(process(sound(), attributes='isExecutable="false"')), "no-executable-process"),
        (definitions(process(sound(), attributes='isExecutable="true" processType="Public"')), "public-process"),
        (definitions(process(sound() + '<dataObject id="start"/>')), "duplicate-id"),
        (definitions(process(sound().replace('targetRef="end"', 'targetRef="f1"'))), "wrong-reference"),
        (
            definitions('<extension mustUnderstand="true" definition="own:x"/>' + process(sound())),
            "extension-not-understood",
        ),
        (definitions(process('<documentation textFormat="words">x</documentation>' + sound())), "text-format"),
    ],
)
def test_a_file_that_cannot_be_run_is_refused(source: str, code: str) -> None:
    assert code in errors(source)


def test_one_executable_process_is_enough_and_silence_is_only_doubtful() -> None:
    other = '<process id="other" isExecutable="false"/>'
    assert errors(definitions(other + process(sound()))) == set()
    silent = definitions(process(sound(), attributes=""))
    assert (errors(silent), warnings(silent)) == (set(), {"executable-not-said"})


def test_more_nodes_than_the_limit_are_refused_and_no_more_is_said() -> None:
    found = findings(definitions(process(sound() + '<task id="t" wrong="1"/>')), limits=Limits(model_nodes=3))
    assert [finding.code for finding in found] == ["too-many-nodes"]
    assert findings(definitions(process(sound())), limits=Limits(model_nodes=3)) == []


def test_an_element_with_more_content_than_a_model_can_have_is_refused_unread() -> None:
    crowd = "".join(f'<dataObject id="d{i}"/>' for i in range(40))
    found = findings(definitions(process(sound() + crowd)), limits=Limits(model_nodes=8))
    assert [(finding.code, finding.element_id) for finding in found] == [("too-many-elements", "order")]


def test_a_process_without_content_is_doubtful() -> None:
    assert warnings(definitions(process(""))) == {"empty-process"}


def test_a_prefixed_reference_finds_what_has_the_target_namespace_and_leaves_other_files_alone() -> None:
    message = '<message id="paid"/>'
    receive = '<receiveTask id="pack" messageRef="{}"><incoming>f1</incoming><outgoing>f2</outgoing></receiveTask>'
    for reference, wrong in (("paid", False), ("own:paid", False), ("other:paid", False), ("own:gone", True)):
        found = errors(definitions(message + process(sound(receive.format(reference)))))
        assert found == ({"dangling-reference"} if wrong else set()), reference


def test_a_called_process_may_be_in_another_file() -> None:
    call = TASK.replace("task", "callActivity").replace('id="pack"', 'id="pack" calledElement="elsewhere"')
    assert findings(definitions(process(sound(call)))) == []


def test_what_stands_in_extensions_is_not_judged() -> None:
    extension = "<extensionElements><own:task id='start' sourceRef='gone'/></extensionElements>"
    middle = f'<task id="pack">{extension}<incoming>f1</incoming><outgoing>f2</outgoing></task>'
    assert errors(definitions(process(sound(middle)))) == set()


TASK = '<task id="pack"><incoming>f1</incoming><outgoing>f2</outgoing></task>'
SUB_PROCESS = (
    '<subProcess id="pack"><incoming>f1</incoming><outgoing>f2</outgoing>'
    '<startEvent id="s"><outgoing>g1</outgoing></startEvent><endEvent id="e"><incoming>g1</incoming>{}</endEvent>'
    '<sequenceFlow id="g1" sourceRef="s" targetRef="e"/></subProcess>'
)
TO_START = sound().replace('<startEvent id="start">', '<startEvent id="start"><incoming>f3</incoming>')


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (sound(TASK.replace("<outgoing>f2</outgoing>", "")), "unlisted-flow"),
        (
            sound(TASK.replace("<outgoing>f2</outgoing>", "<outgoing>f2</outgoing><outgoing>f1</outgoing>")),
            "wrongly-listed-flow",
        ),
        (TO_START + '<sequenceFlow id="f3" sourceRef="pack" targetRef="start"/>', "flow-into-event"),
        (sound() + '<sequenceFlow id="f3" sourceRef="end" targetRef="pack"/>', "flow-out-of-end"),
        (
            sound(SUB_PROCESS.format("")) + '<sequenceFlow id="f3" sourceRef="s" targetRef="end"/>',
            "flow-crosses-boundary",
        ),
        (sound('<task id="pack" isForCompensation="true"/>'), "compensation-activity-flow"),
        (
            sound('<task id="pack" default="f1"><incoming>f1</incoming><outgoing>f2</outgoing></task>'),
            "default-flow-elsewhere",
        ),
        (sound() + '<task id="lost"/>', "no-way-in"),
        (sound() + '<task id="lost"/>', "no-way-out"),
        (sound() + '<intermediateThrowEvent id="lost"/>', "no-way-in"),
        (sound() + "<task/>", "missing-id"),
        ('<startEvent id="start"/>', "missing-end-event"),
        ('<endEvent id="end"/>', "missing-start-event"),
        (sound().replace('id="f1"', 'id="f1" isImmediate="false"'), "flow-not-immediate"),
    ],
)
def test_flows_join_nodes_as_the_specification_says(content: str, code: str) -> None:
    assert code in errors(definitions(process(content)))


def test_flows_do_not_leave_a_pool() -> None:
    other = '<process id="other" isExecutable="true"><task id="bill"/></process>'
    flow = '<sequenceFlow id="f3" sourceRef="pack" targetRef="bill"/>'
    (finding,) = [each for each in findings(definitions(process(sound() + flow) + other)) if "crosses" in each.code]
    assert "use a message flow" in finding.text


def test_implicit_starts_and_ends_are_legal() -> None:
    content = (
        f'<task id="a">{OUT.format("f")}</task><task id="b">{IN.format("f")}</task>'
        '<sequenceFlow id="f" sourceRef="a" targetRef="b"/>'
    )
    assert findings(definitions(process(content))) == []


CONDITION = '<conditionExpression xsi:type="tFormalExpression">x &gt; 1</conditionExpression>'


def test_a_conditional_flow_is_not_the_only_way_out_of_an_activity() -> None:
    conditional = f'<sequenceFlow id="f2" sourceRef="pack" targetRef="end">{CONDITION}</sequenceFlow>'
    content = sound().replace('<sequenceFlow id="f2" sourceRef="pack" targetRef="end"/>', conditional)
    assert errors(definitions(process(content))) == {"single-conditional-flow"}


def test_nodes_that_no_start_reaches_and_loops_without_exit_are_doubtful() -> None:
    island = (
        f'<task id="a">{IN.format("g2")}{OUT.format("g1")}</task>'
        f'<task id="b">{IN.format("g1")}{OUT.format("g2")}</task>'
        '<sequenceFlow id="g1" sourceRef="a" targetRef="b"/><sequenceFlow id="g2" sourceRef="b" targetRef="a"/>'
    )
    found = definitions(process(sound() + island))
    assert (errors(found), warnings(found)) == (set(), {"unreachable"})
    led_there = sound(TASK.replace("</outgoing>", "</outgoing><outgoing>g3</outgoing>")) + island.replace(
        '<task id="a">', '<task id="a"><incoming>g3</incoming>'
    )
    assert warnings(definitions(process(led_there + '<sequenceFlow id="g3" sourceRef="pack" targetRef="a"/>'))) == {
        "loop-without-exit"
    }


def test_what_can_be_run_is_refused_by_strict_checks_only() -> None:
    loose = '<startEvent id="start"/><userTask id="pack"/><sequenceFlow id="f" sourceRef="start" targetRef="pack"/>'
    for source, code in (
        (loose, "missing-end-event"),
        (sound() + '<task id="lost"/>', "no-way-in"),
        (sound(middle='<task id="pack"><outgoing>f2</outgoing></task>'), "unlisted-flow"),
        (sound(middle='<task id="pack" startQuantity="0"/>'), "quantity-below-one"),
        ("<ioSpecification/>" + sound(), "schema"),
    ):
        content = definitions(process(source))
        assert code in errors(content), code
        assert errors(content, strict=False) == set(), code
        assert code in {finding.code for finding in findings(content, strict=False)}
    assert errors(definitions(process(loose + '<task id="start"/>')), strict=False) >= {"duplicate-id"}


def test_nodes_without_ids_are_refused_by_name() -> None:
    """No flow can reach them, and two of them were one to everything that looks nodes up (BPMN 2.0, 8.2.1)."""
    found = findings(definitions(process(sound() + '<task name="Pack it"/><task/>')), strict=False)
    wrong = [finding for finding in found if finding.severity == "error"]
    assert [finding.code for finding in wrong] == ["missing-id", "missing-id"]
    assert "'Pack it'" in wrong[0].text


def test_what_the_schema_forbids_and_every_reader_finds_is_formal() -> None:
    """Order of elements, ids that begin with a digit, lanes, data and pictures say nothing about how it runs."""
    for source in (
        '<textAnnotation id="t"><text>x</text></textAnnotation>' + sound(),
        sound().replace('"pack"', '"1 pack"'),
        '<laneSet id="l"><lane id="a" wrong="1"/></laneSet>' + sound(),
    ):
        content = definitions(process(source))
        assert "schema" in errors(content)
        assert errors(content, strict=False) == set()
    for source in (
        sound().replace('"pack"', '"a:pack"'),  # to what reads references this is a name with a prefix
        sound().replace('id="start"', 'id="start" isInterupting="false"'),
        sound() + "<tusk/>",
    ):
        assert "schema" in errors(definitions(process(source)), strict=False)


def test_a_namespace_with_a_space_is_well_formed() -> None:
    """Namespaces in XML 1.0, 3: its name should be a URI reference, and any text is well-formed."""
    assert errors(definitions(process(sound()), attributes='xmlns:ibm="http://a.example/Initial Import"')) == set()


def test_a_hostile_file_is_told_a_bounded_number_of_things_in_bounded_texts() -> None:
    flows = "".join(f'<sequenceFlow id="f{i}" sourceRef="{"x" * 900}" targetRef="b"/>' for i in range(700))
    found = findings(definitions(process(flows)))
    assert len(found) <= 501
    assert max(len(finding.text) for finding in found) < 700


def test_threads_share_the_schema_without_mixing_up_their_findings() -> None:
    good, bad = definitions(process(sound())), definitions(process(sound() + '<task id="t" wrong="1"/>'))
    mixed: list[bool] = []

    def run(source: str, expected: bool) -> None:
        for _ in range(20):
            mixed.append(("schema" in errors(source)) is expected)

    threads = [threading.Thread(target=run, args=(bad if i % 2 else good, bool(i % 2))) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mixed) == 80
    assert all(mixed)


_TAGS = (
    "task startEvent endEvent sequenceFlow subProcess transaction adHocSubProcess boundaryEvent intermediateCatchEvent "
    "intermediateThrowEvent linkEventDefinition messageEventDefinition timerEventDefinition timeCycle source target "
    "eventDefinitionRef process ioSpecification inputSet dataInput multiInstanceLoopCharacteristics loopDataInputRef "
    "participant collaboration messageFlow callActivity eventBasedGateway incoming dataInputAssociation sourceRef"
).split()
_ATTRIBUTES = (
    "id sourceRef targetRef attachedToRef default isExecutable triggeredByEvent messageRef minimum name".split()
)
_VALUES = ["a", "b", "", "true", "-1", "own:a", "none:a", "²", "9" * 5000]


@st.composite
def _elements(draw: st.DrawFn, depth: int = 0) -> etree._Element:
    model = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
    element = etree.Element(model + draw(st.sampled_from(_TAGS)))
    for attribute in draw(st.sets(st.sampled_from(_ATTRIBUTES), max_size=4)):
        element.set(attribute, draw(st.sampled_from(_VALUES)))
    element.text = draw(st.sampled_from(_VALUES))
    if depth < 4:
        element.extend(draw(st.lists(_elements(depth + 1), max_size=4)))
    return element


@settings(max_examples=100, deadline=None)
@given(_elements())
def test_any_tree_of_bpmn_elements_is_judged_without_a_crash(element: etree._Element) -> None:
    source = etree.tostring(element).decode()
    for finding in findings(definitions(source)):
        assert finding.text.endswith(".")


def choreography(initiator: str, second: str) -> str:
    return (
        '<choreography id="dance"><participant id="ann"/><participant id="bob"/><participant id="eve"/>'
        '<messageFlow id="asks" sourceRef="ann" targetRef="bob"/>'
        f'<choreographyTask id="step" initiatingParticipantRef="{initiator}"><participantRef>ann</participantRef>'
        f"<participantRef>{second}</participantRef><messageFlowRef>asks</messageFlowRef></choreographyTask>"
        "</choreography>"
    )


def test_the_participants_of_a_choreography_task_fit_together() -> None:
    assert errors(definitions(choreography("ann", "bob") + process(sound()))) == set()
    assert errors(definitions(choreography("eve", "bob") + process(sound()))) == {"choreography-initiator"}
    assert errors(definitions(choreography("ann", "eve") + process(sound()))) == {"choreography-message"}


def test_a_collaboration_refers_to_the_choreography_that_its_flows_go_to() -> None:
    pools = '<collaboration id="c"><participant id="p" processRef="order"/><messageFlow id="m" sourceRef="pack" '
    pools += 'targetRef="step"/>{}</collaboration>'
    dance = choreography("ann", "bob")
    referred = pools.format("<choreographyRef>dance</choreographyRef>")
    assert errors(definitions(dance + referred + process(sound()))) == set()
    assert errors(definitions(dance + pools.format("") + process(sound()))) == {"choreography-not-referred"}


def test_an_imported_file_has_to_be_there() -> None:
    bpmn = "http://www.omg.org/spec/BPMN/20100524/MODEL"
    imports = f'<import namespace="urn:elsewhere" location="x.bpmn" importType="{bpmn}"/>'
    source = definitions(imports + process(sound()))
    assert (errors(source), warnings(source)) == (set(), {"import-missing"})
    root = read_xml(source.encode(), limits=Limits())
    assert not check(root, limits=Limits(), together={"urn:elsewhere"})


def test_a_wrong_picture_is_no_reason_to_refuse_a_model() -> None:
    picture = (
        '<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI"><d:BPMNPlane bpmnElement="order">'
        '<extension xmlns="http://www.omg.org/spec/DD/20100524/DI"><odd xmlns="urn:odd"/></extension>'
        "</d:BPMNPlane></d:BPMNDiagram>"
    )
    source = definitions(process(sound()) + picture)
    assert errors(source) == set()
    assert warnings(source) == {"schema"}


def test_an_operation_that_is_not_there_is_not_missed_where_the_message_is_named() -> None:
    task = '<receiveTask id="pack" messageRef="m" operationRef="gone"><incoming>f1</incoming><outgoing>f2</outgoing>'
    source = definitions('<message id="m" name="m"/>' + process(sound(task + "</receiveTask>")))
    assert (errors(source), warnings(source)) == (set(), {"dangling-reference"})


def test_text_of_an_element_without_attributes_may_break_the_schema() -> None:
    """Found by a fuzzer: a QName in a text that no attribute holds."""
    wrong = (
        '<interface id="i" name="i"><operation id="o" name="o"><inMessageRef>a b</inMessageRef></operation></interface>'
    )
    assert "schema" in {finding.code for finding in findings(definitions(wrong + process(sound())))}
