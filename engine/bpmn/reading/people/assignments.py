"""Whose task it is and until when, in the words of all modelers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lxml import etree

from ...elements.people.assignment import NOBODY, Assignment
from ..bindings import read_properties
from ..expression_texts import language_of
from ..mappings import Input
from ..vendors import ZEEBE, attribute_value, extensions
from ..words import bpmn_name, local_name, own_text

if TYPE_CHECKING:
    from ....language.expressions import Value
    from ..model_reader import ModelReader

NOT = "not"
"""The property that says who may not do a task."""
_ASSIGNED = re.compile(r"\s*(user|group)\s*\((.*)\)\s*", re.DOTALL)
_BRACED = re.compile(r"[$#]\{(?:[^{}\"']|\"[^\"]*\"|'[^']*'|\{[^{}]*\})*\}|,")


def read_assignment(reader: ModelReader, element: etree._Element) -> Assignment:
    """What a user task says of people, dates and its rank."""
    given = _attributes(element)
    users, groups = split(given.get("candidateUsers", "")), split(given.get("candidateGroups", ""))
    assignee = given.get("assignee", "")
    for role, kind, text in _roles(element):
        if role == "humanPerformer":
            assignee = assignee or text
        else:
            (users if kind == "user" else groups).append(text)
    barred = tuple(text for text in split(read_properties(element).get(NOT, "")) if text)
    found = Assignment(
        _value(reader, element, assignee),
        _values(reader, element, users),
        _values(reader, element, groups),
        _value(reader, element, given.get("dueDate", "")),
        _value(reader, element, given.get("followUpDate", "")),
        _value(reader, element, given.get("priority", "")),
        barred,
    )
    return NOBODY if found == NOBODY else found


def split(text: str) -> list[str]:
    """The names between commas; commas inside of an expression part nothing."""
    if text.lstrip().startswith("="):
        return [text.strip()]
    parts, start = [], 0
    for found in _BRACED.finditer(text):
        if found[0] == ",":
            parts.append(text[start : found.start()].strip())
            start = found.end()
    return [part for part in (*parts, text[start:].strip()) if part]


def _attributes(element: etree._Element) -> dict[str, str]:
    """What the vendors say, by the names that the Java engines have for it."""
    names = ("assignee", "candidateUsers", "candidateGroups", "dueDate", "followUpDate", "priority")
    found = {name: text for name in names if (text := attribute_value(element, name))}
    for holder in ("assignmentDefinition", "taskSchedule", "priorityDefinition"):
        for extension in extensions(element, holder, (ZEEBE,)):
            found |= {name: text for name in names if (text := extension.get(name, "").strip())}
    return found


def _roles(element: etree._Element) -> list[tuple[str, str, str]]:
    """The resource roles of BPMN itself (10.2.1): the role, ``user`` or ``group``, and who; a plain name is a group."""
    found = []
    for role in element.iterchildren("*"):
        name = bpmn_name(role)
        if name not in ("humanPerformer", "potentialOwner"):
            continue
        for expression in role.iter("{*}formalExpression"):
            if local_name(expression) != "formalExpression":
                continue
            for text in split(own_text(expression)):
                assigned = _ASSIGNED.fullmatch(text)
                kind, who = (assigned[1], assigned[2].strip()) if assigned else ("group", text)
                found.append((name, kind, who))
    return found


def _value(reader: ModelReader, element: etree._Element, text: str) -> Value | None:
    return reader.value(element, Input(value=text, language=language_of(text))) if text else None


def _values(reader: ModelReader, element: etree._Element, texts: Sequence[str]) -> tuple[Value, ...]:
    return tuple(reader.value(element, Input(value=text, language=language_of(text))) for text in texts)
