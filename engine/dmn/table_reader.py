"""Decision tables of DMN files, compiled (DMN 1.5, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from lxml import etree

from ..errors import ExpressionError
from ..language.feel.cells import Cell
from ..language.feel.closures import Run
from ..language.feel.reading.names import Scope
from ..language.feel.reading.places import pointed
from ..language.feel.values.comparison import matches
from ..language.feel.values.kinds import Range, Value, kind_of
from .decision_table import AGGREGATIONS, HIT_POLICIES, DecisionTable, InputClause, OutputClause, Rule
from .faults import Wrongs, text_of
from .text_reader import NULL, TextReader, within

ANYTHING = ("", "-")
_INPUT_VARIABLE = "{http://camunda.org/schema/1.0/dmn}inputVariable"
_SINGLE = frozenset({"number", "string", "boolean"})
"""Kinds that no other kind is converted to."""


class TableReader(TextReader):
    """Compiles decision tables."""

    def table(self, table: etree._Element, scope: Scope, faults: Wrongs, name: str) -> DecisionTable:
        """A decision table; ``name`` is what its output is called if it is alone and has no name."""
        begin = self.parts
        policy = HIT_POLICIES.get(table.get("hitPolicy", "UNIQUE").strip().upper())
        if policy is None:
            text = f"{table.get('hitPolicy', '')[:40]!r} is no hit policy: use one of {', '.join(HIT_POLICIES)}."
            faults.wrong("decision-table", table, text)
        inputs = [self._input(column, scope, faults) for column in table.iterchildren("{*}input")]
        inner = within(scope, [each.own_name for each in inputs if each.own_name])
        columns = table.findall("{*}output")
        outputs = [self._output(column, scope, faults, name if len(columns) == 1 else "") for column in columns]
        self._check_outputs(table, outputs, faults)
        aggregation = (table.get("aggregation") or "").strip().upper()
        if aggregation and (aggregation not in AGGREGATIONS or policy != "COLLECT"):
            text = f"the aggregation {aggregation[:40]!r} needs COLLECT, and to be {', '.join(AGGREGATIONS)}."
            faults.wrong("decision-table", table, text)
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(output.values for output in outputs):
            faults.doubtful("decision-table", table, f"{policy} goes by the order of the output values: list them.")
        rows = enumerate(table.iterchildren("{*}rule"), 1)
        rules = [self._rule(number, row, inner, faults, inputs, outputs) for number, row in rows]
        # A table counts for itself, however often it is asked.
        parts, self.parts = len(rules) + self.parts - begin, begin
        return DecisionTable(
            inputs=inputs,
            outputs=outputs,
            rules=rules,
            policy=policy or "UNIQUE",
            aggregation=AGGREGATIONS.get(aggregation),
            parts=parts,
        )

    def _check_outputs(self, table: etree._Element, outputs: Sequence[OutputClause], faults: Wrongs) -> None:
        names = [output.name for output in outputs]
        if not outputs:
            faults.wrong("decision-table", table, "its table has no output: add one.")
        if len(set(names)) < len(names) or (len(names) > 1 and not all(names)):
            faults.wrong("decision-table", table, "its outputs need names of their own: give each one.")

    def _input(self, column: etree._Element, scope: Scope, faults: Wrongs) -> InputClause:
        expression, allowed = column.find("{*}inputExpression"), column.find("{*}inputValues")
        own = column.get(_INPUT_VARIABLE)
        text = text_of(expression)
        shown = column.get("label") or text or column.get("id") or ""
        what = f"the input {shown[:80]!r}"
        if expression is None or not text:
            faults.doubtful("decision-table", column, f"{what} has no expression: write what it looks at.")
            return InputClause(shown, NULL, own_name=own)
        run = self.text(expression, text, scope, faults, what)
        if allowed is None or text_of(allowed) in ANYTHING:
            return InputClause(shown[:80], run, self.types.of(expression), own_name=own, text=text)
        cell, values = self.cell(allowed, scope, faults, what), None
        with suppress(ExpressionError):
            values = self.compiler.tests(text_of(allowed), scope, self.types.all, self.members).constants
        return InputClause(shown[:80], run, self.types.of(expression), cell, own, values, text)

    def _output(self, column: etree._Element, scope: Scope, faults: Wrongs, name: str) -> OutputClause:
        default, values = column.find("{*}defaultOutputEntry"), column.find("{*}outputValues")
        own = column.get("name") or name
        shown = (column.get("label") or own)[:80]
        what = f"the output {shown!r}"
        run = None
        if default is not None and text_of(default):
            run = self.text(default, text_of(default), scope, faults, f"the default of {what}", self.types.of(column))
        cells: Sequence[Cell] = []
        if values is not None and text_of(values) not in ANYTHING:
            try:
                cells = self.compiler.tests(text_of(values), scope, self.types.all, self.members).alternatives
            except ExpressionError as error:
                self._misread(values, error, faults, f"the values of {what}")
        return OutputClause(own, self.types.of(column), run, cells, shown)

    def _rule(
        self,
        number: int,
        row: etree._Element,
        scope: Scope,
        faults: Wrongs,
        inputs: Sequence[InputClause],
        outputs: Sequence[OutputClause],
    ) -> Rule:
        tests, entries = row.findall("{*}inputEntry"), row.findall("{*}outputEntry")
        if (len(tests), len(entries)) != (len(inputs), len(outputs)):
            faults.wrong("decision-table", row, f"rule {number} does not have one cell for each column: complete it.")
            return Rule(number, row.get("id"), [None] * len(inputs), [NULL] * len(outputs))
        return Rule(
            number,
            row.get("id"),
            [
                self.cell(cell, scope, faults, f"the cell of rule {number} under {column.shown!r}", column)
                for column, cell in zip(inputs, tests, strict=True)
            ],
            [
                self._entry(cell, column, scope, faults, f"the output {column.shown!r} of rule {number}")
                for column, cell in zip(outputs, entries, strict=True)
            ],
        )

    def _entry(self, cell: etree._Element, column: OutputClause, scope: Scope, faults: Wrongs, what: str) -> Run:
        text = text_of(cell)
        if text in ANYTHING:
            return NULL
        return self.text(cell, text, scope, faults, what, column.type)

    def cell(
        self, element: etree._Element, scope: Scope, faults: Wrongs, what: str, column: InputClause | None = None
    ) -> Cell | None:
        """The cell of a rule for a column; None where anything fits."""
        text = text_of(element)
        if text in ANYTHING:
            return None
        language = self._language(element, text, faults, what)
        if language != "feel":
            return _juel_cell(self._juel(element, text, faults, what) if language == "juel" else NULL)
        try:
            made = self.compiler.tests(text, scope, self.types.all, self.members)
        except ExpressionError as error:
            self._misread(element, error, faults, what)
            return None
        if column is not None and made.constants and all(_never_fits(each, column) for each in made.constants):
            shown = pointed(text, 0)
            faults.doubtful("cell-never-fits", element, f"{what} never fits: no value of the column is so.\n{shown}")
        self._certain(element, made.certain, text, faults, what)
        self.parts += made.parts
        return made.cell


def _never_fits(wanted: Value, column: InputClause) -> bool:
    """Whether no value that the column can have is what a test asks for."""
    ends = [end for end in wanted[:2] if end is not None] if type(wanted) is Range else [wanted]
    kind = column.type.kind
    if kind in _SINGLE and all(end is not None and kind_of(end) in _SINGLE - {kind} for end in ends):
        return True
    is_single = type(wanted) is not Range and kind_of(wanted) in _SINGLE
    return is_single and column.values is not None and not any(matches(wanted, each) for each in column.values)


def _juel_cell(run: Run) -> Cell:
    """A condition of JUEL, which calls its input ``cellInput``."""
    return lambda value, place: run(({"cellInput": value}, place)) is True
