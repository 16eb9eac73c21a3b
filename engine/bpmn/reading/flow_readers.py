"""What joins the nodes of a process: flows, borders, associations and links, and where tokens begin."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from ..elements import boundary, events, gateways, tasks
from ..elements.activity import Activity
from ..elements.event_subprocess import EventSubProcess
from ..elements.outputs_read import OutputsRead
from ..running.event_definitions import EventDefinition
from ..running.node import Flow, Node, Process
from .activity_readers import mapped
from .event_readers import read_definitions
from .expression_texts import read_condition
from .model_reader import ModelReader
from .words import children, is_true, referred

SENT = frozenset({"message", "signal", "compensate"})
"""What a throw event sends on its way, apart from its own token."""


def read_flow(reader: ModelReader, process: Process, element: etree._Element) -> None:
    """A sequence flow, once all nodes are there."""
    source = process.nodes.get(referred(element, "sourceRef") or "")
    target = process.nodes.get(referred(element, "targetRef") or "")
    if source is None or target is None:
        return
    reader.refuse_unread(element)
    condition = None
    if not isinstance(source, (gateways.ParallelGateway, gateways.EventBasedGateway)):
        condition = reader.expression(element, read_condition(element))
    flow_id = element.get("id") or f"{source.name}:{len(source.outgoing)}"
    flow = Flow(flow_id, source, target, condition)
    source.link(flow)
    if reader.defaults.get(source) == element.get("id") is not None:
        source.default = flow
    if isinstance(source, boundary.BoundaryEvent):
        source.fired.conditional = source.conditional


def read_boundary_event(reader: ModelReader, process: Process, element: etree._Element) -> None:
    """An event on a border, once the activities are there."""
    host = process.nodes.get(referred(element, "attachedToRef") or "")
    if not isinstance(host, Activity):
        return
    reader.refuse_unread(element)
    event = mapped(reader, process, element, boundary.BoundaryEvent)
    event.definitions = read_definitions(reader, element)
    event.parallel_multiple = is_true(element, "parallelMultiple")
    event.interrupting = is_true(element, "cancelActivity", default=True)
    if any(definition.kind in ("error", "cancel", "compensate") for definition in event.definitions):
        event.interrupting = True
    event.host = host
    event.fired = boundary.Fired(event)
    process.nodes[event.name] = event
    process.nodes[event.fired.name] = event.fired
    if not any(definition.kind == "compensate" for definition in event.definitions):
        host.boundary = (*host.boundary, event)


def join_handlers(process: Process, element: etree._Element) -> None:
    """A compensation event on a border names its handler by an association (BPMN 2.0, 10.7)."""
    for part in children(element, "association"):
        source = process.nodes.get(referred(part, "sourceRef") or "")
        target = process.nodes.get(referred(part, "targetRef") or "")
        if (
            isinstance(source, boundary.BoundaryEvent)
            and isinstance(source.host, Activity)
            and isinstance(target, Activity)
            and any(definition.kind == "compensate" for definition in source.definitions)
        ):
            source.host.compensation = target
            target.for_compensation = True


def note_outputs_read(process: Process) -> None:
    """Note with each compensation handler what it reads of the outputs, once all inside of it is read."""
    for node in process.nodes.values():
        handler = node.compensation_handler()
        if handler is not None and (read := OutputsRead.of(handler)).paths:
            handler.outputs_read = read


def join_links(process: Process) -> None:
    """Lead from each throwing link to those that catch it (BPMN 2.0, 10.5.5)."""
    catching: dict[str | None, list[events.CatchEvent]] = {}
    for node in process.nodes.values():
        if type(node) is events.CatchEvent and node.definitions and node.definitions[0].kind == "link":
            catching.setdefault(node.definitions[0].name, []).append(node)
    for node in process.nodes.values():
        if isinstance(node, events.ThrowEvent) and node.definitions and node.definitions[0].kind == "link":
            node.link_targets = catching.get(node.definitions[0].name, [])
            for target in node.link_targets:
                flow = Flow(f"{node.name}:{target.name}", node, target)
                target.incoming.append(flow)


def find_entries(process: Process) -> None:
    """Find where tokens begin: by themselves, by a trigger, in an event sub-process, or beside a throw event."""
    nodes = list(process.nodes.values())
    starts = [node for node in nodes if isinstance(node, events.StartEvent)]
    process.starting = [(start, start.definitions) for start in starts if start.definitions]
    for node in nodes:
        process.starting.extend(_instantiating(node))
    if starts:
        process.entries = [start for start in starts if not start.definitions]
    else:
        process.entries = [node for node in nodes if _begins_by_itself(node)]
    for node in nodes:
        if isinstance(node, EventSubProcess):
            process.event_sub_processes.append(node)
            process.nodes[node.listener.name] = node.listener
    for node in nodes:
        if isinstance(node, events.ThrowEvent) and any(each.kind in SENT for each in node.definitions):
            node.sent = events.Sent(node)
            process.nodes[node.sent.name] = node.sent


def _instantiating(node: Node) -> list[tuple[Node, Sequence[EventDefinition]]]:
    """The nodes besides start events whose trigger starts an instance, with that trigger (BPMN 2.0, 13.4.4)."""
    if isinstance(node, tasks.ReceiveTask) and node.instantiate:
        return [(node, node.definitions)]
    if not isinstance(node, gateways.EventBasedGateway) or not node.instantiate:
        return []
    catching = [flow.target for flow in node.outgoing if isinstance(flow.target, events.CatchEvent)]
    if node.all_must_come:
        for each in catching:
            each.partners = [other for other in catching if other is not each]
    return [(each, each.definitions) for each in catching]


def _begins_by_itself(node: Node) -> bool:
    """Whether a process without a start event begins here (BPMN 2.0, 10.5.2)."""
    if node.incoming or isinstance(node, (boundary.BoundaryEvent, boundary.Fired, EventSubProcess)):
        return False
    if isinstance(node, (tasks.ReceiveTask, gateways.EventBasedGateway)) and node.instantiate:
        return False
    if isinstance(node, Activity) and node.for_compensation:
        return False
    return not (isinstance(node, events.CatchEvent) and node.definitions and node.definitions[0].kind == "link")
