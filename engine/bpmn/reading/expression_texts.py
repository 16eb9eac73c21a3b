"""Expressions as models write them, before they are compiled."""

from __future__ import annotations

from typing import Literal, NamedTuple

from lxml import etree

from .vendors import ZEEBE
from .words import child, own_text

Language = Literal["juel", "feel"]


class ExpressionText(NamedTuple):
    """An expression as written, not yet compiled; a FEEL text may still start with its ``=``."""

    text: str
    language: Language


def language_of(text: str, element: etree._Element | None = None) -> Language:
    """Which language an expression is written in: told by its first sign, then by the element's ``language``
    attribute, then by the modeler (a file with zeebe's namespace writes FEEL)."""
    start = text.lstrip()[:2]
    if start in ("${", "#{"):
        return "juel"
    if start[:1] == "=" and start != "==":
        return "feel"
    if element is not None:
        named = (element.get("language") or "").lower()
        if named:
            return "feel" if "feel" in named else "juel"
        if ZEEBE in element.nsmap.values():
            return "feel"
    return "juel"


def read_expression(element: etree._Element | None) -> ExpressionText | None:
    """The expression that an element holds as its text (BPMN 2.0, 8.3.6 Expressions); None if it is empty."""
    if element is None:
        return None
    text = own_text(element)
    return ExpressionText(text=text, language=language_of(text, element)) if text else None


def read_condition(sequence_flow: etree._Element) -> ExpressionText | None:
    """A sequence flow's condition (BPMN 2.0, 8.3.13); None for one that is always taken."""
    return read_expression(child(sequence_flow, "conditionExpression"))
