"""Types of FEEL: what is an instance of them, and what is converted to them (DMN 1.5, 10.3.2.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ... import effort
from ..faults import fault
from . import iso
from .kinds import Kind, Value, kind_of
from .temporal import UTC_MIDNIGHT, Date, DateTime, Months, Nanos

_DURATIONS = {"days and time duration": Nanos, "years and months duration": Months}


@dataclass(slots=True, eq=False)
class Type:
    """``item`` is what a list or a range holds, ``members`` are those of a context; ``allows`` limits the values."""

    kind: Kind | Literal["Any"]
    name: str = ""
    item: Type | None = None
    members: Mapping[str, Type] | None = None
    parameters: Sequence[Type] | None = None
    returns: Type | None = None
    allows: Callable[[Value], bool | None] | None = None

    def __str__(self) -> str:
        return self.name or self.kind


ANY = Type("Any")
SIMPLE: Mapping[str, Type] = {
    kind: Type(kind)
    for kind in (
        "Any",
        "Null",
        "number",
        "string",
        "boolean",
        "date",
        "time",
        "date and time",
        "days and time duration",
        "years and months duration",
        "list",
        "context",
        "range",
        "function",
    )
}
OTHERWISE: Mapping[str, str] = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "long": "number",
    "double": "number",
    "any": "Any",
}
"""How modelers and earlier versions of DMN spell some of them."""


_CONFORMS = 5
"""What it takes to compare one value with its type, in the time of a look at it."""


def is_instance(value: Value, type_: Type) -> bool:
    """``value instance of type``: null is of no type but Null (DMN 1.5, table 62)."""
    if value is None:
        return type_.kind == "Null"
    return conforms(value, type_)


def conforms(value: Value, type_: Type) -> bool:
    """Whether a value may stand where the type is expected; null may everywhere."""
    if value is None:
        return True
    if type_.kind != "Any" and kind_of(value) != type_.kind:
        return False
    if type_.kind == "list" and type_.item is not None:
        effort.charge(_CONFORMS * len(value))
        item = type_.item
        if not all(conforms(each, item) for each in value):
            return False
    elif type_.kind == "context" and type_.members is not None:
        effort.charge(_CONFORMS * len(type_.members))
        for key, member in type_.members.items():
            if key not in value or not conforms(value[key], member):
                return False
    elif type_.kind == "range" and type_.item is not None:
        if not conforms(value.low, type_.item) or not conforms(value.high, type_.item):
            return False
    elif type_.kind == "function" and type_.parameters is not None:
        return _function_conforms(value, type_)
    return type_.allows is None or type_.allows(value) is True


def _function_conforms(function: Value, type_: Type) -> bool:
    wanted = type_.parameters or ()
    if len(function.parameters) != len(wanted):
        return False
    taken, gives = function.parameter_types, function.returns
    if taken and not all(type_conforms(one, two) for one, two in zip(wanted, taken, strict=True)):
        return False
    return type_.returns is None or gives is None or type_conforms(gives, type_.returns)


def type_conforms(one: Type, two: Type) -> bool:
    """Whether each value of one type may stand where the other is expected (DMN 1.5, 10.3.2.9.2)."""
    if two.kind == "Any" or one.kind == "Null":
        return True
    if one.kind != two.kind:
        return False
    if two.item is not None:
        return one.item is not None and type_conforms(one.item, two.item)
    if two.members is not None:
        mine = one.members
        return mine is not None and all(
            key in mine and type_conforms(mine[key], member) for key, member in two.members.items()
        )
    if two.parameters is not None:
        mine_taken = one.parameters
        if mine_taken is None or len(mine_taken) != len(two.parameters):
            return False
        if not all(type_conforms(a, b) for a, b in zip(two.parameters, mine_taken, strict=True)):
            return False
        return two.returns is None or (one.returns is not None and type_conforms(one.returns, two.returns))
    return True


def coerced(value: Value, type_: Type, what: str) -> Value:
    """The value as the type has it, converted where DMN 1.5, 10.3.2.9.4 says so; else null."""
    if value is None or conforms(value, type_):
        return value
    if type_.kind == "list" and type(value) is not list:
        alone = [value]
        if conforms(alone, type_):
            return alone
    elif type(value) is list and len(value) == 1 and conforms(value[0], type_):
        return value[0]
    elif type(value) is Date and type_.kind == "date and time":
        moment = DateTime(value, UTC_MIDNIGHT)
        if conforms(moment, type_):
            return moment
    if type_.kind != "Any" and kind_of(value) == type_.kind:
        return fault(f"{what} is a {type_.kind} that {type_} does not allow")
    return fault(f"{what} is a {kind_of(value)} where {type_} is expected")


def from_json(value: Value, type_: Type) -> Value:
    """A value of JSON with the texts in it that say dates, times and durations read as what the type expects."""
    if type(value) is str:
        return _from_text(value, type_.kind)
    if type(value) is list and type_.kind == "list" and type_.item is not None:
        item = type_.item
        return [from_json(each, item) for each in value]
    if type(value) is list and type_.kind != "Any" and len(value) == 1:
        return [from_json(value[0], type_)]
    if type(value) is dict and type_.members is not None:
        members = type_.members
        return {key: from_json(each, members[key]) if key in members else each for key, each in value.items()}
    return value


def _from_text(text: str, kind: str) -> Value:
    found: Value = None
    if kind == "date":
        found = iso.read_date(text)
    elif kind == "time":
        found = iso.read_time(text)
    elif kind == "date and time":
        found = iso.read_date_time(text)
    elif kind in _DURATIONS:
        found = iso.read_duration(text)
        found = found if type(found) is _DURATIONS[kind] else None
    return text if found is None else found
