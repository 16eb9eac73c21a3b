"""What all activities have, read from their XML: mappings, quantities, loops (BPMN 2.0, 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lxml import etree

from ..elements.activity import Activity
from ..running.node import Process
from .bindings import Binding
from .loop_readers import read_loop
from .mappings import read_io, zeebe_mappings
from .model_reader import AnyNode, ModelReader
from .words import is_true

if TYPE_CHECKING:
    pass

Kind = TypeVar("Kind", bound=Activity)


def mapped(
    reader: ModelReader, process: Process, element: etree._Element, kind: type[AnyNode], binding: Binding | None = None
) -> AnyNode:
    """A node with what the model lets in and out, which a ``binding`` has read already."""
    node = reader.node(kind, process, element)
    io = read_io(element) if binding is None else binding
    node.input_values = {name: reader.value(element, given) for name, given in io.inputs.items()}
    node.output_values = [(mapping.target, reader.value(element, mapping)) for mapping in io.outputs]
    node.only_mapped = next(zeebe_mappings(element, "output"), None) is not None
    return node


def activity(
    reader: ModelReader,
    process: Process,
    element: etree._Element,
    kind: type[Kind],
    binding: Binding | None = None,
) -> Kind:
    """A node with what all activities have: mappings, a loop, quantities."""
    node = mapped(reader, process, element, kind, binding)
    node.for_compensation = is_true(element, "isForCompensation")
    node.completion_quantity = max(1, int(element.get("completionQuantity", "1")))
    node.start_quantity = max(1, int(element.get("startQuantity", "1")))
    node.loop = read_loop(reader, element)
    return node
