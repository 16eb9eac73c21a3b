"""What a model says to its stones, against what these declare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...bpmn.elements.tasks import StoneTask
from ...bpmn.reading.parser import ParsedModels
from ...bpmn.running.node import Node
from ...errors import Invalid
from ...findings import Finding, Report
from ...language.context import Context
from ...secret_sources.references import is_reference, read_reference
from ...stones.declarations.parameters import declared_parameters, no_echo, unfit
from ...stones.registry import Stones
from ...stones.stone import Stone
from ..templates import ParameterTemplate
from .suggestions import closest, suggestion
from .unresolved_references import finding, values_of

JAVA = (":delegateExpression", ":class", ":expression")
"""How what names a stone ends where it names what a Java engine would call."""


def check_stones(
    parsed: ParsedModels, report: Report, stones: Stones, template: ParameterTemplate | None = None
) -> None:
    """Report tasks whose stone nobody has registered, and what does not fit what a registered one declares.

    Where a parameter template lists the start variables, it is also told which of them a stone takes by their names
    alone, and what it needs that nothing gives.
    """
    for task in parsed.stone_tasks:
        if not task.code.constant:
            continue
        if not stones.is_known(task.stone):
            # Topics of workers are assumed from models, so they would only repeat what this one says.
            known = set(stones.codes()) - stones.external
            text = f"{task.label} names the stone {task.stone!r}, which is not registered"
            if task.dialect.endswith(JAVA):
                told = f"{text}: write a stone with this code for what the Java class does, or make it an external task"
                text = f"{told} (type=external and a topic) for a worker."
                meant = closest(task.stone, known)
                text += f" Did you mean {meant!r}?" if meant is not None else ""
            else:
                text += f": {suggestion(task.stone, known) or 'register or correct it.'}"
            report.add(finding("unknown-stone", task, text))
            continue
        classes = stones.classes(task.stone)
        for found in (*_inputs(task, classes), *_needs(task, classes, template)):
            report.add(found)
    _check_outputs(parsed, report, stones)


def _inputs(task: StoneTask, classes: Sequence[type[Stone]]) -> Iterator[Finding]:
    """Inputs that no class declares, where all declare some, and constants that do not fit."""
    declared = {name for stone in classes for name in declared_parameters(stone)}
    decides = {name for stone in classes for name in stone.serves}
    if not all(stone.parameters for stone in classes):
        return
    for name, value in task.input_values.items():
        if name not in declared | decides:
            text = f"{task.label} gives the stone {task.stone!r} {name!r}, which it does not declare"
            yield finding("unknown-input", task, f"{text}: {suggestion(name, declared)}", "warning")
        elif value.constant and is_reference(value.source):
            yield from _reference(task, name, str(value.source), classes)
        elif value.constant and len(classes) == 1 and value.source is not None:
            wrong = unfit(classes[0], name, value.evaluate(Context()))
            if wrong:
                text = f"{task.label} gives the stone {task.stone!r} a {name!r} that does not fit: {wrong}"
                yield finding("input-type", task, text)


def _reference(task: StoneTask, name: str, text: str, classes: Sequence[type[Stone]]) -> Iterator[Finding]:
    """A reference to a secret that is badly written, or stands where none is resolved."""
    if not all(name in no_echo(stone) for stone in classes):
        told = f"{task.label} gives the stone {task.stone!r} a secret as {name!r}, which it does not declare to be one"
        told += f", so it gets the text {text[:100]!r}: declare it no_echo in the stone."
        yield finding("secret-not-declared", task, told, "warning")
        return
    try:
        read_reference(text)
    except Invalid as error:
        yield finding("input-type", task, f"{task.label} gives {name!r} to the stone {task.stone!r}: {error.message}")


def _needs(task: StoneTask, classes: Sequence[type[Stone]], template: ParameterTemplate | None) -> Iterator[Finding]:
    """What a stone takes from the start variables because no input gives it."""
    given = None if template is None else template.names
    by_name, nowhere = [], []
    for name, parameter in declared_parameters(classes[0]).items() if len(classes) == 1 else ():
        scoped = (f"{task.namespace}.{name}", f"{task.stone}.{name}")
        if name in task.input_values or (given is not None and not given.isdisjoint(scoped)):
            continue
        if given is not None and name in given and parameter.variable is None:
            by_name.append(name)
        elif parameter.required and parameter.variable is not True:
            # Without a template anything may come with the start, but who gives one input will give them all.
            wanting = name not in given or parameter.variable is False if given is not None else task.input_values
            nowhere += [name] if wanting else []
    if by_name:
        text = f"{task.label} takes {', '.join(by_name)} from the start variables by their names alone: give them as"
        text += " inputs, or let the stone say that it takes them (metadata 'variable')."
        yield finding("taken-by-name", task, text, "warning")
    if nowhere:
        text = f"{task.label} does not give the stone {task.stone!r} what it needs: {', '.join(nowhere)}. Give it as an"
        yield finding("missing-input", task, f"{text} input, unless a start variable of its name does.", "warning")


def _check_outputs(parsed: ParsedModels, report: Report, stones: Stones) -> None:
    """Warn of ``${outputs.<namespace>.<name>}`` where the stone declares its outputs, and not that one."""
    for process in parsed.processes.values():
        nodes = process.walk()
        declared = _outputs_by_namespace(nodes, stones)
        for node in nodes:
            for path in dict.fromkeys(path for value in values_of(node) for path in value.references):
                if path[0] != "outputs" or len(path) < 3 or path[2] in declared.get(path[1], {path[2]}):
                    continue
                meant = suggestion(path[2], declared[path[1]])
                text = f"{node.label} refers to ${{{'.'.join(path)}}}, which the stone of {path[1]!r} does not declare"
                report.add(finding("unknown-output", node, f"{text} as an output: {meant}", "warning"))


def _outputs_by_namespace(nodes: Sequence[Node], stones: Stones) -> dict[str, set[str]]:
    """The declared outputs of each namespace all of whose stones declare some."""
    found: dict[str, set[str]] = {}
    unknown = set()
    for node in nodes:
        if not isinstance(node, StoneTask):
            unknown.add(node.namespace)
            continue
        known = node.code.constant and stones.is_known(node.stone)
        for stone in stones.classes(node.stone) if known else (None,):
            if stone is None or not (stone.outputs or stone.secret_outputs):
                unknown.add(node.namespace)
            else:
                found.setdefault(node.namespace, set()).update(stone.outputs, stone.secret_outputs)
    return {namespace: names for namespace, names in found.items() if namespace not in unknown}
