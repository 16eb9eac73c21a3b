"""The command line ``riverstone``: every call of the engine, a server, and a demonstration.

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import click

from .access_commands import audit, encrypt, key
from .authoring_commands import render, templates
from .connection import Connection, connected
from .following import Following, dispatcher_for, followable
from .log import log_options, write_log
from .stone_commands import stone
from .terminal import age, binding_line, json_file, json_option, print_record, readable
from .worker_commands import river, worker


class OneSentence(click.Group):
    """A group whose commands end in one sentence and exit code 1, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            from .hints import hint_for

            ours = type(error).__module__.startswith("riverstone.")
            text = str(error) if ours else f"{type(error).__name__}: {error}"
            hint = hint_for(error) if ours else None
            if hint is not None:
                text = f"{text.rstrip('.')}. {hint}"
            raise click.ClickException(" ".join(text.split())) from error


@click.group(cls=OneSentence, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--db", envvar="RIVERSTONE_DB", default="sqlite:///riverstone.db", show_default=True, help="URL of the database."
)
@click.option(
    "--stones",
    "modules",
    envvar="RIVERSTONE_STONES",
    multiple=True,
    metavar="MODULE",
    help="A Python module that defines stones; may be given again.",
)
@click.option(
    "--config", envvar="RIVERSTONE_CONFIG", type=click.Path(), help="A TOML file with limits and introspection."
)
@click.option(
    "--broker", envvar="RIVERSTONE_BROKER", metavar="URL", help="Leave stones to the workers behind it: amqp, redis."
)
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="One of the limits; may be given again.")
@click.option(
    "--url",
    "server",
    envvar="RIVERSTONE_URL",
    help="Let this server do it, as https://host:8080, with the key in RIVERSTONE_API_KEY.",
)
@click.option("--api-key-file", type=click.Path(), help="A file that holds the key for --url.")
@click.version_option(package_name="riverstone")
@click.pass_context
def main(
    context: click.Context,
    db: str,
    modules: tuple[str, ...],
    config: str | None,
    broker: str | None,
    limits: tuple[str, ...],
    server: str | None,
    api_key_file: str | None,
) -> None:
    """Run BPMN processes that can be taken back."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    key = os.environ.get("RIVERSTONE_API_KEY") or None
    if api_key_file is not None:
        key = readable(api_key_file).read_text(encoding="utf-8").strip()
    context.obj = Connection(
        url=db, modules=modules, limits=limits, config=config, broker=broker, server=server or None, api_key=key
    )


force_option = click.option("--force", is_flag=True, help="Skip the grace; a delete cancels a running process first.")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--name", help="The model's name.")
@click.option("--parameter-template", type=click.Path(), help="A JSON file.")
@click.option("--outputs-template", type=click.Path(), help="A JSON file.")
@click.option(
    "--protect/--no-protect", "protected", default=None, help="Refuse or allow deletes of what its processes make."
)
@connected
def deploy(
    connection: Connection,
    /,
    files: Sequence[str],
    name: str | None,
    parameter_template: str | None,
    outputs_template: str | None,
    protected: bool | None,
) -> None:
    """Publish BPMN files as one deployment."""
    from .records import DeploymentRecord

    templates = {
        "parameter_template": json_file(parameter_template),
        "outputs_template": json_file(outputs_template),
    }
    with connection.changing(passive=True) as engine:
        print_record(DeploymentRecord, engine.deploy(*files, name=name, protected=protected, **templates))


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@connected
def lint(connection: Connection, /, files: Sequence[str]) -> None:
    """Check BPMN files without deploying them, and tell what was read for each of their tasks.

    Whether the stones that they name exist is checked only when stones are named by --stones.
    """
    with replace(connection, url="sqlite:///:memory:", broker=None, server=None).engine() as engine:
        found = engine.lint(*files)
        findings = [finding for finding in found if engine.stones or finding.code != "unknown-stone"]
        bindings = engine.bindings(*files)
    for finding in findings:
        click.echo(str(finding))
    for binding in bindings:
        click.echo(binding_line(binding))
    if any(finding.severity == "error" for finding in findings):
        raise click.exceptions.Exit(1)


@main.command()
@click.option("--key", help="The newest deployment of this key.")
@click.option("--deployment-id", help="This version.")
@click.option("--model-id", help="A trial run of this model, in debug mode.")
@click.option("--name", required=True, help="What to call the process.")
@click.option("--variables", metavar="JSON|@FILE", help="The start variables, a JSON object.")
@click.option("--business-key", help="By which messages find the process.")
@click.option("--protect", "protected", is_flag=True, help="Refuse deletes of what it makes.")
@click.option("--rollback/--no-rollback", default=True, help="Whether a failure takes back what was made.")
@click.option("--drain", type=click.Choice(["stop", "all"]), default="stop", help="What others do when a task fails.")
@followable
@connected
def start(connection: Connection, /, variables: str | None, follow: bool, as_json: bool, **options: Any) -> None:
    """Start a process."""
    values = json_option("--variables", variables)
    with connection.changing(dispatcher=dispatcher_for(follow)) as engine:
        following = Following(engine, None, follow=follow, as_json=as_json)
        instance = engine.start(variables=values or {}, **options)
        following.end(instance.process_instance_id, "success")


@main.command()
@click.argument("process_instance_id")
@followable
@connected
def show(connection: Connection, /, process_instance_id: str, follow: bool, as_json: bool) -> None:
    """Show one process instance."""
    with connection.asking(dispatcher_for(follow), passive=None if follow else True) as engine:
        Following(engine, None, follow=follow, as_json=as_json).end(process_instance_id, "success", "delete.success")


@main.command()
@click.argument("process_instance_id")
@connected
def tasks(connection: Connection, /, process_instance_id: str) -> None:
    """List the tasks of a process instance."""
    from .live import task_line

    with connection.asking(passive=True) as engine:
        for task in engine.tasks(process_instance_id):
            click.echo(task_line(task))


@main.command()
@click.argument("process_instance_id")
@click.option("--json", "as_json", is_flag=True, help="Print it as HTTP would.")
@connected
def why(connection: Connection, /, process_instance_id: str, as_json: bool) -> None:
    """Explain why a process stands where it stands, and what can be done."""
    from .live import printable
    from .records import ExplanationRecord

    with connection.asking(passive=True) as engine:
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


@main.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the list before ended.")
@click.option("--status", help="Only those in this status.")
@click.option("--key", help="Only those of this key.")
@click.option("--text", help="Only those with this in their name or key, or with this business key or id.")
@connected
def list_instances(connection: Connection, /, status: str | None, **options: Any) -> None:
    """List process instances, newest first."""
    from .live import instance_line

    with connection.asking(passive=True) as engine:
        page = engine.search(statuses=() if status is None else (status,), **options)
    for instance in page.items:
        click.echo(instance_line(instance))
    if page.cursor is not None:
        click.echo(f"There are more: --cursor {page.cursor}", err=True)


@main.command()
@click.argument("process_instance_id")
@force_option
@followable
@connected
def cancel(connection: Connection, /, process_instance_id: str, force: bool, follow: bool, as_json: bool) -> None:
    """Cancel a running process."""
    with connection.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.cancel(process_instance_id, force=force)
        following.end(process_instance_id, "cancel.success")


@main.command()
@click.argument("process_instance_id")
@force_option
@click.option("--retain", multiple=True, metavar="TASK", help="Give up this task that could not be deleted.")
@followable
@connected
def delete(
    connection: Connection,
    /,
    process_instance_id: str,
    force: bool,
    retain: tuple[str, ...],
    follow: bool,
    as_json: bool,
) -> None:
    """Delete what a process made."""
    with connection.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.delete(process_instance_id, force=force, retain=retain)
        following.end(process_instance_id, "delete.success")


@main.command()
@click.argument("process_instance_id")
@click.option("--retain", multiple=True, metavar="TASK", help="Give up this task that could not be taken back.")
@followable
@connected
def retry(
    connection: Connection, /, process_instance_id: str, retain: tuple[str, ...], follow: bool, as_json: bool
) -> None:
    """Let a failed rollback, cancel or delete go on."""
    with connection.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.retry_undo(process_instance_id, retain=retain)
        following.end(process_instance_id, "rollback.success", "cancel.success", "delete.success")


@main.command()
@click.argument("process_instance_id", required=False)
@click.option("--model", "model_id", metavar="MODEL", help="All processes of this model instead.")
@click.option("--off", is_flag=True, help="Allow deletes again.")
@connected
def protect(connection: Connection, /, process_instance_id: str | None, model_id: str | None, off: bool) -> None:
    """Refuse deletes of what a process made."""
    if (process_instance_id is None) == (model_id is None):
        raise click.UsageError("Name either a process instance or, with --model, a model.")
    with connection.changing(process_instance_id or model_id, passive=True) as engine:
        if model_id is not None:
            engine.protect_model(model_id, not off)
        elif process_instance_id is not None:
            engine.protect(process_instance_id, not off)


@main.command()
@click.option("--deployment", "deployment_id", metavar="DEPLOYMENT", help="One version.")
@click.option("--model", "model_id", metavar="MODEL", help="A model with all its versions.")
@connected
def remove(connection: Connection, /, deployment_id: str | None, model_id: str | None) -> None:
    """Take a deployment or a model out of use, unless a process still needs it."""
    from .records import DeploymentRecord, ModelRecord

    if (deployment_id is None) == (model_id is None):
        raise click.UsageError("Name either a --deployment or a --model.")
    with connection.changing(deployment_id or model_id, passive=True) as engine:
        if deployment_id is not None:
            print_record(DeploymentRecord, engine.remove_deployment(deployment_id))
        elif model_id is not None:
            print_record(ModelRecord, engine.remove_model(model_id))


@main.command()
@click.argument("process_instance_id")
@click.option("--preview", is_flag=True, required=True, help="Only show it; cancel and delete do it.")
@click.option("--kind", type=click.Choice(["rollback", "cancel", "delete"]), default="delete", show_default=True)
@connected
def undo(
    connection: Connection, /, process_instance_id: str, preview: bool, kind: Literal["rollback", "cancel", "delete"]
) -> None:
    """Show what an undo would do, in order, changing nothing."""
    with connection.asking(passive=True) as engine:
        steps = engine.preview(process_instance_id, kind)
    for step in steps:
        after = f"  after {', '.join(step.after)}" if step.after else ""
        click.echo(f"{step.action:<9} {step.task_id}  {step.name}  {step.stone or '-'}{after}")


@main.command()
@click.argument("task_id")
@click.option("--parameters", metavar="JSON|@FILE", help="Values that replace the task's parameters.")
@followable
@connected
def rerun(connection: Connection, /, task_id: str, parameters: str | None, follow: bool, as_json: bool) -> None:
    """Run a failed task of a debug run again."""
    from .records import TaskRecord

    values = json_option("--parameters", parameters)
    with connection.changing(task_id, dispatcher_for(follow)) as engine:
        process_instance_id = engine.task(task_id).process_instance_id
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        task = engine.rerun(task_id, values)
        following.end(process_instance_id, "success", otherwise=lambda: print_record(TaskRecord, task))


@main.command()
@click.argument("task_id")
@followable
@connected
def resume(connection: Connection, /, task_id: str, follow: bool, as_json: bool) -> None:
    """Leave debugging: the process fails and rolls back."""
    with connection.changing(task_id, dispatcher_for(follow)) as engine:
        process_instance_id = engine.task(task_id).process_instance_id
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.resume(task_id)
        following.end(process_instance_id, "rollback.success")


@main.command()
@click.argument("task_id")
@click.option("--outputs", metavar="JSON|@FILE", help="What the task put out, a JSON object.")
@connected
def complete(connection: Connection, /, task_id: str, outputs: str | None) -> None:
    """Complete a user task."""
    from .records import TaskRecord

    values = json_option("--outputs", outputs)
    with connection.changing(task_id) as engine:
        print_record(TaskRecord, engine.complete(task_id, values))


@main.command()
@click.option("--older-than", required=True, metavar="AGE", help="A number with s, m, h, d or w, such as 30d.")
@click.option("--even-undeleted", is_flag=True, help="Also processes whose results exist and stay.")
@click.option("--dry-run", is_flag=True, help="Only count them.")
@connected
def purge(connection: Connection, /, older_than: str, even_undeleted: bool, dry_run: bool) -> None:
    """Forget processes that ended long ago and left nothing to undo."""
    seconds = age("--older-than", older_than)
    with connection.engine(passive=True) as engine:
        count = engine.purge(seconds, even_undeleted=even_undeleted, dry_run=dry_run)
    click.echo(f"{'Would forget' if dry_run else 'Forgot'} {count} process{'' if count == 1 else 'es'}.")


@main.command()
@click.argument("name")
@click.option("--payload", metavar="JSON|@FILE")
@click.option("--business-key", help="The process with this business key.")
@click.option("--process", "process_instance_id", help="The process with this id.")
@connected
def message(connection: Connection, /, name: str, payload: str | None, **options: Any) -> None:
    """Send a BPMN message to one process that waits for it."""
    from .records import ProcessRecord

    values = json_option("--payload", payload)
    with connection.changing() as engine:
        print_record(ProcessRecord, engine.message(name, values, **options))


@main.command()
@click.argument("name")
@click.option("--payload", metavar="JSON|@FILE")
@connected
def signal(connection: Connection, /, name: str, payload: str | None) -> None:
    """Send a BPMN signal to every process that waits for it."""
    values = json_option("--payload", payload)
    with connection.changing() as engine:
        for process_instance_id in engine.signal(name, values):
            click.echo(process_instance_id)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 picks a free one.")
@log_options
@click.option("--console/--no-console", default=True, show_default=True, help="Pages for people at /console and /docs.")
@connected
def serve(
    connection: Connection,
    /,
    host: str,
    port: int,
    log_form: Literal["text", "json"],
    log_level: str,
    console: bool,
) -> None:
    """Serve the HTTP calls until SIGTERM or Ctrl-C.

    While no access rule is set (a key, or token introspection), only this machine itself is answered.
    """
    from .access import Access
    from .app import create_app
    from .server import Server, asked_to_stop, refuse_remote

    # Before the engine is there: it takes up work at once, and that is not to be lost.
    stopping = asked_to_stop()
    write_log(log_form, log_level)
    settings = connection.settings()
    with connection.engine("threads", passive=False, consumes=True) as engine:
        access = Access(engine, settings.introspection)
        if not access.has_rule():
            refuse_remote(host)
        server = Server(create_app(engine, access=access, console=console), host, port, stopping)
        click.echo(f"Listening on {server.url}")
        server.run()
    click.echo("Stopped.")


@main.command()
@click.option("--pace", type=click.FloatRange(0, 60), default=0.4, show_default=True, help="Seconds per piece of work.")
def demo(pace: float) -> None:
    """Run a sample process on made-up stones and watch it."""
    from .demo import demonstrate

    demonstrate(pace=pace)


main.add_command(key)
main.add_command(audit)
main.add_command(encrypt)
main.add_command(stone)
main.add_command(worker)
main.add_command(river)
main.add_command(render)
main.add_command(templates)
