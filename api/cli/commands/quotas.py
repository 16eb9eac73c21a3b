"""The command about what there is only so much of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..invocation import Invocation, invoked
from ..screen.table import print_table
from ..screen.terminal import printable

if TYPE_CHECKING:
    from ....engine.views.quotas import QuotaUse

HEADER = ("HELD", "WAITING", "UNDO", "MOST/MIN", "QUOTA", "VALUE")


@click.command()
@click.option("--name", help="The quota with this name: its stone's code where it has no other, or process:KEY.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Go on where the part before has ended.")
@invoked
def quotas(invocation: Invocation, /, name: str | None, limit: int, cursor: str | None) -> None:
    """List quotas: what is used of each, and how many wait."""
    with invocation.asking(passive=True) as engine:
        page = engine.quotas(name=name, limit=limit, cursor=cursor)
    if not print_table(HEADER, map(_cells, page.items), right=HEADER[:4]) and page.cursor is None:
        click.echo("No quota is in use." if name is None else f"The quota {printable(name)} is not in use.", err=True)
    if page.cursor is not None:
        click.echo(f"There are more: --cursor {page.cursor}", err=True)


def _cells(each: QuotaUse) -> tuple[object, ...]:
    most = "" if each.at_once is None else f"/{each.at_once}"
    undo = f"{each.undo_held}{most}" + (f"+{each.undo_waiting}" if each.undo_waiting else "")
    return f"{each.held}{most}", each.waiting, undo, each.per_minute or "-", each.name, each.value
