"""Parameters and outputs as a dataclass or a model of pydantic: the fields that they come to, and instances of them.

There is one declaration of a stone, its marshmallow fields. A class is translated into these when the stone is
defined, so whatever reads a declaration knows nothing of it. Pydantic is never imported: its models say what they have.
"""

from __future__ import annotations

import dataclasses
import numbers
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union
from uuid import UUID
from weakref import WeakKeyDictionary

from marshmallow import Schema, ValidationError, fields, missing, utils, validate

from ...errors import Invalid
from .declaration import Unfit

if TYPE_CHECKING:
    from ..stone import Stone

METADATA = frozenset({"visible", "display_name", "description", "no_echo", "allowed_values", "variable"})
"""What a field may say of itself, as in the metadata of a marshmallow field."""


class SecretField(fields.String):
    """A ``SecretStr`` of pydantic, whose text is stars: what it holds is stored, and masked where it is shown."""

    def __init__(self, secret: type[Any], **more: Any) -> None:
        super().__init__(**more)
        self.secret = secret

    def _serialize(self, value: Any, *given: Any, **more: Any) -> str | None:
        held = value.get_secret_value() if isinstance(value, self.secret) else value
        return super()._serialize(held, *given, **more)

    def _deserialize(self, value: Any, *given: Any, **more: Any) -> Any:
        return self.secret(super()._deserialize(value, *given, **more))


_FIELDS: Mapping[Any, Callable[..., fields.Field[Any]]] = {
    str: fields.String,
    int: fields.Integer,
    float: fields.Float,
    bool: fields.Boolean,
    datetime: fields.DateTime,
    date: fields.Date,
    time: fields.Time,
    Decimal: lambda **more: fields.Decimal(as_string=True, **more),
    UUID: fields.UUID,
    dict: fields.Dict,
    Any: fields.Raw,
}
_PUT_OUT: Mapping[type[fields.Field[Any]], tuple[type[Any], ...]] = {
    fields.String: (str,),
    fields.Integer: (numbers.Integral,),
    fields.Float: (numbers.Real, Decimal),
    fields.Boolean: (bool,),
    fields.List: (list, tuple),
    fields.Dict: (Mapping,),
}
"""What an output of such a field is: the field itself would make something of anything, without a word."""


class _Member(NamedTuple):
    """One field of a class, whoever has made that."""

    name: str
    annotation: Any
    default: Any
    """``missing`` where there is none; what makes one where it is made anew each time."""
    metadata: Mapping[str, Any]
    wrong: str = ""
    """Why it cannot be declared here."""


class _Untranslatable(Exception):
    """Why there is no field for an annotation."""


class RecordField(fields.Nested):
    """A dataclass or a model inside of another: its value is an instance."""

    def __init__(self, record: type[Any], **more: Any) -> None:
        super().__init__(type(_schema(record)), **more)
        self.record = record

    def _deserialize(self, *given: Any, **more: Any) -> Any:
        try:
            return _made(self.record, super()._deserialize(*given, **more))
        except Unfit as error:
            raise ValidationError({**error.errors}) from None


def is_record(declared: object) -> bool:
    """Whether parameters or outputs are declared by a class."""
    return isinstance(declared, type) and (dataclasses.is_dataclass(declared) or _is_model(declared))


def parameter_fields(stone: type[Stone], record: type[Any]) -> dict[str, fields.Field[Any]]:
    """The fields to which the class of a stone's parameters comes; raises Invalid for what has none, by its name."""
    return _translated(stone, record, "parameters")


def output_texts(stone: type[Stone], record: type[Any]) -> tuple[dict[str, str], frozenset[str]]:
    """What the class of a stone's outputs says of each, and which are secret; raises Invalid."""
    from .schema import is_secret  # late, since that imports this

    found = _translated(stone, record, "outputs")
    told = {name: str(field.metadata.get("description") or "") for name, field in found.items()}
    return told, frozenset(name for name, field in found.items() if is_secret(field))


def instance(record: type[Any], values: Mapping[str, Any]) -> Any:
    """An instance of the class, of values as its fields have loaded them; what it has no field for is left out.

    Raises Unfit for what the class itself refuses.
    """
    return _made(record, {name: values[name] for name in _schema(record).fields if name in values})


def outputs_of(returned: Any) -> dict[str, Any]:
    """The outputs that an instance comes to, as JSON; raises Invalid for a value that is not of its type."""
    schema = _schema(type(returned))
    for name, value in _unlike(schema, returned):
        text = f"The output {name!r} of {type(returned).__name__} is not what its annotation says, but a"
        raise Invalid(f"{text} {type(value).__name__}.", code="output-invalid")
    told: dict[str, Any] = schema.dump(returned)
    return told


def _unlike(schema: Schema, returned: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in schema.fields.items():
        yield from _unlike_field(field, utils.get_value(returned, name, None), f"{before}{name}")


def _unlike_field(field: fields.Field[Any], value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if value is None or (isinstance(field, SecretField) and isinstance(value, field.secret)):
        return
    if isinstance(field, RecordField):
        yield from _unlike(field.schema, value, f"{name}.")
    elif any(isinstance(field, kind) and not isinstance(value, of) for kind, of in _PUT_OUT.items()):
        yield name, value
    elif isinstance(field, fields.List):
        for number, each in enumerate(value):
            yield from _unlike_field(field.inner, each, f"{name}.{number}")
    elif isinstance(field, fields.Dict) and field.value_field is not None:
        for key, each in value.items():
            yield from _unlike_field(field.value_field, each, f"{name}.{key}")


def _translated(stone: type[Stone], record: type[Any], what: Literal["parameters", "outputs"]) -> dict[str, Any]:
    if "Meta" in (made := _fields(record, stone, what)):
        raise _refused(stone, record, what, "Meta", "is a name that no field can have")
    return made


def _fields(record: type[Any], stone: type[Stone] | None = None, what: str = "") -> dict[str, fields.Field[Any]]:
    if record in _outer.get():
        raise _Untranslatable(f"holds {record.__name__} inside of itself, which has no end")
    found = {}
    inside = _outer.set((*_outer.get(), record))
    try:
        for member in _members(record):
            try:
                found[member.name] = _field_of(member)
            except _Untranslatable as error:
                if stone is None:
                    raise _Untranslatable(f"has {record.__name__} inside, whose {member.name!r} {error}") from None
                raise _refused(stone, record, what, member.name, str(error)) from None
    finally:
        _outer.reset(inside)
    return found


def _refused(stone: type[Stone], record: type[Any], what: str, name: str, why: str) -> Invalid:
    text = f"The {what} of the stone {stone.__name__} cannot be declared by {record.__name__}, since {name!r} {why}"
    return Invalid(f"{text}: declare it otherwise, or give marshmallow fields.", code="stone-invalid")


_outer: ContextVar[tuple[type[Any], ...]] = ContextVar("outer", default=())
"""The classes that are being translated, each inside of the one before."""
_schemas: WeakKeyDictionary[type[Any], Schema] = WeakKeyDictionary()


def _schema(record: type[Any]) -> Schema:
    if record not in _schemas:
        _schemas[record] = Schema.from_dict(dict(_fields(record)), name=record.__name__)()
    return _schemas[record]


def _field_of(member: _Member) -> fields.Field[Any]:
    if member.wrong:
        raise _Untranslatable(member.wrong)
    unknown = sorted(member.metadata.keys() - METADATA)
    if unknown:
        raise _Untranslatable(f"has the metadata {unknown[0]!r}, which means nothing here")
    more: dict[str, Any] = {"metadata": dict(member.metadata)}
    if member.default is missing:
        more["required"] = True
    else:
        more["load_default"] = member.default
    return _annotated(member.annotation, more)


def _annotated(annotation: Any, more: dict[str, Any]) -> fields.Field[Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _annotated(arguments[0], more)
    if origin in (Union, types.UnionType):
        others = [each for each in arguments if each is not type(None)]
        if len(others) == 1 and len(others) < len(arguments):
            return _annotated(others[0], {**more, "allow_none": True})
    if origin is Literal and len({type(each) for each in arguments}) == 1 and type(arguments[0]) in (str, int, bool):
        return _FIELDS[type(arguments[0])](validate=validate.OneOf(arguments), **more)
    if origin is list:
        return fields.List(_annotated(arguments[0], {}), **more)
    if origin is dict and arguments[0] is str:
        return fields.Dict(keys=fields.String(), values=_annotated(arguments[1], {"allow_none": True}), **more)
    if origin is None and isinstance(annotation, type):
        if issubclass(annotation, Enum):
            allowed = [each.value for each in annotation]
            return fields.Enum(annotation, by_value=True, **_with(more, "allowed_values", allowed))
        if is_record(annotation):
            return RecordField(annotation, **more)
        if annotation.__module__ == "pydantic.types" and annotation.__name__ == "SecretStr":
            return SecretField(annotation, **_with(more, "no_echo", True))
        if annotation is list:
            return fields.List(fields.Raw(allow_none=True), **more)
    if annotation is Any:
        more = {**more, "allow_none": True}
    try:
        make = _FIELDS[annotation]
    except (KeyError, TypeError):
        shown = annotation.__name__ if isinstance(annotation, type) else str(annotation)
        raise _Untranslatable(f"is a {shown.replace('typing.', '')}, for which there is no field") from None
    return make(**more)


def _with(more: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**more, "metadata": {name: value, **more.get("metadata", {})}}


def _members(record: type[Any]) -> Iterator[_Member]:
    # A dataclass of pydantic is both: its defaults and descriptions are where a model has them.
    return _of_model(record) if _has_pydantic_fields(record) else _of_dataclass(record)


def _of_dataclass(record: type[Any]) -> Iterator[_Member]:
    try:
        hints, lost = typing.get_type_hints(record, include_extras=True), ""
    except (NameError, TypeError) as error:
        hints, lost = {}, f"is in a class with an annotation that cannot be read from outside ({error})"
    for each in dataclasses.fields(record):
        default = missing if each.default is dataclasses.MISSING else each.default
        if each.default_factory is not dataclasses.MISSING:
            default = each.default_factory
        wrong = "" if each.init else "is not given to its constructor"
        yield _Member(each.name, hints.get(each.name), default, each.metadata, lost or wrong)


def _of_model(record: type[Any]) -> Iterator[_Member]:
    own = {each.name: each for each in dataclasses.fields(record)} if dataclasses.is_dataclass(record) else {}
    for name, found in record.__pydantic_fields__.items():
        default: Any = missing
        if found.default_factory is not None:
            default = found.default_factory
        elif not found.is_required():
            default = found.default
        told = {"description": found.description, "display_name": found.title}
        extra = found.json_schema_extra
        metadata = {key: value for key, value in told.items() if value is not None}
        wrong = "has an alias, and a parameter has one name" if found.alias or found.validation_alias else ""
        if found.default_factory is not None and found.default_factory_takes_validated_data:
            wrong = "has a default that is made of other values"
        if callable(extra):
            wrong = "has a function as its json_schema_extra"
        if name in own:
            metadata = {**own[name].metadata, **metadata}
            wrong = wrong if own[name].init and found.init is not False else "is not given to its constructor"
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        metadata |= extra if isinstance(extra, Mapping) else {}
        yield _Member(name, found.annotation, shown, metadata, wrong)


def _is_model(record: type[Any]) -> bool:
    return _has_pydantic_fields(record) and hasattr(record, "model_validate")


def _has_pydantic_fields(record: type[Any]) -> bool:
    return isinstance(getattr(record, "__pydantic_fields__", None), Mapping)


def _made(record: type[Any], values: Mapping[str, Any]) -> Any:
    """An instance; raises Unfit with what the class refuses."""
    try:
        return record.model_validate(dict(values)) if _is_model(record) else record(**values)
    except Exception as error:
        # Whatever it is: the class refuses the values, and nothing else that is done here has failed.
        told: dict[str, list[str]] = {}
        for each in _told_by_pydantic(error):
            path = ".".join(map(str, each["loc"])) or record.__name__
            told.setdefault(path, []).append(str(each["msg"]))
        said = str(error) if isinstance(error, ValueError | TypeError) else f"{type(error).__name__}: {error}"
        raise Unfit(told or {record.__name__: [f"{said.removesuffix(': ')}."]}) from None


def _told_by_pydantic(error: Any) -> list[dict[str, Any]]:
    of_it = isinstance(error, ValueError) and callable(getattr(error, "errors", None))
    return error.errors(include_url=False) if of_it else []
