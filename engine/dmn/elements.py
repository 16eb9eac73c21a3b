"""What a decision requirements graph is made of, and how each part comes to its value (DMN 1.5, 6.3 and 10.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import ExpressionError
from ..language import effort
from ..language.context import Context
from ..language.feel import closures
from ..language.feel.closures import Run
from ..language.feel.faults import fault
from ..language.feel.functions import Defined, FunctionValue, deeper
from ..language.feel.values.kinds import Value
from ..language.feel.values.members import ABSENT
from ..language.feel.values.types import ANY, Type, coerced, from_json
from .decision_table import DecisionTable, Hits
from .faults import drawn

_NULL = closures.constant(None)
_EVALUATION = 5
"""What it costs to evaluate one element, beside its expressions."""


@dataclass(eq=False, slots=True, kw_only=True)
class Element:
    """A part of the graph; ``name`` is by what expressions call it."""

    id: str
    name: str
    type: Type = ANY
    required: Sequence[Requirement] = field(default_factory=list)
    is_usable: bool = True
    """Whether it could be read."""
    version_tag: str | None = None
    parts: int = 0
    """What its expressions cost, but for the rules of tables."""

    @property
    def label(self) -> str:
        """How texts call it: by its drawn name with the id behind."""
        return drawn(self.name, self.id)


class Requirement(NamedTuple):
    """What an element may speak of, and under which name of an import."""

    element: Element
    prefix: str | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class InputData(Element):
    """What has to be given."""


@dataclass(eq=False, slots=True, kw_only=True)
class DecisionElement(Element):
    """A value made from others; its logic is a table of its own or any other expression."""

    table: DecisionTable | None = None
    run: Run = _NULL
    aliases: Sequence[str] = ()
    """By what else it may be called, as the Java engines have it."""
    output_names: Sequence[str] = ()
    """Of its table; a single row of them may be spoken of without the name of the decision, as in Camunda 7."""


@dataclass(eq=False, slots=True, kw_only=True)
class Knowledge(Element):
    """A business knowledge model: a function."""

    parameters: Mapping[str, Type] = field(default_factory=dict)
    body: Run = _NULL


@dataclass(eq=False, slots=True, kw_only=True)
class Service(Element):
    """A decision service: decisions as a function of what is given to them."""

    inputs: Sequence[Element] = ()
    outputs: Sequence[DecisionElement] = ()


class Evaluation:
    """One evaluation of a graph: each element comes to its value at most once."""

    def __init__(self, variables: Context, given: Mapping[Element, Value] | None = None) -> None:
        self.variables = variables
        self.values: dict[Element, Value] = dict(given or {})
        self._bare: list[tuple[Knowledge, dict[str, Value]]] = []
        """Functions that have still to be given what they require."""
        self.hits: dict[DecisionElement, Hits] = {}
        """Of the decisions that have a table, in the order in which they were made."""
        self._imported: dict[str, Evaluation] = {}

    def within(self, prefix: str | None) -> Evaluation:
        """Where the elements of an import come to their values: it is another where inputs are given by its name.

        ``{"mc": {"x": 1}}`` gives the input ``x`` to what is imported as ``mc``, whatever ``x`` is elsewhere.
        """
        if prefix is None:
            return self
        if prefix not in self._imported:
            given = self.variables.find((prefix,))
            inner = self
            if type(given) is dict:
                inner = Evaluation(self.variables.child(given))
                inner.hits = self.hits
            self._imported[prefix] = inner
        return self._imported[prefix]

    def value(self, element: Element) -> Value:
        """The value of an element, after all that it requires; raises ExpressionError beyond a limit."""
        pending = [element]
        while pending:
            here = pending[-1]
            missing = () if here in self.values else [each for each in self._before(here) if each not in self.values]
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            if here not in self.values:
                effort.charge(_EVALUATION + (here.parts if isinstance(here, DecisionElement) else 0))
                self.values[here] = self._made(here)
        return self.values[element]

    def _made(self, element: Element) -> Value:
        if not element.is_usable:
            raise ExpressionError(f"The decision {element.label} cannot be made: it has errors, which lint tells.")
        if isinstance(element, InputData):
            return self._input(element)
        if isinstance(element, DecisionElement):
            return self._decision(element)
        if isinstance(element, Knowledge):
            return self._knowledge(element)
        assert isinstance(element, Service)
        return ServiceFunction(element, self.variables)

    def _input(self, element: InputData) -> Value:
        found = self.variables.find((element.name,), ABSENT)
        if found is ABSENT:
            return ABSENT
        return coerced(from_json(found, element.type), element.type, f"the input {element.name!r}")

    def _decision(self, decision: DecisionElement) -> Value:
        place = self.place(decision, self.variables)
        try:
            if decision.table is None:
                value = decision.run(place)
            else:
                self.hits[decision] = hits = decision.table.decide(place)
                value = hits.value
        except ExpressionError as error:
            text = f"The decision {decision.label} cannot be made: {error.message}"
            raise error.reworded(text) from None
        return coerced(value, decision.type, f"the result of the decision {decision.name!r}")

    def _knowledge(self, knowledge: Knowledge) -> Value:
        # It is known before its own requirements are, so that it may call itself.
        frame: dict[str, Value] = {}
        returns = None if knowledge.type is ANY else knowledge.type
        made = Defined(
            knowledge.name,
            knowledge.parameters,
            knowledge.body,
            scope=(frame, Context()),
            parts=knowledge.parts,
            returns=returns,
        )
        self.values[knowledge] = made
        frame[knowledge.name] = made
        self._bare.append((knowledge, frame))
        if len(self._bare) == 1:
            # What it requires is made here and not inside of it: functions require each other in chains and circles.
            for each, place in self._bare:
                place.update({**self.place(each, Context())[0], **place})
            self._bare.clear()
        return made

    def place(self, element: Element, around: Context) -> tuple[dict[str, Value], Value]:
        """Where the names of an element are looked up: what it requires, and around it all that was given."""
        frame: dict[str, Value] = {}
        loose: dict[str, Value] = {}
        for requirement in element.required:
            required, prefix = requirement
            value = self.within(prefix).value(required)
            if value is ABSENT:
                continue
            if prefix is not None:
                frame[prefix] = {**frame.get(prefix, {}), required.name: value}
                continue
            frame[required.name] = value
            if isinstance(required, DecisionElement):
                rows = self.hits[required].rows if required in self.hits else ()
                loose.update(rows[0] if len(rows) == 1 else {})
                loose.update(dict.fromkeys(required.aliases, value))
        return (frame, (loose, around) if loose else around)

    def _before(self, element: Element) -> Sequence[Element]:
        """What has to have its value first; functions find what they require when they are made."""
        if not isinstance(element, DecisionElement):
            return ()
        needed = [each for each in element.required if not isinstance(each.element, Knowledge | Service)]
        return [each.element for each in needed if each.prefix is None or self.within(each.prefix) is self]


class ServiceFunction(FunctionValue):
    """A decision service as a value: its arguments take the place of its input data and input decisions."""

    __slots__ = ("service", "variables")

    def __init__(self, service: Service, variables: Context) -> None:
        names = [element.name for element in service.inputs]
        super().__init__(service.name, names, [element.type for element in service.inputs])
        self.service = service
        self.variables = variables

    def call(self, arguments: Sequence[Value]) -> Value:
        if len(arguments) != len(self.parameters):
            return fault(f"{self.name}() takes {len(self.parameters)} arguments and is given {len(arguments)}")
        given: dict[Element, Value] = {}
        for element, value in zip(self.service.inputs, arguments, strict=True):
            given[element] = coerced(value, element.type, f"{element.name} of {self.name}()")
            if given[element] is None and value is not None:
                return None
        with deeper(self.name):
            return self.result(Evaluation(Context(), given))

    def result(self, evaluation: Evaluation) -> Value:
        """The value of its one output decision, or a context of all of them."""
        values = {decision.name: evaluation.value(decision) for decision in self.service.outputs}
        value = next(iter(values.values())) if len(values) == 1 else values
        return coerced(value, self.service.type, f"the result of {self.name}()")
