"""What a process is started with: checked by the form of its start event, then by its parameter template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bpmn.elements.people.form import MISSING, Form, get
from ..bpmn.elements.people.form_values import Errors, filled_in
from ..errors import VariablesInvalid
from ..language import effort
from ..language.context import Context, Path
from ..limits import Limits
from .definitions import Definition

FORM = "the form of the model's start event"
BOTH = "the form of the model's start event, and its parameter template"


def completed_by_template(definition: Definition, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variables as the parameter template completes them, where there is one; raises VariablesInvalid."""
    template = definition.parameter_template
    return values if template is None else template.complete(values)


def started_with(definition: Definition, values: Mapping[str, Any], now: int, limits: Limits) -> Mapping[str, Any]:
    """The start variables with the types and defaults of the form and of the parameter template.

    The form comes first, and the template completes and checks what the form has taken. Variables that neither asks
    for are let through.

    Raises:
        VariablesInvalid: With everything that either finds wrong, by name.
        ExpressionWork: Where the form's expressions or the template's patterns would have to look at too much.
    """
    form, template = definition.form, definition.parameter_template
    if form is None:
        return completed_by_template(definition, values)
    context = start_context(definition, values)
    with effort.turn(limits, lambda: now):
        taken, errors = taken_by(form, context, values, now)
    if errors and template is not None:
        errors = template.mask_of({**context.parameters, **values}).mask_errors(errors)
    completed: Mapping[str, Any] = {**values, **taken}
    if template is not None:
        try:
            completed = template.complete(completed)
        except VariablesInvalid as broken:
            if not errors:
                raise
            # Of what both find wrong, the form's words are those that a person reads beside the field.
            raise VariablesInvalid({**broken.errors, **errors}, BOTH) from None
    if errors:
        raise VariablesInvalid(errors, FORM)
    return completed


def taken_by(form: Form, context: Context, values: Mapping[str, Any], now: int) -> tuple[dict[str, Any], Errors]:
    """What the form takes of start variables, by variable, and what is wrong with them, by key."""
    taken, errors = filled_in(form, context, values, now)
    for name in {each.path[0] for each in form.fields if len(each.path) > 1}:
        value = values.get(name)
        if value is not None and not isinstance(value, Mapping):
            errors = {key: texts for key, texts in errors.items() if not key.startswith(f"{name}.")}
            errors[name] = ["Must be an object."]
    return taken, errors


def start_context(definition: Definition, values: Mapping[str, Any]) -> Context:
    """What the form of a start sees beside its own fields: other start variables, and what these default to."""
    form = definition.form
    others: dict[str, Any] = {**definition.process.initial, **values}
    for each in form.fields if form is not None else ():
        if get(values, each.path) is not MISSING:
            _leave_out(others, each.path)
    template = definition.parameter_template
    return Context(others if template is None else template.defaults(others))


def _leave_out(values: dict[str, Any], path: Path) -> None:
    """Take away what is at a path, in copies of the objects on the way to it."""
    here = values
    for name in path[:-1]:
        inner = here.get(name)
        if not isinstance(inner, Mapping):
            return
        here[name] = here = dict(inner)
    here.pop(path[-1], None)
