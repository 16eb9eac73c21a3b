"""Where the nodes and flows of one process or sub-process are drawn: boxes and lines, not yet XML.

Columns are parted by gutters and rows by gaps in which no node stands; every line leaves its node into a gutter, runs
along one row, and enters the next node from a gutter. So a line may cross a line, but never a node.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from ..reading.words import SUB_PROCESSES, local_name
from .layers import Edge, Placing, place

GUTTER, GAP, MARGIN, LANE = 60.0, 30.0, 40.0, 20.0
EVENT, GATEWAY, LINE_HEIGHT = 36.0, 50.0, 14.0
TASK = (100.0, 80.0)
LABEL_WIDTH = 90.0
PITCH = 80.0
"""Between two boundary events on one border."""

Point = tuple[float, float]


@dataclass(slots=True)
class Box:
    """A shape with the bounds of its label, if that stands outside."""

    element: etree._Element
    x: float
    y: float
    width: float
    height: float
    label: tuple[float, float, float, float] | None = None

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(slots=True)
class Line:
    """An edge through its waypoints."""

    element: etree._Element
    points: list[Point]
    label: tuple[float, float, float, float] | None = None


@dataclass(slots=True)
class Drawing:
    """One scope drawn at the origin; ``inner`` holds the drawings of its sub-processes with their offsets."""

    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    inner: list[tuple[float, float, Drawing]] = field(default_factory=list)


@dataclass(slots=True)
class _Node:
    element: etree._Element
    width: float
    height: float
    label: tuple[float, float]
    """Width and height of the text below it; zero where the text is inside."""
    borders: list[etree._Element] = field(default_factory=list)

    @property
    def below(self) -> float:
        """The room that it needs under its middle."""
        border = EVENT / 2 + 3 * LINE_HEIGHT + 10 * len(self.borders) if self.borders else 0
        return self.height / 2 + max(self.label[1] + 4 if self.label[1] else 0, border)


@dataclass(slots=True)
class _Grid:
    """The coordinates of the columns and rows."""

    left: list[float]
    widths: list[float]
    middles: list[float]
    width: float
    height: float

    def leave(self, column: int) -> float:
        return self.left[column] + self.widths[column] + LANE

    def enter(self, column: int) -> float:
        return self.left[column] - LANE


def text_size(text: str, width: float) -> tuple[float, float]:
    """The width and height of a label that is wrapped at ``width``; wide signs count double."""
    if not text.strip():
        return 0.0, 0.0
    length = sum(12.0 if unicodedata.east_asian_width(sign) in "WF" else 6.5 for sign in text[:400])
    return min(length, width), LINE_HEIGHT * math.ceil(length / width)


def is_flow_node(name: str) -> bool:
    """Whether a tag's local name is that of a flow node other than a boundary event (BPMN 2.0, 8.3.13)."""
    if name == "boundaryEvent":
        return False
    return name.endswith(("Task", "Event", "Gateway")) or name in SUB_PROCESSES or name in ("task", "callActivity")


def draw(scope: etree._Element, drawn: Mapping[etree._Element, Drawing]) -> Drawing:
    """The drawing of a scope whose sub-processes are ``drawn`` already."""
    nodes: list[_Node] = []
    numbers: dict[str, int] = {}
    attached: list[etree._Element] = []
    flows: list[etree._Element] = []
    for child in scope.iterchildren("*"):
        name, identifier = local_name(child), child.get("id")
        if name in ("sequenceFlow", "association"):
            flows.append(child)
        elif identifier and name == "boundaryEvent":
            attached.append(child)
        elif identifier and is_flow_node(name):
            numbers[identifier] = len(nodes)
            nodes.append(_node(child, drawn.get(child)))
    borders: dict[str, tuple[int, int]] = {}
    for event in attached:
        host = numbers.get(plain(event.get("attachedToRef")))
        if host is not None:
            borders[event.get("id", "")] = (host, len(nodes[host].borders))
            nodes[host].borders.append(event)
    for node in nodes:
        node.width = max(node.width, 20 + PITCH * len(node.borders) if node.borders else 0)
    edges, elements = _edges(flows, numbers, borders)
    placing = place(len(nodes), edges)
    grid = _grid(nodes, placing, edges, elements)
    drawing = Drawing(width=grid.width, height=grid.height)
    boxes = [_box(node, placing, number, grid) for number, node in enumerate(nodes)]
    for node, box in zip(nodes, boxes, strict=True):
        drawing.boxes += [box, *_border_boxes(node, box)]
        if node.element in drawn:
            drawing.inner.append((box.x, box.y, drawn[node.element]))
    for number, element in enumerate(elements):
        border = borders.get(plain(element.get("sourceRef")), (0, 0))[1]
        drawing.lines.append(_line(element, number, edges[number], placing, boxes, grid, border))
    _add_notes(scope, drawing)
    return drawing


def plain(reference: str | None) -> str:
    """A reference without its prefix (BPMN 2.0, 15.3.2: references are QNames)."""
    return (reference or "").strip().rpartition(":")[2]


def _node(element: etree._Element, drawing: Drawing | None) -> _Node:
    name = local_name(element)
    if drawing is not None:
        return _Node(element, max(drawing.width, TASK[0]), max(drawing.height, TASK[1]), (0.0, 0.0))
    if name.endswith("Event"):
        return _Node(element, EVENT, EVENT, text_size(element.get("name", ""), LABEL_WIDTH))
    if name.endswith("Gateway"):
        return _Node(element, GATEWAY, GATEWAY, text_size(element.get("name", ""), LABEL_WIDTH))
    return _Node(element, *TASK, (0.0, 0.0))


def _edges(
    flows: list[etree._Element], numbers: Mapping[str, int], borders: Mapping[str, tuple[int, int]]
) -> tuple[list[Edge], list[etree._Element]]:
    """The edges that can be routed, with their elements; an association only from a border to its handler."""
    edges, elements = [], []
    for flow in flows:
        source, target = plain(flow.get("sourceRef")), plain(flow.get("targetRef"))
        if not flow.get("id") or target not in numbers:
            continue
        if source in borders:
            edges.append(Edge(borders[source][0], numbers[target], side=True))
        elif source in numbers and local_name(flow) == "sequenceFlow":
            edges.append(Edge(numbers[source], numbers[target]))
        else:
            continue
        elements.append(flow)
    return edges, elements


def _grid(nodes: list[_Node], placing: Placing, edges: list[Edge], elements: list[etree._Element]) -> _Grid:
    columns = max(placing.columns, default=-1) + 1
    widths, gutters = [0.0] * columns, [GUTTER] * columns
    above, below = [10.0] * placing.row_count, [10.0] * placing.row_count
    for node, column, row in zip(nodes, placing.columns, placing.rows, strict=True):
        widths[column] = max(widths[column], node.width, node.label[0])
        above[row] = max(above[row], node.height / 2)
        below[row] = max(below[row], node.below)
    for edge, element in zip(edges, elements, strict=True):
        wide, _ = text_size(element.get("name", ""), LABEL_WIDTH)
        gutters[placing.columns[edge.source]] = max(gutters[placing.columns[edge.source]], GUTTER + wide)
    left, x = [], MARGIN
    for width, gutter in zip(widths, gutters, strict=True):
        left.append(x)
        x += width + gutter
    middles, y = [], MARGIN
    for up, down in zip(above, below, strict=True):
        middles.append(y + up)
        y += up + down + GAP
    return _Grid(left, widths, middles, x - (GUTTER - MARGIN) if columns else 0.0, y - GAP + MARGIN if middles else 0.0)


def _box(node: _Node, placing: Placing, number: int, grid: _Grid) -> Box:
    column = placing.columns[number]
    x = grid.left[column] + (grid.widths[column] - node.width) / 2
    y = grid.middles[placing.rows[number]] - node.height / 2
    wide, high = node.label
    label = (x + (node.width - wide) / 2, y + node.height + 4, wide, high) if high else None
    return Box(node.element, x, y, node.width, node.height, label)


def _border_boxes(node: _Node, box: Box) -> list[Box]:
    found = []
    for position, event in enumerate(node.borders):
        x, y = box.x + 30 + PITCH * position - EVENT / 2, box.y + box.height - EVENT / 2
        wide, high = text_size(event.get("name", ""), PITCH - 24)
        label = (x + EVENT / 2 + 4, y + EVENT, wide, min(high, 3 * LINE_HEIGHT)) if high else None
        found.append(Box(event, x, y, EVENT, EVENT, label))
    return found


def _line(
    element: etree._Element, number: int, edge: Edge, placing: Placing, boxes: list[Box], grid: _Grid, border: int
) -> Line:
    source, target = boxes[edge.source], boxes[edge.target]
    along = grid.middles[placing.edge_rows[number]]
    leave, enter = grid.leave(placing.columns[edge.source]), grid.enter(placing.columns[edge.target])
    if edge.side:
        x, y = source.x + 30 + PITCH * border, source.y + source.height + EVENT / 2
        turn = y + 3 * LINE_HEIGHT + 10 * border
        points = [(x, y), (x, turn), (leave, turn)]
    else:
        points = [(source.x + source.width, source.middle), (leave, source.middle)]
    points += [(leave, along), (enter, along), (enter, target.middle), (target.x, target.middle)]
    wide, high = text_size(element.get("name", ""), LABEL_WIDTH)
    x = leave - wide - 4 if placing.backward[number] else leave + 4
    return Line(element, _straight(points), (x, along - high - 2, wide, high) if high else None)


def _straight(points: list[Point]) -> list[Point]:
    """The same line without points that repeat another or lie on the way between two."""
    kept: list[Point] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and any(kept[-2][axis] == kept[-1][axis] == point[axis] for axis in (0, 1)):
            kept.pop()
        kept.append(point)
    return kept


def _add_notes(scope: etree._Element, drawing: Drawing) -> None:
    """Data and text annotations, which no flow passes through, in a row under everything else."""
    sizes = {"dataObjectReference": (36.0, 50.0), "dataStoreReference": (50.0, 50.0), "textAnnotation": (100.0, 40.0)}
    x, y = MARGIN, max(drawing.height, MARGIN)
    for child in scope.iterchildren("*"):
        size = sizes.get(local_name(child))
        if size is None or not child.get("id"):
            continue
        wide, high = text_size(child.get("name", ""), LABEL_WIDTH)
        label = (x + (size[0] - wide) / 2, y + size[1] + 4, wide, high) if high else None
        drawing.boxes.append(Box(child, x, y, *size, label))
        x += 140.0
        drawing.width, drawing.height = max(drawing.width, x), max(drawing.height, y + size[1] + high + MARGIN)
