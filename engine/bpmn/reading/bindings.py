"""How the modelers bind a stone or a decision to a task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast, get_args

from lxml import etree

from ....models.catalogue import NEWEST, WantedVersion
from ....models.vocabulary import UndoPolicy
from ...dmn.outcome import Shape
from ..elements.decisions import DecisionCall
from .mappings import Input, OutputMapping, read_fields, read_inputs, read_outputs
from .retries import BACKOFF, OF_UNDO, retries_of, retrying_of, told_of_undo
from .vendors import ACTIVITI, CAMUNDA, FLOWABLE, PREFIXES, SPIFF, ZEEBE, attribute, attribute_value, extensions
from .words import child, local_name, own_text

BOUND = frozenset({"serviceTask", "sendTask", "businessRuleTask", "userTask", "task"})
"""The activities that a stone can carry out."""
THROWING = frozenset({"intermediateThrowEvent", "endEvent"})
"""The events that a stone can carry out if they throw a message."""
UNDO_POLICIES = frozenset(get_args(UndoPolicy))
QUEUE = "mq_queue"
RESERVED = frozenset(
    {QUEUE, "namespace", "undoPolicy", "retries", "onFailure", "undoOnError", "undoOnCompensation", "maxAtOnce"}
).union(BACKOFF, OF_UNDO)
"""The properties that speak about the task and are no input of the stone."""
SHAPES = frozenset({"resultList", "singleResult", "singleEntry", "collectEntries"})
"""The words of ``camunda:mapDecisionResult``."""

_WHOLE_EXPRESSION = re.compile(r"[#$]\{([^{}]*)\}")


class Binding(NamedTuple):
    """Which stone carries out a node, and everything that the node says to it."""

    stone: str
    """The stone's code as written; it may hold ``${...}``."""
    dialect: str
    """What bound it, such as ``camunda:topic``."""
    namespace: str | None = None
    inputs: Mapping[str, Input] = {}
    outputs: tuple[OutputMapping, ...] = ()
    result_variable: str | None = None
    retries: int | None = None
    retry_pauses: tuple[int, ...] = ()
    retrying: Mapping[str, Any] = {}
    """How it is tried again, by the words of the ledger."""
    undo_retrying: Mapping[str, Any] = {}
    """The same of what takes it back."""
    properties: Mapping[str, str] = {}
    undo_policy: UndoPolicy = "delete"
    priority: int | str | None = None
    """A number, or an expression that gives one."""


def read_binding(element: etree._Element) -> Binding | None:
    """The stone that a node names; None if it names none, or cannot be carried out by a stone.

    Where a node carries several names, the order is: an external task's topic, zeebe's task definition,
    Flowable's external worker, ``mq_queue``, a delegate expression, class or expression, Spiff's operator, and
    BPMN's own ``implementation``. A single ``${bean}`` around a delegate loses its brackets, a topic keeps them.
    """
    kind = local_name(element)
    bearers = bearers_of(element)
    properties = read_properties(element)
    for bearer in bearers:
        named = _stone(bearer, kind, properties)
        if named is not None:
            break
    else:
        return None
    stone, dialect = named
    inputs: dict[str, Input] = {}
    if dialect == f"property {QUEUE}":
        # Such a modeler has only properties to give a stone its parameters with.
        inputs = {name: Input(value=text) for name, text in properties.items() if name not in RESERVED}
    for bearer in reversed(bearers):
        inputs |= read_inputs(bearer)
    if dialect == f"field {QUEUE}":
        del inputs[QUEUE]
    policy = properties.get("undoPolicy", "delete")
    retries, of_undo = retries_of(bearers, properties), told_of_undo(properties)
    return Binding(
        stone=stone,
        dialect=dialect,
        namespace=properties.get("namespace") or None,
        inputs=inputs,
        outputs=tuple(mapping for bearer in bearers for mapping in read_outputs(bearer)),
        result_variable=_result_variable(bearers),
        retries=None if retries is None else retries.times,
        retry_pauses=() if retries is None else retries.pauses,
        retrying=retrying_of(retries, properties),
        undo_retrying=retrying_of(retries_of([], of_undo), of_undo),
        properties=properties,
        priority=next((found for found in map(_priority, (*bearers, *_around(element))) if found), None),
        undo_policy=cast(UndoPolicy, policy) if policy in UNDO_POLICIES else "delete",
    )


def is_bindable(element: etree._Element) -> bool:
    """Whether a stone could carry out this node."""
    return bool(bearers_of(element))


def bearers_of(element: etree._Element) -> list[etree._Element]:
    """The elements in which a binding may stand, the foremost first; none if no stone can carry out the node."""
    kind = local_name(element)
    if kind in BOUND:
        return [element]
    message = child(element, "messageEventDefinition") if kind in THROWING else None
    return [message, element] if message is not None else []


def _stone(bearer: etree._Element, kind: str, properties: Mapping[str, str]) -> tuple[str, str] | None:
    """The stone's code and what named it."""
    if attribute_value(bearer, "type", (CAMUNDA,)) == "external" and (
        topic := attribute_value(bearer, "topic", (CAMUNDA,))
    ):
        return topic, "camunda:topic"
    for definition in extensions(bearer, "taskDefinition", (ZEEBE,)):
        if code := definition.get("type", "").strip():
            return code, "zeebe:taskDefinition"
    if attribute_value(bearer, "type", (FLOWABLE,)) == "external-worker" and (
        topic := attribute_value(bearer, "topic", (FLOWABLE,))
    ):
        return topic, "flowable:topic"
    if code := read_fields(bearer).get(QUEUE, "").strip():
        return code, f"field {QUEUE}"
    if code := properties.get(QUEUE, "").strip() or attribute_value(bearer, QUEUE, tuple(PREFIXES)) or "":
        return code, f"property {QUEUE}"
    for name in ("delegateExpression", "class", "expression"):
        found = attribute(bearer, name)
        if found:
            whole = _WHOLE_EXPRESSION.fullmatch(found[0]) if name != "class" else None
            return (whole[1].strip() if whole else found[0]), f"{PREFIXES[found[1]]}:{name}"
    for operator in extensions(bearer, "serviceTaskOperator", (SPIFF,)):
        if code := operator.get("id", "").strip():
            return code, "spiffworkflow:serviceTaskOperator"
    code = bearer.get("implementation", "").strip()
    if code and not code.startswith("##") and kind in ("serviceTask", "sendTask", "businessRuleTask"):
        return code, "implementation"
    return None


def read_properties(element: etree._Element) -> dict[str, str]:
    """The modeler's free properties by name; the first of two equal names counts."""
    properties: dict[str, str] = {}
    for holder in extensions(element, "properties", (CAMUNDA, ZEEBE, SPIFF, FLOWABLE, ACTIVITI)):
        for found in holder.iterchildren("*"):
            name = found.get("name") or found.get("id")
            if local_name(found) == "property" and name:
                properties.setdefault(name, found.get("value", own_text(found)))
    return properties


def says(element: etree._Element, name: str) -> bool | None:
    """What a property of an element says that is true or false; None where it says nothing."""
    return {"true": True, "false": False}.get(read_properties(element).get(name, ""))


def _result_variable(bearers: list[etree._Element]) -> str | None:
    for bearer in bearers:
        found = attribute_value(bearer, "resultVariable") or attribute_value(bearer, "resultVariableName")
        if found:
            return found
        for operator in extensions(bearer, "serviceTaskOperator", (SPIFF,)):
            if operator.get("resultVariable"):
                return operator.get("resultVariable")
    return None


def _around(element: etree._Element) -> list[etree._Element]:
    """The process that an element is in, which speaks for all of its tasks."""
    return [each for each in element.iterancestors("{*}process") if local_name(each) == "process"][:1]


def _priority(bearer: etree._Element) -> int | str | None:
    """What ``taskPriority`` says as a number, or the expression that says it."""
    text = attribute_value(bearer, "taskPriority", (CAMUNDA,)) or ""
    if "{" in text:
        return text
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None


def read_decision(element: etree._Element) -> DecisionCall | None:
    """The decision that a task names in the way of its modeler; None if it names none."""
    kind = local_name(element)
    if kind == "serviceTask" and attribute_value(element, "type", (FLOWABLE,)) == "dmn":
        return _flowable_decision(element)
    if kind != "businessRuleTask":
        return None
    if reference := attribute_value(element, "decisionRef", (CAMUNDA,)):
        shape = attribute_value(element, "mapDecisionResult", (CAMUNDA,)) or "resultList"
        return DecisionCall(
            decision=reference,
            dialect="camunda:decisionRef",
            shape=cast(Shape, shape) if shape in SHAPES else "resultList",
            result_variable=attribute_value(element, "resultVariable", (CAMUNDA,)),
            version=_version(element, "decisionRef"),
            together=attribute_value(element, "decisionRefBinding", (CAMUNDA,)) == "deployment",
        )
    for called in extensions(element, "calledDecision", (ZEEBE,)):
        if reference := called.get("decisionId", "").strip():
            variable = called.get("resultVariable", "").strip() or None
            return DecisionCall(
                decision=reference,
                dialect="zeebe:calledDecision",
                shape="value",
                result_variable=variable,
                version=_zeebe_version(called),
                together=called.get("bindingType") == "deployment",
            )
    for called in extensions(element, "calledDecisionId", (SPIFF,)):
        if reference := own_text(called):
            return DecisionCall(
                decision=reference, dialect="spiffworkflow:calledDecisionId", shape="value", spread=True, must_hit=True
            )
    return None


def read_call_binding(element: etree._Element) -> tuple[WantedVersion, bool]:
    """Which version a call activity is bound to, and whether to what was deployed with it."""
    for found in extensions(element, "calledElement", (ZEEBE,)):
        return _zeebe_version(found), found.get("bindingType") == "deployment"
    together = attribute_value(element, "calledElementBinding", (CAMUNDA,)) == "deployment"
    return _version(element, "calledElement"), together


def read_form_binding(element: etree._Element) -> tuple[WantedVersion, bool]:
    """The same of a form."""
    for found in extensions(element, "formDefinition", (ZEEBE,)):
        return _zeebe_version(found), found.get("bindingType") == "deployment"
    return _version(element, "formRef"), attribute_value(element, "formRefBinding", (CAMUNDA,)) == "deployment"


def read_version_tag(element: etree._Element) -> str | None:
    """The version tag of a process."""
    tags = (found.get("value", "").strip() for found in extensions(element, "versionTag", (ZEEBE,)))
    return attribute_value(element, "versionTag", (CAMUNDA,)) or next(tags, None) or None


def _version(element: etree._Element, what: str) -> WantedVersion:
    """Which version of a decision or process a task of Camunda 7 is bound to."""
    binding = attribute_value(element, f"{what}Binding", (CAMUNDA,))
    if binding == "versionTag":
        return WantedVersion(tag=attribute_value(element, f"{what}VersionTag", (CAMUNDA,)))
    if binding != "version":
        return NEWEST
    text = attribute_value(element, f"{what}Version", (CAMUNDA,)) or ""
    return WantedVersion(int(text) if text.isdecimal() and len(text) < 10 else None)


def _zeebe_version(called: etree._Element) -> WantedVersion:
    return WantedVersion(tag=called.get("versionTag")) if called.get("bindingType") == "versionTag" else NEWEST


def _flowable_decision(element: etree._Element) -> DecisionCall | None:
    fields = read_fields(element)
    reference = fields.get("decisionTableReferenceKey") or fields.get("decisionServiceReferenceKey") or ""
    if not reference.strip():
        return None
    must_hit = fields.get("decisionTaskThrowErrorOnNoHits", "false").strip() == "true"
    return DecisionCall(
        decision=reference.strip(), dialect="flowable:type=dmn", shape="value", spread=True, must_hit=must_hit
    )
