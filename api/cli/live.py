"""Watching a process: its tasks drawn in a terminal with rich, else a plain line for every change."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Protocol, TextIO

from ...engine.errors import WaitTimeout
from ...engine.views import ProcessInstance, ProcessSummary, Task

LOOK = 0.1
BAR = 20


class Watched(Protocol):
    """What is asked of an engine, here or behind a server."""

    def get(self, process_instance_id: str) -> ProcessInstance: ...
    def tasks(self, process_instance_id: str) -> list[Task]: ...
    def wait(self, process_instance_id: str, timeout: float | None = None) -> ProcessInstance: ...


class Screen(Protocol):
    """Where tasks are shown."""

    def show(self, tasks: Sequence[Task], *, last: bool) -> None:
        """Bring the screen up to date; with ``last``, nothing more will come."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def close(self) -> None:
        """Leave the terminal as it was, whatever has happened; again does nothing."""


def follow(
    engine: Watched, process_instance_id: str, out: TextIO | None = None, *, known: Iterable[Task] = ()
) -> ProcessInstance:
    """Show the tasks of the process, and of what undoes it, until it has ended or stands still in debug mode.

    Tasks that had ended when they were ``known`` are left out. Raises UnknownProcessInstance.
    """
    screen = screen_for(out or sys.stdout)
    try:
        return _follow(engine, process_instance_id, screen, known)
    finally:
        screen.close()


def _follow(engine: Watched, process_instance_id: str, screen: Screen, known: Iterable[Task]) -> ProcessInstance:
    left_out = {(task.task_id, task.attempt) for task in known if task.end_time is not None}
    told: set[str] = set()
    while True:
        began = time.monotonic()
        try:
            instance = engine.wait(process_instance_id, timeout=LOOK)
            waiting = False
        except WaitTimeout:
            instance = engine.get(process_instance_id)
            waiting = not instance.paused
        tasks = [task for task in all_tasks(engine, instance) if (task.task_id, task.attempt) not in left_out]
        screen.show(tasks, last=not waiting)
        if not waiting:
            return instance
        for hint in filter(None, map(what_it_waits_for, tasks)):
            if hint not in told:
                told.add(hint)
                screen.say(hint)
        # An inline engine does not wait for what has to come from outside.
        time.sleep(max(0.0, LOOK - (time.monotonic() - began)))


def all_tasks(engine: Watched, instance: ProcessInstance) -> list[Task]:
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
        return printable(f"Task {task.task_id} waits for the stone {task.stone}: name its module by --stones MODULE.")
    if task.stone is None:
        command = f"riverstone complete {task.task_id} --outputs '{{...}}'"
        return printable(f"Task {task.task_id} ({task.name}) waits for a person: {command}")
    return None


def screen_for(out: TextIO) -> Screen:
    """Rich's in a terminal, where it is installed; plain lines elsewhere."""
    if out.isatty() and os.environ.get("TERM") != "dumb" and importlib.util.find_spec("rich") is not None:
        from .rich_screen import RichScreen

        return RichScreen(out)
    return PlainScreen(out)


class PlainScreen:
    """A line for every change of a task."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.shown: dict[str, str] = {}

    def show(self, tasks: Sequence[Task], *, last: bool) -> None:
        for task in tasks:
            line = task_line(task)
            if self.shown.get(task.task_id) != line:
                self.shown[task.task_id] = line
                print(line, file=self.out)
        self.out.flush()

    def say(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    def close(self) -> None:
        """There is nothing to leave."""


def task_line(task: Task) -> str:
    """One task in one line."""
    full = BAR * max(0, min(100, task.progress)) // 100
    bar = "#" * full + "." * (BAR - full)
    reason = f"  {task.reason}" if task.reason else ""
    text = f"{task.task_id:>8}  [{bar}] {task.progress:>3}%  {task.status:<16} {task.name}  {task.stone or '-'}{reason}"
    return printable(text)


def instance_line(instance: ProcessInstance | ProcessSummary) -> str:
    """One process instance in one line."""
    started = instance.start_time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return printable(
        f"{instance.process_instance_id:>8}  {started}  {instance.status:<16} {instance.key}  {instance.process_name}"
    )


def printable(text: str) -> str:
    """The text without what would steer a terminal: reasons and names may come from anywhere."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
