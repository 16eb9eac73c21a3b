"""How the nodes of a diagram look (BPMN 2.0, 7.3 and the figures of chapter 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from ..reading.words import SUB_PROCESSES, child, local_name, own_text
from .boxes import is_flow_node
from .canvas import LINE_HEIGHT, Bounds, Canvas, Paint, number, path
from .glyphs import EVENT_GLYPHS, GATEWAY_GLYPHS, TASK_GLYPHS

CONTAINERS = SUB_PROCESSES | {"participant", "lane", "group"}


class Shape(NamedTuple):
    """A node, a pool, or something beside the flow, and where it stands."""

    element: etree._Element
    bounds: Bounds
    label: Bounds | None
    expanded: bool


def draw_shape(canvas: Canvas, parent: etree._Element, shape: Shape, paint: Paint, note: str | None) -> None:
    """Draw one, with its name and what its colour means as its title."""
    element, name = shape.element, local_name(shape.element)
    identifier = element.get("id", "")
    group = canvas.add(parent, "g", fill=paint.fill, stroke=paint.stroke, stroke_width="1.5")
    group.set("data-element-id", identifier)
    title = element.get("name") or identifier
    canvas.add(group, "title").text = f"{title}: {paint.word}" if paint.word else title
    x, y, width, height = shape.bounds
    if name.endswith("Event"):
        _event(canvas, group, shape, paint)
    elif name.endswith("Gateway"):
        _gateway(canvas, group, shape)
    elif is_flow_node(name) or name == "group":
        _activity(canvas, group, shape)
    elif name in ("participant", "lane"):
        canvas.rectangle(group, shape.bounds, fill_opacity="0.4")
        canvas.text(group, element.get("name"), (x, y, 30, height), turned=True)
    elif name == "textAnnotation":
        bracket = [(x + 10, y), (x, y), (x, y + height), (x + 10, y + height)]
        canvas.add(group, "path", fill="none", d=path(bracket))
        text = child(element, "text")
        canvas.text(group, None if text is None else own_text(text), shape.bounds)
    else:
        _data(canvas, group, shape)
    if note:
        canvas.note(group, note, x + width, y, paint)


def _event(canvas: Canvas, group: etree._Element, shape: Shape, paint: Paint) -> None:
    element, name = shape.element, local_name(shape.element)
    x, y, width, height = shape.bounds
    cx, cy, radius = x + width / 2, y + height / 2, min(width, height) / 2
    goes_on = element.get("cancelActivity") == "false" or element.get("isInterrupting") == "false"
    dashes, thick = "5 3" if goes_on else "none", "4" if name == "endEvent" else "1.5"
    canvas.add(group, "circle", cx=cx, cy=cy, r=radius, stroke_dasharray=dashes, stroke_width=thick)
    if name.startswith(("intermediate", "boundary")):
        canvas.add(group, "circle", cx=cx, cy=cy, r=radius - 3, stroke_dasharray=dashes)
    throws = name in ("endEvent", "intermediateThrowEvent")
    glyphs = [EVENT_GLYPHS[local_name(child)] for child in element if local_name(child) in EVENT_GLYPHS]
    for glyph in glyphs[:1]:
        # What is thrown is filled, its lines left out of that.
        inside = canvas.add(group, "g", stroke=paint.fill) if throws else group
        canvas.glyph(inside, glyph, (cx - 9, cy - 9), 18, paint.stroke if throws else "none", 1.5)
    _name_below(canvas, group, shape)


def _gateway(canvas: Canvas, group: etree._Element, shape: Shape) -> None:
    x, y, width, height = shape.bounds
    corners = [(x + width / 2, y), (x + width, y + height / 2), (x + width / 2, y + height), (x, y + height / 2)]
    canvas.add(group, "path", d=path(corners, closed=True))
    glyph = GATEWAY_GLYPHS.get(local_name(shape.element))
    if glyph is not None:
        size = min(width, height) * 0.44
        canvas.glyph(group, glyph, (x + (width - size) / 2, y + (height - size) / 2), size, "none", 3)
    _name_below(canvas, group, shape)


def _activity(canvas: Canvas, group: etree._Element, shape: Shape) -> None:
    element, name = shape.element, local_name(shape.element)
    x, y, width, height = shape.bounds
    open_inside = name in CONTAINERS and shape.expanded
    if name == "callActivity":
        canvas.rectangle(group, shape.bounds, rx=10, stroke_width="4")
    elif element.get("triggeredByEvent") == "true" or name == "group":
        canvas.rectangle(group, shape.bounds, rx=10, stroke_dasharray="2 4", fill_opacity="0.4")
    else:
        canvas.rectangle(group, shape.bounds, rx=10, fill_opacity="0.4" if open_inside else "1")
    if name == "transaction":
        canvas.rectangle(group, (x + 3, y + 3, width - 6, height - 6), rx=8, fill="none")
    if name in TASK_GLYPHS:
        canvas.glyph(group, TASK_GLYPHS[name], (x + 6, y + 6), 15, "none", 1)
    markers = [TASK_GLYPHS[marker] for marker in _markers(shape)]
    for place, marker in enumerate(markers):
        left = x + width / 2 - 9 * len(markers) + 18 * place
        canvas.glyph(group, marker, (left + 2, y + height - 17), 14, "none", 1.5)
    if open_inside:
        canvas.text(group, element.get("name"), (x, y + 4, width, LINE_HEIGHT))
    else:
        text = element.get("name") or element.get("id")
        canvas.text(group, text, (x + 5, y + 5, width - 10, height - 10))


def _data(canvas: Canvas, group: etree._Element, shape: Shape) -> None:
    x, y, width, height = shape.bounds
    if local_name(shape.element) == "dataStoreReference":
        half, wide, high = number(width / 2), number(width), number(height - 16)
        lid = f"a{half},8 0 0 0 {wide},0 a{half},8 0 0 0 -{wide},0"
        body = f"v{high} a{half},8 0 0 0 {wide},0 v-{high}"
        canvas.add(group, "path", d=f"M{number(x)},{number(y + 8)} {lid} {body}")
    else:
        right, bottom, fold = x + width, y + height, min(12.0, width / 3)
        sheet = [(x, y), (right - fold, y), (right, y + fold), (right, bottom), (x, bottom)]
        canvas.add(group, "path", d=path(sheet, closed=True))
    _name_below(canvas, group, shape)


def _name_below(canvas: Canvas, group: etree._Element, shape: Shape) -> None:
    """The name of a node whose inside has no room for it."""
    x, y, width, height = shape.bounds
    left, top, wide, high = shape.label or (x + width / 2 - 45, y + height + 4, 90, LINE_HEIGHT)
    canvas.text(group, shape.element.get("name"), (left, top, max(wide, 30), high), top=True)


def _markers(shape: Shape) -> Iterator[str]:
    """What the bottom of an activity tells (BPMN 2.0, table 10.3 and figure 10.9)."""
    element = shape.element
    repeated = child(element, "multiInstanceLoopCharacteristics")
    if child(element, "standardLoopCharacteristics") is not None:
        yield "loop"
    if repeated is not None:
        yield "sequential" if repeated.get("isSequential") == "true" else "parallel"
    if element.get("isForCompensation") == "true":
        yield "compensation"
    if local_name(element) in CONTAINERS and not shape.expanded:
        yield "collapsed"
    if local_name(element) == "adHocSubProcess":
        yield "adHoc"
