"""Stones without their code: what a worker on another machine declares, as JSON, and a class made of that.

The class answers whatever an engine asks a stone: its parameters, its hooks, its patience. It cannot be called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import fields, missing

from ...models.vocabulary import HOOKS
from .. import jsontext
from ..errors import Invalid
from ..jsontext import JSON
from ..limits import Limits
from .schema import SUPPLIED, allowed_values, default_of, is_secret, is_supplied, key_of
from .stone import Stone

FIELDS: dict[str, Callable[..., fields.Field[Any]]] = {
    "string": fields.String,
    "integer": fields.Integer,
    "float": fields.Float,
    "boolean": fields.Boolean,
    "object": fields.Dict,
    "list": lambda **options: fields.List(fields.Raw(), **options),
}
"""By the type in a declaration; any other is taken as it comes, and checked where the code is."""
NUMBERS = ("retries", "retry_backoff", "retry_backoff_max", "monitor_interval", "grace")
TEXTS = ("display_name", "description")


def declared(stone: type[Stone]) -> dict[str, JSON]:
    """What a worker says of its stone: everything but the code."""
    parameters: list[JSON] = [_parameter(name, field) for name, field in stone.parameters.items()]
    return {
        "code": stone.code,
        "display_name": stone.display_name,
        "description": inspect.cleandoc(stone.__doc__ or ""),
        "parameters": parameters,
        "outputs": dict(stone.outputs),
        "secret_outputs": sorted(stone.secret_outputs),
        "serves": dict(stone.serves),
        "hooks": [hook for hook in HOOKS if stone.has(hook)],
        "timeouts": dict(stone.timeouts),
        **{name: getattr(stone, name) for name in NUMBERS},
    }


def _parameter(name: str, field: fields.Field[Any]) -> dict[str, JSON]:
    told: dict[str, JSON] = {
        "name": key_of(name, field),
        "type": next((kind for kind, of in FIELDS.items() if type(field) is of), "json"),
        "required": field.required,
    }
    if isinstance(field, fields.List):
        told["type"] = "list"
    if is_supplied(field):
        told[SUPPLIED] = True
    elif field.load_default is not missing:
        told["default"] = default_of(field)
    if field.allow_none:
        told["allow_none"] = True
    allowed = allowed_values(field)
    if allowed is not None:
        told["allowed_values"] = list(allowed)
    for key in ("display_name", "description", "visible", "variable"):
        if key in field.metadata:
            told[key] = field.metadata[key]
    if is_secret(field):
        told["no_echo"] = True
    return told


def checked(value: object) -> dict[str, JSON]:
    """A declaration as it came over the wire, if it is one; raises Invalid."""
    if not isinstance(value, dict) or not isinstance(value.get("code"), str) or not 0 < len(value["code"]) <= 255:
        raise _wrong("it has no code")
    code = value["code"]
    jsontext.check(value, limits=Limits(), name=f"the declaration of stone {code!r}")
    parameters, hooks = value.get("parameters", []), value.get("hooks", ["start"])
    if not isinstance(parameters, list) or not all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in parameters
    ):
        raise _wrong(f"the parameters of {code!r} are no list of objects with a name")
    for each in parameters:
        if each.get("no_echo") and each.get("default") not in (None, ""):
            raise _wrong(f"the default of {each['name']!r} of {code!r} is secret, so its worker is to supply it")
    if not isinstance(hooks, list) or not set(map(str, hooks)) <= set(HOOKS):
        raise _wrong(f"the hooks of {code!r} are not among {', '.join(HOOKS)}")
    for name in ("outputs", "serves", "timeouts"):
        if not isinstance(value.get(name, {}), dict):
            raise _wrong(f"{name} of {code!r} is no object")
    numbers = [*(value.get(name, 0) for name in NUMBERS), *value.get("timeouts", {}).values()]
    if not all(type(number) in (int, float) and number >= 0 for number in numbers):
        raise _wrong(f"a number of {code!r} is none, or below zero")
    secrets = value.get("secret_outputs", [])
    if not isinstance(secrets, list) or not all(isinstance(name, str) for name in secrets):
        raise _wrong(f"secret_outputs of {code!r} is no list of names")
    return value


def stone_of(declaration: Mapping[str, Any]) -> type[Stone]:
    """A class that stands for a declared stone; its hooks exist and cannot be called."""
    members: dict[str, Any] = {
        "__doc__": str(declaration.get("description", "")),
        "code": declaration["code"],
        "display_name": str(declaration.get("display_name", "")),
        "parameters": {each["name"]: _field(each) for each in declaration.get("parameters", ())},
        "outputs": {name: str(text) for name, text in declaration.get("outputs", {}).items()},
        "secret_outputs": frozenset(declaration.get("secret_outputs", ())),
        "serves": dict(declaration.get("serves", {})),
        "timeouts": dict(declaration.get("timeouts", {})),
        **{name: declaration[name] for name in NUMBERS if name in declaration},
        **dict.fromkeys(declaration.get("hooks", ("start",)), _elsewhere),
    }
    return type("RegisteredStone", (Stone,), members)


def _field(declaration: Mapping[str, Any]) -> fields.Field[Any]:
    has_default = "default" in declaration or bool(declaration.get(SUPPLIED))
    options: dict[str, Any] = {"required": bool(declaration.get("required")) and not has_default}
    if "default" in declaration:
        options["load_default"] = declaration["default"]
    if declaration.get("allow_none"):
        options["allow_none"] = True
    names = ("display_name", "description", "visible", "variable", "no_echo", "allowed_values", SUPPLIED)
    options["metadata"] = {name: declaration[name] for name in names if name in declaration}
    return FIELDS.get(str(declaration.get("type")), fields.Raw)(**options)


def _elsewhere(self: Stone, task: object) -> None:
    raise NotImplementedError(f"The code of stone {self.code!r} is with its workers.")


def _wrong(text: str) -> Invalid:
    return Invalid(f"This is no declaration of a stone: {text}.", code="stone-invalid")
