"""One answer that a form in the model asks for."""

from __future__ import annotations

from typing import NamedTuple

from ...jsontext import JSON

_NUMBERS = frozenset({"long", "integer", "int", "short"})
_REALS = frozenset({"double", "float", "decimal", "number"})


class FormField(NamedTuple):
    """One answer: its type as the modeler has it, and of an ``enum`` the values to choose from."""

    kind: str
    choices: tuple[str, ...] = ()

    def misfit(self, value: JSON) -> str:
        """Why this is no answer; empty where it is one. A number or a truth may come as the text of one."""
        if value is None:
            return ""
        text = value.strip() if isinstance(value, str) else ""
        if self.kind == "boolean" and not (isinstance(value, bool) or text in ("true", "false")):
            return "Must be true or false."
        if self.kind in _NUMBERS and not (type(value) is int or _is_number(text, whole=True)):
            return "Must be a whole number."
        if self.kind in _REALS and not (type(value) in (int, float) or _is_number(text, whole=False)):
            return "Must be a number."
        if self.kind in ("string", "date", "enum") and not isinstance(value, str):
            return "Must be a text."
        if self.choices and value not in self.choices:
            return f"Must be one of {', '.join(self.choices)}."
        return ""


def _is_number(text: str, *, whole: bool) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) < 400 and (not whole or text.lstrip("+-").isdecimal())
