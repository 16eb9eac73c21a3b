"""Tasks and callable elements that are described by operations and messages (BPMN 2.0, 8.4.3, 10.2.3, 10.3.3)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ..reading.words import all_text, bpmn_name, child, children, label
from .data import item, same_item
from .outline import Outline

_Interface = dict[str, list[str]]

_CALLABLE = (
    "process",
    "globalTask",
    "globalUserTask",
    "globalManualTask",
    "globalScriptTask",
    "globalBusinessRuleTask",
)


def check_operations(outline: Outline, report: Report) -> None:
    """Report data of tasks and processes that differs from what their operation, message or callee declares."""
    for task in outline.by_tag["serviceTask"]:
        if task.get("operationRef") is not None:
            _check_service_task(outline, report, task)
    for task in outline.by_tag["sendTask"]:
        _check_message_task(outline, report, task, "dataInput", "inputSet")
    for task in outline.by_tag["receiveTask"]:
        _check_message_task(outline, report, task, "dataOutput", "outputSet")
    callees: dict[etree._Element, _Interface] = {}
    for call in outline.by_tag["callActivity"]:
        called = outline.find(call, call.get("calledElement"))
        if called is None or bpmn_name(called) not in _CALLABLE:
            continue
        if called not in callees:
            callees[called] = _interface(outline, called)
        _check_call(outline, report, call, called, callees[called])
    for tag in _CALLABLE:
        for callee in outline.by_tag[tag]:
            if children(callee, "supportedInterfaceRef"):
                _check_service(outline, report, callee)
    for role in (role for tag in _ROLES for role in outline.by_tag[tag]):
        _check_resource(outline, report, role)


_ROLES = ("resourceRole", "performer", "humanPerformer", "potentialOwner")


def _data(owner: etree._Element, tag: str) -> list[etree._Element]:
    specification = child(owner, "ioSpecification")
    return children(specification, tag) if specification is not None else []


def _items(outline: Outline, owner: etree._Element, tag: str) -> list[etree._Element | None]:
    return [item(outline, data) for data in _data(owner, tag)]


def _message_item(outline: Outline, operation: etree._Element | None, tag: str) -> etree._Element | None:
    reference = child(operation, tag) if operation is not None else None
    message = outline.find(reference, all_text(reference)) if reference is not None else None
    return outline.find(message, message.get("itemRef")) if message is not None else None


def _check_service_task(outline: Outline, report: Report, task: etree._Element) -> None:
    operation = outline.find(task, task.get("operationRef"))
    if len(_data(task, "inputSet")) != 1 or len(_data(task, "outputSet")) > 1:
        report.formal(
            "operation-sets",
            task,
            f"The {label(task)} calls an operation, so its ioSpecification needs one inputSet and at most one"
            " outputSet: correct it.",
        )
    for data_tag, message_tag in (("dataInput", "inMessageRef"), ("dataOutput", "outMessageRef")):
        if operation is None or child(operation, message_tag) is None:
            continue
        needed = data_tag == "dataOutput" or bool(_data(task, data_tag))
        passed = _message_item(outline, operation, message_tag)
        if needed and not any(same_item(passed, own) for own in _items(outline, task, data_tag)):
            report.formal(
                "operation-data",
                task,
                f"No {data_tag} of {label(task)} has the item definition of the {message_tag} of {label(operation)}:"
                " make them equal.",
            )


def _check_message_task(outline: Outline, report: Report, task: etree._Element, data_tag: str, set_tag: str) -> None:
    message = outline.find(task, task.get("messageRef"))
    if task.get("messageRef") is None:
        return
    data = _data(task, data_tag)
    if len(data) > 1 or len(_data(task, set_tag)) > 1:
        report.formal(
            "message-task-data",
            task,
            f"The {label(task)} passes one message, so it may have one {data_tag} in one {set_tag}: remove the others.",
        )
    passed = outline.find(message, message.get("itemRef")) if message is not None else None
    if data and not any(same_item(passed, own) for own in _items(outline, task, data_tag)):
        report.formal(
            "message-task-type",
            task,
            f"The {data_tag} of {label(task)} has not the item definition of its message: make them equal.",
        )


def _interface(outline: Outline, owner: etree._Element) -> _Interface:
    """What goes in and out of ``owner``: the types of its data and the sizes of its sets, in no order."""
    found: _Interface = {}
    for tag in ("dataInput", "dataOutput"):
        items = _items(outline, owner, tag)
        found[tag] = sorted("" if each is None else each.get("structureRef", each.get("id", "")) for each in items)
    for tag, references in (("inputSet", "dataInputRefs"), ("outputSet", "dataOutputRefs")):
        found[tag] = sorted(str(size) for each in _data(owner, tag) if (size := len(children(each, references))))
    return found


def _check_call(
    outline: Outline, report: Report, call: etree._Element, called: etree._Element, theirs: _Interface
) -> None:
    for tag, mine in _interface(outline, call).items():
        if mine != theirs[tag]:
            report.formal(
                "call-data",
                call,
                f"The {label(call)} and the {label(called)} that it calls differ in their {tag}s: declare the same.",
            )


def _check_service(outline: Outline, report: Report, callee: etree._Element) -> None:
    bindings = children(callee, "ioBinding")
    if not bindings:
        report.formal(
            "interface-without-binding",
            callee,
            f"The {label(callee)} supports an interface but binds no operation: add an ioBinding.",
        )
    for binding in bindings:
        operation = outline.find(binding, binding.get("operationRef"))
        ends = (("inputDataRef", "inMessageRef"), ("outputDataRef", "outMessageRef"))
        for attribute, message_tag in ends:
            data = outline.find(binding, binding.get(attribute))
            if operation is None or data is None or bpmn_name(data) not in ("dataInput", "dataOutput"):
                continue
            if not same_item(item(outline, data), _message_item(outline, operation, message_tag)):
                report.formal(
                    "binding-data",
                    callee,
                    f"The {label(data)} of {label(callee)} has not the item definition of the {message_tag} of"
                    f" {label(operation)}: make them equal.",
                )


def _check_resource(outline: Outline, report: Report, role: etree._Element) -> None:
    reference = child(role, "resourceRef")
    resource = outline.find(reference, all_text(reference)) if reference is not None else None
    for binding in children(role, "resourceParameterBinding"):
        parameter = outline.find(binding, binding.get("parameterRef"))
        if resource is not None and parameter is not None and parameter.getparent() is not resource:
            report.formal(
                "resource-parameter",
                role,
                f"The {label(role)} binds {label(parameter)}, which is not a parameter of {label(resource)}: bind"
                " one of its own.",
            )
