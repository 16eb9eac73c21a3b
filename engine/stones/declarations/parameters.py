"""Where the values of a stone's parameters come from, and what a stone declares about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ... import jsontext
from ...errors import ExpressionError, Invalid, ReferenceNotFound
from ...jsontext import JSON
from ...language.context import Context
from ...language.expressions import Value
from ...language.mapped import Evaluated
from ...mask import MASKED
from ...secret_sources.references import is_reference, read_reference
from ..stone import Stone
from .declaration import ParameterDeclaration, Unfit

if TYPE_CHECKING:
    from .schema import StoneSchema

_ABSENT = object()


def resolve_parameters(
    stone: type[Stone],
    inputs: Mapping[str, Value],
    context: Context,
    *,
    namespace: str,
    run: int | None,
    label: str,
    references: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, JSON]:
    """The values with which a task of this stone starts, as JSON; :func:`typed` makes of them what a hook sees.

    A declared parameter takes the first of: the node's own input, unless that is empty in the model;
    ``parameters.<namespace><run>.<name>`` if this is the ``run``-th run (from 1) of a multi-instance node;
    ``parameters.<namespace>.<name>``; ``parameters.<code>.<name>``; ``parameters.<name>``, unless the field's metadata
    has ``variable: False``; the field's default. Inputs that the stone does not declare are passed along. So are the
    values that the stone was chosen by, for it is chosen again by what is stored. ``references`` are those of the
    inputs that refer to secrets: they are kept as they are, and whether the secrets fit is seen when a hook begins.

    Raises Invalid (``code`` is ``parameters-invalid``, ``errors`` by parameter) for what is missing or does not
    fit its field, ReferenceNotFound and ExpressionError for an input that cannot be evaluated.
    """
    schema = _schema(stone)
    evaluated = Evaluated(context)
    values = {
        name: _evaluated(name, value, evaluated, label)
        for name, value in inputs.items()
        if schema is None or not schema.leaves_out(name, value)
    }
    if schema is None and not stone.serves:
        return values
    scopes = _scopes(stone, namespace, run)
    for name in (*(schema.names if schema is not None else ()), *stone.serves):
        if name not in values:
            by_name = schema is None or name not in schema.never_by_name
            found = _sought(context.parameters, [*scopes, None] if by_name else scopes, name)
            if found is not _ABSENT:
                values[name] = found
    if schema is None:
        return values
    for name in schema.texts:
        # A start variable that was sent as "6", and that the parameter template calls a number.
        if type(values.get(name)) in (int, float):
            values[name] = jsontext.dumps(values[name])
    try:
        if not references:
            return schema.stored(values)
        known = {name: value for name, value in values.items() if name not in references}
        return {**schema.stored(known, without=references), **references}
    except Unfit as error:
        where = ["the node's inputs", *(_place(scope) for scope in scopes), "parameters"]
        absent = [name for name in error.errors if name in schema.fields and name not in values]
        raise _invalid(stone, label, error.errors, absent, where) from None


def secret_references(stone: type[Stone], inputs: Mapping[str, Value]) -> dict[str, str]:
    """The inputs that refer to a secret: what the model itself has written for a parameter that the stone declares so.

    What comes out of a variable, an output, a message or a form is no reference, whatever it says. Raises Invalid for
    one that is badly written.
    """
    found: dict[str, str] = {}
    for name in no_echo(stone) & inputs.keys():
        text = inputs[name].source
        if inputs[name].constant and isinstance(text, str) and is_reference(text):
            found[name] = str(read_reference(text))
    return found


def typed(stone: type[Stone], parameters: Mapping[str, JSON], *, resolved: bool = False) -> Any:
    """Stored parameters as the stone's fields make them, a date for a Date field and so on, by name.

    Where a class declares them it is an instance of that; what it has no field for is left out, as lint warns.

    Those among which secrets were ``resolved``, or that somebody has given, are checked here for the first time.

    Raises Invalid if the stone's declaration has changed so that they no longer fit.
    """
    schema = _schema(stone) if stone.parameters else None
    try:
        plain = schema is None or (schema.plain and not resolved)
        loaded = dict(parameters) if schema is None or plain else schema.loaded(parameters, is_new=resolved)
        return loaded if schema is None else schema.handed(loaded)
    except Unfit as error:
        names = ", ".join(error.errors)
        text = f"The stored parameters of stone {stone.code!r} no longer fit its declaration: {names}."
        if resolved:
            text = f"The parameters that are given to stone {stone.code!r} do not fit its declaration: {names}."
        raise Invalid(text, code="parameters-invalid", errors=error.errors) from None


def supplied(stone: type[Stone], parameters: str) -> dict[str, JSON]:
    """The defaults that only the stone's code can give, of what is not among these parameters (JSON text).

    Raises Invalid where one cannot be made.
    """
    schema = _schema(stone)
    if schema is None or not schema.supplied:
        return {}
    return schema.defaults(schema.supplied - jsontext.read(parameters).keys())


def declared_parameters(stone: type[Stone]) -> Mapping[str, ParameterDeclaration]:
    """What the stone declares, by the names that models use."""
    if not stone.parameters:
        return {}
    from .schema import parameter_declaration  # late, as it says itself

    declared = (parameter_declaration(name, field) for name, field in stone.parameters.items())
    return {each.name: each for each in declared}


def unfit(stone: type[Stone], name: str, value: JSON) -> str:
    """Why a value does not fit the parameter of this name; empty where it does."""
    schema = _schema(stone)
    return "" if schema is None else schema.unfit(name, value)


def is_declared(stone: type[Stone], name: str) -> bool:
    """Whether the stone declares a parameter of this name."""
    schema = _schema(stone)
    return schema is not None and name in schema.fields


def no_echo(stone: type[Stone]) -> frozenset[str]:
    """The names of the parameters that the stone's fields declare ``no_echo``."""
    schema = _schema(stone)
    return frozenset() if schema is None else schema.no_echo


def taken_by_name(stone: type[Stone]) -> frozenset[str]:
    """The names of the parameters that a start variable of the same name gives."""
    schema = _schema(stone)
    return frozenset() if schema is None else frozenset(schema.names) - schema.never_by_name


def masked(values: Mapping[str, JSON], secret: Collection[str]) -> dict[str, JSON]:
    """The values as they may be shown: ``*****`` for each secret one."""
    return {name: MASKED if name in secret else value for name, value in values.items()}


_schemas: WeakKeyDictionary[type[Stone], StoneSchema] = WeakKeyDictionary()


def _schema(stone: type[Stone]) -> StoneSchema | None:
    """What the stone's fields say, or None if it declares no parameter."""
    if not stone.parameters:
        return None
    try:
        return _schemas[stone]
    except KeyError:
        from .schema import StoneSchema  # late, as it says itself

        return _schemas.setdefault(stone, StoneSchema(stone))


def _evaluated(name: str, value: Value, evaluated: Evaluated, label: str) -> JSON:
    try:
        return evaluated.add(name, value)
    except ReferenceNotFound as error:
        text = f"Parameter {name!r} of node {label} refers to ${{{error.path}}}, which finds nothing"
        raise ReferenceNotFound(error.path, f"{text}: give it a value or correct the path.") from None
    except ExpressionError as error:
        text = f"Parameter {name!r} of node {label} has no value: {error.message}"
        raise ExpressionError(text, code=error.code) from None


def _scopes(stone: type[Stone], namespace: str, run: int | None) -> list[str]:
    numbered = [] if run is None else [f"{namespace}{run}"]
    return [*numbered, namespace, *([stone.code, *stone.aliases] if stone.code else [])]


def _place(scope: str) -> str:
    return f"parameters.{scope}"


def _sought(parameters: Mapping[str, JSON], scopes: Sequence[str | None], name: str) -> JSON:
    for scope in scopes:
        members = parameters if scope is None else parameters.get(scope)
        if isinstance(members, Mapping) and name in members:
            return members[name]
    return _ABSENT


def _invalid(
    stone: type[Stone],
    label: str,
    errors: dict[str, list[str]],
    absent: Sequence[str],
    where: Sequence[str],
) -> Invalid:
    told = []
    for name in absent:
        errors[name] = [f"Is required, but was found neither in {', '.join(where[:-1])} nor in {where[-1]}."]
    for name, texts in errors.items():
        told.append(f"{name!r}: {' '.join(texts)}")
    text = f"The parameters of node {label} do not fit stone {stone.code!r}: {' '.join(told)}"
    return Invalid(text, code="parameters-invalid", errors=errors)
