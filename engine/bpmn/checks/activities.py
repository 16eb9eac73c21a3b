"""Activities, their loops and what they call (BPMN 2.0, 10.2)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import (
    ACTIVITIES,
    EVENT_DEFINITIONS,
    SUB_PROCESSES,
    all_text,
    bpmn_name,
    child,
    children,
    is_true,
    label,
)
from .outline import Outline

_CHOREOGRAPHY = frozenset({"choreographyTask", "subChoreography", "callChoreography"})
# Attributes and elements by which engines name the collection that a multi-instance activity runs over.
_COLLECTIONS = frozenset({"collection", "inputCollection", "collectionString"})


def check_activities(outline: Outline, report: Report) -> None:
    """Report activities that contradict themselves."""
    for activity in (node for node in outline.nodes if bpmn_name(node) in ACTIVITIES):
        tag = bpmn_name(activity)
        _check_quantities(report, activity)
        _check_loop(outline, report, activity)
        _check_resources(report, activity)
        if tag in SUB_PROCESSES:
            _check_content(outline, report, activity)
        elif tag == "callActivity":
            _check_call(outline, report, activity)
        elif tag == "receiveTask" and is_true(activity, "instantiate") and outline.flows_in(activity):
            report.error(
                "instantiating-node-flow",
                activity,
                f"The {label(activity)} starts the process, so no flow may enter it: remove the flow or instantiate.",
            )
        elif tag == "scriptTask" and child(activity, "script") is not None and activity.get("scriptFormat") is None:
            report.formal(
                "script-without-format",
                activity,
                f"The {label(activity)} has a script in an unnamed language: give it a scriptFormat.",
            )
    for tag in sorted(_CHOREOGRAPHY):
        for element in outline.by_tag[tag]:
            if element in outline.process:
                report.error(
                    "choreography-in-process",
                    element,
                    f"The {label(element)} is in a process, which holds no choreography: use a task.",
                )


def _check_quantities(report: Report, activity: etree._Element) -> None:
    for attribute in ("startQuantity", "completionQuantity"):
        quantity = _integer(activity.get(attribute))
        if quantity is not None and quantity < 1:
            report.formal(
                "quantity-below-one",
                activity,
                f"The {attribute} of {label(activity)} is {quantity}: write 1 or more.",
            )


def _integer(value: str | None) -> int | None:
    """``value`` as a number where it has the digits of one; the schema has reported everything else."""
    if value is None or not value.strip().lstrip("+-").isdecimal() or len(value) > 50:
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _check_loop(outline: Outline, report: Report, activity: etree._Element) -> None:
    loop = child(activity, "standardLoopCharacteristics")
    if loop is not None:
        maximum = _integer(loop.get("loopMaximum"))
        if maximum is not None and maximum < 0:
            report.error(
                "loop-maximum",
                activity,
                f"The loopMaximum of {label(activity)} is {maximum}: write how often it may run, or remove it.",
            )
        if child(loop, "loopCondition") is None and loop.get("loopMaximum") is None:
            report.warning(
                "loop-without-condition",
                activity,
                f"The loop of {label(activity)} has neither a loopCondition nor a loopMaximum: add one to end it.",
            )
    multiple = child(activity, "multiInstanceLoopCharacteristics")
    if multiple is not None:
        _check_multi_instance(outline, report, activity, multiple)


def _check_multi_instance(outline: Outline, report: Report, activity: etree._Element, multiple: etree._Element) -> None:
    named = {etree.QName(key).localname for key in multiple.attrib}
    named.update(etree.QName(key).localname for inner in multiple.iter("{*}*") for key in inner.attrib)
    named.update(etree.QName(inner).localname for inner in multiple.iter("{*}*"))
    count = child(multiple, "loopCardinality") is not None or child(multiple, "loopDataInputRef") is not None
    if not count and not named & _COLLECTIONS and outline.executable(activity):
        report.error(
            "multi-instance-without-count",
            activity,
            f"The multi-instance {label(activity)} does not say how often it runs: add a loopCardinality or a"
            " loopDataInputRef.",
        )
    behavior = multiple.get("behavior", "All")
    complex_definitions = children(multiple, "complexBehaviorDefinition")
    if behavior == "Complex" and not complex_definitions:
        report.error(
            "multi-instance-behavior",
            activity,
            f"The multi-instance {label(activity)} has the behavior Complex: add a complexBehaviorDefinition.",
        )
    if behavior != "Complex" and complex_definitions:
        report.warning(
            "multi-instance-behavior",
            activity,
            f'The complexBehaviorDefinition of {label(activity)} counts only with behavior="Complex": set it.',
        )
    for event in (event for entry in complex_definitions for event in children(entry, "event")):
        if not any(
            bpmn_name(entry) in EVENT_DEFINITIONS or bpmn_name(entry) == "eventDefinitionRef" for entry in event
        ):
            report.error(
                "multi-instance-behavior",
                activity,
                f"A complexBehaviorDefinition of {label(activity)} throws an event without a definition: add one.",
            )
    _check_loop_data(outline, report, activity, multiple)


def _check_loop_data(outline: Outline, report: Report, activity: etree._Element, multiple: etree._Element) -> None:
    """The collection of a multi-instance task is one of its own data inputs or outputs (table 10.29)."""
    if bpmn_name(activity) in SUB_PROCESSES or not outline.executable(activity):
        return
    specification = child(activity, "ioSpecification")
    for tag, wanted in (("loopDataInputRef", "dataInput"), ("loopDataOutputRef", "dataOutput")):
        reference = child(multiple, tag)
        if reference is None:
            continue
        own = children(specification, wanted) if specification is not None else []
        if outline.local(reference, all_text(reference)) not in {data.get("id") for data in own}:
            report.formal(
                "loop-data-elsewhere",
                activity,
                f"The {tag} of {label(activity)} is not a {wanted} of its own ioSpecification: declare it there.",
            )


def _check_resources(report: Report, activity: etree._Element) -> None:
    for role in activity:
        if bpmn_name(role) not in ("resourceRole", "performer", "humanPerformer", "potentialOwner"):
            continue
        reference, expression = child(role, "resourceRef"), child(role, "resourceAssignmentExpression")
        if expression is not None and (reference is not None or child(role, "resourceParameterBinding") is not None):
            report.formal(
                "resource-twice",
                role,
                f"The {label(role)} of {label(activity)} names a resource and an assignment expression: keep one.",
            )


def _check_content(outline: Outline, report: Report, sub_process: etree._Element) -> None:
    if bpmn_name(sub_process) == "adHocSubProcess":
        nodes = outline.nodes_by_scope.get(sub_process, [])
        if not any(bpmn_name(node) in ACTIVITIES for node in nodes):
            report.error(
                "ad-hoc-without-activity",
                sub_process,
                f"The {label(sub_process)} holds no activity: put at least one into it.",
            )
        for node in nodes:
            if bpmn_name(node) in ("startEvent", "endEvent"):
                report.error(
                    "ad-hoc-event",
                    node,
                    f"The {label(node)} is in an ad-hoc sub-process, which has no start or end events: remove it.",
                )
    if child(sub_process, "ioSpecification") is not None:
        report.formal(
            "sub-process-data",
            sub_process,
            f"The {label(sub_process)} has an ioSpecification, which an embedded sub-process must not have: remove it.",
        )


def _check_call(outline: Outline, report: Report, call: etree._Element) -> None:
    called = outline.find(call, call.get("calledElement"))
    if called is None or bpmn_name(called) != "process":
        return
    starts = children(called, "startEvent")
    if starts and all(outline.definitions(start) for start in starts):
        report.error(
            "called-process-start",
            call,
            f"The {label(call)} calls the process {called.get('id')!r}, none of whose start events is a none event:"
            " add one.",
        )
