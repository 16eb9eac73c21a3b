"""The commands about stones themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ....models.vocabulary import HOOKS, Hook
from ..invocation import Invocation, invoked
from ..screen.terminal import json_value, printable, user_name
from .suspension import suspension_line

if TYPE_CHECKING:
    from ....engine import Quota, StoneDeclaration


@click.group()
def stone() -> None:
    """Stones, and whether they keep to their contract."""


@stone.command("list")
@invoked
def list_stones(invocation: Invocation, /) -> None:
    """List stones: their parameters, outputs and hooks.

    They are those of --stones or of the server. Required parameters have a *.
    """
    for declaration in invocation.declarations():
        click.echo(stone_lines(declaration))


@stone.command("declare")
@click.argument("code")
@click.option("--hook", "hooks", multiple=True, required=True, type=click.Choice(HOOKS), help="What it can do.")
@click.option("--display-name", default="", help="How people call it.")
@invoked
def declare(invocation: Invocation, /, code: str, hooks: tuple[Hook, ...], display_name: str) -> None:
    """Declare a stone whose tasks workers fetch over HTTP. Name all the hooks that it has."""
    with invocation.changing(passive=True) as engine:
        engine.declare_stone(code, hooks=hooks, display_name=display_name)
    topics = ", ".join(code if hook == "start" else f"{code}.{hook}" for hook in hooks)
    click.echo(f"Declared {printable(code)}: its workers fetch {printable(topics)}.")


def stone_lines(declaration: StoneDeclaration) -> str:
    """What a stone declares, in a few lines."""
    first = declaration.description.partition("\n")[0]
    parameters = (f"{each.name}{'*' if each.required else ''} ({each.type})" for each in declaration.parameters)
    told = {
        "parameters": ", ".join(parameters),
        "outputs": ", ".join(output.name for output in declaration.outputs),
        "hooks": ", ".join(declaration.hooks),
        "quota": quota_text(declaration.quota),
        "serves": ", ".join(f"{name}={value}" for name, value in declaration.serves.items()),
    }
    title = "  ".join(filter(None, (declaration.code, declaration.display_name, first)))
    lines = [title, *(f"    {word}: {text}" for word, text in told.items() if text)]
    return "\n".join(map(printable, lines))


def quota_text(quota: Quota | None) -> str:
    """A quota in words, empty where there is none."""
    if quota is None:
        return ""
    told = {
        f"{quota.at_once} at once": quota.at_once,
        f"{quota.per_minute} a minute": quota.per_minute,
        f"for each {quota.by}": quota.by,
        f"shared as {quota.name}": quota.name,
    }
    return ", ".join(text for text, value in told.items() if value is not None)


@stone.command("suspend")
@click.argument("code")
@click.option("--reason", metavar="TEXT", help="Why, for whoever looks at it.")
@invoked
def suspend_stone(invocation: Invocation, /, code: str, reason: str | None) -> None:
    """Let no hook of a stone begin, in any process; what runs ends."""
    with invocation.changing() as engine:
        click.echo(suspension_line(code, engine.suspend_stone(code, reason=reason, who=user_name())))


@stone.command("unsuspend")
@click.argument("code")
@invoked
def unsuspend_stone(invocation: Invocation, /, code: str) -> None:
    """Let a suspended stone's hooks begin again."""
    with invocation.changing() as engine:
        engine.unsuspend_stone(code)


@stone.command("suspended")
@invoked
def suspended_stones(invocation: Invocation, /) -> None:
    """List the stones of which nothing begins."""
    with invocation.asking(passive=True) as engine:
        stones = engine.suspended_stones()
        if not stones:
            click.echo("No stone is suspended.", err=True)
        for each in stones:
            click.echo(suspension_line(each.code, each))


@stone.command("forget")
@click.argument("code")
@invoked
def forget(invocation: Invocation, /, code: str) -> None:
    """Forget what workers have declared of a stone. They may then declare it with fewer hooks and secrets.

    Start its workers anew after that; until then its tasks wait.
    """
    with invocation.recording(code, passive=True) as engine:
        if not engine.forget_stone(code):
            raise click.ClickException(f"No worker has declared a stone {code!r}: riverstone stone list shows all.")
    click.echo(f"Forgotten. Start the workers of {printable(code)} anew, so that they declare it.")


@stone.command("check")
@click.argument("names", nargs=-1, required=True, metavar="MODULE[:CLASS]...")
@click.option(
    "--parameters", metavar="JSON|@FILE", help="Its parameters: a JSON object, or a list of them for its trials."
)
@click.option("--exists", metavar="MODULE:FUNCTION", help="Lists what exists of the kind that the stone makes.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds for a hook.")
@click.option("--pace", type=click.FloatRange(min=0), help="Seconds between two looks of a monitor; else the stone's.")
@invoked
def check(
    invocation: Invocation,
    /,
    names: tuple[str, ...],
    parameters: str | None,
    exists: str | None,
    timeout: float,
    pace: float | None,
) -> None:
    """Try a stone on the real thing, and undo what it makes.

    It makes some six things. Start, start delivered again and twice at once, the looks of its monitor, delete twice,
    rollback of a half-made thing and of what was never begun, cancel in the middle, mock. Without :CLASS, every stone
    of the module is tried.
    """
    from ....engine.stones.modules import function_named, stone_classes
    from ....engine.testkit import check_stone
    from ...stone_modules import look_here_too

    look_here_too()
    given = json_value("--parameters", parameters)
    listed = given if isinstance(given, list) and given else [given or {}]
    if not all(isinstance(each, dict) for each in listed):
        raise click.ClickException("--parameters must be a JSON object, or a list of objects.")
    lists = None if exists is None else function_named(exists)
    wrong = False
    for name in names:
        for found in stone_classes(name):
            report = check_stone(found, listed, exists=lists, timeout=timeout, pace=pace)
            click.echo(str(report))
            wrong = wrong or bool(report.wrong)
    if wrong:
        raise click.exceptions.Exit(1)
