"""The commands about the database itself: its schema, its encryption, and what a restored backup needs."""

from __future__ import annotations

import click

from .invocation import Invocation, invoked


@click.command("schema")
@invoked
def schema(invocation: Invocation, /) -> None:
    """Tell the database's schema, and what an upgrade changes. Nothing is changed by this command."""
    from ...engine.operating.schema import told_schema

    click.echo(told_schema(invocation.database()))


@click.command("restore")
@click.option("--beyond", metavar="ID", help="The highest id that anybody has seen, of a process or a task.")
@invoked
def restore(invocation: Invocation, /, beyond: str | None) -> None:
    """Prepare a restored database: it gives out no id twice.

    Do this before anything else uses the restored database. Without --beyond, a million ids are passed over.
    """
    with invocation.recording(passive=True) as engine:
        click.echo(f"The next id is {engine.restored(beyond)} or above.")


@click.command("encrypt")
@invoked
def encrypt(invocation: Invocation, /) -> None:
    """Encrypt what is stored with the first encryption key. RIVERSTONE_ENCRYPTION_KEY holds the keys (NEW,OLD)."""
    with invocation.recording(passive=True) as engine:
        click.echo(f"Encrypted {engine.encrypt_again()} values.")
