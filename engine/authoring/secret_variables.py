"""Start variables that are secret because a stone of the model takes them for a parameter that is not to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from ..bpmn.elements.subprocesses import CallActivity
from ..bpmn.elements.tasks import StoneTask
from ..bpmn.running.node import Node, Process
from ..jsontext import JSON
from ..language.context import Path
from ..stones.declarations.parameters import no_echo, taken_by_name
from ..stones.registry import Stones
from ..stones.stone import Stone


class SecretVariables(NamedTuple):
    """Where those of one model may be, whether or not a task has taken them yet."""

    paths: frozenset[Path]
    numbered: frozenset[Path]
    """Of these the first name may have a number behind it, for one run of a task."""

    def among(self, variables: Mapping[str, JSON]) -> frozenset[Path]:
        """The paths, with the numbers that these variables have."""
        names = [name for name in variables if name[-1:].isdigit()] if self.numbered else ()
        more = {(name, last) for first, last in self.numbered for name in names if name.rstrip("0123456789") == first}
        return self.paths | more


_known: WeakKeyDictionary[Process, tuple[int, SecretVariables]] = WeakKeyDictionary()


def secret_variables(process: Process, stones: Stones) -> SecretVariables:
    """Those of a process, as the stones are known now."""
    known = _known.get(process)
    if known is None or known[0] != stones.version:
        known = _known[process] = stones.version, _found_in(process, stones)
    return known[1]


def _found_in(process: Process, stones: Stones) -> SecretVariables:
    paths: set[Path] = set()
    numbered: set[Path] = set()
    for node in _nodes(process):
        for stone in stones.known_to_serve(node.stone if node.code.constant else None):
            secret = no_echo(stone)
            if secret:
                paths.update(_read_by(node, secret), _named_for(node, stone, secret))
                numbered.update((node.namespace, name) for name in secret if name not in node.input_values)
    return SecretVariables(frozenset(paths), frozenset(numbered))


def _nodes(process: Process) -> Iterator[StoneTask]:
    pending, seen = [process], {process}
    while pending:
        for node in pending.pop().walk():
            if isinstance(node, StoneTask):
                yield node
            called = node.own_process if isinstance(node, CallActivity) else None
            if called is not None and called not in seen:
                seen.add(called)
                pending.append(called)


def _read_by(node: Node, secret: frozenset[str]) -> Iterator[Path]:
    """What the inputs of a task take, each from one variable: of several, nobody can tell which is the secret."""
    assert isinstance(node, StoneTask)
    for name in secret & node.input_values.keys():
        references: Sequence[Path] = node.input_values[name].references
        if len(references) == 1 and references[0][0] != "outputs":
            path = references[0][1:] if references[0][0] == "parameters" else references[0]
            if path:
                yield path


def _named_for(node: StoneTask, stone: type[Stone], secret: frozenset[str]) -> Iterator[Path]:
    by_name = taken_by_name(stone)
    for name in secret - node.input_values.keys():
        yield (node.namespace, name)
        yield (stone.code, name)
        if name in by_name:
            yield (name,)
