"""What every reader of an element is handed: the model around it, its expressions compiled, and the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from lxml import etree

from ...dmn.decisions import Decisions
from ...errors import ExpressionError
from ...findings import Report
from ...language.compiler import Compiler
from ...language.expressions import Expression, Value, compile_expression, compile_value
from ...language.feel.reading.places import pointed
from ...language.mapped import variable
from ...limits import Limits
from ..elements.people.form import Form
from ..elements.subprocesses import CallActivity
from ..elements.tasks import StoneTask
from ..running.node import Node, Process
from .bindings import is_bindable
from .expression_texts import ExpressionText
from .mappings import Input, OutputMapping
from .people.form_files import FormFiles
from .unread import TYPE_OF_TOPICS, foreign, not_yet_used, unread
from .words import label

AnyNode = TypeVar("AnyNode", bound=Node)


class ModelReader:
    """The files of one deployment while they are read, so that their elements find each other."""

    def __init__(
        self,
        roots: Sequence[etree._Element],
        *,
        limits: Limits,
        scripts: bool,
        report: Report | None = None,
        compiler: Compiler | None = None,
        decisions: Decisions | None = None,
        forms: FormFiles | None = None,
        is_deployed: bool = False,
    ) -> None:
        """``is_deployed`` is what was found fit to run before; judging it again would take a third of the time."""
        self.roots = roots
        self.is_deployed = is_deployed
        self.limits = limits
        self.scripts = scripts
        self.report = report or Report()
        self.compiler = compiler or Compiler(limits)
        self.decisions = decisions or Decisions((), self.compiler)
        self.forms = forms or FormFiles()
        self.known_forms: dict[str, Form] = {}
        """Those that were read, which several tasks may show."""
        self.by_id: dict[str, etree._Element] = {}
        """What stands at the root of a file, and operations."""
        self.defaults: dict[Node, str] = {}
        """By node the id of its default flow."""
        self.calls: list[CallActivity] = []
        self.stone_tasks: list[StoneTask] = []
        self.around: dict[etree._Element, bool | None] = {}
        """What elements, or else those around them, say about compensation."""
        self.bodies: dict[etree._Element, Process] = {}
        """What was read of the inside of each sub-process."""
        self.unused: dict[str, list[etree._Element]] = {}
        """The elements that say what nothing looks at yet, by its name."""
        self._foreign: set[str] = set()
        """The namespaces of unknown vendors that have been told of."""

    def node(self, kind: type[AnyNode], process: Process, element: etree._Element) -> AnyNode:
        """A node of this class with the element's id, name and line."""
        made = kind(process, str(element.get("id")), title=element.get("name"), line=element.sourceline)
        if (source := self.report.source_of(element)) is not None:
            made.source = source
        return made

    def expression(self, element: etree._Element, text: ExpressionText | None) -> Expression | None:
        """Compile an expression of an element; what is wrong with it is a finding of the element."""
        if text is None:
            return None
        try:
            made = self.compiler.expression(text.text, text.language)
            self._warn_of_nulls(element, made)
            return made
        except ExpressionError as error:
            self.report.error("expression", element, f"An expression of {label(element)} is wrong: {error.message}")
            return compile_expression("null", limits=self.limits)

    def value(self, element: etree._Element, given: Input | OutputMapping) -> Value:
        """Compile a value with expressions in its strings, or one that is the name of a variable."""
        if isinstance(given, OutputMapping) and given.by_name:
            return variable(given.value)
        try:
            made = self.compiler.value(given.value, given.language)
            self._warn_of_nulls(element, made)
            return made
        except ExpressionError as error:
            self.report.error("expression", element, f"A value of {label(element)} is wrong: {error.message}")
            return compile_value(None, limits=self.limits)

    def _warn_of_nulls(self, element: etree._Element, value: Value) -> None:
        """Report what of an expression in FEEL is null whatever the variables are."""
        for feel in value.feels:
            for doubt in feel.certain:
                text = f"A part of an expression of {label(element)} is always null: {doubt.why}."
                self.report.warning("expression-null", element, f"{text}\n{pointed(feel.source, doubt.position)}")

    def refuse_unread(self, element: etree._Element) -> None:
        """Report what the modelers say about an element that bears on its execution and is not understood."""
        if self.is_deployed:
            return
        for what in unread(element):
            text = f"{what} of {label(element)} cannot be run here: remove it, or let a task of its own do that."
            lacking = TYPE_OF_TOPICS.get(what)
            if lacking is not None and is_bindable(element):
                text = f"{what} of {label(element)} names no stone without {lacking}: add that."
            self.report.error("not-understood", element, text)
        for name in not_yet_used(element):
            self.unused.setdefault(name, []).append(element)
        for namespace in foreign(element):
            if namespace not in self._foreign:
                self._foreign.add(namespace)
                text = f"What {label(element)} and others say in the namespace {namespace[:200]!r} is not read."
                self.report.warning("foreign-extension", element, text)
