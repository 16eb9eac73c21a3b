"""The commands that start, change or watch a process, and follow it to where it comes to rest."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

import click

from .terminal import print_record, printable

if TYPE_CHECKING:
    from ....engine import Engine, ProcessInstance, Task
    from ...client.client import Client
    from .screen import Screen

LONGEST = 20
"""Seconds after which a process that is followed is shown again although nothing has changed."""
Command = TypeVar("Command", bound=Callable[..., Any])


def followable(command: Command) -> Command:
    """Add the options ``--follow`` and ``--json``, given as ``follow`` and ``as_json``."""
    follow = click.option("--follow", is_flag=True, help="Show the tasks' progress until the process ends or waits.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print only the record, as JSON.")
    return follow(as_json(command))


def dispatcher_for(follow: bool) -> Literal["inline", "threads"]:
    """What follows needs stones to run beside it."""
    return "threads" if follow else "inline"


def follow(
    engine: Engine | Client, process_instance_id: str, out: TextIO | None = None, *, known: Iterable[Task] = ()
) -> ProcessInstance:
    """Show the tasks of the process, and of what undoes it, until it has ended or stands still in debug mode.

    Tasks that had ended when they were ``known`` are left out. Raises UnknownProcessInstance.
    """
    from .screen import screen_for

    screen = screen_for(out or sys.stdout)
    try:
        return _follow(engine, process_instance_id, screen, known)
    finally:
        screen.close()


def _follow(
    engine: Engine | Client, process_instance_id: str, screen: Screen, known: Iterable[Task]
) -> ProcessInstance:
    left_out = {(task.task_id, task.attempt) for task in known if task.end_time is not None}
    told: set[str] = set()
    situation = engine.situation(process_instance_id)
    while True:
        waiting = situation.need in (None, "person")
        tasks = [task for task in all_tasks(engine, situation.instance) if (task.task_id, task.attempt) not in left_out]
        screen.show(tasks, last=not waiting)
        if not waiting:
            return situation.instance
        for hint in filter(None, map(what_it_waits_for, tasks)):
            if hint not in told:
                told.add(hint)
                screen.say(hint)
        situation = engine.situation(process_instance_id, wait=LONGEST, since=situation.mark)


def all_tasks(engine: Engine | Client, instance: ProcessInstance) -> list[Task]:
    """The tasks of the instance and of its undo instances."""
    undos = (
        instance.rollback_process_instance_id,
        instance.cancel_process_instance_id,
        instance.delete_process_instance_id,
    )
    ids = [instance.process_instance_id, *filter(None, undos)]
    return [task for process_instance_id in ids for task in engine.tasks(process_instance_id)]


def what_it_waits_for(task: Task) -> str | None:
    """What somebody has to do before this task goes on, with the command for it."""
    if task.end_time is not None:
        return None
    if task.status == "stone-missing":
        mend = "name its module by --stones MODULE, or start its worker"
        return printable(f"Task {task.task_id} waits for the stone {task.stone}: {mend}.")
    if task.stone is None:
        command = f"riverstone complete {task.task_id} --outputs '{{...}}'"
        return printable(f"Task {task.task_id} ({task.name}) waits for a person: {command}")
    return None


class Following:
    """Made before a command acts, so that it shows what the command brings about and not what was before."""

    def __init__(
        self, engine: Engine | Client, process_instance_id: str | None, *, follow: bool, as_json: bool
    ) -> None:
        self.engine = engine
        self.follow = follow
        self.as_json = as_json
        self.known = (
            all_tasks(engine, engine.get(process_instance_id)) if follow and process_instance_id is not None else []
        )

    def end(self, process_instance_id: str, *good: str, otherwise: Callable[[], None] | None = None) -> ProcessInstance:
        """Follow the process if asked to, and show how it stands; exit 1 unless it then is in a ``good`` status.

        Without following, ``otherwise`` shows what the command is about, else the process's record is printed.
        """
        from ...wire.records import ProcessRecord
        from .screen import instance_line

        if not self.follow:
            instance = self.engine.get(process_instance_id)
            if otherwise is None:
                print_record(ProcessRecord, instance)
            else:
                otherwise()
        else:
            out = sys.stderr if self.as_json else sys.stdout
            try:
                instance = follow(self.engine, process_instance_id, out, known=self.known)
            except KeyboardInterrupt:
                again = f"riverstone show {process_instance_id} --follow"
                click.echo(f"Its state is kept, and any engine of this database goes on with it: {again}", err=True)
                raise
            if self.as_json:
                print_record(ProcessRecord, instance)
            else:
                click.echo(instance_line(instance))
        advice = what_to_do(self.engine, instance)
        if advice is not None:
            click.echo(advice, err=True)
        if self.follow and instance.status not in good:
            if advice is None:
                click.echo(f"Why: riverstone why {process_instance_id}", err=True)
            raise click.exceptions.Exit(1)
        return instance


def what_to_do(engine: Engine | Client, instance: ProcessInstance) -> str | None:
    """The commands that get a process on which stands still or has failed to undo; None where there is nothing."""
    number = instance.process_instance_id
    if instance.suspended is not None:
        by = f" by {instance.suspended.who}" if instance.suspended.who else ""
        why = f": {instance.suspended.reason.rstrip('.')}." if instance.suspended.reason else "."
        which = f"--key {shlex.quote(instance.key)}" if instance.suspended.by_key else number
        return printable(f"It is suspended{by}{why} Let it go on: riverstone unsuspend {which}.")
    if instance.paused or instance.attention:
        failures = engine.failures(number)
        task = next((failure.task_id for failure in failures if failure.task_id is not None), None)
        again = f"riverstone retry {number}" if task is None else f"riverstone rerun {task} --parameters '{{...}}'"
        more = "" if task is None else f"Go on without it: riverstone skip {task}. "
        reason = f" {failures[0].reason.rstrip('.')}." if failures else ""
        return printable(
            f"It stands still after a failure.{reason} Try again: {again}. {more}"
            f"Roll back: riverstone rollback {number}. All that can be done: riverstone why {number}."
        )
    if instance.status == "failed":
        reason = f": {instance.reason.rstrip('.')}" if instance.reason else ""
        return printable(f"It failed{reason}. What it left, and what can be done: riverstone why {number}.")
    action, _, status = instance.status.partition(".")
    if status != "failed":
        return None
    undo = getattr(instance, f"{action}_process_instance_id")
    # In a rollback a step of a handler may have failed, which undoes no task of its own but several.
    if action == "rollback":
        failed = [task.task_id for task in engine.tasks(number) if task.undo == "failed"]
    else:
        failed = [task.origin_task_id or "" for task in engine.tasks(undo) if task.status.endswith("failed")]
    again = f"riverstone retry {number}"
    return (
        f"Its {action} has failed: see riverstone tasks {undo}. Go on once the cause is gone: {again}. "
        f"Give up what cannot be undone: riverstone retry {number} --retain {' --retain '.join(failed) or 'TASK'}."
    )
