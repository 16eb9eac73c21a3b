"""A form that a person fills in: what it is made of, and how that stands with the present values.

It is that of Camunda Forms, of a form in the model itself, or one that is made of the conditions behind the task.
Conditions, choices and texts are evaluated here, so that whoever draws the form needs no language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ....errors import ExpressionError, ExpressionWork
from ....jsontext import JSON, dumps
from ....views.people import DateKind, FormKind

if TYPE_CHECKING:
    from ....language.context import Context, Path
    from ....language.expressions import Expression, Value
    from ....language.regex.machine import Regex

SHOWN_ONLY: frozenset[FormKind] = frozenset({"text", "table", "group", "separator", "spacer"})
MOST_OPTIONS, MOST_ROWS = 1_000, 500
LONGEST_TEXT = 20_000
ROUNDS = 5
"""How often conditions are looked at again, since what hides one thing may be hidden itself."""
MISSING: Any = object()


class Template(NamedTuple):
    """A text with expressions in it."""

    parts: tuple[str | Expression, ...]

    def of(self, context: Context) -> str:
        """The text for these values."""
        texts = [part if isinstance(part, str) else text_of(value_of(part, context)) for part in self.parts]
        return "".join(texts)[:LONGEST_TEXT]


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """One part of a form; ``path`` says where its value is kept among the variables, and is empty for what is shown."""

    id: str
    kind: FormKind
    path: Path = ()
    inside: str | None = None
    """The group that it is in."""
    label: Template | None = None
    description: Template | None = None
    text: Template | None = None
    hide: Expression | None = None
    readonly: Expression | bool = False
    required: bool = False
    default: JSON = None
    default_from: Value | None = None
    options: Sequence[tuple[JSON, str]] = ()
    options_from: Expression | None = None
    suggests: bool = False
    """Whether the options are only suggestions."""
    limits: Mapping[str, Value] = field(default_factory=dict)
    """``minLength``, ``maxLength``, ``min`` and ``max``."""
    pattern: Regex | None = None
    fault: str = ""
    """What is said of a value that the pattern does not fit."""
    whole: bool = False
    """Of a number: whether it has no fraction."""
    decimals: int | None = None
    step: str | None = None
    as_text: bool = False
    """Of a number: whether it is kept as a text."""
    date: DateKind = "date"
    loose: bool = False
    """Of a date: whether it may also be written as a Java engine reads it."""
    no_past: bool = False
    columns: Sequence[tuple[str, str]] = ()
    columns_from: Expression | None = None
    rows_from: Expression | None = None
    width: int | None = None
    """Of the sixteen columns of a row."""
    row: str | None = None

    @property
    def key(self) -> str:
        """By which its value is spoken of."""
        return ".".join(self.path)


class ComponentState(NamedTuple):
    """How a component stands with the present values."""

    component: Component
    hidden: bool
    readonly: bool
    label: str
    description: str
    text: str
    options: Sequence[tuple[JSON, str]]
    limits: Mapping[str, JSON]
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]


class Form:
    """What a person fills in; shared by all tasks that show it."""

    def __init__(self, components: Sequence[Component], *, strict: bool = True) -> None:
        """``strict`` forms take no other values than those that they ask for."""
        self.components = tuple(components)
        self.strict = strict
        self.fields = [each for each in self.components if each.path]

    def __bool__(self) -> bool:
        return bool(self.components)

    @property
    def changes(self) -> bool:
        """Whether anything of it depends on what is filled in."""
        return any(True for _ in self._expressions())

    def _expressions(self) -> Iterator[Expression]:
        for each in self.components:
            found = (each.hide, each.readonly, each.options_from, each.rows_from, each.columns_from)
            yield from (one for one in found if one is not None and not isinstance(one, bool))
            for text in (each.label, each.description, each.text):
                yield from (part for part in (text.parts if text is not None else ()) if not isinstance(part, str))

    def present(self, context: Context) -> dict[str, JSON]:
        """The values that it is shown with: those that there are, else its defaults."""
        found: dict[str, JSON] = {}
        for each in self.fields:
            value = existing(each, context)
            if value is MISSING:
                value = default_of(each, context)
            if value is not MISSING:
                put(found, each.path, value)
        return found

    def look(self, context: Context, values: Mapping[str, JSON]) -> list[ComponentState]:
        """How all of it stands with these values in front of the variables."""
        hidden: set[str] = set()
        for _ in range(ROUNDS):
            seen = context.child(without(values, [each for each in self.fields if each.id in hidden]))
            now = self._hidden(seen)
            if now == hidden:
                break
            hidden = now
        return [part_of(each, seen, hidden=each.id in hidden) for each in self.components]

    def _hidden(self, context: Context) -> set[str]:
        found: set[str] = set()
        for each in self.components:
            # A group comes before what is in it.
            if each.inside in found or (each.hide is not None and value_of(each.hide, context) is True):
                found.add(each.id)
        return found


def part_of(each: Component, context: Context, *, hidden: bool) -> ComponentState:
    """How one component stands."""
    readonly = each.readonly
    if hidden:
        return ComponentState(each, True, bool(readonly), "", "", "", (), {}, (), ())
    columns = _columns(each, context)
    return ComponentState(
        each,
        False,
        readonly if isinstance(readonly, bool) else value_of(readonly, context) is True,
        each.label.of(context) if each.label is not None else "",
        each.description.of(context) if each.description is not None else "",
        each.text.of(context) if each.text is not None else "",
        _options(each, context),
        {name: value_of(value, context) for name, value in each.limits.items()},
        columns,
        _rows(each, columns, context),
    )


def _options(each: Component, context: Context) -> Sequence[tuple[JSON, str]]:
    if each.options_from is None:
        return each.options
    found = value_of(each.options_from, context)
    options: list[tuple[JSON, str]] = []
    for item in found[:MOST_OPTIONS] if isinstance(found, list) else ():
        if isinstance(item, Mapping) and "value" in item:
            options.append((item["value"], text_of(item.get("label", item["value"]))))
        else:
            options.append((item, text_of(item)))
    return options


def _columns(each: Component, context: Context) -> Sequence[tuple[str, str]]:
    if each.columns_from is None:
        return each.columns
    found = value_of(each.columns_from, context)
    items = found[:100] if isinstance(found, list) else ()
    return [(str(item.get("key", "")), text_of(item.get("label", ""))) for item in items if isinstance(item, Mapping)]


def _rows(each: Component, columns: Sequence[tuple[str, str]], context: Context) -> list[list[str]]:
    found = None if each.rows_from is None else value_of(each.rows_from, context)
    rows = found[:MOST_ROWS] if isinstance(found, list) else ()
    return [[text_of(row.get(key)) for key, _ in columns] for row in rows if isinstance(row, Mapping)]


def value_of(value: Value, context: Context) -> Any:
    """The value of an expression of a form, null where it has none: a form is shown whatever is missing."""
    try:
        return value.evaluate(context)
    except ExpressionWork:
        raise
    except ExpressionError:
        return None


def text_of(value: JSON) -> str:
    """A value as a form shows it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return dumps(value)


def existing(each: Component, context: Context) -> Any:
    """The value that there is for a component, or MISSING."""
    return context.find(each.path, MISSING)


def default_of(each: Component, context: Context) -> Any:
    """The value that it begins with where there is none, or MISSING."""
    value = each.default if each.default_from is None else value_of(each.default_from, context)
    return MISSING if value is None else value


def get(values: Mapping[str, JSON], path: Path) -> Any:
    """What is at a path, or MISSING."""
    here: Any = values
    for name in path:
        if not isinstance(here, Mapping) or name not in here:
            return MISSING
        here = here[name]
    return here


def put(values: dict[str, JSON], path: Path, value: JSON) -> None:
    """Put a value at a path; what is in its way and no object gives way."""
    here = values
    for name in path[:-1]:
        inner = here.get(name)
        here[name] = inner = dict(inner) if isinstance(inner, dict) else {}
        here = inner
    here[path[-1]] = value


def without(values: Mapping[str, JSON], hidden: Sequence[Component]) -> dict[str, JSON]:
    """The values but for those of what is hidden, which count as null."""
    found = dict(values)
    if hidden:
        found = deepcopy(found)
        for each in hidden:
            put(found, each.path, None)
    return found
