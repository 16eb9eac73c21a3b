"""What the mappings of one activity say, as the vendors' engines read it: in order, by name, as members of objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..jsontext import JSON
from . import effort
from .context import Context, Path
from .expressions import Value

_MOST_REFERENCES = 16
"""Those of a value that is read through another: in a chain of values they must not grow with its square."""
_MISSING: Any = object()


class InOrder:
    """Named values, each of which sees those before it in front of everything else: ``a = x``, then ``b = a + 1``."""

    def __init__(self) -> None:
        self._values: list[tuple[str, Value]] = []
        self._last: dict[str, tuple[int, Value]] = {}
        self._first: dict[str, int] = {}

    def add(self, name: str, value: Value) -> Value:
        """The value as it is evaluated behind those that were added before it."""
        count = len(self._values)
        made = value
        if count and not value.constant:
            made = _Behind(value, self, count, tuple(self._references(value)))
        self._values.append((name, value))
        self._first.setdefault(name, count)
        self._last[name] = count, made
        return made

    def before(self, count: int) -> Iterator[tuple[str, Value]]:
        """The first values, as they are by themselves."""
        return islice(self._values, count)

    def is_before(self, name: object, count: int) -> bool:
        """Whether one of the first values has this name."""
        return self._first.get(name, count) < count  # type: ignore[call-overload, no-any-return]

    def _references(self, value: Value) -> Iterator[Path]:
        """What it reads from outside, through the values before it as well."""
        for path in value.references:
            if path[0] in self._last:
                yield from self._last[path[0]][1].references[:_MOST_REFERENCES]
            else:
                yield path


class _Behind(Value):
    """A value that sees the first ``count`` of others."""

    __slots__ = ("alone",)

    def __init__(self, alone: Value, values: InOrder, count: int, references: Sequence[Path]) -> None:
        def run(context: Context) -> JSON:
            return alone.evaluate(context.child(_Earlier(values, count, context)))

        super().__init__(alone.source, run, references, False)
        self.alone = alone


class Evaluated:
    """Values evaluated one after the other: those that see the ones before them take these as they have come out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._behind: Context | None = None
        self._found: dict[str, JSON] = {}

    def add(self, name: str, value: Value) -> JSON:
        """The next value."""
        if isinstance(value, _Behind):
            self._behind = self._behind or self._context.child(self._found)
            made = value.alone.evaluate(self._behind)
        else:
            made = value.evaluate(self._context)
        self._found[name] = made
        return made


def all_of(values: Iterable[tuple[str, Value]], context: Context) -> dict[str, JSON]:
    """All of these values, by name."""
    evaluated = Evaluated(context)
    return {name: evaluated.add(name, value) for name, value in values}


class _Earlier(Mapping[str, JSON]):
    """The first of these values, evaluated in their order when one of them is asked for."""

    def __init__(self, values: InOrder, count: int, context: Context) -> None:
        self._values = values
        self._count = count
        self._context = context
        self._found: dict[str, JSON] | None = None

    def __getitem__(self, name: str) -> JSON:
        if name not in self:
            raise KeyError(name)
        if self._found is None:
            found: dict[str, JSON] = {}
            seen = self._context.child(found)
            for each, value in self._values.before(self._count):
                found[each] = value.evaluate(seen)
            self._found = found
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return self._values.is_before(name, self._count)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._values.before(self._count)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def member_of(path: Path, value: Value) -> Value:
    """The variable that the path begins with, once this value is the member at the path, beside all others."""

    def run(context: Context) -> JSON:
        made = value.evaluate(context)
        holders = [context.find(path[:1])]
        for name in path[1:-1]:
            holder = holders[-1]
            holders.append(holder.get(name) if isinstance(holder, dict) else None)
        for holder, name in zip(reversed(holders), reversed(path), strict=False):
            members = holder if isinstance(holder, dict) else {}
            effort.charge(len(members))
            made = {**members, name: made}
        return made

    source = value.source
    for name in reversed(path[1:]):
        source = {name: source}
    return Value(source, run, value.references, False)


def variable(name: str) -> Value:
    """The variable of this name, which is no expression: ``a+b`` and ``5`` are names too, ``a.b`` may be a member."""
    path = tuple(name.split("."))

    def run(context: Context) -> JSON:
        whole = context.find((name,), _MISSING)
        return context.lookup(path) if whole is _MISSING else whole

    return Value(name, run, [path], False)
