"""The commands for more than one machine: its engines (``river``), and workers for their stones (``worker``)."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from typing import Literal

import click

from ..log import log_options, write_log
from .invocation import Invocation, invoked


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--stones", "modules", multiple=True, metavar="MODULE", help="As the option before the command.")
@click.option("--queues", multiple=True, metavar="NAME,...", help="Only these queues of the stones; default: all.")
@click.argument("celery_options", nargs=-1, type=click.UNPROCESSED)
@invoked
def worker(
    invocation: Invocation, /, modules: tuple[str, ...], queues: tuple[str, ...], celery_options: tuple[str, ...]
) -> None:
    """Carry out stones as a Celery worker behind --broker.

    Further options are those of `celery worker`, such as --concurrency 4 or --pool threads. It needs no database.
    SIGTERM lets running hooks end.
    """
    from ...engine.errors import Invalid
    from ..brokers import celery_app

    invocation = replace(invocation, modules=invocation.modules + modules)
    stones = invocation.stones()
    if not stones:
        raise Invalid("A worker needs stones: name a module with --stones.", code="stones-missing")
    app = celery_app(invocation.broker)
    from ...engine.dispatch.celery import run, set_up

    chosen = [name for names in queues for name in names.split(",")]
    settings = invocation.settings()
    set_up(app, stones, queues=chosen, limits=settings.limits, secrets=settings.secrets)
    run(app, celery_options)


@click.command()
@log_options
@invoked
def river(invocation: Invocation, /, log_form: Literal["text", "json"], log_level: str) -> None:
    """Run processes whose stones workers carry out. It takes in answers, fires timers, and looks after lost tasks.

    Any number of them may share a database and a --broker. SIGTERM ends it; whatever it had, the others go on with.
    """
    from ..brokers import celery_app

    write_log(log_form, log_level)
    celery_app(invocation.broker)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with invocation.engine("threads", passive=False, consumes=True):
        click.echo("Working.")
        while not stopped.wait(1.0):
            pass
    click.echo("Stopped.")
