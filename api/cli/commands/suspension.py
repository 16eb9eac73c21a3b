"""The commands that let nothing begin for a while, and let it go on again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..invocation import Invocation, invoked
from ..screen.following import Following, dispatcher_for, followable
from ..screen.terminal import local_time, print_record, printable, user_name

if TYPE_CHECKING:
    from ....engine import SuspendedKey, SuspendedStone


key_option = click.option("--key", metavar="KEY", help="All processes of this key, and what is started of it.")


@click.command()
@click.argument("process_instance_id", required=False)
@key_option
@click.option("--reason", metavar="TEXT", help="Why, for whoever looks at it.")
@invoked
def suspend(invocation: Invocation, /, process_instance_id: str | None, key: str | None, reason: str | None) -> None:
    """Let nothing of a process or a key begin for a while. Undos are included. What runs ends."""
    from ...wire.records import ProcessRecord

    _refuse_both(process_instance_id, key)
    with invocation.changing(process_instance_id) as engine:
        if process_instance_id is not None:
            print_record(ProcessRecord, engine.suspend(process_instance_id, reason=reason, who=user_name()))
        elif key is not None:
            click.echo(suspension_line(key, engine.suspend_key(key, reason=reason, who=user_name())))


@click.command()
@click.argument("process_instance_id", required=False)
@key_option
@followable
@invoked
def unsuspend(
    invocation: Invocation, /, process_instance_id: str | None, key: str | None, follow: bool, as_json: bool
) -> None:
    """Let a suspended process go on, or those of a suspended key."""
    _refuse_both(process_instance_id, key)
    if process_instance_id is None:
        with invocation.changing() as engine:
            engine.unsuspend_key(key or "", who=user_name())
        click.echo(printable(f"{key} goes on; a batch lets its processes go on one by one: riverstone batch list."))
        return
    with invocation.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.unsuspend(process_instance_id)
        following.end(process_instance_id, "success", "rollback.success", "cancel.success", "delete.success")


@click.command()
@invoked
def suspended(invocation: Invocation, /) -> None:
    """List the keys of whose processes nothing begins."""
    with invocation.asking(passive=True) as engine:
        keys = engine.suspended_keys()
        if not keys:
            click.echo("No key is suspended.", err=True)
        for each in keys:
            click.echo(suspension_line(each.key, each))


def _refuse_both(process_instance_id: str | None, key: str | None) -> None:
    if (process_instance_id is None) == (key is None):
        raise click.UsageError("Name either a process or a --key.")


def suspension_line(name: str, each: SuspendedKey | SuspendedStone) -> str:
    """Who has suspended what, why and since when."""
    by = f" by {each.who}" if each.who else ""
    return printable(f"{name}  suspended since {local_time(each.since)}{by}  {each.reason or ''}".rstrip())
