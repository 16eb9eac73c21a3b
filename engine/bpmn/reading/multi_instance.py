"""The multi-instance marker of an activity."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from lxml import etree

from .expression_texts import ExpressionText, language_of, read_expression
from .vendors import ZEEBE, attribute_value, extensions
from .words import child, is_true, own_text


class MultiInstanceMarker(NamedTuple):
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


def read_multi_instance(element: etree._Element) -> MultiInstanceMarker | None:
    """The multi-instance marker of an activity; None if it has none."""
    marker = child(element, "multiInstanceLoopCharacteristics")
    if marker is None:
        return None
    zeebe = next(extensions(marker, "loopCharacteristics", (ZEEBE,)), None)
    given = dict(zeebe.attrib) if zeebe is not None else {}
    item = child(marker, "inputDataItem")
    collection = str(given.get("inputCollection", "")) or attribute_value(marker, "collection")
    collection = collection or _reference(marker, "loopDataInputRef")
    produced = str(given.get("outputElement", "")).strip()
    product = child(marker, "outputDataItem")
    return MultiInstanceMarker(
        sequential=is_true(marker, "isSequential"),
        cardinality=read_expression(child(marker, "loopCardinality")),
        collection=_expression(collection),
        element_variable=str(given.get("inputElement", ""))
        or attribute_value(marker, "elementVariable")
        or _item_name(item),
        index_variable=attribute_value(marker, "elementIndexVariable"),
        output_collection=str(given.get("outputCollection", "")) or _reference(marker, "loopDataOutputRef"),
        output_element=_expression(produced or _item_name(product)),
        completion_condition=read_expression(child(marker, "completionCondition")),
        behavior=_behavior(marker.get("behavior", "All")),
    )


def _expression(text: str | None) -> ExpressionText | None:
    return ExpressionText(text=text.strip(), language=language_of(text)) if text and text.strip() else None


def _reference(marker: etree._Element, name: str) -> str | None:
    """The name that a QName element points to, without its prefix."""
    found = child(marker, name)
    return own_text(found).rpartition(":")[2] or None if found is not None else None


def _item_name(item: etree._Element | None) -> str | None:
    return (item.get("name") or item.get("id")) if item is not None else None


def _behavior(text: str) -> Literal["None", "One", "All", "Complex"]:
    return cast(Literal["None", "One", "All", "Complex"], text) if text in ("None", "One", "Complex") else "All"
