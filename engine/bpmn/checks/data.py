"""Data: what is read and written fits together (BPMN 2.0, 10.3)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import ACTIVITIES, EVENTS, SUB_PROCESSES, all_text, bpmn_name, child, children, is_true, label
from .outline import Outline

_REFERENCES = {"dataObjectReference": "dataObjectRef", "dataStoreReference": "dataStoreRef"}


def check_data(outline: Outline, report: Report) -> None:
    """Report data whose declaration, use and type contradict each other."""
    for tag in ("dataObject", "dataInput", "dataOutput"):
        for data in outline.by_tag[tag]:
            _check_collection(outline, report, data)
    for reference in outline.by_tag["dataObjectReference"]:
        _check_state_name(outline, report, reference)
    for tag in ("ioSpecification", "startEvent", "intermediateCatchEvent", "boundaryEvent", *_THROWING):
        for owner in outline.by_tag[tag]:
            _check_sets(report, owner)
    for tag in ("dataInputAssociation", "dataOutputAssociation"):
        for association in outline.by_tag[tag]:
            _check_association(outline, report, association)
    for node in outline.nodes:
        multiple = child(node, "multiInstanceLoopCharacteristics")
        if multiple is not None and bpmn_name(node) in ACTIVITIES - SUB_PROCESSES and outline.executable(node):
            _check_scalar(outline, report, node, multiple)
    for event in (node for node in outline.nodes if bpmn_name(node) in EVENTS):
        _check_event(outline, report, event)


_THROWING = ("intermediateThrowEvent", "endEvent")


def same_item(first: etree._Element | None, second: etree._Element | None) -> bool:
    """Whether two item definitions are one, or describe one structure."""
    if first is None or second is None:
        return False
    structure = first.get("structureRef")
    return first is second or (structure is not None and structure == second.get("structureRef"))


def item(outline: Outline, data: etree._Element | None) -> etree._Element | None:
    """The item definition of data, found through references to data objects and stores."""
    if data is None:
        return None
    own = outline.find(data, data.get("itemSubjectRef"))
    if own is None and bpmn_name(data) in _REFERENCES:
        return item_of_target(outline, data)
    return own if own is not None and bpmn_name(own) == "itemDefinition" else None


def item_of_target(outline: Outline, reference: etree._Element) -> etree._Element | None:
    target = outline.find(reference, reference.get(_REFERENCES[bpmn_name(reference)]))
    if target is None or bpmn_name(target) in _REFERENCES:
        return None
    return item(outline, target)


def _check_collection(outline: Outline, report: Report, data: etree._Element) -> None:
    definition = item(outline, data)
    if definition is not None and is_true(data, "isCollection") != is_true(definition, "isCollection"):
        report.formal(
            "collection-mismatch",
            data,
            f"The {label(data)} and its itemDefinition {definition.get('id')!r} differ in isCollection:"
            " make them equal.",
        )


def _check_state_name(outline: Outline, report: Report, reference: etree._Element) -> None:
    """A reference to a data object in a state is called "object [state]" (table 10.52)."""
    data, state = outline.find(reference, reference.get("dataObjectRef")), child(reference, "dataState")
    if data is None or state is None or not (data.get("name") and state.get("name") and reference.get("name")):
        return
    wanted = f"{data.get('name')} [{state.get('name')}]"
    if reference.get("name") != wanted:
        report.formal(
            "data-state-name",
            reference,
            f"The {label(reference)} is called {reference.get('name')!r} in a state: call it {wanted!r}.",
        )


def _check_sets(report: Report, owner: etree._Element) -> None:
    for data_tag, set_tag, references, others in (
        ("dataInput", "inputSet", "dataInputRefs", ("optionalInputRefs", "whileExecutingInputRefs")),
        ("dataOutput", "outputSet", "dataOutputRefs", ("optionalOutputRefs", "whileExecutingOutputRefs")),
    ):
        sets = children(owner, set_tag)
        listed = {all_text(entry) for each in sets for entry in children(each, references)}
        for data in children(owner, data_tag):
            if data.get("id") not in listed:
                report.formal(
                    "data-in-no-set",
                    data,
                    f"No {set_tag} lists {label(data)}: add <{references}>{data.get('id')}</{references}> to one.",
                )
        for each in sets:
            own = {all_text(entry) for entry in children(each, references)}
            for entry in (entry for tag in others for entry in children(each, tag)):
                if all_text(entry) not in own:
                    report.formal(
                        "data-set-subset",
                        entry,
                        f"The {label(each)} has {all_text(entry)!r} in {bpmn_name(entry)} but not in {references}:"
                        " add it.",
                    )
    _check_mutual_sets(report, owner)


def _check_mutual_sets(report: Report, owner: etree._Element) -> None:
    pairs = {
        tag: {
            (each.get("id"), all_text(entry)) for each in children(owner, tag) for entry in children(each, references)
        }
        for tag, references in (("inputSet", "outputSetRefs"), ("outputSet", "inputSetRefs"))
    }
    one_sided = pairs["inputSet"] ^ {(output, own) for own, output in pairs["outputSet"]}
    for first, second in sorted(one_sided, key=str):
        report.formal(
            "data-sets-not-mutual",
            owner,
            f"Only one of the inputSet {first!r} and the outputSet {second!r} refers to the other: add the reference"
            " back.",
        )


def _check_association(outline: Outline, report: Report, association: etree._Element) -> None:
    sources = [outline.find(entry, all_text(entry)) for entry in children(association, "sourceRef")]
    target_entry = child(association, "targetRef")
    target = outline.find(target_entry, all_text(target_entry)) if target_entry is not None else None
    for data, tag, does in ((target, "dataInput", "writes"), *((source, "dataOutput", "reads") for source in sources)):
        owner = data.getparent() if data is not None and bpmn_name(data) == tag else None
        process = owner.getparent() if owner is not None and bpmn_name(owner) == "ioSpecification" else None
        if data is not None and process is not None and bpmn_name(process) == "process":
            report.formal(
                "process-data-direction",
                association,
                f"The {label(association)} {does} {label(data)} of its own process: use a data object.",
            )
    if child(association, "transformation") is not None:
        return
    if len(sources) > 1 or (not sources and child(association, "assignment") is None):
        report.formal(
            "data-association-sources",
            association,
            f"The {label(association)} has {len(sources)} sources and no transformation: give it one sourceRef.",
        )
    elif sources:
        ends = item(outline, sources[0]), item(outline, target)
        if None not in ends and not same_item(*ends):
            report.formal(
                "data-association-types",
                association,
                f"The {label(association)} joins data of different item definitions: add a transformation or make them"
                " equal.",
            )


def _check_scalar(outline: Outline, report: Report, activity: etree._Element, multiple: etree._Element) -> None:
    """One run's data is one element of the collection (table 10.29)."""
    for collection_tag, scalar_tag in (("loopDataInputRef", "inputDataItem"), ("loopDataOutputRef", "outputDataItem")):
        reference, scalar = child(multiple, collection_tag), child(multiple, scalar_tag)
        if reference is None or scalar is None:
            continue
        whole, one = item(outline, outline.find(reference, all_text(reference))), item(outline, scalar)
        if whole is None or one is None:
            continue
        whole_structure, one_structure = whole.get("structureRef"), one.get("structureRef")
        if whole_structure != one_structure or is_true(one, "isCollection"):
            report.formal(
                "loop-data-type",
                activity,
                f"The {scalar_tag} of {label(activity)} is not one element of its {collection_tag}: give it an item"
                " definition of the same structure that is no collection.",
            )


_ITEM_OF = {
    "messageEventDefinition": ("messageRef", "itemRef"),
    "errorEventDefinition": ("errorRef", "structureRef"),
    "escalationEventDefinition": ("escalationRef", "structureRef"),
    "signalEventDefinition": ("signalRef", "structureRef"),
}


def _check_event(outline: Outline, report: Report, event: etree._Element) -> None:
    """An event that passes data has one piece of data for each definition, of its type (10.4.1)."""
    data = children(event, "dataInput" if bpmn_name(event) in _THROWING else "dataOutput")
    definitions = outline.definitions(event)
    if data and len(data) != len(definitions):
        report.formal(
            "event-data-count",
            event,
            f"The {label(event)} has {len(data)} pieces of data for {len(definitions)} event definitions: give each"
            " definition one.",
        )
    carrying = [definition for definition in definitions if bpmn_name(definition) in _ITEM_OF]
    for each, definition in zip(data, carrying, strict=False):
        reference, of = _ITEM_OF[bpmn_name(definition)]
        carried = outline.find(definition, definition.get(reference))
        passed = outline.find(carried, carried.get(of)) if carried is not None else None
        declared = item(outline, each)
        if (passed is not None or declared is not None) and not same_item(passed, declared):
            report.formal(
                "event-data-type",
                event,
                f"The {label(each)} of {label(event)} and what its {bpmn_name(definition)} carries differ in their item"
                " definition: make them equal.",
            )
