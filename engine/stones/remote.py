"""Stones without their code: what a worker on another machine declares, as JSON, and a class made of that.

The class answers whatever an engine asks a stone: its parameters, its hooks, its patience. It cannot be called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from types import NoneType
from typing import Any

from marshmallow import fields, missing

from ...models.vocabulary import HOOKS
from .. import jsontext
from ..errors import Invalid
from ..jsontext import JSON
from ..limits import Limits
from .declarations.schema import SUPPLIED, allowed_values, default_of, is_secret, is_supplied, key_of, type_of
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
HTTP = "http"
"""In a declaration's ``carried_out``: by workers that fetch its tasks over HTTP."""
NUMBERS = (
    "retries",
    "retry_backoff",
    "retry_backoff_max",
    "retry_jitter",
    "monitor_retries",
    "monitor_interval",
    "settle",
    "grace",
)
TEXTS = ("display_name", "description")
MOST_ALIASES = 20
LARGEST = 10**9
"""Of seconds and counts: beyond that no database keeps what is reckoned with them."""


def declared(stone: type[Stone]) -> dict[str, JSON]:
    """What a worker says of its stone: everything but the code."""
    parameters: list[JSON] = [_parameter(name, field) for name, field in stone.parameters.items()]
    return {
        "code": stone.code,
        "display_name": stone.display_name,
        "description": inspect.cleandoc(stone.__doc__ or ""),
        "parameters": parameters,
        "outputs": {name: str(text) for name, text in stone.outputs.items()},
        "secret_outputs": sorted(stone.secret_outputs),
        "serves": dict(stone.serves),
        "hooks": [hook for hook in HOOKS if stone.has(hook)],
        "timeouts": dict(stone.timeouts),
        **{name: getattr(stone, name) for name in NUMBERS},
        **({"retry_for": stone.retry_for} if stone.retry_for is not None else {}),
        **({"aliases": list(stone.aliases)} if stone.aliases else {}),
    }


def _parameter(name: str, field: fields.Field[Any]) -> dict[str, JSON]:
    told: dict[str, JSON] = {
        "name": key_of(name, field),
        "type": kind if (kind := type_of(field)) in FIELDS else "json",
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
    for key, of in (("display_name", str), ("description", str), ("visible", bool), ("variable", bool)):
        if field.metadata.get(key) is not None:
            told[key] = of(field.metadata[key])
    if is_secret(field):
        told["no_echo"] = True
    return told


def checked(value: object) -> dict[str, JSON]:
    """A declaration as it came over the wire, if it is one; raises Invalid."""
    if not isinstance(value, dict) or not isinstance(value.get("code"), str) or not 0 < len(value["code"]) <= 255:
        raise _wrong("it has no code")
    code, limits = value["code"], Limits()
    jsontext.check(value, limits=limits, name=f"the declaration of stone {code!r}")
    if jsontext.weigh(value, limits.output_size) > limits.output_size:
        raise _wrong(f"that of {code!r} is over {limits.output_size} bytes")
    for name, (kind, what) in _MEMBERS.items():
        if name in value and not isinstance(value[name], kind):
            raise _wrong(f"{name} of {code!r} is no {what}")
    for each in value.get("parameters", []):
        _check_parameter(code, each)
    if not all(isinstance(hook, str) for hook in value.get("hooks", [])) or not set(value.get("hooks", [])) <= set(
        HOOKS
    ):
        raise _wrong(f"the hooks of {code!r} are not among {', '.join(HOOKS)}")
    aliases = value.get("aliases", [])
    if not all(isinstance(alias, str) and 0 < len(alias) <= 255 for alias in aliases) or len(aliases) > MOST_ALIASES:
        raise _wrong(f"the aliases of {code!r} are not at most {MOST_ALIASES} texts")
    texts = [*value.get("outputs", {}).values(), *value.get("secret_outputs", [])]
    if not all(isinstance(text, str) for text in texts) or "" in value.get("outputs", {}):
        raise _wrong(f"outputs or secret_outputs of {code!r} hold something other than texts")
    if not all(isinstance(each, (str, int, float, NoneType)) for each in value.get("serves", {}).values()):
        raise _wrong(f"serves of {code!r} holds something other than texts, numbers, booleans and null")
    if not value.get("timeouts", {}).keys() <= set(HOOKS):
        raise _wrong(f"the timeouts of {code!r} are not by hook")
    numbers = [*(value.get(name, 0) for name in (*NUMBERS, "retry_for")), *value.get("timeouts", {}).values()]
    if not all(type(number) in (int, float) and 0 <= number <= LARGEST for number in numbers):
        raise _wrong(f"a number of {code!r} is none, below zero or above {LARGEST}")
    carried_out = value.get("carried_out")
    if carried_out not in (None, HTTP):
        raise _wrong(f"{code!r} is carried out by {str(carried_out)[:50]!r}, where only {HTTP!r} can be said")
    if carried_out and (value.get("timeouts") or value.get("serves") or aliases):
        text = (
            f"timeouts, serves and aliases of {code!r} are not for workers over HTTP, whose locks run out and who fetch"
        )
        raise _wrong(f"{text} each topic by its name")
    return value


_MEMBERS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(TEXTS, (str, "text")),
    **dict.fromkeys(("parameters", "hooks", "secret_outputs", "aliases"), (list, "list")),
    **dict.fromkeys(("outputs", "serves", "timeouts"), (dict, "object")),
    "retries": (int, "whole number"),
    "monitor_retries": (int, "whole number"),
}
_PARAMETER_MEMBERS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(("name", "type", *TEXTS), (str, "text")),
    **dict.fromkeys(("required", "allow_none", "visible", "variable", "no_echo", SUPPLIED), (bool, "boolean")),
    "allowed_values": (list, "list"),
}


def _check_parameter(code: str, parameter: object) -> None:
    if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str) or not parameter["name"]:
        raise _wrong(f"a parameter of {code!r} is no object with a name")
    name = parameter["name"]
    for member, (kind, what) in _PARAMETER_MEMBERS.items():
        if member in parameter and not isinstance(parameter[member], kind):
            raise _wrong(f"{member} of the parameter {name!r} of {code!r} is no {what}")
    if name == "Meta":
        raise _wrong(f"{code!r} has a parameter called 'Meta', which none can be called")
    if parameter.get("no_echo") and parameter.get("default") not in (None, ""):
        raise _wrong(f"the default of {name!r} of {code!r} is secret, so its worker is to supply it")


def kept(declaration: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[dict[str, JSON], list[str]]:
    """A declaration with the hooks and secrets that one before had and it has not; and what these are, in words."""
    found, texts = dict(declaration), []
    hooks = list(declaration.get("hooks", ["start"]))
    if lost := [hook for hook in before.get("hooks", ["start"]) if hook not in hooks]:
        found["hooks"] = [hook for hook in HOOKS if hook in (*hooks, *lost)]
        texts.append(f"the hooks {', '.join(lost)}")
    secret = {each["name"] for each in before.get("parameters", ()) if each.get("no_echo")}
    parameters = {each["name"]: each for each in declaration.get("parameters", ())}
    if shown := sorted(name for name in secret if not parameters.get(name, {}).get("no_echo")):
        hidden = {name: {**parameters.get(name, _HIDDEN), "name": name, "no_echo": True} for name in shown}
        found["parameters"] = [*{**parameters, **hidden}.values()]
        texts.append(f"the secret parameters {', '.join(shown)}")
    outputs = list(declaration.get("secret_outputs", ()))
    if shown := sorted(name for name in before.get("secret_outputs", ()) if name not in outputs):
        found["secret_outputs"] = [*outputs, *shown]
        texts.append(f"the secret outputs {', '.join(shown)}")
    return found, texts


_HIDDEN: Mapping[str, JSON] = {"type": "json", "variable": False, "visible": False}
"""A parameter that is declared no more."""


def fetched(code: str, hooks: Collection[str] = ("start",)) -> dict[str, JSON]:
    """What is known of a stone whose tasks workers fetch over HTTP and that nobody has declared."""
    return {"code": code, "hooks": [hook for hook in HOOKS if hook in hooks], "carried_out": HTTP, "undeclared": True}


def stone_of(declaration: Mapping[str, Any]) -> type[Stone]:
    """A class that stands for a declared stone; its hooks exist and cannot be called."""
    members: dict[str, Any] = {
        "__doc__": str(declaration.get("description", "")),
        "code": declaration["code"],
        "display_name": str(declaration.get("display_name", "")),
        "parameters": {each["name"]: _field(each) for each in declaration.get("parameters", ())},
        "outputs": {name: str(text) for name, text in declaration.get("outputs", {}).items()},
        "secret_outputs": frozenset(declaration.get("secret_outputs", ())),
        "aliases": tuple(declaration.get("aliases", ())),
        "serves": dict(declaration.get("serves", {})),
        "timeouts": dict(declaration.get("timeouts", {})),
        "external": declaration.get("carried_out") == HTTP,
        "undeclared": bool(declaration.get("undeclared")),
        **{name: declaration[name] for name in (*NUMBERS, "retry_for") if name in declaration},
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
