"""The generated BPMN model of an undo process, with its diagram."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from ..bpmn.drawing.layout import add_diagram
from ..bpmn.reading.vendors import CAMUNDA
from ..bpmn.reading.words import BPMN, qualified
from .frozen import Bunch
from .nodes import HANDLER_OF

# What XML 1.0 (2.2) cannot hold; names and codes may come from anywhere.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class UndoNode(NamedTuple):
    """One task to undo, as it is drawn."""

    task_id: int
    name: str
    stone: str
    called: bool = False
    """Whether a handler of several steps undoes it, which is called like a process."""


@dataclass(slots=True)
class _Drawing:
    process: etree._Element
    flows: int = 0

    def node(self, kind: str, node_id: str, name: str = "") -> etree._Element:
        element = etree.SubElement(self.process, f"{{{BPMN}}}{kind}", {"id": node_id})
        if name:
            element.set("name", _clean(name))
        return element

    def task(self, node: UndoNode) -> None:
        if node.called:
            call = self.node("callActivity", f"task_{node.task_id}", node.name)
            call.set("calledElement", f"{HANDLER_OF}{node.task_id}")
            return
        task = self.node("serviceTask", f"task_{node.task_id}", node.name)
        task.set(f"{{{CAMUNDA}}}type", "external")
        task.set(f"{{{CAMUNDA}}}topic", _clean(node.stone).replace("${", "$ {").replace("#{", "# {"))
        extensions = etree.SubElement(task, qualified("extensionElements"))
        properties = etree.SubElement(extensions, f"{{{CAMUNDA}}}properties")
        etree.SubElement(properties, f"{{{CAMUNDA}}}property", {"name": "target", "value": str(node.task_id)})

    def flow(self, source: str, target: str) -> None:
        self.flows += 1
        attributes = {"id": f"flow_{self.flows}", "sourceRef": source, "targetRef": target}
        etree.SubElement(self.process, qualified("sequenceFlow"), attributes)

    def join(self, node_id: str, sources: Sequence[str]) -> str:
        """Where the paths from these sources are one: the source itself, or a gateway that waits for all of them."""
        if len(sources) == 1:
            return sources[0]
        self.node("parallelGateway", node_id)
        for source in sources:
            self.flow(source, node_id)
        return node_id

    def fork(self, node_id: str, source: str, targets: Sequence[str]) -> None:
        """Lead from the source to all targets."""
        if len(targets) > 1:
            self.node("parallelGateway", node_id)
            self.flow(source, node_id)
            source = node_id
        for target in targets:
            self.flow(source, target)


def undo_model(key: str, name: str, nodes: Sequence[UndoNode], groups: Sequence[Bunch]) -> bytes:
    """BPMN 2.0 in which every node has one task, forked and joined by parallel gateways as ``groups`` says.

    Each task of a group leads to the group's join, so there are no more flows than ids in ``groups``.
    """
    root = etree.Element(
        qualified("definitions"),
        {"id": "definitions", "targetNamespace": "urn:riverstone:undo"},
        nsmap={None: BPMN, "camunda": CAMUNDA},
    )
    process = etree.SubElement(root, qualified("process"), {"id": key, "name": _clean(name), "isExecutable": "true"})
    drawing = _Drawing(process)
    drawing.node("startEvent", "start")
    for node in nodes:
        drawing.task(node)
    drawing.node("endEvent", "end")
    _draw_flows(drawing, [node.task_id for node in nodes], groups)
    add_diagram(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _draw_flows(drawing: _Drawing, tasks: Sequence[int], groups: Sequence[Bunch]) -> None:
    leads: dict[str, list[str]] = {}
    """By element those that follow it directly, forks between them left out."""
    waits: dict[int, list[str]] = {}
    """By task the elements that it waits for."""
    last = dict.fromkeys(tasks)
    for group in groups:
        first = group.members[0]
        done = drawing.join(f"join_{first}", [f"task_{task_id}" for task_id in group.members])
        for task_id in group.members:
            del last[task_id]
        for task_id in group.then:
            waits.setdefault(task_id, []).append(done)
    for task_id in tasks:
        target, sources = f"task_{task_id}", waits.get(task_id, ["start"])
        if len(sources) > 1:
            drawing.node("parallelGateway", f"join_before_{task_id}")
            drawing.flow(f"join_before_{task_id}", target)
            target = f"join_before_{task_id}"
        for source in sources:
            leads.setdefault(source, []).append(target)
    for source, targets in leads.items():
        drawing.fork("fork" if source == "start" else f"fork_{source.rpartition('_')[2]}", source, targets)
    drawing.flow(drawing.join("join", [f"task_{task_id}" for task_id in last] or ["start"]), "end")


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
