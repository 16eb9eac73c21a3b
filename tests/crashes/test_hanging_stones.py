"""A stone that never comes back holds up nobody but itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Stone, TaskInfo

from ..features.sketch import definitions, flow, process, service

SIDE_BY_SIDE = definitions(
    process(
        "both",
        '<startEvent id="b"/><parallelGateway id="f"/><parallelGateway id="j"/><endEvent id="e"/>',
        service("stuck", "hang"),
        service("well", "good"),
        service("next", "good"),
        *(flow(*pair.split()) for pair in ("b f", "f stuck", "f well", "well next", "stuck j", "next j", "j e")),
    )
)


class Hang(Stone):
    """Comes back when the test is over."""

    code = "hang"
    grace = 0.2
    over: ClassVar[threading.Event]

    def start(self, task: TaskInfo) -> None:
        self.over.wait(30)

    def cancel(self, task: TaskInfo) -> None:
        """It may have made something."""

    def rollback(self, task: TaskInfo) -> None:
        """It may have made something."""


class Good(Stone):
    code = "good"

    def start(self, task: TaskInfo) -> None:
        task.add_output("ok", True)

    def cancel(self, task: TaskInfo) -> None:
        """Nothing to undo."""

    def rollback(self, task: TaskInfo) -> None:
        """Nothing to undo."""


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def engine_with(folder: Path, over: threading.Event, **attributes: Any) -> Engine:
    hang = type("Hang", (Hang,), {"over": over, **attributes})
    engine = Engine(f"sqlite:///{folder}/river.db", stones=[hang, Good], dispatcher="threads")
    engine.deploy(SIDE_BY_SIDE)
    return engine


def statuses(engine: Engine, number: str) -> dict[str, str]:
    return {task.namespace: task.status for task in engine.tasks(number)}


def until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_a_timeout_its_siblings_go_on_and_it_can_be_cancelled(tmp_path: Path, over: threading.Event) -> None:
    engine = engine_with(tmp_path, over)
    number = engine.start(key="both", name="test").process_instance_id
    until(lambda: statuses(engine, number).get("next") == "start.success")
    assert engine.get(number).status == "running"

    engine.cancel(number)
    assert engine.wait(number, 60).status == "cancel.success"

    # Nobody knows what it did, so it was undone like what had begun.
    assert statuses(engine, number)["stuck"] == "unknown"
    undo = engine.tasks(engine.get(number).cancel_process_instance_id or "")
    assert {task.namespace for task in undo} == {"stuck", "well", "next"}
    over.set()
    engine.close()


def test_with_a_timeout_it_fails_with_a_reason_and_what_its_siblings_did_is_taken_back(
    tmp_path: Path, over: threading.Event
) -> None:
    engine = engine_with(tmp_path, over, timeouts={"start": 0.3})
    number = engine.start(key="both", name="test").process_instance_id
    ended = engine.wait(number, 60)

    assert ended.status == "rollback.success"
    assert "longer than its timeout" in (ended.reason or "")
    assert statuses(engine, number) == {"stuck": "start.failed", "well": "start.success", "next": "start.success"}
    over.set()
    engine.close()
