"""An example of each finding and of its mend: where the two stand, what is wrong, and how it is right.

``flow`` puts a node with the id ``work`` between a start and an end; ``beside`` adds to such a process; ``process`` is
the content of one; ``data`` adds item definitions, messages and data objects to that; ``file`` is the content of the
definitions, ``decisions`` that of a file of DMN, ``whole`` a whole file.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Around = Literal["flow", "beside", "process", "data", "file", "decisions", "whole"]


class Example(NamedTuple):
    """What brings a finding about, and the same without it."""

    around: Around
    wrong: str
    mended: str
    strict: bool = True


def _task(inner: str = "", attributes: str = "", tag: str = "task") -> str:
    return (
        f'<{tag} id="work"{" " + attributes if attributes else ""}>{inner}</{tag}>'
        if inner
        else (f'<{tag} id="work"{" " + attributes if attributes else ""}/>')
    )


def _stone(inner: str = "", topic: str = "work", attributes: str = "") -> str:
    return _task(
        inner, f'camunda:type="external" camunda:topic="{topic}"{" " + attributes if attributes else ""}', "serviceTask"
    )


def _inputs(**values: str) -> str:
    given = "".join(
        f'<camunda:inputParameter name="{name}">{value}</camunda:inputParameter>' for name, value in values.items()
    )
    return f"<extensionElements><camunda:inputOutput>{given}</camunda:inputOutput></extensionElements>"


def _catch(definition: str, name: str = "wait") -> str:
    return f'<intermediateCatchEvent id="{name}">{definition}</intermediateCatchEvent>'


def _spec(inputs: str = "", outputs: str = "", sets: str = "") -> str:
    def declared(kind: str, text: str) -> str:
        pairs = [each.split(":") for each in text.split()]
        return "".join(f'<data{kind} id="{name}" itemSubjectRef="{item}"/>' for name, item in pairs)

    def listed(kind: str, text: str) -> str:
        return "".join(f"<data{kind}Refs>{each.split(':')[0]}</data{kind}Refs>" for each in text.split())

    return (
        f"<ioSpecification>{declared('Input', inputs)}{declared('Output', outputs)}<inputSet>{listed('Input', inputs)}{sets}</inputSet>"
        f"<outputSet>{listed('Output', outputs)}</outputSet></ioSpecification>"
    )


CONDITION = '<conditionExpression xsi:type="tFormalExpression">{}</conditionExpression>'
TIMER = "<timerEventDefinition>{}</timerEventDefinition>"
DURATION = '<timeDuration xsi:type="tFormalExpression">{}</timeDuration>'
MESSAGE = '<messageEventDefinition messageRef="order"/>'
LOOP = "<standardLoopCharacteristics{}</standardLoopCharacteristics>"
MANY = "<multiInstanceLoopCharacteristics{}</multiInstanceLoopCharacteristics>"
CARDINALITY = '<loopCardinality xsi:type="tFormalExpression">3</loopCardinality>'
FLOW = '<sequenceFlow id="{}" sourceRef="{}" targetRef="{}"/>'


def _flow(name: str, source: str, target: str, condition: str = "") -> str:
    if condition:
        return f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{CONDITION.format(condition)}</sequenceFlow>'
    return FLOW.format(name, source, target)


def _sub(content: str, tag: str = "subProcess", attributes: str = "") -> str:
    return _task(content, attributes, tag)


def _gate(tag: str, ways: str, attributes: str = "") -> str:
    """A start, a gateway ``g`` and what leaves it."""
    return f'<startEvent id="start"/>{_flow("f1", "start", "g")}<{tag} id="g"{" " + attributes if attributes else ""}/>{ways}'


ENDS = '<endEvent id="a"/><endEvent id="b"/>'
WAYS = (
    _catch(MESSAGE, "m")
    + _catch(TIMER.format(DURATION.format("PT1H")), "t")
    + _flow("g1", "g", "m")
    + _flow("g2", "g", "t")
)
AFTER = _flow("g3", "m", "a") + _flow("g4", "t", "b") + ENDS
LINKED = '<startEvent id="start"/>{}<intermediateThrowEvent id="throw"><linkEventDefinition{}</intermediateThrowEvent>{}<endEvent id="end"/>'


def _links(throw: str = ' name="a"/>', catch: str = ' name="a"/>', more: str = "") -> str:
    caught = f'<intermediateCatchEvent id="catch"><linkEventDefinition{catch}</intermediateCatchEvent>' + _flow(
        "f2", "catch", "end"
    )
    return LINKED.format(_flow("f1", "start", "throw"), throw, caught + more)


def _boundary(definition: str, more: str = "", attached: str = "work", attributes: str = "") -> str:
    shown = f" {attributes}" if attributes else ""
    return f'<boundaryEvent id="edge" attachedToRef="{attached}"{shown}>{definition}</boundaryEvent>{more}'


OUT = '<endEvent id="caught"/>' + _flow("g1", "edge", "caught")
ERROR = '<errorEventDefinition errorRef="sold-out"/>'
HANDLER = '<serviceTask id="undo" isForCompensation="true" camunda:type="external" camunda:topic="work"/>'
POOLS = (
    '<process id="p" isExecutable="true">{}</process><process id="seller" isExecutable="false"><task id="sell"/></process>'
    '<collaboration id="c"><participant id="buyers" processRef="p"/><participant id="sellers" processRef="seller"/>'
    '<messageFlow id="m" {}/></collaboration>'
)
SENDS = '<intermediateThrowEvent id="send"><messageEventDefinition messageRef="order"/></intermediateThrowEvent>'
GETS = '<intermediateCatchEvent id="get"><messageEventDefinition messageRef="order"/></intermediateCatchEvent>'
DECIDES = '<decision id="price" name="Price"><variable name="price"/><literalExpression><text>{}</text></literalExpression></decision>'
TABLE = (
    '<decision id="price" name="Price"><decisionTable hitPolicy="{}"><input id="i" label="Size"><inputExpression typeRef="number">'
    '<text>size</text></inputExpression></input><output id="o" name="price"/>{}</decisionTable></decision>'
)
RULE = '<rule id="r"><inputEntry id="c"><text>{}</text></inputEntry><outputEntry id="e"><text>1</text></outputEntry></rule>'

FIELD = (
    '<extensionElements><camunda:formData><camunda:formField id="size" type="long"><camunda:validation>'
    '<camunda:constraint name="min" config="{}"/></camunda:validation></camunda:formField></camunda:formData></extensionElements>'
)

STARTS = (
    f'<startEvent id="one">{FIELD.format("3")}</startEvent><startEvent id="two">{{}}</startEvent><endEvent id="end"/>'
    + _flow("f", "one", "end")
    + _flow("g", "two", "end")
)

EXAMPLES: dict[str, Example] = {
    # -- the file
    "no-definitions": Example(
        "whole",
        "<order/>",
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x"><process id="p" isExecutable="true"><task id="t"/></process></definitions>',
    ),
    "no-process": Example("file", '<message id="m"/>', '<process id="p" isExecutable="true"><task id="t"/></process>'),
    "no-executable-process": Example(
        "file",
        '<process id="p" isExecutable="false"><task id="t"/></process>',
        '<process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "executable-not-said": Example(
        "file",
        '<process id="p"><task id="t"/></process>',
        '<process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "public-process": Example(
        "file",
        '<process id="p" isExecutable="true" processType="Public"><task id="t"/></process>',
        '<process id="p" isExecutable="true" processType="Private"><task id="t"/></process>',
    ),
    "empty-process": Example(
        "file", '<process id="p" isExecutable="true"/>', '<process id="p" isExecutable="true"><task id="t"/></process>'
    ),
    "schema": Example("flow", _task(attributes='wrong="1"'), _task()),
    "extension-not-understood": Example(
        "file",
        '<extension mustUnderstand="true" definition="own:x"/><process id="p" isExecutable="true"><task id="t"/></process>',
        '<process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "import-missing": Example(
        "file",
        '<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" location="other.bpmn" namespace="urn:other"/><process id="p" isExecutable="true"><task id="t"/></process>',
        '<process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "missing-id": Example("process", "<task/>", '<task id="t"/>'),
    "duplicate-id": Example("process", '<task id="t"/><task id="t"/>', '<task id="t"/><task id="t2"/>'),
    "id-too-long": Example("process", f'<task id="{"t" * 256}"/>', '<task id="t"/>'),
    "name-too-long": Example(
        "file",
        f'<message id="m" name="{"n" * 256}"/><process id="p" isExecutable="true"><task id="t"/></process>',
        '<message id="m" name="paid"/><process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "dangling-reference": Example(
        "process", '<task id="t"/>' + _flow("f", "t", "gone"), '<task id="t"/><task id="u"/>' + _flow("f", "t", "u")
    ),
    "wrong-reference": Example(
        "process", '<task id="t"/>' + _flow("f", "t", "f"), '<task id="t"/><task id="u"/>' + _flow("f", "t", "u")
    ),
    "text-format": Example(
        "process",
        '<task id="t"><documentation textFormat="words">x</documentation></task>',
        '<task id="t"><documentation textFormat="text/plain">x</documentation></task>',
    ),
    "too-many-nodes": Example(
        "process", "".join(f'<task id="t{number}"/>' for number in range(2_001)), '<task id="t"/>'
    ),
    "too-many-elements": Example("process", "<documentation/>" * 45_000 + '<task id="t"/>', '<task id="t"/>'),
    # -- flows
    "missing-start-event": Example(
        "process",
        '<task id="t"/><endEvent id="end"/>' + _flow("f", "t", "end"),
        '<startEvent id="start"/><task id="t"/><endEvent id="end"/>'
        + _flow("e", "start", "t")
        + _flow("f", "t", "end"),
    ),
    "missing-end-event": Example(
        "process",
        '<startEvent id="start"/><task id="t"/>' + _flow("f", "start", "t"),
        '<startEvent id="start"/><task id="t"/><endEvent id="end"/>'
        + _flow("e", "start", "t")
        + _flow("f", "t", "end"),
    ),
    "no-way-in": Example("beside", '<task id="alone"/>' + _flow("g", "alone", "end"), ""),
    "no-way-out": Example(
        "beside",
        '<task id="last"/>' + _flow("g", "work", "last"),
        '<task id="last"/>' + _flow("g", "work", "last") + _flow("h", "last", "end"),
    ),
    "unreachable": Example("beside", '<task id="a"/><task id="b"/>' + _flow("g", "a", "b") + _flow("h", "b", "a"), ""),
    "loop-without-exit": Example(
        "process",
        '<startEvent id="start"/><task id="a"/><task id="b"/>'
        + _flow("f1", "start", "a")
        + _flow("f2", "a", "b")
        + _flow("f3", "b", "a"),
        '<startEvent id="start"/><task id="a"/><endEvent id="end"/>'
        + _flow("f1", "start", "a")
        + _flow("f2", "a", "end"),
    ),
    "flow-into-event": Example("beside", _flow("g", "work", "start"), ""),
    "flow-out-of-end": Example("beside", _flow("g", "end", "work"), ""),
    "flow-not-immediate": Example(
        "process",
        '<task id="a"/><task id="b"/><sequenceFlow id="f" sourceRef="a" targetRef="b" isImmediate="false"/>',
        '<task id="a"/><task id="b"/>' + _flow("f", "a", "b"),
    ),
    "flow-crosses-boundary": Example(
        "process",
        '<subProcess id="s"><task id="in"/></subProcess><task id="out"/>' + _flow("f", "in", "out"),
        '<subProcess id="s"><task id="in"/></subProcess><task id="out"/>' + _flow("f", "s", "out"),
    ),
    "single-conditional-flow": Example(
        "process",
        '<task id="a"/><task id="b"/>' + _flow("f", "a", "b", "${x}"),
        '<task id="a"/><task id="b"/>' + _flow("f", "a", "b"),
    ),
    "event-condition": Example(
        "process",
        '<startEvent id="start"/><task id="a"/><task id="b"/>'
        + _flow("f", "start", "a", "${x}")
        + _flow("g", "start", "b"),
        '<startEvent id="start"/><task id="a"/>' + _flow("f", "start", "a"),
    ),
    "default-flow-elsewhere": Example(
        "process",
        '<task id="a" default="g"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b") + _flow("g", "b", "c"),
        '<task id="a" default="f"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b") + _flow("g", "b", "c"),
    ),
    "default-flow-condition": Example(
        "process",
        _gate("exclusiveGateway", _flow("g1", "g", "a", "${x}") + _flow("g2", "g", "b", "${y}") + ENDS, 'default="g1"'),
        _gate("exclusiveGateway", _flow("g1", "g", "a") + _flow("g2", "g", "b", "${y}") + ENDS, 'default="g1"'),
    ),
    "unlisted-flow": Example(
        "process",
        '<task id="a"/><task id="b"><incoming>f</incoming></task>' + _flow("f", "a", "b"),
        '<task id="a"><outgoing>f</outgoing></task><task id="b"><incoming>f</incoming></task>' + _flow("f", "a", "b"),
    ),
    "wrongly-listed-flow": Example(
        "process",
        '<task id="a"><outgoing>f</outgoing></task><task id="b"><incoming>f</incoming></task><task id="c"><incoming>f</incoming></task>'
        + _flow("f", "a", "b"),
        '<task id="a"><outgoing>f</outgoing></task><task id="b"><incoming>f</incoming></task>' + _flow("f", "a", "b"),
    ),
    # -- gateways
    "choice-without-condition": Example(
        "process",
        _gate("exclusiveGateway", _flow("g1", "g", "a") + _flow("g2", "g", "b") + ENDS),
        _gate("exclusiveGateway", _flow("g1", "g", "a", "${x}") + _flow("g2", "g", "b") + ENDS, 'default="g2"'),
    ),
    "gateway-direction": Example(
        "process",
        _gate("parallelGateway", _flow("g1", "g", "a") + _flow("g2", "g", "b") + ENDS, 'gatewayDirection="Converging"'),
        _gate("parallelGateway", _flow("g1", "g", "a") + _flow("g2", "g", "b") + ENDS, 'gatewayDirection="Diverging"'),
    ),
    "gateway-without-choice": Example(
        "process",
        _gate("parallelGateway", _flow("g1", "g", "a") + '<endEvent id="a"/>'),
        _gate("parallelGateway", _flow("g1", "g", "a") + _flow("g2", "g", "b") + ENDS),
    ),
    "parallel-gateway-condition": Example(
        "process",
        _gate("parallelGateway", _flow("g1", "g", "a", "${x}") + _flow("g2", "g", "b") + ENDS),
        _gate("parallelGateway", _flow("g1", "g", "a") + _flow("g2", "g", "b") + ENDS),
    ),
    "event-gateway-choice": Example(
        "data",
        _gate(
            "eventBasedGateway",
            _catch(MESSAGE, "m") + _flow("g1", "g", "m") + _flow("g3", "m", "a") + '<endEvent id="a"/>',
        ),
        _gate("eventBasedGateway", WAYS + AFTER),
    ),
    "event-gateway-condition": Example(
        "data",
        _gate("eventBasedGateway", WAYS.replace(_flow("g1", "g", "m"), _flow("g1", "g", "m", "${x}")) + AFTER),
        _gate("eventBasedGateway", WAYS + AFTER),
    ),
    "event-gateway-target": Example(
        "data",
        _gate(
            "eventBasedGateway",
            _catch(MESSAGE, "m") + '<task id="t"/>' + _flow("g1", "g", "m") + _flow("g2", "g", "t") + AFTER,
        ),
        _gate("eventBasedGateway", WAYS + AFTER),
    ),
    "event-gateway-target-flow": Example(
        "data",
        _gate("eventBasedGateway", WAYS + AFTER + '<task id="x"/>' + _flow("x1", "x", "m")),
        _gate("eventBasedGateway", WAYS + AFTER),
    ),
    "event-gateway-target-boundary": Example(
        "data",
        _gate(
            "eventBasedGateway",
            '<receiveTask id="m" messageRef="order"/>'
            + WAYS[WAYS.index('<intermediateCatchEvent id="t"') :]
            + AFTER
            + '<boundaryEvent id="edge" attachedToRef="m">'
            + TIMER.format(DURATION.format("PT1H"))
            + "</boundaryEvent>"
            + OUT,
        ),
        _gate(
            "eventBasedGateway",
            '<receiveTask id="m" messageRef="order"/>' + WAYS[WAYS.index('<intermediateCatchEvent id="t"') :] + AFTER,
        ),
    ),
    "event-gateway-mixture": Example(
        "data",
        _gate(
            "eventBasedGateway",
            WAYS + AFTER + '<receiveTask id="r" messageRef="answer"/>' + _flow("g5", "g", "r") + _flow("g6", "r", "a"),
        ),
        _gate("eventBasedGateway", WAYS + AFTER),
    ),
    "parallel-event-gateway": Example(
        "data",
        _gate("eventBasedGateway", WAYS + AFTER, 'eventGatewayType="Parallel"'),
        _gate("eventBasedGateway", WAYS + AFTER, 'eventGatewayType="Exclusive"'),
    ),
    "instantiating-node-flow": Example(
        "data",
        '<startEvent id="start"/><receiveTask id="r" messageRef="order" instantiate="true"/>'
        + _flow("f", "start", "r"),
        '<receiveTask id="r" messageRef="order" instantiate="true"/>',
    ),
    # -- events
    "event-kind": Example(
        "process", '<startEvent id="start"><errorEventDefinition/></startEvent>', '<startEvent id="start"/>'
    ),
    "parallel-multiple": Example(
        "data",
        f'<startEvent id="start" parallelMultiple="true">{MESSAGE}{TIMER.format(DURATION.format("PT1H"))}</startEvent>'
        '<endEvent id="end"/>' + _flow("f", "start", "end"),
        f'<startEvent id="start">{MESSAGE}</startEvent><endEvent id="end"/>' + _flow("f", "start", "end"),
    ),
    "end-event-ends-twice": Example(
        "data",
        '<startEvent id="start"/><endEvent id="end"><terminateEventDefinition/>'
        f"{ERROR}</endEvent>" + _flow("f", "start", "end"),
        f'<startEvent id="start"/><endEvent id="end">{ERROR}</endEvent>' + _flow("f", "start", "end"),
    ),
    "catch-without-event": Example(
        "flow",
        '<intermediateCatchEvent id="work"><extensionElements><flowable:eventType>order</flowable:eventType></extensionElements></intermediateCatchEvent>',
        '<intermediateCatchEvent id="work">' + TIMER.format(DURATION.format("PT1H")) + "</intermediateCatchEvent>",
    ),
    "conditional-start": Example(
        "process",
        '<startEvent id="start"><conditionalEventDefinition><condition xsi:type="tFormalExpression">${x}</condition></conditionalEventDefinition></startEvent><endEvent id="end"/>'
        + _flow("f", "start", "end"),
        '<startEvent id="start"/><endEvent id="end"/>' + _flow("f", "start", "end"),
    ),
    "condition-missing": Example(
        "flow",
        '<intermediateCatchEvent id="work"><conditionalEventDefinition><condition xsi:type="tFormalExpression"/></conditionalEventDefinition></intermediateCatchEvent>',
        '<intermediateCatchEvent id="work"><conditionalEventDefinition><condition xsi:type="tFormalExpression">${ready}</condition></conditionalEventDefinition></intermediateCatchEvent>',
    ),
    "timer-times": Example(
        "flow",
        '<intermediateCatchEvent id="work">'
        + TIMER.format("<timeDate>2030-01-01T00:00:00Z</timeDate>" + DURATION.format("PT1H"))
        + "</intermediateCatchEvent>",
        '<intermediateCatchEvent id="work">' + TIMER.format(DURATION.format("PT1H")) + "</intermediateCatchEvent>",
    ),
    "timer-time": Example(
        "flow",
        '<intermediateCatchEvent id="work">' + TIMER.format(DURATION.format("1 hour")) + "</intermediateCatchEvent>",
        '<intermediateCatchEvent id="work">' + TIMER.format(DURATION.format("PT1H")) + "</intermediateCatchEvent>",
    ),
    "message-without-reference": Example(
        "flow",
        '<intermediateCatchEvent id="work"><messageEventDefinition/></intermediateCatchEvent>',
        '<intermediateCatchEvent id="work">' + TIMER.format(DURATION.format("PT1H")) + "</intermediateCatchEvent>",
    ),
    "message-without-operation": Example(
        "data",
        _catch(MESSAGE),
        _catch('<messageEventDefinition messageRef="order"><operationRef>sell</operationRef></messageEventDefinition>'),
    ),
    "signal-without-reference": Example(
        "flow",
        '<intermediateCatchEvent id="work"><signalEventDefinition/></intermediateCatchEvent>',
        '<intermediateCatchEvent id="work">' + TIMER.format(DURATION.format("PT1H")) + "</intermediateCatchEvent>",
    ),
    "error-without-code": Example(
        "process",
        '<startEvent id="start"/><endEvent id="end"><errorEventDefinition/></endEvent>' + _flow("f", "start", "end"),
        '<startEvent id="start"/><endEvent id="end"/>' + _flow("f", "start", "end"),
    ),
    "escalation-without-code": Example(
        "process",
        '<startEvent id="start"/><endEvent id="end"><escalationEventDefinition/></endEvent>'
        + _flow("f", "start", "end"),
        '<startEvent id="start"/><endEvent id="end"/>' + _flow("f", "start", "end"),
    ),
    "shared-event-definition": Example(
        "beside",
        '<intermediateCatchEvent id="x"><timerEventDefinition id="t">'
        + DURATION.format("PT1H")
        + '</timerEventDefinition></intermediateCatchEvent><intermediateCatchEvent id="y"><eventDefinitionRef>t</eventDefinitionRef></intermediateCatchEvent>',
        _catch('<timerEventDefinition id="t">' + DURATION.format("PT1H") + "</timerEventDefinition>", "x"),
    ),
    "boundary-without-flow": Example(
        "beside",
        _boundary(TIMER.format(DURATION.format("PT1H"))),
        _boundary(TIMER.format(DURATION.format("PT1H")), OUT),
    ),
    "boundary-elsewhere": Example(
        "process",
        '<subProcess id="s"><task id="in"/></subProcess>' + _boundary(TIMER.format(DURATION.format("PT1H")), OUT, "in"),
        '<subProcess id="s"><task id="in"/></subProcess>' + _boundary(TIMER.format(DURATION.format("PT1H")), OUT, "s"),
    ),
    "boundary-on-event-sub-process": Example(
        "data",
        '<subProcess id="s" triggeredByEvent="true"><startEvent id="e">'
        + MESSAGE
        + "</startEvent></subProcess>"
        + _boundary(TIMER.format(DURATION.format("PT1H")), OUT, "s"),
        '<subProcess id="s" triggeredByEvent="true"><startEvent id="e">' + MESSAGE + "</startEvent></subProcess>",
    ),
    "event-sub-process-start": Example(
        "process",
        '<subProcess id="s" triggeredByEvent="true"><task id="t"/></subProcess>',
        '<subProcess id="s" triggeredByEvent="true"><startEvent id="e"><errorEventDefinition/></startEvent><task id="t"/>'
        + _flow("f", "e", "t")
        + "</subProcess>",
    ),
    "event-sub-process-flow": Example(
        "beside",
        '<subProcess id="s" triggeredByEvent="true"><startEvent id="e"><errorEventDefinition/></startEvent></subProcess>'
        + _flow("g", "work", "s"),
        '<subProcess id="s" triggeredByEvent="true"><startEvent id="e"><errorEventDefinition/></startEvent></subProcess>',
    ),
    "compensation-without-handler": Example(
        "beside",
        _boundary("<compensateEventDefinition/>"),
        _boundary(
            "<compensateEventDefinition/>",
            HANDLER + '<association id="a" associationDirection="One" sourceRef="edge" targetRef="undo"/>',
        ),
    ),
    "compensation-boundary-flow": Example(
        "beside",
        _boundary("<compensateEventDefinition/>", OUT),
        _boundary(
            "<compensateEventDefinition/>",
            HANDLER + '<association id="a" associationDirection="One" sourceRef="edge" targetRef="undo"/>',
        ),
    ),
    "compensation-activity-flow": Example("beside", HANDLER + _flow("g", "work", "undo"), HANDLER),
    "undo-on-error": Example(
        "flow",
        _stone(
            '<extensionElements><camunda:properties><camunda:property name="undoOnError" value="true"/></camunda:properties></extensionElements>'
        ),
        _stone(),
    ),
    "link-flow": Example("process", _links(more=_flow("f3", "throw", "end")), _links()),
    "link-without-target": Example("process", _links(catch=' name="b"/>'), _links()),
    "link-without-source": Example("process", _links(throw=' name="b"/>'), _links()),
    "link-not-mutual": Example(
        "process",
        _links(' id="l1" name="x"><target>l2</target></linkEventDefinition>', ' id="l2" name="y"/>'),
        _links(
            ' id="l1" name="x"><target>l2</target></linkEventDefinition>',
            ' id="l2" name="y"><source>l1</source></linkEventDefinition>',
        ),
    ),
    "link-crosses-boundary": Example(
        "process",
        '<subProcess id="s"><intermediateThrowEvent id="t"><linkEventDefinition id="l1" name="x"><target>l2</target></linkEventDefinition></intermediateThrowEvent></subProcess><intermediateCatchEvent id="c"><linkEventDefinition id="l2" name="x"><source>l1</source></linkEventDefinition></intermediateCatchEvent>',
        '<subProcess id="s"><task id="in"/></subProcess>',
    ),
    "event-data-count": Example(
        "data",
        '<endEvent id="e"><dataInput id="d1" itemSubjectRef="text"/><dataInput id="d2" itemSubjectRef="text"/><inputSet><dataInputRefs>d1</dataInputRefs><dataInputRefs>d2</dataInputRefs></inputSet>'
        + MESSAGE
        + "</endEvent>",
        '<endEvent id="e"><dataInput id="d1" itemSubjectRef="text"/><inputSet><dataInputRefs>d1</dataInputRefs></inputSet>'
        + MESSAGE
        + "</endEvent>",
    ),
    "event-data-type": Example(
        "data",
        '<endEvent id="e"><dataInput id="d1" itemSubjectRef="number"/><inputSet><dataInputRefs>d1</dataInputRefs></inputSet>'
        + MESSAGE
        + "</endEvent>",
        '<endEvent id="e"><dataInput id="d1" itemSubjectRef="text"/><inputSet><dataInputRefs>d1</dataInputRefs></inputSet>'
        + MESSAGE
        + "</endEvent>",
    ),
    # -- activities
    "task-does-nothing": Example("flow", _task(), _stone()),
    "task-of-nobody": Example(
        "flow", _task(tag="userTask"), _task(attributes='camunda:candidateGroups="sales"', tag="userTask")
    ),
    "stone-missing": Example("flow", _task(tag="serviceTask"), _stone()),
    "unknown-stone": Example("flow", _stone(topic="wrok"), _stone()),
    "unknown-input": Example(
        "flow",
        _stone(_inputs(serverId="s", sice="1"), "Shop::Disk"),
        _stone(_inputs(serverId="s", size="1"), "Shop::Disk"),
    ),
    "input-type": Example(
        "flow",
        _stone(_inputs(serverId="s", size="large"), "Shop::Disk"),
        _stone(_inputs(serverId="s", size="10"), "Shop::Disk"),
    ),
    "secret-not-declared": Example(
        "flow",
        _stone(_inputs(serverId="secret:shared/server"), "Shop::Disk"),
        _stone(_inputs(serverId="s"), "Shop::Disk"),
    ),
    "missing-input": Example(
        "flow", _stone(_inputs(size="1"), "Shop::Disk"), _stone(_inputs(serverId="s", size="1"), "Shop::Disk")
    ),
    "taken-by-name": Example(
        "flow", _stone(topic="Shop::Disk"), _stone(_inputs(serverId="${serverId}", size="${size}"), "Shop::Disk")
    ),
    "unknown-output": Example(
        "beside",
        '<serviceTask id="disk" camunda:type="external" camunda:topic="Shop::Disk">'
        + _inputs(serverId="s", size="1")
        + "</serviceTask>"
        + '<serviceTask id="use" camunda:type="external" camunda:topic="work">'
        + _inputs(x="${outputs.disk.volume}")
        + "</serviceTask>"
        + _flow("g", "work", "disk")
        + _flow("h", "disk", "use")
        + _flow("i", "use", "end"),
        '<serviceTask id="disk" camunda:type="external" camunda:topic="Shop::Disk">'
        + _inputs(serverId="s", size="1")
        + "</serviceTask>"
        + '<serviceTask id="use" camunda:type="external" camunda:topic="work">'
        + _inputs(x="${outputs.disk.volumeId}")
        + "</serviceTask>"
        + _flow("g", "work", "disk")
        + _flow("h", "disk", "use")
        + _flow("i", "use", "end"),
    ),
    "unresolved-reference": Example("flow", _stone(_inputs(x="${outputs.gone.id}")), _stone(_inputs(x="${id}"))),
    "output-of-runs": Example(
        "beside",
        '<subProcess id="web">'
        + MANY.format(">" + CARDINALITY)
        + '<serviceTask id="server" camunda:type="external" camunda:topic="work"/></subProcess><serviceTask id="use" camunda:type="external" camunda:topic="work">'
        + _inputs(x="${outputs.server.id}")
        + "</serviceTask>"
        + _flow("g", "work", "web")
        + _flow("h", "web", "use")
        + _flow("i", "use", "end"),
        '<subProcess id="web">'
        + MANY.format(">" + CARDINALITY)
        + '<serviceTask id="server" camunda:type="external" camunda:topic="work"/></subProcess><serviceTask id="use" camunda:type="external" camunda:topic="work">'
        + _inputs(x="${outputs.web2.server.id}")
        + "</serviceTask>"
        + _flow("g", "work", "web")
        + _flow("h", "web", "use")
        + _flow("i", "use", "end"),
    ),
    "namespace-collision": Example(
        "beside",
        '<subProcess id="web">'
        + MANY.format(">" + CARDINALITY)
        + '<serviceTask id="server" camunda:type="external" camunda:topic="work"/></subProcess><serviceTask id="one" camunda:type="external" camunda:topic="work"><extensionElements><camunda:properties><camunda:property name="namespace" value="server"/></camunda:properties></extensionElements></serviceTask>'
        + _flow("g", "work", "web")
        + _flow("h", "web", "one")
        + _flow("i", "one", "end"),
        '<subProcess id="web">'
        + MANY.format(">" + CARDINALITY)
        + '<serviceTask id="server" camunda:type="external" camunda:topic="work"/></subProcess><serviceTask id="one" camunda:type="external" camunda:topic="work"/>'
        + _flow("g", "work", "web")
        + _flow("h", "web", "one")
        + _flow("i", "one", "end"),
    ),
    "name-ambiguous": Example(
        "flow",
        _stone(
            '<extensionElements><zeebe:ioMapping><zeebe:input source="= a-b" target="x"/></zeebe:ioMapping></extensionElements>'
        ),
        _stone(
            '<extensionElements><zeebe:ioMapping><zeebe:input source="= a - b" target="x"/></zeebe:ioMapping></extensionElements>'
        ),
    ),
    "result-unused": Example(
        "flow",
        _task(attributes='camunda:expression="${price * 2}"', tag="serviceTask"),
        _task(attributes='camunda:expression="${price * 2}" camunda:resultVariable="twice"', tag="serviceTask"),
    ),
    "script-refused": Example(
        "flow",
        _task("<script>x = 1</script>", 'scriptFormat="python"', "scriptTask"),
        _task(attributes='camunda:expression="${1}" camunda:resultVariable="x"', tag="serviceTask"),
    ),
    "script-language": Example(
        "flow",
        _task("<script>x = 1</script>", 'scriptFormat="groovy"', "scriptTask"),
        _task("<script>x = 1</script>", 'scriptFormat="python"', "scriptTask"),
    ),
    "script-without-format": Example(
        "flow",
        _task("<script>x = 1</script>", "", "scriptTask"),
        _task("<script>x = 1</script>", 'scriptFormat="python"', "scriptTask"),
    ),
    "not-understood": Example(
        "flow",
        _stone(
            '<extensionElements><camunda:executionListener class="com.example.Audit" event="start"/></extensionElements>'
        ),
        _stone(),
    ),
    "not-yet-used": Example(
        "flow",
        _task(attributes='camunda:owner="ann"', tag="userTask"),
        _task(attributes='camunda:assignee="ann"', tag="userTask"),
    ),
    "foreign-extension": Example(
        "flow", _stone(attributes='xmlns:shop="http://shop.example.com" shop:colour="blue"'), _stone()
    ),
    "unsupported-element": Example("beside", '<implicitThrowEvent id="x"/>', "", strict=False),
    "form-missing": Example("flow", _task(attributes='camunda:formRef="gone"', tag="userTask"), _task(tag="userTask")),
    "form-invalid": Example(
        "flow", _task(FIELD.format("many"), tag="userTask"), _task(FIELD.format("3"), tag="userTask")
    ),
    "form-elsewhere": Example(
        "flow",
        _task(attributes='camunda:formKey="app:approve.html"', tag="userTask"),
        _task(FIELD.format("3"), tag="userTask"),
    ),
    "form-second": Example("process", STARTS.format(FIELD.format("3")), STARTS.format("")),
    "call-without-process": Example(
        "flow", _task(tag="callActivity"), _task(attributes='calledElement="other"', tag="callActivity")
    ),
    "unknown-called-process": Example("flow", _task(attributes='calledElement="gone"', tag="callActivity"), _stone()),
    "called-process-start": Example(
        "file",
        '<message id="order"/><process id="p" isExecutable="true"><callActivity id="c" calledElement="q"/></process><process id="q" isExecutable="true"><startEvent id="s">'
        + MESSAGE
        + "</startEvent></process>",
        '<process id="p" isExecutable="true"><callActivity id="c" calledElement="q"/></process><process id="q" isExecutable="true"><startEvent id="s"/></process>',
    ),
    "ad-hoc-without-activity": Example(
        "process", '<adHocSubProcess id="s"/>', '<adHocSubProcess id="s"><task id="t"/></adHocSubProcess>'
    ),
    "ad-hoc-event": Example(
        "process",
        '<adHocSubProcess id="s"><startEvent id="e"/><task id="t"/></adHocSubProcess>',
        '<adHocSubProcess id="s"><task id="t"/></adHocSubProcess>',
    ),
    "sub-process-data": Example(
        "process",
        '<subProcess id="s">' + _spec() + '<task id="t"/></subProcess>',
        '<subProcess id="s"><task id="t"/></subProcess>',
    ),
    "quantity-below-one": Example("process", '<task id="t" startQuantity="0"/>', '<task id="t" startQuantity="1"/>'),
    "loop-maximum": Example(
        "process",
        '<task id="t">' + LOOP.format(' loopMaximum="-1">') + "</task>",
        '<task id="t">' + LOOP.format(' loopMaximum="3">') + "</task>",
    ),
    "loop-without-condition": Example(
        "process",
        '<task id="t">' + LOOP.format(">") + "</task>",
        '<task id="t">' + LOOP.format(' loopMaximum="3">') + "</task>",
    ),
    "loop-without-end": Example(
        "process",
        '<task id="t">' + LOOP.format(">") + "</task>",
        '<task id="t">' + LOOP.format(' loopMaximum="3">') + "</task>",
    ),
    "multi-instance-without-count": Example(
        "process",
        '<task id="t">' + MANY.format(">") + "</task>",
        '<task id="t">' + MANY.format(">" + CARDINALITY) + "</task>",
    ),
    "multi-instance-behavior": Example(
        "process",
        '<task id="t">' + MANY.format(' behavior="Complex">' + CARDINALITY) + "</task>",
        '<task id="t">' + MANY.format(">" + CARDINALITY) + "</task>",
    ),
    "resource-twice": Example(
        "data",
        "<task id='t'><performer><resourceRef>team</resourceRef><resourceAssignmentExpression><formalExpression>x</formalExpression></resourceAssignmentExpression></performer></task>",
        "<task id='t'><performer><resourceRef>team</resourceRef></performer></task>",
    ),
    "resource-parameter": Example(
        "data",
        "<task id='t'><performer><resourceRef>crew</resourceRef><resourceParameterBinding parameterRef='size'><formalExpression>3</formalExpression></resourceParameterBinding></performer></task>",
        "<task id='t'><performer><resourceRef>team</resourceRef><resourceParameterBinding parameterRef='size'><formalExpression>3</formalExpression></resourceParameterBinding></performer></task>",
    ),
    "unknown-decision": Example(
        "flow",
        _task(attributes='camunda:decisionRef="gone" camunda:resultVariable="x"', tag="businessRuleTask"),
        _stone(),
    ),
    "unknown-name": Example(
        "flow",
        _task(
            _inputs(x="${aproved}").replace(
                "<camunda:inputOutput>",
                '<camunda:formData><camunda:formField id="approved" type="boolean"/></camunda:formData><camunda:inputOutput>',
            ),
            tag="userTask",
        ),
        _task(
            _inputs(x="${approved}").replace(
                "<camunda:inputOutput>",
                '<camunda:formData><camunda:formField id="approved" type="boolean"/></camunda:formData><camunda:inputOutput>',
            ),
            tag="userTask",
        ),
    ),
    "due-date": Example(
        "flow",
        _task(attributes='camunda:dueDate="3 days"', tag="userTask"),
        _task(attributes='camunda:dueDate="P3D"', tag="userTask"),
    ),
    "unknown-column": Example(
        "beside",
        _task(
            attributes='camunda:decisionRef="plan" camunda:resultVariable="plan" camunda:mapDecisionResult="singleResult"',
            tag="businessRuleTask",
        ).replace('id="work"', 'id="choose"')
        + _flow("g", "work", "choose")
        + _stone(_inputs(x="${plan.kind}")).replace('id="work"', 'id="use"')
        + _flow("h", "choose", "use")
        + _flow("i", "use", "end"),
        _task(
            attributes='camunda:decisionRef="plan" camunda:resultVariable="plan" camunda:mapDecisionResult="singleResult"',
            tag="businessRuleTask",
        ).replace('id="work"', 'id="choose"')
        + _flow("g", "work", "choose")
        + _stone(_inputs(x="${plan.type}")).replace('id="work"', 'id="use"')
        + _flow("h", "choose", "use")
        + _flow("i", "use", "end"),
    ),
    "unknown-task": Example(
        "flow",
        _task(
            '<extensionElements><camunda:properties><camunda:property name="not" value="gone"/></camunda:properties></extensionElements>',
            tag="userTask",
        ),
        _task(
            '<extensionElements><camunda:properties><camunda:property name="not" value="starter"/></camunda:properties></extensionElements>',
            tag="userTask",
        ),
    ),
    # -- expressions
    "expression": Example("flow", _stone(_inputs(x="${a +}")), _stone(_inputs(x="${a + 1}"))),
    "expression-empty": Example(
        "process",
        '<task id="a"/><task id="b"/><task id="c"/><sequenceFlow id="f" sourceRef="a" targetRef="b"><conditionExpression xsi:type="tFormalExpression"/></sequenceFlow>'
        + _flow("g", "a", "c"),
        '<task id="a"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b", "${x}") + _flow("g", "a", "c"),
    ),
    "expression-language": Example(
        "process",
        '<task id="a"/><task id="b"/><task id="c"/><sequenceFlow id="f" sourceRef="a" targetRef="b"><conditionExpression xsi:type="tFormalExpression" language="groovy">x</conditionExpression></sequenceFlow>'
        + _flow("g", "a", "c"),
        '<task id="a"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b", "${x}") + _flow("g", "a", "c"),
    ),
    "expression-null": Example(
        "process",
        '<task id="a"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b", '= "a" + 1 = "b"') + _flow("g", "a", "c"),
        '<task id="a"/><task id="b"/><task id="c"/>'
        + _flow("f", "a", "b", '= "a" + string(1) = "b"')
        + _flow("g", "a", "c"),
    ),
    "natural-language-expression": Example(
        "process",
        '<task id="a"/><task id="b"/><task id="c"/><sequenceFlow id="f" sourceRef="a" targetRef="b"><conditionExpression>if it is large</conditionExpression></sequenceFlow>'
        + _flow("g", "a", "c"),
        '<task id="a"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b", "${size &gt; 10}") + _flow("g", "a", "c"),
    ),
    "condition-is-number": Example(
        "process",
        '<task id="a"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b", "1") + _flow("g", "a", "c"),
        '<task id="a"/><task id="b"/><task id="c"/>' + _flow("f", "a", "b", "${size == 1}") + _flow("g", "a", "c"),
    ),
    # -- data, operations, pools
    "data-association": Example(
        "data",
        '<task id="t">'
        + _spec("i:text")
        + '</task><dataInputAssociation id="da"><sourceRef>letter</sourceRef><targetRef>i</targetRef></dataInputAssociation>',
        '<task id="t"/>',
        strict=False,
    ),
    "data-association-sources": Example(
        "data",
        '<task id="t">'
        + _spec("i:text")
        + '<dataInputAssociation id="da"><targetRef>i</targetRef></dataInputAssociation></task>',
        '<task id="t">'
        + _spec("i:text")
        + '<dataInputAssociation id="da"><sourceRef>letter</sourceRef><targetRef>i</targetRef></dataInputAssociation></task>',
    ),
    "data-association-types": Example(
        "data",
        '<task id="t">'
        + _spec("i:number")
        + '<dataInputAssociation id="da"><sourceRef>letter</sourceRef><targetRef>i</targetRef></dataInputAssociation></task>',
        '<task id="t">'
        + _spec("i:text")
        + '<dataInputAssociation id="da"><sourceRef>letter</sourceRef><targetRef>i</targetRef></dataInputAssociation></task>',
    ),
    "collection-mismatch": Example(
        "data",
        '<dataObject id="x" itemSubjectRef="texts"/>',
        '<dataObject id="x" itemSubjectRef="texts" isCollection="true"/>',
    ),
    "data-state-name": Example(
        "data",
        '<dataObjectReference id="x" dataObjectRef="letter" name="L [sent]"><dataState name="sent"/></dataObjectReference>',
        '<dataObjectReference id="x" dataObjectRef="letter" name="Letter [sent]"><dataState name="sent"/></dataObjectReference>',
    ),
    "data-in-no-set": Example(
        "data",
        '<task id="t"><ioSpecification><dataInput id="i"/><inputSet/><outputSet/></ioSpecification></task>',
        '<task id="t"><ioSpecification><dataInput id="i"/><inputSet><dataInputRefs>i</dataInputRefs></inputSet><outputSet/></ioSpecification></task>',
    ),
    "data-set-subset": Example(
        "data",
        '<task id="t">' + _spec("i:text", sets="<optionalInputRefs>j</optionalInputRefs>") + "</task>",
        '<task id="t">' + _spec("i:text", sets="<optionalInputRefs>i</optionalInputRefs>") + "</task>",
    ),
    "data-sets-not-mutual": Example(
        "data",
        '<task id="t"><ioSpecification><inputSet id="is"><outputSetRefs>os</outputSetRefs></inputSet><outputSet id="os"/></ioSpecification></task>',
        '<task id="t"><ioSpecification><inputSet id="is"><outputSetRefs>os</outputSetRefs></inputSet><outputSet id="os"><inputSetRefs>is</inputSetRefs></outputSet></ioSpecification></task>',
    ),
    "data-value": Example(
        "file",
        '<itemDefinition id="n" structureRef="xsd:int"/><process id="p" isExecutable="true"><dataObject id="d" name="size" itemSubjectRef="xsd:int"><extensionElements><activiti:value>many</activiti:value></extensionElements></dataObject><task id="t"/></process>',
        '<itemDefinition id="n" structureRef="xsd:int"/><process id="p" isExecutable="true"><dataObject id="d" name="size" itemSubjectRef="xsd:int"><extensionElements><activiti:value>3</activiti:value></extensionElements></dataObject><task id="t"/></process>',
    ),
    "process-data-direction": Example(
        "data",
        _spec("given:text", "made:text")
        + '<task id="t">'
        + _spec("", "o:text")
        + '<dataOutputAssociation id="da"><sourceRef>o</sourceRef><targetRef>given</targetRef></dataOutputAssociation></task>',
        _spec("given:text", "made:text")
        + '<task id="t">'
        + _spec("", "o:text")
        + '<dataOutputAssociation id="da"><sourceRef>o</sourceRef><targetRef>made</targetRef></dataOutputAssociation></task>',
    ),
    "loop-data-type": Example(
        "data",
        '<task id="t">'
        + _spec()
        .replace("<inputSet></inputSet>", "<inputSet><dataInputRefs>i</dataInputRefs></inputSet>")
        .replace("<ioSpecification>", '<ioSpecification><dataInput id="i" itemSubjectRef="texts" isCollection="true"/>')
        + MANY.format('><loopDataInputRef>i</loopDataInputRef><inputDataItem id="one" itemSubjectRef="texts"/>')
        + "</task>",
        '<task id="t">'
        + _spec()
        .replace("<inputSet></inputSet>", "<inputSet><dataInputRefs>i</dataInputRefs></inputSet>")
        .replace("<ioSpecification>", '<ioSpecification><dataInput id="i" itemSubjectRef="texts" isCollection="true"/>')
        + MANY.format('><loopDataInputRef>i</loopDataInputRef><inputDataItem id="one" itemSubjectRef="text"/>')
        + "</task>",
    ),
    "loop-data-elsewhere": Example(
        "data",
        '<task id="t">' + MANY.format("><loopDataInputRef>aLetter</loopDataInputRef>") + "</task>",
        '<task id="t">' + MANY.format(">" + CARDINALITY) + "</task>",
    ),
    "message-task-type": Example(
        "data",
        _task(_spec("i:number"), 'messageRef="order"', "sendTask"),
        _task(_spec("i:text"), 'messageRef="order"', "sendTask"),
    ),
    "message-task-data": Example(
        "data",
        _task(_spec("", "o:text p:text"), 'messageRef="order"', "receiveTask"),
        _task(_spec("", "o:text"), 'messageRef="order"', "receiveTask"),
    ),
    "operation-sets": Example(
        "data",
        _task(attributes='operationRef="sell"', tag="serviceTask"),
        _task(_spec("i:text", "o:number"), 'operationRef="sell"', "serviceTask"),
    ),
    "operation-data": Example(
        "data",
        _task(_spec("i:number", "o:number"), 'operationRef="sell"', "serviceTask"),
        _task(_spec("i:text", "o:number"), 'operationRef="sell"', "serviceTask"),
    ),
    "interface-without-binding": Example(
        "data",
        "<supportedInterfaceRef>shop</supportedInterfaceRef>" + _spec("in:text", "out:number"),
        "<supportedInterfaceRef>shop</supportedInterfaceRef>"
        + _spec("in:text", "out:number")
        + '<ioBinding inputDataRef="in" outputDataRef="out" operationRef="sell"/>',
    ),
    "binding-data": Example(
        "data",
        "<supportedInterfaceRef>shop</supportedInterfaceRef>"
        + _spec("in:number", "out:number")
        + '<ioBinding inputDataRef="in" outputDataRef="out" operationRef="sell"/>',
        "<supportedInterfaceRef>shop</supportedInterfaceRef>"
        + _spec("in:text", "out:number")
        + '<ioBinding inputDataRef="in" outputDataRef="out" operationRef="sell"/>',
    ),
    "call-data": Example(
        "file",
        '<itemDefinition id="text" structureRef="String"/><globalTask id="g">'
        + _spec("in:text")
        + '</globalTask><process id="p" isExecutable="true"><callActivity id="c" calledElement="g"/></process>',
        '<itemDefinition id="text" structureRef="String"/><globalTask id="g">'
        + _spec("in:text")
        + '</globalTask><process id="p" isExecutable="true"><callActivity id="c" calledElement="g">'
        + _spec("i:text")
        + "</callActivity></process>",
    ),
    "message-flow-within-pool": Example(
        "file",
        '<message id="order"/>' + POOLS.format(SENDS + '<task id="own"/>', 'sourceRef="send" targetRef="own"'),
        '<message id="order"/>' + POOLS.format(SENDS, 'sourceRef="send" targetRef="sell"'),
    ),
    "message-flow-out-of-catch": Example(
        "file",
        '<message id="order"/>' + POOLS.format(GETS, 'sourceRef="get" targetRef="sell"'),
        '<message id="order"/>' + POOLS.format(SENDS, 'sourceRef="send" targetRef="sell"'),
    ),
    "message-flow-into-throw": Example(
        "file",
        '<message id="order"/>' + POOLS.format(SENDS, 'sourceRef="sell" targetRef="send"'),
        '<message id="order"/>' + POOLS.format(SENDS, 'sourceRef="send" targetRef="sell"'),
    ),
    "message-flow-without-message": Example(
        "file",
        POOLS.format('<endEvent id="send"/>', 'sourceRef="send" targetRef="sell"'),
        '<message id="order"/>' + POOLS.format(SENDS, 'sourceRef="send" targetRef="sell"'),
    ),
    "participant-multiplicity": Example(
        "file",
        '<process id="p" isExecutable="true"><task id="t"/></process><collaboration id="c"><participant id="x"><participantMultiplicity minimum="3" maximum="2"/></participant></collaboration>',
        '<process id="p" isExecutable="true"><task id="t"/></process><collaboration id="c"><participant id="x"><participantMultiplicity minimum="2" maximum="3"/></participant></collaboration>',
    ),
    "global-conversation-content": Example(
        "file",
        '<globalConversation id="g"><conversation id="x"/></globalConversation><process id="p" isExecutable="true"><task id="t"/></process>',
        '<globalConversation id="g"/><process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "choreography-reference": Example(
        "file",
        '<choreography id="ch"/><globalConversation id="g"><choreographyRef>ch</choreographyRef></globalConversation><process id="p" isExecutable="true"><task id="t"/></process>',
        '<choreography id="ch"/><collaboration id="c"><choreographyRef>ch</choreographyRef></collaboration><process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "collaboration-closed": Example(
        "file",
        '<choreography id="ch" isClosed="true"/><collaboration id="c"><choreographyRef>ch</choreographyRef></collaboration><process id="p" isExecutable="true"><task id="t"/></process>',
        '<choreography id="ch" isClosed="true"/><collaboration id="c" isClosed="true"><choreographyRef>ch</choreographyRef></collaboration><process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "choreography-in-process": Example(
        "process",
        '<choreographyTask id="c" initiatingParticipantRef="x"><participantRef>x</participantRef><participantRef>y</participantRef><messageFlowRef>m</messageFlowRef></choreographyTask>',
        '<task id="c"/>',
    ),
    "choreography-initiator": Example(
        "file",
        '<choreography id="ch"><participant id="x"/><participant id="y"/><participant id="z"/><messageFlow id="m" sourceRef="x" targetRef="y"/><choreographyTask id="c" initiatingParticipantRef="z"><participantRef>x</participantRef><participantRef>y</participantRef><messageFlowRef>m</messageFlowRef></choreographyTask></choreography><process id="p" isExecutable="true"><task id="t"/></process>',
        '<choreography id="ch"><participant id="x"/><participant id="y"/><messageFlow id="m" sourceRef="x" targetRef="y"/><choreographyTask id="c" initiatingParticipantRef="x"><participantRef>x</participantRef><participantRef>y</participantRef><messageFlowRef>m</messageFlowRef></choreographyTask></choreography><process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "choreography-message": Example(
        "file",
        '<choreography id="ch"><participant id="x"/><participant id="y"/><participant id="z"/><messageFlow id="m" sourceRef="x" targetRef="z"/><choreographyTask id="c" initiatingParticipantRef="x"><participantRef>x</participantRef><participantRef>y</participantRef><messageFlowRef>m</messageFlowRef></choreographyTask></choreography><process id="p" isExecutable="true"><task id="t"/></process>',
        '<choreography id="ch"><participant id="x"/><participant id="y"/><messageFlow id="m" sourceRef="x" targetRef="y"/><choreographyTask id="c" initiatingParticipantRef="x"><participantRef>x</participantRef><participantRef>y</participantRef><messageFlowRef>m</messageFlowRef></choreographyTask></choreography><process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    "choreography-not-referred": Example(
        "file",
        '<choreography id="ch"><participant id="x"/><participant id="y"/><messageFlow id="m" sourceRef="x" targetRef="y"/><choreographyTask id="ct" initiatingParticipantRef="x"><participantRef>x</participantRef><participantRef>y</participantRef><messageFlowRef>m</messageFlowRef></choreographyTask></choreography><collaboration id="c"><participant id="z"/><messageFlow id="n" sourceRef="z" targetRef="ct"/></collaboration><process id="p" isExecutable="true"><task id="t"/></process>',
        '<process id="p" isExecutable="true"><task id="t"/></process>',
    ),
    # -- decisions
    "decision-id": Example("decisions", DECIDES.format("1") + DECIDES.format("2"), DECIDES.format("1")),
    "decision-expression": Example("decisions", DECIDES.format("1 +"), DECIDES.format("1 + 1")),
    "decision-language": Example(
        "decisions",
        DECIDES.replace("<literalExpression>", '<literalExpression expressionLanguage="groovy">').format("1"),
        DECIDES.format("1"),
    ),
    "decision-empty": Example("decisions", '<decision id="price" name="Price"/>', DECIDES.format("1")),
    "decision-unsupported": Example(
        "decisions",
        '<decision id="price" name="Price"><functionDefinition kind="Java"><literalExpression><text>1</text></literalExpression></functionDefinition></decision>',
        DECIDES.format("1"),
    ),
    "decision-cycle": Example(
        "decisions",
        DECIDES.replace('"price"', '"{0}"')
        .replace("{}", "1")
        .replace("<literal", '<informationRequirement><requiredDecision href="#{1}"/></informationRequirement><literal')
        .format("a", "b")
        + DECIDES.replace('"price"', '"{0}"')
        .replace("{}", "1")
        .replace("<literal", '<informationRequirement><requiredDecision href="#{1}"/></informationRequirement><literal')
        .format("b", "a"),
        DECIDES.format("1"),
    ),
    "decision-table": Example(
        "decisions",
        TABLE.format("UNIQUE", '<rule id="r"><outputEntry id="e"><text>1</text></outputEntry></rule>'),
        TABLE.format("UNIQUE", RULE.format("&gt; 10")),
    ),
    "cell-never-fits": Example(
        "decisions", TABLE.format("UNIQUE", RULE.format('"large"')), TABLE.format("UNIQUE", RULE.format("&gt; 10"))
    ),
    "decision-relation": Example(
        "decisions",
        '<decision id="price" name="Price"><relation><column id="a" name="a"/><column id="b" name="b"/><row><literalExpression><text>1</text></literalExpression></row></relation></decision>',
        '<decision id="price" name="Price"><relation><column id="a" name="a"/><row><literalExpression><text>1</text></literalExpression></row></relation></decision>',
    ),
    "unknown-import": Example(
        "decisions",
        '<import name="i" namespace="urn:gone" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>'
        + DECIDES.format("1"),
        DECIDES.format("1"),
    ),
    "unknown-type": Example(
        "decisions",
        DECIDES.replace('<variable name="price"/>', '<variable name="price" typeRef="tGone"/>').format("1"),
        DECIDES.replace('<variable name="price"/>', '<variable name="price" typeRef="number"/>').format("1"),
    ),
}
"""By code, in the order of the manual."""

ALIKE = {
    "nested-too-deep": "The model nests deeper than it can be read: split it, or make its expressions flatter.",
    "timer-without-time": "As `timer-times`, where the file was not checked before it was read.",
    "multi-instance-without-number": "As `multi-instance-without-count`, where the file was not checked before it was read.",
}
"""Codes that another finding comes before, so that no file of a few lines shows them."""

GROUPS = {
    "no-definitions": "The file",
    "missing-start-event": "Flows",
    "choice-without-condition": "Gateways",
    "event-kind": "Events",
    "task-does-nothing": "Activities and stones",
    "expression": "Expressions",
    "data-association": "Data, operations and pools",
    "decision-id": "Decisions",
}
"""The headings of the manual, by the first code below each."""
