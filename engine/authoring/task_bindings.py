"""What was read for each task of a model: the stone or decision that carries it out, and what goes in and out."""

from __future__ import annotations

from collections.abc import Iterator

from ..bpmn.elements.decisions import DecisionTask
from ..bpmn.elements.tasks import StoneTask, UserTask
from ..bpmn.reading.parser import ParsedModels
from ..bpmn.running.node import Node
from ..views.tasks import Executor, TaskBinding


def bindings_of(parsed: ParsedModels) -> Iterator[TaskBinding]:
    """One for each task that a stone, a decision or a person carries out, in the order of the files."""
    for process in parsed.processes.values():
        found = [binding for node in process.walk() if (binding := _binding(process.name, node)) is not None]
        yield from sorted(found, key=lambda binding: binding.line or 0)


def _binding(process: str, node: Node) -> TaskBinding | None:
    kind: Executor
    if isinstance(node, StoneTask):
        kind, code, dialect, result = "stone", node.stone, node.dialect, node.result_variable
    elif isinstance(node, DecisionTask):
        kind, code, dialect, result = "decision", node.call.decision, node.call.dialect, node.call.result_variable
    elif isinstance(node, UserTask):
        kind, code, dialect, result = "person", None, None, None
    else:
        return None
    return TaskBinding(
        process=process,
        element_id=node.bpmn_id,
        name=node.bpmn_name,
        line=node.line,
        kind=kind,
        code=code,
        dialect=dialect,
        parameters={name: value.source for name, value in node.input_values.items()},
        outputs={name: value.source for name, value in node.output_values},
        result_variable=result,
    )
