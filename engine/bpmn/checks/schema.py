"""The XML schema of BPMN 2.0 (OMG formal/2011-01-03, files of 2010-05-24)."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from threading import Lock

from lxml import etree
from SpiffWorkflow import bpmn

from ...findings import Finding, Report, nearest_id, shorten
from ..reading.words import qualified

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
        breaches = [(entry.path, entry.line, entry.message) for entry in list(schema.error_log)[:_MOST]]
    paths: dict[str | None, str | None] = {}
    for path, line, message in breaches:
        if _is_expression(message):
            continue
        harmless = path is not None and "BPMNDiagram" in path  # a picture says nothing about running the file
        if path not in paths:
            paths[path] = _nearest_id(tree, path)
        report.add(
            Finding(
                code="schema",
                severity="warning" if harmless or (report.dialect and _is_known_habit(message)) else "error",
                text=shorten(f"The file breaks the BPMN 2.0 schema: {_sentence(message)}; correct it there."),
                element_id=paths[path],
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


def _nearest_id(tree: etree._Element, path: str | None) -> str | None:
    try:
        found = tree.getroottree().xpath(path) if path else None
    except etree.XPathError:
        return None
    if isinstance(found, list) and found and isinstance(found[0], etree._Element):
        return nearest_id(found[0])
    return None


def _is_expression(message: str) -> bool:
    """Engines take an expression such as ``calledElement="${key}"`` where the schema wants a name."""
    return "QName'" in message and ("'${" in message or "'#{" in message)


def _is_known_habit(message: str) -> bool:
    """What modelers write or leave out and their engines do not read."""
    return "ioSpecification': Missing child element" in message or (
        "dataObjectReference'" in message and "attribute 'isCollection'" in message
    )


def _sentence(message: str) -> str:
    return re.sub(r"\{http[^}]*\}", "", message).strip().rstrip(".").replace("\n", " ")
