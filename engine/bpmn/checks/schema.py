"""The XML schema of BPMN 2.0 (OMG formal/2011-01-03, files of 2010-05-24)."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from lxml import etree
from SpiffWorkflow import bpmn

from ...findings import Finding, Report, nearest_id, shorten
from ..reading.words import EVENT_DEFINITIONS, FLOW_NODES, SUB_PROCESSES, bpmn_name, label, qualified

# Not by BpmnParser, which tells it too: to import that takes longer than to read many a model.
_XSD = Path(bpmn.__file__).with_name("parser") / "schema" / "BPMN20.xsd"
# One schema serves all threads, but it keeps the errors of its last validation in itself.
_validating = Lock()
_MOST = 100


def check_schema(root: etree._Element, report: Report) -> None:
    """Report every breach of the schema at its line, with the nearest element id."""
    tree = _readable(root)
    with _validating:
        schema = _schema()
        if schema.validate(tree):
            return
        entries = [(entry.path, entry.line, entry.message) for entry in list(schema.error_log)[:_MOST]]
    places: dict[str | None, etree._Element | None] = {}
    told = set()
    for path, line, message in entries:
        if _is_expression(message):
            continue
        if path not in places:
            places[path] = _at(tree, path)
        breach = _Breach(places[path], line, message)
        if breach.attribute is not None and (path, breach.attribute) in told:
            continue  # a value that breaks a facet is told of as a value too
        told.add((path, breach.attribute))
        harmless = path is not None and "BPMNDiagram" in path  # a picture says nothing about running the file
        formal = harmless or (breach.is_formal and not report.strict)
        report.add(
            Finding(
                code="schema",
                severity="warning" if formal else "error",
                text=shorten(f"{_sentence(breach)}."),
                element_id=nearest_id(breach.element) if breach.element is not None else None,
                line=line or None,
                source=report.source_of(root),
            )
        )


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_XSD))


def _readable(root: etree._Element) -> etree._Element:
    """``root``, or a copy where ``formalExpression`` is called ``messagePath``: bpmn-js writes it so, all read it."""
    wanted = f"{qualified('correlationPropertyRetrievalExpression')}/{qualified('formalExpression')}"
    if root.find(f".//{wanted}") is None:
        return root
    changed = copy.deepcopy(root)
    for element in changed.iterfind(f".//{wanted}"):
        element.tag = qualified("messagePath")
    return changed


def _at(tree: etree._Element, path: str | None) -> etree._Element | None:
    """The element at a path of libxml2."""
    try:
        found = tree.getroottree().xpath(path) if path else None
    except etree.XPathError:
        return None
    if isinstance(found, list) and found and isinstance(found[0], etree._Element):
        return found[0]
    return None


def _is_expression(message: str) -> bool:
    """Engines take an expression such as ``calledElement="${key}"`` where the schema wants a name."""
    return "QName'" in message and ("'${" in message or "'#{" in message)


_NEUTRAL = frozenset(
    """documentation laneSet lane childLaneSet dataObject dataObjectReference dataStore dataStoreReference dataState
    association group textAnnotation text category categoryValue ioSpecification ioBinding property artifact auditing
    monitoring resourceRole performer humanPerformer potentialOwner resourceAssignmentExpression resource
    resourceParameter resourceParameterBinding supportedInterfaceRef correlationSubscription correlationKey
    correlationProperty correlationPropertyBinding correlationPropertyRetrievalExpression incoming outgoing dataInput
    dataOutput inputSet outputSet dataInputAssociation dataOutputAssociation assignment itemDefinition interface
    endPoint relationship partnerEntity partnerRole collaboration participant participantMultiplicity
    participantAssociation messageFlow messageFlowAssociation conversation subConversation callConversation
    conversationLink conversationAssociation choreography globalConversation rendering import definitions""".split()
)
"""What says nothing about how a process runs, or is looked up by what it says and not by how it is written."""
_HOLDERS = SUB_PROCESSES | {"process"}
_OF_ACTIVITIES = frozenset(
    """multiInstanceLoopCharacteristics standardLoopCharacteristics loopCardinality completionCondition
    extensionElements script conditionExpression eventDefinitionRef""".split()
)
_NAMES = ("xs:ID'", "xs:IDREF'", "xs:QName'", "xs:NCName'", "xs:anyURI'")


class _Breach(NamedTuple):
    """One message of libxml2, taken apart."""

    element: etree._Element | None
    line: int
    message: str

    @property
    def attribute(self) -> str | None:
        found = re.match(r"Element '[^']*', attribute '([^']*)'", self.message)
        return found[1] if found else None

    @property
    def is_formal(self) -> bool:
        """Whether the file can be run all the same."""
        element = self.element
        if element is None:
            return False
        name = bpmn_name(element)
        parent = element.getparent()
        if name in _NEUTRAL and not (name == "definitions" and "not expected" in self.message):
            return True
        if "not expected" in self.message and parent is not None:
            # What the readers find in whatever order it stands.
            is_flow = name in FLOW_NODES or name == "sequenceFlow"
            return (bpmn_name(parent) in _HOLDERS and is_flow) or (
                bpmn_name(parent) in FLOW_NODES and (name in EVENT_DEFINITIONS or name in _OF_ACTIVITIES)
            )
        if any(kind in self.message for kind in _NAMES):
            value = (element.get(self.attribute) if self.attribute else element.text) or ""
            return bool(value.strip()) and ":" not in value
        return False


_SENTENCES = (
    (r"The attribute '([^']*)' is not allowed", "has the attribute {0!r}, which BPMN does not know there: remove it"),
    (r"The attribute '([^']*)' is required but missing", "has no attribute {0!r}: add it"),
    (
        r"This element is not expected(?:\. Expected is (?:one of )?\( (.*) \))?",
        "stands where BPMN does not allow it{allowed}: move it, correct its name or remove it",
    ),
    (
        r"Missing child element\(s\)(?:\. Expected is (?:one of )?\( (.*) \))?",
        "is not complete{allowed}: add what is missing",
    ),
    (
        r"\[facet 'enumeration'\] The value '([^']*)' is not an element of the set \{(.*)\}",
        "has {place}{0!r} where only {1} may stand: write one of these",
    ),
    (
        r"'([^']*)' is not a valid value of the (?:atomic|union|list|local atomic|local union) type '([^']*)'",
        "has {place}{0!r} where {kind} is wanted: correct it",
    ),
    (r"Character content", "holds text where only elements may stand: remove the text"),
)
_KINDS = {
    "xs:boolean": "true or false",
    "xs:ID": "an id (a letter, then letters, digits, '-', '_' and '.')",
    "xs:QName": "the id of an element",
    "xs:IDREF": "the id of an element",
    "xs:integer": "a whole number",
    "xs:int": "a whole number",
    "xs:anyURI": "an address (URI)",
}


def _sentence(breach: _Breach) -> str:
    """What is wrong in the words of BPMN, with what to do."""
    message = re.sub(r"\{http[^}]*\}", "", breach.message).strip().rstrip(".").replace("\n", " ")
    who = label(breach.element) if breach.element is not None else "file"
    place = f"in its attribute {breach.attribute!r} " if breach.attribute else ""
    for pattern, words in _SENTENCES:
        found = re.search(pattern, message)
        if found:
            parts = [part or "" for part in found.groups()]
            last = parts[-1] if parts else ""
            allowed = f" (here may be: {last[:200]})" if last and "{allowed}" in words else ""
            return f"The {who} " + words.format(*parts, place=place, kind=_KINDS.get(last, last), allowed=allowed)
    rest = message.partition(": ")[2] or message
    return f"The {who} is not written as BPMN 2.0 demands ({rest}): correct it"
