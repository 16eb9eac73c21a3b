"""A model drawn in any of the usual modelers says the same thing to the engine."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from riverstone.engine import Engine, Limits
from riverstone.engine.bpmn.elements.loops import MultiInstance
from riverstone.engine.bpmn.reading.bindings import read_binding
from riverstone.engine.bpmn.reading.expression_texts import read_condition
from riverstone.engine.bpmn.reading.loop_readers import read_loop
from riverstone.engine.bpmn.reading.mappings import Input, OutputMapping, read_io
from riverstone.engine.bpmn.reading.model_reader import ModelReader
from riverstone.engine.bpmn.reading.unread import unread

from ....features.sketch import line

NAMESPACES = {
    "camunda": "http://camunda.org/schema/1.0/bpmn",
    "flowable": "http://flowable.org/bpmn",
    "activiti": "http://activiti.org/bpmn",
    "spiffworkflow": "http://spiffworkflow.org/bpmn/schema/1.0/core",
}
ZEEBE = {"zeebe": "http://camunda.org/schema/zeebe/1.0"}


def node(xml: str, **more: str) -> etree._Element:
    """The first node inside a process that declares every vendor's namespace (zeebe's only on request)."""
    spaces = {**NAMESPACES, **more}
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in spaces.items())
    root = etree.fromstring(
        f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" {declared}><process>{xml}</process>'
        "</definitions>"
    )
    return root[0][0]


def extended(
    attributes: str = "", extension: str = "", *, tag: str = "serviceTask", inside: str = ""
) -> etree._Element:
    return node(
        f'<{tag} id="x" {attributes}><extensionElements>{extension}</extensionElements>{inside}</{tag}>', **ZEEBE
    )


@pytest.mark.parametrize(
    ("attributes", "extension", "stone", "dialect"),
    [
        ('camunda:type="external" camunda:topic="SIP::EC2::Volume"', "", "SIP::EC2::Volume", "camunda:topic"),
        ('camunda:type="external" camunda:topic="${kind}"', "", "${kind}", "camunda:topic"),
        ("", '<zeebe:taskDefinition type="mail"/>', "mail", "zeebe:taskDefinition"),
        ('flowable:type="external-worker" flowable:topic="mail"', "", "mail", "flowable:topic"),
        ("", '<activiti:field name="mq_queue" stringValue="SIP::Mail"/>', "SIP::Mail", "field mq_queue"),
        (
            "",
            '<activiti:field name="mq_queue"><activiti:string>SIP::Mail</activiti:string></activiti:field>',
            "SIP::Mail",
            "field mq_queue",
        ),
        (
            "",
            '<camunda:properties><camunda:property name="mq_queue" value="SIP::Mail"/></camunda:properties>',
            "SIP::Mail",
            "property mq_queue",
        ),
        ('activiti:mq_queue="SIP::Mail"', "", "SIP::Mail", "property mq_queue"),
        ('activiti:delegateExpression="${mailer}"', "", "mailer", "activiti:delegateExpression"),
        ('flowable:delegateExpression="#{ mailer }"', "", "mailer", "flowable:delegateExpression"),
        ('camunda:class="org.example.Mailer"', "", "org.example.Mailer", "camunda:class"),
        ('activiti:expression="${mailer.send(to)}"', "", "mailer.send(to)", "activiti:expression"),
        ('activiti:expression="${a}-${b}"', "", "${a}-${b}", "activiti:expression"),
        ("", '<spiffworkflow:serviceTaskOperator id="http/Get"/>', "http/Get", "spiffworkflow:serviceTaskOperator"),
        ('implementation="SIP::Mail"', "", "SIP::Mail", "implementation"),
    ],
)
def test_every_modeler_can_name_a_stone(attributes: str, extension: str, stone: str, dialect: str) -> None:
    element = extended(attributes, extension)
    binding = read_binding(element)
    assert binding is not None
    assert (binding.stone, binding.dialect) == (stone, dialect)
    assert unread(element) == []


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("serviceTask", ""),
        ("serviceTask", 'implementation="##WebService"'),
        ("userTask", 'implementation="##unspecified"'),
        ("userTask", 'implementation="http://example.org/form"'),
        ("serviceTask", 'camunda:type="external"'),
        ("serviceTask", 'camunda:topic="mail"'),
        ("scriptTask", 'camunda:type="external" camunda:topic="mail"'),
        ("endEvent", 'camunda:type="external" camunda:topic="mail"'),
    ],
)
def test_a_node_without_a_usable_name_has_no_stone(tag: str, attributes: str) -> None:
    assert read_binding(extended(attributes, tag=tag)) is None


def test_the_earlier_name_in_the_order_wins() -> None:
    names = [
        ('camunda:type="external" camunda:topic="first"', ""),
        ("", '<zeebe:taskDefinition type="second"/>'),
        ('flowable:type="external-worker" flowable:topic="third"', ""),
        ("", '<activiti:field name="mq_queue" stringValue="fourth"/>'),
        ('activiti:delegateExpression="fifth"', ""),
        ('activiti:class="sixth"', ""),
        ('activiti:expression="seventh"', ""),
        ("", '<spiffworkflow:serviceTaskOperator id="eighth"/>'),
        ('implementation="ninth"', ""),
    ]
    won = []
    while names:
        element = extended(" ".join(name[0] for name in names), "".join(name[1] for name in names))
        binding = read_binding(element)
        assert binding is not None
        won.append(binding.stone)
        names.pop(0)
    assert won == ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]


@pytest.mark.parametrize("tag", ["intermediateThrowEvent", "endEvent"])
def test_a_message_that_is_thrown_can_be_carried_by_a_stone(tag: str) -> None:
    element = extended(
        extension="<camunda:inputOutput><camunda:inputParameter name='to'>${who}</camunda:inputParameter>"
        "</camunda:inputOutput>",
        tag=tag,
        inside='<messageEventDefinition camunda:type="external" camunda:topic="mail"/>',
    )
    binding = read_binding(element)
    assert binding is not None
    assert binding.stone == "mail"
    assert binding.inputs == {"to": Input(value="${who}")}
    assert unread(element) == []


def test_a_camunda_node_hands_over_texts_lists_and_maps() -> None:
    element = extended(
        'camunda:type="external" camunda:topic="mail"',
        """<camunda:inputOutput>
             <camunda:inputParameter name="subject"> Hello <!-- to --> ${name} </camunda:inputParameter>
             <camunda:inputParameter name="nothing"/>
             <camunda:inputParameter name="to"><camunda:list>
               <camunda:value>${first}</camunda:value><camunda:value>b</camunda:value>
             </camunda:list></camunda:inputParameter>
             <camunda:inputParameter name="headers"><camunda:map>
               <camunda:entry key="X-A">1</camunda:entry>
               <camunda:entry key="list"><camunda:list><camunda:value>z</camunda:value></camunda:list></camunda:entry>
             </camunda:map></camunda:inputParameter>
             <camunda:outputParameter name="sent">${outputs.x.messageId}</camunda:outputParameter>
           </camunda:inputOutput>""",
    )
    binding = read_binding(element)
    assert binding is not None
    assert {name: value.value for name, value in binding.inputs.items()} == {
        "subject": "Hello  ${name}",
        "nothing": None,
        "to": ["${first}", "b"],
        "headers": {"X-A": "1", "list": ["z"]},
    }
    assert binding.outputs == (OutputMapping(target="sent", value="${outputs.x.messageId}"),)


def test_a_zeebe_node_hands_over_feel_and_literals_and_builds_nested_variables() -> None:
    element = extended(
        extension="""<zeebe:taskDefinition type="mail" retries="4"/>
            <zeebe:ioMapping>
              <zeebe:input source="=customer.name" target="to"/><zeebe:input source="plain" target="subject"/>
              <zeebe:input source="=a" target="order.lines.first"/><zeebe:input source="=b" target="order.total"/>
              <zeebe:output source="=id" target="messageId"/>
            </zeebe:ioMapping>
            <zeebe:taskHeaders><zeebe:header key="method" value="POST"/></zeebe:taskHeaders>"""
    )
    binding = read_binding(element)
    assert binding is not None
    assert binding.inputs == {
        "to": Input(value="=customer.name", language="feel", in_order=True),
        "subject": Input(value="plain", in_order=True),
        "order": Input(value={"lines": {"first": "=a"}, "total": "=b"}, language="feel", in_order=True),
        "method": Input(value="POST"),
    }
    assert binding.outputs == (OutputMapping(target="messageId", value="=id", language="feel"),)
    assert binding.retries == 3, "Zeebe counts all tries"


def test_activiti_fields_are_inputs_however_they_are_written() -> None:
    element = extended(
        'activiti:class="org.example.Mailer" activiti:resultVariableName="sent"',
        """<activiti:field name="a" stringValue="text"/><activiti:field name="b" expression="${x}"/>
           <activiti:field name="c"><activiti:string><![CDATA[long text]]></activiti:string></activiti:field>
           <activiti:field name="d"><activiti:expression>${y}</activiti:expression></activiti:field>""",
    )
    binding = read_binding(element)
    assert binding is not None
    assert {name: value.value for name, value in binding.inputs.items()} == {
        "a": "text",
        "b": "${x}",
        "c": "long text",
        "d": "${y}",
    }
    assert binding.result_variable == "sent"


def test_spiff_parameters_are_literals_or_references() -> None:
    texts = {"a": "'x'", "b": '"y"', "c": "3", "d": "True", "e": "order.id", "f": "1e999", "g": "None"}
    parameters = "".join(
        f"<spiffworkflow:parameter id='{name}' type='any' value=\"{text.replace(chr(34), '&quot;')}\"/>"
        for name, text in texts.items()
    )
    element = extended(
        extension=f'<spiffworkflow:serviceTaskOperator id="http/Get" resultVariable="answer"><spiffworkflow:parameters>'
        f"{parameters}</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
    )
    binding = read_binding(element)
    assert binding is not None
    values = {name: value.value for name, value in binding.inputs.items()}
    assert values == {"a": "x", "b": "y", "c": 3, "d": True, "e": "${order.id}", "f": "${1e999}", "g": None}
    assert binding.result_variable == "answer"


def test_properties_set_namespace_retries_and_what_an_undo_does() -> None:
    element = extended(
        'camunda:type="external" camunda:topic="disk"',
        """<camunda:properties><camunda:property name="namespace" value="backup"/>
           <camunda:property name="undoPolicy" value="retain-except-on-failed-start"/>
           <camunda:property name="retries" value="2"/>
           <camunda:property name="team" value="ops"/></camunda:properties>""",
    )
    binding = read_binding(element)
    assert binding is not None
    assert (binding.namespace, binding.undo_policy, binding.retries) == ("backup", "retain-except-on-failed-start", 2)
    assert binding.properties["team"] == "ops"
    assert binding.inputs == {}


def test_a_node_bound_by_the_property_mq_queue_takes_its_other_properties_as_inputs() -> None:
    element = extended(
        extension="""<camunda:properties><camunda:property name="mq_queue" value="SIP::EC2::Volume"/>
           <camunda:property name="namespace" value="disk"/>
           <camunda:property name="instanceCode" value="${outputs.server.instanceCode}"/></camunda:properties>""",
        tag="userTask",
    )
    binding = read_binding(element)
    assert binding is not None
    assert binding.inputs == {"instanceCode": Input(value="${outputs.server.instanceCode}")}


def test_a_parameter_of_the_stone_may_be_called_namespace() -> None:
    element = extended(
        'camunda:type="external" camunda:topic="pod"',
        "<camunda:inputOutput><camunda:inputParameter name='namespace'>kube</camunda:inputParameter>"
        "</camunda:inputOutput>",
    )
    binding = read_binding(element)
    assert binding is not None
    assert binding.inputs == {"namespace": Input(value="kube")}
    assert binding.namespace is None


@pytest.mark.parametrize(
    ("cycle", "count"), [("R3/PT10S", 3), ("5", 5), ("PT10S,PT1M", 2), ("${many}", None), ("R3/soon", None)]
)
def test_a_java_retry_cycle_counts_as_retries(cycle: str, count: int | None) -> None:
    element = extended(
        'camunda:type="external" camunda:topic="disk"',
        f"<camunda:failedJobRetryTimeCycle>{cycle}</camunda:failedJobRetryTimeCycle>",
    )
    binding = read_binding(element)
    assert binding is not None
    assert binding.retries == count
    assert binding.retry_pauses == {"R3/PT10S": (10_000,), "PT10S,PT1M": (10_000, 60_000)}.get(cycle, ())
    assert bool(unread(element)) == (count is None)


def test_a_call_activity_passes_variables_both_ways() -> None:
    element = extended(
        'calledElement="sub"',
        """<camunda:in source="a" target="b"/><camunda:in sourceExpression="${x + 1}" target="c"/>
           <camunda:in businessKey="#{execution.processBusinessKey}"/><camunda:in variables="all"/>
           <flowable:out source="r" target="s"/>""",
        tag="callActivity",
    )
    passing = read_io(element).passing
    assert passing is not None
    named = OutputMapping(target="b", value="a", by_name=True)
    assert passing.inward == (named, OutputMapping(target="c", value="${x + 1}"))
    assert passing.outward == (OutputMapping(target="s", value="r", by_name=True),)
    assert (passing.all_in, passing.all_out) == (True, False)
    assert unread(element) == []


def test_a_zeebe_call_activity_names_its_process_and_passes_everything_unless_told_otherwise() -> None:
    element = extended(
        extension='<zeebe:calledElement processId="=which" propagateAllChildVariables="false"/>', tag="callActivity"
    )
    passing = read_io(element).passing
    assert passing is not None
    assert passing.called_element == Input(value="=which", language="feel")
    assert (passing.all_in, passing.all_out) == (True, False)


def test_a_sub_process_has_mappings_but_passes_nothing_on() -> None:
    element = extended(
        extension="<camunda:inputOutput><camunda:inputParameter name='a'>1</camunda:inputParameter>"
        "</camunda:inputOutput>",
        tag="subProcess",
    )
    io = read_io(element)
    assert io.inputs == {"a": Input(value="1")}
    assert io.passing is None


@pytest.mark.parametrize(
    ("marker", "collection", "element_variable"),
    [
        (
            '<multiInstanceLoopCharacteristics camunda:collection="${list}" camunda:elementVariable="e"/>',
            "${list}",
            "e",
        ),
        ('<multiInstanceLoopCharacteristics flowable:collection="list" flowable:elementVariable="e"/>', "list", "e"),
        ('<multiInstanceLoopCharacteristics activiti:collection="list"/>', "list", None),
        (
            "<multiInstanceLoopCharacteristics><extensionElements>"
            '<zeebe:loopCharacteristics inputCollection="=list" inputElement="e"/>'
            "</extensionElements></multiInstanceLoopCharacteristics>",
            "=list",
            "e",
        ),
        (
            "<multiInstanceLoopCharacteristics><loopDataInputRef>t:list</loopDataInputRef>"
            '<inputDataItem id="e"/></multiInstanceLoopCharacteristics>',
            "list",
            "e",
        ),
    ],
)
def test_a_collection_can_be_named_in_every_dialect(marker: str, collection: str, element_variable: str | None) -> None:
    element = node(f"<task id='t'>{marker}</task>", **ZEEBE)
    found = read_loop(ModelReader([], limits=Limits(), scripts=False), element)
    assert isinstance(found, MultiInstance)
    assert found.collection is not None
    assert found.collection.source == collection
    assert found.element_variable == element_variable
    assert found.behavior == "All"
    assert unread(element) == []


def test_a_counted_sequential_marker_keeps_its_conditions() -> None:
    element = node(
        "<task><multiInstanceLoopCharacteristics isSequential='true' behavior='One'>"
        "<loopCardinality>${slaveNum}</loopCardinality>"
        "<completionCondition>${nrOfCompletedInstances >= 2}</completionCondition>"
        "</multiInstanceLoopCharacteristics></task>"
    )
    reader = ModelReader([], limits=Limits(), scripts=False)
    found = read_loop(reader, element)
    assert isinstance(found, MultiInstance)
    assert found.sequential
    assert found.behavior == "One"
    assert found.cardinality is not None
    assert found.cardinality.source == "${slaveNum}"
    assert found.completion is not None
    assert found.completion.source == "${nrOfCompletedInstances >= 2}"
    assert read_loop(reader, node("<task/>")) is None


@pytest.mark.parametrize(
    ("text", "spaces", "language"),
    [
        ("${x > 1}", {}, "juel"),
        ("#{x}", ZEEBE, "juel"),
        ("=x > 1", {}, "feel"),
        ("x > 1", {}, "juel"),
        ("x > 1", ZEEBE, "feel"),
    ],
)
def test_the_language_of_a_condition_is_told_by_its_first_sign_or_by_the_modeler(
    text: str, spaces: dict[str, str], language: str
) -> None:
    flow = node(
        f"<sequenceFlow><conditionExpression>{text.replace('>', '&gt;')}</conditionExpression></sequenceFlow>", **spaces
    )
    condition = read_condition(flow)
    assert condition is not None
    assert (condition.text, condition.language) == (text, language)


def test_a_flow_without_a_condition_has_none() -> None:
    assert read_condition(node("<sequenceFlow/>")) is None
    assert read_condition(node("<sequenceFlow><conditionExpression> </conditionExpression></sequenceFlow>")) is None


@pytest.mark.parametrize(
    ("tag", "attributes", "extension", "told"),
    [
        ("serviceTask", "", '<camunda:executionListener class="x" event="start"/>', "camunda:executionListener"),
        ("userTask", "", '<camunda:taskListener class="x" event="create"/>', "camunda:taskListener"),
        ("serviceTask", "", "<camunda:connector/>", "camunda:connector"),
        ("serviceTask", "", "<spiffworkflow:preScript>x = 1</spiffworkflow:preScript>", "spiffworkflow:preScript"),
        ("userTask", "", '<zeebe:script expression="=1"/>', "zeebe:script"),
        ("userTask", "", "<camunda:taskListener/>", "camunda:taskListener"),
        ("exclusiveGateway", "", "<camunda:inputOutput/>", "camunda:inputOutput"),
        ("scriptTask", "", '<zeebe:taskDefinition type="js"/>', "zeebe:taskDefinition"),
        ("serviceTask", 'camunda:topic="mail"', "", "camunda:topic"),
        ("serviceTask", 'activiti:type="mail"', "", 'activiti:type="mail"'),
        ("serviceTask", 'flowable:skipExpression="${x}"', "", "flowable:skipExpression"),
        ("receiveTask", 'camunda:class="x"', "", "camunda:class"),
        ("serviceTask", 'camunda:decisionRef="d"', "", "camunda:decisionRef"),
        (
            "businessRuleTask",
            'camunda:decisionRef="d" camunda:decisionRefBinding="version"',
            "",
            'camunda:decisionRefBinding="version"',
        ),
        ("callActivity", 'camunda:calledElementBinding="version"', "", 'camunda:calledElementBinding="version"'),
        (
            "serviceTask",
            "",
            '<camunda:properties><camunda:property name="undoPolicy" value="keep"/></camunda:properties>',
            "property undoPolicy='keep'",
        ),
        (
            "manualTask",
            "",
            '<camunda:properties><camunda:property name="mq_queue" value="x"/></camunda:properties>',
            "property mq_queue",
        ),
        (
            "serviceTask",
            "",
            '<camunda:inputOutput><camunda:inputParameter name="n"><camunda:script scriptFormat="groovy">1'
            "</camunda:script></camunda:inputParameter></camunda:inputOutput>",
            "inputParameter 'n' with camunda:script",
        ),
        (
            "serviceTask",
            "",
            '<zeebe:ioMapping><zeebe:input source="=1" target="a..b"/></zeebe:ioMapping>',
            "zeebe:input with the target 'a..b'",
        ),
    ],
)
def test_what_bears_on_execution_and_is_not_understood_is_told(
    tag: str, attributes: str, extension: str, told: str
) -> None:
    assert unread(extended(attributes, extension, tag=tag)) == [told]


def test_what_only_concerns_forms_people_and_transactions_is_passed_over() -> None:
    element = extended(
        'camunda:assignee="kim" camunda:asyncBefore="true" camunda:formKey="f" camunda:jobPriority="3" '
        'zeebe:modelerTemplate="t" activiti:candidateGroups="ops"',
        '<camunda:formData/><zeebe:userTask/><activiti:formProperty id="p"/>',
        tag="userTask",
    )
    assert unread(element) == []


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(st.dictionaries(st.sampled_from(["type", "topic", "class", "expression", "resultVariable", "x"]), TEXTS), TEXTS)
def test_any_text_in_any_place_is_read_into_json_or_left_out(attributes: dict[str, str], text: str) -> None:
    element = extended()
    for uri in (*NAMESPACES.values(), *ZEEBE.values()):
        for name, value in attributes.items():
            element.set(f"{{{uri}}}{name}", value)
        for name in ("taskDefinition", "field", "serviceTaskOperator", "property"):
            child = etree.SubElement(element[0], f"{{{uri}}}{name}", {"type": text, "name": text, "id": text})
            etree.SubElement(child, f"{{{uri}}}parameter", {"id": text, "value": text})
            etree.SubElement(child, f"{{{uri}}}retry", {"retries": text})
        mapping = etree.SubElement(etree.SubElement(element[0], f"{{{uri}}}ioMapping"), f"{{{uri}}}input")
        mapping.set("source", text)
        mapping.set("target", text)
    binding = read_binding(element)
    if binding is not None:
        assert binding.stone
        json.dumps({name: value.value for name, value in binding.inputs.items()}, allow_nan=False)
    assert all(isinstance(told, str) for told in unread(element))


@pytest.mark.parametrize(
    ("attributes", "lacking"),
    [
        ('camunda:topic="mail"', 'camunda:type="external"'),
        ('xmlns:flowable="http://flowable.org/bpmn" flowable:topic="mail"', 'flowable:type="external-worker"'),
    ],
)
def test_a_topic_alone_is_told_what_it_lacks(attributes: str, lacking: str) -> None:
    with Engine("sqlite:///:memory:") as engine:
        found = engine.lint(line("mailing", f'<serviceTask id="mail" {attributes}/>'))
        elsewhere = engine.lint(line("asking", f'<scriptTask id="ask" {attributes}/>'))
    (told,) = [each.text for each in found if each.code == "not-understood"]
    assert told.endswith(f"of serviceTask 'mail' names no stone without {lacking}: add that.")
    (told,) = [each.text for each in elsewhere if each.code == "not-understood"]
    assert "cannot be run here" in told


ZEEBE_IS = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'


@pytest.mark.parametrize(
    ("element", "what"),
    [
        (
            '<callActivity id="t" calledElement="c"><extensionElements><camunda:in businessKey="${x}"/>',
            "in businessKey",
        ),
        ('<callActivity id="t"><extensionElements><zeebe:calledElement processId="c" businessId="=x"/>', "businessId"),
        ('<task id="t"><extensionElements><zeebe:ioMapping><zeebe:output sorce="=x" target="y"/>', "sorce"),
        ('<scriptTask id="t"><extensionElements><zeebe:script expression="=1" resultvariable="y"/>', "resultvariable"),
    ],
)
def test_what_is_misspelt_or_cannot_be_done_is_refused_by_its_name(element: str, what: str) -> None:
    """A call has no business key of its own here, and an attribute that Zeebe does not know changes what runs."""
    tag = element[1:].partition(" ")[0]
    mapped = "</zeebe:ioMapping>" if "ioMapping" in element else ""
    drawn = element.replace(f"<{tag}", f"<{tag} {ZEEBE_IS}") + f"{mapped}</extensionElements></{tag}>"
    with Engine("sqlite:///:memory:") as engine:
        found = engine.lint(line("p", drawn))
    (told,) = [each.text for each in found if each.code == "not-understood"]
    assert what in told


def test_a_call_may_say_that_it_hands_on_its_own_business_key() -> None:
    key = '<camunda:in businessKey="#{execution.processBusinessKey}"/>'
    drawn = f'<callActivity id="t" calledElement="c"><extensionElements>{key}</extensionElements></callActivity>'
    with Engine("sqlite:///:memory:") as engine:
        assert not [each for each in engine.lint(line("p", drawn)) if each.code == "not-understood"]
