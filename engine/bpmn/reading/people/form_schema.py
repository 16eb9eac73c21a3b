"""Camunda Forms: the JSON that form-js draws, read into the forms that are shown here.

What is not known here, or would run somebody else's HTML, is refused by name: a form is shown whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lxml import etree

from ....errors import ExpressionError, Invalid
from ....jsontext import dumps
from ....language.numerals import read_number
from ....language.regex.machine import Regex
from ....language.regex.signs import Modifiers
from ....views.people import DateKind, FormKind
from ...elements.people.form import SHOWN_ONLY, Component, Form, Template
from ...elements.people.form_values import SIMPLE_FORMS
from ..expression_texts import ExpressionText
from ..mappings import Input, is_target

if TYPE_CHECKING:
    from ....jsontext import JSON
    from ....language.expressions import Expression, Value
    from ..model_reader import ModelReader

KINDS: Mapping[str, FormKind] = {
    **{kind: kind for kind in ("textfield", "textarea", "number", "checkbox", "radio", "select", "checklist")},
    **{kind: kind for kind in ("datetime", "text", "table", "group", "separator", "spacer")},
    "taglist": "checklist",
}
HARMLESS = frozenset({"button"})
"""Buttons send or reset a form, which the page does that shows it."""
MOST_COMPONENTS = 500
DATES: Mapping[str, DateKind] = {"date": "date", "time": "time", "datetime": "datetime"}
_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class FormReader:
    """Reads one form for the element that shows it; what is wrong is a finding of that element."""

    def __init__(self, reader: ModelReader, element: etree._Element, name: str) -> None:
        self.reader = reader
        self.element = element
        self.name = name
        self.found: list[Component] = []
        self._keys: set[str] = set()
        self._above: set[str] = set()
        """What holds the values of fields, and so is no field itself."""

    def read(self, schema: JSON) -> Form:
        """The form that a schema describes, as far as it can be read."""
        if not isinstance(schema, dict) or not isinstance(schema.get("components"), list):
            self._wrong("is no Camunda Form: it has no list of components")
            return Form(())
        # A list of what is left, since groups hold groups as deep as anybody likes.
        pending: list[tuple[Any, str | None, str]] = [(each, None, "") for each in reversed(schema["components"])]
        while pending:
            given, inside, prefix = pending.pop()
            if len(self.found) >= MOST_COMPONENTS:
                self._wrong(f"has more than {MOST_COMPONENTS} components: split the task")
                break
            if not isinstance(given, dict):
                self._wrong("holds a component that is no object")
                continue
            component = self._component(given, inside, prefix)
            if component is None:
                continue
            self.found.append(component)
            if component.kind == "group" and isinstance(given.get("components"), list):
                path = str(given.get("path") or "")
                inner = ".".join(part for part in (prefix, path) if part)
                pending += [(each, component.id, inner) for each in reversed(given["components"])]
        return Form(self.found)

    def _component(self, given: Mapping[str, Any], inside: str | None, prefix: str) -> Component | None:
        kind = str(given.get("type"))
        if kind in HARMLESS:
            return None
        if kind not in KINDS:
            shown = str(given.get("label") or given.get("key") or given.get("id") or "")
            named = f" {shown[:80]!r}" if shown else ""
            self._wrong(f"has the component{named} of the type {kind[:80]!r}, which is not shown here: replace it")
            return None
        key = ".".join(part for part in (prefix, str(given.get("key") or "")) if part)
        known = KINDS[kind]
        path: tuple[str, ...] = ()
        if known not in SHOWN_ONLY:
            if not given.get("key") or not is_target(key):
                label = str(given.get("label") or given.get("id") or kind)
                self._wrong(f"has the field {label[:80]!r} without a usable key: give it one")
                return None
            if key in self._keys:
                self._wrong(f"has two fields with the key {key[:80]!r}: keep one of them")
                return None
            path = tuple(key.split("."))
            above = {".".join(path[:length]) for length in range(1, len(path))}
            if other := min(above & self._keys, default=key if key in self._above else None):
                # Read all the same: what an earlier version took goes on as it is.
                self._wrong(f"has the field {other[:80]!r} and another inside of its value: rename one of them")
            self._keys.add(key)
            self._above |= above
        identifier = str(given.get("id") or f"part-{len(self.found) + 1}")[:100]
        if any(each.id == identifier for each in self.found):
            identifier = f"{identifier}-{len(self.found) + 1}"
        return Component(
            id=identifier, kind=known, path=path, inside=inside, **{**self._common(given), **self._own(given)}
        )

    def _common(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What any component may have."""
        validate, conditional = _object(given.get("validate")), _object(given.get("conditional"))
        layout = _object(given.get("layout"))
        columns = layout.get("columns")
        readonly = given.get("readonly", False)
        return {
            "label": self._text(given.get("label")),
            "description": self._text(given.get("description")),
            "hide": self._expression(conditional.get("hide")),
            "readonly": given.get("disabled") is True or (readonly is True or self._expression(readonly) or False),
            "required": validate.get("required") is True,
            "default": self._default(given),
            "limits": self._limits(validate),
            "width": columns if isinstance(columns, int) and 0 < columns <= 16 else None,
            "row": str(layout["row"])[:100] if layout.get("row") else None,
            **self._pattern(validate),
        }

    def _own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What only one kind has."""
        kind = KINDS[given["type"]]
        if kind in ("radio", "select", "checklist"):
            return self._choices(given)
        if kind == "number":
            decimals = given.get("decimalDigits")
            whole = isinstance(decimals, int) and not isinstance(decimals, bool)
            step = given.get("increment")
            return {
                "decimals": decimals if whole else None,
                "step": str(step)[:20] if step not in (None, "") else None,
                "as_text": given.get("serializeToString") is True,
            }
        if kind == "datetime":
            date = DATES.get(str(given.get("subtype") or "date"), "date")
            label = given.get("dateLabel") if date != "time" else given.get("timeLabel")
            return {
                "date": date,
                "no_past": given.get("disallowPassedDates") is True,
                **({} if given.get("label") else {"label": self._text(label)}),
            }
        if kind == "text":
            return {"text": self._text(given.get("text"))}
        if kind == "table":
            columns = [_object(each) for each in _list(given.get("columns"))]
            return {
                "columns": [(str(each.get("key", "")), str(each.get("label", ""))) for each in columns][:100],
                "columns_from": self._expression(given.get("columnsExpression")),
                "rows_from": self._expression(given.get("dataSource")),
            }
        return {}

    def _choices(self, given: Mapping[str, Any]) -> dict[str, Any]:
        source = given.get("valuesExpression")
        if source is None and isinstance(given.get("valuesKey"), str):
            source = f"={given['valuesKey']}"
        values = _list(given.get("values"))
        options = [
            (each["value"], str(each.get("label") or each["value"]))
            for each in values
            if isinstance(each, dict) and "value" in each
        ]
        if source is None and not options:
            label = str(given.get("label") or given.get("key"))
            self._wrong(f"offers nothing to choose from in {label[:80]!r}: give it values")
        return {"options": options[:1000], "options_from": self._expression(source)}

    def _default(self, given: Mapping[str, Any]) -> JSON:
        found = given.get("defaultValue")
        if found is None and given["type"] == "checkbox":
            return False
        if found == "" or found == []:
            return None
        if given["type"] == "number" and isinstance(found, str) and given.get("serializeToString") is not True:
            return read_number(found.strip())
        if given["type"] == "number" and type(found) in (int, float) and given.get("serializeToString") is True:
            return dumps(found)
        value: JSON = found
        return value

    def _limits(self, validate: Mapping[str, Any]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name in ("minLength", "maxLength", "min", "max"):
            given = validate.get(name)
            if given is None or given == "":
                continue
            value: JSON = given
            if isinstance(given, str) and not given.startswith("="):
                value = read_number(given.strip())
                if value is None:
                    self._wrong(f"has the limit {name} {given[:80]!r}, which is no number: correct it")
                    continue
            found[name] = self.reader.value(self.element, Input(value=value, language="feel"))
        return found

    def _pattern(self, validate: Mapping[str, Any]) -> dict[str, Any]:
        kind = validate.get("validationType")
        if kind in SIMPLE_FORMS:
            pattern, fault = SIMPLE_FORMS[kind]
            return {"pattern": Regex(pattern, Modifiers(is_common=True)), "fault": fault}
        if not validate.get("pattern"):
            return {}
        try:
            return {"pattern": Regex(str(validate["pattern"]), Modifiers(is_common=True))}
        except (Invalid, ExpressionError) as error:
            self._wrong(f"has the pattern {str(validate['pattern'])[:80]!r}, which cannot be used: {error.message}")
            return {}

    def _expression(self, given: Any) -> Expression | None:
        if not isinstance(given, str) or not given.strip():
            return None
        return self.reader.expression(self.element, ExpressionText(text=given, language="feel"))

    def _text(self, given: Any) -> Template | None:
        """A text that is FEEL as a whole, or has FEEL in double braces."""
        if not isinstance(given, str) or not given.strip():
            return None
        if given.startswith("="):
            made = self._expression(given)
            return None if made is None else Template((made,))
        parts: list[str | Expression] = []
        start = 0
        for found in _BRACES.finditer(given):
            parts.append(given[start : found.start()])
            body = found[1].strip()
            if body[:1] in ("#", "/"):
                self._wrong(f"has a text with {found[0][:80]!r}, which is not shown here: say it by conditions")
            elif (made := self._expression(f"={body}")) is not None:
                parts.append(made)
            start = found.end()
        return Template((*parts, given[start:]))

    def _wrong(self, what: str) -> None:
        self.reader.report.error("form-invalid", self.element, f"The form {self.name} {what}.")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
