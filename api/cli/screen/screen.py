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
from .terminal import in_runs, printable

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


TASK_HEADER = f"{'TASK':>8}  {'PROGRESS':<28}  {'STATUS':<16} NAME  STONE  REASON"


def task_line(task: Task) -> str:
    """One task in one line."""
    full = BAR * max(0, min(100, task.progress)) // 100
    bar = "#" * full + "." * (BAR - full)
    reason = f"  {task.reason}" if task.reason else ""
    what = f"{in_runs(task.name, task.runs)}  {task.stone or '-'}"
    text = f"{task.task_id:>8}  [{bar}] {task.progress:>3}%  {task.status:<16} {what}{reason}"
    return printable(text)


INSTANCE_HEADER = f"{'ID':>8}  {'STARTED':<19}  {'STATUS':<16} KEY  NAME"


def instance_line(instance: ProcessInstance | ProcessSummary) -> str:
    """One process instance in one line."""
    started = instance.start_time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    told = ", ".join(standing(instance))
    named = f"{instance.key}  {instance.process_name}{told and f'  ({told})'}"
    return printable(f"{instance.process_instance_id:>8}  {started}  {instance.status:<16} {named}")


def history_line(entry: HistoryEntry) -> str:
    """One entry of a history in one line."""
    when = entry.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    task = f"task {entry.task_id}" if entry.task_id else None
    attempt = f"attempt {entry.attempt}" if entry.attempt else None
    undo = f"{entry.undo}, process {entry.process_instance_id}" if entry.undo else None
    values = jsontext.dumps(dict(entry.variables)) if entry.variables else None
    retained = f"retained {', '.join(entry.retained)}" if entry.retained else None
    who = f"by {entry.who}" if entry.who else None
    told = (entry.action, task, entry.name, entry.element_id, attempt, undo, entry.status, entry.reason)
    return printable(f"{when}  {entry.kind:<10}  {'  '.join(each for each in (*told, values, retained, who) if each)}")


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
    if awaited.due is not None:
        return f"waits until {awaited.due.astimezone().strftime('%Y-%m-%d %H:%M:%S')}"
    return f"waits for {awaited.kind} {awaited.name or awaited.element_id}"
