"""The loop markers of activities, read from their XML (BPMN 2.0, 13.3.6 and 13.3.7)."""

from __future__ import annotations

import re
from typing import cast

from lxml import etree

from ...language.expressions import Expression
from ..elements.loops import Behavior, Loop, MultiInstance
from ..running.event_definitions import EventDefinition
from .bindings import read_properties
from .event_readers import read_behavior_event, read_definitions
from .expression_texts import ExpressionText, language_of, read_expression
from .model_reader import ModelReader
from .vendors import ZEEBE, attribute_value, extensions
from .words import child, children, is_true, label, own_text

_PATH = re.compile(r"=?\s*([^\W\d]\w*)(?:\.[^\W\d]\w*)*")
_NAME = re.compile(r"(?:[$#]\{\s*)?([^\W\d]\w*)(?:\s*\})?")


def read_loop(reader: ModelReader, element: etree._Element) -> Loop | MultiInstance | None:
    """The loop marker of an activity; None if it has none."""
    if (marker := child(element, "standardLoopCharacteristics")) is not None:
        return _loop(reader, element, marker)
    if (marker := child(element, "multiInstanceLoopCharacteristics")) is not None:
        return _multi_instance(reader, element, marker)
    return None


def _loop(reader: ModelReader, element: etree._Element, marker: etree._Element) -> Loop:
    condition = reader.expression(element, read_expression(child(marker, "loopCondition")))
    maximum = marker.get("loopMaximum")
    if condition is None and maximum is None:
        text = f"The loop of {label(element)} has no condition and no maximum."
        reader.report.error("loop-without-end", element, text)
    return Loop(
        condition=condition,
        maximum=reader.expression(element, ExpressionText(text=maximum, language="juel") if maximum else None),
        test_before=is_true(marker, "testBefore"),
    )


def _multi_instance(reader: ModelReader, element: etree._Element, marker: etree._Element) -> MultiInstance:
    zeebe = next(extensions(marker, "loopCharacteristics", (ZEEBE,)), None)
    given = dict(zeebe.attrib) if zeebe is not None else {}
    item, product = child(marker, "inputDataItem"), child(marker, "outputDataItem")
    cardinality = reader.expression(element, read_expression(child(marker, "loopCardinality")))
    # An expression, or the bare name of a variable.
    over = str(given.get("inputCollection", "")) or attribute_value(marker, "collection")
    collection = _text(over or _reference(marker, "loopDataInputRef"))
    if cardinality is None and collection is None:
        text = f"{label(element)} has no loopCardinality and no collection."
        reader.report.error("multi-instance-without-number", element, text)
    produced = _text(str(given.get("outputElement", "")) or _item_name(product))
    named = str(given.get("inputElement", "")) or attribute_value(marker, "elementVariable")
    said = marker.get("behavior")
    behavior = cast(Behavior, said) if said in ("None", "One", "Complex") else "All"
    return MultiInstance(
        sequential=is_true(marker, "isSequential"),
        cardinality=cardinality,
        collection=reader.expression(element, collection),
        element_variable=named or _item_name(item),
        index_variable=attribute_value(marker, "elementIndexVariable"),
        output_collection=str(given.get("outputCollection", "")) or _reference(marker, "loopDataOutputRef"),
        output_element=reader.expression(element, produced),
        output_variable=_root(produced),
        first=1 if zeebe is not None else 0,
        completion=reader.expression(element, read_expression(child(marker, "completionCondition"))),
        behavior=behavior,
        event=read_behavior_event(reader, marker, f"{behavior.lower()}BehaviorEventRef"),
        complex_events=_complex_events(reader, element, marker) if behavior == "Complex" else (),
        most=reader.expression(element, _text(read_properties(element).get("maxAtOnce"))),
    )


def _complex_events(
    reader: ModelReader, element: etree._Element, marker: etree._Element
) -> list[tuple[Expression, EventDefinition]]:
    """What the behavior Complex throws, and when."""
    found: list[tuple[Expression, EventDefinition]] = []
    for part in children(marker, "complexBehaviorDefinition"):
        condition = reader.expression(element, read_expression(child(part, "condition")))
        event = child(part, "event")
        if condition is not None and event is not None:
            found.extend((condition, definition) for definition in read_definitions(reader, event))
    return found


def _root(text: ExpressionText | None) -> str | None:
    """The variable that an output element consists of, or that it is a member of."""
    found = (_PATH if text.language == "feel" else _NAME).fullmatch(text.text) if text is not None else None
    return found[1] if found is not None and found[1] not in ("outputs", "parameters") else None


def _text(text: str | None) -> ExpressionText | None:
    return ExpressionText(text=text.strip(), language=language_of(text)) if text and text.strip() else None


def _reference(marker: etree._Element, name: str) -> str | None:
    """The name that a QName element points to, without its prefix."""
    found = child(marker, name)
    return own_text(found).rpartition(":")[2] or None if found is not None else None


def _item_name(item: etree._Element | None) -> str | None:
    return (item.get("name") or item.get("id")) if item is not None else None
