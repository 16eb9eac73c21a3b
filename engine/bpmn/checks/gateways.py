"""Gateways and the flows around them (BPMN 2.0, 10.5)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import GATEWAYS, XSI_TYPE, all_text, bpmn_name, child, is_true, label
from .outline import Outline

_AFTER_EVENT_GATEWAY = frozenset(f"{kind}EventDefinition" for kind in ("message", "signal", "timer", "conditional"))


def check_gateways(outline: Outline, report: Report) -> None:
    """Report gateways whose flows contradict their kind or their direction."""
    for gateway in (node for node in outline.nodes if bpmn_name(node) in GATEWAYS):
        ways_in, ways_out = len(outline.flows_in(gateway)), len(outline.flows_out(gateway))
        if bpmn_name(gateway) == "eventBasedGateway":
            _check_event_based(outline, report, gateway)
        elif ways_in < 2 and ways_out < 2:
            report.formal(
                "gateway-without-choice",
                gateway,
                f"The {label(gateway)} has {ways_in} ways in and {ways_out} out, but needs several on one side:"
                " add a flow, or remove the gateway.",
            )
        if bpmn_name(gateway) == "exclusiveGateway":
            _check_choice(outline, report, gateway)
        _check_direction(report, gateway, ways_in, ways_out)


def _check_choice(outline: Outline, report: Report, gateway: etree._Element) -> None:
    """Behind the first flow without a condition no other is ever taken (BPMN 2.0, 13.4.2)."""
    default = outline.local(gateway, gateway.get("default", "").strip())
    flows = [flow for flow in outline.flows_out(gateway) if flow.get("id") != default or default is None]
    always = next((flow for flow in flows if not _has_condition(flow)), None)
    if always is None or always is flows[-1]:
        return
    never = flows[flows.index(always) + 1 :]
    shown = ", ".join(label(flow) for flow in never[:5]) + (f" and {len(never) - 5} more" if len(never) > 5 else "")
    report.warning(
        "choice-without-condition",
        gateway,
        f"The {label(gateway)} always takes {label(always)}, since that has no condition, and never {shown}: click on"
        " each flow and give it a condition, or make the one for all other cases the default flow.",
    )


def _has_condition(flow: etree._Element) -> bool:
    condition = child(flow, "conditionExpression")
    return condition is not None and bool(all_text(condition) or set(condition.attrib) - {XSI_TYPE})


def _check_direction(report: Report, gateway: etree._Element, ways_in: int, ways_out: int) -> None:
    direction = gateway.get("gatewayDirection", "Unspecified")
    wrong = {
        "Converging": ways_out > 1,
        "Diverging": ways_in > 1,
        "Mixed": ways_in < 2 or ways_out < 2,
    }.get(direction, False)
    if wrong:
        report.formal(
            "gateway-direction",
            gateway,
            f"The {label(gateway)} is said to be {direction}, but has {ways_in} ways in and {ways_out} out: correct"
            " gatewayDirection or the flows.",
        )


def _check_event_based(outline: Outline, report: Report, gateway: etree._Element) -> None:
    flows = outline.flows_out(gateway)
    if len(flows) < 2:
        report.formal(
            "event-gateway-choice",
            gateway,
            f"The {label(gateway)} has {len(flows)} ways out, but chooses between two or more events: add one.",
        )
    if is_true(gateway, "instantiate") and outline.flows_in(gateway):
        report.error(
            "instantiating-node-flow",
            gateway,
            f"The {label(gateway)} starts the process, so no flow may enter it: remove the flow or instantiate.",
        )
    if gateway.get("eventGatewayType") == "Parallel" and not is_true(gateway, "instantiate"):
        report.error(
            "parallel-event-gateway",
            gateway,
            f'The {label(gateway)} is Parallel, which only one that starts the process may be: set instantiate="true"'
            " or make it Exclusive.",
        )
    targets = [target for flow in flows if (target := outline.by_id.get(flow.get("targetRef", ""))) is not None]
    for target in targets:
        _check_target(outline, report, gateway, target)
    receives = [target for target in targets if bpmn_name(target) == "receiveTask"]
    messages = [target for target in targets if "messageEventDefinition" in outline.kinds(target)]
    if receives and messages:
        report.error(
            "event-gateway-mixture",
            gateway,
            f"The {label(gateway)} waits both at {label(receives[0])} and at {label(messages[0])}: use either receive"
            " tasks or message events.",
        )


def _check_target(outline: Outline, report: Report, gateway: etree._Element, target: etree._Element) -> None:
    tag = bpmn_name(target)
    allowed = tag == "receiveTask" or (
        tag == "intermediateCatchEvent" and outline.kinds(target) <= _AFTER_EVENT_GATEWAY
    )
    if not allowed:
        report.error(
            "event-gateway-target",
            target,
            f"The {label(target)} follows {label(gateway)}, where only receive tasks and message, signal, timer and"
            " conditional catch events may: put one between.",
        )
    if len(outline.flows_in(target)) > 1:
        report.error(
            "event-gateway-target-flow",
            target,
            f"The {label(target)} waits for {label(gateway)}, so no other flow may enter it: remove the others.",
        )
    if tag == "receiveTask" and outline.boundary_events.get(target.get("id", "")):
        report.error(
            "event-gateway-target-boundary",
            target,
            f"The {label(target)} follows {label(gateway)}, so it must not have boundary events: use a catch event.",
        )
