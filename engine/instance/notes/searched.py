"""The variables by whose values a process is found: kept in rows of their own, written with the step that sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....models import VariableRow, digests

if TYPE_CHECKING:
    from ..instance import Instance


def values_of(instance: Instance) -> dict[str, str] | None:
    """The searched values as they are now; None where the model declares none."""
    template = instance.definition.parameter_template
    return template.searchable(instance.context.parameters) if template and template.searchable_paths else None


def note_values(instance: Instance) -> None:
    """Write the values that have changed in this step."""
    before, now = instance.searched, values_of(instance)
    if now == before or now is None:
        return
    known, number, cipher = before or {}, instance.number, instance.facilities.store.cipher
    rare = instance.changes.rare
    for name in known.keys() | now.keys():
        place = number, name
        if known.get(name) == now.get(name):
            continue
        # Within one commit a value may be set again and again.
        if rare.new_variables.pop(place, None) is None and name in known:
            rare.gone_variables.add(place)
        if (value := now.get(name)) is not None:
            rare.new_variables[place] = VariableRow(number, name, digests(value, cipher)[0], value)
    instance.searched = now
