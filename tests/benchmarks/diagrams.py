"""The models of the benchmarks, written out as BPMN files of any size.

Each service task names its stone twice: as riverstone reads it, and as SpiffWorkflow does.
"""

from __future__ import annotations

import itertools

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
    ' xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="http://example.com/bench">'
)
OPERATOR = '<extensionElements><spiffworkflow:serviceTaskOperator id="nothing"/></extensionElements>'
ENDS = ['<startEvent id="begin"/>', '<endEvent id="finish"/>']


def service(name: str, stone: str = "nothing", inner: str = "") -> str:
    """A service task; ``inner`` is what stands in it beside its binding."""
    binding = f'camunda:type="external" camunda:topic="{stone}"'
    return f'<serviceTask id="{name}" {binding}>{OPERATOR}{inner}</serviceTask>'


def sequence(count: int, *, key: str = "", node: str = "service") -> bytes:
    """``count`` nodes one after the other, of stones or of another kind of node."""
    names = [f"step{number}" for number in range(count)]
    nodes = [service(name) if node == "service" else f'<{node} id="{name}"/>' for name in names]
    path = ["begin", *names, "finish"]
    return _diagram(key or f"sequence-{count}", [*ENDS, *nodes], list(itertools.pairwise(path)))


def parallel(count: int) -> bytes:
    """``count`` stones between a split and a join."""
    names = [f"step{number}" for number in range(count)]
    flows = [("begin", "split"), ("join", "finish")]
    flows += [("split", name) for name in names] + [(name, "join") for name in names]
    gateways = ['<parallelGateway id="split"/>', '<parallelGateway id="join"/>']
    return _diagram(f"parallel-{count}", [*ENDS, *gateways, *map(service, names)], flows)


def blocks(count: int, *, node: str = "service") -> bytes:
    """``count`` blocks in a row, each a split, two nodes and a join."""
    nodes, flows, last = list(ENDS), [], "begin"
    for number in range(count):
        split, join = f"split{number}", f"join{number}"
        nodes += [f'<parallelGateway id="{split}"/>', f'<parallelGateway id="{join}"/>']
        flows.append((last, split))
        for name in (f"left{number}", f"right{number}"):
            nodes.append(service(name) if node == "service" else f'<{node} id="{name}"/>')
            flows += [(split, name), (name, join)]
        last = join
    return _diagram(f"blocks-{count}-{node}", nodes, [*flows, (last, "finish")])


def multi_instance(count: int) -> bytes:
    """One stone run ``count`` times side by side."""
    cardinality = f'<loopCardinality xsi:type="tFormalExpression">{count}</loopCardinality>'
    inner = f"<multiInstanceLoopCharacteristics>{cardinality}</multiInstanceLoopCharacteristics>"
    nodes = [*ENDS, service("step", inner=inner)]
    return _diagram(f"multi-{count}", nodes, [("begin", "step"), ("step", "finish")])


def loop(turns: int, *, node: str) -> bytes:
    """One node marked to be repeated ``turns`` times."""
    mark = f'<standardLoopCharacteristics loopMaximum="{turns}"/>'
    inner = service("step", inner=mark) if node == "service" else f'<{node} id="step">{mark}</{node}>'
    return _diagram(f"loop-{turns}-{node}", [*ENDS, inner], [("begin", "step"), ("step", "finish")])


def circle(turns: int) -> bytes:
    """A counting stone and a flow back to it until it has counted to ``turns``."""
    nodes = [*ENDS, '<exclusiveGateway id="again"/>', '<exclusiveGateway id="enough" default="back"/>']
    nodes += [
        service("step", "count"),
        '<sequenceFlow id="back" sourceRef="enough" targetRef="again"/>',
        '<sequenceFlow id="on" sourceRef="enough" targetRef="finish">'
        f'<conditionExpression xsi:type="tFormalExpression">${{outputs.step.count >= {turns}}}</conditionExpression>'
        "</sequenceFlow>",
    ]
    return _diagram(f"circle-{turns}", nodes, [("begin", "again"), ("again", "step"), ("step", "enough")])


def waiting(count: int) -> bytes:
    """A user task before ``count`` stones: a start stops at once."""
    names = [f"step{number}" for number in range(count)]
    path = ["begin", "ask", *names, "finish"]
    nodes = [*ENDS, '<userTask id="ask"/>', *map(service, names)]
    return _diagram(f"waiting-{count}", nodes, list(itertools.pairwise(path)))


def monitored() -> bytes:
    """One stone that is looked at once a minute."""
    return _diagram("monitored", [*ENDS, service("step", "patience")], [("begin", "step"), ("step", "finish")])


def to_undo(shape: str, count: int, *, fails: bool) -> bytes:
    """``count`` stones that can be undone, then a person; after that, it may be, one that fails.

    ``shape`` is ``in sequence``, ``side by side`` or ``in two bunches``: half of them, and when all are done, the rest.
    """
    if shape == "in sequence":
        stones = [service(f"step{number}", "thing") for number in range(count)]
    else:
        bunches = 1 if shape == "side by side" else 2
        cardinality = f'<loopCardinality xsi:type="tFormalExpression">{count // bunches}</loopCardinality>'
        inner = f"<multiInstanceLoopCharacteristics>{cardinality}</multiInstanceLoopCharacteristics>"
        stones = [service(f"step{number}", "thing", inner) for number in range(bunches)]
    path = ["begin", *(f"step{number}" for number in range(len(stones))), "ask", *(["fails"] * fails), "finish"]
    last = [service("fails", "broken")] if fails else []
    nodes = [*ENDS, *stones, '<userTask id="ask"/>', *last]
    return _diagram(f"undone-{shape.replace(' ', '-')}-{count}-{fails}", nodes, list(itertools.pairwise(path)))


def taken_away(count: int) -> bytes:
    """``count`` people asked side by side, and one beside them whose answer ends all of it."""
    cardinality = f'<loopCardinality xsi:type="tFormalExpression">{count}</loopCardinality>'
    each = f"<multiInstanceLoopCharacteristics>{cardinality}</multiInstanceLoopCharacteristics>"
    people = [f'<userTask id="each">{each}</userTask>', '<userTask id="ask"/>']
    last = '<endEvent id="stop"><terminateEventDefinition id="all"/></endEvent>'
    flows = [("begin", "each"), ("begin", "ask"), ("ask", "stop")]
    return _diagram(f"taken-away-{count}", [ENDS[0], *people, last], flows)


def _diagram(key: str, nodes: list[str], flows: list[tuple[str, str]]) -> bytes:
    drawn = [
        f'<sequenceFlow id="flow{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(flows)
    ]
    process = f'<process id="{key}" isExecutable="true">{"".join(nodes)}{"".join(drawn)}</process>'
    return f"{HEAD}{process}</definitions>".encode()
