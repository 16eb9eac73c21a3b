"""The decisions of the files that are deployed together, and what one evaluation of them gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lxml import etree

from ..errors import ExpressionError
from ..findings import Finding
from ..language.compiler import Compiler
from ..language.context import Context
from ..language.feel import faults as reasons
from ..language.feel.functions import FunctionValue
from ..language.feel.values.kinds import Value
from ..language.feel.values.types import from_json
from .definitions import DecisionFile
from .elements import DecisionElement, Element, Evaluation, Service
from .faults import Sources
from .outcome import DecisionOutcome


class Decisions:
    """All files of one deployment. Only what is wrong with what is used keeps it from being deployed."""

    def __init__(self, roots: Sequence[etree._Element], compiler: Compiler, sources: Sources | None = None) -> None:
        """``sources`` are the names of the files by their roots."""
        self.files = [DecisionFile(root, compiler, sources) for root in roots]
        for each in self.files:
            each.join(self.files)
        for each in self.files:
            each.connect()
        for each in self.files:
            each.compile()
        self._used: set[Element] = set()
        self.by_id: dict[str, DecisionElement] = {}
        self._owner: dict[Element, DecisionFile] = {}
        for each in self.files:
            for element in each.elements.values():
                self._owner[element] = each
                if not isinstance(element, DecisionElement):
                    continue
                if element.id in self.by_id:
                    text = f"the id {element.id[:80]!r} is used for a decision in several files: change it."
                    each.general.wrong("decision-id", each.root, text)
                self.by_id.setdefault(element.id, element)
        self._refuse_cycles()

    def named(self, wanted: str) -> Element | None:
        """The decision, service or function of an id, else of a name that only one of them has."""
        everything = [element for each in self.files for element in each.elements.values()]
        for matches in ([each for each in everything if key(each) == wanted] for key in (_id, _name)):
            found = [each for each in matches if isinstance(each, DecisionElement)] or matches
            if len(found) == 1:
                return found[0]
        return None

    @property
    def evaluable(self) -> Iterator[DecisionElement | Service]:
        """The decisions and decision services that can be evaluated by themselves."""
        for each in self.files:
            for element in each.elements.values():
                if isinstance(element, DecisionElement | Service) and element.is_usable:
                    yield element

    def use(self, wanted: str) -> DecisionElement | None:
        """The decision that a process makes, with all that it requires; None if there is none."""
        found = self.by_id.get(wanted)
        pending: list[Element] = [] if found is None else [found]
        while pending:
            current = pending.pop()
            if current not in self._used:
                self._used.add(current)
                pending.extend(each.element for each in current.required)
        return found

    @property
    def key(self) -> str | None:
        """By which files without processes are found: the id of the first, or of its first decision."""
        if not self.by_id:
            return None
        return (self.files[0].root.get("id") or next(iter(self.by_id)))[:255]

    @property
    def name(self) -> str | None:
        """What the author calls the first file."""
        return next((each.root.get("name") for each in self.files), None)

    def use_all(self) -> None:
        """Any of them may be meant."""
        for each in self.files:
            self._used.update(each.elements.values())

    @property
    def findings(self) -> Iterator[Finding]:
        """What is wrong: errors in what is used, warnings in all else."""
        for each in self.files:
            yield from each.general.found
            for element_id, faults in each.faults.items():
                used = each.elements[element_id] in self._used
                yield from (finding if used else replace(finding, severity="warning") for finding in faults.found)

    def _refuse_cycles(self) -> None:
        needs = {
            element: [each.element for each in element.required if isinstance(each.element, DecisionElement)]
            for element in self._owner
            if isinstance(element, DecisionElement)
        }
        for element in _in_cycles(needs):
            owner = self._owner[element]
            text = "it needs itself in the end: take one requirement away."
            owner.faults[element.id].wrong("decision-cycle", owner.root, text)
            element.required, element.is_usable = [], False


def _in_cycles(needs: Mapping[DecisionElement, Sequence[Element]]) -> list[DecisionElement]:
    """One of each circle of needs: with what it needs taken away, no circle is left."""
    found: list[DecisionElement] = []
    done: set[Element] = set()
    open_: dict[DecisionElement, Iterator[Element]] = {}
    for first in needs:
        if first in done:
            continue
        open_[first] = iter(needs[first])
        while open_:
            current = next(reversed(open_))
            needed = next(open_[current], None)
            if not isinstance(needed, DecisionElement):
                del open_[current]
                done.add(current)
            elif needed in open_:
                found.append(needed)  # the way down leads back to something on it
            elif needed not in done:
                open_[needed] = iter(needs[needed])
    return list(dict.fromkeys(found))


def _id(element: Element) -> str:
    return element.id


def _name(element: Element) -> str:
    return element.name


def evaluate(element: Element, context: Context) -> DecisionOutcome:
    """The outcome of a decision, a service or a function, with arguments by their names in the context.

    Raises ExpressionError for what cannot be read, or needs more than a limit allows.
    """
    reasons.forget()
    evaluation = Evaluation(context)
    try:
        value = evaluation.value(element)
        if isinstance(value, FunctionValue) and not isinstance(element, DecisionElement):
            value = value.call(_arguments(value, context))
    except RecursionError:
        raise ExpressionError(f"The decision {element.label} is nested too deep: make it flatter.") from None
    return DecisionOutcome(element, value, evaluation.hits, reasons.reasons())


def _arguments(function: FunctionValue, context: Context) -> list[Value]:
    """What a function that is called from outside is given: the variables of the names of its parameters."""
    found = [context.find((name,)) for name in function.parameters]
    return [from_json(value, type_) for value, type_ in zip(found, function.parameter_types, strict=True)]
