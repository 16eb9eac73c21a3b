"""Element templates of the Camunda modelers, made from what stones declare, so that authors fill in forms.

The format: https://docs.camunda.io/docs/components/modeler/element-templates/defining-templates/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from ...jsontext import dumps
from .declaration import ParameterDeclaration, StoneDeclaration

Modeler = Literal["camunda7", "camunda8"]
Template = dict[str, Any]

SCHEMAS: dict[Modeler, str] = {
    "camunda7": "https://unpkg.com/@camunda/element-templates-json-schema/resources/schema.json",
    "camunda8": "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json",
}
GROUPS = (
    {"id": "parameters", "label": "Parameters"},
    {"id": "expert", "label": "More parameters"},
    {"id": "undo", "label": "Undo"},
    {"id": "retries", "label": "Retries"},
    {"id": "undoRetries", "label": "Retries of the undo"},
)
POLICIES = {
    "delete": "undo what it made",
    "retain": "keep what it made",
    "retain-except-on-failed-start": "keep it, but not after a failed start",
}
FAILURES = {
    "": "as its process says",
    "rollback": "roll the process back",
    "pause": "wait for somebody, and let the rest go on",
    "keep": "end the process and keep what was made",
}
ON_ERROR = {"": "keep what it made", "true": "undo what it made first"}
ON_COMPENSATION = {"": "as what is around it says", "true": "undo what it made", "false": "keep what it made"}
CHOICES = (
    ("When it is undone", "undoPolicy", POLICIES),
    ("When it fails for good", "onFailure", FAILURES),
    ("When an error leaves it by its border", "undoOnError", ON_ERROR),
    ("When it is compensated, and has no handler", "undoOnCompensation", ON_COMPENSATION),
)
RETRYING = (
    ("Retries", "retries", "How often, or R3/PT10S, or pauses such as PT10S,PT1M"),
    ("First pause", "retryBackoff", "A duration such as PT10S; it doubles with each retry"),
    ("Longest pause", "retryBackoffMax", "A duration such as PT1M"),
    ("Spread of the pauses", "retryJitter", "0 to 1: each pause is longer by up to this part of itself"),
    ("Retried for", "retryFor", "A duration such as PT1H from the first failure"),
)
REFERENCE = r"[$#]\{.+\}"
NUMBERS = {"integer": r"-?\d+", "float": r"-?\d+(\.\d+)?", "decimal": r"-?\d+(\.\d+)?"}


def element_templates(declarations: Iterable[StoneDeclaration], modeler: Modeler) -> list[Template]:
    """One template for each code: stones that share a code are chosen between when a task starts, not in the model."""
    by_code: dict[str, list[StoneDeclaration]] = {}
    for declaration in declarations:
        by_code.setdefault(declaration.code, []).append(declaration)
    return [_template(together, modeler) for together in by_code.values()]


def _template(together: Sequence[StoneDeclaration], modeler: Modeler) -> Template:
    # The last serves what the others do not, so it speaks for all.
    declared = together[-1]
    parameters: dict[str, ParameterDeclaration] = {}
    for stone in reversed(together):
        for parameter in stone.parameters:
            parameters.setdefault(parameter.name, parameter)
    properties = [*_binding(declared.code, modeler)]
    first = sorted(parameters.values(), key=lambda parameter: not parameter.required)
    properties += [_property(parameter, modeler) for parameter in first]
    most = "Of a task with several runs: how many of them go on at the same time. Empty for all."
    properties.append(_free("Runs at once", "maxAtOnce", most, "expert", modeler))
    properties += [_free(*each, "retries", modeler) for each in RETRYING]
    if any(event in declared.hooks for event in ("rollback", "cancel", "delete")):
        properties += [_choice(*each, modeler) for each in CHOICES]
        for label, name, told in RETRYING:
            properties.append(_free(label, f"undo{name[0].upper()}{name[1:]}", told, "undoRetries", modeler))
    used = {each.get("group") for each in properties}
    return {
        "$schema": SCHEMAS[modeler],
        "name": declared.display_name or declared.code,
        "id": f"riverstone:{declared.code}",
        "description": _description(declared),
        "category": {"id": "riverstone", "name": "Stones"},
        "appliesTo": ["bpmn:Task"],
        "elementType": {"value": "bpmn:ServiceTask"},
        "groups": [dict(group) for group in GROUPS if group["id"] in used],
        "properties": properties,
    }


def _description(declared: StoneDeclaration) -> str:
    first = declared.description.partition("\n\n")[0].replace("\n", " ")
    outputs = ", ".join(output.name for output in declared.outputs)
    return " ".join(filter(None, (first, f"({declared.code})", f"Puts out {outputs}." if outputs else "")))


def _binding(code: str, modeler: Modeler) -> Iterator[Template]:
    if modeler == "camunda8":
        yield {"type": "Hidden", "value": code, "binding": {"type": "zeebe:taskDefinition", "property": "type"}}
        return
    yield {"type": "Hidden", "value": "external", "binding": {"type": "property", "name": "camunda:type"}}
    yield {"type": "Hidden", "value": code, "binding": {"type": "property", "name": "camunda:topic"}}


def _property(parameter: ParameterDeclaration, modeler: Modeler) -> Template:
    """The field of one parameter; left empty, the parameter comes from the start variables or is its default."""
    kind = "camunda:inputParameter" if modeler == "camunda7" else "zeebe:input"
    found: Template = {
        "label": parameter.display_name,
        "type": "String",
        "group": "parameters" if parameter.visible or parameter.required else "expert",
        "binding": {"type": kind, "name": parameter.name},
    }
    hint = _hint(parameter)
    if hint:
        found["description"] = hint
    choices = _choices(parameter, modeler)
    if choices is not None:
        return found | {"type": "Dropdown", "choices": choices, "value": ""}
    if modeler == "camunda8":
        found["feel"] = "optional"
    constraints: Template = {"notEmpty": True} if parameter.required and parameter.default is None else {}
    number = NUMBERS.get(parameter.type)
    if number is not None:
        formula = "|=.+" if modeler == "camunda8" else ""
        # An optional field may be empty.
        end = ")" if constraints else ")?"
        constraints["pattern"] = {
            "value": f"^({number}|{REFERENCE}{formula}{end}$",
            "message": "A number, or a reference such as ${size}",
        }
    return found | ({"constraints": constraints} if constraints else {})


def _choices(parameter: ParameterDeclaration, modeler: Modeler) -> list[Template] | None:
    """The only values that a parameter takes, as the modeler writes them into the model."""
    allowed: Sequence[Any] | None = parameter.allowed_values
    if allowed is None and parameter.type == "boolean":
        allowed = (True, False)
    if allowed is None:
        return None
    # FEEL, since without the sign the value would be a text.
    formula = "=" if modeler == "camunda8" else ""
    given = [(value if isinstance(value, str) else dumps(value), value) for value in allowed]
    left_out = "from the start variables" if parameter.required else "from the start variables, or the default"
    return [
        {"name": left_out, "value": ""},
        *({"name": text, "value": text if isinstance(value, str) else f"{formula}{text}"} for text, value in given),
    ]


def _hint(parameter: ParameterDeclaration) -> str:
    default = None if parameter.no_echo else parameter.default
    shown = "" if default in (None, "") else f"Default: {default if isinstance(default, str) else dumps(default)}."
    reference = f"${{{_variable(parameter.name)}}}"
    secret = f"Secret: refer to a start variable, such as {reference}." if parameter.no_echo else ""
    return " ".join(filter(None, (parameter.description, shown, secret)))


def _variable(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name) else f"parameters.{name}"


def _free(label: str, name: str, description: str, group: str, modeler: Modeler) -> Template:
    """A property that is a text; left empty, the model says nothing of it."""
    return {
        "label": label,
        "description": description,
        "type": "String",
        "group": group,
        "optional": True,
        "binding": {"type": "camunda:property" if modeler == "camunda7" else "zeebe:property", "name": name},
    }


def _choice(label: str, name: str, choices: Mapping[str, str], modeler: Modeler) -> Template:
    """A property of which the first choice is what holds without it."""
    return {
        "label": label,
        "type": "Dropdown",
        "group": "undo",
        "choices": [{"name": told, "value": value} for value, told in choices.items()],
        "value": next(iter(choices)),
        "binding": {"type": "camunda:property" if modeler == "camunda7" else "zeebe:property", "name": name},
    }
