"""The files of models: read, checked and parsed together.

This and what it imports is what reads BPMN and DMN. The engine imports it late, with the first model that it reads:
it is a good part of the whole, and a program that only defines stones or looks at processes reads none.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

from lxml import etree

from ...models import Store
from ...models.catalogue import WantedVersion
from ..bpmn.checks import check
from ..bpmn.reading.parser import ModelParser, ParsedModels
from ..bpmn.reading.people.form_files import Elsewhere, FormFiles, FormLink, is_copy, is_form, with_name
from ..bpmn.reading.words import BPMNDI, FLOW_NODES, qualified
from ..bpmn.reading.xml import read_xml
from ..bpmn.running.node import Process
from ..dmn.decisions import Decisions
from ..dmn.definitions import is_dmn
from ..dmn.elements import DecisionElement
from ..errors import Malformed, ModelInvalid, TooLarge
from ..findings import Finding, Report
from ..language import effort
from ..language.compiler import Compiler
from ..limits import Limits
from ..stones.registry import Stones
from ..views.people import StartVariable
from ..views.tasks import TaskBinding
from .checks.doubtful_names import check_names
from .checks.outputs_of_runs import check_runs
from .checks.stones import check_stones
from .checks.unresolved_references import check_calls, check_decisions, check_references
from .definitions import Definitions
from .deployed_forms import find_form
from .start_variables import start_variables
from .task_bindings import bindings_of
from .templates import OutputsTemplate, ParameterTemplate, read_templates

TOPICS = frozenset({"camunda:topic", "zeebe:taskDefinition", "flowable:topic"})
"""What binds a task to workers that fetch it, in the words of modelers."""


class Bundles:
    """Reads them for one engine, which knows of further processes and of the stones."""

    def __init__(
        self, store: Store, definitions: Definitions, stones: Stones, limits: Limits, *, scripts: bool
    ) -> None:
        self.store = store
        self.definitions = definitions
        self.stones = stones
        self.limits = limits
        self.scripts = scripts
        self._last: tuple[object, ParsedModels] | None = None

    def lint(
        self,
        sources: Sequence[bytes],
        names: Sequence[str | None],
        parameter_template: str | None = None,
        outputs_template: str | None = None,
        *,
        strict: bool = False,
        external: bool = False,
    ) -> list[Finding]:
        """Every finding of a bundle, warnings too; ``external`` as for :meth:`checked`."""
        templates = read_templates(parameter_template, outputs_template, self.limits)
        parsed, findings = self._examine(sources, names, *templates, strict=strict)
        return _without_topics(parsed, findings) if external else findings

    def bindings(self, sources: Sequence[bytes], names: Sequence[str | None]) -> list[TaskBinding]:
        """What was read for each task of a bundle; nothing where that cannot be read at all."""
        return list(bindings_of(self._read(sources, names)))

    def checked(
        self,
        sources: Sequence[bytes],
        names: Sequence[str | None],
        parameter_template: str | None,
        outputs_template: str | None,
        *,
        strict: bool = False,
        external: bool = False,
    ) -> tuple[ParsedModels, list[Finding]]:
        """What a bundle that can be run holds, and the warnings; raises ModelInvalid for any other.

        Where topics are those of workers (``external``), it is no error that no stone serves them.
        """
        with effort.turn(self.limits):
            templates = read_templates(parameter_template, outputs_template, self.limits)
        parsed, findings = self._examine(sources, names, *templates, strict=strict)
        if external:
            findings = _without_topics(parsed, findings)
        if any(finding.severity == "error" for finding in findings) or parsed.key is None:
            raise ModelInvalid(findings)
        return parsed, findings

    def unknown_topics(
        self,
        sources: Sequence[bytes],
        names: Sequence[str | None],
        parameter_template: str | None,
        outputs_template: str | None,
        *,
        strict: bool = False,
    ) -> set[str]:
        """The topics and job types of a bundle that no stone serves, if nothing else is wrong with it."""
        with effort.turn(self.limits):
            templates = read_templates(parameter_template, outputs_template, self.limits)
        parsed, findings = self._examine(sources, names, *templates, strict=strict)
        if any(finding.severity == "error" and finding.code != "unknown-stone" for finding in findings):
            return set()
        known = self.stones.is_known
        asked = [task for task in parsed.stone_tasks if task.code.constant and task.dialect in TOPICS]
        return {task.stone for task in asked if not known(task.stone)}

    def drawn(
        self, sources: Sequence[bytes], names: Sequence[str | None], parsed: ParsedModels | None = None
    ) -> list[bytes]:
        """The files in UTF-8, each given a diagram if it has none, so that it can be shown and edited.

        A form keeps the name of its file, by which tasks may know it. With what was ``parsed``, the copies of forms of
        other deployments are those that are needed now.
        """
        drawn: list[bytes] = []
        decisions: list[bytes] = []
        if parsed is not None and parsed.forms is not None:
            own = [pair for pair in zip(sources, names, strict=True) if not is_copy(pair[0])]
            copies = parsed.forms.copies
            sources, names = (
                [*(source for source, _ in own), *copies],
                [*(name for _, name in own), *[None] * len(copies)],
            )
        forms = [with_name(source, name) for source, name in zip(sources, names, strict=True) if is_form(source)]
        for source in sources:
            if is_form(source):
                continue
            root = read_xml(source, limits=self.limits)
            if is_dmn(root):
                decisions.append(source)
                continue
            foreign = (root.getroottree().docinfo.encoding or "UTF-8").upper() not in ("UTF-8", "US-ASCII")
            if foreign or root.find(f".//{{{BPMNDI}}}BPMNShape") is None:
                from ..bpmn.drawing.layout import add_diagram  # late, like whatever else draws

                add_diagram(root)
                source = etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")
            drawn.append(source)
        # What is shown of a deployment is its first file, so a process comes first.
        return [*drawn, *decisions, *forms]

    def holds_copies(self, sources: Sequence[bytes]) -> bool:
        """Whether forms of other deployments are among the files."""
        return any(map(is_copy, sources))

    def named(self, sources: Sequence[bytes]) -> tuple[str, str]:
        """The id and name of the first process of files, or else of their decisions, whatever else is wrong with them.

        Raises Malformed or TooLarge for what is no XML.
        """
        others: list[tuple[str, str]] = []
        for source in [each for each in sources if not is_form(each)] or sources:
            root = read_xml(source, limits=self.limits)
            process = next(root.iter(qualified("process")), None)
            found = root if process is None else process
            names = found.get("id", ""), found.get("name", "")
            if process is not None:
                return names
            others.append(names)
        return others[0]

    def holds_decisions(self, sources: Sequence[bytes]) -> bool:
        """Whether these are files of decisions alone: a process comes first where there is one."""
        _, root = next(etree.iterparse(BytesIO(sources[0]), events=("start",), resolve_entities=False))
        return is_dmn(root)

    def _examine(
        self,
        sources: Sequence[bytes],
        names: Sequence[str | None],
        parameter_template: ParameterTemplate | None,
        outputs_template: OutputsTemplate | None,
        *,
        strict: bool,
    ) -> tuple[ParsedModels, list[Finding]]:
        """What the files hold, and every finding about them: this is the one place where these come together."""
        parsed = self._read(sources, names, strict=strict)
        report = Report()
        report.add(*parsed.findings)
        check_references(parsed, report, parameter_template, outputs_template)
        check_runs(parsed, report, outputs_template)
        check_stones(parsed, report, self.stones, parameter_template)
        catalogue = self.store.catalogue
        check_calls(parsed, report, lambda *wanted: catalogue.deployment_id(*wanted) is not None)
        check_decisions(parsed, report, lambda *wanted: catalogue.deployment_of_decision(*wanted) is not None)
        check_names(parsed, report, parameter_template, self._decision)
        return parsed, report.findings

    def start_variables(self, process: Process) -> tuple[StartVariable, ...]:
        """The variables that a process reads and nothing in it sets."""
        return start_variables(process, self.stones, self._decision)

    def _decision(self, wanted: str, version: WantedVersion) -> DecisionElement | None:
        """A decision of another deployment."""
        deployment_id = self.store.catalogue.deployment_of_decision(wanted, version)
        found = None if deployment_id is None else self.definitions.decisions(deployment_id)[1].by_id.get(wanted)
        return found if found is not None and version.number is None and version.tag is None else None

    def _form(self, link: FormLink) -> bytes | None:
        """A form of another deployment."""
        return find_form(self.store, link)

    def forget(self) -> None:
        """Let go of what was read last, which is many times as large as its files."""
        self._last = None

    def _read(self, sources: Sequence[bytes], names: Sequence[str | None], *, strict: bool = False) -> ParsedModels:
        """What the files hold; those of the last call are not read again, as when they are saved and then shown."""
        key = list(sources), list(names), strict
        last = self._last
        stands = last is not None and last[0] == key and (last[1].forms is None or last[1].forms.stands())
        if last is None or not stands:
            with effort.turn(self.limits):
                try:
                    found = examine(
                        sources, names, limits=self.limits, scripts=self.scripts, strict=strict, elsewhere=self._form
                    )
                except RecursionError:
                    text = "The model nests expressions, types or files deeper than can be read: make it flatter."
                    found = ParsedModels({}, (), [Finding(code="nested-too-deep", severity="error", text=text)])
                last = key, found
            self._last = last
        return last[1]


def read_again(sources: Sequence[bytes], *, limits: Limits, scripts: bool, null_is_false: bool = False) -> ParsedModels:
    """What the files of a deployment hold.

    What was deployed was within the limits then; the model of an undo is as large as what it undoes.
    """
    limits = replace(
        limits, model_size=max(map(len, sources)), model_elements=sys.maxsize, model_expressions=sys.maxsize
    )
    roots = [read_xml(source, limits=limits) for source in sources if not is_form(source)]
    forms = [source for source in sources if is_form(source)]
    files = FormFiles(forms, [None] * len(forms))
    return _parse(
        roots, Report(), limits=limits, scripts=scripts, null_is_false=null_is_false, forms=files, is_deployed=True
    )


def examine(
    sources: Sequence[bytes],
    names: Sequence[str | None],
    *,
    limits: Limits,
    scripts: bool,
    strict: bool = False,
    elsewhere: Elsewhere = lambda link: None,
) -> ParsedModels:
    """Read, check and parse the files of one deployment; of their surroundings they need forms ``elsewhere``.

    With ``strict`` a breach of a formal rule is an error even where the file can be run.
    Files of DMN hold decisions for the processes of the others. Raises Malformed or TooLarge for a file that is no
    XML at all.
    """
    _refuse_large(sources, limits)
    given = list(zip(sources, names, strict=True))
    forms = [(source, name) for source, name in given if is_form(source)]
    read = [(read_xml(source, limits=limits, name=name), name) for source, name in given if not is_form(source)]
    if not read:
        text = "These are forms alone: deploy a form together with the process whose tasks show it."
        raise Malformed(text, code="form-alone")
    roots = [root for root, _ in read]
    _refuse_many_nodes(roots, limits)
    report = Report(dict(read))
    together = {root.get("targetNamespace", "") for root in roots}
    for root, name in read:
        if not is_dmn(root):
            report.add(*check(root, limits=limits, source=name, together=together, strict=strict))
    if report.has_error:
        return ParsedModels({}, (), report.findings)
    files = FormFiles([source for source, _ in forms], [name for _, name in forms], elsewhere)
    return _parse(roots, report, limits=limits, scripts=scripts, forms=files)


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
    tags = [qualified(name) for name in FLOW_NODES]
    count = sum(1 for root in roots for _ in root.iter(*tags))
    if count > limits.model_nodes:
        text = f"The files have {count} nodes together, and model_nodes allows {limits.model_nodes}: split the model."
        raise TooLarge(text, limit="model_nodes")


def _parse(
    roots: Sequence[etree._Element],
    report: Report,
    *,
    limits: Limits,
    scripts: bool,
    null_is_false: bool = False,
    forms: FormFiles | None = None,
    is_deployed: bool = False,
) -> ParsedModels:
    compiler = Compiler(limits, null_is_false=null_is_false)
    decisions = Decisions([root for root in roots if is_dmn(root)], compiler, report.sources)
    processes = [root for root in roots if not is_dmn(root)]
    reader = ModelParser(
        processes,
        limits=limits,
        scripts=scripts,
        report=report,
        compiler=compiler,
        decisions=decisions,
        forms=forms,
        is_deployed=is_deployed,
    )
    return reader.parse()


def _without_topics(parsed: ParsedModels, findings: list[Finding]) -> list[Finding]:
    """The findings but for topics and job types that no stone serves."""
    asked = {(task.source, task.bpmn_id) for task in parsed.stone_tasks if task.dialect in TOPICS}
    return [each for each in findings if each.code != "unknown-stone" or (each.source, each.element_id) not in asked]
