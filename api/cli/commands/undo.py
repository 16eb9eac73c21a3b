"""The commands about undoing: cancel, delete and protect."""

from __future__ import annotations

from typing import Literal

import click

from ..invocation import Invocation, invoked
from ..screen.following import Following, dispatcher_for, followable
from ..screen.table import print_table
from ..screen.terminal import in_runs

force_option = click.option("--force", is_flag=True, help="Skip the grace; a delete cancels a running process first.")


@click.command()
@click.argument("process_instance_id")
@force_option
@followable
@invoked
def cancel(invocation: Invocation, /, process_instance_id: str, force: bool, follow: bool, as_json: bool) -> None:
    """Cancel a running process."""
    with invocation.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.cancel(process_instance_id, force=force)
        following.end(process_instance_id, "cancel.success")


@click.command()
@click.argument("process_instance_id")
@force_option
@click.option("--retain", multiple=True, metavar="TASK", help="Give up this task that could not be deleted.")
@followable
@invoked
def delete(
    invocation: Invocation,
    /,
    process_instance_id: str,
    force: bool,
    retain: tuple[str, ...],
    follow: bool,
    as_json: bool,
) -> None:
    """Delete what a process made."""
    with invocation.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.delete(process_instance_id, force=force, retain=retain)
        following.end(process_instance_id, "delete.success")


@click.command()
@click.argument("process_instance_id", required=False)
@click.option("--model", "model_id", metavar="MODEL", help="All processes of this model instead.")
@click.option("--off", is_flag=True, help="Allow deletes again.")
@invoked
def protect(invocation: Invocation, /, process_instance_id: str | None, model_id: str | None, off: bool) -> None:
    """Refuse deletes of what a process made."""
    if (process_instance_id is None) == (model_id is None):
        raise click.UsageError("Name either a process instance or, with --model, a model.")
    with invocation.changing(process_instance_id or model_id, passive=True) as engine:
        if model_id is not None:
            engine.protect_model(model_id, not off)
        elif process_instance_id is not None:
            engine.protect(process_instance_id, not off)


@click.command()
@click.argument("process_instance_id")
@click.option("--preview", is_flag=True, hidden=True, help="What it does anyway.")
@click.option("--kind", type=click.Choice(["rollback", "cancel", "delete"]), default="delete", show_default=True)
@invoked
def undo(
    invocation: Invocation, /, process_instance_id: str, preview: bool, kind: Literal["rollback", "cancel", "delete"]
) -> None:
    """Show what an undo would do, in order. It changes nothing; rollback, cancel and delete do it."""
    with invocation.asking(passive=True) as engine:
        steps = engine.preview(process_instance_id, kind)
    rows = (
        (step.action, step.task_id, in_runs(step.name, step.runs), step.stone or "-", ", ".join(step.after))
        for step in steps
    )
    print_table(("ACTION", "TASK", "NAME", "STONE", "AFTER"), rows, right=("TASK",))
    if all(step.action == "retain" for step in steps):
        click.echo(f"A {kind} would take nothing back.", err=True)
