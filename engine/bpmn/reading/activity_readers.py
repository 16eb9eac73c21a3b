"""What all activities have, read from their XML: mappings, quantities, loops (BPMN 2.0, 10.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from lxml import etree

from ...language.mapped import InOrder, member_of
from ..elements.activity import Activity
from ..running.node import Process
from .bindings import Binding
from .loop_readers import read_loop
from .mappings import Input, OutputMapping, read_io, zeebe_mappings
from .model_reader import AnyNode, ModelReader
from .words import is_true

if TYPE_CHECKING:
    from ...language.expressions import Value

Kind = TypeVar("Kind", bound=Activity)


def mapped(
    reader: ModelReader, process: Process, element: etree._Element, kind: type[AnyNode], binding: Binding | None = None
) -> AnyNode:
    """A node with what the model lets in and out, which a ``binding`` has read already."""
    node = reader.node(kind, process, element)
    io = read_io(element) if binding is None else binding
    if io.inputs:
        node.input_values = dict(_inputs(reader, element, io.inputs))
    if io.outputs:
        node.output_values = tuple(_outputs(reader, element, io.outputs))
    if next(zeebe_mappings(element, "output"), None) is not None:
        node.only_mapped = True
    return node


def _inputs(reader: ModelReader, element: etree._Element, inputs: Mapping[str, Input]) -> Iterator[tuple[str, Value]]:
    """What is let in: of Zeebe each sees those before it, while the Java engines read all of them outside."""
    order = InOrder()
    for name, given in inputs.items():
        value = reader.value(element, given)
        yield name, order.add(name, value) if given.in_order else value


def _outputs(
    reader: ModelReader, element: etree._Element, mappings: Iterable[OutputMapping]
) -> Iterator[tuple[str, Value]]:
    """What is let out: in every vendor's engine each mapping sees those before it."""
    order = InOrder()
    for mapping in mappings:
        value = reader.value(element, mapping)
        if mapping.members:
            value = member_of((mapping.target, *mapping.members), value)
        yield mapping.target, order.add(mapping.target, value)


_MOST = 10**18
"""More tokens than there ever are, for whatever is larger: Python reads no number of any length."""


def _quantity(element: etree._Element, name: str) -> int:
    digits = element.get(name, "1").strip().lstrip("+").lstrip("0")
    if len(digits) > 18:
        return 1 if digits[0] == "-" else _MOST
    return max(1, int(digits or "0"))


def activity(
    reader: ModelReader,
    process: Process,
    element: etree._Element,
    kind: type[Kind],
    binding: Binding | None = None,
) -> Kind:
    """A node with what all activities have: mappings, a loop, quantities."""
    node = mapped(reader, process, element, kind, binding)
    # What is as with most nodes is said by their class: Python keeps few attributes without a dictionary for each.
    if is_true(element, "isForCompensation"):
        node.for_compensation = True
    if (often := _quantity(element, "completionQuantity")) != 1:
        node.completion_quantity = often
    if (often := _quantity(element, "startQuantity")) != 1:
        node.start_quantity = often
    if (loop := read_loop(reader, element)) is not None:
        node.loop = loop
    return node
