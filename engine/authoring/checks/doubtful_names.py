"""Names that most likely find nothing: told while a model is drawn, and no reason not to deploy it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches

from ....models.catalogue import WantedVersion
from ...bpmn.elements.activity import Activity
from ...bpmn.elements.decisions import DecisionTask
from ...bpmn.elements.people.assignment import time_of
from ...bpmn.elements.tasks import UserTask
from ...bpmn.reading.parser import ParsedModels
from ...bpmn.running.node import Node
from ...dmn.elements import DecisionElement
from ...errors import RiverstoneError
from ...findings import Report
from ...language.context import Context, Path
from ..templates import ParameterTemplate
from .suggestions import suggestion
from .unresolved_references import KnownNames, finding, holders_of, is_given, names_of, values_of

LEAST_LETTERS = 4
"""Of a name that may be another one misspelt: shorter ones are alike by chance."""
_ALIKE = 0.8
_MOST_COMPARED = 500

FindDecision = Callable[[str, WantedVersion], DecisionElement | None]


def check_names(
    parsed: ParsedModels, report: Report, parameter_template: ParameterTemplate | None, find: FindDecision
) -> None:
    """Warn of names that nothing sets, of members that no decision gives, and of due dates that are no times.

    A start may set any variable where no template lists them. There only a name that is nearly one that the model
    sets is told of.
    """
    for process in parsed.processes.values():
        nodes = process.walk()
        first = bool(parsed.executable) and process.name == parsed.executable[0]
        template = parameter_template if first else None
        names = names_of(nodes, template)
        names.known.update(process.initial)
        for node in nodes:
            names.known.update(node.input_values if isinstance(node, Activity) else ())
        _check_due_dates(nodes, report)
        columns = _columns(nodes, names.given, find)
        # A task without a form asks for whatever the conditions behind it read.
        free = any(isinstance(node, UserTask) and node.form is None for node in nodes)
        closed = template is not None and names.by_people and not names.by_others
        holders = holders_of(names.known)
        for node in nodes:
            for path in dict.fromkeys(path for value in values_of(node) for path in value.references):
                name = path[1] if path[0] == "parameters" and len(path) > 1 else path[0]
                if path[0] == "outputs":
                    continue
                if name in columns:
                    _check_member(report, node, path, columns[name])
                elif not free and not is_given(path, names.known, holders):
                    _check_name(report, node, name, names, closed=closed)


def _check_name(report: Report, node: Node, name: str, names: KnownNames, *, closed: bool) -> None:
    meant = _meant(name, names.known)
    if meant is None and not closed:
        return
    hint = f"did you mean {meant!r}?" if meant is not None else suggestion(name, names.listed)
    text = f"{node.label} reads {name!r}, which neither the start, nor a form, nor anything else in the model sets"
    report.add(finding("unknown-name", node, f"{text}: {hint or 'correct the name.'}", "warning"))


def _meant(name: str, known: Collection[str]) -> str | None:
    """The name of which this one is a slip."""
    if not LEAST_LETTERS <= len(name) <= 100:
        return None
    compared = [each for each in sorted(known)[:_MOST_COMPARED] if LEAST_LETTERS <= len(each) <= 100]
    return next((each for each in get_close_matches(name, compared, 3, _ALIKE) if not _is_other(name, each)), None)


def _is_other(one: str, two: str) -> bool:
    """Whether they are names beside each other, such as ``subnet``, ``subnetA`` and ``subnets``."""
    short, long = sorted((one, two), key=len)
    rest = long.removeprefix(short)
    numbered = [letter for letter in one if letter.isdigit()] != [letter for letter in two if letter.isdigit()]
    return numbered or (rest != long and (rest == "s" or not rest[0].islower()))


def _columns(
    nodes: list[Node], given: Collection[str], find: FindDecision
) -> Mapping[str, tuple[DecisionElement, list[str]]]:
    """For each variable that holds one row of a decision's table, and nothing else: its decision, and its columns."""
    found: dict[str, tuple[DecisionElement, list[str]]] = {}
    for node in nodes:
        if not isinstance(node, DecisionTask) or not node.call.result_variable or node.named is not None:
            continue
        name = node.call.result_variable
        decision = node.decisions.get(node.call.decision) if node.is_deployed_together else None
        if decision is None and not node.call.together:
            decision = find(node.call.decision, node.call.version)
        columns = list(_row_of(node, decision)) if decision is not None else []
        if decision is not None and columns and name not in given and name not in found:
            found[name] = decision, columns
        else:
            given = {*given, name}
            found.pop(name, None)
    return found


def _row_of(node: DecisionTask, decision: DecisionElement) -> Iterator[str]:
    """The members of what a task gets; none where that is a list or may be anything."""
    table, shape = decision.table, node.call.shape
    if table is not None and (shape == "singleResult" or (shape == "value" and not table.gives_list)):
        columns = [each.name for each in table.outputs]
        if shape == "singleResult" or len(columns) > 1:
            yield from columns


def _check_member(report: Report, node: Node, path: Path, held: tuple[DecisionElement, list[str]]) -> None:
    decision, columns = held
    inner = path[2:] if path[0] == "parameters" else path[1:]
    if inner and inner[0] not in columns:
        where, hint = ".".join(path), suggestion(inner[0], columns)
        text = f"{node.label} reads ${{{where}}}, but the decision {decision.label} has no column {inner[0]!r}: {hint}"
        report.add(finding("unknown-column", node, text, "warning"))


def _check_due_dates(nodes: list[Node], report: Report) -> None:
    for node in nodes:
        if not isinstance(node, UserTask):
            continue
        for what, value in (("due date", node.assignment.due), ("follow-up date", node.assignment.follow_up)):
            if value is None or not value.constant:
                continue
            try:
                time_of(value, Context(), 0)
            except RiverstoneError:
                text = f"The {what} of {node.label} is {str(value.source)[:60]!r}, neither a duration nor a date"
                text += ": write P3D for three days, PT4H for four hours, 2031-01-31T12:00:00Z, or an expression."
                report.add(finding("due-date", node, text))
