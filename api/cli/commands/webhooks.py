"""The commands about who is told over HTTP what processes come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..invocation import Invocation, invoked
from ..screen.table import print_table
from ..screen.terminal import local_time, printable

if TYPE_CHECKING:
    from ....engine.calls.webhooks import Notice, Subscription

SUBSCRIPTION_HEADER = ("ID", "CREATED", "KEY", "OWNER", "URL")
NOTICE_HEADER = ("ID", "CREATED", "EVENT", "PROCESS", "STATUS", "URL", "REASON")


@click.group()
def webhook() -> None:
    """Webhooks: who is told over HTTP what processes come to."""


@webhook.command("add")
@click.argument("url")
@click.option("--key", help="Whose model's processes; all without one.")
@click.option("--owner", help="Whose processes; those of all without one.")
@invoked
def add_webhook(invocation: Invocation, /, url: str, key: str | None, owner: str | None) -> None:
    """Add a webhook. RIVERSTONE_WEBHOOKS (or webhooks in the settings file) has to list its address."""
    with invocation.changing(url, passive=True) as engine:
        added = engine.webhooks.subscribe(url, key=key, **_whose(invocation, owner))
    click.echo(printable("  ".join(_subscription_cells(added))))


@webhook.command("list")
@invoked
def list_webhooks(invocation: Invocation, /) -> None:
    """List who is told of the processes of models."""
    with invocation.asking(passive=True) as engine:
        found = engine.webhooks.subscriptions()
    if not print_table(SUBSCRIPTION_HEADER, map(_subscription_cells, found)):
        click.echo("There is no subscription.", err=True)


@webhook.command("remove")
@click.argument("subscription_id", metavar="ID")
@invoked
def remove_webhook(invocation: Invocation, /, subscription_id: str) -> None:
    """Tell an address no more."""
    with invocation.changing(subscription_id, passive=True) as engine:
        engine.webhooks.unsubscribe(subscription_id)
    click.echo(f"Removed {printable(subscription_id)}.")


@webhook.command("notices")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@invoked
def list_notices(invocation: Invocation, /, limit: int) -> None:
    """List notices, newest first, and why one did not arrive."""
    with invocation.asking(passive=True) as engine:
        found = engine.webhooks.notices(limit=limit).items
    if not print_table(NOTICE_HEADER, map(_notice_cells, found)):
        click.echo("There is no notice.", err=True)


@webhook.command("replay")
@click.argument("notice_id", metavar="ID")
@invoked
def replay(invocation: Invocation, /, notice_id: str) -> None:
    """Tell something once more; a running engine sends it."""
    with invocation.changing(notice_id, passive=True) as engine:
        engine.webhooks.replay(notice_id)
    click.echo(f"{printable(notice_id)} is sent again.")


@webhook.command("secret")
@click.option("--owner", help="Of what this owner is told.")
@invoked
def new_secret(invocation: Invocation, /, owner: str | None) -> None:
    """Sign with a new secret, which is shown once. The one before is valid for a day."""
    with invocation.changing(owner or "-", passive=True) as engine:
        click.echo(engine.webhooks.rotate_secret(**_whose(invocation, owner)))


def _whose(invocation: Invocation, owner: str | None) -> dict[str, Any]:
    if owner is not None and invocation.server is not None:
        raise click.UsageError("A server knows the owner by the key: leave --owner out, or use --db.")
    return {} if owner is None else {"owner": owner}


def _subscription_cells(found: Subscription) -> tuple[str, ...]:
    whose = (found.key or "(every model)", found.owner or "(every owner)")
    return found.subscription_id, local_time(found.created), *whose, found.url


def _notice_cells(found: Notice) -> tuple[str, ...]:
    about = (found.type, found.process_instance_id, f"{found.status} after {found.attempts}")
    return found.notice_id, local_time(found.created), *about, found.url, found.reason or ""
