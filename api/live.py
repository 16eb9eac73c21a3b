"""Watching a process in a terminal: one line a task, redrawn in place, or plain lines into a pipe."""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from typing import TextIO

from ..engine import Engine
from ..engine.errors import WaitTimeout
from ..engine.views import ProcessInstance, Task

LOOK = 0.1
BAR = 20


def follow(engine: Engine, process_instance_id: str, out: TextIO | None = None) -> ProcessInstance:
    """Show the tasks of the process, and of what undoes it, until it has ended or stands still in debug mode.

    Raises UnknownProcessInstance.
    """
    screen = Screen(out or sys.stdout)
    while True:
        began = time.monotonic()
        try:
            instance = engine.wait(process_instance_id, timeout=LOOK)
            waiting = False
        except WaitTimeout:
            instance = engine.get(process_instance_id)
            waiting = not instance.paused
        screen.show(all_tasks(engine, instance), last=not waiting)
        if not waiting:
            return instance
        # An inline engine does not wait for what has to come from outside.
        time.sleep(max(0.0, LOOK - (time.monotonic() - began)))


def all_tasks(engine: Engine, instance: ProcessInstance) -> list[Task]:
    """The tasks of the instance and of its undo instances."""
    undos = (
        instance.rollback_process_instance_id,
        instance.cancel_process_instance_id,
        instance.delete_process_instance_id,
    )
    ids = [instance.process_instance_id, *filter(None, undos)]
    return [task for process_instance_id in ids for task in engine.tasks(process_instance_id)]


class Screen:
    """What has been shown so far: ended tasks stay, running ones are redrawn below them."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.terminal = out.isatty()
        self.shown: dict[str, str] = {}
        self.drawn = 0

    def show(self, tasks: list[Task], *, last: bool) -> None:
        """Bring the screen up to date; with ``last``, also the lines of running tasks stay."""
        lines = {task.task_id: task_line(task) for task in tasks}
        running = {task.task_id for task in tasks if task.end_time is None and not last}
        if self.terminal:
            self._redraw(lines, running)
            return
        for task_id, line in lines.items():
            if self.shown.get(task_id) != line:
                print(line, file=self.out)
        self.shown = lines
        self.out.flush()

    def _redraw(self, lines: dict[str, str], running: set[str]) -> None:
        size = shutil.get_terminal_size()
        ended = {task_id: line for task_id, line in lines.items() if task_id not in running}
        fresh = [line for task_id, line in ended.items() if self.shown.get(task_id) != line]
        live = [lines[task_id] for task_id in lines if task_id in running][: max(1, size.lines - 2)]
        back = f"\x1b[{self.drawn}A" if self.drawn else ""
        text = "".join(f"{cut(line, size.columns - 1)}\n" for line in [*fresh, *live])
        self.out.write(f"{back}\r\x1b[J{text}")
        self.out.flush()
        self.shown |= ended
        self.drawn = len(live)


def task_line(task: Task) -> str:
    """One task in one line."""
    full = BAR * max(0, min(100, task.progress)) // 100
    bar = "#" * full + "." * (BAR - full)
    reason = f"  {task.reason}" if task.reason else ""
    text = f"{task.task_id:>8}  [{bar}] {task.progress:>3}%  {task.status:<16} {task.name}  {task.stone or '-'}{reason}"
    return printable(text)


def instance_line(instance: ProcessInstance) -> str:
    """One process instance in one line."""
    started = instance.start_time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return printable(
        f"{instance.process_instance_id:>8}  {started}  {instance.status:<16} {instance.key}  {instance.process_name}"
    )


def printable(text: str) -> str:
    """The text without what would steer a terminal: reasons and names may come from anywhere."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def cut(text: str, width: int) -> str:
    """As much of the text as fits into so many columns, of which a Chinese sign takes two."""
    used = 0
    for place, sign in enumerate(text):
        used += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if used > width:
            return text[:place]
    return text
