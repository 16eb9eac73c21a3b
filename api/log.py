"""Where a server's log goes: to standard error, as text for people or as JSON for machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def log_options(command: Command) -> Command:
    """Give a command the options ``--log`` and ``--log-level``, as ``log_form`` and ``log_level``."""
    level = click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        envvar="RIVERSTONE_LOG_LEVEL",
        default="info",
        show_default=True,
    )
    form = click.option(
        "--log",
        "log_form",
        type=click.Choice(["text", "json"]),
        envvar="RIVERSTONE_LOG",
        default="text",
        show_default=True,
        help="How to write the log, to standard error.",
    )
    return form(level(command))


def write_log(form: Literal["text", "json"], level: str) -> None:
    """Write what riverstone and its web server log from this level on.

    Other packages keep their own settings: what they say at ``debug``, such as every statement with its values, is not
    for a log.
    """
    import logging

    from ..engine import JsonFormatter

    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(TEXT))
    for name, least in (("riverstone", level.upper()), ("waitress", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(least)
        logger.propagate = False
