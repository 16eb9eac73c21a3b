"""A BPMN file indexed once, for all checks to share."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from lxml import etree

from ..reading.words import EVENT_DEFINITIONS, FLOW_NODES, SUB_PROCESSES, bpmn_name, child, children, is_true


class Outline:
    """What stands where in a file: elements by id and by tag, scopes, sequence flows by their ends.

    Content of ``extensionElements`` belongs to others (BPMN 2.0, 8.2.3) and is left out.
    """

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.by_id: dict[str, etree._Element] = {}
        self.repeated: list[etree._Element] = []
        self.by_tag: dict[str, list[etree._Element]] = defaultdict(list)
        self.scope: dict[etree._Element, etree._Element] = {}
        self.process: dict[etree._Element, etree._Element] = {}
        self.outgoing: dict[str, list[etree._Element]] = defaultdict(list)
        self.incoming: dict[str, list[etree._Element]] = defaultdict(list)
        self.widest, self.width = root, 0
        self._definitions: dict[etree._Element, list[etree._Element]] = {}
        self._choreographies: dict[etree._Element, set[etree._Element | None]] = {}
        self._kinds: dict[etree._Element, frozenset[str]] = {}
        self._namespaces = dict(root.nsmap)
        self._namespace_work = 0
        self._index()
        for flow in self.by_tag["sequenceFlow"]:
            self.outgoing[flow.get("sourceRef", "")].append(flow)
            self.incoming[flow.get("targetRef", "")].append(flow)

    def _index(self) -> None:
        open_elements: list[tuple[etree._Element, etree._Element | None, etree._Element | None]]
        open_elements = [(self.root, None, None)]
        while open_elements:
            element, scope, process = open_elements.pop()
            tag = bpmn_name(element)
            element_id = element.get("id")
            if element_id is not None and element_id in self.by_id:
                self.repeated.append(element)
            elif element_id is not None:
                self.by_id[element_id] = element
            if tag:
                self.by_tag[tag].append(element)
                if scope is not None and process is not None:
                    self.scope[element] = scope
                    self.process[element] = process
                if tag == "process":
                    scope = process = element
                elif tag in SUB_PROCESSES:
                    scope = element
            if (width := len(element)) > self.width:  # lxml counts the children each time
                self.widest, self.width = element, width
            if tag != "extensionElements":
                open_elements.extend((child, scope, process) for child in reversed(element) if type(child.tag) is str)

    @cached_property
    def nodes(self) -> list[etree._Element]:
        """The flow nodes of all processes; of several with one id the first, as whatever looks it up finds."""
        repeated = set(self.repeated)
        nodes = (node for tag in sorted(FLOW_NODES) for node in self.by_tag[tag])
        return [node for node in nodes if node in self.scope and node not in repeated]

    @cached_property
    def nodes_by_scope(self) -> dict[etree._Element, list[etree._Element]]:
        """The flow nodes that a process or sub-process holds directly."""
        found: dict[etree._Element, list[etree._Element]] = defaultdict(list)
        for node in self.nodes:
            found[self.scope[node]].append(node)
        return found

    @cached_property
    def boundary_events(self) -> dict[str, list[etree._Element]]:
        """Boundary events by the id of the activity that they are attached to."""
        found: dict[str, list[etree._Element]] = defaultdict(list)
        for event in self.by_tag["boundaryEvent"]:
            found[self.local(event, event.get("attachedToRef", "")) or ""].append(event)
        return found

    @cached_property
    def associations(self) -> dict[str, list[etree._Element]]:
        """Associations by the ids of both their ends."""
        found: dict[str, list[etree._Element]] = defaultdict(list)
        for association in self.by_tag["association"]:
            for end in ("sourceRef", "targetRef"):
                found[self.local(association, association.get(end, "")) or ""].append(association)
        return found

    @cached_property
    def lists_flows(self) -> bool:
        """Whether the file writes ``incoming`` and ``outgoing`` at all."""
        return bool(self.by_tag["incoming"] or self.by_tag["outgoing"])

    def choreographies_of(self, collaboration: etree._Element) -> set[etree._Element | None]:
        """The choreographies that a collaboration refers to."""
        known = self._choreographies.get(collaboration)
        if known is None:
            references = children(collaboration, "choreographyRef")
            known = {self.find(reference, reference.text) for reference in references}
            self._choreographies[collaboration] = known
        return known

    def local(self, element: etree._Element, reference: str) -> str | None:
        """The id that a QName means, None when it points into another file (XML namespaces; BPMN 2.0, 15.3.2)."""
        prefix, colon, local = reference.rpartition(":")
        if not colon:
            return reference
        uri = self._namespaces.get(prefix) or self._inner_namespace(element, prefix)
        return local if uri is not None and uri == self.root.get("targetNamespace") else None

    def _inner_namespace(self, element: etree._Element, prefix: str) -> str | None:
        # lxml lists all namespaces of an element each time, which a hostile file would make too many.
        if self._namespace_work > 1_000_000:
            return None
        namespaces = element.nsmap
        self._namespace_work += len(namespaces)
        return namespaces.get(prefix)

    def find(self, element: etree._Element, reference: str | None) -> etree._Element | None:
        """The element of this file that ``reference``, written at ``element``, means."""
        local = self.local(element, reference.strip()) if reference else None
        return self.by_id.get(local) if local else None

    def definitions(self, event: etree._Element) -> list[etree._Element]:
        """The event definitions of an event, its own and the referenced ones."""
        known = self._definitions.get(event)
        if known is None:
            known = self._definitions[event] = self._find_definitions(event)
        return known

    def kinds(self, event: etree._Element) -> frozenset[str]:
        """The tags of the event's definitions."""
        known = self._kinds.get(event)
        if known is None:
            known = self._kinds[event] = frozenset(bpmn_name(definition) for definition in self.definitions(event))
        return known

    def _find_definitions(self, event: etree._Element) -> list[etree._Element]:
        found = []
        for part in event:
            tag = bpmn_name(part)
            if tag in EVENT_DEFINITIONS:
                found.append(part)
            elif tag == "eventDefinitionRef":
                referenced = self.find(part, part.text)
                if referenced is not None and bpmn_name(referenced) in EVENT_DEFINITIONS:
                    found.append(referenced)
        return found

    def flows_out(self, node: etree._Element) -> list[etree._Element]:
        return self.outgoing.get(node.get("id", ""), [])

    def flows_in(self, node: etree._Element) -> list[etree._Element]:
        return self.incoming.get(node.get("id", ""), [])

    @cached_property
    def _link_catches(self) -> dict[tuple[etree._Element | None, str], list[etree._Element]]:
        found: dict[tuple[etree._Element | None, str], list[etree._Element]] = defaultdict(list)
        for event in self.by_tag["intermediateCatchEvent"]:
            for definition in children(event, "linkEventDefinition"):
                catches = found[self.scope.get(event), definition.get("name", "")]
                if not catches or catches[-1] is not event:
                    catches.append(event)
        return found

    def link_targets(self, definition: etree._Element) -> list[etree._Element]:
        """The catch events that a throwing link goes to: by its ``target``, else by its name on the same level."""
        event = definition.getparent()
        if event is None or bpmn_name(definition) != "linkEventDefinition":
            return []
        target = child(definition, "target")
        if target is not None:
            referenced = self.find(target, target.text)
            found = referenced.getparent() if referenced is not None else None
            return [found] if found is not None and bpmn_name(found) == "intermediateCatchEvent" else []
        return self._link_catches.get((self.scope.get(event), definition.get("name", "")), [])

    def executable(self, element: etree._Element) -> bool:
        """Whether the process around ``element`` is to be run; one that does not say counts as one that is."""
        process = self.process.get(element)
        return process is not None and is_true(process, "isExecutable", default=True)
