"""What a compensation handler reads of the outputs: kept when its activity completes, as it is then.

Later turns of a loop and other runs put theirs in its place, and a handler has to take back what its own has made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...language.context import Path
from ...language.expressions import Value
from ..running.node import Node
from .tasks import ScriptTask


class OutputsRead(NamedTuple):
    """The paths below ``outputs`` that are referred to; an empty one is all of them."""

    paths: Sequence[Path]
    own: frozenset[str]
    """The namespaces of what puts out something itself; these are read as they are."""

    @classmethod
    def of(cls, handler: Node) -> OutputsRead:
        """What a handler and all inside of it read."""
        nodes = [handler, *(handler.body.walk() if handler.body is not None else ())]
        own = frozenset(node.namespace for node in nodes)
        found = {path[1:] for node in nodes for path in _references(node) if path[0] == "outputs"}
        if any(isinstance(node, ScriptTask) for node in nodes):
            found.add(())
        return cls(sorted(path for path in found if not own.intersection(path[:1])), own)

    def kept_of(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the outputs, as they are now: the members that are named, or whole namespaces."""
        if () in self.paths:
            return {name: outputs[name] for name in outputs if name not in self.own}
        found: dict[str, Any] = {}
        for path in self.paths:
            # The id of an element may hold dots.
            for end in range(1, len(path) + 1):
                if (name := ".".join(path[:end])) in outputs:
                    whole = outputs[name]
                    member = path[end] if end < len(path) else None
                    if member is not None and isinstance(whole, dict) and member in whole:
                        found[name] = {member: whole[member], **found.get(name, {})}
                    else:
                        found[name] = whole
                    break
        return found


def _references(node: Node) -> Iterator[Path]:
    pending: list[Any] = [*vars(node).values(), *(flow.condition for flow in node.outgoing)]
    while pending:
        each = pending.pop()
        if isinstance(each, Value):
            yield from each.references
        elif isinstance(each, Mapping):
            pending.extend(each.values())
        elif isinstance(each, (list, tuple)):
            pending.extend(each)
