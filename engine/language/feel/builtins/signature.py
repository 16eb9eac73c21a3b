"""How a built-in function is declared, and how its arguments are made to fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ...effort import charge
from ..faults import fault
from ..functions import FunctionValue
from ..values.kinds import Range, Value, described, kind_of
from ..values.temporal import Date, DateTime, Months, Nanos, Time
from ..values.types import SIMPLE, Type

_TYPES: Mapping[str, frozenset[type]] = {
    "number": frozenset({int, float, Decimal}),
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "list": frozenset({list}),
    "context": frozenset({dict}),
    "range": frozenset({Range}),
    "date": frozenset({Date}),
    "time": frozenset({Time}),
    "date and time": frozenset({DateTime}),
    "days duration": frozenset({Nanos}),
    "months duration": frozenset({Months}),
}
_PARAMETER = re.compile(r"(\.\.\.)?([a-z][A-Za-z0-9 ]*?)(\?)?: ([a-z |]+?)(\?)?(?:, |$)")


class Parameter(NamedTuple):
    """``types`` is None for a value of any kind; a function has no exact type of its own."""

    name: str
    types: frozenset[type] | None
    shown: str
    nullable: bool


class Signature(NamedTuple):
    """One way to call a function; the last parameter may take any number of arguments."""

    text: str
    parameters: Sequence[Parameter]
    least: int
    is_variadic: bool
    run: Callable[..., Value]

    def takes(self, amount: int) -> bool:
        """Whether so many arguments fit."""
        return self.least <= amount and (self.is_variadic or amount <= len(self.parameters))


class Builtin(FunctionValue):
    """A function of FEEL itself, with one or more signatures."""

    __slots__ = ("is_pure", "signatures")

    def __init__(self, name: str, *, is_pure: bool) -> None:
        super().__init__(name, ())
        self.signatures: list[Signature] = []
        self.is_pure = is_pure
        """Whether the same arguments always give the same value."""

    def declare(self, signature: Signature) -> None:
        """Add a way to call it."""
        self.signatures.append(signature)
        if not self.parameters:
            self.parameters = tuple(each.name for each in signature.parameters)
            kinds = [SIMPLE.get(each.shown, SIMPLE["Any"]) for each in signature.parameters]
            self.parameter_types: Sequence[Type] = tuple(kinds)

    def call(self, arguments: Sequence[Value]) -> Value:
        amount = len(arguments)
        fitting = [each for each in self.signatures if each.takes(amount)]
        if not fitting:
            return fault(f"{self.name}() is called with {amount} arguments: it is {self.shown}")
        for signature in fitting[:-1]:
            if _fits(signature, arguments):
                return self._run(signature, arguments)
        return self._run(fitting[-1], arguments)

    def call_named(self, arguments: Mapping[str, Value]) -> Value:
        given_names = [*arguments]
        # Some have the same names twice: before(point, range) and before(range, point).
        in_order = sorted(self.signatures, key=lambda each: [name.name for name in each.parameters] != given_names)
        for signature in in_order:
            names = [each.name for each in signature.parameters]
            if all(name in names for name in arguments) and all(name in arguments for name in names[: signature.least]):
                if signature.is_variadic:
                    *first, last = (arguments[name] for name in names)
                    return self._run(signature, [*first, *(last if type(last) is list else [last])])
                given = [arguments.get(name) for name in names]
                while len(given) > signature.least and names[len(given) - 1] not in arguments:
                    given.pop()
                return self._run(signature, given)
        return fault(f"{self.name}() has no parameters {', '.join(arguments)}: it is {self.shown}")

    def takes(self, amount: int) -> bool:
        """Whether one of its signatures takes so many arguments."""
        return any(each.takes(amount) for each in self.signatures)

    @property
    def shown(self) -> str:
        return " or ".join(each.text for each in self.signatures)

    def _run(self, signature: Signature, arguments: Sequence[Value]) -> Value:
        charge(_CALL)
        last = len(signature.parameters) - 1
        made: Sequence[Value] = arguments
        for place, value in enumerate(arguments):
            parameter = signature.parameters[place if place < last else last]
            types = parameter.types
            if types is None or type(value) in types:
                continue
            fitted = _fitted(parameter, value)
            if fitted is _MISFIT:
                wanted = f"a {parameter.shown}"
                return fault(f"{self.name}(): {parameter.name} is {described(value)} and not {wanted}")
            if made is arguments:
                made = list(arguments)
            made[place] = fitted  # type: ignore[index]
        return signature.run(*made)


_MISFIT: Value = object()
_CALL = 20
"""What a call costs, in the time of a look at a member of a list."""


def _fitted(parameter: Parameter, value: Value) -> Value:
    """The argument, converted from and to a list of one (DMN 1.5, 10.3.2.9.4)."""
    types = parameter.types
    assert types is not None
    if value is None:
        return None if parameter.nullable else _MISFIT
    if type(value) is list and len(value) == 1 and type(value[0]) in types:
        return value[0]
    if list in types and types == {list}:
        return [value]
    return value if FunctionValue in types and isinstance(value, FunctionValue) else _MISFIT


def _fits(signature: Signature, arguments: Sequence[Value]) -> bool:
    last = len(signature.parameters) - 1
    for place, value in enumerate(arguments):
        parameter = signature.parameters[min(place, last)]
        if parameter.types is not None and type(value) not in parameter.types and _fitted(parameter, value) is _MISFIT:
            return False
    return True


BUILTINS: dict[str, Builtin] = {}


def builtin(text: str, *, pure: bool = True) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Declare a function of FEEL by its signature, such as ``sublist(list: list, start position: number)``.

    ``name?`` may be left out, a value of ``type?`` may be null, ``...name`` takes any number of arguments; types are
    joined by ``|``, and ``any`` is every value, null too.
    """
    name, _, rest = text.partition("(")
    parameters: list[Parameter] = []
    least, is_variadic = 0, False
    for variadic, parameter, optional, shown, nullable in _PARAMETER.findall(rest.removesuffix(")")):
        types = None
        if shown != "any":
            words = shown.split("|")
            types = frozenset(each for word in words for each in _TYPES.get(word, (FunctionValue,)))
        parameters.append(Parameter(parameter, types, shown.replace("|", " or a "), bool(nullable)))
        is_variadic = bool(variadic)
        least += not optional

    def declared(run: Callable[..., Value]) -> Callable[..., Value]:
        function = BUILTINS.setdefault(name, Builtin(name, is_pure=pure))
        function.declare(Signature(text, tuple(parameters), least, is_variadic, run))
        return run

    return declared


def called(function: Value, *arguments: Value) -> Value:
    """The value of a function that was given as an argument."""
    charge(1)
    if not isinstance(function, FunctionValue):
        return fault(f"a {kind_of(function)} cannot be called")
    return function.call(arguments)
