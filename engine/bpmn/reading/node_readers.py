"""One reader for each flow element of BPMN that can run: from its XML to the node that runs it."""

from __future__ import annotations

from lxml import etree

from ..elements import events, gateways, subprocesses
from ..elements.event_subprocess import EventSubProcess
from ..running.node import Node, Process
from .activity_readers import activity, mapped
from .bindings import read_binding, read_call_binding, read_properties
from .event_readers import read_definitions
from .expression_texts import ExpressionText, read_expression
from .mappings import read_io
from .model_reader import ModelReader
from .people.forms import read_form
from .task_readers import PLAIN, NodeReader, bound, task
from .unread import starts_by_hand, starts_process
from .vendors import ZEEBE, attribute_value, extensions
from .words import bpmn_name, child, children, is_true, label

# -- events


def start_event(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    node = mapped(reader, process, element, events.StartEvent)
    node.definitions = read_definitions(reader, element)
    node.interrupting = is_true(element, "isInterrupting", default=True)
    node.parallel_multiple = is_true(element, "parallelMultiple")
    if starts_process(element) and (name := attribute_value(element, "initiator")):
        process.initiators.add(name)
        # Where nobody says who starts it, as where a message does, the variable is there all the same.
        process.initial.setdefault(name, None)
    if starts_by_hand(element) and (form := read_form(reader, element)):
        if not any(isinstance(other, events.StartEvent) and other.form for other in process.nodes.values()):
            node.form = form
        else:
            text = (
                f"{label(element)} begins together with another start event that has a form, so its own is not shown:"
                " put all fields into one form."
            )
            reader.report.warning("form-second", element, text)
    return node


def catch_event(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    node = mapped(reader, process, element, events.CatchEvent)
    node.definitions = read_definitions(reader, element)
    node.parallel_multiple = is_true(element, "parallelMultiple")
    if not node.definitions:
        text = f"{label(element)} waits for nothing: give it an event definition."
        reader.report.error("catch-without-event", element, text)
    return node


def throw_event(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    binding = read_binding(element)
    if binding is not None:
        return bound(reader, process, element, binding)
    kind = events.EndEvent if bpmn_name(element) == "endEvent" else events.ThrowEvent
    node = mapped(reader, process, element, kind)
    node.definitions = read_definitions(reader, element)
    if isinstance(node, events.EndEvent):
        terminates = children(element, "terminateEventDefinition")
        node.ends_everything = any(attribute_value(each, "terminateAll") == "true" for each in terminates)
    return node


# -- gateways


def gateway(kind: type[Node]) -> NodeReader:
    def read(reader: ModelReader, process: Process, element: etree._Element) -> Node:
        node = reader.node(kind, process, element)
        if isinstance(node, gateways.ComplexGateway):
            node.activation = reader.expression(element, read_expression(child(element, "activationCondition")))
        if isinstance(node, gateways.EventBasedGateway):
            node.instantiate = is_true(element, "instantiate")
            node.all_must_come = node.instantiate and element.get("eventGatewayType") == "Parallel"
        return node

    return read


# -- inner processes


def sub_process(reader: ModelReader, process: Process, element: etree._Element) -> Node | None:
    if is_true(element, "triggeredByEvent"):
        return event_sub_process(reader, process, element)
    kind = subprocesses.Transaction if bpmn_name(element) == "transaction" else subprocesses.SubProcess
    node = activity(reader, process, element, kind)
    node.body = reader.bodies[element]
    return node


def event_sub_process(reader: ModelReader, process: Process, element: etree._Element) -> Node | None:
    node = reader.node(EventSubProcess, process, element)
    node.body = reader.bodies[element]
    starts = [start for start in node.body.nodes.values() if isinstance(start, events.StartEvent)]
    if len(starts) != 1 or not starts[0].definitions:
        text = f"The event sub-process {element.get('id')!r} needs exactly one start event, with a trigger."
        reader.report.error("event-sub-process-start", element, text)
        return None
    if any(definition.kind in ("error", "compensate") for definition in starts[0].definitions):
        starts[0].interrupting = True
    node.start_with(starts[0])
    return node


def ad_hoc_sub_process(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    node = activity(reader, process, element, subprocesses.AdHocSubProcess)
    node.sequential = element.get("ordering") == "Sequential"
    node.cancel_remaining = is_true(element, "cancelRemainingInstances", default=True)
    node.completion = reader.expression(element, read_expression(child(element, "completionCondition")))
    for found in extensions(element, "adHoc", (ZEEBE,)):
        if listed := found.get("activeElementsCollection", "").strip():
            node.chosen = reader.expression(element, ExpressionText(text=listed, language="feel"))
    node.body = reader.bodies[element]
    return node


def call_activity(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    node = activity(reader, process, element, subprocesses.CallActivity)
    node.namespace = read_properties(element).get("namespace") or node.name
    passing = read_io(element).passing
    called = element.get("calledElement", "").strip()
    if passing is not None:
        if passing.called_element is not None:
            called = str(passing.called_element.value).strip()
        node.inward = [(mapping.target, reader.value(element, mapping)) for mapping in passing.inward]
        node.outward = [(mapping.target, reader.value(element, mapping)) for mapping in passing.outward]
        node.all_in = passing.all_in or not (passing.inward or node.input_values)
        node.all_out = passing.all_out
    if not called:
        reader.report.error("call-without-process", element, f"{label(element)} does not say which process it calls.")
    if "${" in called or "#{" in called or called.startswith("="):
        node.called_expression = reader.expression(element, ExpressionText(text=called, language="juel"))
    node.called = called if node.called_expression is not None else called.rpartition(":")[2]
    node.version, node.together = read_call_binding(element)
    reader.calls.append(node)
    return node


READERS: dict[str, NodeReader] = {
    "startEvent": start_event,
    "endEvent": throw_event,
    "intermediateThrowEvent": throw_event,
    "intermediateCatchEvent": catch_event,
    "exclusiveGateway": gateway(gateways.ExclusiveGateway),
    "parallelGateway": gateway(gateways.ParallelGateway),
    "inclusiveGateway": gateway(gateways.InclusiveGateway),
    "complexGateway": gateway(gateways.ComplexGateway),
    "eventBasedGateway": gateway(gateways.EventBasedGateway),
    "subProcess": sub_process,
    "transaction": sub_process,
    "adHocSubProcess": ad_hoc_sub_process,
    "callActivity": call_activity,
    **dict.fromkeys(("serviceTask", "businessRuleTask", *PLAIN), task),
}
