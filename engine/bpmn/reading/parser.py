"""From checked XML to processes that can run, every element read by the class that runs it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from lxml import etree

from ...dmn.reader import Decisions
from ...errors import ExpressionError
from ...findings import Finding
from ...language.compiler import Compiler
from ...language.expressions import Expression, Value, compile_expression, compile_value
from ...limits import Limits
from ..elements import boundary, events, gateways, subprocesses, tasks
from ..elements.activity import Activity
from ..elements.event_subprocess import EventSubProcess
from ..running.event_definitions import EventDefinition
from ..running.node import Flow, Node, Process
from .activity_readers import mapped
from .event_readers import read_definitions
from .expression_texts import ExpressionText, read_condition
from .mappings import Input, OutputMapping
from .readers import READERS
from .unread import foreign, unread
from .vendors import extensions
from .words import BPMN, bpmn_name, children, is_true, label, own_text, referred

# What a process may hold that no token ever stands on and that says nothing about running it.
SILENT = frozenset(
    """documentation extensionElements laneSet dataObject dataObjectReference dataStoreReference association
    group textAnnotation category ioSpecification ioBinding property artifact auditing monitoring resourceRole performer
    humanPerformer potentialOwner supportedInterfaceRef correlationSubscription incoming outgoing
    standardLoopCharacteristics multiInstanceLoopCharacteristics completionCondition dataInputAssociation
    dataOutputAssociation""".split()
)

MOST_FINDINGS = 500
NAMED = frozenset({"message", "signal", "error", "escalation"})
"""What events of all processes refer to."""


def real_number(text: str) -> float:
    """The finite number that a text says; raises ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


INITIAL: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("int", "integer", "long", "short"), lambda text: int(text[:30])),
    **dict.fromkeys(("double", "float", "decimal"), real_number),
    "boolean": lambda text: text.strip().lower() == "true",
}
"""How the value of a data object is read, by its type; all others are texts."""
SENT = frozenset({"message", "signal", "compensate"})
"""What a throw event sends on its way, apart from its own token."""


class Parsed(NamedTuple):
    """What a bundle of files holds: its processes by id, and everything that was found wrong."""

    processes: Mapping[str, Process]
    executable: Sequence[str]
    findings: Sequence[Finding]
    stone_tasks: Sequence[tasks.StoneTask]


class Parser:
    """Reads the files of one deployment together, so that call activities find each other."""

    def __init__(
        self,
        roots: Sequence[etree._Element],
        *,
        limits: Limits,
        scripts: bool,
        compiler: Compiler | None = None,
        decisions: Decisions | None = None,
        names: Sequence[str | None] = (),
    ) -> None:
        self.roots = roots
        self.names = dict(zip(roots, names, strict=False))
        """By root the name of its file, where that is known."""
        self.compiler = compiler or Compiler(limits)
        self.decisions = decisions or Decisions((), self.compiler)
        self.limits = limits
        self.scripts = scripts
        self.findings: list[Finding] = []
        self.has_error = False
        self.by_id: dict[str, etree._Element] = {}
        self.processes: dict[str, Process] = {}
        self.calls: list[subprocesses.CallActivity] = []
        self.defaults: dict[Node, str] = {}
        self.stone_tasks: list[tasks.StoneTask] = []
        self.global_tasks: dict[str, etree._Element] = {}
        self.foreign: set[str] = set()
        """The namespaces of unknown vendors that have been told of."""

    def parse(self) -> Parsed:
        """Every process of every file; what cannot run is a finding, not an exception."""
        for root in self.roots:
            for element in root:
                if element.get("id"):
                    self.by_id[str(element.get("id"))] = element
                if bpmn_name(element) in NAMED:
                    self._not_understood(element)
                for operation in children(element, "operation"):
                    self.by_id[str(operation.get("id"))] = operation
                if bpmn_name(element).startswith("global") and bpmn_name(element).endswith("Task"):
                    self.global_tasks[str(element.get("id"))] = element
        executable: list[str] = []
        for root in self.roots:
            for element in root:
                if bpmn_name(element) == "process":
                    process = self._process(element)
                    if is_true(element, "isExecutable", default=True):
                        executable.append(process.name)
        for call in self.calls:
            call.own_process = self.processes.get(call.called) or self._global_task(call)
        self.findings.extend(self.decisions.findings)
        return Parsed(self.processes, executable, self.findings, self.stone_tasks)

    # -- findings and expressions

    def wrong(self, element: etree._Element, code: str, text: str, severity: str = "error") -> None:
        """Report something about an element; nobody reads more than the first few hundred."""
        if len(self.findings) >= MOST_FINDINGS and (severity != "error" or self.has_error):
            return
        self.has_error = self.has_error or severity == "error"
        self.findings.append(
            Finding(
                code=code,
                severity="error" if severity == "error" else "warning",
                text=text,
                element_id=element.get("id"),
                line=element.sourceline,
                source=self.names.get(element.getroottree().getroot()),
            )
        )

    def expression(self, element: etree._Element, text: ExpressionText | None) -> Expression | None:
        """Compile an expression of an element; what is wrong with it is a finding of the element."""
        if text is None:
            return None
        try:
            return self.compiler.expression(text.text, text.language)
        except ExpressionError as error:
            self.wrong(element, "expression", f"An expression of {label(element)} is wrong: {error.message}")
            return compile_expression("null", limits=self.limits)

    def value(self, element: etree._Element, given: Input | OutputMapping) -> Value:
        """Compile a value with expressions in its strings."""
        try:
            return self.compiler.value(given.value, given.language)
        except ExpressionError as error:
            self.wrong(element, "expression", f"A value of {label(element)} is wrong: {error.message}")
            return compile_value(None, limits=self.limits)

    # -- processes

    def _process(self, element: etree._Element) -> Process:
        process = Process(str(element.get("id")), element.get("name"))
        self.processes[process.name] = process
        self._not_understood(element)
        self.fill(process, element)
        return process

    def _global_task(self, call: subprocesses.CallActivity) -> Process | None:
        """A called global task runs as a process with that one task in it (BPMN 2.0, 10.3.4)."""
        element = self.global_tasks.get(call.called)
        if element is None:
            return None
        process = Process(call.called, element.get("name"))
        task = deepcopy(element)
        task.tag = f"{{{BPMN}}}{bpmn_name(element)[6:7].lower()}{bpmn_name(element)[7:]}"
        task.set("id", f"{call.called}:task")
        self.read_node(process, task)
        process.entries = list(process.nodes.values())
        self.processes[process.name] = process
        return process

    def fill(self, process: Process, element: etree._Element) -> None:
        """Read all nodes of a process or sub-process, then join them by flows."""
        flows: list[etree._Element] = []
        boundary: list[etree._Element] = []
        for part in element:
            name = bpmn_name(part)
            if name == "dataObject":
                self._initial(process, part)
            if name == "sequenceFlow":
                flows.append(part)
            elif name == "boundaryEvent":
                boundary.append(part)
            elif name and name not in SILENT:
                self.read_node(process, part)
            if name.startswith("data") and name.endswith("Association"):
                text = f"The data association in {label(element)} is not used."
                self.wrong(part, "data-association", text, "warning")
        for part in boundary:
            self._boundary(process, part)
        for part in flows:
            self._flow(process, part)
        self._associations(process, element)
        self._links(process, element)
        self._finish(process)

    def _initial(self, process: Process, element: etree._Element) -> None:
        """A data object to which Activiti or Flowable gives a value is a variable that begins with it."""
        for value in extensions(element, "value"):
            text, kind = own_text(value), (referred(element, "itemSubjectRef") or "string").lower()
            try:
                process.initial[element.get("name") or str(element.get("id"))] = INITIAL.get(kind, str)(text)
            except ValueError:
                why = f"The value {text[:80]!r} of {label(element)} is no {kind}: correct it."
                self.wrong(element, "data-value", why)

    def read_node(self, process: Process, element: etree._Element) -> Node | None:
        """The node of one flow element, put into the process."""
        reader = READERS.get(bpmn_name(element))
        if reader is None:
            text = f"{label(element)} cannot be run: {bpmn_name(element)} is not supported."
            self.wrong(element, "unsupported-element", text)
            return None
        self._not_understood(element)
        node = reader(self, process, element)
        if node is not None:
            process.nodes[node.name] = node
            if (default := referred(element, "default")) is not None:
                self.defaults[node] = default
        return node

    def _not_understood(self, element: etree._Element) -> None:
        for what in unread(element):
            text = f"{what} of {label(element)} cannot be run here: remove it, or let a task of its own do that."
            self.wrong(element, "not-understood", text)
        for namespace in foreign(element):
            if namespace not in self.foreign:
                self.foreign.add(namespace)
                text = f"What {label(element)} and others say in the namespace {namespace[:200]!r} is not read."
                self.wrong(element, "foreign-extension", text, "warning")

    def _flow(self, process: Process, element: etree._Element) -> None:
        source = process.nodes.get(referred(element, "sourceRef") or "")
        target = process.nodes.get(referred(element, "targetRef") or "")
        if source is None or target is None:
            return
        self._not_understood(element)
        condition = None
        if not isinstance(source, (gateways.ParallelGateway, gateways.EventBasedGateway)):
            condition = self.expression(element, read_condition(element))
        flow_id = element.get("id") or f"{source.name}:{len(source.outgoing)}"
        flow = Flow(flow_id, source, target, condition)
        source.link(flow)
        if self.defaults.get(source) == element.get("id") is not None:
            source.default = flow
        if isinstance(source, boundary.BoundaryEvent):
            source.fired.conditional = source.conditional

    def _boundary(self, process: Process, element: etree._Element) -> None:
        host = process.nodes.get(referred(element, "attachedToRef") or "")
        if not isinstance(host, Activity):
            return
        self._not_understood(element)
        event = mapped(self, process, element, boundary.BoundaryEvent)
        event.definitions = read_definitions(self, element)
        event.parallel_multiple = is_true(element, "parallelMultiple")
        event.interrupting = is_true(element, "cancelActivity", default=True)
        if any(definition.kind in ("error", "cancel", "compensate") for definition in event.definitions):
            event.interrupting = True
        event.host = host
        event.fired = boundary.Fired(event)
        process.nodes[event.name] = event
        process.nodes[event.fired.name] = event.fired
        if not any(definition.kind == "compensate" for definition in event.definitions):
            host.boundary.append(event)

    def _associations(self, process: Process, element: etree._Element) -> None:
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

    def _links(self, process: Process, element: etree._Element) -> None:
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

    def _finish(self, process: Process) -> None:
        nodes = list(process.nodes.values())
        starts = [node for node in nodes if isinstance(node, events.StartEvent)]
        process.starting = [(start, start.definitions) for start in starts if start.definitions]
        for node in nodes:
            process.starting.extend(self._instantiating(node))
        if starts:
            process.entries = [start for start in starts if not start.definitions]
        else:
            process.entries = [node for node in nodes if begins_by_itself(node)]
        for node in nodes:
            if isinstance(node, EventSubProcess):
                process.event_sub_processes.append(node)
                process.nodes[node.listener.name] = node.listener
        for node in nodes:
            if isinstance(node, events.ThrowEvent) and any(each.kind in SENT for each in node.definitions):
                node.sent = events.Sent(node)
                process.nodes[node.sent.name] = node.sent

    @staticmethod
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

    # -- one node

    def node(self, kind: type[Any], process: Process, element: etree._Element) -> Any:
        """A node of this class with the element's id, name and line."""
        made = kind(process, str(element.get("id")), title=element.get("name"), line=element.sourceline)
        made.source = self.names.get(element.getroottree().getroot())
        return made


def begins_by_itself(node: Node) -> bool:
    """Whether a process without a start event begins here (BPMN 2.0, 10.5.2)."""
    if node.incoming or isinstance(node, (boundary.BoundaryEvent, boundary.Fired, EventSubProcess)):
        return False
    if isinstance(node, (tasks.ReceiveTask, gateways.EventBasedGateway)) and node.instantiate:
        return False
    if isinstance(node, Activity) and node.for_compensation:
        return False
    return not (isinstance(node, events.CatchEvent) and node.definitions and node.definitions[0].kind == "link")
