"""What a modeler wrote into an element that bears on execution and that nothing here understands.

The rule: a vendor's attribute or element is read, or it is known to be harmless (it decides who sees a task, how a form
or a picture looks, or how a Java engine cuts transactions and keeps history), or the model is refused. So listeners,
which are code that runs, are refused; so is whatever a vendor adds that is not known here. What is in namespaces of
vendors who are not known at all is told once, as a warning: what BPMN itself says still runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from ...errors import ExpressionError
from ..running.failure_policy import read_policy
from .bindings import QUEUE, UNDO_POLICIES, bearers_of, is_bindable, read_properties
from .mappings import Unreadable, io_parameters, is_target, parameter_value
from .retries import BACKOFF, GROWING, Retries, of_undo, read_backoff, read_retries, retries_of, told_of_undo
from .vendors import (
    CAMUNDA,
    EXTENSIONS,
    HARMLESS_ATTRIBUTES,
    HARMLESS_ELEMENTS,
    NOT_YET_USED,
    OF_FORMS,
    OF_PEOPLE,
    OF_STARTS,
    PICTURE_NAMESPACES,
    PREFIXES,
    SPIFF,
    ZEEBE,
    attribute_value,
    extensions,
)
from .words import ACTIVITIES, bpmn_name, children, is_true, local_name, own_text

FLAGS = frozenset({"undoOnError", "undoOnCompensation"})
"""The properties of activities, or of a process, that are true or false."""
_SHOWN = ("type", "calledElementBinding", "decisionRefBinding")
_BINDING = frozenset({"topic", "delegateExpression", "class", "expression", "mq_queue"})
TYPE_OF_TOPICS = {"camunda:topic": 'camunda:type="external"', "flowable:topic": 'flowable:type="external-worker"'}
"""Beside what a topic names a stone."""
_RESULT = frozenset({"resultVariable", "resultVariableName"})
_MARKER = frozenset({"collection", "elementVariable", "elementIndexVariable"})
_DECISION = frozenset({"decisionRef", "decisionRefVersion", "decisionRefVersionTag", "mapDecisionResult"})
_TOGETHER = ("latest", "deployment")
"""The ways to bind a decision or a process whose being deployed together with the caller comes to."""
_VARIABLES = frozenset(
    {"errorCodeVariable", "errorMessageVariable", "escalationCodeVariable", "escalationMessageVariable"}
)
_CALL = frozenset({"inheritVariables", "inheritBusinessKey", "calledElementVersion", "calledElementVersionTag"})

_OWN_BUSINESS_KEY = frozenset({"execution.processBusinessKey", "execution.businessKey"})
"""The expressions by which a call hands on the business key of its own process; a called process here has no other."""
_BINDS = ("bindingType", "versionTag")
_OF_ZEEBE: Mapping[str, frozenset[str]] = {
    "adHoc": frozenset({"activeElementsCollection"}),
    "calledDecision": frozenset({"decisionId", "resultVariable", *_BINDS}),
    "calledElement": frozenset({"processId", "propagateAllChildVariables", "propagateAllParentVariables", *_BINDS}),
    "formDefinition": frozenset({"formId", "formKey", "externalReference", *_BINDS}),
    "header": frozenset({"key", "value"}),
    "input": frozenset({"source", "target"}),
    "loopCharacteristics": frozenset({"inputCollection", "inputElement", "outputCollection", "outputElement"}),
    "output": frozenset({"source", "target"}),
    "script": frozenset({"expression", "resultVariable"}),
    "subscription": frozenset({"correlationKey"}),
    "taskDefinition": frozenset({"type", "retries"}),
}
"""The attributes of Zeebe's own elements that are read."""

_SAID_BY_DEFAULT = frozenset({"false", ""})
"""Values by which an attribute asks for nothing."""
_READ_ELEMENTS = frozenset({"taskHeaders", "failedJobRetryTimeCycle", "subscription"})
_MAPPINGS = frozenset({"inputOutput", "ioMapping"})
_MAPPED = ("Task", "task", "Event", "ubProcess", "Activity", "transaction")
"""How the names of the elements end that let something in and out."""
_BINDING_ELEMENTS = frozenset({"taskDefinition", "field", "serviceTaskOperator"})
_THROWN = ("messageEventDefinition", "signalEventDefinition", "sendTask")
_FLOW_CHILDREN = frozenset(
    {"multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "conditionExpression", "completionCondition"}
)


def foreign(element: etree._Element) -> Iterator[str]:
    """The namespaces of vendors who are not known, in what they add to this node."""
    names = [str(name) for name in element.attrib]
    for holder in children(element, "extensionElements"):
        names += [str(child.tag) for child in holder.iterchildren("*")]
    for name in names:
        namespace = name[1:].partition("}")[0] if name.startswith("{") else ""
        if namespace and namespace not in PREFIXES and not namespace.startswith(PICTURE_NAMESPACES):
            yield namespace


def not_yet_used(element: etree._Element) -> Iterator[str]:
    """What is said on a node about people, dates, forms and ranks that nothing looks at yet, by name."""
    names = [etree.QName(name).localname for name in element.attrib if name[0] == "{"]
    for part in element.iterchildren("*"):
        names += [local_name(each) for each in part] if part.tag == EXTENSIONS else [local_name(part)]
    read: frozenset[str] = OF_PEOPLE | OF_FORMS if local_name(element) == "userTask" else frozenset()
    if starts_process(element):
        read = OF_FORMS | OF_STARTS if starts_by_hand(element) else OF_STARTS
    yield from (name for name in names if name in NOT_YET_USED and name not in read)


def starts_process(element: etree._Element) -> bool:
    """Whether this is a start event of a process, and not of something inside it."""
    parent = element.getparent()
    return bpmn_name(element) == "startEvent" and parent is not None and bpmn_name(parent) == "process"


def starts_by_hand(element: etree._Element) -> bool:
    """Whether this is a start event of a process, and nothing triggers it."""
    triggers = ("EventDefinition", "eventDefinitionRef")
    return starts_process(element) and not any(bpmn_name(part).endswith(triggers) for part in element)


def unread(element: etree._Element) -> list[str]:
    """The vendors' attributes and elements on this node that bear on execution and are not understood, by name.

    Looks at the node, its loop marker, its event definitions and its condition, never at the nodes inside it.
    What only concerns forms, people, colours or a Java engine's transactions is passed over. Each name comes once.
    """
    found: dict[str, None] = {}
    for part in _parts(element):
        if part.find(EXTENSIONS) is None and not any(name[0] == "{" for name in part.attrib):
            continue
        bindable = is_bindable(element) and (part is element or local_name(part) == "messageEventDefinition")
        for text in (*_attributes(part, bindable), *_elements(part, bindable), *_values(part, bindable)):
            found[text] = None
    return list(found)


def _parts(element: etree._Element) -> Iterator[etree._Element]:
    yield element
    for child in element.iterchildren("*"):
        name = local_name(child)
        if name in _FLOW_CHILDREN or name.endswith("EventDefinition"):
            yield child


def _attributes(part: etree._Element, bindable: bool) -> Iterator[str]:
    for full_name, value in part.attrib.items():
        qualified = etree.QName(full_name)
        prefix = PREFIXES.get(qualified.namespace or "")
        name = qualified.localname
        if prefix is None or name in HARMLESS_ATTRIBUTES or value in _SAID_BY_DEFAULT:
            continue
        if _is_read(part, bindable, name, str(value)):
            continue
        yield f'{prefix}:{name}="{value}"' if name in _SHOWN else f"{prefix}:{name}"


def _is_bound(part: etree._Element, what: str, binding: str) -> bool:
    """Whether it can be told which version Camunda 7 means."""
    if binding == "versionTag":
        return _is_tag(attribute_value(part, f"{what}VersionTag", (CAMUNDA,)))
    is_version = binding == "version" and (attribute_value(part, f"{what}Version", (CAMUNDA,)) or "").isdecimal()
    return binding in _TOGETHER or is_version


def _is_tag(tag: str | None) -> bool:
    """Whether it is a version tag and no expression that makes one."""
    return bool(tag) and not str(tag).startswith(("=", "${", "#{"))


def _zeebe_binding(called: etree._Element) -> str | None:
    """How it is bound where that cannot be read."""
    kind = called.get("bindingType", "latest")
    if kind in _TOGETHER or (kind == "versionTag" and _is_tag(called.get("versionTag"))):
        return None
    return f'zeebe:{local_name(called)} bindingType="{kind}"'


def _is_read(part: etree._Element, bindable: bool, name: str, value: str) -> bool:
    kind = local_name(part)
    if name == "topic":
        # Without its type the topic binds nothing.
        return bindable and any(part.get(f"{{{vendor}}}type") in ("external", "external-worker") for vendor in PREFIXES)
    if name == "type":
        return bindable and (value in ("external", "external-worker") or (value == "dmn" and kind == "serviceTask"))
    if name in _DECISION:
        return kind == "businessRuleTask"
    if name == "decisionRefBinding":
        return _is_bound(part, "decisionRef", value)
    if name in _BINDING or name in _RESULT:
        return bindable
    if name in _MARKER:
        return kind == "multiInstanceLoopCharacteristics"
    if name == "calledElementBinding":
        return _is_bound(part, "calledElement", value)
    if name in _VARIABLES:
        return kind.startswith(name[:5])
    if name == "terminateAll":
        return kind == "terminateEventDefinition"
    if name == "businessKey":
        return kind == "callActivity" and value.strip(" ${}#") in _OWN_BUSINESS_KEY
    return name in _CALL and kind == "callActivity"


def _elements(part: etree._Element, bindable: bool) -> Iterator[str]:
    kind = local_name(part)
    for holder in children(part, "extensionElements"):
        for child in holder.iterchildren("*"):
            prefix = PREFIXES.get(etree.QName(child).namespace or "")
            name = local_name(child)
            if prefix == "zeebe":
                yield from _unknown_to_zeebe(child)
            if prefix is None or name in HARMLESS_ELEMENTS or name in _READ_ELEMENTS:
                continue
            if bindable and name in _BINDING_ELEMENTS:
                continue
            if name in _MAPPINGS and kind.endswith(_MAPPED):
                continue
            if name == "in" and kind in _THROWN and _is_thrown(part):
                continue
            if name == "script" and kind == "scriptTask" and prefix == "zeebe":
                continue
            if name == "adHoc" and kind == "adHocSubProcess":
                continue
            if kind == "businessRuleTask" and name in ("calledDecision", "calledDecisionId"):
                if unread := _zeebe_binding(child):
                    yield unread
                continue
            if kind == "callActivity" and name in ("in", "out"):
                if child.get("local") == "true":
                    yield f'{prefix}:{name} local="true"'
                if (key := child.get("businessKey")) and key.strip(" ${}#") not in _OWN_BUSINESS_KEY:
                    yield f'{prefix}:{name} businessKey="{key[:80]}"'
                continue
            if kind == "callActivity" and name == "calledElement":
                if unread := _zeebe_binding(child):
                    yield unread
                continue
            if kind == "multiInstanceLoopCharacteristics" and name == "loopCharacteristics":
                continue
            if name in ("executionListeners", "taskListeners", "in", "out") and not len(child) and not child.attrib:
                continue
            yield f"{prefix}:{name}"


def _unknown_to_zeebe(element: etree._Element) -> Iterator[str]:
    """The attributes of an element of Zeebe and of those in it that nobody reads: a misspelt one changes what runs."""
    for part in element.iter("*"):
        known = _OF_ZEEBE.get(local_name(part))
        if known is not None and etree.QName(part).namespace == ZEEBE:
            yield from (
                f"zeebe:{local_name(part)} {name}"
                for name in map(str, part.attrib)
                if name[0] != "{" and name not in known
            )


def _is_thrown(part: etree._Element) -> bool:
    parent = part.getparent()
    return parent is None or local_name(parent) in ("intermediateThrowEvent", "endEvent", "process")


def _values(part: etree._Element, bindable: bool) -> Iterator[str]:
    """Mappings whose value or target cannot be read, and properties with a value outside their list."""
    for name in ("inputParameter", "outputParameter"):
        for parameter in io_parameters(part, name):
            try:
                value = parameter_value(parameter)
            except Unreadable as reason:
                yield f"{name} {parameter.get('name')!r} with {reason}"
            else:
                if isinstance(value, dict) and any("${" in key or "#{" in key for key in value):
                    yield f"{name} {parameter.get('name')!r} with an expression as a key"
    for mappings in extensions(part, "ioMapping", (ZEEBE,)):
        for mapping in mappings.iterchildren("*"):
            if not is_target(mapping.get("target", "")):
                yield f"zeebe:{local_name(mapping)} with the target {mapping.get('target', '')[:80]!r}"
    for definition in extensions(part, "taskDefinition", (ZEEBE,)):
        if read_retries(definition.get("retries", "0")) is None:
            yield f"zeebe:taskDefinition retries={definition.get('retries')!r}"
    for cycle in extensions(part, "failedJobRetryTimeCycle"):
        if bindable and read_retries(own_text(cycle)) is None:
            yield f"failedJobRetryTimeCycle {own_text(cycle)[:80]!r}"
    yield from _properties(part, bindable)
    for operator in extensions(part, "serviceTaskOperator", (SPIFF,)):
        if any(retry.get("backoff_base") for retry in operator.iter(f"{{{SPIFF}}}retry")):
            yield "spiffworkflow:retry backoff_base"


def _properties(part: etree._Element, bindable: bool) -> Iterator[str]:
    properties = read_properties(part)
    if properties.get("undoPolicy", "delete") not in UNDO_POLICIES:
        yield f"property undoPolicy={properties['undoPolicy'][:80]!r}"
    try:
        read_policy(properties.get("onFailure") or "rollback")
    except ExpressionError:
        yield f"property onFailure={properties['onFailure'][:80]!r}"
    for name in FLAGS & properties.keys():
        known = bpmn_name(part) in ACTIVITIES or (name == "undoOnCompensation" and bpmn_name(part) == "process")
        if properties[name] not in ("true", "false", "") or not known:
            yield f"property {name}={properties[name][:80]!r}"
    for name, text in _retrying(properties, retries_of(bearers_of(part), properties), bindable):
        yield f"property {name}={text[:80]!r}"
    told = told_of_undo(properties)
    for name, text in _retrying(told, retries_of([], told), bindable):
        yield f"property {of_undo(name)}={text[:80]!r}"
    if (most := properties.get("maxAtOnce", "").strip()) and not (_is_number(most) and _runs_at_once(part)):
        yield f"property maxAtOnce={most[:80]!r}"
    if QUEUE in properties and not bindable:
        yield f"property {QUEUE}"


def _retrying(properties: Mapping[str, str], retries: Retries | None, bindable: bool) -> Iterator[tuple[str, str]]:
    """What a node says of retries and cannot be read, or goes with nothing else that it says."""
    if (text := properties.get("retries", "").strip()) and read_retries(text) is None:
        yield "retries", text
    for name in BACKOFF.keys() & properties.keys():
        text = properties[name].strip()
        # Pauses that are told one by one do not grow, whichever modeler's words tell them.
        told = name in GROWING and retries is not None and bool(retries.pauses)
        if text and (told or not bindable or read_backoff(name, text) is None):
            yield name, text


def _is_number(text: str) -> bool:
    """Whether a text is a whole number above zero, or an expression that may be one."""
    return (text.isdecimal() and (len(text) > 18 or int(text) > 0)) or text.startswith(("=", "${", "#{"))


def _runs_at_once(element: etree._Element) -> bool:
    """Whether an activity has several runs that go on beside each other."""
    markers = children(element, "multiInstanceLoopCharacteristics")
    return any(not is_true(marker, "isSequential") for marker in markers)
