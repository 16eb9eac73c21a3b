"""Which event may stand where (BPMN 2.0, 10.4, tables 10.84 to 10.93)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import (
    EVENT_DEFINITIONS,
    EVENTS,
    SUB_PROCESSES,
    THROW_EVENTS,
    all_text,
    bpmn_name,
    child,
    children,
    is_true,
    label,
)
from .outline import Outline


def _kinds(words: str) -> frozenset[str]:
    return frozenset(f"{word}EventDefinition" for word in words.split())


_NONE = frozenset({"none"})
_START = _kinds("message timer conditional signal") | _NONE
_EVENT_SUB_PROCESS = _kinds("message timer conditional signal error escalation compensate")
_BOUNDARY = _kinds("message timer conditional signal error escalation compensate cancel")
_AWAITED = _kinds("message timer conditional signal")
_ALWAYS_INTERRUPTING = _kinds("error cancel compensate")
_CATCH = _kinds("message timer conditional signal link")
_THROW = _kinds("message signal escalation compensate link") | _NONE
_END = _kinds("message signal escalation compensate error cancel terminate") | _NONE
_ENDING = _END - _THROW


def check_events(outline: Outline, report: Report) -> None:
    """Report events of a kind, or with surroundings, that their place does not allow."""
    for event in (node for node in outline.nodes if bpmn_name(node) in EVENTS):
        _check_kind(outline, report, event)
        if is_true(event, "parallelMultiple") and outline.executable(event):
            _check_parallel_multiple(outline, report, event)
        if bpmn_name(event) == "endEvent" and outline.executable(event):
            _check_end(outline, report, event)
        if bpmn_name(event) == "boundaryEvent":
            _check_boundary(outline, report, event)
    for definitions in (outline.by_tag[tag] for tag in sorted(EVENT_DEFINITIONS)):
        for definition in definitions:
            _check_definition(outline, report, definition)
    for reference in outline.by_tag["eventDefinitionRef"]:
        _check_shared_definition(outline, report, reference)
    for node in outline.nodes:
        if is_true(node, "triggeredByEvent"):
            _check_event_sub_process(outline, report, node)


def _check_kind(outline: Outline, report: Report, event: etree._Element) -> None:
    where, allowed = _place(outline, event)
    if any(bpmn_name(entry) == "eventDefinitionRef" for entry in event) and not outline.definitions(event):
        return  # its kind is in another file, or the reference has been reported
    if _is_of_own_kind(event):
        return
    for kind in sorted(outline.kinds(event)) or ["none"]:
        if kind not in allowed:
            report.error(
                "event-kind",
                event,
                f"The {label(event)} is {where}, which cannot be {_word(kind)}: it may be {_words(allowed)}.",
            )


def _check_parallel_multiple(outline: Outline, report: Report, event: etree._Element) -> None:
    """Nothing waits for an error or an escalation, and nothing is there yet that could wait for the rest of a start."""
    definitions, scope = outline.definitions(event), outline.scope[event]
    found = sorted({bpmn_name(definition) for definition in definitions} - _AWAITED)
    if len(definitions) < 2:
        return
    if found:
        report.error(
            "parallel-multiple",
            event,
            f"The {label(event)} needs all of its triggers, but nothing waits for one of the kind"
            f" {_short(found[0])}: it may be {_words(_AWAITED)}.",
        )
    elif bpmn_name(event) == "startEvent" and not is_true(scope, "triggeredByEvent"):
        report.error(
            "parallel-multiple",
            event,
            f"The {label(event)} needs all of its triggers, but would start a process at the first of them: begin with"
            ' an eventBasedGateway with instantiate="true" and eventGatewayType="Parallel".',
        )


def _check_end(outline: Outline, report: Report, event: etree._Element) -> None:
    """All that an end event throws has to occur (BPMN 2.0.2, table 10.88), and its scope ends once."""
    ends = [bpmn_name(definition) for definition in outline.definitions(event)]
    ends = [_short(tag) for tag in ends if tag in _ENDING]
    if len(ends) > 1:
        report.error(
            "end-event-ends-twice",
            event,
            f"The {label(event)} ends what it is in more than once ({', '.join(ends)}), of which one alone can happen:"
            " keep that.",
        )


def _is_of_own_kind(event: etree._Element) -> bool:
    """Whether an engine's extension makes the event what it is, as Flowable's event registry does."""
    extensions = child(event, "extensionElements")
    words = ("eventType", "EventDefinition", "eventDefinition")
    return extensions is not None and any(
        isinstance(entry.tag, str) and etree.QName(entry).localname.endswith(words) for entry in extensions
    )


def _place(outline: Outline, event: etree._Element) -> tuple[str, frozenset[str]]:
    tag, scope = bpmn_name(event), outline.scope[event]
    if tag == "startEvent":
        if is_true(scope, "triggeredByEvent"):
            if is_true(event, "isInterrupting", default=True):
                return "the start event of an event sub-process", _EVENT_SUB_PROCESS
            return (
                "the non-interrupting start event of an event sub-process",
                _EVENT_SUB_PROCESS - _ALWAYS_INTERRUPTING,
            )
        if bpmn_name(scope) in SUB_PROCESSES:
            return "the start event of a sub-process", _NONE
        return "the start event of a process", _START
    if tag == "boundaryEvent":
        host = outline.find(event, event.get("attachedToRef"))
        allowed = _BOUNDARY if host is None or bpmn_name(host) == "transaction" else _BOUNDARY - _kinds("cancel")
        if is_true(event, "cancelActivity", default=True) or "compensateEventDefinition" in outline.kinds(event):
            return "a boundary event" + (f" of {label(host)}" if host is not None else ""), allowed
        return "a non-interrupting boundary event", allowed - _ALWAYS_INTERRUPTING
    if tag == "endEvent":
        if _inside(outline, event, "transaction"):
            return "an end event", _END
        return "an end event outside a transaction", _END - _kinds("cancel")
    if tag == "intermediateCatchEvent":
        return "an intermediate catch event", _CATCH
    return "an intermediate throw event", _THROW


def _inside(outline: Outline, element: etree._Element, tag: str) -> bool:
    scope = outline.scope.get(element)
    while scope is not None and bpmn_name(scope) != tag:
        scope = outline.scope.get(scope)
    return scope is not None


def _word(kind: str) -> str:
    return "a none event" if kind == "none" else f"of the kind {kind.removesuffix('EventDefinition')}"


def _words(kinds: frozenset[str]) -> str:
    return ", ".join(sorted(map(_short, kinds)))


def _short(tag: str) -> str:
    return tag.removesuffix("EventDefinition")


def _check_boundary(outline: Outline, report: Report, event: etree._Element) -> None:
    host = outline.find(event, event.get("attachedToRef"))
    if host is not None and outline.scope.get(host) is not outline.scope.get(event):
        report.error(
            "boundary-elsewhere",
            event,
            f"The {label(event)} is attached to {label(host)} on another level: move it to the level of its activity.",
        )
    if host is not None and is_true(host, "triggeredByEvent"):
        report.error(
            "boundary-on-event-sub-process",
            event,
            f"The {label(event)} is attached to the event sub-process {host.get('id')!r}: attach it to an activity of"
            " the flow.",
        )
    compensation = "compensateEventDefinition" in outline.kinds(event)
    outgoing = outline.flows_out(event)
    if compensation and outgoing:
        report.error(
            "compensation-boundary-flow",
            event,
            f"The compensation {label(event)} is left by {label(outgoing[0])}: lead an association to the compensation"
            " activity instead.",
        )
    elif compensation:
        _check_compensation(outline, report, event)
    elif not outgoing:
        report.formal(
            "boundary-without-flow",
            event,
            f"No sequence flow leaves {label(event)}, so nothing handles what it catches: add one.",
        )


def _check_compensation(outline: Outline, report: Report, event: etree._Element) -> None:
    for association in outline.associations.get(event.get("id", ""), ()):
        ends = (association.get("sourceRef"), association.get("targetRef"))
        others = [outline.find(association, end) for end in ends if end != event.get("id")]
        for other in others:
            if other is not None and is_true(other, "isForCompensation"):
                return
    report.formal(
        "compensation-without-handler",
        event,
        f'No association leads from the compensation {label(event)} to an activity with isForCompensation="true":'
        " add one.",
    )


def _check_definition(outline: Outline, report: Report, definition: etree._Element) -> None:
    event = definition.getparent()
    kind = bpmn_name(definition).removesuffix("EventDefinition")
    if event is None or not outline.executable(definition) or bpmn_name(event) not in EVENTS:
        return
    if kind == "message":
        _check_message(outline, report, definition, event)
    elif kind == "escalation" and bpmn_name(event) in THROW_EVENTS:
        escalation = outline.find(definition, definition.get("escalationRef"))
        if escalation is None or not escalation.get("escalationCode"):
            report.formal(
                "escalation-without-code",
                event,
                f"The {label(event)} throws an escalation without a code: refer to an escalation with an"
                " escalationCode.",
            )
    elif kind == "error" and bpmn_name(event) == "endEvent":
        error = outline.find(definition, definition.get("errorRef"))
        if error is None or not error.get("errorCode"):
            report.formal(
                "error-without-code",
                event,
                f"The {label(event)} throws an error without a code: refer to an error with an errorCode.",
            )
    elif kind == "signal" and definition.get("signalRef") is None:
        report.formal("signal-without-reference", event, f"The {label(event)} names no signal: give it a signalRef.")
    elif kind == "conditional":
        condition = child(definition, "condition")
        if condition is None or not all_text(condition):
            report.error(
                "condition-missing", event, f"The {label(event)} waits for a condition that is empty: write one."
            )


def _check_message(outline: Outline, report: Report, definition: etree._Element, event: etree._Element) -> None:
    if definition.get("messageRef") is None:
        report.formal("message-without-reference", event, f"The {label(event)} names no message: give it a messageRef.")
        return
    message = outline.find(definition, definition.get("messageRef"))
    # Without a typed message nobody describes the exchange by operations, and engines need none.
    if message is not None and message.get("itemRef") is not None and child(definition, "operationRef") is None:
        report.formal(
            "message-without-operation",
            event,
            f"The {label(event)} exchanges the typed message {message.get('id')!r} but names no operation:"
            " give it an operationRef.",
        )


def _check_shared_definition(outline: Outline, report: Report, reference: etree._Element) -> None:
    """Only what stands at the root of the file may be shared, else two events would be one (BPMN 2.0, 10.4.4)."""
    event, definition = reference.getparent(), outline.find(reference, reference.text)
    owner = definition.getparent() if definition is not None else None
    if definition is None or owner is None or event is None:
        return
    if bpmn_name(owner) in EVENTS:
        report.error(
            "shared-event-definition",
            event,
            f"The event definition {definition.get('id')!r} belongs to {label(owner)} and cannot be referred to:"
            " move it to the root of the file.",
        )


def _check_event_sub_process(outline: Outline, report: Report, sub_process: etree._Element) -> None:
    starts = children(sub_process, "startEvent")
    if len(starts) != 1:
        report.error(
            "event-sub-process-start",
            sub_process,
            f"The event sub-process {sub_process.get('id')!r} has {len(starts)} start events: it needs exactly one.",
        )
