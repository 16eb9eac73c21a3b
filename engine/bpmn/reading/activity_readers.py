"""What all activities have, read from their XML: mappings, quantities, loops (BPMN 2.0, 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lxml import etree

from ..elements.activity import Activity
from ..elements.loops import Loop, MultiInstance
from ..running.event_definitions import EventDefinition
from ..running.node import Process
from .bindings import Binding
from .event_readers import read_behavior_event, read_definitions
from .expression_texts import ExpressionText, read_expression
from .mappings import read_io
from .model_reader import AnyNode, ModelReader
from .multi_instance import read_multi_instance
from .words import child, children, is_true, label

if TYPE_CHECKING:
    from ...language.expressions import Expression

Kind = TypeVar("Kind", bound=Activity)


def mapped(
    reader: ModelReader, process: Process, element: etree._Element, kind: type[AnyNode], binding: Binding | None = None
) -> AnyNode:
    """A node with what the model lets in and out, which a ``binding`` has read already."""
    node = reader.node(kind, process, element)
    io = read_io(element) if binding is None else binding
    node.input_values = {name: reader.value(element, given) for name, given in io.inputs.items()}
    node.output_values = [(mapping.target, reader.value(element, mapping)) for mapping in io.outputs]
    return node


def activity(
    reader: ModelReader,
    process: Process,
    element: etree._Element,
    kind: type[Kind],
    binding: Binding | None = None,
) -> Kind:
    """A node with what all activities have: mappings, a loop, quantities."""
    node = mapped(reader, process, element, kind, binding)
    node.for_compensation = is_true(element, "isForCompensation")
    node.completion_quantity = max(1, int(element.get("completionQuantity", "1")))
    node.start_quantity = max(1, int(element.get("startQuantity", "1")))
    node.loop = loop(reader, element)
    return node


def loop(reader: ModelReader, element: etree._Element) -> Loop | MultiInstance | None:
    """The loop marker of an activity."""
    standard = child(element, "standardLoopCharacteristics")
    if standard is not None:
        condition = reader.expression(element, read_expression(child(standard, "loopCondition")))
        maximum = standard.get("loopMaximum")
        if condition is None and maximum is None:
            text = f"The loop of {label(element)} has no condition and no maximum."
            reader.report.error("loop-without-end", element, text)
        return Loop(
            condition=condition,
            maximum=reader.expression(element, ExpressionText(text=maximum, language="juel") if maximum else None),
            test_before=is_true(standard, "testBefore"),
        )
    marker = read_multi_instance(element)
    if marker is None:
        return None
    if marker.cardinality is None and marker.collection is None:
        text = f"{label(element)} has no loopCardinality and no collection."
        reader.report.error("multi-instance-without-number", element, text)
    xml = child(element, "multiInstanceLoopCharacteristics")
    assert xml is not None
    return MultiInstance(
        sequential=marker.sequential,
        cardinality=reader.expression(element, marker.cardinality),
        collection=reader.expression(element, marker.collection) if marker.cardinality is None else None,
        element_variable=marker.element_variable,
        index_variable=marker.index_variable,
        output_collection=marker.output_collection,
        output_element=reader.expression(element, marker.output_element),
        completion=reader.expression(element, marker.completion_condition),
        behavior=marker.behavior,
        event=read_behavior_event(reader, xml, f"{marker.behavior.lower()}BehaviorEventRef"),
        complex_events=complex_events(reader, element, xml) if marker.behavior == "Complex" else (),
    )


def complex_events(
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
