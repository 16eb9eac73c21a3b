"""The words of BPMN's XML: its namespaces, the names of its elements, and how to look into one."""

from __future__ import annotations

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

TASKS = frozenset("task sendTask receiveTask serviceTask userTask manualTask scriptTask businessRuleTask".split())
SUB_PROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
ACTIVITIES = TASKS | SUB_PROCESSES | {"callActivity"}
GATEWAYS = frozenset("exclusiveGateway inclusiveGateway parallelGateway complexGateway eventBasedGateway".split())
CATCH_EVENTS = frozenset({"startEvent", "intermediateCatchEvent", "boundaryEvent"})
THROW_EVENTS = frozenset({"intermediateThrowEvent", "endEvent"})
EVENTS = CATCH_EVENTS | THROW_EVENTS
FLOW_NODES = ACTIVITIES | GATEWAYS | EVENTS
EVENT_DEFINITIONS = frozenset(
    "messageEventDefinition timerEventDefinition escalationEventDefinition conditionalEventDefinition "
    "linkEventDefinition errorEventDefinition cancelEventDefinition compensateEventDefinition "
    "signalEventDefinition terminateEventDefinition".split()
)

_PREFIX = f"{{{BPMN}}}"
_LONGEST_NAME = 80


def qualified(name: str) -> str:
    """A name of BPMN with its namespace, as lxml writes tags."""
    return _PREFIX + name


def bpmn_name(element: etree._Element) -> str:
    """The tag of a BPMN element without its namespace; empty for comments and other vendors' elements."""
    tag = element.tag
    return tag[len(_PREFIX) :] if isinstance(tag, str) and tag.startswith(_PREFIX) else ""


def local_name(element: etree._Element) -> str:
    """The tag of anybody's element without its namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of this BPMN name."""
    return element.find(_PREFIX + name)


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """All children of this BPMN name."""
    return element.findall(_PREFIX + name)


def referred(element: etree._Element, attribute: str) -> str | None:
    """A QName attribute without its prefix."""
    value = element.get(attribute)
    return value.strip().rpartition(":")[2] if value and value.strip() else None


def is_true(element: etree._Element, attribute: str, *, default: bool = False) -> bool:
    """A boolean attribute, as XML Schema spells one."""
    value = element.get(attribute)
    return default if value is None else value.strip() in ("true", "1")


def own_text(element: etree._Element) -> str:
    """The element's text without that of its children, comments left out, trimmed."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def all_text(element: etree._Element) -> str:
    """The element's text with that of its children, trimmed."""
    return "".join(element.itertext()).strip()


def label(element: etree._Element) -> str:
    """How a finding calls an element: by its drawn name with the id behind, ``userTask 'Approve order' (approve)``."""
    element_id, name = element.get("id"), " ".join(element.get("name", "").split())
    if not name:
        return f"{local_name(element)} {element_id!r}" if element_id else f"{local_name(element)} without id"
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    return f"{local_name(element)} {shown!r}" + (f" ({element_id})" if element_id and element_id != name else "")
