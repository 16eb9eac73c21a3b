"""The group of all commands: the sections in which `--help` lists them, and errors in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Processes": (
        *("start", "list", "show", "why", "history", "tasks", "log", "secrets", "set", "message", "signal"),
        *("undo", "cancel", "delete", "protect"),
    ),
    "After a failure": (
        *("retry", "rerun", "skip", "done", "rollback", "resume", "rewind", "migrate"),
        *("suspend", "unsuspend", "suspended"),
    ),
    "Tasks of people": ("task", "complete"),
    "Models, stones and decisions": (
        *("new", "lint", "explain", "deploy", "draft", "remove", "render"),
        *("stone", "templates", "decide", "feel"),
    ),
    "Many processes, and what they made": (
        *("batch", "reasons", "resources", "check", "checks", "gone", "quotas", "purge"),
    ),
    "Servers": ("serve", "river", "worker", "webhook", "demo"),
    "Access": ("key", "session", "audit", "secret"),
    "The database": ("schema", "restore", "encrypt"),
}
"""Every command stands in one of them, in the order in which people need them."""


class CommandGroup(click.Group):
    """All commands, which end in one sentence and exit code 1, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            from .hints import hint_for

            ours = type(error).__module__.startswith("riverstone.")
            text = str(error) if ours else f"{type(error).__name__}: {error}"
            hint = hint_for(error) if ours else None
            if hint is not None:
                text = f"{text.rstrip('.')}. {hint}"
            raise click.ClickException(" ".join(text.split())) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, in columns as wide in each."""
        widest = max(map(len, self.commands))
        room = formatter.width - 6 - widest
        for section, names in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(
                    [(name.ljust(widest), self.commands[name].get_short_help_str(room)) for name in names]
                )
