"""A task of a person, or a start, with its form: what is filled in, what may be, and what led there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from ...models import FoundTask
from ..authoring.definitions import Definition
from ..authoring.start_forms import start_context
from ..bpmn.elements.people.derived_form import form_of
from ..bpmn.elements.people.form import MISSING, ComponentState, Form, get, put, text_of, value_of
from ..bpmn.elements.people.form_values import bound, filled_in
from ..bpmn.elements.tasks import UserTask
from ..bpmn.running.token import Token
from ..clock import moment
from ..instance.instance import Instance
from ..instance.tasks.user_tasks import barred, done_by, may
from ..language import effort
from ..language.context import Context, Path
from ..ledger import ledger
from ..limits import Limits
from ..mask import Mask
from ..person import Person
from ..views.people import DoneTask, FormOption, FormPart, PersonAct, StartForm, StartVariable, TaskForm
from .lists.user_tasks import show_user_task

MOST_BEFORE = 20
ACTS: tuple[PersonAct, ...] = get_args(PersonAct)


def show_form(
    instance: Instance, found: FoundTask, person: Person, mask: Mask | None, given: Mapping[str, Any] | None
) -> TaskForm:
    """A task as it stands with the values that are ``given``, or with those that there are."""
    row = instance.tasks[found.task.id]
    token = instance.workflow.tasks.get(row.token) if row.open else None
    parts: tuple[FormPart, ...] = ()
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    changes, documentation = False, None
    if token is not None:
        with effort.turn(instance.limits, instance.now):
            form = form_of(token.node)
            changes, documentation = form.changes, _documentation(token, mask)
            parts, values, errors = _filled(form, token.context, given, mask, instance.now())
    rule = barred(instance, row).get(person.user) if token is not None else None
    allowed = tuple(act for act in ACTS if token is not None and may(found.task, person, act))
    return TaskForm(
        task=show_user_task(found),
        documentation=documentation,
        parts=parts,
        values=values,
        errors=errors,
        changes=changes,
        may=_acts(found, person, allowed, rule),
        barred=rule,
        before=_before(instance, mask),
    )


def show_start_form(
    definition: Definition,
    given: Mapping[str, Any] | None,
    now: int,
    limits: Limits,
    read: Callable[[], tuple[StartVariable, ...]],
) -> StartForm:
    """What a start of this asks for, as it stands with the values that are ``given``, or with its defaults.

    ``read`` tells which variables the model reads, where nothing else says what a start may give.
    """
    form, template = definition.form or Form(()), definition.parameter_template
    values = dict(given or {})
    context = start_context(definition, values)
    mask = None if template is None else template.mask_of({**context.parameters, **values})
    secret = frozenset() if template is None else template.secret_paths
    with effort.turn(limits, lambda: now):
        parts, shown, errors = _filled(form, context, given, mask, now, secret)
        if template is not None:
            for each in form.fields:
                value = get(values, each.path)
                given_well = value is not MISSING and value is not None and each.key not in errors
                if given_well and (texts := template.violations(each.path, value)):
                    errors[each.key] = texts
    return StartForm(
        key=definition.key,
        parts=parts,
        values=shown,
        errors=errors,
        changes=form.changes,
        variables=read() if definition.form is None and template is None else (),
    )


def _acts(found: FoundTask, person: Person, allowed: tuple[PersonAct, ...], rule: str | None) -> tuple[PersonAct, ...]:
    """What makes sense: nobody claims what they have, or gives back what nobody has."""
    assignee = found.task.assignee
    left_out: set[PersonAct] = {"claim", "complete"} if rule is not None else set()
    left_out |= {"claim"} if assignee is not None else {"release", "delegate"}
    if not (found.task.candidates or found.task.delegated_by or person.sees(found.task.owner_name)):
        # Given back it would be in nobody's list.
        left_out |= {"release"}
    return tuple(act for act in allowed if act not in left_out)


def _documentation(token: Token, mask: Mask | None) -> str | None:
    node = token.node
    if not isinstance(node, UserTask) or node.documentation is None:
        return None
    value = value_of(node.documentation, token.context)
    text = text_of(node.documentation.source if value is None else value)
    return text if mask is None else mask.mask_text(text)


def _filled(
    form: Form,
    context: Context,
    given: Mapping[str, Any] | None,
    mask: Mask | None,
    now: int,
    secret_paths: frozenset[Path] = frozenset(),
) -> tuple[tuple[FormPart, ...], dict[str, Any], dict[str, list[str]]]:
    values = form.present(context)
    errors: dict[str, list[str]] = {}
    if given is not None:
        _, wrong = filled_in(form, context, given, now)
        for each in form.fields:
            value = get(given, each.path)
            if value is not MISSING:
                put(values, each.path, value)
                errors |= {each.key: wrong[each.key]} if each.key in wrong else {}
    parts = form.look(context, values)
    masked = values if mask is None else mask.mask_value(values)
    shown: dict[str, Any] = {}
    secret = {each.id for each in form.fields if each.path in secret_paths}
    for each in form.fields:
        value = get(values, each.path)
        if value is MISSING or value is None:
            continue
        if each.id in secret or get(masked, each.path) != value:
            secret.add(each.id)
            continue
        put(shown, each.path, value)
    if mask is not None:
        errors = mask.mask_errors(errors)
    return tuple(_part(part, mask, secret=part.component.id in secret) for part in parts), shown, errors


def _part(part: ComponentState, mask: Mask | None, *, secret: bool) -> FormPart:
    each, limits = part.component, part.limits
    hide = (lambda text: text) if mask is None else mask.mask_text
    return FormPart(
        id=each.id,
        kind=each.kind,
        key=each.key,
        inside=each.inside,
        label=hide(part.label),
        description=hide(part.description),
        text=hide(part.text),
        hidden=part.hidden,
        readonly=part.readonly,
        required=each.required,
        # What is not shown cannot be chosen.
        options=tuple(
            FormOption(value=value, label=hide(label))
            for value, label in part.options
            if mask is None or mask.mask_value(value) == value
        ),
        suggests=each.suggests,
        minimum=bound(limits, "min"),
        maximum=bound(limits, "max"),
        shortest=_whole(bound(limits, "minLength")),
        longest=_whole(bound(limits, "maxLength")),
        date=each.date,
        step=each.step or ("1" if each.whole else None),
        columns=tuple(hide(label or key) for key, label in part.columns),
        rows=tuple(tuple(hide(cell) for cell in row) for row in part.rows),
        width=each.width,
        row=each.row,
        secret=secret,
    )


def _whole(found: float | None) -> int | None:
    return None if found is None else int(found)


def _before(instance: Instance, mask: Mask | None) -> tuple[DoneTask, ...]:
    done = [
        row
        for row in instance.tasks.values()
        if row.ended is not None
        and row.status.endswith("success")
        and row.kind in ledger.FORWARD
        and ledger.in_force(row)
    ]
    done.sort(key=lambda row: (row.ended or 0, row.id))
    names = [(row.name or row.node) if mask is None else mask.mask_text(row.name or row.node) for row in done]
    told = list(zip(names, done, strict=True))[-MOST_BEFORE:]
    return tuple(DoneTask(name=name, ended=moment(row.ended or 0), who=done_by(row)) for name, row in told)
