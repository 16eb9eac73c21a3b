"""Texts of DMN files, compiled in the language of their element; what is wrong is told with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from lxml import etree

from ..errors import ExpressionError
from ..language.compiler import Compiler
from ..language.context import Context
from ..language.expressions import Expression
from ..language.feel import closures
from ..language.feel.border import to_json
from ..language.feel.closures import Run
from ..language.feel.faults import apart, reasons
from ..language.feel.functions import Defined
from ..language.feel.reading.names import DeclaredNames, Scope
from ..language.feel.reading.places import Doubt, FeelSyntaxError, pointed
from ..language.feel.values.kinds import Value
from ..language.feel.values.types import ANY, Type, coerced
from .faults import Wrongs, text_of
from .item_definitions import ItemDefinitions

NULL = closures.constant(None)


class TextReader:
    """Compiles the texts of one file; what is wrong goes to ``faults``, and is null where it is evaluated."""

    def __init__(self, compiler: Compiler, types: ItemDefinitions, members: DeclaredNames) -> None:
        self.compiler = compiler
        self.types = types
        self.members = members
        self.parts = 0
        """Of what was compiled so far, as effort counts them."""

    def literal(self, element: etree._Element, scope: Scope, faults: Wrongs) -> Run:
        text = text_of(element)
        return self.text(element, text, scope, faults, "the expression") if text else NULL

    def text(
        self, element: etree._Element, text: str, scope: Scope, faults: Wrongs, what: str, type_: Type = ANY
    ) -> Run:
        """The closure of a text in the language of its element, which should give a value of the type."""
        language = self._language(element, text, faults, what)
        if language != "feel":
            return self._juel(element, text, faults, what) if language == "juel" else NULL
        try:
            feel = self.compiler.feel(text.removeprefix("="), scope, self.types.all, self.members)
        except ExpressionError as error:
            if self.types.is_camunda and self._is_juel(text):
                return self._juel(element, text, faults, what)
            self._misread(element, error, faults, what)
            return NULL
        doubts = [*feel.certain, *feel.impossible]
        if feel.is_constant and (why := _misfit(feel.run(None), type_)):
            doubts.append(Doubt(why, 0))
        self._certain(element, doubts, feel.source, faults, what)
        self.parts += feel.parts
        return feel.run

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
            return NULL
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


def within(scope: Scope, names: Iterable[str]) -> Scope:
    """The scope with more names in it."""
    return Scope(DeclaredNames(scope.names.all | set(names)), scope.is_open)


def _misfit(value: Value, type_: Type) -> str:
    """Why a value that is known before is not of the type; empty if it is."""
    if type_ is ANY or value is None:
        return ""
    with apart():
        return "" if coerced(value, type_, "it") is not None else "; ".join(reasons())
