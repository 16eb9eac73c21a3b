"""Arguments of the public calls: what is to be a text and is none is refused before a call begins.

A database takes other kinds for ids than SQLite does, so a call that passed them on would end in an error of a driver.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import update_wrapper
from typing import Any, TypeVar

from .errors import Invalid

Call = TypeVar("Call", bound=Callable[..., Any])


class Checked:
    """Root of classes whose public calls are checked: by their annotations, so those to come are too."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, call in list(vars(cls).items()):
            if inspect.isfunction(call) and not name.startswith("_"):
                setattr(cls, name, checked(call))


def checked(call: Call) -> Call:
    """The call, which raises Invalid for an argument that is annotated as a text and is none."""
    inner = inspect.unwrap(call)
    code, annotations = inner.__code__, inner.__annotations__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    checks = {name: CHECKS[kind] for name in names if (kind := annotations.get(name)) in CHECKS}
    if not checks:
        return call
    # The object itself is checked by nobody, and most of what is given is a text where one is wanted.
    placed, several = names[1 : code.co_argcount], {name for name, check in checks.items() if check is _texts}

    def asked(itself: Any, /, *given: Any, **options: Any) -> Any:
        for name, value in zip(placed, given, strict=False):
            if (type(value) is not str or name in several) and name in checks:
                checks[name](name, value)
        for name, value in options.items():
            if (type(value) is not str or name in several) and name in checks:
                checks[name](name, value)
        return call(itself, *given, **options)

    update_wrapper(asked, call)
    return asked  # type: ignore[return-value]


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text.", errors={name: ["Must be a text."]})


def _text_or_none(name: str, value: object) -> None:
    if value is not None:
        _text(name, value)


def _texts(name: str, value: object) -> None:
    are_several = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    # What can be gone through only once is left to the call.
    if not are_several or (isinstance(value, Collection) and not all(isinstance(each, str) for each in value)):
        raise Invalid(f"{name} must be a list of texts.", errors={name: ["Must be a list of texts."]})


CHECKS: Mapping[str, Callable[[str, object], None]] = {
    "str": _text,
    "str | None": _text_or_none,
    "Sequence[str]": _texts,
    "Collection[str]": _texts,
}
"""By the annotation, as it is written."""
