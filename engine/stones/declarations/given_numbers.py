"""Numbers that are given for fields: marshmallow makes one of what says another, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields

_NUMBERS = (fields.Integer, fields.Float, fields.Decimal, fields.TimeDelta)
_READS = frozenset(kind._deserialize for kind in _NUMBERS)
_HOLD_NONE = (fields.String, fields.Raw, fields.Boolean)


def may_be_numbers(field: fields.Field[Any]) -> bool:
    """Whether something in the values of the field may be a number."""
    return not isinstance(field, _HOLD_NONE)


def misread(field: fields.Field[Any], value: Any, path: str) -> Iterator[tuple[str, str]]:
    """What is no number of its field, by its place: 2.7 where a whole one is wanted, true, ``1_0`` and ``١٢``.

    Python cuts the first, and takes the others for numbers. A field that reads values in its own way is left alone.
    """
    if isinstance(field, _NUMBERS):
        if type(value) is not int and type(field)._deserialize in _READS and _is_misread(field, value):
            yield path, str(field.make_error("invalid", input=value).messages[0])
    elif isinstance(field, fields.Nested):
        for place, each in _several(value, path) if field.many else ((path, value),):
            if isinstance(each, Mapping):
                yield from _misread_members(field.schema, each, place)
    elif isinstance(field, fields.List):
        for place, each in _several(value, path):
            yield from misread(field.inner, each, place)
    elif isinstance(field, fields.Tuple):
        for inner, (place, each) in zip(field.tuple_fields, _several(value, path), strict=False):
            yield from misread(inner, each, place)
    elif isinstance(field, fields.Mapping) and field.value_field is not None and isinstance(value, Mapping):
        for name, each in value.items():
            yield from misread(field.value_field, each, f"{path}.{name}")


def _is_misread(field: fields.Field[Any], value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() or "_" in value
    return isinstance(value, bool) or (
        isinstance(value, float) and isinstance(field, fields.Integer) and not value.is_integer()
    )


def _several(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield f"{path}.{number}", each


def _misread_members(schema: Schema, values: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, field in schema.fields.items():
        key = field.data_key or name
        if key in values and may_be_numbers(field):
            yield from misread(field, values[key], f"{path}.{key}")
