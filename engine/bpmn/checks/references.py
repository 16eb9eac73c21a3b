"""References between the elements of one file (BPMN 2.0, 8.2.1 and the attribute tables of each element)."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from ...findings import Report
from ..reading.words import ACTIVITIES, BPMN, EVENT_DEFINITIONS, EVENTS, FLOW_NODES, SUB_PROCESSES, bpmn_name, label
from .outline import Outline

_ACTIVITY = ACTIVITIES | {"choreographyTask", "subChoreography", "callChoreography"}
_ITEMS = frozenset(
    "dataObject dataObjectReference dataStore dataStoreReference dataInput dataOutput property "
    "inputDataItem outputDataItem".split()
)
_GLOBAL_TASKS = frozenset("globalTask globalUserTask globalManualTask globalScriptTask globalBusinessRuleTask".split())
_COLLABORATIONS = frozenset({"collaboration", "choreography", "globalConversation", "globalChoreographyTask"})
_CONVERSATIONS = frozenset({"conversation", "subConversation", "callConversation"})
_ITEM_DEFINITION = frozenset({"itemDefinition"})
_FLOW_NODES = FLOW_NODES | _ACTIVITY
_INTERACTION = _ACTIVITY | EVENTS | {"participant"}
_ANY: frozenset[str] = frozenset()

# What an attribute, or a child element holding text, may refer to. A pair names the element that carries it where
# elsewhere the name means something else.
_TARGETS: dict[str | tuple[str, str], frozenset[str]] = {
    ("sequenceFlow", "sourceRef"): _FLOW_NODES,
    ("sequenceFlow", "targetRef"): _FLOW_NODES,
    ("messageFlow", "sourceRef"): _INTERACTION,
    ("messageFlow", "targetRef"): _INTERACTION,
    ("association", "sourceRef"): _ANY,
    ("association", "targetRef"): _ANY,
    ("conversationLink", "sourceRef"): ACTIVITIES | EVENTS | _CONVERSATIONS | {"participant"},
    ("conversationLink", "targetRef"): ACTIVITIES | EVENTS | _CONVERSATIONS | {"participant"},
    ("dataInputAssociation", "sourceRef"): _ITEMS,
    ("dataInputAssociation", "targetRef"): _ITEMS,
    ("dataOutputAssociation", "sourceRef"): _ITEMS,
    ("dataOutputAssociation", "targetRef"): _ITEMS,
    ("error", "structureRef"): _ITEM_DEFINITION,
    ("escalation", "structureRef"): _ITEM_DEFINITION,
    ("signal", "structureRef"): _ITEM_DEFINITION,
    ("resourceParameter", "type"): _ITEM_DEFINITION,
    ("linkEventDefinition", "source"): frozenset({"linkEventDefinition"}),
    ("linkEventDefinition", "target"): frozenset({"linkEventDefinition"}),
    ("process", "supports"): frozenset({"process"}),
    "activityRef": ACTIVITIES,
    "attachedToRef": ACTIVITIES,
    "calledCollaborationRef": _COLLABORATIONS,
    "calledChoreographyRef": frozenset({"choreography", "globalChoreographyTask"}),
    "calledElement": _GLOBAL_TASKS | {"process"},
    "categoryValueRef": frozenset({"categoryValue"}),
    "choreographyRef": frozenset({"choreography"}),
    "conversationRef": _CONVERSATIONS,
    "correlationKeyRef": frozenset({"correlationKey"}),
    "correlationPropertyRef": frozenset({"correlationProperty"}),
    "dataInputRefs": frozenset({"dataInput"}),
    "dataObjectRef": frozenset({"dataObject"}),
    "dataOutputRefs": frozenset({"dataOutput"}),
    "dataStoreRef": frozenset({"dataStore"}),
    "default": frozenset({"sequenceFlow"}),
    "definitionalCollaborationRef": _COLLABORATIONS,
    "endPointRef": frozenset({"endPoint"}),
    "errorRef": frozenset({"error"}),
    "escalationRef": frozenset({"escalation"}),
    "evaluatesToTypeRef": _ITEM_DEFINITION,
    "eventDefinitionRef": EVENT_DEFINITIONS,
    "flowNodeRef": _FLOW_NODES,
    "inMessageRef": frozenset({"message"}),
    "incoming": frozenset({"sequenceFlow"}),
    "initiatingParticipantRef": frozenset({"participant"}),
    "innerConversationNodeRef": _CONVERSATIONS,
    "innerMessageFlowRef": frozenset({"messageFlow"}),
    "innerParticipantRef": frozenset({"participant"}),
    "inputDataRef": frozenset({"inputSet", "dataInput"}),
    "inputSetRefs": frozenset({"inputSet"}),
    "interfaceRef": frozenset({"interface"}),
    "itemRef": _ITEM_DEFINITION,
    "itemSubjectRef": _ITEM_DEFINITION,
    "loopDataInputRef": _ITEMS,
    "loopDataOutputRef": _ITEMS,
    "messageFlowRef": frozenset({"messageFlow"}),
    "messageRef": frozenset({"message"}),
    "noneBehaviorEventRef": EVENT_DEFINITIONS,
    "oneBehaviorEventRef": EVENT_DEFINITIONS,
    "operationRef": frozenset({"operation"}),
    "optionalInputRefs": frozenset({"dataInput"}),
    "optionalOutputRefs": frozenset({"dataOutput"}),
    "outMessageRef": frozenset({"message"}),
    "outerConversationNodeRef": _CONVERSATIONS,
    "outerMessageFlowRef": frozenset({"messageFlow"}),
    "outerParticipantRef": frozenset({"participant"}),
    "outgoing": frozenset({"sequenceFlow"}),
    "outputDataRef": frozenset({"outputSet", "dataOutput"}),
    "outputSetRefs": frozenset({"outputSet"}),
    "parameterRef": frozenset({"resourceParameter"}),
    "participantRef": frozenset({"participant"}),
    "partitionElementRef": _ANY,
    "processRef": frozenset({"process"}),
    "resourceRef": frozenset({"resource"}),
    "signalRef": frozenset({"signal"}),
    "supportedInterfaceRef": frozenset({"interface"}),
    "whileExecutingInputRefs": frozenset({"dataInput"}),
    "whileExecutingOutputRefs": frozenset({"dataOutput"}),
}

_DATA_ASSOCIATIONS = frozenset({"dataInputAssociation", "dataOutputAssociation"})

# Elements whose ``default`` is a sequence flow: elsewhere the attribute means something else.
_WITH_DEFAULT = _ACTIVITY | {"exclusiveGateway", "inclusiveGateway", "complexGateway"}

# Read as a code, a variable or the name of a type, so a process runs without their being declared.
_FREE = frozenset(
    "errorRef loopDataInputRef loopDataOutputRef type itemRef itemSubjectRef structureRef "
    "evaluatesToTypeRef categoryValueRef flowNodeRef dataStoreRef incoming outgoing".split()
)


def check_references(outline: Outline, report: Report) -> None:
    """Report references that find nothing in the file, or something of the wrong kind."""
    for elements in list(outline.by_tag.values()):
        for element in elements:
            for attribute, value in element.items():
                _check(outline, report, element, element, attribute, value)
            parent = element.getparent()
            if parent is not None and not len(element) and element.text and bpmn_name(parent):
                _check(outline, report, parent, element, bpmn_name(element), element.text)
    for element in outline.repeated:
        first = outline.by_id[element.get("id", "")]
        say = report.error if bpmn_name(element) and bpmn_name(first) else report.formal
        say(
            "duplicate-id",
            element,
            f"The id {element.get('id')!r} is used again at line {element.sourceline} after line {first.sourceline}:"
            " give each element an id of its own.",
        )


def check_imports(outline: Outline, report: Report, together: Collection[str]) -> None:
    """Warn of BPMN files that are imported and not there (BPMN 2.0, 15.3.2); a reference into one is refused itself."""
    for imported in outline.by_tag["import"]:
        if imported.get("importType") == BPMN and imported.get("namespace") not in together:
            report.warning(
                "import-missing",
                imported,
                f"The file imports {imported.get('location')!r} of the namespace {imported.get('namespace')!r}, which"
                " is not there: deploy it together.",
            )


def _check(
    outline: Outline, report: Report, owner: etree._Element, place: etree._Element, attribute: str, value: str
) -> None:
    allowed = _TARGETS.get((bpmn_name(owner), attribute))
    if allowed is None:
        allowed = _TARGETS.get(attribute)
    if allowed is None or (attribute == "default" and bpmn_name(owner) not in _WITH_DEFAULT):
        return
    local = outline.local(place, value.strip())
    if not local:
        return
    target = outline.by_id.get(local)
    free = attribute in _FREE or bpmn_name(owner) in _DATA_ASSOCIATIONS
    say = report.formal if free else report.error
    if target is None and attribute == "operationRef" and owner.get("messageRef") is not None:
        report.warning(
            "dangling-reference",
            place,
            f"The operationRef of {label(owner)} refers to {local!r}, which is not in the file: its messageRef is"
            " enough, so remove it.",
        )
    elif target is None:
        if attribute != "calledElement":  # another file of the deployment may hold it
            say(
                "dangling-reference",
                place,
                f"The {attribute} of {label(owner)} refers to {local!r}, which is not in the file:"
                " add it or correct the reference.",
            )
    elif allowed and bpmn_name(target) not in allowed:
        say(
            "wrong-reference",
            place,
            f"The {attribute} of {label(owner)} refers to {label(target)}, where it has to be"
            f" {_kinds(allowed)}: correct the reference.",
        )


def _kinds(allowed: frozenset[str]) -> str:
    for kinds, words in (
        (_FLOW_NODES, "an activity, event or gateway"),
        (_INTERACTION, "a participant, activity or event"),
        (ACTIVITIES, "an activity"),
        (_ITEMS, "data"),
        (EVENT_DEFINITIONS, "an event definition"),
        (SUB_PROCESSES, "a sub-process"),
    ):
        if allowed == kinds:
            return words
    return "one of " + ", ".join(sorted(allowed)) if len(allowed) > 1 else f"of the kind {next(iter(allowed))}"
