"""The generated BPMN model of an undo process, with its diagram."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from ..bpmn.drawing.layout import add_diagram
from ..bpmn.reading.vendors import CAMUNDA
from ..bpmn.reading.words import BPMN, qualified
from .handlers import HANDLER_OF

# What XML 1.0 (2.2) cannot hold; names and codes may come from anywhere.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class UndoNode(NamedTuple):
    """One task to undo; ``after`` are the ids of those that must be undone first."""

    task_id: int
    name: str
    stone: str
    after: tuple[int, ...]
    called: bool = False
    """Whether a handler of several steps takes it back, which is called like a process."""


@dataclass(slots=True)
class _Drawing:
    process: etree._Element
    flows: int = 0
    leave: dict[int, str] = field(default_factory=dict)
    """By task: the element from which its successors go on."""

    def node(self, kind: str, node_id: str, name: str = "") -> etree._Element:
        element = etree.SubElement(self.process, f"{{{BPMN}}}{kind}", {"id": node_id})
        if name:
            element.set("name", _clean(name))
        return element

    def gateway(self, node_id: str) -> str:
        self.node("parallelGateway", node_id)
        return node_id

    def task(self, node: UndoNode) -> str:
        if node.called:
            call = self.node("callActivity", f"task_{node.task_id}", node.name)
            call.set("calledElement", f"{HANDLER_OF}{node.task_id}")
            return f"task_{node.task_id}"
        task = self.node("serviceTask", f"task_{node.task_id}", node.name)
        task.set(f"{{{CAMUNDA}}}type", "external")
        task.set(f"{{{CAMUNDA}}}topic", _clean(node.stone).replace("${", "$ {").replace("#{", "# {"))
        extensions = etree.SubElement(task, qualified("extensionElements"))
        properties = etree.SubElement(extensions, f"{{{CAMUNDA}}}properties")
        etree.SubElement(properties, f"{{{CAMUNDA}}}property", {"name": "target", "value": str(node.task_id)})
        return f"task_{node.task_id}"

    def flow(self, source: str, target: str) -> None:
        self.flows += 1
        attributes = {"id": f"flow_{self.flows}", "sourceRef": source, "targetRef": target}
        etree.SubElement(self.process, qualified("sequenceFlow"), attributes)

    def gather(self, node_id: str, sources: Sequence[str]) -> str:
        """Where the paths from these sources are one: the source itself, or a join."""
        if len(sources) == 1:
            return sources[0]
        join = self.gateway(node_id)
        for source in sources:
            self.flow(source, join)
        return join


def undo_model(key: str, name: str, nodes: Sequence[UndoNode]) -> bytes:
    """BPMN 2.0 in which every node has one service task, forked and joined by parallel gateways as ``after`` says.

    ``nodes`` come in an order in which each follows those in its ``after``.
    """
    root = etree.Element(
        qualified("definitions"),
        {"id": "definitions", "targetNamespace": "urn:riverstone:undo"},
        nsmap={None: BPMN, "camunda": CAMUNDA},
    )
    process = etree.SubElement(root, qualified("process"), {"id": key, "name": _clean(name), "isExecutable": "true"})
    drawing = _Drawing(process)
    drawing.node("startEvent", "start")
    if nodes:
        _draw_tasks(drawing, nodes)
    sinks = _sinks(nodes)
    last = drawing.gather("join", [drawing.leave[task_id] for task_id in sinks]) if nodes else "start"
    drawing.node("endEvent", "end")
    drawing.flow(last, "end")
    add_diagram(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _draw_tasks(drawing: _Drawing, nodes: Sequence[UndoNode]) -> None:
    """Tasks that wait for the same others share one join, else m after n would take m times n flows."""
    members: dict[tuple[int, ...], list[UndoNode]] = {}
    uses: dict[int, int] = {}
    for node in nodes:
        members.setdefault(node.after, []).append(node)
    for waited in members:
        for task_id in waited:
            uses[task_id] = uses.get(task_id, 0) + 1
    for node in nodes:
        drawing.leave[node.task_id] = drawing.task(node)
    # A task that several groups wait for is followed by a fork.
    for task_id, count in uses.items():
        single = members.get((task_id,), [])
        if count > 1 or len(single) > 1:
            fork = drawing.gateway(f"fork_{task_id}")
            drawing.flow(drawing.leave[task_id], fork)
            drawing.leave[task_id] = fork
    for waited, group in members.items():
        first = group[0].task_id
        source = drawing.gather(f"join_{first}", [drawing.leave[task_id] for task_id in waited]) if waited else "start"
        if len(group) > 1 and len(waited) != 1:
            fork = drawing.gateway(f"fork_to_{first}")
            drawing.flow(source, fork)
            source = fork
        for node in group:
            drawing.flow(source, f"task_{node.task_id}")


def _sinks(nodes: Sequence[UndoNode]) -> list[int]:
    waited = {task_id for node in nodes for task_id in node.after}
    return [node.task_id for node in nodes if node.task_id not in waited]


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
