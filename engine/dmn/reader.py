"""From DMN files (1.1 to 1.5) to decisions that can be made; what cannot be is told element by element."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from lxml import etree

from ..errors import ExpressionError
from ..findings import Finding, Report
from ..language.compiler import Compiler
from ..language.expressions import Expression, Value, compile_expression
from ..language.unary_tests import UnaryTests
from ..limits import Limits
from .decision import Decision
from .table import AGGREGATIONS, HIT_POLICIES, DecisionTable, HitPolicy, InputClause, OutputClause, Rule

_NAMESPACES = ("http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")
_INPUT_VARIABLE = "{http://camunda.org/schema/1.0/dmn}inputVariable"
_LOGIC = frozenset("context decisionTable functionDefinition invocation list literalExpression relation".split())
_LOGIC |= {"conditional", "every", "filter", "for", "some"}
_LONGEST_ID = 200

Made = TypeVar("Made")


def is_dmn(root: etree._Element) -> bool:
    """Whether a file holds decisions and not processes."""
    return isinstance(root.tag, str) and root.tag.startswith(tuple(f"{{{each}" for each in _NAMESPACES))


class Decisions:
    """The decisions of the files of one deployment, by id, and what is wrong with each.

    Only what is wrong with a decision that a process uses keeps it from being deployed.
    """

    def __init__(
        self,
        roots: Sequence[etree._Element],
        compiler: Compiler,
        sources: Mapping[etree._Element, str | None] | None = None,
    ) -> None:
        """``sources`` are the names of the files by their roots."""
        self.by_id: dict[str, Decision] = {}
        self._sources = sources
        self._elements: dict[str, etree._Element] = {}
        self._faults: dict[str, Report] = {}
        self._used: set[str] = set()
        self._general = Report(sources)
        for root in roots:
            for element in root.iterchildren("{*}decision"):
                self._read(element, compiler)
        for decision in self.by_id.values():
            self._join(decision)
        for decision in self.by_id.values():
            self._refuse_cycle(decision)

    def use(self, decision_id: str) -> Decision | None:
        """The decision that a process makes; None if there is none."""
        pending = [decision_id]
        while pending:
            current = pending.pop()
            if current in self.by_id and current not in self._used:
                self._used.add(current)
                pending.extend(each.id for each in self.by_id[current].required)
        return self.by_id.get(decision_id)

    def use_all(self) -> None:
        """A process names a decision by an expression: any of them may be meant."""
        self._used.update(self.by_id)

    @property
    def findings(self) -> Iterator[Finding]:
        """What is wrong: errors in what is used, warnings in all else."""
        yield from self._general.findings
        for decision_id, faults in self._faults.items():
            for fault in faults.findings:
                yield fault if decision_id in self._used else replace(fault, severity="warning")

    def _read(self, element: etree._Element, compiler: Compiler) -> None:
        decision_id = element.get("id", "")
        if not decision_id or decision_id in self.by_id or len(decision_id) > _LONGEST_ID:
            why = "has no id" if not decision_id else "has an id that is used twice or too long"
            name = element.get("name", "")[:80]
            text = f"The decision {name!r} {why} ({decision_id[:80]!r}): give it one of its own."
            self._general.error("decision-id", element, text)
            return
        reader = DecisionReader(element, Report(self._sources), compiler)
        self.by_id[decision_id] = reader.decision()
        self._elements[decision_id] = element
        self._faults[decision_id] = reader.report

    def _join(self, decision: Decision) -> None:
        element = self._elements[decision.id]
        found: list[Decision] = []
        for reference in element.iterfind("{*}informationRequirement/{*}requiredDecision"):
            target = self.by_id.get(reference.get("href", "").rpartition("#")[2])
            if target is None:
                text = f"The decision {decision.id!r} needs {reference.get('href', '')[:80]!r}, which is not there."
                self._faults[decision.id].error("unknown-decision", reference, text + " Deploy it together.")
            else:
                found.append(target)
        decision.required = found

    def _refuse_cycle(self, decision: Decision) -> None:
        seen: set[str] = set()
        pending = list(decision.required)
        while pending:
            current = pending.pop()
            if current is decision:
                text = f"The decision {decision.id!r} needs itself in the end: take one requirement away."
                self._faults[decision.id].error("decision-cycle", self._elements[decision.id], text)
                decision.required = []
                return
            if current.id not in seen:
                seen.add(current.id)
                pending.extend(current.required)


class DecisionReader:
    """Reads one decision and collects what is wrong with it."""

    def __init__(self, element: etree._Element, report: Report, compiler: Compiler) -> None:
        self.element = element
        self.report = report
        self.compiler = compiler
        self.id = element.get("id", "")

    def wrong(self, code: str, element: etree._Element, text: str) -> None:
        self.report.error(code, element, f"The decision {self.id!r}: {text}")

    def decision(self) -> Decision:
        variable = self.element.find("{*}variable")
        name = variable.get("name") if variable is not None else None
        return Decision(self.id, self.element.get("name", ""), self._logic(), name)

    def _logic(self) -> DecisionTable | Value | None:
        kinds = [child for child in self.element.iterchildren("{*}*") if _local(child) in _LOGIC]
        if not kinds:
            self.wrong("decision-empty", self.element, "it holds neither a decision table nor an expression: add one.")
            return None
        if _local(kinds[0]) == "decisionTable":
            return self._table(kinds[0])
        if _local(kinds[0]) == "literalExpression":
            return self._expression(kinds[0], "the literal expression")
        text = f"it is a boxed {_local(kinds[0])}, which cannot be run: use a decision table or a literal expression."
        self.wrong("decision-unsupported", kinds[0], text)
        return None

    # -- tables

    def _table(self, table: etree._Element) -> DecisionTable | None:
        policy = table.get("hitPolicy", "UNIQUE").strip()
        aggregation = (table.get("aggregation") or "").strip() or None
        if policy not in HIT_POLICIES:
            text = f"{policy[:40]!r} is no hit policy: use one of {_listed(HIT_POLICIES)}."
            self.wrong("decision-table", table, text)
        inputs = [self._input(column) for column in table.iterchildren("{*}input")]
        outputs = [self._output(column, table) for column in table.iterchildren("{*}output")]
        if not outputs:
            self.wrong("decision-table", table, "its table has no output: add one.")
        if aggregation is not None and (aggregation not in AGGREGATIONS or policy != "COLLECT" or len(outputs) != 1):
            text = f"the aggregation {aggregation[:40]!r} needs COLLECT, one output, and to be {_listed(AGGREGATIONS)}."
            self.wrong("decision-table", table, text)
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(output.values for output in outputs):
            self.wrong("decision-table", table, f"{policy} goes by the order of the output values: list them.")
        names = [output.name for output in outputs]
        if len(set(names)) < len(names) or (len(names) > 1 and not all(names)):
            self.wrong("decision-table", table, "its outputs need names of their own: give each one.")
        rows = enumerate(table.iterchildren("{*}rule"), 1)
        rules = [self._rule(number, row, len(inputs), len(outputs)) for number, row in rows]
        if self.report.has_error:
            return None
        return DecisionTable(
            inputs=inputs,
            outputs=outputs,
            rules=rules,
            policy=cast(HitPolicy, policy),
            aggregation=aggregation,
            limits=self.compiler.limits,
        )

    def _input(self, column: etree._Element) -> InputClause:
        expression = column.find("{*}inputExpression")
        own = column.get(_INPUT_VARIABLE)
        shown = column.get("label") or column.get("id") or ""
        if expression is None or not _body(expression):
            self.wrong("decision-table", column, f"the input {shown[:80]!r} has no expression: write what it looks at.")
        value = self._expression(column if expression is None else expression, f"the input {shown[:80]!r}")
        return InputClause(expression=value, names=[own] if own else [])

    def _output(self, column: etree._Element, table: etree._Element) -> OutputClause:
        alone = len(table.findall("{*}output")) == 1
        values, default = column.find("{*}outputValues"), column.find("{*}defaultOutputEntry")
        listed = None
        if values is not None and _body(values):
            listed = self._compiled(
                values, "the output values", lambda: self.compiler.expression(f"=[{_body(values)}]")
            )
        return OutputClause(
            name=column.get("name") or (self.id if alone else ""),
            default=None if default is None or not _body(default) else self._expression(default, "a default output"),
            values=listed,
        )

    def _rule(self, number: int, row: etree._Element, inputs: int, outputs: int) -> Rule:
        tests = [self._test(cell, number) for cell in row.iterchildren("{*}inputEntry")]
        cells = row.iterchildren("{*}outputEntry")
        entries = [self._expression(cell, f"the output of rule {number}") for cell in cells]
        if (len(tests), len(entries)) != (inputs, outputs):
            self.wrong("decision-table", row, f"rule {number} does not have one cell for each column: complete it.")
        return Rule(number=number, tests=tests, entries=entries)

    def _test(self, cell: etree._Element, number: int) -> UnaryTests | Expression:
        text, what = _body(cell), f"the cell of rule {number}"
        if self._language(cell, text, what) == "juel" and text:
            return self._compiled(cell, what, lambda: self.compiler.expression(text)) or _nothing()
        made = self._compiled(cell, what, lambda: self.compiler.cell(text))
        return made or UnaryTests(text, None)

    # -- expressions

    def _expression(self, element: etree._Element, what: str) -> Value:
        text = _body(element)
        if not text:
            return _nothing()
        language = self._language(element, text, what)
        body = f"={text}" if language == "feel" and not text.startswith("=") else text
        return self._compiled(element, what, lambda: self.compiler.expression(body)) or _nothing()

    def _compiled(self, element: etree._Element, what: str, make: Callable[[], Made]) -> Made | None:
        try:
            return make()
        except ExpressionError as error:
            self.wrong("decision-expression", element, f"{what} is wrong. {error.message}")
            return None

    def _language(self, element: etree._Element, text: str, what: str) -> str:
        named = element.get("expressionLanguage")
        if named is None and text.startswith(("${", "#{")):
            return "juel"
        if named is None or "feel" in named.lower():
            return "feel"
        if named.lower() != "juel":
            text = f"{what} is written in {named[:80]!r}: write it in FEEL or JUEL."
            self.wrong("decision-language", element, text)
        return "juel"


def _nothing() -> Expression:
    return compile_expression("=null", limits=Limits())


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _body(element: etree._Element) -> str:
    text = element.find("{*}text")
    return "".join(text.itertext()).strip() if text is not None else ""


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
