"""References of a model that can never find anything, told before it is deployed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from ....models.catalogue import WantedVersion
from ...bpmn.elements.activity import Activity
from ...bpmn.elements.decisions import DecisionTask
from ...bpmn.elements.events import StartEvent
from ...bpmn.elements.gateways import ComplexGateway
from ...bpmn.elements.loops import Loop, MultiInstance
from ...bpmn.elements.subprocesses import AdHocSubProcess, CallActivity, SubProcess
from ...bpmn.elements.tasks import ExpressionTask, ReceiveTask, ScriptTask, StoneTask, UserTask
from ...bpmn.reading.parser import ParsedModels
from ...bpmn.running.node import Node
from ...findings import Finding, Report, Severity
from ...language import java
from ...language.context import Path
from ...language.expressions import Value
from ..templates import OutputsTemplate, ParameterTemplate
from .suggestions import suggestion

BUILT_IN = frozenset(
    """SipRS::Mock activationCount errorCode errorMessage escalationCode loopCounter nrOfInstances
    nrOfCompletedInstances nrOfActiveInstances numberOfInstances numberOfCompletedInstances numberOfActiveInstances
    numberOfTerminatedInstances""".split()
)
"""Names that the engine itself sets (BPMN 2.0, table 10.30, and what an error leaves behind)."""


def check_references(
    parsed: ParsedModels,
    report: Report,
    parameter_template: ParameterTemplate | None = None,
    outputs_template: OutputsTemplate | None = None,
) -> None:
    """Report ``${outputs.<namespace>…}`` of no node, and ``${parameters.<name>…}`` that nothing gives.

    Parameters are only told of where a parameter template lists them, and where nothing from outside, such as a
    message or a person, may set further variables.
    """
    for process in parsed.processes.values():
        nodes = process.walk()
        outputs, written = (
            _Outputs(nodes),
            {name for node in nodes if isinstance(node, Activity) for name in node.input_values},
        )
        first = parsed.executable and process.name == parsed.executable[0]
        known = _parameters(nodes, parameter_template) if first and parameter_template is not None else None
        if known is not None:
            known.update(process.initial)
        holders = holders_of(known or set())
        for node in nodes:
            for path in dict.fromkeys(path for value in values_of(node) for path in value.references):
                if not outputs.know(path):
                    report.add(_nothing_found(node, path, *outputs.lacks(path)))
                elif known is not None and path[0] != "outputs" and not is_given(path, known, holders):
                    name = path[1] if path[0] == "parameters" else path[0]
                    missing = f"the parameter template does not define {name!r}"
                    report.add(_nothing_found(node, path, missing, suggestion(name, known)))
            for path in dict.fromkeys(
                path for value in (*values_of(node), *mapped_out(node)) for path in value.references
            ):
                if path[:1] == java.EXECUTION and len(path) > 1 and path[1] in java.MISSING and path[0] not in written:
                    report.add(_not_of_execution(node, path))
            for spot in _ambiguous(node, known or set()):
                report.add(_doubtful_name(node, spot))
        if first and outputs_template is not None:
            for path in outputs_template.references:
                if not outputs.know(path):
                    report.add(_nothing_found(None, path, *outputs.lacks(path)))


def check_calls(parsed: ParsedModels, report: Report, is_deployed: Callable[[str, WantedVersion], bool]) -> None:
    """Report call activities whose process is neither in the bundle nor deployed."""
    for process in parsed.processes.values():
        for node in process.walk():
            if not isinstance(node, CallActivity) or node.called_expression is not None:
                continue
            if node.own_process is not None:
                continue
            if node.together:
                text = f"{node.label} calls {node.called!r} of its own deployment, which none of the files holds"
                report.add(finding("unknown-called-process", node, f"{text}: deploy them together."))
            elif not is_deployed(node.called, node.version):
                text = f"{node.label} calls {node.called!r}, which is not deployed{node.version}"
                report.add(finding("unknown-called-process", node, f"{text}: deploy it first or together."))


def check_decisions(parsed: ParsedModels, report: Report, is_deployed: Callable[[str, WantedVersion], bool]) -> None:
    """Report tasks whose decision is neither in the bundle nor deployed."""
    for process in parsed.processes.values():
        for node in process.walk():
            if not isinstance(node, DecisionTask) or node.named is not None or node.call.together:
                continue
            wanted, version = node.call.decision, node.call.version
            if not node.is_deployed_together and not is_deployed(wanted, version):
                text = (
                    f"{node.label} makes the decision {wanted!r}, which is not deployed{version}: deploy its DMN file"
                )
                report.add(finding("unknown-decision", node, f"{text} first or together."))


def outputs_wanted(parsed: ParsedModels, namespace: str) -> list[str]:
    """The names of the outputs of one namespace that a model refers to, of any numbered run too."""
    own = re.compile(f"{re.escape(namespace)}[0-9]*")
    nodes = [node for process in parsed.processes.values() for node in process.walk()]
    values = [value for node in nodes for value in (*values_of(node), *mapped_out(node))]
    paths = (path for value in values for path in value.references)
    wanted = (path[2] for path in paths if path[0] == "outputs" and len(path) > 2 and own.fullmatch(path[1]))
    return list(dict.fromkeys(wanted))


def _nothing_found(node: Node | None, path: Path, missing: str, meant: str) -> Finding:
    who = "The outputs template" if node is None else node.label
    text = f"{who} refers to ${{{'.'.join(path)}}}, but {missing}: {meant or 'correct the path.'}"
    return finding("unresolved-reference", node, text)


def _not_of_execution(node: Node, path: Path) -> Finding:
    text = f"{node.label} reads ${{{'.'.join(path)}}}, which only a Java engine has: of execution there are"
    return finding("unresolved-reference", node, f"{text} {', '.join(sorted(java.READ))}; use one, or a variable.")


def _ambiguous(node: Node, known: set[str]) -> Iterator[str]:
    """Names with signs in FEEL that are known as one name and also as the parts of a calculation."""
    for value in values_of(node):
        for feel in value.feels:
            for spot in feel.spots:
                parts = re.split(r"[-+*/']", spot.name)
                if spot.name in known and all(part in known or part.isdigit() for part in parts):
                    yield spot.name


def _doubtful_name(node: Node, name: str) -> Finding:
    text = f"{node.label} speaks of {name!r}, which is a variable and could also be a calculation with others:"
    text += " write it in backticks, or put spaces around the sign."
    return finding("name-ambiguous", node, text, "warning")


def finding(code: str, node: Node | None, text: str, severity: Severity = "error") -> Finding:
    """A finding at a node, or about the model as a whole."""
    if node is None:
        return Finding(code=code, severity=severity, text=text)
    return Finding(code=code, severity=severity, text=text, element_id=node.bpmn_id, line=node.line, source=node.source)


class _Outputs:
    """The namespaces under which the nodes of one process may put something out."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        kinds = (StoneTask, UserTask, ReceiveTask, CallActivity)
        owners = [node for node in nodes if isinstance(node, kinds)]
        repeated = [
            node.namespace for node in nodes if isinstance(node, Activity) and isinstance(node.loop, MultiInstance)
        ]
        self.namespaces = {node.namespace for node in owners}
        self.repeated = frozenset(repeated)
        # A local of that name stands in front of the outputs, and then anything may be in it.
        self.hidden = "outputs" in _locals(nodes)

    def know(self, path: Path) -> bool:
        """Whether the path may find something; a namespace may hold dots, so it may take several segments."""
        if path[0] != "outputs" or len(path) < 2 or self.hidden:
            return True
        names = (".".join(path[1:end]) for end in range(2, len(path) + 1))
        return any(name in self.namespaces or self._is_run(name) for name in names)

    def _is_run(self, name: str) -> bool:
        """Whether it is that of one run: those of a multi-instance node are numbered behind its namespace."""
        digits = len(name) - len(name.rstrip("0123456789"))
        return any(name[: len(name) - count] in self.repeated for count in range(1, digits + 1))

    def lacks(self, path: Path) -> tuple[str, str]:
        """Why a path finds nothing, and what may have been meant."""
        return f"no node has the namespace {path[1]!r}", suggestion(path[1], self.namespaces)


class KnownNames:
    """The dotted names that the start and the nodes of one process may set, and who else may set any.

    ``given`` are those that something else than a decision sets.
    """

    def __init__(self, template: ParameterTemplate | None) -> None:
        self.listed: set[str] = set()
        for entry in template.source if template is not None else ():
            namespace = entry.get("NameSpace")
            self.listed.add(f"{namespace}.{entry['Key']}" if namespace else str(entry["Key"]))
        self.given: set[str] = set(self.listed)
        self.known: set[str] = {*BUILT_IN, *self.listed}
        self.by_people = False
        """Whether a person gives values: by a form only its fields."""
        self.by_others = False
        """Whether anything else may set any name, such as a message or a script."""

    def add(self, *names: str) -> None:
        """Names that are set by no decision."""
        self.given.update(names)
        self.known.update(names)
        self.listed.update(names)


def names_of(nodes: Sequence[Node], template: ParameterTemplate | None) -> KnownNames:
    """The names that a process knows."""
    names = KnownNames(template)
    names.add(*_locals(nodes))
    for node in nodes:
        taken = [definition for definition in node.definitions if definition.kind in ("message", "signal")]
        names.by_others |= bool(taken) or isinstance(node, ReceiveTask | ScriptTask)
        if isinstance(node, UserTask):
            names.by_people = True
            names.add(*(each.path[0] for each in (node.form.fields if node.form is not None else ())))
        if isinstance(node, StartEvent) and node.form is not None:
            names.add(*(each.path[0] for each in node.form.fields))
        if isinstance(node, CallActivity):
            names.by_others |= node.all_out
            names.add(*(name for name, _ in node.outward))
        if isinstance(node, StoneTask | ExpressionTask) and node.result_variable:
            names.add(node.result_variable)
        if isinstance(node, DecisionTask):
            names.by_others |= node.call.spread
            decided = [name for name in (node.call.result_variable,) if name]
            names.known.update(decided)
            names.listed.update(decided)
        if isinstance(node, Activity):
            names.add(*(name for name, _ in node.output_values))
            if isinstance(node.loop, MultiInstance) and node.loop.output_collection:
                names.add(node.loop.output_collection)
    return names


def _parameters(nodes: Sequence[Node], template: ParameterTemplate) -> set[str] | None:
    """All dotted names that the start or the nodes may set; None where anybody may set anything."""
    names = names_of(nodes, template)
    return None if names.by_people or names.by_others else names.known


def is_given(path: Path, known: set[str], holders: set[str]) -> bool:
    """Whether a name is known, or holds one that is, or is a member of one (``holders`` come of :func:`holders_of`).

    This looks names up instead of comparing all with all, which a template and a model of 500 kB would make hours of.
    """
    if path == ("parameters",):
        return True
    parts = path[1:] if path[0] == "parameters" else path
    return ".".join(parts) in holders or any(begun in known for begun in accumulate(parts, "{}.{}".format))


def holders_of(known: set[str]) -> set[str]:
    """All dotted beginnings of these names, they themselves among them."""
    return {begun for name in known for begun in accumulate(name.split("."), "{}.{}".format)}


def _locals(nodes: Sequence[Node]) -> set[str]:
    """The names of all variables that a scope of the process may hold for itself."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, SubProcess):
            found.update(node.input_values)
            found.update(node.body.initial)
        if isinstance(node, Activity) and isinstance(node.loop, MultiInstance):
            found.update(name for name in (node.loop.element_variable, node.loop.index_variable) if name)
    return found


def mapped_out(node: Node) -> Iterator[Value]:
    """What of a node is evaluated once it is done, a called process with its own outputs."""
    outward = node.outward if isinstance(node, CallActivity) else ()
    mappings = (*node.output_values, *outward) if isinstance(node, Activity) else ()
    return (value for _, value in mappings)


def values_of(node: Node) -> Iterator[Value]:
    """What of a node is evaluated in the context of its own process.

    Output mappings are left out, because they also see whatever the stone puts out under any name.
    """
    candidates: list[Value | None] = [flow.condition for flow in node.outgoing]
    for definition in node.definitions:
        candidates += [definition.expression, definition.correlation, definition.message, *definition.payload.values()]
    if isinstance(node, Activity):
        candidates += node.input_values.values()
    if isinstance(node, StoneTask):
        candidates.append(node.code)
    if isinstance(node, UserTask):
        candidates += node.assignment.values
    if isinstance(node, ExpressionTask):
        candidates.append(node.expression)
    if isinstance(node, CallActivity):
        candidates += [node.called_expression, *(value for _, value in node.inward)]
    if isinstance(node, AdHocSubProcess):
        candidates.append(node.completion)
    if isinstance(node, ComplexGateway):
        candidates.append(node.activation)
    loop = node.loop if isinstance(node, Activity) else None
    if isinstance(loop, Loop):
        candidates += [loop.condition, loop.maximum]
    elif isinstance(loop, MultiInstance):
        candidates += [loop.cardinality, loop.collection, loop.completion]
    return (value for value in candidates if value is not None)
