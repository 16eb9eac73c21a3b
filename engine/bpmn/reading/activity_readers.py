"""What all activities have, read from their XML: mappings, quantities, loops (BPMN 2.0, 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from ..elements.activity import Activity
from ..elements.loops import Loop, MultiInstance
from ..running.event_definitions import EventDefinition
from ..running.node import Node, Process
from .bindings import Binding
from .event_readers import read_behavior_event, read_definitions
from .expression_texts import ExpressionText, read_expression
from .mappings import read_io
from .multi_instance import read_multi_instance
from .words import child, children, is_true, label

if TYPE_CHECKING:
    from ...language.expressions import Expression
    from .parser import Parser


def mapped(
    parser: Parser, process: Process, element: etree._Element, kind: type[Node], binding: Binding | None = None
) -> Any:
    """A node with what the model lets in and out, which a ``binding`` has read already."""
    node: Node = parser.node(kind, process, element)
    io = read_io(element) if binding is None else binding
    node.input_values = {name: parser.value(element, given) for name, given in io.inputs.items()}
    node.output_values = [(mapping.target, parser.value(element, mapping)) for mapping in io.outputs]
    return node


def activity(
    parser: Parser, process: Process, element: etree._Element, kind: type[Activity], binding: Binding | None = None
) -> Any:
    """A node with what all activities have: mappings, a loop, quantities."""
    node: Activity = mapped(parser, process, element, kind, binding)
    node.for_compensation = is_true(element, "isForCompensation")
    node.completion_quantity = max(1, int(element.get("completionQuantity", "1")))
    node.start_quantity = max(1, int(element.get("startQuantity", "1")))
    node.loop = loop(parser, element)
    return node


def loop(parser: Parser, element: etree._Element) -> Loop | MultiInstance | None:
    """The loop marker of an activity."""
    standard = child(element, "standardLoopCharacteristics")
    if standard is not None:
        condition = parser.expression(element, read_expression(child(standard, "loopCondition")))
        maximum = standard.get("loopMaximum")
        if condition is None and maximum is None:
            text = f"The loop of {label(element)} has no condition and no maximum."
            parser.wrong(element, "loop-without-end", text)
        return Loop(
            condition=condition,
            maximum=parser.expression(element, ExpressionText(text=maximum, language="juel") if maximum else None),
            test_before=is_true(standard, "testBefore"),
        )
    marker = read_multi_instance(element)
    if marker is None:
        return None
    if marker.cardinality is None and marker.collection is None:
        text = f"{label(element)} has no loopCardinality and no collection."
        parser.wrong(element, "multi-instance-without-number", text)
    xml = child(element, "multiInstanceLoopCharacteristics")
    assert xml is not None
    return MultiInstance(
        sequential=marker.sequential,
        cardinality=parser.expression(element, marker.cardinality),
        collection=parser.expression(element, marker.collection) if marker.cardinality is None else None,
        element_variable=marker.element_variable,
        index_variable=marker.index_variable,
        output_collection=marker.output_collection,
        output_element=parser.expression(element, marker.output_element),
        completion=parser.expression(element, marker.completion_condition),
        behavior=marker.behavior,
        event=read_behavior_event(parser, xml, f"{marker.behavior.lower()}BehaviorEventRef"),
        complex_events=complex_events(parser, element, xml) if marker.behavior == "Complex" else (),
    )


def complex_events(
    parser: Parser, element: etree._Element, marker: etree._Element
) -> list[tuple[Expression, EventDefinition]]:
    """What the behavior Complex throws, and when."""
    found: list[tuple[Expression, EventDefinition]] = []
    for part in children(marker, "complexBehaviorDefinition"):
        condition = parser.expression(element, read_expression(child(part, "condition")))
        event = child(part, "event")
        if condition is not None and event is not None:
            found.extend((condition, definition) for definition in read_definitions(parser, event))
    return found
