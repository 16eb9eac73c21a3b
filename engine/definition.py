"""A deployment made ready to run: parsed once, shared by all its instances."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from lxml import etree

from ..models import DeploymentRow
from .bpmn.checks import check
from .bpmn.checks.outline import BPMN, FLOW_NODES
from .bpmn.checks.outline import name as tag_of
from .bpmn.findings import Finding
from .bpmn.node import Process
from .bpmn.parser import Parsed, Parser
from .bpmn.subprocesses import CallActivity
from .bpmn.xml import read_xml
from .compiler import Compiler
from .dmn.reader import Decisions, is_dmn
from .errors import ModelInvalid, TooLarge
from .jsontext import dumps
from .limits import Limits
from .templates import OutputsTemplate, ParameterTemplate

MOST_KEPT = 500


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """What it takes to start and run instances of one deployment."""

    deployment_id: str
    model_id: str | None
    key: str
    name: str
    version: int
    process: Process
    parameter_template: ParameterTemplate | None
    outputs_template: OutputsTemplate | None


def examine(
    sources: Sequence[bytes], names: Sequence[str | None], *, limits: Limits, scripts: bool
) -> tuple[Parsed, list[Finding]]:
    """Read, check and parse the files of one deployment; every finding at once.

    Files of DMN hold decisions for the processes of the others. Raises Malformed or TooLarge for a file that is no
    XML at all.
    """
    _refuse_large(sources, limits)
    roots = [read_xml(source, limits=limits, name=name) for source, name in zip(sources, names, strict=True)]
    _refuse_many_nodes(roots, limits)
    findings: list[Finding] = []
    together = {root.get("targetNamespace", "") for root in roots}
    for root, name in zip(roots, names, strict=True):
        if not is_dmn(root) or len(roots) == 1:
            findings.extend(check(root, limits=limits, source=name, together=together))
    if any(finding.severity == "error" for finding in findings):
        return Parsed({}, (), (), ()), findings
    parsed = _parse(roots, names, limits=limits, scripts=scripts)
    return parsed, [*findings, *parsed.findings]


def _refuse_large(sources: Sequence[bytes], limits: Limits) -> None:
    """Raise TooLarge for what the files of a model are together, before any of it is parsed."""
    size = sum(map(len, sources))
    if len(sources) > 1 and size > limits.model_size:
        text = f"The files have {size} bytes together, and model_size allows {limits.model_size}: split the model."
        raise TooLarge(text, limit="model_size")
    # An element has at most two of these signs: what has more of them need not be in memory to be counted.
    if sum(source.count(b"<") for source in sources) > 2 * limits.model_elements + len(sources):
        text = f"The model has more elements than the {limits.model_elements} that model_elements allows: split it."
        raise TooLarge(text, limit="model_elements")


def _refuse_many_nodes(roots: Sequence[etree._Element], limits: Limits) -> None:
    if len(roots) == 1:
        return
    count = sum(1 for root in roots for element in root.iter(f"{BPMN}*") if tag_of(element) in FLOW_NODES)
    if count > limits.model_nodes:
        text = f"The files have {count} nodes together, and model_nodes allows {limits.model_nodes}: split the model."
        raise TooLarge(text, limit="model_nodes")


def _parse(roots: Sequence[etree._Element], names: Sequence[str | None], *, limits: Limits, scripts: bool) -> Parsed:
    compiler = Compiler(limits)
    decisions = Decisions([each for each in zip(roots, names, strict=True) if is_dmn(each[0])], compiler)
    processes = [(root, name) for root, name in zip(roots, names, strict=True) if not is_dmn(root)]
    return Parser(
        [root for root, _ in processes],
        limits=limits,
        scripts=scripts,
        compiler=compiler,
        decisions=decisions,
        names=[name for _, name in processes],
    ).parse()


def unknown_calls(parsed: Parsed, is_deployed: Callable[[str], bool]) -> Iterable[Finding]:
    """Call activities whose process is neither in the bundle nor deployed."""
    for process in parsed.processes.values():
        for node in process.walk():
            if not isinstance(node, CallActivity) or node.called_expression is not None:
                continue
            if node.own_process is None and not is_deployed(node.called):
                yield Finding(
                    code="unknown-called-process",
                    severity="error",
                    text=f"{node.bpmn_id!r} calls {node.called!r}, which is not deployed: deploy it first or together.",
                    element_id=node.bpmn_id,
                    line=node.line,
                    source=node.source,
                )


def unknown_stones(parsed: Parsed, is_known: Callable[[str], bool]) -> Iterable[Finding]:
    """Tasks that name a stone nobody has registered."""
    for task in parsed.stone_tasks:
        code = task.binding.stone
        if task.code.constant and not is_known(code):
            yield Finding(
                code="unknown-stone",
                severity="error",
                text=f"{task.bpmn_id!r} names the stone {code!r}, which is not registered: register or correct it.",
                element_id=task.bpmn_id,
                line=task.line,
                source=task.source,
            )


def digest_of(sources: Sequence[bytes], parameter_template: str | None, outputs_template: str | None) -> str:
    """Tells whether two deployments hold the same."""
    whole = hashlib.sha256()
    for part in (*sources, (parameter_template or "").encode(), (outputs_template or "").encode()):
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def pack(sources: Sequence[bytes]) -> str:
    """The files of a deployment as the text that the store keeps."""
    texts: list[str] = []
    for source in sources:
        try:
            texts.append(source.decode("utf-8"))
        except UnicodeDecodeError:
            texts.append("base16:" + source.hex())
    return dumps(texts)


def unpack(text: str) -> list[bytes]:
    """The files of a deployment from the store."""
    return [bytes.fromhex(part[7:]) if part.startswith("base16:") else part.encode() for part in json.loads(text)]


def triggers_of(process: Process) -> list[tuple[str, str, str]]:
    """The messages and signals that start an instance: kind, name, and the id of the node where it begins."""
    found: list[tuple[str, str, str]] = []
    for node, definitions in process.starting:
        for definition in definitions:
            if definition.kind in ("message", "signal") and definition.expression is None:
                found.append((definition.kind, definition.name or "", node.name))
    return found


class Definitions:
    """The definitions in use, parsed when they are first needed."""

    def __init__(self, load: Callable[[str], DeploymentRow], *, limits: Limits, scripts: bool) -> None:
        self._load = load
        self._limits = limits
        self._scripts = scripts
        self._kept: OrderedDict[str, Definition] = OrderedDict()
        self._lock = Lock()

    def get(self, deployment_id: str) -> Definition:
        """The definition of a deployment; raises UnknownDeployment."""
        found = self._kept.get(deployment_id)
        if found is None:
            found = self.add(self._load(deployment_id))
        return found

    def add(self, row: DeploymentRow, parsed: Parsed | None = None) -> Definition:
        """Make a deployment ready; ``parsed`` saves reading it again."""
        if parsed is None:
            sources = unpack(row.sources)
            # What was deployed was within the limits then; the model of an undo is as large as what it undoes.
            limits = replace(
                self._limits,
                model_size=max(map(len, sources)),
                model_elements=sys.maxsize,
                model_expressions=sys.maxsize,
            )
            roots = [read_xml(source, limits=limits) for source in sources]
            parsed = _parse(roots, [None] * len(roots), limits=limits, scripts=self._scripts)
        if row.key not in parsed.processes:
            raise ModelInvalid(parsed.findings)
        definition = Definition(
            row.id,
            row.model_id,
            row.key,
            row.name,
            row.version,
            parsed.processes[row.key],
            ParameterTemplate.load(json.loads(row.parameter_template), self._limits)
            if row.parameter_template
            else None,
            OutputsTemplate.load(json.loads(row.outputs_template), self._limits) if row.outputs_template else None,
        )
        with self._lock:
            self._kept[row.id] = definition
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return definition
