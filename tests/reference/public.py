"""The public classes with their methods, by their first sentences; the site adds all else from the docstrings."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import riverstone.engine
from riverstone.engine.dispatch.dispatcher import Loaded
from riverstone.engine.secret_sources.source import SecretSource

from .attributes import OF_ALL, OF_ONE
from .blocks import sentence, table

CALLS = ("Engine", "AsyncEngine")
YOURS = (
    "Stone",
    "TaskInfo",
    "Deferral",
    "CallbackSignature",
    "Observer",
    "Clock",
    "VirtualClock",
    "Dispatcher",
    "InlineDispatcher",
    "ThreadsDispatcher",
    "JsonFormatter",
    "Limits",
)


def public() -> str:
    """Four groups: the engine, what programs subclass or make, errors, and views."""
    names = [name for name in riverstone.engine.__all__ if name not in (*CALLS, *YOURS)]
    errors = [name for name in names if issubclass(getattr(riverstone.engine, name), Exception)]
    views = [name for name in names if name not in errors]
    parts = ["## The engine", *map(_class, CALLS), "## What you make or subclass", *map(_class, YOURS)]
    parts += [
        "## Views",
        "Frozen answers of the engine, with their attributes in order.",
        *map(_class, views),
    ]
    parts += ["## Errors", _table(errors), *(f"<!-- ::: riverstone.engine.{name} -->" for name in errors)]
    return "\n\n".join(parts)


def _class(name: str) -> str:
    cls = getattr(riverstone.engine, name)
    rows = [(f"`{member}{_arguments(value)}`", sentence(_told(member, value))) for member, value in _members(cls)]
    parts = [f"### {name}", sentence(cls.__doc__)]
    if name not in (*CALLS, *YOURS) and (attributes := list(_attributes(cls))):
        parts.append(table(("attribute", "type", "what it is"), attributes))
    if rows:
        parts.append(table(("member", "what it does"), rows))
    parts.append(f"<!-- ::: riverstone.engine.{name} -->")
    return "\n\n".join(parts)


def _attributes(cls: type) -> Iterator[tuple[str, str, str]]:
    """What a view holds: the text below an attribute in the code says what it is."""
    for base in reversed(cls.__mro__[:-1]):
        if not base.__module__.startswith("riverstone.") or not (is_dataclass(base) or hasattr(base, "_fields")):
            continue
        (written,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(written, ast.ClassDef)
        for line, after in zip(written.body, [*written.body[1:], None], strict=True):
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.target.id[0] != "_":
                below = after.value if isinstance(after, ast.Expr) else None
                text = str(below.value) if isinstance(below, ast.Constant) else ""
                name = line.target.id
                told = (
                    sentence(text)
                    or OF_ONE.get((base.__name__, name))
                    or OF_ALL.get(name, f"The {name.replace('_', ' ')}.")
                )
                yield f"`{name}`", f"`{ast.unparse(line.annotation)}`", told


def _members(cls: type) -> list[tuple[str, Any]]:
    found: dict[str, Any] = {}
    for base in cls.__mro__[:-1]:
        for name, value in vars(base).items() if base.__module__.startswith("riverstone.") else ():
            if name[0] != "_":
                found.setdefault(name, value)
    if issubclass(cls, Exception):
        return []
    kinds = (property, classmethod, staticmethod)
    return [(name, value) for name, value in found.items() if inspect.isfunction(value) or isinstance(value, kinds)]


def _told(member: str, value: Any) -> str | None:
    """What a member does; the text of a method that a protocol asks for may stand there."""
    told = inspect.getdoc(value.__func__ if isinstance(value, classmethod | staticmethod) else value)
    asked = (getattr(protocol, member, None) for protocol in (riverstone.engine.Dispatcher, Loaded, SecretSource))
    return told or next((inspect.getdoc(each) for each in asked if each is not None), None)


def _arguments(value: Any) -> str:
    if isinstance(value, property):
        return ""
    function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    names = [
        {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(each.kind.name, "") + name
        for name, each in inspect.signature(function).parameters.items()
        if name not in ("self", "cls")
    ]
    return f"({', '.join(names)})"


def _table(names: list[str]) -> str:
    rows = [
        (f"`{name}`", f"`{cls.code}`" if hasattr(cls, "code") else "", sentence(cls.__doc__))
        for name in names
        for cls in (getattr(riverstone.engine, name),)
    ]
    return table(("error", "code", "when"), rows)
