"""The generated BPMN model of an undo process, with its diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from .bpmn.layout import add_diagram
from .bpmn.vendors import BPMN, CAMUNDA


@dataclass(frozen=True, slots=True)
class UndoNode:
    """One task to undo; ``after`` are the ids of those that must be undone first."""

    task_id: int
    name: str
    stone: str
    after: tuple[int, ...]
    properties: Mapping[str, str]


def undo_model(key: str, name: str, kind: str, nodes: Sequence[UndoNode]) -> bytes:
    """BPMN 2.0 in which every node has one service task, joined and forked by parallel gateways as ``after`` says."""
    root = etree.Element(
        f"{{{BPMN}}}definitions",
        {"id": "definitions", "targetNamespace": "urn:riverstone:undo"},
        nsmap={None: BPMN, "camunda": CAMUNDA},
    )
    process = etree.SubElement(root, f"{{{BPMN}}}process", {"id": key, "name": name, "isExecutable": "true"})
    drawing = _Drawing(process)
    drawing.node("startEvent", "start", "")
    followers: dict[int, int] = {}
    for node in nodes:
        for before in node.after:
            followers[before] = followers.get(before, 0) + 1
    sources = [node for node in nodes if not node.after]
    sinks = [node for node in nodes if node.task_id not in followers]
    entry = drawing.gateway("fork", "start") if len(sources) > 1 else "start"
    leave: dict[int, str] = {}
    enter: dict[int, str] = {}
    for node in nodes:
        task = f"task_{node.task_id}"
        drawing.task(task, node)
        enter[node.task_id] = task
        if len(node.after) > 1:
            enter[node.task_id] = join = f"join_{node.task_id}"
            drawing.node("parallelGateway", join, "")
            drawing.flow(join, task)
        leave[node.task_id] = drawing.gateway(f"fork_{node.task_id}", task) if followers.get(node.task_id, 0) > 1 else task
    for node in nodes:
        for before in node.after or ():
            drawing.flow(leave[before], enter[node.task_id])
        if not node.after:
            drawing.flow(entry, enter[node.task_id])
    last = "start" if not nodes else "join" if len(sinks) > 1 else leave[sinks[0].task_id]
    if len(sinks) > 1:
        drawing.node("parallelGateway", "join", "")
        for node in sinks:
            drawing.flow(leave[node.task_id], "join")
    drawing.node("endEvent", "end", "")
    drawing.flow(last, "end")
    add_diagram(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


class _Drawing:
    def __init__(self, process: etree._Element) -> None:
        self.process = process
        self.flows = 0

    def node(self, kind: str, node_id: str, name: str) -> etree._Element:
        attributes = {"id": node_id, "name": name} if name else {"id": node_id}
        return etree.SubElement(self.process, f"{{{BPMN}}}{kind}", attributes)

    def gateway(self, node_id: str, source: str) -> str:
        self.node("parallelGateway", node_id, "")
        self.flow(source, node_id)
        return node_id

    def task(self, node_id: str, node: UndoNode) -> None:
        task = self.node("serviceTask", node_id, node.name)
        task.set(f"{{{CAMUNDA}}}type", "external")
        task.set(f"{{{CAMUNDA}}}topic", node.stone)
        extensions = etree.SubElement(task, f"{{{BPMN}}}extensionElements")
        properties = etree.SubElement(extensions, f"{{{CAMUNDA}}}properties")
        for name, value in node.properties.items():
            etree.SubElement(properties, f"{{{CAMUNDA}}}property", {"name": name, "value": value})

    def flow(self, source: str, target: str) -> None:
        self.flows += 1
        etree.SubElement(
            self.process,
            f"{{{BPMN}}}sequenceFlow",
            {"id": f"flow_{self.flows}", "sourceRef": source, "targetRef": target},
        )
