"""An engine that dies in the middle of an undo: another one goes on, with the same keys and in the same order."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Stone, TaskInfo

from .sketch import definitions, flow, line, process, service
from .world import World, statuses, undone

CHILD = """
import importlib.util, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("disk", sys.argv[1])
disk = importlib.util.module_from_spec(spec)
spec.loader.exec_module(disk)
from riverstone.engine import Engine
engine = Engine(sys.argv[2], stones=[disk.on(Path(sys.argv[3]))], dispatcher="threads")
{work}
time.sleep(60)
"""

DISK = '''
"""A stone whose things are files; a hook that finds ``hang-<event>-<namespace>`` hangs."""
import time
from riverstone.engine import NotFound, Stone

def on(folder):
    class File(Stone):
        code = "file"
        grace = 1.0

        def call(self, task):
            with open(folder / "calls", "a") as calls:
                calls.write(f"{task.event} {task.namespace} {task.idempotency_key} {task.phase}\\n")

        def hang(self, task):
            if (folder / f"hang-{task.event}-{task.namespace}").exists():
                (folder / "reached").touch()
                time.sleep(60)

        def start(self, task):
            self.call(task)
            (folder / f"thing-{task.namespace}").touch()
            self.hang(task)

        def take_back(self, task):
            self.call(task)
            (folder / f"thing-{task.namespace}").unlink(missing_ok=True)
            self.hang(task)

        rollback = cancel = delete = take_back
    return File
'''

LINE = line("files", service("a", "file"), service("b", "file"), service("c", "file"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "disk.py").write_text(DISK, encoding="utf-8")
    return tmp_path


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/river.db"


def disk(folder: Path) -> type[Stone]:
    """The same stone in this process."""
    names: dict[str, Any] = {}
    exec(DISK, names)  # noqa: S102
    made: type[Stone] = names["on"](folder)
    return made


@contextmanager
def dying(folder: Path, url: str, work: str) -> Iterator[None]:
    """An engine in a process of its own, killed when its hook hangs."""
    command = [sys.executable, "-c", CHILD.format(work=work), str(folder / "disk.py"), url, str(folder)]
    child = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 60
        while not (folder / "reached").exists():
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.01)
        yield
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def calls(folder: Path) -> list[list[str]]:
    return [text.split() for text in (folder / "calls").read_text().splitlines()]


def test_an_engine_killed_in_an_undo_is_replaced_and_the_undo_ends(folder: Path, url: str) -> None:
    with Engine(url, stones=[disk(folder)], dispatcher="threads") as engine:
        engine.deploy(LINE)
        started = engine.start(key="files", name="test").process_instance_id
        engine.wait(started, 60)
    (folder / "hang-delete-b").touch()
    with dying(folder, url, f"engine.delete({started!r})"):
        pass
    (folder / "hang-delete-b").unlink()
    with Engine(url, stones=[disk(folder)], dispatcher="threads") as engine:
        ended = engine.wait(started, 60)
        assert ended.status == "delete.success"
        assert set(undone(engine.tasks(started)).values()) == {"undone"}
        assert engine.get(str(ended.delete_process_instance_id)).status == "success"
    told = calls(folder)
    assert [call[:2] for call in told[3:]] == [["delete", name] for name in ("c", "b", "b", "a")]
    assert told[4][2] == told[5][2], "handed over again under the same key"
    assert not list(folder.glob("thing-*"))


def test_what_may_have_begun_in_an_engine_that_died_is_taken_back(folder: Path, url: str) -> None:
    (folder / "hang-start-b").touch()
    with Engine(url, stones=[disk(folder)], dispatcher="threads") as engine:
        engine.deploy(LINE)
    with dying(folder, url, "engine.start(key='files', name='test')"):
        pass
    with Engine(url, dispatcher="threads") as engine:
        (instance,) = engine.instances().items
        started = instance.process_instance_id
        assert engine.cancel(started).status == "cancel.begin"
    (folder / "hang-start-b").unlink()
    with Engine(url, stones=[disk(folder)], dispatcher="threads") as engine:
        assert engine.wait(started, 60).status == "cancel.success"
        assert undone(engine.tasks(started)) == {"a": "undone", "b": "undone"}
    assert [call[:2] for call in calls(folder)] == [["start", "a"], ["start", "b"], ["cancel", "b"], ["cancel", "a"]]
    assert not list(folder.glob("thing-*"))


def test_an_engine_killed_within_the_grace_leaves_an_unknown_task_that_is_taken_back(folder: Path, url: str) -> None:
    (folder / "hang-start-b").touch()
    with Engine(url, stones=[disk(folder)], dispatcher="threads") as engine:
        engine.deploy(LINE)
    work = """
started = engine.start(key="files", name="test").process_instance_id
while not (Path(sys.argv[3]) / "reached").exists():
    time.sleep(0.01)
(Path(sys.argv[3]) / "reached").unlink()
print(engine.cancel(started).status)
(Path(sys.argv[3]) / "reached").touch()
"""
    with dying(folder, url, work):
        time.sleep(0.2)
    with Engine(url, stones=[disk(folder)], dispatcher="threads") as engine:
        started = engine.instances().items[-1].process_instance_id
        assert engine.wait(started, 60).status == "cancel.success"
        assert statuses(engine.tasks(started))["b"] == "unknown"
    assert ["cancel", "b"] in [call[:2] for call in calls(folder)]
    assert not list(folder.glob("thing-*"))


class Blocking(Stone):
    """Keeps the only thread busy."""

    code = "blocking"
    reached: ClassVar[threading.Event]
    free: ClassVar[threading.Event]

    def start(self, task: TaskInfo) -> None:
        self.reached.set()
        assert self.free.wait(60)


def test_a_task_taken_over_but_not_yet_carried_out_again_counts_as_begun(folder: Path, url: str) -> None:
    (folder / "hang-start-a").touch()
    with Engine(url, stones=[disk(folder)], dispatcher="threads") as engine:
        engine.deploy(LINE)
    with dying(folder, url, "engine.start(key='files', name='test')"):
        pass
    (folder / "hang-start-a").unlink()
    Blocking.reached, Blocking.free = threading.Event(), threading.Event()
    with Engine(url, stones=[Blocking], dispatcher="threads", threads=1, passive=True) as busy:
        busy.deploy(line("busy", service("x", "blocking")))
    with Engine(url, stones=[Blocking, disk(folder)], dispatcher="threads", threads=1, passive=True) as engine:
        blocker = engine.start(key="busy", name="busy").process_instance_id
        assert Blocking.reached.wait(60)
        started = engine.instances(key="files").items[0].process_instance_id
        engine._loop.passive = False
        engine._loop.dead_engines.take_over()
        deadline = time.monotonic() + 60
        while not engine._dispatcher.holds(int(engine.tasks(started)[0].task_id)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        engine.cancel(started)
        Blocking.free.set()
        assert engine.wait(started, 60).status == "cancel.success"
        assert engine.wait(blocker, 60).status == "success"
        assert undone(engine.tasks(started)) == {"a": "undone"}
    assert not list(folder.glob("thing-*"))


def test_two_engines_on_one_store_undo_once(tmp_path: Path) -> None:
    world = World()
    url = f"sqlite:///{tmp_path}/shared.db"
    with (
        Engine(url, stones=world.stones(), dispatcher="threads", threads=2) as one,
        Engine(url, stones=world.stones(), dispatcher="threads", threads=2) as other,
    ):
        ends = '<startEvent id="begin"/><parallelGateway id="fork"/><endEvent id="x"/><endEvent id="y"/>'
        flows = (flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "x"), flow("b", "y"))
        one.deploy(definitions(process("both", ends, service("a", "make"), service("b", "make"), *flows)))
        started = one.start(key="both", name="test").process_instance_id
        assert other.wait(started, 60).status == "success"
        first, second = one.delete(started), other.delete(started)
        assert first.delete_process_instance_id == second.delete_process_instance_id
        assert other.wait(started, 60).status == "delete.success"
        assert (sorted(world.of("delete")), world.exists) == (["a", "b"], [])


def test_a_hook_that_runs_in_another_engine_gets_its_grace_too(tmp_path: Path) -> None:
    world = World()
    url = f"sqlite:///{tmp_path}/shared.db"
    reached, free = threading.Event(), threading.Event()

    def hold(task: TaskInfo) -> None:
        reached.set()
        assert free.wait(60)

    world.wrong("start", "a", hold)
    with (
        Engine(url, stones=world.stones(), dispatcher="threads", threads=2) as one,
        Engine(url, stones=world.stones(), dispatcher="threads", threads=2) as other,
    ):
        one.deploy(line("one", service("a", "make")))
        started = one.start(key="one", name="test").process_instance_id
        assert reached.wait(60)
        assert other.cancel(started).status == "cancel.begin"
        time.sleep(0.1)
        assert world.of("cancel") == [], "it is being made in the other engine"
        free.set()
        assert other.wait(started, 60).status == "cancel.success"
        assert (world.of("cancel"), world.exists) == (["a"], [])
