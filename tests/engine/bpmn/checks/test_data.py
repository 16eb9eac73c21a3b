"""The rules for data, operations, pools and message flows, each shown by a file that breaks it and one that fits."""

from __future__ import annotations

import pytest

from riverstone.engine.bpmn.checks import check
from riverstone.engine.bpmn.reading.xml import read_xml
from riverstone.engine.limits import Limits

ITEMS = (
    '<itemDefinition id="text" structureRef="String"/><itemDefinition id="words" structureRef="String"/>'
    '<itemDefinition id="number" structureRef="Integer"/>'
    '<itemDefinition id="texts" structureRef="String" isCollection="true"/>'
    '<itemDefinition id="numbers" structureRef="Integer" isCollection="true"/>'
    '<message id="order" itemRef="text"/><message id="answer" itemRef="number"/>'
    '<interface id="shop" name="shop"><operation id="sell" name="sell"><inMessageRef>order</inMessageRef>'
    "<outMessageRef>answer</outMessageRef></operation></interface>"
    '<resource id="team" name="team"><resourceParameter id="size"/></resource>'
    '<resource id="crew" name="crew"/>'
)
OBJECTS = (
    '<dataObject id="letter" itemSubjectRef="text" name="Letter"/><dataObject id="count" itemSubjectRef="number"/>'
    '<dataObject id="free"/><dataObjectReference id="aLetter" dataObjectRef="letter"/>'
    '<dataObjectReference id="aCount" dataObjectRef="count"/><dataObjectReference id="aFree" dataObjectRef="free"/>'
)


def codes(content: str = "", *, outside: str = "", before: str = "") -> set[str]:
    source = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="urn:orders">'
        f'{ITEMS}{outside}<process id="main" isExecutable="true">{before}{content}{OBJECTS}</process></definitions>'
    )
    found = check(read_xml(source.encode(), limits=Limits()), limits=Limits(), strict=True)
    return {finding.code for finding in found if finding.severity == "error"}


def specification(inputs: str = "", outputs: str = "", *, input_set: str = "", output_set: str = "") -> str:
    """``inputs`` and ``outputs`` such as ``a:text b:number``: ids and item definitions."""
    data = {
        "Input": [each.split(":") for each in inputs.split()],
        "Output": [each.split(":") for each in outputs.split()],
    }
    declared = sets = ""
    for kind, entries in data.items():
        for data_id, item in entries:
            collection = ' isCollection="true"' if item in ("texts", "numbers") else ""
            subject = f' itemSubjectRef="{item}"' if item else ""
            declared += f'<data{kind} id="{data_id}"{subject}{collection}/>'
        listed = "".join(f"<data{kind}Refs>{data_id}</data{kind}Refs>" for data_id, _ in entries)
        more = input_set if kind == "Input" else output_set
        sets += f'<{kind.lower()}Set id="{kind}S">{listed}{more}</{kind.lower()}Set>'
    return f"<ioSpecification>{declared}{sets}</ioSpecification>"


def task(inner: str, *, tag: str = "task", attributes: str = "") -> str:
    return f'<{tag} id="work" {attributes}>{inner}</{tag}>'


def reads(source: str, inner: str = "", *, item: str = "text") -> str:
    sources = "".join(f"<sourceRef>{each}</sourceRef>" for each in source.split())
    association = f'<dataInputAssociation id="da">{sources}<targetRef>i</targetRef>{inner}</dataInputAssociation>'
    return task(specification(f"i:{item}") + association)


@pytest.mark.parametrize(
    "content",
    [
        reads("aLetter"),
        reads("aLetter", item="words"),
        reads("aFree"),
        reads("aCount", "<transformation>toText(x)</transformation>"),
        reads("aLetter aCount", "<transformation>join(x, y)</transformation>"),
        task(specification("i:text", "o:number")),
        task(specification("i:text"), tag="sendTask", attributes='messageRef="order"'),
        task(specification("", "o:words"), tag="receiveTask", attributes='messageRef="order"'),
        task(specification("i:text", "o:number"), tag="serviceTask", attributes='operationRef="sell"'),
        '<dataObjectReference id="sent" dataObjectRef="letter" name="Letter [sent]">'
        '<dataState name="sent"/></dataObjectReference>',
        '<dataObjectReference id="sent" dataObjectRef="letter" name="anything"/>',
        "<task id='work'><performer><resourceRef>team</resourceRef><resourceParameterBinding parameterRef='size'>"
        "<formalExpression>3</formalExpression></resourceParameterBinding></performer></task>",
        task(
            specification("i:texts") + "<multiInstanceLoopCharacteristics><loopDataInputRef>i</loopDataInputRef>"
            "<inputDataItem id='one' itemSubjectRef='text'/></multiInstanceLoopCharacteristics>"
        ),
    ],
)
def test_data_that_fits_together_is_accepted(content: str) -> None:
    assert codes(content) == set()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (reads("aCount"), "data-association-types"),
        (reads("aLetter aFree"), "data-association-sources"),
        (reads(""), "data-association-sources"),
        (reads("aLetter", "<transformation/>"), "expression-empty"),
        (reads("work"), "wrong-reference"),
        ('<dataObject id="x" isCollection="true" itemSubjectRef="text"/>', "collection-mismatch"),
        ('<dataObject id="x" itemSubjectRef="texts"/>', "collection-mismatch"),
        (
            '<dataObjectReference id="x" dataObjectRef="letter" name="L [sent]">'
            '<dataState name="sent"/></dataObjectReference>',
            "data-state-name",
        ),
        (
            task('<ioSpecification><dataInput id="i"/><inputSet/><outputSet/></ioSpecification>'),
            "data-in-no-set",
        ),
        (task(specification("i:text", input_set="<optionalInputRefs>j</optionalInputRefs>")), "data-set-subset"),
        (
            task(specification("", "o:text", output_set="<whileExecutingOutputRefs>p</whileExecutingOutputRefs>")),
            "data-set-subset",
        ),
        (task(specification(input_set="<outputSetRefs>OutputS</outputSetRefs>")), "data-sets-not-mutual"),
        (task(specification(output_set="<inputSetRefs>InputS</inputSetRefs>")), "data-sets-not-mutual"),
        (task(specification("i:number"), tag="sendTask", attributes='messageRef="order"'), "message-task-type"),
        (task(specification("i:"), tag="sendTask", attributes='messageRef="order"'), "message-task-type"),
        (
            task(specification("", "o:text p:text"), tag="receiveTask", attributes='messageRef="order"'),
            "message-task-data",
        ),
        (task("", tag="serviceTask", attributes='operationRef="sell"'), "operation-sets"),
        (
            task(specification("i:number", "o:number"), tag="serviceTask", attributes='operationRef="sell"'),
            "operation-data",
        ),
        (
            task(specification("i:text", "o:text"), tag="serviceTask", attributes='operationRef="sell"'),
            "operation-data",
        ),
        (
            "<task id='work'><performer><resourceRef>crew</resourceRef><resourceParameterBinding parameterRef='size'>"
            "<formalExpression>3</formalExpression></resourceParameterBinding></performer></task>",
            "resource-parameter",
        ),
        (
            task(
                specification("i:texts") + "<multiInstanceLoopCharacteristics><loopDataInputRef>i</loopDataInputRef>"
                "<inputDataItem id='one' itemSubjectRef='texts'/></multiInstanceLoopCharacteristics>"
            ),
            "loop-data-type",
        ),
        (
            task(
                "<multiInstanceLoopCharacteristics><loopDataInputRef>aLetter</loopDataInputRef>"
                "</multiInstanceLoopCharacteristics>"
            ),
            "loop-data-elsewhere",
        ),
    ],
)
def test_data_that_contradicts_itself_is_refused(content: str, code: str) -> None:
    assert code in codes(content)


def throwing(data: str, definition: str) -> str:
    return (
        '<startEvent id="s"><outgoing>f</outgoing></startEvent><sequenceFlow id="f" sourceRef="s" targetRef="e"/>'
        f'<endEvent id="e"><incoming>f</incoming>{data}<inputSet>'
        + "".join(f"<dataInputRefs>{each}</dataInputRefs>" for each in ("d1", "d2") if f'"{each}"' in data)
        + f"</inputSet>{definition}</endEvent>"
    )


def test_an_event_carries_the_data_that_it_declares() -> None:
    message = '<messageEventDefinition messageRef="order"><operationRef>sell</operationRef></messageEventDefinition>'
    text, number = '<dataInput id="d1" itemSubjectRef="text"/>', '<dataInput id="d2" itemSubjectRef="number"/>'
    assert codes(throwing(text, message)) == set()
    assert codes(throwing(number, message)) == {"event-data-type"}
    assert codes(throwing(text + number, message)) == {"event-data-count"}


def test_a_process_does_not_write_its_own_input_nor_read_its_own_output() -> None:
    own = specification("given:text", "made:text")
    write = task(
        specification("", "o:text").replace('"InputS"', '"IS"').replace('"OutputS"', '"OS"')
        + "<dataOutputAssociation id='da'><sourceRef>o</sourceRef><targetRef>{}</targetRef></dataOutputAssociation>"
    )
    assert codes(write.format("made"), before=own) == set()
    assert codes(write.format("given"), before=own) == {"process-data-direction"}


def test_a_call_passes_what_the_callee_declares() -> None:
    callee = f'<globalTask id="callee">{specification("in:text", "out:number")}</globalTask>'
    good = specification("i:words", "o:number").replace('"InputS"', '"IS"').replace('"OutputS"', '"OS"')
    call = '<callActivity id="work" calledElement="callee">{}</callActivity>'
    assert codes(call.format(good), outside=callee) == set()
    assert codes(call.format(""), outside=callee) == {"call-data"}
    assert codes(call.format(good.replace("words", "number")), outside=callee) == {"call-data"}


def test_a_process_offered_as_a_service_binds_its_data_to_the_operation() -> None:
    bind = '<ioBinding inputDataRef="in" outputDataRef="out" operationRef="sell"/>'
    supports = "<supportedInterfaceRef>shop</supportedInterfaceRef>"
    assert codes(before=supports + specification("in:text", "out:number") + bind) == set()
    assert codes(before=supports + specification("in:number", "out:number") + bind) == {"binding-data"}
    assert codes(before=supports + specification("in:text", "out:number")) == {"interface-without-binding"}


SENDER = (
    '<process id="seller" isExecutable="true"><startEvent id="s"><outgoing>f</outgoing></startEvent>'
    '<sequenceFlow id="f" sourceRef="s" targetRef="throw"/><intermediateThrowEvent id="throw"><incoming>f</incoming>'
    '<outgoing>g</outgoing><messageEventDefinition messageRef="note"/></intermediateThrowEvent>'
    '<sequenceFlow id="g" sourceRef="throw" targetRef="e"/><endEvent id="e"><incoming>g</incoming></endEvent>'
    '</process><message id="note"/>'
)
WORK = '<task id="work"/><textAnnotation id="hint"><text>x</text></textAnnotation>'


def pools(flow: str = "", *, more: str = "") -> str:
    joined = f'<messageFlow id="m" {flow}/>' if flow else ""
    return (
        SENDER + '<collaboration id="c"><participant id="buyers" processRef="main"/>'
        f'<participant id="sellers" processRef="seller"/><participant id="black"/>{joined}</collaboration>{more}'
    )


@pytest.mark.parametrize(
    "flow",
    [
        'sourceRef="throw" targetRef="work"',
        'sourceRef="throw" targetRef="buyers"',
        'sourceRef="black" targetRef="work"',
        'sourceRef="buyers" targetRef="sellers"',
    ],
)
def test_message_flows_join_pools(flow: str) -> None:
    assert codes('<task id="work"/>', outside=pools(flow)) == set()


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        ('sourceRef="throw" targetRef="sellers"', "message-flow-within-pool"),
        ('sourceRef="black" targetRef="black"', "message-flow-within-pool"),
        ('sourceRef="throw" targetRef="s"', "message-flow-within-pool"),
        ('sourceRef="s" targetRef="work"', "message-flow-out-of-catch"),
        ('sourceRef="work" targetRef="throw"', "message-flow-into-throw"),
        ('sourceRef="work" targetRef="e"', "message-flow-into-throw"),
        ('sourceRef="work" targetRef="s"', "message-flow-without-message"),
        ('sourceRef="e" targetRef="work"', "message-flow-without-message"),
        ('sourceRef="throw" targetRef="main"', "wrong-reference"),
        ('sourceRef="throw" targetRef="gone"', "dangling-reference"),
        ('sourceRef="throw" targetRef="work" messageRef="shop"', "wrong-reference"),
    ],
)
def test_message_flows_that_pass_no_message_between_pools_are_refused(flow: str, code: str) -> None:
    assert code in codes('<task id="work"/>', outside=pools(flow))


@pytest.mark.parametrize(
    ("multiplicity", "allowed"),
    [
        ("", True),
        ('minimum="0" maximum="1"', True),
        ('minimum="2" maximum="2"', True),
        ('maximum="3"', True),
        ('minimum="-1"', False),
        ('minimum="2"', False),
        ('maximum="0"', False),
        ('minimum="3" maximum="2"', False),
    ],
)
def test_a_participant_occurs_a_possible_number_of_times(multiplicity: str, allowed: bool) -> None:
    participant = f'<participant id="p"><participantMultiplicity {multiplicity}/></participant>'
    found = codes(outside=f'<collaboration id="c">{participant}</collaboration>')
    assert found == (set() if allowed else {"participant-multiplicity"})


@pytest.mark.parametrize(
    ("outside", "code"),
    [
        ('<globalConversation id="g"><conversation id="x"/></globalConversation>', "global-conversation-content"),
        (
            '<choreography id="ch"/><globalConversation id="g"><choreographyRef>ch</choreographyRef>'
            "</globalConversation>",
            "choreography-reference",
        ),
        (
            '<choreography id="ch" isClosed="true"/><collaboration id="c">'
            "<choreographyRef>ch</choreographyRef></collaboration>",
            "collaboration-closed",
        ),
    ],
)
def test_conversations_and_choreographies_are_what_they_say(outside: str, code: str) -> None:
    assert code in codes(outside=outside)
