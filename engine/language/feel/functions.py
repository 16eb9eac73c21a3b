"""Functions as values: those that an expression defines, and what all functions have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ...errors import ExpressionError
from .. import effort
from .faults import fault
from .values.kinds import Value
from .values.types import ANY, Type, coerced

MOST_CALLS = 64
"""Calls of defined functions inside of each other; each costs some Python frames."""


class _Calls(threading.local):
    deep = 0


_calls = _Calls()


class FunctionValue:
    """A function as a value; ``parameters`` are the names by which its arguments may be given."""

    __slots__ = ("name", "parameter_types", "parameters", "returns")

    def __init__(
        self,
        name: str,
        parameters: Sequence[str],
        parameter_types: Sequence[Type] = (),
        returns: Type | None = None,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.parameter_types = parameter_types
        self.returns = returns

    def call(self, arguments: Sequence[Value]) -> Value:
        """Its value for arguments in the order of its parameters; null if they do not fit."""
        raise NotImplementedError

    def call_named(self, arguments: Mapping[str, Value]) -> Value:
        """Its value for arguments by name; null if they do not fit."""
        for name in arguments:
            if name not in self.parameters:
                return fault(
                    f"{self.name}() has no parameter {name!r}: it takes {', '.join(self.parameters) or 'none'}"
                )
        missing = [name for name in self.parameters if name not in arguments]
        if missing:
            return fault(f"{self.name}() is called without {missing[0]!r}")
        return self.call([arguments[name] for name in self.parameters])


class Defined(FunctionValue):
    """A function that a model defines: ``body`` is run in ``scope`` with the arguments in front of it."""

    __slots__ = ("body", "parts", "scope")

    def __init__(
        self,
        name: str,
        parameters: Mapping[str, Type],
        body: Callable[[Value], Value],
        *,
        scope: Value,
        parts: int,
        returns: Type | None = None,
    ) -> None:
        super().__init__(name, tuple(parameters), tuple(parameters.values()), returns)
        self.body = body
        self.scope = scope
        self.parts = parts

    def call(self, arguments: Sequence[Value]) -> Value:
        """The value of its body; raises ExpressionError for calls too deep inside of each other."""
        if len(arguments) != len(self.parameters):
            return fault(f"{self.name}() takes {len(self.parameters)} arguments and is given {len(arguments)}")
        frame: dict[str, Value] = {}
        for name, type_, value in zip(self.parameters, self.parameter_types, arguments, strict=True):
            frame[name] = value if type_ is ANY else coerced(value, type_, f"{name} of {self.name}()")
            if frame[name] is None and value is not None:
                return None
        effort.charge(self.parts)
        with deeper(self.name):
            found = self.body((frame, self.scope))
        return found if self.returns is None else coerced(found, self.returns, f"the result of {self.name}()")


@contextmanager
def deeper(name: str) -> Iterator[None]:
    """One call more is under way in this thread; raises ExpressionError for too many."""
    if _calls.deep >= MOST_CALLS:
        raise ExpressionError(f"{name}() calls itself, or others in turn, more than {MOST_CALLS} levels deep")
    _calls.deep += 1
    try:
        yield
    finally:
        _calls.deep -= 1
