"""One reader for each flow element of BPMN that can run: from its XML to the node that runs it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lxml import etree

from ..expressions import compile_expression
from . import activities, events, gateways, subprocesses
from .activity import Activity
from .decisions import DecisionCall, DecisionTask, read_decision
from .definitions import EventDefinition
from .dialects import (
    Binding,
    ExpressionText,
    Input,
    read_binding,
    read_expression,
    read_io,
    read_multi_instance,
    read_properties,
)
from .elements import child, flag, local, name_of, referred
from .event_subprocess import EventSubProcess, Listener
from .loops import Loop, MultiInstance
from .node import Node, Process
from .triggers import read_behavior_event, read_definitions, read_task_message
from .vendors import BPMN, ZEEBE, attribute_value, extensions, own_text

if TYPE_CHECKING:
    from ..expressions import Expression
    from .parser import Parser

_BEAN = re.compile(r"[^\s+*/%<>=!?&|\"']+?(?:\(.*\))?", re.DOTALL)
"""A bean, a member of one, or a call of either, which is the name of a stone."""
Reader = Callable[["Parser", Process, etree._Element], "Node | None"]


# -- events


def mapped(
    parser: Parser, process: Process, element: etree._Element, kind: type[Node], binding: Binding | None = None
) -> Any:
    """A node with what the model lets in and out, which a ``binding`` has read already."""
    node: Node = parser.node(kind, process, element)
    io = read_io(element) if binding is None else binding
    node.input_values = {name: parser.value(element, given) for name, given in io.inputs.items()}
    node.output_values = [(mapping.target, parser.value(element, mapping)) for mapping in io.outputs]
    return node


def start_event(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: events.StartEvent = mapped(parser, process, element, events.StartEvent)
    node.definitions = read_definitions(parser, element)
    node.interrupting = flag(element, "isInterrupting", True)
    node.parallel_multiple = flag(element, "parallelMultiple")
    return node


def catch_event(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: events.CatchEvent = mapped(parser, process, element, events.CatchEvent)
    node.definitions = read_definitions(parser, element)
    node.parallel_multiple = flag(element, "parallelMultiple")
    if not node.definitions:
        text = f"{name_of(element)} waits for nothing: give it an event definition."
        parser.wrong(element, "catch-without-event", text)
    return node


def throw_event(parser: Parser, process: Process, element: etree._Element) -> Node:
    binding = read_binding(element)
    if binding is not None:
        return bound(parser, process, element, binding)
    kind = events.EndEvent if local(element) == "endEvent" else events.ThrowEvent
    node: events.ThrowEvent = mapped(parser, process, element, kind)
    node.definitions = read_definitions(parser, element)
    if isinstance(node, events.EndEvent) and any(definition.kind == "terminate" for definition in node.definitions):
        (definition,) = element.iterchildren(f"{{{BPMN}}}terminateEventDefinition")
        node.ends_everything = attribute_value(definition, "terminateAll") == "true"
    return node


# -- gateways


def gateway(kind: type[Node]) -> Reader:
    def read(parser: Parser, process: Process, element: etree._Element) -> Node:
        node: Node = parser.node(kind, process, element)
        if isinstance(node, gateways.ComplexGateway):
            node.activation = parser.expression(element, read_expression(child(element, "activationCondition")))
        if isinstance(node, gateways.EventBasedGateway):
            node.instantiate = flag(element, "instantiate")
            node.all_must_come = node.instantiate and element.get("eventGatewayType") == "Parallel"
        return node

    return read


# -- activities


def activity(
    parser: Parser, process: Process, element: etree._Element, kind: type[Activity], binding: Binding | None = None
) -> Any:
    """A node with what all activities have: mappings, a loop, quantities."""
    node: Activity = mapped(parser, process, element, kind, binding)
    node.for_compensation = flag(element, "isForCompensation")
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
            text = f"The loop of {name_of(element)} has no condition and no maximum."
            parser.wrong(element, "loop-without-end", text)
        return Loop(
            condition=condition,
            maximum=parser.expression(element, ExpressionText(text=maximum, language="juel") if maximum else None),
            test_before=flag(standard, "testBefore"),
        )
    marker = read_multi_instance(element)
    if marker is None:
        return None
    if marker.cardinality is None and marker.collection is None:
        text = f"{name_of(element)} has no loopCardinality and no collection."
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
    for part in marker.iterchildren(f"{{{BPMN}}}complexBehaviorDefinition"):
        condition = parser.expression(element, read_expression(child(part, "condition")))
        event = child(part, "event")
        if condition is not None and event is not None:
            found.extend((condition, definition) for definition in read_definitions(parser, event))
    return found


def bound(parser: Parser, process: Process, element: etree._Element, binding: Binding) -> Node:
    """A task whose work a stone does."""
    node: activities.StoneTask = activity(parser, process, element, activities.StoneTask, binding)
    node.binding = binding
    node.result_variable = binding.result_variable
    node.namespace = binding.namespace or node.name
    node.code = parser.value(element, Input(value=binding.stone))
    parser.stone_tasks.append(node)
    return node


def task(parser: Parser, process: Process, element: etree._Element) -> Node | None:
    """A task of any kind: a bound stone comes first, else what its type says."""
    binding = read_binding(element)
    if binding is not None and is_formula(binding):
        return formula(parser, process, element, binding)
    if binding is not None:
        return bound(parser, process, element, binding)
    if (call := read_decision(element)) is not None:
        return decision_task(parser, process, element, call)
    kind = local(element)
    if kind == "serviceTask" and (code := operation_code(parser, element)):
        io = read_io(element)
        return bound(
            parser, process, element, Binding(stone=code, dialect="operation", inputs=io.inputs, outputs=io.outputs)
        )
    if kind in ("serviceTask", "businessRuleTask"):
        wanted = "its topic (camunda:type=external), task definition or implementation"
        wanted += ", or the decision that it makes" if kind == "businessRuleTask" else ""
        parser.wrong(element, "stone-missing", f"{name_of(element)} names no stone: set {wanted}.")
        return None
    return PLAIN[kind](parser, process, element)


def operation_code(parser: Parser, element: etree._Element) -> str:
    """What the operation of a service task is implemented by, or is called (BPMN 2.0, 8.4.3); empty without one."""
    operation = parser.by_id.get(referred(element, "operationRef") or "")
    if operation is None or local(operation) != "operation":
        return ""
    return referred(operation, "implementationRef") or operation.get("name", "").strip()


def is_formula(binding: Binding) -> bool:
    """Whether what a Java engine would evaluate is no call of somebody's bean but a formula over variables."""
    return binding.dialect.endswith(":expression") and _BEAN.fullmatch(binding.stone) is None


def formula(parser: Parser, process: Process, element: etree._Element, binding: Binding) -> Node:
    """A service task whose work is one expression."""
    node: activities.ExpressionTask = activity(parser, process, element, activities.ExpressionTask)
    text = binding.stone if "{" in binding.stone else f"${{{binding.stone}}}"
    made = parser.expression(element, ExpressionText(text=text, language="juel"))
    node.expression = made or compile_expression("null", limits=parser.limits)
    node.result_variable = binding.result_variable
    if node.result_variable is None:
        text = f"The result of {name_of(element)} goes nowhere: give it a resultVariable."
        parser.wrong(element, "result-unused", text, "warning")
    return node


def decision_task(parser: Parser, process: Process, element: etree._Element, call: DecisionCall) -> Node:
    """A task whose work a decision of the deployment does."""
    node: DecisionTask = activity(parser, process, element, DecisionTask)
    node.call = call
    node.decisions = parser.decisions.by_id
    if "${" in call.decision or "#{" in call.decision or call.decision.startswith("="):
        node.named = parser.expression(element, ExpressionText(text=call.decision, language="juel"))
        parser.decisions.use_all()
    elif parser.decisions.use(call.decision) is None:
        text = f"{name_of(element)} makes the decision {call.decision!r}, which no DMN file holds: deploy it together."
        parser.wrong(element, "unknown-decision", text)
    if not (call.result_variable or call.spread or node.output_values):
        text = f"The result of {name_of(element)} goes nowhere: give it a resultVariable or an output."
        parser.wrong(element, "result-unused", text, "warning")
    return node


def user_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: activities.UserTask = activity(parser, process, element, activities.UserTask)
    node.namespace = read_properties(element).get("namespace") or node.name
    return node


def none_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: Node = activity(parser, process, element, activities.NoneTask)
    return node


def receive_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: activities.ReceiveTask = activity(parser, process, element, activities.ReceiveTask)
    node.namespace = node.name
    node.definitions = read_task_message(parser, element)
    node.instantiate = flag(element, "instantiate")
    return node


def send_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: activities.SendTask = activity(parser, process, element, activities.SendTask)
    node.definitions = read_task_message(parser, element)
    if not node.definitions:
        text = f"{name_of(element)} sends nothing: name its message, or the stone that sends it."
        parser.wrong(element, "stone-missing", text)
    return node


def script_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    for found in extensions(element, "script", (ZEEBE,)):
        formula: activities.ExpressionTask = activity(parser, process, element, activities.ExpressionTask)
        text = ExpressionText(text=found.get("expression", ""), language="feel")
        formula.expression = parser.expression(element, text) or compile_expression("null", limits=parser.limits)
        formula.result_variable = found.get("resultVariable", "").strip() or "result"
        return formula
    node: activities.ScriptTask = activity(parser, process, element, activities.ScriptTask)
    script = child(element, "script")
    node.script = own_text(script) if script is not None else ""
    if not parser.scripts:
        parser.wrong(
            element,
            "script-refused",
            f"{name_of(element)} holds code, which this engine does not run: bind a stone instead.",
        )
    return node


# -- inner processes


def sub_process(parser: Parser, process: Process, element: etree._Element) -> Node | None:
    if flag(element, "triggeredByEvent"):
        return event_sub_process(parser, process, element)
    kind = subprocesses.Transaction if local(element) == "transaction" else subprocesses.SubProcess
    node: subprocesses.SubProcess = activity(parser, process, element, kind)
    node.body = inner(parser, element)
    return node


def inner(parser: Parser, element: etree._Element) -> Process:
    """The inside of a sub-process."""
    body = Process(str(element.get("id")), element.get("name"))
    parser.fill(body, element)
    return body


def event_sub_process(parser: Parser, process: Process, element: etree._Element) -> Node | None:
    node: EventSubProcess = parser.node(EventSubProcess, process, element)
    node.body = inner(parser, element)
    starts = [start for start in node.body.nodes.values() if isinstance(start, events.StartEvent)]
    if len(starts) != 1 or not starts[0].definitions:
        text = f"The event sub-process {element.get('id')!r} needs exactly one start event, with a trigger."
        parser.wrong(element, "event-sub-process-start", text)
        return None
    node.start_event = starts[0]
    if any(definition.kind in ("error", "compensate") for definition in starts[0].definitions):
        starts[0].interrupting = True
    node.listener = Listener(node)
    return node


def ad_hoc_sub_process(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: subprocesses.AdHocSubProcess = activity(parser, process, element, subprocesses.AdHocSubProcess)
    node.sequential = element.get("ordering") == "Sequential"
    node.cancel_remaining = flag(element, "cancelRemainingInstances", True)
    node.completion = parser.expression(element, read_expression(child(element, "completionCondition")))
    for found in extensions(element, "adHoc", (ZEEBE,)):
        if listed := found.get("activeElementsCollection", "").strip():
            node.chosen = parser.expression(element, ExpressionText(text=listed, language="feel"))
    node.body = inner(parser, element)
    return node


def call_activity(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: subprocesses.CallActivity = activity(parser, process, element, subprocesses.CallActivity)
    node.namespace = read_properties(element).get("namespace") or node.name
    passing = read_io(element).passing
    called = element.get("calledElement", "").strip()
    if passing is not None:
        if passing.called_element is not None:
            called = str(passing.called_element.value).strip()
        node.inward = [(mapping.target, parser.value(element, mapping)) for mapping in passing.inward]
        node.outward = [(mapping.target, parser.value(element, mapping)) for mapping in passing.outward]
        node.all_in = passing.all_in or not (passing.inward or node.input_values)
        node.all_out = passing.all_out
    if not called:
        parser.wrong(element, "call-without-process", f"{name_of(element)} does not say which process it calls.")
    if "${" in called or "#{" in called or called.startswith("="):
        node.called_expression = parser.expression(element, ExpressionText(text=called, language="juel"))
    node.called = called if node.called_expression is not None else called.rpartition(":")[2]
    parser.calls.append(node)
    return node


PLAIN: dict[str, Reader] = {
    "userTask": user_task,
    # The engine never executes a manual task (BPMN 2.0, 13.3.3): whoever wants to be asked models a user task.
    "manualTask": none_task,
    "task": none_task,
    "receiveTask": receive_task,
    "sendTask": send_task,
    "scriptTask": script_task,
}
READERS: dict[str, Reader] = {
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
