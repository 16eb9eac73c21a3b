"""What the runs of a model put out: references that get that of one run by chance, and names that meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...bpmn.elements.activity import Activity
from ...bpmn.elements.loops import MultiInstance
from ...bpmn.elements.subprocesses import CallActivity, SubProcess
from ...bpmn.elements.tasks import ReceiveTask, StoneTask, UserTask
from ...bpmn.reading.parser import ParsedModels
from ...bpmn.running.node import Node, Process
from ...findings import Finding, Report
from ...language.context import Path
from ..templates import OutputsTemplate
from .unresolved_references import mapped_out, values_of

OWNERS = (StoneTask, UserTask, ReceiveTask, CallActivity)


class _Owner(NamedTuple):
    """A node that puts something out, and the multi-instance sub-processes around it, outermost first."""

    node: Node
    around: tuple[Node, ...]


def check_runs(parsed: ParsedModels, report: Report, outputs_template: OutputsTemplate | None = None) -> None:
    """Warn of references from outside to what every run of a sub-process puts out, and of namespaces that meet."""
    for process in parsed.processes.values():
        placed = list(_walk(process))
        owners: dict[str, list[_Owner]] = {}
        for owner in placed:
            if isinstance(owner.node, OWNERS):
                owners.setdefault(owner.node.namespace, []).append(owner)
        for node, around in placed:
            inside = (*around, node) if _is_repeated(node) else around
            for path in dict.fromkeys(_paths(node)):
                report.add(*_of_one_run(node, path, inside, owners))
        if outputs_template is not None and parsed.executable and process.name == parsed.executable[0]:
            for path in outputs_template.references:
                report.add(*_of_one_run(None, path, (), owners))
        report.add(*_meeting(placed, owners))


def _walk(process: Process) -> Iterator[_Owner]:
    pending: list[tuple[Process, tuple[Node, ...]]] = [(process, ())]
    while pending:
        body, around = pending.pop()
        for node in body.nodes.values():
            yield _Owner(node, around)
            if node.body is not None:
                pending.append((node.body, (*around, node) if _is_repeated(node) else around))


def _is_repeated(node: Node) -> bool:
    return isinstance(node, SubProcess) and isinstance(node.loop, MultiInstance)


def _paths(node: Node) -> Iterator[Path]:
    loop = node.loop if isinstance(node, Activity) else None
    collected = loop.output_element if isinstance(loop, MultiInstance) else None
    for value in (*values_of(node), *mapped_out(node), *(() if collected is None else (collected,))):
        yield from value.references


def _of_one_run(
    node: Node | None, path: Path, inside: Sequence[Node], owners: dict[str, list[_Owner]]
) -> Iterator[Finding]:
    """The warning that a reference gets what the run has put out that ended last."""
    if path[0] != "outputs":
        return
    named = next((found for end in range(2, len(path) + 1) if (found := owners.get(".".join(path[1:end])))), [])
    apart = [[each for each in owner.around if each not in inside] for owner in named]
    if not apart or not all(apart):
        return
    who = "The outputs template" if node is None else _named(node)
    sub = apart[0][0]
    one = ".".join(("outputs", f"{sub.namespace}1", *path[1:]))
    text = f"{who} refers to ${{{'.'.join(path)}}}, which each run of {_named(sub)} puts out, and gets that of the"
    text += f" run that ended last: name a run, as in ${{{one}}}, or collect the results of all in a list."
    yield _warning("output-of-runs", node, text)


def _meeting(placed: Sequence[_Owner], owners: dict[str, list[_Owner]]) -> Iterator[Finding]:
    """The warnings that two nodes put out under one name."""
    repeated = {
        node.namespace: node
        for node, _ in placed
        if isinstance(node, Activity) and isinstance(node.loop, MultiInstance)
    }
    for name, (first, *_) in owners.items():
        for end in range(len(name.rstrip("0123456789")), len(name)):
            if name[:end] in repeated:
                run_of = _named(repeated[name[:end]])
                text = f"{_named(first.node)} puts out under {name!r}, and so does a run of {run_of}:"
                yield _warning("namespace-collision", first.node, f"{text} give one of them another namespace.")
    for name, sharing in owners.items():
        first = sharing[0]
        for other in sharing[1:]:
            if other.around != first.around:
                text = f"{_named(other.node)} and {_named(first.node)} both put out under {name!r}, one of them in each"
                text += " run of a sub-process: give one of them another namespace."
                yield _warning("namespace-collision", other.node, text)


def _named(node: Node) -> str:
    name = node.bpmn_name
    return f"{name!r} ({node.bpmn_id})" if name and name != node.bpmn_id else repr(node.bpmn_id)


def _warning(code: str, node: Node | None, text: str) -> Finding:
    found = Finding(code=code, severity="warning", text=text)
    return found if node is None else replace(found, element_id=node.bpmn_id, line=node.line, source=node.source)
