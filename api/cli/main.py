"""The command line ``riverstone``: every call of the engine, a server, and a demonstration.

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Literal

import click

from ..log import log_options, write_log
from .command_group import CommandGroup
from .commands.access import audit, key, secret, session
from .commands.authoring import deploy, draft, explain, lint, remove, render, templates
from .commands.batches import batch, reasons
from .commands.decisions import decide, feel
from .commands.people import task
from .commands.processes import complete, history, list_instances, message, purge, show, signal, start, tasks, why
from .commands.quotas import quotas
from .commands.repairs import done, migrate, rerun, resume, retry, rewind, rollback, set_variables, skip
from .commands.resources import check, checks, gone, resources
from .commands.stones import stone
from .commands.suspension import suspend, suspended, unsuspend
from .commands.task_logs import log, secrets
from .commands.undo import cancel, delete, protect, undo
from .commands.webhooks import webhook
from .database import encrypt, restore, schema
from .invocation import Invocation, invoked
from .new import new
from .screen.terminal import contents
from .workers import river, worker


def _read_config(context: click.Context, _: click.Parameter, path: str | None) -> str | None:
    """Take what the settings file says as the options' defaults: before it go the options and the environment."""
    if path is not None:
        from ...engine.errors import Invalid
        from ..settings import options_in

        try:
            context.default_map = options_in(path)
        except Invalid as error:
            raise click.ClickException(error.message) from error
    return path


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
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
    "--config",
    envvar="RIVERSTONE_CONFIG",
    type=click.Path(),
    is_eager=True,
    callback=_read_config,
    help="A TOML file with settings; options and the environment go before it.",
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
    """Run BPMN processes that can undo what they made."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    key = os.environ.get("RIVERSTONE_API_KEY") or None
    if api_key_file is not None:
        key = contents(api_key_file).decode().strip()
    context.obj = Invocation(
        url=db, modules=modules, limits=limits, config=config, broker=broker, server=server or None, api_key=key
    )


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 picks a free one.")
@log_options
@click.option("--console/--no-console", default=True, show_default=True, help="Pages for people at /console and /docs.")
@invoked
def serve(
    invocation: Invocation,
    /,
    host: str,
    port: int,
    log_form: Literal["text", "json"],
    log_level: str,
    console: bool,
) -> None:
    """Serve the HTTP calls until SIGTERM or Ctrl-C.

    While no access rule is set (a key, token introspection, or a provider by whom people sign in), only this machine
    itself is answered.
    """
    from ..access.rule import Access
    from ..app import create_app
    from ..server import Server, asked_to_stop, refuse_remote, share_memory, spare_what_lasts

    # Before the engine is there: it takes up work at once, and that is not to be lost.
    stopping = asked_to_stop()
    share_memory()
    write_log(log_form, log_level)
    settings = invocation.settings()
    with invocation.engine("threads", passive=False, consumes=True) as engine:
        access = Access(engine, settings.introspection, settings.oidc, settings.public_url)
        if not access.has_rule():
            refuse_remote(host)
        server = Server(create_app(engine, access=access, console=console), host, port, stopping)
        spare_what_lasts()
        click.echo(f"Listening on {server.url}")
        if console:
            click.echo(f"The console is at {server.url}/console/ and the calls, to be tried, at {server.url}/docs/")
        server.run()
    click.echo("Stopped.")


@main.command()
@click.option("--pace", type=click.FloatRange(0, 60), default=0.4, show_default=True, help="Seconds per piece of work.")
@click.option("--browser/--no-browser", default=None, help="Whether a browser is opened; in a terminal, it is.")
def demo(pace: float, browser: bool | None) -> None:
    """Show a success, a rollback, and a pause that is fixed. The cloud is made up, and the console shows all of it."""
    from .demo import demonstrate

    demonstrate(pace=pace, browser=browser)


COMMANDS = (
    new,
    deploy,
    draft,
    explain,
    lint,
    remove,
    render,
    templates,
    decide,
    feel,
    start,
    show,
    tasks,
    log,
    secrets,
    why,
    history,
    list_instances,
    complete,
    task,
    message,
    signal,
    purge,
    batch,
    reasons,
    cancel,
    delete,
    retry,
    protect,
    undo,
    rerun,
    skip,
    rewind,
    migrate,
    suspend,
    unsuspend,
    suspended,
    quotas,
    resources,
    check,
    checks,
    gone,
    done,
    set_variables,
    resume,
    rollback,
    key,
    session,
    secret,
    audit,
    encrypt,
    restore,
    schema,
    stone,
    webhook,
    worker,
    river,
)
for command in COMMANDS:
    main.add_command(command)
