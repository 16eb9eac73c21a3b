"""Where a token can get to, and whether it gets out again."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import bpmn_name, is_true, label
from .outline import Outline


def check_reachability(outline: Outline, report: Report) -> None:
    """Warn of nodes that no token reaches, and of loops that no token leaves."""
    for scope, nodes in outline.nodes_by_scope.items():
        if bpmn_name(scope) == "adHocSubProcess":
            continue
        following = {node: _following(outline, node) for node in nodes}
        starts = [
            node for node in nodes if starts_itself(outline, node) and bpmn_name(node) != "intermediateCatchEvent"
        ]
        implicit = [node for node in nodes if not outline.flows_in(node) and not stands_alone(outline, node)]
        reached = _closure(starts or implicit, following)
        for node in nodes:
            # A node without a way in has been named already, and what follows from it would only repeat that.
            if node not in reached and outline.flows_in(node) and not stands_alone(outline, node):
                report.warning(
                    "unreachable", node, f"No way leads from a start to {label(node)}: join it or remove it."
                )
        _check_exits(outline, report, nodes, following, reached)


def _following(outline: Outline, node: etree._Element) -> list[etree._Element]:
    targets = [outline.by_id.get(flow.get("targetRef", "")) for flow in outline.flows_out(node)]
    found = [target for target in targets if target is not None]
    found.extend(outline.boundary_events.get(node.get("id", ""), ()))
    for definition in outline.definitions(node) if bpmn_name(node) == "intermediateThrowEvent" else ():
        found.extend(outline.link_targets(definition))
    return found


def _check_exits(
    outline: Outline,
    report: Report,
    nodes: list[etree._Element],
    following: dict[etree._Element, list[etree._Element]],
    reached: set[etree._Element],
) -> None:
    preceding: dict[etree._Element, list[etree._Element]] = {node: [] for node in nodes}
    for node, targets in following.items():
        for target in targets:
            preceding.setdefault(target, []).append(node)
    ways_out = _closure([node for node in nodes if not following[node]], preceding)
    for node in nodes:
        if node in reached and node not in ways_out:
            report.warning(
                "loop-without-exit",
                node,
                f"From {label(node)} on, the process goes round for ever: add a way to an end event.",
            )
            return


def _closure(first: list[etree._Element], following: dict[etree._Element, list[etree._Element]]) -> set[etree._Element]:
    found, waiting = set(first), list(first)
    while waiting:
        for target in following.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def stands_alone(outline: Outline, node: etree._Element) -> bool:
    return is_true(node, "triggeredByEvent") or is_true(node, "isForCompensation") or bpmn_name(node) == "boundaryEvent"


def starts_itself(outline: Outline, node: etree._Element) -> bool:
    if bpmn_name(node) == "startEvent" or instantiates(outline, node):
        return True
    return _is_link(outline, node, "intermediateCatchEvent")


def ends_itself(outline: Outline, node: etree._Element) -> bool:
    return bpmn_name(node) == "endEvent" or _is_link(outline, node, "intermediateThrowEvent")


def instantiates(outline: Outline, node: etree._Element) -> bool:
    return bpmn_name(node) in ("receiveTask", "eventBasedGateway") and is_true(node, "instantiate")


def _is_link(outline: Outline, node: etree._Element, tag: str) -> bool:
    return bpmn_name(node) == tag and "linkEventDefinition" in outline.kinds(node)
