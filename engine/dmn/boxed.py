"""Boxed expressions of DMN files, compiled (DMN 1.5, 7.3 and 10.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lxml import etree

from ..language.feel import closures, loops
from ..language.feel.closures import Run
from ..language.feel.faults import fault
from ..language.feel.loops import PARTIAL, Loop
from ..language.feel.reading.names import Scope
from ..language.feel.values.kinds import Value, described
from ..language.feel.values.types import ANY, Type, coerced
from .faults import Wrongs, local
from .table_reader import TableReader
from .text_reader import NULL, within

_PARTS = 10
"""What a boxed iterator or function costs each time beside its body."""
_REPEATED = 4
"""What a token costs that is evaluated again and again, in the time of a look at a member of a list."""


class BoxedExpressions(TableReader):
    """Compiles the expressions of one file."""

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
            return NULL
        self.parts += 1
        run = kind(element, scope, faults)
        type_ = self.types.of(element)
        return run if type_ is ANY else typed(run, type_, f"the {local(element)}")

    def child(self, element: etree._Element | None, scope: Scope, faults: Wrongs) -> Run:
        """The closure of the one expression inside of an element."""
        found = None if element is None else expression_in(element)
        return NULL if found is None else self.compiled(found, scope, faults)

    # -- contexts, lists, calls

    def context(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        entries: list[tuple[str, Run]] = []
        result: Run | None = None
        scope = within(scope, ())
        for entry in element.iterchildren("{*}contextEntry"):
            variable, found = entry.find("{*}variable"), expression_in(entry)
            name = "" if variable is None else variable.get("name", "")
            run = NULL if found is None else self.compiled(found, scope, faults, name)
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
        function, arguments = NULL, {}
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
                return NULL
            rows.append(_record(columns, cells))
        return closures.listed(rows)

    def function(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        kind = element.get("kind", "FEEL")
        if kind != "FEEL":
            text = f"a function of {kind[:40]} cannot be called: write it in FEEL, or call a stone."
            faults.wrong("decision-unsupported", element, text)
            return NULL
        parameters = self.parameters(element)
        found = expression_in(element)
        inner = within(scope, parameters)
        begin = self.parts
        body = NULL if found is None else self.compiled(found, inner, faults)
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
        return loops.iteration([loop], body, parts=self.repeated(begin), sees_partial=True)

    def quantified(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        loop, name = self._iterator(element, scope, faults)
        begin = self.parts
        condition = self.child(element.find("{*}satisfies"), within(scope, [name]), faults)
        is_some = local(element) == "some"
        return loops.quantified([loop], condition, decisive=is_some, parts=self.repeated(begin))

    def _iterator(self, element: etree._Element, scope: Scope, faults: Wrongs) -> tuple[Loop, str]:
        name = element.get("iteratorVariable", "")
        return (name, self.child(element.find("{*}in"), scope, faults), None), name


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


def typed(run: Run, type_: Type, what: str) -> Run:
    """The value of a closure as a type has it."""
    return lambda place: coerced(run(place), type_, what)


def _record(columns: Sequence[str], cells: Sequence[Run]) -> Run:
    return lambda place: {name: cell(place) for name, cell in zip(columns, cells, strict=True)}
