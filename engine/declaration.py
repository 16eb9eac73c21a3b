"""What a stone says of itself, for whoever draws a form, a palette or a list: never the class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import fields, missing, validate

from .jsontext import JSON, check
from .limits import Limits
from .mask import MASKED
from .stone import HOOKS, Stone

_TYPES = {fields.Raw: "json", fields.Dict: "object", fields.Nested: "object"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterDeclaration:
    """One parameter that a stone takes."""

    name: str
    type: str
    """The kind of its field in lower case, such as ``string``, ``integer``, ``boolean``; ``json`` is anything."""
    required: bool = False
    default: JSON = None
    """As JSON; ``*****`` for a secret one, None where there is none or where it is made anew each time."""
    display_name: str = ""
    description: str = ""
    visible: bool = True
    """Whether a designer shows it; the others are for experts."""
    no_echo: bool = False
    """Whether its values are secret."""
    allowed_values: tuple[JSON, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputDeclaration:
    """One output of a stone."""

    name: str
    description: str = ""
    secret: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StoneDeclaration:
    """What a stone takes, puts out and can do."""

    code: str
    display_name: str = ""
    description: str = ""
    parameters: tuple[ParameterDeclaration, ...] = ()
    outputs: tuple[OutputDeclaration, ...] = ()
    hooks: tuple[str, ...] = ()
    """The hooks that it has, in the order of a task's life; an undo hook that is missing leaves the task retained."""
    serves: Mapping[str, JSON] = field(default_factory=dict)
    """The parameter values for which this one is chosen where several share a code."""


def declaration_of(stone: type[Stone]) -> StoneDeclaration:
    """What the class declares, with its docstring as the description."""
    outputs = {**stone.outputs, **{name: "" for name in sorted(stone.secret_outputs) if name not in stone.outputs}}
    return StoneDeclaration(
        code=stone.code,
        display_name=stone.display_name,
        description=inspect.cleandoc(stone.__doc__ or ""),
        parameters=tuple(parameter_declaration(name, field) for name, field in stone.parameters.items()),
        outputs=tuple(
            OutputDeclaration(name=name, description=text, secret=name in stone.secret_outputs)
            for name, text in outputs.items()
        ),
        hooks=tuple(hook for hook in HOOKS if stone.has(hook)),
        serves=dict(stone.serves),
    )


def parameter_declaration(name: str, field: fields.Field[Any]) -> ParameterDeclaration:
    """What a field of this name declares."""
    secret = bool(field.metadata.get("no_echo"))
    default = _shown_default(field)
    allowed = allowed_values(field)
    return ParameterDeclaration(
        name=key_of(name, field),
        type=_TYPES.get(type(field), type(field).__name__.lower()),
        required=field.required,
        default=MASKED if secret and default is not None else default,
        display_name=str(field.metadata.get("display_name") or key_of(name, field)),
        description=str(field.metadata.get("description") or ""),
        visible=bool(field.metadata.get("visible", True)),
        no_echo=secret,
        allowed_values=None if allowed is None else tuple(allowed),
    )


def key_of(name: str, field: fields.Field[Any]) -> str:
    """The name by which models and start variables give the field's value."""
    return field.data_key or name


def default_of(field: fields.Field[Any]) -> JSON:
    """The field's default as JSON; raises Invalid if there is no way to store it."""
    default = field.load_default() if callable(field.load_default) else field.load_default
    if default is None or type(default) in (str, int, float, bool):
        return default
    stored = field._serialize(default, "default", None)
    check(stored, limits=Limits(), name=f"the default of parameter {field.name or '?'}")
    return stored


def allowed_values(field: fields.Field[Any]) -> list[JSON] | None:
    """The only values that the field takes, or None where it is not limited to some."""
    allowed = field.metadata.get("allowed_values")
    if allowed is not None:
        return list(allowed)
    return next((list(rule.choices) for rule in field.validators if isinstance(rule, validate.OneOf)), None)


def _shown_default(field: fields.Field[Any]) -> JSON:
    # A default that is made anew each time says nothing to a form.
    if field.load_default is missing or callable(field.load_default):
        return None
    try:
        return default_of(field)
    except Exception:
        # Whatever a field of the stone's author raises is told where a task needs the default, not in a list.
        return None
