"""Running tasks drawn in place with rich; ended ones stay above them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ....engine.views.tasks import Task
from .terminal import in_runs, printable

COLOURS = {"success": "green", "failed": "red", "canceled": "bright_black", "retained": "yellow", "skipped": "yellow"}
SIGNS = {"success": "✔", "failed": "✘", "canceled": "·", "retained": "!", "skipped": "!"}


class RichScreen:
    """As tall as the tasks that run at this moment, at most as the terminal."""

    def __init__(self, out: TextIO) -> None:
        self.console = Console(file=out, highlight=False, emoji=False, markup=False)
        self._running: Sequence[Task] = ()
        # Drawn anew by itself, since durations go on while nothing changes.
        self._live = Live(
            console=self.console,
            transient=True,
            refresh_per_second=10,
            redirect_stdout=False,
            get_renderable=lambda: self._table(self._running),
        )
        self._ended: set[tuple[str, int, str]] = set()
        self._spinners: dict[str, Spinner] = {}
        self._live.start()

    def show(self, tasks: Sequence[Task], *, last: bool) -> None:
        """Bring the screen up to date; with ``last``, what still runs stays as it is."""
        running = []
        for task in tasks:
            state = (task.task_id, task.attempt, task.status)
            if task.end_time is None and not last:
                running.append(task)
            elif state not in self._ended:
                self._ended.add(state)
                self.console.print(_ended_line(task), soft_wrap=False)
        if last:
            self.close()
        else:
            self._running = running[: max(1, self.console.height - 2)]

    def say(self, text: str) -> None:
        """Show a line that stays above the running tasks."""
        self.console.print(Text(text, style="yellow"))

    def close(self) -> None:
        """Take the running tasks off the screen and show the cursor again."""
        self._running = ()
        self._live.stop()

    def _table(self, tasks: Sequence[Task]) -> Table:
        table = Table.grid(padding=(0, 1), expand=False)
        for column in ({"width": 1}, {"justify": "right"}, {"width": 20}, {"justify": "right"}, {}, {}, {}, {}):
            table.add_column(no_wrap=True, **column)
        for task in tasks:
            spinner = self._spinners.setdefault(task.task_id, Spinner("dots", style="cyan"))
            table.add_row(
                spinner,
                Text(task.task_id),
                ProgressBar(total=100, completed=task.progress, width=20),
                Text(f"{task.progress} %"),
                Text(task.status, style="cyan"),
                Text(printable(in_runs(task.name, task.runs)), style="bold"),
                Text(printable(task.stone or "(a person)"), style="bright_black"),
                Text(_seconds(task), style="bright_black"),
            )
        return table


def _ended_line(task: Task) -> Text:
    word = task.status.rpartition(".")[2]
    colour = COLOURS.get(word, "cyan")
    line = Text.assemble(
        (f"{SIGNS.get(word, '…')} {task.task_id:>6} ", colour),
        (f"{task.status:<16} ", colour),
        (printable(in_runs(task.name, task.runs)), "bold"),
        (f"  {printable(task.stone or '(a person)')}  {_seconds(task)}", "bright_black"),
        (f"  {printable(task.reason)}" if task.reason else "", colour),
    )
    line.overflow = "fold"
    return line


def _seconds(task: Task) -> str:
    taken = ((task.end_time or datetime.now(UTC)) - task.create_time).total_seconds()
    return f"{max(0.0, taken):.1f} s"
