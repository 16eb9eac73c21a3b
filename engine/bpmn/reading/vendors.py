"""The XML namespaces of the modelers, and how to look into an element for what they add to BPMN."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
FLOWABLE = "http://flowable.org/bpmn"
ACTIVITI = "http://activiti.org/bpmn"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"

PREFIXES = {CAMUNDA: "camunda", ZEEBE: "zeebe", FLOWABLE: "flowable", ACTIVITI: "activiti", SPIFF: "spiffworkflow"}
"""The usual prefix of each vendor's namespace."""
JAVA = (ACTIVITI, FLOWABLE, CAMUNDA)
"""The engines that share one vocabulary, having grown out of one code base."""

EXTENSIONS = f"{{{BPMN}}}extensionElements"

Language = Literal["juel", "feel"]


class ExpressionText(NamedTuple):
    """An expression as written, not yet compiled; a FEEL text may still start with its ``=``."""

    text: str
    language: Language


def attribute(element: etree._Element, name: str, vendors: Sequence[str] = JAVA) -> tuple[str, str] | None:
    """The first non-empty attribute of this name in one of the vendors' namespaces, with that namespace."""
    for vendor in vendors:
        found = element.get(f"{{{vendor}}}{name}")
        if found is not None and found.strip():
            return found.strip(), vendor
    return None


def attribute_value(element: etree._Element, name: str, vendors: Sequence[str] = JAVA) -> str | None:
    """As :func:`attribute`, without the namespace."""
    found = attribute(element, name, vendors)
    return found[0] if found else None


def local_name(element: etree._Element) -> str:
    """The tag without its namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def extensions(element: etree._Element, name: str, vendors: Sequence[str] = JAVA) -> Iterator[etree._Element]:
    """The children of ``extensionElements`` with this name in one of the vendors' namespaces, in document order."""
    tags = _tags(name, tuple(vendors))
    for holder in element.iterchildren(EXTENSIONS):
        for child in holder:
            if child.tag in tags:
                yield child


@cache
def _tags(name: str, vendors: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f"{{{vendor}}}{name}" for vendor in vendors)


def own_text(element: etree._Element) -> str:
    """The element's text without that of its children, comments left out, trimmed."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


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
    return read_expression(sequence_flow.find(f"{{{BPMN}}}conditionExpression"))
