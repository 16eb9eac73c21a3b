"""The rules for events, links, gateways, activities and expressions, each shown by a file that breaks only it."""

from __future__ import annotations

import pytest

from riverstone.engine.bpmn.checks import check
from riverstone.engine.bpmn.checks.expressions import is_time
from riverstone.engine.bpmn.reading.xml import read_xml
from riverstone.engine.limits import Limits

ROOTS = (
    '<message id="m"/><signal id="sig"/><error id="err" errorCode="E"/><error id="bare"/>'
    '<escalation id="esc" escalationCode="E"/><escalation id="silent"/><itemDefinition id="item"/>'
    '<message id="typed" itemRef="item"/><resource id="team" name="team"/>'
    '<signalEventDefinition id="shared" signalRef="sig"/>'
)
MESSAGE = '<messageEventDefinition messageRef="m"/>'
SIGNAL = '<signalEventDefinition signalRef="sig"/>'
ERROR = '<errorEventDefinition errorRef="err"/>'
ESCALATION = '<escalationEventDefinition escalationRef="esc"/>'
COMPENSATION = "<compensateEventDefinition/>"
CANCEL = "<cancelEventDefinition/>"
TERMINATE = "<terminateEventDefinition/>"
LINK = '<linkEventDefinition name="a"/>'
TIMER = '<timerEventDefinition><timeDuration xsi:type="tFormalExpression">PT1M</timeDuration></timerEventDefinition>'
CONDITION = (
    '<conditionalEventDefinition><condition xsi:type="tFormalExpression">x &gt; 1</condition>'
    "</conditionalEventDefinition>"
)
CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'


def node(tag: str, node_id: str, ways: str = "", *, inner: str = "", attributes: str = "") -> str:
    """``ways`` such as ``f1> >f2 >f3``: the flows in and out."""
    flows = sorted(ways.split(), key=lambda way: way.startswith(">"))
    lines = "".join(
        f"<outgoing>{way[1:]}</outgoing>" if way.startswith(">") else f"<incoming>{way[:-1]}</incoming>"
        for way in flows
    )
    return f'<{tag} id="{node_id}" {attributes}>{lines}{inner}</{tag}>'


def flow(flow_id: str, source: str, target: str, inner: str = "") -> str:
    return f'<sequenceFlow id="{flow_id}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def line(middle: str, *, more: str = "", start: str = "", end: str = "") -> str:
    """start -> the node ``n`` -> end, with more beside it."""
    return (
        node("startEvent", "start", ">f1", inner=start)
        + middle
        + node("endEvent", "end", "f2>", inner=end)
        + flow("f1", "start", "n")
        + flow("f2", "n", "end")
        + more
    )


def task(tag: str = "task", *, inner: str = "", attributes: str = "") -> str:
    return node(tag, "n", "f1> >f2", inner=inner, attributes=attributes)


def inside(tag: str, content: str, *, attributes: str = "") -> str:
    return node(tag, "n", "f1> >f2", inner=content, attributes=attributes)


def nested(start: str = "", end: str = "") -> str:
    return node("startEvent", "s", ">g", inner=start) + node("endEvent", "e", "g>", inner=end) + flow("g", "s", "e")


def boundary(definition: str, *, host: str = "task", attributes: str = "", out: bool = True) -> str:
    content = nested() if host in ("subProcess", "transaction") else ""
    event = node(
        "boundaryEvent", "b", ">h" if out else "", inner=definition, attributes=f'attachedToRef="n" {attributes}'
    )
    after = node("endEvent", "e2", "h>") + flow("h", "b", "e2") if out else ""
    return line(task(host, inner=content), more=event + after)


def event_sub_process(start: str, *, attributes: str = "") -> str:
    content = node("startEvent", "s", ">g", inner=start, attributes=attributes)
    content += node("endEvent", "e", "g>") + flow("g", "s", "e")
    return line(task(), more=f'<subProcess id="sub" triggeredByEvent="true">{content}</subProcess>')


def codes(content: str, *, severity: str = "error", attributes: str = "", strict: bool = True) -> set[str]:
    source = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="urn:orders" '
        f'{attributes}>{ROOTS}<process id="order" isExecutable="true">{content}</process></definitions>'
    )
    found = check(read_xml(source.encode(), limits=Limits()), limits=Limits(), strict=strict)
    return {finding.code for finding in found if finding.severity == severity}


LEGAL = {
    "startEvent": ["", MESSAGE, TIMER, SIGNAL, CONDITION, "<eventDefinitionRef>shared</eventDefinitionRef>"],
    "intermediateCatchEvent": [MESSAGE, TIMER, SIGNAL, CONDITION],
    "intermediateThrowEvent": ["", MESSAGE, SIGNAL, ESCALATION, COMPENSATION],
    "endEvent": ["", MESSAGE, SIGNAL, ESCALATION, COMPENSATION, ERROR, TERMINATE],
    "boundaryEvent": [MESSAGE, TIMER, SIGNAL, CONDITION, ERROR, ESCALATION],
    "event sub-process": [MESSAGE, TIMER, SIGNAL, CONDITION, ERROR, ESCALATION, COMPENSATION],
}
ALL = ["", MESSAGE, TIMER, SIGNAL, CONDITION, ERROR, ESCALATION, COMPENSATION, CANCEL, TERMINATE, LINK]


def placed(place: str, definition: str) -> str:
    if place == "startEvent":
        return line(task(), start=definition)
    if place == "endEvent":
        return line(task(), end=definition)
    if place == "boundaryEvent":
        return boundary(definition)
    if place == "event sub-process":
        return event_sub_process(definition)
    return line(task(place, inner=definition))


@pytest.mark.parametrize(("place", "definition"), [(place, each) for place, kinds in LEGAL.items() for each in kinds])
def test_an_event_of_a_kind_that_its_place_allows_is_accepted(place: str, definition: str) -> None:
    assert codes(placed(place, definition)) == set()


@pytest.mark.parametrize(
    ("place", "definition"),
    [
        (place, each)
        for place, kinds in LEGAL.items()
        for each in ALL
        if each not in kinds
        and not (each == LINK and place.startswith("intermediate"))
        and not (each == COMPENSATION and place == "boundaryEvent")
    ],
)
def test_an_event_of_any_other_kind_is_refused(place: str, definition: str) -> None:
    assert "event-kind" in codes(placed(place, definition))


@pytest.mark.parametrize("definition", [ERROR, COMPENSATION])
def test_what_always_interrupts_cannot_start_without_interrupting(definition: str) -> None:
    assert codes(event_sub_process(definition, attributes='isInterrupting="false"')) == {"event-kind"}
    assert codes(event_sub_process(SIGNAL, attributes='isInterrupting="false"')) == set()


ALL_OF_THEM = 'parallelMultiple="true"'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (boundary(MESSAGE + TIMER, attributes=ALL_OF_THEM), set()),
        (boundary(MESSAGE + ERROR), set()),
        (boundary(MESSAGE + ERROR, attributes=ALL_OF_THEM), {"parallel-multiple"}),
        (boundary(MESSAGE + ESCALATION, attributes=ALL_OF_THEM), {"parallel-multiple"}),
        (event_sub_process(MESSAGE + SIGNAL, attributes=ALL_OF_THEM), set()),
        (event_sub_process(ESCALATION + SIGNAL, attributes=ALL_OF_THEM), {"parallel-multiple"}),
        (line(task(), start=MESSAGE + SIGNAL), set()),
        (line(task(), start=MESSAGE + SIGNAL).replace(" ", f" {ALL_OF_THEM} ", 1), {"parallel-multiple"}),
    ],
)
def test_what_needs_all_of_its_triggers_has_only_such_as_can_be_waited_for(content: str, expected: set[str]) -> None:
    """BPMN 2.0.2, tables 10.84 and 10.90: where an event needs all, one that comes first is not enough."""
    assert codes(content) == expected


def test_an_end_event_ends_what_it_is_in_once() -> None:
    """BPMN 2.0.2, table 10.88: all that several definitions throw has to occur."""
    assert codes(line(task(), end=TERMINATE + SIGNAL + COMPENSATION)) == set()
    assert codes(line(task(), end=TERMINATE + ERROR)) == {"end-event-ends-twice"}
    assert codes(line(task(), end=TERMINATE + TERMINATE)) == {"end-event-ends-twice"}


def test_cancel_events_belong_to_transactions() -> None:
    assert codes(boundary(CANCEL, host="transaction")) == set()
    assert codes(boundary(CANCEL, host="subProcess")) == {"event-kind"}
    assert codes(boundary(CANCEL, host="transaction", attributes='cancelActivity="false"')) == {"event-kind"}
    assert codes(line(inside("transaction", nested(end=CANCEL)))) == set()
    assert codes(line(inside("subProcess", nested(end=CANCEL)))) == {"event-kind"}


def test_sub_processes_start_with_a_none_event_only() -> None:
    assert codes(line(inside("subProcess", nested()))) == set()
    assert codes(line(inside("subProcess", nested(start=TIMER)))) == {"event-kind"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (boundary(TIMER, out=False), "boundary-without-flow"),
        (boundary(COMPENSATION), "compensation-boundary-flow"),
        (
            event_sub_process(SIGNAL) + f'<boundaryEvent id="b" attachedToRef="sub">{TIMER}</boundaryEvent>',
            "boundary-on-event-sub-process",
        ),
        (boundary(COMPENSATION, out=False), "compensation-without-handler"),
        (
            line(task(), more=node("boundaryEvent", "b", inner=TIMER, attributes='attachedToRef="start"')),
            "wrong-reference",
        ),
        (
            line(
                inside("subProcess", nested() + '<boundaryEvent id="b" attachedToRef="n">' + TIMER + "</boundaryEvent>")
            ),
            "boundary-elsewhere",
        ),
        (line(task(), more='<subProcess id="sub" triggeredByEvent="true"/>'), "event-sub-process-start"),
        (
            line(inside("subProcess", nested(start=SIGNAL), attributes='triggeredByEvent="true"')),
            "event-sub-process-flow",
        ),
        (line(task(), end='<escalationEventDefinition escalationRef="silent"/>'), "escalation-without-code"),
        (line(task(), end='<errorEventDefinition errorRef="bare"/>'), "error-without-code"),
        (line(task(), start="<signalEventDefinition/>"), "signal-without-reference"),
        (line(task(), start="<messageEventDefinition/>"), "message-without-reference"),
        (line(task(), start='<messageEventDefinition messageRef="typed"/>'), "message-without-operation"),
        (
            line(
                task(),
                start="<eventDefinitionRef>own</eventDefinitionRef>",
                end='<signalEventDefinition id="own" signalRef="sig"/>',
            ),
            "shared-event-definition",
        ),
    ],
)
def test_events_have_what_their_kind_needs(content: str, code: str) -> None:
    assert code in codes(content)


def test_a_compensation_boundary_event_leads_to_its_handler_by_an_association() -> None:
    handler = '<task id="undo" isForCompensation="true"/><association id="as" sourceRef="b" targetRef="undo"/>'
    assert codes(boundary(COMPENSATION, out=False) + handler) == set()


def links(throw: str = LINK, catch: str = LINK) -> str:
    return (
        node("startEvent", "start", ">f1")
        + node("intermediateThrowEvent", "t", "f1>", inner=throw)
        + node("intermediateCatchEvent", "c", ">f2", inner=catch)
        + node("endEvent", "end", "f2>")
        + flow("f1", "start", "t")
        + flow("f2", "c", "end")
    )


def test_links_meet_by_name_or_by_source_and_target() -> None:
    throw = '<linkEventDefinition id="l1" name="x"><target>l2</target></linkEventDefinition>'
    catch = '<linkEventDefinition id="l2" name="y"><source>l1</source></linkEventDefinition>'
    assert codes(links()) == set()
    assert codes(links(throw, catch)) == set()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (links(catch='<linkEventDefinition name="b"/>'), "link-without-target"),
        (links(catch='<linkEventDefinition name="b"/>'), "link-without-source"),
        (links() + f'<intermediateCatchEvent id="c2">{LINK}</intermediateCatchEvent>', "link-without-target"),
        (links() + flow("f3", "t", "end"), "link-flow"),
        (
            links(
                '<linkEventDefinition id="l1" name="x"><target>l2</target></linkEventDefinition>',
                '<linkEventDefinition id="l2" name="y"/>',
            ),
            "link-not-mutual",
        ),
    ],
)
def test_links_that_do_not_meet_are_refused(content: str, code: str) -> None:
    assert code in codes(content)


def test_links_stay_on_their_level() -> None:
    throw = '<linkEventDefinition id="l1" name="x"><target>l2</target></linkEventDefinition>'
    catch = '<linkEventDefinition id="l2" name="x"><source>l1</source></linkEventDefinition>'
    content = (
        node("startEvent", "s", ">g1")
        + node("intermediateThrowEvent", "t", "g1>", inner=throw)
        + flow("g1", "s", "t")
        + node("endEvent", "e")
    )
    caught = (
        node("intermediateCatchEvent", "c", ">h", inner=catch) + node("endEvent", "e2", "h>") + flow("h", "c", "e2")
    )
    assert "link-crosses-boundary" in codes(line(inside("subProcess", content), more=caught))


def choice(gateway: str, first: str, second: str, *, attributes: str = "", way: str = "", more: str = "") -> str:
    """start -> gateway -> the nodes ``a`` and ``b`` -> end."""
    return (
        node("startEvent", "start", ">f1")
        + node(gateway, "gw", "f1> >f2 >f3", attributes=attributes)
        + first
        + second
        + node("endEvent", "end", "f4> f5>")
        + flow("f1", "start", "gw")
        + flow("f2", "gw", "a", way)
        + flow("f3", "gw", "b")
        + flow("f4", "a", "end")
        + flow("f5", "b", "end")
        + more
    )


A, B = node("task", "a", "f2> >f4"), node("task", "b", "f3> >f5")
CATCH_A = node("intermediateCatchEvent", "a", "f2> >f4", inner=MESSAGE)
CATCH_B = node("intermediateCatchEvent", "b", "f3> >f5", inner=TIMER)
RECEIVE_B = node("receiveTask", "b", "f3> >f5")
FORMAL = '<conditionExpression xsi:type="tFormalExpression">x == "y"</conditionExpression>'


def test_gateways_that_choose_are_accepted_with_and_without_conditions() -> None:
    for gateway in ("exclusiveGateway", "inclusiveGateway", "parallelGateway", "complexGateway"):
        assert codes(choice(gateway, A, B, attributes='gatewayDirection="Diverging"')) == set()
    assert codes(choice("exclusiveGateway", A, B, attributes='default="f3"', way=FORMAL)) == set()
    assert codes(choice("eventBasedGateway", CATCH_A, CATCH_B)) == set()
    assert codes(choice("eventBasedGateway", node("receiveTask", "a", "f2> >f4"), CATCH_B)) == set()


def test_conditions_that_nobody_looks_at_are_only_doubtful() -> None:
    assert codes(choice("parallelGateway", A, B, way=FORMAL)) == set()
    assert codes(choice("parallelGateway", A, B, way=FORMAL), severity="warning") == {"parallel-gateway-condition"}
    on_default = choice("exclusiveGateway", A, B, way=FORMAL, attributes='default="f2"')
    assert codes(on_default, severity="warning") == {"default-flow-condition"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (line(task("exclusiveGateway")), "gateway-without-choice"),
        (choice("exclusiveGateway", A, B, attributes='gatewayDirection="Converging"'), "gateway-direction"),
        (choice("exclusiveGateway", A, B, attributes='gatewayDirection="Mixed"'), "gateway-direction"),
        (line(task("eventBasedGateway")), "event-gateway-choice"),
        (choice("eventBasedGateway", A, CATCH_B), "event-gateway-target"),
        (choice("eventBasedGateway", CATCH_A, CATCH_B, way=FORMAL), "event-gateway-condition"),
        (choice("eventBasedGateway", CATCH_A, RECEIVE_B), "event-gateway-mixture"),
        (choice("eventBasedGateway", CATCH_A, CATCH_B, attributes='instantiate="true"'), "instantiating-node-flow"),
        (
            choice("eventBasedGateway", CATCH_A, CATCH_B, attributes='eventGatewayType="Parallel"'),
            "parallel-event-gateway",
        ),
        (choice("eventBasedGateway", CATCH_A, CATCH_B, more=flow("f6", "start", "a")), "event-gateway-target-flow"),
        (
            choice("eventBasedGateway", node("intermediateCatchEvent", "a", "f2> >f4", inner=SIGNAL), RECEIVE_B)
            + node("boundaryEvent", "x", inner=TIMER, attributes='attachedToRef="b"'),
            "event-gateway-target-boundary",
        ),
    ],
)
def test_gateways_that_contradict_themselves_are_refused(content: str, code: str) -> None:
    assert code in codes(content)


def test_a_condition_behind_an_event_is_refused() -> None:
    assert codes(line(task()).replace('targetRef="n"></', f'targetRef="n">{FORMAL}</')) == {"event-condition"}


def multiple(inner: str = "", attributes: str = "") -> str:
    return line(
        task(inner=f"<multiInstanceLoopCharacteristics {attributes}>{inner}</multiInstanceLoopCharacteristics>")
    )


COUNT = "<loopCardinality>3</loopCardinality>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (line(task(attributes='startQuantity="0"')), "quantity-below-one"),
        (line(task(attributes='completionQuantity="-3"')), "quantity-below-one"),
        (line(task(inner='<standardLoopCharacteristics loopMaximum="-1"/>')), "loop-maximum"),
        (multiple(), "multi-instance-without-count"),
        (multiple(COUNT, 'behavior="Complex"'), "multi-instance-behavior"),
        (
            multiple(COUNT + '<completionCondition xsi:type="tFormalExpression">3</completionCondition>'),
            "condition-is-number",
        ),
        (multiple("<loopDataInputRef>item</loopDataInputRef>"), "wrong-reference"),
        (
            line(
                task(
                    inner="<performer><resourceRef>team</resourceRef><resourceAssignmentExpression><formalExpression>x"
                    "</formalExpression></resourceAssignmentExpression></performer>"
                )
            ),
            "resource-twice",
        ),
        (line(task("scriptTask", inner="<script>x</script>")), "script-without-format"),
        (line(task("receiveTask", attributes='instantiate="true"')), "instantiating-node-flow"),
        (line(task("adHocSubProcess")), "ad-hoc-without-activity"),
        (line(inside("adHocSubProcess", '<task id="t"/><startEvent id="s"/>')), "ad-hoc-event"),
        (
            line(inside("subProcess", "<ioSpecification><inputSet/><outputSet/></ioSpecification>" + nested())),
            "sub-process-data",
        ),
        (line(task("callActivity", attributes='calledElement="order"'), start=MESSAGE), "called-process-start"),
        (
            line(inside("subProcess", nested() + '<choreographyTask id="c" initiatingParticipantRef="x"/>')),
            "choreography-in-process",
        ),
    ],
)
def test_activities_that_contradict_themselves_are_refused(content: str, code: str) -> None:
    assert code in codes(content)


@pytest.mark.parametrize(
    "characteristics",
    [
        f"<multiInstanceLoopCharacteristics>{COUNT}</multiInstanceLoopCharacteristics>",
        '<multiInstanceLoopCharacteristics camunda:collection="${hosts}" camunda:elementVariable="host"/>',
        "<multiInstanceLoopCharacteristics behavior='One' oneBehaviorEventRef='shared'>"
        + COUNT
        + "</multiInstanceLoopCharacteristics>",
        "<standardLoopCharacteristics><loopCondition xsi:type='tFormalExpression'>again</loopCondition>"
        "</standardLoopCharacteristics>",
    ],
)
def test_loops_as_modelers_write_them_are_accepted(characteristics: str) -> None:
    assert codes(line(task(inner=characteristics)), attributes=CAMUNDA) == set()


def test_a_loop_that_says_nothing_of_its_end_is_doubtful() -> None:
    assert codes(line(task(inner="<standardLoopCharacteristics/>")), severity="warning") == {"loop-without-condition"}


def timed(tag: str, body: str, *, formal: bool = True) -> str:
    kind = ' xsi:type="tFormalExpression"' if formal else ""
    timer = f"<timerEventDefinition><{tag}{kind}>{body}</{tag}></timerEventDefinition>"
    return line(task("intermediateCatchEvent", inner=timer))


@pytest.mark.parametrize(
    ("tag", "body"),
    [
        ("timeDate", "2031-01-31T12:00:00Z"),
        ("timeDate", "2031-01-31T12:00:00.5+02:00"),
        ("timeDate", "2031-01-31"),
        ("timeDate", "${order.due}"),
        ("timeDuration", "PT15M"),
        ("timeDuration", "P1Y2M3DT4H5M6.7S"),
        ("timeDuration", "P2W"),
        ("timeDuration", "=duration(x)"),
        ("timeDuration", "parameters.patience"),
        ("timeCycle", "R3/PT10M"),
        ("timeCycle", "R/2031-01-01T00:00:00Z/P1D"),
        ("timeCycle", "R5/PT1H/2031-01-01T00:00:00Z"),
        ("timeCycle", "PT1H"),
        ("timeCycle", "0 0/5 * * * ?"),
        ("timeCycle", "R3/PT10M/${end}"),
    ],
)
def test_times_are_iso_8601_cron_or_an_expression(tag: str, body: str) -> None:
    assert codes(timed(tag, body)) == set()
    assert codes(timed(tag, body, formal=False)) == set()


@pytest.mark.parametrize(
    ("tag", "body"),
    [
        ("timeDate", "tomorrow"),
        ("timeDate", "PT5M"),
        ("timeDate", "31.01.2031"),
        ("timeDuration", "soon"),
        ("timeDuration", "P"),
        ("timeDuration", "PT"),
        ("timeDuration", "5 minutes"),
        ("timeDuration", "P1DT"),
        ("timeCycle", "R3"),
        ("timeCycle", "R3/"),
        ("timeCycle", "Rx/PT1M"),
        ("timeCycle", "always"),
    ],
)
def test_times_that_are_none_are_refused(tag: str, body: str) -> None:
    assert codes(timed(tag, body)) == {"timer-time"}
    assert not is_time(tag, body)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (timed("timeDate", ""), "expression-empty"),
        (line(task("intermediateCatchEvent", inner="<timerEventDefinition/>")), "timer-times"),
        (
            line(
                task(),
                start=CONDITION.replace(">x &gt; 1</condition>", "/>"),
            ),
            "condition-missing",
        ),
        (
            line(
                task(), start="<conditionalEventDefinition><condition>it rains</condition></conditionalEventDefinition>"
            ),
            "natural-language-expression",
        ),
        (
            choice("exclusiveGateway", A, B, way="<conditionExpression>order is big</conditionExpression>"),
            "natural-language-expression",
        ),
        (
            choice("exclusiveGateway", A, B, way='<conditionExpression xsi:type="tFormalExpression"/>'),
            "expression-empty",
        ),
    ],
)
def test_expressions_are_there_and_more_than_words(content: str, code: str) -> None:
    assert code in codes(content)


@pytest.mark.parametrize(
    ("language", "body", "found"),
    [
        ("groovy", "x == '1'", {"expression-language"}),
        ("groovy", "${x == 1}", {"expression-language"}),
        ("javascript", "x == 1", {"expression-language"}),
        ("python", "x == 1", {"expression-language"}),
        ("http://www.w3.org/1999/XPath", "x = 1", {"expression-language"}),
        ("http://www.w3.org/1999/XPath", "${x == 1}", set()),
        ("juel", "${x == 1}", set()),
        ("http://www.omg.org/spec/FEEL/20140401", "x = 1", set()),
        ("https://www.omg.org/spec/DMN/20191111/FEEL/", "x = 1", set()),
    ],
)
def test_an_expression_in_another_language_is_refused(language: str, body: str, found: set[str]) -> None:
    """BPMN 2.0.2, 10.4.1: the language of an expression says how it is read; one that is not known cannot be."""
    way = f'<conditionExpression xsi:type="tFormalExpression" language="{language}">{body}</conditionExpression>'

    assert codes(choice("exclusiveGateway", A, B, way=way)) == found


def test_an_expression_with_an_engines_marks_needs_no_type() -> None:
    for body in ("${x == 1}", "#{x}", "=x > 1"):
        escaped = body.replace(">", "&gt;")
        way = f"<conditionExpression>{escaped}</conditionExpression>"
        assert codes(choice("exclusiveGateway", A, B, way=way)) == set()
    words = "<conditionExpression>big</conditionExpression>"
    assert codes(choice("exclusiveGateway", A, B, way=words), strict=False) == set()


@pytest.mark.parametrize("behavior", ["None", "One"])
def test_a_behavior_may_throw_nothing(behavior: str) -> None:
    """BPMN 2.0, table 10.29: noneBehaviorEventRef and oneBehaviorEventRef are optional."""
    assert codes(multiple(COUNT, f'behavior="{behavior}"')) == set()
