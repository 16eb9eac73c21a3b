"""Arguments of the public calls: what is not of its kind, a text, a number or a truth, is refused before a call begins.

A database takes other kinds for ids than SQLite does, so a call that passed them on would end in an error of a driver.
Python takes any text for true, and true for 1: a call would do something else than it was asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import update_wrapper
from typing import Any, TypeVar

from .errors import Invalid

LIMIT = "limit"
"""Checked by each list, in words of its own."""
Call = TypeVar("Call", bound=Callable[..., Any])


class Checked:
    """Root of classes whose public calls are checked: by their annotations, so those to come are too."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, call in list(vars(cls).items()):
            if inspect.isfunction(call) and not name.startswith("_"):
                setattr(cls, name, checked(call))


def checked(call: Call) -> Call:
    """The call, which raises Invalid for an argument that is not what it is annotated as in ``CHECKS``."""
    inner = inspect.unwrap(call)
    code, annotations = inner.__code__, inner.__annotations__
    names = [name for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if name != LIMIT]
    checks = {name: CHECKS[kind] for name in names if (kind := annotations.get(name)) in CHECKS}
    if not checks:
        return call
    # The object itself is checked by nobody, and most of what is given is a text where one is wanted.
    placed = code.co_varnames[1 : code.co_argcount]
    ones = {name for name in checks if annotations[name] in ("str", "str | None")}

    def asked(itself: Any, /, *given: Any, **options: Any) -> Any:
        for name, value in zip(placed, given, strict=False):
            if (type(value) is not str or name not in ones) and name in checks:
                checks[name](name, value)
        for name, value in options.items():
            if (type(value) is not str or name not in ones) and name in checks:
                checks[name](name, value)
        return call(itself, *given, **options)

    update_wrapper(asked, call)
    return asked  # type: ignore[return-value]


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text.", errors={name: ["Must be a text."]})


def _texts(name: str, value: object) -> None:
    are_several = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    # What can be gone through only once is left to the call.
    if not are_several or (isinstance(value, Collection) and not all(isinstance(each, str) for each in value)):
        raise Invalid(f"{name} must be a list of texts.", errors={name: ["Must be a list of texts."]})


def _whole(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(f"{name} must be a whole number.", errors={name: ["Must be a whole number."]})


def _number(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        raise Invalid(f"{name} must be a number.", errors={name: ["Must be a number."]})


def _truth(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false.", errors={name: ["Must be true or false."]})


def _unless_none(check: Callable[[str, object], None]) -> Callable[[str, object], None]:
    def checks(name: str, value: object) -> None:
        if value is not None:
            check(name, value)

    return checks


_ONE = {"str": _text, "int": _whole, "float": _number, "bool": _truth}
CHECKS: Mapping[str, Callable[[str, object], None]] = {
    **_ONE,
    **{f"{kind} | None": _unless_none(check) for kind, check in _ONE.items()},
    "Sequence[str]": _texts,
    "Collection[str]": _texts,
}
"""By the annotation, as it is written."""
