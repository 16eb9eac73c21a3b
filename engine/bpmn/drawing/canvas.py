"""What a diagram is drawn with: SVG 1.1 elements, texts in lines that fit, small signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lxml import etree

from .boxes import Point, text_size

SVG = "http://www.w3.org/2000/svg"
MARGIN, LINE_HEIGHT, LEGEND_HEIGHT = 20.0, 14.0, 34.0
INK = "#22242a"

Bounds = tuple[float, float, float, float]


class Paint(NamedTuple):
    """How an element is painted; ``word`` tells what that means, to who cannot see it too."""

    fill: str = "#ffffff"
    stroke: str = INK
    word: str = ""


class Canvas:
    """The picture so far, as large as what is on it."""

    def __init__(self) -> None:
        self.root = etree.Element(f"{{{SVG}}}svg", nsmap={None: SVG})
        self.root.set("role", "img")
        self.add(self.root, "rect", fill="#ffffff", width="100%", height="100%")
        self.width = 2 * MARGIN
        self.height = 0.0

    def add(self, parent: etree._Element, tag: str, **attributes: str | float) -> etree._Element:
        """A new element; ``_`` in an attribute's name stands for ``-``."""
        element = etree.SubElement(parent, f"{{{SVG}}}{tag}")
        for name, value in attributes.items():
            element.set(name.replace("_", "-"), value if isinstance(value, str) else number(value))
        return element

    def rectangle(self, parent: etree._Element, bounds: Bounds, *, rx: float = 0.0, **attributes: str) -> None:
        """A rectangle with round corners."""
        x, y, width, height = bounds
        self.add(parent, "rect", x=x, y=y, width=width, height=height, rx=rx, **attributes)

    def text(
        self,
        parent: etree._Element,
        text: str | None,
        place: Bounds,
        *,
        anchor: str = "middle",
        top: bool = False,
        turned: bool = False,
        colour: str = INK,
    ) -> None:
        """Lines of text in the middle of a place, or from its upper edge down."""
        x, y, width, height = place
        # Outside there is room for a line more than who laid it out thought.
        most = 1 if turned else int(max(1, height // LINE_HEIGHT)) + top
        lines = wrapped(text or "", height if turned else width, most=most)
        if not lines:
            return
        element = self.add(parent, "text", fill=colour, stroke="none", text_anchor=anchor)
        centre = x if anchor == "start" else x + width / 2
        first = y + 11 if top else y + (height - LINE_HEIGHT * len(lines)) / 2 + 11
        if turned:
            element.set("transform", f"rotate(-90 {number(centre)} {number(y + height / 2)})")
            first = y + height / 2 + 4
        for place_of_line, line in enumerate(lines):
            self.add(element, "tspan", x=centre, y=first + LINE_HEIGHT * place_of_line).text = line

    def glyph(self, parent: etree._Element, glyph: str, place: Point, size: float, fill: str, width: float) -> None:
        """A small sign, its lines ``width`` thick; none where there is no room at all."""
        if size <= 0:
            return
        scale = size / 24
        transform = f"translate({number(place[0])},{number(place[1])}) scale({scale:.3f})"
        self.add(parent, "path", d=glyph, fill=fill, transform=transform, stroke_width=width / scale)

    def note(self, parent: etree._Element, note: str, x: float, y: float, paint: Paint) -> None:
        """A word on the upper right corner of a node."""
        wide = text_size(note, 1000)[0] + 10
        place = (x - wide + 6, y - 9, wide, 17.0)
        self.rectangle(parent, place, rx=8.5, fill=paint.stroke)
        self.text(parent, note, place, colour="#ffffff")

    def finished(self, legend: Sequence[Paint]) -> str:
        """The whole as text, with a line that explains its colours."""
        x = MARGIN
        # Its class lets whoever shows the picture say the words in another language.
        words = self.add(self.root, "g", **{"class": "legend"}) if legend else self.root
        for paint in legend:
            self.rectangle(words, (x, self.height, 14, 14), fill=paint.fill, stroke=paint.stroke)
            self.text(words, paint.word, (x + 20, self.height, 200, 14), anchor="start")
            x += 40 + text_size(paint.word, 1000)[0]
        self.width = max(self.width, x)
        self.height += LEGEND_HEIGHT if legend else 0
        self.root.set("width", number(self.width))
        self.root.set("height", number(self.height))
        self.root.set("viewBox", f"0 0 {number(self.width)} {number(self.height)}")
        self.root.set("font-family", "Helvetica, Arial, sans-serif")
        self.root.set("font-size", "12")
        return etree.tostring(self.root, encoding="unicode")


def number(value: float) -> str:
    """A coordinate to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def path(points: Sequence[Point], *, closed: bool = False) -> str:
    """The data of a path along straight lines."""
    return "M" + " L".join(f"{number(x)},{number(y)}" for x, y in points) + (" Z" if closed else "")


def wrapped(text: str, width: float, *, most: int) -> list[str]:
    """The text in lines that fit; what is over is cut with an ellipsis, and a long word anywhere."""
    lines: list[str] = []
    for word in text[:400].split():
        if lines and text_size(f"{lines[-1]} {word}", 1e6)[0] <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for sign in word:
            if lines[-1] and text_size(lines[-1] + sign, 1e6)[0] > width:
                lines.append("")
            lines[-1] += sign
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    return lines
