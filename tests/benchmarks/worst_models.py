"""Models that ask for as much at once as models may."""

from __future__ import annotations

import itertools

from ..security.attacks import around, flow, process, repeated

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
PERSON = '<userTask id="{}"/>'
TASK = '<task id="m"/>'
THING = '<serviceTask id="{}" camunda:type="external" camunda:topic="thing"/>'
SIGNAL = '<signal id="x" name="x"/>'
CAUGHT = '<intermediateCatchEvent id="{}"><signalEventDefinition id="d" signalRef="x"/></intermediateCatchEvent>'
THROWN = '<intermediateThrowEvent id="w"><signalEventDefinition id="dw" signalRef="x"/></intermediateThrowEvent>'
WATCHED = (
    '<intermediateCatchEvent id="c"><conditionalEventDefinition id="d"><condition>${v == 3}</condition>'
    "</conditionalEventDefinition></intermediateCatchEvent>"
)
TERMINATING = '<endEvent id="w"><terminateEventDefinition id="t"/></endEvent>'
NOWHERE = '<exclusiveGateway id="w"/><endEvent id="e"/>' + flow("f4", "w", "e", "${false}")


def in_a_row(*nodes: str, before: str = "") -> bytes:
    """These nodes one after the other."""
    ids = ["s", *(node.split('id="')[1].split('"')[0] for node in nodes), "e"]
    flows = "".join(flow(f"f{number}", *pair) for number, pair in enumerate(itertools.pairwise(ids)))
    return process('<startEvent id="s"/>' + "".join(nodes) + '<endEvent id="e"/>' + flows, before=before)


def times(node: str, count: int, *, in_turn: bool = False) -> str:
    """A node that is run so often."""
    made = repeated(node, str(count))
    marker = "<multiInstanceLoopCharacteristics"
    return made.replace(marker, f'{marker} isSequential="true"', 1) if in_turn else made


def sub(inside: str, runs: int) -> str:
    """A sub-process that is run so often."""
    return times('<subProcess id="m"/>', runs).replace("</subProcess>", f"{inside}</subProcess>")


def nested(depth: int) -> bytes:
    """Sub-processes inside of each other."""
    inside = '<task id="m"/>'
    for number in range(depth):
        inside = f'<subProcess id="p{number}">{inside}</subProcess>'
    return in_a_row(inside)


def ring(count: int) -> bytes:
    """Inclusive gateways in a circle, into each of which a token comes from outside too."""
    body = ['<startEvent id="s"/><task id="m"/>', flow("a", "s", "m")]
    for number in range(count):
        body.append(f'<inclusiveGateway id="g{number}" default="d{number}"/><task id="t{number}"/>')
        body.append(f'<endEvent id="e{number}"/>')
        body.append(flow(f"i{number}", "m", f"t{number}") + flow(f"j{number}", f"t{number}", f"g{number}"))
        body.append(flow(f"d{number}", f"g{number}", f"g{(number + 1) % count}"))
        body.append(flow(f"o{number}", f"g{number}", f"e{number}", "${false}"))
    return process("".join(body))


def beside_a_person(node: str, then: str, *, before: str = "") -> bytes:
    """The node ``m``, and beside it a person whose answer leads to what is given with its own flows, from ``w`` on."""
    # An answer after which no way would lead on is refused, so that the choice comes after something else.
    body = f'<startEvent id="s"/>{node}{PERSON.format("p")}<task id="k"/>{then}'
    flows = flow("f1", "s", "m") + flow("f2", "s", "p") + flow("f3", "p", "k") + flow("f0", "k", "w")
    return process(body + flows, before=before)


def caught_beside(count: int) -> bytes:
    """Twice so many that wait for a signal."""
    first, second = (sub(CAUGHT.format("c"), count).replace('id="', f'id="{name}') for name in "ab")
    flows = "".join(flow(f"f{name}", "s", f"{name}m") for name in "ab")
    return process(f'<startEvent id="s"/>{first}{second}{flows}', before=SIGNAL)


def compensated(runs: int) -> bytes:
    """A person, whose answer lets each run of a task be compensated."""
    handler = (
        '<boundaryEvent id="b" attachedToRef="m"><compensateEventDefinition id="bd"/></boundaryEvent>'
        '<task id="h" isForCompensation="true"/>'
        '<association id="a" sourceRef="b" targetRef="h" associationDirection="One"/>'
    )
    thrown = '<intermediateThrowEvent id="w"><compensateEventDefinition id="wd"/></intermediateThrowEvent>'
    body = f'<startEvent id="s"/>{times(TASK, runs)}{handler}{PERSON.format("p")}{thrown}'
    return process(body + flow("f1", "s", "m") + flow("f2", "m", "p") + flow("f3", "p", "w"))


def sent_on(count: int) -> bytes:
    """A person, after whom an activity sends so many tokens on."""
    return in_a_row(PERSON.format("p"), f'<task id="m" completionQuantity="{count}"/>', '<task id="k"/>')


def setting(name: str, text: str, *, node: str = "m") -> str:
    """A task that evaluates one expression once."""
    value = f'<camunda:outputParameter name="{name}">{text}</camunda:outputParameter>'
    mapped = f"<extensionElements><camunda:inputOutput>{value}</camunda:inputOutput></extensionElements>"
    return f'<task id="{node}">{mapped}</task>'


def copying(count: int) -> str:
    """A stone that is given a large variable so often."""
    made = "".join(f'<camunda:inputParameter name="i{n}">${{big}}</camunda:inputParameter>' for n in range(count))
    mapped = f"<extensionElements><camunda:inputOutput>{made}</camunda:inputOutput></extensionElements>"
    return THING.format("m").replace("/>", f">{mapped}</serviceTask>")


def table(rules: int) -> bytes:
    """A decision of which one rule fits."""
    rows = "".join(
        f"<rule><inputEntry><text>{number}</text></inputEntry><outputEntry><text>{number}</text></outputEntry></rule>"
        for number in range(rules)
    )
    return _decisions(
        '<decision id="d0" name="d0"><decisionTable hitPolicy="COLLECT"><input id="i"><inputExpression>'
        f'<text>x</text></inputExpression></input><output id="o" name="o"/>{rows}</decisionTable></decision>'
    )


def chained(count: int) -> bytes:
    """Decisions of which each needs the next; ``d0`` needs them all."""
    return _decisions(
        "".join(
            f'<decision id="d{n}" name="d{n}"><informationRequirement><requiredDecision href="#d{n + 1}"/>'
            f"</informationRequirement><literalExpression><text>d{n + 1} + 1</text></literalExpression></decision>"
            for n in range(count)
        )
        + f'<decision id="d{count}" name="d{count}"><literalExpression><text>1</text></literalExpression></decision>'
    )


def _decisions(made: str) -> bytes:
    return f'<definitions xmlns="{DMN}" id="d" name="d" namespace="urn:d">{made}</definitions>'.encode()


DECIDING = around(
    '<businessRuleTask id="m" camunda:decisionRef="d0" camunda:mapDecisionResult="resultList"'
    ' camunda:resultVariable="r"/>'
)
