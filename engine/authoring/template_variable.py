"""One entry of a parameter template: what it demands of a value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from ..errors import Invalid
from ..jsontext import JSON, dumps
from ..language.context import Path
from ..language.numerals import read_number
from ..language.operators import Number
from ..language.patterns import Pattern

REFERENCE = "Ref:"
"""Begins a default that copies another variable."""

_MOST_SHOWN = 1_000
_TYPES = {
    "string": "String",
    "number": "Number",
    "integer": "Integer",
    "boolean": "Boolean",
    "list": "List",
    "commadelimitedlist": "CommaDelimitedList",
    "map": "Map",
    "json": "Json",
}


_UNSEARCHED = ("List", "CommaDelimitedList", "Map", "Json")


class Variable(NamedTuple):
    """A start variable: ``variables[key]``, or ``variables[namespace][key]`` where it has a namespace."""

    key: str
    namespace: str | None
    type: str
    no_echo: bool
    default: JSON
    allowed_values: tuple[JSON, ...] | None
    allow_others: bool
    pattern: Pattern | None
    min_length: int | None
    max_length: int | None
    min_value: Number | None
    max_value: Number | None
    constraint_description: str | None
    searchable: bool = False

    @property
    def path(self) -> Path:
        """Where the value stands in the start variables."""
        return (self.key,) if self.namespace is None else (self.namespace, self.key)

    def violations(self, value: JSON) -> list[str]:
        """What is wrong with a value, in sentences that never repeat it: it may be a secret."""
        wrong = self._mistyped(value)
        if wrong:
            return [wrong]
        items = _items(value) if self.type in ("List", "CommaDelimitedList") else [value]
        texts = [*self._outside(items), *self._length(value, items), *self._size(value)]
        if texts and self.constraint_description:
            return [self.constraint_description]
        return texts

    def typed(self, value: JSON) -> JSON:
        """A value as expressions see it: a text that says a number, a truth or a list is that.

        One that does not fit its type stays as it is, for others to refuse. A secret stays as it was given, since what
        is hidden is found by its text. So does a text that says more digits than a JSON number keeps.
        """
        if not isinstance(value, str) or self.no_echo:
            return value
        match self.type:
            case "Number" | "Integer":
                return _exact(value)
            case "Boolean":
                return {"true": True, "false": False}.get(value.lower(), value)
            case "List" | "CommaDelimitedList":
                return _items(value)
        return value

    def _mistyped(self, value: JSON) -> str | None:
        fits: dict[str, bool] = {
            "String": isinstance(value, str),
            "Number": number_of(value) is not None,
            "Integer": isinstance(number_of(value), int),
            "Boolean": isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("true", "false")),
            "List": isinstance(value, list | str),
            "CommaDelimitedList": isinstance(value, list | str),
            "Map": isinstance(value, dict),
            "Json": not isinstance(value, str) or _is_json(value),
        }
        words = {
            "String": "a text",
            "Number": "a number, or a text that says one",
            "Integer": "a whole number, or a text that says one",
            "Boolean": "true or false",
            "List": "a list, or a text with commas between the items",
            "CommaDelimitedList": "a list, or a text with commas between the items",
            "Map": "an object",
            "Json": "JSON",
        }
        return None if fits[self.type] else f"Must be {words[self.type]}."

    def _outside(self, items: list[JSON]) -> list[str]:
        texts = []
        if self.allowed_values is not None and not self.allow_others:
            texts_allowed = {_plain(value) for value in self.allowed_values}
            numbers = {number_of(value) for value in self.allowed_values} - {None}
            # As a form sees it: "6" is 6 and "true" is true.
            if not all(_plain(item) in texts_allowed or number_of(item) in numbers for item in items):
                shown = dumps(list(self.allowed_values))
                texts.append(f"Must be one of {shown if len(shown) <= _MOST_SHOWN else shown[:_MOST_SHOWN] + '…'}.")
        if self.pattern is not None and not all(self.pattern.matches(_plain(item)) for item in items):
            texts.append(f"Must match the pattern {self.pattern.source!r}.")
        return texts

    def _length(self, value: JSON, items: list[JSON]) -> list[str]:
        length = len(items) if self.type in ("List", "CommaDelimitedList") else len(_plain(value))
        what = "items" if self.type in ("List", "CommaDelimitedList") else "characters"
        texts = []
        if self.min_length is not None and length < self.min_length:
            texts.append(f"Must have at least {self.min_length} {what}.")
        if self.max_length is not None and length > self.max_length:
            texts.append(f"Must have at most {self.max_length} {what}.")
        return texts

    def _size(self, value: JSON) -> list[str]:
        number = number_of(value)
        if number is None:
            return []
        texts = []
        if self.min_value is not None and number < self.min_value:
            texts.append(f"Must be at least {self.min_value}.")
        if self.max_value is not None and number > self.max_value:
            texts.append(f"Must be at most {self.max_value}.")
        return texts


def read_variable(entry: JSON) -> tuple[Variable | None, list[str]]:
    """The variable that an entry defines, if it can be read, and everything that is wrong with the entry.

    ``Fn::Source``, ``DisplayName``, ``Description`` and fields that are not known are for user interfaces: they stay
    in the template and are not looked at.
    """
    if not isinstance(entry, Mapping):
        return None, ["Must be an object with a Key."]
    reader = _Reader(entry)
    variable = reader.variable()
    if variable is None or reader.errors:
        return None, reader.errors
    default = variable.default
    if default is None:
        return variable, []
    if isinstance(default, str) and default.startswith(REFERENCE):
        target = default.removeprefix(REFERENCE).strip()
        if not target or (target == variable.key and variable.namespace is None):
            reader.errors.append("DefaultValue refers to nothing but itself: name another variable.")
        return variable, reader.errors
    texts = variable.violations(default)
    if texts and default == "":
        # Forms write an empty text where there is no default.
        return variable._replace(default=None), []
    return variable, [f"DefaultValue does not fit: {text}" for text in texts]


class _Reader:
    """Takes the fields of an entry and collects what is wrong with them."""

    def __init__(self, entry: Mapping[str, JSON]) -> None:
        self.entry = entry
        self.errors: list[str] = []

    def variable(self) -> Variable | None:
        key = self.text("Key")
        if not key:
            self.errors.append("Must have a Key that is a text.")
        variable = Variable(
            key=key or "",
            namespace=self.text("NameSpace") or None,
            type=self.type(),
            no_echo=self.flag("NoEcho"),
            default=self.entry.get("DefaultValue"),
            allowed_values=self.allowed_values(),
            allow_others=self.flag("AllowedCustomization"),
            pattern=self.pattern(),
            min_length=self.length("MinLength"),
            max_length=self.length("MaxLength"),
            min_value=self.number("MinValue"),
            max_value=self.number("MaxValue"),
            constraint_description=self.text("ConstraintDescription") or None,
            searchable=self.flag("Searchable"),
        )
        if variable.searchable and (variable.no_echo or variable.type in _UNSEARCHED):
            what = "is a secret" if variable.no_echo else f"has the type {variable.type}"
            self.errors.append(f"Searchable is for a single value that may be seen, and this {what}.")
        self.order("MinLength", variable.min_length, "MaxLength", variable.max_length)
        self.order("MinValue", variable.min_value, "MaxValue", variable.max_value)
        return variable if key else None

    def text(self, name: str) -> str | None:
        value = self.entry.get(name)
        if value is None or isinstance(value, str):
            return value
        self.errors.append(f"{name} must be a text.")
        return None

    def flag(self, name: str) -> bool:
        value = self.entry.get(name)
        if isinstance(value, str) and value.lower() in ("true", "false", ""):
            return value.lower() == "true"
        if value is not None and not isinstance(value, bool):
            self.errors.append(f"{name} must be true or false.")
        return value is True

    def type(self) -> str:
        name = self.text("Type") or "String"
        known = _TYPES.get("list" if name.lower().startswith("list<") else name.lower())
        if known is None:
            self.errors.append(f"Type must be one of {', '.join(_TYPES.values())}.")
        return known or "String"

    def number(self, name: str) -> Number | None:
        value = self.entry.get(name)
        if value is None or value == "":
            return None
        number = number_of(value)
        if number is None:
            self.errors.append(f"{name} must be a number.")
        return number

    def length(self, name: str) -> int | None:
        number = self.number(name)
        if number is None or (isinstance(number, int) and number >= 0):
            return number
        self.errors.append(f"{name} must be a whole number that is not negative.")
        return None

    def allowed_values(self) -> tuple[JSON, ...] | None:
        values = self.entry.get("AllowedValues")
        if values is None or values == []:
            return None
        if not isinstance(values, list):
            self.errors.append("AllowedValues must be a list.")
            return None
        return tuple(values)

    def pattern(self) -> Pattern | None:
        source = self.text("AllowedPattern")
        if not source:
            return None
        try:
            return Pattern(source)
        except Invalid as error:
            self.errors.append(error.message)
            return None

    def order(self, low_name: str, low: Number | None, high_name: str, high: Number | None) -> None:
        if low is not None and high is not None and low > high:
            self.errors.append(f"{low_name} is greater than {high_name}: swap them.")


def number_of(value: JSON) -> Number | None:
    """The finite number that a value is or that its text says; None for anything else."""
    if isinstance(value, str):
        value = _said(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    return value


def _exact(text: str) -> JSON:
    """The number that a text says, or the text where a number would not keep all of its digits."""
    number = _said(text)
    return text if number is None or Decimal(text.strip()) != Decimal(repr(number)) else number


def _said(text: str) -> Number | None:
    return read_number(text.strip()) if text.isascii() else None


def _items(value: JSON) -> list[JSON]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value.strip() else []
    return list(value)


def _plain(value: JSON) -> str:
    return value if isinstance(value, str) else dumps(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
