"""The variables of one process as they are stored: all as one text, and beside it what was set since that was written.

Few are written together with every step that sets one. Beside many, only what a step sets is written, each variable in
a row of its own; once these rows have half as many characters as the text, that is written anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ....models import ChangedVariableRow, ContentRow
from ... import jsontext

if TYPE_CHECKING:
    from ...jsontext import JSON
    from ..instance import Instance

MANY = 4_000
"""Characters of all variables from which on a step writes only what it sets."""
LONGEST_NAME = 255
EACH = 50
"""Characters that a row counts for beside its value."""


def read(content: ContentRow) -> dict[str, JSON]:
    """The variables as they are now."""
    found: dict[str, JSON] = jsontext.read(content.variables or content.start_variables)
    found.update((name, jsontext.read(text)) for name, text in content.changed.items())
    return found


def write(instance: Instance, values: Mapping[str, JSON], *, whole: bool) -> None:
    """Write with this step the ``values`` that it has set; all variables where that is not all that is new."""
    content, row = instance.content, instance.row
    base = len(content.variables or content.start_variables)
    if not whole and base >= MANY and all(len(name) <= LONGEST_NAME for name in values):
        texts = {name: jsontext.dumps(value) for name, value in values.items()}
        # The shortest value counts too: there may be very many rows.
        changed = row.changed + sum(map(len, texts.values())) + EACH * len(texts)
        if changed <= base // 2:
            row.changed = changed
            _write_some(instance, texts)
            return
    content.variables = jsontext.dumps(instance.context.parameters)
    if row.changed:
        row.changed = 0
        _forget_some(instance)
    instance.changes.content_changed(content)


def _write_some(instance: Instance, texts: Mapping[str, str]) -> None:
    content, rare, number = instance.content, instance.changes.rare, instance.number
    for name, text in texts.items():
        place, changed = (number, name), ChangedVariableRow(number, name, text)
        if name in content.changed and place not in rare.set_variables:
            rare.set_again[place] = changed
        else:
            rare.set_variables[place] = changed
        content.changed[name] = text


def _forget_some(instance: Instance) -> None:
    content, rare, number = instance.content, instance.changes.rare, instance.number
    for written in (rare.set_variables, rare.set_again):
        for name in content.changed:
            written.pop((number, name), None)
    content.changed = {}
    rare.variables_written.append(number)
