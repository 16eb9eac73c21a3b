"""What the modelers say about an activity in their own namespaces, read into the words of the engine."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from lxml import etree

from .bindings import Binding, read_binding, read_properties
from .mappings import Input, Io, OutputMapping, Passing, read_io
from .unread import foreign, unread
from .vendors import (
    BPMN,
    ZEEBE,
    ExpressionText,
    attribute_value,
    extensions,
    language_of,
    own_text,
    read_condition,
    read_expression,
)

__all__ = [
    "Binding",
    "ExpressionText",
    "Input",
    "Io",
    "MultiInstance",
    "OutputMapping",
    "Passing",
    "foreign",
    "read_binding",
    "read_condition",
    "read_expression",
    "read_io",
    "read_multi_instance",
    "read_properties",
    "unread",
]


class MultiInstance(NamedTuple):
    """The multi-instance marker of an activity (BPMN 2.0, 13.3.7) with what the modelers add to it."""

    sequential: bool
    cardinality: ExpressionText | None = None
    collection: ExpressionText | None = None
    """An expression, or the bare name of a variable."""
    element_variable: str | None = None
    index_variable: str | None = None
    output_collection: str | None = None
    output_element: ExpressionText | None = None
    completion_condition: ExpressionText | None = None
    behavior: Literal["None", "One", "All", "Complex"] = "All"


def read_multi_instance(element: etree._Element) -> MultiInstance | None:
    """The multi-instance marker of an activity; None if it has none."""
    marker = element.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics")
    if marker is None:
        return None
    zeebe = next(extensions(marker, "loopCharacteristics", (ZEEBE,)), None)
    given = dict(zeebe.attrib) if zeebe is not None else {}
    item = marker.find(f"{{{BPMN}}}inputDataItem")
    collection = str(given.get("inputCollection", "")) or attribute_value(marker, "collection")
    collection = collection or _reference(marker, "loopDataInputRef")
    produced = str(given.get("outputElement", "")).strip()
    product = marker.find(f"{{{BPMN}}}outputDataItem")
    return MultiInstance(
        sequential=marker.get("isSequential", "false").strip() in ("true", "1"),
        cardinality=read_expression(marker.find(f"{{{BPMN}}}loopCardinality")),
        collection=_expression(collection),
        element_variable=str(given.get("inputElement", ""))
        or attribute_value(marker, "elementVariable")
        or _item_name(item),
        index_variable=attribute_value(marker, "elementIndexVariable"),
        output_collection=str(given.get("outputCollection", "")) or _reference(marker, "loopDataOutputRef"),
        output_element=_expression(produced or _item_name(product)),
        completion_condition=read_expression(marker.find(f"{{{BPMN}}}completionCondition")),
        behavior=_behavior(marker.get("behavior", "All")),
    )


def _expression(text: str | None) -> ExpressionText | None:
    return ExpressionText(text=text.strip(), language=language_of(text)) if text and text.strip() else None


def _reference(marker: etree._Element, name: str) -> str | None:
    """The name that a QName element points to, without its prefix."""
    found = marker.find(f"{{{BPMN}}}{name}")
    return own_text(found).rpartition(":")[2] or None if found is not None else None


def _item_name(item: etree._Element | None) -> str | None:
    return (item.get("name") or item.get("id")) if item is not None else None


def _behavior(text: str) -> Literal["None", "One", "All", "Complex"]:
    return cast(Literal["None", "One", "All", "Complex"], text) if text in ("None", "One", "Complex") else "All"
