"""The one context that a process has: start variables and outputs, with the locals of a scope in front."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ReferenceNotFound
from ..jsontext import JSON
from . import effort

Path = tuple[str, ...]

EXECUTION = "execution"

_MISSING = object()
# Keys that are joined from several segments can branch; a lookup gives up rather than search a hostile value.
_MOST_BRANCHES = 256


class Context:
    """``parameters`` are the start variables, ``outputs`` what the stones put out, by namespace.

    What a lookup returns is the thing itself, not a copy: do not change it.
    """

    __slots__ = ("_scopes", "execution", "outputs", "parameters")

    def __init__(
        self,
        parameters: dict[str, JSON] | None = None,
        outputs: Mapping[str, JSON] | None = None,
    ) -> None:
        self.parameters: dict[str, JSON] = {} if parameters is None else parameters
        self.outputs: Mapping[str, JSON] = {} if outputs is None else outputs
        self.execution: Mapping[str, JSON] = {}
        """What models for the Java engines read of ``execution``, where no variable is called so."""
        self._scopes: tuple[Mapping[str, JSON], ...] = ()

    def alike(self, parameters: dict[str, JSON], outputs: Mapping[str, JSON]) -> Context:
        """One of the same process with other parameters or outputs."""
        found = type(self)(parameters, outputs)
        found.execution = self.execution
        return found

    def child(self, locals: Mapping[str, JSON]) -> Context:
        """A view of the same parameters and outputs that looks into ``locals`` first; it sees later changes of all."""
        view = self.alike(self.parameters, self.outputs)
        view._scopes = (locals, *self._scopes)
        return view

    def visible(self) -> dict[str, JSON]:
        """Every variable by its plain name, the locals of the innermost scope before those around it."""
        found = dict(self.parameters)
        for scope in reversed(self._scopes):
            found |= scope
        return found

    def lookup(self, path: Path) -> JSON:
        """The value at a path of segments; raises ReferenceNotFound.

        ``parameters`` and ``outputs`` as first segment name the two halves, unless a local is called so;
        any other first segment is sought in the locals, the innermost first, then in the parameters.
        A key that holds dots is found from the segments that make it up, and a list by the number of its item.
        """
        found = self.find(path, _MISSING)
        if found is _MISSING:
            raise ReferenceNotFound(".".join(path))
        return found

    def find(self, path: Path, default: JSON = None) -> JSON:
        """As :meth:`lookup`, with ``default`` for what is not there."""
        head = path[0]
        for scope in self._scopes:
            # A local hides what is outside under the same name, even where the rest of the path leads nowhere.
            if head in scope:
                return _descend(scope, path, 0, default)
            found = _descend(scope, path, 0, _MISSING)
            if found is not _MISSING:
                return found
        if head == "parameters":
            return _descend(self.parameters, path, 1, default)
        if head == "outputs":
            if len(path) == 1 and type(self.outputs) is not dict:
                return dict(self.outputs)
            return _descend(self.outputs, path, 1, default)
        if head == EXECUTION and self.execution and head not in self.parameters:
            return _descend(self.execution, path, 1, default)
        return _descend(self.parameters, path, 0, default)


def member(value: JSON, key: str) -> JSON:
    """The member of an object or the item of a list that one segment names; raises KeyError."""
    if isinstance(value, Mapping):
        return value[key]
    if isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(value):
        return value[int(key)]
    raise KeyError(key)


def _descend(value: JSON, path: Path, start: int, default: JSON) -> JSON:
    here = value
    for segment in path[start:] if start else path:
        if type(here) is dict and segment in here:
            here = here[segment]
            continue
        try:
            here = member(here, segment)
        except KeyError:
            return _descend_joined(value, path, start, default) if len(path) - start > 1 else default
    return here


def _descend_joined(value: JSON, path: Path, start: int, default: JSON) -> JSON:
    """Depth first over the ways to join segments into keys, the shortest keys first."""
    stack: list[tuple[JSON, int]] = [(value, start)]
    for _ in range(_MOST_BRANCHES):
        if not stack:
            break
        here, start = stack.pop()
        if start == len(path):
            return here
        effort.charge(len(path) - start)
        found: list[tuple[JSON, int]] = []
        for end in range(start + 1, len(path) + 1 if isinstance(here, Mapping) else start + 2):
            try:
                found.append((member(here, ".".join(path[start:end])), end))
            except KeyError:
                continue
        stack.extend(reversed(found))
    return default
