"""Where running tasks are shown: a terminal with rich, else a plain line for every change."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from typing import Protocol, TextIO

from ....engine import jsontext
from ....engine.views.history import HistoryEntry
from ....engine.views.processes import Awaited, ProcessInstance, ProcessSummary
from ....engine.views.tasks import Task
from .terminal import in_runs, local_time, printable

BAR = 20
MOST_WAITS = 2
"""How much of what a process waits for is told in a line."""


class Screen(Protocol):
    """Where tasks are shown."""

    def show(self, tasks: Sequence[Task], *, last: bool) -> None:
        """Bring the screen up to date; with ``last``, nothing more will come."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def close(self) -> None:
        """Leave the terminal as it was, whatever has happened; again does nothing."""


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


TASK_HEADER = ("TASK", "PROGRESS", "STATUS", "NAME", "STONE", "REASON")
INSTANCE_HEADER = ("ID", "STARTED", "STATUS", "KEY", "NAME")


def task_cells(task: Task) -> tuple[str, ...]:
    """What a list tells of one task."""
    full = BAR * max(0, min(100, task.progress)) // 100
    progress = f"[{'#' * full}{'.' * (BAR - full)}] {task.progress:>3}%"
    return task.task_id, progress, task.status, in_runs(task.name, task.runs), task.stone or "-", task.reason or ""


def task_line(task: Task) -> str:
    """One task in one line that stands alone."""
    number, progress, status, *others = task_cells(task)
    return printable(f"{number:>8}  {progress}  {status:<16}  {'  '.join(filter(None, others))}")


def instance_cells(instance: ProcessInstance | ProcessSummary) -> tuple[str, ...]:
    """What a list tells of one process instance."""
    told = ", ".join(standing(instance))
    named = f"{instance.process_name}{told and f'  ({told})'}"
    return instance.process_instance_id, local_time(instance.start_time), instance.status, instance.key, named


def instance_line(instance: ProcessInstance | ProcessSummary) -> str:
    """One process instance in one line that stands alone."""
    number, started, status, *named = instance_cells(instance)
    return printable(f"{number:>8}  {started}  {status:<16}  {'  '.join(named)}")


def history_line(entry: HistoryEntry) -> str:
    """One entry of a history in one line."""
    task = f"task {entry.task_id}" if entry.task_id else None
    attempt = f"attempt {entry.attempt}" if entry.attempt else None
    undo = f"{entry.undo}, process {entry.process_instance_id}" if entry.undo else None
    values = jsontext.dumps(dict(entry.variables)) if entry.variables else None
    retained = f"retained {', '.join(entry.retained)}" if entry.retained else None
    who = f"by {entry.who}" if entry.who else None
    what = (entry.action, task, entry.name, entry.element_id, attempt, undo, entry.status, entry.reason)
    told = "  ".join(filter(None, (*what, values, retained, who)))
    return printable(f"{local_time(entry.time)}  {entry.kind:<10}  {told}")


def standing(instance: ProcessInstance | ProcessSummary) -> Iterator[str]:
    """What the status does not say: how a deleted process had ended, what is kept of it, what it waits for."""
    if instance.outcome is not None and instance.status.startswith("delete."):
        yield instance.outcome
    if instance.kept:
        yield f"{instance.kept} kept"
    if instance.suspended is not None:
        yield "suspended with its key" if instance.suspended.by_key else "suspended"
    if instance.awaits == "attention" or (instance.suspended is not None and instance.attention):
        yield "needs attention"
    for each in instance.waits_for[:MOST_WAITS]:
        yield _awaited(each)
    if len(instance.waits_for) > MOST_WAITS:
        yield f"waits at {len(instance.waits_for) - MOST_WAITS} more"


def _awaited(awaited: Awaited) -> str:
    if awaited.kind == "person":
        return f"waits for a person: {awaited.name or awaited.element_id}"
    if awaited.kind == "suspended":
        return f"waits for stone {awaited.name}, which is suspended"
    if awaited.kind == "stone-missing":
        return f"waits for an engine or worker that has the stone {awaited.name}"
    if awaited.due is not None:
        return f"waits until {local_time(awaited.due)}"
    return f"waits for {awaited.kind} {awaited.name or awaited.element_id}"
