"""Reads what events wait for and send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, cast

from lxml import etree

from ...errors import ExpressionError
from ...language.context import Context
from ..running.event_definitions import EventDefinition, EventKind
from ..running.timers.cycles import TimerKind, read_timer
from .expression_texts import ExpressionText, read_expression
from .mappings import Input, read_passed
from .model_reader import ModelReader
from .vendors import ZEEBE, attribute_value, extensions
from .words import bpmn_name, child, is_true, label, referred

if TYPE_CHECKING:
    from ...language.expressions import Expression

TIMERS: tuple[tuple[str, TimerKind], ...] = (
    ("timeDate", "date"),
    ("timeDuration", "duration"),
    ("timeCycle", "cycle"),
)


def read_definitions(reader: ModelReader, element: etree._Element) -> list[EventDefinition]:
    """The event definitions inside an event, and those that it refers to, in order."""
    return [_definition(reader, element, part) for part in _parts(reader, element)]


def _parts(reader: ModelReader, element: etree._Element) -> Iterator[etree._Element]:
    for part in element:
        name = bpmn_name(part)
        if name == "eventDefinitionRef":
            target = reader.by_id.get((part.text or "").strip().rpartition(":")[2])
            if target is not None:
                yield target
        elif name.endswith("EventDefinition"):
            yield part


def _definition(reader: ModelReader, event: etree._Element, part: etree._Element) -> EventDefinition:
    kind = cast(EventKind | Literal["conditional"], bpmn_name(part)[: -len("EventDefinition")])
    if kind == "message" or kind == "signal":
        return _named(reader, event, part, kind, reader.by_id.get(referred(part, f"{kind}Ref") or ""))
    if kind == "timer":
        return _timer(reader, event, part)
    if kind == "conditional":
        condition = reader.expression(event, read_expression(child(part, "condition")))
        if _starts_process(event):
            text = f"The condition of {label(event)} starts nothing by itself: start the process by its key."
            reader.report.warning("conditional-start", event, text)
        return EventDefinition(kind="condition", expression=condition)
    if kind == "error" or kind == "escalation":
        target = reader.by_id.get(referred(part, f"{kind}Ref") or "")
        code = referred(part, f"{kind}Ref") if target is None else target.get(f"{kind}Code") or target.get("id")
        said = None if target is None else attribute_value(target, "errorMessage")
        message = None if said is None else reader.value(event, Input(said))
        return EventDefinition(kind=kind, name=code, message=message, variables=_variables(part, kind))
    if kind == "link":
        return EventDefinition(kind="link", name=part.get("name"))
    if kind == "compensate":
        waits = is_true(part, "waitForCompletion", default=True)
        return EventDefinition(kind="compensate", activity=referred(part, "activityRef"), wait_for_completion=waits)
    return EventDefinition(kind="terminate" if kind == "terminate" else "cancel")


def _named(
    reader: ModelReader,
    event: etree._Element,
    part: etree._Element,
    kind: Literal["message", "signal"],
    target: etree._Element | None,
) -> EventDefinition:
    """A message or a signal; what has no name of its own is called like the event."""
    reference = part.get(f"{kind}Ref")
    if target is None and reference:
        text = f"{label(event)} refers to the {kind} {reference!r} of a file that is not there: deploy it together."
        reader.report.error("dangling-reference", event, text)
    bearer = event if target is None else target
    name = str(bearer.get("name") or bearer.get("id"))
    expression = correlation = None
    if "${" in name or "#{" in name or name.startswith("="):
        expression = reader.expression(event, ExpressionText(text=name, language="juel"))
    for subscription in extensions(bearer, "subscription", (ZEEBE,)):
        key = subscription.get("correlationKey")
        correlation = reader.expression(event, ExpressionText(text=key, language="feel") if key else None)
    brings, everything = read_passed(part, "in")
    return EventDefinition(
        kind=kind,
        name=name,
        expression=expression,
        correlation=correlation,
        payload={mapping.target: reader.value(event, mapping) for mapping in brings},
        all_variables=everything,
    )


def _variables(part: etree._Element, kind: str) -> dict[str, str]:
    """The variables that a modeler wants an error's or escalation's code and text in, by name."""
    wanted = {name: attribute_value(part, f"{kind}{name}Variable") for name in ("Code", "Message")}
    return {variable: f"{kind}{name}" for name, variable in wanted.items() if variable}


def read_task_message(reader: ModelReader, task: etree._Element) -> list[EventDefinition]:
    """The message that a send or receive task names, directly or as what its operation takes in."""
    reference = referred(task, "messageRef")
    if reference is None:
        operation = reader.by_id.get(referred(task, "operationRef") or "")
        named = None if operation is None else child(operation, "inMessageRef")
        if named is None:
            return []
        reference = (named.text or "").strip().rpartition(":")[2]
    target = reader.by_id.get(reference)
    if target is None:
        return [EventDefinition(kind="message", name=reference)]
    return [_named(reader, task, task, "message", target)]


def read_behavior_event(reader: ModelReader, marker: etree._Element, attribute: str) -> EventDefinition | None:
    """What a multi-instance behavior throws (BPMN 2.0, table 10.29)."""
    part = reader.by_id.get(referred(marker, attribute) or "")
    return None if part is None else _definition(reader, part, part)


def _timer(reader: ModelReader, event: etree._Element, part: etree._Element) -> EventDefinition:
    for name, kind in TIMERS:
        text = read_expression(child(part, name))
        if text is not None:
            expression = _time(reader, event, text)
            until = _until(reader, event, child(part, name))
            sunday = 0 if ZEEBE in part.nsmap.values() else 1
            definition = EventDefinition(kind="timer", timer=kind, expression=expression, sunday=sunday, until=until)
            if expression is not None and expression.constant:
                _refuse_impossible(reader, event, definition)
            elif _starts_process(event):
                why = f"The timer of {label(event)} is an expression, but no process is there yet: write a time."
                reader.report.error("timer-time", event, why)
            return definition
    reader.report.error("timer-without-time", event, f"The timer of {label(event)} has no date, duration or cycle.")
    never = _time(reader, event, ExpressionText(text="PT0S", language="juel"))
    return EventDefinition(kind="timer", timer="duration", expression=never)


def _starts_process(event: etree._Element) -> bool:
    parent = event.getparent()
    return bpmn_name(event) == "startEvent" and parent is not None and bpmn_name(parent) == "process"


def _until(reader: ModelReader, event: etree._Element, time: etree._Element | None) -> Expression | None:
    """The end of a cycle that Flowable writes as an attribute."""
    text = None if time is None else attribute_value(time, "endDate")
    return None if text is None else _time(reader, event, ExpressionText(text=text, language="juel"))


def _refuse_impossible(reader: ModelReader, event: etree._Element, timer: EventDefinition) -> None:
    """What is no time wherever it runs is told at deployment."""
    assert timer.expression is not None
    assert timer.timer is not None
    until = None if timer.until is None or not timer.until.constant else timer.until.evaluate(Context())
    value, least = timer.expression.evaluate(Context()), round(reader.limits.timer_interval * 1000)
    try:
        read_timer(timer.timer, value, 0, least, sunday=timer.sunday, until=until)
    except ExpressionError as error:
        reader.report.error("timer-time", event, f"The timer of {label(event)} cannot be set: {error.message}")


def _time(reader: ModelReader, event: etree._Element, text: ExpressionText) -> Expression | None:
    """ISO 8601 is written bare; anything in ``${...}`` or after ``=`` is an expression."""
    body = text.text.strip()
    if body.startswith("=") or "${" in body or "#{" in body:
        return reader.expression(event, text)
    quoted = body.replace("\\", "\\\\").replace('"', '\\"')
    return reader.expression(event, ExpressionText(text=f'"{quoted}"', language="juel"))
