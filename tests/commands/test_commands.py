"""A command that a hook runs is run once, whatever is killed meanwhile, and nothing of it is left to itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import CommandFailed, Engine, Fatal, Invalid, Stone, TaskInfo
from riverstone.engine.commands import runner
from riverstone.engine.commands.command import KEPT, CommandRun, root, sweep
from riverstone.engine.commands.task_commands import told_of

from ..features.sketch import line, service
from ..leases import LEASE
from .engine_process import MODEL, stones

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this test's commands have their folders; what is still there at its end is killed."""
    place = tmp_path / "commands"
    monkeypatch.setenv("RIVERSTONE_COMMANDS", str(place))
    yield place
    for file in place.glob("*/*/begun.json"):
        begun = json.loads(file.read_text())
        for pid, known in ((begun["pid"], begun["started"]), (begun.get("child", 0), begun.get("child_started"))):
            if pid and known is not None and runner.started(pid) == known:
                os.kill(pid, signal.SIGKILL)


def until(is_so: Callable[[], Any], seconds: float = 40.0) -> Any:
    """What this gives as soon as it gives anything."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
    return found


def lines(folder: Path, name: str) -> list[str]:
    file = folder / name
    return file.read_text().split() if file.exists() else []


def began(place: Path) -> dict[str, Any]:
    """What the runner has written of the command that runs, once it does."""

    def child() -> dict[str, Any] | None:
        for file in place.glob("*/*/begun.json"):
            found: dict[str, Any] = json.loads(file.read_text())
            if "child" in found:
                return found
        return None

    found: dict[str, Any] = until(child)
    return found


class Elsewhere:
    """An engine in a process of its own, which has started a process with a command."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/store.db"
        self.folder = folder
        command = [sys.executable, "-m", "tests.commands.engine_process", self.url, str(folder)]
        self.child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self) -> None:
        assert self.child.stdout is not None
        with self.child.stdout as told:
            self.number = told.readline().strip()
        until(lambda: lines(self.folder, "begins"))

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()
        assert self.child.stdin is not None
        self.child.stdin.close()

    def next(self, **attributes: object) -> Engine:
        return Engine(self.url, stones=stones(self.folder, **attributes), dispatcher="threads")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    engine = Elsewhere(tmp_path)
    try:
        engine.begin()
        yield engine
    finally:
        (tmp_path / "go").touch()
        engine.kill()


def ran(hook: Callable[[TaskInfo], Any], **attributes: Any) -> tuple[str, Any]:
    """How a process with one such task has ended, and its task."""
    stone = type("Runs", (Stone,), {"code": "runs", "start": lambda self, task: hook(task), **attributes})
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(line("p", service("runs", "runs")))
        number = engine.start(key="p", name="runs", variables={}).process_instance_id
        ended = engine.wait(number, timeout=60)
        return ended.status, engine.tasks(number)[0]


def test_a_command_gets_its_input_and_environment_and_nothing_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setenv("RIVERSTONE_SECRET_DATABASE", "hunter2")

    def start(task: TaskInfo) -> dict[str, Any]:
        told = task.run(
            ["sh", "-c", 'read line; echo "$line $WHO $1"; env', "sh", "a; b"],
            stdin="in\n",
            environment={"WHO": "Rumpelstilzchen"},
        )
        return {"said": told.output, "code": told.exit_code, "cut": told.cut}

    status, task = ran(start)
    assert status == "success", task.reason
    assert task.outputs["said"].startswith("in Rumpelstilzchen a; b\n")
    assert "hunter2" not in task.outputs["said"]
    assert (task.outputs["code"], task.outputs["cut"]) == (0, False)
    assert "in Rumpelstilzchen a; b" in "\n".join(task.log)
    assert place.stat().st_mode & 0o777 == 0o700
    kept = b"".join(file.read_bytes() for file in place.glob("*/*/begun.json"))
    assert b"a; b" in kept
    assert b"Rumpelstilzchen" not in kept


def test_a_command_that_fails_fails_its_task_and_is_run_anew_by_a_retry(tmp_path: Path) -> None:
    def start(task: TaskInfo) -> None:
        task.run(["sh", "-c", f"echo x >> {tmp_path}/begins; echo bad luck; exit $(cat {tmp_path}/code)"])

    (tmp_path / "code").write_text("7")

    status, task = ran(start, retries=1, retry_backoff=0.0)
    assert status == "rollback.success"
    assert "The command ended with 7. It said: bad luck" in task.reason
    assert len(lines(tmp_path, "begins")) == 2
    assert ran(start, retries=3, retry_backoff=0.0, fatal_on=("7",))[0] == "rollback.success"
    assert len(lines(tmp_path, "begins")) == 3
    assert "could not be started" in ran(lambda task: task.run(["/no/such/program"]))[1].reason


def test_a_program_whose_name_is_too_long_is_told_of_and_not_tried_for_ever() -> None:
    status, task = ran(lambda task: task.run(["x" * 6000]), timeout=20.0)
    assert status == "rollback.success"
    assert "could not be started" in task.reason


def test_commands_that_have_ended_leave_no_zombies() -> None:
    def zombies() -> int:
        found = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, parent, *_ = stat.read_text().rpartition(")")[2].split()
                found += state == "Z" and int(parent) == os.getpid()
        return found

    def start(task: TaskInfo) -> None:
        for _ in range(6):
            task.run(["true"])

    before = zombies()
    assert ran(start)[0] == "success"
    assert zombies() <= before + 1


def test_what_is_no_list_of_texts_is_refused_as_is_a_look_that_runs_something() -> None:
    wrong: Any
    for wrong in ("ls -l", [], ["ls", 1], ["a\0b"]):
        _, task = ran(partial(TaskInfo.run, arguments=wrong))
        assert "list of texts" in task.reason or "NUL" in task.reason
    _, task = ran(lambda task: None, monitor=lambda self, task: task.run(["true"]), monitor_retries=0)
    assert "can run a command, not monitor" in task.reason


def test_what_a_command_says_is_bounded_and_so_is_its_time() -> None:
    def start(task: TaskInfo) -> dict[str, Any]:
        told = task.run([sys.executable, "-c", "print('x' * 3_000_000)"], most_output=1000)
        return {"size": len(told.output), "cut": told.cut}

    assert ran(start)[1].outputs == {"size": 1000, "cut": True}
    stubborn = "trap '' TERM; echo here; while :; do sleep 0.05; done"
    status, task = ran(lambda task: task.run(["sh", "-c", stubborn], timeout=2.0, grace=0.3))
    assert status == "rollback.success"
    assert "had not ended in time. It said: here" in task.reason


def test_a_command_that_leaves_something_running_ends_by_itself() -> None:
    status, task = ran(lambda task: {"said": task.run(["sh", "-c", "sleep 20 & echo done"]).output})
    assert (status, task.outputs["said"]) == ("success", "done\n")


def test_a_cancel_stops_the_command_with_its_grace(tmp_path: Path, place: Path) -> None:
    with Engine("sqlite:///:memory:", stones=stones(tmp_path), dispatcher="threads") as engine:
        engine.deploy(MODEL)
        number = engine.start(key="p", name="work", variables={}).process_instance_id
        begun = began(place)
        until(lambda: lines(tmp_path, "begins"))
        engine.cancel(number)
        assert engine.wait(number, timeout=40).status == "cancel.success"
        assert lines(tmp_path, "ends") == ["stopped", "undone"]
        until(lambda: runner.started(begun["child"]) != begun["child_started"])


def test_a_command_outlives_its_engine_and_is_found_again(elsewhere: Elsewhere, leases: None) -> None:
    elsewhere.kill()
    with elsewhere.next() as engine:
        time.sleep(0.5)
        assert engine.get(elsewhere.number).status == "running"
        (elsewhere.folder / "go").touch()
        assert engine.wait(elsewhere.number, timeout=40).status == "success"
        assert len(lines(elsewhere.folder, "begins")) == 1
        assert engine.tasks(elsewhere.number)[0].outputs["said"] == "working\n"


def test_what_has_ended_while_no_engine_was_there_is_told_the_next_one(
    elsewhere: Elsewhere, leases: None, place: Path
) -> None:
    elsewhere.kill()
    (elsewhere.folder / "go").touch()
    until(lambda: lines(elsewhere.folder, "ends"))
    with elsewhere.next() as engine:
        assert engine.wait(elsewhere.number, timeout=40).status == "success"
    assert len(lines(elsewhere.folder, "begins")) == 1


def test_an_undo_first_stops_what_a_dead_engine_has_left_running(
    elsewhere: Elsewhere, leases: None, place: Path
) -> None:
    elsewhere.kill()
    with elsewhere.next() as engine:
        engine.cancel(elsewhere.number, force=True)
        assert engine.wait(elsewhere.number, timeout=40).status == "cancel.success"
        # What runs is stopped before any undo; a hook that ends after its undo is undone once more.
        first, *others = lines(elsewhere.folder, "ends")
        assert first == "stopped"
        assert set(others) == {"undone"}


@pytest.mark.parametrize("rerunnable", [False, True])
def test_a_command_whose_runner_was_killed_is_waited_for_and_not_run_twice_unless_it_may_be(
    elsewhere: Elsewhere, leases: None, place: Path, rerunnable: bool
) -> None:
    os.kill(began(place)["pid"], signal.SIGKILL)
    elsewhere.kill()
    with elsewhere.next(rerunnable=rerunnable) as engine:
        time.sleep(0.5)
        assert len(lines(elsewhere.folder, "begins")) == 1
        (elsewhere.folder / "go").touch()
        ended = engine.wait(elsewhere.number, timeout=40)
    if rerunnable:
        assert ended.status == "success"
        assert len(lines(elsewhere.folder, "begins")) == 2
    else:
        assert ended.status == "rollback.success"
        assert "Nobody can tell what came of the command 'sh': its runner was killed" in (ended.reason or "")
        assert len(lines(elsewhere.folder, "begins")) == 1


def test_after_a_restart_of_the_machine_nobody_can_tell_and_no_other_process_of_that_id_is_touched(
    elsewhere: Elsewhere, leases: None, place: Path
) -> None:
    begun = began(place)
    elsewhere.kill()
    for number in (begun["pid"], begun["child"]):
        os.kill(number, signal.SIGKILL)
    file = next(place.glob("*/*/begun.json"))
    until(lambda: runner.started(begun["child"]) is None)
    # The next run of the machine has given the id to somebody else: to us.
    file.write_text(json.dumps({**begun, "boot": "another", "child": os.getpid()}))
    with elsewhere.next() as engine:
        ended = engine.wait(elsewhere.number, timeout=40)
    assert "the machine was restarted before it had ended" in (ended.reason or "")
    assert lines(elsewhere.folder, "begins") == [str(begun["child"])]


def test_an_id_that_was_given_to_another_process_is_not_taken_for_the_command(
    elsewhere: Elsewhere, leases: None, place: Path
) -> None:
    begun = began(place)
    elsewhere.kill()
    for number in (begun["pid"], begun["child"]):
        os.kill(number, signal.SIGKILL)
    file = next(place.glob("*/*/begun.json"))
    until(lambda: runner.started(begun["child"]) is None)
    file.write_text(json.dumps({**begun, "child": os.getpid()}))
    with elsewhere.next() as engine:
        engine.cancel(elsewhere.number, force=True)
        assert engine.wait(elsewhere.number, timeout=40).status == "cancel.success"


def test_on_another_machine_nobody_can_tell(elsewhere: Elsewhere, leases: None, place: Path) -> None:
    elsewhere.kill()
    place.rename(place.with_name("of another machine"))
    try:
        with elsewhere.next() as engine:
            ended = engine.wait(elsewhere.number, timeout=40)
        assert "it was begun before, and not on this machine" in (ended.reason or "")
        assert len(lines(elsewhere.folder, "begins")) == 1
    finally:
        (elsewhere.folder / "go").touch()


def test_of_two_engines_of_a_machine_the_second_finds_what_the_first_has_begun(
    elsewhere: Elsewhere, leases: None, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere.child.send_signal(signal.SIGSTOP)
    end = time.monotonic() + 3 * LEASE
    with elsewhere.next() as engine:
        # The second has its own lock on the store, and takes the first for dead.
        until(lambda: "taken for dead" in caplog.text or time.monotonic() > end)
        (elsewhere.folder / "go").touch()
        assert engine.wait(elsewhere.number, timeout=40).status == "success"
        elsewhere.child.send_signal(signal.SIGCONT)
        assert len(lines(elsewhere.folder, "begins")) == 1


def told(*arguments: str, **more: Any) -> Any:
    fixed = {"stdin": "", "environment": None, "folder": None, "timeout": None, "grace": 1.0, "most_output": 1000}
    return told_of(arguments, **{**fixed, **more})


def waited(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def carried_out(command: CommandRun, *arguments: str) -> Any:
    return command.carry_out(told(*arguments), wait=waited, log=print, rerunnable=False)


def test_a_disk_that_is_full_costs_output_and_never_the_result() -> None:
    command = CommandRun(root() / "start" / "one")
    command.prepare()
    (command.folder / "output").symlink_to("/dev/full")
    result = carried_out(command, sys.executable, "-c", "print('x' * 500_000)")
    assert (result.exit_code, result.cut) == (0, True)


def test_where_nothing_can_be_written_nothing_is_begun(tmp_path: Path) -> None:
    command = CommandRun(root() / "start" / "one")
    command.prepare()
    (command.folder / "begun.json.new").mkdir()
    with pytest.raises(CommandFailed, match="is there room"):
        carried_out(command, "touch", str(tmp_path / "made"))
    assert not (tmp_path / "made").exists()


def test_a_folder_that_others_could_write_to_is_refused(place: Path) -> None:
    place.mkdir(mode=0o755)
    with pytest.raises(Invalid, match="0700"):
        root()


def test_what_has_ended_long_ago_goes_and_what_runs_or_is_new_stays(place: Path) -> None:
    old, new = CommandRun(root() / "old" / "start.1.1"), CommandRun(root() / "new" / "start.1.1")
    for command in (old, new):
        command.prepare()
        carried_out(command, "true")
    long_ago = time.time() - KEPT - 60
    os.utime(old.folder, (long_ago, long_ago))
    assert not old.is_running()
    sweep()
    assert not old.exists
    assert new.exists
    # Its start's folder was touched by that, so it goes the next time.
    os.utime(old.folder.parent, (long_ago, long_ago))
    sweep()
    assert [each.name for each in place.iterdir()] == ["new"]


def test_the_old_folder_of_a_start_may_be_swept_away_while_a_command_is_prepared(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = CommandRun(root() / "start" / "delete.1.1")
    command.folder.parent.mkdir(mode=0o700)
    os.utime(command.folder.parent, (1, 1))
    mkdir = Path.mkdir

    def swept_first(self: Path, *given: Any, **more: Any) -> None:
        if self == command.folder:
            sweep()
        mkdir(self, *given, **more)

    monkeypatch.setattr(Path, "mkdir", swept_first)
    command.prepare()
    assert command.exists


def test_a_result_is_kept_and_nothing_runs_again_under_its_key(tmp_path: Path) -> None:
    for _ in range(2):
        command = CommandRun(root() / "start" / "one")
        command.prepare()
        assert carried_out(command, "sh", "-c", f"echo x >> {tmp_path}/begins; exit 4").exit_code == 4
    assert len(lines(tmp_path, "begins")) == 1
    (command.folder / "result.json").write_text(" " * 5000)
    with pytest.raises(Fatal, match="its runner was killed"):
        carried_out(command, "true")
