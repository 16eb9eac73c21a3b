"""Forms on the command line: what they ask for, answers by name, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .terminal import json_option, printable

if TYPE_CHECKING:
    from ....engine.views.people import FormPart


def form_lines(parts: Sequence[FormPart], values: Mapping[str, Any]) -> list[str]:
    """What a form asks for, a line for each part that is not hidden."""
    return [line for part in parts if not part.hidden for line in _part_lines(part, values)]


def _part_lines(part: FormPart, values: Mapping[str, Any]) -> list[str]:
    if part.kind == "text":
        return part.text.splitlines()
    if part.kind == "table":
        return ["  ".join(part.columns), *("  ".join(row) for row in part.rows)]
    if not part.key:
        return [f"{part.label}:"] if part.label else []
    here: Any = values
    for name in part.key.split("."):
        here = here.get(name) if isinstance(here, dict) else None
    choices = f" ({', '.join(_shown(option.value) for option in part.options)})" if part.options else ""
    marks = " (required)" if part.required else " (only shown)" if part.readonly else ""
    value = "" if here is None else f" = {_shown(here)}"
    return [f"{part.key}  {part.label}{choices}{marks}{value}"]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def answers_given(option: str, text: str | None, answers: Sequence[str]) -> dict[str, Any]:
    """The JSON object of an option, and over it each ``NAME=VALUE`` of ``--set``."""
    values = json_option(option, text) or {}
    for each in answers:
        name, sign, value = each.partition("=")
        if not (name and sign):
            raise click.ClickException(f"--set is {each!r}: give NAME=VALUE.")
        _put(values, name.split("."), value)
    return values


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        values[name] = inner if isinstance(inner, dict) else {}
        values = values[name]
    values[path[-1]] = value


@contextmanager
def wrong_fields_told() -> Iterator[None]:
    """Print what is wrong with each value that is refused, before the refusal itself."""
    from ....engine.errors import Invalid

    try:
        yield
    except Invalid as error:
        for name, texts in error.errors.items():
            click.echo(printable(f"{name}: {' '.join(texts)}"), err=True)
        raise
