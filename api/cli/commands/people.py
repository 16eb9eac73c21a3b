"""The commands for people who have tasks to do."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ..invocation import Invocation, invoked
from ..screen.forms import answers_given, form_lines, wrong_fields_told
from ..screen.table import print_table
from ..screen.terminal import local_time, print_record, printable, user_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....engine.views.people import TaskForm, UserTask

ME = "me"


@click.group()
def task() -> None:
    """Tasks of people: find, take, look at and complete them.

    With --url you act as the person of the key. On the database itself you act as --as, or as who runs the command,
    who may do all.
    """


def as_person(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command be done as somebody."""
    group = click.option("--in", "groups", metavar="GROUP", multiple=True, help="A group of theirs; with --as.")
    return click.option("--as", "user", metavar="USER", help="Who does it, where there is no server to ask.")(
        group(command)
    )


def _whose(invocation: Invocation, user: str | None, groups: tuple[str, ...]) -> dict[str, Any]:
    """What says to an engine who asks; a server knows that by the key."""
    if invocation.server is not None:
        if user is not None or groups:
            raise click.UsageError("With --url it is the key that says who asks: leave out --as and --in.")
        return {}
    from ....engine.person import Person

    if user is None:
        return {"person": Person(user=user_name(), groups=frozenset(groups), sees_all=True, is_admin=True)}
    return {"person": Person(user=user, groups=frozenset(groups))}


@task.command("list")
@click.option("--mine", is_flag=True, help="Only those that I have.")
@click.option("--assignee", metavar="USER", help="Only those of this user.")
@click.option("--group", "of_groups", metavar="GROUP", multiple=True, help="Only those that this group may take.")
@click.option("--free", is_flag=True, help="Only those that nobody has.")
@click.option("--key", help="Only those of processes of this key.")
@click.option("--text", help="Only those with this in their name, or in that of their process.")
@click.option("--sort", type=click.Choice(["created", "due", "priority"]), default="due", show_default=True)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the list before ended.")
@click.option("--json", "as_json", is_flag=True, help="Print it as HTTP would.")
@as_person
@invoked
def list_tasks(
    invocation: Invocation,
    /,
    mine: bool,
    of_groups: tuple[str, ...],
    free: bool,
    as_json: bool,
    user: str | None,
    groups: tuple[str, ...],
    **options: Any,
) -> None:
    """List open tasks of people."""
    from ...wire.records import UserTaskPage

    whose = _whose(invocation, user, groups)
    if mine:
        options["assignee"] = whose["person"].user if whose else ME
    with invocation.asking(passive=True) as engine:
        page = engine.people.inbox(**whose, **options, groups=list(of_groups), assigned=False if free else None)
    if as_json:
        print_record(UserTaskPage, page)
        return
    if not print_table(TASK_HEADER, map(user_task_cells, page.items), right=("TASK",)):
        click.echo("No task matches.", err=True)
    if page.cursor is not None:
        click.echo(f"There are more: --cursor {page.cursor}", err=True)


@task.command("show")
@click.argument("task_id")
@click.option("--json", "as_json", is_flag=True, help="Print it as HTTP would.")
@as_person
@invoked
def show_task(
    invocation: Invocation, /, task_id: str, as_json: bool, user: str | None, groups: tuple[str, ...]
) -> None:
    """Show what a task asks for."""
    from ...wire.records import TaskFormRecord

    whose = _whose(invocation, user, groups)
    with invocation.asking(passive=True) as engine:
        form = engine.people.form(task_id, **whose)
    if as_json:
        print_record(TaskFormRecord, form)
        return
    for line in _task_lines(form):
        click.echo(printable(line))


def _acting(name: str, text: str, *, takes_user: bool = False) -> None:
    @as_person
    @invoked
    def command(
        invocation: Invocation, /, task_id: str, user: str | None, groups: tuple[str, ...], **given: Any
    ) -> None:
        whose = _whose(invocation, user, groups)
        with invocation.changing(task_id) as engine:
            changed = getattr(engine.people, name)(task_id, *given.values(), **whose)
        click.echo(user_task_line(changed))

    if takes_user:
        command = click.argument("assignee", metavar="USER")(command)
    task.command(name, help=text)(click.argument("task_id")(command))


_acting("claim", "Take a task, so that others leave it alone.")
_acting("release", "Give a task back. It goes to who has handed it on, else to all who may take it.")
_acting("assign", "Say whose a task is, as who oversees its process.", takes_user=True)
_acting("delegate", "Hand on a task that you have, and may get back.", takes_user=True)


@task.command("schedule")
@click.argument("task_id")
@click.option("--due", metavar="TIME", help="When it is due, such as '2026-12-01 17:00'; 'never' is none.")
@click.option("--follow-up", metavar="TIME", help="When it is taken up; 'never' is none.")
@click.option("--priority", type=int, help="How it ranks; 50 is usual, and the highest comes first.")
@as_person
@invoked
def schedule_task(
    invocation: Invocation,
    /,
    task_id: str,
    due: str | None,
    follow_up: str | None,
    priority: int | None,
    user: str | None,
    groups: tuple[str, ...],
) -> None:
    """Say when a task is due, when it is taken up, and how it ranks."""
    whose = _whose(invocation, user, groups)
    changed: dict[str, Any] = {} if priority is None else {"priority": priority}
    for name, option, text in (("due", "--due", due), ("follow_up", "--follow-up", follow_up)):
        if text is not None:
            changed[name] = _time(option, text)
    if not changed:
        raise click.UsageError("Give --due, --follow-up or --priority.")
    with invocation.changing(task_id) as engine:
        click.echo(user_task_line(engine.people.schedule(task_id, **whose, **changed)))


def _time(option: str, text: str) -> datetime | None:
    from ....engine.clock import read_moment

    if text == "never":
        return None
    try:
        return read_moment(text).astimezone()
    except (ValueError, OverflowError):
        raise click.ClickException(f"{option} is {text!r}: give a time such as 2026-12-01 17:00, or never.") from None


@task.command("count")
@as_person
@invoked
def count_tasks(invocation: Invocation, /, user: str | None, groups: tuple[str, ...]) -> None:
    """Count the open tasks for you, at most 100 of each list."""
    with invocation.asking(passive=True) as engine:
        found = engine.people.counts(**_whose(invocation, user, groups))
    click.echo(f"mine {found.mine}, for me and my groups {found.groups}, all {found.all}")


@task.command("complete")
@click.argument("task_id")
@click.option("--set", "answers", metavar="NAME=VALUE", multiple=True, help="One answer; may be given again.")
@click.option("--outputs", metavar="JSON|@FILE", help="All answers, a JSON object.")
@as_person
@invoked
def complete_task(
    invocation: Invocation,
    /,
    task_id: str,
    answers: tuple[str, ...],
    outputs: str | None,
    user: str | None,
    groups: tuple[str, ...],
) -> None:
    """Complete a task with what it asks for."""
    values = answers_given("--outputs", outputs, answers)
    whose = _whose(invocation, user, groups)
    with invocation.changing(task_id) as engine, wrong_fields_told():
        changed = engine.people.complete(task_id, values, **whose)
    click.echo(user_task_line(changed))


TASK_HEADER = ("TASK", "WHOSE", "DUE", "NAME", "PROCESS")


def user_task_cells(found: UserTask) -> tuple[str, ...]:
    """What a list tells of one task of a person."""
    due = "" if found.due is None else local_time(found.due)
    if found.ended is not None:
        whose = f"done by {found.done_by}" if found.done_by else "ended"
    else:
        candidates = ", ".join((*found.users, *found.groups)) or "anybody"
        whose = f"of {found.assignee}" if found.assignee else f"for {candidates}"
    return found.task_id, whose, due, found.name, found.process_name


def user_task_line(found: UserTask) -> str:
    """One task of a person in one line that stands alone."""
    number, whose, due, name, process = user_task_cells(found)
    told = (f"{number:>8}", whose, due and f"due {due}", name, f"({process})")
    return printable("  ".join(filter(None, told)))


def _task_lines(form: TaskForm) -> list[str]:
    """What a task asks for, a line for each part."""
    lines = [user_task_line(form.task)]
    lines += ["", form.documentation] if form.documentation else []
    lines += ["", *form_lines(form.parts, form.values)] if form.parts else []
    if form.may:
        lines += ["", f"You may: {', '.join(form.may)}."]
    return lines
