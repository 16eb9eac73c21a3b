"""How a view of the engine is shown in JSON and read back from it: member by member, by the types of its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from marshmallow import Schema, fields

from .members import Always, Inner, Instant, Items, LocalTime, Word

View = TypeVar("View")
Content = Mapping[str, Any]
KINDS: dict[Any, type[fields.Field[Any]]] = {
    str: fields.String,
    bool: fields.Boolean,
    int: fields.Integer,
    NoneType: Always,
}
_records: dict[Any, type[Schema]] = {}
"""By view, the first record that was made of it: as which it is shown inside of others."""


class Record(Schema, Generic[View]):
    """Root of what :func:`record` makes."""

    view: type[View]
    inside: Mapping[str, str]
    """The view's fields by the outside names of the members that show them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        named = [(str(field.data_key), field) for field in self.dump_fields.values()]
        # One more than there are members, since a single one would not come as a tuple.
        self._values_of = attrgetter(*self.inside.values(), *[*self.inside.values()][:1])
        self._shows = [(name, field.show) for name, field in named if hasattr(field, "show")]
        self._reads = {name: field.read for name, field in named if hasattr(field, "read")}

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        several = self.many if many is None else many
        return [self._shown(each) for each in obj] if several else self._shown(obj)

    def _shown(self, view: View) -> dict[str, Any]:
        shown = dict(zip(self.inside, self._values_of(view), strict=False))
        for name, show in self._shows:
            # Most of what may be missing is: it is shown as it is.
            if shown[name] is not None:
                shown[name] = show(shown[name])
        return shown

    def read(self, content: Content) -> View:
        """The view that was shown; a member that an older server does not tell is as the view has it by default."""
        known = self.view.__dataclass_fields__  # type: ignore[attr-defined]
        given = {outside: inside for outside, inside in self.inside.items() if outside in content and inside in known}
        return self.view(**{inside: self._read(outside, content[outside]) for outside, inside in given.items()})

    def _read(self, outside: str, value: Any) -> Any:
        read = self._reads.get(outside)
        return value if read is None else read(value)


def record(
    name: str,
    view: type[View],
    members: str | None = None,
    *,
    notes: Mapping[str, str] | None = None,
    **others: fields.Field[Any],
) -> type[Record[View]]:
    """Make the record that has this name in OpenAPI.

    Args:
        view: The dataclass that it shows. The kind of a member follows from the type of its field, so that what is
            described is what is shown.
        members: The outside names in their order; ``outside=inside`` where the field is not called the same in snake
            case. All fields unless said otherwise.
        notes: What OpenAPI says of members.
        others: By field, members of another kind than its type says, or that are no fields of the view.
    """
    generic = get_origin(view) or view
    types = get_type_hints(generic)
    inside: dict[str, str] = {}
    made: dict[str, fields.Field[Any]] = {}
    for each in map(camel, types) if members is None else members.split():
        outside, _, field = each.partition("=")
        field = inside[outside] = field or snake(outside)
        member = others.get(field) or _member(_filled(types[field], view), outside)
        member.data_key, member.required = outside, True
        if notes and outside in notes:
            member.metadata = {"description": notes[outside]}
        # Two members may show one field: a time as people and as programs read it.
        made[outside if field in made else field] = member
    schema = cast(type[Record[View]], Record.from_dict(made, name=name))
    schema.view, schema.inside = generic, inside
    _records.setdefault(view, schema)
    return schema


def _filled(annotated: Any, view: Any) -> Any:
    """The type of a field of a generic view, such as the items of a page."""
    return annotated[get_args(view)] if getattr(annotated, "__parameters__", ()) else annotated


def _member(annotated: Any, outside: str = "") -> fields.Field[Any]:
    kind, arguments = get_origin(annotated), get_args(annotated)
    if kind in (Union, UnionType):
        (present,) = (each for each in arguments if each is not NoneType)
        member = _member(present, outside)
        member.allow_none = True
        return member
    if kind is Literal:
        return Word(annotated)
    if kind is tuple:
        return Items(_member(arguments[0]))
    if kind is Mapping:
        return fields.Dict()
    if annotated is datetime:
        return Instant() if outside.endswith("At") else LocalTime()
    if annotated in _records:
        return Inner(_records[annotated])
    return KINDS.get(annotated, fields.Raw)()


class Given(fields.Dict):
    """What somebody has given to a call, by the names that its arguments have outside."""

    def show(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {camel(name): each for name, each in value.items()}

    def read(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return {snake(name): each for name, each in content.items()}


def camel(name: str) -> str:
    """``process_instance_id`` as it is written outside: ``processInstanceId``."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def snake(name: str) -> str:
    """``processInstanceId`` as it is written inside: ``process_instance_id``."""
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)
