"""Sequence flows: what they may join, and what every node needs of them (BPMN 2.0, 7.6.1, 8.3.13, 10.2)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import ACTIVITIES, EVENTS, GATEWAYS, all_text, bpmn_name, child, children, is_true, label
from .outline import Outline
from .reachability import ends_itself, instantiates, stands_alone, starts_itself


def check_flows(outline: Outline, report: Report) -> None:
    """Report flows between the wrong places, and nodes that lack a flow which the specification demands."""
    for flow in outline.by_tag["sequenceFlow"]:
        _check_flow(outline, report, flow)
    for node in outline.nodes:
        _check_ends(outline, report, node)
        _check_default(outline, report, node)
        if outline.lists_flows:
            _check_listing(outline, report, node)
    for scope, nodes in outline.nodes_by_scope.items():
        if bpmn_name(scope) != "adHocSubProcess":
            _check_scope(outline, report, nodes)


def _check_flow(outline: Outline, report: Report, flow: etree._Element) -> None:
    source, target = outline.by_id.get(flow.get("sourceRef", "")), outline.by_id.get(flow.get("targetRef", ""))
    for end, node in (("leaves", source), ("enters", target)):
        if node is not None and is_true(node, "triggeredByEvent"):
            report.error(
                "event-sub-process-flow",
                flow,
                f"The {label(flow)} {end} the event sub-process {node.get('id')!r}, which only its start event starts:"
                " remove the flow.",
            )
    if source is not None and target is not None:
        places = outline.scope.get(source), outline.scope.get(target)
        if places[0] is not places[1] and None not in places:
            same = outline.process[source] is outline.process[target]
            report.error(
                "flow-crosses-boundary",
                flow,
                f"The {label(flow)} goes from {label(source)} to {label(target)} across the border of a"
                f" {'sub-process: join the sub-process itself' if same else 'pool: use a message flow'}.",
            )
    if source is not None and child(flow, "conditionExpression") is not None:
        _check_condition(outline, report, flow, source)
    if is_true(flow, "isImmediate", default=True) is False and outline.executable(flow):
        report.formal(
            "flow-not-immediate",
            flow,
            f'The {label(flow)} has isImmediate="false", which an executable process must not have: remove it.',
        )


def _check_condition(outline: Outline, report: Report, flow: etree._Element, source: etree._Element) -> None:
    tag = bpmn_name(source)
    if tag in ACTIVITIES and len(outline.flows_out(source)) == 1:
        report.formal(
            "single-conditional-flow",
            flow,
            f"The conditional {label(flow)} is the only way out of {label(source)}: add another flow, or remove"
            " the condition.",
        )
    elif tag == "eventBasedGateway":
        report.error(
            "event-gateway-condition",
            flow,
            f"The {label(flow)} out of {label(source)} has a condition, but there the event decides:"
            " remove the condition.",
        )
    elif tag in EVENTS:
        report.formal(
            "event-condition",
            flow,
            f"The {label(flow)} out of {label(source)} has a condition, which only flows out of an activity or"
            " gateway may have: put an exclusive gateway between.",
        )
    elif tag == "parallelGateway":
        report.warning(
            "parallel-gateway-condition",
            flow,
            f"The condition of {label(flow)} is not looked at, since {label(source)} takes every way out:"
            " remove the condition or use an inclusive gateway.",
        )


def _check_ends(outline: Outline, report: Report, node: etree._Element) -> None:
    tag, incoming, outgoing = bpmn_name(node), outline.flows_in(node), outline.flows_out(node)
    if tag in ("startEvent", "boundaryEvent") and incoming:
        report.error(
            "flow-into-event",
            node,
            f"The {label(node)} is entered by {label(incoming[0])}, but no sequence flow may enter it:"
            " lead the flow elsewhere.",
        )
    if tag == "endEvent" and outgoing:
        report.error(
            "flow-out-of-end",
            node,
            f"The {label(node)} is left by {label(outgoing[0])}, but nothing follows an end event:"
            " use an intermediate throw event.",
        )
    if is_true(node, "isForCompensation") and (incoming or outgoing):
        report.error(
            "compensation-activity-flow",
            node,
            f"The {label(node)} is for compensation, so no sequence flow may enter or leave it: remove the flow or"
            " isForCompensation.",
        )
    if node.get("id") is None:
        report.error("missing-id", node, f"The {label(node)} has no id, so nothing can refer to it: give it one.")


def _check_default(outline: Outline, report: Report, node: etree._Element) -> None:
    default = node.get("default")
    if default is None or bpmn_name(node) not in ACTIVITIES | GATEWAYS:
        return
    flow = outline.find(node, default)
    if flow is None or bpmn_name(flow) != "sequenceFlow":
        return  # a dangling or wrong reference, already said
    if flow.get("sourceRef") != node.get("id"):
        report.error(
            "default-flow-elsewhere",
            node,
            f"The default flow {default!r} of {label(node)} leaves {flow.get('sourceRef')!r}: name one of its own"
            " outgoing flows.",
        )
    elif (condition := child(flow, "conditionExpression")) is not None and all_text(condition):
        report.warning(
            "default-flow-condition",
            flow,
            f"The condition of {label(flow)} is not looked at, since it is the default flow of {label(node)}:"
            " remove it.",
        )


def _check_listing(outline: Outline, report: Report, node: etree._Element) -> None:
    """A file that writes ``incoming`` and ``outgoing`` has to write them all (BPMN 2.0, table 8.46)."""
    sides = (("incoming", outline.flows_in(node), "targetRef"), ("outgoing", outline.flows_out(node), "sourceRef"))
    for tag, flows, end in sides:
        listed = {outline.local(entry, all_text(entry)) for entry in children(node, tag)}
        for flow in flows:
            if flow.get("id") not in listed and flow.get("id") is not None:
                report.formal(
                    "unlisted-flow",
                    node,
                    f"The {label(node)} does not list {label(flow)} as {tag}, while the file lists other flows:"
                    f" add <{tag}>{flow.get('id')}</{tag}>.",
                )
        for entry in children(node, tag):
            flow_listed = outline.find(entry, all_text(entry))
            if flow_listed is None or bpmn_name(flow_listed) != "sequenceFlow":
                continue
            if flow_listed.get(end) != node.get("id"):
                report.formal(
                    "wrongly-listed-flow",
                    node,
                    f"The {label(node)} lists {label(flow_listed)} as {tag}, but the {end} of that flow is"
                    f" {flow_listed.get(end)!r}: make the two agree.",
                )


def _check_scope(outline: Outline, report: Report, nodes: list[etree._Element]) -> None:
    """Start and end events come together, and with them every node needs a way in and out (10.4.2, 10.4.3)."""
    starts = [node for node in nodes if bpmn_name(node) == "startEvent"]
    ends = [node for node in nodes if bpmn_name(node) == "endEvent"]
    if starts and not ends:
        report.formal(
            "missing-end-event",
            starts[0],
            f"The level of {label(starts[0])} has no end event, which a level with a start event must have: add one.",
        )
    if ends and not starts and not any(instantiates(outline, node) for node in nodes):
        report.formal(
            "missing-start-event",
            ends[0],
            f"The level of {label(ends[0])} has no start event, which a level with an end event must have: add one.",
        )
    for node in nodes:
        free = stands_alone(outline, node)
        if not outline.flows_in(node) and not free and not starts_itself(outline, node):
            intermediate = bpmn_name(node) in ("intermediateCatchEvent", "intermediateThrowEvent")
            if starts or intermediate or bpmn_name(node) == "endEvent":
                report.formal(
                    "no-way-in", node, f"No sequence flow enters {label(node)}, so it is never reached: add one."
                )
        if not outline.flows_out(node) and not free and not ends_itself(outline, node):
            intermediate = bpmn_name(node) in ("intermediateCatchEvent", "intermediateThrowEvent", "startEvent")
            if ends or intermediate:
                report.formal(
                    "no-way-out",
                    node,
                    f"No sequence flow leaves {label(node)}, while the level uses end events: lead it to one.",
                )
