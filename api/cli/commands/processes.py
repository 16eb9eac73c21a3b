"""The commands about processes: start them, look at them, and tell them what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from ....models.vocabulary import InstanceKind
from ..invocation import Invocation, invoked
from ..screen.following import Following, dispatcher_for, followable
from ..screen.forms import answers_given, form_lines, wrong_fields_told
from ..screen.terminal import age, in_runs, json_option, local_time, print_record, printable, statuses_named

if TYPE_CHECKING:
    from ....engine import Engine
    from ....engine.views.tasks import TaskState
    from ...client.client import Client

Command = TypeVar("Command", bound=Callable[..., Any])
STATES = ("running", "attention", "person", "event", "stone", "suspended", "quota", "success", "failed", "canceled")


@click.command()
@click.option("--key", help="Start the newest deployed version with this key.")
@click.option("--deployment-id", help="Start this deployed version.")
@click.option("--model-id", help="Start a trial run of this saved model.")
@click.option("--name", help="The name of the process. The default is its key.")
@click.option("--variables", metavar="JSON|@FILE", help="The start variables as a JSON object, or a file with one.")
@click.option(
    "--set",
    "answers",
    metavar="NAME=VALUE",
    multiple=True,
    help="One start variable; may be given again. It is a text unless the model declares another type.",
)
@click.option("--form", "ask", is_flag=True, help="Show the fields of the model's start form. Nothing is started.")
@click.option("--business-key", help="The business key. Messages can name it to reach this process.")
@click.option("--callback-url", metavar="URL", help="The webhook that is told about the process.")
@click.option("--priority", type=int, default=0, help="Tasks of a higher priority get a free slot of a quota first.")
@click.option("--protect", "protected", is_flag=True, help="Refuse to delete what the process makes.")
@click.option("--rollback/--no-rollback", default=True, help="Whether a failure undoes what the process made.")
@click.option(
    "--on-failure",
    metavar="POLICY",
    help="What a failure does: rollback, pause, keep, or for example 'pause PT2H', which rolls back after two hours.",
)
@click.option(
    "--drain",
    type=click.Choice(["stop", "all"]),
    default="stop",
    help="When a task fails: ask the other running tasks to stop, or let all of them end.",
)
@click.option("--idempotency-key", metavar="KEY", help="A repeated start with the same key returns the first process.")
@followable
@invoked
def start(
    invocation: Invocation,
    /,
    name: str | None,
    variables: str | None,
    answers: tuple[str, ...],
    ask: bool,
    follow: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Start a process."""
    if sum(options[name] is not None for name in ("key", "deployment_id", "model_id")) != 1:
        raise click.ClickException("Give exactly one of --key, --deployment-id and --model-id.")
    values = answers_given("--variables", variables, answers)
    if ask:
        _show_form(invocation, values, options, as_json=as_json)
        return
    with invocation.changing(dispatcher=dispatcher_for(follow)) as engine:
        options["name"] = name or _name_of(engine, options)
        following = Following(engine, None, follow=follow, as_json=as_json)
        with wrong_fields_told():
            instance = engine.start(variables=values, **options)
        stands = following.end(instance.process_instance_id, "success")
    if stands.status == "running" and stands.awaits is None and invocation.server is None:
        again = f"riverstone show {stands.process_instance_id} --follow"
        click.echo(f"The process continues only while an engine runs: {again}, or riverstone serve.", err=True)


def _show_form(invocation: Invocation, values: dict[str, Any], options: Mapping[str, Any], *, as_json: bool) -> None:
    from ...wire.records import StartFormRecord

    which = {name: options[name] for name in ("key", "deployment_id", "model_id")}
    with invocation.asking(passive=True) as engine:
        form = engine.start_form(**which, values=values or None)
    if as_json:
        print_record(StartFormRecord, form)
        return
    for line in form_lines(form.parts, form.values) or ["The model has no start form: use --variables or --set."]:
        click.echo(printable(line))
    for name, texts in form.errors.items():
        click.echo(printable(f"{name}: {' '.join(texts)}"), err=True)


def _name_of(engine: Engine | Client, options: Mapping[str, Any]) -> str:
    """What a process is called that nobody names: like its key; raises UnknownDeployment."""
    if options["deployment_id"] is not None:
        return engine.deployment(options["deployment_id"]).key
    return options["key"] or "trial"


@click.command()
@click.argument("process_instance_id")
@click.option("--decisions", is_flag=True, help="List the last 500 decisions of the process instead.")
@followable
@invoked
def show(invocation: Invocation, /, process_instance_id: str, decisions: bool, follow: bool, as_json: bool) -> None:
    """Show one process: its state, variables, outputs and tasks."""
    from ..screen.page import process_page

    if decisions:
        _show_decisions(invocation, process_instance_id, as_json=as_json)
        return
    with invocation.asking(dispatcher_for(follow), passive=None if follow else True) as engine:

        def page() -> None:
            for line in process_page(engine, engine.get(process_instance_id)):
                click.echo(line)

        following = Following(engine, None, follow=follow, as_json=as_json)
        following.end(process_instance_id, "success", "delete.success", otherwise=None if as_json else page)


def _show_decisions(invocation: Invocation, process_instance_id: str, *, as_json: bool) -> None:
    from ....engine.showing.why.explanation import decided
    from ...wire.records import DecisionMadePage

    with invocation.asking(passive=True) as engine:
        made = engine.decisions_made(process_instance_id, limit=500)
    if as_json:
        print_record(DecisionMadePage, made)
        return
    for each in reversed(made.items):
        click.echo(printable(f"{local_time(each.made_at)}  {in_runs(each.name, each.runs)}  {decided(each.result)}"))
    if made.cursor is not None:
        click.echo("There are older ones, which GET /process/{id}/decision lists.", err=True)


@click.command()
@click.argument("process_instance_id")
@click.option("--element", metavar="ID", help="Those of one element.")
@click.option("--state", type=click.Choice(["open", "failed"]), help="Those that are open, or have failed.")
@click.option("--count", is_flag=True, help="Count them by element and state.")
@invoked
def tasks(
    invocation: Invocation, /, process_instance_id: str, element: str | None, state: TaskState | None, count: bool
) -> None:
    """List the tasks of a process instance."""
    from ..screen.screen import TASK_HEADER, task_cells
    from ..screen.table import print_table

    if count and (element or state):
        raise click.UsageError("--count counts all tasks: leave --element and --state out.")
    with invocation.asking(passive=True) as engine:
        if count:
            rows = (
                (each.count, each.status, "/".join((*each.calls, each.element_id)), each.name)
                for each in engine.task_counts(process_instance_id)
            )
            print_table(("COUNT", "STATUS", "ELEMENT", "NAME"), rows, right=("COUNT",))
            return
        found = engine.tasks(process_instance_id, element_id=element, state=state)
    if not print_table(TASK_HEADER, map(task_cells, found), right=("TASK",)):
        click.echo("No task matches.", err=True)


@click.command()
@click.argument("process_instance_id")
@click.option("--json", "as_json", is_flag=True, help="Print it as HTTP would.")
@invoked
def why(invocation: Invocation, /, process_instance_id: str, as_json: bool) -> None:
    """Explain why a process stands still, and what can be done."""
    from ...wire.records import ExplanationRecord

    with invocation.asking(passive=True) as engine:
        told = engine.why(process_instance_id)
    if as_json:
        print_record(ExplanationRecord, told)
        return
    for sentence in told.sentences:
        click.echo(printable(sentence))
    if told.commands:
        click.echo("\nWhat you can do:")
    for command in told.commands:
        click.echo(printable(f"  {command}"))


@click.command()
@click.argument("process_instance_id")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--cursor", help="Where the part before ended.")
@click.option("--json", "as_json", is_flag=True, help="Print it as HTTP would.")
@invoked
def history(invocation: Invocation, /, process_instance_id: str, as_json: bool, **options: Any) -> None:
    """Tell what happened in a process, oldest first."""
    from ...wire.records import HistoryPage
    from ..screen.screen import history_line

    with invocation.asking(passive=True) as engine:
        page = engine.history(process_instance_id, **options)
    if as_json:
        print_record(HistoryPage, page)
        return
    for entry in page.items:
        click.echo(history_line(entry))
    if page.cursor is not None:
        click.echo(f"There are more: --cursor {page.cursor}", err=True)


def timed(command: Command) -> Command:
    """The options by which processes are found that started or ended in some time."""
    for name, what in (("started", "started"), ("ended", "ended")):
        for bound, when in (("before", "before it"), ("from", "then or later")):
            told = f"Those that {what} {when} (local time)."
            command = click.option(f"--{name}-{bound}", metavar="TIME", type=click.DateTime(), help=told)(command)
    return command


@click.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the list before ended.")
@click.option("--status", help="Only those with this status; failed also finds those that were rolled back.")
@click.option(
    "--state",
    type=click.Choice(STATES),
    help="Only those that ended so (success, failed, canceled), stand still for this, or run.",
)
@click.option("--kind", type=click.Choice(get_args(InstanceKind)), help="Only starts, or only undos of this kind.")
@click.option("--key", help="Only those of this key.")
@click.option(
    "--text", help="Only those with these words in their name or business key, this in their key, or this id."
)
@click.option("--business-key", help="Only those with this business key.")
@click.option("--stone", help="Only those that have used the stone with this code, or tried to.")
@click.option("--element", metavar="ID", help="Only those that stand at this element.")
@click.option("--error", metavar="TEXT", help="Only those of whose failure this is told.")
@click.option("--variable", "variables", metavar="NAME=VALUE", multiple=True, help="Only those with this variable.")
@timed
@click.option("--sort", type=click.Choice(["id", "started", "ended"]), default="id", show_default=True)
@invoked
def list_instances(invocation: Invocation, /, status: str | None, variables: tuple[str, ...], **options: Any) -> None:
    """List process instances, newest first."""
    from ..screen.screen import INSTANCE_HEADER, instance_cells
    from ..screen.table import print_table

    unnamed = next((each for each in variables if "=" not in each[1:]), None)
    if unnamed is not None:
        raise click.ClickException(f"--variable is {unnamed!r}: give NAME=VALUE.")
    options["variables"] = dict(each.split("=", 1) for each in variables)
    with invocation.asking(passive=True) as engine:
        page = engine.search(statuses=statuses_named(status), **options)
    if not print_table(INSTANCE_HEADER, map(instance_cells, page.items), right=("ID",)):
        click.echo("No process matches.", err=True)
    if page.inside_words_from is not None:
        click.echo(f"Inside of words it was sought only from process {page.inside_words_from} on.", err=True)
    if page.cursor is not None:
        click.echo(f"There are more: --cursor {page.cursor}", err=True)


@click.command()
@click.argument("task_id")
@click.option("--outputs", metavar="JSON|@FILE", help="What the task put out, a JSON object.")
@invoked
def complete(invocation: Invocation, /, task_id: str, outputs: str | None) -> None:
    """Complete a user task."""
    from ...wire.records import TaskRecord

    values = json_option("--outputs", outputs)
    with invocation.changing(task_id) as engine:
        print_record(TaskRecord, engine.complete(task_id, values))


@click.command()
@click.argument("name")
@click.option("--payload", metavar="JSON|@FILE")
@click.option("--business-key", help="The process with this business key.")
@click.option("--correlation", help="The process that waits for the message with this correlation key.")
@click.option("--process", "process_instance_id", help="The process with this id.")
@click.option("--ttl", metavar="AGE", help="Keep it so long if nobody waits for it yet, such as 10m.")
@click.option("--idempotency-key", metavar="KEY", help="Sent again with it within a day, nobody gets it twice.")
@invoked
def message(invocation: Invocation, /, name: str, payload: str | None, ttl: str | None, **options: Any) -> None:
    """Send a BPMN message to one process that waits for it."""
    from ...wire.records import ProcessRecord

    values = json_option("--payload", payload)
    with invocation.changing() as engine:
        seconds = None if ttl is None else age("--ttl", ttl)
        taken = engine.message(name, values, **options, ttl=seconds)
        if taken is None:
            click.echo(f"Nobody waits for it yet: it is kept for {ttl}.")
        else:
            print_record(ProcessRecord, taken)


@click.command()
@click.argument("name")
@click.option("--payload", metavar="JSON|@FILE")
@click.option("--idempotency-key", metavar="KEY", help="Sent again with it within a day, nobody gets it twice.")
@invoked
def signal(invocation: Invocation, /, name: str, payload: str | None, idempotency_key: str | None) -> None:
    """Send a BPMN signal to every process that waits for it."""
    values = json_option("--payload", payload)
    with invocation.changing() as engine:
        reached = engine.signal(name, values, idempotency_key=idempotency_key)
    for process_instance_id in reached:
        click.echo(process_instance_id)
    if not reached:
        click.echo("No process waits for it.", err=True)


@click.command()
@click.option("--older-than", required=True, metavar="AGE", help="A number with s, m, h, d or w, such as 30d.")
@click.option("--even-undeleted", is_flag=True, help="Also processes whose results exist and stay.")
@click.option("--dry-run", is_flag=True, help="Only count them.")
@invoked
def purge(invocation: Invocation, /, older_than: str, even_undeleted: bool, dry_run: bool) -> None:
    """Forget processes that ended long ago and left nothing to undo."""
    seconds = age("--older-than", older_than)
    with invocation.engine(passive=True) as engine:
        count = engine.purge(seconds, even_undeleted=even_undeleted, dry_run=dry_run)
    click.echo(f"{'Would forget' if dry_run else 'Forgot'} {count} process{'' if count == 1 else 'es'}.")
