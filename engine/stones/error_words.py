"""Which errors a stone means, by their classes or in words, as the clients of clouds have codes and few classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

ErrorKinds: TypeAlias = Sequence[type[BaseException] | str]
"""Classes, and words: the name of a class or the code of an error, in which ``*`` stands for anything."""
CODES = ("code", "error_code", "status_code", "status", "errno")
"""The attributes in which errors have their codes."""


def is_one_of(error: BaseException, kinds: ErrorKinds) -> bool:
    """Whether an error is of one of these classes, or has one of these words."""
    if not kinds:
        return False
    words = set(_words(error))
    return any(
        isinstance(error, kind) if isinstance(kind, type) else any(fnmatchcase(word, kind) for word in words)
        for kind in kinds
    )


def _words(error: BaseException) -> Iterator[str]:
    """The names of an error's classes, and its codes: its own, and those of an answer that it carries."""
    yield from (each.__name__ for each in type(error).__mro__)
    response = getattr(error, "response", None)
    inner = response.get("Error") if isinstance(response, Mapping) else None
    for code in (
        *(getattr(error, name, None) for name in CODES),
        inner.get("Code") if isinstance(inner, Mapping) else None,
        getattr(response, "status_code", None),
    ):
        if isinstance(code, (str, int)):
            yield str(code)
