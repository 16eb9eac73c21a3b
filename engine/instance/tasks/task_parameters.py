"""With what a stone task starts: the class that serves it, and the values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...bpmn.elements.tasks import LONGEST_CODE, StoneTask
from ...bpmn.running.token import Token
from ...errors import ExpressionError, Invalid, ReferenceNotFound
from ...language.context import Context
from ...language.expressions import Value, compile_value
from ...language.operators import kind_of
from ...limits import Limits
from ...stones.declarations.parameters import resolve_parameters, secret_references
from ...stones.registry import Stones
from ...stones.stone import Stone


class MockContext(Context):
    """The context of a mock run: what no stone has put out stands as its own reference, since nothing is made."""

    __slots__ = ()

    def lookup(self, path: tuple[str, ...]) -> Any:
        try:
            return super().lookup(path)
        except ReferenceNotFound:
            if path[0] != "outputs":
                raise
            return "${" + ".".join(path) + "}"


def code_of(node: StoneTask, context: Context) -> str:
    """The code of the stone that a node names, perhaps by an expression; raises ExpressionError if that is no text."""
    code = node.code.evaluate(context)
    if not isinstance(code, str):
        raise ExpressionError(f"The stone of {node.label} is named by {kind_of(code)}, not by a text.")
    if len(code) > LONGEST_CODE:
        raise ExpressionError(f"The stone of {node.label} is named by {len(code)} characters; {LONGEST_CODE} fit.")
    return code


class Resolved(NamedTuple):
    """With what a task starts."""

    stone: type[Stone]
    parameters: dict[str, Any]
    references: tuple[str, ...]
    """The parameters by which the model refers to secrets."""


def resolve(
    stones: Stones,
    token: Token,
    node: StoneTask,
    code: str,
    *,
    mock: bool = False,
    given: Mapping[str, Any] | None = None,
) -> Resolved:
    """The class that serves a node's parameters, and these as JSON; ``given`` ones come before the node's own.

    Raises KeyError while no stone has this code; Invalid, ReferenceNotFound and ExpressionError as
    :func:`~riverstone.engine.stones.declarations.parameters.resolve_parameters` does.
    """
    candidates = stones[code]
    inputs = node.input_values
    if len(candidates) == 1 and not (inputs or given or candidates[0].parameters or candidates[0].serves):
        return Resolved(candidates[0], {}, ())
    context = token.context
    if mock and inputs:
        inputs = _mock_inputs(inputs, context, token.workflow.host.limits)
    if given:
        inputs = {**inputs, **{name: _constant(value) for name, value in given.items()}}
    stone, deciding = candidates[0], {}
    if stone.serves or len(candidates) > 1:
        deciding = _deciding(candidates, inputs, context)
        stone = _serving(candidates, deciding, code, node)
    written = {name: value for name, value in node.input_values.items() if not given or name not in given}
    references = secret_references(stone, written) if written and not mock else {}
    parameters = resolve_parameters(
        stone,
        inputs,
        context,
        namespace=node.namespace,
        run=token.internal_data.get("run"),
        label=node.label,
        references=references,
    )
    # What decided has to be with the task, for whoever chooses the class again when it is carried out or undone.
    return Resolved(stone, {**deciding, **parameters} if deciding else parameters, tuple(sorted(references)))


def _constant(value: Any) -> Value:
    return Value(value, lambda context: value, (), True)


def _serving(candidates: Sequence[type[Stone]], deciding: Mapping[str, Any], code: str, node: StoneTask) -> type[Stone]:
    for known in candidates:
        if known.serves.items() <= deciding.items():
            return known
    names = sorted({name for known in candidates for name in known.serves})
    raise Invalid(
        f"No stone {code!r} serves the parameters of {node.label}: {', '.join(names)} decide.",
        code="no-stone-serves",
    )


def _deciding(candidates: Sequence[type[Stone]], inputs: Mapping[str, Value], context: Context) -> dict[str, Any]:
    """The values, where there are any, of the parameters that decide between classes with one code."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for known in candidates for name in known.serves):
        if name in inputs:
            found[name] = inputs[name].evaluate(context)
        elif name in context.parameters:
            found[name] = context.parameters[name]
    return found


def _mock_inputs(inputs: Mapping[str, Value], context: Context, limits: Limits) -> dict[str, Value]:
    """Inputs that hang on what was never made keep their text, so that a mock run gets through."""
    kept: dict[str, Value] = {}
    for name, value in inputs.items():
        try:
            value.evaluate(context)
            kept[name] = value
        except ExpressionError:
            if not any(path[0] == "outputs" for path in value.references):
                raise
            kept[name] = compile_value(str(value.source).replace("${", "\\${").replace("#{", "\\#{"), limits=limits)
    return kept
