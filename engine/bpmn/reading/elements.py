"""Words for XML elements of a BPMN file."""

from __future__ import annotations

from lxml import etree

from .vendors import BPMN

_PREFIX = f"{{{BPMN}}}"


def local(element: etree._Element) -> str:
    """The element's name without its namespace; empty for comments and other vendors' elements."""
    tag = element.tag
    return tag[len(_PREFIX) :] if isinstance(tag, str) and tag.startswith(_PREFIX) else ""


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of this BPMN name."""
    return element.find(f"{_PREFIX}{name}")


def referred(element: etree._Element, attribute: str) -> str | None:
    """A QName attribute without its prefix."""
    value = element.get(attribute)
    return value.strip().rpartition(":")[2] if value and value.strip() else None


def flag(element: etree._Element, attribute: str, default: bool = False) -> bool:
    """A boolean attribute, as XML Schema spells one."""
    value = element.get(attribute)
    return default if value is None else value.strip() in ("true", "1")


def name_of(element: etree._Element) -> str:
    """How a finding calls an element."""
    kind = local(element) or "element"
    return f"{kind} {element.get('id')!r}" if element.get("id") else kind
