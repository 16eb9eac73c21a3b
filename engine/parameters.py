"""Where the values of a stone's parameters come from, and what a stone declares about them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from marshmallow import INCLUDE, Schema, ValidationError, fields, missing

from .context import Context
from .declaration import allowed_values, default_of, key_of
from .errors import ExpressionError, Invalid, ReferenceNotFound
from .expressions import Value
from .jsontext import JSON, dumps
from .mask import MASKED
from .stone import Stone

# What these fields make of JSON is JSON again, so it can be stored as it is.
_PLAIN = frozenset({fields.String, fields.Integer, fields.Float, fields.Boolean, fields.Raw, fields.Email, fields.Url})
_ABSENT = object()


def resolve_parameters(
    stone: type[Stone],
    inputs: Mapping[str, Value],
    context: Context,
    *,
    namespace: str,
    run: int | None,
    element_id: str,
) -> dict[str, JSON]:
    """The values with which a task of this stone starts, as JSON; :func:`typed` makes of them what a hook sees.

    A declared parameter takes the first of: the node's own input, unless that is empty in the model;
    ``parameters.<namespace><run>.<name>`` if this is the ``run``-th run (from 1) of a multi-instance node;
    ``parameters.<namespace>.<name>``; ``parameters.<code>.<name>``; ``parameters.<name>``; the field's default. Inputs
    that the stone does not declare are passed along. So are the values that the stone was chosen by, for it is chosen
    again by what is stored.

    Raises Invalid (``code`` is ``parameters-invalid``, ``errors`` by parameter) for what is missing or does not
    fit its field, ReferenceNotFound and ExpressionError for an input that cannot be evaluated.
    """
    declaration = _declaration(stone)
    values = {
        name: _evaluated(name, value, context, element_id)
        for name, value in inputs.items()
        if declaration is None or not declaration.leaves_out(name, value)
    }
    if declaration is None and not stone.serves:
        return values
    scopes = _scopes(stone, namespace, run)
    for name in (*(declaration.names if declaration is not None else ()), *stone.serves):
        if name not in values:
            found = _sought(context.parameters, [*scopes, None], name)
            if found is not _ABSENT:
                values[name] = found
    if declaration is None:
        return values
    try:
        return declaration.stored(values)
    except ValidationError as error:
        errors = dict(_flat(error.normalized_messages()))
        where = ["the node's inputs", *(_place(scope) for scope in scopes), "parameters"]
        raise _invalid(stone, element_id, errors, [name for name in errors if name not in values], where) from None


def typed(stone: type[Stone], parameters: Mapping[str, JSON]) -> dict[str, Any]:
    """Stored parameters as the stone's fields make them: a date for a Date field, and so on.

    Raises Invalid if the stone's declaration has changed so that they no longer fit.
    """
    declaration = _declaration(stone) if stone.parameters else None
    if declaration is None or declaration.plain:
        return dict(parameters)
    try:
        return declaration.loaded(parameters)
    except ValidationError as error:
        errors = dict(_flat(error.normalized_messages()))
        text = f"The stored parameters of stone {stone.code!r} no longer fit its declaration: {', '.join(errors)}."
        raise Invalid(text, code="parameters-invalid", errors=errors) from None


def no_echo(stone: type[Stone]) -> frozenset[str]:
    """The names of the parameters that the stone's fields declare ``no_echo``."""
    declaration = _declaration(stone)
    return frozenset() if declaration is None else declaration.no_echo


def masked(values: Mapping[str, JSON], secret: Collection[str]) -> dict[str, JSON]:
    """The values as they may be shown: ``*****`` for each secret one."""
    return {name: MASKED if name in secret else value for name, value in values.items()}


class _Declaration:
    """A stone's fields, made ready once: a new schema costs more than the rest of a task's start."""

    def __init__(self, stone: type[Stone]) -> None:
        if "Meta" in stone.parameters:
            raise Invalid(f"Stone {stone.code!r} cannot have a parameter called 'Meta': call it otherwise.")
        self.names = [key_of(name, field) for name, field in stone.parameters.items()]
        self.fields = {key_of(name, field): field for name, field in stone.parameters.items()}
        self.no_echo = frozenset(name for name, field in self.fields.items() if field.metadata.get("no_echo"))
        self.plain = all(_is_plain(field) for field in stone.parameters.values())
        allowed = {name: allowed_values(field) for name, field in self.fields.items()}
        self.allowed = {name: values for name, values in allowed.items() if values is not None}
        self.schema: Schema = Schema.from_dict(dict(stone.parameters), name=stone.__name__)(unknown=INCLUDE)

    def leaves_out(self, name: str, value: Value) -> bool:
        """Whether the model has the input for its form alone, with nothing in it."""
        return value.constant and value.source is None and name in self.fields and not self.fields[name].allow_none

    def loaded(self, values: Mapping[str, JSON]) -> dict[str, Any]:
        loaded: dict[str, Any] = self.schema.load(values)
        for name, allowed in self.allowed.items():
            # A field may turn its text into something else, so what was given counts as well.
            if name in values and values[name] not in allowed and loaded.get(name) not in allowed:
                raise ValidationError({name: [f"Must be one of {dumps(allowed)}."]})
        return loaded

    def stored(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        loaded = self.loaded(values)
        if self.plain:
            return loaded
        stored = dict(values)
        for name, field in self.fields.items():
            if name not in stored and field.load_default is not missing:
                stored[name] = default_of(field)
        return stored


_declarations: WeakKeyDictionary[type[Stone], _Declaration] = WeakKeyDictionary()


def _declaration(stone: type[Stone]) -> _Declaration | None:
    """The stone's declaration, or None if it declares no parameter."""
    if not stone.parameters:
        return None
    try:
        return _declarations[stone]
    except KeyError:
        return _declarations.setdefault(stone, _Declaration(stone))


def _evaluated(name: str, value: Value, context: Context, element_id: str) -> JSON:
    try:
        return value.evaluate(context)
    except ReferenceNotFound as error:
        text = f"Parameter {name!r} of node {element_id!r} refers to ${{{error.path}}}, which finds nothing"
        raise ReferenceNotFound(error.path, f"{text}: give it a value or correct the path.") from None
    except ExpressionError as error:
        text = f"Parameter {name!r} of node {element_id!r} has no value: {error.message}"
        raise ExpressionError(text, code=error.code) from None


def _scopes(stone: type[Stone], namespace: str, run: int | None) -> list[str]:
    numbered = [] if run is None else [f"{namespace}{run}"]
    return [*numbered, namespace, *([stone.code] if stone.code else [])]


def _place(scope: str) -> str:
    return f"parameters.{scope}"


def _sought(parameters: Mapping[str, JSON], scopes: Sequence[str | None], name: str) -> JSON:
    for scope in scopes:
        members = parameters if scope is None else parameters.get(scope)
        if isinstance(members, Mapping) and name in members:
            return members[name]
    return _ABSENT


def _flat(messages: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, texts in messages.items():
        path = f"{prefix}{name}"
        if isinstance(texts, Mapping):
            yield from _flat(texts, f"{path}.")
        else:
            yield path, [str(text) for text in texts] if isinstance(texts, list) else [str(texts)]


def _invalid(
    stone: type[Stone],
    element_id: str,
    errors: dict[str, list[str]],
    absent: Sequence[str],
    where: Sequence[str],
) -> Invalid:
    told = []
    for name in absent:
        errors[name] = [f"Is required, but was found neither in {', '.join(where[:-1])} nor in {where[-1]}."]
    for name, texts in errors.items():
        told.append(f"{name!r}: {' '.join(texts)}")
    text = f"The parameters of node {element_id!r} do not fit stone {stone.code!r}: {' '.join(told)}"
    return Invalid(text, code="parameters-invalid", errors=errors)


def _is_plain(field: fields.Field[Any]) -> bool:
    if type(field) is fields.List:
        return _is_plain(field.inner)
    if type(field) is fields.Dict:
        return field.value_field is None or _is_plain(field.value_field)
    default = None if field.load_default is missing else field.load_default
    return type(field) in _PLAIN and (default is None or isinstance(default, str | int | float | bool | list | dict))
