"""Whether what a person answers can be taken: what is wrong is told the person, and the task stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...bpmn.elements.activity import Activity
from ...bpmn.elements.people.derived_form import form_of, next_choices
from ...bpmn.elements.people.form import MISSING, Form
from ...bpmn.elements.people.form_values import filled_in
from ...bpmn.running.node import Node
from ...bpmn.running.token import Token
from ...errors import ExpressionError, ExpressionWork, Invalid, ReferenceNotFound
from ...instance.instance import Instance
from ...instance.notes.history import mask_of_step
from ...language.context import Context
from ...language.mapped import all_of

Errors = dict[str, list[str]]


def checked_answer(instance: Instance, token: Token, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is taken of an answer, with the types of its form.

    Raises Invalid, with what is wrong by name, for one that the task's form or output mapping cannot take, or with
    which no way would lead on. Names are only known where a form lists them, or where nothing but an output mapping
    reads them; anywhere else every name is taken, unless it is a slip of one that is asked for. A variable that the
    parameter template types keeps its type.
    """
    node = token.node
    form = form_of(node)
    errors = _unasked(node, form, answer)
    taken, wrong = filled_in(form, token.context, answer, instance.now())
    errors = {**errors, **wrong}
    asked = {each.path[0] for each in form.fields}
    taken |= {name: value for name, value in answer.items() if name not in asked and name not in errors}
    template = instance.definition.parameter_template
    for name, value in taken.items():
        if template is not None and value is not None and (texts := template.violations((name,), value)):
            errors.setdefault(name, []).extend(texts)
    if template is not None and not errors:
        taken = template.typed(taken)
    errors = errors or _unmapped(token, taken) or _dead_end(token, form, taken)
    if errors:
        if (mask := mask_of_step(instance)) is not None:
            errors = mask.mask_errors(errors)
        told = " ".join(f"{name!r}: {' '.join(texts)}" for name, texts in errors.items())
        text = f"The task {node.label} cannot take this answer, and is still open. {told}"
        raise Invalid(text, code="outputs-invalid", errors=errors)
    return taken


def _unasked(node: Node, form: Form, answer: Mapping[str, Any]) -> Errors:
    """Names that nobody has asked for."""
    errors: Errors = {}
    declared = _declared(node, form)
    asked = {each.key for each in form.fields}
    for name, value in answer.items():
        if declared is not None and name not in declared:
            errors[name] = [_meant(name, declared)]
        elif declared is None and asked and name not in asked and "did you mean" in (told := _meant(name, asked)):
            errors[name] = [told]
        elif form.strict and any(len(each.path) > 1 and each.path[0] == name for each in form.fields):
            errors |= _unasked_inside(form, name, value, asked)
    return errors


def _meant(name: str, known: set[str]) -> str:
    from ...authoring.checks.suggestions import suggestion  # late: few answers are wrong

    return f"Is not asked for: {suggestion(name, known) or 'leave it out.'}"


def _unasked_inside(form: Form, name: str, value: Any, asked: set[str]) -> Errors:
    """The same inside of an object whose members are fields."""
    if not isinstance(value, Mapping):
        return {name: ["Must be an object."]}
    errors: Errors = {}
    pending: list[tuple[tuple[str, ...], Any]] = [((name, inner), each) for inner, each in value.items()]
    paths = {each.path for each in form.fields}
    while pending:
        path, found = pending.pop()
        if path in paths:
            continue
        within = any(each[: len(path)] == path for each in paths)
        if within and isinstance(found, Mapping):
            pending += [((*path, inner), each) for inner, each in found.items()]
        else:
            errors[".".join(path)] = [_meant(".".join(path), asked)]
    return errors


def _declared(node: Node, form: Form) -> set[str] | None:
    """The names that an answer may hold, or None for any."""
    asked = {each.path[0] for each in form.fields}
    if not ((asked and form.strict) or node.only_mapped):
        return None
    references = {path for _, value in node.output_values for path in value.references}
    if any(path[0] == "outputs" for path in references):
        return None
    return asked | {path[path[0] == "parameters" and len(path) > 1] for path in references}


def _unmapped(token: Token, answer: Mapping[str, Any]) -> Errors:
    """What the task's own output mappings miss in the answer, by the name that they look for."""
    errors: Errors = {}
    context = token.context.child(answer)
    for target, value in token.node.output_values:
        try:
            value.evaluate(context)
        except ReferenceNotFound as error:
            errors.setdefault(error.path.split(".")[0], []).append(f"Is missing: {target!r} is made of it.")
        except ExpressionError as error:
            errors.setdefault(target, []).append(f"Cannot be made of this answer: {error.message}")
    return errors


def _dead_end(token: Token, form: Form, answer: Mapping[str, Any]) -> Errors:
    """What no condition behind the task can be decided by, or leads nowhere, by the name that it reads.

    An answer with which the process would fail at the next gateway is no answer.
    """
    node = token.node
    if not isinstance(node, Activity) or node.loop is not None:
        return {}
    context = token.context.child(answer)
    mapped = all_of(node.output_values, context)
    outputs = _own_outputs(token, answer)
    let_out = {} if node.only_mapped else {name: each for name, each in answer.items() if name not in token.data}
    behind = token.context_behind.child({**outputs, **let_out, **mapped})
    at: list[Node] = [node]
    for choice in next_choices(node):
        if choice not in at:
            # Not on the way that is taken.
            continue
        seen = token.context.child({**outputs, **answer, **mapped}) if choice is node else behind
        try:
            flows = choice.flows_in(seen) if choice.conditional else choice.outgoing
        except ExpressionWork:
            raise
        except ExpressionError as error:
            return _told(choice, form, seen, error)
        at += [flow.target for flow in flows]
    return {}


def _own_outputs(token: Token, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs as they are seen once the task has put out its own."""
    reads = any(
        path[0] == "outputs"
        for choice in next_choices(token.node)
        for flow in choice.outgoing
        if flow.condition is not None
        for path in flow.condition.references
    )
    if not reads:
        return {}
    return {"outputs": {**token.context.outputs, token.node.namespace: dict(answer)}}


def _told(choice: Node, form: Form, seen: Context, error: ExpressionError) -> Errors:
    """By the first variable that is missing, else by the first field that the conditions read."""
    read = [path for flow in choice.outgoing if flow.condition is not None for path in flow.condition.references]
    asked = {each.path[0]: each.key for each in form.fields}
    for path in read:
        if seen.find(path, MISSING) is MISSING:
            name = next((inner for inner in path if inner in asked), path[-1])
            return {asked.get(name, name): ["Is missing: a condition behind the task reads it."]}
    names = {inner for path in read for inner in path}
    about = next((key for name, key in asked.items() if name in names), "outputs")
    return {about: [error.message]}
