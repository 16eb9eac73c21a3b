"""Pools, message flows, conversations (BPMN 2.0, 9)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import all_text, bpmn_name, children, is_true, label
from .outline import Outline

_IN_NO_GLOBAL_CONVERSATION = frozenset(
    "conversation subConversation callConversation participantAssociation messageFlowAssociation "
    "conversationAssociation association group textAnnotation".split()
)


def check_collaborations(outline: Outline, report: Report) -> None:
    """Report message flows within one pool or at the wrong end of an event, and impossible participants."""
    pools = _pools(outline)
    for flow in outline.by_tag["messageFlow"]:
        _check_message_flow(outline, report, flow, pools)
    for task in outline.by_tag["choreographyTask"]:
        _check_choreography_task(outline, report, task)
    for multiplicity in outline.by_tag["participantMultiplicity"]:
        _check_multiplicity(report, multiplicity)
    for tag in ("choreography", "globalConversation"):
        for element in outline.by_tag[tag]:
            if children(element, "choreographyRef"):
                report.formal(
                    "choreography-reference",
                    element,
                    f"The {label(element)} refers to a choreography, which only a collaboration may: remove the"
                    " choreographyRef.",
                )
    for conversation in outline.by_tag["globalConversation"]:
        for part in conversation:
            if bpmn_name(part) in _IN_NO_GLOBAL_CONVERSATION:
                report.formal(
                    "global-conversation-content",
                    part,
                    f"The {label(conversation)} holds {label(part)}, but may hold only participants, message flows and"
                    " correlation keys: move it.",
                )
    for collaboration in outline.by_tag["collaboration"]:
        for reference in children(collaboration, "choreographyRef"):
            choreography = outline.find(reference, reference.text)
            if choreography is not None and is_true(choreography, "isClosed") != is_true(collaboration, "isClosed"):
                report.formal(
                    "collaboration-closed",
                    collaboration,
                    f"The {label(collaboration)} and its {label(choreography)} differ in isClosed: make them equal.",
                )
    for extension in outline.by_tag["extension"]:
        if is_true(extension, "mustUnderstand"):
            report.error(
                "extension-not-understood",
                extension,
                f"The extension {extension.get('definition')!r} has to be understood to run the file, and is not:"
                " remove mustUnderstand.",
            )


def _check_choreography_task(outline: Outline, report: Report, task: etree._Element) -> None:
    """Who begins it takes part in it, and its messages go between those who do (BPMN 2.0, 11.5.1)."""
    taking_part = {outline.local(entry, all_text(entry)) for entry in children(task, "participantRef")}
    if outline.local(task, task.get("initiatingParticipantRef", "")) not in taking_part:
        report.formal(
            "choreography-initiator",
            task,
            f"The {label(task)} is initiated by {task.get('initiatingParticipantRef')!r}, which takes no part in it:"
            " name one of its participants.",
        )
    for entry in children(task, "messageFlowRef"):
        flow = outline.find(entry, all_text(entry))
        ends = [] if flow is None else [outline.local(flow, flow.get(end, "")) for end in ("sourceRef", "targetRef")]
        if not taking_part.issuperset(ends):
            report.formal(
                "choreography-message",
                task,
                f"The message flow {all_text(entry)!r} of {label(task)} joins others than its participants:"
                " use one between these.",
            )


def _check_in_choreography(outline: Outline, report: Report, flow: etree._Element, end: etree._Element) -> None:
    """A collaboration draws flows to the inside of those choreographies only that it refers to (BPMN 2.0, 9.3)."""
    around = end.getparent()
    while around is not None and bpmn_name(around) not in ("choreography", "process"):
        around = around.getparent()
    collaboration = flow.getparent()
    if around is None or bpmn_name(around) != "choreography" or collaboration is None or collaboration is around:
        return
    if around not in outline.choreographies_of(collaboration):
        report.formal(
            "choreography-not-referred",
            flow,
            f"The {label(flow)} joins {label(end)} of {label(around)}, which {label(collaboration)} does not refer to:"
            " add a choreographyRef.",
        )


def _pools(outline: Outline) -> dict[etree._Element, etree._Element | None]:
    """The process of each participant that names one."""
    return {
        participant: outline.find(participant, participant.get("processRef"))
        for participant in outline.by_tag["participant"]
    }


def _check_message_flow(
    outline: Outline,
    report: Report,
    flow: etree._Element,
    pools: dict[etree._Element, etree._Element | None],
) -> None:
    source, target = (outline.find(flow, flow.get(end)) for end in ("sourceRef", "targetRef"))
    if source is None or target is None:
        return
    for end in (source, target):
        _check_in_choreography(outline, report, flow, end)
    places = [pools.get(end) if end in pools else outline.process.get(end) for end in (source, target)]
    if source is target or (places[0] is not None and places[0] is places[1]):
        report.formal(
            "message-flow-within-pool",
            flow,
            f"The {label(flow)} goes from {label(source)} to {label(target)} in one pool: message flows join"
            " different pools, use a sequence flow.",
        )
    kinds = [outline.kinds(end) for end in (source, target)]
    message = "messageEventDefinition"
    if bpmn_name(source) in ("startEvent", "intermediateCatchEvent", "boundaryEvent"):
        report.formal(
            "message-flow-out-of-catch",
            flow,
            f"The {label(flow)} leaves {label(source)}, which only receives: start it at a throw event or an activity.",
        )
    elif bpmn_name(source) in ("endEvent", "intermediateThrowEvent") and message not in kinds[0]:
        report.formal(
            "message-flow-without-message",
            flow,
            f"The {label(flow)} leaves {label(source)}, which sends no message: give it a messageEventDefinition.",
        )
    if bpmn_name(target) in ("endEvent", "intermediateThrowEvent"):
        report.formal(
            "message-flow-into-throw",
            flow,
            f"The {label(flow)} enters {label(target)}, which only sends: lead it to a catch event or an activity.",
        )
    elif bpmn_name(target) in ("startEvent", "intermediateCatchEvent", "boundaryEvent") and message not in kinds[1]:
        report.formal(
            "message-flow-without-message",
            flow,
            f"The {label(flow)} enters {label(target)}, which waits for no message: give it a messageEventDefinition.",
        )


def _check_multiplicity(report: Report, multiplicity: etree._Element) -> None:
    try:
        minimum, maximum = int(multiplicity.get("minimum", "0")), int(multiplicity.get("maximum", "1"))
    except ValueError:
        return  # the schema has reported it
    if multiplicity.get("maximum") is None:
        maximum = max(maximum, 1)
    if minimum < 0 or maximum < 1 or maximum < minimum:
        owner = multiplicity.getparent()
        report.formal(
            "participant-multiplicity",
            multiplicity,
            f"The multiplicity {minimum} to {maximum} of {label(owner) if owner is not None else 'a participant'} is"
            " impossible: the minimum is 0 or more, the maximum 1 or more and not below it.",
        )
