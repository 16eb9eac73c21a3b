"""Every command with its arguments and options, from Click."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from riverstone.api.cli.main import main

from .blocks import table


def commands() -> str:
    """All of them: first the options before any command, then one section for each command."""
    return "\n\n".join(_sections(main, "riverstone"))


def _sections(command: click.Command, path: str) -> Iterator[str]:
    yield _section(command, path)
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _sections(command.commands[name], f"{path} {name}")


def _section(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path)
    parts = [f"### {path}", " ".join((command.help or "").split("\f")[0].split())]
    if isinstance(command, click.Group):
        shown = ", ".join(f"`{name}`" for name in sorted(command.commands))
        parts.append(f"Commands: {shown}.")
    else:
        parts.append(_place(command))
    usage = " ".join(command.collect_usage_pieces(context))
    parts.append(f"```text\n{path} {usage}\n```")
    rows = [
        (_names(option), _default(option, context), " ".join((option.help or "").split()))
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    if rows:
        parts.append(table(("option", "default", "what it does"), rows))
    return "\n\n".join(part for part in parts if part)


def _place(command: click.Command) -> str:
    """Where it may work, by what it is written with."""
    assert command.callback is not None
    source = inspect.getsource(inspect.unwrap(command.callback))
    if any(f".{name}(" in source for name in ("asking", "changing", "declarations")):
        return ""
    if any(f".{name}(" in source for name in ("engine", "recording", "database")):
        return "Takes no `--url`: it works on the database itself."
    return "Takes no `--url`: it uses neither the database nor a server."


def _names(option: click.Option) -> str:
    names = [f"`{name}`" for name in (*option.opts, *option.secondary_opts)]
    kind = option.make_metavar(click.Context(main)) if not (option.is_flag or option.count) else ""
    return ", ".join(names) + (f" `{kind}`" if kind else "") + (" (may be given again)" if option.multiple else "")


def _default(option: click.Option, context: click.Context) -> str:
    told = []
    if isinstance(option.default, str | int | float) and not isinstance(option.default, bool) and not option.is_flag:
        told.append(f"`{option.default}`")
    if option.envvar:
        told.append(f"`${option.envvar}`" if isinstance(option.envvar, str) else "")
    if option.required:
        told.append("has to be given")
    return ", ".join(told)
