"""What one task has said, and what it keeps secret, at the command line."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from riverstone.api.cli import main
from riverstone.api.cli.commands.task_logs import new_lines
from riverstone.engine import Engine, TaskInfo

from ...features.sketch import line, service


def test_a_log_is_followed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    go_on = threading.Event()

    def start(task: TaskInfo) -> None:
        task.log("one \x1b[31m")
        go_on.wait(60)
        task.log("two")

    with Engine(url, dispatcher="threads") as engine:
        engine.stone("talker")(start)
        engine.deploy(line("p", service("a", "talker")))
        number = engine.start(key="p", name="p").process_instance_id
        deadline = time.monotonic() + 60
        while not engine.tasks(number) or not engine.tasks(number)[0].log:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        task = engine.tasks(number)[0].task_id
        assert CliRunner().invoke(main, ["--db", url, "log", task]).stdout == "one  [31m\n"
        threading.Timer(1.5, go_on.set).start()
        told = CliRunner().invoke(main, ["--db", url, "log", task, "--follow"])
        assert (told.exit_code, told.stdout) == (0, "one  [31m\ntwo\n")
        unknown = CliRunner().invoke(main, ["--db", url, "log", "999"])
        assert unknown.exit_code == 1
        assert "999" in unknown.stderr


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("", "", ""),
        ("", "ab", "ab"),
        ("ab", "ab", ""),
        ("ab", "abc", "c"),
        ("abc", "bcd", "d"),
        ("abc", "xyz", "xyz"),
        ("aa", "aaa", "a"),
        ("cd", "abcdef", "ef"),
        ("cd", "abcd", ""),
    ],
)
def test_of_two_windows_on_a_log_the_new_lines_are_told(before: str, after: str, new: str) -> None:
    assert "".join(new_lines(before, after)) == new


def test_secret_outputs_are_printed_in_clear_and_the_audit_tells_who_has_seen_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    with Engine(url) as engine:
        engine.stone("login", outputs={"password": "one"}, secret_outputs=frozenset({"password"}))(
            lambda task: {"password": "open sesame", "user": "ann"}
        )
        engine.deploy(line("p", service("a", "login")))
        task = engine.tasks(engine.start(key="p", name="p").process_instance_id)[0].task_id
    shown = CliRunner().invoke(main, ["--db", url, "secrets", task])
    # The module of the stone is not named here, and what is secret is known from the task.
    assert json.loads(shown.stdout).get("password") == "open sesame"
    assert "user" not in json.loads(shown.stdout)
    header, entry = CliRunner().invoke(main, ["--db", url, "audit"]).stdout.splitlines()
    assert header.split() == ["TIME", "CLIENT", "ADDRESS", "ACTION", "TARGET", "OUTCOME", "REQUEST"]
    assert entry.split()[-4:-1] == ["secrets", task, "done"]
