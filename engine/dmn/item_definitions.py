"""Types that a file of decisions defines (DMN 1.5, 7.3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from lxml import etree

from ..errors import ExpressionError
from ..language.feel.expressions import Tests
from ..language.feel.reading.places import FeelSyntaxError
from ..language.feel.values.kinds import Value
from ..language.feel.values.types import ANY, OTHERWISE, SIMPLE, Type
from .faults import Wrongs, around, text_of

_FEEL = "/FEEL/"
_LONGEST_NAME = 1000
_JAVA = frozenset({"date"})
"""Types of Camunda 7 that mean more than those of FEEL: its ``date`` is a date with or without a time."""


class ItemDefinitions:
    """The types of one file by name; ``imported`` are those of others by the name of their import."""

    def __init__(
        self,
        root: etree._Element,
        compile_tests: Callable[[str], Tests],
        faults: Wrongs,
        *,
        is_camunda: bool = False,
    ) -> None:
        self._elements = {each.get("name", ""): each for each in root.iterchildren("{*}itemDefinition")}
        self._compile_tests = compile_tests
        self._faults = faults
        self.is_camunda = is_camunda
        self.imported: dict[str, ItemDefinitions] = {}
        self._made: dict[str, Type] = {}
        self._filled: set[str] = set()

    @cached_property
    def all(self) -> Mapping[str, Type]:
        """Every type of the file and of its imports by the name that expressions call it; asked once all are joined."""
        found = {name: self.named(name) for name in self._elements}
        for prefix, others in self.imported.items():
            found.update({f"{prefix}.{name}": others.named(name) for name in others._elements})
        return found

    def of(self, element: etree._Element | None, default: Type = ANY) -> Type:
        """The type that the ``typeRef`` of an element names."""
        reference = "" if element is None else (element.get("typeRef") or text_of(element, "typeRef"))
        return self.referenced(reference, element) if element is not None and reference else default

    def referenced(self, reference: str, element: etree._Element) -> Type:
        """The type of a reference: one of the file, of an import, or of FEEL."""
        if reference in self._elements:
            return self.named(reference)
        for sign in re.finditer("[.:]", reference[:_LONGEST_NAME]):
            others = self.imported.get(reference[: sign.start()])
            if others is not None and reference[sign.end() :] in others._elements:
                return others.named(reference[sign.end() :])
        name = reference
        prefix, colon, rest = reference.rpartition(":")
        if colon and (prefix.endswith("}") or _FEEL in (element.nsmap.get(prefix) or "") or prefix == "feel"):
            name = rest
        elif colon and rest in self._elements:
            return self.named(rest)
        if self.is_camunda and name in _JAVA:
            return ANY
        found = SIMPLE.get(OTHERWISE.get(name, name))
        if found is None:
            text = f"the type {reference[:80]!r} of {around(element)} is not defined: define it."
            self._faults.doubtful("unknown-type", element, text)
        return found or ANY

    def named(self, name: str) -> Type:
        """A type of this file; one that holds itself is the same object inside."""
        if name not in self._made:
            # What a type refers to is made before it, however long the chain is.
            pending = [name]
            while pending:
                current = pending[-1]
                if current not in self._made:
                    self._made[current] = Type("Any", current)
                    pending += [each for each in self._referred(self._elements[current]) if each not in self._made]
                    continue
                pending.pop()
                if current not in self._filled:
                    self._filled.add(current)
                    self._fill(self._made[current], self._elements[current], current)
        return self._made[name]

    def _referred(self, element: etree._Element) -> Iterator[str]:
        """The types of this file that a definition refers to."""
        for each in element.iter("{*}*"):
            for reference in (each.get("typeRef"), each.get("outputTypeRef"), text_of(each, "typeRef")):
                name = reference if reference in self._elements else (reference or "").rpartition(":")[2]
                if name in self._elements:
                    yield name

    def _fill(self, made: Type, element: etree._Element, name: str) -> None:
        is_collection = element.get("isCollection") == "true"
        single = Type("Any", name) if is_collection else made
        components = element.findall("{*}itemComponent")
        function = element.find("{*}functionItem")
        if components:
            single.kind = "context"
            single.members = {each.get("name", ""): self._component(each, name) for each in components}
        elif function is not None:
            parameters = [self.of(each) for each in function.iterchildren("{*}parameters")]
            returns = self.referenced(ref, function) if (ref := function.get("outputTypeRef")) else None
            single.kind, single.parameters, single.returns = "function", parameters or None, returns
        else:
            base = self.of(element)
            for field in ("kind", "item", "members", "parameters", "returns", "allows"):
                setattr(single, field, getattr(base, field))
        single.allows = self._allowed(element, "allowedValues", single.allows)
        if is_collection:
            made.kind, made.item = "list", single
        made.allows = self._allowed(element, "typeConstraint", made.allows)

    def _component(self, element: etree._Element, name: str) -> Type:
        made = Type("Any", f"{name}.{element.get('name', '')}")
        self._fill(made, element, made.name)
        return made

    def _allowed(
        self, element: etree._Element, which: str, already: Callable[[Value], bool | None] | None
    ) -> Callable[[Value], bool | None] | None:
        constraint = element.find(f"{{*}}{which}")
        text = text_of(constraint)
        if constraint is None or not text:
            return already
        try:
            cell = self._compile_tests(text).cell
        except ExpressionError as error:
            values = f"the values of the type {(element.get('name') or '')[:80]!r}"
            shown = f"\n{error.drawn}" if isinstance(error, FeelSyntaxError) else ""
            self._faults.wrong("decision-expression", constraint, f"{values} cannot be read: {error.message}.{shown}")
            return already
        if already is None:
            return lambda value: cell(value, None)
        return lambda value: already(value) is True and cell(value, None)
