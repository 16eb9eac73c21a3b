"""The commands for many processes at once: ``batch`` and what steers one, and ``reasons`` of many failures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ..invocation import Invocation, invoked
from ..screen.table import print_table
from ..screen.terminal import json_option, print_record, printable, statuses_named
from .processes import STATES, Command, timed

if TYPE_CHECKING:
    from ....engine.views.batches import Batch, BatchPreview
    from ....engine.views.failures import ReasonGroup, Reasons
    from ....models.vocabulary import BatchAction, BatchResult

ACTIONS = ("cancel", "delete", "retry", "rollback", "rewind", "migrate", "suspend", "unsuspend", "check", "retain")
LOOK = 0.5
"""Seconds between two looks at a batch that is followed."""


def searching(command: Command) -> Command:
    """The options by which ``list`` finds processes."""
    for option in reversed(
        (
            click.option("--status", help="Those with this status; failed also finds those that were rolled back."),
            click.option(
                "--state",
                type=click.Choice(STATES),
                help="Those that ended so (success, failed, canceled), stand still for this, or run.",
            ),
            click.option("--key", help="Those of this key."),
            click.option(
                "--text", help="Those with these words in their name or business key, this in their key, or this id."
            ),
            click.option("--business-key", help="Those with this business key."),
            click.option("--stone", help="Those that have used the stone with this code, or tried to."),
            click.option("--at", "element", metavar="ID", help="Those that stand at this element."),
            click.option("--error", metavar="TEXT", help="Those of whose failure this is told."),
            click.option(
                "--variable", "variables", metavar="NAME=VALUE", multiple=True, help="Those with this variable."
            ),
            timed,
        )
    ):
        command = option(command)
    return command


@click.group()
def batch() -> None:
    """Do the same to many processes, one after the other."""


@batch.command("start")
@click.argument("action", type=click.Choice(ACTIONS))
@searching
@click.option("--rate", type=click.FloatRange(0.001, 10_000), help="The most processes a second.")
@click.option("--force", is_flag=True, help="Of a cancel and a delete.")
@click.option("--element", "element_id", metavar="ID", help="Where a rewind goes to, or all that is tried again.")
@click.option("--set-variables", metavar="JSON|@FILE", help="Of a rewind: set before its task begins again.")
@click.option("--parameters", metavar="JSON|@FILE", help="Of a rewind: what its task is given in place of its own.")
@click.option("--to", "deployment_id", metavar="DEPLOYMENT", help="Of a migration: the other version.")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW", help="Of a migration: which element replaces which.")
@click.option("--reason", metavar="TEXT", help="Of a suspension: why.")
@click.option("--preview", is_flag=True, help="Only show what would be done, and change nothing.")
@click.option("--follow", is_flag=True, help="Show how far it is until it has ended.")
@invoked
def start_batch(
    invocation: Invocation,
    /,
    action: BatchAction,
    rate: float | None,
    force: bool,
    element_id: str | None,
    set_variables: str | None,
    parameters: str | None,
    deployment_id: str | None,
    pairs: tuple[str, ...],
    reason: str | None,
    preview: bool,
    follow: bool,
    **searched: Any,
) -> None:
    """Act upon all processes that the options find. They find the same as those of `riverstone list`."""
    where = _where(**searched)
    options: dict[str, Any] = {
        "force": force,
        "element_id": element_id,
        "variables": json_option("--set-variables", set_variables),
        "parameters": json_option("--parameters", parameters),
        "deployment_id": deployment_id,
        "mapping": _pairs("--map", pairs),
        "reason": reason,
    }
    if preview:
        with invocation.asking(passive=True) as engine:
            _print_preview(engine.preview_batch(action, where, **options))
        return
    with invocation.changing(dispatcher="threads" if follow else "inline") as engine:
        started = engine.batch(action, where, rate=rate, **options)
        while follow and started.state == "running":
            time.sleep(LOOK)
            started = engine.batch_progress(started.batch_id)
            click.echo(_line(started), err=True)
    click.echo(_line(started))


@batch.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the list before ended.")
@invoked
def list_batches(invocation: Invocation, /, limit: int, cursor: str | None) -> None:
    """List batches, newest first."""
    with invocation.asking(passive=True) as engine:
        page = engine.batches(limit=limit, cursor=cursor)
    if not print_table(HEADER, map(_cells, page.items)):
        click.echo("There is no batch.", err=True)
    _tell_more(page.cursor)


@batch.command("show")
@click.argument("batch_id")
@click.option("--result", type=click.Choice(["waiting", "done", "refused"]), help="List what has this result.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the list before ended.")
@invoked
def show_batch(
    invocation: Invocation, /, batch_id: str, result: BatchResult | None, limit: int, cursor: str | None
) -> None:
    """Show how far a batch is, or what came of its processes."""
    from ...wire.records import BatchRecord

    with invocation.asking(passive=True) as engine:
        if result is None:
            print_record(BatchRecord, engine.batch_progress(batch_id))
            return
        page = engine.batch_items(batch_id, result=result, limit=limit, cursor=cursor)
    rows = (
        (item.process_instance_id, item.result, f"{item.code}: {item.reason}" if item.code else "")
        for item in page.items
    )
    if not print_table(("PROCESS", "RESULT", "REASON"), rows, right=("PROCESS",)):
        click.echo(f"No process of the batch is {result}.", err=True)
    _tell_more(page.cursor)


@batch.command("pause")
@click.argument("batch_id")
@invoked
def pause_batch(invocation: Invocation, /, batch_id: str) -> None:
    """Let a batch do nothing more for now."""
    with invocation.changing(batch_id, passive=True) as engine:
        click.echo(_line(engine.pause_batch(batch_id)))


@batch.command("resume")
@click.argument("batch_id")
@click.option("--rate", type=click.FloatRange(0.001, 10_000), help="From now on the most processes a second.")
@invoked
def resume_batch(invocation: Invocation, /, batch_id: str, rate: float | None) -> None:
    """Let a paused batch go on."""
    with invocation.changing(batch_id) as engine:
        click.echo(_line(engine.resume_batch(batch_id, rate=rate)))


@batch.command("stop")
@click.argument("batch_id")
@invoked
def stop_batch(invocation: Invocation, /, batch_id: str) -> None:
    """End a batch before its end; what it has done stays done."""
    with invocation.changing(batch_id, passive=True) as engine:
        click.echo(_line(engine.stop_batch(batch_id)))


@click.command()
@searching
@invoked
def reasons(invocation: Invocation, /, **searched: Any) -> None:
    """Count failures by reason. Without options only processes are counted that wait for a decision."""
    with invocation.asking(passive=True) as engine:
        found = engine.failures_by_reason(_where(**searched))
    _print_groups(found)
    looked = "1 process was" if found.processes == 1 else f"{found.processes} processes were"
    click.echo(f"{looked} looked at{', of more' if found.partial else ''}.", err=True)


def _where(status: str | None, variables: tuple[str, ...], **others: Any) -> dict[str, Any]:
    where: dict[str, Any] = {name: value for name, value in others.items() if value is not None}
    if variables:
        where["variables"] = _pairs("--variable", variables)
    if statuses := statuses_named(status):
        where["statuses"] = statuses
    return where


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    wrong = next((each for each in given if "=" not in each[1:]), None)
    if wrong is not None:
        raise click.ClickException(f"{option} is {wrong!r}: give NAME=VALUE.")
    return dict(each.split("=", 1) for each in given)


HEADER = ("BATCH", "ACTION", "STATE", "PROGRESS")


def _cells(each: Batch) -> tuple[str, ...]:
    speed = "" if each.rate is None else f", at most {each.rate:g} a second"
    return each.batch_id, each.action, each.state, f"{each.done} of {each.total} done, {each.refused} refused{speed}"


def _line(each: Batch) -> str:
    return printable("  ".join(_cells(each)))


def _print_preview(plan: BatchPreview) -> None:
    _print_groups(plan)
    looked = " in the first of them" if plan.partial else ""
    processes = f"{plan.processes} process{'' if plan.processes == 1 else 'es'}"
    tasks = f"{plan.tasks} task{'' if plan.tasks == 1 else 's'}"
    click.echo(f"{plan.action} of {processes}: {tasks}{looked}.", err=True)


def _print_groups(found: BatchPreview | Reasons) -> None:
    print_table(("TASKS", "ELEMENT", "STONE", "REASON"), map(_group_cells, found.groups), right=("TASKS",))
    if found.left_out:
        click.echo(f"{found.left_out} more in further groups.", err=True)


def _group_cells(group: ReasonGroup) -> tuple[object, ...]:
    example = f"  (such as {group.example})" if group.example else ""
    return group.tasks, group.element_id or "-", group.stone or "-", f"{group.reason or ''}{example}"


def _tell_more(cursor: str | None) -> None:
    if cursor is not None:
        click.echo(f"There are more: --cursor {cursor}", err=True)
