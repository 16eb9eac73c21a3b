"""A diagram for a model that has none (BPMN 2.0, 12 BPMN Diagram Interchange)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lxml import etree

from ..reading.words import BPMNDI, DC, DI, SUB_PROCESSES, child, children, local_name, own_text, qualified
from .boxes import TASK, Box, Drawing, Line, Point, draw, plain

NAMESPACES = {"bpmndi": BPMNDI, "dc": DC, "di": DI}

POOL_BAND, POOL_GAP = 30.0, 60.0


def has_diagram(root: etree._Element) -> bool:
    """Whether at least one shape is drawn."""
    return next(root.iter(f"{{{BPMNDI}}}BPMNShape"), None) is not None


def add_diagram(root: etree._Element) -> None:
    """Add a ``BPMNDiagram`` to the definitions, in place; a model with any shape at all is left as it is.

    A collaboration gets one diagram with its pools, and each process outside them its own. Only elements with an id can
    be drawn. Lanes and groups are not. Time grows with the number of elements, not faster.
    """
    if has_diagram(root):
        return
    for empty in list(root.iterchildren(f"{{{BPMNDI}}}BPMNDiagram")):
        root.remove(empty)
    drawings = {
        process.get("id", ""): _draw_process(process) for process in children(root, "process") if process.get("id")
    }
    ids = _Ids(root)
    collaboration = child(root, "collaboration")
    pooled: set[str] = set()
    if collaboration is not None and collaboration.get("id"):
        pooled = {plain(one.get("processRef")) for one in children(collaboration, "participant")}
        _write(root, ids, collaboration, *_draw_pools(collaboration, drawings))
    for process in children(root, "process"):
        drawing = drawings.get(process.get("id", ""))
        if drawing is not None and process.get("id") not in pooled:
            boxes, lines = _flatten(drawing, 0.0, 0.0)
            _write(root, ids, process, boxes, lines + _loose_lines(process, boxes, lines))


class _Ids:
    """Ids that the document does not hold yet."""

    def __init__(self, root: etree._Element) -> None:
        self._taken = {element.get("id") for element in root.iter("*")}

    def fresh(self, wanted: str) -> str:
        found, number = wanted, 1
        while found in self._taken:
            number += 1
            found = f"{wanted}_{number}"
        self._taken.add(found)
        return found


def _draw_process(process: etree._Element) -> Drawing:
    """The drawing of a process, its sub-processes drawn first from the innermost outward."""
    tags = [qualified(name) for name in sorted(SUB_PROCESSES)]
    drawn: dict[etree._Element, Drawing] = {}
    for scope in reversed(list(process.iter(*tags))):
        if scope is not process:
            drawn[scope] = draw(scope, drawn)
    return draw(process, drawn)


def _flatten(drawing: Drawing, x: float, y: float) -> tuple[list[Box], list[Line]]:
    """All boxes and lines of a drawing moved to their place, outer before inner."""
    boxes: list[Box] = []
    lines: list[Line] = []
    waiting = [(x, y, drawing)]
    while waiting:
        dx, dy, found = waiting.pop()
        for box in found.boxes:
            boxes.append(Box(box.element, box.x + dx, box.y + dy, box.width, box.height, _moved(box.label, dx, dy)))
        for line in found.lines:
            points = [(px + dx, py + dy) for px, py in line.points]
            lines.append(Line(line.element, points, _moved(line.label, dx, dy)))
        waiting.extend((dx + ix, dy + iy, inner) for ix, iy, inner in found.inner)
    return boxes, lines


def _moved(
    label: tuple[float, float, float, float] | None, dx: float, dy: float
) -> tuple[float, float, float, float] | None:
    return (label[0] + dx, label[1] + dy, label[2], label[3]) if label else None


def _draw_pools(collaboration: etree._Element, drawings: Mapping[str, Drawing]) -> tuple[list[Box], list[Line]]:
    """Pools of one width under each other, with what is inside and the messages between them."""
    participants = [one for one in children(collaboration, "participant") if one.get("id")]
    nothing = Drawing(width=4 * TASK[0], height=TASK[1])
    inside = [drawings.get(plain(one.get("processRef")), nothing) for one in participants]
    width = max((drawing.width for drawing in inside), default=0.0) + POOL_BAND
    boxes: list[Box] = []
    lines: list[Line] = []
    y = 0.0
    for participant, drawing in zip(participants, inside, strict=True):
        height = max(drawing.height, TASK[1])
        boxes.append(Box(participant, 0.0, y, width, height))
        more_boxes, more_lines = _flatten(drawing, POOL_BAND, y)
        boxes += more_boxes
        lines += more_lines
        y += height + POOL_GAP
    parent = collaboration.getparent()
    return boxes, lines + _loose_lines(collaboration if parent is None else parent, boxes, lines)


def _loose_lines(scope: etree._Element, boxes: Sequence[Box], lines: Sequence[Line]) -> list[Line]:
    """Message flows and associations, drawn straight from border to border."""
    place = {box.element.get("id", ""): box for box in boxes}
    done = {line.element for line in lines}
    names = ("messageFlow", "association", "dataInputAssociation", "dataOutputAssociation")
    found = []
    for element in scope.iter(*(qualified(name) for name in names)):
        if not element.get("id") or element in done:
            continue
        owner = element.getparent()
        known = owner.get("id", "") if owner is not None and local_name(element).startswith("data") else ""
        source, target = (place.get(end or known) for end in (_end(element, "sourceRef"), _end(element, "targetRef")))
        if local_name(element) == "dataInputAssociation":
            target = place.get(known)
        elif local_name(element) == "dataOutputAssociation":
            source = place.get(known)
        if source is not None and target is not None:
            found.append(Line(element, _between(source, target)))
    return found


def _end(element: etree._Element, name: str) -> str:
    part = child(element, name)
    return plain(element.get(name) or (own_text(part) if part is not None else ""))


def _between(source: Box, target: Box) -> list[Point]:
    start, end = source.x + source.width / 2, target.x + target.width / 2
    if source.y + source.height <= target.y:
        return [(start, source.y + source.height), (end, target.y)]
    if target.y + target.height <= source.y:
        return [(start, source.y), (end, target.y + target.height)]
    return [(start, source.middle), (end, target.middle)]


def _write(
    root: etree._Element, ids: _Ids, plane_of: etree._Element, boxes: Sequence[Box], lines: Sequence[Line]
) -> None:
    owner = plane_of.get("id", "")
    diagram = etree.Element(f"{{{BPMNDI}}}BPMNDiagram", {"id": ids.fresh(f"{owner}_diagram")}, nsmap=NAMESPACES)
    plane = etree.SubElement(
        diagram, f"{{{BPMNDI}}}BPMNPlane", {"id": ids.fresh(f"{owner}_plane"), "bpmnElement": owner}
    )
    for box in boxes:
        identifier = box.element.get("id", "")
        shape = etree.SubElement(
            plane, f"{{{BPMNDI}}}BPMNShape", {"id": ids.fresh(f"{identifier}_di"), "bpmnElement": identifier}
        )
        for name, value in _shape_attributes(local_name(box.element)):
            shape.set(name, value)
        _bounds(shape, box.x, box.y, box.width, box.height)
        _label(shape, box.label)
    for line in lines:
        identifier = line.element.get("id", "")
        edge = etree.SubElement(
            plane, f"{{{BPMNDI}}}BPMNEdge", {"id": ids.fresh(f"{identifier}_di"), "bpmnElement": identifier}
        )
        for x, y in line.points:
            etree.SubElement(edge, f"{{{DI}}}waypoint", {"x": _number(x), "y": _number(y)})
        _label(edge, line.label)
    _insert(root, diagram)


def _shape_attributes(name: str) -> Iterator[tuple[str, str]]:
    if name in SUB_PROCESSES:
        yield "isExpanded", "true"
    if name == "participant":
        yield "isHorizontal", "true"
    if name == "exclusiveGateway":
        yield "isMarkerVisible", "true"


def _label(parent: etree._Element, label: tuple[float, float, float, float] | None) -> None:
    if label is not None:
        _bounds(etree.SubElement(parent, f"{{{BPMNDI}}}BPMNLabel"), *label)


def _bounds(parent: etree._Element, x: float, y: float, width: float, height: float) -> None:
    values = {"x": x, "y": y, "width": width, "height": height}
    etree.SubElement(parent, f"{{{DC}}}Bounds", {name: _number(value) for name, value in values.items()})


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _insert(root: etree._Element, diagram: etree._Element) -> None:
    """Diagrams come after the root elements and before the relationships (BPMN 2.0, table 8.1 Definitions)."""
    relationship = child(root, "relationship")
    if relationship is not None:
        relationship.addprevious(diagram)
    else:
        root.append(diagram)
