"""From checked XML to processes that can run, every element read by the class that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any, NamedTuple

from lxml import etree

from ...dmn.decisions import Decisions
from ...errors import ExpressionError
from ...findings import Finding
from ...language.numerals import read_number
from ...language.operators import Number
from ..elements.activity import Activity
from ..elements.tasks import StoneTask
from ..running.failure_policy import FailurePolicy, read_policy
from ..running.node import Process
from .bindings import read_properties, read_version_tag, says
from .flow_readers import find_entries, join_handlers, join_links, note_outputs_read, read_boundary_event, read_flow
from .model_reader import ModelReader
from .node_readers import READERS
from .people.form_files import FormFiles
from .vendors import NOT_YET_USED, extensions
from .words import SUB_PROCESSES, bpmn_name, children, is_true, label, own_text, qualified, referred

# What a process may hold that no token ever stands on and that says nothing about running it.
SILENT = frozenset(
    """documentation extensionElements laneSet dataObject dataObjectReference dataStoreReference association
    group textAnnotation category ioSpecification ioBinding property artifact auditing monitoring resourceRole performer
    humanPerformer potentialOwner supportedInterfaceRef correlationSubscription incoming outgoing
    standardLoopCharacteristics multiInstanceLoopCharacteristics completionCondition dataInputAssociation
    dataOutputAssociation""".split()
)

NAMED = frozenset({"message", "signal", "error", "escalation"})
"""What events of all processes refer to."""


def _whole(text: str) -> int:
    number = read_number(text.strip())
    if not isinstance(number, int):
        raise ValueError(text)
    return number


def _real(text: str) -> Number:
    number = read_number(text.strip())
    if number is None:
        raise ValueError(text)
    # A decimal may be whole and have more digits than a double.
    return float(number) if float(number) == number else number


INITIAL: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("int", "integer", "long", "short"), _whole),
    **dict.fromkeys(("double", "float", "decimal"), _real),
    "boolean": lambda text: text.strip().lower() == "true",
}
"""How the value of a data object is read, by its type; all others are texts."""


def _sub_processes(element: etree._Element) -> Iterator[etree._Element]:
    """All sub-processes inside a process, in the order of the file."""
    pending = [element]
    while pending:
        current = pending.pop()
        if bpmn_name(current) in SUB_PROCESSES:
            yield current
        if bpmn_name(current) in SUB_PROCESSES or current is element:
            pending.extend(reversed(current))


def _on_failure(element: etree._Element) -> FailurePolicy | None:
    """What an element says should follow when it fails; what cannot be read was refused before."""
    if not (text := read_properties(element).get("onFailure")):
        return None
    with suppress(ExpressionError):
        return read_policy(text)
    return None


class ParsedModels(NamedTuple):
    """What a bundle of files holds, and everything that was found wrong."""

    processes: Mapping[str, Process]
    """By id, called global tasks among them."""
    executable: Sequence[str]
    """The ids of those that can be started, in the order of the files."""
    findings: Sequence[Finding] = ()
    stone_tasks: Sequence[StoneTask] = ()
    decisions: Decisions | None = None
    forms: FormFiles | None = None

    @property
    def key(self) -> str | None:
        """By which the bundle is found: of its first process that can be started, else of its first file of DMN."""
        if self.executable or self.processes or self.decisions is None:
            return next(iter(self.executable), None)
        return self.decisions.key

    @property
    def name(self) -> str | None:
        """What the author calls it."""
        key = self.key
        if key in self.processes:
            return self.processes[str(key)].description
        return None if self.decisions is None else self.decisions.name


class ModelParser(ModelReader):
    """Reads the files of one deployment together, so that call activities find each other."""

    def parse(self) -> ParsedModels:
        """Every process of every file; what cannot run is reported, not raised."""
        for root in self.roots:
            for element in root:
                if element.get("id"):
                    self.by_id[str(element.get("id"))] = element
                if bpmn_name(element) in NAMED:
                    self.refuse_unread(element)
                for operation in children(element, "operation"):
                    self.by_id[str(operation.get("id"))] = operation
        processes: dict[str, Process] = {}
        executable: list[str] = []
        for root in self.roots:
            for element in children(root, "process"):
                process = processes[str(element.get("id"))] = self._process(element)
                if is_true(element, "isExecutable", default=True):
                    executable.append(process.name)
        for call in self.calls:
            if call.called not in processes and (task := self._global_task(call.called)) is not None:
                processes[call.called] = task
            own, version = processes.get(call.called), call.version
            call.own_process = own if own is None or version.tag in (None, own.version_tag) else None
            if version.number is not None:
                call.own_process = None
        if not self.roots:
            self.decisions.use_all()
        self._warn_of_unused()
        self.report.add(*self.decisions.findings)
        return ParsedModels(processes, executable, self.report.findings, self.stone_tasks, self.decisions, self.forms)

    def _warn_of_unused(self) -> None:
        for name, elements in self.unused.items():
            more = f" and {len(elements) - 1} more" if len(elements) > 1 else ""
            text = f"The {name} of {label(elements[0])}{more} is not used yet: {NOT_YET_USED[name]}."
            self.report.warning("not-yet-used", elements[0], text)

    def _process(self, element: etree._Element) -> Process:
        process = Process(str(element.get("id")), element.get("name"))
        process.version_tag = read_version_tag(element)
        self.refuse_unread(element)
        process.on_failure = _on_failure(element)
        # The innermost first, so that each finds its inside ready: a model nests as deep as it likes.
        for inner in reversed(list(_sub_processes(element))):
            body = Process(str(inner.get("id")), inner.get("name"))
            self.fill(body, inner)
            self.bodies[inner] = body
        self.fill(process, element)
        return process

    def _global_task(self, called: str) -> Process | None:
        """A called global task runs as a process with that one task in it (BPMN 2.0, 10.3.4)."""
        element = self.by_id.get(called)
        name = "" if element is None else bpmn_name(element)
        if element is None or not (name.startswith("global") and name.endswith("Task")):
            return None
        process = Process(called, element.get("name"))
        task = deepcopy(element)
        task.tag = qualified(name[6:7].lower() + name[7:])
        task.set("id", f"{called}:task")
        self._node(process, task)
        process.entries = list(process.nodes.values())
        return process

    def fill(self, process: Process, element: etree._Element) -> None:
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
                self._node(process, part)
            if name.startswith("data") and name.endswith("Association"):
                text = f"The data association in {label(element)} is not used."
                self.report.warning("data-association", part, text)
        for part in boundary:
            read_boundary_event(self, process, part)
        for part in flows:
            read_flow(self, process, part)
        self._warn_of_no_error(process, element)
        join_handlers(process, element)
        join_links(process)
        find_entries(process)
        note_outputs_read(process)

    def _undo_on_compensation(self, element: etree._Element) -> bool | None:
        """What the nearest of an element and those around it says; each of these is read once."""
        asked: list[etree._Element] = []
        current: etree._Element | None = element
        said = None
        while current is not None and said is None and current not in self.around:
            asked.append(current)
            said = says(current, "undoOnCompensation")
            current = current.getparent()
        if said is None and current is not None:
            said = self.around[current]
        self.around.update(dict.fromkeys(asked, said))
        return said

    def _warn_of_no_error(self, process: Process, element: etree._Element) -> None:
        for part in element:
            node = process.nodes.get(str(part.get("id")))
            events = node.boundary if isinstance(node, Activity) and node.undo_on_error else None
            if events is not None and not any(each.kind == "error" for event in events for each in event.definitions):
                text = f"{label(part)} has undoOnError, and no error event on its border: nothing leaves it that way."
                self.report.warning("undo-on-error", part, text)

    def _initial(self, process: Process, element: etree._Element) -> None:
        """A data object to which Activiti or Flowable gives a value is a variable that begins with it."""
        for value in extensions(element, "value"):
            text, kind = own_text(value), (referred(element, "itemSubjectRef") or "string").lower()
            try:
                process.initial[element.get("name") or str(element.get("id"))] = INITIAL.get(kind, str)(text)
            except ValueError:
                why = f"The value {text[:80]!r} of {label(element)} is no {kind}: correct it."
                self.report.error("data-value", element, why)

    def _node(self, process: Process, element: etree._Element) -> None:
        """Put the node of one flow element into the process."""
        read = READERS.get(bpmn_name(element))
        if read is None:
            text = f"{label(element)} cannot be run: {bpmn_name(element)} is not supported."
            self.report.error("unsupported-element", element, text)
            return
        self.refuse_unread(element)
        node = read(self, process, element)
        if node is not None:
            process.nodes[node.name] = node
            if (policy := _on_failure(element)) is not None:
                node.on_failure = policy
            if says(element, "undoOnError") is True:
                node.undo_on_error = True
            if (undoes := self._undo_on_compensation(element)) is not None:
                node.undo_on_compensation = undoes
            if (default := referred(element, "default")) is not None:
                self.defaults[node] = default
