"""What one engine runs and another one stops: it hears of that, gets its grace, and nothing runs beside its undo."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, NotFound, Stone, TaskInfo

from ..features.sketch import definitions, flow, line, process, service


class Net(Stone):
    """Creates a network when it is let, or stops if it listens; at most one of its hooks may run for each task."""

    code = "net"
    grace = 20.0
    reached: ClassVar[threading.Event]
    go_on: ClassVar[threading.Event]
    networks: ClassVar[set[str]]
    calls: ClassVar[list[str]]
    running: ClassVar[set[str]]
    listens = False

    def start(self, task: TaskInfo) -> None:
        self.calls.append(f"start {task.attempt}")
        self.running.add(task.start_key)
        try:
            self.reached.set()
            if self.listens:
                assert task.wait_for_cancel(20)
                raise RuntimeError("stopped as asked")
            assert self.go_on.wait(60)
            self.networks.add(f"net-{task.attempt}")
            task.add_output("id", f"net-{task.attempt}")
        finally:
            self.running.discard(task.start_key)

    def cancel(self, task: TaskInfo) -> None:
        beside = " beside" if task.start_key in self.running else ""
        self.calls.append(f"{task.event} {task.outputs.get('id')}{beside}")
        if task.outputs.get("id") not in self.networks:
            raise NotFound("no network")
        self.networks.discard(task.outputs["id"])

    rollback = delete = cancel


@pytest.fixture
def net() -> Iterator[type[Net]]:
    members: dict[str, Any] = {"networks": set(), "calls": [], "running": set(), "__doc__": "One of its own."}
    kind: type[Net] = type("Net", (Net,), {**members, "reached": threading.Event(), "go_on": threading.Event()})
    yield kind
    kind.go_on.set()


@pytest.fixture
def here(url: str, net: type[Net]) -> Iterator[Engine]:
    """The engine that starts and runs it."""
    with Engine(url, stones=[net], dispatcher="threads", threads=1) as engine:
        yield engine
        net.go_on.set()


@pytest.fixture
def there(url: str, net: type[Net], here: Engine) -> Iterator[Engine]:
    """Another one."""
    with Engine(url, stones=[net], dispatcher="threads", threads=1) as engine:
        yield engine


def test_a_forced_cancel_waits_for_what_another_engine_may_be_about_to_begin(
    here: Engine, there: Engine, net: type[Net]
) -> None:
    here.deploy(line("forced", service("a", "net")))
    number = here.start(key="forced", name="test").process_instance_id
    assert net.reached.wait(60)
    asked = time.monotonic()
    there.cancel(number, force=True)
    until(lambda: len(net.calls) == 2)
    assert time.monotonic() - asked >= 0.1, "it was undone while its hook could still begin without asking"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def started(engine: Engine, net: type[Net], **options: Any) -> str:
    engine.deploy(line("shop", service("a", "net")))
    number = engine.start(key="shop", name="test", **options).process_instance_id
    assert net.reached.wait(60)
    return number


def test_a_hook_elsewhere_hears_that_it_should_stop_and_its_undo_waits_for_it(
    here: Engine, there: Engine, net: type[Net]
) -> None:
    net.listens = True
    number = started(here, net)
    there.cancel(number)
    assert there.wait(number, 60).status == "cancel.success"
    assert net.calls == ["start 1", "cancel None"]


def test_what_waits_for_a_thread_elsewhere_never_begins(here: Engine, there: Engine, net: type[Net]) -> None:
    """The grace is 20 seconds, but there is nothing to wait for once its engine has heard of it."""
    started(here, net)
    second = here.start(key="shop", name="second").process_instance_id
    there.cancel(second)
    assert there.wait(second, 60).status == "cancel.success"
    net.go_on.set()
    assert [task.undo for task in there.tasks(second)] == [None]
    assert net.calls == ["start 1"]


def test_what_waits_for_a_thread_longer_than_its_grace_never_begins(
    here: Engine, there: Engine, net: type[Net]
) -> None:
    started(here, net)
    second = here.start(key="shop", name="second").process_instance_id
    there.cancel(second, force=True)
    assert there.wait(second, 60).status == "cancel.success"
    time.sleep(0.15)
    net.go_on.set()
    assert here.wait(started(here, net), 10).status == "success"
    assert net.calls.count("start 1") == 2


def test_what_a_hook_elsewhere_makes_after_a_forced_cancel_is_undone_once_more(
    here: Engine, there: Engine, net: type[Net]
) -> None:
    number = started(here, net)
    there.cancel(number, force=True)
    assert there.wait(number, 60).status == "cancel.success"
    net.go_on.set()
    until(lambda: net.calls[-1] == "cancel net-1" and here.get(number).status == "cancel.success")
    assert net.calls == ["start 1", "cancel None beside", "cancel net-1"]
    assert not net.networks
    assert there.purge(0) == 1


def test_a_delete_waits_for_a_hook_elsewhere_that_is_past_its_timeout(
    here: Engine, there: Engine, net: type[Net]
) -> None:
    net.timeouts = {"start": 0.1}
    number = started(here, net, rollback=False)
    assert there.wait(number, 60).status == "failed"
    there.delete(number)
    time.sleep(0.5)
    assert net.calls == ["start 1"]
    net.go_on.set()
    assert there.wait(number, 60).status == "delete.success"
    assert net.calls == ["start 1", "delete net-1"]
    assert not net.networks


def test_a_rerun_waits_for_a_hook_elsewhere_that_is_past_its_timeout(
    here: Engine, there: Engine, net: type[Net]
) -> None:
    net.timeouts = {"start": 0.1}
    model = here.save_model(line("shop", service("a", "net")))
    number = here.start(model_id=model.model_id, name="test").process_instance_id
    until(lambda: there.get(number).paused)
    (task,) = there.tasks(number)
    net.timeouts = {}
    there.rerun(task.task_id)
    time.sleep(0.5)
    assert net.calls == ["start 1"]
    net.go_on.set()
    assert there.wait(number, 60).status == "success"
    # What the first attempt has left behind goes before the second.
    assert net.calls == ["start 1", "rollback net-1", "start 2"]
    assert net.networks == {"net-2"}


def test_a_hook_elsewhere_that_an_event_interrupts_is_asked_to_stop(
    here: Engine, there: Engine, net: type[Net]
) -> None:
    net.listens = True
    message = '<message id="m" name="stop"/>'
    event = '<messageEventDefinition messageRef="m"/>'
    nodes = '<startEvent id="begin"/><endEvent id="end"/><endEvent id="stopped"/>', service("a", "net")
    bound = f'<boundaryEvent id="stop" attachedToRef="a">{event}</boundaryEvent>'
    flows = flow("begin", "a"), flow("a", "end"), flow("stop", "stopped")
    here.deploy(definitions(message, process("shop", *nodes, bound, *flows)))
    number = here.start(key="shop", name="test").process_instance_id
    assert net.reached.wait(60)
    there.message("stop", process_instance_id=number)
    assert there.wait(number, 60).status == "success"
    until(lambda: not net.running)
