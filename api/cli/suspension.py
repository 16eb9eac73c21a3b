"""The commands that let nothing begin for a while, and let it go on again."""

from __future__ import annotations

import click

from .following import Following, dispatcher_for, followable
from .invocation import Invocation, invoked
from .terminal import print_record, user_name


@click.command()
@click.argument("process_instance_id")
@click.option("--reason", metavar="TEXT", help="Why, for whoever looks at it.")
@invoked
def suspend(invocation: Invocation, /, process_instance_id: str, reason: str | None) -> None:
    """Let nothing of a process begin, its undo included; what runs ends."""
    from ..wire.records import ProcessRecord

    with invocation.changing(process_instance_id) as engine:
        print_record(ProcessRecord, engine.suspend(process_instance_id, reason=reason, who=user_name()))


@click.command()
@click.argument("process_instance_id")
@followable
@invoked
def unsuspend(invocation: Invocation, /, process_instance_id: str, follow: bool, as_json: bool) -> None:
    """Let a suspended process go on."""
    with invocation.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.unsuspend(process_instance_id)
        following.end(process_instance_id, "success", "rollback.success", "cancel.success", "delete.success")
