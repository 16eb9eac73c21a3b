"""What a terminal and a pipe show of running tasks."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyte
import pytest

from riverstone.api.cli.screen.following import follow, what_it_waits_for
from riverstone.api.cli.screen.rich_screen import RichScreen
from riverstone.api.cli.screen.screen import PlainScreen, screen_for, task_line
from riverstone.bpmn_samples import path
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine
from riverstone.engine.errors import UnknownProcessInstance
from riverstone.engine.views.tasks import Task

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUNNING = Task(
    id="a",
    process_instance_id="100",
    task_id="101",
    name="云主机",
    namespace="server",
    stone="SIP::EC2::Instance",
    element_id="server",
    create_time=NOW,
    end_time=None,
    status="monitor.begin",
    reason=None,
    parameters={},
    outputs={},
    progress=25,
)
ENDED = replace(RUNNING, status="monitor.success", progress=100, end_time=NOW + timedelta(seconds=2.5))


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and shows what one would then show."""

    def isatty(self) -> bool:
        return True

    def seen(self) -> list[str]:
        """The lines on the screen that are not empty."""
        screen = pyte.Screen(100, 12)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        return [line.rstrip() for line in screen.display if line.strip()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "12")
    return Terminal()


def test_a_pipe_gets_a_line_for_every_change_and_none_without() -> None:
    pipe = io.StringIO()
    screen = screen_for(pipe)

    for task in (RUNNING, RUNNING, replace(RUNNING, progress=50), ENDED):
        screen.show([task], last=False)

    lines = pipe.getvalue().splitlines()
    assert isinstance(screen, PlainScreen)
    assert [line.split("%")[0].split()[-1] for line in lines] == ["25", "50", "100"]
    assert "\x1b" not in pipe.getvalue()


def test_a_terminal_redraws_running_tasks_below_those_that_ended(terminal: Terminal) -> None:
    screen = screen_for(terminal)
    second = replace(RUNNING, task_id="102", name="disk")

    screen.show([RUNNING, second], last=False)
    screen.show([ENDED, replace(second, progress=75)], last=False)
    screen.say("a word")
    screen.show([ENDED, replace(ENDED, task_id="102", name="disk", status="monitor.failed", reason="full")], last=True)

    assert isinstance(screen, RichScreen)
    first, word, last = terminal.seen()
    assert first.split()[:3] == ["✔", "101", "monitor.success"]
    assert first.endswith("SIP::EC2::Instance  2.5 s")
    assert word == "a word"
    assert last.split() == ["✘", "102", "monitor.failed", "disk", "SIP::EC2::Instance", "2.5", "s", "full"]


def test_a_terminal_shows_as_many_running_tasks_as_it_has_lines(terminal: Terminal) -> None:
    screen = screen_for(terminal)

    screen.show([replace(RUNNING, task_id=str(number)) for number in range(200, 300)], last=False)
    assert len(terminal.seen()) <= 12
    screen.show([], last=True)

    assert terminal.seen() == []


def test_an_interrupted_watch_leaves_the_terminal_as_it_was(
    engine: Engine, key: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = engine.start(key=key, name="test").process_instance_id

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "situation", interrupted)
    with pytest.raises(KeyboardInterrupt):
        follow(engine, pid, terminal)

    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert terminal.getvalue().rfind(shown) > terminal.getvalue().rfind(hidden) >= 0


def test_what_cannot_draw_gets_plain_lines(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")

    assert isinstance(screen_for(terminal), PlainScreen)


def test_a_reason_cannot_steer_the_terminal(terminal: Terminal) -> None:
    hostile = replace(ENDED, reason="\x1b[2Jgone\r\nsecond [red]", name="[bold]\x07")

    line = task_line(hostile)
    screen_for(terminal).show([hostile], last=True)

    assert line.isprintable()
    assert line.endswith("[2Jgone  second [red]")
    assert terminal.seen()[0].endswith("[2Jgone  second [red]")
    assert "[bold]" in terminal.seen()[0]


def test_what_somebody_has_to_do_is_told_with_its_command() -> None:
    person = replace(RUNNING, stone=None, status="running")
    missing = replace(RUNNING, status="stone-missing")

    assert "riverstone complete 101" in (what_it_waits_for(person) or "")
    assert "--stones" in (what_it_waits_for(missing) or "")
    assert what_it_waits_for(RUNNING) is None


ONCE_SEEN = """
from pathlib import Path
from riverstone.bpmn_samples import stones as samples

class Volume(samples.Volume):
    monitor_interval = 0.1

    def monitor(self, task):
        return ("looks" not in task.state or Path(__file__).with_name("seen").exists()) and super().monitor(task)
"""


def test_a_real_terminal_shows_a_real_process_to_its_end(tmp_path: Path) -> None:
    """The whole command in a pseudo-terminal; the work ends once somebody has seen on the screen how far it was."""
    (tmp_path / "once_seen.py").write_text(ONCE_SEEN)
    riverstone = [sys.executable, "-c", "from riverstone.api.cli import main; main()"]
    named = ["--db", f"sqlite:///{tmp_path}/s.db", "--stones", "once_seen"]
    with Engine(f"sqlite:///{tmp_path}/s.db", stones=stones(Cloud())) as engine:
        engine.deploy(path("attach_volume"))
    start = ["start", "--key", "attach-volume", "--name", "x", "--variables", '{"instanceCode": "default"}', "--follow"]
    ours, theirs = pty.openpty()
    size = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "12", "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen([*riverstone, *named, *start], stdout=theirs, env={**os.environ, **size})
    os.close(theirs)
    screen = pyte.Screen(100, 12)
    stream = pyte.ByteStream(screen)
    hanging = threading.Timer(120, process.kill)
    hanging.start()
    # Reading fails once the other end is closed.
    with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as terminal:
        while text := terminal.read(4096):
            stream.feed(text)
            if any("50 %" in line and "monitor.begin" in line for line in screen.display):
                (tmp_path / "seen").touch()

    assert process.wait(timeout=30) == 0
    hanging.cancel()
    lines = [line for line in screen.display if line.strip()]
    assert lines[0].split()[:3] == ["✔", "2", "monitor.success"]
    assert lines[1].split()[-3:] == ["success", "attach-volume", "x"]
    assert len(lines) == 2


def test_following_ends_with_the_process(engine: Engine, key: str) -> None:
    pipe = io.StringIO()
    started = engine.start(key=key, name="test")

    ended = follow(engine, started.process_instance_id, pipe)

    assert ended.status == "success"
    assert "make" in pipe.getvalue()


def test_what_had_ended_before_is_not_shown_again(engine: Engine, key: str) -> None:
    pipe = io.StringIO()
    pid = engine.start(key=key, name="test").process_instance_id
    before = engine.tasks(pid)
    engine.delete(pid)

    follow(engine, pid, pipe, known=before)

    assert [line.split()[3] for line in pipe.getvalue().splitlines()] == ["delete.success"]


def test_an_unknown_process_cannot_be_followed(engine: Engine) -> None:
    with pytest.raises(UnknownProcessInstance):
        follow(engine, "12345", io.StringIO())
