"""Boxed expressions of DMN files, compiled (DMN 1.5, 7.3 and 10.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from lxml import etree

from ..errors import ExpressionError
from ..language.compiler import Compiler
from ..language.context import Context
from ..language.expressions import Expression
from ..language.feel import closures
from ..language.feel.border import to_json
from ..language.feel.cells import Cell
from ..language.feel.closures import PARTIAL, Loop, Run
from ..language.feel.faults import apart, fault, reasons
from ..language.feel.functions import Defined
from ..language.feel.reading.names import Names, Scope
from ..language.feel.reading.places import Doubt, FeelSyntaxError, pointed
from ..language.feel.values.comparison import matches
from ..language.feel.values.kinds import Range, Value, described, kind_of
from ..language.feel.values.types import ANY, Type, coerced
from .decision_table import AGGREGATIONS, HIT_POLICIES, DecisionTable, InputClause, OutputClause, Rule
from .faults import Wrongs, local, text_of
from .item_definitions import ItemDefinitions

ANYTHING = ("", "-")
_INPUT_VARIABLE = "{http://camunda.org/schema/1.0/dmn}inputVariable"
_PARTS = 10
"""What a boxed iterator or function costs each time beside its body."""
_REPEATED = 4
"""What a token costs that is evaluated again and again, in the time of a look at a member of a list."""
_NULL = closures.constant(None)


class BoxedExpressions:
    """Compiles the expressions of one file; what is wrong goes to ``faults``, and is null where it is evaluated."""

    def __init__(self, compiler: Compiler, types: ItemDefinitions, members: Names) -> None:
        self.compiler = compiler
        self.types = types
        self.members = members
        self.parts = 0
        """Of what was compiled so far, as effort counts them."""

    def compiled(self, element: etree._Element, scope: Scope, faults: Wrongs, name: str = "") -> Run:
        """The closure of any boxed expression; ``name`` is what a single output of a table is called."""
        kinds: Mapping[str, Callable[[etree._Element, Scope, Wrongs], Run]] = {
            "literalExpression": self.literal,
            "decisionTable": lambda table, scope, faults: self.table(table, scope, faults, name).run,
            "context": self.context,
            "invocation": self.invocation,
            "list": self.list,
            "relation": self.relation,
            "functionDefinition": self.function,
            "conditional": self.conditional,
            "filter": self.filter,
            "for": self.loop,
            "some": self.quantified,
            "every": self.quantified,
        }
        kind = kinds.get(local(element))
        if kind is None:
            faults.wrong("decision-unsupported", element, f"a boxed {local(element)} is not known: use FEEL.")
            return _NULL
        self.parts += 1
        run = kind(element, scope, faults)
        type_ = self.types.of(element)
        return run if type_ is ANY else typed(run, type_, f"the {local(element)}")

    def child(self, element: etree._Element | None, scope: Scope, faults: Wrongs) -> Run:
        """The closure of the one expression inside of an element."""
        found = None if element is None else expression_in(element)
        return _NULL if found is None else self.compiled(found, scope, faults)

    # -- texts

    def literal(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        text = text_of(element)
        return self.text(element, text, scope, faults, "the expression") if text else _NULL

    def text(
        self, element: etree._Element, text: str, scope: Scope, faults: Wrongs, what: str, type_: Type = ANY
    ) -> Run:
        """The closure of a text in the language of its element, which should give a value of the type."""
        language = self._language(element, text, faults, what)
        if language != "feel":
            return self._juel(element, text, faults, what) if language == "juel" else _NULL
        try:
            feel = self.compiler.feel(text.removeprefix("="), scope, self.types.all, self.members)
        except ExpressionError as error:
            if self.types.is_camunda and self._is_juel(text):
                return self._juel(element, text, faults, what)
            self._misread(element, error, faults, what)
            return _NULL
        doubts = [*feel.certain, *feel.impossible]
        if feel.is_constant and (why := _misfit(feel.run(None), type_)):
            doubts.append(Doubt(why, 0))
        self._certain(element, doubts, feel.source, faults, what)
        self.parts += feel.parts
        return feel.run

    def cell(
        self, element: etree._Element, scope: Scope, faults: Wrongs, what: str, column: InputClause | None = None
    ) -> Cell | None:
        """The cell of a rule for a column; None where anything fits."""
        text = text_of(element)
        if text in ANYTHING:
            return None
        language = self._language(element, text, faults, what)
        if language != "feel":
            return _juel_cell(self._juel(element, text, faults, what) if language == "juel" else _NULL)
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

    def _misread(self, element: etree._Element, error: ExpressionError, faults: Wrongs, what: str) -> None:
        drawn = f"\n{error.drawn}" if isinstance(error, FeelSyntaxError) else ""
        faults.wrong("decision-expression", element, f"{what} cannot be read: {error.message}.{drawn}")

    def _certain(self, element: etree._Element, certain: Iterable[Doubt], text: str, faults: Wrongs, what: str) -> None:
        for doubt in certain:
            shown = pointed(text, doubt.position)
            faults.doubtful("expression-null", element, f"{what} is null, or a part of it: {doubt.why}.\n{shown}")

    def _juel(self, element: etree._Element, text: str, faults: Wrongs, what: str) -> Run:
        try:
            made: Expression = self.compiler.expression(text)
        except ExpressionError as error:
            faults.wrong("decision-expression", element, f"{what} is wrong. {error.message}")
            return _NULL
        return lambda place: made.evaluate(self._context_at(place))

    def _is_juel(self, text: str) -> bool:
        """Whether a text in no named language is one of JUEL, the default of Camunda 7 for what is not a cell."""
        try:
            self.compiler.expression(text)
        except ExpressionError:
            return False
        return True

    def _context_at(self, place: Value) -> Context:
        """The names of a place as JUEL sees them: only values of JSON."""
        frames: list[Mapping[str, Value]] = []
        while type(place) is tuple:
            frame, place = place
            frames.append(frame)
        context: Context = place
        for frame in reversed(frames):
            plain = {name: value for name, value in frame.items() if not isinstance(value, Defined)}
            context = context.child(to_json(plain, self.compiler.limits))
        return context

    def _language(self, element: etree._Element, text: str, faults: Wrongs, what: str) -> Literal["feel", "juel", ""]:
        named = element.get("expressionLanguage") or element.getroottree().getroot().get("expressionLanguage")
        if named is None and text.startswith(("${", "#{")):
            return "juel"
        if named is None or "feel" in named.lower():
            return "feel"
        if named.lower() == "juel":
            return "juel"
        faults.wrong("decision-language", element, f"{what} is written in {named[:80]!r}: write it in FEEL or JUEL.")
        return ""

    # -- contexts, lists, calls

    def context(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        entries: list[tuple[str, Run]] = []
        result: Run | None = None
        scope = within(scope, ())
        for entry in element.iterchildren("{*}contextEntry"):
            variable, found = entry.find("{*}variable"), expression_in(entry)
            name = "" if variable is None else variable.get("name", "")
            run = _NULL if found is None else self.compiled(found, scope, faults, name)
            if variable is None:
                result = run
                continue
            type_ = self.types.of(variable)
            entries.append((name, run if type_ is ANY else typed(run, type_, f"the entry {name!r}")))
            scope.names.add(name)
        if result is None:
            return closures.context_of(entries)
        last = result

        def value(place: Value) -> Value:
            made: dict[str, Value] = {}
            inner = (made, place)
            for name, run in entries:
                made[name] = run(inner)
            return last(inner)

        return value

    def invocation(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        function, arguments = _NULL, {}
        for child in element.iterchildren("{*}*"):
            if local(child) == "binding":
                parameter = child.find("{*}parameter")
                name = "" if parameter is None else parameter.get("name", "")
                arguments[name] = self.child(child, scope, faults)
            elif child is expression_in(element):
                function = self.compiled(child, scope, faults)
        return closures.call_named(function, arguments, "what is invoked")

    def list(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        return closures.listed([self.compiled(each, scope, faults) for each in expressions_in(element)])

    def relation(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        columns = [column.get("name", "") for column in element.iterchildren("{*}column")]
        rows: list[Run] = []
        for row in element.iterchildren("{*}row"):
            cells = [self.compiled(each, scope, faults) for each in expressions_in(row)]
            if len(cells) != len(columns):
                faults.wrong("decision-relation", row, "a row does not have one cell for each column: complete it.")
                return _NULL
            rows.append(_record(columns, cells))
        return closures.listed(rows)

    def function(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        kind = element.get("kind", "FEEL")
        if kind != "FEEL":
            text = f"a function of {kind[:40]} cannot be called: write it in FEEL, or call a stone."
            faults.wrong("decision-unsupported", element, text)
            return _NULL
        parameters = self.parameters(element)
        found = expression_in(element)
        inner = within(scope, parameters)
        begin = self.parts
        body = _NULL if found is None else self.compiled(found, inner, faults)
        return closures.defined(parameters, body, parts=self.repeated(begin))

    def repeated(self, begin: int) -> int:
        """What it costs to run again what was compiled since ``parts`` were so many."""
        return _PARTS + _REPEATED * (self.parts - begin)

    def parameters(self, element: etree._Element) -> dict[str, Type]:
        """The parameters of a function by name."""
        return {each.get("name", ""): self.types.of(each) for each in element.iterchildren("{*}formalParameter")}

    # -- conditions and iterations

    def conditional(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        condition, then, otherwise = (self.child(element.find(f"{{*}}{name}"), scope, faults) for name in _BRANCHES)

        def run(place: Value) -> Value:
            """Unlike ``if``, it is null where the condition is neither a boolean nor null (table 71)."""
            found = condition(place)
            if found is not None and type(found) is not bool:
                return fault(f"the condition is {described(found)} and no boolean")
            return then(place) if found else otherwise(place)

        return run

    def filter(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        items = self.child(element.find("{*}in"), scope, faults)
        inner = Scope(within(scope, ["item"]).names, is_open=True)
        begin = self.parts
        condition = self.child(element.find("{*}match"), inner, faults)
        return closures.filtered(items, condition, is_condition=False, parts=self.repeated(begin))

    def loop(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        loop, name = self._iterator(element, scope, faults)
        begin = self.parts
        body = self.child(element.find("{*}return"), within(scope, [name, PARTIAL]), faults)
        return closures.iteration([loop], body, parts=self.repeated(begin), sees_partial=True)

    def quantified(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        loop, name = self._iterator(element, scope, faults)
        begin = self.parts
        condition = self.child(element.find("{*}satisfies"), within(scope, [name]), faults)
        is_some = local(element) == "some"
        return closures.quantified([loop], condition, decisive=is_some, parts=self.repeated(begin))

    def _iterator(self, element: etree._Element, scope: Scope, faults: Wrongs) -> tuple[Loop, str]:
        name = element.get("iteratorVariable", "")
        return (name, self.child(element.find("{*}in"), scope, faults), None), name

    # -- tables

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
            return InputClause(shown, _NULL, own_name=own)
        run = self.text(expression, text, scope, faults, what)
        if allowed is None or text_of(allowed) in ANYTHING:
            return InputClause(shown[:80], run, self.types.of(expression), own_name=own)
        cell, values = self.cell(allowed, scope, faults, what), None
        with suppress(ExpressionError):
            values = self.compiler.tests(text_of(allowed), scope, self.types.all, self.members).constants
        return InputClause(shown[:80], run, self.types.of(expression), cell, own, values)

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
            return Rule(number, row.get("id"), [None] * len(inputs), [_NULL] * len(outputs))
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
            return _NULL
        return self.text(cell, text, scope, faults, what, column.type)


_SINGLE = frozenset({"number", "string", "boolean"})
"""Kinds that no other kind is converted to."""
_BRANCHES = ("if", "then", "else")
_EXPRESSIONS = frozenset(
    "literalExpression decisionTable context invocation list relation functionDefinition conditional filter for some"
    " every".split()
)


def expressions_in(element: etree._Element) -> list[etree._Element]:
    """The boxed expressions directly inside of an element."""
    return [child for child in element.iterchildren("{*}*") if local(child) in _EXPRESSIONS]


def expression_in(element: etree._Element) -> etree._Element | None:
    """The first boxed expression directly inside of an element."""
    return next(iter(expressions_in(element)), None)


def within(scope: Scope, names: Iterable[str]) -> Scope:
    """The scope with more names in it."""
    return Scope(Names(scope.names.all | set(names)), scope.is_open)


def typed(run: Run, type_: Type, what: str) -> Run:
    """The value of a closure as a type has it."""
    return lambda place: coerced(run(place), type_, what)


def _record(columns: Sequence[str], cells: Sequence[Run]) -> Run:
    return lambda place: {name: cell(place) for name, cell in zip(columns, cells, strict=True)}


def _misfit(value: Value, type_: Type) -> str:
    """Why a value that is known before is not of the type; empty if it is."""
    if type_ is ANY or value is None:
        return ""
    with apart():
        return "" if coerced(value, type_, "it") is not None else "; ".join(reasons())


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
