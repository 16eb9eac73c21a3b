"""What a terminal and a pipe show of running tasks."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from riverstone.api.live import Screen, cut, follow, task_line
from riverstone.engine import Engine
from riverstone.engine.errors import UnknownProcessInstance
from riverstone.engine.views import Task

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
ENDED = replace(RUNNING, status="monitor.success", progress=100, end_time=NOW)


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and plays back what one would then see."""

    def isatty(self) -> bool:
        return True

    def seen(self) -> list[str]:
        lines: list[str] = []
        for part in self.getvalue().split("\r\x1b[J"):
            text, _, move = part.partition("\x1b[")
            lines += text.splitlines()
            if move:
                del lines[-int(move.removesuffix("A")) :]
        return lines


def test_a_pipe_gets_a_line_for_every_change_and_none_without() -> None:
    pipe = io.StringIO()
    screen = Screen(pipe)

    for task in (RUNNING, RUNNING, replace(RUNNING, progress=50), ENDED):
        screen.show([task], last=False)

    lines = pipe.getvalue().splitlines()
    assert [line.split("%")[0].split()[-1] for line in lines] == ["25", "50", "100"]
    assert "\x1b" not in pipe.getvalue()


def test_a_terminal_redraws_running_tasks_below_those_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    terminal = Terminal()
    screen = Screen(terminal)
    second = replace(RUNNING, task_id="102", name="disk")

    screen.show([RUNNING, second], last=False)
    screen.show([RUNNING, replace(second, progress=75)], last=False)
    screen.show([ENDED, replace(second, progress=75)], last=False)
    screen.show([ENDED, replace(ENDED, task_id="102", name="disk")], last=True)

    assert terminal.seen() == [task_line(ENDED), task_line(replace(ENDED, task_id="102", name="disk"))]


def test_a_reason_cannot_steer_the_terminal() -> None:
    line = task_line(replace(RUNNING, reason="\x1b[2Jgone\r\nsecond"))

    assert line.isprintable()
    assert line.endswith("[2Jgone  second")


@pytest.mark.parametrize(("text", "width", "seen"), [("abc", 2, "ab"), ("云主机", 4, "云主"), ("云主机", 5, "云主")])
def test_a_line_is_cut_at_the_edge_where_chinese_takes_two_columns(text: str, width: int, seen: str) -> None:
    assert cut(text, width) == seen


def test_following_ends_with_the_process(engine: Engine, key: str) -> None:
    pipe = io.StringIO()
    started = engine.start(key=key, name="test")

    ended = follow(engine, started.process_instance_id, pipe)

    assert ended.status == "success"
    assert "make" in pipe.getvalue()


def test_an_unknown_process_cannot_be_followed(engine: Engine) -> None:
    with pytest.raises(UnknownProcessInstance):
        follow(engine, "12345", io.StringIO())
