"""A model's diagram as SVG 1.1, its elements painted as asked (BPMN 2.0, 12)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from ...limits import Limits
from ..reading.words import BPMNDI, DC, DI, local_name
from ..reading.xml import read_xml
from .boxes import Point, plain
from .canvas import LINE_HEIGHT, MARGIN, Bounds, Canvas, Paint, number, path
from .layout import add_diagram
from .symbols import CONTAINERS, Shape, draw_shape

PLAIN = Paint()


class _Edge(NamedTuple):
    element: etree._Element
    points: list[Point]
    label: Bounds | None
    default: bool


def draw_svg(
    xml: str | bytes,
    *,
    paints: Mapping[str, Paint] | None = None,
    notes: Mapping[str, str] | None = None,
    legend: Sequence[Paint] = (),
) -> str:
    """The diagrams of a BPMN file under each other; a file without one is laid out first.

    ``paints`` and ``notes`` (a word on the element's corner) are by element id. Raises Malformed for what is no XML.
    """
    xml = _encoded(xml)
    # What can be shown is more than what can be deployed.
    limits = Limits(model_size=max(len(xml), Limits().model_size))
    root = read_xml(xml, limits=limits)
    add_diagram(root)
    elements = {element.get("id", ""): element for element in root.iter("*") if element.get("id")}
    defaults = {plain(node.get("default")) for node in elements.values() if node.get("default")}
    canvas = Canvas()
    for plane in root.iter(f"{{{BPMNDI}}}BPMNPlane"):
        shapes, edges = list(_shapes(plane, elements)), list(_edges(plane, elements, defaults))
        if shapes or edges:
            _draw(canvas, shapes, edges, paints or {}, notes or {})
    return canvas.finished(legend)


def _encoded(xml: str | bytes) -> bytes:
    """A text in UTF-8, without the declaration that may name another encoding (XML 1.0, 4.3.3)."""
    if isinstance(xml, bytes):
        return xml
    text = xml.lstrip()
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]
    return text.encode()


def _shapes(plane: etree._Element, elements: Mapping[str, etree._Element]) -> Iterator[Shape]:
    for shape in plane.iterchildren(f"{{{BPMNDI}}}BPMNShape"):
        element = elements.get(plain(shape.get("bpmnElement")))
        bounds = _bounds(shape)
        if element is not None and bounds is not None:
            yield Shape(element, bounds, _label(shape), shape.get("isExpanded") != "false")


def _edges(plane: etree._Element, elements: Mapping[str, etree._Element], defaults: Collection[str]) -> Iterator[_Edge]:
    for edge in plane.iterchildren(f"{{{BPMNDI}}}BPMNEdge"):
        element = elements.get(plain(edge.get("bpmnElement")))
        points = [(_real(point.get("x")), _real(point.get("y"))) for point in edge.iterchildren(f"{{{DI}}}waypoint")]
        if element is not None and len(points) > 1:
            yield _Edge(element, points, _label(edge), element.get("id") in defaults)


def _label(holder: etree._Element) -> Bounds | None:
    label = holder.find(f"{{{BPMNDI}}}BPMNLabel")
    return None if label is None else _bounds(label)


def _bounds(holder: etree._Element) -> Bounds | None:
    bounds = holder.find(f"{{{DC}}}Bounds")
    if bounds is None:
        return None
    return (_real(bounds.get("x")), _real(bounds.get("y")), _real(bounds.get("width")), _real(bounds.get("height")))


def _real(text: str | None) -> float:
    """A coordinate; what is none counts as zero, as does one that no screen could hold."""
    try:
        number = float(text or 0)
    except ValueError:
        return 0.0
    return number if abs(number) < 1e7 else 0.0


def _draw(
    canvas: Canvas,
    shapes: Sequence[Shape],
    edges: Sequence[_Edge],
    paints: Mapping[str, Paint],
    notes: Mapping[str, str],
) -> None:
    """Draw one diagram below what is there: containers first, then lines, then the nodes on top of them."""
    group = _group(canvas, shapes, edges)

    def shape(shape: Shape) -> None:
        identifier = shape.element.get("id", "")
        draw_shape(canvas, group, shape, paints.get(identifier, PLAIN), notes.get(identifier))

    for each in shapes:
        if local_name(each.element) in CONTAINERS:
            shape(each)
    for edge in edges:
        _draw_edge(canvas, group, edge, paints.get(edge.element.get("id", ""), PLAIN))
    # What sits on a border comes last.
    for on_border in (False, True):
        for each in shapes:
            name = local_name(each.element)
            if name not in CONTAINERS and (name == "boundaryEvent") == on_border:
                shape(each)


def _group(canvas: Canvas, shapes: Sequence[Shape], edges: Sequence[_Edge]) -> etree._Element:
    """Room for a diagram; the group in which its own coordinates count."""
    boxes = [shape.bounds for shape in shapes]
    boxes += [label for label in (*(each.label for each in shapes), *(each.label for each in edges)) if label]
    points = [point for edge in edges for point in edge.points]
    xs = [*(x for x, _ in points), *(end for x, _, width, _ in boxes for end in (x, x + width))]
    ys = [*(y for _, y in points), *(end for _, y, _, height in boxes for end in (y, y + height))]
    dx, dy = MARGIN - min(xs), canvas.height + MARGIN - min(ys)
    canvas.width = max(canvas.width, max(xs) + dx + MARGIN)
    canvas.height = max(ys) + dy + MARGIN
    return canvas.add(canvas.root, "g", transform=f"translate({number(dx)},{number(dy)})")


def _draw_edge(canvas: Canvas, parent: etree._Element, edge: _Edge, paint: Paint) -> None:
    element, name = edge.element, local_name(edge.element)
    title = element.get("name") or element.get("id", "")
    group = canvas.add(parent, "g", fill="none", stroke=paint.stroke, stroke_width="1.5")
    group.set("data-element-id", element.get("id", ""))
    if paint.word:
        canvas.add(group, "title").text = f"{title}: {paint.word}"
    dashes = {"messageFlow": "8 5", "sequenceFlow": "none"}.get(name, "2 4")
    width = "2.5" if paint is not PLAIN and name == "sequenceFlow" else "1.5"
    canvas.add(group, "path", d=path(edge.points), stroke_dasharray=dashes, stroke_width=width)
    if name in ("sequenceFlow", "messageFlow"):
        fill = paint.stroke if name == "sequenceFlow" else "#ffffff"
        canvas.add(group, "path", d=path(_arrow(*edge.points[-2:]), closed=True), fill=fill)
    if edge.default:
        canvas.add(group, "path", d=path(_slash(*edge.points[:2])))
    if edge.label is not None:
        x, y, wide, high = edge.label
        canvas.text(group, element.get("name"), (x, y, max(wide, 30), high), top=True)
    elif element.get("name"):
        x, y = edge.points[len(edge.points) // 2 - 1]
        canvas.text(group, element.get("name"), (x, y - 2 - LINE_HEIGHT, 90, LINE_HEIGHT), anchor="start")


def _arrow(start: Point, end: Point) -> list[Point]:
    (dx, dy), (x, y) = _direction(start, end), end
    back = (x - 10 * dx, y - 10 * dy)
    return [end, (back[0] - 4 * dy, back[1] + 4 * dx), (back[0] + 4 * dy, back[1] - 4 * dx)]


def _slash(start: Point, end: Point) -> list[Point]:
    (dx, dy), (x, y) = _direction(start, end), start
    x, y = x + 10 * dx, y + 10 * dy
    return [(x - 4 * dx - 5 * dy, y - 4 * dy + 5 * dx), (x + 4 * dx + 5 * dy, y + 4 * dy - 5 * dx)]


def _direction(start: Point, end: Point) -> Point:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    return dx / length, dy / length
