"""The commands that show what one task has said: its log, and what it keeps secret."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import click

from ..invocation import Invocation, invoked
from ..screen.terminal import STEERING, printable

PAUSE = 1.0
"""Seconds between two looks at a log that is followed; hooks tell their lines no more often."""


@click.command()
@click.argument("task_id")
@click.option("--follow", is_flag=True, help="Go on with what comes until the task has ended.")
@invoked
def log(invocation: Invocation, /, task_id: str, follow: bool) -> None:
    """Print the log of a task, while its hook runs too."""
    told: tuple[str, ...] = ()
    with invocation.asking(passive=True) as engine:
        while True:
            task = engine.task(task_id)
            for line in new_lines(told, task.log):
                click.echo(printable(line))
            told = task.log
            if not follow or task.end_time is not None:
                break
            time.sleep(PAUSE)
    if not told:
        click.echo(f"Task {task_id} has logged nothing.", err=True)


@click.command()
@click.argument("task_id")
@invoked
def secrets(invocation: Invocation, /, task_id: str) -> None:
    """Print the secret outputs of a task in clear, as JSON.

    A server asks for a key with the scope secrets. The call is written into the audit.
    """
    with invocation.changing(task_id, passive=True) as engine:
        found = engine.secret_outputs(task_id)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    click.echo(STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text))
    if not found:
        click.echo(f"Task {task_id} has no secret outputs.", err=True)


def new_lines(before: Sequence[str], after: Sequence[str]) -> Sequence[str]:
    """What stands in a log that was not there before; of both only the last lines are kept."""
    told = list(before)
    # At its end a hook tells what was left out while it ran, in front of what was told.
    for at in range(len(after) - len(told) + 1):
        if list(after[at : at + len(told)]) == told:
            return after[at + len(told) :]
    for known in range(min(len(before), len(after)), 0, -1):
        if list(before[-known:]) == list(after[:known]):
            return after[known:]
    return after
