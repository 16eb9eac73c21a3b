"""Whether what a person answers can be taken: what is wrong is told the person, and the task stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bpmn.elements.tasks import UserTask
from ..bpmn.running.node import Node
from ..bpmn.running.token import Token
from ..errors import ExpressionError, Invalid, ReferenceNotFound
from ..instance.instance import Instance


def checked_answer(instance: Instance, token: Token, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is taken of an answer.

    Raises Invalid, with what is wrong by name, for one that the task's form or output mapping cannot take.

    Names are only known where a form lists them, or where nothing but an output mapping reads them; anywhere else
    every name is taken. A variable that the parameter template types keeps its type.
    """
    node = token.node
    errors: dict[str, list[str]] = {}
    declared = _declared(node)
    for name, value in answer.items():
        if declared is not None and name not in declared:
            from ..authoring.suggestions import suggestion  # late: few answers are wrong

            errors[name] = [f"Is not asked for: {suggestion(name, declared) or 'leave it out.'}"]
            continue
        wrong = node.form[name].misfit(value) if isinstance(node, UserTask) and name in node.form else ""
        errors |= {name: [wrong]} if wrong else {}
        template = instance.definition.parameter_template
        if template is not None and value is not None and (texts := template.violations((name,), value)):
            errors.setdefault(name, []).extend(texts)
    errors = errors or _unmapped(token, answer)
    if errors:
        told = " ".join(f"{name!r}: {' '.join(texts)}" for name, texts in errors.items())
        text = f"The task {node.label} cannot take this answer, and is still open. {told}"
        raise Invalid(text, code="outputs-invalid", errors=errors)
    return dict(answer)


def _declared(node: Node) -> set[str] | None:
    """The names that an answer may hold, or None for any."""
    form = set(node.form) if isinstance(node, UserTask) else set()
    if not (form or node.only_mapped):
        return None
    references = {path for _, value in node.output_values for path in value.references}
    if any(path[0] == "outputs" for path in references):
        return None
    return form | {path[path[0] == "parameters" and len(path) > 1] for path in references}


def _unmapped(token: Token, answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the task's own output mappings miss in the answer, by the name that they look for."""
    errors: dict[str, list[str]] = {}
    context = token.context.child(answer)
    for target, value in token.node.output_values:
        try:
            value.evaluate(context)
        except ReferenceNotFound as error:
            errors.setdefault(error.path.split(".")[0], []).append(f"Is missing: {target!r} is made of it.")
        except ExpressionError as error:
            errors.setdefault(target, []).append(f"Cannot be made of this answer: {error.message}")
    return errors
