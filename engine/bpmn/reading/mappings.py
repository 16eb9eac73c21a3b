"""What goes into an activity and what comes out of it, as the modelers write it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lxml import etree

from .expression_texts import Language, language_of
from .vendors import ACTIVITI, CAMUNDA, FLOWABLE, PREFIXES, SPIFF, ZEEBE, attribute_value, extensions
from .words import local_name, own_text


class Unreadable(ValueError):
    """A value is written in a way that is not understood; the text names it."""


class Input(NamedTuple):
    """A value for one parameter: JSON whose string leaves may hold ``${...}``, or in FEEL start with ``=``."""

    value: Any
    language: Language = "juel"
    in_order: bool = False
    """Whether it sees the inputs before it: Zeebe's do, those of the Java engines are all read outside."""


class OutputMapping(NamedTuple):
    """Once the activity is done, ``value`` is evaluated and kept under the name ``target``."""

    target: str
    value: Any
    language: Language = "juel"
    members: tuple[str, ...] = ()
    """Where inside the variable it goes, if it is not the whole of it."""
    by_name: bool = False
    """Whether the value is the name of a variable and no expression."""


class Passing(NamedTuple):
    """What a call activity hands to the called process and takes back from it.

    ``inward`` and ``outward`` name variables on the receiving side; ``all_in`` and ``all_out`` pass everything as well.
    """

    inward: tuple[OutputMapping, ...] = ()
    outward: tuple[OutputMapping, ...] = ()
    all_in: bool = False
    all_out: bool = False
    called_element: Input | None = None
    """The called process where a vendor's attribute names it, not BPMN's ``calledElement``."""


class Io(NamedTuple):
    """The mappings of any activity; ``passing`` is that of a call activity, else None."""

    inputs: Mapping[str, Input] = {}
    outputs: tuple[OutputMapping, ...] = ()
    passing: Passing | None = None


def read_io(element: etree._Element) -> Io:
    """The input and output mappings of an activity or event, and what a call activity passes on.

    A value that cannot be read is left out here and named by :func:`~.unread.unread`.
    """
    passing = _passing(element) if local_name(element) == "callActivity" else None
    return Io(inputs=read_inputs(element), outputs=read_outputs(element), passing=passing)


def parameter_value(element: etree._Element) -> Any:
    """The value of ``camunda:inputParameter``, ``outputParameter``, ``entry`` or ``value``.

    Text, or a nested list or map; nothing at all is null.
    Raises Unreadable for a script or another structure.
    """
    children = list(element.iterchildren("*"))
    if not children:
        return own_text(element) or None
    child = children[0]
    name = local_name(child)
    if len(children) == 1 and name == "list":
        return [_list_item(item) for item in child.iterchildren("*")]
    if len(children) == 1 and name == "map":
        return {entry.get("key", ""): parameter_value(entry) for entry in child.iterchildren("*")}
    raise Unreadable(f"{PREFIXES.get(etree.QName(child).namespace or '', 'other')}:{name}")


def _list_item(element: etree._Element) -> Any:
    name = local_name(element)
    if name == "value":
        return parameter_value(element)
    if name == "list":
        return [_list_item(item) for item in element.iterchildren("*")]
    if name == "map":
        return {entry.get("key", ""): parameter_value(entry) for entry in element.iterchildren("*")}
    raise Unreadable(f"{PREFIXES.get(etree.QName(element).namespace or '', 'other')}:{name}")


def io_parameters(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """The named ``inputParameter`` or ``outputParameter`` elements of ``inputOutput``."""
    for holder in extensions(element, "inputOutput"):
        yield from (child for child in holder.iterchildren("*") if local_name(child) == name and child.get("name"))


def zeebe_mappings(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """The ``zeebe:input`` or ``zeebe:output`` elements that have a target."""
    for holder in extensions(element, "ioMapping", (ZEEBE,)):
        yield from (child for child in holder.iterchildren(f"{{{ZEEBE}}}{name}") if is_target(child.get("target", "")))


def is_target(text: str) -> bool:
    """Whether a dotted target names a variable: no empty part, and not so deep that its value could not be kept."""
    parts = text.split(".")
    return len(parts) <= 32 and all(parts)


def read_inputs(element: etree._Element) -> dict[str, Input]:
    """The node's own inputs by parameter name; where several ways name one, the first of
    ``inputOutput``, ``ioMapping``, ``taskHeaders``, ``field`` and Spiff's parameters counts."""
    inputs: dict[str, Input] = {}
    for parameter in io_parameters(element, "inputParameter"):
        try:
            inputs.setdefault(parameter.get("name", ""), Input(value=parameter_value(parameter)))
        except Unreadable:
            continue
    mapped: dict[str, Input] = {}
    for mapping in zeebe_mappings(element, "input"):
        _put_nested(mapped, mapping.get("target", ""), mapping.get("source", "").strip())
    inputs = {**mapped, **inputs}
    for name, text in read_headers(element).items():
        inputs.setdefault(name, Input(value=text))
    for name, text in read_fields(element).items():
        inputs.setdefault(name, Input(value=text))
    for operator in extensions(element, "serviceTaskOperator", (SPIFF,)):
        for parameter in operator.iter(f"{{{SPIFF}}}parameter"):
            if parameter.get("id") and parameter.get("value") is not None:
                inputs.setdefault(parameter.get("id", ""), Input(value=_spiff_value(parameter.get("value", ""))))
    return inputs


def read_headers(element: etree._Element) -> dict[str, str]:
    """The ``taskHeaders`` by key; the first of two equal ones counts."""
    found: dict[str, str] = {}
    for headers in extensions(element, "taskHeaders", (ZEEBE,)):
        for header in headers.iterchildren(f"{{{ZEEBE}}}header"):
            if header.get("key"):
                found.setdefault(header.get("key", ""), header.get("value", ""))
    return found


def read_fields(element: etree._Element) -> dict[str, str]:
    """The injected fields (``activiti:field`` and its like) by name, as text."""
    fields: dict[str, str] = {}
    for found in extensions(element, "field"):
        name = found.get("name")
        if not name:
            continue
        value = found.get("stringValue", found.get("expression"))
        if value is None:
            nested = [child for child in found.iterchildren("*") if local_name(child) in ("string", "expression")]
            value = own_text(nested[0]) if nested else own_text(found)
        fields.setdefault(name, value)
    return fields


def read_outputs(element: etree._Element) -> tuple[OutputMapping, ...]:
    """The node's own output mappings in document order."""
    found = []
    for parameter in io_parameters(element, "outputParameter"):
        try:
            found.append(OutputMapping(target=parameter.get("name", ""), value=parameter_value(parameter)))
        except Unreadable:
            continue
    for mapping in zeebe_mappings(element, "output"):
        source = mapping.get("source", "").strip()
        target, *members = mapping.get("target", "").split(".")
        value = source if members else source or None
        found.append(OutputMapping(target, value, language_of(source), tuple(members)))
    return tuple(found)


def _put_nested(inputs: dict[str, Input], target: str, source: str) -> None:
    """Zeebe's target ``a.b`` is the member ``b`` of the variable ``a``; the last of two equal targets counts.

    A mapping without a source is null.
    """
    name, *members = target.split(".")
    language = language_of(source)
    value: Any = source or None
    before = inputs.get(name)
    if members:
        tree: dict[str, Any] = before.value if before is not None and isinstance(before.value, dict) else {}
        level = tree
        for member in members[:-1]:
            following = level.get(member)
            if not isinstance(following, dict):
                following = level[member] = {}
            level = following
        level[members[-1]] = value
        if before is not None and "feel" in (before.language, language):
            language = "feel"
        value = tree
    inputs[name] = Input(value=value, language=language, in_order=True)


def _spiff_value(text: str) -> Any:
    """Spiff writes Python: literals are taken as they are, anything else as a reference into the context."""
    text = text.strip()
    constants = {"True": True, "False": False, "None": None, "": None}
    if text in constants:
        return constants[text]
    if len(text) > 1 and text[0] == text[-1] == "'" and "'" not in text[1:-1] and "\\" not in text:
        return text[1:-1]
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        return f"${{{text}}}"


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _passing(element: etree._Element) -> Passing:
    inward, all_in = read_passed(element, "in")
    outward, all_out = read_passed(element, "out")
    called = None
    for found in extensions(element, "calledElement", (ZEEBE,)):
        all_in = all_in or found.get("propagateAllParentVariables", "true") == "true"
        all_out = all_out or found.get("propagateAllChildVariables", "true") == "true"
        text = found.get("processId", "").strip()
        called = Input(value=text, language=language_of(text)) if text else None
    all_in = all_in or attribute_value(element, "inheritVariables", (FLOWABLE, ACTIVITI)) == "true"
    return Passing(
        inward=inward,
        outward=outward,
        all_in=all_in,
        all_out=all_out,
        called_element=called,
    )


def read_passed(element: etree._Element, name: str) -> tuple[tuple[OutputMapping, ...], bool]:
    """The variables that ``in`` or ``out`` elements pass, and whether they pass everything."""
    found: list[OutputMapping] = []
    everything = False
    for passed in extensions(element, name, (CAMUNDA, FLOWABLE, ACTIVITI)):
        everything = everything or passed.get("variables") == "all"
        expression, source = passed.get("sourceExpression"), passed.get("source")
        value = expression or source
        target = passed.get("target") or (source if passed.get("target") is None else None)
        if value and target:
            found.append(OutputMapping(target=target, value=value, by_name=not expression))
    return tuple(found), everything
