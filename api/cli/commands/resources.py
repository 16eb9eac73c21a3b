"""The commands about what processes have made and nobody has undone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from ....models.vocabulary import ResourceState
from ..invocation import Invocation, invoked
from ..screen.table import print_table
from ..screen.terminal import local_time, print_record, printable

if TYPE_CHECKING:
    from ....engine import CheckSchedule, Page, Resource


HEADER = ("PROCESS", "TASK", "STATE", "SINCE", "STONE", "NAME", "OUTPUTS")
DRIFT_HEADER = ("PROCESS", "GONE", "DIFFERENT", "STONE", "NAME")


@click.command()
@click.option("--process", "process_instance_id", metavar="ID", help="Those of this process.")
@click.option("--stone", help="Those that the stone with this code made.")
@click.option("--key", help="Those of processes of this key.")
@click.option("--state", type=click.Choice(get_args(ResourceState)), help="Those in this state.")
@click.option("--owner", help="Those of processes of this owner.")
@click.option("--text", help="Those with this text in an output, an id, a name or a code.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Go on where the part before has ended.")
@click.option("--count", "shape", flag_value="count", help="Count them by stone and state instead.")
@click.option("--drift", "shape", flag_value="drift", help="Count what checks have found gone or different.")
@click.option("--csv", "shape", flag_value="csv", help="Write all of them as a table with commas.")
@click.option("--json", "shape", flag_value="json", help="Write all of them as one list in JSON.")
@invoked
def resources(
    invocation: Invocation,
    /,
    shape: Literal["count", "drift", "csv", "json"] | None,
    state: ResourceState | None,
    text: str | None,
    limit: int,
    cursor: str | None,
    **wanted: Any,
) -> None:
    """List what exists by the ledger, newest first. It lists the resources of all processes.

    --count, --csv and --json are about all of it, whatever the limit.
    """
    if (text is not None and shape in ("count", "drift")) or (state is not None and shape == "drift"):
        raise click.UsageError(f"Leave out what --{shape} does not take: --text, and with --drift --state.")
    if cursor is not None and shape in ("count", "csv", "json"):
        raise click.UsageError(f"Leave out --cursor: --{shape} is about all of it.")
    with invocation.asking(passive=True) as engine:
        if shape == "count":
            counts = engine.resource_counts(state=state, **wanted)
            print_table(
                ("COUNT", "STATE", "STONE"), ((each.count, each.state, each.stone) for each in counts), right=("COUNT",)
            )
            return
        if shape == "drift":
            drift = engine.resource_drift(limit=limit, cursor=cursor, **wanted)
            groups = (
                (group.process_instance_id, group.gone, group.different, group.stone, group.process_name)
                for group in drift.items
            )
            print_table(DRIFT_HEADER, groups, right=DRIFT_HEADER[:3])
            return _tell_more(drift.cursor)
        ask = partial(engine.resources, state=state, text=text, **wanted)
        if shape is not None:
            return _export(shape, ask)
        page = ask(limit=limit, cursor=cursor)
    if not page.items and page.cursor is None:
        click.echo("No resource matches.", err=True)
    _print(page.items)
    _tell_more(page.cursor)


def _tell_more(cursor: str | None) -> None:
    if cursor is not None:
        click.echo(f"There are more: --cursor {shlex.quote(cursor)}", err=True)


def _export(shape: Literal["csv", "json"], ask: Callable[..., Page[Resource]]) -> None:
    """Write what was asked for, part by part, while it is read."""
    from ...wire.resource_export import csv_texts, json_texts, parts

    for piece in (csv_texts if shape == "csv" else json_texts)(parts(ask)):
        click.echo(piece, nl=False)


@click.command()
@click.argument("process_instance_id")
@invoked
def check(invocation: Invocation, /, process_instance_id: str) -> None:
    """Ask stones whether what a process made is still as it was.

    A server is asked, and answers come in later: riverstone resources lists them.
    """
    with invocation.changing(process_instance_id) as engine:
        found = engine.check(process_instance_id)
    _print(found)
    if not found:
        click.echo("The process made nothing that exists by the ledger.", err=True)
    elif all(each.check is None for each in found) and invocation.server is None:
        click.echo("No stone of this process has the hook check.", err=True)


@click.command()
@click.argument("process_instance_id")
@click.option("--task", "tasks", metavar="ID", multiple=True, help="Only what this task made; may be repeated.")
@invoked
def gone(invocation: Invocation, /, process_instance_id: str, tasks: tuple[str, ...]) -> None:
    """Accept as undone what the last check has found gone."""
    from ...wire.records import ProcessRecord

    with invocation.changing(process_instance_id) as engine:
        print_record(ProcessRecord, engine.accept_gone(process_instance_id, tasks))


@click.group()
def checks() -> None:
    """Have what exists by the ledger checked again and again."""


@checks.command("add")
@click.argument("every")
@click.option("--stone", help="Only what the stone with this code made.")
@click.option("--key", help="Only in processes of this key.")
@click.option(
    "--rate", type=click.FloatRange(0.001, 10_000), default=5.0, show_default=True, help="Processes a second."
)
@invoked
def add_checks(invocation: Invocation, /, every: str, stone: str | None, key: str | None, rate: float) -> None:
    """Add a schedule of checks. EVERY is an ISO 8601 duration such as PT6H, or cron such as '0 3 * * *'."""
    with invocation.changing() as engine:
        _print_schedule(engine.schedule_checks(every, stone=stone, key=key, rate=rate))


@checks.command("list")
@invoked
def list_checks(invocation: Invocation, /) -> None:
    """List the schedules, with what came of their last turns."""
    with invocation.asking(passive=True) as engine:
        for each in engine.check_schedules():
            _print_schedule(each)


@checks.command("remove")
@click.argument("schedule_id")
@invoked
def remove_checks(invocation: Invocation, /, schedule_id: str) -> None:
    """Check no more by this schedule."""
    with invocation.changing() as engine:
        engine.unschedule_checks(schedule_id)


@checks.command("pause")
@click.argument("schedule_id")
@invoked
def pause_checks(invocation: Invocation, /, schedule_id: str) -> None:
    """Let no turn of a schedule begin until it is resumed."""
    with invocation.changing() as engine:
        _print_schedule(engine.pause_checks(schedule_id))


@checks.command("resume")
@click.argument("schedule_id")
@invoked
def resume_checks(invocation: Invocation, /, schedule_id: str) -> None:
    """Let a schedule go on that was paused."""
    with invocation.changing() as engine:
        _print_schedule(engine.resume_checks(schedule_id))


def _print_schedule(each: CheckSchedule) -> None:
    what = "  ".join(f"{name} {text}" for name, text in (("stone", each.stone), ("key", each.key)) if text)
    due = "paused" if each.paused else "no more" if each.next is None else f"next {local_time(each.next)}"
    last = "" if each.last is None else f"  last {local_time(each.last)}"
    batch = f"  batch {each.batch_id}" if each.batch_id else ""
    line = (
        f"{each.schedule_id}  {each.every}  {what or 'all'}  {each.rate:g}/s  {due}{last}{batch}  {each.reason or ''}"
    )
    click.echo(printable(line.rstrip()))


def _print(found: Sequence[Resource]) -> None:
    print_table(HEADER, map(_cells, found), right=HEADER[:2])


def _cells(each: Resource) -> tuple[str, ...]:
    outputs = "  ".join(f"{name}={value}" for name, value in each.outputs.items())
    looked = "" if each.checked is None else f"  checked {local_time(each.checked)}: {each.check}"
    why = f", {each.reason}" if each.reason else ""
    what = (each.state, local_time(each.since), each.stone, each.name, f"{outputs}{looked}{why}".lstrip())
    return each.process_instance_id, each.task_id, *what
