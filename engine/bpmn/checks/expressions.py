"""Expressions and times: whether an engine can read them (BPMN 2.0, 8.3.6, 10.4.5; ISO 8601)."""

from __future__ import annotations

import re

from lxml import etree

from ...findings import Report
from ..reading.words import XSI_TYPE, all_text, bpmn_name, children, label
from .outline import Outline

_EXPRESSIONS = (
    "conditionExpression loopCondition loopCardinality completionCondition activationCondition condition "
    "timeDate timeDuration timeCycle from to"
).split()
_ALWAYS_FORMAL = ("formalExpression", "messagePath", "dataPath", "transformation")
_BOOLEAN = frozenset("conditionExpression loopCondition completionCondition condition".split())
_MIME_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}(\s*;.{0,200})?")

# What an expression language is known by where the file does not say that the text is formal.
_MARKS = re.compile(r"[$#]\{|^=")
_READ = re.compile(r"feel|juel|(?<![a-z])u?el(?![a-z])|expression-?language")
"""What names a language that is read: FEEL, or the EL of the Java engines."""
_NUMBER = re.compile(r"[+-]?\d{1,50}(\.\d{1,50})?")

_DAY = r"(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-\d{3}|\d{4}-?W\d{2}(?:-?\d)?)"
_CLOCK = (
    r"\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d{1,12})?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?(?:\[[\w/+-]{1,64}\]|@[\w/+-]{1,64})?"
)
_DATE = re.compile(rf"{_DAY}(?:T{_CLOCK})?")
_PART = r"\d{1,18}(?:[.,]\d{1,12})?"
_DURATION = re.compile(
    rf"[+-]?P(?=.)(?:{_PART}W|(?:{_PART}Y)?(?:{_PART}M)?(?:{_PART}D)?(?:T(?=.)(?:{_PART}H)?(?:{_PART}M)?(?:{_PART}S)?)?)"
)
_REPEAT = re.compile(r"R-?\d{0,9}")
# A time that went wrong still starts like one; everything else may be a word of some expression language.
_TIME_LIKE = re.compile(r"[PR]\d|PT|[PR]/|\d")
_CRON = re.compile(
    r"(?:(?:CRON_)?TZ=[\w/+-]{1,64}\s+)?"
    r"(?:[\w*?/,#-]{1,60}(?:\s+[\w*?/,#-]{1,60}){4,6}|@(?:yearly|annually|monthly|weekly|daily|midnight|hourly))"
    r"(?:\s*\[[\w/+-]{1,64}\])?"
)


def check_expressions(outline: Outline, report: Report) -> None:
    """Report expressions that are empty or only words, and times that are none."""
    for tag in _EXPRESSIONS:
        for element in outline.by_tag[tag]:
            _check_expression(outline, report, element, tag)
    for tag in _ALWAYS_FORMAL:
        for element in outline.by_tag[tag]:
            _check_body(report, element)
    for definition in outline.by_tag["timerEventDefinition"]:
        _check_timer(outline, report, definition)
    for tag in ("documentation", "textAnnotation"):
        for element in outline.by_tag[tag]:
            form = element.get("textFormat")
            if form is not None and _MIME_TYPE.fullmatch(form.strip()) is None:
                report.formal(
                    "text-format",
                    element,
                    f"The textFormat {form!r} of a {tag} is no media type: write one such as text/plain.",
                )


def _check_expression(outline: Outline, report: Report, element: etree._Element, tag: str) -> None:
    owner = element.getparent()
    if owner is None or (tag == "condition" and bpmn_name(owner) != "conditionalEventDefinition"):
        _check_body(report, element)
        return
    formal = element.get(XSI_TYPE, "").rpartition(":")[2] == "tFormalExpression"
    body = all_text(element)
    if formal:
        _check_body(report, element)
    elif outline.executable(element) and not _is_formal(tag, body):
        report.formal(
            "natural-language-expression",
            element,
            f"The {tag} {body[:60]!r} of {_owner(element)} is natural language, which no engine can run: write an"
            ' expression such as ${...}, with xsi:type="tFormalExpression".',
        )
    language = element.get("language", "")
    if language and outline.executable(element) and not _is_read(language, body):
        report.error(
            "expression-language",
            element,
            f"The {tag} of {_owner(element)} is written in {language[:80]!r}, which is not run here: write it in FEEL"
            " (= ...) or as ${...}, and take the language away.",
        )
    if tag in _BOOLEAN and _NUMBER.fullmatch(body):
        report.error(
            "condition-is-number",
            element,
            f"The {tag} of {_owner(element)} is the number {body[:60]}, not a condition: compare it with something.",
        )


def _is_read(language: str, body: str) -> bool:
    """Whether an expression in this language is read; files of many tools name XPath and mean ``${...}``."""
    name = language.lower()
    return _READ.search(name) is not None or ("xpath" in name and _MARKS.search(body) is not None)


def _is_formal(tag: str, body: str) -> bool:
    if tag == "loopCardinality" and _NUMBER.fullmatch(body):
        return True
    if tag in ("timeDate", "timeDuration", "timeCycle"):
        return bool(body)  # whether it is a time is judged on its own
    return _MARKS.search(body) is not None


def _check_body(report: Report, element: etree._Element) -> None:
    # Camunda keeps long expressions in a file of their own, named by an attribute.
    if not all_text(element) and not len(element) and not any(key.endswith("}resource") for key in element.attrib):
        say = report.error if bpmn_name(element).startswith("time") else report.formal
        say(
            "expression-empty",
            element,
            f"The {bpmn_name(element)} of {_owner(element)} is a formal expression without content: write one.",
        )


def _owner(element: etree._Element) -> str:
    owner = element.getparent()
    while owner is not None and owner.get("id") is None:
        owner = owner.getparent()
    return label(owner) if owner is not None else "the file"


def _check_timer(outline: Outline, report: Report, definition: etree._Element) -> None:
    times = [time for tag in ("timeDate", "timeDuration", "timeCycle") for time in children(definition, tag)]
    if len(times) != 1 and outline.executable(definition):
        report.error(
            "timer-times",
            definition,
            f"The timer of {_owner(definition)} has {len(times)} times: give it exactly one of timeDate, timeDuration"
            " and timeCycle.",
        )
    for time in times:
        body, tag = all_text(time), bpmn_name(time)
        if body and not is_time(tag, body) and not _may_be_expression(body):
            say = report.error if _TIME_LIKE.match(body) else report.formal
            say(
                "timer-time",
                time,
                f"The {tag} {body[:60]!r} of {_owner(time)} is neither ISO 8601 nor an expression: write"
                f" {_EXAMPLES[tag]}.",
            )


_EXAMPLES = {
    "timeDate": "a date such as 2031-01-31T12:00:00Z or ${...}",
    "timeDuration": "a duration such as PT15M or ${...}",
    "timeCycle": "a cycle such as R3/PT10M, a cron such as 0 0 9 ? * MON-FRI, or ${...}",
}


def is_time(tag: str, body: str) -> bool:
    """Whether ``body`` is what the timer element ``tag`` holds: an ISO 8601 date, duration or repetition (or cron)."""
    if tag == "timeDate":
        return _DATE.fullmatch(body) is not None
    if tag == "timeDuration":
        return _DURATION.fullmatch(body) is not None
    if _CRON.fullmatch(body):
        return True
    first, *rest = re.split(r"/(?=[-+]?P[\dT]|\d)", body)
    if first.startswith("R"):
        if not rest or _REPEAT.fullmatch(first) is None:
            return False
        parts = rest
    else:
        parts = [first, *rest]
    if len(parts) > 3:
        return False
    spans = [_DURATION.fullmatch(part) is not None for part in parts]
    dates = [_DATE.fullmatch(part) is not None for part in parts]
    return all(span or date for span, date in zip(spans, dates, strict=True)) and (any(spans) or len(parts) == 2)


def _may_be_expression(body: str) -> bool:
    if "${" in body or "#{" in body or body.startswith("="):
        return True
    return _TIME_LIKE.match(body) is None and re.search(r"[.(\[\"'=+]", body) is not None
