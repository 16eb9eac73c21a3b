"""Parameters and outputs as a dataclass or a model of pydantic: the fields that they come to, and instances of them.

There is one declaration of a stone, its marshmallow fields. A class is translated into these when the stone is
defined, so whatever reads a declaration knows nothing of it. Pydantic is never imported: its models say what they have.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union
from uuid import UUID
from weakref import WeakKeyDictionary

from marshmallow import Schema, fields, missing, validate

from ..errors import Invalid
from .declaration import Unfit

if TYPE_CHECKING:
    from .stone import Stone

METADATA = frozenset({"visible", "display_name", "description", "no_echo", "allowed_values", "variable"})
"""What a field may say of itself, as in the metadata of a marshmallow field."""
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
        super().__init__(_schema(record), **more)
        self.record = record

    def _deserialize(self, *given: Any, **more: Any) -> Any:
        return _made(self.record, super()._deserialize(*given, **more))


def is_record(declared: object) -> bool:
    """Whether parameters or outputs are declared by a class."""
    return isinstance(declared, type) and (dataclasses.is_dataclass(declared) or _is_model(declared))


def parameter_fields(stone: type[Stone], record: type[Any]) -> dict[str, fields.Field[Any]]:
    """The fields to which the class of a stone's parameters comes; raises Invalid for what has none, by its name."""
    return _translated(stone, record, "parameters")


def output_texts(stone: type[Stone], record: type[Any]) -> tuple[dict[str, str], frozenset[str]]:
    """What the class of a stone's outputs says of each, and which are secret; raises Invalid."""
    found = _translated(stone, record, "outputs")
    told = {name: str(field.metadata.get("description") or "") for name, field in found.items()}
    return told, frozenset(name for name, field in found.items() if field.metadata.get("no_echo"))


def instance(record: type[Any], values: Mapping[str, Any]) -> Any:
    """An instance of the class, of values as its fields have loaded them; what it has no field for is left out.

    Raises Unfit for what the class itself refuses.
    """
    return _made(record, {name: values[name] for name in _schema(record)().fields if name in values})


def outputs_of(returned: Any) -> dict[str, Any]:
    """The outputs that an instance comes to, as JSON."""
    told: dict[str, Any] = _schema(type(returned))().dump(returned)
    return told


def _translated(stone: type[Stone], record: type[Any], what: Literal["parameters", "outputs"]) -> dict[str, Any]:
    if "Meta" in (made := _fields(record, stone, what)):
        raise _refused(stone, record, what, "Meta", "is a name that no field can have")
    return made


def _fields(record: type[Any], stone: type[Stone] | None = None, what: str = "") -> dict[str, fields.Field[Any]]:
    found = {}
    for member in _members(record):
        try:
            found[member.name] = _field_of(member)
        except _Untranslatable as error:
            if stone is None:
                raise _Untranslatable(f"has {record.__name__} inside, whose {member.name!r} {error}") from None
            raise _refused(stone, record, what, member.name, str(error)) from None
    return found


def _refused(stone: type[Stone], record: type[Any], what: str, name: str, why: str) -> Invalid:
    text = f"The {what} of the stone {stone.__name__} cannot be declared by {record.__name__}, since {name!r} {why}"
    return Invalid(f"{text}: declare it otherwise, or give marshmallow fields.", code="stone-invalid")


_schemas: WeakKeyDictionary[type[Any], type[Schema]] = WeakKeyDictionary()


def _schema(record: type[Any]) -> type[Schema]:
    if record not in _schemas:
        _schemas[record] = Schema.from_dict(dict(_fields(record)), name=record.__name__)
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
            return fields.String(**_with(more, "no_echo", True))
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
    return _of_model(record) if _is_model(record) else _of_dataclass(record)


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
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        metadata |= extra if isinstance(extra, Mapping) else {}
        yield _Member(name, found.annotation, shown, metadata, wrong)


def _is_model(record: type[Any]) -> bool:
    return isinstance(getattr(record, "__pydantic_fields__", None), Mapping) and hasattr(record, "model_validate")


def _made(record: type[Any], values: Mapping[str, Any]) -> Any:
    """An instance; raises Unfit with what the class refuses."""
    try:
        return record.model_validate(dict(values)) if _is_model(record) else record(**values)
    except (ValueError, TypeError) as error:
        told: dict[str, list[str]] = {}
        for each in error.errors(include_url=False) if hasattr(error, "errors") else ():
            path = ".".join(map(str, each["loc"])) or record.__name__
            told.setdefault(path, []).append(str(each["msg"]))
        raise Unfit(told or {record.__name__: [f"{error}."]}) from None
