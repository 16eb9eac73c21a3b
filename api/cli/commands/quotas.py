"""The command about what there is only so much of."""

from __future__ import annotations

import click

from ..invocation import Invocation, invoked
from ..screen.terminal import printable


@click.command()
@click.option("--name", help="The quota with this name: the code of its stone where it has no other.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Go on where the part before has ended.")
@invoked
def quotas(invocation: Invocation, /, name: str | None, limit: int, cursor: str | None) -> None:
    """List the quotas of stones: what is used of each, and how many tasks wait."""
    with invocation.asking(passive=True) as engine:
        page = engine.quotas(name=name, limit=limit, cursor=cursor)
    if page.items:
        click.echo(f"{'HELD':>9} {'WAITING':>8} {'UNDO':>9} {'MOST/MIN':>9}  QUOTA")
    elif page.cursor is None:
        click.echo("No quota is in use." if name is None else f"The quota {printable(name)} is not in use.", err=True)
    for each in page.items:
        most = "" if each.at_once is None else f"/{each.at_once}"
        undo = f"{each.undo_held}{most}" + (f"+{each.undo_waiting}" if each.undo_waiting else "")
        name = each.name if each.value is None else f"{each.name}  {each.value}"
        line = f"{f'{each.held}{most}':>9} {each.waiting:>8} {undo:>9} {each.per_minute or '-':>9}  {name}"
        click.echo(printable(line))
    if page.cursor is not None:
        click.echo(f"There are more: --cursor {page.cursor}", err=True)
